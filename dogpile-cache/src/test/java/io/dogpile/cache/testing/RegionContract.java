package io.dogpile.cache.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.CachedValue;
import io.dogpile.cache.KeyedCreator;
import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a region does whatever its backend, for whoever writes one: a subclass gives the backend, and nothing else unless
 * its values live by a clock of their own.
 *
 * <p>Each test opens a region of a name that was never used before. A backend may forget values sooner than asked only
 * where {@link #pass} has passed time.
 */
@Tag("D-006")
@Tag("D-007")
@Tag("D-008")
@Tag("C-185")
@Timeout(60) // seconds: a test that waits for ever says so
public abstract class RegionContract {
    private static final Duration LIFE = Duration.ofSeconds(1);
    private static final Duration BEYOND_LIFE = Duration.ofSeconds(2);
    private static final int THREADS = 10;
    private static final int ROUNDS = 5;

    private final FakeTime fake = new FakeTime();
    private final List<Region<String, String>> opened = new ArrayList<>();
    private final AtomicInteger creations = new AtomicInteger();
    private final Callers callers = new Callers();
    private Region<String, String> region;

    /**
     * The backend that is held to this contract.
     *
     * @return the backend; a new one, or the same for all tests
     */
    protected abstract Backend backend();

    /**
     * How the region's values become bytes.
     *
     * @return the serializer, or null for a region without one
     */
    protected @Nullable Serializer<String> serializer() {
        return Serializer.string();
    }

    /**
     * The clock of the region. By default it moves only by {@link #pass}.
     *
     * @return the clock by which the backend's values live
     */
    protected TimeSource time() {
        return fake;
    }

    /**
     * Lets time pass.
     *
     * @param time for how long; a backend whose clock cannot be moved waits
     * @throws InterruptedException if it was interrupted meanwhile
     */
    protected void pass(Duration time) throws InterruptedException {
        fake.advance(time);
    }

    /**
     * A region on the backend, for tests that a subclass adds.
     *
     * @return a builder whose region is to be {@linkplain #open opened}
     */
    protected final RegionBuilder<String, String> builder() {
        RegionBuilder<String, String> builder = Region.<String, String>builder("contract-" + UUID.randomUUID())
                .backend(backend())
                .clock(time());
        Serializer<String> serializer = serializer();
        return serializer == null ? builder : builder.serializer(serializer);
    }

    /**
     * Builds a region that is closed after the test.
     *
     * @param builder what to build
     * @return the region
     */
    protected final Region<String, String> open(RegionBuilder<String, String> builder) {
        Region<String, String> built = builder.build();
        opened.add(built);
        return built;
    }

    /**
     * Closes what this test made, such as a connection. Called when the suite is done with it; an {@code @AfterEach} of a
     * subclass is called too early.
     *
     * @throws Exception if that fails, and with it the test
     */
    protected void closeStore() throws Exception {}

    @BeforeEach
    void openRegion() {
        region = open(builder());
    }

    @AfterEach
    void closeRegions() throws Exception {
        callers.close();
        try {
            opened.forEach(Region::close);
        } finally {
            closeStore();
        }
    }

    private String next(String key) {
        return key + " " + creations.incrementAndGet();
    }

    @Nested
    class PutAndGet {
        @Test
        @Tag("C-034")
        @Tag("E-008")
        void whatWasPut_isGot() {
            region.put("some key", "some value");
            assertEquals(Optional.of("some value"), region.get("some key"));
            region.put("some key", "another");
            assertEquals(Optional.of("another"), region.get("some key"));
        }

        @Test
        @Tag("C-035")
        void whatWasNeverPut_isMissing_alsoForAViewAndAfterAnInvalidation() {
            assertEquals(Optional.empty(), region.get("some key"));
            assertEquals(
                    Optional.empty(),
                    region.with(o -> o.staleAfter(Duration.ofSeconds(10))).get("some key"));
            region.invalidateAll(Invalidation.SOFT);
            region.invalidateAll(Invalidation.HARD);
            assertEquals(Optional.empty(), region.get("some key"));
            assertEquals(Optional.empty(), region.peek("some key"));
        }

        @Test
        @Tag("C-034")
        void twoRegionsOfOneBackend_doNotSeeEachOthersValues() {
            Region<String, String> other = open(builder());
            region.put("key", "mine");
            assertEquals(Optional.empty(), other.get("key"));
            other.put("key", "its own");
            assertEquals(Optional.of("mine"), region.get("key"));
            other.invalidateAll(Invalidation.HARD);
            assertEquals(Optional.of("mine"), region.get("key"));
        }

        @Test
        @Tag("C-037")
        void aNull_isAPresentValue_andNotCreatedAgain() {
            region.put("put", null);
            assertNull(region.getOrCreate("created", k -> null));
            for (String key : List.of("put", "created")) {
                assertTrue(region.peek(key).isPresent(), key);
                assertNull(region.peek(key).orElseThrow().value(), key);
                assertNull(region.getOrCreate(key, RegionContract.this::next), key);
                assertTrue(region.getAll(List.of(key)).containsKey(key), key);
            }
            assertEquals(0, creations.get());
        }

        @Test
        void keysOfAllKinds_areKeptApart() {
            List<String> keys = List.of(
                    "a b",
                    "a",
                    " a",
                    "a ",
                    "A",
                    "a|b",
                    "a/b",
                    "a:b",
                    "a%20b",
                    "\u00e9",
                    "e\u0301",
                    "\ud83d\ude00",
                    "",
                    "\n",
                    "'",
                    "{x}");
            keys.forEach(key -> region.put(key, "value of " + key));
            String longKey = "k".repeat(5_000);
            region.put(longKey, "long");
            region.put(longKey + "k", "longer");
            keys.forEach(key -> assertEquals(Optional.of("value of " + key), region.get(key)));
            assertEquals(Optional.of("long"), region.get(longKey));
            assertEquals(Optional.of("longer"), region.get(longKey + "k"));
        }

        @Test
        @Tag("C-050")
        void invalidatedTwice_orNeverPut_isMissing() {
            region.put("key", "value");
            region.invalidate("key");
            assertEquals(Optional.empty(), region.get("key"));
            region.invalidate("key");
            region.invalidate("never put");
            assertEquals(Optional.empty(), region.peek("key"));
        }

        @Test
        @Tag("C-045")
        @Tag("C-046")
        @Tag("C-048")
        void metadata_tellsTimeAgeAndStaleness() throws Exception {
            assertEquals(Optional.empty(), region.peek("key"));
            region.put("key", "old");
            pass(BEYOND_LIFE);
            region.put("key", "value");
            CachedValue<String> before = region.peek("key").orElseThrow();
            pass(BEYOND_LIFE);
            CachedValue<String> found = region.peek("key").orElseThrow();
            assertEquals("value", found.value());
            assertEquals(before.createdAt(), found.createdAt());
            assertTrue(found.age().compareTo(LIFE) >= 0, found::toString);
            assertTrue(before.age().compareTo(LIFE) < 0, before::toString);
            assertFalse(found.stale());
        }
    }

    @Nested
    class Many {
        private final List<String> six = List.of("key1", "key2", "key3", "key4", "key5", "key6");

        @Test
        @Tag("C-052")
        @Tag("C-057")
        void getAll_findsThoseThatAreThere_inTheOrderAsked() {
            Map<String, String> given = Collections.unmodifiableMap(
                    new LinkedHashMap<>(Map.of("key5", "five", "key1", "one", "key3", "three")));
            region.putAll(given);
            Map<String, String> found = region.getAll(List.of("key5", "key2", "key1", "key4", "key3", "key1"));
            assertEquals(List.of("key5", "key1", "key3"), List.copyOf(found.keySet()));
            assertEquals(given, found);
            assertEquals(Optional.of("one"), region.get("key1"));
            assertEquals(Map.of(), region.getAll(List.of("key2", "key4")));
        }

        @Test
        @Tag("C-053")
        @Tag("C-058")
        @Tag("C-060")
        void nothing_isFoundStoredAndForgotten_forNothing() {
            assertEquals(Map.of(), region.getAll(List.of()));
            assertEquals(Map.of(), region.peekAll(List.of()));
            region.putAll(Map.of());
            region.invalidateAll(List.of());
            assertEquals(Map.of(), region.getOrCreateAll(List.of(), missing -> {
                throw new AssertionError("asked for " + missing);
            }));
        }

        @Test
        @Tag("C-059")
        void invalidateAll_forgetsThoseNamed_andIgnoresWhatIsNotThere() {
            region.putAll(Map.of("key1", "one", "key2", "two", "key3", "three"));
            region.invalidateAll(List.of("key2", "key10", "key1000"));
            assertEquals(Map.of("key1", "one", "key3", "three"), region.getAll(six));
        }

        @Test
        @Tag("C-101")
        @Tag("C-102")
        @Tag("C-107")
        void getOrCreateAll_createsWhatIsMissing_once_inTheOrderAsked() {
            region.put("key2", "kept");
            List<List<String>> asked = new ArrayList<>();
            Map<String, String> got = region.getOrCreateAll(List.of("key3", "key2", "key5", "key3"), missing -> {
                asked.add(List.copyOf(missing));
                return missing.stream().collect(Collectors.toMap(k -> k, k -> k + "!"));
            });
            assertEquals(List.of(List.of("key3", "key5")), asked);
            assertEquals(List.of("key3", "key2", "key5"), List.copyOf(got.keySet()));
            assertEquals(Map.of("key3", "key3!", "key2", "kept", "key5", "key5!"), got);
            assertEquals(got, region.getAll(List.of("key2", "key3", "key5")));
        }

        @Test
        @Tag("C-105")
        void getOrCreateAll_whereAllAreRefused_returnsThem_andStoresNothing() {
            Region<String, String> picky = open(builder().cacheIf(value -> false));
            Map<String, String> nulls = new LinkedHashMap<>();
            six.subList(0, 3).forEach(key -> nulls.put(key, null));
            assertEquals(nulls, picky.getOrCreateAll(six.subList(0, 3), missing -> nulls));
            assertEquals(Map.of(), picky.peekAll(six));
        }

        @Test
        @Tag("C-103")
        void getOrCreateAll_createsExpiredOnesAnew() throws Exception {
            Region<String, String> brief = open(builder().staleAfter(LIFE));
            Region.BulkCreator<String, String> counting =
                    missing -> missing.stream().collect(Collectors.toMap(k -> k, RegionContract.this::next));
            Map<String, String> first = brief.getOrCreateAll(List.of("key3", "key2"), counting);
            pass(BEYOND_LIFE);
            assertEquals(
                    first, brief.with(RegionBuilder::ignoreExpiry).getOrCreateAll(List.of("key3", "key2"), counting));
            Map<String, String> second = brief.getOrCreateAll(List.of("key3", "key2"), counting);
            assertEquals(4, creations.get());
            assertEquals(second, brief.getAll(List.of("key3", "key2")));
            assertEquals(Optional.of(second.get("key2")), brief.get("key2"));
        }
    }

    @Nested
    class GetOrCreate {
        @Test
        @Tag("C-061")
        void missing_isCreatedOnce() {
            assertEquals("key 1", region.getOrCreate("key", RegionContract.this::next));
            assertEquals("key 1", region.getOrCreate("key", RegionContract.this::next));
            assertEquals(Optional.of("key 1"), region.get("key"));
        }

        @Test
        @Tag("C-063")
        @Tag("C-041")
        @Tag("C-065")
        @Tag("D-009")
        void expiry_makesNew_andIgnoringItFindsTheOld() throws Exception {
            Region<String, String> brief = open(builder().staleAfter(LIFE));
            Region<String, String> never = brief.with(RegionBuilder::ignoreExpiry);
            assertEquals("key 1", brief.getOrCreate("key", RegionContract.this::next));
            pass(BEYOND_LIFE);
            assertEquals(Optional.empty(), brief.get("key"));
            assertEquals(Optional.of("key 1"), never.get("key"));
            assertEquals("key 1", never.getOrCreate("key", RegionContract.this::next));
            assertEquals("key 2", brief.getOrCreate("key", RegionContract.this::next));
            assertEquals(Optional.of("key 2"), brief.get("key"));
        }

        @Test
        @Tag("C-073")
        void aCreatorThatThrows_isHeardUnchanged_andLeavesNothingBehind() {
            RuntimeException boom = new IllegalStateException("boom");
            assertSame(
                    boom,
                    assertThrows(
                            IllegalStateException.class,
                            () -> region.getOrCreate("key", k -> {
                                throw boom;
                            })));
            assertEquals(Optional.empty(), region.peek("key"));
            assertFalse(region.isCreating("key"));
            assertEquals("key 1", region.getOrCreate("key", RegionContract.this::next));
        }

        @Test
        @Tag("C-077")
        @Tag("D-017")
        void aCreator_mayAskForAnotherKey() {
            for (int round = 0; round < 2; round++) {
                assertEquals(
                        "foobar", region.getOrCreate("foo", k -> "foo" + region.getOrCreate("bar", other -> other)));
            }
        }

        @Test
        @Tag("C-066")
        void refusedValues_areReturned_andWhatWasStoredStays() throws Exception {
            Region<String, String> picky = open(builder().staleAfter(LIFE).cacheIf(value -> !value.endsWith("2")));
            assertEquals("key 1", picky.getOrCreate("key", RegionContract.this::next));
            picky.invalidate("key", Invalidation.SOFT);
            assertEquals("key 2", picky.getOrCreate("key", RegionContract.this::next));
            assertEquals("key 1", picky.peek("key").orElseThrow().value());
            assertEquals("key 3", picky.getOrCreate("key", RegionContract.this::next));
            assertEquals(Optional.of("key 3"), picky.get("key"));
        }

        @Test
        void cacheIfNone_storesNothing_andHandsTheValueToAllWhoWaited() throws Exception {
            Region<String, String> none = open(builder().cacheIf(value -> false));
            Held<String> held = new Held<>("value");
            List<Callers.Caller<String>> all = callers.start(4, () -> none.getOrCreate("key", held));
            Callers.awaitWaiting(all);
            held.awaitBegun();
            held.letGo();
            all.forEach(caller -> assertEquals("value", caller.result()));
            assertEquals(1, held.calls());
            assertEquals(Optional.empty(), none.peek("key"));
        }

        @Test
        @Tag("D-005")
        @Tag("C-097")
        void isCreating_isTrueWhileACreatorRuns_andDisturbsNobody() throws Exception {
            String key = UUID.randomUUID().toString();
            assertFalse(region.isCreating(key));
            assertFalse(region.isCreating(key));
            Held<String> held = new Held<>("value");
            Callers.Caller<String> creator = callers.start(() -> region.getOrCreate(key, held));
            held.awaitBegun();
            assertTrue(region.isCreating(key));
            assertTrue(callers.start(() -> region.isCreating(key)).result());
            assertFalse(region.isCreating("another " + key));
            held.letGo();
            assertEquals("value", creator.result());
            assertFalse(region.isCreating(key));
        }

        @Test
        @Tag("C-042")
        @Tag("E-045")
        void get_whileACreatorRuns_isAMissAtOnce_andCreatesNothing() throws Exception {
            region.put("stale", "old");
            region.invalidate("stale", Invalidation.SOFT);
            for (String key : List.of("stale", "absent")) {
                Held<String> held = new Held<>("new");
                Callers.Caller<String> creator = callers.start(() -> region.getOrCreate(key, held));
                held.awaitBegun();
                assertEquals(Optional.empty(), region.get(key));
                assertEquals(Map.of(), region.getAll(List.of(key)));
                assertEquals(key.equals("stale"), region.peek(key).isPresent());
                held.letGo();
                assertEquals("new", creator.result());
                assertEquals(Optional.of("new"), region.get(key));
            }
        }

        @Test
        void whileOneRefreshes_othersKeepThePresentValue_alsoThoseWhoNeverTakeAStaleOne() throws Exception {
            region.put("key", "old");
            Held<String> held = new Held<>("new");
            Callers.Caller<String> refreshing = callers.start(() -> region.refresh("key", k -> held.create()));
            held.awaitBegun();
            Callers.Caller<String> other = callers.start(() -> region.getOrCreate("key", k -> "never"));
            Region<String, String> strict = region.with(RegionBuilder::neverStale);
            Callers.Caller<String> strictly = callers.start(() -> strict.getOrCreate("key", k -> "never"));
            assertEquals("old", other.result());
            assertEquals("old", strictly.result());
            held.letGo();
            assertEquals("new", refreshing.result());
        }

        @Test
        @Tag("D-010")
        void aCachedFunction_isCalledOncePerArgument() {
            AtomicInteger counter = new AtomicInteger();
            KeyedCreator<String, String> sum = key -> {
                String[] xy = key.split(" ");
                return "" + (counter.incrementAndGet() + Integer.parseInt(xy[0]) + Integer.parseInt(xy[1]));
            };
            assertEquals("8", region.getOrCreate("3 4", sum));
            assertEquals("13", region.getOrCreate("5 6", sum));
            assertEquals("8", region.getOrCreate("3 4", sum));
            assertEquals("10", region.getOrCreate("4 3", sum));
            region.invalidate("4 3");
            assertEquals("11", region.getOrCreate("4 3", sum));
        }
    }

    @Nested
    class Invalidated {
        @Test
        @Tag("C-081")
        @Tag("C-082")
        void hard_isNeverSeenAgain_alsoStraightAfterACreation() {
            for (int round = 1; round <= 100; round++) {
                assertEquals("key " + round, region.getOrCreate("key", RegionContract.this::next));
                assertEquals("key " + round, region.getOrCreate("key", RegionContract.this::next));
                region.invalidateAll(Invalidation.HARD);
                assertEquals(Optional.empty(), region.get("key"));
                assertEquals(Optional.empty(), region.peek("key"));
            }
        }

        @Test
        @Tag("C-043")
        @Tag("C-084")
        @Tag("C-085")
        @Tag("C-088")
        void soft_isServedToOthers_whileOneCreates_andThenTheNewOneIsFresh() throws Exception {
            region.put("key", "old");
            region.invalidateAll(Invalidation.SOFT);
            assertEquals(Optional.empty(), region.get("key"));
            Held<String> held = new Held<>("new");
            Callers.Caller<String> elected = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            assertEquals("old", region.getOrCreate("key", RegionContract.this::next));
            held.letGo();
            assertEquals("new", elected.result());
            assertEquals("new", region.getOrCreate("key", RegionContract.this::next));
            assertEquals(0, creations.get());
        }

        @Test
        @Tag("C-090")
        @Tag("W-17")
        void softAfterHard_revivesNothing() {
            region.putAll(Map.of("key", "old", "other", "old"));
            region.invalidateAll(Invalidation.HARD);
            region.invalidateAll(Invalidation.SOFT);
            region.invalidate("key", Invalidation.SOFT);
            assertEquals(Map.of(), region.peekAll(List.of("key", "other")));
        }

        @Test
        @Tag("C-091")
        void hardAfterSoft_isHard() {
            region.put("key", "old");
            region.invalidateAll(Invalidation.SOFT);
            region.invalidateAll(Invalidation.HARD);
            assertEquals(Optional.empty(), region.peek("key"));
        }

        @Test
        @Tag("W-19")
        void whileACreatorRuns_itsValueIsNotStored_andThoseWhoComeLaterCreateAnew() throws Exception {
            Held<String> held = new Held<>("old");
            Callers.Caller<String> early = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            region.invalidate("key");
            assertEquals("key 1", region.getOrCreate("key", RegionContract.this::next));
            held.letGo();
            assertEquals("old", early.result());
            assertEquals(Optional.of("key 1"), region.get("key"));
        }

        @Test
        @Tag("C-049")
        void aPutWhileACreatorRuns_wins() throws Exception {
            Held<String> held = new Held<>("created");
            Callers.Caller<String> early = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            region.put("key", "put");
            held.letGo();
            assertEquals("created", early.result());
            assertEquals(Optional.of("put"), region.get("key"));
        }
    }

    @Nested
    class Threaded {
        /** Ten callers at once, a value that expires between the rounds. */
        @Test
        @Tag("C-078")
        void dogpile_createsOneAtATime() throws Exception {
            Region<String, String> brief = open(builder().staleAfter(LIFE));
            AtomicInteger live = new AtomicInteger();
            for (int round = 1; round <= ROUNDS; round++) {
                CountDownLatch go = new CountDownLatch(1);
                List<Callers.Caller<String>> all = callers.start(
                        THREADS,
                        () -> brief.getOrCreate("key", k -> {
                            assertEquals(1, live.incrementAndGet(), "creators at once");
                            go.await();
                            live.decrementAndGet();
                            return next(k);
                        }));
                Callers.awaitWaiting(all);
                Callers.awaitDone(all, round == 1 ? 0 : THREADS - 1); // there is a stale value for all others, or none
                go.countDown();
                for (Callers.Caller<String> caller : all) {
                    String result = caller.result();
                    assertTrue(
                            result.equals("key " + round) || round > 1 && result.equals("key " + (round - 1)), result);
                }
                assertEquals(round, creations.get());
                pass(BEYOND_LIFE);
            }
        }

        /** Six callers of one to five keys of ten, in random order; lives end between the rounds. */
        @Test
        @Tag("C-122")
        @Tag("C-119")
        void bulk_neverHasTwoCreatorsOfOneKey() throws Exception {
            Region<Integer, String> brief = numbered(builder().staleAfter(LIFE));
            Set<Integer> held = ConcurrentHashMap.newKeySet();
            for (int round = 0; round < ROUNDS; round++) {
                List<Callers.Caller<Map<Integer, String>>> all = new ArrayList<>();
                for (int thread = 0; thread < 6; thread++) {
                    List<Integer> keys = someKeys(new Random(100L * round + thread));
                    all.add(callers.start(() -> {
                        Map<Integer, String> got = brief.getOrCreateAll(keys, missing -> {
                            missing.forEach(key -> assertTrue(held.add(key), "two create " + key));
                            Thread.onSpinWait();
                            missing.forEach(held::remove);
                            return missing.stream().collect(Collectors.toMap(k -> k, k -> next("" + k)));
                        });
                        assertEquals(Set.copyOf(keys), got.keySet());
                        got.forEach((key, value) -> assertTrue(value.startsWith(key + " "), value));
                        return got;
                    }));
                }
                all.forEach(Callers.Caller::result);
                pass(BEYOND_LIFE);
            }
            assertTrue(creations.get() > 10, () -> creations + " creations");
        }

        @Test
        @Tag("C-110")
        @Tag("W-01")
        void equalColdBatches_areOneCreation() throws Exception {
            CountDownLatch go = new CountDownLatch(1);
            AtomicInteger calls = new AtomicInteger();
            List<Callers.Caller<Map<String, String>>> all = callers.start(
                    4,
                    () -> region.getOrCreateAll(List.of("a", "b"), missing -> {
                        calls.incrementAndGet();
                        go.await();
                        return Map.of("a", "1", "b", "2");
                    }));
            Callers.awaitWaiting(all);
            assertTrue(all.stream().noneMatch(Callers.Caller::isDone));
            go.countDown();
            all.forEach(caller -> assertEquals(Map.of("a", "1", "b", "2"), caller.result()));
            assertEquals(1, calls.get());
        }

        @Test
        @Tag("W-22")
        void aFailure_reachesAllWhoWaited_byOneCall() throws Exception {
            Held<String> held = Held.then(() -> {
                throw new IllegalStateException("boom");
            });
            List<Callers.Caller<String>> all = callers.start(8, () -> region.getOrCreate("key", held));
            Callers.awaitWaiting(all);
            held.letGo();
            Throwable first = all.get(0).failure();
            assertEquals(
                    "boom", assertInstanceOf(IllegalStateException.class, first).getMessage());
            all.forEach(caller -> assertSame(first, caller.failure()));
            assertEquals(1, held.calls());
        }

        private List<Integer> someKeys(Random random) {
            List<Integer> keys =
                    new ArrayList<>(IntStream.rangeClosed(1, 10).boxed().toList());
            Collections.shuffle(keys, random);
            return List.copyOf(keys.subList(0, 1 + random.nextInt(5)));
        }

        /** The same region options, with keys of another type. */
        @SuppressWarnings("unchecked") // a builder that was not built knows no key
        private Region<Integer, String> numbered(RegionBuilder<String, String> of) {
            return (Region<Integer, String>) (Region<?, ?>) open(of);
        }
    }
}
