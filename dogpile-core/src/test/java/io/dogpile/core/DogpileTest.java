package io.dogpile.core;

import static java.time.Duration.ofHours;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Acquired.Origin;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.Held;
import java.io.IOException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DogpileTest {
    private static final Duration STALE = ofSeconds(10);
    private static final Duration TICK = ofNanos(1);

    private final FakeTime time = new FakeTime();
    private final Crew crew = new Crew();
    private final AtomicInteger creations = new AtomicInteger();

    /** What the caller keeps, in the modes in which the caller does; null for "not available". */
    private final AtomicReference<String> kept = new AtomicReference<>();

    private final AtomicInteger reads = new AtomicInteger();
    private final Callable<Optional<String>> getter = () -> {
        reads.incrementAndGet();
        return Optional.ofNullable(kept.get());
    };

    private final AtomicReference<Stamped<String>> stored = new AtomicReference<>();
    private final Callable<Optional<Stamped<String>>> stampedGetter = () -> {
        reads.incrementAndGet();
        return Optional.ofNullable(stored.get());
    };

    @AfterEach
    void dismiss() {
        crew.close();
    }

    private Dogpile.Builder<String> builder() {
        return Dogpile.<String>builder().staleAfter(STALE).options(o -> o.clock(time));
    }

    private Creator<String> creating(String value) {
        return () -> {
            creations.incrementAndGet();
            kept.set(value);
            return value;
        };
    }

    private Creator<Stamped<String>> stamping(String value) {
        return () -> {
            creations.incrementAndGet();
            Stamped<String> stamped = new Stamped<>(value, time.instant());
            stored.set(stamped);
            return stamped;
        };
    }

    private void createNow(Dogpile<String> dogpile, String value) {
        assertEquals(value, dogpile.get(creating(value)));
    }

    @Test
    void aProviderWithoutAName_isRefused() {
        Dogpile.Builder<String> unnamed =
                Dogpile.<String>builder().options(o -> o.lock(LockProvider.local(), Duration.ofSeconds(1)));
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, unnamed::build);
        assertTrue(refused.getMessage().contains("lock(provider, name, leaseTime)"), refused.getMessage());
    }

    @Nested
    class WhenItKeepsTheValue {
        private final Dogpile<String> dogpile = builder().build();

        @Test
        @Tag("A-061")
        @Tag("A-003")
        void value_isCreatedOnce_untilItIsStale() {
            assertEquals("a", dogpile.get(creating("a")));
            assertEquals("a", dogpile.get(creating("b")));
            time.advance(STALE);
            assertEquals("a", dogpile.get(creating("b")));
            time.advance(TICK);
            assertEquals("b", dogpile.get(creating("b")));
            assertEquals("b", dogpile.get(creating("c")));
            assertEquals(2, creations.get());
        }

        @Test
        @Tag("A-062")
        void valueThatNeverTurnsStale_isCreatedOnce() {
            Dogpile<String> never =
                    Dogpile.<String>builder().options(o -> o.clock(time)).build();
            createNow(never, "a");
            time.advance(Duration.ofDays(365 * 100));
            assertEquals("a", never.get(creating("b")));
            assertFalse(never.isExpired());
        }

        @Test
        void hundredCallers_oneCreation() throws Exception {
            Held<String> creator = new Held<>("a");
            var callers = crew.start(100, () -> dogpile.get(creator));
            time.awaitParked(99);
            creator.letGo();
            assertEquals(Collections.nCopies(100, "a"), Crew.results(callers));
            assertEquals(1, creator.calls());
        }

        @Test
        void acquired_tellsHowTheValueWasComeBy() throws Exception {
            assertEquals(Origin.CREATED, dogpile.acquire(creating("a")).origin());
            assertEquals(Origin.FRESH, dogpile.acquire(creating("b")).origin());
            time.advance(STALE.plus(TICK));
            Held<String> creator = new Held<>("b");
            var elected = crew.start(() -> dogpile.acquire(creator));
            creator.awaitBegun();
            Acquired<String> stale = dogpile.acquire(creating("c"));
            assertEquals("a", stale.value());
            assertEquals(Origin.STALE, stale.origin());
            creator.letGo();
            assertEquals(Origin.CREATED, Crew.result(elected).origin());
        }

        @Test
        @Tag("A-043")
        void nullIsAValue() {
            assertNull(dogpile.get(() -> {
                creations.incrementAndGet();
                return null;
            }));
            assertNull(dogpile.get(creating("a")));
            assertTrue(dogpile.hasValue());
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("F-033")
        void createdAt_isWhenTheCreatorReturned() {
            Acquired<String> acquired = dogpile.acquire(() -> {
                time.advance(ofSeconds(3));
                return "a";
            });
            assertEquals(time.instant(), acquired.createdAt());
            assertEquals(Optional.of(time.instant()), dogpile.createdAt());
            time.advance(STALE);
            assertEquals("a", dogpile.get(creating("b")));
        }

        @Test
        void expired_isNotServed_thoughAnotherCreates() throws Exception {
            Dogpile<String> expiring = builder().expireAfter(ofSeconds(20)).build();
            createNow(expiring, "a");
            time.advance(ofSeconds(20).plus(TICK));
            Held<String> creator = new Held<>("b");
            var elected = crew.start(() -> expiring.get(creator));
            creator.awaitBegun();
            var waits = crew.start(() -> expiring.get(creating("c")));
            time.awaitParked(1);
            creator.letGo();
            assertEquals("b", Crew.result(elected));
            assertEquals("b", Crew.result(waits));
        }

        @Test
        void refreshOn_staleValueIsServed_andCreatedBehind() {
            AtomicReference<Runnable> behind = new AtomicReference<>();
            Dogpile<String> refreshed = builder().refreshOn(behind::set).build();
            createNow(refreshed, "a");
            assertNull(behind.get());
            time.advance(STALE.plus(TICK));
            assertEquals("a", refreshed.get(creating("b")));
            assertEquals(1, creations.get());
            behind.get().run();
            assertEquals("b", refreshed.get(creating("c")));
        }
    }

    @Nested
    class WhenTheCallerKeepsTheValue {
        @Test
        @Tag("A-073")
        @Tag("F-014")
        void firstCall_creates_whateverTheGetterHas() {
            kept.set("cached");
            Acquired<String> first = builder().build().acquire(creating("new"), getter);
            assertEquals("new", first.value());
            assertEquals(Origin.CREATED, first.origin());
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("A-074")
        @Tag("F-014")
        void initialized_getterIsTaken_untilStaleCountedFromTheBuilding() {
            kept.set("cached");
            Dogpile<String> dogpile = builder().initialized().build();
            time.advance(STALE);
            assertEquals("cached", dogpile.acquire(creating("new"), getter).value());
            assertEquals(0, creations.get());
            assertEquals(1, reads.get());
            time.advance(TICK);
            assertEquals("new", dogpile.acquire(creating("new"), getter).value());
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("A-075")
        void initialized_speaksNotOfWhatTheDogpileKeeps() {
            assertEquals("a", builder().initialized().build().get(creating("a")));
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("A-075")
        @Tag("A-074")
        void initialized_ensureTakesTheResourceToBeThere() {
            Dogpile<String> dogpile = builder().initialized().build();
            dogpile.ensure(creations::incrementAndGet);
            assertEquals(0, creations.get());
            time.advance(STALE.plus(TICK));
            dogpile.ensure(creations::incrementAndGet);
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("A-076")
        void getterThatHasNothing_leadsToACreationAtOnce() {
            Acquired<String> acquired = builder().initialized().build().acquire(creating("new"), getter);
            assertEquals("new", acquired.value());
            assertEquals(1, creations.get());
            assertEquals(2, reads.get());
        }

        @Test
        @Tag("A-076")
        void getterThatHasNothing_othersWait() throws Exception {
            Dogpile<String> dogpile = builder().initialized().build();
            Held<String> creator = Held.then(creating("new"));
            var elected = crew.start(() -> dogpile.acquire(creator, getter).value());
            creator.awaitBegun();
            var waits =
                    crew.start(() -> dogpile.acquire(creating("other"), getter).value());
            time.awaitParked(1);
            creator.letGo();
            assertEquals("new", Crew.result(elected));
            assertEquals("new", Crew.result(waits));
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("A-077")
        void failedCreation_leavesTheCreationTimeAlone() {
            Dogpile<String> dogpile = builder().build();
            IllegalStateException failure = new IllegalStateException("no");
            assertSame(
                    failure,
                    assertThrows(
                            IllegalStateException.class,
                            () -> dogpile.acquire(
                                    () -> {
                                        throw failure;
                                    },
                                    getter)));
            assertFalse(dogpile.hasValue());
            assertTrue(dogpile.isExpired());
            assertEquals(Optional.empty(), dogpile.createdAt());
            assertEquals("a", dogpile.acquire(creating("a"), getter).value());
            Instant created = time.instant();
            time.advance(STALE.plus(TICK));
            assertEquals(
                    "a",
                    dogpile.acquire(
                                    () -> {
                                        throw new IOException("no");
                                    },
                                    getter)
                            .value());
            assertEquals(Optional.of(created), dogpile.createdAt());
            assertTrue(dogpile.isExpired());
        }

        @Test
        void getterThatReturnsNull_isRefused() {
            Dogpile<String> dogpile = builder()
                    .initialized()
                    .options(o -> o.clock(time).whenDown(WhenDown.FAIL))
                    .build();
            DogpileException refused =
                    assertThrows(DogpileException.class, () -> dogpile.acquire(creating("a"), () -> null));
            assertTrue(refused.getCause().getMessage().contains("Optional.empty()"), refused::toString);
            assertEquals(0, creations.get());
        }
    }

    @Nested
    class WhenTheCallerKeepsTheValueWithItsTime {
        @Test
        @Tag("A-078")
        @Tag("F-028")
        void newDogpile_picksUpWhatAnotherLeft() {
            builder().build().acquireStamped(stamping("a"), stampedGetter);
            reads.set(0);
            time.advance(STALE);
            Acquired<String> picked = builder().build().acquireStamped(stamping("b"), stampedGetter);
            assertEquals("a", picked.value());
            assertEquals(Origin.FRESH, picked.origin());
            assertEquals(1, creations.get());
            assertEquals(1, reads.get());
        }

        @Test
        @Tag("A-078")
        void newDogpile_doesNotKeepWhatIsStale() {
            builder().build().acquireStamped(stamping("a"), stampedGetter);
            time.advance(STALE.plus(TICK));
            assertEquals(
                    "b",
                    builder()
                            .build()
                            .acquireStamped(stamping("b"), stampedGetter)
                            .value());
        }

        @Test
        @Tag("A-078")
        void storedTime_decides_notTheDogpilesOwn() {
            Dogpile<String> dogpile = builder().initialized().build();
            stored.set(new Stamped<>("old", time.instant().minusSeconds(11)));
            assertEquals(
                    "new",
                    dogpile.acquireStamped(stamping("new"), stampedGetter).value());
            stored.set(new Stamped<>("elsewhere", time.instant().minusSeconds(10)));
            assertEquals(
                    "elsewhere",
                    dogpile.acquireStamped(stamping("b"), stampedGetter).value());
        }

        @Test
        @Tag("A-079")
        void creatorMustGiveTheTime_byItsType() throws Exception {
            Method stamped = Dogpile.class.getMethod("acquireStamped", Creator.class, Callable.class);
            assertEquals(
                    "io.dogpile.core.Creator<io.dogpile.core.Stamped<V>>",
                    stamped.getGenericParameterTypes()[0].getTypeName());
            Method bare = Dogpile.class.getMethod("acquire", Creator.class, Callable.class);
            assertEquals("io.dogpile.core.Creator<? extends V>", bare.getGenericParameterTypes()[0].getTypeName());
        }

        @Test
        @Tag("A-079")
        void creatorThatGivesNoPair_fails() {
            NullPointerException failure = assertThrows(
                    NullPointerException.class, () -> builder().build().acquireStamped(() -> null, stampedGetter));
            assertTrue(failure.getMessage().contains("creation time"), failure::getMessage);
        }

        @Test
        @Tag("F-016")
        void nullWithATime_isAValue() {
            stored.set(new Stamped<>(null, time.instant()));
            Acquired<String> acquired = builder().build().acquireStamped(stamping("a"), stampedGetter);
            assertNull(acquired.value());
            assertEquals(0, creations.get());
        }

        @Test
        @Tag("A-006")
        void stampOfTheNearFuture_countsAsNow() {
            Dogpile<String> dogpile = builder().build();
            stored.set(new Stamped<>("ahead", time.instant().plusSeconds(60)));
            assertEquals(
                    "ahead",
                    dogpile.acquireStamped(stamping("b"), stampedGetter).value());
            time.advance(ofSeconds(60).plus(STALE));
            assertEquals(
                    "ahead",
                    dogpile.acquireStamped(stamping("b"), stampedGetter).value());
            time.advance(TICK);
            assertEquals(
                    "b", dogpile.acquireStamped(stamping("b"), stampedGetter).value());
        }

        @Test
        @Tag("A-006")
        void stampOfTheFarFuture_countsAsStale() throws Exception {
            Dogpile<String> dogpile = builder().build();
            stored.set(new Stamped<>("pinned", time.instant().plusSeconds(1_000_000)));
            Held<Stamped<String>> creator = Held.then(stamping("new"));
            var elected = crew.start(() -> dogpile.acquireStamped(creator, stampedGetter));
            creator.awaitBegun();
            Acquired<String> other = dogpile.acquireStamped(stamping("other"), stampedGetter);
            assertEquals("pinned", other.value());
            assertEquals(Origin.STALE, other.origin());
            creator.letGo();
            assertEquals("new", Crew.result(elected).value());
            assertEquals(Optional.of(time.instant()), dogpile.createdAt());
            assertFalse(dogpile.isExpired());
        }

        @Test
        @Tag("A-006")
        void stampOfTheFarFuture_countsAsStale_whereNothingElseDoes_andForAView() {
            Stamped<String> pinned = new Stamped<>("pinned", time.instant().plusSeconds(61));
            Dogpile<String> never =
                    Dogpile.<String>builder().options(o -> o.clock(time)).build();
            stored.set(pinned);
            assertEquals("a", never.acquireStamped(stamping("a"), stampedGetter).value());
            stored.set(pinned);
            assertEquals(
                    "b",
                    never.with(o -> o.staleAfter(ofHours(1)))
                            .acquireStamped(stamping("b"), stampedGetter)
                            .value());
        }

        @Test
        @Tag("A-006")
        void clockSetBack_doesNotPinWhatIsStored() {
            Dogpile<String> dogpile = builder().build();
            dogpile.acquireStamped(stamping("a"), stampedGetter);
            time.jumpWall(ofHours(-1));
            assertEquals(
                    "b", dogpile.acquireStamped(stamping("b"), stampedGetter).value());
        }

        @Test
        void clockSetBack_agesNothingThatTheDogpileKeeps() {
            Dogpile<String> dogpile = builder().build();
            createNow(dogpile, "a");
            time.jumpWall(ofHours(-1));
            time.advance(STALE);
            assertEquals("a", dogpile.get(creating("b")));
            time.jumpWall(ofHours(5));
            assertEquals("a", dogpile.get(creating("b")));
        }

        @Test
        void valuesASecondApart_areDifferentVersions() throws Exception {
            StampedStore<String> store =
                    new StampedStore<>("name", stampedGetter, builder().build().options(), known -> {});
            long[] versions = new long[4];
            for (int second = 0; second < versions.length; second++) {
                stored.set(new Stamped<>("a", Instant.ofEpochSecond(1_000 + second)));
                versions[second] = store.read().version;
            }
            assertEquals(versions.length, Arrays.stream(versions).distinct().count());
        }
    }

    @Nested
    class WhatItKnows {
        @Test
        @Tag("A-081")
        @Tag("F-025")
        void beforeAndAfter() {
            Dogpile<String> dogpile = builder().build();
            assertFalse(dogpile.hasValue());
            assertTrue(dogpile.isExpired());
            assertEquals(Optional.empty(), dogpile.createdAt());
            createNow(dogpile, "a");
            Instant created = time.instant();
            assertTrue(dogpile.hasValue());
            assertFalse(dogpile.isExpired());
            assertEquals(Optional.of(created), dogpile.createdAt());
            time.advance(STALE);
            assertFalse(dogpile.isExpired());
            time.advance(TICK);
            assertTrue(dogpile.isExpired());
            assertTrue(dogpile.hasValue());
            assertEquals(Optional.of(created), dogpile.createdAt());
        }

        @Test
        @Tag("A-081")
        void isReadWithoutALock_whileAnotherCreates() throws Exception {
            Dogpile<String> dogpile = builder().build();
            createNow(dogpile, "a");
            Instant created = time.instant();
            time.advance(STALE.plus(TICK));
            Held<String> creator = new Held<>("b");
            var elected = crew.start(() -> dogpile.get(creator));
            creator.awaitBegun();
            assertTrue(dogpile.hasValue());
            assertTrue(dogpile.isExpired());
            assertEquals(Optional.of(created), dogpile.createdAt());
            creator.letGo();
            Crew.result(elected);
            assertFalse(dogpile.isExpired());
            assertEquals(Optional.of(time.instant()), dogpile.createdAt());
        }

        @Test
        @Tag("A-081")
        void everyMode_isKnown() {
            Dogpile<String> byEnsure = builder().build();
            byEnsure.ensure(() -> {});
            assertEquals(Optional.of(time.instant()), byEnsure.createdAt());
            Dogpile<String> byGetter = builder().build();
            byGetter.acquire(creating("a"), getter);
            assertTrue(byGetter.hasValue());
            Dogpile<String> byStamp = builder().build();
            stored.set(new Stamped<>("a", time.instant().minusSeconds(4)));
            byStamp.acquireStamped(stamping("b"), stampedGetter);
            assertEquals(Optional.of(time.instant().minusSeconds(4)), byStamp.createdAt());
            assertFalse(byStamp.isExpired());
            time.advance(ofSeconds(6).plus(TICK));
            assertTrue(byStamp.isExpired());
        }

        @Test
        void toString_tellsTheNameAndTheTime_notTheValue() {
            Dogpile<String> dogpile =
                    builder().lock(null, "reports", ofSeconds(5)).build();
            assertEquals("reports, no value", dogpile.toString());
            createNow(dogpile, "secret");
            assertEquals("reports, created 2026-01-01T00:00:00Z", dogpile.toString());
        }
    }

    @Nested
    class WhenInvalidated {
        private final Dogpile<String> dogpile = builder().build();

        @Test
        void nextCaller_creates() {
            createNow(dogpile, "a");
            dogpile.invalidate();
            assertFalse(dogpile.hasValue());
            assertTrue(dogpile.isExpired());
            assertEquals("b", dogpile.get(creating("b")));
        }

        @Test
        void runningCreation_isGivenToThoseWhoWait_andNotKept() throws Exception {
            Held<String> before = new Held<>("before");
            var elected = crew.start(() -> dogpile.get(before));
            before.awaitBegun();
            var waits = crew.start(() -> dogpile.get(creating("unused")));
            time.awaitParked(1);
            dogpile.invalidate();
            before.letGo();
            assertEquals("before", Crew.result(elected));
            assertEquals("before", Crew.result(waits));
            assertFalse(dogpile.hasValue());
            assertEquals("after", dogpile.get(creating("after")));
            assertEquals(1, creations.get());
        }

        @Test
        void callerAfterwards_createsAtOnce_andThoseWhoWaitTakeTheNewer() throws Exception {
            Held<String> before = new Held<>("before");
            var elected = crew.start(() -> dogpile.get(before));
            before.awaitBegun();
            var waits = crew.start(() -> dogpile.get(creating("unused")));
            time.awaitParked(1);
            dogpile.invalidate();
            assertEquals("after", dogpile.get(creating("after")));
            before.letGo();
            assertEquals("before", Crew.result(elected));
            assertEquals("after", Crew.result(waits));
            assertEquals("after", dogpile.get(creating("unused")));
            assertEquals(1, creations.get());
        }

        @Test
        void runningEnsure_doesNotCountForThoseWhoComeAfter() throws Exception {
            Held<String> before = new Held<>("before");
            var elected = crew.start(() -> {
                dogpile.ensure(() -> unchecked(before));
                return null;
            });
            before.awaitBegun();
            dogpile.invalidate();
            before.letGo();
            Crew.result(elected);
            assertFalse(dogpile.hasValue());
            dogpile.ensure(creations::incrementAndGet);
            assertEquals(1, creations.get());
        }

        @Test
        void valueThatTheCallerKeeps_isCreatedAgain() {
            dogpile.acquire(creating("a"), getter);
            dogpile.invalidate();
            assertEquals("b", dogpile.acquire(creating("b"), getter).value());
        }
    }

    @Nested
    class AsAView {
        private final Dogpile<String> root = builder().build();

        @Test
        @Tag("F-031")
        void eachIsJudgedByItsOwn() {
            createNow(root, "a");
            time.advance(ofSeconds(5));
            assertEquals("a", root.with(o -> o.staleAfter(ofSeconds(5))).get(creating("b")));
            assertEquals("b", root.with(o -> o.staleAfter(ofSeconds(4))).get(creating("b")));
            assertEquals("b", root.get(creating("c")));
            time.advance(ofSeconds(99));
            assertEquals("b", root.with(o -> o.staleAfter(ofSeconds(99))).get(creating("c")));
            assertEquals("c", root.get(creating("c")));
        }

        @Test
        void whatAViewCreates_livesAsLongAsTheRootSays() {
            assertEquals("a", root.with(o -> o.staleAfter(ofSeconds(1))).get(creating("a")));
            time.advance(STALE);
            assertEquals("a", root.get(creating("b")));
            time.advance(TICK);
            assertEquals("b", root.get(creating("b")));
        }

        @Test
        void viewAndRoot_areOneFlight() throws Exception {
            Held<String> creator = new Held<>("a");
            var elected = crew.start(() -> root.get(creator));
            creator.awaitBegun();
            var waits =
                    crew.start(() -> root.with(o -> o.staleAfter(ofSeconds(1))).get(creating("b")));
            time.awaitParked(1);
            creator.letGo();
            assertEquals("a", Crew.result(elected));
            assertEquals("a", Crew.result(waits));
        }

        @Test
        void neverStale_waits() throws Exception {
            createNow(root, "a");
            time.advance(STALE.plus(TICK));
            Held<String> creator = new Held<>("b");
            var elected = crew.start(() -> root.get(creator));
            creator.awaitBegun();
            assertEquals("a", root.get(creating("c")));
            var waits = crew.start(() -> root.with(o -> o.neverStale()).get(creating("c")));
            time.awaitParked(1);
            creator.letGo();
            assertEquals("b", Crew.result(elected));
            assertEquals("b", Crew.result(waits));
        }

        @Test
        void isExpired_agreesWithTheNextCall() {
            createNow(root, "a");
            time.advance(ofSeconds(50));
            Dogpile<String> patient = root.with(o -> o.staleAfter(ofSeconds(50)));
            assertTrue(root.isExpired());
            assertFalse(patient.isExpired());
            assertEquals("a", patient.get(creating("b")));
            assertTrue(root.with(o -> o.staleAfter(ofSeconds(49))).isExpired());
        }

        @Test
        void patientView_doesNotGetWhatTheRootHasExpired() {
            Dogpile<String> expiring = builder().expireAfter(ofSeconds(20)).build();
            createNow(expiring, "a");
            Dogpile<String> patient = expiring.with(o -> o.staleAfter(ofHours(1)));
            time.advance(ofSeconds(20));
            assertEquals("a", patient.get(creating("b")));
            time.advance(TICK);
            assertTrue(patient.isExpired());
            assertEquals("b", patient.get(creating("b")));
        }

        @Test
        void viewThatExpiresEarly_doesNotGetWhatIsFreshForTheRoot() {
            Dogpile<String> early = root.with(o -> o.expireAfter(ofSeconds(3)));
            createNow(root, "a");
            time.advance(ofSeconds(3));
            assertEquals("a", early.get(creating("b")));
            assertFalse(early.isExpired());
            time.advance(TICK);
            assertTrue(early.isExpired());
            assertEquals("b", early.get(creating("b")));
        }

        @Test
        void theLocksOwnOptions_cannotDiffer() {
            assertThrows(IllegalStateException.class, () -> root.with(o -> o.clock(new FakeTime())));
            assertThrows(IllegalStateException.class, () -> root.with(o -> o.lock(LockProvider.local(), ofSeconds(1))));
        }
    }

    @Nested
    class WithALockOfItsOwn {
        private final MapLockProvider locks = new MapLockProvider();

        private Dogpile.Builder<String> locked() {
            return builder().lock(locks, "report", ofSeconds(7));
        }

        @Test
        @Tag("A-083")
        @Tag("F-009")
        void theLockThatIsGiven_isAsked_byItsName() {
            createNow(locked().build(), "a");
            assertEquals(List.of(new MapLockProvider.Asked("report", ofSeconds(7))), locks.asked());
            assertFalse(locks.isHeld("report"));
        }

        @Test
        @Tag("A-083")
        void null_meansTheDefault() throws Exception {
            Dogpile<String> dogpile =
                    builder().lock(null, "report", ofSeconds(7)).build();
            Held<String> creator = new Held<>("a");
            var callers = crew.start(5, () -> dogpile.get(creator));
            time.awaitParked(4);
            creator.letGo();
            assertEquals(Collections.nCopies(5, "a"), Crew.results(callers));
            assertEquals(1, creator.calls());
        }

        @Test
        @Tag("A-016")
        @Tag("F-049")
        void lockIsHeldWhileCreating_notWhileTheValueIsUsed_norOnAHit() {
            Dogpile<String> dogpile = locked().build();
            dogpile.get(() -> {
                assertTrue(locks.isHeld("report"));
                return "a";
            });
            assertFalse(locks.isHeld("report"));
            locks.asked().clear();
            assertEquals("a", dogpile.get(creating("b")));
            assertEquals("a", dogpile.acquire(creating("b")).value());
            assertEquals(List.of(), locks.asked());
        }

        @Test
        void creatorThatThrows_givesTheLockBack() {
            Dogpile<String> dogpile = locked().build();
            assertThrows(
                    CreationException.class,
                    () -> dogpile.get(() -> {
                        throw new IOException("no");
                    }));
            assertFalse(locks.isHeld("report"));
        }

        @Test
        void twoDogpiles_oneLock_oneStore_oneCreation() throws Exception {
            Dogpile<String> one = locked().build();
            Dogpile<String> two = locked().build();
            Held<Stamped<String>> creator = Held.then(stamping("a"));
            var elected =
                    crew.start(() -> one.acquireStamped(creator, stampedGetter).value());
            creator.awaitBegun();
            var others = crew.start(
                    3, () -> two.acquireStamped(stamping("b"), stampedGetter).value());
            time.awaitParked(3);
            creator.letGo();
            assertEquals("a", Crew.result(elected));
            time.advance(ofSeconds(1));
            assertEquals(Collections.nCopies(3, "a"), Crew.results(others));
            assertEquals(1, creations.get());
            assertFalse(locks.isHeld("report"));
        }

        @Test
        @Tag("A-011")
        @Tag("E-010")
        void staleValue_isServed_whileAnotherDogpileHoldsTheLock() throws Exception {
            stored.set(new Stamped<>("old", time.instant().minus(STALE).minus(TICK)));
            Dogpile<String> one = locked().build();
            Dogpile<String> two = locked().build();
            Held<Stamped<String>> creator = Held.then(stamping("a"));
            var elected =
                    crew.start(() -> one.acquireStamped(creator, stampedGetter).value());
            creator.awaitBegun();
            reads.set(0);
            Acquired<String> stale = two.acquireStamped(stamping("b"), stampedGetter);
            assertEquals("old", stale.value());
            assertEquals(Origin.STALE, stale.origin());
            assertEquals(1, reads.get());
            creator.letGo();
            assertEquals("a", Crew.result(elected));
            assertEquals(1, creations.get());
        }

        @Test
        @Tag("F-040")
        void lockThatVanishes_mayMeanASecondCreation_butNeverAnError() throws Exception {
            Dogpile<String> one = locked().build();
            Dogpile<String> two = locked().build();
            Held<Stamped<String>> first = Held.then(stamping("a"));
            var elected =
                    crew.start(() -> one.acquireStamped(first, stampedGetter).value());
            first.awaitBegun();
            locks.lose("report");
            assertEquals("b", two.acquireStamped(stamping("b"), stampedGetter).value());
            first.letGo();
            assertEquals("a", Crew.result(elected));
            assertEquals(2, creations.get());
            assertFalse(locks.isHeld("report"));
            assertEquals("a", two.acquireStamped(stamping("c"), stampedGetter).value());
            assertEquals(2, creations.get());
        }

        @Test
        @Tag("F-040")
        void lockThatVanishes_whileTheDogpileKeepsTheValue() throws Exception {
            Dogpile<String> one = locked().build();
            Held<String> first = new Held<>("a");
            var elected = crew.start(() -> one.get(first));
            first.awaitBegun();
            var waits = crew.start(() -> one.get(creating("b")));
            time.awaitParked(1);
            locks.lose("report");
            first.letGo();
            assertEquals("a", Crew.result(elected));
            assertTrue(List.of("a", "b").contains(Crew.result(waits)));
            assertFalse(locks.isHeld("report"));
            String kept = one.get(creating("c"));
            assertEquals(kept, one.get(creating("d")));
        }

        @Test
        @Tag("F-040")
        void lockThatVanishes_doesNotFreeTheNextHoldersLock() throws Exception {
            Dogpile<String> one = locked().build();
            Dogpile<String> two = locked().build();
            Held<Stamped<String>> first = Held.then(stamping("a"));
            Held<Stamped<String>> second = Held.then(stamping("b"));
            var early =
                    crew.start(() -> one.acquireStamped(first, stampedGetter).value());
            first.awaitBegun();
            locks.lose("report");
            var late =
                    crew.start(() -> two.acquireStamped(second, stampedGetter).value());
            second.awaitBegun();
            first.letGo();
            assertEquals("a", Crew.result(early));
            assertTrue(locks.isHeld("report"));
            second.letGo();
            assertEquals("b", Crew.result(late));
            assertFalse(locks.isHeld("report"));
        }
    }

    private static void unchecked(Creator<?> creator) {
        try {
            creator.create();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
