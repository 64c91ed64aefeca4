package io.dogpile.core;

import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * A {@link DogpileLock} for callers who hold a future instead of waiting: the same elections, flights and values, with
 * no thread parked. Made by {@link DogpileLock#async}.
 *
 * <p>Cancelling a future cancels that caller's wait and nothing else: not the creation, nor anybody else's wait.
 * Failures are those of {@link DogpileLock#acquire}, in the future. Thread-safe.
 *
 * @param <V> the type of the values
 */
public final class AsyncDogpileLock<V> {
    private final DogpileLock<V> lock;
    private final Executor executor;

    AsyncDogpileLock(DogpileLock<V> lock, Executor executor) {
        this.lock = lock;
        this.executor = executor;
    }

    /**
     * Returns the slot's value, fresh, stale or created.
     *
     * @param name the name of the value
     * @param slot where the value lives
     * @param creator begins to make the value if this caller is elected
     * @return the value's future
     * @throws IllegalStateException if the current thread is creating this name
     */
    public CompletableFuture<V> get(
            Object name, Slot<V> slot, Callable<? extends CompletionStage<? extends V>> creator) {
        CompletableFuture<Acquired<V>> acquired = acquire(name, slot, creator);
        CompletableFuture<V> value = acquired.thenApply(Acquired::value);
        var unused = value.whenComplete((done, thrown) -> {
            if (value.isCancelled()) {
                acquired.cancel(false);
            }
        });
        return value;
    }

    /**
     * Returns the slot's value, with its creation time and how it was come by.
     *
     * @param name the name of the value
     * @param slot where the value lives
     * @param creator begins to make the value if this caller is elected. It is called on the view's executor, or on that
     *     of {@code refreshOn}; {@link Creation#current()} tells of the creation while it is called
     * @return the value's future; completed on the view's executor
     * @throws IllegalStateException if the current thread is creating this name
     */
    public CompletableFuture<Acquired<V>> acquire(
            Object name, Slot<V> slot, Callable<? extends CompletionStage<? extends V>> creator) {
        return started(name, slot, creator, Election.Want.VALUE);
    }

    /**
     * Creates a value newer than the one that the slot holds, or waits for one that another is creating.
     *
     * @param name the name of the value
     * @param slot where the value lives
     * @param creator begins to make the value if this caller is elected
     * @return the value's future
     * @throws IllegalStateException if the current thread is creating this name
     */
    public CompletableFuture<Acquired<V>> refresh(
            Object name, Slot<V> slot, Callable<? extends CompletionStage<? extends V>> creator) {
        return started(name, slot, creator, Election.Want.NEWER);
    }

    private CompletableFuture<Acquired<V>> started(
            Object name, Slot<V> slot, Callable<? extends CompletionStage<? extends V>> creator, Election.Want want) {
        return new AsyncCall<>(
                        lock,
                        Objects.requireNonNull(name, "name"),
                        slot,
                        Objects.requireNonNull(creator, "creator"),
                        want,
                        executor)
                .start();
    }
}
