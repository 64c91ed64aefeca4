package io.dogpile.cache.histories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What several JVMs see of a directory, and the threads of one of its memory, while holders are killed and stopped. By
 * default a short form of it; the profile {@code histories} runs for minutes, and {@link LocalLongHistories} with it.
 */
class LocalHistoriesTest {
    static final Duration LEASE = Duration.ofSeconds(1);

    @TempDir
    Path directory;

    /** A right to files is its process's while that lives, also while it is stopped: others wait, or time out. */
    static Terms.Builder ofFiles() {
        return Terms.withLease(LEASE)
                .excuse(Invariant.TAKEN_OVER, Fault.PAUSE)
                .excuse(Invariant.ONE_CREATION, Fault.KILL);
    }

    static LiveHistory.Plan plan(String name, String where, int nodes, int threads) {
        return new LiveHistory.Plan(name, LocalNodeMain.class, number -> where, nodes, threads, LEASE);
    }

    @Test
    void killsAndPauses_breakNoPromise_ofFiles() {
        LiveHistory.Plan plan = plan("files", "files:" + directory, 3, 4);
        try (LiveHistory history = new LiveHistory(plan, ofFiles().build(), Histories.seed())) {
            history.withKills().withPauses();
            System.out.println(history.run(Histories.time()));
            assertThat(history.checked()).containsKeys(Invariant.values());
        }
    }

    @Test
    void pauses_breakNoPromise_ofMemory() {
        LiveHistory.Plan plan = plan("memory", "memory", 1, 12);
        Terms terms = Terms.withLease(LEASE).build();
        try (LiveHistory history = new LiveHistory(plan, terms, Histories.seed())) {
            history.withPauses();
            System.out.println(history.run(Histories.time()));
            assertThat(history.checked()).containsKeys(Invariant.values());
        }
    }

    @Test
    void storeThatIsWrittenToWithoutTheRight_isFound() {
        LiveHistory.Plan plan = plan("broken", "broken:" + directory, 3, 4);
        try (LiveHistory history = new LiveHistory(plan, ofFiles().build(), Histories.seed())) {
            assertThatThrownBy(() -> history.run(Duration.ZERO))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("violations in round 1 of broken")
                    .hasMessageContaining("-Ddogpile.histories.seed=");
        }
    }
}
