package io.dogpile.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.alicp.jetcache.Cache;
import io.dogpile.benchmarks.Throughput.Contender;
import io.dogpile.benchmarks.Throughput.Setting;
import io.dogpile.benchmarks.Throughput.Sizes;
import io.dogpile.cache.Region;
import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.redisson.api.RedissonClient;
import redis.clients.jedis.RedisClient;

/** Hits on values of 1 KiB in Redis. */
public final class RedisHit {
    private static final int KEYS = 1_000;

    private static final String JEDIS = "Jedis GET";
    private static final String REGION = "Region.getOrCreate on RedisBackend";
    private static final int CONTENDERS = 6;

    private static final List<Aim> AIMS = List.of(
            new Aim(new Setting("1 thread, 1,000 keys", 1, KEYS), 0.95),
            new Aim(new Setting("16 threads, 1,000 keys", 16, KEYS), 0.9),
            new Aim(new Setting("16 threads, one hot key", 16, 1), 1.3));

    /**
     * A table.
     *
     * @param atLeast the goal, x the throughput of a raw GET
     */
    private record Aim(Setting setting, double atLeast) {}

    private RedisHit() {}

    static long expectedSeconds() {
        return Sizes.USUAL.expectedSeconds(AIMS.size(), CONTENDERS) + 10;
    }

    /**
     * Runs it by itself.
     *
     * @param args none
     */
    public static void main(String[] args) throws Exception {
        run();
        System.exit(0);
    }

    static void run() throws Exception {
        run(Sizes.USUAL);
    }

    static void run(Sizes sizes) throws Exception {
        try (RedisServer server = RedisServer.start();
                RedisClient jedis = Peers.jedis(server.port());
                RedisBackend backend = RedisBackend.of(jedis)) {
            RedissonClient redisson = Peers.redisson(server.port());
            io.lettuce.core.RedisClient lettuce = Peers.lettuce(server.port());
            try {
                List<Contender> all = contenders(jedis, backend, lettuce, redisson);
                Results.note(Peers.version(server) + ", values of 1 KiB");
                for (Aim aim : AIMS) {
                    Throughput seen = Throughput.measure(aim.setting(), sizes, all, JEDIS)
                            .count(run -> ClientCommands.of(server, run));
                    seen.print("Hit in Redis", sizes.rounds());
                    seen.rateAtLeast(REGION, aim.atLeast()).print();
                    seen.commandsAtMost(REGION, 1).print();
                }
            } finally {
                lettuce.shutdown();
                redisson.shutdown();
            }
        }
    }

    /** Ours and the raw ones are on the same client, so on the same connections. */
    private static List<Contender> contenders(
            RedisClient jedis, RedisBackend backend, io.lettuce.core.RedisClient lettuce, RedissonClient redisson) {
        byte[] value = Peers.value();
        Region<String, byte[]> region = Peers.region("hits", backend).build();
        RedisCommands<byte[], byte[]> raw =
                lettuce.connect(ByteArrayCodec.INSTANCE).sync();
        Cache<String, byte[]> jet = Peers.jetCache(lettuce, "jet:")
                .expireAfterWrite(Peers.LIFE.toMinutes(), TimeUnit.MINUTES)
                .buildCache();
        for (int i = 0; i < KEYS; i++) {
            String key = Throughput.key(i);
            jedis.set(bytes("raw:" + key), value);
            region.put(key, value);
            jet.put(key, value);
            redisson.getBucket("bucket:" + key).set(value);
        }
        byte[][] fields = {bytes("v"), bytes("m"), bytes("l")};
        return List.of(
                new Contender(JEDIS, key -> jedis.get(bytes("raw:" + key))),
                new Contender(
                        "Jedis HMGET, of the same record",
                        key -> jedis.hmget(bytes(RedisBackend.DEFAULT_PREFIX + "hits:" + key), fields)
                                .get(0)),
                new Contender(
                        REGION,
                        key -> region.getOrCreate(key, () -> {
                            throw new IllegalStateException("a miss");
                        })),
                new Contender("Lettuce GET, one connection", key -> raw.get(bytes("raw:" + key))),
                new Contender(
                        "JetCache computeIfAbsent (Lettuce, Kryo5)",
                        key -> jet.computeIfAbsent(key, missed -> {
                            throw new IllegalStateException("a miss");
                        })),
                new Contender(
                        "Redisson RBucket.get",
                        key -> redisson.getBucket("bucket:" + key).get()));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
