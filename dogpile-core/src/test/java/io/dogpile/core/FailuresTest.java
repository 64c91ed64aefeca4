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
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What happens when a creator, a waiter, a listener, an executor, a store or a lock fails. */
class FailuresTest {
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);
    private static final Duration TICK = Duration.ofNanos(1);

    private final FakeTime time = new FakeTime();
    private final Events events = new Events();
    private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
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
                .listener(events);
    }

    /** A creator that throws, on the caller's word. */
    private Creator<String> throwing(Throwable failure) {
        return () -> {
            creates.incrementAndGet();
            FailuresTest.<RuntimeException>sneak(failure);
            return "never";
        };
    }

    private Creator<String> parkedThen(Creator<String> then) {
        return () -> {
            go.await();
            return then.create();
        };
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable failure) throws E {
        throw (E) failure;
    }

    private void fails(DogpileLock<String> lock, Throwable failure) {
        Throwable thrown = assertThrows(Throwable.class, () -> lock.get("report", slot, throwing(failure)));
        assertSame(failure, thrown);
    }

    private CreationException refused(DogpileLock<String> lock) {
        int before = creates.get();
        CreationException refused =
                assertThrows(CreationException.class, () -> lock.get("report", slot, throwing(new Error("not asked"))));
        assertEquals(before, creates.get());
        return refused;
    }

    @Nested
    class CreatorThrows {
        @Test
        @Tag("A-019")
        void thirtyTwoWaiters_oneCall_allGetThatVeryInstance() {
            DogpileLock<String> lock = tenSeconds().build();
            IllegalStateException boom = new IllegalStateException("boom");
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, parkedThen(throwing(boom))));
            DogpileLockTest.await(slot::isHeld);
            List<Callers.Caller<String>> waiting =
                    callers.start(32, () -> lock.get("report", slot, throwing(new Error("another call"))));
            time.awaitParked(32);
            go.countDown();

            assertSame(boom, elected.failure());
            for (Callers.Caller<String> waiter : waiting) {
                assertSame(boom, waiter.failure());
            }
            assertEquals(1, creates.get());
            assertEquals(32, events.count("waited 0 ms FAILURE"));
            assertEquals(0, lock.inFlight());
        }

        @Test
        @Tag("A-017")
        void unchecked_isThrownUnchanged_theRightIsGivenBackOnce_andTheNextCallerMayCreate() {
            DogpileLock<String> lock = tenSeconds().build();
            IllegalStateException boom = new IllegalStateException("boom");

            fails(lock, boom);

            assertEquals(List.of(Optional.of(boom)), slot.abandoned);
            assertEquals(Optional.empty(), slot.stored());
            assertEquals(0, slot.publishes.get());
            assertEquals("new", lock.get("report", slot, () -> "new"));
            assertEquals(1, slot.abandoned.size());
            assertEquals(List.of("failed boom", "created"), events.all());
        }

        @Test
        @Tag("A-017")
        void error_isThrownUnchanged_andTheRightIsGivenBack() {
            DogpileLock<String> lock = tenSeconds().build();

            fails(lock, new StackOverflowError("deep"));

            assertEquals(1, slot.abandoned.size());
            assertEquals("new", lock.get("report", slot, () -> "new"));
        }

        @Test
        @Tag("A-017")
        void checked_arrivesAsTheCauseOfOneCreationException_sharedByAll() {
            DogpileLock<String> lock = tenSeconds().build();
            IOException boom = new IOException("boom");
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, parkedThen(throwing(boom))));
            DogpileLockTest.await(slot::isHeld);
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "another call"));
            time.awaitParked(1);
            go.countDown();

            CreationException failure = assertInstanceOf(CreationException.class, elected.failure());
            assertSame(boom, failure.getCause());
            assertTrue(failure.getMessage().contains("'report'"), failure.getMessage());
            assertEquals(Optional.empty(), failure.retryAfter());
            assertSame(failure, waiter.failure());
        }

        @Test
        void failureThatCannotEvenBeRendered_endsItsFlightLikeAnyOther() {
            IllegalStateException unreadable = new IllegalStateException() {
                private static final long serialVersionUID = 1L;

                @Override
                public String getMessage() {
                    throw new UnsupportedOperationException("no message");
                }
            };
            DogpileLock<String> quiet =
                    DogpileLock.<String>builder().clock(time).build();

            assertSame(
                    unreadable,
                    assertThrows(IllegalStateException.class, () -> quiet.get("report", slot, throwing(unreadable))));

            assertEquals(0, quiet.inFlight());
            assertEquals("new", quiet.get("report", slot, () -> "new"));
        }

        @Test
        void staleValueInItsWindow_isServed_theListenerIsTold_andTheNextCallTriesAgain() {
            slot.holding("old", Duration.ofSeconds(12));
            DogpileLock<String> lock =
                    tenSeconds().build().with(o -> o.staleAfter(TEN_SECONDS).expireAfter(Duration.ofSeconds(20)));

            Acquired<String> got = lock.acquire("report", slot, throwing(new IllegalStateException("boom")));

            assertEquals(new Acquired<>("old", time.instant().minusSeconds(12), Acquired.Origin.STALE), got);
            assertEquals(List.of("failed boom", "stale"), events.all());
            assertEquals("new", lock.get("report", slot, () -> "new"));
        }

        @Test
        void staleValueThatExpiredMeanwhile_isNotServed() {
            slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofSeconds(20), Duration.ZERO);
            DogpileLock<String> lock = tenSeconds().build();
            IllegalStateException boom = new IllegalStateException("boom");

            assertSame(
                    boom,
                    assertThrows(
                            IllegalStateException.class,
                            () -> lock.get("report", slot, () -> {
                                time.advance(Duration.ofSeconds(9));
                                throw boom;
                            })));
        }

        @Test
        void freshValueDrawnForEarlyRefresh_isServed_alsoToWhoNeverTakesStale() {
            slot.holding("old", Duration.ofSeconds(9), TEN_SECONDS, TEN_SECONDS, TEN_SECONDS);
            DogpileLock<String> lock = tenSeconds().earlyRefresh(10).build();

            assertEquals("old", lock.get("report", slot, throwing(new IllegalStateException("boom"))));
            assertEquals(
                    "old",
                    lock.with(DogpileLock.Builder::neverStale)
                            .get("report", slot, throwing(new IllegalStateException("boom"))));
            assertEquals(2, creates.get());
        }
    }

    @Nested
    class BackingOff {
        private final DogpileLock<String> lock = tenSeconds().build();
        private final IllegalStateException boom = new IllegalStateException("boom");

        @Test
        void oneFailure_doesNotBackOff_theSecondInARowDoes() {
            fails(lock, boom);
            fails(lock, boom);

            CreationException refused = refused(lock);

            assertEquals(Optional.of(Duration.ofMillis(100)), refused.retryAfter());
            assertEquals(
                    "'report' backs off after 2 failed creations in a row, the last one: " + boom,
                    refused.getMessage());
            assertNull(refused.getCause());
            assertEquals(1, events.count("backed off 100 ms"));
        }

        @Test
        void backOff_doublesWithEachFailure_upToThirtySeconds() {
            fails(lock, boom);
            long expected = 100;
            for (int failures = 2; failures <= 12; failures++) {
                fails(lock, boom);
                assertEquals(
                        Optional.of(Duration.ofMillis(expected)), refused(lock).retryAfter());
                time.advance(Duration.ofMillis(expected));
                assertEquals(Optional.of(Duration.ZERO), refused(lock).retryAfter());
                time.advance(TICK);
                expected = Math.min(2 * expected, 30_000);
            }
            assertEquals(30_000, expected);
            assertEquals("new", lock.get("report", slot, () -> "new"));
        }

        @Test
        void success_forgetsTheFailuresBefore() {
            fails(lock, boom);
            assertEquals("new", lock.get("report", slot, () -> "new"));
            slot.invalidate();

            fails(lock, boom);
            fails(lock, boom);
            assertEquals(Optional.of(Duration.ofMillis(100)), refused(lock).retryAfter());
        }

        @Test
        void thirtySecondsAfterItsEnd_theFailuresAreForgotten() {
            fails(lock, boom);
            fails(lock, boom);
            time.advance(Duration.ofMillis(30_100).plus(TICK));

            fails(lock, boom);

            assertEquals("new", lock.get("report", slot, () -> "new"));
        }

        @Test
        void staleValue_isServed() {
            slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);
            assertEquals("old", lock.get("report", slot, throwing(boom)));
            assertEquals("old", lock.get("report", slot, throwing(boom)));

            assertEquals("old", lock.get("report", slot, throwing(boom)));

            assertEquals(2, creates.get());
            assertEquals(1, events.count("backed off 100 ms"));
            assertEquals(3, events.count("stale"));
        }

        @Test
        void otherNames_areNotConcerned() {
            fails(lock, boom);
            fails(lock, boom);

            assertEquals("new", lock.get("other", new ScriptedSlot<>(time), () -> "new"));
        }

        @Test
        void backOffOfTheStore_isThrown_withItsTextAndTime() {
            slot.answer = Slot.Claim.backingOff(Duration.ofSeconds(3), "failed over there");

            CreationException refused = refused(lock);

            assertEquals("failed over there", refused.getMessage());
            assertEquals(Optional.of(Duration.ofSeconds(3)), refused.retryAfter());
        }

        @Test
        void longText_isCut() {
            fails(lock, boom);
            fails(lock, new IllegalStateException("x".repeat(10_000)));

            assertTrue(refused(lock).getMessage().length() < 500);
        }

        @Test
        void tenThousandNames_areRemembered_notMore() {
            for (int i = 0; i < 12_000; i++) {
                int name = i;
                for (int failures = 0; failures < 2; failures++) {
                    assertThrows(IllegalStateException.class, () -> lock.get(name, slot, throwing(boom)));
                }
                time.advance(Duration.ofNanos(1_000));
            }

            assertTrue(lock.flights().backoff().size() <= 10_000);
            assertEquals(24_000, creates.get());
            assertThrows(CreationException.class, () -> lock.get(11_999, slot, throwing(boom)));
            assertEquals(24_000, creates.get());
        }

        @Test
        void registeredDogpileThatFailedTwice_stillBacksOff_whenNobodyHeldIt() {
            NameRegistry<Dogpile<String>> dogpiles = NameRegistry.of(name ->
                    Dogpile.<String>builder().options(o -> o.clock(time)).build());
            for (int failures = 0; failures < 2; failures++) {
                assertSame(
                        boom,
                        assertThrows(
                                IllegalStateException.class,
                                () -> dogpiles.get("report").get(throwing(boom))));
            }
            collectGarbage();

            assertThrows(CreationException.class, () -> dogpiles.get("report").get(throwing(boom)));
            assertEquals(2, creates.get());
        }
    }

    /** Until the collector has shown that it clears what is weakly held. */
    static void collectGarbage() {
        for (int rounds = 0; rounds < 5; rounds++) {
            java.lang.ref.WeakReference<Object> witness = new java.lang.ref.WeakReference<>(new Object());
            DogpileLockTest.await(() -> {
                System.gc();
                return witness.get() == null;
            });
        }
    }

    @Nested
    class Interrupted {
        private final DogpileLock<String> lock = tenSeconds().build();

        @Test
        @Tag("A-041")
        @Tag("A-036")
        void waiter_isThrownOutWithItsFlagSet_creates_andReleasesNothing() {
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, parkedThen(() -> "new")));
            DogpileLockTest.await(slot::isHeld);
            AtomicBoolean flag = new AtomicBoolean();
            Callers.Caller<String> waiter = callers.start(() -> {
                try {
                    return lock.get("report", slot, throwing(new Error("not asked")));
                } finally {
                    flag.set(Thread.currentThread().isInterrupted());
                }
            });
            time.awaitParked(1);

            waiter.interrupt();

            Throwable failure = assertInstanceOf(DogpileException.class, waiter.failure());
            assertInstanceOf(InterruptedException.class, failure.getCause());
            assertTrue(flag.get());
            assertEquals(0, creates.get());
            assertEquals(List.of(), slot.abandoned);
            assertTrue(slot.isHeld());
            assertEquals(List.of("waited 0 ms INTERRUPTED"), events.all());
            go.countDown();
            assertEquals("new", elected.result());
            assertEquals(0, lock.inFlight());
        }

        @Test
        void waiterForItsHandedOverCreation_getsTheStaleValue_withItsFlagSet() {
            slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);
            HandDriven executor = new HandDriven();
            DogpileLock<String> soft = tenSeconds()
                    .refreshOn(executor)
                    .softTimeout(Duration.ofSeconds(1))
                    .build();
            AtomicBoolean flag = new AtomicBoolean();
            Callers.Caller<String> waiter = callers.start(() -> {
                String got = soft.get("report", slot, () -> "new");
                flag.set(Thread.currentThread().isInterrupted());
                return got;
            });
            time.awaitParked(1);

            waiter.interrupt();

            assertEquals("old", waiter.result());
            assertTrue(flag.get());
        }

        @Test
        void waiterThatIsInterruptedAsItsTurnComes_doesNotCreate() {
            CountDownLatch waits = new CountDownLatch(1);
            CountDownLatch ended = new CountDownLatch(1);
            AtomicReference<Thread> victim = new AtomicReference<>();
            FakeTime interrupting = time;
            TimeSource source = new TimeSource() {
                @Override
                public long nanos() {
                    return interrupting.nanos();
                }

                @Override
                public Instant instant() {
                    return interrupting.instant();
                }

                @Override
                public void park(Object blocker, long nanos) {
                    if (Thread.currentThread() == victim.get()) {
                        waits.countDown();
                        awaitUninterruptibly(ended);
                        Thread.currentThread().interrupt();
                    } else {
                        interrupting.park(blocker, nanos);
                    }
                }

                @Override
                public void unpark(Thread thread) {
                    interrupting.unpark(thread);
                }

                @Override
                public Runnable after(long nanos, Runnable task) {
                    return interrupting.after(nanos, task);
                }
            };
            DogpileLock<String> raced =
                    DogpileLock.<String>builder().clock(source).build();
            Callers.Caller<String> elected = callers.start(() -> {
                try {
                    return raced.get("report", slot, parkedThen(throwing(new InterruptedException("stop"))));
                } finally {
                    ended.countDown();
                }
            });
            DogpileLockTest.await(slot::isHeld);
            CountDownLatch named = new CountDownLatch(1);
            Callers.Caller<String> waiter = callers.start(() -> {
                named.await();
                return raced.get("report", slot, throwing(new Error("not asked")));
            });
            victim.set(waiter.thread());
            named.countDown();
            DogpileLockTest.await(() -> waits.getCount() == 0);
            go.countDown();

            assertInstanceOf(CreationException.class, elected.failure());
            assertInstanceOf(DogpileException.class, waiter.failure());
            assertEquals(1, creates.get());
        }

        @Test
        void creator_itsCallerGetsACreationExceptionWithTheFlagSet_theOthersElectAnew() {
            InterruptedException stop = new InterruptedException("stop");
            AtomicBoolean flag = new AtomicBoolean();
            Callers.Caller<String> elected = callers.start(() -> {
                try {
                    return lock.get("report", slot, parkedThen(throwing(stop)));
                } finally {
                    flag.set(Thread.currentThread().isInterrupted());
                }
            });
            DogpileLockTest.await(slot::isHeld);
            List<Callers.Caller<String>> waiting = callers.start(
                    5,
                    () -> lock.get("report", slot, () -> {
                        creates.incrementAndGet();
                        return "new";
                    }));
            time.awaitParked(5);
            go.countDown();

            assertSame(
                    stop,
                    assertInstanceOf(CreationException.class, elected.failure()).getCause());
            assertTrue(flag.get());
            for (Callers.Caller<String> waiter : waiting) {
                assertEquals("new", waiter.result());
            }
            assertEquals(2, creates.get());
        }

        @Test
        void creator_inARow_doesNotBackOff() {
            for (int i = 0; i < 4; i++) {
                assertThrows(
                        CreationException.class,
                        () -> lock.get("report", slot, throwing(new InterruptedException("stop"))));
                assertTrue(Thread.interrupted());
            }
            assertEquals(4, creates.get());
            assertEquals("new", lock.get("report", slot, () -> "new"));
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        while (true) {
            try {
                latch.await();
                return;
            } catch (InterruptedException e) {
                // only this test interrupts, and after the latch
            }
        }
    }

    @Nested
    class NullResult {
        @Test
        @Tag("A-043")
        void isGivenToAllWhoWaited_andStored() {
            DogpileLock<String> lock = tenSeconds().build();
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, parkedThen(() -> null)));
            DogpileLockTest.await(slot::isHeld);
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "another call"));
            time.awaitParked(1);
            go.countDown();

            assertNull(elected.result());
            assertNull(waiter.result());
            assertNull(lock.get("report", slot, () -> "another call"));
        }
    }

    @Nested
    class ListenerThrows {
        private void everybodyGetsTheValue(Throwable thrown) {
            DogpileListener hostile = new DogpileListener() {
                @Override
                public void created(Object name, Duration cost) {
                    FailuresTest.<RuntimeException>sneak(thrown);
                }

                @Override
                public void waited(Object name, Duration waited, WaitOutcome outcome) {
                    FailuresTest.<RuntimeException>sneak(thrown);
                }

                @Override
                public void failed(Object name, Throwable failure) {
                    FailuresTest.<RuntimeException>sneak(thrown);
                }
            };
            DogpileLock<String> lock = tenSeconds().listener(hostile).build();
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, parkedThen(() -> "new")));
            DogpileLockTest.await(slot::isHeld);
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "another call"));
            time.awaitParked(1);
            go.countDown();

            assertEquals("new", elected.result());
            assertEquals("new", waiter.result());
            assertEquals(0, lock.inFlight());
            slot.invalidate();
            fails(lock, new IllegalStateException("boom"));
            assertEquals(0, lock.inFlight());
        }

        @Test
        void exception_isIgnored() {
            everybodyGetsTheValue(new IllegalStateException("listener"));
        }

        @Test
        void checkedExceptionThrownUnseen_isIgnored() {
            everybodyGetsTheValue(new IOException("listener"));
        }

        @Test
        void error_isIgnored() {
            everybodyGetsTheValue(new StackOverflowError("listener"));
        }
    }

    @Nested
    class ExecutorRejects {
        private final HandDriven executor = new HandDriven();
        private final DogpileLock<String> lock =
                tenSeconds().refreshOn(executor).build();

        ExecutorRejects() {
            slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);
        }

        @Test
        void staleValueIsServed_theListenerIsTold_theRightIsGivenBack_andTheNextCallTriesAgain() {
            executor.refuseAll();

            Acquired<String> got = lock.acquire("report", slot, () -> "new");

            assertEquals("old", got.value());
            assertEquals(Acquired.Origin.STALE, got.origin());
            assertEquals(List.of("rejected told to refuse", "stale"), events.all());
            assertEquals(1, slot.abandoned.size());
            assertFalse(slot.isHeld());
            assertEquals(0, lock.inFlight());
            executor.acceptAll();
            assertEquals("old", lock.get("report", slot, () -> "new"));
            executor.runAll();
            assertEquals("new", lock.get("report", slot, () -> "newer"));
        }

        @Test
        void errorOfTheExecutor_isARefusalToo() {
            DogpileLock<String> starved = tenSeconds()
                    .refreshOn(task -> {
                        throw new InternalError("no thread");
                    })
                    .build();

            assertEquals("old", starved.get("report", slot, () -> "new"));

            assertEquals(List.of("rejected no thread", "stale"), events.all());
            assertEquals(1, slot.abandoned.size());
            assertEquals(0, starved.inFlight());
        }

        @Test
        void whoWaitsMeanwhile_isElectedInstead() {
            CountDownLatch handing = new CountDownLatch(1);
            CountDownLatch refuse = new CountDownLatch(1);
            DogpileLock<String> slow = tenSeconds()
                    .refreshOn(task -> {
                        handing.countDown();
                        awaitUninterruptibly(refuse);
                        throw new java.util.concurrent.RejectedExecutionException("full");
                    })
                    .build();
            Callers.Caller<String> elected = callers.start(() -> slow.get("report", slot, () -> "not run"));
            DogpileLockTest.await(() -> handing.getCount() == 0);
            Callers.Caller<String> strict = callers.start(
                    () -> slow.with(DogpileLock.Builder::neverStale).get("report", slot, () -> "new"));
            time.awaitParked(1);
            refuse.countDown();

            assertEquals("old", elected.result());
            assertEquals("new", strict.result());
        }
    }

    @Nested
    class StoreOrLockFailsAtTheEnd {
        private final RecordingLocks locks = new RecordingLocks();
        private final Stamps<String> stamps = new Stamps<>(time);

        @Test
        @Tag("A-037")
        void releaseFailsAfterTheCreation_theValueIsReturned_andTheListenerTold() {
            locks.releaseFails = new IllegalStateException("no release");
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();

            Acquired<String> got = lock.acquireStamped("report", stamps.creating("new"), stamps.getter());

            assertEquals("new", got.value());
            assertEquals(List.of("created", "down no release"), events.all());
            assertEquals(1, locks.released.get());
        }

        @Test
        @Tag("A-038")
        void releaseFailsAfterTheCreatorThrew_theCreatorsExceptionPropagates_withTheOtherSuppressed() {
            locks.releaseFails = new IllegalStateException("no release");
            IllegalArgumentException boom = new IllegalArgumentException("boom");
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();

            IllegalArgumentException thrown = assertThrows(
                    IllegalArgumentException.class,
                    () -> lock.acquireStamped(
                            "report",
                            stamps.creating(() -> {
                                throw boom;
                            }),
                            stamps.getter()));

            assertSame(boom, thrown);
            assertEquals(List.of(locks.releaseFails), List.of(boom.getSuppressed()));
            assertEquals(1, locks.released.get());
        }

        @Test
        void storeFails_theValueIsReturnedToAll_andTheListenerTold() {
            slot.onPublish = () -> {
                throw new IOException("no store");
            };
            DogpileLock<String> lock = tenSeconds().build();
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, parkedThen(() -> "new")));
            DogpileLockTest.await(slot::isHeld);
            Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "another call"));
            time.awaitParked(1);
            go.countDown();

            assertEquals("new", elected.result());
            assertEquals("new", waiter.result());
            assertEquals(1, events.count("down no store"));
            assertEquals(1, events.count("refused UNKNOWN"));
        }

        @Test
        @Tag("A-037")
        void leaseWasLost_theValueIsReturned_theWriteIsRefused_andTheLeaseIsClosed() {
            locks.lost = true;
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();
            stamps.dropsAll = true;

            Acquired<String> got = lock.acquireStamped("report", stamps.creating("new"), stamps.getter());

            assertEquals("new", got.value());
            assertEquals(List.of("created", "refused VOIDED"), events.all());
            assertEquals(1, locks.released.get());
        }

        @Test
        @Tag("A-037")
        void lockDoesNotAnswerAtTheEnd_theValueIsReturned_andTheLeaseIsClosed() {
            locks.extendingFails = new IllegalStateException("no answer");
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();

            Acquired<String> got = lock.acquireStamped("report", stamps.creating("new"), stamps.getter());

            assertEquals("new", got.value());
            assertEquals(List.of("created", "down no answer", "refused UNKNOWN"), events.all());
            assertEquals(1, locks.released.get());
        }
    }

    @Nested
    class WhenTheStoreIsDown {
        private final IOException down = new IOException("down");

        private DogpileLock<String> lock(WhenDown policy) {
            return tenSeconds().whenDown(policy).build();
        }

        @Test
        void create_isOneCreationInThisJvm_thatIsNotStored() {
            slot.onRead = () -> {
                throw down;
            };
            DogpileLock<String> lock = lock(WhenDown.CREATE);
            CountDownLatch running = new CountDownLatch(1);
            Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, () -> {
                running.countDown();
                go.await();
                return "new";
            }));
            DogpileLockTest.await(() -> running.getCount() == 0);
            List<Callers.Caller<String>> waiting =
                    callers.start(3, () -> lock.get("report", slot, throwing(new Error("another call"))));
            time.awaitParked(3);
            go.countDown();

            assertEquals("new", elected.result());
            for (Callers.Caller<String> waiter : waiting) {
                assertEquals("new", waiter.result());
            }
            assertEquals(0, creates.get());
            assertEquals(0, slot.publishes.get());
            assertEquals(1, events.count("refused UNKNOWN"));
        }

        @Test
        void create_whereReadsAreShared_isOneReadToo() {
            slot.readsFree = false;
            CountDownLatch failing = new CountDownLatch(1);
            slot.onRead = () -> {
                failing.await();
                throw down;
            };
            DogpileLock<String> lock = lock(WhenDown.CREATE);
            List<Callers.Caller<String>> all = callers.start(
                    4,
                    () -> lock.get("report", slot, () -> {
                        creates.incrementAndGet();
                        return "new";
                    }));
            time.awaitParked(3);
            failing.countDown();

            for (Callers.Caller<String> caller : all) {
                assertEquals("new", caller.result());
            }
            assertEquals(1, creates.get());
            assertEquals(1, slot.reads.get());
        }

        @Test
        void fail_isOneFailureForAllWhoWaited() {
            slot.readsFree = false;
            CountDownLatch failing = new CountDownLatch(1);
            slot.onRead = () -> {
                failing.await();
                throw down;
            };
            DogpileLock<String> lock = lock(WhenDown.FAIL);
            List<Callers.Caller<String>> all =
                    callers.start(4, () -> lock.get("report", slot, throwing(new Error("not asked"))));
            time.awaitParked(3);
            failing.countDown();

            Throwable first = all.get(0).failure();
            assertInstanceOf(DogpileException.class, first);
            assertSame(down, first.getCause());
            for (Callers.Caller<String> caller : all) {
                assertSame(first, caller.failure());
            }
            assertEquals(0, creates.get());
            assertEquals(1, events.count("down down"));
        }

        @Test
        void staleValueThatWasRead_isServed_whateverThePolicy() {
            slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);
            slot.onClaim = () -> {
                throw down;
            };
            for (WhenDown policy : WhenDown.values()) {
                Acquired<String> got = lock(policy).acquire("report", slot, throwing(new Error("not asked")));
                assertEquals("old", got.value());
                assertEquals(Acquired.Origin.STALE, got.origin());
            }
            assertEquals(0, creates.get());
        }

        @Test
        void lockThatDoesNotAnswer_isTheSame() {
            slot.onClaim = () -> {
                throw down;
            };

            assertEquals("new", lock(WhenDown.CREATE).get("report", slot, () -> "new"));
            assertSame(
                    down,
                    assertThrows(
                                    DogpileException.class,
                                    () -> lock(WhenDown.FAIL).get("report", slot, () -> "not asked"))
                            .getCause());
        }

        @Test
        void secondLookFails_theValueIsCreatedUnderTheRight() {
            RecordingLocks locks = new RecordingLocks();
            Stamps<String> stamps = new Stamps<>(time);
            DogpileLock<String> lock = tenSeconds().lock(locks, TEN_SECONDS).build();

            Acquired<String> got = lock.acquireStamped("report", stamps.creating("new"), () -> {
                if (stamps.getter().call().isEmpty() && stamps.reads.get() == 2) {
                    throw down;
                }
                return Optional.empty();
            });

            assertEquals("new", got.value());
            assertEquals(1, locks.released.get());
            assertEquals(1, events.count("down down"));
        }
    }
}
