package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.Background;
import io.dogpile.core.CreationException;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.DogpileListener.WaitOutcome;
import io.dogpile.core.MapLockProvider;
import io.dogpile.core.Slot;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is counted, exactly. */
@Tag("W-42")
@Timeout(60) // seconds: a test that waits for ever says so
class RegionStatsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeTime time = new FakeTime();
    private final HandDriven executor = new HandDriven();
    private final Callers callers = new Callers();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("values").clock(time).recordStats();
    }

    /** All counts by name, without those that are zero. */
    private static String counts(Region<?, ?> region) {
        RegionStats stats = region.stats();
        List<String> counts = new ArrayList<>();
        add(counts, "hits", stats.hits());
        add(counts, "misses", stats.misses());
        add(counts, "stale", stats.staleServed());
        add(counts, "creations", stats.creations());
        add(counts, "failures", stats.failures());
        for (WaitOutcome outcome : WaitOutcome.values()) {
            add(counts, "waits " + outcome, stats.waits(outcome));
        }
        add(counts, "duplicates", stats.duplicateCreations());
        add(counts, "leases lost", stats.leasesLost());
        for (Slot.Published.Outcome outcome : Slot.Published.Outcome.values()) {
            add(counts, "refused " + outcome, stats.writesRefused(outcome));
        }
        add(counts, "early", stats.earlyRefreshes());
        add(counts, "backed off", stats.backOffHits());
        add(counts, "store failures", stats.storeFailures());
        add(counts, "rejected", stats.refreshesRejected());
        add(counts, "corrupt", stats.corruptEntries());
        add(counts, "in flight", stats.inFlight());
        return String.join(", ", counts);
    }

    private static void add(List<String> counts, String name, long count) {
        if (count != 0) {
            counts.add(name + " " + count);
        }
    }

    @Nested
    class Calls {
        private final Region<String, String> region =
                builder().staleAfter(SECOND).build();

        @Test
        void eachThatWantsAValue_isCountedOnce_asHitMissOrStale() throws Exception {
            region.get("a");
            assertEquals("misses 1", counts(region));
            region.getOrCreate("a", k -> "1");
            assertEquals("misses 2, creations 1", counts(region));
            region.getOrCreate("a", k -> "1");
            region.get("a");
            assertEquals("hits 2, misses 2, creations 1", counts(region));
            region.getAll(List.of("a", "b"));
            assertEquals("hits 3, misses 3, creations 1", counts(region));
            region.getOrCreateAll(List.of("a", "b"), missing -> Map.of("b", "2"));
            assertEquals("hits 4, misses 4, creations 2", counts(region));
            region.getOrCreateAll(List.of("a", "b"), missing -> Map.of());
            assertEquals("hits 6, misses 4, creations 2", counts(region));
            region.peek("a");
            region.peekAll(List.of("a", "b", "c"));
            region.put("c", "3");
            region.invalidate("c");
            region.isCreating("a");
            assertEquals("hits 6, misses 4, creations 2", counts(region));
            time.advance(SECOND.multipliedBy(2));
            Held<String> held = new Held<>("new");
            Callers.Caller<String> elected = callers.start(() -> region.getOrCreate("a", held));
            held.awaitBegun();
            assertEquals("hits 6, misses 4, creations 2, in flight 1", counts(region));
            region.getOrCreate("a", k -> "never");
            assertEquals("hits 6, misses 4, stale 1, creations 2, in flight 1", counts(region));
            held.letGo();
            elected.result();
            assertEquals("hits 6, misses 5, stale 1, creations 3", counts(region));
        }

        @Test
        void creationTime_isThatOfCreatorsThatMadeAValue() {
            region.getOrCreate("a", k -> {
                time.advance(Duration.ofMillis(300));
                return "1";
            });
            assertThrows(
                    IllegalStateException.class,
                    () -> region.getOrCreate("b", k -> {
                        time.advance(SECOND);
                        throw new IllegalStateException("boom");
                    }));
            assertEquals(Duration.ofMillis(300), region.stats().creationTime());
            assertEquals("misses 2, creations 1, failures 1", counts(region));
        }

        @Test
        void waiters_areCounted_withTheirTimeByOutcome() throws Exception {
            Held<String> held = new Held<>("value");
            Callers.Caller<String> elected = callers.start(() -> region.getOrCreate("a", held));
            held.awaitBegun();
            Region<String, String> hasty = region.with(o -> o.hardTimeout(Duration.ofMillis(200)));
            callers.start(2, () -> region.getOrCreate("a", k -> "never"));
            Callers.Caller<String> late = callers.start(() -> hasty.getOrCreate("a", k -> "never"));
            Callers.Caller<String> interrupted = callers.start(() -> region.getOrCreate("a", k -> "never"));
            time.awaitParked(4);
            assertEquals("in flight 1", counts(region));
            time.advance(Duration.ofMillis(200));
            late.failure();
            interrupted.interrupt();
            interrupted.failure();
            time.advance(Duration.ofMillis(100));
            held.letGo();
            elected.result();
            Background.eventually("all are counted", () -> region.stats().waits() == 4);
            assertEquals("misses 5, creations 1, waits VALUE 2, waits TIMEOUT 1, waits INTERRUPTED 1", counts(region));
            assertEquals(Duration.ofMillis(600), region.stats().waitTime(WaitOutcome.VALUE));
            assertEquals(Duration.ofMillis(200), region.stats().waitTime(WaitOutcome.TIMEOUT));
            assertEquals(Duration.ofMillis(200), region.stats().waitTime(WaitOutcome.INTERRUPTED));
            assertEquals(Duration.ZERO, region.stats().waitTime(WaitOutcome.FAILURE));
            assertEquals(Duration.ofMillis(300), region.stats().creationTime());
        }

        @Test
        void waitersOfAFailure_areCounted() throws Exception {
            Held<String> held = Held.then(() -> {
                throw new IllegalStateException("boom");
            });
            List<Callers.Caller<String>> all = callers.start(3, () -> region.getOrCreate("a", held));
            held.awaitBegun();
            time.awaitParked(2);
            held.letGo();
            all.forEach(Callers.Caller::failure);
            assertEquals("misses 3, failures 1, waits FAILURE 2", counts(region));
        }

        @Test
        void backOffs_areCounted() {
            for (int i = 0; i < 2; i++) {
                assertThrows(
                        IllegalStateException.class,
                        () -> region.getOrCreate("a", k -> {
                            throw new IllegalStateException("boom");
                        }));
            }
            assertThrows(CreationException.class, () -> region.getOrCreate("a", k -> "never"));
            assertEquals("misses 3, failures 2, backed off 1", counts(region));
        }

        @Test
        void whatInvalidationsAndPutsVoid_isCounted() throws Exception {
            Held<String> held = new Held<>("voided");
            Callers.Caller<String> elected = callers.start(() -> region.getOrCreate("a", held));
            held.awaitBegun();
            region.invalidate("a");
            held.letGo();
            elected.result();
            assertEquals("misses 1, creations 1, refused VOIDED 1", counts(region));
            Held<String> again = new Held<>("superseded");
            Callers.Caller<String> another = callers.start(() -> region.getOrCreate("a", again));
            again.awaitBegun();
            region.put("a", "put");
            again.letGo();
            another.result();
            assertEquals("misses 2, creations 2, refused SUPERSEDED 1, refused VOIDED 1", counts(region));
        }
    }

    @Nested
    class Refreshes {
        @Test
        void behindTheirReaders_rejectedAndEarly_areCounted() {
            Region<String, String> region =
                    builder().staleAfter(SECOND).refreshOn(executor).build();
            region.put("a", "old");
            time.advance(SECOND.multipliedBy(2));
            executor.refuseAll();
            region.getOrCreate("a", k -> "1");
            assertEquals("stale 1, rejected 1", counts(region));
            executor.acceptAll();
            region.getOrCreate("a", k -> {
                time.advance(Duration.ofMillis(100));
                return "1";
            });
            assertEquals("stale 2, rejected 1, in flight 1", counts(region));
            executor.runAll();
            assertEquals("stale 2, creations 1, rejected 1", counts(region));
            time.advance(Duration.ofMillis(999));
            region.with(o -> o.earlyRefresh(1_000)).getOrCreate("a", k -> "2");
            assertEquals("hits 1, stale 2, creations 1, early 1, rejected 1, in flight 1", counts(region));
            executor.runAll();
            assertEquals("hits 1, stale 2, creations 2, early 1, rejected 1", counts(region));
        }
    }

    @Nested
    class Rights {
        @Test
        void leasesLost_andValuesMadeTwice_areCounted() throws Exception {
            MapLockProvider locks = new MapLockProvider();
            Region<String, String> region =
                    builder().lock(locks, Duration.ofSeconds(3)).build();
            Region<String, String> elsewhere = Region.<String, String>builder("values")
                    .clock(time)
                    .lock(locks, Duration.ofSeconds(3))
                    .build();
            Held<String> held = new Held<>("late");
            Callers.Caller<String> paused = callers.start(() -> region.getOrCreate("a", held));
            held.awaitBegun();
            locks.lose("values/a");
            elsewhere.getOrCreate("a", k -> "its own");
            time.advance(SECOND);
            Background.eventually("the loss is told", () -> region.stats().leasesLost() == 1);
            assertEquals("leases lost 1, in flight 1", counts(region));
            held.letGo();
            assertEquals("late", paused.result());
            assertEquals("misses 1, creations 1, leases lost 1, refused VOIDED 1", counts(region));
        }

        @Test
        void aSuccessorsValue_isADuplicate() throws Exception {
            SharedBackend store = new SharedBackend(time);
            Region<String, String> region = builder().backend(store).build();
            Region<String, String> elsewhere = Region.<String, String>builder("values")
                    .clock(time)
                    .backend(store)
                    .build();
            Held<String> held = new Held<>("late");
            Callers.Caller<String> paused = callers.start(() -> region.getOrCreate("a", held));
            held.awaitBegun();
            elsewhere.getOrCreate("a", k -> "its own"); // memory grants the right to whoever came last
            held.letGo();
            assertEquals("late", paused.result());
            assertEquals("misses 1, creations 1, duplicates 1, refused SUPERSEDED 1", counts(region));
            assertEquals(Optional.of("its own"), region.get("a"));
        }
    }

    @Nested
    class Stores {
        private final SpyBackend spy = new SpyBackend();
        private final Region<String, String> region = builder().backend(spy).build();

        @Test
        void failures_areCounted() {
            spy.readsFail = new IOException("down");
            region.get("a");
            assertEquals("misses 1, store failures 1", counts(region));
            spy.readsFail = null;
            spy.publishesFail = new IOException("down");
            region.getOrCreate("a", k -> "1");
            assertEquals("misses 2, creations 1, refused UNKNOWN 1, store failures 2", counts(region));
        }

        @Test
        void corruptEntries_thatABackendTells_areCounted() {
            AtomicReference<DogpileListener> told = new AtomicReference<>();
            MemoryBackend memory = MemoryBackend.create();
            Region<String, String> over = builder()
                    .backend(new Backend() {
                        @Override
                        public <V> Partition<V> open(Opening<V> opening) {
                            told.set(opening.listener());
                            return memory.open(opening);
                        }
                    })
                    .build();
            told.get().corruptEntry("a", "CHECKSUM");
            assertEquals("corrupt 1", counts(over));
        }
    }

    @Nested
    class TheObject {
        @Test
        void isRefused_whereNothingIsCounted() {
            Region<String, String> silent =
                    Region.<String, String>builder("silent").build();
            var refused = assertThrows(IllegalStateException.class, silent::stats);
            assertTrue(refused.getMessage().contains("'silent'")
                    && refused.getMessage().contains("recordStats()"));
        }

        @Test
        void mayBeGivenToSeveralRegions_andThenHasNoGauge() {
            RegionStats shared = new RegionStats();
            Region<String, String> one =
                    Region.<String, String>builder("one").listener(shared).build();
            Region<String, String> other =
                    Region.<String, String>builder("other").listener(shared).build();
            one.getOrCreate("a", k -> "1");
            other.getOrCreate("a", k -> "1");
            assertEquals(2, shared.creations());
            assertEquals(0, shared.inFlight());
        }

        @Test
        void saysItsCounts() {
            Region<String, String> region = builder().build();
            region.getOrCreate("a", k -> "1");
            region.get("a");
            assertTrue(
                    region.stats().toString().startsWith("1 hits, 1 misses, 0 stale served, 1 creations"),
                    region.stats()::toString);
        }

        @Test
        void aListenerThatThrows_keepsNoOtherFromHearing_andNoCallerFromItsValue() {
            Region<String, String> region = builder()
                    .listener(new DogpileListener() {
                        @Override
                        public void hit(Object name) {
                            throw new IllegalStateException("a listener's bug");
                        }

                        @Override
                        public void created(Object name, Duration cost) {
                            throw new IllegalStateException("a listener's bug");
                        }
                    })
                    .build();
            assertEquals("1", region.getOrCreate("a", k -> "1"));
            assertEquals("1", region.getOrCreate("a", k -> "2"));
            assertEquals("hits 1, misses 1, creations 1", counts(region));
        }
    }
}
