package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.SoakContract;
import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import redis.clients.jedis.RedisClient;

/** On two nodes of one Redis: whatever happens, nothing is left that does not end by itself. */
class RedisSoakTest extends SoakContract {
    private static final String GENERATION = "dogpile:soak~generation";
    /** So that the pool is full at once: one with room goes on to grow for minutes, a connection at a time. */
    private static final int FEWER_THAN_CALLERS = 4;

    /** A time-out is no failure of a full machine. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration RIGHT = Duration.ofSeconds(1);

    private RedisServer server;
    private RedisBackend first;
    private RedisBackend second;

    @BeforeEach
    void startServer() {
        server = RedisServer.start();
    }

    @AfterEach
    void endServer() {
        server.close();
    }

    @Override
    protected List<Node> open() {
        first = backend();
        second = backend();
        return List.of(region -> on(first, region), region -> on(second, region));
    }

    private RegionBuilder<String, String> on(RedisBackend redis, RegionBuilder<String, String> region) {
        return region.backend(over(redis))
                .serializer(Serializer.string())
                .lease(RIGHT) // as long as both together a record may stay that nobody reads any more
                .maxCreation(RIGHT);
    }

    /** What the regions of a node have for a backend. */
    protected Backend over(RedisBackend redis) {
        return redis;
    }

    private RedisBackend backend() {
        return RedisBackend.builder()
                .server("127.0.0.1", server.port())
                .timeout(PATIENCE)
                .pool(FEWER_THAN_CALLERS, PATIENCE)
                .build();
    }

    @Override
    protected void close() {
        first.close();
        second.close();
    }

    @Override
    protected Map<String, LongSupplier> counts() {
        return Map.of("connections", () -> Long.parseLong(server.info("clients", "connected_clients")));
    }

    @Override
    protected Map<String, LongSupplier> bytes() {
        return Map.of("Redis memory", () -> Long.parseLong(server.info("memory", "used_memory")));
    }

    /** Everything but the region's generation has ended. A record ends seconds after its value if a right was refused. */
    @Override
    protected String unsettled() {
        if (!isLong() || (long) server.command("DBSIZE") <= 1) {
            return "";
        }
        Object key = server.command("RANDOMKEY");
        return server.command("DBSIZE") + " keys, such as " + key
                + (GENERATION.equals(key)
                        ? ""
                        : ", which ends in " + server.command("PTTL", "" + key) + " ms: "
                                + server.command("HGETALL", "" + key));
    }

    @Override
    protected void assertAtRest() {
        assertThat(server.command("PUBSUB", "CHANNELS").toString()).contains("dogpile:");
    }

    @Override
    protected void assertNothingLeft() {
        Await.until(
                () -> "only the connection that asks is left of " + server.command("CLIENT", "LIST"),
                () -> server.info("clients", "connected_clients").equals("1"));
        assertThat(server.command("PUBSUB", "CHANNELS")).isEqualTo(List.of());
        try (RedisClient client = server.client()) {
            assertThat(client.keys("*").stream().filter(key -> client.pttl(key) == -1))
                    .containsExactly(GENERATION);
        }
    }
}
