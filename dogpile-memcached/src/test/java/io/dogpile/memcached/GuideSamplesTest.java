package io.dogpile.memcached;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.Guide;
import io.dogpile.core.OptionsTable;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The samples of the guide that need memcached, run. {@code GuideTest} of dogpile-core compares them with the pages. */
class GuideSamplesTest {
    /** A value. */
    public record User(long id, String name) {}

    private static final class Repository {
        final AtomicInteger loads = new AtomicInteger();

        User load(long id) {
            return new User(id, "user " + loads.incrementAndGet());
        }
    }

    private static MemcachedServer server;

    private final Repository repository = new Repository();
    private final Executor executor = Runnable::run;

    @BeforeAll
    static void start() {
        server = MemcachedServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void region() {
        String[] servers = {server.address()};
        // guide recipes.md#memcached
        MemcachedBackend memcached = MemcachedBackend.builder()
                .servers(servers) // "cache1.example:11211", "cache2.example:11211"
                .build();
        Region<Long, User> users = Region.<Long, User>builder("users")
                .backend(memcached)
                .serializer(Serializer.json(User.class))
                .staleAfter(Duration.ofMinutes(1))
                .expireAfter(Duration.ofHours(1))
                .refreshOn(executor)
                .build();
        User user = users.getOrCreate(42L, id -> repository.load(id));
        // end
        assertEquals(user, users.getOrCreate(42L, id -> repository.load(id)));
        assertEquals(1, repository.loads.get());
        users.close();
        memcached.close();
    }

    /** What the log may say of the servers, and what the guide says of it. */
    @Test
    void everyCondition_isTold() {
        assertEquals(
                Stream.of(MemcachedException.Condition.values())
                        .map(condition -> condition.name().toLowerCase(Locale.ROOT))
                        .sorted()
                        .toList(),
                Guide.table("failures.md#what-memcached-can-be").stream()
                        .map(row -> Guide.code(row.get(0)).get(0))
                        .sorted()
                        .toList());
    }

    @Test
    void everyOption_isTold_withItsDefault() throws Exception {
        MemcachedBackend.Builder builder = MemcachedBackend.builder();
        OptionsTable table = OptionsTable.under("memcached");
        table.checkNames(MemcachedBackend.Builder.class);
        table.checkDefault("prefix", MemcachedBackend.DEFAULT_PREFIX);
        table.checkDefault("maxItemBytes", OptionsTable.bytes((Integer) OptionsTable.field(builder, "maxItemBytes")));
        table.checkDefault("timeout", OptionsTable.time(Connecting.DEFAULT_TIMEOUT));
        table.checkDefault("servers", OptionsTable.constant(Connecting.class, "DEFAULT_SERVER"));
        Object connecting = OptionsTable.field(builder, "connecting");
        assertNull(OptionsTable.field(connecting, "client"));
        assertNull(OptionsTable.field(connecting, "password"));
        table.checkDefault("client", "none");
        table.checkDefault("credentials", "none");
    }
}
