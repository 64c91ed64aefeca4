package io.dogpile.cache.backend;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * A value as it lies in a store that holds bytes: stamps, checks, and the serializer's output. Immutable and thread-safe,
 * but for the payload's array, which is handed on, not copied.
 *
 * <p>Big-endian: a header of {@value #HEADER_BYTES} bytes, extensions up to the header's length, then the payload.
 *
 * <pre>
 * off size
 *   0   2  magic 0xD09E
 *   2   1  version, {@value #VERSION}
 *   3   1  length of header and extensions / 4; {@value #HEADER_BYTES} / 4 without extensions
 *   4   2  flags: 1 null, 2 failure, 4 tombstone, 8 server time, 16 chunked
 *   6   1  serializer: 0 bytes, 1 UTF-8, 2 JDK, 3 JSON, 4 CBOR, 16 to 255 user's own
 *   7   1  codec: 0 none, 1 deflate (zlib's format), 2 LZ4, 3 zstd; the last two are not read here
 *   8   8  fence
 *  16   8  creation time, ms of the wall clock
 *  24   8  ms from storing until stale, 0 never
 *  32   8  ms from storing until expired, 0 never
 *  40   4  cost of the creation, ms, unsigned
 *  44   8  generation of the region when the right to create was granted
 *  52   4  length of the payload before it was packed, unsigned
 *  56   8  XXH64 of the full key
 *  64   4  CRC-32C of bytes 0 to 63, the extensions and the payload
 *  68      extensions: type (1), length (1), that many bytes. Type 0 stands alone and pads to a multiple of 4;
 *          a type from 0x80 up is critical: who does not know it must not read the value. Others are skipped.
 * </pre>
 *
 * <p><b>Guarantee.</b> {@link #decode} and {@link #value} are total: whatever the bytes are, they end with a result, and
 * what they allocate is bounded by the caller's limit and the length of the bytes, not by what the bytes say. A
 * change of one byte is always found, any other is missed once in 2<sup>32</sup>.
 *
 * <p><b>Not promised.</b> It is no signature: whoever can write to the store can write good envelopes.
 */
public final class Envelope {
    /** The version that is written, and the only one that is read. */
    public static final int VERSION = 1;

    /** The length of a header without extensions. */
    public static final int HEADER_BYTES = 68;

    /** Flag: the value is null, and there is no payload. */
    public static final int NULL = 1;

    /** Flag: not a value but a creation that failed. */
    public static final int NEGATIVE = 2;

    /** Flag: not a value but the mark of one that was removed. */
    public static final int TOMBSTONE = 4;

    /** Flag: the stamps are of the store's clock, not of the writer's. */
    public static final int SERVER_TIME = 8;

    /** Flag: the payload is not the value but says where its parts are. */
    public static final int CHUNKED = 16;

    private static final int KNOWN_FLAGS = NULL | NEGATIVE | TOMBSTONE | SERVER_TIME | CHUNKED;
    private static final int VALUELESS = NEGATIVE | TOMBSTONE | CHUNKED;

    private static final byte[] NO_BYTES = {};
    private static final short MAGIC = (short) 0xD09E;
    private static final int HEADER_UNIT = 4;
    private static final int MAX_HEADER_BYTES = 255 * HEADER_UNIT;
    private static final int VERSION_AT = 2;
    private static final int HEADER_UNITS_AT = 3;
    private static final int CRC_AT = 64;
    private static final int PADDING = 0;
    private static final int CRITICAL = 0x80;
    private static final long MAX_COST_MILLIS = 0xFFFF_FFFFL;

    /** One byte of deflated data stands for less than 1032; the rest is room for streams of a few bytes. */
    private static final long MAX_INFLATION = 1032;

    /** How the payload is packed. */
    public enum Codec {
        /** As the serializer wrote it. */
        NONE(0),
        /** Deflated, in zlib's format. */
        DEFLATE(1);

        private final int id;

        Codec(int id) {
            this.id = id;
        }
    }

    /**
     * What a writer knows of a value beside the value. Times are milliseconds.
     *
     * @param fence the number of the right under which the value was created; 0 if rights are not numbered
     * @param createdAtMillis when its creator returned, by the wall clock
     * @param softTtlMillis how long after storing it turns stale; 0 never
     * @param hardTtlMillis how long after storing it expires; 0 never
     * @param costMillis how long its creator took; longer than 49 days is kept as 49 days
     * @param generation the region's generation when the right was granted
     */
    public record Stamps(
            long fence,
            long createdAtMillis,
            long softTtlMillis,
            long hardTtlMillis,
            long costMillis,
            long generation) {
        /**
         * Refuses negative lives and costs.
         *
         * @param fence the number of the right under which the value was created; 0 if rights are not numbered
         * @param createdAtMillis when its creator returned, by the wall clock
         * @param softTtlMillis how long after storing it turns stale; 0 never
         * @param hardTtlMillis how long after storing it expires; 0 never
         * @param costMillis how long its creator took; longer than 49 days is kept as 49 days
         * @param generation the region's generation when the right was granted
         * @throws IllegalArgumentException if a life or the cost is negative
         */
        public Stamps {
            if (softTtlMillis < 0 || hardTtlMillis < 0 || costMillis < 0) {
                throw new IllegalArgumentException("Negative: softTtlMillis " + softTtlMillis + ", hardTtlMillis "
                        + hardTtlMillis + " or costMillis " + costMillis + "; 0 is never, or not known.");
            }
            costMillis = Math.min(costMillis, MAX_COST_MILLIS);
        }

        /**
         * How old the value is.
         *
         * @param now the wall-clock time
         * @return the time since its creator returned, in milliseconds; negative if that is in the future, and the nearest
         *     number where it is too long for one
         */
        public long ageMillis(Instant now) {
            long nowMillis = now.toEpochMilli();
            long age = nowMillis - createdAtMillis;
            boolean overflowed = (nowMillis ^ createdAtMillis) < 0 && (nowMillis ^ age) < 0;
            return !overflowed ? age : nowMillis >= 0 ? Long.MAX_VALUE : Long.MIN_VALUE;
        }
    }

    private final Stamps stamps;
    private final int flags;
    private final int serializer;
    private final byte[] payload;

    private Envelope(Stamps stamps, int flags, int serializer, byte[] payload) {
        this.stamps = stamps;
        this.flags = flags;
        this.serializer = serializer;
        this.payload = payload;
    }

    /**
     * Around a value.
     *
     * @param <V> the type of the value
     * @param stamps what is known of it
     * @param flags {@link #SERVER_TIME} or 0; the mark of a null is added where it belongs
     * @param serializer what writes it; not called for null
     * @param value the value; may be null
     * @return the envelope
     * @throws Exception what the serializer threw
     */
    public static <V> Envelope of(Stamps stamps, int flags, Serializer<V> serializer, @Nullable V value)
            throws Exception {
        return value == null
                ? of(stamps, flags | NULL, serializer.id(), NO_BYTES)
                : of(stamps, flags, serializer.id(), serializer.write(value));
    }

    /**
     * Around bytes.
     *
     * @param stamps what is known of them
     * @param flags what they are
     * @param serializer the id of what wrote them
     * @param payload the bytes; not copied
     * @return the envelope
     * @throws IllegalArgumentException if a flag is not known, the id is not one of a byte, or a null has a payload
     */
    public static Envelope of(Stamps stamps, int flags, int serializer, byte[] payload) {
        Objects.requireNonNull(stamps, "stamps");
        Objects.requireNonNull(payload, "payload");
        if ((flags & ~KNOWN_FLAGS) != 0) {
            throw new IllegalArgumentException("Unknown flags: 0x" + Integer.toHexString(flags));
        }
        if (serializer < 0 || serializer > Serializer.LAST_ID) {
            throw new IllegalArgumentException(
                    "The id of a serializer is from 0 to " + Serializer.LAST_ID + ", not " + serializer + ".");
        }
        if ((flags & NULL) != 0 && payload.length > 0) {
            throw new IllegalArgumentException("A null with a payload of " + payload.length + " bytes.");
        }
        return new Envelope(stamps, flags, serializer, payload);
    }

    /**
     * The same value, of another generation of its region.
     *
     * @param generation the generation
     * @return an envelope with this one's payload, which is not copied
     */
    public Envelope ofGeneration(long generation) {
        Stamps moved = new Stamps(
                stamps.fence,
                stamps.createdAtMillis,
                stamps.softTtlMillis,
                stamps.hardTtlMillis,
                stamps.costMillis,
                generation);
        return new Envelope(moved, flags, serializer, payload);
    }

    /**
     * Writes it.
     *
     * @param key the full key in bytes, as it is before a store's limit makes one shorten or hash it; the same on each node
     * @param codec how to pack the payload; it is left as it is where packing makes it longer
     * @return the bytes for the store
     */
    public byte[] encode(byte[] key, Codec codec) {
        byte[] packed = codec == Codec.DEFLATE ? deflated(payload) : null;
        byte[] body = packed == null ? payload : packed;
        byte[] bytes = new byte[Math.addExact(HEADER_BYTES, body.length)];
        ByteBuffer.wrap(bytes)
                .putShort(MAGIC)
                .put((byte) VERSION)
                .put((byte) (HEADER_BYTES / HEADER_UNIT))
                .putShort((short) flags)
                .put((byte) serializer)
                .put((byte) (packed == null ? Codec.NONE : Codec.DEFLATE).id)
                .putLong(stamps.fence)
                .putLong(stamps.createdAtMillis)
                .putLong(stamps.softTtlMillis)
                .putLong(stamps.hardTtlMillis)
                .putInt((int) stamps.costMillis)
                .putLong(stamps.generation)
                .putInt(payload.length)
                .putLong(XxHash64.hash(key))
                .position(HEADER_BYTES)
                .put(body)
                .putInt(CRC_AT, checksum(bytes, NO_BYTES));
        return bytes;
    }

    /**
     * Opens what was stored, if it is whole, of this key, and of a form that is known here.
     *
     * <p>A newer version is told apart before anything else is looked at, since it may differ from there on; see {@link
     * Unreadable#newerWriter()} for what to do then.
     *
     * @param bytes anything; not kept
     * @param key the full key, as it was given to {@link #encode}
     * @param maxValueBytes how long a payload may be, packed and unpacked
     * @return the envelope, or why there is none
     * @throws IllegalArgumentException if the limit is negative
     */
    public static Decoded<Envelope> decode(byte[] bytes, byte[] key, int maxValueBytes) {
        return decode(bytes, NO_BYTES, key, maxValueBytes);
    }

    /**
     * The same in two pieces, which spares a copy of the payload.
     *
     * @param head the bytes up to {@link #payloadAt}; not kept
     * @param payload those from there on; kept, if they are the payload, and then to be left as they are
     * @param key the full key, as it was given to {@link #encode}
     * @param maxValueBytes how long a payload may be, packed and unpacked
     * @return the envelope, or why there is none: what {@link #decode(byte[], byte[], int)} says of the pieces joined
     * @throws IllegalArgumentException if the limit is negative
     */
    public static Decoded<Envelope> decode(byte[] head, byte[] payload, byte[] key, int maxValueBytes) {
        if (maxValueBytes < 0) {
            throw new IllegalArgumentException("The limit is negative: " + maxValueBytes);
        }
        if (payload.length > 0 && (head.length < HEADER_BYTES || head.length != headLength(head, 0))) {
            return decode(joined(head, payload), NO_BYTES, key, maxValueBytes);
        }
        if (head.length <= HEADER_UNITS_AT) {
            return Decoded.not(Unreadable.TOO_SHORT);
        }
        long length = (long) head.length + payload.length;
        ByteBuffer in = ByteBuffer.wrap(head);
        if (in.getShort(0) != MAGIC) {
            return Decoded.not(Unreadable.MAGIC);
        }
        int version = Byte.toUnsignedInt(in.get(VERSION_AT));
        if (version != VERSION) {
            return Decoded.not(version > VERSION ? Unreadable.NEWER_VERSION : Unreadable.OLDER_VERSION);
        }
        if (head.length < HEADER_BYTES) {
            return Decoded.not(Unreadable.TOO_SHORT);
        }
        if (length > (long) MAX_HEADER_BYTES + maxValueBytes) {
            return Decoded.not(Unreadable.TOO_LONG); // Before so many bytes are summed.
        }
        if (in.getInt(CRC_AT) != checksum(head, payload)) {
            return Decoded.not(Unreadable.CHECKSUM);
        }
        return opened(head, payload, key, maxValueBytes);
    }

    /**
     * Where the payload begins, if these bytes begin as an envelope does; to cut them there for {@link
     * #decode(byte[], byte[], byte[], int)}.
     *
     * @param bytes anything
     * @param from where they begin
     * @param length how many there are
     * @return how many of them come before the payload, as they say themselves: from 0 to {@code length}
     */
    public static int payloadAt(byte[] bytes, int from, int length) {
        return length <= HEADER_UNITS_AT ? length : Math.min(length, headLength(bytes, from));
    }

    /** How long header and extensions are, as they say. */
    private static int headLength(byte[] bytes, int from) {
        return Byte.toUnsignedInt(bytes[from + HEADER_UNITS_AT]) * HEADER_UNIT;
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, Math.addExact(first.length, second.length));
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    /** From here on the bytes are as their writer wrote them; who that was is not known. */
    private static Decoded<Envelope> opened(byte[] bytes, byte[] apart, byte[] key, int maxValueBytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int bodyAt = headLength(bytes, 0);
        if (bodyAt < HEADER_BYTES || bodyAt > bytes.length) {
            return Decoded.not(Unreadable.LENGTH);
        }
        Unreadable extensions = wrongInExtensions(bytes, bodyAt);
        if (extensions != null) {
            return Decoded.not(extensions);
        }
        int flags = Short.toUnsignedInt(in.getShort(4));
        if ((flags & ~KNOWN_FLAGS) != 0) {
            return Decoded.not(Unreadable.FLAGS);
        }
        if (in.getLong(56) != XxHash64.hash(key)) {
            return Decoded.not(Unreadable.KEY);
        }
        int codec = Byte.toUnsignedInt(in.get(7));
        if (codec > Codec.DEFLATE.id) {
            return Decoded.not(Unreadable.CODEC);
        }
        long softTtlMillis = in.getLong(24);
        long hardTtlMillis = in.getLong(32);
        long rawLength = Integer.toUnsignedLong(in.getInt(52));
        if (softTtlMillis < 0 || hardTtlMillis < 0 || ((flags & NULL) != 0 && rawLength > 0)) {
            return Decoded.not(Unreadable.HEADER);
        }
        int packedLength = apart.length > 0 ? apart.length : bytes.length - bodyAt;
        if (rawLength > maxValueBytes || packedLength > maxValueBytes) {
            return Decoded.not(Unreadable.TOO_LONG);
        }
        byte[] payload = apart.length > 0
                ? unpacked(apart, 0, (int) rawLength, codec)
                : unpacked(bytes, bodyAt, (int) rawLength, codec);
        if (payload == null) {
            return Decoded.not(Unreadable.LENGTH);
        }
        Stamps stamps = new Stamps(
                in.getLong(8),
                in.getLong(16),
                softTtlMillis,
                hardTtlMillis,
                Integer.toUnsignedLong(in.getInt(40)),
                in.getLong(44));
        return Decoded.of(new Envelope(stamps, flags, Byte.toUnsignedInt(in.get(6)), payload));
    }

    private static @Nullable Unreadable wrongInExtensions(byte[] bytes, int end) {
        int at = HEADER_BYTES;
        while (at < end) {
            int type = Byte.toUnsignedInt(bytes[at++]);
            if (type == PADDING) {
                continue;
            }
            if (at == end || at + 1 + Byte.toUnsignedInt(bytes[at]) > end) {
                return Unreadable.LENGTH;
            }
            if (type >= CRITICAL) {
                return Unreadable.CRITICAL_EXTENSION;
            }
            at += 1 + Byte.toUnsignedInt(bytes[at]);
        }
        return null;
    }

    private static int checksum(byte[] head, byte[] payload) {
        CRC32C crc = new CRC32C();
        crc.update(head, 0, CRC_AT);
        crc.update(head, HEADER_BYTES, head.length - HEADER_BYTES);
        crc.update(payload);
        return (int) crc.getValue();
    }

    /** Packed, or null if that is longer. */
    private static byte @Nullable [] deflated(byte[] payload) {
        Deflater deflater = new Deflater();
        try {
            deflater.setInput(payload);
            deflater.finish();
            byte[] packed = new byte[payload.length];
            int length = deflater.deflate(packed);
            return deflater.finished() ? Arrays.copyOf(packed, length) : null;
        } finally {
            deflater.end();
        }
    }

    /** The payload of exactly this length, or null if that is not what the bytes hold. */
    private static byte @Nullable [] unpacked(byte[] bytes, int at, int rawLength, int codec) {
        int length = bytes.length - at;
        if (codec == Codec.NONE.id) {
            if (length != rawLength) {
                return null;
            }
            return at == 0 ? bytes : Arrays.copyOfRange(bytes, at, bytes.length);
        }
        if (rawLength > length * MAX_INFLATION) {
            return null;
        }
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(bytes, at, length);
            byte[] raw = new byte[rawLength];
            int inflated = inflater.inflate(raw);
            // The end of a stream is only seen by who asks for more than there is.
            boolean more = !inflater.finished() && inflater.inflate(new byte[1]) > 0;
            boolean all = inflater.finished() && inflater.getRemaining() == 0;
            return inflated == rawLength && all && !more ? raw : null;
        } catch (DataFormatException damaged) {
            return null;
        } finally {
            inflater.end();
        }
    }

    /**
     * Reads the value.
     *
     * <p>What the serializer throws is in the result, errors of linkage and a stack too deep included, since the bytes can
     * cause both; an {@link OutOfMemoryError} and the like go through.
     *
     * @param <V> the type of the value
     * @param serializer what reads it; not called for null
     * @return the value, which may be null, or why there is none
     */
    public <V> Decoded<V> value(Serializer<V> serializer) {
        if ((flags & VALUELESS) != 0) {
            return Decoded.not(Unreadable.NOT_A_VALUE);
        }
        if (serializer.id() != this.serializer) {
            return Decoded.not(Unreadable.SERIALIZER);
        }
        if ((flags & NULL) != 0) {
            return Decoded.of(null);
        }
        try {
            return Decoded.of(Objects.requireNonNull(serializer.read(payload), "read"));
        } catch (Exception | LinkageError | StackOverflowError unreadable) {
            return Decoded.not(Unreadable.PAYLOAD, unreadable);
        }
    }

    /**
     * What is known of the value.
     *
     * @return the stamps
     */
    public Stamps stamps() {
        return stamps;
    }

    /**
     * What the payload is: {@link #NULL}, {@link #NEGATIVE}, {@link #TOMBSTONE}, {@link #SERVER_TIME}, {@link #CHUNKED}.
     *
     * @return the flags
     */
    public int flags() {
        return flags;
    }

    /**
     * Whether a flag is set.
     *
     * @param flag one or more of the flags
     * @return true if each of them is set
     */
    public boolean is(int flag) {
        return (flags & flag) == flag;
    }

    /**
     * What wrote the payload.
     *
     * @return the id of the serializer
     */
    public int serializer() {
        return serializer;
    }

    /**
     * What the serializer wrote, unpacked.
     *
     * @return the bytes; not copied, to be left as they are
     */
    public byte[] payload() {
        return payload;
    }

    /** The stamps and the length; never the value. */
    @Override
    public String toString() {
        return "envelope of " + payload.length + " bytes by serializer " + serializer + ", flags " + flags + ", "
                + stamps;
    }
}
