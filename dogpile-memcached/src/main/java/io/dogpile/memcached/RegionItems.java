package io.dogpile.memcached;

import io.dogpile.cache.backend.Decoded;
import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.EnvelopeSeen;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A region's items: their names, how a value is written into one and read out of it, for how long they live, and the marks
 * that they are valid under.
 *
 * <p>Lives are judged here, by the stamps in the envelope and this machine's clock; the server's time to live is a ceiling.
 *
 * <p>Thread-safe.
 */
final class RegionItems<V> {
    /** A value from further in the future was stamped by a clock that is wrong: nobody knows how old it is. */
    private static final long CLOCKS_DIFFER_MILLIS = 5_000;

    private final Member member;
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

    /** Keys of the items whose rights this JVM has. */
    private final Set<String> createdHere = ConcurrentHashMap.newKeySet();

    RegionItems(Member member, Opening<V> opening, Serializer<V> serializer) {
        this.member = member;
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
        this.generations = new Generations(
                server(), time, member.names().hard(region), member.names().soft(region));
    }

    Member member() {
        return member;
    }

    Server server() {
        return member.server();
    }

    Generations generations() {
        return generations;
    }

    Opening.Backoff backoff() {
        return backoff;
    }

    /** For how long a right is good at least. */
    Duration lease() {
        return lease;
    }

    /** What the server is told of it. */
    int leaseTtl() {
        return leaseTtl;
    }

    long nowNanos() {
        return time.nanos();
    }

    /** By the clock that all who share the servers judge by. */
    long nowMillis() {
        return time.instant().toEpochMilli();
    }

    /** Numbers begin anew with the server, so that one may come again: the longer a right is used, the likelier. */
    boolean mayStillCreate(long grantedAtNanos) {
        return time.nanos() - grantedAtNanos <= maxCreationNanos;
    }

    // Names

    ItemName name(Object key) {
        String text = texts.apply(key);
        Item value = member.names().value(region, text);
        return new ItemName(
                key,
                text,
                member.names().full(region, text),
                value,
                member.names().lease(value));
    }

    /** Of messages. */
    String called(ItemName name) {
        return "region '" + region + "', key '" + name.text() + "'";
    }

    String region() {
        return region;
    }

    // Whose rights these are

    void createsHere(ItemName name) {
        createdHere.add(name.value().key());
    }

    void createsHereNoMore(ItemName name) {
        createdHere.remove(name.value().key());
    }

    boolean isCreatedHere(ItemName name) {
        return createdHere.contains(name.value().key());
    }

    // Reading

    MemcachedSight<V> sight(ItemName name, Answer found, Generations.Marks marks) {
        byte[] bytes = found.data();
        if (bytes == null) {
            return sight(name, 0, null, marks);
        }
        Decoded<Envelope> opened = open(name, bytes);
        boolean gone = opened.readable()
                && (opened.get().is(Envelope.TOMBSTONE)
                        || Generations.Marks.of(opened.get().stamps().generation())
                                        .hard()
                                != marks.hard());
        return sight(name, found.cas(), gone ? null : format.read(name.key(), opened), marks);
    }

    MemcachedSight<V> sight(ItemName name, long cas, ValueFormat.@Nullable Result<V> result, Generations.Marks marks) {
        return new MemcachedSight<>(this, name, cas, result, deadlines(result, marks));
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

    private Decoded<Envelope> open(ItemName name, byte[] bytes) {
        return format.open(name.full(), bytes);
    }

    // Writing

    Packed packed(ItemName name, Slot.Draft<V> draft, Generations.Marks marks) throws Exception {
        Envelope.Stamps stamps = ValueFormat.stamps(member.newVersion(), time.instant(), draft, marks.packed());
        byte[] bytes = format.write(name.full(), stamps, draft.value());
        int most = member.maxItemBytes();
        if (bytes.length + name.value().key().length() > most) {
            throw new IllegalArgumentException("region '" + region + "': the value of key '" + name.text()
                    + "' makes an item of " + bytes.length + " bytes and its key, more than maxItemBytes = " + most
                    + ", and is not stored; keep less, or raise the limit here and the server's, -I");
        }
        return new Packed(stamps, bytes, ttl(stamps.hardTtlMillis()));
    }

    /** Stands where a value was, for as long as a right may be used: what is created now does not find the place as it was. */
    Packed tombstone(ItemName name) {
        Envelope.Stamps stamps = new Envelope.Stamps(member.newVersion(), nowMillis(), 0, 0, 0, Generations.NONE);
        byte[] bytes =
                Envelope.of(stamps, Envelope.TOMBSTONE, 0, new byte[0]).encode(name.inBytes(), Envelope.Codec.NONE);
        return new Packed(stamps, bytes, tombstoneTtl);
    }

    /** The same value, of a mark that no region has; a tombstone in place of what is no value. */
    Packed declaredStale(ItemName name, byte[] found) {
        Decoded<Envelope> opened = open(name, found);
        if (!opened.readable() || opened.get().is(Envelope.TOMBSTONE)) {
            return tombstone(name);
        }
        Envelope.Stamps before = opened.get().stamps();
        Generations.Marks marks =
                new Generations.Marks(Generations.Marks.of(before.generation()).hard(), Generations.NONE);
        Envelope stale = opened.get().ofGeneration(marks.packed());
        long life = before.hardTtlMillis();
        long left = life == 0 ? 0 : Math.max(1, life - Math.max(0, before.ageMillis(time.instant())));
        return new Packed(stale.stamps(), stale.encode(name.inBytes(), Envelope.Codec.NONE), ttl(left));
    }

    private static int ttl(long lifeMillis) {
        return lifeMillis == 0 ? Ttl.NEVER : Ttl.atLeast(Duration.ofMillis(lifeMillis));
    }

    @Override
    public String toString() {
        return "region '" + region + "' on " + member;
    }
}
