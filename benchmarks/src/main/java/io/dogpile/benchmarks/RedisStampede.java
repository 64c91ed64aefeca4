package io.dogpile.benchmarks;

import io.dogpile.benchmarks.ClusterRounds.Plan;
import io.dogpile.benchmarks.ClusterRounds.Seen;
import io.dogpile.redis.RedisServer;
import java.util.List;

/** Four processes ask for one cold key of Redis at the same moment; once with 50 threads each, once with one. */
public final class RedisStampede {
    private static final int THREADS = 50;
    private static final Sizes USUAL = new Sizes(1_000, 2_000, 200, 4, 15, 75);

    private static final double CREATIONS = 1;
    private static final double COMMANDS = 10;
    private static final double P50_TO_PROBE = 0.9;
    private static final double P99_TO_PROBE = 1.0;
    private static final double P99_MILLIS_OF_ONE_WAITER = 2;

    private static final List<ClusterContender> WITH_ONE_WAITER =
            List.of(ClusterContender.REGION, ClusterContender.PROBE, ClusterContender.REDISSON_SINGLE);
    private static final List<ClusterContender> SLOW = List.of(ClusterContender.POLLING);
    private static final List<ClusterContender> ALL = List.of(
            ClusterContender.REGION,
            ClusterContender.PROBE,
            ClusterContender.REDISSON_SINGLE,
            ClusterContender.REDISSON,
            ClusterContender.LETTUCE,
            ClusterContender.LETTUCE_SINGLE,
            ClusterContender.POLLING);
    private static final int ROUNDS_OF_POLLING = 5;

    /**
     * How much is done.
     *
     * @param warmUpCreations of each contender in each process, without a rival
     * @param warmUpOfOneWaiter of all processes with one thread each, with a creator of 10 ms, of those contenders that take
     *     no seconds for a round: so often that what tells and wakes is compiled
     * @param warmUpTogether the same with 50 threads each
     * @param warmUpRounds before those that count
     * @param rounds of 50 threads a process
     * @param roundsOfOneWaiter of one thread a process
     */
    record Sizes(
            int warmUpCreations,
            int warmUpOfOneWaiter,
            int warmUpTogether,
            int warmUpRounds,
            int rounds,
            int roundsOfOneWaiter) {}

    private RedisStampede() {}

    static long expectedSeconds() {
        return 380;
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
            List<Child> children =
                    Child.start(ClusterRounds.PROCESSES, ClusterWorker.class, Integer.toString(server.port()));
            try {
                ClusterWorker.warmUp(children, ALL, sizes.warmUpCreations());
                ClusterWorker.warmUpTogether(children, WITH_ONE_WAITER, 1, sizes.warmUpOfOneWaiter());
                ClusterWorker.warmUpTogether(children, WITH_ONE_WAITER, THREADS, sizes.warmUpTogether());
                ClusterRounds rounds = new ClusterRounds(run -> ClientCommands.of(server, run), children);
                Plan crowd = new Plan(ALL, SLOW, THREADS, sizes.warmUpRounds(), sizes.rounds(), ROUNDS_OF_POLLING);
                List<Seen> ofCrowd = rounds.measure(crowd);
                print(server, crowd, ofCrowd);
                judgeCrowd(ofCrowd);
                Plan single =
                        new Plan(WITH_ONE_WAITER, List.of(), 1, sizes.warmUpRounds(), sizes.roundsOfOneWaiter(), 0);
                List<Seen> ofSingle = rounds.measure(single);
                print(server, single, ofSingle);
                judgeSingle(Seen.of(ClusterContender.REGION, ofSingle));
            } finally {
                children.forEach(Child::close);
            }
        }
    }

    private static void judgeCrowd(List<Seen> all) {
        Seen region = Seen.of(ClusterContender.REGION, all);
        Seen probe = Seen.of(ClusterContender.PROBE, all);
        Goal.atMost("most creations in a round", region.mostCreations, CREATIONS)
                .print();
        Goal.atMost("callers that failed", region.failures, 0).print();
        Goal.atMost("commands a round", region.commands.total(), COMMANDS).print();
        Goal.atMost("lag p50, x the limit probe's", region.millis(50) / probe.millis(50), P50_TO_PROBE)
                .print();
        Goal.atMost("lag p99, x the limit probe's", region.millis(99) / probe.millis(99), P99_TO_PROBE)
                .print();
    }

    private static void judgeSingle(Seen region) {
        Goal.atMost("one caller a process: lag p99, ms", region.millis(99), P99_MILLIS_OF_ONE_WAITER)
                .print();
        Goal.atMost("one caller a process: most creations in a round", region.mostCreations, CREATIONS)
                .print();
    }

    private static void print(RedisServer server, Plan plan, List<Seen> all) {
        ClusterRounds.print(Peers.version(server), plan, all, ClusterContender.PROBE, "probe");
    }
}
