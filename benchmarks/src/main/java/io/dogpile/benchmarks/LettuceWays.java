package io.dogpile.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.dogpile.benchmarks.ClusterContender.Lookup;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** How one gets or creates a value by Lettuce, which brings no lock. */
final class LettuceWays {
    private LettuceWays() {}

    /** Who sets the lock creates; who does not, looks for the value again and again, and for the lock if there is none. */
    static Lookup valuePolled(int port) {
        RedisCommands<byte[], byte[]> redis =
                Peers.lettuce(port).connect(ByteArrayCodec.INSTANCE).sync();
        return (key, creator) -> {
            byte[] name = bytes("lettuce:" + key);
            byte[] lock = bytes("_locklettuce:" + key);
            byte[] token = bytes(UUID.randomUUID().toString());
            while (true) {
                byte[] value = redis.get(name);
                if (value != null) {
                    return value;
                }
                SetArgs lease = SetArgs.Builder.nx().px(RedisWays.LEASE_MILLIS);
                if (redis.set(lock, token, lease) != null) {
                    return created(redis, name, lock, token, creator);
                }
                TimeUnit.MILLISECONDS.sleep(ClusterContender.POLL_MILLIS);
            }
        };
    }

    /** By who has the lock. */
    private static byte[] created(
            RedisCommands<byte[], byte[]> redis, byte[] name, byte[] lock, byte[] token, Callable<byte[]> creator)
            throws Exception {
        try {
            byte[] value = redis.get(name);
            if (value == null) {
                value = creator.call();
                redis.psetex(name, Peers.LIFE.toMillis(), value);
            }
            return value;
        } finally {
            redis.eval(bytes(RedisWays.UNLOCK), ScriptOutputType.INTEGER, new byte[][] {lock}, token);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
