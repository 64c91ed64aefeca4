package io.dogpile.redis;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What every backend holds, on one server. */
class RedisBackendContractTest extends OnRedisContract {
    private static RedisServer server;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    RedisBackend.Builder builder() {
        return Backends.on(server);
    }

    @Override
    TurnedClock turnedClock() {
        return new TurnedClock(server);
    }
}
