package io.dogpile.cache;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A value as a region holds it, at the moment when it was asked for. Immutable.
 *
 * @param <V> the type of the value
 * @param value the value; may be null
 * @param createdAt when its creator returned, by the wall clock of who stored it
 * @param age how long ago that was, when it was looked at
 * @param cost how long its creator took; zero if it was put
 * @param stale whether it was stale for who asked
 */
public record CachedValue<V>(@Nullable V value, Instant createdAt, Duration age, Duration cost, boolean stale) {
    /** Without the value: it may be large, or secret. */
    @Override
    public String toString() {
        return (stale ? "stale" : "fresh") + " value, created at " + createdAt + ", " + age + " old";
    }
}
