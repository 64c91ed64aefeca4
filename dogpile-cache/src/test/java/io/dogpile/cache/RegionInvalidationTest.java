package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.DogpileException;
import io.dogpile.core.Slot;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of values, and of creations under way, when they are declared old. */
@Timeout(60) // seconds: a test that waits for ever says so
class RegionInvalidationTest {
    private static final Duration THOUSAND_YEARS = Duration.ofDays(365_000);

    private final FakeTime time = new FakeTime();
    private final AtomicInteger creations = new AtomicInteger();
    private final Callers callers = new Callers();
    private final Region<String, String> region = builder().recordStats().build();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("values").clock(time);
    }

    private String next(String key) {
        return "" + creations.incrementAndGet();
    }

    private Map<String, String> nextAll(Set<String> keys) {
        Map<String, String> made = new LinkedHashMap<>();
        keys.forEach(key -> made.put(key, next(key)));
        return made;
    }

    private String get() {
        return region.getOrCreate("key", this::next);
    }

    @Nested
    class Hard {
        @Test
        @Tag("C-081")
        @Tag("C-082")
        @Tag("E-041")
        void oneCreates_andNobodyGetsTheOld_thoughTheClockStands() {
            assertEquals("1", get());
            region.invalidateAll(Invalidation.HARD);
            assertEquals("2", get());
            assertEquals("2", get());
            region.invalidate("key");
            assertEquals("3", get());
            assertEquals("3", get());
        }

        @Test
        @Tag("C-082")
        @Tag("C-083")
        void straightAfterACreation_invalidatesIt_eachTime() {
            for (int round = 1; round <= 10_000; round++) {
                assertEquals("" + round, get());
                region.invalidateAll(Invalidation.HARD);
            }
        }

        @Test
        @Tag("C-081")
        void othersWait_forTheNewValue() throws Exception {
            region.put("key", "old");
            region.invalidateAll(Invalidation.HARD);
            Held<String> held = new Held<>("new");
            List<Callers.Caller<String>> all = callers.start(4, () -> region.getOrCreate("key", held));
            held.awaitBegun();
            time.awaitParked(3);
            assertTrue(all.stream().noneMatch(Callers.Caller::isDone));
            held.letGo();
            all.forEach(caller -> assertEquals("new", caller.result()));
        }

        @Test
        @Tag("C-118")
        void ofABatch_createsAllAnew() {
            List<String> keys = List.of("a", "b");
            assertEquals(Map.of("a", "1", "b", "2"), region.getOrCreateAll(keys, RegionInvalidationTest.this::nextAll));
            region.invalidateAll(Invalidation.HARD);
            assertEquals(Map.of("a", "3", "b", "4"), region.getOrCreateAll(keys, RegionInvalidationTest.this::nextAll));
            assertEquals(Map.of("a", "3", "b", "4"), region.getOrCreateAll(keys, RegionInvalidationTest.this::nextAll));
            region.invalidateAll(Invalidation.HARD);
            assertEquals(Map.of("a", "5", "b", "6"), region.getOrCreateAll(keys, RegionInvalidationTest.this::nextAll));
        }

        @Test
        @Tag("C-043")
        void isAMiss_forEachWayOfReading() {
            region.put("key", "old");
            region.invalidateAll(Invalidation.HARD);
            assertEquals(Optional.empty(), region.get("key"));
            assertEquals(Optional.empty(), region.peek("key"));
            assertEquals(Map.of(), region.getAll(List.of("key")));
            assertEquals(Map.of(), region.peekAll(List.of("key")));
        }
    }

    @Nested
    class Soft {
        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        @Tag("C-084")
        @Tag("C-085")
        @Tag("C-087")
        @Tag("C-088")
        @Tag("E-037")
        void oneCreates_othersTakeTheOld_withoutAnyExpiry_thoughTheClockStands(boolean wholeRegion) throws Exception {
            region.put("key", "old");
            if (wholeRegion) {
                region.invalidateAll(Invalidation.SOFT);
            } else {
                region.invalidate("key", Invalidation.SOFT);
            }
            Held<String> held = new Held<>("new");
            Callers.Caller<String> elected = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            assertEquals("old", get());
            held.letGo();
            assertEquals("new", elected.result());
            assertEquals("new", get());
            assertEquals(Optional.of("new"), region.get("key"));
            assertEquals(0, creations.get());
        }

        @Test
        @Tag("C-089")
        @Tag("W-18")
        void worksWithAnyLife() {
            Region<String, String> old = builder()
                    .staleAfter(THOUSAND_YEARS)
                    .expireAfter(THOUSAND_YEARS)
                    .refreshOn(new HandDriven())
                    .build();
            old.put("key", "old");
            old.invalidateAll(Invalidation.SOFT);
            assertEquals("old", old.getOrCreate("key", RegionInvalidationTest.this::next));
            assertTrue(old.peek("key").orElseThrow().stale());
        }

        @Test
        void doesNotProlong_whatExpires() {
            Region<String, String> brief =
                    builder().expireAfter(Duration.ofSeconds(1)).build();
            brief.put("key", "old");
            brief.invalidate("key", Invalidation.SOFT);
            assertTrue(brief.peek("key").isPresent());
            time.advance(Duration.ofSeconds(2));
            assertEquals(Optional.empty(), brief.peek("key"));
        }

        @Test
        @Tag("C-090")
        @Tag("C-091")
        @Tag("W-17")
        void afterHard_revivesNothing_andHardAfterSoftIsHard() {
            for (Invalidation first : Invalidation.values()) {
                for (Invalidation second : Invalidation.values()) {
                    region.putAll(Map.of("region", "old", "key", "old"));
                    region.invalidate("key", first);
                    region.invalidate("key", second);
                    boolean softOnly = first == Invalidation.SOFT && second == Invalidation.SOFT;
                    assertEquals(softOnly, region.peek("key").isPresent(), first + " then " + second);
                    region.put("key", "old");
                    region.invalidateAll(first);
                    region.invalidateAll(second);
                    region.invalidate("key", Invalidation.SOFT);
                    assertEquals(softOnly, region.peek("region").isPresent(), first + " then " + second);
                    assertEquals(softOnly, region.peek("key").isPresent(), first + " then " + second);
                }
            }
        }

        @Test
        @Tag("C-118")
        void ofABatch_createsAnew_andOthersTakeTheOld() throws Exception {
            List<String> keys = List.of("a", "b");
            region.putAll(Map.of("a", "old a", "b", "old b"));
            region.invalidateAll(Invalidation.SOFT);
            Held<Map<String, String>> held = new Held<>(Map.of("a", "new a", "b", "new b"));
            Callers.Caller<Map<String, String>> elected =
                    callers.start(() -> region.getOrCreateAll(keys, missing -> held.create()));
            held.awaitBegun();
            assertEquals(
                    Map.of("a", "old a", "b", "old b"),
                    region.getOrCreateAll(keys, RegionInvalidationTest.this::nextAll));
            held.letGo();
            assertEquals(Map.of("a", "new a", "b", "new b"), elected.result());
            assertEquals(elected.result(), region.getAll(keys));
        }

        @Test
        @Tag("C-125")
        void goesToTheExecutor_whileHardAndAbsentAreCreatedByTheCaller() {
            HandDriven executor = new HandDriven();
            Region<String, String> behind = builder().refreshOn(executor).build();
            assertEquals("1", behind.getOrCreate("key", RegionInvalidationTest.this::next));
            assertEquals(0, executor.taken());
            behind.invalidateAll(Invalidation.HARD);
            assertEquals("2", behind.getOrCreate("key", RegionInvalidationTest.this::next));
            assertEquals(0, executor.taken());
            behind.invalidateAll(Invalidation.SOFT);
            assertEquals("2", behind.getOrCreate("key", RegionInvalidationTest.this::next));
            assertEquals(1, executor.taken());
            executor.runAll();
            assertEquals(Optional.of("3"), behind.get("key"));
        }

        @Test
        @Tag("C-092")
        void neverCalled_makesNothingOld() {
            region.put("key", "value");
            time.advance(THOUSAND_YEARS.dividedBy(10));
            assertFalse(region.peek("key").orElseThrow().stale());
        }
    }

    @Nested
    class WhileACreatorRuns {
        private final Held<String> held = new Held<>("begun before");
        private Callers.Caller<String> elected;
        private Callers.Caller<String> waiting;

        private void begin() throws Exception {
            elected = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            waiting = callers.start(() -> region.getOrCreate("key", RegionInvalidationTest.this::next));
            time.awaitParked(1);
        }

        @ParameterizedTest
        @EnumSource(Invalidation.class)
        @Tag("C-049")
        @Tag("W-19")
        void anInvalidationOfTheKey_detachesIt(Invalidation how) throws Exception {
            begin();
            region.invalidate("key", how);
            assertDetached();
        }

        @ParameterizedTest
        @EnumSource(Invalidation.class)
        @Tag("W-19")
        void anInvalidationOfAll_detachesIt(Invalidation how) throws Exception {
            begin();
            region.invalidateAll(how);
            assertDetached();
        }

        @Test
        void anInvalidationOfMany_detachesIt() throws Exception {
            begin();
            region.invalidateAll(List.of("other", "key"));
            assertDetached();
        }

        /** Its value is not stored; who comes now is elected, and what that stores is for those who wait already, too. */
        private void assertDetached() {
            assertFalse(region.isCreating("key"));
            assertEquals("1", get());
            held.letGo();
            assertEquals("begun before", elected.result());
            assertEquals("1", waiting.result());
            assertEquals(Optional.of("1"), region.get("key"));
            assertEquals(1, creations.get());
            assertEquals(0, region.stats().duplicateCreations());
            assertEquals(
                    1,
                    region.stats().writesRefused(Slot.Published.Outcome.VOIDED)
                            + region.stats().writesRefused(Slot.Published.Outcome.SUPERSEDED));
        }

        @Test
        void anInvalidation_leavesNothing_whereNobodyComesAfter() throws Exception {
            begin();
            region.invalidate("key");
            held.letGo();
            assertEquals("begun before", elected.result());
            assertEquals("begun before", waiting.result());
            assertEquals(Optional.empty(), region.peek("key"));
            assertEquals(1, region.stats().writesRefused(Slot.Published.Outcome.VOIDED));
        }

        @Test
        @Tag("C-049")
        void aPut_winsOverIt_andIsWhatThoseWhoWaitGet() throws Exception {
            begin();
            region.put("key", "put");
            assertEquals("put", get());
            held.letGo();
            assertEquals("begun before", elected.result());
            assertEquals("put", waiting.result());
            assertEquals(Optional.of("put"), region.get("key"));
            assertEquals(0, region.stats().duplicateCreations());
        }

        @Test
        void aPutOfMany_winsOverIt() throws Exception {
            begin();
            region.putAll(Map.of("key", "put", "other", "put"));
            held.letGo();
            assertEquals("begun before", elected.result());
            assertEquals("put", waiting.result());
            assertEquals(Optional.of("put"), region.get("key"));
        }

        @Test
        void anInvalidation_detachesARefreshBehind() throws Exception {
            HandDriven executor = new HandDriven();
            Region<String, String> behind = builder()
                    .refreshOn(executor)
                    .staleAfter(Duration.ofSeconds(1))
                    .build();
            behind.put("key", "old");
            time.advance(Duration.ofSeconds(2));
            assertEquals("old", behind.getOrCreate("key", k -> "begun before"));
            behind.invalidate("key");
            executor.runAll();
            assertEquals(Optional.empty(), behind.peek("key"));
        }

        @Test
        void ofABatch_detachesOnlyTheKeyNamed() throws Exception {
            Held<Map<String, String>> batch = new Held<>(Map.of("a", "1", "b", "2"));
            Callers.Caller<Map<String, String>> creator =
                    callers.start(() -> region.getOrCreateAll(List.of("a", "b"), missing -> batch.create()));
            batch.awaitBegun();
            region.invalidate("a");
            assertFalse(region.isCreating("a"));
            assertTrue(region.isCreating("b"));
            batch.letGo();
            assertEquals(Map.of("a", "1", "b", "2"), creator.result());
            assertEquals(Map.of("b", "2"), region.getAll(List.of("a", "b")));
        }
    }

    /** Two JVMs whose clocks differ, and one store that both use. */
    @Nested
    class UnderClocksThatDiffer {
        private final FakeTime early = new FakeTime();
        private final FakeTime late = new FakeTime();
        private final SharedBackend store = new SharedBackend(time);
        private Region<String, String> one;
        private Region<String, String> other;

        private void open(Duration apart) {
            late.advance(apart);
            one = Region.<String, String>builder("shared")
                    .backend(store)
                    .clock(early)
                    .build();
            other = Region.<String, String>builder("shared")
                    .backend(store)
                    .clock(late)
                    .build();
        }

        @ParameterizedTest
        @ValueSource(longs = {0, 30, 100_000})
        @Tag("C-083")
        @Tag("W-20")
        @Tag("W-21")
        void invalidationsOfEither_holdForBoth_atOnce(long apart) {
            open(Duration.ofSeconds(apart));
            for (Region<String, String> by : List.of(one, other)) {
                for (Region<String, String> to : List.of(one, other)) {
                    to.put("key", "old");
                    by.invalidateAll(Invalidation.SOFT);
                    assertTrue(to.peek("key").orElseThrow().stale());
                    assertEquals("new", to.getOrCreate("key", k -> "new"));
                    assertEquals(Optional.of("new"), by.get("key"));
                    by.invalidateAll(Invalidation.HARD);
                    assertEquals(Optional.empty(), to.peek("key"));
                    assertEquals("newer", to.getOrCreate("key", k -> "newer"));
                    assertEquals(Optional.of("newer"), by.get("key"));
                    by.invalidate("key");
                    assertEquals(Optional.empty(), to.get("key"));
                    by.invalidateAll(Invalidation.HARD);
                    to.invalidateAll(Invalidation.SOFT);
                    assertEquals(Optional.empty(), by.peek("key"));
                }
            }
        }

        @Test
        void anInvalidationByTheOther_voidsWhatIsBeingCreated_andItsWaitersLookAgain() throws Exception {
            open(Duration.ofSeconds(30));
            Held<String> held = new Held<>("begun before");
            Callers.Caller<String> elected = callers.start(() -> one.getOrCreate("key", held));
            held.awaitBegun();
            Callers.Caller<String> waiting = callers.start(() -> one.getOrCreate("key", k -> "begun after"));
            early.awaitParked(1);
            other.invalidateAll(Invalidation.HARD);
            held.letGo();
            assertEquals("begun before", elected.result());
            assertEquals("begun after", waiting.result());
            assertEquals(Optional.of("begun after"), other.get("key"));
        }
    }

    @Nested
    class WhereTheStoreFails {
        private final SpyBackend spy = new SpyBackend();
        private final Region<String, String> remote =
                builder().backend(spy).recordStats().build();

        @Test
        void whoAsked_isToldThatItIsNotKnown() {
            spy.changesFail = new Exception("connection reset");
            DogpileException one = assertThrows(DogpileException.class, () -> remote.invalidate("key"));
            assertTrue(one.getMessage().contains("region 'values', key 'key'"), one.getMessage());
            assertTrue(one.getMessage().contains("not known"), one.getMessage());
            DogpileException many =
                    assertThrows(DogpileException.class, () -> remote.invalidateAll(List.of("key", "b", "c")));
            assertTrue(many.getMessage().contains("'key' and 2 others"), many.getMessage());
            DogpileException all = assertThrows(DogpileException.class, () -> remote.invalidateAll(Invalidation.SOFT));
            assertTrue(all.getMessage().contains("region 'values'"), all.getMessage());
            assertEquals(spy.changesFail, all.getCause());
            assertEquals(5, remote.stats().storeFailures());
        }

        @Test
        void itMayHaveBeenDone_soTheCreationUnderWayIsDetached() throws Exception {
            Held<String> held = new Held<>("begun before");
            Callers.Caller<String> elected = callers.start(() -> remote.getOrCreate("key", held));
            held.awaitBegun();
            spy.changesFail = new Exception("connection reset");
            assertThrows(DogpileException.class, () -> remote.invalidate("key"));
            assertFalse(remote.isCreating("key"));
            assertEquals("after", remote.getOrCreate("key", k -> "after"));
            held.letGo();
            assertEquals("begun before", elected.result());
        }
    }
}
