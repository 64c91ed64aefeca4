package io.dogpile.benchmarks;

import io.dogpile.benchmarks.Measured.Sheet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** What was measured, as Markdown: each group with its tables, its goals and whether they were met. */
final class RunTables {
    private final List<Measured> all;
    private final StringBuilder out = new StringBuilder("\n");

    private RunTables(List<Measured> all) {
        List<String> order = Benchmarks.names();
        this.all = all.stream()
                .sorted(Comparator.<Measured>comparingInt(each -> order.indexOf(each.group()))
                        .thenComparingInt(Measured::feature))
                .toList();
    }

    static String of(List<Measured> all) {
        RunTables tables = new RunTables(all);
        tables.overview();
        tables.all.forEach(tables::group);
        return tables.out.toString();
    }

    private void overview() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("group", "JDK", "began", "took, s", "load before", "goals", "missed"));
        for (Measured each : all) {
            List<Goal.Verdict> goals = each.goals();
            rows.add(List.of(
                    each.group(),
                    Integer.toString(each.feature()),
                    each.began(),
                    Long.toString(each.seconds()),
                    Table.number(each.machine().load(), 1),
                    Integer.toString(goals.size()),
                    Long.toString(goals.stream().filter(goal -> !goal.met()).count())));
        }
        out.append(Table.markdown(rows)).append("\nWhere:\n\n");
        all.stream()
                .map(each -> each.machine().told())
                .distinct()
                .forEach(place -> out.append("- ").append(place).append('\n'));
        out.append("\nMissed:\n\n");
        List<String> missed = all.stream()
                .flatMap(each -> each.sheets().stream().flatMap(sheet -> missed(each, sheet)))
                .toList();
        out.append(missed.isEmpty() ? "- none\n" : String.join("", missed)).append('\n');
    }

    private static Stream<String> missed(Measured group, Sheet sheet) {
        return sheet.goals().stream()
                .filter(goal -> !goal.met())
                .map(goal -> "- " + group.title() + ", " + sheet.title() + ": " + goal.text() + "\n");
    }

    private void group(Measured group) {
        out.append("### ").append(group.title());
        out.append("\n\n`").append(group.command()).append("`\n\n");
        group.sheets().forEach(this::sheet);
    }

    private void sheet(Sheet sheet) {
        if (!sheet.title().isEmpty()) {
            out.append("#### ").append(sheet.title()).append("\n\n");
        }
        if (!sheet.rows().isEmpty()) {
            List<List<String>> rows = new ArrayList<>(List.of(sheet.heads()));
            rows.addAll(sheet.rows());
            out.append(Table.markdown(rows)).append('\n');
        }
        sheet.goals()
                .forEach(
                        goal -> out.append("- ").append(goal.text()).append(goal.met() ? ": met\n" : ": **MISSED**\n"));
        out.append(sheet.goals().isEmpty() ? "" : "\n");
        sheet.notes().forEach(note -> out.append(note).append("\n\n"));
    }
}
