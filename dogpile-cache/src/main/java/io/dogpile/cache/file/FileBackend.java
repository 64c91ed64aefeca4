package io.dogpile.cache.file;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.LockProvider;
import io.dogpile.core.TimeSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Keeps the values of regions in the files of a directory, which any number of processes may share. They survive restarts.
 *
 * <p><b>Guarantee.</b> One process creates a value, and the others serve the stale one or wait: the right to create is a
 * lock of the operating system, and free at once if its process is killed. A reader takes no lock, and sees a value whole or
 * not at all, at whatever byte a writer was killed; whatever a file holds, a read ends with a value that was written under
 * that key or with a counted miss ({@link io.dogpile.core.DogpileListener#corruptEntry}), and takes no more memory than the
 * region's {@code maxValueBytes} allow. What was put or invalidated by any process, since a right was granted, is not
 * overwritten by that right's value; no clock is asked, and no length of time counts.
 *
 * <p><b>Not promised.</b> Other processes see the invalidation of a whole region after at most a second; of a key, at once.
 * A process that is stopped, and not killed, keeps the right that it has: who waits gets the stale value, or a time-out. Those
 * who wait poll, every 1 to 50 ms. Lives are in milliseconds, by the wall clock. Nothing is forced to the disk: after a power
 * failure values may be missing, and an invalidation of the last seconds may be undone. The limit of size is kept by a sweep, from
 * time to time, and not by each write. On a network file system all this is as good as its locks: see {@link LockProbe}. It was
 * tried on Linux; on Windows a file that is being read cannot be replaced.
 *
 * <p>In the directory are the lock files ({@link FileLockProvider}), which must not be deleted, and for each region a folder
 * {@code region-} and its name, with {@code marks} and values at {@code hh/hash.v}; values may be deleted at any time
 * while no process runs.
 *
 * <p>A store that fails, such as a disk that is full, or a directory that became read-only, is treated as {@code whenDown} of
 * the region says; messages name the path. Thread-safe.
 */
public final class FileBackend implements Backend, AutoCloseable {
    /** How often is swept unless asked otherwise. */
    public static final Duration DEFAULT_SWEEP = Duration.ofMinutes(1);

    private static final int THREADS = 2;
    private static final long IDLE_SECONDS = 10;

    private final LockFiles locks;
    private final ValueFiles files;
    private final FileLockProvider provider;
    private final ScheduledThreadPoolExecutor threads;
    private final Watchers watchers;
    private final Sweeper sweeper;
    private final AtomicBoolean closed = new AtomicBoolean();

    private FileBackend(LockFiles locks, Builder options) {
        this.locks = locks;
        this.files = new ValueFiles(locks);
        this.provider = FileLockProvider.in(locks.directory());
        this.threads = new ScheduledThreadPoolExecutor(THREADS, task -> {
            Thread thread = new Thread(task, "dogpile-file " + locks.directory().getFileName());
            thread.setDaemon(true);
            return thread;
        });
        threads.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        threads.allowCoreThreadTimeOut(true);
        this.watchers = new Watchers(threads);
        this.sweeper =
                new Sweeper(locks, files, locks.directory(), options.mostBytes, options.clock, options.filesAtOnce);
        long every = options.sweepEvery.toNanos();
        var unused = threads.scheduleWithFixedDelay(sweeper::sweep, every, every, TimeUnit.NANOSECONDS);
    }

    /**
     * Values in a directory, with the defaults of {@link #builder}.
     *
     * @param directory the directory, which is made if it is missing
     * @return the backend, to be closed
     * @throws UncheckedIOException if the directory cannot be made, or its files not be opened to read and write; the message
     *     names the path
     */
    public static FileBackend in(Path directory) {
        return builder(directory).build();
    }

    /**
     * Values in a directory, with options.
     *
     * @param directory the directory, which is made if it is missing
     * @return a new builder
     */
    public static Builder builder(Path directory) {
        return new Builder(Objects.requireNonNull(directory, "directory"));
    }

    /**
     * Opens the values of a region.
     *
     * @param <V> the type of the region's values
     * @param opening what the region asks for
     * @return the partition; the disk is not asked yet
     * @throws IllegalArgumentException if the region has no serializer
     */
    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        return new FilePartition<>(locks, files, watchers, opening, opening.serializerFor(this));
    }

    /**
     * The lock alone, in the same directory.
     *
     * @return the provider; usable until this backend is closed
     */
    public LockProvider locks() {
        return provider;
    }

    Sweeper sweeper() {
        return sweeper;
    }

    Watchers watchers() {
        return watchers;
    }

    /** Ends the threads; grants no rights any more. What is on the disk stays. Harmless twice. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            threads.shutdownNow();
            provider.close();
            locks.close();
        }
    }

    @Override
    public String toString() {
        return "FileBackend in " + locks;
    }

    /** Makes a backend. Not thread-safe. */
    public static final class Builder {
        private final Path directory;
        private long mostBytes;
        private Duration sweepEvery = DEFAULT_SWEEP;
        private TimeSource clock = TimeSource.system();
        private int filesAtOnce = Sweeper.MOST_FILES;

        private Builder(Path directory) {
            this.directory = directory;
        }

        /**
         * How many bytes all values of the directory may have together; without a limit unless asked. A sweep that finds
         * more removes those that were written first. Processes that share a directory should have the same limit.
         *
         * @param most the limit in bytes; positive
         * @return this builder
         * @throws IllegalArgumentException if it is not positive
         */
        public Builder maxTotalBytes(long most) {
            if (most <= 0) {
                throw new IllegalArgumentException("maxTotalBytes must be positive, was " + most);
            }
            this.mostBytes = most;
            return this;
        }

        /**
         * How often expired values are looked for; each minute unless asked otherwise. One process of all does so at a time, and
         * looks at no more than 50,000 files at once.
         *
         * @param interval the time; at least a millisecond, at most 10,000 days
         * @return this builder
         * @throws IllegalArgumentException if it is not
         */
        public Builder sweepEvery(Duration interval) {
            if (interval.compareTo(Duration.ofMillis(1)) < 0 || interval.compareTo(Duration.ofDays(10_000)) > 0) {
                throw new IllegalArgumentException(
                        "sweepEvery must be at least 1 ms and at most 10,000 days, was " + interval);
            }
            this.sweepEvery = interval;
            return this;
        }

        /** What the sweep takes for now. */
        Builder clock(TimeSource time) {
            this.clock = time;
            return this;
        }

        /** How many files a sweep looks at. */
        Builder filesAtOnce(int most) {
            this.filesAtOnce = most;
            return this;
        }

        /**
         * Builds the backend.
         *
         * @return the backend, to be closed
         * @throws UncheckedIOException if the directory cannot be made, or its files not be opened to read and write; the
         *     message names the path
         */
        public FileBackend build() {
            try {
                return new FileBackend(LockFiles.open(directory), this);
            } catch (IOException notOpened) {
                throw new UncheckedIOException(notOpened.getMessage(), notOpened);
            }
        }
    }
}
