package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import com.github.benmanes.caffeine.cache.Caffeine;
import io.dogpile.cache.Region;
import io.dogpile.cache.backend.MemoryBackend;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.HdrHistogram.Histogram;
import org.cache2k.Cache2kBuilder;

/**
 * One thread asks for keys, half of them new, with a creator that takes no time; beside it another creates one slow value
 * after the other, 500 ms each. What counts is what the first sees of the second.
 */
public final class SlowNeighbour {
    private static final long SLOW_MILLIS = 500;
    private static final int SECONDS = 4;
    private static final int ROUNDS = 3;
    private static final int KEYS = 10_000;
    private static final double P99_TO_ALONE = 1.5;

    /** A cache as it is asked. */
    private interface Cache {
        Object get(String key);
    }

    private record Contender(String title, Cache cache, Histogram alone, Histogram beside) {
        Contender(String title, Cache cache) {
            this(title, cache, new Histogram(3), new Histogram(3));
        }

        double ratio(double percentile) {
            return (double) beside.getValueAtPercentile(percentile) / alone.getValueAtPercentile(percentile);
        }
    }

    private SlowNeighbour() {}

    static long expectedSeconds() {
        return 3L * ROUNDS * 2 * (SECONDS + 1);
    }

    /**
     * Runs it by itself.
     *
     * @param args none
     */
    public static void main(String[] args) throws InterruptedException {
        run();
        System.exit(0);
    }

    static void run() throws InterruptedException {
        List<Contender> all = contenders();
        for (int round = 0; round < ROUNDS; round++) {
            for (Contender each : all) {
                Progress.show("slow neighbour, round " + (round + 1) + " of " + ROUNDS + ": " + each.title());
                ask(each.cache(), round * 10, new Histogram(3), 1);
                ask(each.cache(), round * 10 + 1, each.alone(), SECONDS);
                beside(each, round);
            }
        }
        Progress.end();
        Results.heading("A creation of " + SLOW_MILLIS + " ms beside other keys, " + ROUNDS + " rounds of " + SECONDS
                + " s, alone and beside it in turn");
        Table table = new Table(
                "us", "alone p99", "beside p99", "x", "alone p99.99", "beside p99.99", "alone max", "beside max");
        for (Contender each : all) {
            table.row(
                    each.title(),
                    number(each.alone().getValueAtPercentile(99) / 1e3, 2),
                    number(each.beside().getValueAtPercentile(99) / 1e3, 2),
                    number(each.ratio(99), 2),
                    number(each.alone().getValueAtPercentile(99.99) / 1e3, 1),
                    number(each.beside().getValueAtPercentile(99.99) / 1e3, 1),
                    number(each.alone().getMaxValue() / 1e3, 0),
                    number(each.beside().getMaxValue() / 1e3, 0));
        }
        table.drawn(Chart.lowerIsBetter("beside p99", "beside max").logarithmic())
                .print();
        Goal.atMost("p99 beside, x alone", all.get(0).ratio(99), P99_TO_ALONE).print();
    }

    private static List<Contender> contenders() {
        Region<String, Object> region = Region.<String, Object>builder("neighbours")
                .backend(MemoryBackend.ofEntries(KEYS))
                .build();
        var caffeine = Caffeine.newBuilder().maximumSize(KEYS).<String, Object>build();
        var cache2k = Cache2kBuilder.of(String.class, Object.class)
                .name("neighbours")
                .entryCapacity(KEYS)
                .eternal(true)
                .build();
        return List.of(
                new Contender("Region", key -> region.getOrCreate(key, SlowNeighbour::create)),
                new Contender("Caffeine get(key, fn)", key -> caffeine.get(key, SlowNeighbour::create)),
                new Contender("cache2k computeIfAbsent", key -> cache2k.computeIfAbsent(key, SlowNeighbour::create)));
    }

    private static Object create(String key) {
        if (key.startsWith("slow")) {
            try {
                TimeUnit.MILLISECONDS.sleep(SLOW_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return key;
    }

    private static void beside(Contender contender, int round) throws InterruptedException {
        AtomicBoolean going = new AtomicBoolean(true);
        Thread slow = new Thread(() -> {
            for (int i = 0; going.get(); i++) {
                contender.cache().get("slow " + round + ' ' + i);
            }
        });
        slow.start();
        ask(contender.cache(), round * 10 + 2, contender.beside(), SECONDS);
        going.set(false);
        slow.join();
    }

    private static void ask(Cache cache, int seed, Histogram latency, int seconds) {
        SplittableRandom random = new SplittableRandom(seed);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        for (long i = 0; System.nanoTime() < end; i++) {
            String key = (i & 1) == 0 ? "key " + random.nextInt(KEYS) : "new " + seed + ' ' + i;
            long before = System.nanoTime();
            cache.get(key);
            latency.recordValue(System.nanoTime() - before);
        }
    }
}
