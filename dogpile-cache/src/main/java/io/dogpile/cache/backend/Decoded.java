package io.dogpile.cache.backend;

import org.jspecify.annotations.Nullable;

/**
 * What came of reading stored bytes: something, or the reason why not. Immutable.
 *
 * <p>A result and not an exception, since stored bytes are other programs' doing: to find them damaged is an outcome of a
 * read, and its caller goes on with a miss.
 *
 * @param <T> what was read
 */
public final class Decoded<T> {
    private final @Nullable T result;
    private final @Nullable Unreadable unreadable;
    private final @Nullable Throwable cause;

    private Decoded(@Nullable T result, @Nullable Unreadable unreadable, @Nullable Throwable cause) {
        this.result = result;
        this.unreadable = unreadable;
        this.cause = cause;
    }

    static <T> Decoded<T> of(@Nullable T result) {
        return new Decoded<>(result, null, null);
    }

    static <T> Decoded<T> not(Unreadable reason) {
        return new Decoded<>(null, reason, null);
    }

    static <T> Decoded<T> not(Unreadable reason, Throwable cause) {
        return new Decoded<>(null, reason, cause);
    }

    /**
     * Whether it could be read.
     *
     * @return true if {@link #get()} has an answer
     */
    public boolean readable() {
        return unreadable == null;
    }

    /**
     * What was read.
     *
     * @return the envelope or the value; a value may be null
     * @throws IllegalStateException if it could not be read
     */
    @SuppressWarnings("NullAway") // Null is a value here, where T is the type of values.
    public T get() {
        if (unreadable != null) {
            throw new IllegalStateException("nothing was read: " + unreadable);
        }
        return result;
    }

    /**
     * Why it could not be read.
     *
     * @return the reason, or null if it was read
     */
    public @Nullable Unreadable unreadable() {
        return unreadable;
    }

    /**
     * What the serializer threw; its message may show parts of the value.
     *
     * @return the cause, or null if there is none
     */
    public @Nullable Throwable cause() {
        return cause;
    }

    /** The reason, or that there is none; never the value. */
    @Override
    public String toString() {
        return unreadable == null ? "readable" : "unreadable: " + unreadable;
    }
}
