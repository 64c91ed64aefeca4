package io.dogpile.cache.backend;

import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a store that keeps {@linkplain Envelope envelopes} held of one key: a value, or none, or none that can be read. What is
 * left to its subclass is how a successor is claimed. Immutable, as far as the subclass is.
 *
 * @param <V> the type of the value
 */
public abstract class EnvelopeSeen<V> implements Slot.Seen<V> {
    private final ValueFormat.@Nullable Result<V> result;
    private final Envelope.@Nullable Stamps stamps;
    private final Deadlines deadlines;

    /**
     * Of what was read.
     *
     * @param result what was read, or null if there was nothing
     * @param deadlines when the value was born and ends; of no meaning without one
     */
    protected EnvelopeSeen(ValueFormat.@Nullable Result<V> result, Deadlines deadlines) {
        this.result = result;
        this.stamps = result == null ? null : result.stamps();
        this.deadlines = stamps == null ? Deadlines.NONE : Objects.requireNonNull(deadlines, "deadlines");
    }

    /** Whether a value may be fresh. */
    public enum Freshness {
        /** Until its life as a fresh one is over. */
        BY_AGE,
        /** No more: it was declared stale, or its stamps cannot be believed. */
        DECLARED_STALE
    }

    /**
     * When a value was born and ends, in nanoseconds of the region's clock.
     *
     * @param bornAt when it was born
     * @param freshUntil the last moment at which it is fresh
     * @param usableUntil the last moment at which it may be served
     */
    public record Deadlines(long bornAt, long freshUntil, long usableUntil) {
        /** Of no value. */
        public static final Deadlines NONE = new Deadlines(Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE);

        /**
         * By the wall clock, which all who share the store stamp by. What is from the future is from now.
         *
         * @param stamps the stamps of the value; null if there is none
         * @param freshness whether it may be fresh
         * @param time the region's clock
         * @return the deadlines
         */
        public static Deadlines byWallClock(Envelope.@Nullable Stamps stamps, Freshness freshness, TimeSource time) {
            if (stamps == null) {
                return NONE;
            }
            long bornAt = time.nanos() - TimeUnit.MILLISECONDS.toNanos(Math.max(0, stamps.ageMillis(time.instant())));
            long usableUntil = end(bornAt, stamps.hardTtlMillis());
            return new Deadlines(
                    bornAt,
                    freshness == Freshness.DECLARED_STALE
                            ? Long.MIN_VALUE
                            : Math.min(end(bornAt, stamps.softTtlMillis()), usableUntil),
                    usableUntil);
        }

        private static long end(long bornAt, long lifeMillis) {
            return lifeMillis == 0 ? Slot.NEVER : Slot.deadline(bornAt, Duration.ofMillis(lifeMillis));
        }
    }

    /**
     * What was read.
     *
     * @return the value and its stamps, or why it cannot be read; null if there was nothing
     */
    public final ValueFormat.@Nullable Result<V> result() {
        return result;
    }

    /**
     * Whether what is there may be a good value for nodes that know more, so that it is not overwritten at once.
     *
     * @return true if a newer node wrote it
     */
    public final boolean isNewerWriters() {
        return result != null && result.isNewerWriters();
    }

    @Override
    public final boolean present() {
        return stamps != null;
    }

    @Override
    public final @Nullable V value() {
        return result == null ? null : result.value();
    }

    @Override
    public final long freshUntil() {
        return deadlines.freshUntil;
    }

    @Override
    public final long usableUntil() {
        return deadlines.usableUntil;
    }

    @Override
    public final long bornAt() {
        return deadlines.bornAt;
    }

    @Override
    public final long costNanos() {
        return stamps == null ? 0 : TimeUnit.MILLISECONDS.toNanos(stamps.costMillis());
    }

    @Override
    public long version() {
        return stamps == null ? 0 : stamps.fence();
    }

    @Override
    public final Instant createdAt() {
        return stamps == null ? Instant.EPOCH : Instant.ofEpochMilli(stamps.createdAtMillis());
    }
}
