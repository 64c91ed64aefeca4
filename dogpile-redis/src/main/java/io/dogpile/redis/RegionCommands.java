package io.dogpile.redis;

import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.core.Slot;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one region asks of the server, as commands: the arguments of each script in the order that stands above it.
 * The generations that are known go with each.
 */
final class RegionCommands {
    private static final byte[] YES = {'1'};
    private static final byte[] NO = {'0'};

    private final Server server;
    private final Generations generations;
    private final byte[] nodeId;
    private final byte[] pushMax;
    private final byte[] inboxes;
    private final byte[] nearChannel;
    private final String nearPrefix;
    private final byte[] leaseMillis;
    private final byte[] lingerMillis;
    private final Opening.Backoff backoff;

    RegionCommands(RedisNode node, Opening<?> opening, Generations generations) {
        this.server = node.server();
        this.generations = generations;
        this.nodeId = Texts.bytes(node.id());
        this.pushMax = node.pushMax();
        this.inboxes = node.names().inboxes();
        this.nearChannel = node.names().near(opening.region());
        this.nearPrefix = "K " + node.id() + ' ';
        this.leaseMillis = Texts.bytes(Math.max(1, opening.lease().toMillis()));
        this.lingerMillis = Texts.bytes(Math.max(0, opening.maxCreation().toMillis()));
        this.backoff = opening.backoff();
    }

    Server.Command read(RecordName name) {
        return server.hmget(name.record(), RedisRecord.VALUE, RedisRecord.STAMPS, RedisRecord.LEASE);
    }

    Server.Command readGenerations() {
        return server.get(generations.key());
    }

    /** {@code has} is the fence of the value that the caller has, {@code dead} a lease that it saw stand still. */
    Server.Command claim(
            RecordName name,
            String nonce,
            Slot.Wish wish,
            Slot.Wish.Reason reason,
            @Nullable Long has,
            @Nullable String dead) {
        Generations.Both known = generations.known();
        return server.script(
                RedisScript.CLAIM,
                keys(name),
                List.of(
                        Texts.bytes(nonce),
                        leaseMillis,
                        lingerMillis,
                        wish.willWait() ? nodeId : Texts.EMPTY,
                        Texts.bytes(known.hard()),
                        Texts.bytes(known.soft()),
                        has == null ? Texts.EMPTY : Texts.bytes(has),
                        Texts.bytes(reason.name().substring(0, 1)),
                        dead == null ? Texts.EMPTY : Texts.bytes(dead),
                        maxAge(wish)));
    }

    private static byte[] maxAge(Slot.Wish wish) {
        return wish.maxAgeNanos() == Slot.NEVER
                ? Texts.EMPTY
                : Texts.bytes(Duration.ofNanos(wish.maxAgeNanos()).toMillis());
    }

    Server.Command publish(
            RecordName name, String nonce, long fence, Envelope.Stamps stamps, byte[] envelope, boolean keep) {
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
                        pushMax,
                        inboxes,
                        nearChannel,
                        nearMessage(name)));
    }

    Server.Command put(RecordName name, Envelope.Stamps stamps, byte[] envelope) {
        Generations.Both known = generations.known();
        return server.script(
                RedisScript.PUT,
                keys(name),
                List.of(
                        envelope,
                        Texts.bytes(stamps.softTtlMillis()),
                        Texts.bytes(stamps.hardTtlMillis()),
                        Texts.bytes(stamps.costMillis()),
                        Texts.bytes(known.hard()),
                        Texts.bytes(known.soft()),
                        pushMax,
                        inboxes,
                        nearChannel,
                        nearMessage(name)));
    }

    Server.Command renew(RecordName name, String nonce) {
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

    Server.Command abandon(RecordName name, String nonce, @Nullable Throwable cause) {
        String failure = cause == null || !Opening.Backoff.counts(cause) ? null : Opening.Backoff.told(cause);
        return server.script(
                RedisScript.ABANDON,
                List.of(name.record()),
                List.of(
                        Texts.bytes(nonce),
                        Texts.bytes(failure == null ? "N" : "F"),
                        Texts.bytes(backoff.failures()),
                        Texts.bytes(backoff.first().toMillis()),
                        Texts.bytes(backoff.longest().toMillis()),
                        Texts.bytes(failure == null ? "" : failure),
                        inboxes));
    }

    Server.Command invalidate(RecordName name, Invalidation how) {
        return server.script(
                RedisScript.INVALIDATE,
                List.of(name.record()),
                List.of(Texts.bytes(how.name()), inboxes, nearChannel, nearMessage(name)));
    }

    /** In a cluster the generation may be on another node, and a script must not ask for it. */
    private List<byte[]> keys(RecordName name) {
        return server.isCluster() ? List.of(name.record()) : List.of(name.record(), generations.key());
    }

    private byte[] nearMessage(RecordName name) {
        return Texts.bytes(nearPrefix + name.text());
    }
}
