package io.dogpile.benchmarks;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The keys that are asked for, and in which order: always one, or 10,000 with a Zipf law of exponent 0.99, which is how
 * caches are asked. Each thread walks the same order from another place.
 */
@State(Scope.Thread)
public class Keys {
    static final int NUMBER = 10_000;
    /** Caffeine begins to record its reads when it is half full. */
    static final int CAPACITY = 2 * NUMBER;

    private static final int LENGTH = 1 << 16;
    private static final double EXPONENT = 0.99;
    private static final int THE_ONE = 42;
    private static final long SEED = 11;
    private static final int APART = 30_011;
    private static final AtomicInteger THREADS = new AtomicInteger();

    /** How the keys are spread. */
    @Param({"one key", "Zipf"})
    public @Nullable String spread;

    private final String[] keys = all();
    private int[] order = new int[0];
    private int at;

    static String[] all() {
        String[] keys = new String[NUMBER];
        Arrays.setAll(keys, i -> "user:profile:" + i);
        return keys;
    }

    /** Draws the order. */
    @Setup
    public void draw() {
        order = "Zipf".equals(spread) ? zipf() : new int[LENGTH];
        if (!"Zipf".equals(spread)) {
            Arrays.fill(order, THE_ONE);
        }
        at = THREADS.getAndIncrement() * APART;
    }

    private static int[] zipf() {
        SplittableRandom random = new SplittableRandom(SEED);
        Zipf ranks = new Zipf(NUMBER, EXPONENT);
        int[] keyOfRank = shuffled(random);
        int[] order = new int[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            order[i] = keyOfRank[ranks.draw(random)];
        }
        return order;
    }

    private static int[] shuffled(SplittableRandom random) {
        int[] numbers = new int[NUMBER];
        Arrays.setAll(numbers, i -> i);
        for (int i = NUMBER - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = numbers[i];
            numbers[i] = numbers[j];
            numbers[j] = swapped;
        }
        return numbers;
    }

    String next() {
        return keys[order[at++ & (LENGTH - 1)]];
    }
}
