package io.dogpile.cache;

import static io.dogpile.cache.backend.Invalidation.HARD;
import static io.dogpile.cache.backend.Invalidation.SOFT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.NullBackend;
import io.dogpile.cache.backend.ProxyBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.file.FileBackend;
import io.dogpile.cache.file.FileLockProvider;
import io.dogpile.cache.file.FileReadWriteLock;
import io.dogpile.core.CreationException;
import io.dogpile.core.Dogpile;
import io.dogpile.core.DogpileException;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Guide;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.NameRegistry;
import io.dogpile.core.RecordingLocks;
import io.dogpile.core.Slot;
import io.dogpile.core.Stamped;
import io.dogpile.core.SyncReaderDogpile;
import io.dogpile.core.WhenDown;
import io.dogpile.core.testing.FakeTime;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.StringReader;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The samples of the guide that need no server, run. {@code GuideTest} of dogpile-core compares them with the pages. */
class GuideSamplesTest {
    record User(long id, String name) {
        static final User UNKNOWN = new User(0, "unknown");
    }

    record Report(String text) {}

    /** What the samples ask; counts how often, and how many at once. */
    static class Repository implements Users {
        final AtomicInteger loads = new AtomicInteger();
        final AtomicInteger now = new AtomicInteger();
        final AtomicInteger mostAtOnce = new AtomicInteger();
        volatile RuntimeException failure;

        User load(long id) {
            mostAtOnce.accumulateAndGet(now.incrementAndGet(), Math::max);
            try {
                if (failure != null) {
                    throw failure;
                }
                return id < 0 ? null : new User(id, "user " + loads.incrementAndGet());
            } finally {
                now.decrementAndGet();
            }
        }

        void save(User user) {
            loads.incrementAndGet();
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

    // guide getting-started.md#6-a-method-instead-of-a-key
    interface Users {
        @Cached(region = "users")
        User find(long id);
    }
    // end

    private final Repository repository = new Repository();
    private final Region<Long, User> users =
            Region.<Long, User>builder("users").recordStats().build();
    private final ExecutorService pool = Executors.newFixedThreadPool(4);
    private final FakeTime time = new FakeTime();

    @TempDir
    Path directory;

    @AfterEach
    void end() throws InterruptedException {
        pool.shutdownNow();
        assertTrue(pool.awaitTermination(10, TimeUnit.SECONDS));
    }

    /** Lets what was handed to the executor come to its end. */
    private static void drain(ExecutorService executor) throws InterruptedException {
        executor.shutdown();
        assertTrue(executor.awaitTermination(10, TimeUnit.SECONDS));
    }

    @Nested
    class GettingStarted {
        // guide getting-started.md#2-a-region
        private final Region<Long, User> users = Region.<Long, User>builder("users")
                .staleAfter(Duration.ofMinutes(1)) // then one caller loads, the others take the old one
                .expireAfter(Duration.ofHours(1)) // then nobody takes the old one
                .recordStats()
                .build();
        // end

        // guide getting-started.md#3-ask-it
        User user(long id) {
            return users.getOrCreate(id, repository::load);
        }
        // end

        @Test
        void fiftyCallers_areOneCreation() throws Exception {
            // guide getting-started.md#4-see-that-one-creates
            ExecutorService fifty = Executors.newFixedThreadPool(50);
            List<Future<User>> answers = fifty.invokeAll(Collections.nCopies(50, () -> user(42)));
            fifty.shutdown();
            System.out.println(users.stats());
            // end
            assertEquals(1, users.stats().creations());
            for (Future<User> answer : answers) {
                assertEquals("user 1", answer.get().name());
            }
            assertEquals(50, users.stats().hits() + users.stats().misses());
        }

        @Test
        void whatChanged_isForgotten() {
            user(42);
            users.put(43L, User.UNKNOWN);
            // guide getting-started.md#5-forget-it
            users.invalidate(42L); // nobody is given the old one any more
            users.invalidate(43L, SOFT); // one caller loads, the others take the old one until then
            // end
            assertTrue(users.peek(42L).isEmpty());
            assertTrue(users.peek(43L).orElseThrow().stale());
            assertEquals("user 2", user(42).name());
        }

        @Test
        void functionAndProxy_areCached() {
            // guide getting-started.md#6-a-method-instead-of-a-key
            CachedFunction<Long, User> find = users.cached(repository::load);
            User ada = find.apply(42L);

            Users cached = CachedProxies.wrap(Users.class, repository, Regions.of(users));
            User same = cached.find(42);
            // end
            assertEquals("user 1", ada.name());
            assertEquals("user 2", same.name()); // entries of its own
            assertSame(ada, user(42));
            assertSame(same, cached.find(42));
        }
    }

    @Nested
    class Backends {
        @Test
        void memory() {
            // guide choosing-a-backend.md#memory
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .backend(MemoryBackend.ofEntries(100_000))
                    .build();
            Region<String, byte[]> images = Region.<String, byte[]>builder("images")
                    .backend(MemoryBackend.ofWeight(64 << 20, (key, value) -> ((byte[]) value).length))
                    .build();
            // end
            assertEquals("user 1", users.getOrCreate(1L, repository::load).name());
            assertEquals(3, images.getOrCreate("a", key -> new byte[3]).length);
        }

        @Test
        void memoryUnderALockOfAll() {
            RecordingLocks locks = new RecordingLocks();
            // guide choosing-a-backend.md#memory-under-a-lock-of-all
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .lock(locks, Duration.ofSeconds(5)) // such as redis.locks()
                    .build();
            // end
            assertEquals("user 1", users.getOrCreate(1L, repository::load).name());
            assertEquals(1, locks.granted.get());
        }

        @Test
        void files() {
            // guide choosing-a-backend.md#files
            FileBackend files =
                    FileBackend.builder(directory).maxTotalBytes(1L << 30).build();
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .backend(files)
                    .serializer(Serializer.json(User.class))
                    .build();
            // end
            User user = users.getOrCreate(42L, repository::load);
            users.close();
            try (Region<Long, User> again = Region.<Long, User>builder("users")
                    .backend(files)
                    .serializer(Serializer.json(User.class))
                    .build()) {
                assertEquals(user, again.getOrCreate(42L, repository::load));
            }
            files.close();
        }

        @Test
        void nothing() throws Exception {
            // guide choosing-a-backend.md#nothing
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .backend(NullBackend.create())
                    .build();
            // end
            users.getOrCreate(42L, repository::load);
            users.getOrCreate(42L, repository::load);
            assertEquals(2, repository.loads.get());
        }
    }

    @Nested
    class OptionsOfText {
        private List<Properties> shown() throws IOException {
            List<Properties> shown = new ArrayList<>();
            for (Path page : Guide.pages()) {
                for (Guide.Block block : Guide.blocks(page)) {
                    if (block.language().equals("properties")) {
                        Properties properties = new Properties();
                        properties.load(new StringReader(block.text()));
                        shown.add(properties);
                    }
                }
            }
            return shown;
        }

        /** What is shown of settings is taken as it stands, and what can be set is shown. */
        @Test
        void everyPropertiesSample_isAccepted_andTheyShowEverySetting() throws IOException {
            Set<String> named = new TreeSet<>();
            for (Properties properties : shown()) {
                assertTrue(properties.stringPropertyNames().stream().allMatch(key -> key.startsWith("cache.users.")));
                // guide options.md#options-as-text
                Region<Long, User> users = Region.<Long, User>builder("users")
                        .from(properties, "cache.users.")
                        .refreshOn(pool)
                        .build();
                // end
                assertEquals("users", users.name());
                properties.stringPropertyNames().forEach(key -> named.add(key.substring("cache.users.".length())));
            }
            String refusal = assertThrows(
                            IllegalArgumentException.class,
                            () -> Region.builder("users").from(Map.of("none", ""), ""))
                    .getMessage();
            assertEquals(refusal.substring(refusal.indexOf("known are ") + 10), String.join(", ", named));
        }

        @Test
        void views() {
            users.put(42L, new User(42, "put"));
            // guide options.md#options-of-a-view
            Region<Long, User> strict =
                    users.with(o -> o.staleAfter(Duration.ofSeconds(1)).neverStale());
            Region<Long, User> patient = users.with(o -> o.hardTimeout(Duration.ofSeconds(30)));
            // end
            assertEquals("put", strict.getOrCreate(42L, repository::load).name());
            users.invalidate(42L, SOFT);
            assertEquals("user 1", strict.getOrCreate(42L, repository::load).name());
            assertEquals("user 1", patient.getOrCreate(42L, repository::load).name());
        }
    }

    @Nested
    class Recipes {
        private final Map<String, Stamped<Report>> store = new ConcurrentHashMap<>();

        private Stamped<Report> save(String name, Report report) {
            Stamped<Report> stamped = new Stamped<>(report, Instant.now());
            store.put(name, stamped);
            return stamped;
        }

        private Optional<Stamped<Report>> load(String name) {
            return Optional.ofNullable(store.get(name));
        }

        private Report buildReport(String name) {
            return new Report(name + " " + repository.loads.incrementAndGet());
        }

        @Test
        void fileLock() {
            // guide recipes.md#a-file-or-distributed-lock
            FileLockProvider locks = FileLockProvider.in(directory); // all processes that share the directory
            // end
            try (locks) {
                NameRegistry<Dogpile<Report>> dogpiles = NameRegistry.of(name -> Dogpile.<Report>builder()
                        .staleAfter(Duration.ofHours(1))
                        .lock(locks, name, Duration.ofSeconds(5))
                        .build());
                Report report = dogpiles.get("sales")
                        .acquireStamped(() -> save("sales", buildReport("sales")), () -> load("sales"))
                        .value();
                assertEquals("sales 1", report.text());
            }
            assertTrue(Files.exists(directory.resolve("locks-00")));
        }

        @Test
        void readersOfSeveralProcesses() {
            // guide recipes.md#the-write-phase-against-readers
            FileReadWriteLock lock = FileReadWriteLock.in(directory, "index");
            SyncReaderDogpile<Path> file = SyncReaderDogpile.of(Duration.ofHours(1), lock);
            // end
            try (lock;
                    var reading = file.acquire(sync -> sync.write(() -> directory))) {
                assertEquals(directory, reading.value());
                assertFalse(lock.writeLock().tryLock());
            }
        }

        @Test
        void async() throws Exception {
            Executor executor = pool;
            // guide recipes.md#async
            AsyncRegion<Long, User> async = users.async(executor);
            CompletableFuture<User> user =
                    async.getOrCreate(42L, id -> repository.fetch(id)); // nobody waits on a thread
            CompletableFuture<String> name = user.thenApply(User::name);
            // end
            assertEquals("user 1", name.get(10, TimeUnit.SECONDS));
            assertEquals(user.join(), users.getOrCreate(42L, repository::load));
        }

        @Test
        void bulk() {
            users.put(1L, new User(1, "put"));
            // guide recipes.md#bulk
            Map<Long, User> some = users.getOrCreateAll(
                    List.of(1L, 2L, 3L),
                    missing -> repository.loadAll(missing)); // one call, for those that are missing
            // end
            assertEquals(List.of(1L, 2L, 3L), List.copyOf(some.keySet()));
            assertEquals("put", some.get(1L).name());
            assertEquals(1, repository.loads.get());
            assertFalse(users.getOrCreateAll(List.of(-1L), repository::loadAll).containsKey(-1L));
        }

        @Test
        void earlyRefresh() {
            // guide recipes.md#early-refresh
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .staleAfter(Duration.ofMinutes(1))
                    .expireAfter(Duration.ofHours(1))
                    .earlyRefresh(1.0) // the sooner the dearer the value is
                    .refreshOn(pool) // and no caller waits for it
                    .jitter(0.1) // what was created together does not end together
                    .build();
            // end
            assertEquals("user 1", users.getOrCreate(42L, repository::load).name());

            Region<Long, User> dear = Region.<Long, User>builder("dear")
                    .staleAfter(Duration.ofMinutes(1))
                    .earlyRefresh(1.0)
                    .refreshOn(Runnable::run)
                    .clock(time)
                    .seed(1)
                    .recordStats()
                    .build();
            dear.getOrCreate(42L, id -> {
                time.advance(Duration.ofSeconds(2));
                return repository.load(id);
            });
            for (int i = 0; i < 590; i++) {
                time.advance(Duration.ofMillis(100));
                dear.getOrCreate(42L, repository::load);
            }
            assertEquals(1, dear.stats().earlyRefreshes());
            assertEquals(0, dear.stats().staleServed());
        }

        @Test
        void limitedByAnExecutor() throws Exception {
            List<Long> ids = LongStream.range(0, 20).boxed().toList();
            // guide recipes.md#limiting-concurrent-creations
            ThreadPoolExecutor two = new ThreadPoolExecutor(
                    2, 2, 1, TimeUnit.MINUTES, new ArrayBlockingQueue<>(1_000)); // two at once, a thousand in line
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .staleAfter(Duration.ofMinutes(1))
                    .refreshOn(two) // what is stale is created there; what has no room is created later
                    .recordStats()
                    .build();
            // end
            // guide recipes.md#limiting-concurrent-creations
            AsyncRegion<Long, User> limited = users.async(two); // what is absent, too
            CompletableFuture<User> user = limited.getOrCreate(42L, id -> repository.fetch(id));
            // end
            List<CompletableFuture<User>> cold = ids.stream()
                    .map(id -> limited.getOrCreate(id, key -> repository.fetch(key)))
                    .toList();
            for (CompletableFuture<User> each : cold) {
                assertEquals("user", each.get(10, TimeUnit.SECONDS).name().substring(0, 4));
            }
            assertEquals("user", user.get(10, TimeUnit.SECONDS).name().substring(0, 4));
            users.invalidateAll(SOFT);
            ids.forEach(id ->
                    assertEquals(id, users.getOrCreate(id, repository::load).id()));
            drain(two);
            assertEquals(41, users.stats().creations());
            assertTrue(repository.mostAtOnce.get() <= 2, () -> repository.mostAtOnce + " at once");
        }

        @Test
        void absence() {
            // guide recipes.md#absence
            Region<Long, Optional<User>> users = Region.<Long, Optional<User>>builder("users")
                    .staleAfter(Duration.ofMinutes(10))
                    .expireAfter(Duration.ofHours(1))
                    .expireAfter((Optional<User> user) -> user.isPresent() ? null : Duration.ofSeconds(5))
                    .clock(time)
                    .build();
            Optional<User> nobody = users.getOrCreate(-1L, id -> Optional.ofNullable(repository.load(id)));
            // end
            assertEquals(Optional.empty(), nobody);
            time.advance(Duration.ofSeconds(6));
            assertTrue(users.get(-1L).isEmpty());
        }

        @Test
        void nulls() {
            // guide recipes.md#absence
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .cacheNullFor(Duration.ofSeconds(5)) // a null is a value; this one does not live long
                    .clock(time)
                    .build();
            // end
            assertNull(users.getOrCreate(-1L, repository::load));
            assertNull(users.getOrCreate(-1L, id -> User.UNKNOWN));
            time.advance(Duration.ofSeconds(6));
            assertEquals(User.UNKNOWN, users.getOrCreate(-1L, id -> User.UNKNOWN));
        }

        @Test
        void whatChanged() {
            User changed = new User(42, "changed");
            users.put(42L, new User(42, "old"));
            // guide recipes.md#what-has-changed
            repository.save(changed); // first the origin,
            users.invalidate(changed.id()); // then the copy: a creation that runs now is not stored
            // end
            assertTrue(users.peek(42L).isEmpty());
        }

        @Test
        void deployment() {
            users.put(42L, new User(42, "old"));
            // guide recipes.md#what-has-changed
            users.invalidateAll(SOFT); // stale: one caller for each key creates anew, nobody waits
            // end
            assertTrue(users.peek(42L).orElseThrow().stale());
            users.invalidateAll(HARD);
            assertTrue(users.peek(42L).isEmpty());
        }
    }

    @Nested
    class Failures {
        private User userOrUnknown(Region<Long, User> users, long id) {
            // guide failures.md#what-callers-are-thrown
            try {
                return users.getOrCreate(id, repository::load);
            } catch (HardTimeoutException late) {
                return User.UNKNOWN; // another is still creating; it goes on, and its value will be there
            } catch (CreationException failed) {
                Duration pause = failed.retryAfter().orElse(Duration.ZERO); // zero: it was tried, and failed
                throw new IllegalStateException("no users; try again in " + pause, failed);
            }
            // end
        }

        @Test
        void whoMeetsABackOff_isToldForHowLong() {
            Region<Long, User> users =
                    Region.<Long, User>builder("users").clock(time).build();
            repository.failure = new IllegalArgumentException("expected");
            assertSame(repository.failure, assertThrows(RuntimeException.class, () -> userOrUnknown(users, 1)));
            assertSame(repository.failure, assertThrows(RuntimeException.class, () -> userOrUnknown(users, 1)));
            RuntimeException backingOff = assertThrows(RuntimeException.class, () -> userOrUnknown(users, 1));
            assertEquals("no users; try again in PT0.1S", backingOff.getMessage());
        }

        @Test
        void whoWaitedTooLong_hasAFallback() throws Exception {
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .hardTimeout(Duration.ofMillis(50))
                    .recordStats()
                    .build();
            var creating = new CountDownLatch(1);
            var go = new CountDownLatch(1);
            Future<User> creator = pool.submit((Callable<User>) () -> users.getOrCreate(1L, id -> {
                creating.countDown();
                assertTrue(go.await(10, TimeUnit.SECONDS));
                return repository.load(id);
            }));
            assertTrue(creating.await(10, TimeUnit.SECONDS));
            assertEquals(User.UNKNOWN, userOrUnknown(users, 1));
            go.countDown();
            assertEquals("user 1", creator.get(10, TimeUnit.SECONDS).name());
            assertEquals("user 1", userOrUnknown(users, 1).name());
            assertEquals(1, users.stats().waits(DogpileListener.WaitOutcome.TIMEOUT));
        }

        @Test
        void metrics() {
            var registry = new SimpleMeterRegistry();
            // guide failures.md#in-the-metrics
            Region<Long, User> users =
                    Region.<Long, User>builder("users").recordStats().build();
            RegionMetrics.of(users).bindTo(registry); // Micrometer's MeterRegistry, if you have it
            long lost = users.stats().leasesLost(); // or ask yourself
            // end
            assertEquals(0, lost);
            assertFalse(registry.getMeters().isEmpty());
        }

        /** What the page says of meters, and what is bound, is the same; so with the counters behind them. */
        @Test
        void everyMeter_isTold() {
            var registry = new SimpleMeterRegistry();
            RegionMetrics.of(users).bindTo(registry);
            Set<String> bound = registry.getMeters().stream()
                    .map(meter -> meter.getId().getName()
                            + meter.getId().getTags().stream()
                                    .filter(tag -> !tag.getKey().equals("region"))
                                    .map(tag -> "{" + tag.getKey() + "=" + tag.getValue() + "}")
                                    .collect(Collectors.joining()))
                    .collect(Collectors.toCollection(TreeSet::new));
            List<List<String>> rows = Guide.table("failures.md#in-the-metrics");
            Set<String> told = rows.stream()
                    .flatMap(row -> Guide.code(row.get(0)).stream())
                    .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(bound, told);
            Set<String> counters = Stream.of(RegionStats.class.getDeclaredMethods())
                    .filter(method -> Modifier.isPublic(method.getModifiers()))
                    .filter(method -> method.getReturnType() != void.class
                            && !method.getName().equals("toString"))
                    .map(Method::getName)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(
                    counters,
                    rows.stream()
                            .flatMap(row -> Guide.code(row.get(1)).stream())
                            .map(counter -> counter.replaceAll("\\(.*", ""))
                            .collect(Collectors.toCollection(TreeSet::new)));
        }

        private final List<String> alarms = new ArrayList<>();

        private void alarm(String what) {
            alarms.add(what);
        }

        @Test
        void listener() {
            // guide failures.md#told-at-once
            DogpileListener watch = new DogpileListener() {
                @Override
                public void leaseLost(Object key) {
                    alarm("the right to create " + key + " was lost");
                }

                @Override
                public void storeDown(Object key, Throwable failure) {
                    alarm("the backend does not answer: " + failure.getMessage());
                }
            };
            Region<Long, User> users =
                    Region.<Long, User>builder("users").listener(watch).build();
            // end
            users.getOrCreate(42L, repository::load);
            watch.leaseLost(42L);
            watch.storeDown(42L, new IOException("no route"));
            assertEquals(List.of("the right to create 42 was lost", "the backend does not answer: no route"), alarms);
        }

        @Test
        void whenDown() {
            RecordingLocks locks = new RecordingLocks();
            locks.askingFails = new IllegalStateException("no route");
            // guide failures.md#the-backend-does-not-answer
            Region<Long, User> rather = Region.<Long, User>builder("rather")
                    .lock(locks, Duration.ofSeconds(5))
                    .whenDown(WhenDown.CREATE) // the default: one creation at a time in each JVM
                    .build();
            Region<Long, User> never = Region.<Long, User>builder("never")
                    .lock(locks, Duration.ofSeconds(5))
                    .whenDown(WhenDown.FAIL) // where the origin would not bear it
                    .build();
            // end
            assertEquals("user 1", rather.getOrCreate(42L, repository::load).name());
            assertThrows(DogpileException.class, () -> never.getOrCreate(42L, repository::load));
        }
    }

    @Nested
    class Leases {
        @Test
        void areSetWithTheLongestCreation() {
            // guide lease.md#where-it-is-set
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .lease(Duration.ofSeconds(15)) // longer than the longest pause of a JVM
                    .maxCreation(Duration.ofMinutes(5)) // longer than the longest creation
                    .hardTimeout(Duration.ofSeconds(10)) // as long as a caller can wait
                    .build();
            // end
            assertEquals("user 1", users.getOrCreate(42L, repository::load).name());
            String refused = assertThrows(
                            IllegalArgumentException.class,
                            () -> Region.builder("users")
                                    .lease(Duration.ofMinutes(2))
                                    .build())
                    .getMessage();
            assertEquals("region 'users': leaseTime (PT2M) must not be longer than maxCreation (PT1M)", refused);
            assertTrue(String.join(" ", Guide.lines(Guide.page("lease.md"))).contains(refused), "the page quotes it");
        }
    }

    @Nested
    class FromDogpileCache {
        private final List<String> written = new ArrayList<>();

        @Test
        void configuring() {
            Properties properties = new Properties();
            properties.setProperty("cache.users.staleAfter", "3600");
            // guide moving-from-dogpile-cache.md#a-region
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .staleAfter(Duration.ofHours(1)) // expiration_time=3600
                    .build();
            Region<Long, User> configured = Region.<Long, User>builder("users")
                    .from(properties, "cache.users.") // configure_from_config
                    .build();
            // end
            assertEquals("user 1", users.getOrCreate(42L, repository::load).name());
            assertEquals("user 2", configured.getOrCreate(42L, repository::load).name());
        }

        @Test
        void decorating() throws Exception {
            // guide moving-from-dogpile-cache.md#a-decorated-function
            CachedFunction<Long, User> loadUser = users.cached("load_user", (Long id) -> repository.load(id));

            User user = loadUser.apply(42L);
            loadUser.invalidate(42L);
            loadUser.put(42L, user); // .set(value, 42)
            Optional<User> there = loadUser.get(42L); // .get(42), without creating
            User newer = loadUser.refresh(42L);
            User always = loadUser.original().create(42L); // .original(42), past the cache
            // end
            assertEquals(user, there.orElseThrow());
            assertEquals("user 2", newer.name());
            assertEquals("user 3", always.name());
            assertEquals(newer, loadUser.apply(42L));
        }

        @Test
        void gettingAndCreating() {
            // guide moving-from-dogpile-cache.md#get_or_create
            User user = users.getOrCreate(42L, id -> repository.load(id));
            Map<Long, User> several = users.getOrCreateAll(List.of(1L, 2L), missing -> repository.loadAll(missing));
            Optional<User> there = users.get(42L);
            // end
            assertEquals(user, there.orElseThrow());
            assertEquals(Set.of(1L, 2L), several.keySet());
            assertEquals(2, repository.loads.get());
        }

        @Test
        void lifeOfACall() {
            users.put(42L, new User(42, "put"));
            // guide moving-from-dogpile-cache.md#a-life-for-one-call
            Region<Long, User> fresher = users.with(o -> o.staleAfter(Duration.ofSeconds(10)));
            Region<Long, User> whatever = users.with(RegionBuilder::ignoreExpiry); // ignore_expiration=True
            // end
            assertEquals("put", fresher.get(42L).orElseThrow().name());
            users.invalidateAll(SOFT);
            assertEquals("put", whatever.get(42L).orElseThrow().name());
            assertTrue(fresher.get(42L).isEmpty());
        }

        @Test
        void invalidating() {
            users.put(42L, new User(42, "put"));
            // guide moving-from-dogpile-cache.md#invalidation
            users.invalidateAll(HARD); // region.invalidate()
            users.invalidateAll(SOFT); // region.invalidate(hard=False)
            // end
            assertTrue(users.peek(42L).isEmpty());
        }

        @Test
        void runner() throws Exception {
            // guide moving-from-dogpile-cache.md#an-async-creation-runner
            Region<Long, User> users = Region.<Long, User>builder("users")
                    .staleAfter(Duration.ofHours(1))
                    .refreshOn(pool) // gives the right back by itself, whatever happens
                    .recordStats()
                    .build();
            // end
            User old = users.getOrCreate(42L, repository::load);
            users.invalidate(42L, SOFT);
            assertEquals(old, users.getOrCreate(42L, repository::load));
            drain(pool);
            assertEquals(2, users.stats().creations());
        }

        // guide moving-from-dogpile-cache.md#a-proxy
        class Logging extends ProxyBackend {
            Logging(Backend proxied) {
                super(proxied);
            }

            @Override
            protected <V> Slot.Draft<V> onWrite(String region, Object key, Slot.Draft<V> draft) {
                written.add(region + " " + key); // sees every write, of one key or of many
                return draft;
            }
        }
        // end

        @Test
        void proxy() {
            // guide moving-from-dogpile-cache.md#a-proxy
            Region<Long, User> users =
                    Region.<Long, User>builder("users").wrap(Logging::new).build();
            // end
            users.getOrCreate(42L, repository::load);
            users.getOrCreateAll(List.of(43L), repository::loadAll);
            users.put(44L, User.UNKNOWN);
            assertEquals(List.of("users 42", "users 43", "users 44"), written);
        }
    }

    @Nested
    class Questions {
        @Test
        void warming() {
            List<Long> popular = List.of(1L, 2L);
            // guide faq.md#how-do-i-warm-a-region
            users.getOrCreateAll(popular, missing -> repository.loadAll(missing));
            // end
            assertEquals(1, repository.loads.get());
            assertEquals(Set.of(1L, 2L), users.getAll(popular).keySet());
        }

        @Test
        void tenants() {
            // guide faq.md#how-do-i-tell-tenants-apart
            record TenantKey(String tenant, long id) {}
            Region<TenantKey, User> users =
                    Region.<TenantKey, User>builder("users").build();
            User user = users.getOrCreate(new TenantKey("acme", 42), key -> repository.load(key.id()));
            // end
            assertEquals(user, users.get(new TenantKey("acme", 42)).orElseThrow());
            assertTrue(users.get(new TenantKey("other", 42)).isEmpty());
        }
    }
}
