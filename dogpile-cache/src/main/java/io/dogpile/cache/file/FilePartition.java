package io.dogpile.cache.file;

import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.EnvelopeSeen;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A region's values in files, one for each key.
 *
 * <p>Each write of a file gives it another fence, and a right to create is good as long as the fence is the one that was seen
 * when it was granted, and the region's marks are: a publication looks at both, under the lock for writing. So a put or an
 * invalidation in any process ends a right by what it does to the file. Where there is no file the right's first deed is to
 * write an empty one; so a file that is gone, by whosever hand, ends the rights too, and no fence ever comes back.
 *
 * <p>The right itself is a lock of the operating system, of a byte that stands for key, fence and marks together. Who asks after an
 * invalidation asks for another byte than the one that the creator before it still holds.
 *
 * <p>An invalidation of the whole region takes no locks. A publication that passes its look just before is written with the old
 * marks, and is as invalid as all others.
 */
final class FilePartition<V> implements Partition<V> {
    static final String SUFFIX = ".v";
    private static final String FOLDER = "region-";
    private static final int LONGEST_KEY_SHOWN = 100;

    /** What an envelope has beside its value, at most, rounded up. */
    private static final int ENVELOPE_BYTES = 2 << 10;

    private static final int TRIES_TO_CLAIM = 5;

    private final LockFiles locks;
    private final ValueFiles files;
    private final Watchers watchers;
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

    FilePartition(LockFiles locks, ValueFiles files, Watchers watchers, Opening<V> opening, Serializer<V> serializer) {
        this.locks = locks;
        this.files = files;
        this.watchers = watchers;
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

    /** What the locks of a value's file are named by: what everybody knows who sees the file. */
    static String lockName(Path path) {
        return path.getFileName().toString();
    }

    /** A key, its text, its full name, and its file; which reads open by its name, as a path takes longer to make than a hash. */
    private record Name(Object key, String text, String full, File file) {
        Path path() {
            return file.toPath();
        }

        String lock() {
            return file.getName();
        }
    }

    private Name name(Object key) {
        String text = texts.apply(key);
        String full = region + ':' + text;
        String hash = HexFormat.of().formatHex(LockPlace.sha256().digest(full.getBytes(StandardCharsets.UTF_8)));
        return new Name(key, text, full, new File(folder + File.separator + hash.substring(0, 2), hash + SUFFIX));
    }

    /** What the right to create the successor of a write is named by. */
    static String rightName(Path path, long fence, RegionMarks.Marks valid) {
        return lockName(path) + ' ' + fence + ' ' + valid.hard() + ' ' + valid.soft();
    }

    private LockPlace right(Name name, long fence, RegionMarks.Marks valid) {
        return locks.place(LockPlace.Kind.RIGHT, rightName(name.path(), fence, valid));
    }

    private long newFence() {
        long fence = fences.incrementAndGet();
        return fence == 0 || fence == -1 ? newFence() : fence;
    }

    /** The same failure, which says of which key. */
    private IOException failed(Name name, IOException why) {
        String key =
                name.text.length() <= LONGEST_KEY_SHOWN ? name.text : name.text.substring(0, LONGEST_KEY_SHOWN) + "...";
        return new IOException("region '" + region + "', key '" + key + "': " + why.getMessage(), why);
    }

    /** Does something under the lock for writing a key. */
    private <T> T locked(Name name, ValueFiles.Step<T> step) throws Exception {
        try {
            return files.locked(name.lock(), step);
        } catch (IOException failure) {
            throw failed(name, failure);
        }
    }

    @Override
    public Slot<V> slot(Object key) {
        Name name = name(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() throws Exception {
                return FilePartition.this.read(name, marks.known());
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return watchers.watch(name.lock(), new Look(name), () -> changed.accept(null));
            }
        };
    }

    private final class Look implements Watchers.Look {
        private final Name name;

        Look(Name name) {
            this.name = name;
        }

        @Override
        public long fence() throws IOException {
            return files.readHeader(name.path()).fence();
        }

        @Override
        public boolean isFree(long fence) throws Exception {
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
    }

    // Reading

    private Sight read(Name name, RegionMarks.Marks valid) throws IOException {
        ValueFiles.Found found;
        try {
            found = files.read(name.file, longestBody);
        } catch (IOException failure) {
            throw failed(name, failure);
        }
        if (found.damage() != null) {
            listener.corruptEntry(name.key, "unreadable file: " + found.damage());
        }
        FileHeader header = found.header();
        ValueFiles.Body body = found.body();
        if (header == null
                || body == null
                || header.mark() == FileHeader.Mark.EMPTY
                || header.marks().hard() != valid.hard()) {
            return new Sight(name, found.fence(), null, EnvelopeSeen.Freshness.DECLARED_STALE);
        }
        boolean stale = header.mark() == FileHeader.Mark.STALE || header.marks().soft() != valid.soft();
        return new Sight(
                name,
                header.fence(),
                format.read(name.key, name.full, body.head(), body.payload()),
                stale ? EnvelopeSeen.Freshness.DECLARED_STALE : EnvelopeSeen.Freshness.BY_AGE);
    }

    // Claiming

    private Slot.Claim<V> claim(Name name) throws Exception {
        for (int tries = 0; tries < TRIES_TO_CLAIM; tries++) {
            RegionMarks.Marks valid = marks.fresh();
            long fence = fenceForRights(name, valid);
            LockFiles.Held held;
            try {
                held = locks.tryLock(right(name, fence, valid), LockFiles.Mode.EXCLUSIVE);
            } catch (IOException notKnown) {
                throw failed(name, notKnown);
            }
            if (held == null) {
                break;
            }
            try {
                Sight under = read(name, valid);
                if (under.fence == fence && marks.fresh().equals(valid)) {
                    return Slot.Claim.granted(new Right(name, held, valid, under), under);
                }
            } catch (Throwable failure) {
                Throwable trouble = released(held);
                if (trouble != null) {
                    failure.addSuppressed(trouble);
                }
                throw failure;
            }
            held.release(); // the file was written meanwhile
        }
        return Slot.Claim.held(Duration.ZERO, null);
    }

    /** The fence of the file, which is written if there is none that is whole. */
    private long fenceForRights(Name name, RegionMarks.Marks valid) throws Exception {
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

    private @Nullable FileHeader readHeader(Name name) throws IOException {
        try {
            return files.readHeader(name.path()).header();
        } catch (IOException failure) {
            throw failed(name, failure);
        }
    }

    private static @Nullable Throwable released(LockFiles.Held held) {
        try {
            held.release();
            return null;
        } catch (IOException notKnown) {
            return notKnown;
        }
    }

    // Writing

    /** A value on its way to its file, with what will be seen of it there. */
    private final class Packed {
        private final Name name;
        private final FileHeader header;
        private final byte[] body;
        final Sight sight;

        Packed(Name name, Slot.Draft<V> draft, RegionMarks.Marks valid) throws Exception {
            long fence = newFence();
            Envelope.Stamps stamps = ValueFormat.stamps(fence, time.instant(), draft, 0);
            this.name = name;
            this.body = format.write(name.full, stamps, draft.value());
            long expiry = stamps.hardTtlMillis() == 0 ? 0 : stamps.createdAtMillis() + stamps.hardTtlMillis();
            this.header = new FileHeader(
                    fence, FileHeader.Mark.NONE, valid, Math.max(0, expiry), body.length); // 0 if too far
            this.sight = new Sight(
                    name, fence, new ValueFormat.Result<>(stamps, draft.value(), null), EnvelopeSeen.Freshness.BY_AGE);
        }

        void write() throws IOException {
            files.write(name.path(), header.encode(), body);
        }
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        Name name = name(key);
        Packed packed = new Packed(name, draft, marks.fresh());
        locked(name, () -> {
            packed.write();
            return packed;
        });
    }

    @Override
    public void invalidate(Object key, Invalidation how) throws Exception {
        Name name = name(key);
        locked(name, () -> {
            ValueFiles.Found found =
                    how == Invalidation.HARD ? ValueFiles.Found.NOTHING : files.read(name.file, longestBody);
            FileHeader header = found.header();
            ValueFiles.Body body = found.body();
            if (header == null || body == null || header.mark() == FileHeader.Mark.EMPTY) {
                files.delete(name.path());
            } else {
                files.write(
                        name.path(),
                        header.with(newFence(), FileHeader.Mark.STALE).encode(),
                        body.head(),
                        body.payload());
            }
            return name;
        });
    }

    @Override
    public void invalidateAll(Invalidation how) throws Exception {
        try {
            marks.next(how);
        } catch (IOException failure) {
            throw new IOException("region '" + region + "': " + failure.getMessage(), failure);
        }
    }

    @Override
    public String toString() {
        return "region '" + region + "' in " + locks;
    }

    /** A file as it was seen. Immutable. */
    private final class Sight extends EnvelopeSeen<V> {
        private final Name name;
        private final long fence;

        Sight(Name name, long fence, ValueFormat.@Nullable Result<V> result, Freshness freshness) {
            super(result, Deadlines.byWallClock(result == null ? null : result.stamps(), freshness, time));
            this.name = name;
            this.fence = fence;
        }

        /** Whether the file is as it was seen. */
        private boolean isUnder(@Nullable FileHeader header) {
            return header != null && header.fence() == fence;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
            return FilePartition.this.claim(name);
        }
    }

    /** A right: its lock says that nobody else has one, the fence whether it is still good. */
    private final class Right implements Slot.Grant<V> {
        private final Name name;
        private final LockFiles.Held held;
        private final RegionMarks.Marks valid;
        private final Sight seen;
        private final AtomicBoolean ended = new AtomicBoolean();

        Right(Name name, LockFiles.Held held, RegionMarks.Marks valid, Sight seen) {
            this.name = name;
            this.held = held;
            this.valid = valid;
            this.seen = seen;
        }

        @Override
        public long fencingToken() {
            return 0;
        }

        @Override
        public boolean renew() throws Exception {
            return !ended.get() && isGood();
        }

        private boolean isGood() throws Exception {
            return held.isHeld()
                    && seen.isUnder(readHeader(name))
                    && marks.fresh().equals(valid);
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
            if (!ended.compareAndSet(false, true)) {
                return refused();
            }
            Slot.Published<V> published;
            try {
                published = stored(draft);
            } catch (Throwable notKnown) {
                Throwable trouble = released(held);
                if (trouble != null) {
                    notKnown.addSuppressed(trouble);
                }
                throw notKnown;
            }
            Throwable trouble = released(held);
            return trouble == null ? published : new Slot.Published<>(published.outcome(), published.seen(), trouble);
        }

        private Slot.Published<V> stored(Slot.Draft<V> draft) throws Exception {
            if (!draft.keep() || seen.isNewerWriters()) {
                return isGood() ? new Slot.Published<>(Slot.Published.Outcome.STORED, null) : refused();
            }
            Packed packed;
            try {
                packed = new Packed(name, draft, valid);
            } catch (Exception notPacked) {
                return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, notPacked);
            }
            boolean written = locked(name, () -> {
                boolean good = isGood();
                if (good) {
                    packed.write();
                }
                return good;
            });
            return written ? new Slot.Published<>(Slot.Published.Outcome.STORED, packed.sight) : refused();
        }

        private Slot.Published<V> refused() throws Exception {
            Sight now = read(name, marks.known());
            return now.present() && now.version() != seen.version()
                    ? new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, now)
                    : new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
        }

        @Override
        public void abandon(@Nullable Throwable cause) throws Exception {
            if (ended.compareAndSet(false, true)) {
                held.release();
            }
        }
    }
}
