package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.Held;
import java.io.ObjectInputFilter;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long values live, which are kept, and what is known of them. */
@Timeout(60) // seconds: a test that waits for ever says so
class RegionLivesTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration NANO = Duration.ofNanos(1);

    private final FakeTime time = new FakeTime();
    private final AtomicInteger creations = new AtomicInteger();
    private final Callers callers = new Callers();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("values").clock(time);
    }

    /** A clock that moves a millisecond each time it is looked at. */
    private TimeSource ticking() {
        return (TimeSource) Proxy.newProxyInstance(
                TimeSource.class.getClassLoader(), new Class<?>[] {TimeSource.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("nanos")) {
                        time.advance(Duration.ofMillis(1));
                    }
                    return method.invoke(time, arguments);
                });
    }

    private String next(String key) {
        return key + " " + creations.incrementAndGet();
    }

    private static Duration seconds(double seconds) {
        return Duration.ofNanos((long) (seconds * 1e9));
    }

    private void assertUsableFor(Duration life, Region<String, String> region, String key) {
        time.advance(life);
        assertTrue(region.peek(key).isPresent(), () -> "gone before " + life);
        time.advance(NANO);
        assertFalse(region.peek(key).isPresent(), () -> "still there after " + life);
    }

    @Nested
    class StaleAndExpired {
        @Test
        @Tag("C-013")
        @Tag("W-13")
        void anAgeEqualToTheLimit_isFresh_andTheNextNanosecondIsNot() {
            Region<String, String> region = builder()
                    .staleAfter(Duration.ofMillis(500))
                    .expireAfter(Duration.ofMillis(900))
                    .build();
            region.put("key", "value");
            time.advance(Duration.ofMillis(500));
            assertEquals(Optional.of("value"), region.get("key"));
            assertFalse(region.peek("key").orElseThrow().stale());
            time.advance(NANO);
            assertEquals(Optional.empty(), region.get("key"));
            assertTrue(region.peek("key").orElseThrow().stale());
            assertUsableFor(Duration.ofMillis(400).minus(NANO), region, "key");
        }

        @Test
        @Tag("C-014")
        void zero_isFreshUntilTheNextTick() {
            Region<String, String> region = builder().staleAfter(Duration.ZERO).build();
            region.put("key", "value");
            assertEquals(Optional.of("value"), region.get("key"));
            time.advance(NANO);
            assertEquals(Optional.empty(), region.get("key"));
            assertEquals("key 1", region.getOrCreate("key", RegionLivesTest.this::next));
            time.advance(NANO);
            assertEquals("key 2", region.getOrCreate("key", RegionLivesTest.this::next));
        }

        @Test
        @Tag("E-002")
        @Tag("C-065")
        void byDefault_neverEnds() {
            Region<String, String> region = builder().build();
            region.put("key", "value");
            time.advance(Duration.ofDays(36_500));
            assertEquals(Optional.of("value"), region.get("key"));
            assertEquals("value", region.getOrCreate("key", RegionLivesTest.this::next));
            assertEquals(Map.of("key", "value"), region.getAll(List.of("key")));
            assertEquals(Map.of("key", "value"), region.getOrCreateAll(List.of("key"), missing -> {
                throw new AssertionError("asked for " + missing);
            }));
        }

        @Test
        @Tag("C-069")
        @Tag("C-121")
        void lives_areCountedFromTheReturnOfTheCreator() {
            Region<String, String> region = builder().staleAfter(SECOND).build();
            Instant before = time.instant();
            region.getOrCreate("key", k -> {
                time.advance(seconds(10));
                return "value";
            });
            region.getOrCreateAll(List.of("a", "b"), missing -> {
                time.advance(seconds(10));
                return Map.of("a", "1", "b", "2");
            });
            assertEquals(
                    before.plusSeconds(10), region.peek("key").orElseThrow().createdAt());
            assertEquals(before.plusSeconds(20), region.peek("a").orElseThrow().createdAt());
            assertEquals(before.plusSeconds(20), region.peek("b").orElseThrow().createdAt());
            time.advance(SECOND);
            assertEquals(Map.of("a", "1", "b", "2"), region.getAll(List.of("a", "b")));
        }

        @Test
        @Tag("C-055")
        void manyKeys_areJudgedByOneMoment_howeverTimeRuns() {
            List<Integer> keys = List.of(1, 2, 3, 4, 5);
            Region<Integer, String> region = Region.<Integer, String>builder("numbers")
                    .staleAfter(Duration.ofMillis(100))
                    .clock(ticking())
                    .build();
            for (int age = 80; age <= 100; age++) {
                keys.forEach(key -> region.put(key, "value"));
                keys.forEach(region::invalidate);
                region.putAll(Map.of(1, "1", 2, "2", 3, "3", 4, "4", 5, "5"));
                time.advance(Duration.ofMillis(age));
                int fresh = region.getAll(keys).size();
                assertTrue(fresh == 0 || fresh == 5, fresh + " of 5 were judged fresh");
                long stale = region.peekAll(keys).values().stream()
                        .filter(CachedValue::stale)
                        .count();
                assertTrue(stale == 0 || stale == 5, stale + " of 5 were judged stale");
            }
        }

        @Test
        void aWallClockThatJumps_agesNothing() {
            Region<String, String> region = builder().staleAfter(SECOND).build();
            region.put("key", "value");
            time.jumpWall(Duration.ofDays(1));
            assertEquals(Optional.of("value"), region.get("key"));
            time.jumpWall(Duration.ofDays(-2));
            time.advance(SECOND.plus(NANO));
            assertEquals(Optional.empty(), region.get("key"));
        }
    }

    @Nested
    class Nulls {
        @Test
        void cacheNullFor_isTheLifeOfANull_whichIsNeverStale() {
            Region<String, String> region = builder()
                    .staleAfter(seconds(100))
                    .expireAfter(seconds(200))
                    .cacheNullFor(seconds(5))
                    .build();
            assertNull(region.getOrCreate("created", k -> null));
            region.put("put", null);
            time.advance(seconds(5));
            assertNull(region.getOrCreate("created", RegionLivesTest.this::next));
            assertFalse(region.peek("put").orElseThrow().stale());
            time.advance(NANO);
            assertEquals(Optional.empty(), region.peek("created"));
            assertEquals(Optional.empty(), region.peek("put"));
            assertEquals("created 1", region.getOrCreate("created", RegionLivesTest.this::next));
        }

        @Test
        void cacheNullFor_withJitter_isNeverStale() {
            Region<String, String> region =
                    builder().cacheNullFor(seconds(10)).jitter(1).seed(7).build();
            for (int i = 0; i < 20; i++) {
                String key = "key" + i;
                region.put(key, null);
                while (region.peek(key).isPresent()) {
                    assertFalse(region.peek(key).orElseThrow().stale());
                    time.advance(Duration.ofMillis(50));
                }
            }
        }

        @Test
        void cacheNullForZero_storesNothing_andHandsTheNullToAllWhoWaited() throws Exception {
            Region<String, String> region =
                    builder().cacheNullFor(Duration.ZERO).build();
            Held<String> held = new Held<>(null);
            List<Callers.Caller<String>> all = callers.start(4, () -> region.getOrCreate("key", held));
            held.awaitBegun();
            time.awaitParked(3);
            held.letGo();
            all.forEach(caller -> assertNull(caller.result()));
            assertEquals(1, held.calls());
            assertEquals(Optional.empty(), region.peek("key"));
            region.put("key", "value");
            region.put("key", null);
            assertEquals(Optional.empty(), region.peek("key"));
        }

        @Test
        @Tag("C-036")
        void withoutIt_aNullLivesAsAnyValue_andIsToldFromAMissByPeek() {
            Region<String, String> region = builder().staleAfter(SECOND).build();
            region.put("key", null);
            assertEquals(Optional.empty(), region.get("key"));
            assertTrue(region.peek("key").isPresent());
            assertTrue(region.getAll(List.of("key", "other")).containsKey("key"));
            assertFalse(region.getAll(List.of("key", "other")).containsKey("other"));
            time.advance(SECOND.plus(NANO));
            assertTrue(region.peek("key").orElseThrow().stale());
        }
    }

    @Nested
    class CacheIf {
        @Test
        @Tag("C-067")
        @Tag("W-43")
        void isAskedOncePerCreation_withKeyAndValue_andNeverOnAHitOrAPut() {
            List<String> asked = new ArrayList<>();
            Region<String, String> region = builder()
                    .cacheIf((key, value) -> asked.add(key + "=" + value))
                    .build();
            region.getOrCreate("key", k -> "value");
            region.getOrCreate("key", k -> "another");
            region.get("key");
            region.put("key", "put");
            region.getOrCreateAll(List.of("a", "b"), missing -> Map.of("a", "1", "b", "2"));
            assertEquals(List.of("key=value", "a=1", "b=2"), asked);
        }

        @Test
        void knowsTheKey_asTheCallerGaveIt_alsoWhereKeysAreRendered() {
            List<String> asked = new ArrayList<>();
            Region<String, String> region = builder()
                    .keys(key -> "text of " + key)
                    .cacheIf((key, value) -> asked.add(key))
                    .expireAfter((key, value) -> {
                        asked.add("life of " + key);
                        return null;
                    })
                    .build();
            region.getOrCreate("key", k -> "value");
            assertEquals(List.of("key", "life of key"), asked);
        }

        @Test
        @Tag("C-067")
        void thatThrows_keepsTheValueFromBeingStored_andNothingElse() {
            Region<String, String> region = builder()
                    .recordStats()
                    .cacheIf(value -> {
                        throw new IllegalStateException("picky");
                    })
                    .build();
            assertEquals("value", region.getOrCreate("key", k -> "value"));
            assertEquals(Optional.empty(), region.peek("key"));
            assertFalse(region.isCreating("key"));
            assertEquals(1, region.stats().writesRefused(Slot.Published.Outcome.UNKNOWN));
        }

        @Test
        @Tag("C-068")
        @Tag("W-22")
        void thatRefuses_isOneCreationForAllWhoWaited() throws Exception {
            Region<String, String> region = builder().cacheIf(value -> false).build();
            Held<String> held = new Held<>("value");
            List<Callers.Caller<String>> all = callers.start(4, () -> region.getOrCreate("key", held));
            held.awaitBegun();
            time.awaitParked(3);
            held.letGo();
            all.forEach(caller -> assertEquals("value", caller.result()));
            assertEquals(1, held.calls());
            assertEquals("key 1", region.getOrCreate("key", RegionLivesTest.this::next));
        }

        @Test
        void thatRefusesARefresh_leavesWhatWasStored() {
            Region<String, String> region =
                    builder().cacheIf(value -> !value.isEmpty()).build();
            region.put("key", "value");
            assertEquals("", region.refresh("key", k -> ""));
            assertEquals(Optional.of("value"), region.get("key"));
        }

        @Test
        @Tag("C-105")
        @Tag("E-022")
        void inABatch_isAskedOfEach_andWhereAllAreRefusedTheBackendStoresNothing() {
            SpyBackend spy = new SpyBackend();
            Region<String, String> region = builder()
                    .backend(spy)
                    .cacheIf(value -> value.startsWith("k"))
                    .build();
            Map<String, String> made = Map.of("a", "keep", "b", "refuse");
            assertEquals(made, region.getOrCreateAll(List.of("a", "b"), missing -> made));
            assertEquals(
                    List.of("a"), List.copyOf(region.peekAll(List.of("a", "b")).keySet()));
            spy.asked();
            region.getOrCreateAll(List.of("b", "c"), missing -> Map.of("b", "x", "c", "x"));
            assertTrue(spy.asked().stream().noneMatch(verb -> verb.startsWith("p")), "something was published or put");
        }
    }

    @Nested
    class ComputedFromTheValue {
        private final Region<String, String> region = builder()
                .staleAfter(seconds(10))
                .expireAfter(seconds(60))
                .build()
                .with(o ->
                        o.expireAfter(value -> value.isEmpty() ? null : Duration.ofSeconds(Integer.parseInt(value))));

        @Test
        void overridesExpireAfter_forValuesThatAreCreatedOrPut() {
            region.getOrCreate("created", k -> "30");
            assertUsableFor(seconds(30), region, "created");
            region.put("put", "20");
            assertUsableFor(seconds(20), region, "put");
        }

        @Test
        void null_isTheRegionsOwn() {
            region.put("key", "");
            assertUsableFor(seconds(60), region, "key");
        }

        @Test
        void shorterThanStaleAfter_isNeverStale() {
            region.put("key", "5");
            time.advance(seconds(5));
            assertFalse(region.peek("key").orElseThrow().stale());
            time.advance(NANO);
            assertFalse(region.peek("key").isPresent());
        }

        @Test
        void zero_isGoneAtTheNextTick() {
            region.put("key", "0");
            assertUsableFor(Duration.ZERO, region, "key");
        }

        @Test
        void negativeOrFailing_keepsACreatedValueFromBeingStored_andRefusesAPut() {
            assertEquals("-1", region.getOrCreate("negative", k -> "-1"));
            assertEquals("no number", region.getOrCreate("failing", k -> "no number"));
            assertEquals(Map.of(), region.peekAll(List.of("negative", "failing")));
            region.put("key", "20");
            assertThrows(IllegalArgumentException.class, () -> region.put("key", "-1"));
            assertThrows(NumberFormatException.class, () -> region.put("key", "no number"));
            assertThrows(NumberFormatException.class, () -> region.putAll(Map.of("key", "no number")));
            assertEquals(Optional.of("20"), region.get("key"));
        }

        @Test
        void perRegion_withTheKey() {
            Region<Integer, String> byKey = Region.<Integer, String>builder("numbers")
                    .clock(time)
                    .expireAfter((key, value) -> Duration.ofSeconds(key))
                    .build();
            byKey.getOrCreateAll(List.of(1, 2), missing -> Map.of(1, "one", 2, "two"));
            time.advance(seconds(1).plus(NANO));
            assertEquals(Map.of(2, "two"), byKey.getAll(List.of(1, 2)));
        }
    }

    @Nested
    class Jitter {
        @Test
        void cutsBothLives_byAtMostItsShare_theSameForTheSameSeed() {
            List<Duration> once = livesOf(region(5));
            assertEquals(once, livesOf(region(5)));
            assertTrue(once.stream().distinct().count() > 10, once::toString);
            assertTrue(
                    once.stream().allMatch(life -> life.compareTo(seconds(8)) >= 0 && life.compareTo(seconds(10)) <= 0),
                    once::toString);
            assertTrue(once.stream().anyMatch(life -> life.compareTo(seconds(8.5)) < 0), once::toString);
            assertTrue(once.stream().anyMatch(life -> life.compareTo(seconds(9.5)) > 0), once::toString);
        }

        @Test
        void ofALifeThatNeverEnds_cutsNothing() {
            Region<String, String> region = builder().jitter(1).seed(1).build();
            region.put("key", "value");
            time.advance(Duration.ofDays(100_000));
            assertEquals(Optional.of("value"), region.get("key"));
        }

        private Region<String, String> region(long seed) {
            return builder()
                    .staleAfter(seconds(10))
                    .expireAfter(seconds(20))
                    .jitter(0.2)
                    .seed(seed)
                    .build();
        }

        private List<Duration> livesOf(Region<String, String> region) {
            List<Duration> lives = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                Duration life = Duration.ZERO;
                region.put("key", "value");
                while (region.get("key").isPresent()) {
                    time.advance(Duration.ofMillis(20));
                    life = life.plusMillis(20);
                }
                assertTrue(region.peek("key").orElseThrow().stale());
                lives.add(life.minusMillis(20));
                time.advance(seconds(20).minus(life));
                assertFalse(region.peek("key").isPresent());
            }
            return lives;
        }
    }

    @Nested
    class Metadata {
        @Test
        @Tag("C-045")
        @Tag("C-048")
        void tellsCreationTimeAgeAndCost() {
            Region<String, String> region = builder().staleAfter(seconds(4)).build();
            region.getOrCreate("created", k -> {
                time.advance(seconds(3));
                return "value";
            });
            Instant createdAt = time.instant();
            region.put("put", "old");
            time.advance(seconds(4));
            CachedValue<String> created = region.peek("created").orElseThrow();
            assertEquals(new CachedValue<>("value", createdAt, seconds(4), seconds(3), false), created);
            time.advance(SECOND);
            assertEquals(seconds(4), created.age());
            assertEquals(seconds(5), region.peek("created").orElseThrow().age());
            assertTrue(region.peek("created").orElseThrow().stale());
            region.put("put", "new");
            assertEquals(
                    new CachedValue<>("new", createdAt.plusSeconds(5), Duration.ZERO, Duration.ZERO, false),
                    region.peek("put").orElseThrow());
        }

        @Test
        @Tag("C-046")
        @Tag("C-047")
        void ofNothingOrOfWhatExpired_isEmpty_butForAViewThatIgnoresExpiry() {
            Region<String, String> region = builder().expireAfter(seconds(4)).build();
            assertEquals(Optional.empty(), region.peek("key"));
            region.put("key", "value");
            Instant createdAt = time.instant();
            time.advance(seconds(5));
            assertEquals(Optional.empty(), region.peek("key"));
            CachedValue<String> found =
                    region.with(RegionBuilder::ignoreExpiry).peek("key").orElseThrow();
            assertEquals(new CachedValue<>("value", createdAt, seconds(5), Duration.ZERO, false), found);
        }

        @Test
        @Tag("E-019")
        void ofMany_isThatOfEach_inTheOrderAsked() {
            Region<String, String> region = builder().staleAfter(SECOND).build();
            region.put("old", "1");
            time.advance(seconds(2));
            region.put("new", "2");
            Map<String, CachedValue<String>> found = region.peekAll(List.of("new", "none", "old"));
            assertEquals(List.of("new", "old"), List.copyOf(found.keySet()));
            assertEquals(region.peek("old").orElseThrow(), found.get("old"));
            assertTrue(found.get("old").stale());
            assertFalse(found.get("new").stale());
        }

        @Test
        void doesNotShowTheValue_inItsText() {
            Region<String, String> region = builder().build();
            region.put("key", "secret");
            assertFalse(region.peek("key").orElseThrow().toString().contains("secret"));
        }

        @Test
        @Tag("C-057")
        @Tag("W-09")
        void ofAllThatWerePutTogether_isOneCreationTime() {
            Region<String, String> region = builder().clock(ticking()).build();
            region.putAll(Map.of("a", "1", "b", "2", "c", "3"));
            assertEquals(
                    1,
                    region.peekAll(List.of("a", "b", "c")).values().stream()
                            .map(CachedValue::createdAt)
                            .distinct()
                            .count());
        }
    }

    @Nested
    class ByReferenceAndAsCopies {
        @Test
        @Tag("D-020")
        @Tag("C-072")
        void withoutASerializer_everybodyHasTheCreatorsOwnObject() {
            Region<String, List<Integer>> region =
                    Region.<String, List<Integer>>builder("lists").clock(time).build();
            List<Integer> made = new ArrayList<>(List.of(1));
            assertSame(made, region.getOrCreate("key", k -> made));
            made.add(2);
            assertSame(made, region.get("key").orElseThrow());
            assertEquals(List.of(1, 2), region.get("key").orElseThrow());
        }

        @Test
        @Tag("D-022")
        @Tag("C-072")
        @Tag("E-036")
        void withASerializer_theCreatorsCallerHasItsOwnObject_andEachReaderACopy() {
            Region<String, ArrayList<Integer>> region = Region.<String, ArrayList<Integer>>builder("lists")
                    .serializer(lists())
                    .clock(time)
                    .build();
            ArrayList<Integer> made = new ArrayList<>(List.of(1));
            assertSame(made, region.getOrCreate("key", k -> made));
            made.add(2);
            List<Integer> one = region.get("key").orElseThrow();
            assertEquals(List.of(1), one);
            one.add(3);
            assertEquals(List.of(1), region.getOrCreate("key", k -> made));
            assertNotSame(region.get("key").orElseThrow(), region.get("key").orElseThrow());
        }

        @SuppressWarnings({"unchecked", "rawtypes"}) // the class of a list does not tell of what
        private Serializer<ArrayList<Integer>> lists() {
            return (Serializer)
                    Serializer.jdk(ArrayList.class, ObjectInputFilter.Config.createFilter("java.base/*;maxbytes=1000"));
        }

        @Test
        @Tag("D-019")
        @Tag("D-018")
        void onAUsersMap_nullsAreHeld_andASecondRegionIsRefused() {
            ConcurrentMap<Object, Object> map = new ConcurrentHashMap<>();
            MemoryBackend backend = MemoryBackend.on(map);
            Region<String, String> region = builder().backend(backend).build();
            region.put("key", null);
            assertTrue(map.containsKey("key"));
            assertTrue(region.peek("key").isPresent());
            var refused = assertThrows(
                    IllegalArgumentException.class,
                    () -> Region.builder("other").backend(backend).build());
            assertTrue(refused.getMessage().contains("'other'")
                    && refused.getMessage().contains("'values'"));
        }
    }
}
