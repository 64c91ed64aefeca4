package io.dogpile.cache;

import static io.dogpile.cache.backend.Invalidation.SOFT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.ByteBackend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.NullBackend;
import io.dogpile.cache.backend.ProxyBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.SerializingBackend;
import io.dogpile.cache.backend.TieredBackend;
import io.dogpile.cache.file.FileBackend;
import io.dogpile.cache.file.FileLockProvider;
import io.dogpile.cache.file.FileReadWriteLock;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.DogpileLock;
import io.dogpile.core.ReadmeSamples;
import io.dogpile.core.RecordingLocks;
import io.dogpile.core.Stamped;
import io.dogpile.core.SyncReaderDogpile;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The samples that README.md shows of this module, run. */
class ReadmeExamplesTest {
    record User(long id, String name) {}

    /** What the samples ask; counts how often. */
    static class Repository implements Users {
        final AtomicInteger loads = new AtomicInteger();

        User load(long id) {
            return new User(id, "user " + loads.incrementAndGet());
        }

        @Override
        public User find(long id) {
            return load(id);
        }

        Map<Long, User> loadAll(Set<Long> ids) {
            int load = loads.incrementAndGet();
            return ids.stream()
                    .filter(id -> id > 0)
                    .collect(Collectors.toMap(id -> id, id -> new User(id, "user " + load), (a, b) -> a, TreeMap::new));
        }

        CompletableFuture<User> fetch(long id) {
            return CompletableFuture.completedFuture(load(id));
        }
    }

    // readme
    interface Users {
        @Cached(region = "users")
        User find(long id);
    }
    // end

    private final Repository repository = new Repository();
    private final Executor pool = Runnable::run;
    private final Region<Long, User> users = Region.<Long, User>builder("users").build();

    @Test
    void readme_showsWhatIsTestedHere() throws IOException {
        List<String> shown = new ArrayList<>(ReadmeSamples.shown("dogpile-cache"));
        List<String> tested = new ArrayList<>(ReadmeSamples.tested(ReadmeExamplesTest.class));
        shown.sort(null);
        tested.sort(null);
        assertEquals(String.join("\n~\n", tested), String.join("\n~\n", shown));
        assertTrue(shown.size() > 10, () -> shown.size() + " samples");
    }

    @Nested
    class OneKey {
        // readme
        private final Region<Long, User> users = Region.<Long, User>builder("users")
                .staleAfter(Duration.ofMinutes(1)) // then one caller loads, the others take the old one
                .expireAfter(Duration.ofHours(1)) // then nobody takes the old one
                .build();

        User user(long id) {
            return users.getOrCreate(id, repository::load);
        }
        // end

        @Test
        void isLoadedOnce() {
            assertEquals(user(42), user(42));
            assertEquals(1, repository.loads.get());
        }
    }

    @Test
    void lookedAt_put_refreshed_andForgotten() {
        users.put(42L, new User(42, "put"));
        // readme
        Optional<User> fresh = users.get(42L); // never creates, never waits
        Optional<CachedValue<User>> any = users.peek(42L); // also a stale one; with its age and what it cost
        User newer = users.refresh(42L, repository::load); // others keep the old one until then
        users.put(43L, newer);
        users.invalidate(42L);
        users.invalidateAll(SOFT); // all are stale now: taken until somebody has created anew; HARD: all are gone
        // end
        assertEquals("put", fresh.orElseThrow().name());
        assertFalse(any.orElseThrow().stale());
        assertEquals("user 1", newer.name());
        assertEquals(Optional.empty(), users.peek(42L));
        assertTrue(users.peek(43L).orElseThrow().stale());
    }

    @Test
    void bulk_asksOnceForWhatIsMissing() {
        users.put(1L, new User(1, "put"));
        List<Long> ids = List.of(3L, 1L, -2L);
        // readme
        Map<Long, User> some = users.getOrCreateAll(ids, missing -> repository.loadAll(missing));
        // end
        assertEquals(List.of(3L, 1L), List.copyOf(some.keySet()));
        assertEquals(1, repository.loads.get());
    }

    @Test
    void views_haveOtherWishes() {
        users.put(42L, new User(42, "put"));
        // readme
        Region<Long, User> strict =
                users.with(o -> o.staleAfter(Duration.ofSeconds(1)).neverStale());
        Region<Long, User> lenient = users.with(RegionBuilder::ignoreExpiry);
        // end
        assertEquals("put", strict.getOrCreate(42L, repository::load).name());
        users.invalidateAll(SOFT);
        assertEquals("put", lenient.getOrCreate(42L, repository::load).name());
    }

    @Test
    void policies() {
        // readme
        Region<Long, User> users = Region.<Long, User>builder("users")
                .staleAfter(Duration.ofMinutes(1))
                .expireAfter(Duration.ofHours(1))
                .jitter(0.1) // cuts up to a tenth off each life, so that what came together does not go together
                .refreshOn(pool) // what is stale is created there, so that no caller waits
                .earlyRefresh(1.0) // and what is costly a little before it is stale, by chance (XFetch)
                .cacheNullFor(Duration.ofSeconds(5)) // absence is worth less
                .cacheIf(user -> !user.name().isEmpty()) // others are handed to those who wait, and not stored
                .hardTimeout(Duration.ofSeconds(10)) // the longest wait for another's creation
                .build();
        // end
        User empty = users.getOrCreate(1L, id -> new User(id, ""));
        assertEquals("", empty.name());
        assertEquals(Optional.empty(), users.peek(1L));
    }

    @Test
    void functions() {
        // readme
        CachedFunction<Long, User> find = users.cached(repository::load);
        User user = find.apply(42L);
        find.invalidate(42L); // also peek, put, refresh, original, key

        var byName = users.cached("by name", (String first, String last) -> loadByName(first, last));
        User ada = byName.apply("Ada", "Lovelace");

        CachedBulkFunction<Long, User> findAll = users.cachedAll(repository::loadAll);
        Map<Long, User> all = findAll.apply(List.of(42L, 43L));
        // end
        assertEquals(Set.of(42L, 43L), all.keySet());
        users.invalidate(42L);
        assertEquals("user 1", user.name());
        assertEquals(ada, byName.apply("Ada", "Lovelace"));
        assertEquals(Optional.empty(), users.peek(42L));
    }

    private User loadByName(String first, String last) {
        return new User(repository.loads.incrementAndGet(), first + ' ' + last);
    }

    @Test
    void annotations() {
        // readme
        Users cached = CachedProxies.wrap(Users.class, repository, Regions.of(users));
        User user = cached.find(42);
        CachedProxies.invalidator(cached).find(42); // forgets what cached.find(42) would read
        // end
        assertNotEquals(user, cached.find(42));
        assertEquals(2, repository.loads.get());
    }

    @Test
    void async() {
        Executor executor = Runnable::run;
        // readme
        CompletableFuture<User> user = users.async(executor).getOrCreate(42L, id -> repository.fetch(id));
        // end
        assertEquals("user 1", user.join().name());
    }

    @Test
    void memory() {
        // readme
        Region<String, byte[]> thumbnails = Region.<String, byte[]>builder("thumbnails")
                .backend(MemoryBackend.ofWeight(64 << 20, (key, value) -> ((byte[]) value).length))
                .build();
        Region<String, List<String>> tags = Region.<String, List<String>>builder("tags")
                .serializer(Serializer.jdk(List.class, filter)) // kept as bytes: each reader has a copy of its own
                .build();
        // end
        assertEquals(3, thumbnails.getOrCreate("a", key -> new byte[3]).length);
        List<String> made = new ArrayList<>(List.of("x"));
        tags.put("a", made);
        made.add("y");
        assertEquals(List.of("x"), tags.get("a").orElseThrow());
    }

    private final java.io.ObjectInputFilter filter =
            java.io.ObjectInputFilter.Config.createFilter("java.util.ArrayList;java.lang.Object;!*");

    private final Map<String, ByteBackend.Entry> disk = new ConcurrentHashMap<>();

    // readme
    class Store implements ByteBackend { // any store of bytes; what it does not say has a default
        @Override
        public byte @Nullable [] get(String key) {
            Entry entry = disk.get(key);
            return entry == null ? null : entry.bytes();
        }

        @Override
        public void set(String key, Entry entry) {
            disk.put(key, entry);
        }

        @Override
        public void delete(String key) {
            disk.remove(key);
        }
    }

    class Deletions extends ProxyBackend { // beside onDelete: onRead, onWrite
        Deletions(Backend proxied) {
            super(proxied);
        }

        @Override
        protected void onDelete(String region, @Nullable Object key, Invalidation how) {
            deleted.add(region + " " + key);
        }
    }
    // end

    private final List<String> deleted = new ArrayList<>();

    @Test
    void backends() {
        // readme
        Region<Long, User> users = Region.<Long, User>builder("users")
                .backend(TieredBackend.of(
                        MemoryBackend.create(), // copies, for 5 s at most
                        SerializingBackend.of(new Store()),
                        Duration.ofSeconds(5)))
                .serializer(Serializer.json(User.class))
                .wrap(Deletions::new)
                .build();
        // end
        assertEquals("user 1", users.getOrCreate(42L, repository::load).name());
        assertEquals("user 1", users.getOrCreate(42L, repository::load).name());
        assertFalse(disk.isEmpty());
        users.invalidate(42L);
        assertEquals(List.of("users 42"), deleted);
    }

    @Test
    void noBackend_stillCreatesOneAtATime() {
        // readme
        Region<Long, User> users = Region.<Long, User>builder("users")
                .backend(NullBackend.create()) // keeps nothing; those who ask at once still share one creation
                .build();
        // end
        users.getOrCreate(42L, repository::load);
        users.getOrCreate(42L, repository::load);
        assertEquals(2, repository.loads.get());
    }

    @Test
    void locks() {
        RecordingLocks provider = new RecordingLocks();
        // readme
        Region<Long, User> users = Region.<Long, User>builder("users")
                .lock(provider, Duration.ofSeconds(30)) // one creation among all JVMs that share it
                .build();
        // end
        assertEquals("user 1", users.getOrCreate(42L, repository::load).name());
        assertEquals(1, provider.asked.get());
    }

    @TempDir
    Path directory;

    @Test
    void files() {
        // readme
        try (FileBackend files = FileBackend.builder(directory) // or in(directory)
                        .maxTotalBytes(1L << 30) // kept by a sweep, each minute; without a limit by default
                        .build();
                Region<Long, User> users = Region.<Long, User>builder("users")
                        .backend(files)
                        .serializer(Serializer.json(User.class))
                        .staleAfter(Duration.ofMinutes(1))
                        .expireAfter(Duration.ofHours(1))
                        .build()) {
            User user = users.getOrCreate(42L, id -> repository.load(id));
        }
        // end
        assertEquals(1, repository.loads.get());
        assertTrue(Files.isDirectory(directory.resolve("region-users")));
    }

    record Report(String text) {}

    private Optional<Stamped<Report>> saved = Optional.empty();

    private Optional<Stamped<Report>> load() {
        return saved;
    }

    private Stamped<Report> save(Report report) {
        saved = Optional.of(new Stamped<>(report, Instant.now()));
        return saved.orElseThrow();
    }

    @Test
    void filesAsLocks() {
        // readme
        try (FileLockProvider locks = FileLockProvider.in(directory)) {
            DogpileLock<Report> lock = DogpileLock.<Report>builder()
                    .staleAfter(Duration.ofHours(1))
                    .lock(locks, Duration.ofSeconds(30))
                    .build();
            Report report = lock.acquireStamped("sales", () -> save(buildReport()), () -> load())
                    .value();
        }
        // end
        assertEquals("sales", saved.orElseThrow().value().text());
        assertTrue(Files.exists(directory.resolve("locks-00")));
    }

    private Report buildReport() {
        return new Report("sales");
    }

    private final List<String> read = new ArrayList<>();

    private Path prepare() {
        return Path.of("prepared");
    }

    private Path swapIn(Path prepared) {
        return Path.of("index");
    }

    private void read(Path path) {
        read.add(path.toString());
    }

    @Test
    void filesAsReadWriteLocks() {
        // readme
        try (FileReadWriteLock lock = FileReadWriteLock.in(directory, "index")) {
            SyncReaderDogpile<Path> index = SyncReaderDogpile.of(Duration.ofHours(1), lock);
            try (var reading = index.acquire(sync -> {
                Path prepared = prepare();
                return sync.write(() -> swapIn(prepared)); // no process reads meanwhile
            })) {
                read(reading.value());
            }
        }
        // end
        assertEquals(List.of("index"), read);
    }

    @Test
    void seeing() {
        DogpileListener listener = DogpileListener.NONE;
        var meters = new SimpleMeterRegistry();
        // readme
        Region<Long, User> users = Region.<Long, User>builder("users")
                .recordStats()
                .listener(listener)
                .build();
        long misses = users.stats().misses();
        RegionMetrics.of(users).bindTo(meters); // Micrometer, if you have it
        // end
        assertEquals(0, misses);
        assertFalse(meters.getMeters().isEmpty());
    }

    @Test
    void settings() {
        Properties properties = new Properties();
        properties.setProperty("cache.users.staleAfter", "1m");
        properties.setProperty("cache.users.hardTimeout", "1.5");
        properties.setProperty("cache.orders.staleAfter", "soon");
        // readme
        Region<Long, User> users = Region.<Long, User>builder("users")
                .from(properties, "cache.users.") // cache.users.staleAfter = 1m, cache.users.hardTimeout = 1.5, ...
                .build();
        // end
        assertEquals("user 1", users.getOrCreate(42L, repository::load).name());
        var refused = assertThrows(
                IllegalArgumentException.class,
                () -> Region.<Long, User>builder("orders").from(properties, "cache.orders."));
        assertTrue(refused.getMessage().contains("cache.orders.staleAfter = 'soon'"), refused.getMessage());
    }
}
