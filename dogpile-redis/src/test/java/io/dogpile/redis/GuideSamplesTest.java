package io.dogpile.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.TieredBackend;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.Dogpile;
import io.dogpile.core.Guide;
import io.dogpile.core.LockProvider;
import io.dogpile.core.OptionsTable;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The samples of the guide that need Redis, run. {@code GuideTest} of dogpile-core compares them with the pages. */
class GuideSamplesTest {
    /** A value. */
    public record User(long id, String name) {}

    private record Report(String text) {}

    private static final class Repository {
        final AtomicInteger loads = new AtomicInteger();

        User load(long id) {
            return new User(id, "user " + loads.incrementAndGet());
        }
    }

    private static RedisServer server;

    private final Repository repository = new Repository();
    private final Executor executor = Runnable::run;
    private final String url = "redis://127.0.0.1:" + server.port() + "/0";

    @BeforeAll
    static void start() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void empty() {
        server.command("FLUSHALL");
    }

    @Test
    void firstSteps() {
        // guide getting-started.md#7-the-same-for-all-jvms
        RedisBackend redis = RedisBackend.builder().url(url).build(); // redis://cache.example:6379/0
        Region<Long, User> users = Region.<Long, User>builder("users")
                .backend(redis)
                .serializer(Serializer.json(User.class))
                .staleAfter(Duration.ofMinutes(1))
                .expireAfter(Duration.ofHours(1))
                .build();
        // end
        try (redis;
                Region<Long, User> another = Region.<Long, User>builder("users")
                        .backend(redis)
                        .serializer(Serializer.json(User.class))
                        .build()) {
            User user = users.getOrCreate(42L, repository::load);
            assertEquals(user, another.getOrCreate(42L, repository::load));
            assertEquals(1, repository.loads.get());
            users.close();
        }
    }

    @Test
    void region() {
        // guide recipes.md#redis
        RedisBackend redis = RedisBackend.builder()
                .url(url)
                .pool(64, Duration.ofSeconds(1)) // as many as callers that miss at once
                .build();
        Region<Long, User> users = Region.<Long, User>builder("users")
                .backend(redis)
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
        redis.close();
    }

    @Test
    void twoTiers() throws Exception {
        try (RedisBackend redis = backend();
                RedisBackend elsewhere = backend();
                Region<Long, User> other = Region.<Long, User>builder("users")
                        .backend(elsewhere)
                        .serializer(Serializer.json(User.class))
                        .build()) {
            // guide recipes.md#two-tiers
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .backend(TieredBackend.of(
                            MemoryBackend.ofEntries(10_000), // copies,
                            redis,
                            Duration.ofSeconds(30))) // used for so long at most; a change elsewhere drops them at once
                    .serializer(Serializer.json(User.class))
                    .build();
            // end
            assertEquals("user 1", users.getOrCreate(42L, repository::load).name());
            other.put(42L, new User(42, "changed elsewhere"));
            Await.until(
                    "the copy is dropped",
                    () -> users.getOrCreate(42L, repository::load).name().equals("changed elsewhere"));
            users.close();
        }
    }

    @Test
    void lockOfAll() {
        try (RedisBackend redis = backend()) {
            // guide recipes.md#a-file-or-distributed-lock
            LockProvider locks = redis.locks(); // or RedisLockProvider.of(client), or memcached.locks()
            // end
            Dogpile<Report> dogpile = Dogpile.<Report>builder()
                    .lock(locks, "sales", Duration.ofSeconds(5))
                    .build();
            assertEquals("sales", dogpile.get(() -> new Report("sales")).text());
        }
    }

    private static RedisBackend backend() {
        return RedisBackend.builder().server("127.0.0.1", server.port()).build();
    }

    /** What the log may say of the server, and what the guide says of it. */
    @Test
    void everyCondition_isTold() {
        assertEquals(
                Stream.of(Health.Condition.values())
                        .map(condition -> condition.name().toLowerCase(Locale.ROOT))
                        .sorted()
                        .toList(),
                Guide.table("failures.md#what-redis-can-be").stream()
                        .map(row -> Guide.code(row.get(0)).get(0))
                        .sorted()
                        .toList());
    }

    @Test
    void everyOption_isTold_withItsDefault() throws Exception {
        RedisBackend.Builder builder = RedisBackend.builder();
        OptionsTable table = OptionsTable.under("redis");
        table.checkNames(RedisBackend.Builder.class);
        table.checkDefault("prefix", RedisBackend.DEFAULT_PREFIX);
        table.checkDefault("pushMax", OptionsTable.bytes((Integer) OptionsTable.field(builder, "pushMax")));
        assertEquals(RedisNode.Reads.BOUNDED, OptionsTable.field(builder, "reads"));
        table.checkDefault("strictInvalidation", "off");
        Object connecting = OptionsTable.field(builder, "connecting");
        table.checkDefault("server", connecting.toString());
        table.checkDefault(
                "timeout", OptionsTable.time((Duration) OptionsTable.constant(Connecting.class, "DEFAULT_TIMEOUT")));
        table.checkDefault(
                "pool",
                OptionsTable.constant(Connecting.class, "DEFAULT_CONNECTIONS") + ", "
                        + OptionsTable.time((Duration) OptionsTable.field(connecting, "poolWait")));
        for (String none : List.of("password", "sentinelPassword", "database", "tls", "client")) {
            assertNull(OptionsTable.field(connecting, none), none);
        }
        for (String none : List.of("credentials", "sentinelCredentials", "client", "url", "sentinels", "cluster")) {
            table.checkDefault(none, "none");
        }
        table.checkDefault("database", "0");
        table.checkDefault("tls", "off");
    }
}
