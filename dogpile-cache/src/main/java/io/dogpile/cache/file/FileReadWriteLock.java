package io.dogpile.cache.file;

import io.dogpile.core.SyncReaderDogpile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;

/**
 * Many readers or one writer of a name, among all threads and processes that can reach a directory. With it
 * {@link SyncReaderDogpile#of(Duration, ReadWriteLock)} keeps readers and creators of several processes apart.
 *
 * <pre>{@code
 * FileReadWriteLock lock = FileReadWriteLock.in(Path.of("/var/lib/app/locks"), "index");
 * SyncReaderDogpile<Path> index = SyncReaderDogpile.of(Duration.ofHours(1), lock);
 * }</pre>
 *
 * <p><b>Guarantee.</b> While a writer is in, nobody else is. A waiting writer is not starved: it keeps a gate that every
 * reader must pass, in its process and in all others. A process that is killed, however, leaves nothing locked. A wait that
 * ends by time, by interrupt or by failure leaves the lock as it was.
 *
 * <p><b>Not promised.</b> Fairness among writers, or among readers. Re-entry: a second read in a thread that has one
 * open waits for a writer that waits for the first. An upgrade: since a lock may be unlocked by any thread, it is not
 * known who has a read open, and who waits to write with a read of its own open waits for itself; {@link SyncReaderDogpile} does
 * know, and refuses both. Waiters poll, every 1 to 50 ms, for what other processes do. What {@link FileLockProvider} says
 * of network file systems, {@code flock} and class loaders holds here.
 *
 * <p>{@link Lock#unlock} may be called on any thread. It throws {@link IllegalMonitorStateException} if nothing was locked
 * through this object; conditions are not supported. All forms of locking throw {@link UncheckedIOException} if the system
 * does not answer, and {@link IllegalStateException} once this is closed. Thread-safe.
 */
public final class FileReadWriteLock implements ReadWriteLock, AutoCloseable {
    private final LockFiles files;
    private final String name;
    private final ReadersAndWriter sides;
    private final ReadersAndWriter.Share share = new ReadersAndWriter.Share();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Lock reading;
    private final Lock writing;

    private FileReadWriteLock(LockFiles files, String name) {
        this.files = files;
        this.name = name;
        this.sides = files.readersAndWriter(name);
        this.reading = new Side("read", sides::enterRead, sides::exitRead);
        this.writing = new Side("write", sides::enterWrite, sides::exitWrite);
    }

    /**
     * The lock of a name. Any number of objects of the same directory and name keep each other out.
     *
     * @param directory the directory, which is made if it is missing
     * @param name the name, at least one character
     * @return the lock, to be closed
     * @throws IllegalArgumentException if the name is empty
     * @throws UncheckedIOException if the directory cannot be made, or its files not be opened to read and write; the message
     *     names the path
     */
    public static FileReadWriteLock in(Path directory, String name) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("the name of a lock must not be empty");
        }
        try {
            return new FileReadWriteLock(LockFiles.open(Objects.requireNonNull(directory, "directory")), name);
        } catch (IOException notOpened) {
            throw new UncheckedIOException(notOpened.getMessage(), notOpened);
        }
    }

    @Override
    public Lock readLock() {
        return reading;
    }

    @Override
    public Lock writeLock() {
        return writing;
    }

    /** Locks nothing more. What is locked stays so until it is unlocked. Harmless twice. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            files.close();
        }
    }

    @Override
    public String toString() {
        return "read-write lock '" + name + "' in " + files;
    }

    private interface Entering {
        boolean enter(ReadersAndWriter.Share share, ReadersAndWriter.Wait wait)
                throws IOException, InterruptedException;
    }

    private interface Leaving {
        void leave(ReadersAndWriter.Share share) throws IOException;
    }

    private final class Side implements Lock {
        private final String side;
        private final Entering entering;
        private final Leaving leaving;

        Side(String side, Entering entering, Leaving leaving) {
            this.side = side;
            this.entering = entering;
            this.leaving = leaving;
        }

        @Override
        public void lock() {
            boolean entered = enterWhatever(ReadersAndWriter.Wait.FOR_EVER);
            assert entered;
        }

        @Override
        public void lockInterruptibly() throws InterruptedException {
            boolean entered = enter(ReadersAndWriter.Wait.UNTIL_INTERRUPTED);
            assert entered;
        }

        @Override
        public boolean tryLock() {
            return enterWhatever(ReadersAndWriter.Wait.NONE);
        }

        @Override
        public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
            return enter(new ReadersAndWriter.Wait(unit.toNanos(time), ReadersAndWriter.OnInterrupt.END));
        }

        private boolean enterWhatever(ReadersAndWriter.Wait wait) {
            try {
                return entered(wait);
            } catch (InterruptedException impossible) {
                throw new IllegalStateException("this wait goes on after an interrupt", impossible);
            }
        }

        private boolean enter(ReadersAndWriter.Wait wait) throws InterruptedException {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return entered(wait);
        }

        private boolean entered(ReadersAndWriter.Wait wait) throws InterruptedException {
            if (closed.get()) {
                throw new IllegalStateException(FileReadWriteLock.this + " is closed");
            }
            try {
                return entering.enter(share, wait);
            } catch (IOException notKnown) {
                throw failed(notKnown);
            }
        }

        private UncheckedIOException failed(IOException why) {
            return new UncheckedIOException("the " + side + " side of lock '" + name + "': " + why.getMessage(), why);
        }

        @Override
        public void unlock() {
            try {
                leaving.leave(share);
            } catch (IOException notKnown) {
                throw failed(notKnown);
            }
        }

        /**
         * Not supported: a process cannot wake another.
         *
         * @throws UnsupportedOperationException always
         */
        @Override
        public Condition newCondition() {
            throw new UnsupportedOperationException("a lock of several processes has no conditions");
        }

        @Override
        public String toString() {
            return side + " side of " + FileReadWriteLock.this;
        }
    }
}
