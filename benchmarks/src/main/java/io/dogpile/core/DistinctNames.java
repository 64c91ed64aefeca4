package io.dogpile.core;

import java.util.concurrent.TimeUnit;

/**
 * Ten million names pass through one registry, each taken, locked, freed and forgotten. Run with a small heap it shows
 * that a name leaves nothing behind. In the package of the core for the reason given at {@link KeyedLockBenchmark}.
 */
public final class DistinctNames {
    private static final int NAMES = 10_000_000;
    private static final int NAMES_PER_LINE = 2_500_000;

    private DistinctNames() {}

    /**
     * Runs it; ends with an exception, and so with a status that is not 0, if memory does not suffice.
     *
     * @param args none
     */
    public static void main(String[] args) {
        NameRegistry<Gate> gates = NameRegistry.of(name -> new Gate());
        long began = System.nanoTime();
        long lastToken = 0;
        int most = 0;
        for (int i = 1; i <= NAMES; i++) {
            Gate gate = gates.get("name " + i);
            long token = gate.tryAcquire();
            if (token <= lastToken || !gate.release(token)) {
                throw new AssertionError("the gate of name " + i + " was not free, or its token " + token + " is old");
            }
            lastToken = token;
            if (i % NAMES_PER_LINE == 0) {
                most = Math.max(most, gates.entries.size());
                System.err.println(i + " names passed");
            }
        }
        Runtime runtime = Runtime.getRuntime();
        System.out.println(NAMES + " distinct names passed through a heap of "
                + (runtime.maxMemory() >> 20) + " MiB in "
                + TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began) + " s; at most " + most
                + " entries were seen");
    }
}
