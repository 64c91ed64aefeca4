package io.dogpile.benchmarks;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.redis.RedisBackend;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.redisson.api.RLocalCachedMap;
import org.redisson.api.RedissonClient;
import redis.clients.jedis.RedisClient;

/**
 * A hit in a copy that is kept in step with Redis, beside a hit in memory alone. Both regions' call sites have missed,
 * failed and hit before.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class NearHitBenchmark {
    /** The system property that has the server's port. */
    static final String PORT = "dogpile.benchmarks.redis.port";
    /** Fewer than in memory, since each is three round trips. */
    private static final int POLLUTION = 2_000;

    private static int port() {
        return Integer.getInteger(PORT);
    }

    /** A region in memory. */
    @State(Scope.Benchmark)
    public static class OfMemory {
        final Region<String, String> memory = Region.builder("memory", String.class, String.class)
                .backend(MemoryBackend.ofEntries(
                        Keys.CAPACITY)) // without a serializer: as it is, like a copy before Redis
                .staleAfter(NearCaches.LIFE)
                .build();

        /** Fills it. */
        @Setup
        public void fill() {
            RegionHitBenchmark.pollute(key -> memory.getOrCreate(key, RegionHitBenchmark::create), POLLUTION);
        }
    }

    /** The reference. */
    @Benchmark
    public String memory(OfMemory regions, Keys keys) {
        return regions.memory.getOrCreate(keys.next(), RegionHitBenchmark::create);
    }

    /** A region with copies before Redis. */
    @State(Scope.Benchmark)
    public static class OfTiered {
        final RedisBackend back = Peers.backend(port());
        final Region<String, String> tiered =
                NearCaches.region("tiered", NearCaches.tiered(back)).build();

        /** Fills it. */
        @Setup
        public void fill() {
            RegionHitBenchmark.pollute(key -> tiered.getOrCreate(key, RegionHitBenchmark::create), POLLUTION);
        }

        /** Ends its threads. */
        @TearDown
        public void close() {
            back.close();
        }
    }

    /** Ours. */
    @Benchmark
    public String tiered(OfTiered regions, Keys keys) {
        return regions.tiered.getOrCreate(keys.next(), RegionHitBenchmark::create);
    }

    /** Redisson's. */
    @State(Scope.Benchmark)
    public static class OfRedisson {
        final RedissonClient client = Peers.redisson(port());
        final RLocalCachedMap<String, String> map = NearCaches.redisson(client, "hits");

        /** Fills it. */
        @Setup
        public void fill() {
            for (String key : Keys.all()) {
                map.fastPut(key, RegionHitBenchmark.create(key));
                map.get(key);
            }
        }

        /** Ends its threads. */
        @TearDown
        public void close() {
            client.shutdown();
        }
    }

    /** Redisson's. */
    @Benchmark
    public @Nullable String redisson(OfRedisson maps, Keys keys) {
        return maps.map.get(keys.next());
    }

    /** Jedis'. */
    @State(Scope.Benchmark)
    public static class OfJedis {
        final RedisClient client = NearCaches.tracking(port());

        /** Fills it. */
        @Setup
        public void fill() {
            for (String key : Keys.all()) {
                client.set(key, RegionHitBenchmark.create(key));
                client.get(key);
            }
        }

        /** Ends its threads. */
        @TearDown
        public void close() {
            client.close();
        }
    }

    /** Jedis'. */
    @Benchmark
    public @Nullable String jedis(OfJedis clients, Keys keys) {
        return clients.client.get(keys.next());
    }
}
