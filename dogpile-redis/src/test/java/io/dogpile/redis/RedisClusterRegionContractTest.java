package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.testing.RegionContract;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** What every region does, on a cluster of three. */
@Tag("D-089")
class RedisClusterRegionContractTest extends RegionContract {
    private static RedisCluster cluster;

    private final TurnedClock clock = new TurnedClock(cluster);
    private final RedisBackend backend =
            Backends.on(cluster).scripts(TurnedClock::edit).build();

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void close() {
        backend.close();
    }

    @Override
    protected Backend backend() {
        return backend;
    }

    @Override
    protected TimeSource time() {
        return clock;
    }

    @Override
    protected void pass(Duration time) {
        clock.pass(time);
    }
}
