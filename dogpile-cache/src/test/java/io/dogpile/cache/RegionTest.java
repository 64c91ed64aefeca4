package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a region does for one caller at a time. */
class RegionTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeTime time = new FakeTime();
    private final AtomicInteger creations = new AtomicInteger();
    private final Region<String, Integer> region = builder().build();

    private RegionBuilder<String, Integer> builder() {
        return Region.<String, Integer>builder("numbers").clock(time);
    }

    private Integer next(String key) {
        return creations.incrementAndGet();
    }

    @Nested
    class GetOrCreate {
        @Test
        @Tag("C-061")
        void missing_isCreatedOnce_andThenFound() {
            assertEquals(1, region.getOrCreate("key", RegionTest.this::next));
            assertEquals(1, region.getOrCreate("key", RegionTest.this::next));
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("C-063")
        @Tag("C-041")
        @Tag("C-065")
        void expired_isCreatedAnew_andIgnoredExpiryFindsTheOld() {
            Region<String, Integer> brief = builder().staleAfter(SECOND).build();
            Region<String, Integer> never = brief.with(RegionBuilder::ignoreExpiry);
            assertEquals(1, brief.getOrCreate("key", RegionTest.this::next));
            time.advance(SECOND.multipliedBy(2));
            assertEquals(Optional.empty(), brief.get("key"));
            assertEquals(Optional.of(1), never.get("key"));
            assertEquals(1, never.getOrCreate("key", RegionTest.this::next));
            assertEquals(2, brief.getOrCreate("key", RegionTest.this::next));
            assertEquals(Optional.of(2), brief.get("key"));
        }

        @Test
        @Tag("C-013")
        void aLife_keepsItsMilliseconds() {
            Region<String, Integer> brief =
                    builder().staleAfter(Duration.ofMillis(500)).build();
            brief.put("key", 7);
            time.advance(Duration.ofMillis(500));
            assertEquals(Optional.of(7), brief.get("key"));
            time.advance(Duration.ofNanos(1));
            assertEquals(Optional.empty(), brief.get("key"));
        }
    }

    @Nested
    class Invalidated {
        @Test
        @Tag("C-043")
        @Tag("C-085")
        void soft_isStale_andFreshOnceCreatedAnew() {
            region.put("key", 7);
            region.invalidateAll(Invalidation.SOFT);
            assertEquals(Optional.empty(), region.get("key"));
            assertTrue(region.peek("key").orElseThrow().stale());
            assertEquals(1, region.getOrCreate("key", RegionTest.this::next));
            assertEquals(1, region.getOrCreate("key", RegionTest.this::next));
        }

        @Test
        @Tag("C-090")
        void softAfterHard_revivesNothing() {
            region.put("key", 7);
            region.invalidateAll(Invalidation.HARD);
            region.invalidateAll(Invalidation.SOFT);
            assertEquals(Optional.empty(), region.peek("key"));
        }
    }

    @Nested
    class Bulk {
        @Test
        @Tag("C-101")
        @Tag("C-107")
        void many_areReturnedInTheirOrder_andCreatedOnce() {
            region.put("b", 100);
            Map<String, Integer> all = region.getOrCreateAll(List.of("c", "b", "a", "c"), missing -> {
                assertEquals(List.of("c", "a"), List.copyOf(missing));
                return Map.of("a", 1, "c", 3, "x", 9);
            });
            assertEquals(List.of("c", "b", "a"), List.copyOf(all.keySet()));
            assertEquals(Map.of("c", 3, "b", 100, "a", 1), all);
            assertFalse(region.peek("x").isPresent());
        }
    }

    @Nested
    class Closed {
        @Test
        void everyCall_isRefused() {
            region.put("key", 7);
            region.close();
            var refused = assertThrows(IllegalStateException.class, () -> region.getOrCreate("key", k -> 1));
            assertTrue(refused.getMessage().contains("'numbers'"), refused.getMessage());
            assertThrows(IllegalStateException.class, () -> region.get("key"));
        }
    }

    @Test
    @Tag("C-037")
    void aNull_isAValue() {
        assertNull(region.getOrCreate("key", k -> null));
        assertTrue(region.peek("key").isPresent());
        assertSame(null, region.getOrCreate("key", RegionTest.this::next));
        assertEquals(0, creations.get());
    }

    @Test
    @Tag("E-008")
    void get_givesThePayload_neverItsMetadata() {
        region.put("key", 7);
        int payload = region.get("key").orElseThrow();
        assertEquals(7, payload);
    }

    @Test
    void aConditionOfTheValueAlone_thatReplacesOneOfTheKey_letsNamespacesIn() {
        Region<String, Integer> keyed = builder().cacheIf((key, value) -> true).build();
        assertThrows(IllegalArgumentException.class, () -> keyed.cached("space", (Long id) -> 1));
        Region<String, Integer> view = keyed.with(o -> o.cacheIf(value -> value > 0));
        assertEquals(1, view.cached("space", (Long id) -> 1).apply(7L));
        assertEquals(
                1,
                builder()
                        .cacheIf((key, value) -> true)
                        .cacheIf(value -> true)
                        .build()
                        .cached("space", (Long id) -> 1)
                        .apply(7L));
    }
}
