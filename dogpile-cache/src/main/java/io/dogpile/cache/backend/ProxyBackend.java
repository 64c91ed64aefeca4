package io.dogpile.cache.backend;

import io.dogpile.core.Slot;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Stands before a backend and sees, changes or refuses what passes: to log, count, encrypt, or veto.
 *
 * <p>Extend it and override one or more of the three hooks. Every path goes through them, one key at a time, whatever
 * the backend is and whether the call was a single or a bulk one: look-ups, reads, what a claim sees, pushed values,
 * publications, puts and invalidations. One that overrides none changes nothing. A hook that throws fails the verb that
 * it was called from, as a store that fails does.
 *
 * <pre>{@code
 * class Counting extends ProxyBackend {
 *     final LongAdder writes = new LongAdder();
 *     Counting(Backend proxied) { super(proxied); }
 *     @Override protected <V> Slot.Draft<V> onWrite(String region, Object key, Slot.Draft<V> draft) {
 *         writes.increment();
 *         return draft;
 *     }
 * }
 * }</pre>
 *
 * <p>One proxy may serve many regions; hooks are told which. They are called from any thread, and must be thread-safe and
 * quick: {@code onRead} is on the path of every hit. They see the objects that the region keeps, with their metadata, not
 * the bytes that a store makes of them.
 */
public abstract class ProxyBackend implements Backend {
    private final Backend proxied;

    /**
     * Before a backend.
     *
     * @param proxied where all goes that no hook stops
     */
    protected ProxyBackend(Backend proxied) {
        this.proxied = Objects.requireNonNull(proxied, "proxied");
    }

    /**
     * Called with all that is read, present or absent. One call of a region may read more than once.
     *
     * @param <V> the type of the value
     * @param region the name of the region
     * @param key the key
     * @param seen what the backend saw
     * @return what is to be seen instead; the same unless overridden. Its {@code claim} is never called
     */
    protected <V> Slot.Seen<V> onRead(String region, Object key, Slot.Seen<V> seen) {
        return seen;
    }

    /**
     * Called before a value is stored; not for one that is not to be kept.
     *
     * @param <V> the type of the value
     * @param region the name of the region
     * @param key the key
     * @param draft the value and its lives
     * @return what is to be stored instead, the same unless overridden; null to store nothing: a created value is then
     *     handed to those who wait and not kept, a put is dropped
     */
    protected <V> Slot.@Nullable Draft<V> onWrite(String region, Object key, Slot.Draft<V> draft) {
        return draft;
    }

    /**
     * Called before values are invalidated.
     *
     * @param region the name of the region
     * @param key the key; null for all of the region
     * @param how stale or expired
     */
    protected void onDelete(String region, @Nullable Object key, Invalidation how) {}

    /**
     * What this stands before.
     *
     * @return the backend
     */
    public final Backend proxied() {
        return proxied;
    }

    @Override
    public final <V> Partition<V> open(Opening<V> opening) {
        return new ProxyPartition<>(this, opening.region(), proxied.open(opening));
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + " before " + proxied;
    }
}
