package io.dogpile.benchmarks;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Draws ranks from 0 by Zipf's law. */
final class Zipf {
    private final double[] upTo;

    Zipf(int ranks, double exponent) {
        upTo = new double[ranks];
        double sum = 0;
        for (int rank = 0; rank < ranks; rank++) {
            sum += 1 / Math.pow(rank + 1, exponent);
            upTo[rank] = sum;
        }
    }

    int draw(SplittableRandom random) {
        int last = upTo.length - 1;
        int found = Arrays.binarySearch(upTo, random.nextDouble() * upTo[last]);
        return Math.min(last, found < 0 ? -found - 1 : found);
    }
}
