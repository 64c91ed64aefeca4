package io.dogpile.redis;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** What every backend holds, on a cluster of three. */
@Tag("D-089")
@Tag("D-090")
class RedisClusterContractTest extends OnRedisContract {
    private static RedisCluster cluster;

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Override
    RedisBackend.Builder builder() {
        return Backends.on(cluster);
    }

    @Override
    TurnedClock turnedClock() {
        return new TurnedClock(cluster);
    }
}
