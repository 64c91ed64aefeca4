package io.dogpile.core;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What one lock, or one view of it, was asked for: immutable, checked, and in nanoseconds where time is meant.
 *
 * @param staleAfter how long what is created is fresh
 * @param expireAfter how long it may be served
 * @param maxAge the caller's own limit of freshness, judged by age; {@link #UNSET} where the stored one holds
 * @param maxUsableAge the same for expiry
 * @param takesStale whether a stale value is taken rather than waited for
 */
record Options<V>(
        long staleAfter,
        long expireAfter,
        long maxAge,
        long maxUsableAge,
        boolean takesStale,
        long softTimeout,
        long hardTimeout,
        long maxCreation,
        @Nullable Executor refreshOn,
        double beta,
        WhenDown whenDown,
        DogpileLock.@Nullable Drafting<V> drafting,
        Told told,
        TimeSource time,
        DoubleSupplier random,
        Executor renewOn) {
    /** No limit of the caller's own; {@link Slot#NEVER} is one, which lets a value be of any age. */
    static final long UNSET = -1;

    /** The chance of a draw further from the end than this is below e^-20: it is not worth a look at the clock. */
    private static final double COSTS_IN_DRAW_ZONE = 20;

    /** How long what was created lives. */
    Slot.Draft<V> draft(Object name, V value, long costNanos) {
        Duration cost = Duration.ofNanos(costNanos);
        return drafting != null
                ? drafting.draft(name, value, cost)
                : new Slot.Draft<>(value, Duration.ofNanos(staleAfter), Duration.ofNanos(expireAfter), cost, true);
    }

    /** How long before its end a value of that cost may be drawn for early refresh. */
    long drawZone(long costNanos) {
        return beta == 0 ? 0 : (long) (COSTS_IN_DRAW_ZONE * beta * costNanos);
    }

    /** Whether a value that is fresh until then is a hit: fresh, and too far from its end to be drawn. */
    boolean isHit(long freshUntil, long costNanos) {
        // What ended before time began, such as what was declared stale, has no zone: less than the least would
        // overflow.
        long hitUntil = freshUntil < 0 ? freshUntil : freshUntil - drawZone(costNanos);
        // The exact clock only where the coarse one leaves a doubt: in the last second, or where there is no hit.
        return time.notBeforeNow() <= hitUntil || time.nanos() <= hitUntil;
    }

    /** Until when this caller takes such a value as fresh; for what is judged without an election. */
    long freshFor(boolean present, long bornAt, long storedFresh, long storedUsable) {
        return judgesByAge()
                ? Math.min(freshUntil(bornAt, storedFresh), usableUntil(present, bornAt, storedUsable))
                : storedFresh;
    }

    /** Whether this caller has limits of its own, beside those that were stored with the value. */
    boolean judgesByAge() {
        return maxAge != UNSET || maxUsableAge != UNSET;
    }

    /** Until when a value that was born and stored so is fresh for this caller. */
    long freshUntil(long bornAt, long stored) {
        boolean declaredStale = stored == Long.MIN_VALUE && maxAge != Slot.NEVER;
        return maxAge == UNSET || declaredStale ? stored : Stored.deadline(bornAt, maxAge);
    }

    /** Until when this caller takes such a value at all; what was stored for an absent one is no time. */
    long usableUntil(boolean present, long bornAt, long stored) {
        return maxUsableAge == UNSET || !present ? stored : Stored.deadline(bornAt, maxUsableAge);
    }
}
