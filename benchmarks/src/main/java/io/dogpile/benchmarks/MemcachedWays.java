package io.dogpile.benchmarks;

import io.dogpile.benchmarks.ClusterContender.Lookup;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import net.spy.memcached.MemcachedClient;

/** Ways to get or create a value in memcached. */
final class MemcachedWays {
    private static final int LEASE_SECONDS = 30;
    /** dogpile.cache raises its pause no more after so many tries. */
    private static final int LONGEST_BACK_OFF = 15;

    private static final double BACK_OFF_DIVISOR = 2.5;

    private MemcachedWays() {}

    static Lookup region(int port) {
        return ClusterContender.regionOf(
                Peers.region("cluster", Peers.memcachedBackend(port)).build());
    }

    static Lookup regionWithShortLease(int port) {
        return ClusterContender.regionOf(Peers.region(ClusterContender.SHORT_LEASE_REGION, Peers.memcachedBackend(port))
                .lease(ClusterContender.LEASE_IN_MEMCACHED)
                .build());
    }

    static Lookup valuePolled(int port) throws Exception {
        MemcachedClient client = Peers.memcached(port);
        return (key, creator) -> {
            while (true) {
                byte[] value = Peers.bytes(client, key);
                if (value != null) {
                    return value;
                }
                if (client.add(lock(key), LEASE_SECONDS, "1").get()) {
                    return created(client, key, creator);
                }
                TimeUnit.MILLISECONDS.sleep(ClusterContender.POLL_MILLIS);
            }
        };
    }

    static Lookup backingOff(int port) throws Exception {
        MemcachedClient client = Peers.memcached(port);
        return (key, creator) -> {
            byte[] value = Peers.bytes(client, key);
            if (value != null) {
                return value;
            }
            for (int tries = 0; !client.add(lock(key), LEASE_SECONDS, "1").get(); tries++) {
                int power = Math.min(tries, LONGEST_BACK_OFF);
                double seconds = ((power + 1) * ThreadLocalRandom.current().nextDouble() + Math.pow(2, power))
                        / BACK_OFF_DIVISOR;
                TimeUnit.MICROSECONDS.sleep((long) (seconds * 1e6));
            }
            return created(client, key, creator);
        };
    }

    /** By who has the lock. */
    private static byte[] created(MemcachedClient client, String key, Callable<byte[]> creator) throws Exception {
        try {
            byte[] value = Peers.bytes(client, key);
            if (value == null) {
                value = creator.call();
                client.set(key, (int) Peers.LIFE.toSeconds(), value, Peers.BYTES)
                        .get();
            }
            return value;
        } finally {
            client.delete(lock(key)).get();
        }
    }

    private static String lock(String key) {
        return "_lock" + key;
    }
}
