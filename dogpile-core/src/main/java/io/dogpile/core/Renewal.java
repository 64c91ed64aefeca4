package io.dogpile.core;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the lease of one creation alive while its creator runs: renews it at a third of the lease, until the creation
 * ends, the lease is lost, or {@code maxCreation} is over, so that a creator that hangs does not hold a name for ever.
 *
 * <pre>
 *   KEEPING ──stop──► STOPPED
 *      └─refused, not renewed for a whole lease, or overdue──► LOST
 * </pre>
 *
 * <p>The timer's thread does no I/O: it hands each renewal to a worker. A renewal that fails without an answer is tried
 * again at the next turn.
 */
final class Renewal {
    private static final int WORKERS = 4;
    private static final int TURNS_PER_LEASE = 3;
    private static final long IDLE_SECONDS = 10;

    private enum State {
        KEEPING,
        STOPPED,
        LOST
    }

    /** Renews what is kept. */
    @FunctionalInterface
    interface Lease {
        /** Returns false if there is nothing left to keep; throws if it is not known. */
        boolean renew() throws Exception;
    }

    private final Lease lease;
    private final long leaseNanos;
    private final long overdueAt;
    private final TimeSource time;
    private final Executor worker;
    private final Runnable lost;
    private final AtomicReference<State> state = new AtomicReference<>(State.KEEPING);
    private volatile long renewedAt;
    private volatile @Nullable Runnable cancelTimer;

    private Renewal(long leaseNanos, long overdueAt, TimeSource time, Executor worker, Lease lease, Runnable lost) {
        this.leaseNanos = leaseNanos;
        this.overdueAt = overdueAt;
        this.time = time;
        this.worker = worker;
        this.lease = lease;
        this.lost = lost;
        this.renewedAt = time.nanos();
    }

    /** Starts to renew; a right that does not end by time (its lease is zero) needs nothing, and gives null. */
    static @Nullable Renewal start(
            Duration leaseTime, long overdueAt, TimeSource time, Executor worker, Lease lease, Runnable lost) {
        if (leaseTime.isZero()) {
            return null;
        }
        Renewal renewal = new Renewal(Stored.nanos(leaseTime), overdueAt, time, worker, lease, lost);
        renewal.setTimer();
        return renewal;
    }

    /** The threads on which leases are renewed unless a lock says otherwise. */
    static Executor workers() {
        return Workers.POOL;
    }

    /** No renewal begins any more, and what one that is under way finds is not told. */
    void stop() {
        state.compareAndSet(State.KEEPING, State.STOPPED);
        Runnable cancel = cancelTimer;
        if (cancel != null) {
            cancel.run();
        }
    }

    private void setTimer() {
        cancelTimer = time.after(leaseNanos / TURNS_PER_LEASE, this::turn);
        if (state.get() != State.KEEPING) {
            stop();
        }
    }

    private void turn() {
        if (state.get() != State.KEEPING) {
            return;
        }
        try {
            worker.execute(this::renew);
        } catch (RejectedExecutionException busy) {
            setTimer();
        }
    }

    private void renew() {
        if (state.get() != State.KEEPING) {
            return;
        }
        long now = time.nanos();
        if (now >= overdueAt || !isRenewed(now)) {
            if (state.compareAndSet(State.KEEPING, State.LOST)) {
                lost.run();
            }
        } else {
            setTimer();
        }
    }

    private boolean isRenewed(long now) {
        try {
            if (!lease.renew()) {
                return false;
            }
            renewedAt = now;
            return true;
        } catch (Exception notKnown) {
            return now - renewedAt < leaseNanos;
        }
    }

    private static final class Workers {
        static final ThreadPoolExecutor POOL = new ThreadPoolExecutor(
                WORKERS,
                WORKERS,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Clocks.daemon("dogpile-renewal"));

        static {
            POOL.allowCoreThreadTimeOut(true);
        }
    }
}
