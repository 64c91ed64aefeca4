package io.dogpile.benchmarks;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.RedisClient;

/**
 * The least with which copies can be kept coherent by messages: a map, a script of two commands, and a thread that hears of
 * changes. No cache: nothing expires, is bounded, or survives a lost message, and what is read while it changes may stay.
 */
final class NearProbe implements NearCaches.Side, AutoCloseable {
    private static final String CHANNEL = "changed";
    private static final String PUT =
            "redis.call('set',KEYS[1],ARGV[1]) return redis.call('publish','" + CHANNEL + "',KEYS[1])";

    private final RedisClient jedis;
    private final String put;
    private final Map<String, String> copies = new ConcurrentHashMap<>();
    private final Listener changes;

    private NearProbe(RedisClient jedis) throws InterruptedException {
        this.jedis = jedis;
        this.put = jedis.scriptLoad(PUT);
        this.changes = Listener.start(jedis, CHANNEL, copies::remove);
    }

    /** Listens, until it is closed. */
    static NearProbe start(int port) throws InterruptedException {
        return new NearProbe(Peers.jedis(port));
    }

    @Override
    public @Nullable String get(String key) {
        String copy = copies.get(key);
        if (copy == null) {
            copy = jedis.get(key);
            if (copy != null) {
                copies.put(key, copy);
            }
        }
        return copy;
    }

    @Override
    public void put(String key, String value) {
        jedis.evalsha(put, List.of(key), List.of(value));
    }

    @Override
    public void close() {
        changes.close();
        jedis.close();
    }
}
