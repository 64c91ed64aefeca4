package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.testing.BackendContract;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;

/** What every backend holds, on servers whose clocks can be turned: a subclass says which. */
abstract class OnRedisContract extends BackendContract {
    private final List<AutoCloseable> made = new ArrayList<>();

    abstract RedisBackend.Builder builder();

    abstract TurnedClock turnedClock();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : made) {
            one.close();
        }
    }

    @Override
    protected final Backend backend() {
        RedisBackend backend = builder().scripts(TurnedClock::edit).build();
        made.add(backend);
        return backend;
    }

    @Override
    protected final Backend restarted(Backend first) {
        return backend();
    }

    @Override
    protected final Set<Trait> traits() {
        return Set.of(Trait.PERSISTENT, Trait.EXCLUSIVE, Trait.TELLS);
    }

    @Override
    protected final TimeSource clock() {
        return turnedClock();
    }

    @Override
    protected final void letPass(TimeSource clock, Duration howLong) {
        ((TurnedClock) clock).pass(howLong);
    }

    /** A server's time is known here with the error of half a round trip, and a scheduler may pause either side. */
    @Override
    protected final Duration precision() {
        return Duration.ofMillis(100);
    }
}
