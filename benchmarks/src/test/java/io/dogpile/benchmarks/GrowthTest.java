package io.dogpile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** What grows, what is drawn, and many keys at once, at their smallest: that they run and print, and what does not depend on speed. */
@Isolated("takes what is printed")
class GrowthTest {
    @Test
    void growth_smallest_hasOneCreationEach() throws Exception {
        assertThat(Printed.by(() -> Growth.run(new Growth.Sizes(10, 10, 2, 1, 3, 100))))
                .contains("### Callers of one cold key", "### On paper: 1000 JVMs, 10^7 keys", "commands/s");
    }

    @Test
    void earlyRefresh_fewLives_areWithinThreeSigmaOfTheClosedForm() throws Exception {
        assertThat(Printed.by(() -> EarlyRefresh.run(2_000)))
                .contains("### XFetch, beta 1.0: 2000 lives", "sigma")
                .doesNotContain("MISSED");
    }

    @Test
    void eviction_fewCalls_tellsWhatIsKept() throws Exception {
        assertThat(Printed.by(() -> Eviction.run(20_000)))
                .contains("of 20000 calls", "| Region", "a loop over 1,500 keys: Region, x Caffeine");
    }

    @Test
    void bulk_oneRound_isOneCall() throws Exception {
        assertThat(Printed.by(() -> Bulk.run(Throughput.Sizes.SMALLEST, 1)))
                .contains(
                        "### Bulk hit in memory",
                        "### Bulk hit in Redis",
                        "creator calls: 1.00, goal at most 1.00: met");
    }
}
