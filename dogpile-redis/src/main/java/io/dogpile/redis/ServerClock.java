package io.dogpile.redis;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What time it is on the server, in the terms of this JVM's monotonic clock: so that what the server stamps can be judged
 * here without asking it.
 *
 * <p>An answer that carries the server's time bounds the difference of the clocks between sending and receiving. Bounds of
 * several answers are intersected, wider with age, since clocks drift; an answer that contradicts them says that the
 * server's clock was set, and starts anew. The error is half of the fastest round trip, and a millisecond. Marzullo's idea,
 * with one source (DESIGN.md, Redis).
 *
 * <p>Thread-safe; of two answers at once one may be lost.
 */
final class ServerClock {
    /** How far two clocks run apart in the worst case: 200 millionths. */
    private static final long DRIFT = 5_000;

    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    /** Server time less local time is between these, in nanoseconds, as known at that local time. */
    private record Bounds(long least, long most, long at) {
        Bounds agedTo(long nanos) {
            long drift = Math.max(0, nanos - at) / DRIFT;
            return new Bounds(least - drift, most + drift, nanos);
        }
    }

    private volatile @Nullable Bounds bounds;

    /** The server said this between these local times. */
    void answered(long sent, long received, long serverMillis) {
        long server = serverMillis * MILLI;
        Bounds told = new Bounds(server - received, server + MILLI - sent, received);
        Bounds before = bounds;
        if (before == null) {
            bounds = told;
            return;
        }
        Bounds aged = before.agedTo(received);
        long least = Math.max(aged.least, told.least);
        long most = Math.min(aged.most, told.most);
        bounds = least <= most ? new Bounds(least, most, received) : told;
    }

    boolean isKnown() {
        return bounds != null;
    }

    /** The server's time at this local time, in milliseconds. */
    long millisAt(long nanos) {
        return Math.floorDiv(nanos + offset(), MILLI);
    }

    /** The local time of a server's millisecond. */
    long nanosOf(long serverMillis) {
        return serverMillis * MILLI - offset();
    }

    private long offset() {
        Bounds known = bounds;
        if (known == null) {
            throw new IllegalStateException("the server has not told its time yet");
        }
        return known.least + (known.most - known.least) / 2;
    }
}
