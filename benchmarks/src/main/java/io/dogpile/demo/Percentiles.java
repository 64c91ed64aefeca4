package io.dogpile.demo;

import java.util.Arrays;

/** Percentiles by nearest rank: each is a value that was measured, never one in between. */
final class Percentiles {
    private final long[] sorted;

    private Percentiles(long[] sorted) {
        this.sorted = sorted;
    }

    static Percentiles of(long... values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("no values, no percentiles");
        }
        long[] sorted = values.clone();
        Arrays.sort(sorted);
        return new Percentiles(sorted);
    }

    /** The smallest value that is not exceeded by at least {@code percent} of a hundred. */
    long at(int percent) {
        if (percent < 1 || percent > 100) {
            throw new IllegalArgumentException("a percentile is from 1 to 100, was " + percent);
        }
        long rank = ((long) sorted.length * percent + 99) / 100;
        return sorted[(int) rank - 1];
    }

    long max() {
        return sorted[sorted.length - 1];
    }
}
