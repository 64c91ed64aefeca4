package io.dogpile.memcached;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.testing.BackendContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** What every backend holds. Lives are judged by a clock that is turned; the server's own time is only a ceiling to them. */
class MemcachedBackendContractTest extends BackendContract {
    private static MemcachedServer server;

    private final List<MemcachedBackend> made = new ArrayList<>();

    @BeforeAll
    static void start() {
        server = MemcachedServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void closeAll() {
        made.forEach(MemcachedBackend::close);
    }

    @Override
    protected Backend backend() {
        MemcachedBackend backend = MemcachedBackend.builder()
                .servers(addresses())
                .timeout(MemcachedServer.TIMEOUT)
                .build();
        made.add(backend);
        return backend;
    }

    String[] addresses() {
        return new String[] {server.address()};
    }

    @Override
    protected Backend restarted(Backend first) {
        return backend();
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.PERSISTENT, Trait.EXCLUSIVE, Trait.TELLS);
    }
}
