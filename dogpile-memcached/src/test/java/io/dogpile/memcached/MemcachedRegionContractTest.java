package io.dogpile.memcached;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.testing.RegionContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What every region does. */
class MemcachedRegionContractTest extends RegionContract {
    private static MemcachedServer server;
    private static MemcachedBackend backend;

    @BeforeAll
    static void start() {
        server = MemcachedServer.start();
        backend = MemcachedBackend.builder()
                .servers(server.address())
                .timeout(MemcachedServer.TIMEOUT)
                .build();
    }

    @AfterAll
    static void stop() {
        backend.close();
        server.close();
    }

    @Override
    protected Backend backend() {
        return backend;
    }
}
