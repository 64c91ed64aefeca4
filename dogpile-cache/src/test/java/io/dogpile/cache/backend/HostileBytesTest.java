package io.dogpile.cache.backend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.core.Mutants;
import io.dogpile.core.TimeSource;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Mutants of envelopes and of what is inside of them: each is the value that was written, or another whole one where the mutant
 * bears the right checksum, or a miss that is counted once; and none takes more memory than its limit allows.
 */
@Timeout(120)
class HostileBytesTest {
    private static final int MOST_BYTES = 4_096;
    private static final long MOST_MEMORY = 64 << 10;

    /** The stream of objects has buffers and tables of its own, for each read. */
    private static final long MOST_MEMORY_OF_OBJECTS = 1 << 20;

    /** Of what serializers read, which takes them a while, one of so many. */
    private static final int FEW = 5;

    private static final int CRC_AT = 64;
    private static final byte[] KEY = "region:key".getBytes(UTF_8);

    private final Openings.Told told = new Openings.Told();

    private <V> ValueFormat<V> format(Serializer<V> serializer) {
        return new ValueFormat<>(
                new Opening<>(
                        "region",
                        Object::toString,
                        serializer,
                        MOST_BYTES,
                        Openings.FRESH,
                        Openings.FRESH,
                        Opening.Backoff.DEFAULT,
                        TimeSource.system(),
                        told),
                serializer);
    }

    private static byte[] envelope(int serializer, byte[] payload, Envelope.Codec codec) {
        Envelope.Stamps stamps = new Envelope.Stamps(7, 1_795_308_321_787L, 1_000, 60_000, 5, 3);
        return Envelope.of(stamps, 0, serializer, payload).encode(KEY, codec);
    }

    private static byte[] sealed(byte[] bytes) {
        if (bytes.length >= Envelope.HEADER_BYTES) {
            CRC32C crc = new CRC32C();
            crc.update(bytes, 0, CRC_AT);
            crc.update(bytes, Envelope.HEADER_BYTES, bytes.length - Envelope.HEADER_BYTES);
            ByteBuffer.wrap(bytes).putInt(CRC_AT, (int) crc.getValue());
        }
        return bytes;
    }

    private <V> void assertReadOrCounted(ValueFormat<V> format, byte[] bytes, long mostMemory) {
        told.corrupt.clear();
        long before = Mutants.taken();

        ValueFormat.Result<V> result = format.read("key", "region:key", bytes);

        assertThat(Mutants.taken() - before).as("bytes of memory").isLessThan(mostMemory);
        assertThat(told.corrupt).hasSize(result.unreadable() == null ? 0 : 1);
        assertThat(result.stamps() == null).isEqualTo(result.unreadable() != null);
    }

    @Test
    void envelopes() {
        String text = "some text that packs well, well, well, well, well, well";
        ValueFormat<String> format = format(Serializer.string());
        byte[] plain = envelope(1, text.getBytes(UTF_8), Envelope.Codec.NONE);
        byte[] packed = envelope(1, text.repeat(20).getBytes(UTF_8), Envelope.Codec.DEFLATE);
        byte[] bomb = envelope(1, new byte[MOST_BYTES], Envelope.Codec.DEFLATE);
        byte[] extended = extended(plain);
        assertThat(packed.length).isLessThan(20 * text.length());
        assertReadOrCounted(format, plain, Long.MAX_VALUE);
        assertThat(format.read("key", "region:key", extended).value()).isEqualTo(text);

        Mutants.of(plain, packed, bomb, extended).each((mutant, random) -> {
            if (random.nextInt(4) > 0) {
                sealed(mutant);
            }
            assertReadOrCounted(format, mutant, MOST_MEMORY);
        });
    }

    /** With extensions that no reader needs. */
    private static byte[] extended(byte[] plain) {
        byte[] extensions = {5, 4, 'a', 'b', 'c', 'd', 0, 0, 6, 0, 0, 0};
        ByteBuffer out = ByteBuffer.allocate(plain.length + extensions.length);
        out.put(plain, 0, Envelope.HEADER_BYTES)
                .put(extensions)
                .put(plain, Envelope.HEADER_BYTES, plain.length - Envelope.HEADER_BYTES)
                .put(3, (byte) ((Envelope.HEADER_BYTES + extensions.length) / 4));
        return sealed(out.array());
    }

    /** A value with fields of several kinds. */
    record User(String name, int age, List<String> tags) {}

    @Test
    void json() {
        ValueFormat<User> format = format(Serializer.json(User.class));
        Mutants.of(
                        "{\"name\":\"Ann\",\"age\":41,\"tags\":[\"a\",\"b\"]}",
                        "{\"name\":null,\"age\":-1e3,\"tags\":[[[[[[]]]]]]}",
                        "[".repeat(200))
                .each(
                        FEW,
                        (mutant, random) -> assertReadOrCounted(
                                format, envelope(3, mutant, codec(random)), MOST_MEMORY_OF_OBJECTS));
    }

    private static Envelope.Codec codec(SplittableRandom random) {
        return random.nextBoolean() ? Envelope.Codec.NONE : Envelope.Codec.DEFLATE;
    }

    /** What no bytes may make. */
    static final class Gadget implements Serializable {
        private static final long serialVersionUID = 1L;
        static volatile boolean made;

        private void readObject(ObjectInputStream in) {
            made = true;
        }
    }

    private static byte[] serialized(Object object) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(object);
        }
        return bytes.toByteArray();
    }

    @Test
    void objects_ofWhichNoneIsMadeThatIsNotAllowed() throws Exception {
        ValueFormat<Serializable> format = format(Serializer.jdk(
                Serializable.class,
                ObjectInputFilter.Config.createFilter("java.lang.*;java.util.ArrayList;java.util.HashMap;!*")));
        byte[] plain = serialized(new ArrayList<>(List.of("a", 1, 2L)));
        Map<Object, Object> map =
                new HashMap<>(Map.of("gadget", new Gadget(), "list", new ArrayList<>(Arrays.asList(1))));
        assertReadOrCounted(format, envelope(2, plain, Envelope.Codec.NONE), Long.MAX_VALUE);

        Mutants.of(plain, serialized(new Gadget()), serialized(map), serialized(new int[20]))
                .each(
                        FEW,
                        (mutant, random) -> assertReadOrCounted(
                                format, envelope(2, mutant, codec(random)), MOST_MEMORY_OF_OBJECTS));

        assertThat(Gadget.made).isFalse();
    }
}
