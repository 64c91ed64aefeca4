package io.dogpile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.dogpile.benchmarks.Measured.Sheet;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
    private static final Machine MACHINE = new Machine("17.0.1+2-a", "a VM", 2, "a system", List.of("peer-1.0"), 0.5);
    private static final Sheet LOST = sheet("lost", Chart.lowerIsBetter("us"), "3.50", "7.00");
    private static final Sheet WON = sheet("won", Chart.higherIsBetter("us"), "3.50", "7.00");

    @TempDir
    Path directory;

    private static Sheet sheet(String title, Chart chart, String peer, String ours) {
        return new Sheet(
                title,
                List.of("", "us"),
                List.of(List.of("A peer's <get>", peer), List.of("Region", ours)),
                chart,
                List.of(new Goal.Verdict("us: " + ours, false)),
                List.of("a note"));
    }

    private static Measured measured(Sheet... sheets) {
        return new Measured("one", "group", "a command", "2026-01-02T03:04:05Z", 7, MACHINE, List.of(sheets));
    }

    @Test
    void whatIsKept_isReadAgainAsItWas() throws Exception {
        Measured kept = measured(LOST, WON);
        kept.keep(directory);
        assertEquals(List.of(kept), Measured.all(directory));
        assertNull(Measured.of(directory, "another"));
    }

    @Test
    void whatAnotherJavaMeasured_isKeptBeside_andIsNoPartOfARunOfThisOne() throws Exception {
        Measured here = new Measured("one", "group", "", "2026-01-02T03:04:05Z", 7, Machine.here(), List.of(WON));
        Machine other = new Machine("99", "a VM", 2, "a system", List.of(), 0.5);
        Measured elsewhere = new Measured("one", "group", "", "2026-01-02T03:04:05Z", 7, other, List.of(LOST));
        here.keep(directory);
        elsewhere.keep(directory);
        assertEquals(List.of(here, elsewhere), Measured.all(directory));
        assertEquals(here, Measured.of(directory, "group"));
    }

    @Test
    void betterPeer_isALoss_whicheverWayIsBetter() {
        assertEquals(
                List.of("group: lost", "us", "A peer's <get>", "3.50", "Region", "7.00", "2.00"),
                Loss.of("group", LOST).get(0).cells());
        assertEquals(List.of(), Loss.of("group", WON));
        assertEquals(
                1,
                Loss.of("group", sheet("", Chart.higherIsBetter("us"), "8", "7"))
                        .size());
        assertEquals(List.of(), Loss.of("group", sheet("", Chart.lowerIsBetter("us"), "7", "7")));
        assertEquals(List.of(), Loss.of("group", sheet("", Chart.growth("us"), "3", "7")));
        assertEquals(List.of(), Loss.of("group", sheet("", Chart.lowerIsBetter("us"), "-", "7")));
    }

    @Test
    void page_isWhole_asksForNothing_andSaysFirstWhereAPeerIsBetter() throws Exception {
        String page = Report.page(List.of(measured(LOST, WON)));
        assertThat(page)
                .contains("a VM", "peer-1.0", "2026-01-02T03:04:05Z", "a command", "A peer's &lt;get&gt;", "a note")
                .contains("2 of 2 goals were missed", "Chart.js v")
                .doesNotContain("@@", "<link", "src=\"");
        assertThat(page.indexOf("Where another is better"))
                .isPositive()
                .isLessThan(page.indexOf("<h2>group, JDK 17</h2>"));
    }

    @Test
    void oneMachine_isToldOnce_whateverItsLoadBeforeEachRun() throws Exception {
        Machine busier = new Machine("17.0.1+2-a", "a VM", 2, "a system", List.of("peer-1.0"), 1.5);
        String page = Report.page(List.of(
                measured(WON), new Measured("two", "other", "", "2026-01-02T03:04:05Z", 7, busier, List.of(WON))));
        assertThat(page).containsOnlyOnce("a VM").contains("before the run 0.5", "before the run 1.5");
    }
}
