package io.dogpile.memcached;

import io.dogpile.cache.backend.Decoded;
import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.EnvelopeSeen;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A region's values in memcached: for each key an item with the value, and beside it, on the same server, one with the
 * right to create it ({@link LeaseText}).
 *
 * <p>The number of the value's item is the fence: what is published replaces what the right was granted over, or nothing. So
 * whatever stands between a grant and its publication must change that number: a put does, and an invalidation of a key
 * leaves a tombstone for as long as a right may be used. An invalidation of all changes the marks that values bear.
 *
 * <p>Lives are judged here, by the stamps in the envelope and this machine's clock; the server's time to live is a ceiling.
 */
final class MemcachedPartition<V> implements Partition<V> {
    /** A value from further in the future was stamped by a clock that is wrong: nobody knows how old it is. */
    private static final long CLOCKS_DIFFER_MILLIS = 5_000;

    /** How often a stale mark is tried while others change the value; then the value goes. */
    private static final int MARK_TRIES = 16;

    private final Member member;
    private final Server server;
    private final Names names;
    private final String region;
    private final Function<Object, String> texts;
    private final ValueFormat<V> format;
    private final TimeSource time;
    private final long maxCreationNanos;
    private final Opening.Backoff backoff;
    private final Duration lease;
    private final int leaseTtl;
    private final int tombstoneTtl;
    private final Generations generations;
    private final ConcurrentHashMap<String, Polling<V>> pollings = new ConcurrentHashMap<>();

    /** Keys of the items whose rights this JVM has. */
    private final Set<String> createdHere = ConcurrentHashMap.newKeySet();

    MemcachedPartition(Member member, Opening<V> opening, Serializer<V> serializer) {
        this.member = member;
        this.server = member.server();
        this.names = member.names();
        this.region = opening.region();
        this.texts = opening.texts();
        this.format = new ValueFormat<>(opening, serializer);
        this.time = opening.time();
        this.maxCreationNanos = Slot.deadline(0, opening.maxCreation());
        this.backoff = opening.backoff();
        long seconds = Ttl.wholeSeconds(opening.lease());
        this.lease = Duration.ofSeconds(seconds - 1); // the first may be over at once
        this.leaseTtl = Ttl.of(seconds);
        this.tombstoneTtl = Ttl.atLeast(opening.maxCreation());
        this.generations = new Generations(server, time, names.hard(region), names.soft(region));
    }

    /** A key, its full name, and its items. */
    private record Name(Object key, String full, Item value, Item lease) {
        byte[] inBytes() {
            return Names.bytes(full);
        }
    }

    private Name name(Object key) {
        String text = texts.apply(key);
        Item value = names.value(region, text);
        return new Name(key, names.full(region, text), value, names.lease(value));
    }

    @Override
    public Slot<V> slot(Object key) {
        Name name = name(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() {
                Pending reading = server.gets(name.value);
                return sight(name, server.answer(reading), generations.marks());
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return MemcachedPartition.this.watch(name, changed);
            }
        };
    }

    // Reading

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) {
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        Map<Name, Pending> reading = new LinkedHashMap<>();
        keys.forEach(key -> {
            Name name = name(key);
            reading.put(name, server.gets(name.value));
        });
        reading.forEach((name, one) -> seen.put(name.key, sight(name, server.answer(one), generations.marks())));
        return seen;
    }

    private Slot.Watch watch(Name name, Consumer<Slot.@Nullable Seen<V>> changed) {
        AtomicBoolean isNew = new AtomicBoolean();
        Slot.Watch[] watch = new Slot.Watch[1];
        Polling<V> polling = Objects.requireNonNull(pollings.compute(name.value.key(), (key, before) -> {
            isNew.set(before == null);
            Polling<V> one = before == null ? new Polling<>(new Watched(name), server, member.polls()) : before;
            watch[0] = one.watch(changed);
            return one;
        }));
        if (isNew.get()) {
            polling.start();
        }
        return Objects.requireNonNull(watch[0]);
    }

    private final class Watched implements Polling.Key<V> {
        private final Name name;

        Watched(Name name) {
            this.name = name;
        }

        @Override
        public Item value() {
            return name.value;
        }

        @Override
        public Item lease() {
            return name.lease;
        }

        @Override
        public boolean isCreatedHere() {
            return createdHere.contains(name.value.key());
        }

        @Override
        public Slot.@Nullable Seen<V> changedTo(Answer value) {
            Sight seen = sight(name, value, generations.lastKnown());
            return seen.fresh(time.nanos()) ? seen : null;
        }

        @Override
        public boolean retire(Polling<V> polling) {
            pollings.computeIfPresent(
                    name.value.key(), (key, one) -> one == polling && polling.isUnwatched() ? null : one);
            return pollings.get(name.value.key()) != polling;
        }
    }

    private Sight sight(Name name, Answer found, Generations.Marks marks) {
        byte[] bytes = found.data();
        if (bytes == null) {
            return new Sight(name, 0, null, marks);
        }
        Decoded<Envelope> opened = format.open(name.full, bytes);
        boolean gone = opened.readable()
                && (opened.get().is(Envelope.TOMBSTONE)
                        || Generations.Marks.of(opened.get().stamps().generation())
                                        .hard()
                                != marks.hard());
        return new Sight(name, found.cas(), gone ? null : format.read(name.key, opened), marks);
    }

    /** By the wall clock, which all who share the servers stamp by. */
    private EnvelopeSeen.Deadlines deadlines(ValueFormat.@Nullable Result<V> result, Generations.Marks marks) {
        Envelope.Stamps stamps = result == null ? null : result.stamps();
        boolean valid = stamps != null
                && Generations.Marks.of(stamps.generation()).soft() == marks.soft()
                && stamps.ageMillis(time.instant()) >= -CLOCKS_DIFFER_MILLIS;
        return EnvelopeSeen.Deadlines.byWallClock(
                stamps, valid ? EnvelopeSeen.Freshness.BY_AGE : EnvelopeSeen.Freshness.DECLARED_STALE, time);
    }

    /** What lay in the value's item. Immutable. */
    private final class Sight extends EnvelopeSeen<V> {
        private final Name name;
        private final long cas;

        Sight(Name name, long cas, ValueFormat.@Nullable Result<V> result, Generations.Marks marks) {
            super(result, deadlines(result, marks));
            this.name = name;
            this.cas = cas;
        }

        /** Whether this will do for who saw another, or the same, and wishes that. */
        private boolean satisfies(Slot.Wish wish, Sight before) {
            long now = time.nanos();
            boolean youngEnough = wish.maxAgeNanos() == Slot.NEVER || Math.max(0, now - bornAt()) <= wish.maxAgeNanos();
            boolean newer = !before.present() || before.version() != version();
            return present() && fresh(now) && youngEnough && (newer || wish.reason() == Slot.Wish.Reason.NEEDED);
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) {
            return new Claiming(this, wish, generations.marks()).claim();
        }
    }

    // Claiming

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) {
        Map<Object, Claiming> sent = new LinkedHashMap<>();
        Generations.Marks marks = generations.marks();
        asked.forEach((key, one) -> sent.put(key, new Claiming(own(key, one.seen()), one.wish(), marks)));
        Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
        RuntimeException failure = null;
        for (Map.Entry<Object, Claiming> each : sent.entrySet()) {
            try {
                claims.put(each.getKey(), each.getValue().claim());
            } catch (RuntimeException notKnown) {
                failure = notKnown;
            }
        }
        if (failure != null) {
            for (Slot.Claim<V> claim : claims.values()) {
                if (claim.kind() == Slot.Claim.Kind.GRANTED) {
                    ((Right) claim.grant()).giveBackLater();
                }
            }
            throw failure;
        }
        return claims;
    }

    private Sight own(Object key, Slot.Seen<V> seen) {
        if (seen instanceof MemcachedPartition<V>.Sight sight) {
            return sight;
        }
        throw new IllegalArgumentException("region '" + region + "', key '" + key + "': seen by another partition");
    }

    /**
     * One try to get a right: asks for it, reads the value, and reads who has the right, sent together; the server does them in
     * that order.
     */
    private final class Claiming {
        private final Sight before;
        private final Slot.Wish wish;
        private final Name name;
        private final Generations.Marks marks;
        private final String nonce = member.newNonce();
        private final Pending adding;
        private final Pending reading;
        private final Pending looking;
        private boolean freedMeanwhile;

        /** Under marks that were read before the value is. */
        Claiming(Sight before, Slot.Wish wish, Generations.Marks marks) {
            this.marks = marks;
            this.before = before;
            this.wish = wish;
            this.name = before.name;
            this.adding = server.add(name.lease, held(0, marks).bytes(), leaseTtl);
            this.reading = server.gets(name.value);
            this.looking = server.gets(name.lease);
        }

        private LeaseText.Held held(int failures, Generations.Marks under) {
            return new LeaseText.Held(nonce, failures, under.packed());
        }

        /** Tries once more where the right was given back between two of the questions. */
        Slot.Claim<V> claim() {
            Slot.Claim<V> claim = tried();
            return freedMeanwhile ? new Claiming(before, wish, generations.marks()).tried() : claim;
        }

        private Slot.Claim<V> tried() {
            try {
                Answer added = server.answer(adding);
                Answer value = server.answer(reading);
                Answer there = server.answer(looking);
                if (added.done()) {
                    return granted(held(0, marks), added.cas(), sight(name, value, marks), marks);
                }
                return refused(there, sight(name, value, marks));
            } catch (RuntimeException notKnown) {
                member.later(this::giveBack);
                throw notKnown;
            }
        }

        /** There is something in the item; it is not always in the way. */
        private Slot.Claim<V> refused(Answer there, Sight seen) {
            LeaseText.Read said = LeaseText.of(there.data());
            if (said instanceof LeaseText.Held holder) {
                if (holder.nonce().equals(nonce)) { // sent twice, since the connection broke
                    return granted(holder, there.cas(), seen, marks);
                }
                if (holder.generation() == marks.packed()) {
                    return Slot.Claim.held(Duration.ZERO, seen);
                }
                // Of another generation: dead, unless it is the newer one.
                Generations.Marks now = generations.readAgain();
                return holder.generation() == now.packed()
                        ? Slot.Claim.held(Duration.ZERO, null)
                        : takenOver(there.cas(), held(holder.failures(), now), now);
            }
            if (seen.satisfies(wish, before)) {
                return Slot.Claim.notNeeded(seen);
            }
            if (said instanceof LeaseText.Free free) {
                long left = free.leftMillis(time.instant().toEpochMilli());
                if (left > 0 && wish.reason() != Slot.Wish.Reason.REFRESH) {
                    return Slot.Claim.backingOff(
                            Duration.ofMillis(left),
                            "region '" + region + "', key '" + texts.apply(name.key) + "' backs off, for " + left
                                    + " ms more; another node's last failure: " + free.text(),
                            seen);
                }
                return takenOver(there.cas(), held(free.failures(), marks), marks);
            }
            freedMeanwhile = true;
            return Slot.Claim.held(Duration.ZERO, seen);
        }

        private Slot.Claim<V> takenOver(long cas, LeaseText.Held text, Generations.Marks under) {
            Pending taking = server.cas(name.lease, cas, text.bytes(), leaseTtl);
            Pending value = server.gets(name.value);
            Answer taken = server.answer(taking);
            Sight seen = sight(name, server.answer(value), under);
            if (taken.done()) {
                return granted(text, taken.cas(), seen, under);
            }
            freedMeanwhile = true; // or taken by another: then the second try finds it held
            return Slot.Claim.held(Duration.ZERO, seen);
        }

        private Slot.Claim<V> granted(LeaseText.Held text, long cas, Sight seen, Generations.Marks under) {
            Right right = new Right(name, text, cas, seen, under);
            if (seen.satisfies(wish, before)) {
                right.giveBackLater();
                return Slot.Claim.notNeeded(seen);
            }
            createdHere.add(name.value.key());
            return Slot.Claim.granted(right, seen);
        }

        /** A right that was granted all the same. */
        private void giveBack() {
            Answer there = server.answer(server.gets(name.lease));
            byte[] data = there.data();
            if (data != null
                    && LeaseText.of(data) instanceof LeaseText.Held holder
                    && holder.nonce().equals(nonce)) {
                var unused = new OwnItem(server, name.lease, data, there.cas())
                        .deleting()
                        .done();
            }
        }
    }

    @Override
    public Grants<Object, V> together(Map<Object, Slot.Grant<V>> grants) {
        Map<Object, Right> rights = new LinkedHashMap<>();
        grants.forEach((key, grant) -> {
            if (!(grant instanceof MemcachedPartition<V>.Right right)) {
                throw new IllegalArgumentException("region '" + region + "': a right of another partition: " + grant);
            }
            rights.put(key, right);
        });
        return new Rights(rights);
    }

    // Writing

    /** A value on its way to the servers. */
    private final class Packed {
        final Envelope.Stamps stamps;
        final byte[] bytes;
        final int ttl;

        Packed(Name name, Slot.Draft<V> draft, Generations.Marks marks) throws Exception {
            stamps = ValueFormat.stamps(member.newVersion(), time.instant(), draft, marks.packed());
            bytes = format.write(name.full, stamps, draft.value());
            ttl = ttl(stamps.hardTtlMillis());
            int most = member.maxItemBytes();
            if (bytes.length + name.value.key().length() > most) {
                throw new IllegalArgumentException("region '" + region + "': the value of key '" + texts.apply(name.key)
                        + "' makes an item of " + bytes.length + " bytes and its key, more than maxItemBytes = " + most
                        + ", and is not stored; keep less, or raise the limit here and the server's, -I");
            }
        }
    }

    private static int ttl(long lifeMillis) {
        return lifeMillis == 0 ? Ttl.NEVER : Ttl.atLeast(Duration.ofMillis(lifeMillis));
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        putAll(Map.of(key, draft));
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        Generations.Marks marks = generations.marks();
        Map<Name, Packed> all = new LinkedHashMap<>();
        for (Map.Entry<Object, Slot.Draft<V>> each : drafts.entrySet()) {
            Name name = name(each.getKey());
            all.put(name, new Packed(name, each.getValue(), marks));
        }
        List<Pending> sent = new ArrayList<>();
        all.forEach((name, packed) -> {
            sent.add(server.set(name.value, packed.bytes, packed.ttl));
            sent.add(server.delete(name.lease));
        });
        answerAll(sent);
    }

    /** Waits for all, also where one fails. */
    private void answerAll(List<Pending> sent) {
        MemcachedException failure = null;
        for (Pending one : sent) {
            try {
                server.answer(one);
            } catch (MemcachedException failed) {
                failure = failure == null ? failed : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void invalidate(Object key, Invalidation how) {
        invalidateAll(List.of(key), how);
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) {
        List<Name> all = keys.stream().map(this::name).toList();
        List<Pending> sent = new ArrayList<>();
        if (how == Invalidation.HARD) {
            all.forEach(name -> sent.add(server.set(name.value, tombstone(name), tombstoneTtl)));
        } else {
            List<Marking> marking = all.stream().map(Marking::new).toList();
            marking.forEach(Marking::send);
            marking.forEach(Marking::finish);
        }
        all.forEach(name -> sent.add(server.delete(name.lease)));
        answerAll(sent);
    }

    /** Stands where a value was, so that what is created now does not find the place as it was. */
    private byte[] tombstone(Name name) {
        Envelope.Stamps stamps =
                new Envelope.Stamps(member.newVersion(), time.instant().toEpochMilli(), 0, 0, 0, Generations.NONE);
        return Envelope.of(stamps, Envelope.TOMBSTONE, 0, new byte[0]).encode(name.inBytes(), Envelope.Codec.NONE);
    }

    /** Writes one value again with a mark. What is no value, or cannot be marked, is replaced by a tombstone. */
    private final class Marking {
        private final Name name;
        private Pending sent;

        Marking(Name name) {
            this.name = name;
            this.sent = server.gets(name.value);
        }

        void send() {
            sent = marked(server.answer(sent));
        }

        void finish() {
            for (int tried = 0; tried < MARK_TRIES; tried++) {
                if (server.answer(sent).done()) {
                    return;
                }
                sent = server.gets(name.value);
                send();
            }
            server.answer(server.set(name.value, tombstone(name), tombstoneTtl));
        }

        private Pending marked(Answer found) {
            byte[] bytes = found.data();
            if (bytes == null) {
                return server.add(name.value, tombstone(name), tombstoneTtl);
            }
            Decoded<Envelope> decoded = format.open(name.full, bytes);
            return !decoded.readable() || decoded.get().is(Envelope.TOMBSTONE)
                    ? server.cas(name.value, found.cas(), tombstone(name), tombstoneTtl)
                    : server.cas(
                            name.value,
                            found.cas(),
                            declaredStale(name, decoded.get()),
                            ttlLeft(decoded.get().stamps()));
        }
    }

    private static byte[] declaredStale(Name name, Envelope envelope) {
        Generations.Marks before = Generations.Marks.of(envelope.stamps().generation());
        return envelope.ofGeneration(new Generations.Marks(before.hard(), Generations.NONE).packed())
                .encode(name.inBytes(), Envelope.Codec.NONE);
    }

    private int ttlLeft(Envelope.Stamps stamps) {
        long life = stamps.hardTtlMillis();
        return life == 0 ? Ttl.NEVER : ttl(Math.max(1, life - Math.max(0, stamps.ageMillis(time.instant()))));
    }

    @Override
    public void invalidateAll(Invalidation how) {
        generations.next(how);
    }

    @Override
    public void close() {
        pollings.clear(); // each ends when it looks next
    }

    @Override
    public String toString() {
        return "region '" + region + "' on " + member;
    }

    /**
     * A right: the number of what it was granted over decides.
     *
     * <pre>
     *   HELD ──published, refused or given back──► ENDED
     *     └──────────no answer───────────────────► UNKNOWN
     * </pre>
     */
    private final class Right implements Slot.Grant<V> {
        /** What is known of it here. */
        private enum State {
            HELD,
            ENDED,
            UNKNOWN
        }

        private final Name name;
        private final LeaseText.Held text;
        private final OwnItem item;
        private final Sight seen;
        private final Generations.Marks marks;
        private final long grantedAt = time.nanos();
        private volatile State state = State.HELD;

        Right(Name name, LeaseText.Held text, long cas, Sight seen, Generations.Marks marks) {
            this.name = name;
            this.text = text;
            this.item = new OwnItem(server, name.lease, text.bytes(), cas);
            this.seen = seen;
            this.marks = marks;
        }

        private void ends(State as) {
            state = as;
            createdHere.remove(name.value.key());
        }

        /** Numbers begin anew with the server, so that one may come again: the longer it is used, the likelier. */
        private boolean isGood() {
            return state != State.ENDED
                    && time.nanos() - grantedAt <= maxCreationNanos
                    && generations.marks().equals(marks);
        }

        @Override
        public long fencingToken() {
            return 0;
        }

        @Override
        public Duration lease() {
            return lease;
        }

        @Override
        public boolean renew() {
            OwnItem.Change renewing = renewing();
            return renewing != null && renewing.done();
        }

        /** Null if it is lost. */
        OwnItem.@Nullable Change renewing() {
            return isGood() ? item.prolonging(leaseTtl) : null;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) {
            return new Publishing(this, draft).published();
        }

        /** Where the publication was not answered the caller has waited enough, and this is done behind. */
        @Override
        public void abandon(@Nullable Throwable cause) {
            if (state == State.UNKNOWN) {
                member.later(() -> abandoning(cause).done());
            } else {
                var unused = abandoning(cause).done();
            }
        }

        void giveBackLater() {
            member.later(() -> abandoning(null).done());
        }

        OwnItem.Change abandoning(@Nullable Throwable cause) {
            ends(state == State.UNKNOWN ? State.UNKNOWN : State.ENDED);
            boolean failed = cause != null
                    && !(cause instanceof InterruptedException)
                    && !(cause.getCause() instanceof InterruptedException);
            if (!failed) {
                return item.deleting();
            }
            int failures = text.failures() + 1;
            long until = 0;
            Duration life = backoff.longest();
            if (failures >= backoff.failures()) {
                long millis = backoffMillis(failures - backoff.failures());
                until = time.instant().toEpochMilli() + millis;
                life = life.plusMillis(millis);
            }
            LeaseText.Free free = new LeaseText.Free(until, failures, LeaseText.told(Objects.requireNonNull(cause)));
            return item.replacing(free.bytes(), Ttl.atLeast(life));
        }

        private long backoffMillis(int doubled) {
            long millis = backoff.first().toMillis();
            long most = backoff.longest().toMillis();
            for (int i = 0; i < doubled && millis < most; i++) {
                millis *= 2;
            }
            return Math.min(millis, most);
        }
    }

    /** A publication that was sent, so that several can be under way together. */
    private final class Publishing {
        private final Right right;
        private final Name name;
        private @Nullable Packed packed;
        private @Nullable V value;
        private @Nullable Exception notPacked;
        private @Nullable Pending storing;
        private OwnItem.@Nullable Change releasing;

        Publishing(Right right, Slot.Draft<V> draft) {
            this.right = right;
            this.name = right.name;
            if (right.state == Right.State.ENDED) {
                return;
            }
            if (!right.isGood()) {
                right.giveBackLater();
                return;
            }
            // What a newer node wrote is not overwritten at once: else old and new nodes undo each other's work in
            // turn.
            if (draft.keep() && !right.seen.isNewerWriters()) {
                pack(draft);
            }
            releasing = right.item.deleting();
        }

        private void pack(Slot.Draft<V> draft) {
            try {
                Packed one = new Packed(name, draft, right.marks);
                packed = one;
                value = draft.value();
                storing = right.seen.cas == 0
                        ? server.add(name.value, one.bytes, one.ttl)
                        : server.cas(name.value, right.seen.cas, one.bytes, one.ttl);
            } catch (Exception e) {
                notPacked = e;
            }
        }

        Slot.Published<V> published() {
            OwnItem.Change release = releasing;
            if (release == null) {
                return refused();
            }
            if (notPacked != null) {
                right.ends(Right.State.ENDED);
                return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, releaseQuietly(release, notPacked));
            }
            Packed sent = packed;
            if (sent == null || storing == null) {
                boolean own = release.done();
                right.ends(Right.State.ENDED);
                return own ? new Slot.Published<>(Slot.Published.Outcome.STORED, null) : refused();
            }
            Answer stored;
            try {
                stored = server.answer(storing);
            } catch (MemcachedException notKnown) {
                right.ends(Right.State.UNKNOWN);
                throw notKnown;
            }
            right.ends(Right.State.ENDED);
            Exception trouble = releaseQuietly(release, null);
            if (!stored.done()) {
                return refused();
            }
            Sight seen = new Sight(name, stored.cas(), new ValueFormat.Result<>(sent.stamps, value, null), right.marks);
            return new Slot.Published<>(Slot.Published.Outcome.STORED, seen, trouble);
        }

        private @Nullable Exception releaseQuietly(OwnItem.Change release, @Nullable Exception trouble) {
            try {
                var unused = release.done(); // false: it was lost before
                return trouble;
            } catch (MemcachedException notKnown) {
                return trouble == null ? notKnown : trouble;
            }
        }

        /** By what is there now, which is one's own if it was sent twice. */
        private Slot.Published<V> refused() {
            Sight now = sight(name, server.answer(server.gets(name.value)), generations.marks());
            if (!now.present() || now.version() == right.seen.version()) {
                return new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
            }
            boolean own = packed != null && packed.stamps.fence() == now.version();
            return new Slot.Published<>(own ? Slot.Published.Outcome.STORED : Slot.Published.Outcome.SUPERSEDED, now);
        }
    }

    private final class Rights implements Grants<Object, V> {
        private final Map<Object, Right> rights;

        Rights(Map<Object, Right> rights) {
            this.rights = rights;
        }

        @Override
        public Duration lease() {
            return lease;
        }

        @Override
        public Set<Object> renewAll() {
            Map<Object, OwnItem.Change> sent = new LinkedHashMap<>();
            Set<Object> lost = new LinkedHashSet<>();
            rights.forEach((key, right) -> {
                OwnItem.Change renewing = right.renewing();
                if (renewing == null) {
                    lost.add(key);
                } else {
                    sent.put(key, renewing);
                }
            });
            sent.forEach((key, renewing) -> {
                if (!renewing.done()) {
                    lost.add(key);
                }
            });
            return lost;
        }

        @Override
        public Map<Object, Slot.Published<V>> publishAll(Map<Object, Slot.Draft<V>> drafts) {
            Map<Object, Publishing> sent = new LinkedHashMap<>();
            List<OwnItem.Change> leftOut = new ArrayList<>();
            rights.forEach((key, right) -> {
                Slot.Draft<V> draft = drafts.get(key);
                if (draft == null) {
                    leftOut.add(right.abandoning(null));
                } else {
                    sent.put(key, new Publishing(right, draft));
                }
            });
            Map<Object, Slot.Published<V>> published = new LinkedHashMap<>();
            sent.forEach((key, one) -> {
                try {
                    published.put(key, one.published());
                } catch (MemcachedException notKnown) {
                    one.right.giveBackLater();
                    published.put(key, new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, notKnown));
                }
            });
            leftOut.forEach(Rights::awaited);
            return published;
        }

        /** What was created is worth more than a right that could not be given back: that ends with its lease. */
        private static void awaited(OwnItem.Change givingBack) {
            try {
                var unused = givingBack.done();
            } catch (MemcachedException notKnown) {
                // Told to the log where it happened.
            }
        }

        @Override
        public void abandonAll(@Nullable Throwable cause) {
            List<OwnItem.Change> sent = rights.values().stream()
                    .map(right -> right.abandoning(cause))
                    .toList();
            MemcachedException failure = null;
            for (OwnItem.Change one : sent) {
                try {
                    var unused = one.done();
                } catch (MemcachedException notKnown) {
                    failure = failure == null ? notKnown : failure;
                }
            }
            if (failure != null) {
                throw failure;
            }
        }
    }
}
