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

/** What every backend holds, on the master that sentinels name. */
@Tag("D-087")
class RedisSentinelContractTest extends BackendContract {
    private static RedisSentinels sentinels;

    private final List<AutoCloseable> made = new ArrayList<>();

    @BeforeAll
    static void start() {
        sentinels = RedisSentinels.start();
    }

    @AfterAll
    static void stop() {
        sentinels.close();
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : made) {
            one.close();
        }
    }

    @Override
    protected Backend backend() {
        RedisBackend backend = Backends.on(sentinels).scripts(TurnedClock::edit).build();
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
        return new TurnedClock(sentinels.master());
    }

    @Override
    protected void letPass(TimeSource clock, Duration howLong) {
        ((TurnedClock) clock).pass(howLong);
    }

    /** The server's time is known here with the error of half a round trip, and a scheduler may pause either side. */
    @Override
    protected Duration precision() {
        return Duration.ofMillis(100);
    }
}
