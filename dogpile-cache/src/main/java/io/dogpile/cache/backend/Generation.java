package io.dogpile.cache.backend;

import io.dogpile.core.TimeSource;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the values of a region in a {@link ByteBackend} are valid under: two marks in the store, of which an invalidation
 * of all replaces one.
 *
 * <p>Marks are drawn, not counted, and compared for being equal only. Two nodes that invalidate at once cannot write the
 * same one; a mark that was lost and drawn anew revives nothing; and since each kind of invalidation has a mark of its
 * own, neither undoes the other. Whatever bytes are found are a mark, so that no damage to them can do more than
 * invalidate.
 */
final class Generation {
    /** No mark has this number; a value that bears it is declared stale by itself. */
    static final int NONE = 0;

    private static final long READ_EVERY = Duration.ofSeconds(1).toNanos();

    /** Both marks, as numbers. */
    record Marks(int hard, int soft) {
        static Marks of(long packed) {
            return new Marks((int) (packed >>> Integer.SIZE), (int) packed);
        }

        long packed() {
            return (long) hard << Integer.SIZE | Integer.toUnsignedLong(soft);
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

    private final ByteBackend bytes;
    private final TimeSource time;
    private final String hardKey;
    private final String softKey;
    private final ReentrantLock reading = new ReentrantLock();
    private volatile @Nullable Known known; // written under the lock; null if it must be read

    Generation(ByteBackend bytes, TimeSource time, String hardKey, String softKey) {
        this.bytes = bytes;
        this.time = time;
        this.hardKey = hardKey;
        this.softKey = softKey;
    }

    /**
     * The marks, read at most a second ago, and after the last invalidation in this JVM. While one thread reads them
     * anew, the others go on with what was known.
     */
    Marks marks() throws Exception {
        Known before = known;
        if (before == null) {
            reading.lock();
        } else if (time.nanos() - before.readAt < READ_EVERY || !reading.tryLock()) {
            return before.marks;
        }
        try {
            Known now = known;
            return now != null && now != before ? now.marks : read();
        } finally {
            reading.unlock();
        }
    }

    private Marks read() throws Exception {
        long readAt = time.nanos();
        Map<String, byte[]> found = bytes.getAll(List.of(hardKey, softKey));
        Marks marks = new Marks(number(hardKey, found.get(hardKey)), number(softKey, found.get(softKey)));
        known = new Known(marks, readAt);
        return marks;
    }

    /** Begins another generation. What was read before is forgotten, even where it is not known whether this was done. */
    void next(Invalidation how) throws Exception {
        try {
            draw(how == Invalidation.HARD ? hardKey : softKey);
        } finally {
            forget();
        }
    }

    /** A read that began before ends before. */
    private void forget() {
        reading.lock();
        try {
            known = null;
        } finally {
            reading.unlock();
        }
    }

    private int number(String key, byte @Nullable [] found) throws Exception {
        return numberOf(found == null ? draw(key) : found);
    }

    private static int numberOf(byte[] mark) {
        int number = (int) XxHash64.hash(mark);
        return number == NONE ? 1 : number;
    }

    private byte[] draw(String key) throws Exception {
        byte[] mark = UUID.randomUUID().toString().getBytes(StandardCharsets.UTF_8);
        bytes.set(key, new ByteBackend.Entry(mark, null));
        return mark;
    }
}
