package io.dogpile.demo;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What one writes first: a map with a time beside each value. Correct, and everyone who finds nothing, or finds it too
 * old, creates.
 *
 * @param <V> the type of the values
 */
final class PlainCache<V> {
    /**
     * What a caller gets.
     *
     * @param value the value
     * @param created whether this caller created it
     */
    record Got<V>(V value, boolean created) {}

    private record Entry<V>(V value, long createdAt) {}

    private final Map<String, Entry<V>> entries = new ConcurrentHashMap<>();
    private final long life;

    PlainCache(Duration life) {
        this.life = life.toNanos();
    }

    Got<V> get(String key, Callable<V> creator) throws Exception {
        Entry<V> entry = entries.get(key);
        if (entry != null && System.nanoTime() - entry.createdAt() <= life) {
            return new Got<>(entry.value(), false);
        }
        V value = creator.call();
        entries.put(key, new Entry<>(value, System.nanoTime()));
        return new Got<>(value, true);
    }
}
