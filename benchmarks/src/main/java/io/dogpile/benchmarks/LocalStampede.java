package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import java.util.Comparator;
import java.util.List;

/**
 * Many threads ask for one cold name whose creator takes 50 ms. What counts is how long after the creator's end they
 * return. Each round every contender has its turn, and each round another is first, so that a disturbed moment is
 * shared.
 */
public final class LocalStampede {
    private static final int PLATFORM_THREADS = 200;
    private static final int VIRTUAL_THREADS = 2_000;
    private static final int ROUNDS = 40;
    private static final int WARM_UP_ROUNDS = 5;
    /** Creations without a rival, so that no contender's way through a creation is still interpreted. */
    private static final int WARM_UP_CREATIONS = 20_000;

    private static final long CREATION_MILLIS = 50;

    private static final List<String> OURS = List.of(Contender.DOGPILE, Contender.REGION);
    private static final double LAG_P99_TO_GUAVA = 0.85;
    private static final double LAST_LAG_TO_GUAVA = 0.7;
    private static final double LAG_P99_TO_BEST_PEER = 1.2;

    private LocalStampede() {}

    /**
     * Runs it by itself.
     *
     * @param args none, or the number of rounds
     */
    public static void main(String[] args) throws Exception {
        run(args.length == 0 ? ROUNDS : Integer.parseInt(args[0]));
    }

    static void run() throws Exception {
        run(ROUNDS);
    }

    private static void run(int rounds) throws Exception {
        title(PLATFORM_THREADS + " platform threads", rounds);
        List<Rounds> platform = measure(Crowd.ofPlatformThreads(PLATFORM_THREADS), rounds);
        Rounds dogpile = of(Contender.DOGPILE, platform);
        Rounds guava = of(Contender.GUAVA, platform);
        print(platform, guava);
        Goal.atMost("lag p99, x Guava's", dogpile.lagP99() / guava.lagP99(), LAG_P99_TO_GUAVA)
                .print();
        Goal.atMost("last caller's lag, x Guava's", dogpile.lastLag() / guava.lastLag(), LAST_LAG_TO_GUAVA)
                .print();
        Goal.atMost("most creations in a round", dogpile.mostCreations(), 1).print();
        Goal.atMost(
                        "region: most creations in a round",
                        of(Contender.REGION, platform).mostCreations(),
                        1)
                .print();

        title(VIRTUAL_THREADS + " virtual threads", rounds);
        if (!Crowd.hasVirtualThreads()) {
            Results.note("Skipped: this is JDK " + Runtime.version().feature() + ", they came with 21.");
            return;
        }
        List<Rounds> virtual = measure(Crowd.ofVirtualThreads(VIRTUAL_THREADS), rounds);
        Rounds best = virtual.stream()
                .filter(each -> !OURS.contains(each.title()))
                .min(Comparator.comparingDouble(Rounds::lagP99))
                .orElseThrow();
        print(virtual, best);
        for (String ours : OURS) {
            Rounds seen = of(ours, virtual);
            Goal.atMost(
                            ours + ": lag p99, x that of " + best.title(),
                            seen.lagP99() / best.lagP99(),
                            LAG_P99_TO_BEST_PEER)
                    .print();
            Goal.atMost(ours + ": most creations in a round", seen.mostCreations(), 1)
                    .print();
        }
    }

    private static void title(String who, int rounds) {
        Results.heading(who + " on one cold name, creator " + CREATION_MILLIS + " ms, " + rounds + " rounds");
    }

    private static List<Rounds> measure(Crowd crowd, int rounds) throws Exception {
        List<Rounds> seen = Contender.all().stream().map(Rounds::new).toList();
        Progress.show("warming up");
        for (Rounds each : seen) {
            for (int i = 0; i < WARM_UP_CREATIONS; i++) {
                each.contender.lookup().get("warm-up " + i, () -> "value");
            }
        }
        for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
            Progress.show(round < 0 ? "warming up with crowds" : "round " + (round + 1) + " of " + rounds);
            for (int turn = 0; turn < seen.size(); turn++) {
                Rounds next = seen.get(Math.floorMod(round + turn, seen.size()));
                Crowd.Round met = crowd.meet(next.contender, CREATION_MILLIS, Crowd.Ending.VALUE);
                if (round >= 0) {
                    next.add(met);
                }
            }
        }
        Progress.end();
        return seen;
    }

    private static Rounds of(String title, List<Rounds> all) {
        return all.stream()
                .filter(each -> each.title().equals(title))
                .findFirst()
                .orElseThrow();
    }

    private static void print(List<Rounds> all, Rounds reference) {
        Table table = new Table(
                "medians of the rounds, ms",
                "creations",
                "lag p50",
                "lag p99",
                "x " + reference.title(),
                "last caller's lag",
                "x " + reference.title(),
                "last return");
        for (Rounds each : all) {
            table.row(
                    each.title(),
                    number(each.creations(), 0),
                    number(each.lagP50(), 2),
                    number(each.lagP99(), 2),
                    number(each.lagP99() / reference.lagP99(), 2),
                    number(each.lastLag(), 2),
                    number(each.lastLag() / reference.lastLag(), 2),
                    number(each.lastReturn(), 1));
        }
        table.drawn(Chart.lowerIsBetter("lag p50", "lag p99")).print();
    }
}
