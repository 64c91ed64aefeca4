package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.testing.RegionContract;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** What every region does, on one server. */
class RedisRegionContractTest extends RegionContract {
    private static RedisServer server;

    private final TurnedClock clock = new TurnedClock(server);
    private final RedisBackend backend = RedisBackend.builder()
            .server("127.0.0.1", server.port())
            .scripts(TurnedClock::edit)
            .build();

    @BeforeAll
    static void start() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
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
