package io.dogpile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.dogpile.benchmarks.Measured.Sheet;
import io.dogpile.core.Guide;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadmesTest {
    private static final Comparison WON = comparison("won", Chart.Better.LOWER);
    private static final Comparison EQUAL = comparison("equal", Chart.Better.LOWER);
    private static final Comparison LOST = comparison("lost", Chart.Better.LOWER);
    private static final Comparison LOST_MORE = comparison("lost more", Chart.Better.HIGHER);
    private static final Sheet PROBED =
            sheet("probed", List.of(List.of("Region", "7.00"), List.of("(limit probe)", "1.00")));

    @TempDir
    Path root;

    private static Comparison comparison(String sheet, Chart.Better better) {
        return new Comparison(sheet + " work", "group", sheet + ",", "Region", "us", better);
    }

    private static Sheet sheet(String title, List<List<String>> rows) {
        return new Sheet(
                title + ", in a table",
                List.of("", "us"),
                rows,
                null,
                List.of(new Goal.Verdict(title + " goal", title.equals("won"))),
                List.of(title + " note"));
    }

    private static Sheet rivals(String title, String ours) {
        return sheet(
                title,
                List.of(
                        List.of("Another", "20.00"),
                        List.of("Region", ours),
                        List.of("Region, another way", "0.01"),
                        List.of("Best", "10.00"),
                        List.of("(limit probe)", "0.02"),
                        List.of("Failed", "-")));
    }

    private static Measured measured(String group, int java, String began, Sheet... sheets) {
        Machine machine = new Machine(java + ".0.1+2", "a VM", 2, "a system", List.of("peer-1.0"), 0.5);
        return new Measured("a run", group, "measure " + group, began, 7, machine, List.of(sheets));
    }

    private static Measured group(Sheet... sheets) {
        return measured("group", 17, "2026-01-02T03:04:05Z", sheets);
    }

    @Test
    void peersThatWin_comeFirst_theWorstForUsBeforeAll_andAreSaidSo() {
        String summary = Summary.of(
                List.of(WON, EQUAL, LOST, LOST_MORE),
                List.of(group(
                        rivals("won", "5.00"),
                        rivals("equal", "10.00"),
                        rivals("lost", "15.00"),
                        rivals("lost more", "5.00"))));
        assertThat(summary)
                .contains("**In 2 of 4 rows another is better**", "2026-01-02", "JDK 17.0.1+2 (a VM), 2 cores")
                .doesNotContain("Not measured", "limit probe");
        List<String> rows = summary.lines()
                .filter(line -> line.contains(" work "))
                .map(line -> line.replaceAll(" +", " "))
                .toList();
        assertEquals(
                List.of(
                        "| lost more work | 5.00 | 20.00 | Another | 4.00 | **the other** |",
                        "| lost work | 15.00 | 10.00 | Best | 1.50 | **the other** |",
                        "| equal work | 10.00 | 10.00 | Best | 1.00 | equal |",
                        "| won work | 5.00 | 10.00 | Best | 0.50 | ours |"),
                rows);
    }

    @Test
    void rowThatWasNotMeasured_isLeftOut_andSaidSo() {
        String summary = Summary.of(
                List.of(WON, LOST, comparison("probed", Chart.Better.LOWER)),
                List.of(group(rivals("won", "5.00"), PROBED)));
        assertThat(summary)
                .contains("**In 0 of 1 rows", "Not measured: lost work (group `group`); probed work (group `group`).");
        assertThat(Summary.of(List.of(LOST), List.of()))
                .contains("Not measured: lost work")
                .doesNotContain("|");
    }

    @Test
    void comparison_isOfTheOldestJava_thatHasTheTable() {
        List<Measured> all = List.of(
                measured("group", 25, "2026-01-02T03:04:05Z", rivals("won", "1.00"), rivals("lost", "15.00")),
                group(rivals("won", "5.00")));
        assertThat(Summary.of(List.of(WON, LOST), all)).contains(" 5.00 |", " 15.00 |");
    }

    @Test
    void tables_areInTheOrderOfTheGroups_withGoalsAndVerdicts() {
        String tables = RunTables.of(List.of(
                measured("stampede", 25, "2026-01-03T03:04:05Z", rivals("won", "5.00")),
                measured("stampede", 17, "2026-01-02T03:04:05Z", rivals("won", "5.00")),
                measured("hit", 17, "2026-01-02T03:04:05Z", rivals("lost", "15.00"))));
        assertThat(tables)
                .containsSubsequence(
                        "| hit ",
                        "| stampede |  17 | 2026-01-02T03:04:05Z |       7 |",
                        "| stampede |  25 |",
                        "peer-1.0",
                        "Missed:",
                        "- hit, JDK 17, lost, in a table: lost goal",
                        "### hit, JDK 17",
                        "measure hit",
                        "#### lost, in a table",
                        "| Region              | 15.00 |",
                        "- lost goal: **MISSED**",
                        "lost note",
                        "### stampede, JDK 17",
                        "- won goal: met",
                        "### stampede, JDK 25");
    }

    @Test
    void pages_areWritten_betweenTheirMarks() throws Exception {
        Files.createDirectories(root.resolve("benchmarks"));
        for (String page : List.of(Readmes.TOP, Readmes.OF_BENCHMARKS)) {
            Files.writeString(
                    root.resolve(page),
                    "words\n<!-- summary -->\n<!-- /summary -->\n<!-- run -->\n<!-- /run -->\nmore words\n");
        }
        var unused = Printed.by(() -> Readmes.write(root, List.of(group(rivals("won", "5.00")))));
        String top = Files.readString(root.resolve(Readmes.TOP));
        assertThat(top).startsWith("words\n").endsWith("<!-- run -->\n<!-- /run -->\nmore words\n");
        assertThat(Readmes.SUMMARY.in(top)).contains("Not measured: Hit in memory");
        String benchmarks = Files.readString(root.resolve(Readmes.OF_BENCHMARKS));
        assertThat(Readmes.RUN.in(benchmarks)).contains("### group, JDK 17");
        assertThat(Readmes.SUMMARY.in(benchmarks)).isEmpty();
    }

    @Test
    void runOfSomeGroups_leavesWhatOthersMeasured_andAnOlderOneLeavesWhatIsNewer() throws Exception {
        Path kept = root.resolve("kept");
        Path last = root.resolve("last");
        Measured old = group(rivals("won", "5.00"));
        Measured newer = measured("group", 17, "2026-01-02T03:04:06Z", rivals("won", "6.00"));
        Measured other = measured("other", 17, "2026-01-01T00:00:00Z", rivals("lost", "15.00"));
        old.keep(kept);
        other.keep(kept);
        newer.keep(last);
        Measured.takeOver(last, kept);
        assertEquals(List.of(newer, other), Measured.all(kept));
        old.keep(last);
        Measured.takeOver(last, kept);
        assertEquals(List.of(newer, other), Measured.all(kept));
        Measured.takeOver(root.resolve("nothing"), kept);
        assertEquals(List.of(newer, other), Measured.all(kept));
    }

    /** No figure in a page is typed by hand: each comes from the committed files. */
    @Test
    void pagesOfTheRepository_areWhatTheCommittedFilesSay() throws Exception {
        Path repository = Guide.root();
        List<Measured> all = Measured.all(repository.resolve(Readmes.KEPT));
        assertFalse(all.isEmpty());
        assertEquals(Summary.of(all), Readmes.SUMMARY.in(Files.readString(repository.resolve(Readmes.TOP))));
        assertEquals(RunTables.of(all), Readmes.RUN.in(Files.readString(repository.resolve(Readmes.OF_BENCHMARKS))));
    }
}
