package io.dogpile.cache.file;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The pauses between the tries of who waits for another process, which nobody wakes: from 1 ms, half as long again each
 * time, to 50 ms, and jittered so that processes do not try in step. One waiter's; not thread-safe.
 */
final class Polls {
    static final long FIRST = TimeUnit.MILLISECONDS.toNanos(1);
    static final long LONGEST = TimeUnit.MILLISECONDS.toNanos(50);

    private long next = FIRST;

    /** The next pause, in nanoseconds: at least half of what it is at most. */
    long nextNanos() {
        long most = next;
        next = Math.min(LONGEST, most + most / 2);
        return most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1);
    }
}
