package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.TieredBackend;
import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.redisson.api.RLocalCachedMap;
import org.redisson.api.RedissonClient;
import org.redisson.api.options.LocalCachedMapOptions;
import org.redisson.client.codec.StringCodec;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.csc.DefaultCache;

/**
 * Copies in the JVM of what is in Redis: how long after a write through one client another still reads the old value. The
 * reader does nothing else meanwhile. Each round every contender has its turn, and each round another is first.
 */
public final class NearCaches {
    private static final int ROUNDS = 400;
    /** So often that the writes are compiled, too. */
    private static final int WARM_UP_ROUNDS_FOR_EACH = 10;

    private static final int KEYS = 64;
    private static final int READS_BEFORE = 20;
    private static final long SETTLE_MILLIS = 2;
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final double P50_TO_TRACKING = 1.2;
    private static final double P99_TO_REDISSON = 0.5;

    static final Duration LIFE = Duration.ofHours(1);

    private NearCaches() {}

    static long expectedSeconds() {
        return 90;
    }

    /** One client of the two. */
    interface Side {
        @Nullable
        String get(String key);

        void put(String key, String value);
    }

    /** Two clients, and what was seen of them. */
    private static final class Contender {
        final String title;
        final Side reader;
        final Side writer;
        final Histogram fromCall = new Histogram(3);
        final Histogram fromReply = new Histogram(3);
        int late;

        Contender(String title, Side reader, Side writer) {
            this.title = title;
            this.reader = reader;
            this.writer = writer;
        }
    }

    /** Asks for Redis 7.4 unless told not to; what it needs of the protocol is in 6.0. */
    private static final class ForOlderServers extends DefaultCache {
        ForOlderServers() {
            super(Keys.CAPACITY);
        }

        @Override
        public boolean compatibilityMode() {
            return true;
        }
    }

    static RedisClient tracking(int port) {
        return RedisClient.builder()
                .hostAndPort(Peers.HOST, port)
                .clientConfig(DefaultJedisClientConfig.builder().resp3().build())
                .poolConfig(Peers.jedisPool())
                .cache(new ForOlderServers())
                .build();
    }

    static RLocalCachedMap<String, String> redisson(RedissonClient client, String name) {
        return client.getLocalCachedMap(LocalCachedMapOptions.<String, String>name(name)
                .codec(StringCodec.INSTANCE)
                .cacheSize(Keys.CAPACITY)
                .evictionPolicy(LocalCachedMapOptions.EvictionPolicy.LRU)
                .cacheProvider(LocalCachedMapOptions.CacheProvider.CAFFEINE)
                .syncStrategy(LocalCachedMapOptions.SyncStrategy.INVALIDATE)
                .timeToLive(LIFE));
    }

    static Backend tiered(Backend back) {
        return TieredBackend.of(MemoryBackend.ofEntries(Keys.CAPACITY), back, LIFE);
    }

    static RegionBuilder<String, String> region(String name, Backend backend) {
        return Region.builder(name, String.class, String.class)
                .backend(backend)
                .serializer(Serializer.string())
                .staleAfter(LIFE);
    }

    /** Measures on a server that runs. */
    static void run(RedisServer server, int rounds) throws InterruptedException {
        int port = server.port();
        try (RedisBackend ofReader = Peers.backend(port);
                RedisBackend ofWriter = Peers.backend(port);
                RedisClient tracking = tracking(port);
                RedisClient jedis = Peers.jedis(port);
                NearProbe probe = NearProbe.start(port)) {
            RedissonClient first = Peers.redisson(port);
            RedissonClient second = Peers.redisson(port);
            try {
                List<Contender> all = List.of(
                        new Contender(
                                "Region on TieredBackend over RedisBackend",
                                side(region("lag", tiered(ofReader)).build()),
                                side(region("lag", ofWriter).build())),
                        new Contender("Jedis tracking, its check of the version off", side(tracking), side(jedis)),
                        new Contender(
                                "Redisson RLocalCachedMap",
                                side(redisson(first, "lags")),
                                side(redisson(second, "lags"))),
                        new Contender("(limit probe: a map, SET and PUBLISH in a script)", probe, probe),
                        new Contender("(no copy: Jedis GET, again and again)", side(jedis), side(jedis)));
                measure(all, rounds);
                print(all, rounds);
            } finally {
                first.shutdown();
                second.shutdown();
            }
        }
    }

    /**
     * Runs it by itself.
     *
     * @param args none, or the number of rounds
     */
    public static void main(String[] args) throws InterruptedException {
        try (RedisServer server = RedisServer.start()) {
            run(server, args.length == 0 ? ROUNDS : Integer.parseInt(args[0]));
        }
        System.exit(0);
    }

    static void run(RedisServer server) throws InterruptedException {
        run(server, ROUNDS);
    }

    private static Side side(Region<String, String> region) {
        return new Side() {
            @Override
            public String get(String key) {
                return region.getOrCreate(key, () -> {
                    throw new IllegalStateException("a miss");
                });
            }

            @Override
            public void put(String key, String value) {
                region.put(key, value);
            }
        };
    }

    private static Side side(RedisClient client) {
        return new Side() {
            @Override
            public @Nullable String get(String key) {
                return client.get(key);
            }

            @Override
            public void put(String key, String value) {
                client.set(key, value);
            }
        };
    }

    private static Side side(RLocalCachedMap<String, String> map) {
        return new Side() {
            @Override
            public @Nullable String get(String key) {
                return map.get(key);
            }

            @Override
            public void put(String key, String value) {
                map.fastPut(key, value);
            }
        };
    }

    private static void measure(List<Contender> all, int rounds) throws InterruptedException {
        for (int round = -WARM_UP_ROUNDS_FOR_EACH * rounds; round < rounds; round++) {
            if (Math.floorMod(round, 50) == 0) {
                Progress.show("invalidation lag, round " + round + " of " + rounds);
            }
            for (int turn = 0; turn < all.size(); turn++) {
                replace(all.get(Math.floorMod(round + turn, all.size())), round);
            }
        }
        Progress.end();
    }

    private static void replace(Contender contender, int round) throws InterruptedException {
        String key = "inv:" + Math.floorMod(round, KEYS);
        String old = "old " + round;
        String fresh = "fresh " + round;
        contender.writer.put(key, old);
        awaitCopy(contender, key, old);
        AtomicLong seen = new AtomicLong();
        Thread reader = new Thread(() -> {
            long end = System.nanoTime() + LONGEST_NANOS;
            while (System.nanoTime() < end) {
                if (fresh.equals(contender.reader.get(key))) {
                    seen.set(System.nanoTime());
                    return;
                }
            }
        });
        reader.start();
        TimeUnit.MILLISECONDS.sleep(SETTLE_MILLIS);
        long called = System.nanoTime();
        contender.writer.put(key, fresh);
        long replied = System.nanoTime();
        reader.join();
        if (round < 0) {
            return;
        }
        if (seen.get() == 0) {
            contender.late++;
            return;
        }
        contender.fromCall.recordValue(Math.max(0, seen.get() - called));
        contender.fromReply.recordValue(Math.max(0, seen.get() - replied));
    }

    private static void awaitCopy(Contender contender, String key, String old) {
        long end = System.nanoTime() + LONGEST_NANOS;
        while (!old.equals(contender.reader.get(key)) && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        for (int i = 0; i < READS_BEFORE; i++) {
            contender.reader.get(key);
        }
    }

    private static void print(List<Contender> all, int rounds) {
        Results.heading("Another client's write until it is read, 1 key, " + rounds + " rounds in turn");
        Table table =
                new Table("ms", "p50 from the call", "p99", "max", "p50 from the reply", "p99", "max", "over 1 s");
        for (Contender each : all) {
            List<String> cells = new ArrayList<>(List.of(each.title));
            for (Histogram lag : List.of(each.fromCall, each.fromReply)) {
                cells.add(number(lag.getValueAtPercentile(50) / 1e6, 3));
                cells.add(number(lag.getValueAtPercentile(99) / 1e6, 3));
                cells.add(number(lag.getMaxValue() / 1e6, 3));
            }
            cells.add(Integer.toString(each.late));
            table.row(cells.toArray(String[]::new));
        }
        table.drawn(Chart.lowerIsBetter("p50 from the call", "p50 from the reply"))
                .print();
        Histogram region = all.get(0).fromCall;
        Goal.atMost("invalidation lag p50, x Jedis tracking's", ratio(region, all.get(1).fromCall, 50), P50_TO_TRACKING)
                .print();
        Goal.atMost("invalidation lag p99, x Redisson's", ratio(region, all.get(2).fromCall, 99), P99_TO_REDISSON)
                .print();
        Goal.atMost("copies older than 1 s after the write", all.get(0).late, 0).print();
    }

    private static double ratio(Histogram region, Histogram peer, double percentile) {
        return (double) region.getValueAtPercentile(percentile) / peer.getValueAtPercentile(percentile);
    }
}
