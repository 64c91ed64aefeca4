package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.benchmarks.ExpiryWorker.Kind;
import io.dogpile.benchmarks.ExpiryWorker.Seen;
import io.dogpile.redis.RedisServer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.HdrHistogram.Histogram;

/**
 * A value in Redis that lives a second, asked for by two processes of 8 threads, each thread once a millisecond, with a
 * creator of 100 ms that runs in the background. Latency counts from the moment when a call was due.
 */
public final class RedisExpiry {
    private static final int PROCESSES = 2;
    private static final int THREADS = 8;
    private static final int WARM_UP_SECONDS = 3;
    private static final int ROUNDS = 3;
    private static final int SECONDS = 10;

    private static final double P99_TO_JETCACHE = 1.0;

    private RedisExpiry() {}

    static long expectedSeconds() {
        return (long) Kind.values().length * ROUNDS * (SECONDS + WARM_UP_SECONDS) + 3;
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
        run(ROUNDS, WARM_UP_SECONDS, SECONDS);
    }

    static void run(int rounds, int warmUpSeconds, int seconds) throws Exception {
        Map<Kind, Seen> seen = new EnumMap<>(Kind.class);
        Map<Kind, Long> mostCreations = new EnumMap<>(Kind.class);
        String version;
        try (RedisServer server = RedisServer.start()) {
            version = Peers.version(server);
            List<Child> children = Child.start(PROCESSES, ExpiryWorker.class, Integer.toString(server.port()));
            try {
                for (int round = 0; round < rounds; round++) {
                    for (int turn = 0; turn < Kind.values().length; turn++) {
                        Kind next = Kind.values()[(round + turn) % Kind.values().length];
                        Progress.show("expiry in Redis, round " + (round + 1) + " of " + rounds + ": " + next.title);
                        load(children, next, warmUpSeconds);
                        Seen one = load(children, next, seconds);
                        seen.merge(next, one, Seen::and);
                        mostCreations.merge(next, one.creations(), Math::max);
                    }
                }
                Progress.end();
            } finally {
                children.forEach(Child::close);
            }
        }
        print(version, rounds, seconds, seen, mostCreations);
    }

    private static Seen load(List<Child> children, Kind kind, int seconds) throws Exception {
        return Child.ask(children, kind, THREADS, seconds).stream()
                .map(Seen::parse)
                .reduce(Seen::and)
                .orElseThrow();
    }

    private static void print(
            String version, int rounds, int seconds, Map<Kind, Seen> seen, Map<Kind, Long> mostCreations) {
        Results.heading("Expiry under load in " + version + ": " + PROCESSES + " processes x " + THREADS
                + " threads x 1,000 calls/s, life 1 s, creator " + ExpiryWorker.CREATION_MILLIS + " ms, " + rounds
                + " rounds of " + seconds + " s in turn");
        Seen region = Objects.requireNonNull(seen.get(Kind.REGION));
        double jet = millis(Objects.requireNonNull(seen.get(Kind.JETCACHE)), 99);
        Table table = new Table(
                "ms from the moment due",
                "p50",
                "p99",
                "x JetCache",
                "p99.9",
                "p99.99",
                "max",
                "creations a round",
                "oldest value, s",
                "failures");
        seen.forEach((kind, each) -> table.row(
                kind.title,
                number(millis(each, 50), 3),
                number(millis(each, 99), 2),
                number(millis(each, 99) / jet, 2),
                number(millis(each, 99.9), 2),
                number(millis(each, 99.99), 2),
                number(each.latency().getMaxValue() / 1e6, 2),
                Long.toString(mostCreations.getOrDefault(kind, 0L)),
                number(each.oldestNanos() / 1e9, 2),
                Long.toString(each.failures())));
        table.drawn(Chart.lowerIsBetter("p99", "p99.99").logarithmic()).print();
        // The first call of a round may create, too.
        Goal.atMost(
                        "creations in " + seconds + " s over both processes, one a life",
                        mostCreations.getOrDefault(Kind.REGION, 0L),
                        seconds + 1)
                .print();
        Goal.atMost("p99, x JetCache's", millis(region, 99) / jet, P99_TO_JETCACHE)
                .print();
    }

    private static double millis(Seen seen, double percentile) {
        Histogram latency = seen.latency();
        return latency.getValueAtPercentile(percentile) / 1e6;
    }
}
