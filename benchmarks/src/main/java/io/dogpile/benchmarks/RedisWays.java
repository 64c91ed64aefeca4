package io.dogpile.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.dogpile.benchmarks.ClusterContender.Lookup;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.redisson.api.RBucket;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.SetParams;

/** Ways to get or create a value in Redis. */
final class RedisWays {
    static final long LEASE_MILLIS = 30_000;
    static final String UNLOCK =
            "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0";
    private static final String PUBLISH = "redis.call('set',KEYS[1],ARGV[1],'PX',ARGV[2]) "
            + "if redis.call('get',KEYS[2])==ARGV[3] then redis.call('del',KEYS[2]) end "
            + "return redis.call('publish',KEYS[3],KEYS[1])";
    private static final String CHANNEL = "done";

    private RedisWays() {}

    static Lookup region(int port) {
        return ClusterContender.regionOf(
                Peers.region("cluster", Peers.backend(port)).build());
    }

    static Lookup regionWithShortLease(int port) {
        return ClusterContender.regionOf(Peers.region(ClusterContender.SHORT_LEASE_REGION, Peers.backend(port))
                .lease(ClusterContender.LEASE)
                .build());
    }

    static Lookup locked(int port) {
        RedissonClient client = Peers.redisson(port);
        return (key, creator) -> {
            RBucket<byte[]> bucket = client.getBucket("bucket:" + key);
            byte[] value = bucket.get();
            if (value != null) {
                return value;
            }
            RLock lock = client.getLock("lock:" + key);
            lock.lock();
            try {
                value = bucket.get();
                if (value == null) {
                    value = creator.call();
                    bucket.set(value, Peers.LIFE);
                }
                return value;
            } finally {
                lock.unlock();
            }
        };
    }

    static Lookup polled(int port) {
        RedisClient jedis = Peers.jedis(port);
        return (key, creator) -> {
            byte[] name = bytes("polled:" + key);
            byte[] value = jedis.get(name);
            if (value != null) {
                return value;
            }
            String lock = "_lock" + key;
            String token = UUID.randomUUID().toString();
            while (jedis.set(lock, token, lease()) == null) {
                TimeUnit.MILLISECONDS.sleep(ClusterContender.POLL_MILLIS);
            }
            try {
                value = jedis.get(name);
                if (value == null) {
                    value = creator.call();
                    jedis.set(name, value, SetParams.setParams().px(Peers.LIFE.toMillis()));
                }
                return value;
            } finally {
                jedis.eval(UNLOCK, 1, lock, token);
            }
        };
    }

    /** The owner stores, unlocks and publishes in one script; who loses waits for the message, then reads. */
    static Lookup published(int port) throws InterruptedException {
        RedisClient jedis = Peers.jedis(port);
        Map<String, Semaphore> waiting = new ConcurrentHashMap<>();
        listen(port, waiting);
        return (key, creator) -> {
            String named = "probe:" + key;
            byte[] name = bytes(named);
            byte[] value = jedis.get(name);
            if (value != null) {
                return value;
            }
            Semaphore told = new Semaphore(0);
            waiting.put(named, told);
            try {
                String lock = "_lock" + named;
                String token = UUID.randomUUID().toString();
                while (jedis.set(lock, token, lease()) == null) {
                    var unused = told.tryAcquire(1, TimeUnit.SECONDS);
                    value = jedis.get(name);
                    if (value != null) {
                        return value;
                    }
                }
                value = jedis.get(name);
                if (value != null) {
                    jedis.eval(UNLOCK, 1, lock, token);
                    return value;
                }
                value = creator.call();
                jedis.eval(
                        bytes(PUBLISH),
                        List.of(name, bytes(lock), bytes(CHANNEL)),
                        List.of(value, bytes(Long.toString(Peers.LIFE.toMillis())), bytes(token)));
                return value;
            } finally {
                waiting.remove(named);
            }
        };
    }

    private static void listen(int port, Map<String, Semaphore> waiting) throws InterruptedException {
        var unused = Listener.start(Peers.jedis(port), CHANNEL, key -> {
            Semaphore waiter = waiting.get(key);
            if (waiter != null) {
                waiter.release();
            }
        });
    }

    private static SetParams lease() {
        return SetParams.setParams().nx().px(LEASE_MILLIS);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
