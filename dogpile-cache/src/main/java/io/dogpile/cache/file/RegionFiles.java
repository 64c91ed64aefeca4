package io.dogpile.cache.file;

import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.EnvelopeSeen;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The files of one region: where each key's lies, how it is read and written, and what the right to do so is. Thread-safe. */
final class RegionFiles<V> {
    static final String SUFFIX = ".v";
    private static final String FOLDER = "region-";
    private static final int LONGEST_KEY_SHOWN = 100;

    /** What an envelope has beside its value, at most, rounded up. */
    private static final int ENVELOPE_BYTES = 2 << 10;

    private final LockFiles locks;
    private final ValueFiles files;
    private final Path folder;
    private final String region;
    private final Function<Object, String> texts;
    private final ValueFormat<V> format;
    private final TimeSource time;
    private final DogpileListener listener;
    private final RegionMarks marks;
    private final int longestBody;

    /** Tells writes apart and says nothing of their order: each JVM counts from a number drawn at random. */
    private final AtomicLong fences = new AtomicLong(ThreadLocalRandom.current().nextLong());

    RegionFiles(LockFiles locks, ValueFiles files, Opening<V> opening, Serializer<V> serializer) {
        this.locks = locks;
        this.files = files;
        this.region = opening.region();
        this.folder = locks.directory().resolve(FOLDER + region);
        this.texts = opening.texts();
        this.format = new ValueFormat<>(opening, serializer);
        this.time = opening.time();
        this.listener = opening.listener();
        this.marks = new RegionMarks(files, folder, time);
        this.longestBody =
                (int) Math.min(Integer.MAX_VALUE - ENVELOPE_BYTES, (long) opening.maxValueBytes() + ENVELOPE_BYTES);
    }

    /** Whether this is the folder of a region. */
    static boolean isRegion(Path path) {
        return path.getFileName().toString().startsWith(FOLDER);
    }

    FileName name(Object key) {
        String text = texts.apply(key);
        String full = region + ':' + text;
        String hash = HexFormat.of().formatHex(LockPlace.sha256().digest(full.getBytes(StandardCharsets.UTF_8)));
        return new FileName(key, text, full, new File(folder + File.separator + hash.substring(0, 2), hash + SUFFIX));
    }

    private long newFence() {
        long fence = fences.incrementAndGet();
        return fence == 0 || fence == -1 ? newFence() : fence;
    }

    /** What its values are valid under. */
    RegionMarks marks() {
        return marks;
    }

    /** The same failure, which says of which key. */
    IOException failed(FileName name, IOException why) {
        String key = name.text().length() <= LONGEST_KEY_SHOWN
                ? name.text()
                : name.text().substring(0, LONGEST_KEY_SHOWN) + "...";
        return new IOException("region '" + region + "', key '" + key + "': " + why.getMessage(), why);
    }

    /** Does something under the lock for writing a key. */
    <T> T locked(FileName name, ValueFiles.Step<T> step) throws Exception {
        try {
            return files.locked(name.lock(), step);
        } catch (IOException failure) {
            throw failed(name, failure);
        }
    }

    // Reading

    /** What the file holds, judged by these marks; what cannot be read is told to the listener. */
    FileSight<V> read(FileName name, RegionMarks.Marks valid) throws IOException {
        ValueFiles.Found found;
        try {
            found = files.read(name.file(), longestBody);
        } catch (IOException failure) {
            throw failed(name, failure);
        }
        if (found.damage() != null) {
            listener.corruptEntry(name.key(), "unreadable file: " + found.damage());
        }
        FileHeader header = found.header();
        ValueFiles.Body body = found.body();
        if (header == null
                || body == null
                || header.mark() == FileHeader.Mark.EMPTY
                || header.marks().hard() != valid.hard()) {
            return sight(name, found.fence(), null, EnvelopeSeen.Freshness.DECLARED_STALE);
        }
        boolean stale = header.mark() == FileHeader.Mark.STALE || header.marks().soft() != valid.soft();
        return sight(
                name,
                header.fence(),
                format.read(name.key(), name.full(), body.head(), body.payload()),
                stale ? EnvelopeSeen.Freshness.DECLARED_STALE : EnvelopeSeen.Freshness.BY_AGE);
    }

    @Nullable
    FileHeader readHeader(FileName name) throws IOException {
        try {
            return files.readHeader(name.path()).header();
        } catch (IOException failure) {
            throw failed(name, failure);
        }
    }

    /** What tells what is there from anything that was there, or will be. */
    long fence(FileName name) throws IOException {
        return files.readHeader(name.path()).fence();
    }

    private FileSight<V> sight(
            FileName name, long fence, ValueFormat.@Nullable Result<V> result, EnvelopeSeen.Freshness freshness) {
        Envelope.Stamps stamps = result == null ? null : result.stamps();
        return new FileSight<>(this, name, fence, result, EnvelopeSeen.Deadlines.byWallClock(stamps, freshness, time));
    }

    // Rights

    private LockPlace right(FileName name, long fence, RegionMarks.Marks valid) {
        return locks.place(LockPlace.Kind.RIGHT, FileName.rightOf(name.path(), fence, valid));
    }

    /** Takes the right to create the successor of a write; null if another has it. */
    LockFiles.@Nullable Held tryRight(FileName name, long fence, RegionMarks.Marks valid) throws IOException {
        try {
            return locks.tryLock(right(name, fence, valid), LockFiles.Mode.EXCLUSIVE);
        } catch (IOException notKnown) {
            throw failed(name, notKnown);
        }
    }

    /** Whether nobody, in any process, has the right to create the successor of a write. */
    boolean isRightFree(FileName name, long fence) throws Exception {
        LockPlace place = right(name, fence, marks.known());
        if (locks.isHeldHere(place)) {
            return false;
        }
        LockFiles.Held held = locks.tryLock(place, LockFiles.Mode.EXCLUSIVE);
        if (held == null) {
            return false;
        }
        held.release();
        return true;
    }

    // Writing

    /** A value on its way to its file, with what will be seen of it there. */
    final class Packed {
        private final FileName name;
        private final FileHeader header;
        private final byte[] body;
        final FileSight<V> sight;

        private Packed(FileName name, Slot.Draft<V> draft, RegionMarks.Marks valid) throws Exception {
            long fence = newFence();
            Envelope.Stamps stamps = ValueFormat.stamps(fence, time.instant(), draft, 0);
            this.name = name;
            this.body = format.write(name.full(), stamps, draft.value());
            long expiry = stamps.hardTtlMillis() == 0 ? 0 : stamps.createdAtMillis() + stamps.hardTtlMillis();
            this.header = new FileHeader(
                    fence, FileHeader.Mark.NONE, valid, Math.max(0, expiry), body.length); // 0 if too far
            this.sight = sight(
                    name, fence, new ValueFormat.Result<>(stamps, draft.value(), null), EnvelopeSeen.Freshness.BY_AGE);
        }

        /** To be called under the lock for writing. */
        void write() throws IOException {
            files.write(name.path(), header.encode(), body);
        }
    }

    /** Makes bytes of a value; nothing is written yet. */
    Packed pack(FileName name, Slot.Draft<V> draft, RegionMarks.Marks valid) throws Exception {
        return new Packed(name, draft, valid);
    }

    /** The fence of the file, which is written if there is none that is whole. */
    long fenceForRights(FileName name, RegionMarks.Marks valid) throws Exception {
        FileHeader before = readHeader(name);
        if (before != null) {
            return before.fence();
        }
        return locked(name, () -> {
            FileHeader now = files.readHeader(name.path()).header();
            if (now != null) {
                return now.fence();
            }
            FileHeader empty = new FileHeader(newFence(), FileHeader.Mark.EMPTY, valid, 0, 0);
            files.write(name.path(), empty.encode());
            return empty.fence();
        });
    }

    /** Deletes the file, or writes it once more, declared stale; to be called under the lock for writing. */
    void declareOld(FileName name, Invalidation how) throws IOException {
        ValueFiles.Found found =
                how == Invalidation.HARD ? ValueFiles.Found.NOTHING : files.read(name.file(), longestBody);
        FileHeader header = found.header();
        ValueFiles.Body body = found.body();
        if (header == null || body == null || header.mark() == FileHeader.Mark.EMPTY) {
            files.delete(name.path());
        } else {
            files.write(
                    name.path(), header.with(newFence(), FileHeader.Mark.STALE).encode(), body.head(), body.payload());
        }
    }

    @Override
    public String toString() {
        return locks.toString();
    }
}
