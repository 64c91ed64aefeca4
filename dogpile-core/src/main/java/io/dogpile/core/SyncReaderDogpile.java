package io.dogpile.core;

import java.lang.ref.Reference;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Dogpile} for a resource that is replaced in place, such as a file: who reads holds it open, and the creator
 * waits for the readers before it swaps the new version in.
 *
 * <pre>{@code
 * SyncReaderDogpile<Path> file = SyncReaderDogpile.of(Duration.ofHours(1));
 * try (var reading = file.acquire(sync -> { Path p = prepare(); return sync.write(() -> swapIn(p)); })) {
 *     read(reading.value());
 * }
 * }</pre>
 *
 * <p>While the creator prepares, readers go on with the current version. From the moment it asks to
 * {@linkplain Sync#write write}, new readers wait, and it waits for those that are in. They wait until the creator has
 * returned and its value is in place, so that value and resource agree; a creator should therefore write last. Who reads
 * always reads one version, whole, and the newest there is once its reading is open.
 *
 * <p>A reading may be closed on another thread than the one that opened it. A thread that has one open may not open a
 * second one of the same dogpile, nor write, since it could come to wait for itself; each is refused at once with an
 * {@link IllegalStateException}, unless the first was {@linkplain Reading#handOver handed over}. This protects the
 * threads of one process; for several give it dogpile-cache's {@code FileReadWriteLock}. Thread-safe.
 *
 * @param <V> the type of the value
 */
public final class SyncReaderDogpile<V> {
    private final Dogpile<V> dogpile;
    private final ReadersWriter lock;
    private final Sync sync = this::writeInCreator;

    /** Whether a creator's change runs, so that one inside another is refused. Only touched by the writer. */
    private boolean changing;

    private SyncReaderDogpile(Dogpile<V> dogpile, ReadersWriter lock) {
        this.dogpile = Objects.requireNonNull(dogpile, "dogpile");
        this.lock = lock;
    }

    /**
     * A sync-reader dogpile whose value turns stale.
     *
     * @param <V> the type of the value
     * @param staleAfter how long a value is fresh after its creation
     * @return a new dogpile
     * @throws IllegalArgumentException if {@code staleAfter} is negative
     */
    public static <V> SyncReaderDogpile<V> of(Duration staleAfter) {
        return over(Dogpile.of(staleAfter));
    }

    /**
     * A sync-reader dogpile over a lock of the caller's.
     *
     * @param <V> the type of the value
     * @param staleAfter how long a value is fresh after its creation
     * @param lock see {@link #over(Dogpile, ReadWriteLock)}
     * @return a new dogpile
     * @throws IllegalArgumentException if {@code staleAfter} is negative
     */
    public static <V> SyncReaderDogpile<V> of(Duration staleAfter, ReadWriteLock lock) {
        return over(Dogpile.of(staleAfter), lock);
    }

    /**
     * Adds readings to a dogpile with any options. The dogpile's own methods go past the readings.
     *
     * @param <V> the type of the value
     * @param dogpile decides who creates and keeps the value; one dogpile should have one sync-reader
     * @return a new sync-reader
     */
    public static <V> SyncReaderDogpile<V> over(Dogpile<V> dogpile) {
        return new SyncReaderDogpile<>(dogpile, new ReadersWriterLock());
    }

    /**
     * Adds readings to a dogpile, over a lock of the caller's.
     *
     * @param <V> the type of the value
     * @param dogpile decides who creates and keeps the value
     * @param lock keeps readers and writer apart. Its read side is unlocked on the thread that closes the reading, which
     *     {@code new StampedLock().asReadWriteLock()} allows on any thread and {@code ReentrantReadWriteLock} only on
     *     the one that opened it
     * @return a new sync-reader
     */
    public static <V> SyncReaderDogpile<V> over(Dogpile<V> dogpile, ReadWriteLock lock) {
        return new SyncReaderDogpile<>(dogpile, new OverReadWriteLock(lock));
    }

    /**
     * Opens a reading of the value that the dogpile keeps, creating it first if nobody else does. The caller that
     * creates does so before its own reading is open.
     *
     * @param creator makes the value if this caller is elected; it swaps the new version in by {@link Sync#write}
     * @return the reading, to be closed
     * @throws HardTimeoutException if a writer did not leave, or another's creation was not done, within
     *     {@code hardTimeout}
     * @throws IllegalStateException if this thread has a reading of this dogpile open, or is writing
     * @throws RuntimeException as {@link DogpileLock#acquire} does
     */
    public Reading<V> acquire(SyncCreator<? extends V> creator) {
        Objects.requireNonNull(creator, "creator");
        while (true) {
            Acquired<V> acquired = dogpile.isHit(dogpile.kept()) ? null : dogpile.acquire(() -> creator.create(sync));
            ReadersWriter.Reader reader = openReading();
            Stored<V> stored = dogpile.kept();
            if (stored.present()) {
                return new Reading<>(this, reader, stored);
            }
            if (acquired != null) {
                return new Reading<>(this, reader, Stored.known(acquired.value(), acquired.createdAt()));
            }
            reader.close(); // invalidated while this caller waited for a writer: there is nothing to read
        }
    }

    /**
     * Opens a reading of a value that the caller keeps with its creation time; see {@link Dogpile#acquireStamped}. The
     * getter is called with the reading open, so that the value is not older than the reading; and before that, to
     * decide who creates, unless the first look finds it fresh.
     *
     * @param creator makes the value and stores the pair
     * @param getter reads the stored pair; empty if it is not available
     * @return the reading, to be closed
     * @throws RuntimeException as {@link #acquire} does
     */
    public Reading<V> acquireStamped(SyncCreator<Stamped<V>> creator, Callable<Optional<Stamped<V>>> getter) {
        Objects.requireNonNull(creator, "creator");
        Acquired<V> acquired = dogpile.acquireStamped(() -> creator.create(sync), getter);
        ReadersWriter.Reader reader = openReading();
        try {
            Stamped<V> stored = getter.call().orElseGet(() -> new Stamped<>(acquired.value(), acquired.createdAt()));
            return new Reading<>(this, reader, Stored.known(stored.value(), stored.createdAt()));
        } catch (Throwable failed) {
            reader.close();
            if (failed instanceof RuntimeException || failed instanceof Error) {
                throw BlockingCall.<RuntimeException>sneaky(failed);
            }
            throw new DogpileException("The getter failed with the reading open", failed);
        }
    }

    /**
     * Changes the resource from outside of a creation: waits for all readings to close and keeps new ones out meanwhile.
     *
     * @param <T> the type of the result
     * @param change the change
     * @return what {@code change} returned
     * @throws HardTimeoutException if the readers did not leave within {@code hardTimeout}; nothing was changed, and
     *     readers may enter again
     * @throws IllegalStateException if this thread has a reading of this dogpile open, or is writing
     * @throws InterruptedException if the thread was interrupted while it waited
     * @throws Exception what {@code change} threw
     */
    public <T> T write(Callable<T> change) throws Exception {
        return write(change, dogpile.options().hardTimeout());
    }

    /**
     * The dogpile under the readings, with its creation time and state.
     *
     * @return the dogpile
     */
    public Dogpile<V> dogpile() {
        return dogpile;
    }

    /**
     * Writes, and stays the writer until the new value is in place: who waited to read must not find the new resource
     * with the old value.
     */
    private <T> T writeInCreator(Callable<T> change) throws Exception {
        long longestWait = dogpile.options().maxCreation();
        CreationRun<?> run = Creation.currentRun();
        if (run == null || !dogpile.isCreatedBy(run)) {
            return write(change, longestWait);
        }
        boolean staysSinceAnEarlierWrite = lock.isWriter() && !changing;
        if (!staysSinceAnEarlierWrite) {
            enterWrite(longestWait);
            run.afterPublication(this::leaveWrite);
        }
        changing = true;
        try {
            return change.call();
        } finally {
            changing = false;
        }
    }

    private <T> T write(Callable<T> change, long longestWait) throws Exception {
        enterWrite(longestWait);
        try {
            return change.call();
        } finally {
            leaveWrite();
        }
    }

    private void leaveWrite() {
        try {
            lock.unlockWrite();
        } finally {
            // Until here: a registry that holds this weakly must not make another, with another lock, for the name.
            Reference.reachabilityFence(this);
        }
    }

    private void enterWrite(long longestWait) throws InterruptedException {
        if (!lock.tryLockWrite(longestWait)) {
            throw new HardTimeoutException("The readers of '" + dogpile + "' did not leave within "
                    + TimeUnit.NANOSECONDS.toMillis(longestWait) + " ms; nothing was written");
        }
    }

    private ReadersWriter.Reader openReading() {
        long longestWait = dogpile.options().hardTimeout();
        ReadersWriter.@Nullable Reader reader;
        try {
            reader = lock.openRead(longestWait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DogpileException("Interrupted while waiting for a writer of '" + dogpile + "' to leave", e);
        }
        if (reader == null) {
            throw new HardTimeoutException("A writer of '" + dogpile + "' did not leave within "
                    + TimeUnit.NANOSECONDS.toMillis(longestWait) + " ms");
        }
        return reader;
    }

    @Override
    public String toString() {
        return "SyncReader of " + dogpile;
    }

    /** Lets a creator change the resource while nobody reads it. Valid while the creator runs. */
    public interface Sync {
        /**
         * Waits until all readings are closed, keeps new ones out until the creator's value is in place, and runs the
         * change.
         *
         * @param <T> the type of the result
         * @param change the change; it should be short, since readers wait
         * @return what {@code change} returned
         * @throws HardTimeoutException if the readers did not leave within {@code maxCreation}; nothing was changed
         * @throws IllegalStateException if this thread has a reading of this dogpile open, or is writing
         * @throws InterruptedException if the thread was interrupted while it waited
         * @throws Exception what {@code change} threw
         */
        <T> T write(Callable<T> change) throws Exception;
    }

    /**
     * Makes a value, and may keep readers out while it swaps it in.
     *
     * @param <V> the type of the value
     */
    @FunctionalInterface
    public interface SyncCreator<V> {
        /**
         * Creates the value.
         *
         * @param sync lets it write
         * @return the value, {@code null} included
         * @throws Exception if no value could be made
         */
        V create(Sync sync) throws Exception;
    }

    /**
     * A value that is not replaced until this is closed. Closed once, on any thread.
     *
     * @param <V> the type of the value
     */
    public static final class Reading<V> implements AutoCloseable {
        private final ReadersWriter.Reader reader;
        private final Stored<V> stored;

        /** Kept reachable: a registry that holds it weakly must not make another, with another lock, for the name. */
        private final SyncReaderDogpile<V> of;

        private Reading(SyncReaderDogpile<V> of, ReadersWriter.Reader reader, Stored<V> stored) {
            this.of = of;
            this.reader = reader;
            this.stored = stored;
        }

        /**
         * The value.
         *
         * @return the value
         */
        public V value() {
            return Nulls.unmarked(stored.value);
        }

        /**
         * When the value was created.
         *
         * @return the wall-clock time
         */
        public Instant createdAt() {
            return stored.createdAt();
        }

        /**
         * Gives the reading away, to be closed by another thread: this thread may then open another, or write once all
         * are closed. Called by the thread that opened it.
         *
         * @return this reading, still open
         * @throws IllegalStateException if it is closed
         */
        public Reading<V> handOver() {
            ReadersWriter.Reader unused = reader.handOver();
            return this;
        }

        /**
         * Ends the reading.
         *
         * @throws IllegalStateException if it was closed before; nothing is changed then
         */
        @Override
        public void close() {
            try {
                reader.close();
            } finally {
                Reference.reachabilityFence(of);
            }
        }
    }
}
