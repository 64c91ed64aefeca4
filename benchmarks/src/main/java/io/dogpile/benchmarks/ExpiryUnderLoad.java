package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import com.alicp.jetcache.RefreshPolicy;
import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import io.dogpile.cache.Region;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SynchronizedHistogram;
import org.cache2k.Cache2kBuilder;

/**
 * A value that lives a second, asked for by 16 threads once a millisecond each, with a creator of 100 ms. In the open loop latency
 * counts from the moment when a call was due, so that a thread that is kept waiting does not hide the calls it missed; in the closed
 * one it does, and the goals are not of it. The age of a value counts from the return of its creator.
 */
public final class ExpiryUnderLoad {
    private static final int THREADS = 16;
    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final Duration LIFE = Duration.ofSeconds(1);
    private static final long CREATION_MILLIS = 100;
    private static final Sizes USUAL = new Sizes(2, 2, 10);
    private static final Sizes USUAL_CLOSED = new Sizes(1, 2, 5);
    private static final int CONTENDERS = 7;

    private static final double P99_TO_BEST_PEER = 1.2;
    private static final double P9999_MILLIS = 50;
    private static final double AGE_SECONDS = LIFE.toSeconds() + CREATION_MILLIS / 1e3 + 0.1;
    /** When a caller asks. */
    private enum Loop {
        /** Each millisecond, whether or not it has its answer; what it was late by counts. */
        OPEN("open loop", "from the moment due"),

        /** A millisecond after its answer; calls that a creation keeps from being made are not seen. */
        CLOSED("closed loop, which omits the calls that a wait keeps from being made", "from the call");

        private final String title;
        private final String from;

        Loop(String title, String from) {
            this.title = title;
            this.from = from;
        }
    }

    /**
     * How much is done.
     *
     * @param rounds of each contender
     * @param warmUpSeconds before each
     * @param seconds of each
     */
    record Sizes(int rounds, int warmUpSeconds, int seconds) {
        private long all() {
            return (long) CONTENDERS * rounds * (seconds + warmUpSeconds);
        }
    }

    /** When the value was created, in nanoseconds, as its creator returned it. */
    private record Value(long createdAt) {}

    /** A cache of one value, and what was seen of it. */
    private static final class Contender {
        final String title;
        final boolean isPeer;
        final LongAdder creations = new LongAdder();
        final Histogram latency = new SynchronizedHistogram(3);
        final AtomicLong oldest = new AtomicLong();
        long mostCreations;
        private Supplier<Value> getter = () -> new Value(0);

        Contender(String title, boolean isPeer) {
            this.title = title;
            this.isPeer = isPeer;
        }

        Contender by(Supplier<Value> get) {
            getter = get;
            return this;
        }

        Value create() {
            creations.increment();
            try {
                TimeUnit.MILLISECONDS.sleep(CREATION_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
            return new Value(System.nanoTime());
        }

        double millis(double percentile) {
            return latency.getValueAtPercentile(percentile) / 1e6;
        }
    }

    private ExpiryUnderLoad() {}

    static long expectedSeconds() {
        return USUAL.all() + USUAL_CLOSED.all();
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
        run(USUAL, USUAL_CLOSED);
    }

    static void run(Sizes open, Sizes closed) throws InterruptedException {
        ExecutorService refresher = Executors.newSingleThreadExecutor();
        try {
            judge(run(Loop.OPEN, open, refresher), open);
            var unused = run(Loop.CLOSED, closed, refresher);
        } finally {
            refresher.shutdown();
        }
    }

    private static List<Contender> run(Loop loop, Sizes sizes, ExecutorService refresher) throws InterruptedException {
        List<Contender> all = contenders(refresher);
        for (int round = 0; round < sizes.rounds(); round++) {
            for (int turn = 0; turn < all.size(); turn++) {
                Contender next = all.get((round + turn) % all.size());
                Progress.show(loop.title + ", round " + (round + 1) + " of " + sizes.rounds() + ": " + next.title);
                load(next, loop, sizes.warmUpSeconds(), new SynchronizedHistogram(3), new AtomicLong());
                next.creations.reset();
                load(next, loop, sizes.seconds(), next.latency, next.oldest);
                next.mostCreations = Math.max(next.mostCreations, next.creations.sum());
            }
        }
        Progress.end();
        print(all, loop, sizes);
        return all;
    }

    private static List<Contender> contenders(ExecutorService refresher) {
        List<Contender> all = new ArrayList<>();
        Contender region = new Contender("Region, staleAfter 1 s, refreshOn", false);
        Region<String, Value> values = Region.<String, Value>builder("expiring")
                .staleAfter(LIFE)
                .expireAfter(LIFE.multipliedBy(5))
                .refreshOn(refresher)
                .build();
        all.add(region.by(() -> values.getOrCreate("key", key -> region.create())));

        Contender expiring = new Contender("Caffeine expireAfterWrite 1 s", true);
        var expire = Caffeine.newBuilder().expireAfterWrite(LIFE).<String, Value>build(key -> expiring.create());
        all.add(expiring.by(() -> expire.get("key")));

        Contender refreshing = new Contender("Caffeine refreshAfterWrite 1 s", true);
        var refresh = Caffeine.newBuilder().refreshAfterWrite(LIFE).<String, Value>build(key -> refreshing.create());
        all.add(refreshing.by(() -> refresh.get("key")));

        Contender doing = new Contender("Caffeine refresh 0.8 s + expire 1 s", true);
        var both = Caffeine.newBuilder()
                .refreshAfterWrite(Duration.ofMillis(800))
                .expireAfterWrite(LIFE)
                .<String, Value>build(key -> doing.create());
        all.add(doing.by(() -> both.get("key")));

        Contender guava = new Contender("Guava refreshAfterWrite 1 s (caller runs)", true);
        var guavas = CacheBuilder.newBuilder()
                .refreshAfterWrite(LIFE)
                .build(CacheLoader.<String, Value>from(key -> guava.create()));
        all.add(guava.by(() -> guavas.getUnchecked("key")));

        Contender ahead = new Contender("cache2k refreshAhead, expireAfterWrite 1 s", true);
        var aheads = Cache2kBuilder.of(String.class, Value.class)
                .expireAfterWrite(LIFE.toSeconds(), TimeUnit.SECONDS)
                .refreshAhead(true)
                .loader(key -> ahead.create())
                .build();
        all.add(ahead.by(() -> aheads.get("key")));

        Contender jet = new Contender("JetCache refreshPolicy 1 s", true);
        com.alicp.jetcache.Cache<String, Value> jets = CaffeineCacheBuilder.createCaffeineCacheBuilder()
                .expireAfterWrite(5, TimeUnit.SECONDS)
                .cachePenetrateProtect(true)
                .refreshPolicy(RefreshPolicy.newPolicy(LIFE.toSeconds(), TimeUnit.SECONDS))
                .loader((String key) -> jet.create())
                .buildCache();
        all.add(jet.by(() -> jets.get("key")));
        return all;
    }

    private static void load(Contender contender, Loop loop, int seconds, Histogram latency, AtomicLong oldest)
            throws InterruptedException {
        var unused = contender.getter.get();
        CountDownLatch done = new CountDownLatch(THREADS);
        long begin = System.nanoTime() + 20 * PERIOD_NANOS;
        long end = begin + TimeUnit.SECONDS.toNanos(seconds);
        for (int thread = 0; thread < THREADS; thread++) {
            long first = begin + thread * PERIOD_NANOS / THREADS;
            new Thread(() -> {
                        Histogram own = new Histogram(3);
                        long ownOldest = 0;
                        long due = first;
                        while (due < end) {
                            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                                LockSupport.parkNanos(left);
                            }
                            long from = loop == Loop.OPEN ? due : System.nanoTime();
                            Value value = contender.getter.get();
                            long now = System.nanoTime();
                            own.recordValue(now - from);
                            ownOldest = Math.max(ownOldest, now - value.createdAt());
                            due = PERIOD_NANOS + (loop == Loop.OPEN ? due : now);
                        }
                        latency.add(own);
                        oldest.accumulateAndGet(ownOldest, Math::max);
                        done.countDown();
                    })
                    .start();
        }
        done.await();
    }

    private static Contender best(List<Contender> all) {
        return all.stream()
                .filter(each -> each.isPeer)
                .min(Comparator.comparingDouble(each -> each.millis(99)))
                .orElseThrow();
    }

    private static void print(List<Contender> all, Loop loop, Sizes sizes) {
        Contender best = best(all);
        Results.heading("Expiry under load, " + loop.title + ": " + THREADS
                + " threads, 1,000 calls/s each at most, life 1 s," + " creator " + CREATION_MILLIS + " ms, rounds of "
                + sizes.seconds() + " s in turn: " + sizes.rounds());
        Table table = new Table(
                "ms " + loop.from,
                "p50",
                "p99",
                "x " + best.title,
                "p99.9",
                "p99.99",
                "max",
                "calls",
                "creations a round",
                "oldest value, s");
        for (Contender each : all) {
            table.row(
                    each.title,
                    number(each.millis(50), 3),
                    number(each.millis(99), 2),
                    number(each.millis(99) / best.millis(99), 2),
                    number(each.millis(99.9), 2),
                    number(each.millis(99.99), 2),
                    number(each.latency.getMaxValue() / 1e6, 2),
                    Long.toString(each.latency.getTotalCount()),
                    number(each.mostCreations, 0),
                    number(each.oldest.get() / 1e9, 2));
        }
        table.drawn(Chart.lowerIsBetter("p99", "p99.99").logarithmic()).print();
    }

    private static void judge(List<Contender> all, Sizes sizes) {
        Contender region = all.get(0);
        Contender best = best(all);
        Goal.atMost("p99, x that of " + best.title, region.millis(99) / best.millis(99), P99_TO_BEST_PEER)
                .print();
        Goal.atMost("p99.99, ms", region.millis(99.99), P9999_MILLIS).print();
        Goal.atMost("creations in " + sizes.seconds() + " s, one a life", region.mostCreations, sizes.seconds() + 1)
                .print();
        Goal.atMost("oldest value served, s", region.oldest.get() / 1e9, AGE_SECONDS)
                .print();
    }
}
