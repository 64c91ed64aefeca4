package io.dogpile.cache.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.dogpile.cache.backend.Envelope.Codec;
import io.dogpile.cache.backend.Envelope.Stamps;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvelopeTest {
    private static final int LIMIT = 1 << 20;
    private static final byte[] KEY = utf8("abc");
    private static final Stamps STAMPS = new Stamps(0x0102030405060708L, 1_767_225_600_000L, 60_000, 3_600_000, 125, 7);

    /** Made by another program from the table of the layout. */
    private static final byte[] GOLDEN = HexFormat.of()
            .parseHex("d09e0111000801000102030405060708" + "0000019b76daa800000000000000ea60"
                    + "000000000036ee800000007d00000000" + "000000070000000344bc2cf5ad770999" + "78feeafe" + "c3a921");

    @Nested
    class Written {
        @Test
        @DisplayName("E-013: these bytes are what every version of this library must go on to read")
        void goldenBytes_areWritten_andRead() throws Exception {
            Envelope envelope = Envelope.of(STAMPS, Envelope.SERVER_TIME, Serializer.string(), "é!");

            assertEquals(HexFormat.of().formatHex(GOLDEN), HexFormat.of().formatHex(envelope.encode(KEY, Codec.NONE)));

            Envelope read = opened(GOLDEN);
            assertEquals(STAMPS, read.stamps());
            assertEquals(Envelope.SERVER_TIME, read.flags());
            assertEquals(1, read.serializer());
            assertArrayEquals(utf8("é!"), read.payload());
            assertEquals("é!", read.value(Serializer.string()).get());
        }

        @ParameterizedTest
        @EnumSource
        @DisplayName("C-131: a payload may be any bytes, those of an envelope too")
        void anyPayload_comesBack(Codec codec) {
            Random random = new Random(131);
            for (int i = 0; i < 2_000; i++) {
                byte[] payload = new byte[random.nextInt(300)];
                random.nextBytes(payload);
                if (i % 2 == 0) {
                    Arrays.fill(payload, 0, payload.length / 2, (byte) '|'); // Half of them can be packed.
                }
                byte[] key = new byte[random.nextInt(80)];
                random.nextBytes(key);
                Stamps stamps = new Stamps(
                        random.nextLong(),
                        random.nextLong(),
                        random.nextLong() >>> 1,
                        random.nextLong() >>> 1,
                        random.nextLong() >>> 32,
                        random.nextLong());
                int flags = random.nextInt(32) & ~Envelope.NULL;
                int serializer = random.nextInt(256);

                byte[] bytes = Envelope.of(stamps, flags, serializer, payload).encode(key, codec);
                Envelope read = Envelope.decode(bytes, key, 300).get();

                assertArrayEquals(payload, read.payload());
                assertEquals(stamps, read.stamps());
                assertEquals(flags, read.flags());
                assertEquals(serializer, read.serializer());
            }
            assertArrayEquals(GOLDEN, opened(encoded(GOLDEN)).payload());
            assertArrayEquals(utf8("a|b|c"), opened(encoded(utf8("a|b|c"))).payload());
        }

        @ParameterizedTest
        @EnumSource
        void aNull_comesBackAsNull_withoutItsSerializer(Codec codec) throws Exception {
            Serializer<String> none = new Failing<>(1, new AssertionError("A null was shown to the serializer."));
            byte[] bytes = Envelope.of(STAMPS, 0, none, null).encode(KEY, codec);

            assertEquals(Envelope.HEADER_BYTES, bytes.length);
            Envelope read = opened(bytes);
            assertTrue(read.is(Envelope.NULL));
            Decoded<String> value = read.value(none);
            assertTrue(value.readable());
            assertNull(value.get());
        }

        @Test
        void anEmptyValue_isNoNull() throws Exception {
            byte[] bytes = Envelope.of(STAMPS, 0, Serializer.string(), "").encode(KEY, Codec.NONE);

            assertEquals("", opened(bytes).value(Serializer.string()).get());
        }

        @Test
        void deflate_isNotUsedWhereItIsLonger() {
            byte[] same = new byte[10_000];
            byte[] noise = new byte[10_000];
            new Random(1).nextBytes(noise);

            byte[] packed = Envelope.of(STAMPS, 0, 0, same).encode(KEY, Codec.DEFLATE);
            byte[] left = Envelope.of(STAMPS, 0, 0, noise).encode(KEY, Codec.DEFLATE);

            assertTrue(packed.length < 200, () -> packed.length + " bytes");
            assertEquals(1, packed[7]);
            assertArrayEquals(same, opened(packed).payload());
            assertEquals(Envelope.HEADER_BYTES + noise.length, left.length);
            assertEquals(0, left[7]);
            assertArrayEquals(noise, opened(left).payload());
        }

        @Test
        void aCostOfMoreThanTheFieldHolds_isTheMostItHolds() {
            Stamps slow = new Stamps(0, 0, 0, 0, Long.MAX_VALUE, 0);

            byte[] bytes = Envelope.of(slow, 0, 0, new byte[0]).encode(KEY, Codec.NONE);

            assertEquals(0xFFFF_FFFFL, opened(bytes).stamps().costMillis());
        }

        @Test
        void whatNoReaderWouldTake_isRefused() {
            byte[] some = new byte[1];

            assertThrows(IllegalArgumentException.class, () -> Envelope.of(STAMPS, 32, 0, some));
            assertThrows(IllegalArgumentException.class, () -> Envelope.of(STAMPS, Envelope.NULL, 0, some));
            assertThrows(IllegalArgumentException.class, () -> Envelope.of(STAMPS, 0, 256, some));
            assertThrows(IllegalArgumentException.class, () -> Envelope.of(STAMPS, 0, -1, some));
            assertThrows(IllegalArgumentException.class, () -> new Stamps(0, 0, -1, 0, 0, 0));
            assertThrows(IllegalArgumentException.class, () -> new Stamps(0, 0, 0, -1, 0, 0));
            assertThrows(IllegalArgumentException.class, () -> new Stamps(0, 0, 0, 0, -1, 0));
        }

        @Test
        @DisplayName("C-138: what the serializer throws at a value comes out as it is")
        void aValueThatCannotBeWritten_isTheWritersException() {
            IllegalStateException failure = new IllegalStateException("not this one");

            assertSame(
                    failure,
                    assertThrows(
                            IllegalStateException.class,
                            () -> Envelope.of(STAMPS, 0, new Failing<String>(16, failure), "value")));
        }

        @Test
        void text_neverShowsTheValue() throws Exception {
            Envelope envelope = Envelope.of(STAMPS, 0, Serializer.string(), "secret");
            Decoded<Envelope> decoded = Envelope.decode(envelope.encode(KEY, Codec.NONE), KEY, LIMIT);

            assertFalse((envelope + " " + decoded + " " + envelope.value(Serializer.string())).contains("secret"));
        }

        @Test
        void ofAnotherGeneration_allElseIsAsItWas() {
            Envelope envelope = Envelope.of(STAMPS, Envelope.SERVER_TIME, 1, utf8("value"));

            Envelope moved = envelope.ofGeneration(8);

            assertEquals(
                    new Stamps(
                            STAMPS.fence(),
                            STAMPS.createdAtMillis(),
                            STAMPS.softTtlMillis(),
                            STAMPS.hardTtlMillis(),
                            STAMPS.costMillis(),
                            8),
                    moved.stamps());
            assertEquals(Envelope.SERVER_TIME, moved.flags());
            assertEquals(1, moved.serializer());
            assertSame(envelope.payload(), moved.payload());
        }

        @Test
        void aFlag_isThereOnlyIfItWasSet() {
            Envelope envelope = Envelope.of(STAMPS, Envelope.SERVER_TIME, 1, utf8("value"));

            assertTrue(envelope.is(Envelope.SERVER_TIME));
            assertFalse(envelope.is(Envelope.NULL));
            assertFalse(envelope.is(Envelope.SERVER_TIME | Envelope.NULL));
        }

        @Test
        void asText_itHasItsStampsAndItsLength_andNotItsValue() {
            assertEquals(
                    "envelope of 6 bytes by serializer 1, flags 8, " + STAMPS,
                    Envelope.of(STAMPS, Envelope.SERVER_TIME, 1, utf8("secret")).toString());
        }
    }

    @Nested
    class Aged {
        private static long age(long createdAtMillis, long nowMillis) {
            return new Stamps(0, createdAtMillis, 0, 0, 0, 0).ageMillis(Instant.ofEpochMilli(nowMillis));
        }

        @Test
        void isTheTimeSinceItsCreation_negativeWhereThatIsToCome() {
            assertEquals(7, age(10, 17));
            assertEquals(0, age(10, 10));
            assertEquals(-7, age(17, 10));
            assertEquals(7, age(-10, -3));
            assertEquals(13, age(-10, 3));
            assertEquals(-13, age(3, -10));
            assertEquals(0, age(0, 0));
            assertEquals(-5, age(5, 0));
            assertEquals(5, age(-5, 0));
            assertEquals(0, age(-5, -5));
            assertEquals(-5, age(0, -5));
        }

        @Test
        void tooFarApartForANumber_isTheNearestOne() {
            assertEquals(Long.MAX_VALUE, age(Long.MIN_VALUE, 1));
            assertEquals(Long.MAX_VALUE, age(Long.MIN_VALUE, 0));
            assertEquals(Long.MAX_VALUE, age(-2, Long.MAX_VALUE));
            assertEquals(Long.MAX_VALUE, age(-1, Long.MAX_VALUE - 1));
            assertEquals(Long.MIN_VALUE, age(Long.MAX_VALUE, -2));
            assertEquals(Long.MIN_VALUE, age(1, Long.MIN_VALUE));
            assertEquals(Long.MIN_VALUE + 1, age(Long.MAX_VALUE, 0));
            assertEquals(Long.MAX_VALUE, age(0, Long.MAX_VALUE));
        }
    }

    /** In two pieces: said of any bytes and any cut is what is said of the bytes as they are. */
    @Nested
    class InTwoPieces {
        private void assertTheSame(byte[] bytes, int cut) {
            Decoded<Envelope> whole = Envelope.decode(bytes, KEY, LIMIT);
            Decoded<Envelope> pieces = Envelope.decode(
                    Arrays.copyOf(bytes, cut), Arrays.copyOfRange(bytes, cut, bytes.length), KEY, LIMIT);

            assertEquals(whole.unreadable(), pieces.unreadable(), () -> "cut at " + cut);
            if (whole.readable()) {
                assertEquals(whole.get().stamps(), pieces.get().stamps());
                assertArrayEquals(whole.get().payload(), pieces.get().payload(), () -> "cut at " + cut);
            }
        }

        @ParameterizedTest
        @EnumSource
        void cutAnywhere(Codec codec) throws Exception {
            String text = "once more ".repeat(20);
            byte[] bytes = Envelope.of(STAMPS, 0, Serializer.string(), text).encode(KEY, codec);

            for (int cut = 0; cut <= bytes.length; cut++) {
                assertTheSame(bytes, cut);
            }
        }

        @Test
        void withAnExtension_cutAnywhere() {
            byte[] bytes = withExtension(encoded(utf8("value")), 0x7F, new byte[6]);

            for (int cut = 0; cut <= bytes.length; cut++) {
                assertTheSame(bytes, cut);
            }
        }

        @Test
        void damaged_cutWhereItSays() {
            byte[] whole = encoded(utf8("payload"));
            for (int at = 0; at < whole.length; at++) {
                for (int bit = 0; bit < Byte.SIZE; bit++) {
                    byte[] bytes = whole.clone();
                    bytes[at] ^= (byte) (1 << bit);
                    assertTheSame(bytes, Envelope.payloadAt(bytes, 0, bytes.length));
                    assertTheSame(sealed(bytes), Envelope.payloadAt(bytes, 0, bytes.length));
                }
            }
        }

        @Test
        void thePayload_isNotCopied() {
            byte[] bytes = encoded(utf8("payload"));
            int cut = Envelope.payloadAt(bytes, 0, bytes.length);
            byte[] payload = Arrays.copyOfRange(bytes, cut, bytes.length);

            assertSame(
                    payload,
                    Envelope.decode(Arrays.copyOf(bytes, cut), payload, KEY, LIMIT)
                            .get()
                            .payload());
        }

        @Test
        void whatIsTooShortToSay_isAllHead() {
            assertEquals(3, Envelope.payloadAt(GOLDEN, 0, 3));
            assertEquals(Envelope.HEADER_BYTES, Envelope.payloadAt(GOLDEN, 0, GOLDEN.length));
            assertEquals(10, Envelope.payloadAt(GOLDEN, 0, 10));
            assertEquals(3, Envelope.payloadAt(new byte[4], 0, 3), "what comes behind is not theirs");
        }
    }

    @Nested
    class Damaged {
        @ParameterizedTest
        @EnumSource
        @DisplayName("C-136: a change of any one byte to any other value is unreadable")
        void anyByteChanged_isUnreadable(Codec codec) {
            byte[] whole = withExtension(sample(codec), 0x01, new byte[2]);
            assertEquals(codec == Codec.DEFLATE ? 1 : 0, whole[7]);
            assertTrue(Envelope.decode(whole, KEY, LIMIT).readable());
            Set<Unreadable> reasons = EnumSet.noneOf(Unreadable.class);
            for (int at = 0; at < whole.length; at++) {
                byte[] bytes = whole.clone();
                for (int change = 1; change < 256; change++) {
                    bytes[at] = (byte) (whole[at] ^ change);
                    int where = at;
                    Decoded<Envelope> decoded = Envelope.decode(bytes, KEY, LIMIT);
                    assertFalse(decoded.readable(), () -> "byte " + where + " is now " + bytes[where]);
                    reasons.add(decoded.unreadable());
                }
            }
            // Were it another reason, the checksum would not cover all that it should.
            assertEquals(
                    EnumSet.of(
                            Unreadable.MAGIC, Unreadable.OLDER_VERSION, Unreadable.NEWER_VERSION, Unreadable.CHECKSUM),
                    reasons);
        }

        @ParameterizedTest
        @EnumSource
        @DisplayName("C-136: a torn write is unreadable, wherever it was torn")
        void anyTruncation_isUnreadable(Codec codec) {
            byte[] whole = sample(codec);
            for (int length = 0; length < whole.length; length++) {
                int cut = length;
                Decoded<Envelope> decoded = Envelope.decode(Arrays.copyOf(whole, length), KEY, LIMIT);
                assertFalse(decoded.readable(), () -> "cut to " + cut);
                assertEquals(
                        length < Envelope.HEADER_BYTES ? Unreadable.TOO_SHORT : Unreadable.CHECKSUM,
                        decoded.unreadable());
            }
        }

        @ParameterizedTest
        @EnumSource
        @DisplayName("C-136: a byte cut off or added is found by the lengths, were the checksum right by chance")
        void anyOtherLength_isUnreadable_evenWithTheRightChecksum(Codec codec) {
            byte[] whole = sample(codec);
            for (int length = Envelope.HEADER_BYTES; length < whole.length; length++) {
                int cut = length;
                byte[] bytes = sealed(Arrays.copyOf(whole, length));
                assertEquals(
                        Unreadable.LENGTH, Envelope.decode(bytes, KEY, LIMIT).unreadable(), () -> "cut to " + cut);
            }
            for (int added = 0; added < 256; added++) {
                byte[] bytes = Arrays.copyOf(whole, whole.length + 1);
                bytes[whole.length] = (byte) added;
                assertEquals(
                        Unreadable.CHECKSUM, Envelope.decode(bytes, KEY, LIMIT).unreadable());
                assertEquals(
                        Unreadable.LENGTH,
                        Envelope.decode(sealed(bytes), KEY, LIMIT).unreadable());
            }
        }

        @Test
        @DisplayName("C-136: foreign data under our key is unreadable")
        void foreignData_isUnreadable() {
            assertEquals(
                    Unreadable.MAGIC,
                    Envelope.decode(utf8("not dogpile"), KEY, LIMIT).unreadable());
            assertEquals(
                    Unreadable.TOO_SHORT,
                    Envelope.decode(utf8("not"), KEY, LIMIT).unreadable());
            assertEquals(
                    Unreadable.MAGIC, Envelope.decode(utf8("not."), KEY, LIMIT).unreadable());
            assertEquals(
                    Unreadable.TOO_SHORT,
                    Envelope.decode(new byte[0], KEY, LIMIT).unreadable());
        }

        @Test
        @DisplayName(
                "C-136: a million random strings of bytes: never an exception, and a value only under the right checksum")
        void randomBytes_areUnreadable() {
            Random random = new Random(136);
            Set<Unreadable> reasons = EnumSet.noneOf(Unreadable.class);
            int readable = 0;
            for (int i = 0; i < 1_000_000; i++) {
                byte[] bytes = new byte[random.nextInt(120)];
                random.nextBytes(bytes);
                // A third is noise; a third looks like an envelope; a third is one by its checksum, with much left to
                // chance.
                if (i % 3 > 0 && bytes.length >= 3) {
                    bytes[0] = (byte) 0xD0;
                    bytes[1] = (byte) 0x9E;
                    bytes[2] = (byte) (random.nextInt(16) == 0 ? 0 : 1);
                }
                if (i % 3 == 2 && bytes.length >= Envelope.HEADER_BYTES) {
                    ByteBuffer header = ByteBuffer.wrap(bytes);
                    header.put(3, (byte) (16 + random.nextInt(14)));
                    header.putShort(4, (short) random.nextInt(random.nextInt(8) == 0 ? 0x10000 : 32));
                    header.put(7, (byte) random.nextInt(3));
                    header.putInt(52, random.nextBoolean() ? bytes.length - 4 * header.get(3) : random.nextInt());
                    if (random.nextInt(8) > 0) {
                        header.putLong(56, XxHash64.hash(KEY));
                    }
                    sealed(bytes);
                }
                Decoded<Envelope> decoded = Envelope.decode(bytes, KEY, 50);
                if (decoded.readable()) {
                    readable++;
                    assertEquals(2, i % 3, "Only an envelope by its checksum may be readable.");
                    decoded.get().value(Serializer.string());
                } else {
                    reasons.add(decoded.unreadable());
                }
            }
            Set<Unreadable> reachable = EnumSet.allOf(Unreadable.class);
            reachable.removeAll(EnumSet.of(Unreadable.SERIALIZER, Unreadable.PAYLOAD, Unreadable.NOT_A_VALUE));
            assertEquals(reachable, reasons, "Each reason of an envelope was met.");
            assertTrue(readable > 100, "Some were envelopes after all: " + readable);
        }
    }

    @Nested
    class Whole {
        @Test
        void anotherKey_isUnreadable() {
            byte[] bytes = encoded(utf8("value"));

            assertEquals(
                    Unreadable.KEY, Envelope.decode(bytes, utf8("abd"), LIMIT).unreadable());
            assertEquals(
                    Unreadable.KEY, Envelope.decode(bytes, new byte[0], LIMIT).unreadable());
        }

        @Test
        void unknownExtensions_areSkipped() {
            byte[] bytes = withExtension(withExtension(encoded(utf8("value")), 0x7F, new byte[6]), 0x01, new byte[0]);

            assertEquals(17 + 2 + 1, bytes[3]);
            assertArrayEquals(utf8("value"), opened(bytes).payload());
        }

        @Test
        void extensionsUpToTheLongestHeader_areSkipped() {
            byte[] bytes = encoded(utf8("value"));
            for (int i = 0; i < 4; i++) {
                bytes = withExtension(bytes, 0x02, new byte[230]);
            }
            while (bytes[3] != -1) {
                bytes = withExtension(bytes, 0x03, new byte[1]);
            }

            assertArrayEquals(utf8("value"), opened(bytes).payload());
        }

        @ParameterizedTest
        @ValueSource(ints = {0x80, 0xC1, 0xFF})
        void aCriticalExtension_isUnreadable(int type) {
            byte[] bytes = withExtension(withExtension(encoded(utf8("value")), 0x01, new byte[3]), type, new byte[2]);

            Unreadable reason = Envelope.decode(bytes, KEY, LIMIT).unreadable();

            assertEquals(Unreadable.CRITICAL_EXTENSION, reason);
            assertTrue(reason.newerWriter());
        }

        @Test
        void anExtensionOverTheEndOfTheHeader_isUnreadable() {
            byte[] over = withExtension(encoded(utf8("value")), 0x01, new byte[2]);
            over[69] = 3;
            byte[] noLength = withExtension(encoded(utf8("value")), 0x01, new byte[2]);
            noLength[68] = 0;
            noLength[69] = 0;
            noLength[70] = 0;
            noLength[71] = 1;

            assertEquals(
                    Unreadable.LENGTH, Envelope.decode(sealed(over), KEY, LIMIT).unreadable());
            assertEquals(
                    Unreadable.LENGTH,
                    Envelope.decode(sealed(noLength), KEY, LIMIT).unreadable());
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 16, 19, 255})
        void aHeaderThatIsShorterThanOne_orLongerThanTheBytes_isUnreadable(int units) {
            byte[] bytes = encoded(utf8("value"));
            bytes[3] = (byte) units;
            // The rest fits, so that nothing but the header's length is wrong.
            ByteBuffer.wrap(bytes).putInt(52, Math.max(0, bytes.length - 4 * units));

            assertEquals(
                    Unreadable.LENGTH,
                    Envelope.decode(sealed(bytes), KEY, LIMIT).unreadable());
        }

        @ParameterizedTest
        @ValueSource(ints = {2, 3, 255})
        void anUnknownCodec_isUnreadable(int codec) {
            byte[] bytes = encoded(utf8("value"));
            bytes[7] = (byte) codec;

            Unreadable reason = Envelope.decode(sealed(bytes), KEY, LIMIT).unreadable();

            assertEquals(Unreadable.CODEC, reason);
            assertTrue(reason.newerWriter());
        }

        @ParameterizedTest
        @ValueSource(ints = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
        void anUnknownFlag_isUnreadable(int bit) {
            byte[] bytes = encoded(utf8("value"));
            ByteBuffer.wrap(bytes).putShort(4, (short) (1 << bit));

            Unreadable reason = Envelope.decode(sealed(bytes), KEY, LIMIT).unreadable();

            assertEquals(Unreadable.FLAGS, reason);
            assertTrue(reason.newerWriter());
        }

        @Test
        void whatNoWriterSays_isUnreadable() {
            byte[] soft = encoded(utf8("value"));
            ByteBuffer.wrap(soft).putLong(24, -1);
            byte[] hard = encoded(utf8("value"));
            ByteBuffer.wrap(hard).putLong(32, Long.MIN_VALUE);
            byte[] nothing = encoded(utf8("value"));
            ByteBuffer.wrap(nothing).putShort(4, (short) Envelope.NULL);

            for (byte[] bytes : new byte[][] {soft, hard, nothing}) {
                assertEquals(
                        Unreadable.HEADER,
                        Envelope.decode(sealed(bytes), KEY, LIMIT).unreadable());
            }
        }

        @ParameterizedTest
        @ValueSource(ints = {Envelope.NEGATIVE, Envelope.TOMBSTONE, Envelope.CHUNKED})
        void aMark_isNoValue(int flag) {
            Envelope mark = opened(Envelope.of(STAMPS, flag | Envelope.SERVER_TIME, 1, utf8("why"))
                    .encode(KEY, Codec.NONE));

            assertTrue(mark.is(flag));
            assertArrayEquals(utf8("why"), mark.payload());
            assertEquals(Unreadable.NOT_A_VALUE, mark.value(Serializer.string()).unreadable());
        }

        @Test
        void anotherSerializersValue_isUnreadable() throws Exception {
            Envelope text = Envelope.of(STAMPS, 0, Serializer.string(), "text");
            Envelope nothing = Envelope.of(STAMPS, 0, Serializer.string(), null);

            assertEquals(Unreadable.SERIALIZER, text.value(Serializer.bytes()).unreadable());
            assertEquals(
                    Unreadable.SERIALIZER, nothing.value(Serializer.bytes()).unreadable());
        }

        @Test
        @DisplayName("C-135: what a serializer throws at stored bytes is told, and is a miss")
        void whatTheSerializerThrows_isTheCause() {
            Envelope envelope = opened(encoded(utf8("value")));
            for (Throwable failure : new Throwable[] {
                new IllegalStateException("unchecked"),
                new java.io.IOException("checked"),
                new StackOverflowError("deep"),
                new NoClassDefFoundError("gone")
            }) {
                Decoded<String> value = envelope.value(new Failing<>(0, failure));
                assertEquals(Unreadable.PAYLOAD, value.unreadable());
                assertSame(failure, value.cause());
                assertThrows(IllegalStateException.class, value::get);
            }
            OutOfMemoryError noMemory = new OutOfMemoryError("of this JVM, not of the bytes");
            assertSame(
                    noMemory,
                    assertThrows(OutOfMemoryError.class, () -> envelope.value(new Failing<String>(0, noMemory))));
        }

        @Test
        void aSerializerThatReadsNull_readNothing() {
            Decoded<String> value = opened(encoded(utf8("value"))).value(new Failing<>(0, null));

            assertEquals(Unreadable.PAYLOAD, value.unreadable());
            assertNotNull(value.cause());
        }

        @Test
        void bytesThatAreNotText_areUnreadable() {
            Envelope envelope =
                    opened(Envelope.of(STAMPS, 0, 1, new byte[] {(byte) 0xC3}).encode(KEY, Codec.NONE));

            assertEquals(Unreadable.PAYLOAD, envelope.value(Serializer.string()).unreadable());
        }
    }

    @Nested
    class OfOtherVersions {
        private final byte[] second = version(2, encoded(utf8("value")));

        @Test
        @Tag("C-137")
        void aNewerVersion_hasItsOwnReason() {
            for (int version = 2; version < 256; version++) {
                Unreadable reason = Envelope.decode(version(version, encoded(utf8("v"))), KEY, LIMIT)
                        .unreadable();
                assertEquals(Unreadable.NEWER_VERSION, reason);
                assertTrue(reason.newerWriter());
            }
        }

        @Test
        void aNewerVersion_mayBeShorter_longer_andSummedOtherwise() {
            byte[] shorter = Arrays.copyOf(second, 20);
            byte[] longer = Arrays.copyOf(second, 5_000);

            for (byte[] bytes : new byte[][] {shorter, longer}) {
                assertEquals(
                        Unreadable.NEWER_VERSION,
                        Envelope.decode(bytes, KEY, 100).unreadable());
            }
        }

        @Test
        @Tag("C-137")
        void anOlderVersion_isUnreadable_andMayBeOverwritten() {
            Unreadable reason =
                    Envelope.decode(version(0, encoded(utf8("v"))), KEY, LIMIT).unreadable();

            assertEquals(Unreadable.OLDER_VERSION, reason);
            assertFalse(reason.newerWriter());
        }

        /** Two writers and two readers over one place; the reader of version 2 is played by hand. */
        @Test
        @Tag("E-013")
        void twoVersionsInTurn_overOnePlace_neverFail_andAreToldApart() throws Exception {
            byte[] first = encoded(utf8("value"));
            AtomicReference<byte[]> place = new AtomicReference<>(first);
            CountDownLatch start = new CountDownLatch(1);
            ExecutorService pool = Executors.newFixedThreadPool(4);
            try {
                for (byte[] mine : new byte[][] {first, second}) {
                    pool.submit(() -> {
                        start.await();
                        IntStream.range(0, 50_000).forEach(i -> place.set(mine));
                        return null;
                    });
                }
                Future<?>[] readers = new Future<?>[2];
                for (int r = 0; r < readers.length; r++) {
                    readers[r] = pool.submit(() -> {
                        start.await();
                        for (int i = 0; i < 50_000; i++) {
                            byte[] seen = place.get();
                            Decoded<Envelope> decoded = Envelope.decode(seen, KEY, LIMIT);
                            assertEquals(seen == first ? null : Unreadable.NEWER_VERSION, decoded.unreadable());
                        }
                        return null;
                    });
                }
                start.countDown();
                for (Future<?> reader : readers) {
                    reader.get(60, TimeUnit.SECONDS);
                }
            } finally {
                pool.shutdownNow();
            }
        }

        @Test
        void onlyWhatANewerNodeMayHaveWritten_isSpared() {
            Set<Unreadable> spared = EnumSet.noneOf(Unreadable.class);
            for (Unreadable reason : Unreadable.values()) {
                if (reason.newerWriter()) {
                    spared.add(reason);
                }
            }

            assertEquals(
                    EnumSet.of(
                            Unreadable.NEWER_VERSION,
                            Unreadable.CRITICAL_EXTENSION,
                            Unreadable.FLAGS,
                            Unreadable.CODEC),
                    spared);
        }
    }

    @Nested
    class Bounded {
        /** What a result, a buffer's view, an inflater and the like may take beside the payload. */
        private static final long SLACK = 4_096;

        @Test
        void aPayloadOfExactlyTheLimit_isRead_oneByteMoreIsNot() {
            byte[] bytes = encoded(new byte[100]);

            assertTrue(Envelope.decode(bytes, KEY, 100).readable());
            assertEquals(Unreadable.TOO_LONG, Envelope.decode(bytes, KEY, 99).unreadable());
            assertTrue(Envelope.decode(encoded(new byte[0]), KEY, 0).readable());
            assertThrows(IllegalArgumentException.class, () -> Envelope.decode(bytes, KEY, -1));
        }

        @Test
        void aPackedPayload_isMeasuredUnpacked() {
            byte[] bytes = Envelope.of(STAMPS, 0, 0, new byte[1_000]).encode(KEY, Codec.DEFLATE);

            assertTrue(bytes.length < 120);
            assertTrue(Envelope.decode(bytes, KEY, 1_000).readable());
            assertEquals(Unreadable.TOO_LONG, Envelope.decode(bytes, KEY, 999).unreadable());
        }

        @Test
        void aPackedPayload_isMeasuredPacked_too_inOnePieceOrTwo() {
            byte[] bytes = withRawLength(10, new byte[101]);
            int cut = Envelope.payloadAt(bytes, 0, bytes.length);
            byte[] head = Arrays.copyOf(bytes, cut);
            byte[] body = Arrays.copyOfRange(bytes, cut, bytes.length);

            assertEquals(Unreadable.TOO_LONG, Envelope.decode(bytes, KEY, 100).unreadable());
            assertEquals(
                    Unreadable.TOO_LONG, Envelope.decode(head, body, KEY, 100).unreadable());
            assertEquals(Unreadable.LENGTH, Envelope.decode(bytes, KEY, 101).unreadable());
            assertEquals(
                    Unreadable.LENGTH, Envelope.decode(head, body, KEY, 101).unreadable());
        }

        @Test
        void moreBytesThanAnyEnvelopeMayHave_areNotEvenSummed() {
            byte[] bytes = Arrays.copyOf(encoded(utf8("value")), 1_020 + 100 + 1);

            assertEquals(Unreadable.TOO_LONG, Envelope.decode(bytes, KEY, 100).unreadable());
            assertEquals(Unreadable.CHECKSUM, Envelope.decode(bytes, KEY, 101).unreadable());

            byte[] head = Arrays.copyOf(bytes, Envelope.payloadAt(bytes, 0, bytes.length));
            byte[] body = Arrays.copyOfRange(bytes, head.length, bytes.length);
            assertEquals(
                    Unreadable.TOO_LONG, Envelope.decode(head, body, KEY, 100).unreadable());
            assertEquals(
                    Unreadable.CHECKSUM, Envelope.decode(head, body, KEY, 101).unreadable());
        }

        @Test
        void aClaimOfAHugeLength_allocatesNothingOfIt() {
            for (int codec = 0; codec < 2; codec++) {
                for (int length : new int[] {LIMIT, LIMIT + 1, 1 << 28, Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
                    byte[] bytes = encoded(utf8("some"));
                    bytes[7] = (byte) codec;
                    ByteBuffer.wrap(bytes).putInt(52, length);
                    byte[] hostile = sealed(bytes);

                    long allocated = allocatedBy(() ->
                            assertFalse(Envelope.decode(hostile, KEY, LIMIT).readable()));

                    assertTrue(allocated < SLACK, () -> allocated + " bytes for a claim of " + length);
                }
            }
        }

        @Test
        void aBomb_isCutAtItsOwnClaim() {
            byte[] bomb = packed(new byte[50 << 20]);
            for (int claim : new int[] {0, 1, 1_000, LIMIT}) {
                byte[] hostile = withRawLength(claim, bomb);

                long allocated = allocatedBy(() -> assertEquals(
                        Unreadable.LENGTH, Envelope.decode(hostile, KEY, LIMIT).unreadable()));

                assertTrue(allocated < claim + SLACK, () -> allocated + " bytes for a claim of " + claim);
            }
            byte[] honest = withRawLength(50 << 20, bomb);
            long allocated = allocatedBy(() -> assertEquals(
                    Unreadable.TOO_LONG, Envelope.decode(honest, KEY, LIMIT).unreadable()));
            assertTrue(allocated < SLACK, () -> allocated + " bytes");
        }

        @Test
        void aStreamThatHoldsLessThanItClaims_orIsNone_isUnreadable() {
            byte[] stream = packed(new byte[1_000]);
            Deflater preset = new Deflater();
            preset.setDictionary(utf8("dictionary"));
            byte[] withDictionary = packed(preset, utf8("dictionary dictionary"));

            assertTrue(Envelope.decode(withRawLength(1_000, stream), KEY, LIMIT).readable());
            assertTrue(Envelope.decode(withRawLength(0, packed(new byte[0])), KEY, LIMIT)
                    .readable());
            for (byte[] bytes : new byte[][] {
                withRawLength(1_001, stream),
                withRawLength(999, stream),
                withRawLength(4, utf8("none")),
                withRawLength(0, new byte[0]),
                withRawLength(21, withDictionary),
                withRawLength(1_000, Arrays.copyOf(stream, stream.length + 1)),
                withRawLength(1_000, Arrays.copyOf(stream, stream.length - 1))
            }) {
                assertEquals(
                        Unreadable.LENGTH, Envelope.decode(bytes, KEY, LIMIT).unreadable());
            }
        }

        @Test
        void randomClaims_neverAllocateMoreThanTheBound() {
            Random random = new Random(129);
            int limit = 10_000;
            byte[][] hostile = new byte[20_000][];
            for (int i = 0; i < hostile.length; i++) {
                byte[] body = new byte[random.nextInt(64)];
                random.nextBytes(body);
                byte[] bytes = encoded(body);
                bytes[3 + random.nextInt(2) * 4] = (byte) random.nextInt(20);
                ByteBuffer.wrap(bytes).putInt(52, random.nextInt() >>> random.nextInt(32));
                hostile[i] = sealed(bytes);
            }
            for (byte[] bytes : hostile) {
                long allocated = allocatedBy(() -> Envelope.decode(bytes, KEY, limit));
                assertTrue(allocated < limit + SLACK, () -> allocated + " bytes");
            }
        }

        private static long allocatedBy(Runnable task) {
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            task.run(); // Classes are loaded once, by whoever comes first.
            long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
            task.run();
            return threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
        }
    }

    /** Throws, or reads a null. */
    private record Failing<V>(int id, Throwable failure) implements Serializer<V> {
        @Override
        public byte[] write(V value) throws Exception {
            throw thrown();
        }

        @Override
        public V read(byte[] bytes) throws Exception {
            if (failure == null) {
                return null;
            }
            throw thrown();
        }

        private Exception thrown() {
            if (failure instanceof Error error) {
                throw error;
            }
            return (Exception) failure;
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] encoded(byte[] payload) {
        return Envelope.of(STAMPS, 0, 0, payload).encode(KEY, Codec.NONE);
    }

    private static byte[] sample(Codec codec) {
        return Envelope.of(STAMPS, 0, 0, utf8("a small value, a small value, a small value"))
                .encode(KEY, codec);
    }

    private static Envelope opened(byte[] bytes) {
        Decoded<Envelope> decoded = Envelope.decode(bytes, KEY, LIMIT);
        assertNull(decoded.unreadable());
        return decoded.get();
    }

    private static byte[] version(int version, byte[] bytes) {
        bytes[2] = (byte) version;
        return sealed(bytes);
    }

    /** With the checksum that its bytes have, as a hostile or a newer writer would. */
    private static byte[] sealed(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, 64);
        crc.update(bytes, 68, bytes.length - 68);
        ByteBuffer.wrap(bytes).putInt(64, (int) crc.getValue());
        return bytes;
    }

    /** With one more extension, before those there are; padded. */
    private static byte[] withExtension(byte[] bytes, int type, byte[] value) {
        int units = (2 + value.length + 3) / 4;
        ByteBuffer more = ByteBuffer.allocate(bytes.length + units * 4);
        more.put(bytes, 0, 68).put((byte) type).put((byte) value.length).put(value);
        more.position(68 + units * 4).put(bytes, 68, bytes.length - 68);
        more.put(3, (byte) (bytes[3] + units));
        return sealed(more.array());
    }

    private static byte[] withRawLength(int rawLength, byte[] stream) {
        byte[] bytes = encoded(stream);
        bytes[7] = 1;
        ByteBuffer.wrap(bytes).putInt(52, rawLength);
        return sealed(bytes);
    }

    private static byte[] packed(byte[] raw) {
        return packed(new Deflater(), raw);
    }

    private static byte[] packed(Deflater deflater, byte[] raw) {
        byte[] room = new byte[raw.length / 500 + 100];
        deflater.setInput(raw);
        deflater.finish();
        int length = deflater.deflate(room);
        assertTrue(deflater.finished());
        deflater.end();
        return Arrays.copyOf(room, length);
    }
}
