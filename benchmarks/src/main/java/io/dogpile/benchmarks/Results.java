package io.dogpile.benchmarks;

import io.dogpile.benchmarks.Measured.Sheet;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the group that runs in this process tells: printed at once as Markdown, and gathered for its file. One group runs at a time,
 * and tells by one thread.
 */
final class Results {
    private static final List<Sheet> SHEETS = new ArrayList<>();
    private static @Nullable Building building;

    private Results() {}

    /** A table whose goals are still to come. */
    private static final class Building {
        final String title;
        final List<Goal.Verdict> goals = new ArrayList<>();
        final List<String> notes = new ArrayList<>();
        List<List<String>> cells = List.of(List.of());

        @Nullable
        Chart chart;

        Building(String title) {
            this.title = title;
        }

        Sheet built() {
            return new Sheet(
                    title,
                    cells.get(0),
                    List.copyOf(cells.subList(1, cells.size())),
                    chart,
                    List.copyOf(goals),
                    List.copyOf(notes));
        }
    }

    /** Begins a sheet. */
    static void heading(String title) {
        finishSheet();
        building = new Building(title);
        System.out.println("\n### " + title);
    }

    /** A line of its own. */
    static void note(String text) {
        System.out.println("\n" + text);
        sheet().notes.add(text);
    }

    static void table(List<List<String>> cells, @Nullable Chart chart) {
        sheet().cells = List.copyOf(cells);
        sheet().chart = chart;
    }

    /** Below the table, where goals that have no figure are printed, too. */
    static void goal(Goal.Verdict verdict) {
        System.out.println("- " + verdict.text() + ": " + (verdict.met() ? "met" : "MISSED"));
        sheet().goals.add(verdict);
    }

    /** A goal that the table itself shows. */
    static void goalInTable(Goal.Verdict verdict) {
        sheet().goals.add(verdict);
    }

    private static Building sheet() {
        Building current = building;
        if (current == null) {
            current = new Building("");
            building = current;
        }
        return current;
    }

    private static void finishSheet() {
        if (building != null) {
            SHEETS.add(building.built());
            building = null;
        }
    }

    /** What was told since this was asked last. */
    static List<Sheet> taken() {
        finishSheet();
        List<Sheet> all = List.copyOf(SHEETS);
        SHEETS.clear();
        return all;
    }
}
