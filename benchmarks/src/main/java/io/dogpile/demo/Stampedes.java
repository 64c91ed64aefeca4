package io.dogpile.demo;

import io.dogpile.cache.CachedProxies;
import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.RegionStats;
import io.dogpile.cache.Regions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The runs of the demo: three loads, each met by a plain cache and by this library. All that the demo uses of the
 * library is here.
 */
final class Stampedes {
    /** How many runs {@link #all} makes. */
    static final int RUNS = 7;

    private static final int BURST_CALLERS = 200;
    private static final int STEADY_CALLERS = 16;
    private static final int STEADY_PER_SECOND = 400;
    private static final Duration STEADY_LENGTH = Duration.ofMillis(2800);
    private static final Duration SHORT_LIFE = Duration.ofSeconds(1);
    private static final Duration LONG_LIFE = Duration.ofHours(1);
    private static final int WARM_UPS = 3;

    /** What stands between the callers of a run and the expensive call. */
    private interface Way extends Function<Recorder, Service> {}

    /** A way that is open: what callers send, and what it counts, if it does. */
    private record Service(Load.Request request, @Nullable Supplier<RegionStats> stats) {
        Run run(String name, Recorder recorder) {
            return recorder.run(
                    name, stats == null ? "" : Counts.of(stats.get()).toString());
        }
    }

    private final Progress progress;

    Stampedes(Progress progress) {
        this.progress = progress;
    }

    /** Lets the JVM load and compile what the first run should not pay for. */
    static void warmUp(String smallModule) throws Exception {
        for (int i = 0; i < WARM_UPS; i++) {
            for (Way way : List.of(
                    plainCache(LONG_LIFE),
                    region(o -> o.staleAfter(LONG_LIFE)),
                    annotated(o -> o.staleAfter(LONG_LIFE)))) {
                Recorder unused = new Recorder();
                Load.burst(
                        STEADY_CALLERS,
                        lane -> smallModule,
                        unused,
                        way.apply(unused).request(),
                        Load.Start.SOON);
                unused.run("warm-up", "");
            }
        }
    }

    List<Row> all(String module, List<String> modules) throws Exception {
        return List.of(cold(module), goingStale(module), manyKeys(modules));
    }

    private Row cold(String module) throws Exception {
        String title = BURST_CALLERS + " callers, one cold key";
        return new Row(
                title,
                BURST_CALLERS + " threads ask for the index of " + module
                        + " at the same moment, and nobody has it yet.",
                Row.Kind.ONE_KEY,
                List.of(
                        burst("One cold key", "plain cache", plainCache(LONG_LIFE), lane -> module),
                        burst("One cold key", "@Cached", annotated(o -> o.staleAfter(LONG_LIFE)), lane -> module)));
    }

    private Row goingStale(String module) throws Exception {
        String title = "Steady load, value stale after " + SHORT_LIFE.toSeconds() + " s";
        String told = STEADY_PER_SECOND + " calls a second for the index of " + module + ", served by "
                + STEADY_CALLERS + " threads. The value is there when the load begins and turns stale "
                + SHORT_LIFE.toSeconds() + " s after it was made. A region has one caller create and gives the"
                + " others the stale value; with refreshOn an executor creates, and no caller waits.";
        Run plain = steady("Going stale", "plain cache", plainCache(SHORT_LIFE), module);
        Run elected = steady("Going stale", "Region", region(o -> o.staleAfter(SHORT_LIFE)), module);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            Way behind = region(o -> o.staleAfter(SHORT_LIFE).refreshOn(executor));
            Run refreshed = steady("Going stale", "Region, refreshOn", behind, module);
            return new Row(title, told, Row.Kind.STEADY, List.of(plain, elected, refreshed));
        } finally {
            executor.shutdown();
        }
    }

    private Row manyKeys(List<String> modules) throws Exception {
        String title = BURST_CALLERS + " callers, " + modules.size() + " cold keys";
        String told = BURST_CALLERS + " threads at the same moment ask for the indexes of the " + modules.size()
                + " largest modules, each thread for one.";
        String many = modules.size() + " cold keys";
        IntFunction<String> keys = lane -> modules.get(lane % modules.size());
        return new Row(
                title,
                told,
                Row.Kind.MANY_KEYS,
                List.of(
                        burst(many, "plain cache", plainCache(LONG_LIFE), keys),
                        burst(many, "Region", region(o -> o.staleAfter(LONG_LIFE)), keys)));
    }

    private Run burst(String load, String name, Way way, IntFunction<String> keys) throws Exception {
        Recorder recorder = new Recorder();
        Service service = way.apply(recorder);
        progress.during(
                load + ", " + name,
                BURST_CALLERS,
                recorder,
                () -> Load.burst(BURST_CALLERS, keys, recorder, service.request(), Load.Start.SOON));
        return service.run(name, recorder);
    }

    private Run steady(String load, String name, Way way, String key) throws Exception {
        Recorder recorder = new Recorder();
        Service service = way.apply(recorder);
        service.request().send(key); // forgotten by the recorder when the load begins
        int calls = (int) (STEADY_PER_SECOND * STEADY_LENGTH.toMillis() / TimeUnit.SECONDS.toMillis(1));
        progress.during(load + ", " + name, calls, recorder, () -> {
            Load.Pace pace = Load.Pace.perSecond(STEADY_PER_SECOND, calls);
            Load.steady(STEADY_CALLERS, pace, key, recorder, service.request(), Load.Start.SOON);
            recorder.awaitQuiet();
        });
        return service.run(name, recorder);
    }

    // The ways

    private static Way plainCache(Duration life) {
        return recorder -> {
            PlainCache<ModuleIndex> cache = new PlainCache<>(life);
            return new Service(
                    key -> {
                        PlainCache.Got<ModuleIndex> got = cache.get(key, () -> recorder.index(key));
                        check(key, got.value());
                        return got.created() ? Call.Outcome.CREATED : Call.Outcome.FRESH;
                    },
                    null);
        };
    }

    /** A region, asked by key. */
    private static Way region(UnaryOperator<RegionBuilder<String, ModuleIndex>> options) {
        return recorder -> {
            Outcomes outcomes = new Outcomes();
            Region<String, ModuleIndex> region = built(options, outcomes);
            return new Service(
                    key -> outcomes.of(() -> check(key, region.getOrCreate(key, recorder::index))), region::stats);
        };
    }

    /** An interface with an annotated method, in front of what does the work. */
    private static Way annotated(UnaryOperator<RegionBuilder<String, ModuleIndex>> options) {
        return recorder -> {
            Outcomes outcomes = new Outcomes();
            Region<String, ModuleIndex> region = built(options, outcomes);
            Indexes indexes = CachedProxies.wrap(Indexes.class, recorder::index, Regions.of(region));
            return new Service(key -> outcomes.of(() -> check(key, indexes.index(key))), region::stats);
        };
    }

    private static Region<String, ModuleIndex> built(
            UnaryOperator<RegionBuilder<String, ModuleIndex>> options, Outcomes outcomes) {
        return options.apply(Region.<String, ModuleIndex>builder("indexes")
                        .recordStats()
                        .listener(outcomes))
                .build();
    }

    /** A demo that served the wrong value would be worth nothing. */
    private static ModuleIndex check(String key, ModuleIndex index) {
        if (!index.module().equals(key)) {
            throw new IllegalStateException("asked for " + key + ", got " + index.module());
        }
        return index;
    }
}
