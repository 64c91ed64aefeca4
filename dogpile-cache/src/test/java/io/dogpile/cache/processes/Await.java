package io.dogpile.cache.processes;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for what can be seen of another process, never longer than its bound. Without JUnit: a demo starts servers too. */
public final class Await {
    /** Far more than anything here takes on a loaded machine. */
    public static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final long BETWEEN_LOOKS_NANOS = 2_000_000;

    private Await() {}

    /**
     * Returns when it holds.
     *
     * @param what what is waited for
     * @param holds whether it is there
     * @throws IllegalStateException if it takes longer than {@link #PATIENCE}, or if this thread is interrupted
     */
    public static void until(String what, BooleanSupplier holds) {
        until(() -> what, holds);
    }

    /** As {@link #until(String, BooleanSupplier)}. The text is asked for when the wait has failed: it can say what was seen last. */
    public static void until(Supplier<String> what, BooleanSupplier holds) {
        until(what, PATIENCE, holds);
    }

    /** As {@link #until(Supplier, BooleanSupplier)}, for what takes longer by itself. */
    public static void until(Supplier<String> what, Duration patience, BooleanSupplier holds) {
        long start = System.nanoTime();
        while (!holds.getAsBoolean()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("interrupted while waiting: " + what.get());
            }
            if (System.nanoTime() - start > patience.toNanos()) {
                throw new IllegalStateException("not within " + patience.toSeconds() + " s: " + what.get());
            }
            LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
        }
    }
}
