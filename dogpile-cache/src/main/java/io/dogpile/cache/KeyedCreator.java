package io.dogpile.cache;

/**
 * Makes the value of a key; elsewhere called a loader.
 *
 * @param <K> the type of the key
 * @param <V> the type of the value
 */
@FunctionalInterface
public interface KeyedCreator<K, V> {
    /**
     * Creates the value. Called for one caller at a time, on its thread or that of {@code refreshOn}, never under a lock.
     *
     * @param key the key, as the caller gave it
     * @return the value; null is a value
     * @throws Exception if it cannot be made; what is thrown reaches all who wait for it
     */
    V create(K key) throws Exception;
}
