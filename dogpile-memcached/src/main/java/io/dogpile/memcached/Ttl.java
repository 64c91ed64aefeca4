package io.dogpile.memcached;

import io.dogpile.core.TimeSource;
import java.time.Duration;

/**
 * Times to live as memcached takes them: whole seconds, of which the first may be over at once, since the server's clock ticks
 * once a second; 0 for ever; beyond 30 days the seconds of 1970.
 */
final class Ttl {
    static final int NEVER = 0;

    /** The most that is taken for a time from now. */
    private static final long MOST_FROM_NOW = Duration.ofDays(30).toSeconds();

    private Ttl() {}

    /** At least so long, at most two seconds longer. */
    static int atLeast(Duration life) {
        long seconds = wholeSeconds(life);
        return seconds == Long.MAX_VALUE ? NEVER : of(seconds + 1);
    }

    /** So many seconds, of which the server may take the first for over. */
    static int of(long seconds) {
        if (seconds <= MOST_FROM_NOW) {
            return (int) Math.max(1, seconds);
        }
        // By the clock of this machine, whatever the region goes by: the server compares it with its own.
        long date = TimeSource.system().instant().getEpochSecond() + seconds;
        return seconds > Integer.MAX_VALUE || date > Integer.MAX_VALUE ? NEVER : (int) date;
    }

    /** Rounded up. */
    static long wholeSeconds(Duration life) {
        long seconds = life.getSeconds();
        return life.getNano() == 0 || seconds == Long.MAX_VALUE ? seconds : seconds + 1;
    }
}
