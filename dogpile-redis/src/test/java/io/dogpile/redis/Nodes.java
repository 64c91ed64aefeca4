package io.dogpile.redis;

import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.UnaryOperator;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;

/**
 * Nodes that share a Redis as several JVMs do: each has a client, an id and an inbox of its own. They end with this, the
 * last one first. For one thread at a time.
 */
final class Nodes {
    static final Duration FRESH = Duration.ofSeconds(60);
    static final Duration USABLE = Duration.ofSeconds(600);

    private final Deque<AutoCloseable> made = new ArrayDeque<>();

    <T extends AutoCloseable> T closing(T one) {
        made.push(one);
        return one;
    }

    /** One that does all that a node does. */
    RedisBackend node(RedisBackend.Builder builder) {
        return closing(builder.build());
    }

    /** The same, of a server without a password, with a time-out that a test can wait for. */
    RedisBackend node(HostAndPort at, Duration timeout) {
        return node(RedisBackend.builder().server(at.getHost(), at.getPort()).timeout(timeout));
    }

    RedisBackend node(RedisServer server) {
        return node(server.hostAndPort(), RedisServer.TIMEOUT);
    }

    /** One without heartbeats, inbox and questions by the clock: the server gets what the test does, and nothing else. */
    RedisNode silent(UnifiedJedis client, UnaryOperator<String> scripts) {
        return silent(client, scripts, RedisNode.Reads.BOUNDED);
    }

    RedisNode silent(UnifiedJedis client, UnaryOperator<String> scripts, RedisNode.Reads reads) {
        Server server = new Server(closing(client), Server.Owner.USER, new Health("of a test"), scripts);
        return closing(new RedisNode(server, new Names(RedisBackend.DEFAULT_PREFIX), Integer.MAX_VALUE, reads));
    }

    /** Keeps the inbox of a silent node subscribed, until the node is closed. */
    static void listen(RedisNode node) {
        new NodeThreads(node.server()).listen(node.inbox());
    }

    static RedisClient client(HostAndPort at, Duration timeout) {
        return RedisClient.builder()
                .hostAndPort(at)
                .clientConfig(DefaultJedisClientConfig.builder()
                        .timeoutMillis((int) timeout.toMillis())
                        .build())
                .build();
    }

    /** What a node sees of a region, with leases of this length, and rights that may publish for so long after. */
    static Partition<String> partition(
            RedisNode node, String region, Duration lease, Duration maxCreation, TimeSource time) {
        Opening<String> opening = new Opening<>(
                region,
                Object::toString,
                Serializer.string(),
                1 << 20,
                lease,
                maxCreation,
                Opening.Backoff.DEFAULT,
                time,
                DogpileListener.NONE);
        RedisPartition<String> partition = new RedisPartition<>(node, opening, Serializer.string());
        node.opened(partition);
        return partition;
    }

    static String record(String region, String key) {
        return new Names(RedisBackend.DEFAULT_PREFIX).key(region, key);
    }

    static Slot.Seen<String> read(Partition<String> partition, String key) throws Exception {
        return partition.slot(key).read();
    }

    /** Reads, and claims as one who needs a value and will wait. */
    static Slot.Claim<String> claim(Partition<String> partition, String key) throws Exception {
        return read(partition, key).claim(wish());
    }

    static Slot.Wish wish() {
        return new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, false);
    }

    static Slot.Draft<String> draft(String value) {
        return draft(value, FRESH, USABLE);
    }

    static Slot.Draft<String> draft(String value, Duration fresh, Duration usable) {
        return new Slot.Draft<>(value, fresh, usable, Duration.ofMillis(5), true);
    }

    /** Harmless twice. */
    void end() throws Exception {
        while (!made.isEmpty()) {
            made.pop().close();
        }
    }
}
