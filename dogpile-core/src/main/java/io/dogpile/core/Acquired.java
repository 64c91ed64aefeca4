package io.dogpile.core;

import java.time.Instant;

/**
 * What a caller was handed: the value, when it was created, and how it was come by.
 *
 * @param <V> the type of the value
 * @param value the value; may be null
 * @param createdAt the wall-clock time at which the value's creator returned
 * @param origin how the caller came by it
 */
public record Acquired<V>(V value, Instant createdAt, Origin origin) {
    /** How a caller came by its value. */
    public enum Origin {
        /** This caller was elected, and the value is the one created for it. */
        CREATED,
        /** The value was fresh, or another caller created it while this one waited. */
        FRESH,
        /** The value is past its freshness but not yet expired. */
        STALE
    }
}
