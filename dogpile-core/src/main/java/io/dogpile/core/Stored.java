package io.dogpile.core;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A value as a {@link Store} of this module holds it, with its two deadlines; or the absence of one. Immutable. */
final class Stored<V> {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final boolean present;
    final @Nullable V value;
    final long bornAt;
    final long freshUntil;
    final long usableUntil;
    final long costNanos;
    final long version;
    private final long createdAtEpochNanos;

    private Stored(
            boolean present,
            @Nullable V value,
            long bornAt,
            long freshUntil,
            long usableUntil,
            long costNanos,
            long version,
            long createdAtEpochNanos) {
        this.present = present;
        this.value = value;
        this.bornAt = bornAt;
        this.freshUntil = freshUntil;
        this.usableUntil = usableUntil;
        this.costNanos = costNanos;
        this.version = version;
        this.createdAtEpochNanos = createdAtEpochNanos;
    }

    static <V> Stored<V> absent(long version) {
        return new Stored<>(false, null, Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE, 0, version, 0);
    }

    static <V> Stored<V> of(Slot.Draft<V> draft, long bornAt, Instant createdAt, long version) {
        long usableUntil = deadline(bornAt, nanos(draft.expireAfter()));
        long freshUntil = Math.min(deadline(bornAt, nanos(draft.staleAfter())), usableUntil);
        return new Stored<>(
                true,
                draft.value(),
                bornAt,
                freshUntil,
                usableUntil,
                nanos(draft.cost()),
                version,
                epochNanos(createdAt));
    }

    /** A value of which only the creation time is known; it lives on in no store. */
    static <V> Stored<V> known(@Nullable V value, Instant createdAt) {
        return new Stored<>(true, value, Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE, 0, 0, epochNanos(createdAt));
    }

    /** Another value with the same stamps. */
    <W> Stored<W> with(@Nullable W other) {
        return new Stored<>(present, other, bornAt, freshUntil, usableUntil, costNanos, version, createdAtEpochNanos);
    }

    boolean present() {
        return present;
    }

    Instant createdAt() {
        return Instant.ofEpochSecond(
                Math.floorDiv(createdAtEpochNanos, NANOS_PER_SECOND),
                Math.floorMod(createdAtEpochNanos, NANOS_PER_SECOND));
    }

    /** The end of a life that began at {@code bornAt}; a life too long for the clock never ends. */
    static long deadline(long bornAt, long lifeNanos) {
        long deadline = bornAt + lifeNanos;
        boolean overflowed = bornAt > 0 && deadline < bornAt;
        return lifeNanos == Slot.NEVER || overflowed ? Slot.NEVER : deadline;
    }

    /** A duration in nanoseconds; one too long for a long never ends. */
    static long nanos(Duration duration) {
        return duration.toSeconds() >= Slot.NEVER / NANOS_PER_SECOND ? Slot.NEVER : duration.toNanos();
    }

    static long epochNanos(Instant instant) {
        try {
            return Math.addExact(
                    Math.multiplyExact(instant.getEpochSecond(), NANOS_PER_SECOND), (long) instant.getNano());
        } catch (ArithmeticException farFromNow) {
            return instant.getEpochSecond() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }
}
