package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.DogpileListener.WaitOutcome;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Values made anew behind their readers, before their end, and on demand. */
@Timeout(60) // seconds: a test that waits for ever says so
class RegionRefreshTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TWO_SECONDS = Duration.ofSeconds(2);

    private final FakeTime time = new FakeTime();
    private final HandDriven executor = new HandDriven();
    private final AtomicInteger creations = new AtomicInteger();
    private final Callers callers = new Callers();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("values").clock(time).recordStats();
    }

    private String next(String key) {
        return key + " " + creations.incrementAndGet();
    }

    private Map<String, String> nextAll(Set<String> keys) {
        Map<String, String> made = new LinkedHashMap<>();
        keys.forEach(key -> made.put(key, next(key)));
        return made;
    }

    @Nested
    class RefreshOn {
        private final Region<String, String> region = builder()
                .staleAfter(SECOND)
                .expireAfter(Duration.ofMinutes(1))
                .refreshOn(executor)
                .build();

        @Test
        @Tag("C-127")
        @Tag("E-003")
        @Tag("W-24")
        void aStaleValue_isServedAtOnce_andMadeAnewThere_once() {
            assertEquals("key 1", region.getOrCreate("key", RegionRefreshTest.this::next));
            assertEquals(0, executor.taken());
            time.advance(TWO_SECONDS);
            for (int i = 0; i < 5; i++) {
                assertEquals("key 1", region.getOrCreate("key", RegionRefreshTest.this::next));
            }
            assertEquals(1, executor.taken());
            assertEquals(1, creations.get());
            executor.runAll();
            assertEquals("key 2", region.getOrCreate("key", RegionRefreshTest.this::next));
            assertEquals(5, region.stats().staleServed());
            assertFalse(region.isCreating("key"));
        }

        @Test
        @Tag("C-127")
        void aCreatorThatFailsThere_isTold_freesTheKey_andStaleIsStillServed() {
            region.put("key", "old");
            time.advance(TWO_SECONDS);
            assertEquals("old", region.getOrCreate("key", k -> {
                throw new IllegalStateException("boom");
            }));
            executor.runAll();
            assertEquals(1, region.stats().failures());
            assertFalse(region.isCreating("key"));
            assertEquals("old", region.getOrCreate("key", RegionRefreshTest.this::next));
            executor.runAll();
            assertEquals(Optional.of("key 1"), region.get("key"));
        }

        @Test
        @Tag("C-128")
        void anExecutorThatRefuses_isCounted_freesTheKey_andStaleIsServed() {
            region.putAll(Map.of("key", "old", "other", "old"));
            time.advance(TWO_SECONDS);
            executor.refuseAll();
            assertEquals("old", region.getOrCreate("key", RegionRefreshTest.this::next));
            assertEquals(1, region.stats().refreshesRejected());
            assertFalse(region.isCreating("key"));
            assertEquals(
                    Map.of("key", "old", "other", "old"),
                    region.getOrCreateAll(List.of("key", "other"), RegionRefreshTest.this::nextAll));
            assertEquals(3, region.stats().refreshesRejected());
            executor.acceptAll();
            region.getOrCreate("key", RegionRefreshTest.this::next);
            executor.runAll();
            assertEquals(Optional.of("key 1"), region.get("key"));
        }

        @Test
        @Tag("W-24")
        void whatIsMadeThere_isAskedOfCacheIf() {
            Region<String, String> picky = region.with(o -> o.cacheIf(value -> false));
            region.put("key", "old");
            time.advance(TWO_SECONDS);
            assertEquals("old", picky.getOrCreate("key", RegionRefreshTest.this::next));
            executor.runAll();
            assertEquals(1, creations.get());
            assertEquals("old", region.peek("key").orElseThrow().value());
        }

        @Test
        void staleKeysOfABatch_areMadeAnewThere_asOneBatch_whileMissingOnesAreCreated() {
            region.putAll(Map.of("a", "old", "b", "old"));
            time.advance(TWO_SECONDS);
            List<List<String>> asked = new ArrayList<>();
            Region.BulkCreator<String, String> creator = missing -> {
                asked.add(List.copyOf(missing));
                return nextAll(missing);
            };
            assertEquals(
                    Map.of("b", "old", "c", "c 1", "a", "old"), region.getOrCreateAll(List.of("b", "c", "a"), creator));
            assertEquals(List.of(List.of("c")), asked);
            executor.runAll();
            assertEquals(List.of(List.of("c"), List.of("b", "a")), asked);
            assertEquals(Map.of("b", "b 2", "a", "a 3"), region.getAll(List.of("b", "a")));
        }

        @Test
        void aStaleCallerUnderAnotherExecutorsQueue_isNotElectedTwice_evenAfterMaxCreation() {
            Region<String, String> brief = builder()
                    .staleAfter(SECOND)
                    .maxCreation(Duration.ofSeconds(10))
                    .refreshOn(executor)
                    .build();
            brief.put("key", "old");
            time.advance(TWO_SECONDS);
            assertEquals("old", brief.getOrCreate("key", k -> "never made: it waited in the queue for too long"));
            time.advance(Duration.ofSeconds(11));
            assertEquals("old", brief.getOrCreate("key", RegionRefreshTest.this::next));
            assertEquals(2, executor.taken());
            executor.runAll();
            assertEquals(Optional.of("key 1"), brief.get("key"));
            assertEquals(1, brief.stats().leasesLost());
        }
    }

    @Nested
    class SoftTimeout {
        private final Region<String, String> region = builder()
                .staleAfter(SECOND)
                .refreshOn(executor)
                .softTimeout(Duration.ofMillis(200))
                .build();

        @Test
        void withinIt_theElectedCallerGetsTheNewValue() throws Exception {
            region.put("key", "old");
            time.advance(TWO_SECONDS);
            Callers.Caller<String> elected =
                    callers.start(() -> region.getOrCreate("key", RegionRefreshTest.this::next));
            time.awaitParked(1);
            assertEquals("old", region.getOrCreate("key", RegionRefreshTest.this::next));
            executor.runAll();
            assertEquals("key 1", elected.result());
            assertEquals(1, region.stats().waits(WaitOutcome.VALUE));
        }

        @Test
        void afterIt_theElectedCallerGetsTheStale_andTheNewIsStoredAllTheSame() throws Exception {
            region.put("key", "old");
            time.advance(TWO_SECONDS);
            Callers.Caller<String> elected =
                    callers.start(() -> region.getOrCreate("key", RegionRefreshTest.this::next));
            time.awaitParked(1);
            time.advance(Duration.ofMillis(199));
            assertFalse(elected.isDone());
            time.advance(Duration.ofMillis(1));
            assertEquals("old", elected.result());
            executor.runAll();
            assertEquals(Optional.of("key 1"), region.get("key"));
            assertEquals(1, region.stats().waits(WaitOutcome.STALE));
            assertEquals(Duration.ofMillis(200), region.stats().waitTime(WaitOutcome.STALE));
        }

        @Test
        void ofAView_isForItsCalls() {
            Region<String, String> atOnce = region.with(o -> o.softTimeout(Duration.ZERO));
            region.put("key", "old");
            time.advance(TWO_SECONDS);
            assertEquals("old", atOnce.getOrCreate("key", RegionRefreshTest.this::next));
        }
    }

    @Nested
    class HardTimeouts {
        @Test
        void isMaxCreation_unlessItIsGiven() throws Exception {
            Region<String, String> region =
                    builder().maxCreation(Duration.ofSeconds(20)).build();
            Held<String> held = new Held<>("value");
            Callers.Caller<String> elected = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            Callers.Caller<String> waiting =
                    callers.start(() -> region.getOrCreate("key", RegionRefreshTest.this::next));
            time.awaitParked(1);
            time.advance(Duration.ofSeconds(20).minusNanos(1));
            assertFalse(waiting.isDone());
            time.advance(Duration.ofNanos(1));
            assertTrue(waiting.failure() instanceof HardTimeoutException);
            assertEquals(1, region.stats().waits(WaitOutcome.TIMEOUT));
            held.letGo();
            assertEquals("value", elected.result());
        }
    }

    @Nested
    class Early {
        private static final long SEED = 42;
        private static final Duration LIFE = Duration.ofSeconds(100);
        private static final Duration COST = Duration.ofSeconds(1);

        /** How long before its end a value of that cost is drawn by the first draw of the seed. */
        private final Duration drawnBefore =
                Duration.ofNanos((long) (COST.toNanos() * -Math.log(1 - new Random(SEED).nextDouble())));

        private Region<String, String> region(RegionBuilder<String, String> builder) {
            Region<String, String> region =
                    builder.staleAfter(LIFE).earlyRefresh(1.0).seed(SEED).build();
            // Created without a draw: the first draw of the seed is to be that of the call under test.
            region.with(o -> o.earlyRefresh(0)).getOrCreate("key", k -> {
                time.advance(COST);
                return "old";
            });
            return region;
        }

        @Test
        void beforeItsDraw_isAHit() {
            Region<String, String> region = region(builder());
            time.advance(LIFE.minus(drawnBefore).minusMillis(1));
            assertEquals("old", region.getOrCreate("key", RegionRefreshTest.this::next));
            assertEquals(0, region.stats().earlyRefreshes());
        }

        @Test
        void declaredStale_isNoHit() {
            Region<String, String> region = region(builder());
            region.invalidate("key", Invalidation.SOFT);
            assertEquals(Optional.empty(), region.get("key"));
            assertEquals("key 1", region.getOrCreate("key", RegionRefreshTest.this::next));
        }

        @Test
        void drawn_theElectedCallerCreates_byTheMeasuredCost_seeded() {
            Region<String, String> region = region(builder());
            time.advance(LIFE.minus(drawnBefore).plusMillis(1));
            assertEquals(Optional.of("old"), region.get("key"));
            assertEquals("key 1", region.getOrCreate("key", RegionRefreshTest.this::next));
            assertEquals(1, region.stats().earlyRefreshes());
        }

        @Test
        void drawn_withRefreshOn_isServedFreshAtOnce_andMadeAnewThere() {
            Region<String, String> region = region(builder().refreshOn(executor));
            time.advance(LIFE.minus(drawnBefore).plusMillis(1));
            assertEquals("old", region.getOrCreate("key", RegionRefreshTest.this::next));
            assertEquals(0, region.stats().staleServed());
            executor.runAll();
            assertEquals(Optional.of("key 1"), region.get("key"));
            assertEquals(1, region.stats().earlyRefreshes());
        }

        @Test
        void theLoserOfTheElection_getsTheFreshValueAtOnce() throws Exception {
            Region<String, String> region = region(builder());
            Region<String, String> eager = region.with(o -> o.earlyRefresh(1_000_000));
            time.advance(LIFE.minusMillis(1));
            Held<String> held = new Held<>("new");
            Callers.Caller<String> elected = callers.start(() -> eager.getOrCreate("key", held));
            held.awaitBegun();
            assertEquals("old", eager.getOrCreate("key", RegionRefreshTest.this::next));
            held.letGo();
            assertEquals("new", elected.result());
            assertEquals(0, creations.get());
        }
    }

    @Nested
    class OnDemand {
        @Test
        void refresh_makesANewOne_thoughThePresentIsFresh_andOthersKeepThatUntilThen() throws Exception {
            Region<String, String> region = builder().build();
            region.put("key", "old");
            Held<String> held = new Held<>("new");
            Callers.Caller<String> refreshing = callers.start(() -> region.refresh("key", k -> held.create()));
            held.awaitBegun();
            assertEquals("old", region.getOrCreate("key", RegionRefreshTest.this::next));
            Callers.Caller<String> too = callers.start(() -> region.refresh("key", RegionRefreshTest.this::next));
            time.awaitParked(1);
            held.letGo();
            assertEquals("new", refreshing.result());
            assertEquals("new", too.result());
            assertEquals(Optional.of("new"), region.get("key"));
            assertEquals(0, creations.get());
        }

        @Test
        void refreshAll_makesNewOnes_andWhatACreatorLeavesOutKeepsItsValue() {
            Region<String, String> region = builder().build();
            region.putAll(Map.of("a", "old", "b", "old"));
            assertEquals(Map.of("a", "new", "c", "new"), region.refreshAll(List.of("a", "b", "c"), missing -> {
                assertEquals(List.of("a", "b", "c"), List.copyOf(missing));
                return Map.of("a", "new", "c", "new");
            }));
            assertEquals(Map.of("a", "new", "b", "old", "c", "new"), region.getAll(List.of("a", "b", "c")));
        }

        @Test
        void ofAMissingKey_isAPlainCreation() {
            Region<String, String> region = builder().build();
            assertEquals("key 1", region.refresh("key", RegionRefreshTest.this::next));
            region.invalidate("key", Invalidation.SOFT);
            assertEquals("key 2", region.refresh("key", RegionRefreshTest.this::next));
            assertEquals(2, region.stats().creations());
        }
    }
}
