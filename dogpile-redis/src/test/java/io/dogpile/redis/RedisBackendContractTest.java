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

/** What every backend holds, on one server. */
class RedisBackendContractTest extends BackendContract {
    private static RedisServer server;

    private final List<AutoCloseable> made = new ArrayList<>();

    @BeforeAll
    static void start() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : made) {
            one.close();
        }
    }

    @Override
    protected Backend backend() {
        RedisBackend backend = configured(RedisBackend.builder())
                .server("127.0.0.1", server.port())
                .scripts(TurnedClock::edit)
                .build();
        made.add(backend);
        return backend;
    }

    RedisBackend.Builder configured(RedisBackend.Builder builder) {
        return builder;
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
        return new TurnedClock(server);
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
