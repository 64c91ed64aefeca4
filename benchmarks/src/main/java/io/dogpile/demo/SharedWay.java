package io.dogpile.demo;

import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.RegionStats;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.redis.RedisBackend;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.SetParams;

/** What stands between the callers of several JVMs and the expensive call; all keep the values in the same Redis. */
enum SharedWay {
    /** What one writes first. */
    PLAIN("plain cache") {
        @Override
        Service open(Store store, Terms terms, Recorder recorder) {
            return new Service(key -> plain(store.client(), terms, key, recorder), null);
        }
    },
    /** A region. */
    REGION("Region") {
        @Override
        Service open(Store store, Terms terms, Recorder recorder) {
            return region(builder(store, terms), recorder);
        }
    },
    /** A region that creates behind the callers' backs what is stale. */
    REFRESHED("Region, refreshOn") {
        @Override
        Service open(Store store, Terms terms, Recorder recorder) {
            return region(builder(store, terms).refreshOn(store.executor()), recorder);
        }
    };

    /** The key of the dearest value: about all modules of this JDK. */
    static final String ALL_MODULES = "all-modules";

    private final String title;

    SharedWay(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /**
     * What a JVM has for all its ways.
     *
     * @param client for the plain cache
     * @param backend for regions, over the same client
     * @param executor for what is created behind the callers' backs
     */
    record Store(RedisClient client, RedisBackend backend, Executor executor) {}

    /**
     * What all JVMs agree upon.
     *
     * @param region the name before all keys
     * @param life how long a value is fresh
     * @param lease how long a right to create lasts that is not renewed
     */
    record Terms(String region, Duration life, Duration lease) {}

    /** A way that is open: what callers send, and what it counts, if it does. */
    record Service(Load.Request request, @Nullable Supplier<RegionStats> stats) {
        Counts counts() {
            return stats == null ? Counts.NONE : Counts.of(stats.get());
        }
    }

    abstract Service open(Store store, Terms terms, Recorder recorder);

    private static Call.Outcome plain(RedisClient client, Terms terms, String key, Recorder recorder)
            throws IOException {
        String name = terms.region() + ':' + key;
        String value = client.get(name);
        if (value != null) {
            check(key, value);
            return Call.Outcome.FRESH;
        }
        client.set(
                name,
                describe(key, recorder),
                SetParams.setParams().px(terms.life().toMillis()));
        return Call.Outcome.CREATED;
    }

    private static RegionBuilder<String, String> builder(Store store, Terms terms) {
        return Region.<String, String>builder(terms.region())
                .backend(store.backend())
                .serializer(Serializer.string())
                .staleAfter(terms.life())
                .lease(terms.lease());
    }

    private static Service region(RegionBuilder<String, String> builder, Recorder recorder) {
        Outcomes outcomes = new Outcomes();
        Region<String, String> region = builder.recordStats().listener(outcomes).build();
        return new Service(
                key -> outcomes.of(() -> check(key, region.getOrCreate(key, wanted -> describe(wanted, recorder)))),
                region::stats);
    }

    /** The expensive call. */
    private static String describe(String key, Recorder recorder) throws IOException {
        return recorder.work(() -> {
            int methods = 0;
            int types = 0;
            for (String module : key.equals(ALL_MODULES) ? ModuleIndexer.modules() : List.of(key)) {
                ModuleIndex index = ModuleIndexer.index(module);
                methods += index.methods();
                types += index.types().size();
            }
            return key + ": " + methods + " public methods of " + types + " public types";
        });
    }

    /** A demo that served the wrong value would be worth nothing. */
    private static String check(String key, String value) {
        if (!value.startsWith(key + ": ")) {
            throw new IllegalStateException("asked for " + key + ", got " + value);
        }
        return value;
    }
}
