package io.dogpile.cache;

import java.util.Map;
import java.util.Objects;

/**
 * A function of many arguments at once whose values are kept in a region, one entry for each argument. Made by
 * {@link Region#cachedAll(Region.BulkCreator)}, over the region's own entries, or by
 * {@link Region#cachedAll(String, Region.BulkCreator)}, with entries of its own.
 *
 * <pre>{@code
 * CachedBulkFunction<Long, User> findAll = users.cachedAll(missing -> repository.loadAll(missing));
 * Map<Long, User> some = findAll.apply(List.of(1L, 2L, 3L));
 * }</pre>
 *
 * <p>A call is a {@link Region#getOrCreateAll}: it promises and throws the same. Every verb takes or gives a map; what
 * the function leaves out is in no result, is not cached, and is asked for again. What {@link CachedFunction} says of
 * arguments and views holds. An argument that is an array is found again by what it holds, but two equal ones in one
 * call are two keys of its maps.
 *
 * <p>Thread-safe, if the function is.
 *
 * @param <K> the type of the arguments
 * @param <V> the type of the values
 */
public final class CachedBulkFunction<K, V> {
    private final Region<K, V> region;
    private final Region.BulkCreator<K, V> original;

    CachedBulkFunction(Region<K, V> region, Region.BulkCreator<K, V> original) {
        this.region = region;
        this.original = Objects.requireNonNull(original, "function");
    }

    /**
     * Returns the values of the arguments, calling the function once for those that this caller is elected for.
     *
     * @param arguments the arguments, walked once
     * @return what {@link Region#getOrCreateAll} returns
     * @throws RuntimeException as {@link Region#getOrCreateAll} does
     */
    public Map<K, V> apply(Iterable<? extends K> arguments) {
        return region.getOrCreateAll(arguments, original);
    }

    /**
     * Returns the fresh values of the arguments. Never calls the function.
     *
     * @param arguments the arguments, walked once
     * @return what {@link Region#getAll} returns
     */
    public Map<K, V> get(Iterable<? extends K> arguments) {
        return region.getAll(arguments);
    }

    /**
     * Returns what is held for the arguments, fresh or stale. Never calls the function.
     *
     * @param arguments the arguments, walked once
     * @return what {@link Region#peekAll} returns
     */
    public Map<K, CachedValue<V>> peek(Iterable<? extends K> arguments) {
        return region.peekAll(arguments);
    }

    /**
     * Stores values as if the function had returned them now.
     *
     * @param values the values by argument; not changed
     * @throws RuntimeException as {@link Region#putAll} does
     */
    public void put(Map<? extends K, ? extends V> values) {
        region.putAll(values);
    }

    /**
     * Calls the function for newer values, or waits for those that others are creating.
     *
     * @param arguments the arguments, walked once
     * @return what {@link Region#refreshAll} returns
     * @throws RuntimeException as {@link Region#refreshAll} does
     */
    public Map<K, V> refresh(Iterable<? extends K> arguments) {
        return region.refreshAll(arguments, original);
    }

    /**
     * Forgets the values of the arguments.
     *
     * @param arguments the arguments, walked once
     * @throws RuntimeException as {@link Region#invalidateAll(Iterable)} does
     */
    public void invalidate(Iterable<? extends K> arguments) {
        region.invalidateAll(arguments);
    }

    /**
     * The function that is cached.
     *
     * @return the function, as it was given
     */
    public Region.BulkCreator<K, V> original() {
        return original;
    }

    /**
     * The text by which stores in other processes know the argument's value, before they shorten it.
     *
     * @param argument the argument
     * @return the text
     * @throws IllegalArgumentException if it has none
     */
    public String key(K argument) {
        return RenamedKey.textOf(region.plan().nameOf(argument));
    }

    @Override
    public String toString() {
        return "cached bulk function of " + region;
    }
}
