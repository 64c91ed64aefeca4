package io.dogpile.core;

import org.jspecify.annotations.Nullable;

/** Where a type variable may stand for a nullable type, which the null checker cannot follow. */
final class Nulls {
    private Nulls() {}

    /** The same value, as the type variable that the caller bound to a type that may include null. */
    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
    static <V> V unmarked(@Nullable V value) {
        return value;
    }
}
