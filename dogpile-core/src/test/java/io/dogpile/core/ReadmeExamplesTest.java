package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.FakeTime;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The samples of README.md, run. What stands there is what stands here between {@code // readme} and {@code // end}:
 * {@link #readme_showsWhatIsTestedHere} compares the two.
 */
class ReadmeExamplesTest {
    private record Report(String text) {}

    private final AtomicInteger builds = new AtomicInteger();
    private final Map<String, Stamped<Report>> store = new ConcurrentHashMap<>();
    private final FakeTime time = new FakeTime();
    private final Executor executor = Runnable::run;

    private Report buildReport() {
        return new Report("report " + builds.incrementAndGet());
    }

    private Report buildReport(String name) {
        return new Report(name + " " + builds.incrementAndGet());
    }

    private Stamped<Report> save(String name, Report report) {
        Stamped<Report> stamped = new Stamped<>(report, TimeSource.system().instant());
        store.put(name, stamped);
        return stamped;
    }

    private Optional<Stamped<Report>> load(String name) {
        return Optional.ofNullable(store.get(name));
    }

    @Test
    void readme_showsWhatIsTestedHere() throws IOException {
        List<String> shown = ReadmeSamples.shown("dogpile-core");
        List<String> tested = ReadmeSamples.tested(ReadmeExamplesTest.class);
        assertEquals(String.join("\n~\n", tested), String.join("\n~\n", shown));
        assertTrue(shown.size() > 5, () -> shown.size() + " samples");
    }

    @Test
    void readmesFirstThirtyLines_holdWhatMatters() throws IOException {
        List<String> lines = ReadmeSamples.lines();
        String head = String.join("\n", lines.subList(0, 30));
        for (String matters : List.of(
                "One caller creates",
                "```java",
                "<!-- figures -->",
                "**What it is not**",
                "**The worst that can happen**",
                "Modules:")) {
            assertTrue(head.contains(matters), matters);
        }
        assertEquals(5, ReadmeSamples.shown("dogpile-core").get(0).lines().count());
    }

    @Nested
    class KeptByTheDogpile {
        // readme
        private final Dogpile<Report> dogpile = Dogpile.of(Duration.ofHours(1));

        Report report() {
            return dogpile.get(this::buildReport); // once an hour, by one of all who ask
        }
        // end

        private Report buildReport() {
            return ReadmeExamplesTest.this.buildReport();
        }

        @Test
        void isBuiltOnce() {
            assertEquals("report 1", report().text());
            assertEquals("report 1", report().text());
        }
    }

    @Nested
    class KeptByTheCaller {
        private volatile String index;
        private final List<String> searched = new ArrayList<>();
        private final AtomicInteger indexes = new AtomicInteger();
        private volatile Report kept;

        private String buildIndex() {
            return "index " + indexes.incrementAndGet();
        }

        private void search(String in) {
            searched.add(in);
        }

        private Report put(Report report) {
            kept = report;
            return report;
        }

        private Report get() {
            return kept;
        }

        private void searchOnce(Dogpile<Void> dogpile) {
            // readme
            dogpile.ensure(() -> index = buildIndex()); // returns when there is one
            search(index);
            // end
        }

        @Test
        @Tag("F-001")
        void resource_isThereBeforeItIsUsed() {
            Dogpile<Void> dogpile = Dogpile.of(Duration.ofHours(1));
            searchOnce(dogpile);
            searchOnce(dogpile);
            assertEquals(List.of("index 1", "index 1"), searched);
        }

        private Report reportOf(Dogpile<Report> dogpile) {
            // readme
            Report report = dogpile.acquire(() -> put(buildReport()), () -> Optional.ofNullable(get()))
                    .value();
            // end
            return report;
        }

        @Test
        @Tag("F-011")
        void value_isCreatedAgainWhereItVanished() {
            Dogpile<Report> dogpile = Dogpile.of(Duration.ofHours(1));
            assertEquals("report 1", reportOf(dogpile).text());
            assertEquals("report 1", reportOf(dogpile).text());
            kept = null;
            assertEquals("report 2", reportOf(dogpile).text());
        }
    }

    @Nested
    class KeptWithItsTime {
        // readme
        private final NameRegistry<Dogpile<Report>> dogpiles = NameRegistry.of(name -> Dogpile.of(Duration.ofHours(1)));

        Report report(String name) {
            return dogpiles.get(name)
                    .acquireStamped(() -> save(name, buildReport(name)), () -> load(name))
                    .value();
        }
        // end

        @Test
        @Tag("F-027")
        void dogpile_mayBeDropped() {
            assertEquals("sales 1", report("sales").text());
            System.gc();
            assertEquals("sales 1", report("sales").text());
            assertEquals("stock 2", report("stock").text());
        }
    }

    @Nested
    class ReplacedInPlace {
        private final SyncReaderDogpile<Path> file = SyncReaderDogpile.of(Duration.ofHours(1));
        private final List<Path> read = new ArrayList<>();

        private Path prepare() {
            return Path.of("version " + builds.incrementAndGet());
        }

        private Path swapIn(Path next) {
            return next;
        }

        private void read(Path path) {
            read.add(path);
        }

        private void readOnce() {
            // readme
            try (var reading = file.acquire(sync -> {
                Path next = prepare();
                return sync.write(() -> swapIn(next)); // waits for the readers; new ones wait for this
            })) {
                read(reading.value());
            }
            // end
        }

        @Test
        void isRead() {
            readOnce();
            readOnce();
            assertEquals(List.of(Path.of("version 1"), Path.of("version 1")), read);
        }
    }

    @Nested
    class WithALock {
        private final List<String> counted = new ArrayList<>();
        private final LockProvider provider = new MapLockProvider();

        private void count(String what, Object name) {
            counted.add(what + " " + name);
        }

        @Test
        void deadlines_areOptions() {
            DogpileListener listener = listener();
            // readme
            DogpileLock<Report> lock = DogpileLock.<Report>builder()
                    .staleAfter(Duration.ofHours(1)) // then one caller creates, the others take the old one
                    .expireAfter(Duration.ofHours(24)) // then nobody takes the old one
                    .hardTimeout(Duration.ofSeconds(10)) // the longest wait for another's creation
                    .refreshOn(executor) // stale values are created there, so that no caller waits
                    .softTimeout(Duration.ofMillis(100)) // but for this long, for the new one
                    .maxCreation(Duration.ofSeconds(30)) // then the name is free for another creator
                    .listener(listener)
                    .build();
            // end
            assertEquals(
                    "sales 1",
                    lock.acquireStamped("sales", () -> save("sales", buildReport("sales")), () -> load("sales"))
                            .value()
                            .text());
        }

        @Test
        void provider_isAsked() {
            // readme
            DogpileLock<Report> lock = DogpileLock.<Report>builder()
                    .staleAfter(Duration.ofHours(1))
                    .lock(provider, Duration.ofSeconds(30))
                    .build();
            Report report = lock.acquireStamped("sales", () -> save("sales", buildReport("sales")), () -> load("sales"))
                    .value();
            // end
            assertEquals("sales 1", report.text());
            assertEquals(
                    List.of(new MapLockProvider.Asked("sales", Duration.ofSeconds(30))),
                    ((MapLockProvider) provider).asked());
        }

        private long newest;

        private void writeIfNewest(Report report, long token) {
            assertTrue(token > newest);
            newest = token;
        }

        private Report createKnowingly() {
            // readme
            Creation creation = Creation.current().orElseThrow();
            Report report = buildReport();
            if (creation.isLeaseLost()) {
                throw new IllegalStateException("another may be creating '" + creation.name() + "' by now");
            }
            writeIfNewest(report, creation.fencingToken()); // the store refuses a token lower than its last
            // end
            return report;
        }

        @Test
        void creator_knowsItsCreation() {
            Dogpile<Report> dogpile = Dogpile.<Report>builder()
                    .lock(provider, "sales", Duration.ofSeconds(5))
                    .build();
            assertEquals("report 1", dogpile.get(this::createKnowingly).text());
            assertEquals(1, newest);
            assertFalse(Creation.current().isPresent());
        }

        @Test
        void creator_thatLostItsLease_stops() {
            Dogpile<Report> dogpile = Dogpile.<Report>builder()
                    .lock(provider, "sales", Duration.ofSeconds(5))
                    .options(o -> o.clock(time).renewOn(executor))
                    .build();
            IllegalStateException stopped = assertThrows(
                    IllegalStateException.class,
                    () -> dogpile.get(() -> {
                        ((MapLockProvider) provider).lose("sales");
                        time.advance(Duration.ofSeconds(2));
                        return createKnowingly();
                    }));
            assertEquals("another may be creating 'sales' by now", stopped.getMessage());
            assertEquals(0, newest);
        }

        private DogpileListener listener() {
            // readme
            DogpileListener listener = new DogpileListener() {
                @Override
                public void failed(Object name, Throwable failure) {
                    count("failed", name);
                }

                @Override
                public void leaseLost(Object name) {
                    count("lease lost", name);
                }
            };
            // end
            return listener;
        }

        @Test
        void listener_isTold() {
            DogpileLock<Report> lock =
                    DogpileLock.<Report>builder().listener(listener()).build();
            assertThrows(
                    CreationException.class,
                    () -> lock.acquireStamped(
                            "sales",
                            () -> {
                                throw new IOException("no");
                            },
                            Optional::empty));
            assertEquals(List.of("failed sales"), counted);
        }

        private final class Client {
            CompletionStage<Report> fetch(String name) {
                return CompletableFuture.completedFuture(buildReport(name));
            }
        }

        @Test
        void async_isAView() {
            DogpileLock<Report> lock = DogpileLock.create();
            Slot<Report> slot = lock.slot(new Cell<>(time, "sales"), "sales");
            Client client = new Client();
            // readme
            CompletableFuture<Report> report = lock.async(executor).get("sales", slot, () -> client.fetch("sales"));
            // end
            assertEquals("sales 1", report.join().text());
        }
    }
}
