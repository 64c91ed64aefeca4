package io.dogpile.memcached;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for what can be seen of a server, never longer than its bound. Without JUnit: a demo starts servers too. */
final class Await {
    /** Far more than anything here takes on a loaded machine. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final long BETWEEN_LOOKS_NANOS = 2_000_000;

    private Await() {}

    static void until(String what, BooleanSupplier holds) {
        until(() -> what, holds);
    }

    /** The text is asked for when the wait has failed, so it can say what was seen last. */
    static void until(Supplier<String> what, BooleanSupplier holds) {
        long start = System.nanoTime();
        while (!holds.getAsBoolean()) {
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("interrupted while waiting: " + what.get());
            }
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                throw new IllegalStateException("not within " + PATIENCE.toSeconds() + " s: " + what.get());
            }
            LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
        }
    }
}
