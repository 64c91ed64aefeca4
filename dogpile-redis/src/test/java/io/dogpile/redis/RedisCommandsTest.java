package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What each call costs one server. */
class RedisCommandsTest extends CommandsContract {
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
    List<RedisServer> servers() {
        return List.of(server);
    }

    @Override
    RedisBackend.Builder backend() {
        return Backends.on(server);
    }

    @Override
    RedisServer owner(String key) {
        return server;
    }

    @Test
    @Tag("D-076")
    void manyKeys_areReadWrittenAndCreatedInOneRoundTripEach() {
        Duration roundTrip = Duration.ofMillis(100);
        Map<String, String> values = new LinkedHashMap<>();
        for (int key = 0; key < 50; key++) {
            values.put("together" + key, "value" + key);
        }
        try (Proxy proxy = Proxy.before(server);
                RedisBackend slow = RedisBackend.builder()
                        .server("127.0.0.1", proxy.hostAndPort().getPort())
                        .build();
                Region<String, String> region = Region.<String, String>builder("together")
                        .backend(slow)
                        .serializer(Serializer.string())
                        .build()) {
            region.get("clocks are known");
            proxy.delay(roundTrip);
            long begun = System.nanoTime();
            region.putAll(values);
            assertThat(region.getAll(values.keySet())).isEqualTo(values);
            region.invalidateAll(values.keySet());
            assertThat(region.getOrCreateAll(values.keySet(), keys -> values)).isEqualTo(values);
            // A write, a read, an invalidation, a read, a claim, a publication: 6, and slack; one by one they were 300.
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(roundTrip.multipliedBy(30));
        }
    }
}
