package io.dogpile.cache.file;

import io.dogpile.core.NameRegistry;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The lock files of a directory, {@code locks-00} to {@code locks-3f}: made once, never deleted, and opened once by this
 * JVM, whoever uses them.
 *
 * <p>POSIX has a process lose all locks on a file as soon as it closes any descriptor of it, and {@link FileLock#isValid}
 * does not notice. Therefore each file has one channel in the whole JVM; it is closed when nobody uses the directory and
 * nothing is held in it; nothing is ever read from it or written to it, since an interrupt would close it; and it is
 * only asked by {@code tryLock}, for the same reason. Within the JVM a map says what is held, for a second lock of the same
 * range would be an exception. That exception comes all the same where another class loader has such a map; it is taken
 * for "held".
 *
 * <p>Thread-safe.
 */
final class LockFiles implements AutoCloseable {
    /** How a byte is locked. */
    enum Mode {
        SHARED,
        EXCLUSIVE
    }

    private static final List<String> NETWORKS = List.of("nfs", "cifs", "smb", "fuse", "9p", "ceph", "lustre", "gpfs");

    private static final ReentrantLock REGISTRY = new ReentrantLock();

    /** By the identity of the directory, which a second path to it does not change. Guarded by: REGISTRY. */
    private static final Map<Object, LockFiles> OPEN = new HashMap<>();

    private final Path directory;
    private final Object identity;
    private final LockPlace.Reach reach;
    private final ReentrantLock opening = new ReentrantLock();
    private final AtomicReferenceArray<@Nullable Opened> files = new AtomicReferenceArray<>(LockPlace.FILES);
    private final ConcurrentHashMap<LockPlace, Object> held = new ConcurrentHashMap<>();

    /** Users, and locks that are held. At 0 the channels are closed, for good. */
    private final AtomicInteger references = new AtomicInteger(1);

    private final NameRegistry<ReadersAndWriter> readersAndWriters =
            NameRegistry.of(name -> new ReadersAndWriter(this, name));
    private final NameRegistry<ReentrantLock> doors = NameRegistry.of(name -> new ReentrantLock());

    /** An open lock file, and which file it is. */
    private record Opened(FileChannel channel, Object identity) {}

    private LockFiles(Path directory, Object identity) throws IOException {
        this.directory = directory;
        this.identity = identity;
        String type = Files.getFileStore(directory).type().toLowerCase(Locale.ROOT);
        this.reach = NETWORKS.stream().anyMatch(type::startsWith) ? LockPlace.Reach.NETWORK : LockPlace.Reach.LOCAL;
    }

    /**
     * The lock files of a directory, which is made if it is missing.
     *
     * @throws IOException if it cannot be made, or its files cannot be opened to read and write; the message says which
     */
    static LockFiles open(Path directory) throws IOException {
        Path wanted = directory.toAbsolutePath().normalize();
        Path real;
        try {
            real = Files.createDirectories(wanted).toRealPath();
        } catch (IOException notMade) {
            throw new IOException("cannot use " + wanted + " as a directory: " + notMade, notMade);
        }
        Object identity = identityOf(real);
        REGISTRY.lock();
        try {
            LockFiles open = OPEN.get(identity);
            if (open != null && open.isThere() && open.retain()) {
                return open;
            }
            if (open != null && open.references.get() == 0) {
                open.closeChannels();
            }
            LockFiles made = new LockFiles(real, identity);
            made.opened(0); // now rather than later: may this directory be used at all?
            OPEN.put(identity, made);
            return made;
        } finally {
            REGISTRY.unlock();
        }
    }

    private static Object identityOf(Path path) throws IOException {
        Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
        return key == null ? path.toRealPath() : key;
    }

    /** Whether the file that this JVM locks is still the one that others find. */
    private boolean isThere() {
        Opened first = files.get(0);
        try {
            return first != null && identityOf(path(0)).equals(first.identity);
        } catch (IOException notThere) {
            return false;
        }
    }

    Path directory() {
        return directory;
    }

    /** The readers and the writer of a name: the same for all who ask in this JVM. */
    ReadersAndWriter readersAndWriter(String name) {
        return readersAndWriters.get(name);
    }

    /** What threads of this JVM take before they try the lock of that name, so that they need not poll for each other. */
    ReentrantLock door(String name) {
        return doors.get(name);
    }

    LockPlace place(LockPlace.Kind kind, String name) {
        return LockPlace.of(kind, name, reach);
    }

    /**
     * Tries to lock a byte; never waits.
     *
     * @return the lock, or null if it is held by anybody
     * @throws IOException if the system does not say; the message names the file
     * @throws IllegalStateException if this was closed
     */
    @Nullable
    Held tryLock(LockPlace place, Mode mode) throws IOException {
        if (!retain()) {
            throw new IllegalStateException("the lock files in " + directory + " are closed");
        }
        Held lock = null;
        try {
            if (held.putIfAbsent(place, place) == null) {
                try {
                    lock = locked(place, mode);
                } finally {
                    if (lock == null) {
                        held.remove(place);
                    }
                }
            }
            return lock;
        } finally {
            if (lock == null) {
                close();
            }
        }
    }

    /** Whether this JVM holds a byte. */
    boolean isHeldHere(LockPlace place) {
        return held.containsKey(place);
    }

    private @Nullable Held locked(LockPlace place, Mode mode) throws IOException {
        FileChannel channel = opened(place.file());
        try {
            FileLock lock = channel.tryLock(place.offset(), 1, mode == Mode.SHARED);
            return lock == null ? null : new Held(place, lock);
        } catch (OverlappingFileLockException heldByAnotherClassLoader) {
            return null;
        } catch (IOException notKnown) {
            throw new IOException(
                    "cannot lock a byte of " + path(place.file()) + ": " + notKnown.getMessage(), notKnown);
        }
    }

    private FileChannel opened(int number) throws IOException {
        Opened open = files.get(number);
        if (open != null) {
            return open.channel;
        }
        opening.lock();
        try {
            open = files.get(number);
            if (open == null) {
                open = open(number);
                files.set(number, open);
            }
            return open.channel;
        } finally {
            opening.unlock();
        }
    }

    private Opened open(int number) throws IOException {
        Path path = path(number);
        FileChannel channel;
        try {
            channel = FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException notOpened) {
            throw new IOException(
                    "cannot open the lock file " + path + " to read and write, which both need a lock: " + notOpened,
                    notOpened);
        }
        return new Opened(channel, identityOf(path));
    }

    private Path path(int number) {
        return directory.resolve(String.format(Locale.ROOT, "locks-%02x", number));
    }

    boolean retain() {
        return references.getAndUpdate(count -> count == 0 ? 0 : count + 1) > 0;
    }

    /** Ends one user's use, or one lock's; the last one closes the files. */
    @Override
    public void close() {
        if (references.decrementAndGet() > 0) {
            return;
        }
        REGISTRY.lock();
        try {
            OPEN.remove(identity, this);
            closeChannels();
        } finally {
            REGISTRY.unlock();
        }
    }

    /** Called under the registry's lock, so that nobody opens the files anew meanwhile. Harmless twice. */
    private void closeChannels() {
        for (int i = 0; i < LockPlace.FILES; i++) {
            Opened open = files.getAndSet(i, null);
            if (open != null) {
                close(open.channel);
            }
        }
    }

    private static void close(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException nothingIsHeldInIt) {
            // and the descriptor is gone all the same
        }
    }

    /** One byte that is locked. Thread-safe. */
    final class Held {
        private final LockPlace place;
        private final FileLock lock;
        private final ReentrantLock releasing = new ReentrantLock();
        private volatile boolean released;

        private Held(LockPlace place, FileLock lock) {
            this.place = place;
            this.lock = lock;
        }

        boolean isHeld() {
            return !released && lock.isValid();
        }

        /**
         * Gives it back; harmless if done before.
         *
         * @throws IOException if it is not known whether that was done; it can be tried again
         */
        void release() throws IOException {
            releasing.lock();
            try {
                if (released) {
                    return;
                }
                lock.release();
                released = true;
            } catch (IOException notKnown) {
                throw new IOException(
                        "cannot give back a lock in " + path(place.file()) + ": " + notKnown.getMessage(), notKnown);
            } finally {
                releasing.unlock();
            }
            Objects.requireNonNull(held.remove(place));
            close();
        }
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
