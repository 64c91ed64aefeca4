package io.dogpile.cache.file;

import io.dogpile.cache.backend.Envelope;
import io.dogpile.core.TimeSource;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Reads and replaces small files. A reader takes no lock and sees a file as one writer left it, or none: what is written goes
 * to a second file, {@code .t}, which is then moved over the first. Writers of a file hold its lock, one at a time among all
 * processes.
 *
 * <p>Streams and not channels do the reading and the writing, since an interrupt would close a channel. Nothing is forced to the
 * disk: what a power failure leaves is found by its checksums. Thread-safe.
 */
final class ValueFiles {
    private static final String PART = ".t";
    /** What is read at once of a value's file. */
    static final int FIRST_BYTES = 4 << 10;

    private static final byte[] NO_BYTES = {};
    private static final int TRIES_TO_OPEN = 2;
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(5);

    private final LockFiles locks;
    private final TimeSource time = TimeSource.system();
    private final RegularFiles regular = new RegularFiles(time);

    ValueFiles(LockFiles locks) {
        this.locks = locks;
    }

    /**
     * What was found at a value's place.
     *
     * @param header what it begins with; null if there is nothing, or if that is damaged
     * @param body the envelope; null if there is none, or if it was not asked for
     * @param damage what is wrong with it; null if nothing is
     */
    record Found(
            @Nullable FileHeader header,
            @Nullable Body body,
            @Nullable String damage) {
        static final Found NOTHING = new Found(null, null, null);
        static final Found NO_FILE = new Found(null, null, "no regular file");

        /** Tells what is there from anything that was there, or will be. */
        long fence() {
            return header != null ? header.fence() : damage == null ? 0 : -1;
        }
    }

    /** An envelope, cut so that its payload lies in an array of its own, and need not be copied again. */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    record Body(byte[] head, byte[] payload) {}

    /** What a file is opened for. */
    private interface Reading<T> {
        T read(FileInputStream in) throws IOException;
    }

    /**
     * Reads a value's file.
     *
     * @param longest how many bytes its envelope may have; for a longer one no memory is taken
     * @throws IOException if it is not known what is there; the message names the path
     */
    Found read(File file, int longest) throws IOException {
        Found found = opened(file, Found.NO_FILE, in -> read(in, longest));
        return found == null ? Found.NOTHING : found;
    }

    /** Most values come with their header, by one call of the system. */
    private static Found read(FileInputStream in, int longest) throws IOException {
        byte[] first = new byte[FIRST_BYTES];
        int got = filled(in, first, 0, FileHeader.BYTES);
        FileHeader header = got < FileHeader.BYTES ? null : FileHeader.decode(first);
        if (header == null) {
            return new Found(null, null, "no header that is whole");
        }
        if (header.bodyLength() > longest) {
            return new Found(header, null, "too long: " + header.bodyLength() + " bytes");
        }
        int cut = Envelope.payloadAt(first, FileHeader.BYTES, Math.min(got - FileHeader.BYTES, header.bodyLength()));
        int payloadAt = FileHeader.BYTES + cut;
        Body body =
                new Body(Arrays.copyOfRange(first, FileHeader.BYTES, payloadAt), new byte[header.bodyLength() - cut]);
        int ofPayload = got - payloadAt;
        System.arraycopy(first, payloadAt, body.payload, 0, Math.min(ofPayload, body.payload.length));
        if (ofPayload < body.payload.length) {
            ofPayload = filled(in, body.payload, ofPayload, body.payload.length);
        }
        boolean isAll = ofPayload == body.payload.length && (got < FIRST_BYTES || in.read() < 0);
        return isAll ? new Found(header, body, null) : new Found(header, null, "not as long as it says");
    }

    /** Reads until there are so many bytes, or no more. Returns how many there are, which may be more. */
    private static int filled(FileInputStream in, byte[] bytes, int from, int enough) throws IOException {
        int at = from;
        while (at < enough) {
            int got = in.read(bytes, at, bytes.length - at);
            if (got < 0) {
                return at;
            }
            at += got;
        }
        return at;
    }

    /** Reads what a value's file begins with; otherwise as {@link #read}. */
    Found readHeader(Path path) throws IOException {
        Found found = opened(path.toFile(), Found.NO_FILE, in -> {
            FileHeader header = FileHeader.decode(in.readNBytes(FileHeader.BYTES));
            return new Found(header, null, header == null ? "no header that is whole" : null);
        });
        return found == null ? Found.NOTHING : found;
    }

    /** The first bytes of a file, so many at most; null if there is none. */
    byte @Nullable [] readBytes(Path path, int most) throws IOException {
        return opened(path.toFile(), NO_BYTES, in -> in.readNBytes(most));
    }

    /**
     * The answer is null if there is no such file. To open a pipe would wait for its other end, and a device may have no end:
     * what a stranger put there is not opened, as far as a look tells that is at most a second old.
     */
    private <T> @Nullable T opened(File file, T strange, Reading<T> reading) throws IOException {
        for (int left = TRIES_TO_OPEN; ; left--) {
            // Looked at twice: it may have come to be meanwhile.
            if (!regular.isOne(file) && file.exists() && !file.isDirectory() && !file.isFile()) {
                return strange;
            }
            try (FileInputStream in = new FileInputStream(file)) {
                return reading.read(in);
            } catch (FileNotFoundException notOpened) {
                if (Files.notExists(file.toPath())) {
                    return null;
                }
                if (left == 1) { // else it may have come to be meanwhile
                    throw new IOException("cannot open " + notOpened.getMessage(), notOpened);
                }
            } catch (IOException notRead) {
                throw new IOException("cannot read " + file + ": " + notRead.getMessage(), notRead);
            }
        }
    }

    /**
     * Replaces a file; to be called under its lock.
     *
     * @throws IOException if that failed, and then the file is as it was; the message names the path
     */
    void write(Path path, byte[]... parts) throws IOException {
        Path part = path.resolveSibling(path.getFileName() + PART);
        try {
            try {
                writeOver(part, parts);
            } catch (FileNotFoundException firstInItsFolder) {
                Files.createDirectories(folder(path));
                writeOver(part, parts);
            }
            Files.move(part, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException notWritten) {
            try {
                Files.deleteIfExists(part);
            } catch (IOException stillThere) {
                notWritten.addSuppressed(stillThere);
            }
            throw new IOException(
                    "cannot write " + path + ": " + notWritten.getMessage()
                            + "; see to its permissions and to the free space",
                    notWritten);
        }
    }

    static Path folder(Path path) {
        return Objects.requireNonNull(path.getParent());
    }

    /** A pipe that a stranger left there would wait for its other end. */
    private static void writeOver(Path path, byte[]... parts) throws IOException {
        if (isPipe(path)) {
            Files.deleteIfExists(path);
        }
        try (FileOutputStream out = new FileOutputStream(path.toFile())) {
            for (byte[] part : parts) {
                out.write(part);
            }
        }
    }

    private static boolean isPipe(Path path) throws IOException {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS)
                && Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                        .isOther();
    }

    /** Deletes a file, and what a writer that died left beside it; to be called under its lock. */
    void delete(Path path) throws IOException {
        try {
            Files.deleteIfExists(path.resolveSibling(path.getFileName() + PART));
            Files.deleteIfExists(path);
        } catch (NoSuchFileException withItsFolder) {
            // is what was wanted
        }
    }

    /** A step that is done under a file's lock. */
    interface Step<T> {
        T run() throws Exception;
    }

    /**
     * Does something while nobody else, in any process, writes the file of that name.
     *
     * @throws IOException if others held it for 5 seconds; a write takes a thousandth of one
     * @throws InterruptedException if the thread is interrupted while it waits
     * @throws Exception what the step throws
     */
    <T> T locked(String name, Step<T> step) throws Exception {
        long start = time.nanos();
        ReentrantLock door = locks.door(name);
        if (!door.tryLock() && !door.tryLock(PATIENCE, TimeUnit.NANOSECONDS)) {
            throw heldForTooLong("by threads of this process");
        }
        try {
            LockFiles.Held held = polled(locks.place(LockPlace.Kind.WRITE, name), start);
            try {
                return step.run();
            } finally {
                held.release();
            }
        } finally {
            door.unlock();
        }
    }

    private LockFiles.Held polled(LockPlace place, long start) throws IOException, InterruptedException {
        Polls polls = new Polls();
        while (true) {
            LockFiles.Held held = locks.tryLock(place, LockFiles.Mode.EXCLUSIVE);
            if (held != null) {
                return held;
            }
            if (time.nanos() - start > PATIENCE) {
                throw heldForTooLong("by another process, which may be stopped");
            }
            time.park(this, polls.nextNanos());
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    private IOException heldForTooLong(String how) {
        return new IOException("the lock for writing, in " + locks.directory() + ", was held for "
                + TimeUnit.NANOSECONDS.toSeconds(PATIENCE) + " s " + how);
    }
}
