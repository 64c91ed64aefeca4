package io.dogpile.cache;

import java.lang.reflect.Array;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * How a method hands out what it returns, and what of that is kept. Immutable.
 *
 * @param kind how it is handed out
 * @param content the type of what is kept, never primitive
 * @param returned the type that the method returns
 */
record ReturnForm(Kind kind, Class<?> content, Class<?> returned) {
    enum Kind {
        REFERENCE,
        PRIMITIVE,
        OPTIONAL,
        FUTURE,
        FUTURE_OF_OPTIONAL
    }

    boolean isFuture() {
        return kind == Kind.FUTURE || kind == Kind.FUTURE_OF_OPTIONAL;
    }

    /** Of what the method returned, or its future completed with: what is kept. */
    @Nullable
    Object toCache(@Nullable Object answer) {
        return answer instanceof Optional<?> optional && (kind == Kind.OPTIONAL || kind == Kind.FUTURE_OF_OPTIONAL)
                ? optional.orElse(null)
                : answer;
    }

    /** Of what is kept: what the method returns, or its future completes with. */
    @Nullable
    Object toCaller(@Nullable Object kept, String label) {
        return switch (kind) {
            case REFERENCE, FUTURE -> kept;
            case OPTIONAL, FUTURE_OF_OPTIONAL -> Optional.ofNullable(kept);
            case PRIMITIVE -> {
                if (kept == null) {
                    throw new IllegalStateException(label + ": the value that is kept is null, and the method returns "
                            + returned + "; whoever else shares its namespace must not put a null there");
                }
                yield kept;
            }
        };
    }

    /** What a call returns that has nothing to tell. */
    @Nullable
    Object nothing() {
        return switch (kind) {
            case REFERENCE -> null;
            case PRIMITIVE -> Array.get(Array.newInstance(returned, 1), 0);
            case OPTIONAL -> Optional.empty();
            case FUTURE -> CompletableFuture.completedFuture(null);
            case FUTURE_OF_OPTIONAL -> CompletableFuture.completedFuture(Optional.empty());
        };
    }
}
