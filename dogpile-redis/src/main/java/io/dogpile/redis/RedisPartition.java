package io.dogpile.redis;

import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A region's values in Redis: one {@linkplain RedisRecord record} for each key. What is read is judged here, by the
 * server's time as it is known; what is claimed, published or given back is judged by the server, in one step
 * ({@link RedisScript}).
 *
 * <p>Whoever waits has a place in the inbox before it claims, so that no message overtakes it. While it waits for a lease
 * that the server noted it for, it is told "held" without being asked again. A lease that is seen unchanged for longer than it
 * lasts, by this JVM's own clock, is dead whatever the server's clock says.
 */
final class RedisPartition<V> implements Partition<V> {
    /** So much longer than its length must a lease stand still before it is taken for dead: clocks differ. */
    private static final double STANDS_STILL = 1.1;

    /** So many milliseconds more than its length may be left of a good lease, as far as the server's time is known here. */
    private static final long CLOCKS_DIFFER = 100;

    private static final int LONGEST_TEXT = 300;
    private static final byte[] YES = {'1'};
    private static final byte[] NO = {'0'};

    private final RedisNode node;
    private final Server server;
    private final Inbox inbox;
    private final Names names;
    private final String region;
    private final Function<Object, String> texts;
    private final ValueFormat<V> format;
    private final TimeSource time;
    private final Duration lease;
    private final byte[] leaseMillis;
    private final byte[] lingerMillis;
    private final Opening.Backoff backoff;
    private final byte[] nearChannel;
    private final Clocks clocks;
    private final Generations generations;
    private final List<Consumer<@Nullable String>> near = new java.util.concurrent.CopyOnWriteArrayList<>();
    private final Slot.Watch watchOfGenerations;
    private final AtomicBoolean closed = new AtomicBoolean();

    RedisPartition(RedisNode node, Opening<V> opening, Serializer<V> serializer) {
        this.node = node;
        this.server = node.server();
        this.inbox = node.inbox();
        this.names = node.names();
        this.region = opening.region();
        this.texts = opening.texts();
        this.format = new ValueFormat<>(opening, serializer);
        this.time = opening.time();
        this.lease = opening.lease();
        this.leaseMillis = Texts.bytes(Math.max(1, opening.lease().toMillis()));
        this.lingerMillis = Texts.bytes(Math.max(0, opening.maxCreation().toMillis()));
        this.backoff = opening.backoff();
        this.nearChannel = names.near(region);
        this.clocks = new Clocks(time, server.isCluster());
        this.generations = new Generations(server, names, region, clocks, this::generationBegan);
        this.watchOfGenerations = inbox.watchGenerations(region, generations);
    }

    private void generationBegan() {
        near.forEach(one -> one.accept(null));
    }

    /** Called each second: others may have begun a generation without this node being told. */
    void refreshGenerations() {
        generations.ask();
    }

    /** A key, its text, and its record. */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    private record Name(Object key, String text, String full, byte[] record) {
        @Override
        public String toString() {
            return full;
        }
    }

    private Name name(Object key) {
        String text = texts.apply(key);
        String full = names.key(region, text);
        return new Name(key, text, full, Texts.bytes(full));
    }

    private Map<Object, Name> names(Collection<Object> keys) {
        Map<Object, Name> all = new LinkedHashMap<>();
        keys.forEach(key -> all.put(key, name(key)));
        return all;
    }

    @Override
    public Slot<V> slot(Object key) {
        Name name = name(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() throws Exception {
                return RedisPartition.this.read(name);
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return inbox.watch(name.full, push -> changed.accept(push == null ? null : pushed(name, push)));
            }
        };
    }

    // Reading

    private Sight read(Name name) {
        Generations.Both known = generations.known();
        if (!node.isStrict()) {
            return sight(name, (List<?>) Objects.requireNonNull(server.send(hmget(name))), known);
        }
        List<Server.Answer> answers = server.sendAll(List.of(server.get(generations.key()), hmget(name)));
        return sight(name, answers.get(1).list(), learned(answers.get(0).orThrow()));
    }

    private Server.Command hmget(Name name) {
        return server.hmget(name.record, RedisRecord.VALUE, RedisRecord.STAMPS, RedisRecord.LEASE);
    }

    private Generations.Both learned(@Nullable Object text) {
        generations.learn(Generations.Both.parse(Texts.ofOrNull(text)));
        return generations.known();
    }

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) {
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        if (keys.isEmpty()) {
            return seen;
        }
        Generations.Both known = generations.known();
        List<Name> all = new ArrayList<>(names(keys).values());
        List<Server.Command> commands = new ArrayList<>();
        if (node.isStrict()) {
            commands.add(server.get(generations.key()));
        }
        all.forEach(name -> commands.add(hmget(name)));
        List<Server.Answer> answers = server.sendAll(commands);
        int first = commands.size() - all.size();
        if (first > 0) {
            known = learned(answers.get(0).orThrow());
        }
        for (int i = 0; i < all.size(); i++) {
            seen.put(all.get(i).key, sight(all.get(i), answers.get(first + i).list(), known));
        }
        return seen;
    }

    private Sight sight(Name name, List<?> fields, Generations.Both known) {
        RedisRecord.Stamps stamps = RedisRecord.Stamps.parse((byte[]) fields.get(1));
        RedisRecord.Lease held = RedisRecord.Lease.parse((byte[]) fields.get(2));
        return sight(name, stamps, (byte[]) fields.get(0), held, known);
    }

    private Sight sight(
            Name name,
            RedisRecord.@Nullable Stamps stamps,
            byte @Nullable [] envelope,
            RedisRecord.@Nullable Lease held,
            Generations.Both known) {
        ServerClock clock = clocks.of(name.record);
        long now = clock.millisAt(time.nanos());
        if (stamps == null || stamps.generation() < known.hard()) {
            return new Sight(name, null, null, held, known, clock, now);
        }
        ValueFormat.Result<V> result = envelope == null
                ? new ValueFormat.Result<>(null, null, null)
                : format.read(name.key, name.full, envelope);
        return new Sight(name, stamps, result, held, known, clock, now);
    }

    /** A pushed value, or null for "look again". */
    private @Nullable Sight pushed(Name name, Push.Changed push) {
        byte[] envelope = push.envelope();
        RedisRecord.Stamps stamps = push.stamps();
        if (envelope == null || stamps == null || !clocks.of(name.record).isKnown()) {
            return null;
        }
        Generations.Both known = generations.known();
        if (stamps.generation() < Math.max(known.hard(), known.soft())) {
            return null;
        }
        Sight sight = sight(name, stamps, envelope, null, known);
        return sight.present() ? sight : null;
    }

    // Claiming

    /** One try to get a right: what was seen, what is wished, and the nonce. */
    private record Attempt<V>(RedisPartition<V>.Sight seen, Slot.Wish wish, String nonce) {}

    private Slot.Claim<V> claim(Sight seen, Slot.Wish wish) {
        Slot.Claim<V> held = heldAsBefore(seen, wish);
        if (held != null) {
            return held;
        }
        Attempt<V> attempt = new Attempt<>(seen, wish, node.newNonce());
        long sent = time.nanos();
        List<?> reply;
        try {
            reply = (List<?>) Objects.requireNonNull(server.send(command(attempt)));
        } catch (RuntimeException notKnown) {
            giveBackLater(seen.name, attempt.nonce);
            throw notKnown;
        }
        return claimed(attempt, reply, sent);
    }

    /**
     * Without a word to the server, which was just seen to have a right granted: to who does not wait, and to who waits and is
     * noted there for that very lease.
     */
    private Slot.@Nullable Claim<V> heldAsBefore(Sight seen, Slot.Wish wish) {
        RedisRecord.Lease held = seen.held;
        if (held == null || wish.reason() == Slot.Wish.Reason.REFRESH || !seen.isHeldFor(held)) {
            return null;
        }
        Duration left = Duration.ofMillis(held.expiryMillis() - seen.readAtMillis);
        if (!wish.willWait()) {
            return Slot.Claim.held(left, seen);
        }
        Inbox.Place place = inbox.place(seen.name.full);
        if (place == null || !place.isNotedFor(held)) {
            return null;
        }
        place.sees(held, true, time.nanos());
        return stoodStill(seen, place) == null ? Slot.Claim.held(left, seen) : null;
    }

    private Server.Command command(Attempt<V> attempt) {
        Sight seen = attempt.seen;
        Slot.Wish wish = attempt.wish;
        Slot.Wish.Reason reason = wish.reason();
        if (reason == Slot.Wish.Reason.NEEDED && seen.isUnreadable()) {
            reason =
                    Slot.Wish.Reason
                            .EARLY; // the server takes for fresh what cannot be read here: a newer one is wanted
        }
        Inbox.Place place = inbox.place(seen.name.full);
        if (place != null && seen.held != null) {
            place.sees(seen.held, false, time.nanos());
        }
        String steal = place == null ? null : stoodStill(seen, place);
        Generations.Both known = generations.known();
        RedisRecord.Stamps stamps = seen.stamps;
        return server.script(
                RedisScript.CLAIM,
                keys(seen.name),
                List.of(
                        Texts.bytes(attempt.nonce),
                        leaseMillis,
                        lingerMillis,
                        wish.willWait() ? Texts.bytes(node.id()) : Texts.EMPTY,
                        Texts.bytes(known.hard()),
                        Texts.bytes(known.soft()),
                        stamps == null ? Texts.EMPTY : Texts.bytes(stamps.fence()),
                        Texts.bytes(
                                reason == Slot.Wish.Reason.REFRESH
                                        ? "R"
                                        : reason == Slot.Wish.Reason.EARLY ? "E" : "N"),
                        steal == null ? Texts.EMPTY : Texts.bytes(steal),
                        wish.maxAgeNanos() == Slot.NEVER
                                ? Texts.EMPTY
                                : Texts.bytes(
                                        Duration.ofNanos(wish.maxAgeNanos()).toMillis())));
    }

    /** The lease, if this JVM saw it stand still for longer than it lasts. */
    private @Nullable String stoodStill(Sight seen, Inbox.Place place) {
        RedisRecord.Lease held = seen.held;
        Inbox.Place.Observed observed = place.observed();
        if (held == null || observed == null || !observed.lease().seenAs().equals(held.seenAs())) {
            return null;
        }
        double lasts = Duration.ofMillis(held.lengthMillis()).toNanos() * STANDS_STILL;
        return time.nanos() - observed.since() > lasts ? held.seenAs() : null;
    }

    private List<byte[]> keys(Name name) {
        return server.isCluster() ? List.of(name.record) : List.of(name.record, generations.key());
    }

    private Slot.Claim<V> claimed(Attempt<V> attempt, List<?> reply, long sent) {
        Name name = attempt.seen.name;
        int code = ((Long) reply.get(0)).intValue();
        clocks.answered(name.record, sent, (Long) reply.get(1));
        generations.learn(Generations.Both.parse(Texts.ofOrNull(reply.get(6))));
        Sight seen = seenBy(attempt.seen, (byte[]) reply.get(2), (byte[]) reply.get(3));
        Duration left = Duration.ofMillis((Long) reply.get(4));
        String more = Texts.ofOrNull(reply.get(5));
        switch (code) {
            case 0:
                return seen.present() ? Slot.Claim.notNeeded(seen) : claimAgain(attempt, seen);
            case 2, 3:
                return Slot.Claim.granted(new Right(name, attempt.nonce, Long.parseLong(more), seen), seen);
            case 1, 4:
                noteHolder(attempt, more, left.toMillis());
                return Slot.Claim.held(left, seen);
            case 6, 7:
                return Slot.Claim.backingOff(
                        left,
                        "region '" + region + "', key '" + name.text + "' backs off, for " + left.toMillis()
                                + " ms more; another node's last failure: " + more);
            default:
                throw new IllegalStateException("the script for claims answered " + code);
        }
    }

    /** There is a fresh value that cannot be read here, and that the caller has not seen before: what it wants is newer. */
    private Slot.Claim<V> claimAgain(Attempt<V> attempt, Sight unreadable) {
        return attempt.seen.isUnreadable()
                ? Slot.Claim.held(Duration.ZERO, unreadable)
                : claim(unreadable, attempt.wish);
    }

    /** The server has noted this node, if it waits, as one to be told. */
    private void noteHolder(Attempt<V> attempt, @Nullable String holder, long leftMillis) {
        Inbox.Place place = inbox.place(attempt.seen.name.full);
        int blank = holder == null ? -1 : holder.indexOf(' ');
        if (place != null && blank > 0) {
            long expiry = Long.parseLong(Objects.requireNonNull(holder).substring(blank + 1));
            RedisRecord.Lease before = attempt.seen.held;
            long length = before != null && before.seenAs().equals(holder) ? before.lengthMillis() : leftMillis;
            place.sees(
                    new RedisRecord.Lease(holder.substring(0, blank), 0, 0, expiry, length),
                    attempt.wish.willWait(),
                    time.nanos());
        }
    }

    /** What the server saw as it answered; a value that the caller has is not sent again. */
    private Sight seenBy(Sight before, byte @Nullable [] stampsText, byte @Nullable [] envelope) {
        Generations.Both known = generations.known();
        RedisRecord.Stamps stamps = RedisRecord.Stamps.parse(stampsText);
        if (stamps == null || envelope == null || envelope.length > 0) {
            return sight(before.name, stamps, envelope, null, known);
        }
        ServerClock clock = clocks.of(before.name.record);
        return new Sight(before.name, stamps, before.result, null, known, clock, clock.millisAt(time.nanos()));
    }

    private void giveBackLater(Name name, String nonce) {
        node.later(() -> abandon(name, nonce, null));
    }

    private void abandon(Name name, String nonce, @Nullable Throwable cause) {
        server.send(abandoning(name, nonce, cause));
    }

    private Server.Command abandoning(Name name, String nonce, @Nullable Throwable cause) {
        boolean failed = cause != null
                && !(cause instanceof InterruptedException)
                && !(cause.getCause() instanceof InterruptedException);
        return server.script(
                RedisScript.ABANDON,
                List.of(name.record),
                List.of(
                        Texts.bytes(nonce),
                        Texts.bytes(failed ? "F" : "N"),
                        Texts.bytes(backoff.failures()),
                        Texts.bytes(backoff.first().toMillis()),
                        Texts.bytes(backoff.longest().toMillis()),
                        Texts.bytes(failed ? text(Objects.requireNonNull(cause)) : ""),
                        names.inboxes()));
    }

    /** What others are told of a failure: in one line, and cut. */
    private static String text(Throwable failure) {
        String text;
        try {
            text = failure.toString();
        } catch (RuntimeException unreadable) {
            text = failure.getClass().getName();
        }
        return cut(text.replaceAll("\\p{Cntrl}+", " "));
    }

    private static String cut(String text) {
        return text.length() <= LONGEST_TEXT ? text : text.substring(0, LONGEST_TEXT) + "...";
    }

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) {
        Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
        Map<Object, Attempt<V>> attempts = new LinkedHashMap<>();
        asked.forEach((key, one) -> {
            Sight seen = own(key, one.seen());
            Slot.Claim<V> held = heldAsBefore(seen, one.wish());
            if (held == null) {
                attempts.put(key, new Attempt<>(seen, one.wish(), node.newNonce()));
            } else {
                claims.put(key, held);
            }
        });
        long sent = time.nanos();
        try {
            List<Server.Answer> answers =
                    server.sendAll(attempts.values().stream().map(this::command).toList());
            int next = 0;
            for (Map.Entry<Object, Attempt<V>> each : attempts.entrySet()) {
                claims.put(
                        each.getKey(),
                        claimed(each.getValue(), answers.get(next++).list(), sent));
            }
        } catch (RuntimeException notKnown) {
            attempts.values().forEach(one -> giveBackLater(one.seen.name, one.nonce));
            throw notKnown;
        }
        return claims;
    }

    private Sight own(Object key, Slot.Seen<V> seen) {
        if (seen instanceof RedisPartition<V>.Sight sight) {
            return sight;
        }
        throw new IllegalArgumentException("region '" + region + "', key '" + key + "': seen by another partition");
    }

    @Override
    public Grants<Object, V> together(Map<Object, Slot.Grant<V>> grants) {
        Map<Object, Right> rights = new LinkedHashMap<>();
        grants.forEach((key, grant) -> {
            if (!(grant instanceof RedisPartition<V>.Right right)) {
                throw new IllegalArgumentException("region '" + region + "': a right of another partition: " + grant);
            }
            rights.put(key, right);
        });
        return new Rights(rights);
    }

    // Writing

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        Name name = name(key);
        generations.known(); // the server's time, too
        server.send(putting(name, draft));
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        generations.known();
        List<Server.Command> commands = new ArrayList<>();
        for (Map.Entry<Object, Slot.Draft<V>> each : drafts.entrySet()) {
            commands.add(putting(name(each.getKey()), each.getValue()));
        }
        server.sendAll(commands).forEach(Server.Answer::orThrow);
    }

    private Server.Command putting(Name name, Slot.Draft<V> draft) throws Exception {
        Envelope.Stamps stamps = ValueFormat.stamps(0, time.instant(), draft, 0);
        Generations.Both known = generations.known();
        return server.script(
                RedisScript.PUT,
                keys(name),
                List.of(
                        format.write(name.full, stamps, draft.value()),
                        Texts.bytes(stamps.softTtlMillis()),
                        Texts.bytes(stamps.hardTtlMillis()),
                        Texts.bytes(stamps.costMillis()),
                        Texts.bytes(known.hard()),
                        Texts.bytes(known.soft()),
                        node.pushMax(),
                        names.inboxes(),
                        nearChannel,
                        nearMessage(name)));
    }

    private byte[] nearMessage(Name name) {
        return Texts.bytes("K " + node.id() + ' ' + name.text);
    }

    @Override
    public void invalidate(Object key, Invalidation how) {
        server.send(invalidating(name(key), how));
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) {
        List<Server.Command> commands =
                keys.stream().map(key -> invalidating(name(key), how)).toList();
        server.sendAll(commands).forEach(Server.Answer::orThrow);
    }

    private Server.Command invalidating(Name name, Invalidation how) {
        return server.script(
                RedisScript.INVALIDATE,
                List.of(name.record),
                List.of(Texts.bytes(how.name()), names.inboxes(), nearChannel, nearMessage(name)));
    }

    @Override
    public void invalidateAll(Invalidation how) {
        generations.begin(Texts.bytes(how.name()));
    }

    @Override
    public Slot.Watch watchAll(Consumer<@Nullable String> changed) {
        near.add(changed);
        Slot.Watch pushes = inbox.watchAll(region, changed);
        return new Slot.Watch() {
            @Override
            public boolean live() {
                return pushes.live();
            }

            @Override
            public void close() {
                near.remove(changed);
                pushes.close();
            }
        };
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            watchOfGenerations.close();
            node.closed(this);
        }
    }

    @Override
    public String toString() {
        return "region '" + region + "' on " + node;
    }

    /** A record as it was seen. Immutable. */
    private final class Sight implements Slot.Seen<V> {
        private final Name name;
        private final RedisRecord.@Nullable Stamps stamps;
        private final ValueFormat.@Nullable Result<V> result;
        private final RedisRecord.@Nullable Lease held;
        private final Generations.Both known;
        private final long readAtMillis;
        private final long bornAt;
        private final long freshUntil;
        private final long usableUntil;

        /** Stamps that are shown are of no older generation than the known hard one. */
        Sight(
                Name name,
                RedisRecord.@Nullable Stamps stamps,
                ValueFormat.@Nullable Result<V> result,
                RedisRecord.@Nullable Lease held,
                Generations.Both known,
                ServerClock clock,
                long readAtMillis) {
            this.name = name;
            this.stamps = stamps;
            this.result = result;
            this.held = held;
            this.known = known;
            this.readAtMillis = readAtMillis;
            if (stamps == null || result == null || result.stamps() == null) {
                this.bornAt = Long.MIN_VALUE;
                this.freshUntil = Long.MIN_VALUE;
                this.usableUntil = Long.MIN_VALUE;
            } else {
                this.bornAt = clock.nanosOf(stamps.storedAtMillis());
                this.usableUntil = end(clock, stamps.hardAtMillis());
                boolean stale = stamps.isDeclaredStale()
                        || stamps.generation() < known.soft()
                        || stamps.isFromTheFuture(readAtMillis);
                this.freshUntil = stale ? Long.MIN_VALUE : Math.min(end(clock, stamps.softAtMillis()), usableUntil);
            }
        }

        private static long end(ServerClock clock, long millis) {
            return millis == 0 ? Slot.NEVER : clock.nanosOf(millis);
        }

        /** There is a value, which is of use to others perhaps. */
        boolean isUnreadable() {
            return stamps != null && !present();
        }

        private Envelope.@Nullable Stamps envelope() {
            return result == null || stamps == null ? null : result.stamps();
        }

        @Override
        public boolean present() {
            return envelope() != null;
        }

        @Override
        public @Nullable V value() {
            return result == null || stamps == null ? null : result.value();
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
            return stamps == null ? 0 : Duration.ofMillis(stamps.costMillis()).toNanos();
        }

        @Override
        public boolean creating() {
            return held != null && isHeldFor(held);
        }

        /** Whether the lease is good: neither over, nor from before the clock was set back, nor of an older generation. */
        private boolean isHeldFor(RedisRecord.Lease lease) {
            long left = lease.expiryMillis() - readAtMillis;
            return left > 0
                    && left <= lease.lengthMillis() + CLOCKS_DIFFER
                    && lease.generation() >= Math.max(known.hard(), known.soft());
        }

        @Override
        public long version() {
            return stamps == null ? 0 : stamps.fence();
        }

        @Override
        public Instant createdAt() {
            Envelope.Stamps written = envelope();
            return written == null ? Instant.EPOCH : Instant.ofEpochMilli(written.createdAtMillis());
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) {
            return RedisPartition.this.claim(this, wish);
        }
    }

    /**
     * A right: its nonce decides, its fence numbers it.
     *
     * <pre>
     *   HELD ──published, or refused──► ENDED
     *     └─────no answer─────────────► UNKNOWN
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
        private final String nonce;
        private final long fence;
        private final Sight seen;
        private volatile State state = State.HELD;

        Right(Name name, String nonce, long fence, Sight seen) {
            this.name = name;
            this.nonce = nonce;
            this.fence = fence;
            this.seen = seen;
        }

        @Override
        public long fencingToken() {
            return fence;
        }

        @Override
        public Duration lease() {
            return lease;
        }

        @Override
        public boolean renew() {
            return renewed((List<?>) Objects.requireNonNull(server.send(renewing())));
        }

        Server.Command renewing() {
            Generations.Both known = generations.known();
            return server.script(
                    RedisScript.RENEW,
                    keys(name),
                    List.of(
                            Texts.bytes(nonce),
                            leaseMillis,
                            lingerMillis,
                            Texts.bytes(known.hard()),
                            Texts.bytes(known.soft())));
        }

        boolean renewed(List<?> reply) {
            return (Long) reply.get(0) == 1;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) {
            if (state == State.ENDED) {
                return new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
            }
            Draft one = drafted(draft);
            Server.Command command = one.command;
            if (command == null) {
                return unstored(one);
            }
            long sent = time.nanos();
            try {
                return published(one, (List<?>) Objects.requireNonNull(server.send(command)), sent);
            } catch (RuntimeException notKnown) {
                state = State.UNKNOWN;
                giveBackLater(name, nonce); // else who waits would wait for the whole lease
                throw notKnown;
            }
        }

        /** A draft as it will be sent; without a command if it cannot be written. */
        private final class Draft {
            final boolean keep;
            final Envelope.Stamps stamps;
            final @Nullable V value;
            final Server.@Nullable Command command;
            final @Nullable Exception trouble;

            Draft(Slot.Draft<V> draft, boolean keep) {
                this.keep = keep;
                this.stamps = ValueFormat.stamps(fence, time.instant(), draft, 0);
                this.value = draft.value();
                Server.Command written = null;
                Exception notWritten = null;
                try {
                    written = publishing(stamps, format.write(name.full, stamps, draft.value()), keep);
                } catch (Exception e) {
                    notWritten = e;
                }
                this.command = written;
                this.trouble = notWritten;
            }
        }

        /** What a newer node wrote is not overwritten at once: else old and new nodes undo each other's work in turn. */
        Draft drafted(Slot.Draft<V> draft) {
            boolean newerWriters = seen.result != null && seen.result.isNewerWriters();
            return new Draft(draft, draft.keep() && !newerWriters);
        }

        private Server.Command publishing(Envelope.Stamps stamps, byte[] envelope, boolean keep) {
            Generations.Both known = generations.known();
            return server.script(
                    RedisScript.PUBLISH,
                    keys(name),
                    List.of(
                            Texts.bytes(nonce),
                            Texts.bytes(fence),
                            envelope,
                            Texts.bytes(stamps.softTtlMillis()),
                            Texts.bytes(stamps.hardTtlMillis()),
                            Texts.bytes(stamps.costMillis()),
                            keep ? YES : NO,
                            Texts.bytes(known.hard()),
                            Texts.bytes(known.soft()),
                            node.pushMax(),
                            names.inboxes(),
                            nearChannel,
                            nearMessage(name)));
        }

        Slot.Published<V> unstored(Draft draft) {
            giveBackLater(name, nonce);
            return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, draft.trouble);
        }

        Slot.Published<V> published(Draft draft, List<?> reply, long sent) {
            state = State.ENDED;
            clocks.answered(name.record, sent, (Long) reply.get(1));
            RedisRecord.Stamps stamps = RedisRecord.Stamps.parse((byte[]) reply.get(2));
            if ((Long) reply.get(0) == 0) {
                Sight successor = sight(name, stamps, (byte[]) reply.get(3), null, generations.known());
                return successor.present()
                        ? new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, successor)
                        : new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
            }
            if (!draft.keep || stamps == null) {
                return new Slot.Published<>(Slot.Published.Outcome.STORED, null);
            }
            ServerClock clock = clocks.of(name.record);
            ValueFormat.Result<V> result = new ValueFormat.Result<>(draft.stamps, draft.value, null);
            Sight stored =
                    new Sight(name, stamps, result, null, generations.known(), clock, clock.millisAt(time.nanos()));
            return new Slot.Published<>(Slot.Published.Outcome.STORED, stored);
        }

        /** Where the publication was not answered the caller has waited enough, and this is done behind. */
        @Override
        public void abandon(@Nullable Throwable cause) {
            if (state == State.UNKNOWN) {
                node.later(() -> RedisPartition.this.abandon(name, nonce, cause));
            } else {
                RedisPartition.this.abandon(name, nonce, cause);
            }
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
            List<Server.Answer> answers =
                    server.sendAll(rights.values().stream().map(Right::renewing).toList());
            Set<Object> lost = new LinkedHashSet<>();
            int next = 0;
            for (Map.Entry<Object, Right> each : rights.entrySet()) {
                if (!each.getValue().renewed(answers.get(next++).list())) {
                    lost.add(each.getKey());
                }
            }
            return lost;
        }

        @Override
        public Map<Object, Slot.Published<V>> publishAll(Map<Object, Slot.Draft<V>> drafts) {
            Map<Object, Slot.Published<V>> published = new LinkedHashMap<>();
            Map<Object, Right.Draft> sending = new LinkedHashMap<>();
            List<Server.Command> commands = new ArrayList<>();
            rights.forEach((key, right) -> {
                Slot.Draft<V> draft = drafts.get(key);
                if (draft == null) {
                    commands.add(abandoning(right.name, right.nonce, null));
                    return;
                }
                Right.Draft one = right.drafted(draft);
                if (one.command == null) {
                    published.put(key, right.unstored(one));
                } else {
                    sending.put(key, one);
                }
            });
            int first = commands.size();
            sending.values().forEach(one -> commands.add(Objects.requireNonNull(one.command)));
            long sent = time.nanos();
            List<Server.Answer> answers;
            try {
                answers = server.sendAll(commands);
            } catch (RuntimeException notKnown) {
                rights.values().forEach(right -> right.state = Right.State.UNKNOWN);
                throw notKnown;
            }
            int next = first;
            for (Map.Entry<Object, Right.Draft> each : sending.entrySet()) {
                Right right = Objects.requireNonNull(rights.get(each.getKey()));
                Server.Answer answer = answers.get(next++);
                if (answer.failure() == null) {
                    published.put(each.getKey(), right.published(each.getValue(), answer.list(), sent));
                } else {
                    giveBackLater(right.name, right.nonce);
                    published.put(
                            each.getKey(),
                            new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, answer.failure()));
                }
            }
            return published;
        }

        @Override
        public void abandonAll(@Nullable Throwable cause) {
            List<Server.Command> commands = rights.values().stream()
                    .map(right -> abandoning(right.name, right.nonce, cause))
                    .toList();
            if (rights.values().stream().anyMatch(right -> right.state == Right.State.UNKNOWN)) {
                node.later(() -> server.sendAll(commands));
            } else {
                server.sendAll(commands).forEach(Server.Answer::orThrow);
            }
        }
    }
}
