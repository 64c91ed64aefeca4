package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.benchmarks.Throughput.Counting;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Processes that ask for one cold key of a server at the same moment. The creator takes 200 to 299 ms, another time each
 * round, so that no poll is in step with it. What counts is how long after its end the callers return. Each round every
 * contender has its turn in the same processes, and each round another is first.
 */
final class ClusterRounds {
    static final int PROCESSES = 4;

    private static final long CREATION_MILLIS = 200;
    private static final int LONGER_AT_MOST_MILLIS = 100;
    /** Each round's creation takes that much longer than the one before, in turn. */
    private static final int STEP_MILLIS = 37;

    private static final long START_MILLIS = 100;
    /** After a round, so that what is still sent is counted with it. */
    private static final long SETTLE_MILLIS = 300;

    private final Counting counting;
    private final List<Child> children;

    /**
     * Rounds in processes that have warmed up.
     *
     * @param counting counts the commands that the server gets
     */
    ClusterRounds(Counting counting, List<Child> children) {
        this.counting = counting;
        this.children = children;
    }

    /**
     * What is measured side by side.
     *
     * @param contenders who
     * @param slow those of them that take seconds for a round
     * @param threads callers in each process
     * @param warmUpRounds before those that count
     * @param rounds those that count
     * @param slowRounds of the slow ones, after one to warm up
     */
    record Plan(
            List<ClusterContender> contenders,
            List<ClusterContender> slow,
            int threads,
            int warmUpRounds,
            int rounds,
            int slowRounds) {
        private boolean skips(ClusterContender contender, int round) {
            return slow.contains(contender) && (round < -1 || round >= slowRounds);
        }

        private String title() {
            return PROCESSES + " processes x " + threads + (threads == 1 ? " thread" : " threads");
        }
    }

    /** The rounds of one contender. */
    static final class Seen {
        final ClusterContender contender;
        private final Histogram lag = new Histogram(3);
        private int rounds;
        private long creations;
        int mostCreations;
        long failures;
        ClientCommands commands = new ClientCommands(Map.of());

        Seen(ClusterContender contender) {
            this.contender = contender;
        }

        private void add(ClusterWorker.Round round) {
            rounds++;
            creations += round.creations();
            mostCreations = Math.max(mostCreations, round.creations());
            failures += round.failures();
            for (long each : round.lags()) {
                lag.recordValue(each);
            }
        }

        /** The lag that so many percent of the callers had at most. */
        double millis(double percentile) {
            return lag.getValueAtPercentile(percentile) / 1e6;
        }

        static Seen of(ClusterContender contender, List<Seen> all) {
            return all.stream()
                    .filter(each -> each.contender == contender)
                    .findFirst()
                    .orElseThrow();
        }
    }

    List<Seen> measure(Plan plan) throws Exception {
        List<Seen> all = plan.contenders().stream().map(Seen::new).toList();
        for (int round = -plan.warmUpRounds(); round < plan.rounds(); round++) {
            Progress.show(
                    plan.title() + ", " + (round < 0 ? "warming up" : "round " + (round + 1) + " of " + plan.rounds()));
            for (int turn = 0; turn < all.size(); turn++) {
                Seen next = all.get(Math.floorMod(round + turn, all.size()));
                if (!plan.skips(next.contender, round)) {
                    ClusterWorker.Round met = meet(next.contender, plan.threads(), round);
                    if (round >= 0) {
                        next.add(met);
                    }
                }
            }
        }
        for (Seen each : all) {
            Progress.show("counting commands: " + each.contender.title);
            each.commands = counting.of(() -> {
                var unused = meet(each.contender, plan.threads(), 0);
                TimeUnit.MILLISECONDS.sleep(SETTLE_MILLIS);
            });
        }
        Progress.end();
        return all;
    }

    private ClusterWorker.Round meet(ClusterContender contender, int threads, int round) throws Exception {
        long startAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
        String key = "cold:" + startAt;
        long creationMillis = CREATION_MILLIS + Math.floorMod(round * STEP_MILLIS, LONGER_AT_MOST_MILLIS);
        return ClusterWorker.Round.of(Child.ask(children, contender, key, threads, startAt, creationMillis));
    }

    /** The table, with each lag as a multiple of a reference's, which is called so in the heads. */
    static void print(String server, Plan plan, List<Seen> all, ClusterContender reference, String called) {
        Results.heading("One cold key: " + server + ", " + plan.title() + ", creator " + CREATION_MILLIS + " to "
                + (CREATION_MILLIS + LONGER_AT_MOST_MILLIS - 1) + " ms");
        Seen compared = Seen.of(reference, all);
        Table table = new Table(
                "lag in ms, of all callers",
                "rounds",
                "creations a round",
                "p50",
                "x " + called,
                "p99",
                "x " + called,
                "max",
                "commands",
                "which");
        for (Seen each : all) {
            table.row(
                    each.contender.title,
                    Integer.toString(each.rounds),
                    number((double) each.creations / each.rounds, 2),
                    number(each.millis(50), 2),
                    number(each.millis(50) / compared.millis(50), 2),
                    number(each.millis(99), 2),
                    number(each.millis(99) / compared.millis(99), 2),
                    number(each.lag.getMaxValue() / 1e6, 2),
                    Long.toString(each.commands.total()),
                    each.commands.toString());
        }
        table.drawn(Chart.lowerIsBetter("p50", "p99").logarithmic()).print();
    }
}
