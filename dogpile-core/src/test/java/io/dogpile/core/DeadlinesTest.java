package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Soft and hard timeouts, the renewal of leases, and what becomes of a creation that takes too long. */
class DeadlinesTest {
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TICK = Duration.ofNanos(1);

    private final FakeTime time = new FakeTime();
    private final Events events = new Events();
    private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
    private final HandDriven executor = new HandDriven();
    private final AtomicInteger creates = new AtomicInteger();
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
                .renewOn(Runnable::run)
                .listener(events);
    }

    private void holdStale() {
        slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);
    }

    private String creator() {
        creates.incrementAndGet();
        return "new";
    }

    private Callers.Caller<String> startCreation(DogpileLock<String> lock, String value) {
        Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, () -> {
            creates.incrementAndGet();
            go.await();
            return value;
        }));
        DogpileLockTest.await(() -> creates.get() == 1);
        return elected;
    }

    @Nested
    class RefreshBehind {
        @Test
        @Tag("A-028")
        void tenStaleCallers_oneHandOver_noneWaits() {
            holdStale();
            DogpileLock<String> lock = tenSeconds().refreshOn(executor).build();

            for (int i = 0; i < 10; i++) {
                Acquired<String> got = lock.acquire("report", slot, DeadlinesTest.this::creator);
                assertEquals("old", got.value());
                assertEquals(Acquired.Origin.STALE, got.origin());
            }

            assertEquals(1, executor.taken());
            assertEquals(0, creates.get());
            assertEquals(10, events.count("stale"));
            executor.runAll();
            assertEquals(Optional.of("new"), slot.stored());
            assertEquals("new", lock.get("report", slot, () -> "newer"));
            assertEquals(1, creates.get());
        }

        @Test
        void softTimeoutPasses_theStaleValueIsTaken_theCreationGoesOn_andIsStored() {
            holdStale();
            DogpileLock<String> lock =
                    tenSeconds().refreshOn(executor).softTimeout(SECOND).build();
            Callers.Caller<Acquired<String>> elected =
                    callers.start(() -> lock.acquire("report", slot, DeadlinesTest.this::creator));
            time.awaitParked(1);
            time.advance(SECOND.minus(TICK));
            time.awaitParked(1);
            assertFalse(elected.isDone());

            time.advance(TICK);

            assertEquals("old", elected.result().value());
            assertEquals(Acquired.Origin.STALE, elected.result().origin());
            assertEquals(List.of("stale", "waited 1000 ms STALE"), events.all());
            assertEquals(1, lock.inFlight());
            executor.runAll();
            assertEquals(Optional.of("new"), slot.stored());
            assertEquals(0, lock.inFlight());
        }

        @Test
        void inASharedStore_theElectedWaitsAsLong_andDoesNotTakeTheStaleValueThatItOffersOthers() {
            slot.readsFree = false;
            holdStale();
            DogpileLock<String> lock =
                    tenSeconds().refreshOn(executor).softTimeout(SECOND).build();
            Callers.Caller<Acquired<String>> elected =
                    callers.start(() -> lock.acquire("report", slot, DeadlinesTest.this::creator));
            time.awaitParked(1);
            time.advance(SECOND.minus(TICK));
            time.awaitParked(1);
            assertFalse(elected.isDone());

            executor.runAll();

            assertEquals("new", elected.result().value());
        }

        @Test
        void creationEndsWithinTheSoftTimeout_theElectedGetsTheNewValue() {
            holdStale();
            DogpileLock<String> lock =
                    tenSeconds().refreshOn(executor).softTimeout(SECOND).build();
            Callers.Caller<Acquired<String>> elected =
                    callers.start(() -> lock.acquire("report", slot, DeadlinesTest.this::creator));
            time.awaitParked(1);

            executor.runAll();

            assertEquals("new", elected.result().value());
            assertEquals(Acquired.Origin.CREATED, elected.result().origin());
        }

        @Test
        void staleValueExpiresBeforeTheSoftTimeout_theElectedWaitsOn() {
            slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofSeconds(13), Duration.ZERO);
            DogpileLock<String> lock = tenSeconds()
                    .refreshOn(executor)
                    .softTimeout(Duration.ofSeconds(2))
                    .build();
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, () -> "new"));
            time.awaitParked(1);
            time.advance(Duration.ofSeconds(2));
            time.awaitParked(1);
            assertFalse(elected.isDone());

            executor.runAll();
            assertEquals("new", elected.result());
        }

        @Test
        void handedOverCreationFails_theElectedGetsTheStaleValue() {
            holdStale();
            DogpileLock<String> lock =
                    tenSeconds().refreshOn(executor).softTimeout(SECOND).build();
            Callers.Caller<Acquired<String>> elected = callers.start(() -> lock.acquire("report", slot, () -> {
                throw new IllegalStateException("boom");
            }));
            time.awaitParked(1);

            executor.runAll();

            assertEquals(Acquired.Origin.STALE, elected.result().origin());
            assertEquals(List.of("failed boom", "stale", "waited 0 ms STALE"), events.all());
        }

        @Test
        @Tag("A-031")
        @Tag("A-030")
        void rightIsGivenBackByTheExecutorsThread_andOnlyOnce() {
            RecordingLocks locks = new RecordingLocks();
            Stamps<String> stamps = new Stamps<String>(time).holding("old", Duration.ofSeconds(12));
            DogpileLock<String> lock =
                    tenSeconds().lock(locks, TEN_SECONDS).refreshOn(executor).build();

            assertEquals(
                    "old",
                    lock.acquireStamped("report", stamps.creating("new"), stamps.getter())
                            .value());
            assertTrue(locks.isHeld("report"));
            callers.start(() -> {
                        executor.runAll();
                        return null;
                    })
                    .result();

            assertFalse(locks.isHeld("report"));
            assertEquals(1, locks.released.get());
            assertEquals(
                    "new",
                    lock.acquireStamped("report", stamps.creating("newer"), stamps.getter())
                            .value());
        }

        @Test
        @Tag("A-032")
        void executorThatForgetsItsTask_anotherIsElectedAfterMaxCreation() {
            holdStale();
            DogpileLock<String> lock = tenSeconds()
                    .refreshOn(executor)
                    .maxCreation(Duration.ofSeconds(30))
                    .build();
            assertEquals("old", lock.get("report", slot, DeadlinesTest.this::creator));
            executor.dropAll();
            time.advance(Duration.ofSeconds(30));
            assertEquals("old", lock.get("report", slot, DeadlinesTest.this::creator));
            assertEquals(1, executor.taken());
            assertEquals(0, events.count("lease lost"));

            time.advance(TICK);
            assertEquals("old", lock.get("report", slot, DeadlinesTest.this::creator));

            assertEquals(1, events.count("lease lost"));
            assertEquals(2, executor.taken());
            executor.runAll();
            assertEquals("new", lock.get("report", slot, () -> "newer"));
        }

        @Test
        @Tag("A-033")
        void handedOver_theRegisteredDogpileStays_thoughNobodyHoldsIt() {
            NameRegistry<Dogpile<String>> dogpiles = NameRegistry.of(name -> Dogpile.<String>builder()
                    .staleAfter(TEN_SECONDS)
                    .refreshOn(executor)
                    .options(o -> o.clock(time))
                    .build());
            assertEquals("old", dogpiles.get("report").get(() -> "old"));
            time.advance(TEN_SECONDS.plus(TICK));
            assertEquals("old", dogpiles.get("report").get(DeadlinesTest.this::creator));

            FailuresTest.collectGarbage();

            assertEquals("old", dogpiles.get("report").get(() -> "of another dogpile"));
            assertEquals(1, executor.taken());
            executor.runAll();
            assertEquals(1, creates.get());
        }

        @Test
        @Tag("A-033")
        void handedOver_theNameStaysLocked_thoughNobodyHoldsItsLock() {
            LockProvider locks = LockProvider.local();
            Stamps<String> stamps = new Stamps<String>(time).holding("old", Duration.ofSeconds(12));
            tenSeconds()
                    .lock(locks, TEN_SECONDS)
                    .refreshOn(executor)
                    .build()
                    .acquireStamped("report", stamps.creating("new"), stamps.getter());

            FailuresTest.collectGarbage();

            assertEquals(Optional.empty(), locks.tryAcquire("report", TEN_SECONDS));
            executor.runAll();
            assertTrue(locks.tryAcquire("report", TEN_SECONDS).isPresent());
        }
    }

    @Nested
    class HardTimeout {
        @Test
        void waiter_isThrownOutAtItsTime_theCreationGoesOn_andIsStored() {
            DogpileLock<String> lock = tenSeconds().hardTimeout(SECOND).build();
            Callers.Caller<String> elected = startCreation(lock, "new");
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, DeadlinesTest.this::creator));
            time.awaitParked(1);
            time.advance(SECOND.minus(TICK));
            time.awaitParked(1);
            assertFalse(waiter.isDone());

            time.advance(TICK);

            assertInstanceOf(HardTimeoutException.class, waiter.failure());
            assertEquals(List.of("waited 1000 ms TIMEOUT"), events.all());
            go.countDown();
            assertEquals("new", elected.result());
            assertEquals(Optional.of("new"), slot.stored());
            assertEquals(1, creates.get());
            assertEquals(0, lock.inFlight());
        }

        @Test
        void electedCaller_isNotBoundByIt() {
            DogpileLock<String> lock = tenSeconds().hardTimeout(SECOND).build();

            assertEquals("new", lock.get("report", slot, () -> {
                time.advance(Duration.ofSeconds(5));
                return "new";
            }));
        }

        @Test
        @Tag("A-036")
        void waitersThatGiveUp_leaveTheQueue_andTheNextGrantIsNotLost() {
            DogpileLock<String> lock = tenSeconds().build();
            DogpileLock<String> hasty = lock.with(o -> o.hardTimeout(SECOND));
            slot.heldElsewhere = true;
            Callers.Caller<String> leader = callers.start(() -> hasty.get("report", slot, DeadlinesTest.this::creator));
            time.awaitParked(1);
            Callers.Caller<String> second = callers.start(() -> hasty.get("report", slot, DeadlinesTest.this::creator));
            time.awaitParked(2);
            Callers.Caller<String> patient = callers.start(() -> lock.get("report", slot, DeadlinesTest.this::creator));
            time.awaitParked(3);

            time.advance(SECOND);
            assertInstanceOf(HardTimeoutException.class, leader.failure());
            assertInstanceOf(HardTimeoutException.class, second.failure());
            time.awaitParked(1);
            slot.heldElsewhere = false;
            time.advance(SECOND);

            assertEquals("new", patient.result());
            assertEquals(1, creates.get());
            assertEquals(0, lock.inFlight());
        }

        @Test
        void lastWaiterGivesUp_nothingIsLeftBehind_andTheNextCallerIsElected() {
            DogpileLock<String> lock = tenSeconds().hardTimeout(SECOND).build();
            slot.heldElsewhere = true;
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, DeadlinesTest.this::creator));
            time.awaitParked(1);
            assertEquals(1, lock.inFlight());
            time.advance(SECOND);

            assertInstanceOf(HardTimeoutException.class, waiter.failure());
            assertEquals(0, lock.inFlight());
            slot.heldElsewhere = false;
            assertEquals("new", lock.get("report", slot, DeadlinesTest.this::creator));
        }
    }

    @Nested
    class OverdueCreation {
        private final DogpileLock<String> lock = tenSeconds()
                .maxCreation(Duration.ofSeconds(30))
                .hardTimeout(Duration.ofMinutes(5))
                .build();

        @Test
        @Tag("A-032")
        void waiterIsElectedAfterMaxCreation_theLateValueIsRefused() {
            AtomicReference<Creation> late = new AtomicReference<>();
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, () -> {
                late.set(Creation.current().orElseThrow());
                go.await();
                return "late";
            }));
            DogpileLockTest.await(() -> late.get() != null);
            CountDownLatch goSecond = new CountDownLatch(1);
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> {
                creates.incrementAndGet();
                goSecond.await();
                return "second";
            }));
            time.awaitParked(1);
            time.advance(Duration.ofSeconds(30));
            time.awaitParked(1);
            assertEquals(0, creates.get());

            time.advance(TICK);
            DogpileLockTest.await(() -> creates.get() == 1);

            assertTrue(late.get().isLeaseLost());
            assertEquals(List.of("lease lost"), events.all());
            go.countDown();
            assertEquals("late", elected.result());
            assertEquals(Optional.empty(), slot.stored());
            assertEquals(1, events.count("refused VOIDED"));
            assertEquals(1, lock.inFlight());
            goSecond.countDown();
            assertEquals("second", waiter.result());
            assertEquals(Optional.of("second"), slot.stored());
            assertEquals(0, lock.inFlight());
        }

        @Test
        void successorIsStoredFirst_theLateValueIsSuperseded() {
            Callers.Caller<String> elected = startCreation(lock, "late");
            time.advance(Duration.ofSeconds(30).plus(TICK));
            assertEquals("second", lock.get("report", slot, () -> "second"));
            go.countDown();

            assertEquals("late", elected.result());
            assertEquals(Optional.of("second"), slot.stored());
            assertEquals(1, events.count("duplicate"));
        }

        @Test
        void inMemory_theLateValueIsRefusedToo() {
            Cell<String> cell = new Cell<>(time, "report");
            Slot<String> memory = lock.slot(cell, "report");
            CountDownLatch running = new CountDownLatch(1);
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", memory, () -> {
                running.countDown();
                go.await();
                return "late";
            }));
            DogpileLockTest.await(() -> running.getCount() == 0);
            time.advance(Duration.ofSeconds(30).plus(TICK));
            assertEquals("second", lock.get("report", memory, () -> "second"));
            go.countDown();

            assertEquals("late", elected.result());
            assertEquals("second", cell.read().value);
        }

        @Test
        @Tag("A-030")
        void lateEnd_doesNotFreeTheSuccessorsLease() {
            RecordingLocks locks = new RecordingLocks();
            Stamps<String> stamps = new Stamps<>(time);
            DogpileLock<String> leased = tenSeconds()
                    .maxCreation(Duration.ofSeconds(30))
                    .lock(locks, TEN_SECONDS)
                    .build();
            Callers.Caller<Acquired<String>> elected = callers.start(() -> leased.acquireStamped(
                    "report",
                    stamps.creating(() -> {
                        go.await();
                        throw new IllegalStateException("late");
                    }),
                    stamps.getter()));
            DogpileLockTest.await(() -> stamps.creates.get() == 1);
            time.advance(Duration.ofSeconds(30).plus(TICK));
            CountDownLatch goSecond = new CountDownLatch(1);
            Callers.Caller<Acquired<String>> second = callers.start(() -> leased.acquireStamped(
                    "report",
                    stamps.creating(() -> {
                        goSecond.await();
                        return "second";
                    }),
                    stamps.getter()));
            DogpileLockTest.await(() -> stamps.creates.get() == 2);
            go.countDown();

            assertInstanceOf(IllegalStateException.class, elected.failure());
            assertTrue(locks.isHeld("report"));
            goSecond.countDown();
            assertEquals("second", second.result().value());
            assertFalse(locks.isHeld("report"));
        }

        @Test
        void staleCallers_areServed_meanwhile() {
            holdStale();
            Callers.Caller<String> elected = startCreation(lock, "late");
            time.advance(Duration.ofSeconds(30));

            assertEquals("old", lock.get("report", slot, DeadlinesTest.this::creator));
            go.countDown();
            assertEquals("late", elected.result());
        }
    }

    @Nested
    class RenewalOfTheLease {
        private final DogpileLock<String> lock =
                tenSeconds().maxCreation(Duration.ofSeconds(60)).build();

        RenewalOfTheLease() {
            slot.lease = Duration.ofSeconds(3);
        }

        @Test
        @Tag("D-079")
        void creatorRuns_theLeaseIsRenewedAtAThird_andNoMoreAfterItsEnd() {
            lock.get("report", slot, () -> {
                time.advance(SECOND.minus(TICK));
                assertEquals(0, slot.renewals.get());
                time.advance(TICK);
                assertEquals(1, slot.renewals.get());
                time.advance(TEN_SECONDS);
                assertEquals(11, slot.renewals.get());
                return "new";
            });

            assertEquals(0, time.alarms());
            time.advance(TEN_SECONDS);
            assertEquals(11, slot.renewals.get());
            assertEquals(List.of("created"), events.all());
        }

        @Test
        void creatorThrows_theRenewalEnds() {
            try {
                lock.get("report", slot, () -> {
                    throw new IllegalStateException("boom");
                });
            } catch (IllegalStateException expected) {
                assertEquals(0, time.alarms());
                return;
            }
            throw new AssertionError("nothing was thrown");
        }

        @Test
        void creatorHangs_theRenewalEndsAtMaxCreation_andTheHolderIsTold() {
            lock.get("report", slot, () -> {
                Creation creation = Creation.current().orElseThrow();
                time.advance(Duration.ofSeconds(59));
                assertEquals(59, slot.renewals.get());
                assertFalse(creation.isLeaseLost());
                time.advance(SECOND);
                assertTrue(creation.isLeaseLost());
                time.advance(TEN_SECONDS);
                assertEquals(59, slot.renewals.get());
                assertEquals(0, time.alarms());
                return "new";
            });

            assertEquals(1, events.count("lease lost"));
        }

        @Test
        void leaseIsLost_theHolderIsToldWhileItWorks_once_andKeepsItsValue() {
            String got = lock.get("report", slot, () -> {
                Creation creation = Creation.current().orElseThrow();
                slot.renewable = false;
                time.advance(SECOND.minus(TICK));
                assertFalse(creation.isLeaseLost());
                time.advance(TICK);
                assertTrue(creation.isLeaseLost());
                assertEquals(List.of("lease lost"), events.all());
                time.advance(TEN_SECONDS);
                slot.invalidate();
                return "new";
            });

            assertEquals("new", got);
            assertEquals(1, slot.renewals.get());
            assertEquals(1, events.count("lease lost"));
            assertEquals(1, events.count("refused VOIDED"));
        }

        @Test
        void renewalGetsNoAnswer_itIsTriedAgain_andLostOnlyAfterAWholeLease() {
            lock.get("report", slot, () -> {
                Creation creation = Creation.current().orElseThrow();
                slot.onRenew = () -> {
                    throw new IllegalStateException("no answer");
                };
                time.advance(Duration.ofSeconds(2));
                assertEquals(2, slot.renewals.get());
                assertFalse(creation.isLeaseLost());
                slot.onRenew = () -> {};
                time.advance(SECOND);
                slot.onRenew = () -> {
                    throw new IllegalStateException("no answer");
                };
                time.advance(Duration.ofSeconds(2));
                assertFalse(creation.isLeaseLost());
                time.advance(SECOND);
                assertTrue(creation.isLeaseLost());
                return "new";
            });

            assertEquals(6, slot.renewals.get());
        }

        @Test
        void workersAreBusy_theNextTurnTriesAgain() {
            HandDriven workers = new HandDriven();
            workers.refuseAll();
            tenSeconds().renewOn(workers).build().get("report", slot, () -> {
                time.advance(SECOND);
                assertEquals(0, workers.taken());
                workers.acceptAll();
                time.advance(SECOND);
                assertEquals(1, workers.taken());
                workers.runAll();
                assertEquals(1, slot.renewals.get());
                return "new";
            });
        }

        @Test
        void rightThatDoesNotEndByTime_isNotRenewed() {
            slot.lease = Duration.ZERO;

            lock.get("report", slot, () -> {
                assertEquals(0, time.alarms());
                time.advance(TEN_SECONDS);
                return "new";
            });

            assertEquals(0, slot.renewals.get());
        }

        @Test
        void leaseOfAProvider_isExtendedByItsLeaseTime() {
            RecordingLocks locks = new RecordingLocks();
            Stamps<String> stamps = new Stamps<>(time);
            DogpileLock<String> leased =
                    tenSeconds().lock(locks, Duration.ofSeconds(6)).build();

            leased.acquireStamped(
                    "report",
                    stamps.creating(() -> {
                        time.advance(Duration.ofSeconds(2));
                        assertEquals(1, locks.extended.get());
                        return "new";
                    }),
                    stamps.getter());

            assertEquals(Duration.ofSeconds(6), locks.lastLeaseTime);
        }

        @Test
        void creationByTheExecutor_isRenewedToo() {
            holdStale();
            DogpileLock<String> behind = tenSeconds().refreshOn(executor).build();
            behind.get("report", slot, () -> {
                time.advance(SECOND);
                return "new";
            });
            executor.runAll();

            assertEquals(1, slot.renewals.get());
            assertEquals(0, time.alarms());
        }
    }
}
