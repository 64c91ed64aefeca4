package io.dogpile.cache.file;

import io.dogpile.core.TimeSource;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The readers and the writer of one name in this JVM, over two bytes that all processes share: a gate and the data.
 *
 * <pre>
 *   read:   gate shared, data shared, gate free      ...   data free, by the last reader of this JVM
 *   write:  gate exclusive, data exclusive           ...   data free, gate free
 * </pre>
 *
 * <p>A writer keeps the gate while it waits for the readers that are in, so that new ones queue behind it, in whatever
 * process. Readers of one JVM share one lock of the data; still each passes the gate, else a busy JVM would keep the
 * writers of all others out for ever. Threads of this JVM wake each other; for other processes they poll.
 *
 * <p>Thread-safe. The lock inside is held over tries only, which do not wait.
 */
final class ReadersAndWriter {
    /** What one {@link FileReadWriteLock} holds. Guarded by: the lock inside. */
    static final class Share {
        private int reads;
        private boolean writes;
    }

    /** How a wait ends. */
    record Wait(long nanos, OnInterrupt onInterrupt) {
        static final Wait NONE = new Wait(0, OnInterrupt.GO_ON);
        static final Wait FOR_EVER = new Wait(Long.MAX_VALUE, OnInterrupt.GO_ON);
        static final Wait UNTIL_INTERRUPTED = new Wait(Long.MAX_VALUE, OnInterrupt.END);
    }

    /** What an interrupt does to a wait. */
    enum OnInterrupt {
        END,
        GO_ON
    }

    private interface Try {
        boolean done() throws IOException;
    }

    private final LockFiles files;
    private final LockPlace gatePlace;
    private final LockPlace dataPlace;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    private LockFiles.@Nullable Held gate; // a writer's, of this JVM. Guarded by: lock
    private LockFiles.@Nullable Held data; // the readers' or the writer's, of this JVM. Guarded by: lock
    private int readers; // in this JVM. Guarded by: lock
    private int waitingWriters; // in this JVM. Guarded by: lock

    ReadersAndWriter(LockFiles files, String name) {
        this.files = files;
        this.gatePlace = files.place(LockPlace.Kind.GATE, name);
        this.dataPlace = files.place(LockPlace.Kind.DATA, name);
    }

    /**
     * Lets a reader in.
     *
     * @return false if the time ran out; nothing is held then
     * @throws InterruptedException if the wait was ended by an interrupt; nothing is held then
     */
    boolean enterRead(Share share, Wait wait) throws IOException, InterruptedException {
        lock.lock();
        try {
            boolean in = tried(this::tryRead, wait);
            if (in) {
                share.reads++;
            }
            return in;
        } finally {
            lock.unlock();
        }
    }

    private boolean tryRead() throws IOException {
        if (gate != null || waitingWriters > 0) {
            return false;
        }
        LockFiles.Held passed = files.tryLock(gatePlace, LockFiles.Mode.SHARED);
        if (passed == null) {
            return false;
        }
        LockFiles.Held taken = null;
        try {
            taken = data == null ? files.tryLock(dataPlace, LockFiles.Mode.SHARED) : null;
            passed.release();
        } catch (Throwable failure) {
            releaseBeside(failure, taken);
            releaseBeside(failure, passed);
            throw failure;
        }
        if (data == null) {
            if (taken == null) {
                return false;
            }
            data = taken;
        }
        readers++;
        return true;
    }

    private static void releaseBeside(Throwable failure, LockFiles.@Nullable Held one) {
        try {
            if (one != null) {
                one.release();
            }
        } catch (IOException notReleased) {
            failure.addSuppressed(notReleased);
        }
    }

    /**
     * Lets a reader out, on any thread.
     *
     * @throws IllegalMonitorStateException if none of that share is in; nothing is changed
     * @throws IOException if it is not known whether the lock was freed; the reader is still in
     */
    void exitRead(Share share) throws IOException {
        lock.lock();
        try {
            if (share.reads == 0) {
                throw new IllegalMonitorStateException("the read lock is not held: unlock was called too often");
            }
            if (readers == 1) {
                Objects.requireNonNull(data).release();
                data = null;
            }
            readers--;
            share.reads--;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Lets a writer in; otherwise as {@link #enterRead}. */
    boolean enterWrite(Share share, Wait wait) throws IOException, InterruptedException {
        lock.lock();
        try {
            if (wait.nanos <= 0 && waitingWriters > 0) {
                return false;
            }
            waitingWriters++;
            Writer writer = new Writer();
            boolean in = false;
            try {
                in = tried(writer::tryEnter, wait);
                share.writes |= in;
                return in;
            } finally {
                waitingWriters--;
                if (!in) {
                    writer.leaveGate();
                }
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** One who wants to write. All it does is done under the lock. */
    private final class Writer {
        private LockFiles.@Nullable Held own;

        boolean tryEnter() throws IOException {
            if (own == null && gate == null) {
                own = files.tryLock(gatePlace, LockFiles.Mode.EXCLUSIVE);
                gate = own;
            }
            if (own == null || readers > 0) {
                return false;
            }
            data = files.tryLock(dataPlace, LockFiles.Mode.EXCLUSIVE);
            return data != null;
        }

        void leaveGate() throws IOException {
            if (own != null) {
                own.release();
                gate = null;
            }
        }
    }

    /**
     * Lets the writer out, on any thread.
     *
     * @throws IllegalMonitorStateException if the writer is not of that share; nothing is changed
     * @throws IOException if it is not known whether the lock was freed; it can be tried again
     */
    void exitWrite(Share share) throws IOException {
        lock.lock();
        try {
            if (!share.writes) {
                throw new IllegalMonitorStateException("the write lock is not held: unlock was called too often");
            }
            Objects.requireNonNull(data).release();
            Objects.requireNonNull(gate).release();
            data = null;
            gate = null;
            share.writes = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Tries until it is done, the time is over, or an interrupt ends it. */
    private boolean tried(Try attempt, Wait wait) throws IOException, InterruptedException {
        TimeSource time = TimeSource.system();
        long start = time.nanos();
        Polls polls = new Polls();
        boolean interrupted = false;
        try {
            while (!attempt.done()) {
                long left = wait.nanos - (time.nanos() - start);
                if (left <= 0) {
                    return false;
                }
                try {
                    long unused = changed.awaitNanos(Math.min(left, polls.nextNanos()));
                } catch (InterruptedException interrupt) {
                    if (wait.onInterrupt == OnInterrupt.END) {
                        throw interrupt;
                    }
                    interrupted = true;
                }
            }
            return true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
