package io.dogpile.benchmarks;

import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.MemoryBackend;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.cache2k.Cache2kBuilder;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.springframework.cache.caffeine.CaffeineCache;

/**
 * A get-or-create that finds a fresh value in memory, of 10,000 in a cache for 20,000 whose values live an hour. Each
 * cache's call site has missed, failed and hit before, so that its slow path is compiled too.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RegionHitBenchmark {
    static final Duration LIFE = Duration.ofHours(1);
    private static final int POLLUTION = 20_000;
    private static final int HITS = 20;

    static String create(String key) {
        if (key.startsWith("fails")) {
            throw new IllegalStateException("to be caught");
        }
        return "value of " + key;
    }

    /** A cache as its call site sees it. */
    interface Site {
        @Nullable
        String call(String key);
    }

    /**
     * Leaves the site with misses, failures and hits behind it, and with all keys cached. Most calls hit, as in a cache
     * that is worth having: for each miss and failure {@value #HITS} hits.
     */
    static void pollute(Site site) {
        pollute(site, POLLUTION);
    }

    /** The same with that many misses and failures. */
    static void pollute(Site site, int misses) {
        String[] keys = Keys.all();
        for (String key : keys) {
            site.call(key);
        }
        for (int i = 0; i < misses; i++) {
            site.call("passing " + i);
            try {
                site.call("fails " + i);
            } catch (RuntimeException expected) {
                site.call("passing " + i);
            }
            for (int hit = 0; hit < HITS; hit++) {
                site.call(keys[(i + hit) % keys.length]);
            }
        }
        for (String key : keys) {
            site.call(key);
        }
    }

    static RegionBuilder<String, String> region(String name) {
        return Region.<String, String>builder(name)
                .backend(MemoryBackend.ofEntries(Keys.CAPACITY))
                .staleAfter(LIFE);
    }

    /** Caffeine, bounded by size and time. */
    @State(Scope.Benchmark)
    public static class OfCaffeineTimed {
        final Cache<String, String> timed = Caffeine.newBuilder()
                .maximumSize(Keys.CAPACITY)
                .expireAfterWrite(LIFE)
                .build();

        /** Fills it. */
        @Setup
        public void fill() {
            pollute(key -> timed.get(key, RegionHitBenchmark::create));
        }
    }

    /** Caffeine, bounded by size. */
    @State(Scope.Benchmark)
    public static class OfCaffeine {
        final Cache<String, String> sized =
                Caffeine.newBuilder().maximumSize(Keys.CAPACITY).build();

        /** Fills it. */
        @Setup
        public void fill() {
            pollute(this::getOrPut);
            while (!sized.asMap()
                    .keySet()
                    .containsAll(Set.of(Keys.all()))) { // a full cache refuses what is seldom asked for
                Stream.of(Keys.all()).forEach(this::getOrPut);
            }
        }

        private String getOrPut(String key) {
            String value = sized.getIfPresent(key);
            if (value == null) {
                value = create(key);
                sized.put(key, value);
            }
            return value;
        }
    }

    /** The reference of most goals. */
    @Benchmark
    public String caffeineTimed(OfCaffeineTimed caches, Keys keys) {
        return caches.timed.get(keys.next(), RegionHitBenchmark::create);
    }

    /** The reference of the others: no life, and no creator. */
    @Benchmark
    public @Nullable String caffeineGetIfPresent(OfCaffeine caches, Keys keys) {
        return caches.sized.getIfPresent(keys.next());
    }

    /** A region. */
    @State(Scope.Benchmark)
    public static class OfDogpile {
        final Region<String, String> region = region("hits").build();

        /** Fills it. */
        @Setup
        public void fill() {
            pollute(key -> region.getOrCreate(key, RegionHitBenchmark::create));
        }
    }

    /** A region that counts. */
    @State(Scope.Benchmark)
    public static class OfDogpileCounting {
        final Region<String, String> region = region("counted").recordStats().build();

        /** Fills it. */
        @Setup
        public void fill() {
            pollute(key -> region.getOrCreate(key, RegionHitBenchmark::create));
        }
    }

    /** A region. */
    @Benchmark
    public String region(OfDogpile regions, Keys keys) {
        return regions.region.getOrCreate(keys.next(), RegionHitBenchmark::create);
    }

    /** A region that counts. */
    @Benchmark
    public String regionWithStats(OfDogpileCounting regions, Keys keys) {
        return regions.region.getOrCreate(keys.next(), RegionHitBenchmark::create);
    }

    /** cache2k. */
    @State(Scope.Benchmark)
    public static class OfCache2k {
        final org.cache2k.Cache<String, String> cache = Cache2kBuilder.of(String.class, String.class)
                .name("hits")
                .entryCapacity(Keys.CAPACITY)
                .expireAfterWrite(LIFE.toHours(), TimeUnit.HOURS)
                .build();

        /** Fills it. */
        @Setup
        public void fill() {
            pollute(key -> cache.computeIfAbsent(key, RegionHitBenchmark::create));
        }
    }

    /** cache2k. */
    @Benchmark
    public String cache2k(OfCache2k caches, Keys keys) {
        return caches.cache.computeIfAbsent(keys.next(), RegionHitBenchmark::create);
    }

    /** JetCache over Caffeine. */
    @State(Scope.Benchmark)
    public static class OfJetCache {
        final com.alicp.jetcache.Cache<String, String> cache = CaffeineCacheBuilder.createCaffeineCacheBuilder()
                .limit(Keys.CAPACITY)
                .expireAfterWrite(LIFE.toHours(), TimeUnit.HOURS)
                .cachePenetrateProtect(true)
                .buildCache();

        /** Fills it. */
        @Setup
        public void fill() {
            pollute(key -> cache.computeIfAbsent(key, RegionHitBenchmark::create));
        }
    }

    /** JetCache over Caffeine, protected against stampedes in its JVM. */
    @Benchmark
    public String jetCache(OfJetCache caches, Keys keys) {
        return caches.cache.computeIfAbsent(keys.next(), RegionHitBenchmark::create);
    }

    /** Guava, bounded by size and time. */
    @State(Scope.Benchmark)
    public static class OfGuava {
        final com.google.common.cache.Cache<String, String> cache = CacheBuilder.newBuilder()
                .maximumSize(Keys.CAPACITY)
                .expireAfterWrite(LIFE)
                .build();

        /** Fills it. */
        @Setup
        public void fill() {
            pollute(key -> guava(cache, key));
        }
    }

    /** What the creator threw comes wrapped. */
    private static String guava(com.google.common.cache.Cache<String, String> cache, String key) {
        try {
            return cache.get(key, () -> create(key));
        } catch (ExecutionException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Guava. */
    @Benchmark
    public String guava(OfGuava caches, Keys keys) {
        return guava(caches.cache, keys.next());
    }

    /** Spring's cache over Caffeine, without a proxy. */
    @State(Scope.Benchmark)
    public static class OfSpring {
        final CaffeineCache cache = new CaffeineCache(
                "hits",
                Caffeine.newBuilder()
                        .maximumSize(Keys.CAPACITY)
                        .expireAfterWrite(LIFE)
                        .build());

        /** Fills it. */
        @Setup
        public void fill() {
            pollute(key -> cache.get(key, () -> create(key)));
        }
    }

    /** Spring's cache over Caffeine. */
    @Benchmark
    public @Nullable String spring(OfSpring caches, Keys keys) {
        String key = keys.next();
        return caches.cache.get(key, () -> create(key));
    }
}
