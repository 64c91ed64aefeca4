package io.dogpile.demo;

import io.dogpile.cache.RegionStats;
import io.dogpile.core.DogpileListener;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** The figures of a run, as the table on the screen and the one on the page show them. */
final class Figures {
    static final List<String> HEADS =
            List.of("calls", "creations", "wait p50 ms", "wait p99 ms", "wait max ms", "stale served");

    private Figures() {}

    static List<String> of(Run run) {
        Percentiles waits = run.waits();
        return List.of(
                count(run.calls().size()),
                count(run.creations()),
                millis(waits.at(50)),
                millis(waits.at(99)),
                millis(waits.max()),
                count(run.count(Call.Outcome.STALE)));
    }

    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    static String millis(long nanos) {
        return String.format(Locale.ROOT, "%,.1f", (double) nanos / TimeUnit.MILLISECONDS.toNanos(1));
    }

    /** A time in the unit that suits it. */
    static String time(long nanos) {
        return nanos < TimeUnit.SECONDS.toNanos(1)
                ? String.format(Locale.ROOT, "%.0f ms", (double) nanos / TimeUnit.MILLISECONDS.toNanos(1))
                : String.format(Locale.ROOT, "%.1f s", (double) nanos / TimeUnit.SECONDS.toNanos(1));
    }

    /** What a region counts, as far as the demo makes it happen. */
    static String stats(RegionStats stats) {
        long waits = stats.waits(DogpileListener.WaitOutcome.VALUE);
        Duration waited = stats.waitTime(DogpileListener.WaitOutcome.VALUE);
        return String.format(
                Locale.ROOT,
                "%,d hits, %,d misses, %,d stale served, %,d creations in %s, %,d waited %s on average",
                stats.hits(),
                stats.misses(),
                stats.staleServed(),
                stats.creations(),
                time(stats.creationTime().toNanos()),
                waits,
                time(waits == 0 ? 0 : waited.toNanos() / waits));
    }

    /** What the ways have counted by themselves, for the screen. */
    static String stats(List<Row> rows) {
        StringBuilder lines = new StringBuilder();
        for (Row row : rows) {
            for (Run run : row.runs()) {
                if (!run.stats().isEmpty()) {
                    lines.append(String.format(Locale.ROOT, "  %-20s%s%n", run.way(), run.stats()));
                }
            }
        }
        return lines.toString();
    }

    /** The table for the screen. */
    static String table(List<Row> rows) {
        StringBuilder table = new StringBuilder();
        line(table, "", HEADS);
        for (Row row : rows) {
            table.append(row.title()).append('\n');
            for (Run run : row.runs()) {
                line(table, "  " + run.way(), of(run));
            }
        }
        return table.toString();
    }

    private static void line(StringBuilder table, String head, List<String> cells) {
        table.append(String.format(Locale.ROOT, "%-22s", head));
        for (int i = 0; i < cells.size(); i++) {
            int width = HEADS.get(i).length() + 2;
            table.append(String.format(Locale.ROOT, "%" + width + "s", cells.get(i)));
        }
        table.append('\n');
    }
}
