package io.dogpile.core;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** How a flight, or one creation, ended: with a value, with a failure, or with "look again". */
final class Landing<V> {
    enum Kind {
        /** A value was created. */
        VALUE,
        /** A value was found; whoever waits judges it for itself. */
        SEEN,
        /** The creation failed, or was refused. */
        FAILURE,
        /** The creation made several names and left this one out: there is nothing to cache, and no failure. */
        OMITTED,
        /** Nothing; whoever waits looks again. */
        AGAIN
    }

    private final Kind kind;
    private final @Nullable V value;
    private final Instant createdAt;
    private final Slot.@Nullable Seen<V> seen;
    private final @Nullable Throwable failure;

    private Landing(
            Kind kind, @Nullable V value, Instant createdAt, Slot.@Nullable Seen<V> seen, @Nullable Throwable failure) {
        this.kind = kind;
        this.value = value;
        this.createdAt = createdAt;
        this.seen = seen;
        this.failure = failure;
    }

    static <V> Landing<V> value(@Nullable V value, Instant createdAt) {
        return new Landing<>(Kind.VALUE, value, createdAt, null, null);
    }

    static <V> Landing<V> seen(Slot.Seen<V> seen) {
        return new Landing<>(Kind.SEEN, seen.value(), seen.createdAt(), seen, null);
    }

    static <V> Landing<V> failure(Throwable failure) {
        return new Landing<>(Kind.FAILURE, null, Instant.EPOCH, null, failure);
    }

    static <V> Landing<V> omitted() {
        return new Landing<>(Kind.OMITTED, null, Instant.EPOCH, null, null);
    }

    static <V> Landing<V> again() {
        return new Landing<>(Kind.AGAIN, null, Instant.EPOCH, null, null);
    }

    Kind kind() {
        return kind;
    }

    @Nullable
    V value() {
        return value;
    }

    Instant createdAt() {
        return createdAt;
    }

    Slot.Seen<V> seen() {
        if (seen == null) {
            throw new IllegalStateException("nothing was seen: " + kind);
        }
        return seen;
    }

    Throwable failure() {
        if (failure == null) {
            throw new IllegalStateException("no failure: " + kind);
        }
        return failure;
    }

    @Override
    public String toString() {
        return kind + (failure == null ? "" : " " + failure);
    }
}
