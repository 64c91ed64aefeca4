package io.dogpile.benchmarks;

import io.dogpile.cache.Region;
import io.dogpile.cache.file.FileBackend;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Ways to get or create a value that several processes share. */
enum ClusterContender {
    REGION("Region on RedisBackend", onPort(RedisWays::region)),

    /** A lease short enough to wait for its end. */
    SHORT_LEASE("Region on RedisBackend, short lease", onPort(RedisWays::regionWithShortLease)),

    /** Not a cache: the least that could work, to show what can be reached. */
    PROBE("(limit probe: single flight, SET NX, publish)", onPort(port -> singleFlight(RedisWays.published(port)))),

    REDISSON_SINGLE(
            "Redisson RLock + RBucket behind a single flight", onPort(port -> singleFlight(RedisWays.locked(port)))),

    REDISSON("Redisson RLock + RBucket, every thread", onPort(RedisWays::locked)),

    /** As dogpile.cache's lock in Redis does: who waits must win the lock, and only then looks again. */
    POLLING("SET NX, polled each 100 ms, then GET", onPort(RedisWays::polled)),

    /** As its users write it, with no lock in the client: all threads on its one connection, and who loses looks for the value. */
    LETTUCE("Lettuce SET NX; who loses polls the value each 100 ms", onPort(LettuceWays::valuePolled)),

    LETTUCE_SINGLE(
            "Lettuce SET NX, value polled, behind a single flight",
            onPort(port -> singleFlight(LettuceWays.valuePolled(port)))),

    MEMCACHED_REGION("Region on MemcachedBackend", onPort(MemcachedWays::region)),

    /** The shortest lease that it takes. */
    MEMCACHED_SHORT_LEASE("Region on MemcachedBackend, short lease", onPort(MemcachedWays::regionWithShortLease)),

    MEMCACHED_VALUE_POLL("add; who loses polls the value each 100 ms", onPort(MemcachedWays::valuePolled)),

    MEMCACHED_SINGLE(
            "add, value polled, behind a single flight", onPort(port -> singleFlight(MemcachedWays.valuePolled(port)))),

    /** As dogpile.cache's lock in memcached does: who waits must win the lock, and tries ever less often. */
    MEMCACHED_BACK_OFF("add, tried with dogpile.cache's back-off, then get", onPort(MemcachedWays::backingOff)),

    /** A right there ends with its process, and has no lease. */
    FILE_REGION("Region on FileBackend", ClusterContender::inFiles);

    static final Duration LEASE = Duration.ofMillis(1_500);
    static final Duration LEASE_IN_MEMCACHED = Duration.ofSeconds(3);
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

    /** How a cache comes to be, of the port of a server or of a directory. */
    @FunctionalInterface
    private interface Opening {
        Lookup open(String where) throws Exception;
    }

    @FunctionalInterface
    private interface OpeningOnPort {
        Lookup open(int port) throws Exception;
    }

    private static Opening onPort(OpeningOnPort opening) {
        return where -> opening.open(Integer.parseInt(where));
    }

    /** With clients of its own, which end with the JVM. */
    Lookup open(String where) throws Exception {
        return opening.open(where);
    }

    static Lookup regionOf(Region<String, byte[]> region) {
        return (key, creator) -> region.getOrCreate(key, creator::call);
    }

    private static Lookup inFiles(String directory) {
        return regionOf(
                Peers.region("cluster", FileBackend.in(Path.of(directory))).build());
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
