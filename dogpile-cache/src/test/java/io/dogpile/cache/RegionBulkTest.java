package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Background;
import io.dogpile.core.CreationException;
import io.dogpile.core.RecordingLocks;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many keys in one call. */
@Timeout(60) // seconds: a test that waits for ever says so
class RegionBulkTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeTime time = new FakeTime();
    private final AtomicInteger creations = new AtomicInteger();
    private final List<List<String>> asked = new CopyOnWriteArrayList<>();
    private final Callers callers = new Callers();
    private final Region<String, String> region = builder().staleAfter(SECOND).build();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("values").clock(time).recordStats();
    }

    private Map<String, String> nextAll(Set<String> keys) {
        asked.add(List.copyOf(keys));
        Map<String, String> made = new HashMap<>();
        keys.forEach(key -> made.put(key, key + " " + creations.incrementAndGet()));
        return made;
    }

    /** What can be walked once. */
    private static Iterable<String> once(String... keys) {
        Iterator<String> only = List.of(keys).iterator();
        return () -> only;
    }

    @Nested
    class Nothing {
        private final SpyBackend spy = new SpyBackend();
        private final Region<String, String> remote = builder().backend(spy).build();

        @Test
        @Tag("C-053")
        @Tag("C-058")
        @Tag("C-060")
        @Tag("C-104")
        @Tag("E-030")
        void isAnsweredWithoutTheBackend() {
            assertEquals(Map.of(), remote.getAll(List.of()));
            assertEquals(Map.of(), remote.peekAll(List.of()));
            remote.putAll(Map.of());
            remote.invalidateAll(List.of());
            assertEquals(Map.of(), remote.getOrCreateAll(List.of(), RegionBulkTest.this::nextAll));
            assertEquals(Map.of(), remote.refreshAll(List.of(), RegionBulkTest.this::nextAll));
            assertEquals(List.of(), spy.asked());
            assertEquals(List.of(), asked);
        }

        @Test
        void ofNull_isRefused() {
            assertThrows(NullPointerException.class, () -> region.getAll(Arrays.asList("a", null)));
            assertThrows(
                    NullPointerException.class,
                    () -> region.getOrCreateAll(Arrays.asList("a", null), RegionBulkTest.this::nextAll));
            assertThrows(NullPointerException.class, () -> region.getOrCreateAll(List.of("a"), null));
        }
    }

    @Nested
    class RoundTrips {
        private final SpyBackend spy = new SpyBackend();
        private final Region<String, String> remote =
                builder().backend(spy).staleAfter(SECOND).build();

        @Test
        @Tag("C-061")
        @Tag("E-020")
        @Tag("E-001")
        void ofOneKey_areFewAndKnown() {
            remote.getOrCreate("key", k -> "value");
            assertEquals(List.of("read [key]", "claim key", "read [key]", "publish key"), spy.asked());
            remote.getOrCreate("key", k -> "value");
            assertEquals(List.of("read [key]"), spy.asked());
            time.advance(SECOND.multipliedBy(2));
            remote.getOrCreate("key", k -> "value");
            assertEquals(List.of("read [key]", "claim key", "read [key]", "publish key"), spy.asked());
        }

        @Test
        void ofAnUndisturbedMemory_areOneLessForStaleValues() {
            region.put("key", "old");
            time.advance(SECOND.multipliedBy(2));
            assertEquals("new", region.getOrCreate("key", k -> "new"));
            assertEquals(Optional.of("new"), region.get("key"));
        }

        @Test
        @Tag("C-054")
        @Tag("C-115")
        @Tag("E-035")
        void ofManyKeys_areOne_thoughTheKeysCanBeWalkedOnce() {
            remote.putAll(Map.of("a", "1"));
            assertEquals(List.of("put [a]"), spy.asked());
            remote.getAll(once("a", "b", "a"));
            assertEquals(List.of("read [a, b]"), spy.asked());
            remote.peekAll(once("b", "a"));
            assertEquals(List.of("read [b, a]"), spy.asked());
            remote.getOrCreateAll(once("a", "c"), RegionBulkTest.this::nextAll);
            assertEquals("read [a, c]", spy.asked().get(0));
            assertEquals(List.of(List.of("c")), asked);
            remote.refreshAll(once("a", "c"), RegionBulkTest.this::nextAll);
            assertEquals("read [a, c]", spy.asked().get(0));
            remote.invalidateAll(once("a", "c"));
            assertEquals(List.of("invalidate HARD [a, c]"), spy.asked());
        }
    }

    @Nested
    class TheCreator {
        @Test
        @Tag("C-101")
        @Tag("C-102")
        @Tag("C-107")
        void getsWhatIsMissing_once_inTheOrderAsked_andCannotChangeIt() {
            region.put("b", "kept");
            Map<String, String> got = region.getOrCreateAll(List.of("k3", "b", "k1", "k3", "k2"), missing -> {
                assertEquals(List.of("k3", "k1", "k2"), List.copyOf(missing));
                assertThrows(UnsupportedOperationException.class, () -> missing.remove("k1"));
                return missing.stream().collect(Collectors.toMap(key -> key, key -> key + "!"));
            });
            assertEquals(List.of("k3", "b", "k1", "k2"), List.copyOf(got.keySet()));
            got.put("mine", "the result is the caller's own");
        }

        @Test
        @Tag("C-116")
        void mayLeaveKeysOut_andWhatItAddsIsIgnored() {
            Map<String, String> got = region.getOrCreateAll(
                    List.of("a", "b", "c"), missing -> Map.of("a", "1", "c", "3", "x", "not asked for"));
            assertEquals(List.of("a", "c"), List.copyOf(got.keySet()));
            assertEquals(
                    Set.of("a", "c"),
                    region.peekAll(List.of("a", "b", "c", "x")).keySet());
            assertEquals(
                    "b 1",
                    region.getOrCreateAll(List.of("b"), RegionBulkTest.this::nextAll)
                            .get("b"));
        }

        @Test
        @Tag("C-116")
        void whatItLeftOut_isNothingForThoseWhoWaitedInABatch_andCreatedByWhoWantsTheKey() throws Exception {
            Held<Map<String, String>> held = new Held<>(Map.of("a", "1"));
            Callers.Caller<Map<String, String>> first =
                    callers.start(() -> region.getOrCreateAll(List.of("a", "b"), missing -> held.create()));
            held.awaitBegun();
            Callers.Caller<Map<String, String>> batch =
                    callers.start(() -> region.getOrCreateAll(List.of("b", "a"), RegionBulkTest.this::nextAll));
            Callers.Caller<String> single = callers.start(() -> region.getOrCreate("b", () -> "by itself"));
            time.awaitParked(2);
            held.letGo();
            assertEquals(Map.of("a", "1"), first.result());
            assertEquals(Map.of("a", "1"), batch.result());
            assertEquals("by itself", single.result());
            assertEquals(List.of(), asked);
        }

        @Test
        void thatReturnsNull_hasFailed() {
            var thrown = assertThrows(
                    NullPointerException.class, () -> region.getOrCreateAll(List.of("a"), missing -> null));
            assertTrue(thrown.getMessage().contains("map"), thrown.getMessage());
            assertFalse(region.isCreating("a"));
        }

        @Test
        void mayMakeNulls() {
            Map<String, String> nulls = new HashMap<>();
            nulls.put("a", null);
            nulls.put("b", "2");
            Map<String, String> got = region.getOrCreateAll(List.of("a", "b"), missing -> nulls);
            assertEquals(nulls, got);
            assertNull(region.getOrCreate("a", () -> "not asked"));
        }

        @Test
        @Tag("C-120")
        void keepsItsMap_andTheResultDoesNotFollowIt() {
            Map<String, String> made = new HashMap<>(Map.of("a", "1"));
            Map<String, String> got = region.getOrCreateAll(List.of("a"), missing -> Collections.unmodifiableMap(made));
            made.put("a", "changed");
            assertEquals(Map.of("a", "1"), got);
            assertEquals(Optional.of("1"), region.get("a"));
            Map<String, String> given = new LinkedHashMap<>(Map.of("b", "2"));
            region.putAll(Collections.unmodifiableMap(given));
            given.put("b", "changed");
            assertEquals(Optional.of("2"), region.get("b"));
        }

        @Test
        @Tag("C-105")
        void whatAConditionCannotJudge_isNotStored_andTheRestIs() {
            Region<String, String> picky = region.with(o -> o.cacheIf(value -> {
                if (value.isEmpty()) {
                    throw new IllegalStateException("cannot judge this");
                }
                return true;
            }));
            Map<String, String> made = Map.of("a", "1", "b", "", "c", "3");
            assertEquals(made, picky.getOrCreateAll(List.of("a", "b", "c"), missing -> made));
            assertEquals(Map.of("a", "1", "c", "3"), region.getAll(List.of("a", "b", "c")));
            assertFalse(region.isCreating("b"));
        }

        @Test
        @Tag("C-111")
        @Tag("W-05")
        void thatThrows_failsTheCall_freesAllKeys_andStoresNothing() {
            IllegalStateException boom = new IllegalStateException("boom");
            assertSame(
                    boom,
                    assertThrows(
                            IllegalStateException.class,
                            () -> region.getOrCreateAll(List.of("a", "b"), missing -> {
                                throw boom;
                            })));
            assertFalse(region.isCreating("a") || region.isCreating("b"));
            assertEquals(Map.of(), region.peekAll(List.of("a", "b")));
            var checked = assertThrows(
                    CreationException.class,
                    () -> region.getOrCreateAll(List.of("c"), missing -> {
                        throw new IOException("disk on fire");
                    }));
            assertInstanceOf(IOException.class, checked.getCause());
        }

        @Test
        void thatThrows_leavesWhatOthersCreated_andStaleValuesAreServed() throws Exception {
            region.put("stale", "old");
            time.advance(SECOND.multipliedBy(2));
            Held<String> held = new Held<>("by another");
            callers.start(() -> region.getOrCreate("other", held));
            held.awaitBegun();
            Callers.Caller<Map<String, String>> batch =
                    callers.start(() -> region.getOrCreateAll(List.of("mine", "other"), missing -> {
                        assertEquals(Set.of("mine"), missing);
                        throw new IllegalStateException("boom");
                    }));
            time.awaitParked(1);
            held.letGo();
            assertEquals("boom", batch.failure().getMessage());
            assertEquals(Optional.of("by another"), region.get("other"));
            assertEquals(
                    Map.of("stale", "old", "other", "by another"),
                    region.getOrCreateAll(List.of("stale", "other"), missing -> {
                        throw new IllegalStateException("boom");
                    }));
        }

        @Test
        @Tag("W-07")
        void isUsedFromRefreshOn_too() {
            HandDriven executor = new HandDriven();
            Region<String, String> behind = region.with(o -> o.refreshOn(executor));
            region.putAll(Map.of("a", "old", "b", "old"));
            time.advance(SECOND.multipliedBy(2));
            assertEquals(
                    Map.of("a", "old", "b", "old"),
                    behind.getOrCreateAll(List.of("a", "b"), RegionBulkTest.this::nextAll));
            executor.runAll();
            assertEquals(List.of(List.of("a", "b")), asked);
            assertEquals(Map.of("a", "a 1", "b", "b 2"), region.getAll(List.of("a", "b")));
        }
    }

    @Nested
    class BesideOthers {
        @Test
        @Tag("C-108")
        void aStaleKeyThatAnotherCreates_isAnsweredStale_andLeftOut() throws Exception {
            region.put("a", "old");
            time.advance(SECOND.multipliedBy(2));
            Held<String> held = new Held<>("new");
            callers.start(() -> region.getOrCreate("a", held));
            held.awaitBegun();
            assertEquals(
                    Map.of("a", "old", "b", "b 1"),
                    region.getOrCreateAll(List.of("a", "b"), RegionBulkTest.this::nextAll));
            assertEquals(List.of(List.of("b")), asked);
            held.letGo();
        }

        @Test
        @Tag("C-109")
        @Tag("C-110")
        void aMissingKeyThatAnotherCreates_isWaitedFor_afterTheOwnOnesWereCreated() throws Exception {
            Held<String> held = new Held<>("by another");
            callers.start(() -> region.getOrCreate("a", held));
            held.awaitBegun();
            Callers.Caller<Map<String, String>> batch =
                    callers.start(() -> region.getOrCreateAll(List.of("a", "b"), RegionBulkTest.this::nextAll));
            time.awaitParked(1);
            assertEquals(Optional.of("b 1"), region.get("b"));
            assertFalse(batch.isDone());
            held.letGo();
            assertEquals(Map.of("a", "by another", "b", "b 1"), batch.result());
            assertEquals(List.of(List.of("b")), asked);
        }

        @Test
        @Tag("C-110")
        @Tag("W-01")
        void equalBatchesAtOnce_areOneCall() throws Exception {
            Held<Map<String, String>> held = new Held<>(Map.of("a", "1", "b", "2"));
            List<Callers.Caller<Map<String, String>>> all =
                    callers.start(10, () -> region.getOrCreateAll(List.of("a", "b"), missing -> held.create()));
            held.awaitBegun();
            time.awaitParked(9);
            held.letGo();
            all.forEach(one -> assertEquals(Map.of("a", "1", "b", "2"), one.result()));
            assertEquals(1, held.calls());
        }

        @Test
        @Tag("C-119")
        @Tag("C-122")
        @Tag("W-06")
        void overlappingBatches_inAnyOrder_neverHang_andNeverCreateAKeyTwiceAtOnce() {
            Set<Integer> inCreation = ConcurrentHashMap.newKeySet();
            AtomicInteger made = new AtomicInteger();
            Region<Integer, Integer> numbers =
                    Region.<Integer, Integer>builder("numbers").build();
            List<Callers.Caller<Integer>> all = new ArrayList<>();
            for (int thread = 0; thread < 8; thread++) {
                Random random = new Random(thread);
                all.add(callers.start(() -> {
                    for (int round = 0; round < 1_000; round++) {
                        List<Integer> keys = new ArrayList<>(List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
                        Collections.shuffle(keys, random);
                        keys = keys.subList(0, 1 + random.nextInt(5));
                        Map<Integer, Integer> got = numbers.getOrCreateAll(keys, missing -> {
                            missing.forEach(key -> assertTrue(inCreation.add(key), "two create " + key));
                            made.addAndGet(missing.size());
                            Thread.onSpinWait();
                            missing.forEach(inCreation::remove);
                            return missing.stream().collect(Collectors.toMap(key -> key, key -> key));
                        });
                        assertEquals(keys, List.copyOf(got.values()));
                        numbers.refresh(keys.get(0), key -> key);
                    }
                    return 0;
                }));
            }
            all.forEach(Callers.Caller::result);
            assertTrue(made.get() >= 10, made + " were created");
        }
    }

    @Nested
    class UnderALock {
        private final RecordingLocks locks = new RecordingLocks();
        private final Region<String, String> locked =
                builder().lock(locks, Duration.ofSeconds(5)).build();

        @Test
        @Tag("C-111")
        @Tag("C-112")
        void whatWasTaken_isGivenBack_whereACreatorThrows() {
            assertThrows(
                    IllegalStateException.class,
                    () -> locked.getOrCreateAll(List.of("a", "b"), missing -> {
                        throw new IllegalStateException("boom");
                    }));
            assertEquals(2, locks.granted.get());
            assertEquals(2, locks.released.get());
            assertFalse(locks.isHeld("values/a") || locks.isHeld("values/b"));
        }

        @Test
        @Tag("C-112")
        @Tag("W-05")
        void whatWasTaken_isGivenBack_whereALaterClaimFails() {
            AtomicInteger turn = new AtomicInteger();
            Region<String, String> failing = builder()
                    .lock(
                            (name, lease) -> {
                                if (turn.incrementAndGet() == 2) {
                                    throw new IllegalStateException("lock server down");
                                }
                                return locks.tryAcquire(name, lease);
                            },
                            Duration.ofSeconds(5))
                    .build();
            assertEquals(
                    Map.of("a", "a 1", "b", "b 2"),
                    failing.getOrCreateAll(List.of("a", "b"), RegionBulkTest.this::nextAll));
            assertEquals(locks.granted.get(), locks.released.get());
            assertFalse(locks.isHeld("values/a") || locks.isHeld("values/b"));
        }

        @Test
        @Tag("C-113")
        void aReleaseThatFails_keepsNoOtherFromBeingReleased_andIsCounted() {
            locks.releaseFails = new IllegalStateException("not released");
            assertEquals(
                    Map.of("a", "a 1", "b", "b 2"),
                    locked.getOrCreateAll(List.of("a", "b"), RegionBulkTest.this::nextAll));
            assertEquals(2, locks.released.get());
            assertEquals(2, locked.stats().storeFailures());
            assertEquals(Map.of("a", "a 1", "b", "b 2"), locked.getAll(List.of("a", "b")));
        }

        @Test
        void leasesOfABatch_areRenewedTogether_whileItsCreatorRuns() throws Exception {
            Held<Map<String, String>> held = new Held<>(Map.of("a", "1", "b", "2"));
            Callers.Caller<Map<String, String>> creator =
                    callers.start(() -> locked.getOrCreateAll(List.of("a", "b"), missing -> held.create()));
            held.awaitBegun();
            assertEquals(1, time.alarms());
            time.advance(Duration.ofMillis(1_700));
            Background.eventually("both are renewed", () -> locks.extended.get() == 2);
            held.letGo();
            assertEquals(Map.of("a", "1", "b", "2"), creator.result());
        }
    }
}
