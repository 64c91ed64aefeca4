package io.dogpile.core;

import java.time.Instant;
import java.util.concurrent.locks.LockSupport;

/**
 * Where time comes from: a monotonic clock for waits and ages in this JVM, and the wall clock for stamps that users and
 * other machines read.
 *
 * <p>Waiting goes through the time source too, so that a clock moved by hand in a test wakes whom it makes late. Only
 * {@link #nanos()} and {@link #instant()} must be implemented; who overrides one of {@link #park}, {@link #unpark} and
 * {@link #after} overrides all three.
 * Implementations are thread-safe.
 */
public interface TimeSource {
    /**
     * The monotonic time.
     *
     * @return nanoseconds since some fixed origin; never negative, never less than an earlier answer
     */
    long nanos();

    /**
     * A time that is not before now, and cheap: a value that is fresh at it is a hit without an exact look at the clock.
     *
     * @return {@link #nanos()} unless overridden; the system's own adds a guard of a second to a coarse time
     */
    default long notBeforeNow() {
        return nanos();
    }

    /**
     * The wall-clock time.
     *
     * @return now, as other machines would stamp it
     */
    Instant instant();

    /**
     * Parks the calling thread until it is unparked, interrupted, or the time has passed; may also return for no reason.
     *
     * @param blocker what the thread waits for, for thread dumps
     * @param nanos the longest wait, in nanoseconds
     */
    default void park(Object blocker, long nanos) {
        LockSupport.parkNanos(blocker, nanos);
    }

    /**
     * Wakes a thread that is parked by {@link #park}.
     *
     * @param thread the thread
     */
    default void unpark(Thread thread) {
        LockSupport.unpark(thread);
    }

    /**
     * Runs a short task, which does not block, once the time has passed.
     *
     * @param nanos the delay in nanoseconds
     * @param task the task; called on this library's one timer thread
     * @return cancels the task if it has not begun
     */
    default Runnable after(long nanos, Runnable task) {
        return Clocks.after(nanos, task);
    }

    /**
     * The time of this machine.
     *
     * @return the one system time source
     */
    static TimeSource system() {
        return Clocks.SYSTEM;
    }
}
