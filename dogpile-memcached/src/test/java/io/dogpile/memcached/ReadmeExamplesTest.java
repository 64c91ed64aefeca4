package io.dogpile.memcached;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
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
    void samples_areThoseOfReadme() throws IOException {
        assertEquals(
                ReadmeSamples.shown("dogpile-memcached"),
                ReadmeSamples.tested(ReadmeExamplesTest.class).stream()
                        .map(block -> block.replace("(here)", "(\"cache1.example:11211\", \"cache2.example:11211\")"))
                        .toList());
    }

    @Test
    void region() {
        String[] here = {server.address()};
        // readme
        MemcachedBackend memcached =
                MemcachedBackend.builder().servers(here).build(); // or of(client): your own spymemcached
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

    @Test
    void lock() {
        try (MemcachedBackend memcached =
                MemcachedBackend.builder().servers(server.address()).build()) {
            // readme
            LockProvider locks = memcached.locks(); // or MemcachedLockProvider.of(client)
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
