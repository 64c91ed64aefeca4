package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.histories.Fault;
import io.dogpile.cache.histories.Histories;
import io.dogpile.cache.histories.Invariant;
import io.dogpile.cache.histories.LiveHistory;
import io.dogpile.cache.histories.Terms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/**
 * What several JVMs see of a Redis server while holders are killed and stopped, networks cut, and the server restarted and
 * emptied. By default a short form of it; the profile {@code histories} runs for minutes, and
 * {@link RedisLongHistories} with it.
 */
class RedisHistoriesTest {
    private static final int NODES = 4;
    static final Duration LEASE = Duration.ofSeconds(1);
    /** What is promised of Redis, by its javadoc: rights may be lost; a late write is refused whatever happened. */
    static Terms terms() {
        return Terms.withLease(LEASE)
                .excuse(Invariant.NO_WAY_BACK, Fault.FAILOVER)
                .excuse(Invariant.FORGOTTEN_STAYS_FORGOTTEN, Fault.FAILOVER)
                .excuse(
                        Invariant.ONE_RIGHT,
                        Fault.PAUSE,
                        Fault.RESTART_EMPTY,
                        Fault.RESTART_PERSISTED,
                        Fault.FLUSH,
                        Fault.FAILOVER,
                        Fault.CUT,
                        Fault.EVICTION)
                .excuse(Invariant.TAKEN_OVER, Fault.RESTART_EMPTY, Fault.RESTART_PERSISTED, Fault.FAILOVER, Fault.CUT)
                .excuse(
                        Invariant.STALE_IS_SERVED,
                        Fault.RESTART_EMPTY,
                        Fault.RESTART_PERSISTED,
                        Fault.FLUSH,
                        Fault.FAILOVER,
                        Fault.CUT,
                        Fault.EVICTION)
                .excuse(
                        Invariant.ONE_CREATION,
                        Fault.KILL,
                        Fault.PAUSE,
                        Fault.RESTART_EMPTY,
                        Fault.RESTART_PERSISTED,
                        Fault.FLUSH,
                        Fault.FAILOVER,
                        Fault.CUT,
                        Fault.EVICTION)
                .build();
    }

    static LiveHistory.Plan plan(String name, IntFunction<String> stores) {
        return new LiveHistory.Plan(name, RedisNodeMain.class, stores, NODES, 4, LEASE);
    }

    @Test
    void killsPausesCutsFlushesAndRestartsThatForgetAll_breakNoPromise() {
        List<Proxy> proxies = new ArrayList<>();
        try (RedisServer server = RedisServer.start()) {
            List<String> stores = new ArrayList<>();
            for (int node = 0; node < NODES; node++) {
                Proxy proxy = Proxy.before(server);
                proxies.add(proxy);
                stores.add(Integer.toString(proxy.hostAndPort().getPort()));
            }
            try (LiveHistory history =
                    new LiveHistory(plan("redis", stores::get).withClocksApart(), terms(), Histories.seed())) {
                history.withKills()
                        .withPauses()
                        .with(Fault.RESTART_EMPTY, -1, Duration.ofMillis(100), server::kill, server::restart)
                        .with(Fault.FLUSH, -1, Duration.ZERO, () -> server.command("FLUSHALL"), () -> {})
                        .with(Fault.CUT, 1, LEASE.multipliedBy(2), proxies.get(1)::blackHole, proxies.get(1)::heal)
                        .with(Fault.CUT, 2, LEASE.dividedBy(2), proxies.get(2)::dropReplies, proxies.get(2)::heal);
                System.out.println(history.run(Histories.time()));
                assertThat(history.checked()).containsKeys(Invariant.values());
            }
        } finally {
            proxies.forEach(Proxy::close);
        }
    }
}
