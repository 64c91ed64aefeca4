package io.dogpile.cache;

import io.dogpile.core.DogpileLock;
import io.dogpile.core.Slot;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How long what a region creates lives, and whether it is kept. Immutable.
 *
 * @param cacheIf null to keep all
 * @param lifeOf the expiry computed from the value; null where there is none
 * @param jitter the share of both lives that may be cut off
 */
record Lives<V>(
        Duration staleAfter,
        Duration expireAfter,
        @Nullable Duration cacheNullFor,
        @Nullable BiPredicate<Object, V> cacheIf,
        @Nullable BiFunction<Object, V, Duration> lifeOf,
        double jitter,
        DoubleSupplier random)
        implements DogpileLock.Drafting<V> {
    static final Duration NEVER = Duration.ofNanos(Slot.NEVER);

    @Override
    public Slot.Draft<V> draft(Object name, V value, Duration cost) {
        boolean keep = cacheIf == null || cacheIf.test(RenamedKey.original(name), value);
        Slot.Draft<V> draft = lives(name, value, cost);
        return keep ? draft : new Slot.Draft<>(value, draft.staleAfter(), draft.expireAfter(), cost, false);
    }

    /** The same for a value that a caller puts: whether it is kept is the caller's to know. */
    Slot.Draft<V> put(Object name, V value) {
        return lives(name, value, Duration.ZERO);
    }

    private Slot.Draft<V> lives(Object name, V value, Duration cost) {
        if (value == null && cacheNullFor != null) {
            Duration life = cut(cacheNullFor);
            return new Slot.Draft<>(value, life, life, cost, !cacheNullFor.isZero());
        }
        Duration expire = expireAfter;
        if (lifeOf != null) {
            Duration own = lifeOf.apply(RenamedKey.original(name), value);
            if (own != null) {
                if (own.isNegative()) {
                    throw new IllegalArgumentException("a life computed from a value must not be negative, was " + own);
                }
                expire = own;
            }
        }
        Duration cut = cut(expire);
        Duration stale = cut(staleAfter);
        return new Slot.Draft<>(value, stale.compareTo(cut) < 0 ? stale : cut, cut, cost, true);
    }

    /** So that what was created together does not end together. */
    private Duration cut(Duration life) {
        if (jitter == 0 || life.equals(NEVER)) {
            return life;
        }
        return Duration.ofNanos((long) (Slot.deadline(0, life) * (1 - jitter * random.getAsDouble())));
    }
}
