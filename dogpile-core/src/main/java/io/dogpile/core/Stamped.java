package io.dogpile.core;

import java.time.Instant;
import java.util.Objects;

/**
 * A value and the wall-clock time at which its creator returned.
 *
 * @param <V> the type of the value
 * @param value the value; may be null
 * @param createdAt when the creator returned
 */
public record Stamped<V>(V value, Instant createdAt) {
    /**
     * Checks the stamp.
     *
     * @param value the value; may be null
     * @param createdAt when the creator returned
     * @throws NullPointerException if {@code createdAt} is null
     */
    public Stamped {
        Objects.requireNonNull(createdAt, "createdAt");
    }
}
