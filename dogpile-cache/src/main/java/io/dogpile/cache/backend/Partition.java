package io.dogpile.cache.backend;

import io.dogpile.core.LockProvider;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The values of one region in a backend.
 *
 * <p>A key is any object with a sound {@code equals}; {@link Opening#texts} renders it for stores in other processes.
 * What {@link Slots} and {@link Slot} say of their verbs holds here: each costs at most one round trip per key, none
 * waits for a creation, and one that throws says "not known". A right that was granted before a {@link #put} or an
 * invalidation of its key publishes nothing: the answer is {@link Slot.Published.Outcome#VOIDED}, or
 * {@link Slot.Published.Outcome#SUPERSEDED} where there is a value newer than the one that the claim saw.
 *
 * <p>Thread-safe.
 *
 * @param <V> the type of the values
 */
public interface Partition<V> extends Slots<Object, V>, AutoCloseable {
    /**
     * A partition whose rights are granted by a lock, such as one that many JVMs share, and then by the partition too.
     *
     * @param <V> the type of the values
     * @param partition where the values are
     * @param opening what the partition was opened for; it names and renders what is locked: {@code region/text of key}
     * @param provider the lock; what it throws is thrown by a claim or a publication
     * @param leaseTime how long the lock is held unless it is renewed
     * @return the partition under the lock; closing it closes the partition
     * @throws IllegalArgumentException if the lease is not positive
     */
    static <V> Partition<V> locked(
            Partition<V> partition, Opening<V> opening, LockProvider provider, Duration leaseTime) {
        return new LockedPartition<>(
                Objects.requireNonNull(partition, "partition"),
                Objects.requireNonNull(opening, "opening"),
                Objects.requireNonNull(provider, "provider"),
                Objects.requireNonNull(leaseTime, "leaseTime"));
    }

    /**
     * Looks for a value where that is free: no round trip, no lock, no allocation. This is the path of a hit:
     * what it finds is to be taken, or left; who wants to claim reads by a slot.
     *
     * @param key the key
     * @return what is there, unless it is declared stale or expired; null for "look by a slot", which is the default
     */
    default Slot.@Nullable Seen<V> look(Object key) {
        return null;
    }

    /**
     * Stores a value, whoever creates it now.
     *
     * @param key the key
     * @param draft the value, to be kept
     * @throws Exception if it is not known whether it was stored
     */
    void put(Object key, Slot.Draft<V> draft) throws Exception;

    /**
     * Stores several values.
     *
     * @param drafts the values; not empty; not to be changed
     * @throws Exception if it is not known whether all were stored
     */
    default void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        for (Map.Entry<Object, Slot.Draft<V>> each : drafts.entrySet()) {
            put(each.getKey(), each.getValue());
        }
    }

    /**
     * Declares a value old. Harmless where there is none.
     *
     * @param key the key
     * @param how stale or expired; soft after hard revives nothing
     * @throws Exception if it is not known whether it was done
     */
    void invalidate(Object key, Invalidation how) throws Exception;

    /**
     * Declares several values old.
     *
     * @param keys the keys, each once; not empty
     * @param how stale or expired
     * @throws Exception if it is not known whether it was done for all
     */
    default void invalidateAll(Collection<Object> keys, Invalidation how) throws Exception {
        for (Object key : keys) {
            invalidate(key, how);
        }
    }

    /**
     * Declares all values of the region old.
     *
     * @param how stale or expired
     * @throws Exception if it is not known whether it was done
     */
    void invalidateAll(Invalidation how) throws Exception;

    /**
     * Asks to be told which values others changed, so that a nearer copy can be dropped. Nothing is promised by default.
     *
     * @param changed told of the text of a key, or of null for "any of them", which is also told when pushes begin and cease
     *     to arrive; called from any thread
     * @return ends the watch when closed; {@link Slot.Watch#live} says whether pushes are known to arrive
     */
    default Slot.Watch watchAll(Consumer<@Nullable String> changed) {
        return Slot.Watch.NONE;
    }

    /** Gives up what this partition holds; harmless if done before. Calls that come later may fail. */
    @Override
    default void close() {}
}
