package io.dogpile.benchmarks;

import io.dogpile.benchmarks.Comparison.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The table of the top README: one row for each comparison, those first in which another is better. */
final class Summary {
    private Summary() {}

    static String of(List<Measured> all) {
        return of(Comparison.ALL, all);
    }

    static String of(List<Comparison> comparisons, List<Measured> all) {
        List<Outcome> outcomes = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        for (Comparison each : comparisons) {
            Optional<Outcome> outcome = each.in(all);
            outcome.ifPresentOrElse(
                    outcomes::add, () -> leftOut.add(each.workload() + " (group `" + each.group() + "`)"));
        }
        outcomes.sort(Comparator.comparingDouble(Outcome::ratio).reversed());
        StringBuilder out = new StringBuilder();
        if (!outcomes.isEmpty()) {
            long lost = outcomes.stream().filter(Outcome::isLost).count();
            out.append("\n**In ").append(lost).append(" of ").append(outcomes.size());
            out.append(" rows another is better**; they come first. Ratio: what ours costs, x the best other.\n\n");
            out.append(Table.markdown(rows(outcomes))).append('\n');
            out.append(when(comparisons, all));
        }
        if (!leftOut.isEmpty()) {
            out.append("\nNot measured: ").append(String.join("; ", leftOut)).append(".\n");
        }
        return out.append('\n').toString();
    }

    private static List<List<String>> rows(List<Outcome> outcomes) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("workload", "ours", "best other", "who", "ratio", "better"));
        for (Outcome each : outcomes) {
            rows.add(List.of(
                    each.workload(),
                    each.ours(),
                    each.best(),
                    each.name(),
                    Table.number(each.ratio(), 2),
                    each.isLost() ? "**the other**" : each.ratio() < 1 ? "ours" : "equal"));
        }
        return rows;
    }

    private static String when(List<Comparison> comparisons, List<Measured> all) {
        List<Measured> used = all.stream()
                .filter(each -> comparisons.stream().anyMatch(one -> one.group().equals(each.group())))
                .toList();
        TreeSet<String> days = used.stream().map(Measured::day).collect(Collectors.toCollection(TreeSet::new));
        TreeSet<String> machines =
                used.stream().map(each -> each.machine().place()).collect(Collectors.toCollection(TreeSet::new));
        return "Measured " + String.join(", ", days) + "; " + String.join("; ", machines)
                + ". All tables, goals, errors and what limits them: [benchmarks](benchmarks/README.md). Written by `mvn -q"
                + " -Preport`.\n";
    }
}
