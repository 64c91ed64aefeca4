package io.dogpile.benchmarks;

import io.dogpile.benchmarks.ClusterRounds.Plan;
import io.dogpile.benchmarks.ClusterRounds.Seen;
import io.dogpile.memcached.MemcachedServer;
import java.util.List;

/** Four processes ask for one cold key of memcached at the same moment; once with 50 threads each, once with one. */
public final class MemcachedStampede {
    private static final int THREADS = 50;
    private static final Sizes USUAL = new Sizes(1_000, 50, 2, 15, 5);

    private static final double CREATIONS = 1;
    private static final double P99_TO_VALUE_POLL = 0.3;
    private static final double REQUESTS_TO_ONE_THREAD = 1.5;

    private static final List<ClusterContender> FAST = List.of(
            ClusterContender.MEMCACHED_REGION,
            ClusterContender.MEMCACHED_VALUE_POLL,
            ClusterContender.MEMCACHED_SINGLE);
    private static final List<ClusterContender> SLOW = List.of(ClusterContender.MEMCACHED_BACK_OFF);
    private static final List<ClusterContender> ALL = List.of(
            ClusterContender.MEMCACHED_REGION,
            ClusterContender.MEMCACHED_VALUE_POLL,
            ClusterContender.MEMCACHED_SINGLE,
            ClusterContender.MEMCACHED_BACK_OFF);

    /**
     * How much is done.
     *
     * @param warmUpCreations of each contender in each process, without a rival
     * @param warmUpTogether of all processes, with a creator of 10 ms, of those contenders that take no seconds for a round
     * @param warmUpRounds before those that count
     * @param rounds of each number of threads
     * @param slowRounds of those that take seconds for a round, which are left out with 0
     */
    record Sizes(int warmUpCreations, int warmUpTogether, int warmUpRounds, int rounds, int slowRounds) {}

    private MemcachedStampede() {}

    static long expectedSeconds() {
        return 120;
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
        try (MemcachedServer server = MemcachedServer.start()) {
            List<Child> children =
                    Child.start(ClusterRounds.PROCESSES, ClusterWorker.class, Integer.toString(server.port()));
            try {
                List<ClusterContender> contenders = sizes.slowRounds() == 0 ? FAST : ALL;
                ClusterWorker.warmUp(children, contenders, sizes.warmUpCreations());
                ClusterWorker.warmUpTogether(children, FAST, THREADS, sizes.warmUpTogether());
                ClusterRounds rounds = new ClusterRounds(run -> ClientCommands.of(server, run), children);
                Plan crowd =
                        new Plan(contenders, SLOW, THREADS, sizes.warmUpRounds(), sizes.rounds(), sizes.slowRounds());
                List<Seen> ofCrowd = rounds.measure(crowd);
                print(server, crowd, ofCrowd);
                Plan single = new Plan(FAST, List.of(), 1, sizes.warmUpRounds(), sizes.rounds(), 0);
                List<Seen> ofSingle = rounds.measure(single);
                print(server, single, ofSingle);
                judge(ofCrowd, Seen.of(ClusterContender.MEMCACHED_REGION, ofSingle));
            } finally {
                children.forEach(Child::close);
            }
        }
    }

    private static void judge(List<Seen> crowd, Seen single) {
        Seen region = Seen.of(ClusterContender.MEMCACHED_REGION, crowd);
        Seen valuePoll = Seen.of(ClusterContender.MEMCACHED_VALUE_POLL, crowd);
        Goal.atMost("most creations in a round", region.mostCreations, CREATIONS)
                .print();
        Goal.atMost("callers that failed", region.failures, 0).print();
        Goal.atMost("lag p99, x the value poll's", region.millis(99) / valuePoll.millis(99), P99_TO_VALUE_POLL)
                .print();
        Goal.atMost(
                        "requests of 50 threads a process, x those of one",
                        (double) region.commands.total() / single.commands.total(),
                        REQUESTS_TO_ONE_THREAD)
                .print();
    }

    private static void print(MemcachedServer server, Plan plan, List<Seen> all) {
        ClusterRounds.print(Peers.version(server), plan, all, ClusterContender.MEMCACHED_VALUE_POLL, "value poll");
    }
}
