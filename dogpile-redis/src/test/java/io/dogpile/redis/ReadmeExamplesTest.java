package io.dogpile.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.TieredBackend;
import io.dogpile.core.DogpileLock;
import io.dogpile.core.LockProvider;
import io.dogpile.core.ReadmeSamples;
import io.dogpile.core.Stamped;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The samples that README.md shows of this module, run. */
class ReadmeExamplesTest {
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

    @BeforeAll
    static void start() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void samples_areThoseOfReadme() throws IOException {
        assertEquals(
                ReadmeSamples.shown("dogpile-redis"),
                ReadmeSamples.tested(ReadmeExamplesTest.class).stream()
                        .map(block -> block.replace("here)", "\"redis://cache.example:6379/0\")"))
                        .toList());
    }

    @Test
    void region() {
        String here = "redis://127.0.0.1:" + server.port() + "/0";
        // readme
        RedisBackend redis = RedisBackend.builder().url(here).build(); // or of(client): your own Jedis
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
    void nearCopies() {
        try (RedisBackend redis = RedisBackend.builder()
                .server("127.0.0.1", server.port())
                .prefix("near:")
                .build()) {
            // readme
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .backend(TieredBackend.of(MemoryBackend.create(), redis, Duration.ofSeconds(30)))
                    .serializer(Serializer.json(User.class))
                    .build();
            // end
            User user = users.getOrCreate(42L, id -> repository.load(id));
            assertEquals(user, users.getOrCreate(42L, id -> repository.load(id)));
            users.close();
        }
    }

    @Test
    void lock() {
        try (RedisBackend redis =
                RedisBackend.builder().server("127.0.0.1", server.port()).build()) {
            // readme
            LockProvider locks = redis.locks(); // or RedisLockProvider.of(client)
            DogpileLock<Report> lock = DogpileLock.<Report>builder()
                    .staleAfter(Duration.ofHours(1))
                    .lock(locks, Duration.ofSeconds(30))
                    .build();
            // end
            Report report = lock.acquireStamped(
                            "sales", () -> new Stamped<>(new Report("sales"), Instant.now()), Optional::empty)
                    .value();
            assertEquals("sales", report.text());
        }
    }
}
