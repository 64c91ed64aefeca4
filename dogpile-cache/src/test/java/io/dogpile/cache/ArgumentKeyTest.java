package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ArgumentKeyTest {
    private static final long SEED = 20261102L;

    private static void assertSameKey(ArgumentKey one, ArgumentKey two) {
        assertEquals(one, two);
        assertEquals(one.hashCode(), two.hashCode());
        assertEquals(one.text(), two.text());
    }

    private static void assertOtherKey(ArgumentKey one, ArgumentKey two) {
        assertNotEquals(one, two);
        assertNotEquals(one.text(), two.text());
    }

    @Nested
    class Equality {
        @Test
        void equalArguments_areOneKey() {
            assertSameKey(ArgumentKey.of("f", 42L), ArgumentKey.of("f", 42L));
            assertSameKey(ArgumentKey.of("f", new String("a")), ArgumentKey.of(new String("f"), "a"));
            assertSameKey(ArgumentKey.of("f", null), ArgumentKey.of("f", null));
            assertSameKey(ArgumentKey.ofAll("f", "a", 1), ArgumentKey.ofAll("f", "a", 1));
            assertSameKey(ArgumentKey.ofAll("f"), ArgumentKey.ofAll("f"));
            assertSameKey(ArgumentKey.ofAll("f", List.of(1)), ArgumentKey.ofAll("f", new ArrayList<>(List.of(1))));
        }

        @Test
        void howTheKeyWasMade_doesNotMatter() {
            assertSameKey(ArgumentKey.of("f", "a"), ArgumentKey.ofAll("f", new Object[] {"a"}));
            assertSameKey(ArgumentKey.of("f", null), ArgumentKey.ofAll("f", new Object[] {null}));
            assertSameKey(ArgumentKey.ofAll("f", new Object[0]), ArgumentKey.ofAll("f", (Object[]) null));
            assertSameKey(ArgumentKey.of("f", new int[] {1}), ArgumentKey.ofAll("f", new Object[] {new int[] {1}}));
        }

        @Test
        @Tag("C-149")
        void otherTypesOrBoundaries_areOtherKeys() {
            assertOtherKey(ArgumentKey.of("f", 1), ArgumentKey.of("f", 1L));
            assertOtherKey(ArgumentKey.of("f", 1), ArgumentKey.of("f", "1"));
            assertOtherKey(ArgumentKey.of("f", new BigDecimal("1.0")), ArgumentKey.of("f", new BigDecimal("1.00")));
            assertOtherKey(ArgumentKey.ofAll("f", "a b", "c"), ArgumentKey.ofAll("f", "a", "b c"));
            assertOtherKey(ArgumentKey.ofAll("f", 1, 2), ArgumentKey.ofAll("f", "1", "2"));
            assertOtherKey(ArgumentKey.of("f", null), ArgumentKey.ofAll("f"));
            assertOtherKey(ArgumentKey.of("f", null), ArgumentKey.of("f", "null"));
            assertOtherKey(ArgumentKey.of("f", "a"), ArgumentKey.of("g", "a"));
            assertNotEquals(ArgumentKey.of("f", "a"), "a");
        }

        @Test
        @Tag("C-149")
        void anArray_isOneArgument_notAList_ofThem() {
            Object[] array = {"a", "b"};

            assertOtherKey(ArgumentKey.of("f", array), ArgumentKey.ofAll("f", "a", "b"));
            assertOtherKey(ArgumentKey.of("f", array), ArgumentKey.of("f", List.of("a", "b")));
            assertOtherKey(ArgumentKey.of("f", new Object[] {"a"}), ArgumentKey.of("f", "a"));
            assertOtherKey(ArgumentKey.of("f", new Object[0]), ArgumentKey.ofAll("f"));
            assertOtherKey(ArgumentKey.of("f", new int[] {1}), ArgumentKey.of("f", new long[] {1}));
        }

        @Test
        void arraysOfEveryKind_areComparedByWhatTheyHold() {
            List<Object> arrays = List.of(
                    new boolean[] {true},
                    new byte[] {1},
                    new char[] {'1'},
                    new short[] {1},
                    new int[] {1},
                    new long[] {1},
                    new float[] {1},
                    new double[] {1},
                    new String[] {"1"},
                    new Object[] {new int[][] {{1}, {}}, null});
            for (Object array : arrays) {
                for (Object other : arrays) {
                    ArgumentKey one = ArgumentKey.of("f", array);
                    ArgumentKey two = ArgumentKey.ofAll("f", new Object[] {other});
                    assertEquals(array == other, one.equals(two));
                    assertEquals(array == other, one.text().equals(two.text()));
                }
            }
        }

        @Test
        void hashesThatCollide_areNotEqualKeys() {
            ArgumentKey one = ArgumentKey.of("f", "Aa");
            ArgumentKey two = ArgumentKey.of("f", "BB");

            assertEquals(one.hashCode(), two.hashCode());
            assertNotEquals(one, two);
            assertNotEquals(ArgumentKey.of("Aa", 1), ArgumentKey.of("BB", 1));
            assertNotEquals(ArgumentKey.ofAll("f", "Aa", 1), ArgumentKey.ofAll("f", "BB", 1));
        }

        @Test
        @Tag("C-149")
        void randomKeys_areEqualIfAndOnlyIfTheirTextsAre() {
            SplittableRandom random = new SplittableRandom(SEED);
            List<Object> leaves =
                    Arrays.asList(null, "", "1", 1, 1L, '1', true, 1.0, List.of(1), Set.of("1"), Map.of());
            Map<ArgumentKey, String> texts = new HashMap<>();
            Set<String> distinct = new HashSet<>();
            for (int i = 0; i < 50_000; i++) {
                Object[] arguments = new Object[random.nextInt(4)];
                Arrays.setAll(arguments, at -> {
                    Object leaf = leaves.get(random.nextInt(leaves.size()));
                    return random.nextInt(4) == 0 ? new Object[] {leaf} : leaf;
                });
                ArgumentKey key = ArgumentKey.ofAll("f" + random.nextInt(2), arguments);
                String before = texts.putIfAbsent(key, key.text());

                assertTrue(before == null || before.equals(key.text()), () -> "seed " + SEED + ": " + key);
                distinct.add(key.text());
            }
            assertEquals(texts.size(), distinct.size(), "seed " + SEED);
        }
    }

    @Nested
    class WhenAnArrayChangesLater {
        @Test
        void theKey_doesNot() {
            Object[] arguments = {"a", "b"};
            int[] numbers = {1, 2};
            int[][] nested = {{1}, {2}};
            ArgumentKey ofArguments = ArgumentKey.ofAll("f", arguments);
            ArgumentKey ofNumbers = ArgumentKey.of("f", numbers);
            ArgumentKey ofNested = ArgumentKey.ofAll("f", nested, "x");
            arguments[0] = "z";
            numbers[0] = 9;
            nested[0][0] = 9;

            assertEquals("f/(a,b)", ofArguments.text());
            assertEquals("f/(int[](1,2))", ofNumbers.text());
            assertEquals("f/(array(int[](1),int[](2)),x)", ofNested.text());
            assertSameKey(ArgumentKey.ofAll("f", new int[][] {{1}, {2}}, "x"), ofNested);
        }

        @Test
        void anArrayInItself_isRefused() {
            Object[] array = new Object[1];
            array[0] = array;

            assertThrows(IllegalArgumentException.class, () -> ArgumentKey.of("f", array));
        }
    }

    @Nested
    class Text {
        @Test
        void isTheNamespaceAndTheArguments() {
            assertEquals("users/(long(42))", ArgumentKey.of("users", 42L).text());
            assertEquals("users/(null())", ArgumentKey.of("users", null).text());
            assertEquals("users/()", ArgumentKey.ofAll("users").text());
            assertEquals("users/(a,int(1))", ArgumentKey.ofAll("users", "a", 1).toString());
        }

        @Test
        @Tag("C-151")
        void anArgumentWithoutOne_isRefusedByText_andToStringSaysSo() {
            ArgumentKey key = ArgumentKey.ofAll("io.example.Users.find", "a", new Object());

            IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, key::text);

            assertTrue(
                    refusal.getMessage().startsWith("io.example.Users.find: argument 2 of 2 (java.lang.Object) has no"),
                    refusal.getMessage());
            assertEquals("io.example.Users.find/(no stable text)", key.toString());
        }
    }

    interface Base<T> {
        T active(T of);
    }

    interface A extends Base<Long> {}

    interface B extends Base<Integer> {}

    interface Finder {
        String find(long id);

        String find(int id);

        String find(String id);

        String find(String[] ids);

        String find(List<String> ids);

        String find(Map.Entry<?, ?> entry, int[][] table, Object... more);

        String find();
    }

    interface OtherFinder {
        String find(long id);
    }

    @Nested
    class NamespaceOfAMethod {
        private static final String HERE = "io.dogpile.cache.ArgumentKeyTest$";

        private String find(Class<?>... parameters) throws NoSuchMethodException {
            return ArgumentKey.namespaceOf(Finder.class.getMethod("find", parameters));
        }

        @Test
        @Tag("C-143")
        void holdsClassNameAndParameterTypes() throws Exception {
            assertEquals(HERE + "Finder.find[long]", find(long.class));
            assertEquals(HERE + "Finder.find[String]", find(String.class));
            assertEquals(HERE + "Finder.find[String[]]", find(String[].class));
            assertEquals(HERE + "Finder.find[java.util.List]", find(List.class));
            assertEquals(HERE + "Finder.find[]", find());
            assertEquals(
                    HERE + "Finder.find[java.util.Map$Entry;int[][];Object[]]",
                    find(Map.Entry.class, int[][].class, Object[].class));
        }

        @Test
        @Tag("C-143")
        void overloadsAndOtherClasses_haveTheirOwn() throws Exception {
            Set<String> namespaces = new HashSet<>();
            for (Method method : Finder.class.getMethods()) {
                namespaces.add(ArgumentKey.namespaceOf(method));
            }
            namespaces.add(ArgumentKey.namespaceOf(OtherFinder.class.getMethod("find", long.class)));

            assertEquals(8, namespaces.size(), namespaces::toString);
        }

        @Test
        @Tag("C-143")
        void twoInterfacesThatInheritIt_haveTheirOwn() throws Exception {
            Method active = A.class.getMethod("active", Object.class);
            assertEquals(active, B.class.getMethod("active", Object.class));

            assertEquals(HERE + "A.active[Object]", ArgumentKey.namespaceOf(A.class, active));
            assertEquals(HERE + "B.active[Object]", ArgumentKey.namespaceOf(B.class, active));
        }

        @Test
        @Tag("C-143")
        void aParameterTypeWithoutPackage_isNotTakenForOneOfJavaLang() throws Exception {
            Class<?> type = Class.forName("WithoutPackage");

            assertEquals(
                    "WithoutPackage.same[.WithoutPackage]",
                    ArgumentKey.namespaceOf(type.getDeclaredMethod("same", type)));
        }

        @Test
        @Tag("C-142")
        void whoReceivesTheCall_isNoPartOfTheKey() throws Exception {
            Finder one = proxy();
            Finder two = proxy();
            Method find = Finder.class.getMethod("find", long.class);
            List<ArgumentKey> keys = new ArrayList<>();
            for (Finder finder : List.of(one, two)) {
                assertEquals(null, find.invoke(finder, 1L));
                keys.add(ArgumentKey.of(ArgumentKey.namespaceOf(find), 1L));
            }

            assertSameKey(keys.get(0), keys.get(1));
            assertEquals(HERE + "Finder.find[long]/(long(1))", keys.get(0).text());
        }

        @Test
        void aClassWithoutAStableName_isRefused() throws Exception {
            Class<?> proxy = proxy().getClass();
            Class<?> hidden = ((Runnable) () -> {}).getClass();
            Method run = hidden.getMethod("run");
            Method find = proxy.getMethod("find", long.class);

            assertTrue(assertThrows(IllegalArgumentException.class, () -> ArgumentKey.namespaceOf(find))
                    .getMessage()
                    .endsWith("give a namespace"));
            assertThrows(IllegalArgumentException.class, () -> ArgumentKey.namespaceOf(run));
        }

        private Finder proxy() {
            return (Finder) Proxy.newProxyInstance(
                    Finder.class.getClassLoader(), new Class<?>[] {Finder.class}, (self, method, arguments) -> null);
        }
    }
}
