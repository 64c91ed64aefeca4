package io.dogpile.benchmarks;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Ways to get or create a value that several processes share. */
enum ClusterContender {
    REGION("Region on RedisBackend", RedisWays::region),

    /** A lease short enough to wait for its end. */
    SHORT_LEASE("Region on RedisBackend, short lease", RedisWays::regionWithShortLease),

    /** Not a cache: the least that could work, to show what can be reached. */
    PROBE("(limit probe: single flight, SET NX, publish)", port -> singleFlight(RedisWays.published(port))),

    REDISSON_SINGLE("Redisson RLock + RBucket behind a single flight", port -> singleFlight(RedisWays.locked(port))),

    REDISSON("Redisson RLock + RBucket, every thread", RedisWays::locked),

    /** As dogpile.cache's lock in Redis does: who waits must win the lock, and only then looks again. */
    POLLING("SET NX, polled each 100 ms, then GET", RedisWays::polled),

    MEMCACHED_REGION("Region on MemcachedBackend", MemcachedWays::region),

    MEMCACHED_VALUE_POLL("add; who loses polls the value each 100 ms", MemcachedWays::valuePolled),

    MEMCACHED_SINGLE("the same behind a single flight", port -> singleFlight(MemcachedWays.valuePolled(port))),

    /** As dogpile.cache's lock in memcached does: who waits must win the lock, and tries ever less often. */
    MEMCACHED_BACK_OFF("add, tried with dogpile.cache's back-off, then get", MemcachedWays::backingOff);

    static final Duration LEASE = Duration.ofMillis(1_500);
    static final String SHORT_LEASE_REGION = "takeover";
    static final long POLL_MILLIS = 100;

    private static final long LONGEST_FLIGHT_SECONDS = 50;

    final String title;
    private final Opening opening;

    ClusterContender(String title, Opening opening) {
        this.title = title;
        this.opening = opening;
    }

    /** A cache as a caller sees it. */
    @FunctionalInterface
    interface Lookup {
        byte[] get(String key, Callable<byte[]> creator) throws Exception;
    }

    /** How a cache comes to be. */
    @FunctionalInterface
    private interface Opening {
        Lookup open(int port) throws Exception;
    }

    /** With clients of its own, which end with the JVM. */
    Lookup open(int port) throws Exception {
        return opening.open(port);
    }

    /** One caller of this JVM goes; the others wait for what it brings. */
    private static Lookup singleFlight(Lookup inner) {
        Map<String, CompletableFuture<byte[]>> flights = new ConcurrentHashMap<>();
        return (key, creator) -> {
            CompletableFuture<byte[]> mine = new CompletableFuture<>();
            CompletableFuture<byte[]> other = flights.putIfAbsent(key, mine);
            if (other != null) {
                return other.get(LONGEST_FLIGHT_SECONDS, TimeUnit.SECONDS);
            }
            try {
                byte[] value = inner.get(key, creator);
                mine.complete(value);
                return value;
            } catch (Exception e) {
                mine.completeExceptionally(e);
                throw e;
            } finally {
                flights.remove(key, mine);
            }
        };
    }
}
