package io.dogpile.cache.backend;

import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How the values of one region become bytes, and bytes values again: in an {@link Envelope}, by the region's serializer,
 * within its limit of size. For a store that keeps bytes.
 *
 * <p>Reading never fails: what cannot be read is told to the region's listener, which counts it, and is a miss.
 * Immutable and thread-safe.
 *
 * @param <V> the type of the values
 */
public final class ValueFormat<V> {
    private static final int LONGEST_KEY_SHOWN = 100;

    private final String region;
    private final Serializer<V> serializer;
    private final int maxValueBytes;
    private final DogpileListener listener;

    /**
     * The form of one region's values.
     *
     * @param opening what the region asks
     * @param serializer its serializer, as {@link Opening#serializerFor} gave it
     */
    public ValueFormat(Opening<V> opening, Serializer<V> serializer) {
        this.region = opening.region();
        this.serializer = Objects.requireNonNull(serializer, "serializer");
        this.maxValueBytes = opening.maxValueBytes();
        this.listener = opening.listener();
    }

    /**
     * What was read.
     *
     * @param <V> the type of the value
     * @param stamps what is known of the value; null if it could not be read
     * @param value the value, which may be null
     * @param unreadable why there is none; null if it was read
     */
    public record Result<V>(
            Envelope.@Nullable Stamps stamps,
            @Nullable V value,
            @Nullable Unreadable unreadable) {
        /**
         * Whether what is there may be a good value for nodes that know more.
         *
         * @return true if it should not be overwritten at once
         */
        public boolean isNewerWriters() {
            return unreadable != null && unreadable.newerWriter();
        }
    }

    /**
     * The stamps of a draft.
     *
     * @param fence the number of the right; 0 if rights are not numbered
     * @param createdAt when its creator returned
     * @param draft the draft, whose lives are rounded up to milliseconds
     * @param generation the region's generation
     * @return the stamps
     */
    public static Envelope.Stamps stamps(long fence, Instant createdAt, Slot.Draft<?> draft, long generation) {
        return new Envelope.Stamps(
                fence,
                createdAt.toEpochMilli(),
                millis(draft.staleAfter()),
                millis(draft.expireAfter()),
                draft.cost().toMillis(),
                generation);
    }

    /** Milliseconds, rounded up and never to 0, which stands for ever. */
    private static long millis(Duration life) {
        long nanos = Slot.deadline(0, life);
        if (nanos == Slot.NEVER) {
            return 0;
        }
        long whole = TimeUnit.NANOSECONDS.toMillis(nanos);
        return Math.max(1, TimeUnit.MILLISECONDS.toNanos(whole) < nanos ? whole + 1 : whole);
    }

    /**
     * Writes a value.
     *
     * @param fullName the full name of its key, as {@link #read} is given it
     * @param stamps what is known of it
     * @param value the value; may be null
     * @return the bytes
     * @throws IllegalArgumentException if the value is too large; the message names the region, the key and both sizes
     * @throws Exception what the serializer threw
     */
    public byte[] write(String fullName, Envelope.Stamps stamps, @Nullable V value) throws Exception {
        Envelope envelope = Envelope.of(stamps, 0, serializer, value);
        if (envelope.payload().length > maxValueBytes) {
            throw new IllegalArgumentException("region '" + region + "': the value of key " + shown(fullName) + " has "
                    + envelope.payload().length + " bytes, more than maxValueBytes = " + maxValueBytes
                    + ", and is not stored; raise the limit, or keep less");
        }
        return envelope.encode(inBytes(fullName), Envelope.Codec.NONE);
    }

    /**
     * Opens what was stored, without reading its value.
     *
     * @param fullName the full name of its key
     * @param bytes anything
     * @return the envelope, or why there is none
     */
    public Decoded<Envelope> open(String fullName, byte[] bytes) {
        return Envelope.decode(bytes, inBytes(fullName), maxValueBytes);
    }

    /**
     * Reads a value.
     *
     * @param key the key, for the listener
     * @param fullName the full name of the key
     * @param bytes anything
     * @return the value, or why there is none; then the listener was told
     */
    public Result<V> read(Object key, String fullName, byte[] bytes) {
        return read(key, open(fullName, bytes));
    }

    /**
     * Reads a value of which the payload lies apart, and so need not be copied.
     *
     * @param key the key, for the listener
     * @param fullName the full name of the key
     * @param head the bytes before the payload, up to {@link Envelope#payloadAt}
     * @param payload the others; kept
     * @return the value, or why there is none; then the listener was told
     */
    public Result<V> read(Object key, String fullName, byte[] head, byte[] payload) {
        return read(key, Envelope.decode(head, payload, inBytes(fullName), maxValueBytes));
    }

    /**
     * Reads a value.
     *
     * @param key the key, for the listener
     * @param opened what was {@linkplain #open opened}
     * @return the value, or why there is none; then the listener was told
     */
    public Result<V> read(Object key, Decoded<Envelope> opened) {
        if (!opened.readable()) {
            return unreadable(key, opened);
        }
        Envelope envelope = opened.get();
        Decoded<V> value = envelope.value(serializer);
        return value.readable() ? new Result<>(envelope.stamps(), value.get(), null) : unreadable(key, value);
    }

    private Result<V> unreadable(Object key, Decoded<?> decoded) {
        Throwable cause = decoded.cause();
        listener.corruptEntry(
                key, decoded + (cause == null ? "" : ", " + cause.getClass().getName()));
        return new Result<>(null, null, decoded.unreadable());
    }

    private static byte[] inBytes(String fullName) {
        return fullName.getBytes(StandardCharsets.UTF_8);
    }

    private static String shown(String fullName) {
        return fullName.length() <= LONGEST_KEY_SHOWN ? fullName : fullName.substring(0, LONGEST_KEY_SHOWN) + "...";
    }
}
