package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import com.google.common.collect.ImmutableSet;
import io.dogpile.benchmarks.Throughput.Contender;
import io.dogpile.benchmarks.Throughput.Setting;
import io.dogpile.benchmarks.Throughput.Sizes;
import io.dogpile.cache.Region;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.cache2k.Cache2kBuilder;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.RedisClient;

/** Many keys at once: the same cold ones by many callers, and hits. */
public final class Bulk {
    private static final int CALLERS = 32;
    private static final int COLD_KEYS = 3;
    private static final long CREATION_MILLIS = 100;
    private static final int ROUNDS = 5;
    private static final int KEYS = 100;
    private static final int CONTENDERS = 5;
    private static final int MOST_ENTRIES = 10_000;
    private static final Setting SETTING = new Setting("1 thread, " + KEYS + " keys a call", 1, 1);
    private static final String RAW = "Jedis MGET";
    private static final String IN_MEMORY = "Caffeine getAll";

    private Bulk() {}

    /** A cache that is asked for several keys, and creates those that it lacks in one call. */
    @FunctionalInterface
    private interface Lookup {
        Map<String, String> getAll(Set<String> keys, Creator creator) throws Exception;
    }

    @FunctionalInterface
    private interface Creator {
        Map<String, String> create(Set<? extends String> keys);
    }

    static long expectedSeconds() {
        return Sizes.USUAL.expectedSeconds(2, CONTENDERS) + 20;
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
        run(Sizes.USUAL, ROUNDS);
    }

    static void run(Sizes sizes, int rounds) throws Exception {
        stampede(rounds);
        hitsInMemory(sizes);
        hitsInRedis(sizes);
    }

    private static Map<String, Lookup> caches() {
        Region<String, String> region = Region.<String, String>builder("bulk")
                .backend(MemoryBackend.ofEntries(MOST_ENTRIES))
                .build();
        Region<String, String> hitting = region;
        Map<String, Lookup> all = new java.util.LinkedHashMap<>();
        all.put("Region.getOrCreateAll", (keys, creator) -> hitting.getOrCreateAll(keys, creator::create));
        var caffeine = Caffeine.newBuilder().maximumSize(MOST_ENTRIES).<String, String>build();
        all.put(IN_MEMORY, (keys, creator) -> caffeine.getAll(keys, creator::create));
        all.put("cache2k getAll, bulkLoader", cache2k());
        all.put("Guava getAll, loadAll", guava());
        all.put("JetCache getAll, then putAll", jetCache());
        return all;
    }

    /** Its creator is the cache's and not the call's. */
    private static Lookup cache2k() {
        CurrentCreator current = new CurrentCreator();
        var cache = Cache2kBuilder.of(String.class, String.class)
                .entryCapacity(MOST_ENTRIES)
                .bulkLoader(keys -> current.create(keys))
                .build();
        return (keys, creator) -> {
            current.become(creator);
            return cache.getAll(keys);
        };
    }

    /** Its creator is the cache's and not the call's. */
    private static Lookup guava() {
        CurrentCreator current = new CurrentCreator();
        var cache = CacheBuilder.newBuilder().maximumSize(MOST_ENTRIES).build(new CacheLoader<String, String>() {
            @Override
            public String load(String key) {
                throw new IllegalStateException("asked for one key, " + key);
            }

            @Override
            public Map<String, String> loadAll(Iterable<? extends String> keys) {
                return current.create(ImmutableSet.copyOf(keys));
            }
        });
        return (keys, creator) -> {
            current.become(creator);
            return cache.getAll(keys);
        };
    }

    /** That of the callers, where a cache has one for all calls. All callers of a round bring the same one. */
    private static final class CurrentCreator {
        private volatile Creator creator = missing -> Map.of();

        void become(Creator next) {
            if (creator != next) {
                creator = next;
            }
        }

        Map<String, String> create(Set<? extends String> keys) {
            return creator.create(keys);
        }
    }

    /** It has no creator for several keys. */
    private static Lookup jetCache() {
        com.alicp.jetcache.Cache<String, String> cache = CaffeineCacheBuilder.createCaffeineCacheBuilder()
                .limit(MOST_ENTRIES)
                .expireAfterWrite(1, TimeUnit.HOURS)
                .buildCache();
        return (keys, creator) -> {
            Map<String, String> got = cache.getAll(keys);
            if (got.size() == keys.size()) {
                return got;
            }
            Set<String> missing = new LinkedHashSet<>(keys);
            missing.removeAll(got.keySet());
            Map<String, String> all = new HashMap<>(got);
            Map<String, String> created = creator.create(missing);
            cache.putAll(created);
            all.putAll(created);
            return all;
        };
    }

    private static void stampede(int rounds) throws Exception {
        Results.heading(CALLERS + " callers of the same " + COLD_KEYS + " cold keys, creator " + CREATION_MILLIS
                + " ms, " + rounds + " rounds");
        Map<String, Lookup> caches = caches();
        var async = Caffeine.newBuilder().maximumSize(MOST_ENTRIES).<String, String>buildAsync();
        caches.put(
                "Caffeine AsyncCache getAll",
                (keys, creator) -> async.getAll(keys, creator::create).get(1, TimeUnit.MINUTES));
        Table table = new Table("medians of the rounds", "creator calls", "keys created", "last return, ms");
        double ours = Double.NaN;
        for (Map.Entry<String, Lookup> cache : caches.entrySet()) {
            double[] calls = new double[rounds];
            double[] created = new double[rounds];
            double[] millis = new double[rounds];
            for (int round = 0; round < rounds; round++) {
                Progress.show(cache.getKey() + ", round " + (round + 1) + " of " + rounds);
                AtomicInteger keysCreated = new AtomicInteger();
                AtomicInteger callsMade = new AtomicInteger();
                millis[round] = meet(cache.getValue(), round, keysCreated, callsMade);
                calls[round] = callsMade.get();
                created[round] = keysCreated.get();
            }
            if (Ours.is(cache.getKey())) {
                ours = Table.median(calls);
            }
            table.row(
                    cache.getKey(),
                    number(Table.median(calls), 0),
                    number(Table.median(created), 0),
                    number(Table.median(millis), 1));
        }
        Progress.end();
        table.drawn(Chart.lowerIsBetter("creator calls", "last return, ms").logarithmic())
                .print();
        Goal.atMost("creator calls", ours, 1).print();
    }

    /** How long until the last caller returns, in milliseconds. */
    private static double meet(Lookup cache, int round, AtomicInteger keysCreated, AtomicInteger calls)
            throws Exception {
        Set<String> keys = IntStream.range(0, COLD_KEYS)
                .mapToObj(number -> "round " + round + ", key " + number)
                .collect(Collectors.toCollection(LinkedHashSet::new));
        Creator creator = missing -> {
            calls.incrementAndGet();
            keysCreated.addAndGet(missing.size());
            try {
                TimeUnit.MILLISECONDS.sleep(CREATION_MILLIS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return missing.stream().collect(Collectors.toMap(key -> key, key -> "value"));
        };
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(CALLERS);
        AtomicReference<@Nullable Throwable> trouble = new AtomicReference<>();
        for (int i = 0; i < CALLERS; i++) {
            Thread caller = new Thread(() -> {
                try {
                    go.await();
                    if (!cache.getAll(keys, creator).keySet().equals(keys)) {
                        throw new IllegalStateException("not all of the keys");
                    }
                } catch (Exception e) {
                    trouble.set(e);
                } finally {
                    done.countDown();
                }
            });
            caller.setDaemon(true);
            caller.start();
        }
        long began = System.nanoTime();
        go.countDown();
        if (!done.await(1, TimeUnit.MINUTES) || trouble.get() != null) {
            throw new IllegalStateException("a caller failed, or did not return", trouble.get());
        }
        return (System.nanoTime() - began) / 1e6;
    }

    private static Set<String> keys() {
        return IntStream.range(0, KEYS).mapToObj(Throughput::key).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private static void hitsInMemory(Sizes sizes) throws Exception {
        Set<String> keys = keys();
        List<Contender> all = new ArrayList<>();
        for (Map.Entry<String, Lookup> cache : caches().entrySet()) {
            var unused = cache.getValue()
                    .getAll(
                            keys,
                            missing -> new HashSet<>(missing)
                                    .stream().collect(Collectors.toMap(key -> key, key -> "value")));
            all.add(new Contender(
                    cache.getKey(),
                    ignored -> cache.getValue().getAll(keys, missing -> {
                        throw new IllegalStateException("a miss");
                    })));
        }
        Throughput.measure(SETTING, sizes, all, IN_MEMORY).printTimes("Bulk hit in memory", sizes.rounds());
    }

    private static void hitsInRedis(Sizes sizes) throws Exception {
        Set<String> keys = keys();
        byte[] value = Peers.value();
        try (RedisServer server = RedisServer.start();
                RedisClient jedis = Peers.jedis(server.port());
                RedisBackend backend = RedisBackend.of(jedis)) {
            io.lettuce.core.RedisClient lettuce = Peers.lettuce(server.port());
            try {
                com.alicp.jetcache.Cache<String, byte[]> jet = Peers.jetCache(lettuce, "jet:")
                        .expireAfterWrite(Peers.LIFE.toMinutes(), TimeUnit.MINUTES)
                        .buildCache();
                Region<String, byte[]> region = Peers.region("bulk", backend).build();
                byte[][] raw = keys.stream()
                        .map(key -> ("raw:" + key).getBytes(StandardCharsets.UTF_8))
                        .toArray(byte[][]::new);
                for (byte[] key : raw) {
                    jedis.set(key, value);
                }
                keys.forEach(key -> {
                    region.put(key, value);
                    jet.put(key, value);
                });
                Throughput seen = Throughput.measure(
                                SETTING,
                                sizes,
                                List.of(
                                        new Contender(RAW, ignored -> jedis.mget(raw)),
                                        new Contender(
                                                "Region.getOrCreateAll on RedisBackend",
                                                ignored -> region.getOrCreateAll(keys, missing -> {
                                                    throw new IllegalStateException("a miss");
                                                })),
                                        new Contender("JetCache getAll (Lettuce, Kryo5)", ignored -> jet.getAll(keys))),
                                RAW)
                        .count(run -> ClientCommands.of(server, run));
                seen.print("Bulk hit in " + Peers.version(server) + ", values of 1 KiB", sizes.rounds());
            } finally {
                lettuce.shutdown();
            }
        }
    }
}
