package io.dogpile.core;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.Held;
import io.dogpile.core.testing.LockProviderContract;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The samples of the guide that need the lock alone, run. {@link GuideTest} compares them with the pages. */
class GuideSamplesTest {
    private record Report(String text) {}

    private final FakeTime time = new FakeTime();
    private final Crew crew = new Crew();
    private final AtomicInteger builds = new AtomicInteger();

    @AfterEach
    void dismiss() {
        crew.close();
    }

    private Report buildReport() {
        return new Report("report " + builds.incrementAndGet());
    }

    private Report buildReport(String name) {
        return new Report(name + " " + builds.incrementAndGet());
    }

    @Nested
    class AResource {
        private final List<String> searched = Collections.synchronizedList(new ArrayList<>());

        private String buildIndex() {
            return "index " + builds.incrementAndGet();
        }

        // guide recipes.md#a-resource
        private final Dogpile<Void> dogpile = Dogpile.of(Duration.ofHours(1));
        private volatile String index;

        List<String> search(String words) {
            dogpile.ensure(() -> index = buildIndex()); // returns when there is an index
            return searchIn(index, words);
        }
        // end

        private List<String> searchIn(String where, String words) {
            searched.add(where);
            return List.of(words);
        }

        @Test
        void isBuiltByOne_beforeAnybodyUsesIt() throws Exception {
            Crew.results(crew.start(10, () -> search("words")));
            assertEquals(1, builds.get());
            assertEquals(Set.of("index 1"), Set.copyOf(searched));
        }

        @Test
        void whileItIsBuiltAnew_theOldOneIsUsed() throws Exception {
            Dogpile<Void> hourly = Dogpile.<Void>builder()
                    .staleAfter(Duration.ofHours(1))
                    .options(o -> o.clock(time))
                    .build();
            hourly.ensure(() -> index = buildIndex());
            time.advance(Duration.ofHours(2));
            Held<Object> held = new Held<>("unused");
            Future<Object> creator = crew.start(() -> {
                hourly.ensure(() -> {
                    try {
                        held.create();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                    index = buildIndex();
                });
                return index;
            });
            held.awaitBegun();
            hourly.ensure(() -> index = buildIndex());
            assertEquals("index 1", index);
            held.letGo();
            assertEquals("index 2", Crew.result(creator));
        }
    }

    @Nested
    class AValue {
        private final Map<String, Report> cache = new ConcurrentHashMap<>();

        // guide recipes.md#a-value-with-a-getter
        private final Dogpile<Report> dogpile = Dogpile.of(Duration.ofHours(1));

        Report report() {
            return dogpile.acquire(
                            () -> {
                                Report report = buildReport();
                                cache.put("report", report);
                                return report;
                            },
                            () -> Optional.ofNullable(cache.get("report")))
                    .value();
        }
        // end

        @Test
        void isCreatedAgain_whereTheCacheDroppedIt() {
            assertEquals("report 1", report().text());
            assertEquals("report 1", report().text());
            cache.clear();
            assertEquals("report 2", report().text());
        }
    }

    @Nested
    class ADecorator {
        private final Map<String, Stamped<?>> cache = new ConcurrentHashMap<>();

        // guide recipes.md#a-decorator
        <V> Function<String, V> cached(Duration staleAfter, Function<String, V> function) {
            NameRegistry<Dogpile<V>> dogpiles = NameRegistry.of(key -> Dogpile.of(staleAfter));
            return key -> dogpiles.get(key)
                    .acquireStamped(
                            () -> {
                                Stamped<V> made = new Stamped<>(function.apply(key), Instant.now());
                                save(key, made);
                                return made;
                            },
                            () -> load(key))
                    .value();
        }
        // end

        private void save(String key, Stamped<?> made) {
            cache.put(key, made);
        }

        @SuppressWarnings("unchecked")
        private <V> Optional<Stamped<V>> load(String key) {
            return Optional.ofNullable((Stamped<V>) cache.get(key));
        }

        @Test
        void decorated_isCalledOnceForEachKey() throws Exception {
            // guide recipes.md#a-decorator
            Function<String, Report> report = cached(Duration.ofHours(1), name -> buildReport(name));

            Report sales = report.apply("sales"); // built
            Report again = report.apply("sales"); // taken
            // end
            assertEquals(sales, again);
            assertEquals(1, builds.get());
            Crew.results(crew.start(10, () -> report.apply("stock")));
            assertEquals(2, builds.get());
        }
    }

    @Nested
    class ManyKeys {
        private final Map<String, Stamped<Report>> store = new ConcurrentHashMap<>();

        private Stamped<Report> save(String name, Report report) {
            Stamped<Report> stamped = new Stamped<>(report, Instant.now());
            store.put(name, stamped);
            return stamped;
        }

        private Optional<Stamped<Report>> load(String name) {
            return Optional.ofNullable(store.get(name));
        }

        // guide recipes.md#many-keys
        private final NameRegistry<Dogpile<Report>> dogpiles = NameRegistry.of(name -> Dogpile.of(Duration.ofHours(1)));

        Report report(String name) {
            return dogpiles.get(name)
                    .acquireStamped(() -> save(name, buildReport(name)), () -> load(name))
                    .value();
        }
        // end

        @Test
        void dogpileThatWasDropped_costsNothing() {
            assertEquals("sales 1", report("sales").text());
            System.gc();
            assertEquals("sales 1", report("sales").text());
            assertEquals("stock 2", report("stock").text());
        }

        @Test
        void oneLock_doesTheSame() {
            // guide recipes.md#many-keys
            DogpileLock<Report> lock = DogpileLock.<Report>builder()
                    .staleAfter(Duration.ofHours(1))
                    .build();
            Report report = lock.acquireStamped("sales", () -> save("sales", buildReport("sales")), () -> load("sales"))
                    .value();
            // end
            assertEquals("sales 1", report.text());
            assertEquals("sales 1", report("sales").text());
        }

        @Test
        void anotherLock_isOneLine() {
            MapLockProvider locks = new MapLockProvider();
            // guide recipes.md#a-file-or-distributed-lock
            NameRegistry<Dogpile<Report>> dogpiles = NameRegistry.of(name -> Dogpile.<Report>builder()
                    .staleAfter(Duration.ofHours(1))
                    .lock(locks, name, Duration.ofSeconds(5)) // the one line that is new
                    .build());
            // end
            Report report = dogpiles.get("sales")
                    .acquireStamped(() -> save("sales", buildReport("sales")), () -> load("sales"))
                    .value();
            assertEquals("sales 1", report.text());
            assertEquals(List.of(new MapLockProvider.Asked("sales", Duration.ofSeconds(5))), locks.asked());
        }
    }

    @Nested
    class TheWritePhase {
        @TempDir
        Path folder;

        private final List<String> read = new ArrayList<>();

        private Path prepare() throws Exception {
            Path next = folder.resolve("next");
            Files.writeString(next, "version " + builds.incrementAndGet());
            return next;
        }

        private void read(Path file) throws Exception {
            read.add(Files.readString(file));
        }

        private void readOnce(SyncReaderDogpile<Path> file) throws Exception {
            Path current = folder.resolve("current");
            // guide recipes.md#the-write-phase-against-readers
            try (var reading = file.acquire(sync -> {
                Path next = prepare(); // others go on reading meanwhile
                // Waits for the readers that are in; new ones wait for this.
                return sync.write(() -> Files.move(next, current, REPLACE_EXISTING));
            })) {
                read(reading.value()); // not replaced before this block ends
            }
            // end
        }

        @Test
        void isKeptFromReaders() throws Exception {
            // guide recipes.md#the-write-phase-against-readers
            SyncReaderDogpile<Path> file = SyncReaderDogpile.of(Duration.ofHours(1));
            // end
            readOnce(file);
            readOnce(file);
            assertEquals(List.of("version 1", "version 1"), read);
        }

        @Test
        void writerWaits_forTheReadingThatIsOpen() throws Exception {
            SyncReaderDogpile<Path> file = SyncReaderDogpile.over(Dogpile.<Path>builder()
                    .staleAfter(Duration.ofHours(1))
                    .options(o -> o.clock(time))
                    .build());
            readOnce(file);
            SyncReaderDogpile.Reading<Path> open = file.acquire(sync -> folder);
            time.advance(Duration.ofHours(2));
            Future<?> second = crew.start(() -> {
                readOnce(file);
                return null;
            });
            assertEquals("version 1", Files.readString(open.value()));
            assertFalse(second.isDone());
            open.handOver().close();
            Crew.result(second);
            assertEquals(List.of("version 1", "version 2"), read);
        }
    }

    /** The provider of the guide, held to what every provider promises. */
    @Nested
    class AnOwnLockProvider extends LockProviderContract {
        // guide recipes.md#a-lock-provider-of-your-own
        /** Locks in any map that compares and replaces in one step, such as the one of a data grid. */
        record MapLocks(ConcurrentMap<String, Holder> map, InstantSource clock) implements LockProvider {
            record Holder(String nonce, Instant until) {}

            @Override
            public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
                Holder mine = holder(UUID.randomUUID().toString(), leaseTime); // another nonce for each grant
                Holder before = map.putIfAbsent(name, mine);
                boolean granted = before == null || (isOver(before) && map.replace(name, before, mine));
                return granted ? Optional.of(new Held(name, mine.nonce())) : Optional.empty();
            }

            private Holder holder(String nonce, Duration leaseTime) {
                if (leaseTime.isNegative() || leaseTime.isZero()) {
                    throw new IllegalArgumentException("a lease must last for some time, was asked for " + leaseTime);
                }
                return new Holder(nonce, clock.instant().plus(leaseTime));
            }

            private boolean isOver(Holder holder) {
                return clock.instant().isAfter(holder.until());
            }

            private class Held implements Lease {
                private final String name;
                private final String nonce;

                Held(String name, String nonce) {
                    this.name = name;
                    this.nonce = nonce;
                }

                @Override
                public boolean extend(Duration leaseTime) {
                    Holder next = holder(nonce, leaseTime);
                    Holder now = map.get(name);
                    return isMine(now) && !isOver(now) && map.replace(name, now, next);
                }

                @Override
                public void close() { // frees this grant only, never that of a later holder
                    Holder now = map.get(name);
                    while (isMine(now) && !map.remove(name, now)) {
                        now = map.get(name); // it was extended between the two
                    }
                }

                private boolean isMine(Holder now) {
                    return now != null && now.nonce().equals(nonce);
                }
            }
        }
        // end

        @Override
        protected LockProvider provider() {
            return new MapLocks(new ConcurrentHashMap<>(), time::instant);
        }

        @Override
        protected void letExpire(Duration leaseTime) {
            time.advance(leaseTime.plusMillis(1));
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.EXPIRES);
        }
    }

    @Nested
    class ACreatorWithSideEffects {
        private final List<Long> written = new ArrayList<>();
        private final MapLockProvider locks = new MapLockProvider();

        private void write(Report report, long token) {
            written.add(token);
        }

        private final Dogpile<Report> dogpile = Dogpile.<Report>builder()
                .lock(locks, "sales", Duration.ofSeconds(5))
                .options(o -> o.clock(time).renewOn(Runnable::run))
                .build();

        private Report create() {
            // guide lease.md#what-must-not-happen-twice
            Creation creation = Creation.current().orElseThrow();
            Report report = buildReport();
            if (creation.isLeaseLost()) {
                throw new IllegalStateException("the right to '" + creation.name() + "' was lost; nothing was written");
            }
            write(report, creation.fencingToken()); // the store refuses a token lower than its last
            // end
            return report;
        }

        @Test
        void writesUnderItsToken() {
            assertEquals("report 1", dogpile.get(this::create).text());
            assertEquals(List.of(1L), written);
        }

        @Test
        void leaseIsLost_nothingIsWritten() {
            assertThrows(
                    IllegalStateException.class,
                    () -> dogpile.get(() -> {
                        locks.lose("sales");
                        time.advance(Duration.ofSeconds(2));
                        return create();
                    }));
            assertTrue(written.isEmpty());
        }
    }
}
