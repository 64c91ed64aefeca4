package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.redis.RedisServer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Four processes ask for one cold key of Redis at the same moment; once with 50 threads each, once with one. The creator takes
 * 200 to 299 ms, another time each round, so that no poll is in step with it. What counts is how long after its end the
 * callers return. Each round every contender has its turn in the same processes, and each round another is first.
 */
public final class RedisStampede {
    private static final int PROCESSES = 4;
    private static final int THREADS = 50;
    private static final Sizes USUAL = new Sizes(1_000, 200, 4, 15, 25);
    private static final long CREATION_MILLIS = 200;
    private static final int LONGER_AT_MOST_MILLIS = 100;
    /** Each round's creation takes that much longer than the one before, in turn. */
    private static final int STEP_MILLIS = 37;

    private static final long START_MILLIS = 100;
    /** After a round, so that what is still sent is counted with it. */
    private static final long SETTLE_MILLIS = 300;

    private static final double CREATIONS = 1;
    private static final double COMMANDS = 10;
    private static final double P50_TO_PROBE = 0.9;
    private static final double P99_TO_PROBE = 1.0;
    private static final double P99_MILLIS_OF_ONE_WAITER = 2;

    private static final List<ClusterContender> ALL = List.of(
            ClusterContender.REGION,
            ClusterContender.PROBE,
            ClusterContender.REDISSON_SINGLE,
            ClusterContender.REDISSON,
            ClusterContender.POLLING);
    private static final List<ClusterContender> WITH_ONE_WAITER =
            List.of(ClusterContender.REGION, ClusterContender.PROBE, ClusterContender.REDISSON_SINGLE);
    /** After one to warm up: each takes seconds. */
    private static final int ROUNDS_OF_POLLING = 5;

    /**
     * How much is done.
     *
     * @param warmUpCreations of each contender in each process, without a rival
     * @param warmUpTogether of all processes, with a creator of 10 ms, of those contenders that take no seconds for a round
     * @param warmUpRounds before those that count
     * @param rounds of 50 threads a process
     * @param roundsOfOneWaiter of one thread a process
     */
    record Sizes(int warmUpCreations, int warmUpTogether, int warmUpRounds, int rounds, int roundsOfOneWaiter) {}

    /** The rounds of one contender. */
    private static final class Seen {
        final ClusterContender contender;
        final Histogram lag = new Histogram(3);
        int rounds;
        long creations;
        int mostCreations;
        long failures;
        ClientCommands commands = new ClientCommands(java.util.Map.of());

        Seen(ClusterContender contender) {
            this.contender = contender;
        }

        void add(ClusterWorker.Round round) {
            rounds++;
            creations += round.creations();
            mostCreations = Math.max(mostCreations, round.creations());
            failures += round.failures();
            for (long each : round.lags()) {
                lag.recordValue(each);
            }
        }

        double millis(double percentile) {
            return lag.getValueAtPercentile(percentile) / 1e6;
        }
    }

    private RedisStampede() {}

    static long expectedSeconds() {
        return 190;
    }

    /**
     * Runs it by itself.
     *
     * @param args none
     */
    public static void main(String[] args) throws Exception {
        run();
    }

    static void run() throws Exception {
        run(USUAL);
    }

    static void run(Sizes sizes) throws Exception {
        try (RedisServer server = RedisServer.start()) {
            List<Child> children = Child.start(PROCESSES, ClusterWorker.class, Integer.toString(server.port()));
            try {
                for (ClusterContender each : ALL) {
                    Progress.show("warming up: " + each.title);
                    ClusterWorker.warmUp(children, each, sizes.warmUpCreations());
                }
                for (ClusterContender each : WITH_ONE_WAITER) {
                    Progress.show("warming up together: " + each.title);
                    ClusterWorker.warmUpTogether(children, each, THREADS, sizes.warmUpTogether());
                }
                List<Seen> crowd = measure(server, children, ALL, THREADS, sizes.warmUpRounds(), sizes.rounds());
                print(Peers.version(server) + ", " + PROCESSES + " processes x " + THREADS + " threads", crowd);
                judgeCrowd(crowd);
                List<Seen> single =
                        measure(server, children, WITH_ONE_WAITER, 1, sizes.warmUpRounds(), sizes.roundsOfOneWaiter());
                print(Peers.version(server) + ", " + PROCESSES + " processes x 1 thread", single);
                Seen region = of(ClusterContender.REGION, single);
                Goal.atMost("one caller a process: lag p99, ms", region.millis(99), P99_MILLIS_OF_ONE_WAITER)
                        .print();
                Goal.atMost("one caller a process: most creations in a round", region.mostCreations, CREATIONS)
                        .print();
            } finally {
                children.forEach(Child::close);
            }
        }
    }

    private static List<Seen> measure(
            RedisServer server,
            List<Child> children,
            List<ClusterContender> contenders,
            int threads,
            int warmUpRounds,
            int rounds)
            throws Exception {
        List<Seen> all = contenders.stream().map(Seen::new).toList();
        for (int round = -warmUpRounds; round < rounds; round++) {
            Progress.show(
                    threads + " a process, " + (round < 0 ? "warming up" : "round " + (round + 1) + " of " + rounds));
            for (int turn = 0; turn < all.size(); turn++) {
                Seen next = all.get(Math.floorMod(round + turn, all.size()));
                if (next.contender == ClusterContender.POLLING && (round < -1 || round >= ROUNDS_OF_POLLING)) {
                    continue;
                }
                ClusterWorker.Round met = meet(children, next.contender, threads, round);
                if (round >= 0) {
                    next.add(met);
                }
            }
        }
        for (Seen each : all) {
            Progress.show("counting commands: " + each.contender.title);
            each.commands = ClientCommands.of(server, () -> {
                meet(children, each.contender, threads, 0);
                TimeUnit.MILLISECONDS.sleep(SETTLE_MILLIS);
            });
        }
        Progress.end();
        return all;
    }

    private static ClusterWorker.Round meet(List<Child> children, ClusterContender contender, int threads, int round)
            throws Exception {
        long startAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
        String key = "cold:" + startAt;
        long creationMillis = CREATION_MILLIS + Math.floorMod(round * STEP_MILLIS, LONGER_AT_MOST_MILLIS);
        return ClusterWorker.Round.of(Child.ask(children, contender, key, threads, startAt, creationMillis));
    }

    private static void judgeCrowd(List<Seen> all) {
        Seen region = of(ClusterContender.REGION, all);
        Seen probe = of(ClusterContender.PROBE, all);
        Goal.atMost("most creations in a round", region.mostCreations, CREATIONS)
                .print();
        Goal.atMost("callers that failed", region.failures, 0).print();
        Goal.atMost("commands a round", region.commands.total(), COMMANDS).print();
        Goal.atMost("lag p50, x the limit probe's", region.millis(50) / probe.millis(50), P50_TO_PROBE)
                .print();
        Goal.atMost("lag p99, x the limit probe's", region.millis(99) / probe.millis(99), P99_TO_PROBE)
                .print();
    }

    private static Seen of(ClusterContender contender, List<Seen> all) {
        return all.stream()
                .filter(each -> each.contender == contender)
                .findFirst()
                .orElseThrow();
    }

    private static void print(String title, List<Seen> all) {
        System.out.println("\n### One cold key: " + title + ", creator " + CREATION_MILLIS + " to "
                + (CREATION_MILLIS + LONGER_AT_MOST_MILLIS - 1) + " ms");
        Seen probe = of(ClusterContender.PROBE, all);
        Table table = new Table(
                "lag in ms, of all callers",
                "rounds",
                "creations a round",
                "p50",
                "x probe",
                "p99",
                "x probe",
                "max",
                "commands",
                "which");
        for (Seen each : all) {
            table.row(
                    each.contender.title,
                    Integer.toString(each.rounds),
                    number((double) each.creations / each.rounds, 2),
                    number(each.millis(50), 2),
                    number(each.millis(50) / probe.millis(50), 2),
                    number(each.millis(99), 2),
                    number(each.millis(99) / probe.millis(99), 2),
                    number(each.lag.getMaxValue() / 1e6, 2),
                    Long.toString(each.commands.total()),
                    each.commands.toString());
        }
        table.print(System.out);
    }
}
