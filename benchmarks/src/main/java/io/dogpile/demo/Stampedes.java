package io.dogpile.demo;

import io.dogpile.core.Acquired;
import io.dogpile.core.Dogpile;
import io.dogpile.core.DogpileLock;
import io.dogpile.core.Stamped;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;

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
    private interface Way extends Function<Recorder, Load.Request> {}

    private final Progress progress;

    Stampedes(Progress progress) {
        this.progress = progress;
    }

    /** Lets the JVM load and compile what the first run should not pay for. */
    static void warmUp(String smallModule) throws Exception {
        for (int i = 0; i < WARM_UPS; i++) {
            for (Way way : List.of(plainCache(LONG_LIFE), dogpile(o -> o.staleAfter(LONG_LIFE)), lockOverMap())) {
                Recorder unused = new Recorder();
                Load.burst(STEADY_CALLERS, lane -> smallModule, unused, way.apply(unused));
                unused.run("warm-up");
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
                        burst("One cold key", "Dogpile", dogpile(o -> o.staleAfter(LONG_LIFE)), lane -> module)));
    }

    private Row goingStale(String module) throws Exception {
        String title = "Steady load, value stale after " + SHORT_LIFE.toSeconds() + " s";
        String told = STEADY_PER_SECOND + " calls a second for the index of " + module + ", served by "
                + STEADY_CALLERS + " threads. The value is there when the load begins and turns stale "
                + SHORT_LIFE.toSeconds() + " s after it was made. Dogpile has one caller create and gives the"
                + " others the stale value; with refreshOn an executor creates, and no caller waits.";
        Run plain = steady("Going stale", "plain cache", plainCache(SHORT_LIFE), module);
        Run elected = steady("Going stale", "Dogpile", dogpile(o -> o.staleAfter(SHORT_LIFE)), module);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            Way behind = dogpile(o -> o.staleAfter(SHORT_LIFE).refreshOn(executor));
            Run refreshed = steady("Going stale", "Dogpile, refreshOn", behind, module);
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
                        burst(many, "DogpileLock", lockOverMap(), keys)));
    }

    private Run burst(String load, String name, Way way, IntFunction<String> keys) throws Exception {
        Recorder recorder = new Recorder();
        Load.Request request = way.apply(recorder);
        progress.during(
                load + ", " + name, BURST_CALLERS, recorder, () -> Load.burst(BURST_CALLERS, keys, recorder, request));
        return recorder.run(name);
    }

    private Run steady(String load, String name, Way way, String key) throws Exception {
        Recorder recorder = new Recorder();
        Load.Request request = way.apply(recorder);
        request.send(key); // forgotten by the recorder when the load begins
        int calls = (int) (STEADY_PER_SECOND * STEADY_LENGTH.toMillis() / TimeUnit.SECONDS.toMillis(1));
        progress.during(load + ", " + name, calls, recorder, () -> {
            Load.steady(STEADY_CALLERS, STEADY_PER_SECOND, calls, key, recorder, request);
            recorder.awaitQuiet();
        });
        return recorder.run(name);
    }

    // The ways

    private static Way plainCache(Duration life) {
        return recorder -> {
            PlainCache<ModuleIndex> cache = new PlainCache<>(life);
            return key -> {
                PlainCache.Got<ModuleIndex> got = cache.get(key, () -> recorder.index(key));
                check(key, got.value());
                return got.created() ? Call.Outcome.CREATED : Call.Outcome.FRESH;
            };
        };
    }

    /** A dogpile that keeps the one value by itself. */
    private static Way dogpile(UnaryOperator<Dogpile.Builder<ModuleIndex>> options) {
        return recorder -> {
            Dogpile<ModuleIndex> dogpile = options.apply(Dogpile.builder()).build();
            return key -> {
                Instant asked = Instant.now();
                return outcome(key, asked, dogpile.acquire(() -> recorder.index(key)));
            };
        };
    }

    /** One lock for all keys, whose values are kept elsewhere: here in a map. */
    private static Way lockOverMap() {
        return recorder -> {
            Map<String, Stamped<ModuleIndex>> map = new ConcurrentHashMap<>();
            DogpileLock<ModuleIndex> lock =
                    DogpileLock.<ModuleIndex>builder().staleAfter(LONG_LIFE).build();
            return key -> {
                Instant asked = Instant.now();
                return outcome(
                        key,
                        asked,
                        lock.acquireStamped(
                                key,
                                () -> {
                                    Stamped<ModuleIndex> made = new Stamped<>(recorder.index(key), Instant.now());
                                    map.put(key, made);
                                    return made;
                                },
                                () -> Optional.ofNullable(map.get(key))));
            };
        };
    }

    /** Who got a value that was not yet made when it asked has waited for it. */
    private static Call.Outcome outcome(String key, Instant asked, Acquired<ModuleIndex> acquired) {
        check(key, acquired.value());
        return switch (acquired.origin()) {
            case CREATED -> Call.Outcome.CREATED;
            case STALE -> Call.Outcome.STALE;
            case FRESH -> acquired.createdAt().isAfter(asked) ? Call.Outcome.WAITED : Call.Outcome.FRESH;
        };
    }

    /** A demo that served the wrong value would be worth nothing. */
    private static void check(String key, ModuleIndex index) {
        if (!index.module().equals(key)) {
            throw new IllegalStateException("asked for " + key + ", got " + index.module());
        }
    }
}
