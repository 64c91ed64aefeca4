package io.dogpile.cache.file;

import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The right to create, among all processes that can reach a directory: a byte of a lock file in it, which the operating
 * system keeps locked until the lease is closed or its process ends, however it ends.
 *
 * <p>The directory holds 64 lock files, whatever the number of names, and nobody may delete them. Each name has a byte of its
 * own; two names share one with a probability of 2<sup>-67</sup> (2<sup>-36</sup> on a network file system) and then only
 * keep each other out. A name takes memory only while it is held. Any number of providers, in any number of threads and
 * processes, keep each other out.
 *
 * <p><b>Guarantee.</b> A lease does not end by time: while its process lives and does not close it, nobody else gets the
 * name. When the process is killed, the name is free at once.
 *
 * <p><b>Not promised.</b> A process that is stopped, and not killed, keeps its names; who waits needs a time-out, as
 * every lock of this library has. Grants are not numbered. On a network file system all this is as good as its
 * locks: {@link LockProbe} tells whether there are any. Locks of Java are POSIX record locks ({@code fcntl}) on Unix: a
 * program that uses {@code flock} is not kept out. In one JVM, two class loaders that each load this library
 * must not use the same directory, since closing the one's files may free the other's locks.
 *
 * <p>Thread-safe.
 */
public final class FileLockProvider implements LockProvider, AutoCloseable {
    private final LockFiles files;
    private final AtomicBoolean closed = new AtomicBoolean();

    private FileLockProvider(LockFiles files) {
        this.files = files;
    }

    /**
     * Locks in a directory, which is made if it is missing.
     *
     * @param directory the directory; on a file system of this machine, or one that locks
     * @return a provider, to be closed
     * @throws UncheckedIOException if the directory cannot be made, or its files not be opened to read and write; the message
     *     names the path
     */
    public static FileLockProvider in(Path directory) {
        try {
            return new FileLockProvider(LockFiles.open(Objects.requireNonNull(directory, "directory")));
        } catch (IOException notOpened) {
            throw new UncheckedIOException(notOpened.getMessage(), notOpened);
        }
    }

    /**
     * Tries to get the right to create a name.
     *
     * @param name the name, at least one character
     * @param leaseTime positive, and without further meaning: the lease lasts until it is closed or the process ends
     * @return the lease, or empty if somebody else holds it
     * @throws IllegalArgumentException if the name is empty or the time not positive
     * @throws IllegalStateException if this provider was closed
     * @throws UncheckedIOException if it is not known whether the right was granted; the message names the file
     */
    @Override
    public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("the name of a lock must not be empty");
        }
        checkPositive(leaseTime);
        if (closed.get()) {
            throw new IllegalStateException(this + " is closed");
        }
        try {
            LockFiles.Held held = files.tryLock(files.place(LockPlace.Kind.NAME, name), LockFiles.Mode.EXCLUSIVE);
            return held == null ? Optional.empty() : Optional.of(new UntilClosed(held));
        } catch (IOException notKnown) {
            throw new UncheckedIOException("lock '" + shown(name) + "': " + notKnown.getMessage(), notKnown);
        }
    }

    private static void checkPositive(Duration leaseTime) {
        if (leaseTime.isNegative() || leaseTime.isZero()) {
            throw new IllegalArgumentException("a lease must last for some time, was asked for " + leaseTime);
        }
    }

    private static String shown(String name) {
        return name.length() <= 100 ? name : name.substring(0, 100) + "...";
    }

    /** Grants nothing more. Leases that are held stay held until they are closed. Harmless twice. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            files.close();
        }
    }

    @Override
    public String toString() {
        return "locks in " + files;
    }

    private static final class UntilClosed implements Lease {
        private final LockFiles.Held held;

        UntilClosed(LockFiles.Held held) {
            this.held = held;
        }

        @Override
        public boolean extend(Duration leaseTime) {
            checkPositive(leaseTime);
            return held.isHeld();
        }

        @Override
        public void close() {
            try {
                held.release();
            } catch (IOException notKnown) {
                throw new UncheckedIOException(notKnown.getMessage(), notKnown);
            }
        }
    }
}
