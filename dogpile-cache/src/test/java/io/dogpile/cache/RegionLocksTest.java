package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Background;
import io.dogpile.core.Creation;
import io.dogpile.core.DogpileException;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import io.dogpile.core.MapLockProvider;
import io.dogpile.core.RecordingLocks;
import io.dogpile.core.Slot;
import io.dogpile.core.WhenDown;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Regions under a lock that others share. */
@Timeout(60) // seconds: a test that waits for ever says so
class RegionLocksTest {
    private static final Duration LEASE = Duration.ofSeconds(3);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeTime time = new FakeTime();
    private final RecordingLocks locks = new RecordingLocks();
    private final AtomicInteger creations = new AtomicInteger();
    private final Callers callers = new Callers();
    private final Region<String, String> region = builder(locks).build();

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private RegionBuilder<String, String> builder(LockProvider provider) {
        return Region.<String, String>builder("users")
                .clock(time)
                .staleAfter(SECOND)
                .lock(provider, LEASE)
                .recordStats();
    }

    private String next(String key) {
        return key + " " + creations.incrementAndGet();
    }

    @Nested
    class TheLock {
        @Test
        @Tag("C-099")
        @Tag("W-47")
        void isAskedForTheCreationOnly_byRegionAndKey_andGivenBack() {
            MapLockProvider map = new MapLockProvider();
            Region<String, String> mapped = builder(map).build();
            assertEquals("key 1", mapped.getOrCreate("key", k -> {
                assertTrue(map.isHeld("users/key"));
                assertNotEquals(0, Creation.current().orElseThrow().fencingToken());
                return next(k);
            }));
            assertFalse(map.isHeld("users/key"));
            mapped.getOrCreate("key", RegionLocksTest.this::next);
            mapped.get("key");
            mapped.put("key", "put");
            mapped.invalidate("key");
            mapped.isCreating("key");
            assertEquals(List.of(new MapLockProvider.Asked("users/key", LEASE)), map.asked());
        }

        @Test
        @Tag("C-051")
        void isNamedByTheTextOfTheKey() {
            MapLockProvider map = new MapLockProvider();
            builder(map).keys(key -> "HI!" + key).build().getOrCreate("key", RegionLocksTest.this::next);
            assertEquals("users/HI!key", map.asked().get(0).name());
        }

        @Test
        @Tag("C-099")
        void ofManyKeys_leavesNothingBehind() {
            Region<Integer, Integer> many = Region.<Integer, Integer>builder("many")
                    .lock(locks, LEASE)
                    .cacheIf(value -> value % 2 == 0)
                    .recordStats()
                    .build();
            for (int i = 0; i < 20_000; i++) {
                many.getOrCreate(i, key -> key);
            }
            assertEquals(20_000, locks.granted.get());
            assertEquals(20_000, locks.released.get());
            assertEquals(0, many.stats().inFlight());
        }

        @Test
        @Tag("C-100")
        @Tag("W-27")
        void needsOneMethod_andItsLeaseTwo() {
            Semaphore one = new Semaphore(1);
            LockProvider semaphore = (name, leaseTime) -> !one.tryAcquire()
                    ? Optional.empty()
                    : Optional.of(new Lease() {
                        private final AtomicBoolean closed = new AtomicBoolean();

                        @Override
                        public boolean extend(Duration longer) {
                            return !closed.get();
                        }

                        @Override
                        public void close() {
                            if (closed.compareAndSet(false, true)) {
                                one.release();
                            }
                        }
                    });
            Region<String, String> guarded = builder(semaphore).build();
            assertEquals("a 1", guarded.getOrCreate("a", RegionLocksTest.this::next));
            assertEquals("b 2", guarded.getOrCreate("b", RegionLocksTest.this::next));
            assertEquals(1, one.availablePermits());
        }

        @Test
        void isRenewed_atAThirdOfTheLease_whileTheCreatorRuns() throws Exception {
            Held<String> held = new Held<>("value");
            Callers.Caller<String> creator = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            for (int turn = 1; turn <= 5; turn++) {
                int renewals = turn;
                Background.eventually("a turn is set", () -> time.alarms() == 1);
                time.advance(SECOND);
                Background.eventually("renewed", () -> locks.extended.get() == renewals);
                assertEquals(LEASE, locks.lastLeaseTime);
            }
            Background.eventually("the next turn is set, which ends with the creation", () -> time.alarms() == 1);
            held.letGo();
            assertEquals("value", creator.result());
            assertEquals(Optional.of("value"), region.get("key"));
            assertEquals(0, time.alarms());
            assertEquals(Duration.ofSeconds(5), region.stats().creationTime());
        }
    }

    @Nested
    class HeldElsewhere {
        @Test
        @Tag("E-010")
        void aStaleValue_isServedAtOnce() {
            region.put("key", "old");
            time.advance(SECOND.multipliedBy(2));
            locks.heldElsewhere = true;
            assertEquals("old", region.getOrCreate("key", RegionLocksTest.this::next));
            assertEquals(Map.of("key", "old"), region.getOrCreateAll(List.of("key"), missing -> Map.of("key", "new")));
            assertEquals(0, creations.get());
        }

        @Test
        @Tag("E-005")
        @Tag("W-03")
        void aMissingOne_isWaitedFor_andNeverCreatedForADeadline() {
            locks.heldElsewhere = true;
            Region<String, String> hasty = region.with(o -> o.hardTimeout(SECOND));
            Callers.Caller<String> late = callers.start(() -> hasty.getOrCreate("key", RegionLocksTest.this::next));
            time.awaitParked(1);
            time.advance(SECOND);
            assertTrue(late.failure() instanceof HardTimeoutException);
            assertEquals(0, creations.get());
        }

        @Test
        @Tag("E-001")
        @Tag("W-02")
        void whatTheOtherStored_isFound_andNotCreatedAgain() {
            SharedBackend store = new SharedBackend(time);
            MapLockProvider map = new MapLockProvider();
            Region<String, String> mine = builder(map).backend(store).build();
            Region<String, String> theirs = builder(map).backend(store).build();
            Held<String> held = new Held<>("theirs");
            Callers.Caller<String> other = callers.start(() -> theirs.getOrCreate("key", held));
            Background.eventually("they create", () -> held.calls() == 1);
            Callers.Caller<String> waiting = callers.start(() -> mine.getOrCreate("key", RegionLocksTest.this::next));
            time.awaitParked(1);
            held.letGo();
            assertEquals("theirs", other.result());
            for (int poll = 0; poll < 50 && !waiting.isDone(); poll++) {
                Callers.awaitWaiting(List.of(waiting));
                time.advance(Duration.ofMillis(10));
            }
            assertEquals("theirs", waiting.result());
            assertEquals(0, creations.get());
        }
    }

    @Nested
    class Invalidated {
        /** The lock is the old creation's until that ends: exclusion outlives the invalidation. */
        @Test
        @Tag("W-19")
        void whileACreatorRuns_whoComesAfterWaitsForTheLock_andCreatesAnew() throws Exception {
            Held<String> held = new Held<>("begun before");
            Callers.Caller<String> before = callers.start(() -> region.getOrCreate("key", held));
            held.awaitBegun();
            region.invalidate("key");
            Callers.Caller<String> after = callers.start(() -> region.getOrCreate("key", RegionLocksTest.this::next));
            time.awaitParked(1);
            held.letGo();
            assertEquals("begun before", before.result());
            for (int poll = 0; poll < 50 && !after.isDone(); poll++) {
                Callers.awaitWaiting(List.of(after));
                time.advance(Duration.ofMillis(10));
            }
            assertEquals("key 1", after.result());
            assertEquals(Optional.of("key 1"), region.peek("key").map(CachedValue::value));
        }
    }

    @Nested
    class ThatFails {
        @Test
        void toAnswer_followsThePolicy() {
            locks.askingFails = new IllegalStateException("lock server down");
            assertEquals("key 1", region.getOrCreate("key", RegionLocksTest.this::next));
            assertEquals(1, region.stats().storeFailures());
            DogpileException thrown = assertThrows(
                    DogpileException.class,
                    () -> region.with(o -> o.whenDown(WhenDown.FAIL)).getOrCreate("other", RegionLocksTest.this::next));
            assertEquals(locks.askingFails, thrown.getCause());
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("W-04")
        void toBeReleased_hidesNeitherTheValueNorTheCreatorsFailure() {
            locks.releaseFails = new IllegalStateException("not released");
            assertEquals("key 1", region.getOrCreate("key", RegionLocksTest.this::next));
            assertEquals(Optional.of("key 1"), region.get("key"));
            assertEquals(1, region.stats().storeFailures());
            var boom = assertThrows(
                    IllegalStateException.class,
                    () -> region.getOrCreate("other", k -> {
                        throw new IllegalStateException("boom");
                    }));
            assertEquals("boom", boom.getMessage());
            assertEquals(2, locks.released.get());
        }

        @Test
        void whoseLeaseIsLost_costsItsCallerNothing_andStoresNothing() {
            assertEquals("key 1", region.getOrCreate("key", k -> {
                locks.lost = true;
                return next(k);
            }));
            assertEquals(Optional.empty(), region.peek("key"));
            assertEquals(1, region.stats().writesRefused(Slot.Published.Outcome.VOIDED));
            assertEquals(locks.granted.get(), locks.released.get());
        }
    }

    /** One lock for several keys, as a throttle. */
    @Nested
    class Striped {
        private static final int STRIPES = 4;

        private final LockProvider local = LockProvider.local();
        private final LockProvider striped =
                (name, leaseTime) -> local.tryAcquire("stripe " + Math.floorMod(name.hashCode(), STRIPES), leaseTime);
        private final Region<Integer, Integer> numbers =
                Region.<Integer, Integer>builder("numbers").lock(striped, LEASE).build();
        private final AtomicInteger live = new AtomicInteger();
        private final AtomicInteger most = new AtomicInteger();

        private Integer make(Integer key) {
            most.accumulateAndGet(live.incrementAndGet(), Math::max);
            Thread.yield();
            live.decrementAndGet();
            return key;
        }

        @Test
        @Tag("C-189")
        void limits_howManyCreateAtOnce() {
            List<Callers.Caller<Integer>> all = IntStream.range(0, 40)
                    .mapToObj(key -> callers.start(() -> numbers.getOrCreate(key, this::make)))
                    .toList();
            for (int key = 0; key < all.size(); key++) {
                assertEquals(key, all.get(key).result());
            }
            assertTrue(most.get() <= STRIPES, most + " at once");
        }

        @Test
        @Tag("C-189")
        @Tag("W-06")
        void aBatchOverKeysOfOneStripe_doesNotWaitForItself() {
            Set<Integer> keys = IntStream.range(0, 20).boxed().collect(Collectors.toSet());
            AtomicInteger calls = new AtomicInteger();
            Map<Integer, Integer> made = callers.start(() -> numbers.getOrCreateAll(keys, missing -> {
                        calls.incrementAndGet();
                        assertTrue(missing.size() <= STRIPES, missing::toString);
                        return missing.stream().collect(Collectors.toMap(key -> key, key -> key));
                    }))
                    .result();
            assertEquals(keys, made.keySet());
            assertTrue(calls.get() >= 20 / STRIPES, calls::toString);
        }
    }
}
