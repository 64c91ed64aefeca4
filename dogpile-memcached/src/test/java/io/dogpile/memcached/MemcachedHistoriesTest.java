package io.dogpile.memcached;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.histories.Fault;
import io.dogpile.cache.histories.Histories;
import io.dogpile.cache.histories.Invariant;
import io.dogpile.cache.histories.LiveHistory;
import io.dogpile.cache.histories.Terms;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * What several JVMs see of a memcached server while holders are killed and stopped, and the server restarted and emptied. By
 * default a short form of it; the profile {@code histories} runs for minutes, and {@link MemcachedLongHistories} with it.
 */
class MemcachedHistoriesTest {
    private static final Duration LEASE = Duration.ofSeconds(3);

    /**
     * What is promised of memcached, by its javadoc: a server that forgets rights and tombstones forbids nothing to those who
     * create at that time, and one that was restarted numbers anew.
     */
    static Terms.Builder terms() {
        return Terms.withLease(LEASE)
                .excuse(Invariant.NO_WAY_BACK, Fault.RESTART_EMPTY)
                .excuse(Invariant.FORGOTTEN_STAYS_FORGOTTEN, Fault.RESTART_EMPTY, Fault.FLUSH, Fault.EVICTION)
                .excuse(Invariant.ONE_RIGHT, Fault.PAUSE, Fault.RESTART_EMPTY, Fault.FLUSH, Fault.EVICTION)
                .excuse(Invariant.TAKEN_OVER, Fault.RESTART_EMPTY)
                .excuse(Invariant.STALE_IS_SERVED, Fault.RESTART_EMPTY, Fault.FLUSH, Fault.EVICTION)
                .excuse(
                        Invariant.ONE_CREATION,
                        Fault.KILL,
                        Fault.PAUSE,
                        Fault.RESTART_EMPTY,
                        Fault.FLUSH,
                        Fault.EVICTION);
    }

    static LiveHistory.Plan plan(String name, MemcachedServer server) {
        return new LiveHistory.Plan(name, MemcachedNodeMain.class, number -> server.address(), 3, 4, LEASE);
    }

    @Test
    void killsPausesFlushesAndRestarts_breakNoPromise() {
        try (MemcachedServer server = MemcachedServer.start();
                LiveHistory history = new LiveHistory(plan("memcached", server), terms().build(), Histories.seed())) {
            history.withKills()
                    .withPauses()
                    .with(Fault.RESTART_EMPTY, -1, Duration.ofMillis(100), server::kill, server::restart)
                    .with(Fault.FLUSH, -1, Duration.ZERO, () -> server.text("flush_all"), () -> {});
            System.out.println(history.run(Histories.time()));
            assertThat(history.checked()).containsKeys(Invariant.values());
        }
    }
}
