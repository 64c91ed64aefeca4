package io.dogpile.cache;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.CreationException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Sixteen threads that do all there is to do on regions, as fast as it goes: reads, creations of which some fail and some are
 * slow, refreshes ahead of time and behind, puts, soft and hard invalidations of keys and of all, batches, futures.
 *
 * <p>Between rounds all stand still until what was stored has ended; then levels are looked at. So what they show is what a round
 * has left behind.
 */
public final class Soak implements AutoCloseable {
    private static final int THREADS = 16;
    private static final int THREADS_BEHIND = 4;
    private static final int QUEUE_BEHIND = 1_000;
    private static final int HOT_KEYS = 20;
    /**
     * Few: a region remembers up to 10,000 names that failed, also those that it would have forgotten, and a map that is still
     * being filled is no flat level.
     */
    private static final int FAULTY_KEYS = 200;

    private static final String FAULTY = "faulty ";
    private static final int ONE_IN_SO_MANY_CREATIONS_IS_SLOW = 50;
    private static final long SLOW_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long PATIENCE_SECONDS = 60;

    private final Plan plan;
    private final ExecutorService callers = Executors.newFixedThreadPool(THREADS);
    private final ThreadPoolExecutor behind = new ThreadPoolExecutor(
            THREADS_BEHIND,
            THREADS_BEHIND,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(QUEUE_BEHIND),
            new ThreadPoolExecutor.CallerRunsPolicy());
    private final LongAdder calls = new LongAdder();
    private final LongAdder created = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final Map<String, Throwable> unexpected = new ConcurrentHashMap<>(); // by type: bounded

    /**
     * How much of it.
     *
     * @param load how long the callers call, all rounds together
     * @param rounds after how many parts of it levels are looked at
     * @param keys how many different ones
     * @param life when values expire
     * @param bytesForEachCall the growth of memory that is taken for none
     * @param bytesOfTheJdk the same, however few the calls: what the JDK makes for itself while code is new to it
     * @param madeLate how many of what is counted may be made for the first time in any round
     */
    public record Plan(
            Duration load,
            int rounds,
            int keys,
            Duration life,
            double bytesForEachCall,
            long bytesOfTheJdk,
            int madeLate) {
        /** Where there is time, one object of the smallest size, 16 bytes, for each call of a kind that is one in a hundred. */
        private static final double SMALLEST_OBJECT_OF_ONE_IN_A_HUNDRED = 0.16;
        /** Method handles, reflection and profiles go on for minutes, at some kilobytes a minute. */
        private static final long A_QUARTER_OF_A_MEGABYTE = 256 * 1024;
        /** And classes are loaded in the first seconds. */
        private static final long TWO_MEGABYTES = 2 * 1024 * 1024;
        /** In the first second: the threads of pools, and connections, are made as they are needed. */
        private static final int MADE_LATE = 8;
        /** In a second, less than any entry of a map with its key and its value takes. */
        private static final double ENTRY = 200;

        /** What {@code -Ddogpile.soak} says, a duration such as PT30M; a second without it. */
        static Plan ofThisRun() {
            String load = System.getProperty("dogpile.soak", "");
            return load.isEmpty()
                    ? ofRounds(3, Duration.ofMillis(900))
                    : new Plan(
                            Duration.parse(load),
                            45,
                            1_000_000,
                            Duration.ofSeconds(3),
                            SMALLEST_OBJECT_OF_ONE_IN_A_HUNDRED,
                            A_QUARTER_OF_A_MEGABYTE,
                            0);
        }

        static Plan ofRounds(int rounds, Duration load) {
            return new Plan(load, rounds, 10_000, Duration.ofMillis(300), ENTRY, TWO_MEGABYTES, MADE_LATE);
        }
    }

    /** What creators throw on purpose. */
    private static final class Wanted extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Wanted(String key) {
            super("creation of '" + key + "' fails, as the soak wants it", null, false, false);
        }
    }

    Soak(Plan plan) {
        this.plan = plan;
        behind.prestartAllCoreThreads(); // else they are taken for a rise
    }

    /** A region whose values have the life that is planned, refreshed on threads of the soak. */
    RegionBuilder<String, String> region(String name) {
        return Region.builder(name, String.class, String.class)
                .staleAfter(plan.life().dividedBy(3))
                .expireAfter(plan.life())
                .earlyRefresh(1)
                .refreshOn(behind)
                .failureBackoff(2, Duration.ofMillis(1), Duration.ofMillis(5))
                .recordStats();
    }

    /** All rounds. */
    void run(List<Region<String, String>> regions, Levels levels, Supplier<String> unsettled) throws Exception {
        for (int round = 0; round < plan.rounds(); round++) {
            round(regions, round);
            awaitNone("is left after round " + round, () -> isIdle() ? unsettled.get() : "work behind");
            levels.look(calls.sum());
        }
    }

    private void round(List<Region<String, String>> regions, int round) throws Exception {
        Invalidation all = round % 2 == 0 ? Invalidation.SOFT : Invalidation.HARD;
        long nanos = plan.load().dividedBy(plan.rounds()).toNanos();
        long begin = System.nanoTime();
        List<Future<?>> running = new ArrayList<>();
        for (int caller = 0; caller < THREADS; caller++) {
            Region<String, String> region = regions.get(caller % regions.size());
            SplittableRandom random = new SplittableRandom(round * 1_000L + caller);
            boolean first = caller == 0;
            running.add(callers.submit(() -> {
                while (System.nanoTime() - begin < nanos / 2) {
                    call(region, random);
                }
                if (first) {
                    region.invalidateAll(all);
                }
                while (System.nanoTime() - begin < nanos) {
                    call(region, random);
                }
            }));
        }
        for (Future<?> one : running) {
            one.get(TimeUnit.NANOSECONDS.toSeconds(nanos) + PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    private boolean isIdle() {
        return behind.getActiveCount() == 0 && behind.getQueue().isEmpty();
    }

    private void call(Region<String, String> region, SplittableRandom random) {
        calls.increment();
        String key = someKey(random);
        try {
            switch (random.nextInt(100)) {
                case 0, 1 -> region.invalidate(key, Invalidation.SOFT);
                case 2, 3 -> region.invalidate(key);
                case 4, 5 -> region.put(key, value(key));
                case 6, 7 -> region.refresh(key, this::create);
                case 8 ->
                    region.getOrCreateAll(List.of(key, key + "b", key(random.nextInt(HOT_KEYS))), this::createAll)
                            .forEach(Soak::check);
                case 9 ->
                    check(
                            key,
                            region.async(behind)
                                    .getOrCreate(key, name -> CompletableFuture.completedFuture(create(name)))
                                    .get(PATIENCE_SECONDS, TimeUnit.SECONDS));
                default -> check(key, region.getOrCreate(key, this::create));
            }
        } catch (ExecutionException failure) {
            told(failure.getCause());
        } catch (Exception failure) {
            told(failure);
        }
    }

    private void told(Throwable failure) {
        if (!(failure instanceof Wanted || failure instanceof CreationException)) {
            unexpected.putIfAbsent(failure.getClass().getName(), failure);
        }
    }

    private String someKey(SplittableRandom random) {
        return switch (random.nextInt(20)) {
            case 0 -> FAULTY + random.nextInt(FAULTY_KEYS);
            case 1, 2, 3, 4, 5 -> key(random.nextInt(HOT_KEYS));
            default -> key(random.nextInt(plan.keys()));
        };
    }

    private static String key(int number) {
        return "key " + number;
    }

    private static String value(String key) {
        return key + " has this value";
    }

    private static void check(String key, String value) {
        if (!value.equals(value(key))) {
            throw new IllegalStateException("'" + key + "' got the value of another key");
        }
    }

    private String create(String key) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        if (key.startsWith(FAULTY) && random.nextBoolean()) {
            failed.increment();
            throw new Wanted(key);
        }
        if (random.nextInt(ONE_IN_SO_MANY_CREATIONS_IS_SLOW) == 0) {
            LockSupport.parkNanos(SLOW_NANOS); // so that others wait, or get the stale value
        }
        created.increment();
        return value(key);
    }

    private Map<String, String> createAll(Iterable<? extends String> missing) {
        Map<String, String> all = new HashMap<>();
        missing.forEach(key -> all.put(key, create(key)));
        return all;
    }

    /** Returns when there is nothing of it, and fails after a minute with what there is. */
    static void awaitNone(String what, Supplier<String> there) {
        long begin = System.nanoTime();
        for (String now = there.get(); !now.isEmpty(); now = there.get()) {
            if (System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
                throw new AssertionError("for " + PATIENCE_SECONDS + " s this " + what + ": " + now);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    long created() {
        return created.sum();
    }

    long failed() {
        return failed.sum();
    }

    /** Of what was thrown and not wanted, one of each type. */
    Map<String, Throwable> unexpected() {
        return unexpected;
    }

    @Override
    public String toString() {
        return calls + " calls by " + THREADS + " threads on " + plan.keys() + " keys in " + plan.load() + ", "
                + created + " values created, " + failed + " creations failed";
    }

    /** Ends its threads; regions are to be closed before. */
    @Override
    public void close() {
        callers.shutdownNow();
        behind.shutdownNow();
    }
}
