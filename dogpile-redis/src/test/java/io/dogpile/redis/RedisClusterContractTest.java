package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.BackendContract;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** What every backend holds, on a cluster of three. */
@Tag("D-089")
@Tag("D-090")
class RedisClusterContractTest extends BackendContract {
    private static RedisCluster cluster;

    private final List<AutoCloseable> made = new ArrayList<>();

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : made) {
            one.close();
        }
    }

    @Override
    protected Backend backend() {
        RedisBackend backend = Backends.on(cluster).scripts(TurnedClock::edit).build();
        made.add(backend);
        return backend;
    }

    @Override
    protected Backend restarted(Backend first) {
        return backend();
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.PERSISTENT, Trait.EXCLUSIVE);
    }

    @Override
    protected TimeSource clock() {
        return new TurnedClock(cluster);
    }

    @Override
    protected void letPass(TimeSource clock, Duration howLong) {
        ((TurnedClock) clock).pass(howLong);
    }

    /** The time of a node is known here with the error of half a round trip, and a scheduler may pause either side. */
    @Override
    protected Duration precision() {
        return Duration.ofMillis(100);
    }
}
