package io.dogpile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The groups on memcached and on files at their smallest: that they run and print, not what. */
@Isolated("takes what is printed")
class HumbleGroupsTest {
    @Test
    void memcachedHit_oneRound_isOneRequest() throws Exception {
        assertThat(Printed.by(() -> MemcachedHit.run(Throughput.Sizes.SMALLEST)))
                .contains("### Hit in memcached, 16 threads", "1 thread, 1,000 keys: commands a hit: 1.00");
    }

    @Test
    void memcachedStampede_oneRound_hasOneCreationEach() throws Exception {
        assertThat(Printed.by(() -> MemcachedStampede.run(new MemcachedStampede.Sizes(1, 1, 0, 1, 0))))
                .contains(
                        "### One cold key: memcached",
                        ClusterContender.MEMCACHED_SINGLE.title,
                        "most creations in a round: 1.00",
                        "callers that failed: 0.00");
    }

    @Test
    void takeover_oneKillEach_hasOneSuccessor() throws Exception {
        String printed = Printed.by(() -> Takeover.run(new Takeover.Sizes(1, 1)));
        assertThat(printed)
                .containsSubsequence(
                        "killed with -9: memcached",
                        "exactly one successor each time, and no caller fails: met",
                        "killed with -9: files",
                        "exactly one successor each time, and no caller fails: met");
    }

    @Test
    void fileHit_oneRound_hasNoMiss() throws Exception {
        assertThat(Printed.by(() -> FileHit.run(Throughput.Sizes.SMALLEST)))
                .contains("### Hit in files of 1 KiB, 1 thread", "### Hit in files of 64 KiB, 2 threads");
    }

    @Test
    void fileLock_oneRound_getsEachLock() throws Exception {
        assertThat(Printed.by(() -> FileLocks.run(Throughput.Sizes.SMALLEST)))
                .contains("### A file lock taken and given back, 1 thread", "FileLockProvider.tryAcquire, close");
    }
}
