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
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A region's values in Redis: one {@linkplain RedisRecord record} for each key. What is read is judged here, by the
 * server's time as it is known ({@link RedisSight}); what is claimed, published or given back is judged by the server, in one
 * step ({@link RedisScript}).
 */
final class RedisPartition<V> implements Partition<V> {
    private final RedisNode node;
    private final Server server;
    private final String region;
    private final Function<Object, String> texts;
    private final ValueFormat<V> format;
    private final TimeSource time;
    private final Duration lease;
    private final Clocks clocks;
    private final Generations generations;
    private final RegionCommands commands;
    private final RedisClaims<V> claims;
    private final List<Consumer<@Nullable String>> near = new CopyOnWriteArrayList<>();
    private final Slot.Watch watchOfGenerations;
    private final AtomicBoolean closed = new AtomicBoolean();

    RedisPartition(RedisNode node, Opening<V> opening, Serializer<V> serializer) {
        this.node = node;
        this.server = node.server();
        this.region = opening.region();
        this.texts = opening.texts();
        this.format = new ValueFormat<>(opening, serializer);
        this.time = opening.time();
        this.lease = opening.lease();
        this.clocks = new Clocks(time, server.isCluster());
        this.generations =
                new Generations(server, node.names(), region, clocks, () -> near.forEach(one -> one.accept(null)));
        this.commands = new RegionCommands(node, opening, generations);
        this.claims = new RedisClaims<>(this, node, time);
        this.watchOfGenerations = node.inbox().watchGenerations(region, generations);
    }

    /** Called each second: others may have begun a generation without this node being told. */
    void refreshGenerations() {
        generations.ask();
    }

    // For claims and rights

    Server server() {
        return server;
    }

    RegionCommands commands() {
        return commands;
    }

    Duration lease() {
        return lease;
    }

    long now() {
        return time.nanos();
    }

    /** How a key appears in messages. */
    String shown(RecordName name) {
        return "region '" + region + "', key '" + Texts.cut(name.text()) + "'";
    }

    /** The server answered, and told its time. */
    void answered(RecordName name, long sent, long serverMillis) {
        clocks.answered(name.record(), sent, serverMillis);
    }

    void learn(@Nullable Object bothGenerations) {
        generations.learn(Generations.Both.parse(Texts.ofOrNull(bothGenerations)));
    }

    Envelope.Stamps stamps(long fence, Slot.Draft<V> draft) {
        return ValueFormat.stamps(fence, time.instant(), draft, 0);
    }

    byte[] written(RecordName name, Envelope.Stamps stamps, @Nullable V value) throws Exception {
        return format.write(name.full(), stamps, value);
    }

    /** For a right that may have been granted without this node being told. */
    void giveBackLater(RecordName name, String nonce) {
        node.later(() -> server.send(commands.abandon(name, nonce, null)));
    }

    RedisSight<V> own(Object key, Slot.Seen<V> seen) {
        if (seen instanceof RedisSight<V> sight) {
            return sight;
        }
        throw new IllegalArgumentException("region '" + region + "', key '" + key + "': seen by another partition");
    }

    private RecordName name(Object key) {
        String text = texts.apply(key);
        String full = node.names().key(region, text);
        return new RecordName(key, text, full, Texts.bytes(full));
    }

    @Override
    public Slot<V> slot(Object key) {
        RecordName name = name(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() {
                return RedisPartition.this.read(name);
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return node.inbox()
                        .watch(name.full(), push -> changed.accept(push == null ? null : pushed(name, push)));
            }
        };
    }

    // Reading

    private RedisSight<V> read(RecordName name) {
        generations.known(); // with it comes the server's time
        if (!node.isStrict()) {
            return sight(name, (List<?>) Objects.requireNonNull(server.send(commands.read(name))));
        }
        List<Server.Answer> answers = server.sendAll(List.of(commands.readGenerations(), commands.read(name)));
        learn(answers.get(0).orThrow());
        return sight(name, answers.get(1).list());
    }

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) {
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        if (keys.isEmpty()) {
            return seen;
        }
        generations.known();
        List<RecordName> all = keys.stream().map(this::name).toList();
        List<Server.Command> reading = new ArrayList<>();
        all.forEach(name -> reading.add(commands.read(name)));
        if (node.isStrict()) {
            reading.add(commands.readGenerations());
        }
        List<Server.Answer> answers = server.sendAll(reading);
        if (node.isStrict()) {
            learn(answers.get(all.size()).orThrow());
        }
        for (int i = 0; i < all.size(); i++) {
            seen.put(all.get(i).key(), sight(all.get(i), answers.get(i).list()));
        }
        return seen;
    }

    private RedisSight<V> sight(RecordName name, List<?> fields) {
        return sight(
                name,
                RedisRecord.Stamps.parse((byte[]) fields.get(1)),
                (byte[]) fields.get(0),
                RedisRecord.Lease.parse((byte[]) fields.get(2)));
    }

    RedisSight<V> sight(
            RecordName name,
            RedisRecord.@Nullable Stamps stamps,
            byte @Nullable [] envelope,
            RedisRecord.@Nullable Lease held) {
        if (stamps == null || stamps.generation() < generations.known().hard()) {
            return sight(name, null, (ValueFormat.Result<V>) null, held);
        }
        ValueFormat.Result<V> result = envelope == null
                ? new ValueFormat.Result<>(null, null, null)
                : format.read(name.key(), name.full(), envelope);
        return sight(name, stamps, result, held);
    }

    /** Of a value that is known here, as the server has just stamped it. */
    RedisSight<V> sightOf(RecordName name, RedisRecord.Stamps stamps, ValueFormat.Result<V> result) {
        return sight(name, stamps, result, null);
    }

    private RedisSight<V> sight(
            RecordName name,
            RedisRecord.@Nullable Stamps stamps,
            ValueFormat.@Nullable Result<V> result,
            RedisRecord.@Nullable Lease held) {
        ServerClock clock = clocks.of(name.record());
        long now = clock.millisAt(time.nanos());
        return new RedisSight<>(claims, name, stamps, result, held, generations.known(), clock, now);
    }

    /** A pushed value, or null for "look again". */
    private @Nullable RedisSight<V> pushed(RecordName name, Push.Changed push) {
        byte[] envelope = push.envelope();
        RedisRecord.Stamps stamps = push.stamps();
        if (envelope == null || stamps == null || !clocks.of(name.record()).isKnown()) {
            return null;
        }
        Generations.Both known = generations.known();
        WaitingPlace place = node.inbox().place(name.full());
        if (stamps.generation() < Math.max(known.hard(), known.soft()) || place == null || !place.takes(stamps)) {
            return null;
        }
        RedisSight<V> sight = sight(name, stamps, envelope, null);
        return sight.present() ? sight : null;
    }

    // Rights

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) {
        return claims.claimAll(asked);
    }

    @Override
    public Grants<Object, V> together(Map<Object, Slot.Grant<V>> grants) {
        Map<Object, RedisRight<V>> rights = new LinkedHashMap<>();
        grants.forEach((key, grant) -> {
            if (!(grant instanceof RedisRight<V> right)) {
                throw new IllegalArgumentException("region '" + region + "': a right of another partition: " + grant);
            }
            rights.put(key, right);
        });
        return new RedisRights<>(this, rights);
    }

    // Writing

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        server.send(putting(name(key), draft));
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        List<Server.Command> putting = new ArrayList<>();
        for (Map.Entry<Object, Slot.Draft<V>> each : drafts.entrySet()) {
            putting.add(putting(name(each.getKey()), each.getValue()));
        }
        server.sendAll(putting).forEach(Server.Answer::orThrow);
    }

    private Server.Command putting(RecordName name, Slot.Draft<V> draft) throws Exception {
        Envelope.Stamps stamps = stamps(0, draft);
        return commands.put(name, stamps, written(name, stamps, draft.value()));
    }

    @Override
    public void invalidate(Object key, Invalidation how) {
        server.send(commands.invalidate(name(key), how));
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) {
        server.sendAll(keys.stream()
                        .map(key -> commands.invalidate(name(key), how))
                        .toList())
                .forEach(Server.Answer::orThrow);
    }

    @Override
    public void invalidateAll(Invalidation how) {
        generations.begin(how);
    }

    @Override
    public Slot.Watch watchAll(Consumer<@Nullable String> changed) {
        near.add(changed);
        Slot.Watch pushes = node.inbox().watchAll(region, changed);
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
}
