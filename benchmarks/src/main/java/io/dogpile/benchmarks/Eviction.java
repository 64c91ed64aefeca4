package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import com.google.common.cache.LoadingCache;
import io.dogpile.cache.KeyedCreator;
import io.dogpile.cache.Region;
import io.dogpile.cache.backend.MemoryBackend;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.cache2k.Cache2kBuilder;

/**
 * How many calls a cache that is far too small answers, by what it chooses to keep: one thread, no life. A region tells
 * Caffeine of few of its hits, and is to lose nothing by it.
 */
final class Eviction {
    private static final int ENTRIES = 1_000;
    private static final int KEYS = 100_000;
    private static final int CALLS = 1_000_000;
    private static final double EXPONENT = 0.9;
    private static final long SEED = 17;
    /** What a region may lose of what Caffeine answers by itself. */
    private static final double LEAST = 0.97;

    /** What evicts draws by chance, and the median is taken. */
    private static final int WALKS = 5;

    private Eviction() {}

    static long expectedSeconds() {
        return 40;
    }

    static void run() {
        run(CALLS);
    }

    /** In which order keys are asked for. */
    private enum Order {
        ZIPF("Zipf") {
            @Override
            IntSupplier keys() {
                return zipf();
            }
        },
        MOVING("Zipf, moving on by a rank each 200 calls") {
            @Override
            IntSupplier keys() {
                IntSupplier ranks = zipf();
                int[] calls = {0};
                return () -> (ranks.getAsInt() + calls[0]++ / 200) % KEYS;
            }
        },
        JUMPING("Zipf, other keys each 200,000 calls") {
            @Override
            IntSupplier keys() {
                IntSupplier ranks = zipf();
                int[] calls = {0};
                return () -> (ranks.getAsInt() + calls[0]++ / 200_000 * 30_000) % KEYS;
            }
        },
        LOOP("a loop over 1,500 keys") {
            @Override
            IntSupplier keys() {
                int[] calls = {0};
                return () -> calls[0]++ % 1_500;
            }
        };

        private final String title;

        Order(String title) {
            this.title = title;
        }

        /** The keys of one walk; the same in each. */
        abstract IntSupplier keys();

        private static IntSupplier zipf() {
            Zipf ranks = new Zipf(KEYS, EXPONENT);
            SplittableRandom random = new SplittableRandom(SEED);
            return () -> ranks.draw(random);
        }
    }

    static void run(int calls) {
        Results.heading("What a cache of " + ENTRIES + " entries answers, of " + calls + " calls for up to " + KEYS
                + " keys, %");
        String[] heads = new String[Order.values().length + 1];
        heads[0] = "";
        for (Order order : Order.values()) {
            heads[order.ordinal() + 1] = order.title;
        }
        Table table = new Table(heads);
        List<Double> caffeine = row(table, "Caffeine", calls, Eviction::caffeine);
        List<Double> region = row(table, "Region", calls, Eviction::region);
        row(table, "cache2k", calls, Eviction::cache2k);
        row(table, "Guava", calls, Eviction::guava);
        Progress.end();
        table.drawn(Chart.higherIsBetter(Arrays.copyOfRange(heads, 1, heads.length)))
                .print();
        for (Order order : Order.values()) {
            int at = order.ordinal();
            Goal.atLeast(order.title + ": Region, x Caffeine", region.get(at) / caffeine.get(at), LEAST)
                    .print();
        }
    }

    /** Makes values, and counts them. */
    private static final class Creator implements Function<Integer, Integer> {
        private int created;

        @Override
        public Integer apply(Integer key) {
            return ++created;
        }
    }

    /** A new cache. */
    private record Kept(IntFunction<Integer> cache, Runnable close) {}

    /** Makes a cache before a creator. */
    private interface Contender {
        Kept before(Creator creator);
    }

    private static List<Double> row(Table table, String title, int calls, Contender contender) {
        Progress.show("eviction: " + title);
        List<Double> shares = Arrays.stream(Order.values())
                .map(order -> Table.median(IntStream.range(0, WALKS)
                        .mapToDouble(walk -> 100 * share(calls, order.keys(), contender))
                        .toArray()))
                .toList();
        String[] cells = new String[shares.size() + 1];
        cells[0] = title;
        for (int i = 0; i < shares.size(); i++) {
            cells[i + 1] = number(shares.get(i), 1);
        }
        table.row(cells);
        return shares;
    }

    /** Of the calls after the first quarter, which fill it. */
    private static double share(int calls, IntSupplier keys, Contender contender) {
        Creator creator = new Creator();
        Kept kept = contender.before(creator);
        int first = calls / 4;
        int createdFirst = 0;
        for (int call = 0; call < calls; call++) {
            if (call == first) {
                createdFirst = creator.created;
            }
            var unused = kept.cache.apply(keys.getAsInt());
        }
        kept.close.run();
        return 1 - (double) (creator.created - createdFirst) / (calls - first);
    }

    private static Kept caffeine(Creator creator) {
        Cache<Integer, Integer> cache =
                Caffeine.newBuilder().maximumSize(ENTRIES).build();
        return new Kept(key -> cache.get(key, creator), cache::invalidateAll);
    }

    private static Kept region(Creator creator) {
        Region<Integer, Integer> region = Region.builder("eviction", Integer.class, Integer.class)
                .backend(MemoryBackend.ofEntries(ENTRIES))
                .build();
        KeyedCreator<Integer, Integer> keyed = creator::apply;
        return new Kept(key -> region.getOrCreate(key, keyed), region::close);
    }

    private static Kept cache2k(Creator creator) {
        org.cache2k.Cache<Integer, Integer> cache = Cache2kBuilder.of(Integer.class, Integer.class)
                .entryCapacity(ENTRIES)
                .eternal(true)
                .build();
        return new Kept(key -> cache.computeIfAbsent(key, creator), cache::close);
    }

    private static Kept guava(Creator creator) {
        LoadingCache<Integer, Integer> cache = CacheBuilder.newBuilder()
                .concurrencyLevel(1)
                .maximumSize(ENTRIES)
                .build(CacheLoader.from(creator::apply));
        return new Kept(cache::getUnchecked, cache::invalidateAll);
    }
}
