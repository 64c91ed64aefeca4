package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.memcached.MemcachedServer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The JVM that creates is killed with -9: how long until another begins, and that it is only one. In memcached the right ends with
 * its lease, in files with its process. What Redis does is seen in {@link RedisWake}, since one can read there when a lease ends.
 */
public final class Takeover {
    private static final Sizes USUAL = new Sizes(200, 6);
    private static final int SURVIVORS = 3;
    private static final int THREADS = 10;
    private static final long START_MILLIS = 60;
    private static final long SUCCESSOR_MILLIS = 50;
    /** The kills are at different moments of that, so that they meet renewals differently. */
    private static final long HELD_MILLIS = 1_000;

    /** A lease that was renewed just before, rounded up to whole seconds, and the pauses of who polls. */
    private static final double LATEST_IN_MEMCACHED_MILLIS =
            ClusterContender.LEASE_IN_MEMCACHED.toMillis() + 1_000 + 100;

    private static final double LATEST_IN_FILES_MILLIS = 100;

    /**
     * How much is done.
     *
     * @param warmUpCreations in each process that survives
     * @param kills of holders
     */
    record Sizes(int warmUpCreations, int kills) {}

    /**
     * One kill.
     *
     * @param millis from the kill until the successor's creator began
     * @param creations of the survivors
     * @param failures callers that failed
     */
    private record Seen(double millis, int creations, int failures) {}

    private Takeover() {}

    static long expectedSeconds() {
        return 60;
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
            run(
                    Peers.version(server) + ", lease " + ClusterContender.LEASE_IN_MEMCACHED.toMillis() + " ms",
                    ClusterContender.MEMCACHED_SHORT_LEASE,
                    Integer.toString(server.port()),
                    sizes,
                    LATEST_IN_MEMCACHED_MILLIS);
        }
        try (TemporaryDirectory directory = TemporaryDirectory.make()) {
            run("files", ClusterContender.FILE_REGION, directory.path().toString(), sizes, LATEST_IN_FILES_MILLIS);
        }
    }

    private static void run(String called, ClusterContender contender, String where, Sizes sizes, double latestMillis)
            throws Exception {
        List<Seen> seen = new ArrayList<>();
        List<Child> survivors = Child.start(SURVIVORS, ClusterWorker.class, where);
        try {
            ClusterWorker.warmUp(survivors, List.of(contender), sizes.warmUpCreations());
            for (int kill = 0; kill < sizes.kills(); kill++) {
                Progress.show(called + ", kill " + (kill + 1) + " of " + sizes.kills());
                try (Child holder = Child.start(1, ClusterWorker.class, where).get(0)) {
                    seen.add(kill(contender, holder, survivors, HELD_MILLIS * (kill + 1) / sizes.kills()));
                }
            }
            Progress.end();
        } finally {
            survivors.forEach(Child::close);
        }
        print(called, seen, latestMillis);
    }

    private static Seen kill(ClusterContender contender, Child holder, List<Child> survivors, long heldMillis)
            throws Exception {
        String key = "held:" + System.nanoTime();
        ClusterWorker.hold(holder, contender, key);
        long startAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
        for (Child survivor : survivors) {
            survivor.tell(contender, key, THREADS, startAt, SUCCESSOR_MILLIS);
        }
        TimeUnit.MILLISECONDS.sleep(START_MILLIS + heldMillis);
        long killed = System.nanoTime();
        holder.kill();
        List<String> answers = new ArrayList<>();
        for (Child survivor : survivors) {
            answers.add(survivor.answer());
        }
        ClusterWorker.Round after = ClusterWorker.Round.of(answers);
        return new Seen((after.began() - killed) / 1e6, after.creations(), after.failures());
    }

    private static void print(String called, List<Seen> seen, double latestMillis) {
        Results.heading("The JVM that creates is killed with -9: " + called + ", " + SURVIVORS + " processes x "
                + THREADS + " threads wait");
        String column = "successor begins after the kill, ms";
        Table table = new Table("", column, "creators after the kill");
        for (int i = 0; i < seen.size(); i++) {
            Seen each = seen.get(i);
            table.row("kill " + (i + 1), number(each.millis(), 1), Integer.toString(each.creations()));
        }
        table.drawn(new Chart(Chart.Form.BARS, Chart.Scale.LINEAR, Chart.Better.NEITHER, List.of(column)))
                .print();
        Goal.atMost(
                        "latest successor after the kill, ms",
                        seen.stream().mapToDouble(Seen::millis).max().orElse(Double.NaN),
                        latestMillis)
                .print();
        // A creator that began before the kill would be a second one beside the holder.
        boolean isOneEach =
                seen.stream().allMatch(each -> each.creations() == 1 && each.failures() == 0 && each.millis() > 0);
        Results.goal(new Goal.Verdict("exactly one successor each time, and no caller fails", isOneEach));
    }
}
