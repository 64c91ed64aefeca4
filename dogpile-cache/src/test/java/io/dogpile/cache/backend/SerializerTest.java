package io.dogpile.cache.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.jsontype.BasicPolymorphicTypeValidator;
import com.sun.management.ThreadMXBean;
import io.dogpile.cache.backend.Envelope.Codec;
import io.dogpile.cache.backend.Envelope.Stamps;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InvalidClassException;
import java.io.InvalidObjectException;
import java.io.NotSerializableException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputFilter.Status;
import java.io.ObjectStreamConstants;
import java.io.Serial;
import java.io.Serializable;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SerializerTest {
    /** A value such as users have. */
    record User(long id, String name, List<String> roles) implements Serializable {
        @Serial
        private static final long serialVersionUID = 1;
    }

    private static final User USER = new User(42, "Zoë", List.of("admin", "reader"));

    @Nested
    class Bytes {
        @Test
        void areHandedOnAsTheyAre() throws Exception {
            byte[] some = {1, 0, -1};

            assertEquals(0, Serializer.bytes().id());
            assertSame(some, Serializer.bytes().write(some));
            assertSame(some, Serializer.bytes().read(some));
        }
    }

    @Nested
    class Text {
        private final Serializer<String> text = Serializer.string();

        @ParameterizedTest
        @ValueSource(strings = {"", "plain", "Zoë", "日本", "\uD83D\uDC15", "a\0b", "\uFFFD"})
        void comesBack(String value) throws Exception {
            assertEquals(1, text.id());
            assertArrayEquals(value.getBytes(StandardCharsets.UTF_8), text.write(value));
            assertEquals(value, text.read(text.write(value)));
        }

        @Test
        void malformedBytes_areRefused_notReplaced() {
            for (byte[] bytes : new byte[][] {{(byte) 0xC3}, {(byte) 0xFF}, {(byte) 0xED, (byte) 0xA0, (byte) 0x80}}) {
                assertThrows(CharacterCodingException.class, () -> text.read(bytes));
            }
        }

        @ParameterizedTest
        @ValueSource(chars = {'\uD83D', '\uDC15'})
        void halfASurrogatePair_isRefused_notReplaced(char half) {
            assertThrows(CharacterCodingException.class, () -> text.write("a" + half + "b"));
        }
    }

    @Nested
    class Json {
        @Test
        @DisplayName("C-132: nulls and mixed types in a structure come back from JSON")
        void aStructure_comesBack() throws Exception {
            Serializer<Map<String, Object>> json = JsonSerializer.of(new TypeReference<>() {});
            Map<String, Object> value = new LinkedHashMap<>();
            value.put("foo", Arrays.asList("bar", 1, false, null));

            assertEquals("{\"foo\":[\"bar\",1,false,null]}", new String(json.write(value), StandardCharsets.UTF_8));
            assertEquals(value, json.read(json.write(value)));
        }

        @Test
        void aRecord_comesBack() throws Exception {
            Serializer<User> json = Serializer.json(User.class);

            assertEquals(3, json.id());
            assertEquals(USER, json.read(json.write(USER)));
        }

        @Test
        void aParameterizedType_keepsItsParameter() throws Exception {
            Serializer<List<User>> byReference = JsonSerializer.of(new TypeReference<>() {});
            ObjectMapper mapper = new ObjectMapper();
            Serializer<List<User>> byHand =
                    JsonSerializer.of(mapper.getTypeFactory().constructCollectionType(List.class, User.class), mapper);

            assertEquals(List.of(USER), byReference.read(byReference.write(List.of(USER))));
            assertEquals(List.of(USER), byHand.read(byReference.write(List.of(USER))));
        }

        @Test
        void theUsersMapper_decidesTheForm_asItWasWhenGiven() throws Exception {
            ObjectMapper mapper =
                    new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.UPPER_CAMEL_CASE);
            Serializer<User> json = JsonSerializer.of(User.class, mapper);
            Serializer<List<User>> list = JsonSerializer.of(new TypeReference<>() {}, mapper);
            mapper.configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

            String text = new String(json.write(USER), StandardCharsets.UTF_8);

            assertEquals("{\"Id\":42,\"Name\":\"Zoë\",\"Roles\":[\"admin\",\"reader\"]}", text);
            assertEquals(USER, json.read(utf8(text)));
            assertEquals(List.of(USER), list.read(utf8("[" + text + "]")));
            assertThrows(IOException.class, () -> json.read(utf8(text.replace("{", "{\"Other\":1,"))));
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    " ",
                    "null",
                    "{",
                    "{\"id\":1}}",
                    "{\"id\":1} {\"id\":2}",
                    "{\"id\":\"x\"}",
                    "{\"id\":1,\"other\":2}",
                    "[]",
                    "\0"
                })
        void whatIsNotExactlyAValue_isRefused(String text) {
            assertThrows(IOException.class, () -> Serializer.json(User.class).read(utf8(text)));
        }

        @Test
        void aNestingDeeperThanTheStack_isRefused() {
            Serializer<Object> json = Serializer.json(Object.class);

            assertThrows(
                    JsonProcessingException.class, () -> json.read(utf8("[".repeat(500_000) + "]".repeat(500_000))));
        }

        @Test
        @DisplayName("C-139: no JSON names the class that is made of it")
        void typeNamesInJson_areDataOnly() throws Exception {
            String named = "[\"" + Victim.class.getName() + "\",{\"x\":1}]";

            assertEquals(
                    List.of(Victim.class.getName(), Map.of("x", 1)),
                    Serializer.json(Object.class).read(utf8(named)));
            assertFalse(Victim.made);
        }

        @Test
        @DisplayName("C-139: a mapper with default typing is refused, whatever the type")
        void aMapperWithDefaultTyping_isRefused() {
            ObjectMapper typing = new ObjectMapper()
                    .activateDefaultTyping(
                            BasicPolymorphicTypeValidator.builder()
                                    .allowIfBaseType(Object.class)
                                    .build(),
                            ObjectMapper.DefaultTyping.JAVA_LANG_OBJECT,
                            JsonTypeInfo.As.PROPERTY);

            for (Class<?> type : new Class<?>[] {Object.class, User.class, String.class}) {
                IllegalArgumentException refused =
                        assertThrows(IllegalArgumentException.class, () -> JsonSerializer.of(type, typing));
                assertTrue(refused.getMessage().contains("default typing"), refused.getMessage());
            }
        }
    }

    @Nested
    class WithoutJackson {
        @Test
        void everythingElse_works_andJsonSaysWhatIsMissing() throws Exception {
            try (URLClassLoader noJackson = new URLClassLoader(
                    new URL[] {
                        Serializer.class.getProtectionDomain().getCodeSource().getLocation()
                    },
                    ClassLoader.getPlatformClassLoader())) {
                Class<?> there = noJackson.loadClass(Serializer.class.getName());
                Method write = there.getMethod("write", Object.class);

                assertTrue(there.getMethods().length > 5, "Whoever reflects on it, to make a proxy say, can.");
                Object text = there.getMethod("string").invoke(null);
                assertArrayEquals(utf8("text"), (byte[]) write.invoke(text, "text"));
                Object jdk = there.getMethod("jdk", Class.class, ObjectInputFilter.class)
                        .invoke(null, String.class, (ObjectInputFilter) info -> Status.ALLOWED);
                assertTrue(((byte[]) write.invoke(jdk, "text")).length > 0);
                Class<?> envelope = Class.forName(Envelope.class.getName(), true, noJackson);
                assertTrue(envelope.getMethods().length > 5);

                Throwable missing = assertThrows(
                                InvocationTargetException.class,
                                () -> there.getMethod("json", Class.class).invoke(null, String.class))
                        .getCause();
                assertEquals(NoClassDefFoundError.class, missing.getClass());
                assertTrue(missing.getMessage().contains("jackson"), missing.getMessage());
            }
        }
    }

    @Nested
    class Jdk {
        private static final ObjectInputFilter ALL = info -> Status.ALLOWED;
        private final ObjectInputFilter users =
                ObjectInputFilter.Config.createFilter(User.class.getName() + ";java.util.*;java.lang.*;!*");

        @BeforeEach
        void noVictim() {
            Victim.made = false;
        }

        @Test
        void anAllowedValue_comesBack() throws Exception {
            Serializer<User> jdk = Serializer.jdk(User.class, users);

            assertEquals(2, jdk.id());
            assertEquals(USER, jdk.read(jdk.write(USER)));
        }

        @Test
        @DisplayName("C-139: without a filter there is no JDK serialization")
        void noFilter_isRefusedAtOnce() {
            NullPointerException refused =
                    assertThrows(NullPointerException.class, () -> Serializer.jdk(User.class, null));

            assertTrue(refused.getMessage().contains("filter"), refused.getMessage());
            assertThrows(NullPointerException.class, () -> Serializer.jdk(null, users));
        }

        @Test
        @DisplayName("C-139: a class that the filter rejects is refused before it is made")
        void aRejectedClass_isRefused() throws Exception {
            Serializer<Object> jdk = Serializer.jdk(Object.class, users);
            byte[] bytes = jdk.write(new Victim());

            assertThrows(InvalidClassException.class, () -> jdk.read(bytes));
            assertFalse(Victim.made);
            byte[] hidden = jdk.write(new ArrayList<>(List.of("a", new Victim())));
            assertThrows(InvalidClassException.class, () -> jdk.read(hidden));
            assertFalse(Victim.made);

            Serializer.jdk(Object.class, ALL).read(bytes);
            assertTrue(Victim.made, "The bytes are a bomb where it is allowed.");
        }

        @Test
        @DisplayName("C-139: a class of which the filter says nothing is refused")
        void anUndecidedClass_isRefused() throws Exception {
            Serializer<Object> some = Serializer.jdk(
                    Object.class, ObjectInputFilter.Config.createFilter(User.class.getName() + ";java.util.*"));
            Serializer<Object> none = Serializer.jdk(Object.class, info -> Status.UNDECIDED);
            byte[] bytes = some.write(new Victim());

            assertThrows(InvalidClassException.class, () -> some.read(bytes));
            assertThrows(InvalidClassException.class, () -> none.read(bytes));
            assertThrows(InvalidClassException.class, () -> none.read(none.write(new Victim[0])));
            assertFalse(Victim.made);
        }

        @Test
        void primitives_ofWhichPatternsSayNothing_areRead() throws Exception {
            Serializer<Object> jdk = Serializer.jdk(Object.class, users);

            assertArrayEquals(new int[] {1, 2, 3}, (int[]) jdk.read(jdk.write(new int[] {1, 2, 3})));
            assertArrayEquals(new long[][] {{1}, {}}, (long[][]) jdk.read(jdk.write(new long[][] {{1}, {}})));
            assertEquals("text", jdk.read(jdk.write("text")));
            assertThrows(
                    InvalidClassException.class,
                    () -> Serializer.jdk(Object.class, info -> Status.REJECTED).read(jdk.write(new int[1])));
        }

        @Test
        void aValueOfAnotherType_isRefused_whateverTheFilterSays() throws Exception {
            byte[] bytes = Serializer.jdk(Object.class, ALL).write("text");

            assertThrows(
                    ClassCastException.class,
                    () -> Serializer.jdk(User.class, ALL).read(bytes));
        }

        @Test
        @DisplayName("C-139: the filter of the JVM is asked too, which a stream's own filter else replaces")
        void whatTheJvmsFilterRejects_isRefused_whateverOursSays() throws Exception {
            for (String ofJvm : new String[] {"!" + User.class.getName(), "!java.time.*"}) {
                Process jvm = new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-Xmx64m",
                                "-Djdk.serialFilter=" + ofJvm,
                                "-cp",
                                System.getProperty("java.class.path"),
                                UnderAFilterOfTheJvm.class.getName())
                        .redirectErrorStream(true)
                        .start();
                String said = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertEquals(ofJvm.contains("User") ? "refused" : "read", said.strip());
            }
        }

        @Test
        void collectionsOfEachSize_areWithinTheBounds() throws Exception {
            Serializer<Object> jdk = Serializer.jdk(Object.class, users);
            for (int size : new int[] {0, 1, 2, 7, 12, 13, 24, 25, 100, 1_537, 98_305}) {
                List<Integer> list = IntStream.range(0, size).boxed().collect(Collectors.toCollection(ArrayList::new));
                Map<Object, Object> thin = new HashMap<>(16, 0.25f);
                Map<Object, Object> identity = new IdentityHashMap<>();
                list.forEach(i -> thin.put(i, null));
                list.forEach(i -> identity.put(i, null));
                for (Object value : new Object[] {
                    list, new HashSet<>(list), thin, Set.copyOf(list), list.toArray(), new byte[size], new boolean[size]
                }) {
                    Object read = jdk.read(jdk.write(value));
                    assertTrue(Arrays.deepEquals(new Object[] {value}, new Object[] {read}), () -> "size " + size);
                }
                assertEquals(size, ((Map<?, ?>) jdk.read(jdk.write(identity))).size());
            }
            List<Map<String, String>> rows = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                rows.add(new HashMap<>(Map.of("a", "b")));
            }
            assertEquals(rows, jdk.read(jdk.write(rows)));
            // The most slots for the fewest bytes: the emptiest tables, their elements mere references.
            List<Integer> same = IntStream.range(0, 1_025).boxed().toList();
            List<Set<Object>> thinSets = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                Set<Object> thin = new HashSet<>(16, 0.25f);
                for (int n = 0; n < 1_025; n++) {
                    thin.add(same.get(n));
                }
                thinSets.add(thin);
            }
            assertEquals(thinSets, jdk.read(jdk.write(thinSets)));
        }

        @Test
        void aNestingDeeperThanTheBound_isRefused() throws Exception {
            Serializer<Object> jdk = Serializer.jdk(Object.class, ALL);

            Object within = nested((int) JdkSerializer.MAX_DEPTH - 2);
            assertEquals(within, jdk.read(jdk.write(within)));
            byte[] beyond = jdk.write(nested((int) JdkSerializer.MAX_DEPTH + 1));
            assertThrows(InvalidClassException.class, () -> jdk.read(beyond));
        }

        @Test
        void moreObjectsThanTheBound_areRefused() throws Exception {
            Serializer<Object> jdk = Serializer.jdk(Object.class, ALL);
            byte[] beyond = jdk.write(IntStream.range(0, (int) JdkSerializer.MAX_REFERENCES)
                    .boxed()
                    .toArray());

            assertThrows(InvalidClassException.class, () -> jdk.read(beyond));
        }

        @Test
        void aClaimOfAHugeArray_allocatesNothingOfIt() throws Exception {
            Serializer<Object> jdk = Serializer.jdk(Object.class, ALL);
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long me = Thread.currentThread().getId();
            for (int claim : new int[] {1_000_000, 1 << 28, Integer.MAX_VALUE}) {
                for (int arrays = 1; arrays <= 60; arrays += 59) {
                    byte[] hostile = nestedArrays(claim, arrays);
                    assertThrows(InvalidClassException.class, () -> jdk.read(hostile));
                    long before = threads.getThreadAllocatedBytes(me);
                    assertThrows(InvalidClassException.class, () -> jdk.read(hostile));
                    long allocated = threads.getThreadAllocatedBytes(me) - before;
                    assertTrue(allocated < 100_000, () -> allocated + " bytes for a claim of " + claim);
                }
            }
        }

        @Test
        void nestedArraysThatEachClaimWhatTheBytesCouldFill_areRefusedTogether() throws Exception {
            Serializer<Object> jdk = Serializer.jdk(Object.class, ALL);
            int length = nestedArrays(0, 50).length;

            assertThrows(InvalidClassException.class, () -> jdk.read(nestedArrays(length, 50)));
        }

        @Test
        void damagedBytes_areAnException_neverAnotherOutcome() throws Exception {
            Serializer<User> jdk = Serializer.jdk(User.class, users);
            byte[] whole = jdk.write(USER);
            for (int length = 0; length < whole.length; length++) {
                byte[] cut = Arrays.copyOf(whole, length);
                assertThrows(Exception.class, () -> jdk.read(cut));
            }
            for (int added = 0; added < 256; added++) {
                byte[] longer = Arrays.copyOf(whole, whole.length + 1);
                longer[whole.length] = (byte) added;
                assertThrows(InvalidObjectException.class, () -> jdk.read(longer));
            }
            assertThrows(InvalidObjectException.class, () -> jdk.read(jdk.write(null)));
            Random random = new Random(139);
            for (int i = 0; i < 20_000; i++) {
                byte[] bytes = whole.clone();
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                Envelope envelope = Envelope.of(new Stamps(0, 0, 0, 0, 0, 0), 0, 2, bytes);
                envelope.value(jdk);
            }
        }

        @Test
        @DisplayName("C-138: a value that is not serializable is the writer's exception")
        void aValueThatIsNotSerializable_isNotWritten() {
            Serializer<Object> jdk = Serializer.jdk(Object.class, ALL);

            assertThrows(NotSerializableException.class, () -> jdk.write(new Object()));
        }

        private static Object nested(int depth) {
            Object inner = "core";
            for (int i = 0; i < depth; i++) {
                inner = new Box(inner);
            }
            return inner;
        }

        /** Arrays of objects, each the first element of the one before, each of which says how long it is. */
        private static byte[] nestedArrays(int claim, int arrays) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeShort(ObjectStreamConstants.STREAM_MAGIC);
                out.writeShort(ObjectStreamConstants.STREAM_VERSION);
                for (int i = 0; i < arrays; i++) {
                    out.writeByte(ObjectStreamConstants.TC_ARRAY);
                    out.writeByte(ObjectStreamConstants.TC_CLASSDESC);
                    out.writeUTF("[Ljava.lang.Object;");
                    out.writeLong(0x90CE589F1073296CL);
                    out.writeByte(ObjectStreamConstants.SC_SERIALIZABLE);
                    out.writeShort(0);
                    out.writeByte(ObjectStreamConstants.TC_ENDBLOCKDATA);
                    out.writeByte(ObjectStreamConstants.TC_NULL);
                    out.writeInt(claim);
                }
            }
            return bytes.toByteArray();
        }
    }

    @Nested
    class ManyThreads {
        @Test
        @DisplayName("E-012: 8 threads on one serializer of each kind do not disturb each other")
        void eightThreads_oneSerializer() throws Exception {
            Serializer<User> json = Serializer.json(User.class);
            Serializer<User> jdk = Serializer.jdk(User.class, info -> Status.ALLOWED);
            ExecutorService pool = Executors.newFixedThreadPool(8);
            try {
                CountDownLatch start = new CountDownLatch(1);
                List<Future<?>> all = new ArrayList<>();
                for (int t = 0; t < 8; t++) {
                    int thread = t;
                    all.add(pool.submit(() -> {
                        start.await();
                        for (int i = 0; i < 1_000; i++) {
                            String text = "é".repeat(i % 50) + thread + ":" + i;
                            User user = new User(i, text, List.of(text));
                            assertEquals(user, there(json, user));
                            assertEquals(user, there(jdk, user));
                            assertEquals(text, there(Serializer.string(), text));
                            assertArrayEquals(utf8(text), there(Serializer.bytes(), utf8(text)));
                        }
                        return null;
                    }));
                }
                start.countDown();
                for (Future<?> one : all) {
                    one.get(60, TimeUnit.SECONDS);
                }
            } finally {
                pool.shutdownNow();
            }
        }

        private static <V> V there(Serializer<V> serializer, V value) throws Exception {
            byte[] key = utf8("key");
            byte[] bytes = Envelope.of(new Stamps(1, 2, 3, 4, 5, 6), 0, serializer, value)
                    .encode(key, Codec.DEFLATE);
            return Envelope.decode(bytes, key, 10_000).get().value(serializer).get();
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A program of its own, since the filter of a JVM is set once. */
    static final class UnderAFilterOfTheJvm {
        public static void main(String[] none) throws Exception {
            Serializer<User> jdk = Serializer.jdk(User.class, info -> Status.ALLOWED);
            try {
                jdk.read(jdk.write(USER));
                System.out.println("read");
            } catch (InvalidClassException refused) {
                System.out.println("refused");
            }
        }
    }

    private record Box(Object inner) implements Serializable {
        @Serial
        private static final long serialVersionUID = 1;
    }

    /** Notes that it was made from bytes. */
    static final class Victim implements Serializable {
        @Serial
        private static final long serialVersionUID = 1;

        static volatile boolean made;

        public void setX(int x) {
            made = true;
        }

        @Serial
        private Object readResolve() {
            made = true;
            return this;
        }
    }
}
