package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.DogpileException;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.WhenDown;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A region as seen by callers with other wishes. */
@Timeout(60) // seconds: a test that waits for ever says so
class RegionViewsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);

    private final FakeTime time = new FakeTime();
    private final AtomicInteger creations = new AtomicInteger();
    private final Callers callers = new Callers();
    private final Region<String, String> region =
            builder().staleAfter(TEN_SECONDS).build();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("values").clock(time);
    }

    private String next(String key) {
        return key + " " + creations.incrementAndGet();
    }

    private Map<String, String> nextAll(Iterable<String> keys) {
        Map<String, String> made = new LinkedHashMap<>();
        keys.forEach(key -> made.put(key, next(key)));
        return made;
    }

    @Nested
    class StaleAfter {
        @Test
        @Tag("C-040")
        @Tag("C-056")
        @Tag("C-064")
        void isForTheCallsOfTheView_andNotStored() {
            Region<String, String> view = region.with(o -> o.staleAfter(SECOND));
            region.getOrCreate("key", RegionViewsTest.this::next);
            time.advance(Duration.ofSeconds(2));
            assertEquals(Optional.empty(), view.get("key"));
            assertEquals(Map.of(), view.getAll(List.of("key")));
            assertTrue(view.peek("key").orElseThrow().stale());
            assertTrue(view.peekAll(List.of("key")).get("key").stale());
            assertEquals(Optional.of("key 1"), region.get("key"));
            assertEquals("key 2", view.getOrCreate("key", RegionViewsTest.this::next));
            assertEquals(Map.of("key", "key 2"), view.getOrCreateAll(List.of("key"), this::refuse));
            time.advance(Duration.ofSeconds(9));
            assertEquals(Optional.of("key 2"), region.get("key"));
            assertEquals(Map.of("key", "key 3"), view.getOrCreateAll(List.of("key"), RegionViewsTest.this::nextAll));
        }

        @Test
        @Tag("C-040")
        void longerThanTheRegions_findsWhatIsStaleForOthers() {
            Region<String, String> view = region.with(o -> o.staleAfter(Duration.ofSeconds(30)));
            region.put("key", "value");
            time.advance(Duration.ofSeconds(20));
            assertEquals(Optional.empty(), region.get("key"));
            assertEquals(Optional.of("value"), view.get("key"));
            assertEquals("value", view.getOrCreate("key", RegionViewsTest.this::next));
        }

        @Test
        @Tag("E-043")
        void supplied_isAskedAnewAtEachCall_alsoOnHits_andNullIsTheRegionsOwn() {
            AtomicReference<Duration> limit = new AtomicReference<>(SECOND);
            AtomicInteger asked = new AtomicInteger();
            Region<String, String> view = region.with(o -> o.staleAfter(() -> {
                asked.incrementAndGet();
                return limit.get();
            }));
            assertEquals("key 1", view.getOrCreate("key", RegionViewsTest.this::next));
            assertEquals("key 1", view.getOrCreate("key", RegionViewsTest.this::next));
            assertEquals(2, asked.get());
            time.advance(Duration.ofSeconds(2));
            assertEquals(Optional.empty(), view.get("key"));
            assertEquals("key 2", view.getOrCreate("key", RegionViewsTest.this::next));
            time.advance(Duration.ofSeconds(2));
            limit.set(null);
            assertEquals("key 2", view.getOrCreate("key", RegionViewsTest.this::next));
            limit.set(Duration.ZERO);
            assertEquals("key 3", view.getOrCreate("key", () -> next("key")));
            time.advance(Duration.ofNanos(1));
            assertEquals(Map.of("key", "key 4"), view.getOrCreateAll(List.of("key"), RegionViewsTest.this::nextAll));
            time.advance(Duration.ofNanos(1));
            assertEquals(Map.of(), view.getAll(List.of("key")));
            assertTrue(view.peek("key").orElseThrow().stale());
            assertTrue(view.peekAll(List.of("key")).get("key").stale());
        }

        @Test
        void supplied_isStillAsked_inAViewOfTheView_unlessThatSaysOtherwise() {
            AtomicReference<Duration> limit = new AtomicReference<>(TEN_SECONDS);
            Region<String, String> view = region.with(o -> o.staleAfter(limit::get));
            Region<String, String> strict = view.with(RegionBuilder::neverStale);
            Region<String, String> fixed = view.with(o -> o.staleAfter(TEN_SECONDS));
            Region<String, String> any = view.with(RegionBuilder::ignoreExpiry);
            region.put("key", "value");
            time.advance(Duration.ofSeconds(2));
            limit.set(SECOND);
            assertEquals(Optional.empty(), strict.get("key"));
            assertEquals(Optional.of("value"), fixed.get("key"));
            assertEquals(Optional.of("value"), any.get("key"));
        }

        private Map<String, String> refuse(Iterable<String> keys) {
            throw new AssertionError("asked for " + keys);
        }
    }

    @Nested
    class ExpireAfter {
        @Test
        void judgesByAge_forTheCallsOfTheView() {
            Region<String, String> view = region.with(o -> o.expireAfter(SECOND));
            region.put("key", "value");
            time.advance(Duration.ofSeconds(2));
            assertEquals(Optional.empty(), view.peek("key"));
            assertEquals(Optional.empty(), view.get("key"));
            assertEquals(Optional.of("value"), region.get("key"));
        }
    }

    @Nested
    class IgnoreExpiry {
        private final Region<String, String> brief =
                builder().staleAfter(SECOND).expireAfter(Duration.ofSeconds(2)).build();
        private final Region<String, String> any = brief.with(RegionBuilder::ignoreExpiry);

        @Test
        @Tag("C-039")
        @Tag("C-041")
        @Tag("C-065")
        @Tag("E-031")
        @Tag("W-09")
        void findsWhatIsExpired_byEachWayOfReading() {
            brief.put("key", "value");
            time.advance(TEN_SECONDS);
            assertEquals(Optional.empty(), brief.peek("key"));
            assertEquals(Optional.of("value"), any.get("key"));
            assertEquals(Map.of("key", "value"), any.getAll(List.of("key")));
            assertFalse(any.peek("key").orElseThrow().stale());
            assertFalse(any.peekAll(List.of("key")).get("key").stale());
            assertEquals("value", any.getOrCreate("key", RegionViewsTest.this::next));
            assertEquals(Map.of("key", "value"), any.getOrCreateAll(List.of("key"), RegionViewsTest.this::nextAll));
            assertEquals("key 1", brief.getOrCreate("key", RegionViewsTest.this::next));
        }

        @Test
        @Tag("C-039")
        void findsWhatWasDeclaredStale_butNotWhatWasExpiredByInvalidation() {
            brief.putAll(Map.of("a", "1", "b", "2"));
            brief.invalidate("a", Invalidation.SOFT);
            assertEquals(Optional.of("1"), any.get("a"));
            brief.invalidateAll(Invalidation.SOFT);
            assertEquals(Map.of("a", "1", "b", "2"), any.getAll(List.of("a", "b")));
            assertEquals("1", any.getOrCreate("a", RegionViewsTest.this::next));
            brief.invalidate("a", Invalidation.HARD);
            assertEquals(Optional.empty(), any.get("a"));
            brief.invalidateAll(Invalidation.HARD);
            assertEquals(Optional.empty(), any.get("b"));
        }

        @Test
        @Tag("C-035")
        void ofNothing_isNothing() {
            assertEquals(Optional.empty(), any.get("key"));
            assertEquals("key 1", any.getOrCreate("key", RegionViewsTest.this::next));
        }
    }

    @Nested
    class NeverStale {
        @Test
        @Tag("W-41")
        void waitsForTheNewValue_whereOthersTakeTheOld() throws Exception {
            Region<String, String> strict = region.with(RegionBuilder::neverStale);
            region.put("key", "old");
            time.advance(Duration.ofSeconds(11));
            Held<String> held = new Held<>("new");
            Callers.Caller<String> elected = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            Callers.Caller<String> waiting = callers.start(() -> strict.getOrCreate("key", RegionViewsTest.this::next));
            time.awaitParked(1);
            assertEquals("old", region.getOrCreate("key", RegionViewsTest.this::next));
            assertFalse(waiting.isDone());
            held.letGo();
            assertEquals("new", elected.result());
            assertEquals("new", waiting.result());
            assertEquals(0, creations.get());
        }

        @Test
        void ofARegion_holdsForAllItsCalls() {
            Region<String, String> strict = builder()
                    .staleAfter(SECOND)
                    .neverStale()
                    .refreshOn(new HandDriven())
                    .build();
            strict.put("key", "old");
            time.advance(Duration.ofSeconds(2));
            assertEquals("new", strict.getOrCreate("key", k -> "new"));
        }
    }

    @Nested
    class WhatItDoesNotSay {
        private final SpyBackend spy = new SpyBackend();
        private final Region<String, String> picky = builder()
                .backend(spy)
                .staleAfter(SECOND)
                .cacheNullFor(TEN_SECONDS)
                .cacheIf(value -> value == null || !value.isEmpty())
                .expireAfter(value -> value == null ? null : Duration.ofSeconds(value.length()))
                .whenDown(WhenDown.FAIL)
                .build();
        private final Region<String, String> view = picky.with(o -> o.hardTimeout(SECOND));

        @Test
        void isTheRegions_forWhatItsCallsCreateAndPut() {
            view.getOrCreate("refused", k -> "");
            view.getOrCreate("null", k -> null);
            view.getOrCreate("created", k -> "four");
            view.put("put", "four");
            assertEquals(Optional.empty(), picky.peek("refused"));
            time.advance(SECOND.multipliedBy(4));
            assertEquals(3, view.peekAll(List.of("null", "created", "put")).size());
            time.advance(Duration.ofNanos(1));
            assertEquals(
                    List.of("null"),
                    List.copyOf(picky.peekAll(List.of("null", "created", "put")).keySet()));
            time.advance(TEN_SECONDS);
            assertEquals(Optional.empty(), picky.peek("null"));
        }

        @Test
        void isTheRegions_whereTheStoreFails() {
            spy.readsFail = new Exception("down");
            assertThrows(DogpileException.class, () -> view.get("key"));
            assertThrows(DogpileException.class, () -> view.getOrCreate("key", RegionViewsTest.this::next));
        }
    }

    @Nested
    class OverTheSameFlights {
        @Test
        void aViewsCaller_waitsForTheRegionsCreation_withItsOwnHardTimeout() throws Exception {
            Region<String, String> hasty = region.with(o -> o.hardTimeout(SECOND));
            Held<String> held = new Held<>("value");
            Callers.Caller<String> creator = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            Callers.Caller<String> inHaste = callers.start(() -> hasty.getOrCreate("key", RegionViewsTest.this::next));
            Callers.Caller<String> patient = callers.start(() -> region.getOrCreate("key", RegionViewsTest.this::next));
            time.awaitParked(2);
            time.advance(SECOND);
            assertTrue(inHaste.failure() instanceof HardTimeoutException);
            held.letGo();
            assertEquals("value", patient.result());
            assertEquals("value", creator.result());
        }

        @Test
        void cacheIfAndCacheNullForOfAView_holdForWhatItsCallsCreate() {
            Region<String, String> none = region.with(o -> o.cacheIf(value -> false));
            assertEquals("key 1", none.getOrCreate("key", RegionViewsTest.this::next));
            assertEquals(Optional.empty(), region.peek("key"));
            region.getOrCreate("key", RegionViewsTest.this::next);
            assertEquals(Optional.of("key 2"), none.get("key"));

            Region<String, String> brief = region.with(o -> o.cacheNullFor(SECOND));
            brief.getOrCreate("null", k -> null);
            time.advance(Duration.ofSeconds(2));
            assertEquals(Optional.empty(), region.peek("null"));
        }

        @Test
        void whatAViewCreates_livesAsTheRegionSays_whateverTheViewsLimits() {
            Region<String, String> view = region.with(
                    o -> o.staleAfter(SECOND).expireAfter(Duration.ofSeconds(2)).cacheIf(value -> true));
            view.getOrCreate("key", k -> "value");
            view.put("put", "value");
            time.advance(TEN_SECONDS);
            assertEquals(Optional.of("value"), region.get("key"));
            assertEquals(Optional.of("value"), region.get("put"));
            assertEquals(Optional.empty(), view.peek("key"));
        }

        @Test
        void stats_areThoseOfTheRegion() {
            Region<String, String> counted = builder().recordStats().build();
            counted.with(RegionBuilder::neverStale).getOrCreate("key", k -> "value");
            assertEquals(1, counted.stats().creations());
            assertEquals(1, counted.with(RegionBuilder::neverStale).stats().misses());
        }

        @Test
        void refreshOnOfAView_isForItsCalls() {
            HandDriven executor = new HandDriven();
            Region<String, String> behind = region.with(o -> o.refreshOn(executor));
            region.put("key", "old");
            time.advance(Duration.ofSeconds(11));
            assertEquals("old", behind.getOrCreate("key", k -> "new"));
            assertEquals(1, executor.taken());
            executor.runAll();
            assertEquals(Optional.of("new"), region.get("key"));
        }

        @Test
        void close_endsTheRegion() {
            region.with(RegionBuilder::neverStale).close();
            assertThrows(IllegalStateException.class, () -> region.get("key"));
        }
    }
}
