package io.dogpile.memcached;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dogpile.cache.SoakContract;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.cache.servers.ServerKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * On two nodes of one memcached, whose own memory is bounded by its {@code -m}. What an embedded server cannot tell (its
 * connections, what has no end) is not asked there.
 */
class MemcachedSoakTest extends SoakContract {
    /** Where the load alone makes a call wait for a second, that is no failure. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private MemcachedServer server;
    private MemcachedBackend first;
    private MemcachedBackend second;

    @BeforeEach
    void startServer() {
        server = MemcachedServer.start();
    }

    @AfterEach
    void endServer() {
        server.close();
    }

    @Override
    protected List<Node> open() {
        first = backend();
        second = backend();
        return List.of(
                region -> region.backend(first).serializer(Serializer.string()),
                region -> region.backend(second).serializer(Serializer.string()));
    }

    private MemcachedBackend backend() {
        return MemcachedBackend.builder()
                .servers(server.address())
                .timeout(PATIENCE)
                .build();
    }

    @Override
    protected void close() {
        first.close();
        second.close();
    }

    private static boolean isEmbedded() {
        return MemcachedServer.kindOfThisMachine() == ServerKind.EMBEDDED;
    }

    private long connections() {
        return server.stat("curr_connections");
    }

    @Override
    protected Map<String, LongSupplier> counts() {
        return isEmbedded() ? Map.of() : Map.of("connections", this::connections);
    }

    @Override
    protected void assertNothingLeft() {
        if (isEmbedded()) {
            return;
        }
        try (MemcachedServer another = MemcachedServer.start()) {
            Await.until(
                    () -> "as many connections as to a server that nobody uses, were " + connections(),
                    () -> connections() == another.stat("curr_connections"));
        }
        // The marks of the region's generation, as documented.
        assertEquals(Set.of("dogpile:soak~hard", "dogpile:soak~soft"), Set.copyOf(server.keysForEver()));
    }
}
