package io.dogpile.benchmarks;

import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import com.google.common.util.concurrent.Striped;
import io.dogpile.cache.Region;
import io.dogpile.core.Dogpile;
import io.dogpile.core.NameRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.cache2k.Cache2kBuilder;

/** One way to let many callers of a cold name share one creation. */
record Contender(String title, Lookup lookup) {
    static final String DOGPILE = "Dogpile, by name";
    static final String REGION = "Region";
    static final String GUAVA = "Guava LoadingCache";

    private static final int MOST_ENTRIES = 10_000;
    private static final int STRIPES = 1024;
    private static final Duration LIFE = Duration.ofHours(1);

    /** Gives the value of a name, made by one of those who ask for it. */
    @FunctionalInterface
    interface Lookup {
        String get(String name, Callable<String> creator) throws Exception;
    }

    static List<Contender> all() {
        return List.of(dogpile(), region(), guava(), caffeine(), cache2k(), stripedLocks(), map());
    }

    static Contender dogpile() {
        NameRegistry<Dogpile<String>> dogpiles = NameRegistry.of(name -> Dogpile.of(LIFE));
        return new Contender(DOGPILE, (name, creator) -> dogpiles.get(name).get(creator::call));
    }

    static Contender region() {
        Region<String, String> region = Region.<String, String>builder("stampede")
                .staleAfter(LIFE)
                .expireAfter(LIFE)
                .build();
        return new Contender(REGION, (name, creator) -> region.getOrCreate(name, creator::call));
    }

    static Contender guava() {
        var cache = CacheBuilder.newBuilder()
                .maximumSize(MOST_ENTRIES)
                .expireAfterWrite(LIFE)
                .<String, String>build();
        return new Contender(GUAVA, cache::get);
    }

    static Contender caffeine() {
        var cache = Caffeine.newBuilder()
                .maximumSize(MOST_ENTRIES)
                .expireAfterWrite(LIFE)
                .<String, String>build();
        return new Contender("Caffeine", (name, creator) -> cache.get(name, key -> called(creator)));
    }

    static Contender jetCache() {
        com.alicp.jetcache.Cache<String, String> cache = CaffeineCacheBuilder.createCaffeineCacheBuilder()
                .limit(MOST_ENTRIES)
                .expireAfterWrite(LIFE.toHours(), TimeUnit.HOURS)
                .cachePenetrateProtect(true)
                .buildCache();
        return new Contender(
                "JetCache, protected", (name, creator) -> cache.computeIfAbsent(name, key -> called(creator)));
    }

    static Contender cache2k() {
        var cache = Cache2kBuilder.of(String.class, String.class)
                .entryCapacity(MOST_ENTRIES)
                .expireAfterWrite(LIFE.toHours(), TimeUnit.HOURS)
                .build();
        return new Contender("cache2k", (name, creator) -> cache.computeIfAbsent(name, key -> called(creator)));
    }

    /** Look, lock, look again, create. */
    static Contender stripedLocks() {
        ConcurrentHashMap<String, String> values = new ConcurrentHashMap<>();
        Striped<Lock> locks = Striped.lazyWeakLock(STRIPES);
        return new Contender("Guava Striped, double-checked", (name, creator) -> {
            String value = values.get(name);
            if (value != null) {
                return value;
            }
            Lock lock = locks.get(name);
            lock.lock();
            try {
                value = values.get(name);
                if (value == null) {
                    value = creator.call();
                    values.put(name, value);
                }
                return value;
            } finally {
                lock.unlock();
            }
        });
    }

    static Contender map() {
        ConcurrentHashMap<String, String> values = new ConcurrentHashMap<>();
        return new Contender(
                "ConcurrentHashMap.computeIfAbsent",
                (name, creator) -> values.computeIfAbsent(name, key -> called(creator)));
    }

    private static String called(Callable<String> creator) {
        try {
            return creator.call();
        } catch (RuntimeException unchecked) {
            throw unchecked;
        } catch (Exception checked) {
            throw new IllegalStateException(checked);
        }
    }
}
