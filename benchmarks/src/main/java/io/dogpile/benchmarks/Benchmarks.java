package io.dogpile.benchmarks;

import io.dogpile.benchmarks.JmhGroup.Difference;
import io.dogpile.benchmarks.JmhGroup.RatioGoal;
import io.dogpile.benchmarks.JmhGroup.Row;
import io.dogpile.core.DistinctNames;
import io.dogpile.core.KeyedLockBenchmark;
import io.dogpile.redis.RedisServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The command: measures the groups that it is given by name, prints their tables with the goals, and keeps each group's in a file. */
public final class Benchmarks {
    private static final String ALL = "all";

    /** Where the figures are kept unless told otherwise. */
    static final String RESULTS = "benchmarks/target/results";

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
                    Row.inPassing("cache2k", "cache2k computeIfAbsent, expireAfterWrite"),
                    // Of two threads on one hot key one may clean up for ever what the other notes of its reads.
                    Row.ofOneThread("guava", "Guava get(key, callable), expireAfterWrite"),
                    Row.inPassing("spring", "Spring CaffeineCache.get(key, callable)"),
                    Row.inPassing("jetCache", "JetCache computeIfAbsent on Caffeine, protected")),
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
    private static final int SECONDS_OF_STAMPEDE = 30;
    private static final int SECONDS_OF_VIRTUAL_STAMPEDE = 35;
    private static final int SECONDS_OF_FAILING = 50;

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
     * Runs groups; where all were asked for, the {@linkplain Report report} is made of them.
     *
     * @param args the names of groups, or "all"; {@code run=ID}, of a run to go on with: what was measured under that id is left
     *     out; {@code to=DIRECTORY}, where the figures are kept, {@value #RESULTS} by default
     */
    public static void main(String[] args) throws Exception {
        Map<String, Group> groups = groups();
        List<String> names = Stream.of(args).filter(word -> !word.contains("=")).toList();
        List<String> wanted = names.contains(ALL) ? List.copyOf(groups.keySet()) : names;
        if (wanted.isEmpty() || !groups.keySet().containsAll(wanted)) {
            System.err.println("Name what to measure: " + ALL + ", or some of " + String.join(", ", groups.keySet()));
            System.exit(2);
        }
        // What peers tell while they start is not of interest, and what they warn of here neither.
        System.setProperty(Peers.LOG_LEVEL, "error");
        System.setProperty(Peers.MEMCACHED_LOGGER, Peers.SLF4J);
        Optional<String> to = option("to=", args);
        Path directory = Path.of(to.orElse(RESULTS));
        String run = option("run=", args)
                .orElseGet(() -> Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        Map<String, Group> left = new LinkedHashMap<>(groups);
        left.keySet().retainAll(wanted);
        for (String name : wanted) {
            Measured before = Measured.of(directory, name);
            if (before != null && before.run().equals(run)) {
                left.remove(name);
            }
        }
        boolean isWhole = measure(left, run, directory);
        if (names.contains(ALL)) { // from nothing to the page by one command
            Report.main(to.stream().toArray(String[]::new));
        }
        // A peer's threads must not keep this waiting.
        System.exit(isWhole ? 0 : 1);
    }

    private static Optional<String> option(String name, String... args) {
        return Stream.of(args)
                .filter(word -> word.startsWith(name))
                .map(word -> word.substring(name.length()))
                .findFirst();
    }

    /** Whether all could be measured. One that could not does not keep the others from it. */
    private static boolean measure(Map<String, Group> groups, String run, Path directory) {
        Machine machine = Machine.here();
        System.out.println(machine.told() + "; " + machine.loadTold());
        boolean isWhole = true;
        long seconds = groups.values().stream().mapToLong(Group::seconds).sum();
        int number = 0;
        for (Map.Entry<String, Group> group : groups.entrySet()) {
            System.err.println("Group " + ++number + " of " + groups.size() + ", " + group.getKey() + ": "
                    + told(group.getValue().seconds()) + "; in all " + told(seconds)
                    + " to go. To go on after a break: run=" + run);
            try {
                keep(group.getKey(), group.getValue(), run, machine, directory);
            } catch (Exception e) {
                isWhole = false;
                System.err.println("Group " + group.getKey() + " could not be measured:");
                e.printStackTrace();
            }
            seconds -= group.getValue().seconds();
        }
        return isWhole;
    }

    private static void keep(String name, Group group, String run, Machine machine, Path directory) throws Exception {
        var unused = Results.taken(); // what a group before it told until it failed
        Instant began = Instant.now();
        group.task().run();
        new Measured(
                        run,
                        name,
                        "mvn -q -Pbench -Dbench.args=" + name,
                        began.truncatedTo(ChronoUnit.SECONDS).toString(),
                        Duration.between(began, Instant.now()).toSeconds(),
                        machine,
                        Results.taken())
                .keep(directory);
    }

    private static String told(long seconds) {
        return "about " + (seconds < 120 ? seconds + " s" : (seconds + 59) / 60 + " min");
    }

    /** All groups, as they run. */
    static List<String> names() {
        return List.copyOf(groups().keySet());
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
        groups.put("takeover", new Group(Takeover.expectedSeconds(), Takeover::run));
        groups.put("fileHit", new Group(FileHit.expectedSeconds(), FileHit::run));
        groups.put("fileLock", new Group(FileLocks.expectedSeconds(), FileLocks::run));
        groups.put("xfetch", new Group(EarlyRefresh.expectedSeconds(), EarlyRefresh::run));
        groups.put("eviction", new Group(Eviction.expectedSeconds(), Eviction::run));
        groups.put("growth", new Group(Growth.expectedSeconds(), Growth::run));
        groups.put("bulk", new Group(Bulk.expectedSeconds(), Bulk::run));
        return groups;
    }

    private static void near() throws Exception {
        try (RedisServer server = RedisServer.start()) {
            Results.note(Peers.version(server) + "; Jedis refuses to keep copies with a server before 7.4: "
                    + "its check is off here");
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
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        boolean isMet = process.waitFor() == 0;
        Results.goal(new Goal.Verdict(said.isEmpty() ? "the distinct names pass through " + SMALL_HEAP : said, isMet));
    }
}
