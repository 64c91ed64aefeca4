package io.dogpile.redis;

import java.util.concurrent.atomic.AtomicLong;

/** Which heartbeats of an inbox were begun, were sent, and came back. Thread-safe. */
final class Heartbeats {
    static final int MOST_MISSED = 2;

    private final AtomicLong begun = new AtomicLong();
    private volatile long sent;
    private volatile long heard;

    /** What is known of those that were begun. */
    enum Course {
        /** None is missed, or too few. */
        WELL,
        /** They are sent, and do not come back. */
        LOST,
        /** They cannot be sent. */
        NOT_SENT
    }

    Course course() {
        return begun.get() - heard < MOST_MISSED ? Course.WELL : sent > heard ? Course.LOST : Course.NOT_SENT;
    }

    /** The number of the next one. */
    long begin() {
        return begun.incrementAndGet();
    }

    void sent(long number) {
        sent = number;
    }

    /** One came back. One that was not begun yet is a stranger's, and would pass for all those that will not come back. */
    void heard(long number) {
        if (number > heard && number <= begun.get()) {
            heard = number;
        }
    }

    /** On a new connection none is missed. */
    void forget() {
        heard = begun.get();
    }
}
