package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.MemoryBackend;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;

/**
 * Early refresh against the closed form of XFetch, in simulated time. Reads of one key come as a Poisson process of rate
 * lambda; a creation takes delta. A read with r left to the end of the life refreshes with probability exp(-r / (beta delta)). So
 * a life of length L is not refreshed early, and ends by a miss, with probability exp(-lambda beta delta (1 - exp(-L / (beta
 * delta)))).
 */
public final class EarlyRefresh {
    private static final Duration CREATION = Duration.ofMillis(100);
    private static final Duration LIFE = Duration.ofSeconds(4);
    private static final List<Double> READS_A_CREATION = List.of(0.125, 0.25, 0.5, 1.0, 2.0, 4.0);
    private static final List<Double> WEIGHTS = List.of(0.5, 1.0, 2.0);
    private static final int LIVES = 20_000;
    private static final long SEED = 5;
    private static final double SIGMAS = 3;

    private EarlyRefresh() {}

    static long expectedSeconds() {
        return 25;
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
        run(LIVES);
    }

    /** How lives ended. */
    private record Seen(double readsACreation, double beta, int lives, int early) {
        double earlyShare() {
            return (double) early / lives;
        }

        double missShare() {
            return 1 - earlyShare();
        }

        private double expectedMissShare() {
            double weighted = beta * CREATION.toNanos();
            return Math.exp(-readsACreation * beta * -Math.expm1(-LIFE.toNanos() / weighted));
        }

        /** By how many standard deviations of a share of so many lives it is off. */
        double sigmas() {
            double expected = expectedMissShare();
            return (missShare() - expected) / Math.sqrt(expected * (1 - expected) / lives);
        }
    }

    static void run(int lives) throws Exception {
        for (double beta : WEIGHTS) {
            Results.heading("XFetch, beta " + number(beta, 1) + ": " + lives + " lives of " + LIFE.toMillis()
                    + " ms, creations of " + CREATION.toMillis() + " ms, reads at random");
            Table table = new Table(
                    "reads in the time of a creation",
                    "refreshed early, measured",
                    "closed form",
                    "misses at expiry, with",
                    "closed form of misses",
                    "misses at expiry, without",
                    "off by, sigma");
            double furthest = 0;
            for (double reads : READS_A_CREATION) {
                Progress.show("beta " + beta + ", " + reads + " reads in the time of a creation");
                Seen with = live(reads, beta, lives);
                Seen without = live(reads, 0, lives);
                furthest = Math.max(furthest, Math.abs(with.sigmas()));
                table.row(
                        number(reads, 3),
                        number(with.earlyShare(), 4),
                        number(1 - with.expectedMissShare(), 4),
                        number(with.missShare(), 4),
                        number(with.expectedMissShare(), 4),
                        number(without.missShare(), 4),
                        number(with.sigmas(), 2));
            }
            Progress.end();
            table.drawn(Chart.shares("misses at expiry, with", "closed form of misses", "misses at expiry, without"))
                    .print();
            Goal.atMost("furthest from the closed form, sigma", furthest, SIGMAS)
                    .print();
        }
    }

    /** One life after the other, each begun by the end of the creation that ended the one before. */
    private static Seen live(double readsACreation, double beta, int lives) throws Exception {
        SimulatedTime time = new SimulatedTime();
        // Of another kind than the library's draws: two of one kind and seed would draw the same.
        SplittableRandom arrivals = new SplittableRandom(SEED);
        Region<String, Long> region = region(time, beta);
        ToDoubleFunction<Region<String, Long>> read = asked -> asked.getOrCreate("key", () -> {
            time.advance(CREATION.toNanos());
            return time.nanos();
        });
        double born = read.applyAsDouble(region);
        int ended = 0;
        int early = 0;
        while (ended < lives) {
            double gap = -Math.log(1 - arrivals.nextDouble()) * CREATION.toNanos() / readsACreation;
            time.advance((long) gap);
            boolean isOver = time.nanos() - born > LIFE.toNanos();
            double seen = read.applyAsDouble(region);
            if (seen != born) {
                ended++;
                early += isOver ? 0 : 1;
                born = seen;
            }
        }
        return new Seen(readsACreation, beta, lives, early);
    }

    private static Region<String, Long> region(SimulatedTime time, double beta) {
        RegionBuilder<String, Long> builder = Region.builder("xfetch", String.class, Long.class)
                .backend(MemoryBackend.ofEntries(1))
                .staleAfter(LIFE)
                .expireAfter(LIFE)
                .clock(time)
                .seed(SEED);
        return (beta == 0 ? builder : builder.earlyRefresh(beta)).build();
    }
}
