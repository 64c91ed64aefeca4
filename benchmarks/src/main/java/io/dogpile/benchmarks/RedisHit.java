package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.alicp.jetcache.Cache;
import io.dogpile.cache.Region;
import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SynchronizedHistogram;
import org.jspecify.annotations.Nullable;
import org.redisson.api.RedissonClient;
import redis.clients.jedis.RedisClient;

/**
 * Hits on values of 1 KiB in Redis. Each round every contender has its turn, in another order each round; the figures are
 * medians over the rounds. The commands are counted apart, since that slows the server down.
 */
public final class RedisHit {
    private static final int KEYS = 1_000;
    private static final int ROUNDS = 21;
    private static final int WARM_UP_ROUNDS = 5;
    private static final long ROUND_MILLIS = 300;
    private static final int SEED = 4;
    private static final int COUNTED_HITS = 320;

    private static final String JEDIS = "Jedis GET";
    private static final String REGION = "Region.getOrCreate on RedisBackend";
    private static final int CONTENDERS = 6;

    private static final List<Setting> SETTINGS = List.of(
            new Setting("1 thread, 1,000 keys", 1, KEYS, 0.95),
            new Setting("16 threads, 1,000 keys", 16, KEYS, 0.9),
            new Setting("16 threads, one hot key", 16, 1, 1.3));

    /**
     * A table.
     *
     * @param atLeast the goal, x the throughput of a raw GET
     */
    private record Setting(String title, int threads, int keys, double atLeast) {}

    /** A client as it is asked. */
    @FunctionalInterface
    private interface Client {
        @Nullable
        Object get(String key) throws Exception;
    }

    /** A client, and what was seen of it in one setting. */
    private static final class Contender {
        final String title;
        final Client client;
        final List<Double> rates = new ArrayList<>();
        final Histogram latency = new SynchronizedHistogram(3);
        String commands = "";
        double commandsPerHit = Double.NaN;

        Contender(String title, Client client) {
            this.title = title;
            this.client = client;
        }

        Contender afresh() {
            return new Contender(title, client);
        }

        double rate() {
            return Table.median(rates.stream().mapToDouble(Double::doubleValue).toArray());
        }

        double extreme(boolean largest) {
            var all = rates.stream().mapToDouble(Double::doubleValue);
            return (largest ? all.max() : all.min()).orElse(Double.NaN);
        }
    }

    private RedisHit() {}

    static long expectedSeconds() {
        return SETTINGS.size() * CONTENDERS * (ROUNDS + WARM_UP_ROUNDS) * ROUND_MILLIS / 1_000 + 10;
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
        run(WARM_UP_ROUNDS, ROUNDS);
    }

    static void run(int warmUpRounds, int rounds) throws Exception {
        try (RedisServer server = RedisServer.start();
                RedisClient jedis = Peers.jedis(server.port());
                RedisBackend backend = RedisBackend.of(jedis)) {
            RedissonClient redisson = Peers.redisson(server.port());
            io.lettuce.core.RedisClient lettuce = Peers.lettuce(server.port());
            try {
                List<Contender> all = contenders(jedis, backend, lettuce, redisson);
                System.out.println("\n" + Peers.version(server) + ", values of 1 KiB");
                for (Setting setting : SETTINGS) {
                    print(setting, rounds, measure(server, setting, warmUpRounds, rounds, all));
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
            String key = key(i);
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

    private static String key(int number) {
        return "user:profile:" + number;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static List<Contender> measure(
            RedisServer server, Setting setting, int warmUpRounds, int rounds, List<Contender> contenders)
            throws Exception {
        List<Contender> all = contenders.stream().map(Contender::afresh).toList();
        // Not in turn, since a turn begins better after some than after others: they leave the cores awake.
        Random order = new Random(SEED);
        for (int round = -warmUpRounds; round < rounds; round++) {
            Progress.show(setting.title() + (round < 0 ? ", warming up" : ", round " + (round + 1) + " of " + rounds));
            List<Contender> turns = new ArrayList<>(all);
            Collections.shuffle(turns, order);
            for (Contender next : turns) {
                Histogram latency = round < 0 ? new SynchronizedHistogram(3) : next.latency;
                long began = System.nanoTime();
                long hits = hit(setting, next.client, TimeUnit.MILLISECONDS.toNanos(ROUND_MILLIS), latency);
                if (round >= 0) {
                    next.rates.add(hits * 1e9 / (System.nanoTime() - began));
                }
            }
        }
        Progress.show(setting.title() + ", counting commands");
        for (Contender each : all) {
            count(server, setting, each);
        }
        Progress.end();
        return all;
    }

    /** As many threads as the setting has hit for that long; or, told to hit for no time, {@link #COUNTED_HITS} in all. */
    private static long hit(Setting setting, Client client, long nanos, Histogram latency) throws Exception {
        LongAdder hits = new LongAdder();
        AtomicReference<@Nullable Exception> trouble = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(setting.threads());
        String[] keys = new String[setting.keys()];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = key(i);
        }
        long end = System.nanoTime() + nanos;
        for (int thread = 0; thread < setting.threads(); thread++) {
            int first = thread * 131;
            new Thread(() -> {
                        Histogram own = new Histogram(3);
                        long mine = 0;
                        try {
                            long before = System.nanoTime();
                            while (nanos == 0 ? mine < COUNTED_HITS / setting.threads() : before < end) {
                                if (client.get(keys[(int) ((first + mine) % keys.length)]) == null) {
                                    throw new IllegalStateException("a miss");
                                }
                                long after = System.nanoTime();
                                own.recordValue(after - before);
                                before = after;
                                mine++;
                            }
                        } catch (Exception e) {
                            trouble.set(e);
                        } finally {
                            hits.add(mine);
                            latency.add(own);
                            done.countDown();
                        }
                    })
                    .start();
        }
        done.await();
        Exception failed = trouble.get();
        if (failed != null) {
            throw failed;
        }
        return hits.sum();
    }

    private static void count(RedisServer server, Setting setting, Contender contender) throws Exception {
        ClientCommands commands =
                ClientCommands.of(server, () -> hit(setting, contender.client, 0, new SynchronizedHistogram(3)));
        contender.commands = String.join(" ", commands.byName().keySet());
        contender.commandsPerHit = (double) commands.total() / COUNTED_HITS;
    }

    private static void print(Setting setting, int rounds, List<Contender> all) {
        Contender jedis = of(JEDIS, all);
        Contender region = of(REGION, all);
        System.out.println("\n### Hit in Redis, " + setting.title() + ", medians of " + rounds + " short rounds");
        Table table =
                new Table("", "ops/s", "x " + JEDIS, "least", "most", "p50, us", "p99, us", "commands a hit", "which");
        for (Contender each : all) {
            table.row(
                    each.title,
                    number(each.rate(), 0),
                    number(each.rate() / jedis.rate(), 2),
                    number(each.extreme(false), 0),
                    number(each.extreme(true), 0),
                    number(each.latency.getValueAtPercentile(50) / 1e3, 1),
                    number(each.latency.getValueAtPercentile(99) / 1e3, 1),
                    number(each.commandsPerHit, 3),
                    each.commands);
        }
        table.print(System.out);
        Goal.atLeast(setting.title() + ": ops/s, x " + JEDIS, region.rate() / jedis.rate(), setting.atLeast())
                .print();
        Goal.atMost(setting.title() + ": commands a hit", region.commandsPerHit, 1)
                .print();
    }

    private static Contender of(String title, List<Contender> all) {
        return all.stream().filter(each -> each.title.equals(title)).findFirst().orElseThrow();
    }
}
