package io.dogpile.cache.backend;

/**
 * Where regions keep their values. One backend may serve many regions, each of which has a partition of its own.
 *
 * <p>To plug in a store, begin with less than this: a store of bytes is a {@link ByteBackend}, of which
 * {@link SerializingBackend} makes a backend; a map in memory is {@link MemoryBackend#on}; what stands before another backend
 * is a {@link ProxyBackend}. Implement this where the store itself can grant rights and refuse who lost one.
 *
 * <p>Who made a backend closes what it holds, such as connections; a region closes its partition only. Implementations
 * are thread-safe. The suite {@code BackendContract}, in the test-jar of dogpile-cache (package {@code io.dogpile.cache.testing}), tells
 * whether one is sound.
 */
@FunctionalInterface
public interface Backend {
    /**
     * Opens the partition of a region. Called once, when the region is built.
     *
     * @param <V> the type of the region's values
     * @param opening what the region asks for
     * @return the partition
     * @throws IllegalArgumentException if this backend cannot serve such a region; the message names the region, and
     *     what to change
     */
    <V> Partition<V> open(Opening<V> opening);
}
