package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import java.util.List;

/**
 * 32 callers wait for a creator that throws after 100 ms. Where a failure is not shared each of them fails by itself,
 * one after the other, and the last waits for all.
 */
public final class FailingCreator {
    private static final int CALLERS = 32;
    private static final int ROUNDS = 10;
    /** A peer whose callers fail in a row takes 3.2 s a round. */
    private static final int ROUNDS_OF_PEERS = 3;

    private static final long CREATION_MILLIS = 100;
    private static final double LAST_LAG_MILLIS = 15;

    private FailingCreator() {}

    /**
     * Runs it by itself.
     *
     * @param args none
     */
    public static void main(String[] args) throws Exception {
        run();
    }

    static void run() throws InterruptedException {
        Results.heading(CALLERS + " callers, the creator throws after " + CREATION_MILLIS + " ms, " + ROUNDS
                + " rounds (peers " + ROUNDS_OF_PEERS + ")");
        run(Crowd.Ending.FAILURE);
        Results.heading(CALLERS + " callers, the creator returns null after " + CREATION_MILLIS + " ms, " + ROUNDS
                + " rounds (peers " + ROUNDS_OF_PEERS + ")");
        run(Crowd.Ending.NULL);
    }

    private static void run(Crowd.Ending ending) throws InterruptedException {
        Rounds ours = measure(Contender.dogpile(), ROUNDS, ending);
        Rounds region = measure(Contender.region(), ROUNDS, ending);
        Table table = new Table("medians of the rounds", "creator calls", "lag p50 ms", "last caller's lag ms");
        row(table, ours);
        row(table, region);
        for (Contender peer :
                List.of(Contender.guava(), Contender.caffeine(), Contender.cache2k(), Contender.jetCache())) {
            row(table, measure(peer, ROUNDS_OF_PEERS, ending));
        }
        table.drawn(Chart.lowerIsBetter("creator calls", "last caller's lag ms").logarithmic())
                .print();
        Goal.atMost("last caller's lag, ms", ours.lastLag(), LAST_LAG_MILLIS).print();
        Goal.atMost("most creator calls in a round", ours.mostCreations(), 1).print();
        Goal.atMost("region: last caller's lag, ms", region.lastLag(), LAST_LAG_MILLIS)
                .print();
        Goal.atMost("region: most creator calls in a round", region.mostCreations(), 1)
                .print();
    }

    private static Rounds measure(Contender contender, int rounds, Crowd.Ending ending) throws InterruptedException {
        Crowd crowd = Crowd.ofPlatformThreads(CALLERS);
        Rounds seen = new Rounds(contender);
        for (int round = 1; round <= rounds; round++) {
            Progress.show(contender.title() + ", round " + round + " of " + rounds);
            seen.add(crowd.meet(contender, CREATION_MILLIS, ending));
        }
        Progress.end();
        return seen;
    }

    private static void row(Table table, Rounds rounds) {
        table.row(
                rounds.title(), number(rounds.creations(), 0), number(rounds.lagP50(), 1), number(rounds.lastLag(), 1));
    }
}
