package io.dogpile.redis;

import io.dogpile.core.TimeSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * The clocks of the servers that hold one region, as one time source tells them. A single server has one; in a cluster each
 * slot has its own, once a script answered for it, and goes by the others' until then.
 */
final class Clocks {
    private static final int SLOTS = 16_384;

    private final TimeSource time;
    private final ServerClock any = new ServerClock();
    private final @Nullable AtomicReferenceArray<ServerClock> bySlot;

    Clocks(TimeSource time, boolean cluster) {
        this.time = time;
        this.bySlot = cluster ? new AtomicReferenceArray<>(SLOTS) : null;
    }

    long now() {
        return time.nanos();
    }

    /** The clock of the server that has the key. */
    ServerClock of(byte[] key) {
        if (bySlot != null) {
            ServerClock own = bySlot.get(JedisClusterCRC16.getSlot(key));
            if (own != null) {
                return own;
            }
        }
        return any;
    }

    /** The server that has the key answered just now, with its time. */
    void answered(byte[] key, long sent, long serverMillis) {
        long received = time.nanos();
        if (bySlot != null) {
            int slot = JedisClusterCRC16.getSlot(key);
            ServerClock own = bySlot.get(slot);
            if (own == null) {
                own = new ServerClock();
                own.answered(sent, received, serverMillis);
                bySlot.set(slot, own);
            } else {
                own.answered(sent, received, serverMillis);
            }
            if (any.isKnown()) {
                return;
            }
        }
        any.answered(sent, received, serverMillis);
    }

    /** The server's time in microseconds, or 0 if no server told it yet. */
    long microsOrZero() {
        return any.isKnown() ? TimeUnit.MILLISECONDS.toMicros(any.millisAt(time.nanos())) : 0;
    }
}
