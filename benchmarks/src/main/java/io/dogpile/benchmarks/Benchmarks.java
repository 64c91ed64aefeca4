package io.dogpile.benchmarks;

import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import io.dogpile.benchmarks.JmhGroup.Difference;
import io.dogpile.benchmarks.JmhGroup.RatioGoal;
import io.dogpile.benchmarks.JmhGroup.Row;
import io.dogpile.core.DistinctNames;
import io.dogpile.core.KeyedLockBenchmark;
import io.dogpile.redis.RedisServer;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.spy.memcached.MemcachedClient;
import org.cache2k.Cache2kBuilder;
import org.redisson.Redisson;
import org.springframework.cache.CacheManager;
import redis.clients.jedis.RedisClient;

/** The command: measures the groups that it is given by name and prints their tables, with the goals. */
public final class Benchmarks {
    private static final String ALL = "all";

    private static final JmhGroup HIT = new JmhGroup(
            HitBenchmark.class,
            List.of(
                    new Row("reference", "volatile read + System.nanoTime()"),
                    new Row(
                            "nonCapturing",
                            "Dogpile.get, creator captures nothing",
                            new RatioGoal(1, "reference", 1.15, false),
                            new RatioGoal(2, "reference", 1.15, false)),
                    new Row(
                            "capturing",
                            "Dogpile.get, creator captures",
                            new RatioGoal(1, "reference", 1.15, true),
                            new RatioGoal(2, "reference", 1.15, true)),
                    new Row("lastSecond", "Dogpile.get, in the value's last second")));

    private static final JmhGroup KEYED_LOCK = new JmhGroup(
            KeyedLockBenchmark.class,
            List.of(
                    new Row("stripedLazyWeakLock", "Guava Striped.lazyWeakLock(16384)"),
                    new Row(
                            "registryAndGate",
                            "NameRegistry and gate",
                            new RatioGoal(1, "stripedLazyWeakLock", 0.7, true),
                            new RatioGoal(2, "stripedLazyWeakLock", 0.7, true))));

    private static final JmhGroup READ_LOCK = new JmhGroup(
            ReadLockBenchmark.class,
            List.of(
                    new Row("stampedLock", "StampedLock + System.nanoTime()"),
                    new Row("reentrantReadWriteLock", "ReentrantReadWriteLock + System.nanoTime()"),
                    new Row(
                            "syncReader",
                            "SyncReaderDogpile, acquire and close",
                            new RatioGoal(1, "stampedLock", 1.1, true),
                            new RatioGoal(2, "reentrantReadWriteLock", 0.12, true))));

    private static final List<String> SPREADS = List.of("one key", "Zipf");

    private static final JmhGroup REGION_HIT = new JmhGroup(
            RegionHitBenchmark.class,
            List.of(
                    new Row("caffeineTimed", "Caffeine get(key, fn), expireAfterWrite"),
                    new Row(
                            "region",
                            "Region.getOrCreate(key, fn)",
                            new RatioGoal(1, "caffeineTimed", 0.7, false),
                            new RatioGoal(2, "caffeineTimed", 0.7, false),
                            new RatioGoal(1, "caffeineGetIfPresent", 1.6, false),
                            new RatioGoal(2, "caffeineGetIfPresent", 1.6, false)),
                    new Row("caffeineGetIfPresent", "Caffeine getIfPresent, no expiry"),
                    new Row("regionWithStats", "Region.getOrCreate(key, fn), counting"),
                    new Row("cache2k", "cache2k computeIfAbsent, expireAfterWrite"),
                    new Row("jetCache", "JetCache computeIfAbsent on Caffeine, protected")),
            SPREADS,
            List.of(new Difference("regionWithStats", "region", 10)));

    private static final JmhGroup ANNOTATED_HIT = new JmhGroup(
            AnnotatedHitBenchmark.class,
            List.of(
                    new Row("spring", "Spring @Cacheable(sync = true) on Caffeine"),
                    new Row(
                            "dogpile",
                            "@Cached, CachedProxies",
                            new RatioGoal(1, "spring", 0.22, true),
                            new RatioGoal(2, "spring", 0.22, true))),
            SPREADS,
            List.of());

    private static final JmhGroup NEAR_HIT = new JmhGroup(
            NearHitBenchmark.class,
            List.of(
                    new Row("memory", "Region in memory"),
                    new Row(
                            "tiered",
                            "Region on TieredBackend over RedisBackend",
                            new RatioGoal(1, "memory", 1.15, false)),
                    Row.inPassing("redisson", "Redisson RLocalCachedMap.get"),
                    Row.inPassing("jedis", "Jedis tracking, its check of the version off")),
            SPREADS,
            List.of(),
            List.of(1));

    private static final String SMALL_HEAP = "-Xmx64m";
    private static final int SECONDS_OF_NAMES = 20;
    private static final int SECONDS_OF_STAMPEDE = 15;
    private static final int SECONDS_OF_VIRTUAL_STAMPEDE = 20;
    private static final int SECONDS_OF_FAILING = 25;

    /**
     * What can be asked for.
     *
     * @param seconds about how long it takes
     */
    private record Group(long seconds, Task task) {}

    private interface Task {
        void run() throws Exception;
    }

    private Benchmarks() {}

    /**
     * Runs the groups.
     *
     * @param args their names, or "all"
     */
    public static void main(String[] args) throws Exception {
        Map<String, Group> groups = groups();
        List<String> wanted = List.of(args).contains(ALL) ? List.copyOf(groups.keySet()) : List.of(args);
        if (wanted.isEmpty() || !groups.keySet().containsAll(wanted)) {
            System.err.println("Name what to measure: " + ALL + ", or some of " + String.join(", ", groups.keySet()));
            System.exit(2);
        }
        // What peers tell while they start is not of interest, and what they warn of here neither.
        System.setProperty(Peers.LOG_LEVEL, "error");
        System.setProperty(Peers.MEMCACHED_LOGGER, Peers.SLF4J);
        long seconds = groups.entrySet().stream()
                .filter(group -> wanted.contains(group.getKey()))
                .mapToLong(group -> group.getValue().seconds())
                .sum();
        printMachine();
        System.err.println("This takes about " + (seconds < 120 ? seconds + " s." : (seconds + 59) / 60 + " min."));
        for (Map.Entry<String, Group> group : groups.entrySet()) {
            if (wanted.contains(group.getKey())) {
                group.getValue().task().run();
            }
        }
        // A peer's threads must not keep this waiting.
        System.exit(0);
    }

    private static Map<String, Group> groups() {
        Map<String, Group> groups = new LinkedHashMap<>();
        groups.put("hit", new Group(HIT.expectedSeconds(), HIT::run));
        groups.put("region", new Group(REGION_HIT.expectedSeconds(), REGION_HIT::run));
        groups.put("annotated", new Group(ANNOTATED_HIT.expectedSeconds(), ANNOTATED_HIT::run));
        groups.put("keyedLock", new Group(KEYED_LOCK.expectedSeconds() + SECONDS_OF_NAMES, () -> {
            KEYED_LOCK.run();
            passNames();
        }));
        groups.put("readLock", new Group(READ_LOCK.expectedSeconds(), READ_LOCK::run));
        groups.put(
                "stampede",
                new Group(
                        SECONDS_OF_STAMPEDE + (Crowd.hasVirtualThreads() ? SECONDS_OF_VIRTUAL_STAMPEDE : 0),
                        LocalStampede::run));
        groups.put("expiry", new Group(ExpiryUnderLoad.expectedSeconds(), ExpiryUnderLoad::run));
        groups.put("neighbour", new Group(SlowNeighbour.expectedSeconds(), SlowNeighbour::run));
        groups.put("failing", new Group(SECONDS_OF_FAILING, FailingCreator::run));
        groups.put("redisHit", new Group(RedisHit.expectedSeconds(), RedisHit::run));
        groups.put("redisStampede", new Group(RedisStampede.expectedSeconds(), RedisStampede::run));
        groups.put("redisWake", new Group(RedisWake.expectedSeconds(), RedisWake::run));
        groups.put("redisNear", new Group(NEAR_HIT.expectedSeconds() + NearCaches.expectedSeconds(), Benchmarks::near));
        groups.put("redisExpiry", new Group(RedisExpiry.expectedSeconds(), RedisExpiry::run));
        groups.put("memcachedHit", new Group(MemcachedHit.expectedSeconds(), MemcachedHit::run));
        groups.put("memcachedStampede", new Group(MemcachedStampede.expectedSeconds(), MemcachedStampede::run));
        groups.put("fileHit", new Group(FileHit.expectedSeconds(), FileHit::run));
        groups.put("fileLock", new Group(FileLocks.expectedSeconds(), FileLocks::run));
        return groups;
    }

    private static void near() throws Exception {
        try (RedisServer server = RedisServer.start()) {
            System.out.println("\n" + Peers.version(server)
                    + "; Jedis refuses to keep copies with a server before 7.4: " + "its check is off here");
            NEAR_HIT.run("-D" + NearHitBenchmark.PORT + '=' + server.port(), "-D" + Peers.LOG_LEVEL + "=error");
            NearCaches.run(server);
        }
    }

    /** In a JVM of its own, since the heap is the point. */
    private static void passNames() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        SMALL_HEAP,
                        "-classpath",
                        System.getProperty("java.class.path"),
                        DistinctNames.class.getName())
                .inheritIO()
                .start();
        if (process.waitFor() != 0) {
            System.out.println("- the distinct names did not pass through " + SMALL_HEAP + ": MISSED");
        }
    }

    private static void printMachine() {
        System.out.println("JDK " + Runtime.version() + " (" + System.getProperty("java.vm.name") + "), "
                + Runtime.getRuntime().availableProcessors() + " cores, "
                + System.getProperty("os.name") + " " + System.getProperty("os.arch") + "; "
                + Stream.of(
                                CacheBuilder.class,
                                Caffeine.class,
                                Cache2kBuilder.class,
                                CaffeineCacheBuilder.class,
                                CacheManager.class,
                                Redisson.class,
                                io.lettuce.core.RedisClient.class,
                                RedisClient.class,
                                MemcachedClient.class)
                        .map(Benchmarks::jar)
                        .collect(Collectors.joining(", "))
                + "; load average before the run "
                + Table.number(ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(), 1));
    }

    /** A jar's name bears its version. */
    private static String jar(Class<?> type) {
        String path = type.getProtectionDomain().getCodeSource().getLocation().getPath();
        return path.substring(path.lastIndexOf('/') + 1).replace(".jar", "");
    }
}
