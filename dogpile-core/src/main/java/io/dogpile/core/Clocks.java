package io.dogpile.core;

import java.time.Instant;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The only reader of the machine's time, and the owner of the two threads that time needs: the coarse tick and the
 * timer.
 *
 * <p>An exact clock read is fenced: behind a look-up it waits for the look-up's cache misses and costs more than the
 * look-up. A hit therefore compares with a coarse time that a daemon thread moves every {@value #TICK_MILLIS} ms, and
 * with a guard band of one second on the safe side: a value with more than a second left is a hit without an exact read.
 * This errs only if the tick starves for longer than the guard (a paused virtual machine), and then only until the tick
 * runs again. Under any other time source than the system's the time is exact and there is no guard.
 */
final class Clocks {
    private static final long TICK_MILLIS = 50;
    private static final long GUARD_NANOS = TimeUnit.SECONDS.toNanos(1);
    /** So that the monotonic time starts at the guard and is never negative. */
    private static final long ORIGIN = System.nanoTime() - GUARD_NANOS;

    private Clocks() {}

    static final TimeSource SYSTEM = new TimeSource() {
        @Override
        public long nanos() {
            return exactNanos();
        }

        @Override
        public long notBeforeNow() {
            return coarseAndGuard;
        }

        @Override
        public Instant instant() {
            return Instant.now();
        }

        @Override
        public String toString() {
            return "TimeSource.system()";
        }
    };

    private static volatile long coarseAndGuard = exactNanos() + GUARD_NANOS;

    static {
        daemon("dogpile-clock").newThread(Clocks::tick).start();
    }

    /** Threads that never keep a JVM, nor a caller's class loader, alive. */
    static ThreadFactory daemon(String name) {
        return task -> {
            Thread thread = new Thread(null, task, name, 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(null);
            return thread;
        };
    }

    static Runnable after(long nanos, Runnable task) {
        var timer = Timer.THREAD.schedule(task, nanos, TimeUnit.NANOSECONDS);
        return () -> timer.cancel(false);
    }

    private static long exactNanos() {
        return System.nanoTime() - ORIGIN;
    }

    private static void tick() {
        while (true) {
            coarseAndGuard = exactNanos() + GUARD_NANOS;
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS));
        }
    }

    /** Made when the first timer is set. */
    private static final class Timer {
        static final ScheduledThreadPoolExecutor THREAD = new ScheduledThreadPoolExecutor(1, daemon("dogpile-timer"));

        static {
            THREAD.setRemoveOnCancelPolicy(true);
        }
    }
}
