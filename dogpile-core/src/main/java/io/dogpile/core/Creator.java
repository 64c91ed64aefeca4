package io.dogpile.core;

/**
 * Makes a value that is missing or stale; elsewhere called a loader or a factory.
 *
 * <p>It runs on the thread of the caller that was elected, or on the executor given to {@code refreshOn}, never under a
 * lock of this library. It may ask for other names; asking for its own name is refused. A creator that wants to know
 * more about the creation it serves asks {@link Creation#current()}.
 *
 * <p>A {@code null} is a value like any other. What it throws is its failure: unchecked exceptions and errors reach the
 * callers as they are, checked ones inside a {@link CreationException}.
 *
 * @param <V> the type of the value
 */
@FunctionalInterface
public interface Creator<V> {
    /**
     * Creates the value.
     *
     * @return the value, {@code null} included
     * @throws Exception if no value could be made
     */
    V create() throws Exception;
}
