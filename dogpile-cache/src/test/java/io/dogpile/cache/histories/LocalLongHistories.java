package io.dogpile.cache.histories;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What takes longer than a build should: the profile {@code histories} runs it. */
class LocalLongHistories {
    @TempDir
    Path directory;

    /** A value from the future is stale, so it is created again; nothing else depends on clocks. */
    @Test
    void clocksThatAreApart_breakNoPromise_ofFiles() {
        Terms terms = LocalHistoriesTest.ofFiles()
                .excuse(Invariant.ONE_CREATION, Fault.CLOCKS)
                .build();
        LiveHistory.Plan plan = LocalHistoriesTest.plan("files-clocks", "files:" + directory, 3, 4)
                .withClocksApart();
        try (LiveHistory history = new LiveHistory(plan, terms, Histories.seed())) {
            history.withKills().withPauses();
            System.out.println(history.run(Histories.time()));
        }
    }

    @Test
    void eviction_breaksNoPromise_ofMemory() {
        Terms terms = Terms.withLease(LocalHistoriesTest.LEASE)
                .excuse(Invariant.ONE_RIGHT, Fault.EVICTION)
                .excuse(Invariant.ONE_CREATION, Fault.EVICTION)
                .excuse(Invariant.STALE_IS_SERVED, Fault.EVICTION)
                .build();
        LiveHistory.Plan plan =
                LocalHistoriesTest.plan("memory-eviction", "few:3", 1, 12).always(Fault.EVICTION);
        try (LiveHistory history = new LiveHistory(plan, terms, Histories.seed())) {
            history.withPauses();
            System.out.println(history.run(Histories.time()));
        }
    }
}
