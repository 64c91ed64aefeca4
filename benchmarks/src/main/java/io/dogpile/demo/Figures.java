package io.dogpile.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** The figures of a run, as the table on the screen and the one on the page show them. */
final class Figures {
    private static final List<String> HEADS =
            List.of("calls", "creations", "wait p50 ms", "wait p99 ms", "wait max ms", "stale served");
    private static final String COMMANDS = "commands";

    private Figures() {}

    /** What {@link #of} gives for one of these. */
    static List<String> heads(List<Row> rows) {
        List<String> heads = new ArrayList<>(HEADS);
        if (rows.stream().flatMap(row -> row.runs().stream()).anyMatch(run -> run.commands() != Run.NOT_COUNTED)) {
            heads.add(COMMANDS);
        }
        return heads;
    }

    static List<String> of(Run run) {
        Percentiles waits = run.waits();
        List<String> figures = new ArrayList<>(List.of(
                count(run.calls().size()),
                count(run.creations()),
                millis(waits.at(50)),
                millis(waits.at(99)),
                millis(waits.max()),
                count(run.count(Call.Outcome.STALE))));
        if (run.commands() != Run.NOT_COUNTED) {
            figures.add(count(run.commands()));
        }
        return figures;
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

    /** Of each JVM that was killed, when, and who took over when; for the screen and the page. */
    static List<String> deaths(Run run) {
        return run.deaths().stream()
                .map(death -> Lanes.name(death.jvm()) + " killed after " + time(death.at())
                        + run.takeover(death)
                                .map(work ->
                                        ", " + Lanes.name(work.jvm()) + " created anew after " + time(work.begin()))
                                .orElse(""))
                .toList();
    }

    /** The table for the screen. */
    static String table(List<Row> rows) {
        StringBuilder table = new StringBuilder();
        List<String> heads = heads(rows);
        line(table, "", heads, heads);
        for (Row row : rows) {
            table.append(row.title()).append('\n');
            for (Run run : row.runs()) {
                line(table, "  " + run.way(), of(run), heads);
                deaths(run).forEach(death -> table.append("    ").append(death).append('\n'));
            }
        }
        return table.toString();
    }

    private static void line(StringBuilder table, String head, List<String> cells, List<String> heads) {
        table.append(String.format(Locale.ROOT, "%-22s", head));
        for (int i = 0; i < cells.size(); i++) {
            int width = heads.get(i).length() + 2;
            table.append(String.format(Locale.ROOT, "%" + width + "s", cells.get(i)));
        }
        table.append('\n');
    }
}
