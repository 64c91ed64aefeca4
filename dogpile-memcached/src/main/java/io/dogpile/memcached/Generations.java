package io.dogpile.memcached;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.TimeSource;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What the values of a region are valid under: two marks on the servers, of which an invalidation of the whole region replaces
 * one. Memcached tells nobody of that; so they are read anew: by one thread after half a second, while the others go on with what
 * is known, and by whoever asks after a second, one after the other.
 *
 * <p>Marks are drawn, not counted, and compared for being equal only: two nodes that invalidate at once cannot write the same
 * one, and a mark that the server lost and that is drawn anew revives nothing. Whatever bytes are found are a mark.
 *
 * <p>While the server that has the marks is down, and others are not, what was known last holds.
 *
 * <p>Thread-safe.
 */
final class Generations {
    /** No mark has this number; a value that bears it is declared stale by itself. */
    static final int NONE = 0;

    private static final long READ_AFTER = Duration.ofMillis(500).toNanos();
    private static final long KNOWN_FOR = Duration.ofSeconds(1).toNanos();
    private static final int TRIES = 3;

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
        final @Nullable Marks marks; // null if they must be read
        final long readAt;

        Known(@Nullable Marks marks, long readAt) {
            this.marks = marks;
            this.readAt = readAt;
        }
    }

    private final Server server;
    private final TimeSource time;
    private final Item hard;
    private final Item soft;
    private final AtomicReference<Known> known = new AtomicReference<>(new Known(null, 0));
    private final ReentrantLock reading = new ReentrantLock();

    Generations(Server server, TimeSource time, Item hard, Item soft) {
        this.server = server;
        this.time = time;
        this.hard = hard;
        this.soft = soft;
    }

    private Known known() {
        return Objects.requireNonNull(known.get());
    }

    /**
     * The marks, read at most a second ago, and after the last invalidation in this JVM; where the server does not answer, those
     * that were known.
     */
    Marks marks() {
        Known before = known();
        if (before.marks == null) {
            return read(before);
        }
        long age = time.nanos() - before.readAt;
        if (age < READ_AFTER) {
            return before.marks;
        }
        if (!reading.tryLock()) {
            if (age < KNOWN_FOR) {
                return before.marks;
            }
            reading.lock();
        }
        try {
            Known now = known();
            return now != before && now.marks != null ? now.marks : readOrKnown(now);
        } finally {
            reading.unlock();
        }
    }

    private Marks readOrKnown(Known before) {
        try {
            return read(before);
        } catch (MemcachedException down) {
            if (before.marks == null) {
                throw down;
            }
            known.compareAndSet(before, new Known(before.marks, time.nanos())); // asked again in half a second
            return before.marks;
        }
    }

    /** The marks that were read last; asks nobody. No value bears what is returned if none were. */
    Marks lastKnown() {
        Marks marks = known().marks;
        return marks == null ? new Marks(NONE, NONE) : marks;
    }

    /** The marks as they are now. */
    Marks readAgain() {
        return read(known());
    }

    /** A read that an invalidation in this JVM overtook is done again. */
    private Marks read(Known first) {
        Known before = first;
        while (true) {
            long readAt = time.nanos();
            Pending itsHard = server.gets(hard);
            Pending itsSoft = server.gets(soft);
            Marks marks = new Marks(number(hard, server.answer(itsHard)), number(soft, server.answer(itsSoft)));
            if (known.compareAndSet(before, new Known(marks, readAt))) {
                return marks;
            }
            before = known();
            if (before.marks != null) {
                return before.marks;
            }
        }
    }

    /** Begins another generation. What was read before is forgotten, even where it is not known whether this was done. */
    void next(Invalidation how) {
        try {
            server.answer(server.set(how == Invalidation.HARD ? hard : soft, drawn(), Ttl.NEVER));
        } finally {
            known.set(new Known(null, 0));
        }
    }

    private int number(Item item, Answer found) {
        Answer there = found;
        for (int tried = 0; there.data() == null && tried < TRIES; tried++) {
            byte[] mark = drawn();
            if (server.answer(server.add(item, mark, Ttl.NEVER)).done()) {
                return numberOf(mark);
            }
            there = server.answer(server.gets(item)); // another node was first
        }
        byte[] mark = there.data();
        if (mark == null) {
            throw new MemcachedException(
                    MemcachedException.Condition.OTHER,
                    "memcached " + server + " does not keep item '" + item.key()
                            + "', the mark of a region's generation");
        }
        return numberOf(mark);
    }

    private static int numberOf(byte[] mark) {
        CRC32C sum = new CRC32C();
        sum.update(mark);
        int number = (int) sum.getValue();
        return number == NONE ? 1 : number;
    }

    private static byte[] drawn() {
        return UUID.randomUUID().toString().getBytes(StandardCharsets.US_ASCII);
    }
}
