package io.dogpile.cache.file;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.TimeSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What the values of a region are valid under: two marks in a file of its own, of which an invalidation of all replaces
 * one. Marks are drawn at random and compared for being equal only; a file that is missing or damaged is drawn anew, which
 * invalidates, and revives nothing. Thread-safe.
 */
final class RegionMarks {
    private static final int MAGIC = 0x44504d31; // "DPM1"
    private static final int CRC_AT = 20;
    private static final int BYTES = 24;
    private static final long READ_EVERY = TimeUnit.SECONDS.toNanos(1);

    /** Both marks. */
    record Marks(long hard, long soft) {
        private byte[] encode() {
            ByteBuffer out =
                    ByteBuffer.allocate(BYTES).putInt(MAGIC).putLong(hard).putLong(soft);
            return out.putInt(checksum(out.array())).array();
        }

        private static @Nullable Marks decode(byte @Nullable [] bytes) {
            if (bytes == null || bytes.length != BYTES) {
                return null;
            }
            ByteBuffer in = ByteBuffer.wrap(bytes);
            boolean whole = in.getInt(0) == MAGIC && in.getInt(CRC_AT) == checksum(bytes);
            return whole ? new Marks(in.getLong(4), in.getLong(12)) : null;
        }

        private static int checksum(byte[] bytes) {
            CRC32C crc = new CRC32C();
            crc.update(bytes, 0, CRC_AT);
            return (int) crc.getValue();
        }
    }

    /** What was read, and when. No record: each reading is itself. */
    private static final class Known {
        final Marks marks;
        final long readAt;

        Known(Marks marks, long readAt) {
            this.marks = marks;
            this.readAt = readAt;
        }
    }

    private final ValueFiles files;
    private final Path path;
    private final String lock;
    private final TimeSource time;
    private final ReentrantLock reading = new ReentrantLock();
    private volatile @Nullable Known known; // written under the lock

    RegionMarks(ValueFiles files, Path folder, TimeSource time) {
        this.files = files;
        this.path = path(folder);
        this.lock = "marks of " + folder.getFileName();
        this.time = time;
    }

    private static Path path(Path folder) {
        return folder.resolve("marks");
    }

    /** The marks of a region's folder, for who only looks; null if there are none that are whole. */
    static @Nullable Marks of(ValueFiles files, Path folder) throws IOException {
        return stored(files, path(folder));
    }

    private static @Nullable Marks stored(ValueFiles files, Path path) throws IOException {
        return Marks.decode(files.readBytes(path, BYTES + 1));
    }

    private @Nullable Marks stored() throws IOException {
        return stored(files, path);
    }

    /** The marks as this JVM knows them: its own invalidations at once, those of others after a second. */
    Marks known() throws Exception {
        Known before = known;
        if (before == null) {
            return fresh();
        }
        if (time.nanos() - before.readAt < READ_EVERY) {
            return before.marks;
        }
        if (!reading.tryLock()) { // nobody waits for who reads or invalidates, nor goes on with what is older
            Marks there = stored();
            return there == null ? fresh() : there;
        }
        try {
            Known now = known;
            return now != null && now != before ? now.marks : read();
        } finally {
            reading.unlock();
        }
    }

    /** The marks as they are. */
    Marks fresh() throws Exception {
        reading.lock();
        try {
            return read();
        } finally {
            reading.unlock();
        }
    }

    private Marks read() throws Exception {
        long readAt = time.nanos();
        Marks marks = stored();
        if (marks == null) {
            marks = replaced(null);
        }
        known = new Known(marks, readAt);
        return marks;
    }

    /** Declares all values of the region old. */
    void next(Invalidation how) throws Exception {
        reading.lock();
        try {
            known = null; // even where it is not known whether this was done
            Marks next = replaced(how);
            known = new Known(next, time.nanos());
        } finally {
            reading.unlock();
        }
    }

    /** Draws what is missing, and what is to be replaced. */
    private Marks replaced(@Nullable Invalidation how) throws Exception {
        return files.locked(lock, () -> {
            Marks before = stored();
            if (before != null && how == null) {
                return before; // another process was faster
            }
            Marks next = new Marks(
                    before == null || how == Invalidation.HARD ? drawn() : before.hard,
                    before == null || how == Invalidation.SOFT ? drawn() : before.soft);
            files.write(path, next.encode());
            return next;
        });
    }

    private static long drawn() {
        return ThreadLocalRandom.current().nextLong();
    }
}
