package io.dogpile.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Many readers or one writer, with a read section that may be closed on another thread than the one that opened it.
 * This class knows who holds what and refuses what would wait for itself; how the two sides keep each other out is its
 * subclasses' part: {@link ReadersWriterLock}, our own, and {@link OverReadWriteLock}, over a lock of the user's.
 *
 * <p><b>Not reentrant.</b> A thread that has a read section open, or the write side, and asks the same lock for either,
 * in whatever form, gets an {@link IllegalStateException} at once (B-035, B-044). A read within a read is refused even
 * where it would get in, because with a writer pending it would wait for that writer, and the writer for the outer read.
 * A read section counts as its opener's until it is closed, by anyone, or {@linkplain Reader#handOver() handed over}.
 *
 * <p>Waits are interruptible; the forms that return a refusal, {@code null} or {@code false}, leave nothing behind. The
 * lock is one process's (B-045). Thread-safe.
 */
abstract class ReadersWriter {
    /** What the {@code tryEnterRead} forms give where a reader may not enter. */
    static final int REFUSED = -1;

    /**
     * The open read sections of this thread, on all locks, newest first. A JDK type holds the chain, and a chain
     * without open sections is empty, so that a pooled thread pins neither a lock nor this class's loader.
     */
    private static final ThreadLocal<AtomicReference<@Nullable Reader>> OPENED =
            ThreadLocal.withInitial(AtomicReference::new);

    /** Who holds the write side. Written by that thread alone, while it holds it. */
    private volatile @Nullable Thread writer;

    /** Waits until a reader may enter, and counts it. Gives a ticket, not negative, to leave with. */
    abstract int enterRead() throws InterruptedException;

    abstract int tryEnterRead();

    abstract int tryEnterRead(long timeoutNanos) throws InterruptedException;

    /** Called once per ticket, on any thread. If it throws, the reader is still in. */
    abstract void exitRead(int ticket);

    abstract void enterWrite() throws InterruptedException;

    abstract boolean tryEnterWrite();

    abstract boolean tryEnterWrite(long timeoutNanos) throws InterruptedException;

    /** Called by the thread that entered. If it throws, the writer is still in. */
    abstract void exitWrite();

    /**
     * Opens a read section, waiting while a writer is in or pending.
     *
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws IllegalStateException if this thread has a section of this lock open
     */
    final Reader openRead() throws InterruptedException {
        Reader reader = newReader();
        reader.opened(enterRead());
        return reader;
    }

    /**
     * Opens a read section if that needs no wait.
     *
     * @return null if a writer is in or pending
     * @throws IllegalStateException if this thread has a section of this lock open
     */
    final @Nullable Reader tryOpenRead() {
        Reader reader = newReader();
        return reader.opened(tryEnterRead()) ? reader : null;
    }

    /**
     * Opens a read section, waiting at most so long.
     *
     * @return null if the time ran out
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws IllegalStateException if this thread has a section of this lock open
     */
    final @Nullable Reader openRead(long timeoutNanos) throws InterruptedException {
        Reader reader = newReader();
        return reader.opened(tryEnterRead(timeoutNanos)) ? reader : null;
    }

    /**
     * Takes the write side, waiting until all readers are out. From the call on, new readers wait.
     *
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws IllegalStateException if this thread has a section of this lock open
     */
    final void lockWrite() throws InterruptedException {
        refuseOwnSections("take the write lock", OPENED.get());
        enterWrite();
        writer = Thread.currentThread();
    }

    /**
     * Takes the write side if nobody is in and no writer is pending.
     *
     * @throws IllegalStateException if this thread has a section of this lock open
     */
    final boolean tryLockWrite() {
        refuseOwnSections("take the write lock", OPENED.get());
        return wrote(tryEnterWrite());
    }

    /**
     * Takes the write side, waiting at most so long.
     *
     * @return false if the time ran out; readers who waited for this writer are let in
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws IllegalStateException if this thread has a section of this lock open
     */
    final boolean tryLockWrite(long timeoutNanos) throws InterruptedException {
        refuseOwnSections("take the write lock", OPENED.get());
        return wrote(tryEnterWrite(timeoutNanos));
    }

    /**
     * Gives the write side back.
     *
     * @throws IllegalStateException if this thread does not hold it; nothing is changed then
     */
    final void unlockWrite() {
        Thread holder = writer;
        if (holder != Thread.currentThread()) {
            throw new IllegalStateException(
                    holder == null
                            ? "the write lock is not held: unlockWrite was called too often"
                            : "the write lock is held by thread " + holder.getName()
                                    + ": only that thread may unlock it");
        }
        writer = null; // before the exit: what is written later might be the next writer's
        try {
            exitWrite();
        } catch (Throwable stillIn) {
            writer = holder;
            throw stillIn;
        }
    }

    /** Whether this thread holds the write side. */
    final boolean isWriter() {
        return writer == Thread.currentThread();
    }

    private boolean wrote(boolean entered) {
        if (entered) {
            writer = Thread.currentThread();
        }
        return entered;
    }

    private Reader newReader() {
        AtomicReference<@Nullable Reader> opened = OPENED.get();
        refuseOwnSections("open a read", opened);
        return new Reader(this, opened);
    }

    private void refuseOwnSections(String wanted, AtomicReference<@Nullable Reader> opened) {
        if (writer == Thread.currentThread()) {
            throw new IllegalStateException("this thread holds the write lock and may not " + wanted
                    + " before it unlocks it: read what you need inside the write section");
        }
        for (Reader reader = Reader.firstHeld(opened); reader != null; reader = reader.nextHeld()) {
            if (reader.lock == this) {
                throw new IllegalStateException("this thread has a read open and may not " + wanted
                        + " inside it, since it could come to wait for itself: close that read first,"
                        + " or hand it over if another thread closes it");
            }
        }
    }

    /** An open read section. Closed once, on any thread; until then no writer is in. */
    static final class Reader implements AutoCloseable {
        /**
         * <pre>
         *   HELD ──handOver──► GIVEN_AWAY
         *    └──────close────┬─────┘
         *                    ▼
         *                  CLOSED
         * </pre>
         */
        private static final int HELD = 0;

        private static final int GIVEN_AWAY = 1;
        private static final int CLOSED = 2;

        private static final VarHandle STATE;

        static {
            try {
                STATE = MethodHandles.lookup().findVarHandle(Reader.class, "state", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        /** Null once closed: the opener's chain may keep this object for a while, but not the lock. */
        private @Nullable ReadersWriter lock;

        /** One of the above; as a number, since it is set three times in each section, under no collector's barrier. */
        private volatile int state;

        private int ticket;
        private final Thread opener;

        /** The opener's chain, and the reader before this one in it. Read and changed by the opener alone. */
        private final AtomicReference<@Nullable Reader> opened;

        private @Nullable Reader next;

        private Reader(ReadersWriter lock, AtomicReference<@Nullable Reader> opened) {
            this.lock = lock;
            this.opened = opened;
            this.opener = Thread.currentThread();
        }

        private boolean opened(int ticket) {
            if (ticket == REFUSED) {
                return false;
            }
            this.ticket = ticket;
            next = opened.getPlain();
            opened.setPlain(this);
            return true;
        }

        /**
         * Gives the section away: from now on it is not the opening thread's, which may open another read or wait to
         * write while this one is open. To be called by who opened it, before another thread gets to close it.
         *
         * @return this section, still open
         * @throws IllegalStateException if it is closed
         */
        Reader handOver() {
            if (!STATE.compareAndSet(this, HELD, GIVEN_AWAY) && state == CLOSED) {
                throw new IllegalStateException("a closed read cannot be handed over");
            }
            unlinkByOpener();
            return this;
        }

        /**
         * Leaves the section.
         *
         * @throws IllegalStateException if it was closed before; nothing is changed then
         */
        @Override
        public void close() {
            int before = (int) STATE.getAndSet(this, CLOSED);
            ReadersWriter left = lock;
            if (before == CLOSED || left == null) {
                throw new IllegalStateException("this read was closed twice: each is closed once, by one thread");
            }
            try {
                left.exitRead(ticket);
            } catch (Throwable stillIn) {
                state = before;
                throw stillIn;
            }
            lock = null;
            unlinkByOpener();
        }

        private void unlinkByOpener() {
            if (opener != Thread.currentThread()) {
                return;
            }
            Reader newer = opened.getPlain();
            if (newer == this) {
                opened.setPlain(next);
                return;
            }
            while (newer != null) {
                if (newer.next == this) {
                    newer.next = next;
                    return;
                }
                newer = newer.next;
            }
        }

        private static @Nullable Reader firstHeld(AtomicReference<@Nullable Reader> opened) {
            Reader first = opened.getPlain();
            if (first == null) {
                return null;
            }
            Reader held = heldFrom(first);
            if (held != first) {
                opened.setPlain(held);
            }
            return held;
        }

        private @Nullable Reader nextHeld() {
            next = heldFrom(next);
            return next;
        }

        /** Passes over what other threads closed or gave away meanwhile. */
        private static @Nullable Reader heldFrom(@Nullable Reader reader) {
            Reader at = reader;
            while (at != null && at.state != HELD) {
                at = at.next;
            }
            return at;
        }
    }
}
