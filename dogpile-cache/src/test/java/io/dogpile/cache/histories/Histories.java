package io.dogpile.cache.histories;

import java.time.Duration;

/** How long histories run, and by which seed: {@code -Ddogpile.histories.seconds} for each, {@code -Ddogpile.histories.seed}. */
public final class Histories {
    private static final String SECONDS = "dogpile.histories.seconds";
    private static final String SEED = "dogpile.histories.seed";

    private Histories() {}

    /** How long each history runs; its least number of rounds unless told. */
    public static Duration time() {
        return Duration.ofSeconds(Long.getLong(SECONDS, 0));
    }

    /** Whether they run for longer than that. */
    public static boolean areLong() {
        return Long.getLong(SECONDS, 0) > 0;
    }

    /** Another one each time, unless told. */
    public static long seed() {
        return Long.getLong(SEED, System.nanoTime() & Integer.MAX_VALUE);
    }
}
