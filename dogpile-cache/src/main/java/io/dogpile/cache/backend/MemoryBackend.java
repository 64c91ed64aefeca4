package io.dogpile.cache.backend;

import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Objects;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToIntBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Keeps values in this JVM, bounded, by Caffeine: the backend of a region that names none.
 *
 * <p>Values are kept by reference, so that a change to one is seen by all who have it; a region with a serializer keeps
 * bytes instead, and each reader gets a copy of its own. What is expired stays until it is replaced or evicted.
 * Nothing is shared with other JVMs: a creation is one per JVM, unless the region has a lock that they share.
 *
 * <p>Thread-safe; each region opened gets a map of its own.
 */
public final class MemoryBackend implements Backend {
    private static final long DEFAULT_ENTRIES = 10_000;

    private final Partitions partitions;
    private final String description;

    private MemoryBackend(Partitions partitions, String description) {
        this.partitions = partitions;
        this.description = description;
    }

    /** Makes the partition of a region. */
    private interface Partitions {
        <V> MemoryPartition<V> of(Opening<V> opening);
    }

    /**
     * At most 10,000 entries in each region.
     *
     * @return the backend
     */
    public static MemoryBackend create() {
        return ofEntries(DEFAULT_ENTRIES);
    }

    /**
     * At most so many entries in each region.
     *
     * @param most the number of entries; not negative
     * @return the backend
     * @throws IllegalArgumentException if the number is negative
     */
    public static MemoryBackend ofEntries(long most) {
        if (most < 0) {
            throw new IllegalArgumentException("a number of entries must not be negative, was " + most);
        }
        return new MemoryBackend(
                new Partitions() {
                    @Override
                    public <V> MemoryPartition<V> of(Opening<V> opening) {
                        return new MemoryPartition<>(
                                opening, Caffeine.newBuilder().maximumSize(most).build());
                    }
                },
                "MemoryBackend of " + most + " entries");
    }

    /**
     * Entries of at most so much weight in each region.
     *
     * @param most the sum of the weights; not negative
     * @param weigher weighs a key with its value, which may be null, or bytes where the region has a serializer; not
     *     negative, and the same as long as the entry lives
     * @return the backend
     * @throws IllegalArgumentException if the weight is negative
     */
    public static MemoryBackend ofWeight(long most, ToIntBiFunction<Object, @Nullable Object> weigher) {
        Objects.requireNonNull(weigher, "weigher");
        if (most < 0) {
            throw new IllegalArgumentException("a weight must not be negative, was " + most);
        }
        return new MemoryBackend(
                new Partitions() {
                    @Override
                    public <V> MemoryPartition<V> of(Opening<V> opening) {
                        return new MemoryPartition<>(
                                opening,
                                Caffeine.newBuilder()
                                        .maximumWeight(most)
                                        .weigher((Object key, MemoryPartition<V>.Entry entry) ->
                                                weigher.applyAsInt(key, entry.kept()))
                                        .build());
                    }
                },
                "MemoryBackend of weight " + most);
    }

    /**
     * Entries in the user's own map, for one region: bounded, or not, by whoever made it.
     *
     * @param map the map; what it holds belongs to the region
     * @return the backend, which can be opened once
     */
    public static MemoryBackend on(ConcurrentMap<Object, Object> map) {
        Objects.requireNonNull(map, "map");
        AtomicReference<String> owner = new AtomicReference<>();
        return new MemoryBackend(
                new Partitions() {
                    @Override
                    @SuppressWarnings("unchecked") // the map is this region's alone
                    public <V> MemoryPartition<V> of(Opening<V> opening) {
                        if (!owner.compareAndSet(null, opening.region())) {
                            throw new IllegalArgumentException("the map given for region '" + opening.region()
                                    + "' is that of region '" + owner.get() + "'; give each its own");
                        }
                        return new MemoryPartition<>(
                                opening, (ConcurrentMap<Object, MemoryPartition<V>.Entry>) (ConcurrentMap<?, ?>) map);
                    }
                },
                "MemoryBackend on the user's map");
    }

    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        return partition(opening);
    }

    <V> MemoryPartition<V> partition(Opening<V> opening) {
        return partitions.of(opening);
    }

    @Override
    public String toString() {
        return description;
    }
}
