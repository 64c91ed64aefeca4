package io.dogpile.core.testing;

import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A clock that only {@link #advance} moves, for {@code clock(…)} of a lock, a dogpile or a region. Whoever is parked by it
 * looks again at each move, and what was to run later, such as the renewal of a lease, runs on the thread that moves it
 * past its time.
 *
 * <p>It begins at a fixed time, so that a test sees the same stamps in each run. Not promised: that those who were woken
 * by a move have gone on when it returns; see {@link #awaitParked}. Thread-safe, but for two threads that move it at once.
 */
public final class FakeTime implements TimeSource {
    private record Alarm(long at, long order, Runnable task) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final PriorityQueue<Alarm> alarms =
            new PriorityQueue<>(Comparator.comparingLong(Alarm::at).thenComparingLong(Alarm::order));
    private final Set<Thread> parked = ConcurrentHashMap.newKeySet();
    private final ThreadLocal<long[]> lastRead = ThreadLocal.withInitial(() -> new long[] {this.nanos});
    private volatile long nanos = 1_000_000_000L;
    private volatile Instant wall = Instant.parse("2026-01-01T00:00:00Z");
    private long alarmsSet; // Guarded by: lock

    /** Makes a clock that stands at the first moment of 2026. */
    public FakeTime() {}

    @Override
    public long nanos() {
        long now = nanos;
        lastRead.get()[0] = now;
        return now;
    }

    @Override
    public Instant instant() {
        return wall;
    }

    /**
     * Moves the monotonic and the wall clock on, and runs what has become due, on this thread and in the order of its time.
     *
     * @param by how far; not negative
     * @throws IllegalArgumentException if it is negative: a monotonic clock does not go back
     */
    public void advance(Duration by) {
        if (by.isNegative()) {
            throw new IllegalArgumentException("a monotonic clock does not go back, was told to by " + by);
        }
        long to = nanos + by.toNanos();
        while (true) {
            Alarm due = takeDue(to);
            if (due == null) {
                break;
            }
            moveTo(Math.max(nanos, due.at()));
            due.task().run();
        }
        moveTo(to);
    }

    /**
     * Moves the wall clock alone, as an operator or a time server does.
     *
     * @param by how far; back if negative
     */
    public void jumpWall(Duration by) {
        wall = wall.plus(by);
    }

    /**
     * How many threads wait for this clock or for a signal.
     *
     * @return those that are parked by {@link #park} now
     */
    public int parkedThreads() {
        return parked.size();
    }

    /**
     * Waits, for at most ten real seconds, until that many threads wait: before the clock is moved, so that they see it.
     *
     * @param threads how many, at least
     * @throws AssertionError if so many do not wait by then
     */
    public void awaitParked(int threads) {
        long giveUpAt = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (parked.size() < threads) {
            if (System.nanoTime() > giveUpAt) {
                throw new AssertionError(parked.size() + " threads wait, not " + threads);
            }
            Thread.onSpinWait();
        }
    }

    @Override
    public void park(Object blocker, long forNanos) {
        // From the time that the thread saw: one that was moved since must not make it sleep for longer.
        long until = lastRead.get()[0] + forNanos;
        Thread thread = Thread.currentThread();
        parked.add(thread);
        try {
            if (nanos < until) {
                LockSupport.park(blocker);
            }
        } finally {
            parked.remove(thread);
        }
    }

    @Override
    public void unpark(Thread thread) {
        LockSupport.unpark(thread);
    }

    @Override
    public Runnable after(long delay, Runnable task) {
        lock.lock();
        try {
            Alarm alarm = new Alarm(nanos + delay, alarmsSet++, task);
            alarms.add(alarm);
            return () -> cancel(alarm);
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many tasks wait for their time, such as renewals that were not cancelled.
     *
     * @return the tasks given to {@link #after} that neither ran nor were cancelled
     */
    public int alarms() {
        lock.lock();
        try {
            return alarms.size();
        } finally {
            lock.unlock();
        }
    }

    private void cancel(Alarm alarm) {
        lock.lock();
        try {
            alarms.remove(alarm);
        } finally {
            lock.unlock();
        }
    }

    private Alarm takeDue(long to) {
        lock.lock();
        try {
            return alarms.isEmpty() || alarms.peek().at() > to ? null : alarms.poll();
        } finally {
            lock.unlock();
        }
    }

    private void moveTo(long to) {
        long by = to - nanos;
        nanos = to;
        wall = wall.plusNanos(by);
        List<Thread> woken = new ArrayList<>(parked);
        woken.forEach(LockSupport::unpark);
    }
}
