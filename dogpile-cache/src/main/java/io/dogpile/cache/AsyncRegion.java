package io.dogpile.cache;

import io.dogpile.core.Acquired;
import io.dogpile.core.DogpileException;
import io.dogpile.core.Slot;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * A {@link Region} for callers who hold a future instead of waiting: the same values, elections and flights, with no
 * thread parked. Made by {@link Region#async}.
 *
 * <p>A programming error is thrown at once where it is found before anything began: a null, an unstable argument, a closed
 * region, the recursion of a creator.
 *
 * <p>Cancelling a future cancels that caller's wait and nothing else: not the creation, nor anybody else's wait. Failures
 * are those of the region, in the future. Thread-safe.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public final class AsyncRegion<K, V> {
    private final Region<K, V> region;
    private final Executor executor;

    AsyncRegion(Region<K, V> region, Executor executor) {
        this.region = region;
        this.executor = executor;
    }

    /**
     * Returns the key's value if it is fresh, and else decides who creates it.
     *
     * @param key the key
     * @param creator begins to make the value if this caller is elected; called on the view's executor, or on that of
     *     {@code refreshOn}
     * @return the value's future; completed at once on a hit in memory, else on the view's executor
     * @throws IllegalStateException if the current thread is creating this key, or the region is closed
     */
    public CompletableFuture<V> getOrCreate(
            K key, KeyedCreator<? super K, ? extends CompletionStage<? extends V>> creator) {
        Objects.requireNonNull(creator, "creator");
        Object name = region.plan().nameOf(key);
        Entries<V> entries = region.current().entries();
        Slot.Seen<V> hit = entries.hit(name);
        return hit == null
                ? entries.async(executor).get(name, entries.slot(name), () -> creator.create(key))
                : CompletableFuture.completedFuture(Region.valueOf(hit));
    }

    /**
     * Creates a value newer than the one that the region holds, or waits for one that another is creating.
     *
     * @param key the key
     * @param creator begins to make the value if this caller is elected
     * @return the new value's future
     * @throws IllegalStateException if the current thread is creating this key, or the region is closed
     */
    public CompletableFuture<V> refresh(
            K key, KeyedCreator<? super K, ? extends CompletionStage<? extends V>> creator) {
        Objects.requireNonNull(creator, "creator");
        Object name = region.plan().nameOf(key);
        Entries<V> entries = region.entries();
        CompletableFuture<Acquired<V>> acquired =
                entries.async(executor).refresh(name, entries.slot(name), () -> creator.create(key));
        CompletableFuture<V> value = acquired.thenApply(Acquired::value);
        var unused = value.whenComplete((done, thrown) -> {
            if (value.isCancelled()) {
                acquired.cancel(false);
            }
        });
        return value;
    }

    /**
     * Returns the key's value if it is fresh.
     *
     * @param key the key
     * @return the future of what {@link Region#get} returns
     */
    public CompletableFuture<Optional<V>> get(K key) {
        return orRefused(() -> CompletableFuture.supplyAsync(() -> region.get(key), executor));
    }

    /**
     * Returns what the region holds for the key, fresh or stale.
     *
     * @param key the key
     * @return the future of what {@link Region#peek} returns
     */
    public CompletableFuture<Optional<CachedValue<V>>> peek(K key) {
        return orRefused(() -> CompletableFuture.supplyAsync(() -> region.peek(key), executor));
    }

    /**
     * Stores a value as if it had been created now.
     *
     * @param key the key
     * @param value the value; null is a value
     * @return completes when it is stored
     */
    public CompletableFuture<Void> put(K key, V value) {
        return orRefused(() -> CompletableFuture.runAsync(() -> region.put(key, value), executor));
    }

    /**
     * Forgets the key's value.
     *
     * @param key the key
     * @return completes when it is forgotten
     */
    public CompletableFuture<Void> invalidate(K key) {
        return orRefused(() -> CompletableFuture.runAsync(() -> region.invalidate(key), executor));
    }

    /** Nobody waits for an exception who was promised a future. */
    private static <T> CompletableFuture<T> orRefused(Supplier<CompletableFuture<T>> submission) {
        try {
            return submission.get();
        } catch (RuntimeException | Error rejected) {
            return CompletableFuture.failedFuture(
                    new DogpileException("The executor of the asynchronous view refused a step", rejected));
        }
    }

    @Override
    public String toString() {
        return region + ", asynchronous";
    }
}
