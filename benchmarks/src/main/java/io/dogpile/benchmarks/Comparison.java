package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Chart.Better.HIGHER;
import static io.dogpile.benchmarks.Chart.Better.LOWER;

import io.dogpile.benchmarks.Measured.Sheet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A figure that matters to somebody who decides, and where it stands in the measured files.
 *
 * @param workload what is done, and in what it is measured
 * @param group the group that measures it
 * @param sheet how the title of the table begins
 * @param ours the first cell of our row
 * @param column the head of the column
 * @param better which values one wants
 */
record Comparison(String workload, String group, String sheet, String ours, String column, Chart.Better better) {
    /** What the top README shows. */
    static final List<Comparison> ALL = List.of(
            lower("Hit in memory, one key, 1 thread, ns", "region", "RegionHitBenchmark, one key, 1 thread")
                    .of("Region.getOrCreate(key, fn)", "median ns/op"),
            lower("Hit by annotation, one key, 1 thread, ns", "annotated", "AnnotatedHitBenchmark, one key, 1 thread")
                    .of("@Cached, CachedProxies", "median ns/op"),
            lower("200 threads on a cold key: p99 from the creator's end, ms", "stampede", "200 platform")
                    .of(Contender.REGION, "lag p99"),
            lower(
                            "The creator fails, 32 callers: the last hears of it after, ms",
                            "failing",
                            "32 callers, the creator throws")
                    .of(Contender.REGION, "last caller's lag ms"),
            lower("Creations of other keys beside a slow one: p99, us", "neighbour", "A creation of")
                    .of("Region", "beside p99"),
            lower(
                            "Expiry under load, refreshing in the background: p99.99, ms",
                            "expiry",
                            "Expiry under load, open loop")
                    .of("Region, staleAfter 1 s, refreshOn", "p99.99"),
            higher("Hit in Redis, 16 threads, 1,000 keys, ops/s", "redisHit", "Hit in Redis, 16 threads, 1,000 keys")
                    .of("Region.getOrCreate on RedisBackend", "ops/s"),
            lower("4 JVMs x 50 threads on a cold key of Redis: commands", "redisStampede", "One cold key: ")
                    .of(ClusterContender.REGION.title, "commands"),
            lower(
                            "4 JVMs x 50 threads on a cold key of Redis: p99 from the creator's end, ms",
                            "redisStampede",
                            "One cold key: ")
                    .of(ClusterContender.REGION.title, "p99"),
            lower(
                            "Hit in a near cache over Redis, one key, 1 thread, ns",
                            "redisNear",
                            "NearHitBenchmark, one key, 1 thread")
                    .of("Region on TieredBackend over RedisBackend", "median ns/op"),
            lower("4 JVMs x 50 threads on a cold key of memcached: requests", "memcachedStampede", "One cold key: ")
                    .of(ClusterContender.MEMCACHED_REGION.title, "commands"),
            lower(
                            "4 JVMs x 50 threads on a cold key of memcached: p99 from the creator's end, ms",
                            "memcachedStampede",
                            "One cold key: ")
                    .of(ClusterContender.MEMCACHED_REGION.title, "p99"),
            lower("Hit in a file of 1 KiB, 1 thread, us", "fileHit", "Hit in files of 1 KiB, 1 thread")
                    .of("Region.getOrCreate on FileBackend", "median"));

    /** Rows that are no rivals: what a limit probe, or no copy at all, shows. */
    private static final String NO_RIVAL = "(";

    /** Where a table is. */
    private record Place(String workload, String group, String sheet, Chart.Better better) {
        Comparison of(String ours, String column) {
            return new Comparison(workload, group, sheet, ours, column, better);
        }
    }

    private static Place lower(String workload, String group, String sheet) {
        return new Place(workload, group, sheet, LOWER);
    }

    private static Place higher(String workload, String group, String sheet) {
        return new Place(workload, group, sheet, HIGHER);
    }

    /**
     * What was seen.
     *
     * @param workload what was done
     * @param ours our figure, as it was printed
     * @param best the best of the others
     * @param name who that is
     * @param ratio what ours costs, x the other; above 1 the other is better
     */
    record Outcome(String workload, String ours, String best, String name, double ratio) {
        /** The figure of another is better; equal ones are not. */
        boolean isLost() {
            return ratio > 1;
        }
    }

    /** Of the oldest Java of which there is such a table; nothing if there is none. */
    Optional<Outcome> in(List<Measured> all) {
        return all.stream()
                .filter(each -> each.group().equals(group))
                .sorted(Comparator.comparingInt(Measured::feature))
                .flatMap(each -> each.sheets().stream())
                .filter(each -> each.title().startsWith(sheet))
                .flatMap(each -> in(each).stream())
                .findFirst();
    }

    private Optional<Outcome> in(Sheet table) {
        int at = table.heads().indexOf(column);
        if (at < 0) {
            return Optional.empty();
        }
        Comparator<List<String>> byFigure = Comparator.comparingDouble(row -> Ours.number(row.get(at)));
        Optional<List<String>> mine = table.rows().stream()
                .filter(row -> row.get(0).equals(ours) && isSeen(row, at))
                .findFirst();
        Optional<List<String>> best = table.rows().stream()
                .filter(row -> !Ours.is(row.get(0)) && !row.get(0).startsWith(NO_RIVAL) && isSeen(row, at))
                .min(better == LOWER ? byFigure : byFigure.reversed());
        return mine.flatMap(own -> best.map(other -> outcome(own.get(at), other.get(at), other.get(0))));
    }

    private static boolean isSeen(List<String> row, int at) {
        return !Double.isNaN(Ours.number(row.get(at)));
    }

    private Outcome outcome(String own, String other, String name) {
        double ratio = Ours.number(own) / Ours.number(other);
        return new Outcome(workload, own, other, name, better == LOWER ? ratio : 1 / ratio);
    }
}
