package io.dogpile.core;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Readers and writer over a lock of the user's, with our checks of who holds what in front of it.
 *
 * <p>What the two sides do to each other is the given lock's affair: its fairness, and whether its read side may be
 * unlocked by a thread that did not lock it. {@code new StampedLock().asReadWriteLock()} allows that;
 * {@code ReentrantReadWriteLock} does not, and there {@link Reader#close()} on another thread fails with that lock's
 * exception and leaves the section open. One thing is added, since the usual locks let readers overtake a waiting writer:
 * while a writer of ours waits, new readers wait before a turnstile that this writer holds, and tries are refused
 * (B-021).
 */
final class OverReadWriteLock extends ReadersWriter {
    private static final int TICKET = 0;

    private final Lock readLock;
    private final Lock writeLock;

    /** Held by the first waiting writer until it is in; the next writers, and readers, wait for it in their order. */
    private final ReentrantLock turnstile = new ReentrantLock(true);

    private final AtomicInteger waitingWriters = new AtomicInteger();

    OverReadWriteLock(ReadWriteLock lock) {
        this.readLock = lock.readLock();
        this.writeLock = lock.writeLock();
    }

    @Override
    int enterRead() throws InterruptedException {
        if (waitingWriters.get() > 0) {
            turnstile.lockInterruptibly();
            turnstile.unlock();
        }
        readLock.lockInterruptibly();
        return TICKET;
    }

    @Override
    int tryEnterRead() {
        return waitingWriters.get() == 0 && readLock.tryLock() ? TICKET : REFUSED;
    }

    @Override
    int tryEnterRead(long timeoutNanos) throws InterruptedException {
        if (timeoutNanos <= 0) {
            return tryEnterRead();
        }
        long left = timeoutNanos;
        if (waitingWriters.get() > 0) {
            long start = Clocks.SYSTEM.nanos();
            if (!turnstile.tryLock(left, NANOSECONDS)) {
                return REFUSED;
            }
            turnstile.unlock();
            left -= Clocks.SYSTEM.nanos() - start;
        }
        return readLock.tryLock(left, NANOSECONDS) ? TICKET : REFUSED;
    }

    @Override
    void exitRead(int ticket) {
        readLock.unlock();
    }

    @Override
    void enterWrite() throws InterruptedException {
        waitingWriters.getAndIncrement();
        try {
            turnstile.lockInterruptibly();
            try {
                writeLock.lockInterruptibly();
            } finally {
                turnstile.unlock();
            }
        } finally {
            waitingWriters.getAndDecrement();
        }
    }

    @Override
    boolean tryEnterWrite() {
        return waitingWriters.get() == 0 && writeLock.tryLock();
    }

    @Override
    boolean tryEnterWrite(long timeoutNanos) throws InterruptedException {
        if (timeoutNanos <= 0) {
            return tryEnterWrite();
        }
        long start = Clocks.SYSTEM.nanos();
        waitingWriters.getAndIncrement();
        try {
            if (!turnstile.tryLock(timeoutNanos, NANOSECONDS)) {
                return false;
            }
            try {
                return writeLock.tryLock(timeoutNanos - (Clocks.SYSTEM.nanos() - start), NANOSECONDS);
            } finally {
                turnstile.unlock();
            }
        } finally {
            waitingWriters.getAndDecrement();
        }
    }

    @Override
    void exitWrite() {
        writeLock.unlock();
    }
}
