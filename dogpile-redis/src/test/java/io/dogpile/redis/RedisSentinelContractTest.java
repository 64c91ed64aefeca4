package io.dogpile.redis;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** What every backend holds, on the master that sentinels name. */
@Tag("D-087")
class RedisSentinelContractTest extends OnRedisContract {
    private static RedisSentinels sentinels;

    @BeforeAll
    static void start() {
        sentinels = RedisSentinels.start();
    }

    @AfterAll
    static void stop() {
        sentinels.close();
    }

    @Override
    RedisBackend.Builder builder() {
        return Backends.on(sentinels);
    }

    @Override
    TurnedClock turnedClock() {
        return new TurnedClock(sentinels.master());
    }
}
