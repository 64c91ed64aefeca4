package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * What one waiter in another JVM sees of a creator's end; and what happens when the JVM that creates is killed with -9: how
 * long after the end of its lease another begins, and that it is only one.
 */
public final class RedisWake {
    private static final Sizes USUAL = new Sizes(1_000, 2_000, 10, 60, 6);
    private static final int ROUNDS_A_LINE = 10;
    private static final long CREATION_MILLIS = 100;
    private static final long START_MILLIS = 60;
    /** How long after the beginning of the creation the waiter comes. */
    private static final long LATER_MILLIS = 40;

    private static final int SURVIVORS = 3;
    private static final int THREADS = 10;
    private static final long NEVER_ENDING_MILLIS = 50_000;
    private static final long SUCCESSOR_MILLIS = 50;
    private static final long LONGEST_WAIT_MILLIS = 10_000;
    private static final int FIELD_OF_EXPIRY = 3;

    private static final double P50_MILLIS = 1;
    private static final double LATE_MILLIS = 100;

    private static final List<ClusterContender> ALL =
            List.of(ClusterContender.REGION, ClusterContender.PROBE, ClusterContender.REDISSON_SINGLE);

    /**
     * How much is done.
     *
     * @param warmUpCreations of each contender in each process, without a rival
     * @param warmUpTogether of both processes, with a creator of 10 ms
     * @param warmUpWakes before those that count
     * @param wakes of each contender
     * @param kills of holders
     */
    record Sizes(int warmUpCreations, int warmUpTogether, int warmUpWakes, int wakes, int kills) {}

    /**
     * One takeover.
     *
     * @param restMillis of the lease, when the holder was killed
     * @param lateMillis how long after the end of the lease the successor's creator began
     * @param creations of the survivors
     * @param failures callers that failed
     */
    private record Takeover(double restMillis, double lateMillis, int creations, int failures) {}

    private RedisWake() {}

    static long expectedSeconds() {
        return 200;
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
            wake(server, sizes);
            takeOver(server, sizes);
        }
    }

    private static void wake(RedisServer server, Sizes sizes) throws Exception {
        List<Child> both = Child.start(2, ClusterWorker.class, Integer.toString(server.port()));
        List<Histogram> lags = ALL.stream().map(each -> new Histogram(3)).toList();
        try {
            ClusterWorker.warmUp(both, ALL, sizes.warmUpCreations());
            ClusterWorker.warmUpTogether(both, ALL, 1, sizes.warmUpTogether());
            for (int round = -sizes.warmUpWakes(); round < sizes.wakes(); round++) {
                if (Math.floorMod(round, ROUNDS_A_LINE) == 0) {
                    Progress.show("wake-up " + round + " of " + sizes.wakes());
                }
                for (int turn = 0; turn < ALL.size(); turn++) {
                    int next = Math.floorMod(round + turn, ALL.size());
                    OptionalLong lag = wakeOnce(both, ALL.get(next));
                    if (round >= 0) {
                        lag.ifPresent(lags.get(next)::recordValue);
                    }
                }
            }
            Progress.end();
        } finally {
            both.forEach(Child::close);
        }
        Results.heading("One waiter in another JVM, creator " + CREATION_MILLIS + " ms, " + sizes.wakes()
                + " rounds in turn; " + Peers.version(server));
        Table table = new Table("ms from the creator's end to the waiter's return", "seen", "p50", "p90", "max");
        for (int i = 0; i < ALL.size(); i++) {
            Histogram lag = lags.get(i);
            table.row(
                    ALL.get(i).title,
                    Long.toString(lag.getTotalCount()),
                    number(lag.getValueAtPercentile(50) / 1e6, 3),
                    number(lag.getValueAtPercentile(90) / 1e6, 3),
                    number(lag.getMaxValue() / 1e6, 3));
        }
        table.drawn(Chart.lowerIsBetter("p50", "p90")).print();
        Goal.atMost("wake-up p50, ms", lags.get(0).getValueAtPercentile(50) / 1e6, P50_MILLIS)
                .print();
    }

    /** The first child creates, the second comes while it does; nothing is seen where the machine let the second be first. */
    private static OptionalLong wakeOnce(List<Child> both, ClusterContender contender) throws IOException {
        long startAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
        String key = "wake:" + startAt;
        both.get(0).tell(contender, key, 1, startAt, CREATION_MILLIS);
        both.get(1).tell(contender, key, 1, startAt + TimeUnit.MILLISECONDS.toNanos(LATER_MILLIS), CREATION_MILLIS);
        ClusterWorker.Round creator = ClusterWorker.Round.of(List.of(both.get(0).answer()));
        ClusterWorker.Round waiter = ClusterWorker.Round.of(List.of(both.get(1).answer()), creator.ended());
        if (creator.failures() + waiter.failures() > 0 || creator.creations() + waiter.creations() != 1) {
            throw new IllegalStateException(contender.title + ": there was not one creation for two callers");
        }
        return creator.creations() == 1 ? OptionalLong.of(waiter.lags()[0]) : OptionalLong.empty();
    }

    private static void takeOver(RedisServer server, Sizes sizes) throws Exception {
        List<Takeover> seen = new ArrayList<>();
        List<Child> survivors = Child.start(SURVIVORS, ClusterWorker.class, Integer.toString(server.port()));
        try {
            ClusterWorker.warmUp(survivors, List.of(ClusterContender.SHORT_LEASE), sizes.warmUpCreations());
            for (int round = 0; round < sizes.kills(); round++) {
                Progress.show("kill " + (round + 1) + " of " + sizes.kills());
                try (Child holder = Child.start(1, ClusterWorker.class, Integer.toString(server.port()))
                        .get(0)) {
                    seen.add(takeOverOnce(server, holder, survivors, (double) round / sizes.kills()));
                }
            }
            Progress.end();
        } finally {
            survivors.forEach(Child::close);
        }
        Results.heading("The JVM that creates is killed with -9: lease " + ClusterContender.LEASE.toMillis() + " ms, "
                + SURVIVORS + " processes x " + THREADS + " threads wait");
        Table table =
                new Table("", "rest of the lease, ms", "successor begins after its end, ms", "creators after the kill");
        for (int i = 0; i < seen.size(); i++) {
            Takeover each = seen.get(i);
            table.row(
                    "kill " + (i + 1),
                    number(each.restMillis(), 0),
                    number(each.lateMillis(), 1),
                    Integer.toString(each.creations()));
        }
        table.drawn(new Chart(
                        Chart.Form.BARS,
                        Chart.Scale.LINEAR,
                        Chart.Better.NEITHER,
                        List.of("successor begins after its end, ms")))
                .print();
        Goal.atMost(
                        "latest successor after the end of the lease, ms",
                        seen.stream().mapToDouble(Takeover::lateMillis).max().orElse(Double.NaN),
                        LATE_MILLIS)
                .print();
        boolean isOneEach = seen.stream().allMatch(each -> each.creations() == 1 && each.failures() == 0);
        Results.goal(new Goal.Verdict("exactly one successor each time, and no caller fails", isOneEach));
    }

    private static Takeover takeOverOnce(RedisServer server, Child holder, List<Child> survivors, double phase)
            throws Exception {
        String key = "held:" + System.nanoTime();
        String record = RedisBackend.DEFAULT_PREFIX + ClusterContender.SHORT_LEASE_REGION + ':' + key;
        holder.tell(ClusterContender.SHORT_LEASE, key, 1, System.nanoTime(), NEVER_ENDING_MILLIS);
        awaitLease(server, record);
        long startAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
        for (Child survivor : survivors) {
            survivor.tell(ClusterContender.SHORT_LEASE, key, THREADS, startAt, SUCCESSOR_MILLIS);
        }
        // Renewed each third of a lease; the kills meet it at different moments of that.
        long third = ClusterContender.LEASE.toMillis() / 3;
        TimeUnit.MILLISECONDS.sleep(START_MILLIS + third + (long) (phase * third));
        holder.kill();
        double restMillis = restMillis(server, record);
        long killed = System.nanoTime();
        List<String> answers = new ArrayList<>();
        for (Child survivor : survivors) {
            answers.add(survivor.answer());
        }
        ClusterWorker.Round after = ClusterWorker.Round.of(answers);
        double lateMillis = (after.began() - killed) / 1e6 - restMillis;
        return new Takeover(restMillis, lateMillis, after.creations(), after.failures());
    }

    private static void awaitLease(RedisServer server, String record) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LONGEST_WAIT_MILLIS);
        while (!Long.valueOf(1).equals(server.command("HEXISTS", record, "l"))) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("nobody holds a lease of " + record);
            }
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    /** By the server's clock. */
    private static double restMillis(RedisServer server, String record) {
        String lease = (String) server.command("HGET", record, "l");
        List<?> now = (List<?>) server.command("TIME");
        double nowMillis = Long.parseLong((String) now.get(0)) * 1e3 + Long.parseLong((String) now.get(1)) / 1e3;
        return Long.parseLong(lease.split(" ")[FIELD_OF_EXPIRY]) - nowMillis;
    }
}
