package io.dogpile.demo;

import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

/**
 * Time as a place on the page.
 *
 * @param end the last moment, in nanoseconds since the run began
 * @param left where it began
 * @param right where the last moment is
 */
record Axis(long end, int left, int right) {
    private static final int MOST_TICKS = 10;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long MILLISECOND = TimeUnit.MILLISECONDS.toNanos(1);

    double x(long at) {
        return left + (double) (right - left) * at / end;
    }

    long time(int x) {
        return (long) ((double) end * (x - left) / (right - left));
    }

    long[] ticks() {
        long step = step();
        return LongStream.rangeClosed(0, end / step).map(n -> n * step).toArray();
    }

    String label(long at) {
        return step() >= SECOND / 5
                ? String.format(Locale.ROOT, step() >= SECOND ? "%.0f s" : "%.1f s", (double) at / SECOND)
                : String.format(Locale.ROOT, "%d ms", at / MILLISECOND);
    }

    /** The least of 1, 2 and 5 times a power of ten milliseconds that leaves few ticks. */
    private long step() {
        for (long power = MILLISECOND; ; power *= 10) {
            for (long step : new long[] {power, 2 * power, 5 * power}) {
                if (end / step <= MOST_TICKS) {
                    return step;
                }
            }
        }
    }
}
