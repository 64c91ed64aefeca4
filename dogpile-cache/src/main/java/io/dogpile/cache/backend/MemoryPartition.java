package io.dogpile.cache.backend;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Policy;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A region's values in a map of this JVM.
 *
 * <p>A right is an entry in a second map. It is compared and removed while the value's place in the first is held, so
 * that a publication and an invalidation of one key come one after the other. An invalidation of all removes the rights
 * first and then draws a number from the counter of versions; a publication draws its version first and then looks for
 * its right. So a value whose creation began before the invalidation is either refused or numbered below it, and what is
 * numbered below it is not served. Entries need not be visited for that.
 *
 * <p>What evicts must know which entries are in use, but to tell it of a hit costs more than the hit. It has to know only as
 * fast as it evicts. So time is cut into turns, which end when versions have been drawn for a part of the entries, and of an
 * entry's hits in a turn the first one is told. Where nothing is written, nothing is evicted, and nothing told any more.
 */
final class MemoryPartition<V> implements Partition<V> {
    /** How many turns end while a version is drawn for each entry: by a put, or by a claim and by its publication. */
    private static final int TURNS_OF_A_CACHE = 16;

    private final @Nullable Serializer<V> serializer;
    private final DogpileListener listener;
    private final TimeSource time;
    private final ConcurrentMap<Object, Entry> entries;
    private final @Nullable Policy<Object, Entry> policy; // by it a look is not told; null where each is
    private final ConcurrentHashMap<Object, Right> rights = new ConcurrentHashMap<>();
    private final AtomicLong versions = new AtomicLong();
    private final ReentrantLock invalidation = new ReentrantLock();
    private volatile long staleTo; // versions up to it are stale, or expired; written under the lock
    private volatile long expiredTo; // versions up to it are expired; written under the lock
    private volatile long turn; // the version with which it began

    /** On a map whose every look is told to what bounds it, if anything does. */
    MemoryPartition(Opening<V> opening, ConcurrentMap<Object, Entry> entries) {
        this(opening, entries, null);
    }

    MemoryPartition(Opening<V> opening, Cache<Object, Entry> cache) {
        this(opening, cache.asMap(), cache.policy());
    }

    private MemoryPartition(
            Opening<V> opening, ConcurrentMap<Object, Entry> entries, @Nullable Policy<Object, Entry> policy) {
        this.serializer = opening.serializer();
        this.listener = opening.listener();
        this.time = opening.time();
        this.entries = entries;
        this.policy = policy;
    }

    @Override
    public Slot.@Nullable Seen<V> look(Object key) {
        Entry entry = policy == null ? entries.get(key) : policy.getIfPresentQuietly(key);
        if (entry == null || entry.version <= staleTo) {
            return null;
        }
        long now = turn;
        if (entry.toldIn < now) {
            entry.toldIn = now;
            entries.get(key); // tells
        }
        return serializer == null ? entry : readable(entry, serializer);
    }

    @Override
    public Slot<V> slot(Object key) {
        return new Slot<>() {
            @Override
            public Seen<V> read() {
                return seen(key);
            }

            @Override
            public boolean readsFree() {
                return true;
            }
        };
    }

    /** What the key holds, as it is to be judged. */
    private Entry seen(Object key) {
        Entry entry = entries.get(key);
        if (entry == null || entry.version <= expiredTo) {
            return absent(key);
        }
        Entry judged = entry.version <= staleTo ? entry.declaredStale() : entry;
        if (serializer == null) {
            return judged;
        }
        Entry read = readable(entry, serializer);
        if (read == null) {
            return absent(key);
        }
        return judged == entry ? read : read.declaredStale();
    }

    /** The entry with a copy of its value, which nobody else has; null if its bytes are none: a miss, told once. */
    private @Nullable Entry readable(Entry entry, Serializer<V> reader) {
        if (entry.kept == null) {
            return entry;
        }
        String why = "made null of it";
        try {
            V value = reader.read(((byte[]) entry.kept).clone());
            if (value != null) {
                return entry.with(value);
            }
        } catch (Exception | LinkageError | StackOverflowError e) {
            why = "threw " + e.getClass().getName(); // not its message, which may show parts of the value
        }
        if (entries.remove(entry.key, entry)) {
            listener.corruptEntry(entry.key, "the serializer cannot read what it wrote: it " + why);
        }
        return null;
    }

    private Entry absent(Object key) {
        return new Entry(key, false, null, Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE, 0, Instant.EPOCH, 0);
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        set(entry(key, draft, time.nanos(), time.instant()));
    }

    /** All of one creation time; and none is stored if one of them cannot be written as bytes. */
    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        long bornAt = time.nanos();
        Instant createdAt = time.instant();
        List<Entry> made = new ArrayList<>(drafts.size());
        for (Map.Entry<Object, Slot.Draft<V>> each : drafts.entrySet()) {
            made.add(entry(each.getKey(), each.getValue(), bornAt, createdAt));
        }
        made.forEach(this::set);
    }

    private void set(Entry entry) {
        entries.compute(entry.key, (same, before) -> {
            rights.remove(entry.key);
            return entry;
        });
    }

    @Override
    public void invalidate(Object key, Invalidation how) {
        entries.compute(key, (same, before) -> {
            rights.remove(key);
            return before == null || how == Invalidation.HARD ? null : before.declaredStale();
        });
    }

    @Override
    public void invalidateAll(Invalidation how) {
        invalidation.lock();
        try {
            rights.clear();
            declareOld(nextVersion(), how);
        } finally {
            invalidation.unlock();
        }
        if (how == Invalidation.HARD) {
            dropExpired();
        }
    }

    /** What a call that began before stores after it is expired, too: else a look would find it. */
    @Override
    public void close() {
        invalidation.lock();
        try {
            rights.clear();
            declareOld(Long.MAX_VALUE, Invalidation.HARD);
        } finally {
            invalidation.unlock();
        }
        dropExpired();
    }

    private void declareOld(long upTo, Invalidation how) {
        staleTo = Math.max(staleTo, upTo);
        if (how == Invalidation.HARD) {
            expiredTo = Math.max(expiredTo, upTo);
        }
    }

    private void dropExpired() {
        entries.values().removeIf(entry -> entry.version <= expiredTo);
    }

    /**
     * Copies what a further store holds. Rights are not touched: they are that store's.
     *
     * @param until when the copy ends, if the value does not before
     * @param held kept as long as the copy is
     * @param stillGood asked while the key's place is held; must be quick
     * @return false if it was not good any more
     */
    boolean copy(Object key, Slot.Seen<V> seen, long until, Object held, BooleanSupplier stillGood) {
        Copy copy = new Copy(key, seen, until, nextVersion(), held);
        return entries.compute(key, (same, before) -> stillGood.getAsBoolean() ? copy : before) == copy;
    }

    /** Drops a copy. */
    void forget(Object key) {
        entries.remove(key);
    }

    /** Begins a turn where the last one has ended; threads that race may begin it anew, or at the version of a slower one. */
    private long nextVersion() {
        long version = versions.incrementAndGet();
        if (policy != null && version - turn > entries.size() / TURNS_OF_A_CACHE) {
            turn = version;
        }
        return version;
    }

    private Entry entry(Object key, Slot.Draft<V> draft, long bornAt, Instant createdAt) throws Exception {
        V value = draft.value();
        Object kept = serializer == null || value == null ? value : serializer.write(value);
        long version = nextVersion();
        long usableUntil = Slot.deadline(bornAt, draft.expireAfter());
        long freshUntil = Math.min(Slot.deadline(bornAt, draft.staleAfter()), usableUntil);
        return new Entry(
                key, true, kept, bornAt, freshUntil, usableUntil, draft.cost().toNanos(), createdAt, version);
    }

    /** What a hit reads of an entry. The JVM lays these fields first, mostly into one line of the processor's cache. */
    private abstract static class Looked {
        final long freshUntil;
        final long version;
        final @Nullable Object kept;
        long toldIn; // the turn in which a use was told last, or the version: to be written is a use

        Looked(long freshUntil, long version, @Nullable Object kept) {
            this.freshUntil = freshUntil;
            this.version = version;
            this.kept = kept;
            this.toldIn = version;
        }
    }

    /** A value with its deadlines, or the absence of one. Immutable, but for what is noted of its use. */
    class Entry extends Looked implements Slot.Seen<V> {
        private final Object key;
        private final boolean present;
        private final long bornAt;
        private final long usableUntil;
        private final long costNanos;
        private final Instant createdAt;

        Entry(
                Object key,
                boolean present,
                @Nullable Object kept,
                long bornAt,
                long freshUntil,
                long usableUntil,
                long costNanos,
                Instant createdAt,
                long version) {
            super(freshUntil, version, kept);
            this.key = key;
            this.present = present;
            this.bornAt = bornAt;
            this.usableUntil = usableUntil;
            this.costNanos = costNanos;
            this.createdAt = createdAt;
        }

        /** The same stamps on the value itself, where the entry holds its bytes. */
        Entry with(@Nullable V value) {
            return new Entry(key, present, value, bornAt, freshUntil, usableUntil, costNanos, createdAt, version);
        }

        Entry declaredStale() {
            return new Entry(key, present, kept, bornAt, Long.MIN_VALUE, usableUntil, costNanos, createdAt, version);
        }

        /** The value, or its bytes. */
        @Nullable
        Object kept() {
            return kept;
        }

        @Override
        public boolean present() {
            return present;
        }

        /** What is seen holds the value. */
        @Override
        @SuppressWarnings("unchecked")
        public @Nullable V value() {
            return (V) kept;
        }

        @Override
        public long freshUntil() {
            return freshUntil;
        }

        @Override
        public long usableUntil() {
            return usableUntil;
        }

        @Override
        public long bornAt() {
            return bornAt;
        }

        @Override
        public long costNanos() {
            return costNanos;
        }

        @Override
        public long version() {
            return version;
        }

        @Override
        public Instant createdAt() {
            return createdAt;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) {
            Right right = new Right(key, version);
            rights.put(key, right);
            return Slot.Claim.granted(right, wish.undisturbed() ? this : seen(key));
        }
    }

    /** What a further store holds, for a time: its stamps, not those of the copying. To be looked at, not claimed on. */
    private final class Copy extends Entry {
        private final long versionThere;

        @SuppressWarnings("unused") // kept, not used
        private final Object held;

        Copy(Object key, Slot.Seen<V> seen, long until, long number, Object held) {
            super(
                    key,
                    true,
                    seen.value(),
                    seen.bornAt(),
                    Math.min(seen.freshUntil(), until),
                    Math.min(seen.usableUntil(), until),
                    seen.costNanos(),
                    seen.createdAt(),
                    number);
            this.versionThere = seen.version();
            this.held = held;
        }

        @Override
        public long version() {
            return versionThere;
        }
    }

    /** The right of the last caller to claim a key; a later claim, a put or an invalidation ends it. */
    private final class Right implements Slot.Grant<V> {
        private final Object key;
        private final long seenVersion;
        private final long token = nextVersion();

        Right(Object key, long seenVersion) {
            this.key = key;
            this.seenVersion = seenVersion;
        }

        @Override
        public long fencingToken() {
            return token;
        }

        @Override
        public boolean renew() {
            return rights.get(key) == this;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
            if (!draft.keep()) {
                return rights.remove(key, this) ? new Slot.Published<>(Slot.Published.Outcome.STORED, null) : refused();
            }
            Entry entry;
            try {
                entry = entry(key, draft, time.nanos(), time.instant());
            } catch (Exception notWritten) {
                rights.remove(key, this); // the serializer failed, and nobody else would end the right
                throw notWritten;
            }
            Entry now = entries.compute(key, (same, before) -> rights.remove(key, this) ? entry : before);
            return now == entry
                    ? new Slot.Published<>(Slot.Published.Outcome.STORED, entry.with(draft.value()))
                    : refused();
        }

        private Slot.Published<V> refused() {
            Entry now = seen(key);
            return now.present && now.version != seenVersion
                    ? new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, now)
                    : new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
        }

        @Override
        public Duration lease() {
            return Duration.ZERO;
        }

        @Override
        public void abandon(@Nullable Throwable cause) {
            rights.remove(key, this);
        }
    }
}
