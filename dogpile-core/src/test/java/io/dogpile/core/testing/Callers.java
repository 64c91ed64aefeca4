package io.dogpile.core.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Callers on threads of their own, so that each can be waited for, interrupted, and asked for what it got.
 *
 * <p>Each wait is bounded by 20 seconds and then fails, so that no test hangs. Their threads are daemons; {@link #close}
 * ends those that a failed test left behind. Thread-safe.
 */
public final class Callers implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 20;

    private final List<Caller<?>> all = new CopyOnWriteArrayList<>();

    /** Makes a crew without callers. */
    public Callers() {}

    /**
     * One caller and what became of it. Thread-safe.
     *
     * @param <T> the type of its result
     */
    public static final class Caller<T> {
        private final FutureTask<T> task;
        private final Thread thread;

        private Caller(Callable<T> call) {
            task = new FutureTask<>(call);
            thread = new Thread(task, "caller");
            thread.setDaemon(true);
        }

        /**
         * What the call returned.
         *
         * @return the result, once it is there
         * @throws AssertionError if the call threw, or has not ended within 20 seconds
         */
        public T result() {
            try {
                return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError("no result", e);
            }
        }

        /**
         * What the call threw.
         *
         * @return the failure, once it is there
         * @throws AssertionError if the call returned, or has not ended within 20 seconds
         */
        public Throwable failure() {
            try {
                T result = task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                throw new AssertionError("returned " + result);
            } catch (ExecutionException e) {
                return e.getCause();
            } catch (Exception e) {
                throw new AssertionError("no failure", e);
            }
        }

        /**
         * Whether the call has ended.
         *
         * @return true if it has returned or thrown
         */
        public boolean isDone() {
            return task.isDone();
        }

        /** Interrupts the caller. */
        public void interrupt() {
            thread.interrupt();
        }

        /**
         * The caller's thread.
         *
         * @return the thread
         */
        public Thread thread() {
            return thread;
        }
    }

    /** Parked, and not just for a short turn at a lock. */
    private static boolean isWaiting(Thread thread) {
        Object blocker = LockSupport.getBlocker(thread);
        return blocker != null && blocker.getClass().getEnclosingClass() != ReentrantLock.class;
    }

    /**
     * Starts a caller.
     *
     * @param <T> the type of its result
     * @param call what it calls
     * @return the caller
     */
    public <T> Caller<T> start(Callable<T> call) {
        Caller<T> caller = new Caller<>(call);
        all.add(caller);
        caller.thread.start();
        return caller;
    }

    /**
     * Starts several callers.
     *
     * @param <T> the type of their results
     * @param callers how many
     * @param call what each calls
     * @return the callers
     */
    public <T> List<Caller<T>> start(int callers, Callable<T> call) {
        List<Caller<T>> started = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            started.add(start(call));
        }
        return started;
    }

    /**
     * Waits until each of them waits: for a value, in its creator, for its turn; or has ended.
     *
     * @param callers the callers
     * @throws AssertionError if one still runs after 20 seconds
     */
    public static void awaitWaiting(List<? extends Caller<?>> callers) {
        await(
                () -> callers.stream().allMatch(caller -> caller.isDone() || isWaiting(caller.thread())),
                "some still run");
    }

    /**
     * Waits until so many of them have ended.
     *
     * @param callers the callers
     * @param ended how many, exactly
     * @throws AssertionError if it are not so many after 20 seconds
     */
    public static void awaitDone(List<? extends Caller<?>> callers, int ended) {
        await(() -> callers.stream().filter(Caller::isDone).count() == ended, "it were not " + ended + " that ended");
    }

    private static void await(BooleanSupplier condition, String otherwise) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
                throw new AssertionError("after " + PATIENCE_SECONDS + " s " + otherwise);
            }
            LockSupport.parkNanos(100_000);
        }
    }

    /** Interrupts whoever a failed test left behind, and waits for each at most 20 seconds; if interrupted, no longer. */
    @Override
    public void close() {
        for (Caller<?> caller : all) {
            if (!caller.isDone()) {
                caller.interrupt();
            }
        }
        try {
            for (Caller<?> caller : all) {
                caller.thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
            }
        } catch (InterruptedException noLonger) {
            Thread.currentThread().interrupt();
        }
    }
}
