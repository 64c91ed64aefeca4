package io.dogpile.benchmarks;

import io.dogpile.benchmarks.Measured.Sheet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A figure in which another row of a table is better than the best of ours.
 *
 * @param where the group and the table
 * @param figure the column
 * @param best the other row
 * @param ours our best row
 * @param column the number of the column
 */
record Loss(String where, String figure, List<String> best, List<String> ours, int column) {
    /** Those of a table, by the columns that are drawn. */
    static List<Loss> of(String group, Sheet sheet) {
        Chart chart = sheet.chart();
        List<Loss> losses = new ArrayList<>();
        if (chart != null && chart.better() != Chart.Better.NEITHER) {
            for (String head : chart.columns()) {
                Loss loss = of(group, sheet, sheet.heads().indexOf(head), chart.better());
                if (loss != null) {
                    losses.add(loss);
                }
            }
        }
        return losses;
    }

    private static @Nullable Loss of(String group, Sheet sheet, int column, Chart.Better better) {
        Comparator<List<String>> byFigure = Comparator.comparingDouble(row -> Ours.number(row.get(column)));
        Comparator<List<String>> bestFirst = better == Chart.Better.LOWER ? byFigure : byFigure.reversed();
        List<List<String>> rows = sheet.rows().stream()
                .filter(row -> !Double.isNaN(Ours.number(row.get(column))))
                .sorted(bestFirst)
                .toList();
        List<String> ours =
                rows.stream().filter(row -> Ours.is(row.get(0))).findFirst().orElse(null);
        if (ours == null || bestFirst.compare(rows.get(0), ours) == 0) {
            return null;
        }
        return new Loss(group + ": " + sheet.title(), sheet.heads().get(column), rows.get(0), ours, column);
    }

    List<String> cells() {
        double ratio = Ours.number(ours.get(column)) / Ours.number(best.get(column));
        return List.of(
                where, figure, best.get(0), best.get(column), ours.get(0), ours.get(column), Table.number(ratio, 2));
    }
}
