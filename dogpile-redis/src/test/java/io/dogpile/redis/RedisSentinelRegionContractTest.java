package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.testing.RegionContract;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** What every region does, on the master that sentinels name. */
@Tag("D-087")
class RedisSentinelRegionContractTest extends RegionContract {
    private static RedisSentinels sentinels;

    private final TurnedClock clock = new TurnedClock(sentinels.master());
    private final RedisBackend backend =
            Backends.on(sentinels).scripts(TurnedClock::edit).build();

    @BeforeAll
    static void start() {
        sentinels = RedisSentinels.start();
    }

    @AfterAll
    static void stop() {
        sentinels.close();
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
