package io.dogpile.cache.backend;

import io.dogpile.core.NameRegistry;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A region's values in a store of bytes.
 *
 * <p>A right is an entry in a map of this JVM. It is given, taken and used under the lock of its key, which is held over
 * the write too, so that a publication and a put, or an invalidation of its key, come one after the other. An
 * invalidation of all does not take the locks: it begins a generation and then takes all rights. A right is entered
 * before its generation is read; so it is either taken, or of the new generation. What is written all the same
 * bears the old one.
 *
 * <p>The fence of an envelope tells values apart, and says nothing of their order: each JVM counts from a number drawn
 * at random. Its generation holds both {@link Generation.Marks}.
 */
final class SerializingPartition<V> implements Partition<V> {
    private final ByteBackend bytes;
    private final String region;
    private final Function<Object, String> texts;
    private final ValueFormat<V> format;
    private final TimeSource time;
    private final @Nullable KeyLimit limit;
    private final Generation generation;
    private final NameRegistry<ReentrantLock> locks = NameRegistry.of(name -> new ReentrantLock());
    private final ConcurrentHashMap<String, Right> rights = new ConcurrentHashMap<>();
    private final AtomicLong tokens = new AtomicLong();
    private final AtomicLong versions =
            new AtomicLong(ThreadLocalRandom.current().nextLong());

    SerializingPartition(ByteBackend bytes, Opening<V> opening, Serializer<V> serializer) {
        this.bytes = bytes;
        this.region = opening.region();
        this.texts = opening.texts();
        this.format = new ValueFormat<>(opening, serializer);
        this.time = opening.time();
        this.limit = bytes.keyLimit();
        // A region's name holds neither mark, so that no text of a key makes one of these.
        this.generation = new Generation(bytes, time, limited(region + "~hard"), limited(region + "~soft"));
    }

    private String limited(String name) {
        return limit == null ? name : limit.apply(name);
    }

    /** A key, its full name, and the name under which it is stored. */
    private record Name(Object key, String full, String stored) {
        byte[] inBytes() {
            return full.getBytes(StandardCharsets.UTF_8);
        }
    }

    private Name name(Object key) {
        String full = region + ':' + texts.apply(key);
        return new Name(key, full, limited(full));
    }

    private Map<String, Name> names(Collection<Object> keys) {
        Map<String, Name> names = new LinkedHashMap<>();
        keys.forEach(key -> {
            Name name = name(key);
            names.put(name.full, name);
        });
        return names;
    }

    @Override
    public Slot<V> slot(Object key) {
        Name name = name(key);
        return () -> read(name);
    }

    private Sight read(Name name) throws Exception {
        return sight(name, bytes.get(name.stored), generation.marks());
    }

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) throws Exception {
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        if (!keys.isEmpty()) {
            List<Name> names = keys.stream().map(this::name).toList();
            Map<String, byte[]> found = stored(names);
            Generation.Marks marks = generation.marks();
            names.forEach(name -> seen.put(name.key, sight(name, found.get(name.stored), marks)));
        }
        return seen;
    }

    private Map<String, byte[]> stored(Collection<Name> names) throws Exception {
        return bytes.getAll(names.stream().map(Name::stored).distinct().toList());
    }

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) throws Exception {
        Map<Object, Right> granted = new LinkedHashMap<>();
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        try {
            List<Object> disturbed = new ArrayList<>();
            for (Map.Entry<Object, Asked<V>> each : asked.entrySet()) {
                granted.put(each.getKey(), entered(name(each.getKey())));
                seen.put(each.getKey(), each.getValue().seen());
                if (!each.getValue().wish().undisturbed()) {
                    disturbed.add(each.getKey());
                }
            }
            seen.putAll(readAll(disturbed));
        } catch (Throwable failure) {
            granted.values().forEach(Right::end);
            throw failure;
        }
        Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
        granted.forEach((key, right) -> {
            Sight under = (Sight) Objects.requireNonNull(seen.get(key));
            right.sees(under);
            claims.put(key, Slot.Claim.granted(right, under));
        });
        return claims;
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        putAll(Map.of(key, draft));
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        Map<String, Name> names = names(drafts.keySet());
        Map<String, ByteBackend.Entry> entries = new LinkedHashMap<>();
        Generation.Marks marks = generation.marks();
        for (Name name : names.values()) {
            entries.put(name.stored, packed(name, Objects.requireNonNull(drafts.get(name.key)), marks).entry);
        }
        locked(names.keySet(), () -> {
            names.keySet().forEach(rights::remove);
            bytes.setAll(entries);
        });
    }

    @Override
    public void invalidate(Object key, Invalidation how) throws Exception {
        invalidateAll(List.of(key), how);
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) throws Exception {
        Map<String, Name> names = names(keys);
        locked(names.keySet(), () -> {
            names.keySet().forEach(rights::remove);
            if (how == Invalidation.HARD) {
                bytes.deleteAll(names.values().stream().map(Name::stored).toList());
            } else {
                declareStale(names.values());
            }
        });
    }

    /** Writes them again with a mark. What cannot be read cannot be marked either, and goes. */
    private void declareStale(Collection<Name> names) throws Exception {
        Map<String, byte[]> found = stored(names);
        Map<String, ByteBackend.Entry> marked = new LinkedHashMap<>();
        for (Name name : names) {
            byte[] before = found.get(name.stored);
            if (before == null) {
                continue;
            }
            Decoded<Envelope> decoded = format.open(name.full, before);
            if (decoded.readable()) {
                marked.put(name.stored, declaredStale(name, decoded.get()));
            } else {
                bytes.delete(name.stored);
            }
        }
        if (!marked.isEmpty()) {
            bytes.setAll(marked);
        }
    }

    private ByteBackend.Entry declaredStale(Name name, Envelope envelope) {
        Envelope.Stamps stamps = envelope.stamps();
        Generation.Marks stale =
                new Generation.Marks(Generation.Marks.of(stamps.generation()).hard(), Generation.NONE);
        Envelope marked = envelope.ofGeneration(stale.packed());
        long left = Math.max(1, stamps.hardTtlMillis() - Math.max(0, stamps.ageMillis(time.instant())));
        return new ByteBackend.Entry(
                marked.encode(name.inBytes(), Envelope.Codec.NONE),
                stamps.hardTtlMillis() == 0 ? null : Duration.ofMillis(left));
    }

    @Override
    public void invalidateAll(Invalidation how) throws Exception {
        try {
            generation.next(how);
        } finally {
            rights.clear();
        }
    }

    @Override
    public void close() {
        rights.clear();
    }

    @Override
    public String toString() {
        return "region '" + region + "' on " + bytes;
    }

    private interface Step {
        void run() throws Exception;
    }

    /** Runs a step under the locks of several names, which everybody takes in the same order. */
    private void locked(Collection<String> names, Step step) throws Exception {
        Map<String, ReentrantLock> held = new TreeMap<>();
        names.forEach(name -> held.put(name, locks.get(name)));
        held.values().forEach(ReentrantLock::lock);
        try {
            step.run();
        } finally {
            held.values().forEach(ReentrantLock::unlock);
        }
    }

    /** A right that is known from now on; a later claim of its key, a put or an invalidation ends it. */
    private Right entered(Name name) throws Exception {
        ReentrantLock lock = locks.get(name.full);
        Right right = new Right(name);
        lock.lock();
        try {
            rights.put(name.full, right);
        } finally {
            lock.unlock();
        }
        try {
            right.marks = generation.marks(); // only now: see the class
        } catch (Throwable failure) {
            right.end();
            throw failure;
        }
        return right;
    }

    /** A value on its way to the store, with what will be seen of it there. */
    private final class Packed {
        final ByteBackend.Entry entry;
        final Sight sight;

        Packed(ByteBackend.Entry entry, Sight sight) {
            this.entry = entry;
            this.sight = sight;
        }
    }

    private Packed packed(Name name, Slot.Draft<V> draft, Generation.Marks marks) throws Exception {
        Envelope.Stamps stamps = ValueFormat.stamps(versions.incrementAndGet(), time.instant(), draft, marks.packed());
        byte[] written = format.write(name.full, stamps, draft.value());
        Duration life = stamps.hardTtlMillis() == 0 ? null : Duration.ofMillis(stamps.hardTtlMillis());
        return new Packed(
                new ByteBackend.Entry(written, life),
                new Sight(name, new ValueFormat.Result<>(stamps, draft.value(), null), marks));
    }

    private Sight sight(Name name, byte @Nullable [] found, Generation.Marks marks) {
        if (found == null) {
            return new Sight(name, null, marks);
        }
        Decoded<Envelope> opened = format.open(name.full, found);
        boolean gone = opened.readable()
                && Generation.Marks.of(opened.get().stamps().generation()).hard() != marks.hard();
        return new Sight(name, gone ? null : format.read(name.key, opened), marks);
    }

    private EnvelopeSeen.Deadlines deadlines(ValueFormat.@Nullable Result<V> result, Generation.Marks marks) {
        Envelope.Stamps stamps = result == null ? null : result.stamps();
        boolean valid =
                stamps != null && Generation.Marks.of(stamps.generation()).soft() == marks.soft();
        return EnvelopeSeen.Deadlines.byWallClock(
                stamps, valid ? EnvelopeSeen.Freshness.BY_AGE : EnvelopeSeen.Freshness.DECLARED_STALE, time);
    }

    /** A value as the store held it, or the absence of one. Immutable. */
    private final class Sight extends EnvelopeSeen<V> {
        private final Name name;

        Sight(Name name, ValueFormat.@Nullable Result<V> result, Generation.Marks marks) {
            super(result, deadlines(result, marks));
            this.name = name;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
            Right right = entered(name);
            try {
                Sight under = wish.undisturbed() ? this : read(name);
                right.sees(under);
                return Slot.Claim.granted(right, under);
            } catch (Throwable failure) {
                right.end();
                throw failure;
            }
        }
    }

    /** The right of the last caller in this JVM to claim a key. */
    private final class Right implements Slot.Grant<V> {
        private final Name name;
        private final long token = tokens.incrementAndGet();
        private Generation.@Nullable Marks marks; // written, as what is seen, before the right is handed out
        private @Nullable Sight seen;

        Right(Name name) {
            this.name = name;
        }

        void sees(Sight under) {
            seen = under;
        }

        boolean isValid() {
            return rights.get(name.full) == this;
        }

        boolean end() {
            return rights.remove(name.full, this);
        }

        @Override
        public long fencingToken() {
            return token;
        }

        @Override
        public boolean renew() {
            return isValid();
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
            Sight before = Objects.requireNonNull(seen);
            if (!draft.keep() || before.isNewerWriters()) {
                return end() ? new Slot.Published<>(Slot.Published.Outcome.STORED, null) : refused(before);
            }
            Packed packed;
            try {
                packed = packed(name, draft, Objects.requireNonNull(marks));
            } catch (Exception notPacked) {
                end();
                return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, notPacked);
            }
            return stored(packed) ? new Slot.Published<>(Slot.Published.Outcome.STORED, packed.sight) : refused(before);
        }

        /** Written while the right is held to the end: an invalidation of all may still take it. */
        private boolean stored(Packed packed) throws Exception {
            ReentrantLock lock = locks.get(name.full);
            lock.lock();
            try {
                if (!isValid()) {
                    return false;
                }
                bytes.set(name.stored, packed.entry);
                return end();
            } finally {
                end(); // where the store failed, too
                lock.unlock();
            }
        }

        private Slot.Published<V> refused(Sight before) throws Exception {
            Sight now = read(name);
            return now.present() && now.version() != before.version()
                    ? new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, now)
                    : new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
        }

        @Override
        public void abandon(@Nullable Throwable cause) {
            end();
        }
    }
}
