package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The table of who creates and who gets what. */
class DogpileLockTest {
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);
    private static final Duration TICK = Duration.ofNanos(1);

    private final FakeTime time = new FakeTime();
    private final Events events = new Events();
    private final RecordingLocks locks = new RecordingLocks();
    private final Stamps<String> stamps = new Stamps<>(time);
    private final Callers callers = new Callers();
    private final CountDownLatch go = new CountDownLatch(1);

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    private DogpileLock.Builder<String> tenSeconds() {
        return DogpileLock.<String>builder()
                .staleAfter(TEN_SECONDS)
                .clock(time)
                .seed(1)
                .listener(events);
    }

    private Creator<Stamped<String>> parked(String value) {
        return stamps.creating(() -> {
            go.await();
            return value;
        });
    }

    private Acquired<String> acquire(DogpileLock<String> lock, String created) {
        return lock.acquireStamped("report", stamps.creating(created), stamps.getter());
    }

    /** Starts a creation that goes on until {@link #go} is counted down, and waits until it runs. */
    private Callers.Caller<Acquired<String>> startCreation(DogpileLock<String> lock, String value) {
        Callers.Caller<Acquired<String>> elected =
                callers.start(() -> lock.acquireStamped("report", parked(value), stamps.getter()));
        await(() -> stamps.creates.get() == 1);
        return elected;
    }

    /** Waits, for at most ten real seconds, until what another thread does has come that far. */
    static void await(Callable<Boolean> condition) {
        long giveUpAt = System.nanoTime() + TEN_SECONDS.toNanos();
        try {
            while (!condition.call()) {
                if (System.nanoTime() > giveUpAt) {
                    throw new AssertionError("did not come");
                }
                Thread.onSpinWait();
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Nested
    class WhenFresh {
        @Test
        @Tag("A-007")
        @Tag("A-014")
        void oneRead_noLock_noCreation() {
            stamps.holding("old", Duration.ofSeconds(3));
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();

            Acquired<String> got = acquire(lock, "new");

            assertEquals(new Acquired<>("old", time.instant().minusSeconds(3), Acquired.Origin.FRESH), got);
            assertEquals(1, stamps.reads.get());
            assertEquals(0, locks.asked.get());
            assertEquals(0, stamps.creates.get());
        }

        @Test
        @Tag("A-002")
        @Tag("A-003")
        void ageEqualToTheLimit_isFresh_oneTickMoreIsNot() {
            stamps.holding("old", TEN_SECONDS);
            DogpileLock<String> lock = tenSeconds().build();

            assertEquals("old", acquire(lock, "new").value());

            time.advance(TICK);
            assertEquals("new", acquire(lock, "new").value());
        }

        @Test
        @Tag("A-002")
        @Tag("A-004")
        void noLimit_neverTurnsStale_butAbsentIsStillCreated() {
            DogpileLock<String> lock = DogpileLock.<String>builder().clock(time).build();

            assertEquals("first", acquire(lock, "first").value());
            time.advance(Duration.ofDays(10_000));
            assertEquals("first", acquire(lock, "second").value());
            assertEquals(1, stamps.creates.get());
        }

        @Test
        @Tag("A-005")
        void limitOfZero_isFreshInItsOwnInstantOnly() {
            DogpileLock<String> lock = DogpileLock.<String>builder()
                    .staleAfter(Duration.ZERO)
                    .clock(time)
                    .build();

            assertEquals("first", acquire(lock, "first").value());
            assertEquals("first", acquire(lock, "second").value());
            time.advance(TICK);
            assertEquals("second", acquire(lock, "second").value());
        }

        @Test
        @Tag("A-043")
        void nullValue_isAValue() {
            ScriptedSlot<String> slot = new ScriptedSlot<>(time);
            DogpileLock<String> lock = tenSeconds().build();

            assertNull(lock.get("report", slot, () -> null));
            assertNull(lock.get("report", slot, () -> "new"));
            assertEquals(1, slot.publishes.get());
        }

        @Test
        @Tag("A-006")
        void stampLittleAhead_countsAsNow() {
            stamps.holding("ahead", Duration.ofSeconds(-50));
            DogpileLock<String> lock = tenSeconds().build();

            assertEquals("ahead", acquire(lock, "new").value());
        }

        @Test
        @Tag("A-006")
        void stampFarAhead_isStale_notFreshForEver() {
            stamps.holding("ahead", Duration.ofSeconds(-1_000_000));
            DogpileLock<String> lock = tenSeconds().build();

            assertEquals("new", acquire(lock, "new").value());
        }

        @Test
        @Tag("A-006")
        void stampFarAhead_isStaleToAViewToo() {
            stamps.holding("ahead", Duration.ofSeconds(-1_000_000));
            DogpileLock<String> view =
                    DogpileLock.<String>builder().clock(time).build().with(o -> o.staleAfter(TEN_SECONDS));

            assertEquals("new", acquire(view, "new").value());
        }
    }

    @Nested
    class WhenStale {
        @Test
        @Tag("A-010")
        @Tag("A-040")
        @Tag("A-070")
        void lockIsFree_firstCallerCreates_withOneRead() {
            stamps.holding("old", Duration.ofSeconds(12));
            DogpileLock<String> lock = tenSeconds().build();

            Acquired<String> got = acquire(lock, "the value");

            assertEquals("the value", got.value());
            assertEquals(Acquired.Origin.CREATED, got.origin());
            assertEquals(time.instant(), got.createdAt());
            assertEquals(1, stamps.reads.get());
        }

        @Test
        @Tag("A-040")
        void distributedLock_looksAgainBeforeItCreates() {
            stamps.holding("old", Duration.ofSeconds(12));
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();

            assertEquals("new", acquire(lock, "new").value());
            assertEquals(2, stamps.reads.get());
            assertEquals(1, locks.granted.get());
            assertEquals(1, locks.released.get());
        }

        @Test
        @Tag("A-011")
        void otherCallers_getTheStaleValue_withoutWaiting() {
            stamps.holding("old", Duration.ofSeconds(12));
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();
            Callers.Caller<Acquired<String>> elected = startCreation(lock, "new");
            int readsBefore = stamps.reads.get();

            Acquired<String> got = acquire(lock, "never made");

            assertEquals("old", got.value());
            assertEquals(Acquired.Origin.STALE, got.origin());
            assertEquals(1, stamps.reads.get() - readsBefore);
            assertEquals(1, locks.asked.get());
            assertEquals(1, stamps.creates.get());
            assertFalse(elected.isDone());
            assertEquals(List.of("stale"), events.all());
            go.countDown();
            assertEquals("new", elected.result().value());
        }

        @Test
        @Tag("A-011")
        void lockIsHeldElsewhere_staleValueAtOnce() {
            stamps.holding("old", Duration.ofSeconds(12));
            locks.heldElsewhere = true;
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();

            assertEquals(Acquired.Origin.STALE, acquire(lock, "never made").origin());
            assertEquals(1, stamps.reads.get());
            assertEquals(1, locks.asked.get());
            assertEquals(0, stamps.creates.get());
            assertEquals(0, lock.inFlight());
        }

        @Test
        @Tag("A-039")
        void valueWasCreatedSinceItWasReadStale_isNotCreatedAgain() {
            stamps.holding("old", Duration.ofSeconds(12));
            DogpileLock<String> lock = tenSeconds().build();
            Callable<Optional<Stamped<String>>> overtaken = new Callable<>() {
                private boolean isFirst = true;

                @Override
                public Optional<Stamped<String>> call() throws Exception {
                    Optional<Stamped<String>> read = stamps.getter().call();
                    if (isFirst) {
                        isFirst = false;
                        callers.start(() -> acquire(lock, "new")).result();
                    }
                    return read;
                }
            };

            Acquired<String> got = lock.acquireStamped("report", stamps.creating("again"), overtaken);

            assertEquals("new", got.value());
            assertEquals(Acquired.Origin.FRESH, got.origin());
            assertEquals(1, stamps.creates.get());
        }

        @Test
        void value_isServedUntilExpireAfter_andNotATickLonger() {
            DogpileLock<String> lock = tenSeconds()
                    .expireAfter(Duration.ofSeconds(20))
                    .lock(locks, TEN_SECONDS)
                    .hardTimeout(Duration.ZERO)
                    .build();
            stamps.holding("old", Duration.ofSeconds(20));
            locks.heldElsewhere = true;

            assertEquals("old", acquire(lock, "never made").value());
            time.advance(TICK);
            assertThrows(HardTimeoutException.class, () -> acquire(lock, "never made"));
        }

        @Test
        void neverStale_waitsForTheNewValue() {
            stamps.holding("old", Duration.ofSeconds(12));
            DogpileLock<String> lock = tenSeconds().build();
            Callers.Caller<Acquired<String>> elected = startCreation(lock, "new");

            Callers.Caller<Acquired<String>> strict =
                    callers.start(() -> acquire(lock.with(DogpileLock.Builder::neverStale), "never made"));
            time.awaitParked(1);
            assertFalse(strict.isDone());
            go.countDown();

            assertEquals("new", strict.result().value());
            assertEquals(Acquired.Origin.FRESH, strict.result().origin());
            assertEquals("new", elected.result().value());
            assertEquals(1, stamps.creates.get());
        }
    }

    @Nested
    class WhenAbsent {
        @Test
        @Tag("A-008")
        void firstCaller_looksAgainUnderTheLock_createsOnce_andReadsNothingBack() {
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();

            Acquired<String> got = acquire(lock, "new");

            assertEquals("new", got.value());
            assertEquals(Acquired.Origin.CREATED, got.origin());
            assertEquals(2, stamps.reads.get());
            assertEquals(1, stamps.creates.get());
            assertEquals(1, locks.granted.get());
            assertEquals(1, locks.released.get());
        }

        @Test
        @Tag("A-008")
        @Tag("E-001")
        void secondLookFindsAValue_nothingIsCreated_andTheLockIsFree() {
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();
            Callable<Optional<Stamped<String>>> filledMeanwhile = () -> {
                Optional<Stamped<String>> read = stamps.getter().call();
                stamps.holding("theirs", Duration.ZERO);
                return read;
            };

            Acquired<String> got = lock.acquireStamped("report", stamps.creating("mine"), filledMeanwhile);

            assertEquals("theirs", got.value());
            assertEquals(0, stamps.creates.get());
            assertEquals(1, locks.released.get());
            assertFalse(locks.isHeld("report"));
        }

        @Test
        @Tag("A-009")
        void otherCallers_waitForTheOneCreation() {
            DogpileLock<String> lock = tenSeconds().build();
            Callers.Caller<Acquired<String>> elected = startCreation(lock, "new");
            List<Callers.Caller<Acquired<String>>> waiting = callers.start(20, () -> acquire(lock, "never made"));
            time.awaitParked(20);

            assertTrue(waiting.stream().noneMatch(Callers.Caller::isDone));
            time.advance(Duration.ofMillis(300));
            go.countDown();

            assertEquals("new", elected.result().value());
            for (Callers.Caller<Acquired<String>> waiter : waiting) {
                assertEquals("new", waiter.result().value());
                assertEquals(Acquired.Origin.FRESH, waiter.result().origin());
            }
            assertEquals(1, stamps.creates.get());
            assertEquals(20, events.count("waited 300 ms VALUE"));
            assertEquals(0, lock.inFlight());
        }

        @Test
        @Tag("A-009")
        void valueAppearsWhileTheLockStaysHeldElsewhere_waitersTakeIt() {
            locks.heldElsewhere = true;
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();
            List<Callers.Caller<Acquired<String>>> waiting = callers.start(3, () -> acquire(lock, "never made"));
            time.awaitParked(3);

            stamps.holding("theirs", Duration.ZERO);
            time.advance(Duration.ofMillis(200));

            for (Callers.Caller<Acquired<String>> waiter : waiting) {
                assertEquals("theirs", waiter.result().value());
            }
            assertEquals(0, stamps.creates.get());
        }

        @Test
        @Tag("A-020")
        @Tag("A-036")
        @Tag("E-005")
        void lockIsNeverGranted_hardTimeout_nothingCreated_nothingReleased() {
            locks.heldElsewhere = true;
            DogpileLock<String> lock = tenSeconds()
                    .lock(locks, TEN_SECONDS)
                    .hardTimeout(Duration.ofSeconds(4))
                    .build();
            Callers.Caller<Acquired<String>> waiter = callers.start(() -> acquire(lock, "never made"));
            time.awaitParked(1);

            time.advance(Duration.ofSeconds(4).minus(TICK));
            time.awaitParked(1);
            assertFalse(waiter.isDone());
            time.advance(TICK);

            assertInstanceOf(HardTimeoutException.class, waiter.failure());
            assertEquals(0, stamps.creates.get());
            assertEquals(0, locks.released.get());
            assertEquals(List.of("waited 4000 ms TIMEOUT"), events.all());
        }

        @Test
        @Tag("A-020")
        @Tag("F-017")
        void storeThatDropsAll_everyCallerGetsACreatedValue_noneLoops() {
            stamps.dropsAll = true;
            DogpileLock<String> lock = tenSeconds().build();
            Callers.Caller<Acquired<String>> elected = startCreation(lock, "new");
            Callers.Caller<Acquired<String>> waiter = callers.start(() -> acquire(lock, "never made"));
            time.awaitParked(1);
            go.countDown();

            assertEquals("new", elected.result().value());
            assertEquals("new", waiter.result().value());
            assertEquals("again", acquire(lock, "again").value());
            assertEquals(2, stamps.creates.get());
        }

        @Test
        @Tag("A-016")
        void lockIsFree_whileTheValueIsUsed() {
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();
            AtomicReference<Boolean> heldByTheCreator = new AtomicReference<>();

            lock.acquireStamped(
                    "report",
                    stamps.creating(() -> {
                        heldByTheCreator.set(locks.isHeld("report"));
                        return "new";
                    }),
                    stamps.getter());

            assertTrue(heldByTheCreator.get());
            assertFalse(locks.isHeld("report"));
            assertEquals(0, lock.inFlight());
        }

        @Test
        @Tag("A-026")
        void refreshOn_isNotUsed_theCallerCreates() {
            HandDriven executor = new HandDriven();
            DogpileLock<String> lock = tenSeconds().refreshOn(executor).build();
            AtomicReference<Thread> creator = new AtomicReference<>();

            lock.acquireStamped(
                    "report",
                    stamps.creating(() -> {
                        creator.set(Thread.currentThread());
                        return "new";
                    }),
                    stamps.getter());

            assertSame(Thread.currentThread(), creator.get());
            assertEquals(0, executor.taken());
        }

        @Test
        @Tag("A-034")
        void lockObjectPerCall_overOneProvider_oneCreation() {
            Callers.Caller<Acquired<String>> elected =
                    startCreation(tenSeconds().lock(locks, TEN_SECONDS).build(), "new");
            List<Callers.Caller<Acquired<String>>> waiting = callers.start(
                    3, () -> acquire(tenSeconds().lock(locks, TEN_SECONDS).build(), "never made"));
            time.awaitParked(3);
            go.countDown();
            assertEquals("new", elected.result().value());
            time.advance(Duration.ofMillis(200));

            for (Callers.Caller<Acquired<String>> waiter : waiting) {
                assertEquals("new", waiter.result().value());
            }
            assertEquals(1, stamps.creates.get());
        }

        @Test
        @Tag("A-042")
        void freshness_isJudgedAtEachRead_notOncePerCall() {
            locks.heldElsewhere = true;
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();
            Callers.Caller<Acquired<String>> waiter = callers.start(() -> acquire(lock, "never made"));
            time.awaitParked(1);

            stamps.holding("theirs", Duration.ofSeconds(8));
            time.advance(Duration.ofSeconds(3));

            assertEquals("theirs", waiter.result().value());
            assertEquals(Acquired.Origin.STALE, waiter.result().origin());
        }

        @Test
        void valuePublishedWhileACallerWaited_isFreshForIt_whateverItsAge() {
            locks.heldElsewhere = true;
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();
            Callers.Caller<Acquired<String>> waiter =
                    callers.start(() -> acquire(lock.with(DogpileLock.Builder::neverStale), "never made"));
            time.awaitParked(1);

            stamps.holding("theirs", Duration.ZERO);
            time.advance(Duration.ofSeconds(12));

            assertEquals("theirs", waiter.result().value());
            assertEquals(0, stamps.creates.get());
        }
    }

    @Nested
    class Views {
        private final DogpileLock<String> lock =
                DogpileLock.<String>builder().clock(time).build();
        private final DogpileLock<String> impatient = lock.with(o -> o.staleAfter(TEN_SECONDS));
        private final DogpileLock<String> patient = lock.with(o -> o.staleAfter(Duration.ofSeconds(99)));

        @Test
        void twoCallers_areEachJudgedByTheirOwnAge() {
            ScriptedSlot<String> slot = new ScriptedSlot<String>(time).holding("old", Duration.ofSeconds(50));

            assertEquals("old", patient.get("report", slot, () -> "new"));
            assertEquals("old", lock.get("report", slot, () -> "new"));
            assertEquals(0, slot.claims.get());
            assertEquals("new", impatient.get("report", slot, () -> "new"));
            assertEquals("new", patient.get("report", slot, () -> "newer"));
        }

        @Test
        void ageEqualToTheCallersOwnLimit_isFresh() {
            ScriptedSlot<String> slot = new ScriptedSlot<String>(time).holding("old", TEN_SECONDS);

            assertEquals("old", impatient.get("report", slot, () -> "new"));
            time.advance(TICK);
            assertEquals("new", impatient.get("report", slot, () -> "new"));
        }

        @Test
        void whatAViewCreates_livesAsTheLockSays() {
            DogpileLock<String> root = tenSeconds().build();
            DogpileLock<String> view = root.with(o -> o.staleAfter(Duration.ofSeconds(1)));
            ScriptedSlot<String> slot = new ScriptedSlot<>(time);

            view.get("report", slot, () -> "new");
            time.advance(TEN_SECONDS);

            assertEquals("new", root.get("report", slot, () -> "newer"));
        }

        @Test
        void expireAfterOfAView_refusesWhatIsOlder() {
            ScriptedSlot<String> slot = new ScriptedSlot<String>(time).holding("old", Duration.ofSeconds(21));
            DogpileLock<String> view =
                    impatient.with(o -> o.expireAfter(Duration.ofSeconds(20)).hardTimeout(Duration.ZERO));
            slot.heldElsewhere = true;

            assertEquals("old", impatient.get("report", slot, () -> "never made"));
            assertThrows(HardTimeoutException.class, () -> view.get("report", slot, () -> "never made"));
        }

        @Test
        void view_joinsTheFlightsOfItsLock() {
            DogpileLock<String> root = tenSeconds().build();
            Callers.Caller<Acquired<String>> elected = startCreation(root, "new");
            Callers.Caller<Acquired<String>> waiter =
                    callers.start(() -> acquire(root.with(o -> o.staleAfter(TICK)), "never made"));
            time.awaitParked(1);
            assertEquals(1, root.inFlight());
            go.countDown();

            assertEquals("new", elected.result().value());
            assertEquals("new", waiter.result().value());
            assertEquals(1, stamps.creates.get());
        }

        @Test
        void draftOfAView_isThatOfItsOwnCreations_alsoInAViewOfIt() {
            ScriptedSlot<String> slot = new ScriptedSlot<>(time);
            DogpileLock<String> view = lock.with(o ->
                    o.drafting((name, value, cost) -> new Slot.Draft<>(value, TEN_SECONDS, TEN_SECONDS, cost, false)));

            assertEquals("new", view.get("report", slot, () -> "new"));
            assertEquals("new", view.with(o -> o).get("report", slot, () -> "new"));
            assertEquals(Optional.empty(), slot.stored());
            assertEquals("new", lock.get("report", slot, () -> "new"));
            assertEquals(Optional.of("new"), slot.stored());
        }

        @Test
        void viewOfAView_keepsWhatTheFirstSaid() {
            ScriptedSlot<String> slot = new ScriptedSlot<String>(time).holding("old", Duration.ofSeconds(50));

            assertEquals("new", impatient.with(DogpileLock.Builder::neverStale).get("report", slot, () -> "new"));
        }
    }

    @Nested
    class Refresh {
        private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);

        @Test
        void freshValue_isReplaced() {
            slot.holding("old", Duration.ZERO);
            DogpileLock<String> lock = tenSeconds().build();

            assertEquals("new", lock.refresh("report", slot, () -> "new").value());
            assertEquals(Slot.Wish.Reason.REFRESH, slot.wishes.get(0).reason());
            assertEquals("new", lock.get("report", slot, () -> "newer"));
        }

        @Test
        void anothersCreation_isWaitedFor() {
            slot.holding("old", Duration.ZERO);
            DogpileLock<String> lock = tenSeconds().build();
            Callers.Caller<Acquired<String>> elected = callers.start(() -> lock.refresh("report", slot, () -> {
                go.await();
                return "new";
            }));
            await(slot::isHeld);
            Callers.Caller<Acquired<String>> waiter =
                    callers.start(() -> lock.refresh("report", slot, () -> "never made"));
            time.awaitParked(1);
            go.countDown();

            assertEquals("new", elected.result().value());
            assertEquals("new", waiter.result().value());
        }

        @Test
        void valueStoredElsewhereMeanwhile_isNewEnough() {
            slot.holding("old", Duration.ZERO);
            slot.heldElsewhere = true;
            DogpileLock<String> lock = tenSeconds().build();
            Callers.Caller<Acquired<String>> waiter =
                    callers.start(() -> lock.refresh("report", slot, () -> "never made"));
            time.awaitParked(1);
            time.advance(Duration.ofMillis(200));
            time.awaitParked(1);
            assertFalse(waiter.isDone());

            slot.holding("theirs", Duration.ZERO);
            time.advance(Duration.ofMillis(200));

            assertEquals("theirs", waiter.result().value());
        }

        @Test
        void failure_isThrown_thoughThereIsAValue() {
            slot.holding("old", Duration.ZERO);
            DogpileLock<String> lock = tenSeconds().build();
            IllegalArgumentException boom = new IllegalArgumentException("boom");

            assertSame(
                    boom,
                    assertThrows(
                            IllegalArgumentException.class,
                            () -> lock.refresh("report", slot, () -> {
                                throw boom;
                            })));
            assertEquals(Optional.of("old"), slot.stored());
        }
    }

    @Nested
    class WhenDetached {
        private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
        private final DogpileLock<String> lock = tenSeconds().build();

        private Callers.Caller<Acquired<String>> startCreation(String value) {
            Callers.Caller<Acquired<String>> elected = callers.start(() -> lock.acquire("report", slot, () -> {
                go.await();
                return value;
            }));
            await(slot::isHeld);
            return elected;
        }

        @Test
        void invalidated_laterCallersElectAnew_earlierOnesGetTheOldCreation_whichIsNotStored() {
            Callers.Caller<Acquired<String>> elected = startCreation("before");
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "never made"));
            time.awaitParked(1);

            slot.invalidate();
            lock.detach("report");
            CountDownLatch goAfter = new CountDownLatch(1);
            Callers.Caller<String> later = callers.start(() -> lock.get("report", slot, () -> {
                goAfter.await();
                return "after";
            }));
            await(slot::isHeld);
            go.countDown();

            assertEquals("before", elected.result().value());
            assertEquals("before", waiter.result());
            assertEquals(Optional.empty(), slot.stored());
            assertEquals(1, events.count("refused VOIDED"));
            goAfter.countDown();
            assertEquals("after", later.result());
            assertEquals(Optional.of("after"), slot.stored());
        }

        @Test
        void put_laterCallersGetIt_andTheRunningCreationDoesNotReplaceIt() {
            Callers.Caller<Acquired<String>> elected = startCreation("made");
            slot.invalidate();
            slot.holding("put", Duration.ZERO);
            lock.detach("report");

            assertEquals("put", lock.get("report", slot, () -> "never made"));
            go.countDown();
            assertEquals("made", elected.result().value());
            assertEquals(Optional.of("put"), slot.stored());
        }

        @Test
        void invalidatedElsewhere_onlyTheElectedKeepsTheValue_itsWaitersLookAgain() {
            Callers.Caller<Acquired<String>> elected = startCreation("before");
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "after"));
            time.awaitParked(1);

            slot.invalidate();
            go.countDown();

            assertEquals("before", elected.result().value());
            assertEquals("after", waiter.result());
            assertEquals(Optional.of("after"), slot.stored());
            assertEquals(1, events.count("refused VOIDED"));
        }

        @Test
        void superseded_waitersTakeTheSuccessorsValue_theElectedItsOwn() {
            Callers.Caller<Acquired<String>> elected = startCreation("mine");
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "never made"));
            time.awaitParked(1);

            slot.holding("theirs", Duration.ZERO);
            go.countDown();

            assertEquals("mine", elected.result().value());
            assertEquals("theirs", waiter.result());
            assertEquals(1, events.count("refused SUPERSEDED"));
            assertEquals(1, events.count("duplicate"));
        }

        @Test
        void writeThatTimedOut_everybodyGetsTheValue() {
            slot.outcome = new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null);
            Callers.Caller<Acquired<String>> elected = startCreation("new");
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "never made"));
            time.awaitParked(1);
            go.countDown();

            assertEquals("new", elected.result().value());
            assertEquals("new", waiter.result());
            assertEquals(1, events.count("refused UNKNOWN"));
        }

        @Test
        void stampedValue_oneSecondYoungerThanTheOneThatWasSeen_supersedes() {
            DogpileLock<String> leased = tenSeconds().lock(locks, TEN_SECONDS).build();
            for (int seconds = 11; seconds <= 14; seconds++) {
                events.clear();
                stamps.holding("old", Duration.ofSeconds(seconds));
                int older = seconds;
                leased.acquireStamped(
                        "report " + seconds,
                        () -> {
                            locks.lost = true;
                            stamps.holding("theirs", Duration.ofSeconds(older - 1));
                            return new Stamped<>("mine", time.instant());
                        },
                        stamps.getter());
                locks.lost = false;

                assertEquals(1, events.count("refused SUPERSEDED"), "seen " + seconds + " s ago");
            }
        }
    }

    @Nested
    class CurrentCreation {
        @Test
        void creator_isToldItsName_token_andDeadline() {
            ScriptedSlot<String> slot = new ScriptedSlot<>(time);
            DogpileLock<String> lock =
                    tenSeconds().maxCreation(Duration.ofSeconds(7)).build();
            AtomicReference<Creation> told = new AtomicReference<>();
            Instant start = time.instant();

            lock.get("report", slot, () -> {
                told.set(Creation.current().orElseThrow());
                time.advance(Duration.ofSeconds(1));
                return "new";
            });

            assertEquals("report", told.get().name());
            assertEquals(1, told.get().fencingToken());
            assertEquals(start.plusSeconds(7), told.get().deadline());
            assertFalse(told.get().isLeaseLost());
            assertTrue(Creation.current().isEmpty());
        }

        @Test
        void creatorOfAnotherNameInside_isToldItsOwn_andAfterwardsTheOuterIsBack() {
            DogpileLock<String> lock = tenSeconds().build();
            ScriptedSlot<String> slot = new ScriptedSlot<>(time);
            ScriptedSlot<String> other = new ScriptedSlot<>(time);

            String got = lock.get("outer", slot, () -> {
                String inner = lock.get(
                        "inner",
                        other,
                        () -> Creation.current().orElseThrow().name().toString());
                return inner + " in " + Creation.current().orElseThrow().name();
            });

            assertEquals("inner in outer", got);
        }

        @Test
        void creatorThatThrows_leavesNothingBehind() {
            DogpileLock<String> lock = tenSeconds().build();

            assertThrows(
                    IllegalStateException.class,
                    () -> lock.get("report", new ScriptedSlot<>(time), () -> {
                        throw new IllegalStateException("boom");
                    }));

            assertTrue(Creation.current().isEmpty());
        }
    }

    @Nested
    class WhatIsNotKept {
        private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);

        private void everyWaiterGets(DogpileLock<String> lock) {
            AtomicInteger creates = new AtomicInteger();
            Creator<String> creator = () -> {
                creates.incrementAndGet();
                go.await();
                return "new";
            };
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, creator));
            await(slot::isHeld);
            List<Callers.Caller<String>> waiting = callers.start(3, () -> lock.get("report", slot, creator));
            time.awaitParked(3);
            go.countDown();

            assertEquals("new", elected.result());
            for (Callers.Caller<String> waiter : waiting) {
                assertEquals("new", waiter.result());
            }
            assertEquals(1, creates.get());
            assertEquals(Optional.empty(), slot.stored());
            assertFalse(slot.isHeld());
        }

        @Test
        void refusedByTheDraft_isHandedToAllWhoWaited_andNotStored() {
            everyWaiterGets(tenSeconds()
                    .drafting((name, value, cost) -> new Slot.Draft<>(value, TEN_SECONDS, TEN_SECONDS, cost, false))
                    .build());
        }

        @Test
        void draftThatThrows_valueIsHandedToAllWhoWaited_andTheRightIsGivenBack() {
            everyWaiterGets(tenSeconds()
                    .drafting((name, value, cost) -> {
                        throw new IllegalStateException("no draft");
                    })
                    .build());
            assertEquals(1, events.count("down no draft"));
        }

        @Test
        void draft_decidesHowLongTheValueLives() {
            DogpileLock<String> lock = tenSeconds()
                    .drafting((name, value, cost) ->
                            new Slot.Draft<>(value, Duration.ofSeconds(2), TEN_SECONDS, cost, true))
                    .build();
            lock.get("report", slot, () -> "first");

            time.advance(Duration.ofSeconds(2));
            assertEquals("first", lock.get("report", slot, () -> "second"));
            time.advance(TICK);
            assertEquals("second", lock.get("report", slot, () -> "second"));
        }
    }

    @Nested
    class WhereReadsAreRoundTrips {
        private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
        private final DogpileLock<String> lock = tenSeconds().build();

        WhereReadsAreRoundTrips() {
            slot.readsFree = false;
        }

        @Test
        void callersOfOneColdName_shareOneReadAndOneClaim() {
            CountDownLatch reading = new CountDownLatch(1);
            slot.onRead = reading::await;
            List<Callers.Caller<String>> all = callers.start(5, () -> lock.get("report", slot, () -> "new"));
            time.awaitParked(4);
            reading.countDown();

            for (Callers.Caller<String> caller : all) {
                assertEquals("new", caller.result());
            }
            assertEquals(1, slot.reads.get());
            assertEquals(1, slot.claims.get());
            assertEquals(1, slot.publishes.get());
        }

        @Test
        void staleValueThatTheLeaderReads_isOfferedToAllWhoTakeOne() {
            slot.holding("old", TEN_SECONDS, Duration.ZERO, Duration.ofDays(1), Duration.ZERO);
            CountDownLatch claiming = new CountDownLatch(1);
            CountDownLatch reading = new CountDownLatch(1);
            slot.onRead = reading::await;
            slot.onClaim = claiming::await;
            Callers.Caller<String> leader = callers.start(() -> lock.get("report", slot, () -> "new"));
            await(() -> slot.reads.get() == 1);
            List<Callers.Caller<String>> others = callers.start(3, () -> lock.get("report", slot, () -> "new"));
            Callers.Caller<String> strict = callers.start(
                    () -> lock.with(DogpileLock.Builder::neverStale).get("report", slot, () -> "new"));
            time.awaitParked(4);
            reading.countDown();

            for (Callers.Caller<String> other : others) {
                assertEquals("old", other.result());
            }
            assertFalse(strict.isDone());
            claiming.countDown();
            assertEquals("new", leader.result());
            assertEquals("new", strict.result());
            assertEquals(1, slot.reads.get());
        }

        @Test
        void pushedValue_endsTheWaitOfAll() {
            slot.heldElsewhere = true;
            List<Callers.Caller<String>> waiting = callers.start(3, () -> lock.get("report", slot, () -> "never made"));
            time.awaitParked(3);

            slot.push("theirs");

            for (Callers.Caller<String> waiter : waiting) {
                assertEquals("theirs", waiter.result());
            }
        }

        @Test
        void watchThatCannotBeRegistered_isMadeUpForByTheTimer() {
            slot.heldElsewhere = true;
            slot.onWatch = () -> {
                throw new IllegalStateException("no subscription");
            };
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "never made"));
            time.awaitParked(1);
            slot.holding("theirs", Duration.ZERO);
            time.advance(Duration.ofMillis(200));

            assertEquals("theirs", waiter.result());
            assertEquals(1, events.count("down no subscription"));
        }
    }
}
