package io.dogpile.demo;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The runs of the demo with several JVMs: the loads of {@link Stampedes}, and a JVM that is killed while it creates. */
final class ClusterStampedes {
    private static final int STEADY_CALLERS = 4;
    private static final int STEADY_PER_SECOND = 400;
    private static final Duration STEADY_LENGTH = Duration.ofMillis(2800);
    private static final Duration SHORT_LIFE = Duration.ofSeconds(1);
    private static final Duration LONG_LIFE = Duration.ofMinutes(1);
    private static final Duration SHORT_LEASE = Duration.ofSeconds(1);

    /** What becomes of the JVMs. */
    enum Ending {
        /** They live until the demo ends. */
        PEACEFUL,
        /** One is killed. */
        KILL
    }

    private final Cluster cluster;

    ClusterStampedes(Cluster cluster) {
        this.cluster = cluster;
    }

    /** How many runs {@link #all} makes. */
    static int runs(Ending ending) {
        return ending == Ending.KILL ? 8 : 7;
    }

    List<Row> all(String module, List<String> modules, Ending ending) throws Exception {
        List<Row> rows = new ArrayList<>(List.of(cold(module), goingStale(module), manyKeys(modules)));
        if (ending == Ending.KILL) {
            rows.add(killed());
        }
        return rows;
    }

    private Row cold(String module) throws Exception {
        String load = "One cold key";
        return new Row(
                cluster.size() + ", one cold key",
                "All threads of all JVMs ask for the index of " + module
                        + " at the same moment, and Redis has none yet.",
                Row.Kind.ONE_KEY,
                List.of(
                        cluster.burst(load, SharedWay.PLAIN, LONG_LIFE, List.of(module)),
                        cluster.burst(load, SharedWay.REGION, LONG_LIFE, List.of(module))));
    }

    private Row goingStale(String module) throws Exception {
        int jvms = cluster.size().jvms();
        String load = "Going stale";
        String told = STEADY_PER_SECOND + " calls a second for the index of " + module + ", by turns to " + jvms
                + " JVMs, in each served by " + STEADY_CALLERS + " threads. The value is in Redis when the load begins"
                + " and turns stale " + SHORT_LIFE.toSeconds() + " s after it was made. A region has one caller of all"
                + " JVMs create and gives the others the stale value; with refreshOn an executor of one JVM creates,"
                + " and no caller waits.";
        List<Run> runs = new ArrayList<>();
        for (SharedWay way : SharedWay.values()) {
            int calls = (int) (STEADY_PER_SECOND * STEADY_LENGTH.toMillis() / TimeUnit.SECONDS.toMillis(1));
            Load.Pace pace = Load.Pace.perSecond(STEADY_PER_SECOND, calls);
            runs.add(cluster.steady(load, way, SHORT_LIFE, pace, STEADY_CALLERS, module));
        }
        return new Row(
                "Steady load on " + jvms + " JVMs, value stale after " + SHORT_LIFE.toSeconds() + " s",
                told,
                Row.Kind.STEADY,
                runs);
    }

    private Row manyKeys(List<String> modules) throws Exception {
        String load = modules.size() + " cold keys";
        return new Row(
                cluster.size() + ", " + load,
                "All threads of all JVMs at the same moment ask for the indexes of the " + modules.size()
                        + " largest modules, each thread for one.",
                Row.Kind.MANY_KEYS,
                List.of(
                        cluster.burst(load, SharedWay.PLAIN, LONG_LIFE, modules),
                        cluster.burst(load, SharedWay.REGION, LONG_LIFE, modules)));
    }

    private Row killed() throws Exception {
        String title = cluster.size() + ", and kill -9 of the JVM that creates";
        String told = "All ask for the index of all modules together. The JVM in which a caller has begun to create is"
                + " killed. The others know nothing of that: they wait until its lease has run out, "
                + SHORT_LEASE.toSeconds()
                + " s after it was taken, then one of them creates anew. (The default lease is"
                + " longer, and is renewed while its holder lives.)";
        Run run = cluster.burstWithKill("Kill -9", SharedWay.REGION, LONG_LIFE, SHORT_LEASE, SharedWay.ALL_MODULES);
        return new Row(title, told, Row.Kind.ONE_KEY, List.of(run));
    }
}
