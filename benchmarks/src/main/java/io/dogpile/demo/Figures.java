package io.dogpile.demo;

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
