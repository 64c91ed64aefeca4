package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * What one waiter in another JVM sees of a creator's end; and what happens when the JVM that creates is killed with -9: how
 * long after the end of its lease another begins, and that it is only one.
 */
public final class RedisWake {
    private static final int WAKES = 60;
    private static final int WARM_UP_WAKES = 10;
    private static final int WARM_UP_CREATIONS = 1_000;
    private static final long CREATION_MILLIS = 100;
    private static final long START_MILLIS = 50;
    /** How long before the end of the creation the waiter comes, at least half of it. */
    private static final long LATER_MILLIS = 40;

    private static final int KILLS = 6;
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
        return 100;
    }

    /**
     * Runs it by itself.
     *
     * @param args none, or the number of wake-ups and that of kills
     */
    public static void main(String[] args) throws Exception {
        run(args.length < 2 ? WAKES : Integer.parseInt(args[0]), args.length < 2 ? KILLS : Integer.parseInt(args[1]));
    }

    static void run() throws Exception {
        run(WAKES, KILLS);
    }

    static void run(int wakes, int kills) throws Exception {
        try (RedisServer server = RedisServer.start()) {
            wake(server, wakes);
            takeOver(server, kills);
        }
    }

    private static void wake(RedisServer server, int wakes) throws Exception {
        List<Child> both = Child.start(2, ClusterWorker.class, Integer.toString(server.port()));
        List<Histogram> lags = ALL.stream().map(each -> new Histogram(3)).toList();
        try {
            for (ClusterContender each : ALL) {
                Progress.show("warming up: " + each.title);
                ClusterWorker.warmUp(both, each, WARM_UP_CREATIONS);
            }
            for (int round = -WARM_UP_WAKES; round < wakes; round++) {
                Progress.show("wake-up " + (round + 1) + " of " + wakes);
                for (int turn = 0; turn < ALL.size(); turn++) {
                    int next = Math.floorMod(round + turn, ALL.size());
                    long lag = wakeOnce(both, ALL.get(next));
                    if (round >= 0) {
                        lags.get(next).recordValue(lag);
                    }
                }
            }
            Progress.end();
        } finally {
            both.forEach(Child::close);
        }
        System.out.println("\n### One waiter in another JVM, creator " + CREATION_MILLIS + " ms, " + wakes
                + " rounds in turn; " + Peers.version(server));
        Table table = new Table("ms from the creator's end to the waiter's return", "p50", "p90", "max");
        for (int i = 0; i < ALL.size(); i++) {
            Histogram lag = lags.get(i);
            table.row(
                    ALL.get(i).title,
                    number(lag.getValueAtPercentile(50) / 1e6, 3),
                    number(lag.getValueAtPercentile(90) / 1e6, 3),
                    number(lag.getMaxValue() / 1e6, 3));
        }
        table.print(System.out);
        Goal.atMost("wake-up p50, ms", lags.get(0).getValueAtPercentile(50) / 1e6, P50_MILLIS)
                .print();
    }

    /** The first child creates, the second comes while it does. */
    private static long wakeOnce(List<Child> both, ClusterContender contender) throws IOException {
        long startAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
        String key = "wake:" + startAt;
        both.get(0).tell(contender, key, 1, startAt, CREATION_MILLIS);
        both.get(1).tell(contender, key, 1, startAt + TimeUnit.MILLISECONDS.toNanos(LATER_MILLIS), CREATION_MILLIS);
        ClusterWorker.Round creator = ClusterWorker.Round.of(List.of(both.get(0).answer()));
        String waiter = both.get(1).answer();
        ClusterWorker.Round round = ClusterWorker.Round.of(List.of(waiter), creator.ended());
        if (creator.creations() != 1 || creator.failures() + round.failures() + round.creations() > 0) {
            throw new IllegalStateException(contender.title + ": the second process did not wait for the first");
        }
        return round.lags()[0];
    }

    private static void takeOver(RedisServer server, int kills) throws Exception {
        List<Takeover> seen = new ArrayList<>();
        List<Child> survivors = Child.start(SURVIVORS, ClusterWorker.class, Integer.toString(server.port()));
        try {
            ClusterWorker.warmUp(survivors, ClusterContender.SHORT_LEASE, WARM_UP_CREATIONS);
            for (int round = 0; round < kills; round++) {
                Progress.show("kill " + (round + 1) + " of " + kills);
                try (Child holder = Child.start(1, ClusterWorker.class, Integer.toString(server.port()))
                        .get(0)) {
                    seen.add(takeOverOnce(server, holder, survivors, round));
                }
            }
            Progress.end();
        } finally {
            survivors.forEach(Child::close);
        }
        System.out.println("\n### The JVM that creates is killed with -9: lease " + ClusterContender.LEASE.toMillis()
                + " ms, " + SURVIVORS + " processes x " + THREADS + " threads wait");
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
        table.print(System.out);
        Goal.atMost(
                        "latest successor after the end of the lease, ms",
                        seen.stream().mapToDouble(Takeover::lateMillis).max().orElse(Double.NaN),
                        LATE_MILLIS)
                .print();
        boolean isOneEach = seen.stream().allMatch(each -> each.creations() == 1 && each.failures() == 0);
        System.out.println("- exactly one successor each time, and no caller fails: " + (isOneEach ? "met" : "MISSED"));
    }

    private static Takeover takeOverOnce(RedisServer server, Child holder, List<Child> survivors, int round)
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
        TimeUnit.MILLISECONDS.sleep(START_MILLIS + third + round * third / KILLS);
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
