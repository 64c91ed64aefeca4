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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Callers who hold a future: the same elections, with no thread parked. */
class AsyncDogpileLockTest {
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeTime time = new FakeTime();
    private final Events events = new Events();
    private final HandDriven steps = new HandDriven();
    private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
    private final AtomicInteger creates = new AtomicInteger();
    private final CompletableFuture<String> making = new CompletableFuture<>();
    private final Callers callers = new Callers();
    private final CountDownLatch go = new CountDownLatch(1);
    private final DogpileLock<String> lock = tenSeconds().build();

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

    private CompletionStage<String> made() {
        creates.incrementAndGet();
        return making;
    }

    private static Callable<CompletionStage<String>> now(String value) {
        return () -> CompletableFuture.completedFuture(value);
    }

    private CompletableFuture<String> begin(DogpileLock<String> by) {
        CompletableFuture<String> future = by.async(steps).get("report", slot, this::made);
        steps.runAll();
        return future;
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        assertTrue(future.isCompletedExceptionally(), future::toString);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        var unused = future.whenComplete((value, thrown) ->
                failure.set(thrown instanceof java.util.concurrent.CompletionException ? thrown.getCause() : thrown));
        return failure.get();
    }

    private void holdStale() {
        slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);
    }

    @Nested
    class OneElection {
        @Test
        void callersOfOneColdName_oneCreation_noneIsDoneBefore() {
            List<CompletableFuture<String>> all = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                all.add(begin(lock));
            }
            assertTrue(all.stream().noneMatch(CompletableFuture::isDone));

            making.complete("new");
            steps.runAll();

            for (CompletableFuture<String> future : all) {
                assertEquals("new", future.getNow("not done"));
            }
            assertEquals(1, creates.get());
            assertEquals(Optional.of("new"), slot.stored());
            assertEquals(0, lock.inFlight());
            assertEquals(0, time.alarms());
        }

        @Test
        void staleValueIsFirstSeenUnderTheRight_whoJoinsTakesIt_withoutWaiting() {
            slot.readsFree = false;
            slot.onClaim = AsyncDogpileLockTest.this::holdStale;
            CompletableFuture<String> elected = begin(lock);
            CompletableFuture<String> joins = begin(lock);

            assertEquals("old", joins.getNow("waits"));
            assertFalse(elected.isDone());
            assertEquals(1, creates.get());
        }

        @Test
        void blockingCallersWait_forTheAsyncCreation() {
            CompletableFuture<String> future = begin(lock);
            Callers.Caller<String> blocking = callers.start(() -> lock.get("report", slot, () -> "another call"));
            time.awaitParked(1);

            making.complete("new");
            steps.runAll();

            assertEquals("new", blocking.result());
            assertEquals("new", future.getNow("not done"));
            assertEquals(1, creates.get());
        }

        @Test
        void asyncCallersWait_forTheBlockingCreation() {
            Callers.Caller<String> blocking = callers.start(() -> lock.get("report", slot, () -> {
                go.await();
                return "new";
            }));
            DogpileLockTest.await(slot::isHeld);
            CompletableFuture<String> future = begin(lock);
            assertFalse(future.isDone());

            go.countDown();
            assertEquals("new", blocking.result());
            steps.runAll();

            assertEquals("new", future.getNow("not done"));
            assertEquals(0, creates.get());
        }

        @Test
        void freshAndStaleValues_areJudgedAsForBlockingCallers() {
            holdStale();
            slot.heldElsewhere = true;
            CompletableFuture<Acquired<String>> stale =
                    lock.async(steps).acquire("report", slot, AsyncDogpileLockTest.this::made);
            steps.runAll();
            assertEquals(Acquired.Origin.STALE, stale.join().origin());

            slot.holding("fresh", Duration.ZERO);
            CompletableFuture<Acquired<String>> fresh =
                    lock.async(steps).acquire("report", slot, AsyncDogpileLockTest.this::made);
            steps.runAll();
            assertEquals(Acquired.Origin.FRESH, fresh.join().origin());
            assertEquals("fresh", fresh.join().value());
            assertEquals(0, creates.get());
        }

        @Test
        void elected_isToldThatItCreated() {
            CompletableFuture<Acquired<String>> future =
                    lock.async(Runnable::run).acquire("report", slot, now("new"));

            assertEquals(new Acquired<>("new", time.instant(), Acquired.Origin.CREATED), future.join());
        }

        @Test
        void heldElsewhere_theTimerLooksAgain() {
            slot.heldElsewhere = true;
            CompletableFuture<String> future = begin(lock);
            slot.holding("theirs", Duration.ZERO);

            time.advance(Duration.ofMillis(200));
            steps.runAll();

            assertEquals("theirs", future.getNow("not done"));
            assertEquals(0, time.alarms());
        }

        @Test
        void staleWithRefreshOn_theStaleValueAtOnce_theCreationGoesThere() {
            holdStale();
            HandDriven behind = new HandDriven();
            CompletableFuture<String> future =
                    begin(tenSeconds().refreshOn(behind).build());
            assertEquals("old", future.getNow("not done"));
            assertEquals(0, creates.get());

            behind.runAll();
            making.complete("new");

            assertEquals(Optional.of("new"), slot.stored());
        }

        @Test
        void softTimeout_thenTheStaleValue_andTheCreationIsStored() {
            holdStale();
            HandDriven behind = new HandDriven();
            CompletableFuture<String> future =
                    begin(tenSeconds().refreshOn(behind).softTimeout(SECOND).build());
            behind.runAll();
            assertFalse(future.isDone());

            time.advance(SECOND);
            steps.runAll();
            assertEquals("old", future.getNow("not done"));
            making.complete("new");

            assertEquals(Optional.of("new"), slot.stored());
        }

        @Test
        void nullValue_isAValue() {
            making.complete(null);

            assertNull(begin(lock).getNow("not done"));
            assertEquals(1, slot.publishes.get());
        }

        @Test
        void leaseIsRenewed_untilTheStageIsDone() {
            slot.lease = Duration.ofSeconds(3);
            begin(lock);
            time.advance(Duration.ofSeconds(2));
            assertEquals(2, slot.renewals.get());

            making.complete("new");
            time.advance(TEN_SECONDS);

            assertEquals(2, slot.renewals.get());
            assertEquals(0, time.alarms());
        }

        @Test
        void overdueStage_anotherIsElected_andTheLateValueRefused() {
            DogpileLock<String> bounded =
                    tenSeconds().hardTimeout(Duration.ofMinutes(5)).build();
            CompletableFuture<String> late = begin(bounded);
            CompletableFuture<String> second = bounded.async(steps).get("report", slot, now("second"));
            steps.runAll();
            assertFalse(second.isDone());

            time.advance(Duration.ofSeconds(60).plusNanos(1));
            steps.runAll();
            assertEquals("second", second.getNow("not done"));
            making.complete("late");
            steps.runAll();

            assertEquals("late", late.getNow("not done"));
            assertEquals(Optional.of("second"), slot.stored());
            assertEquals(1, events.count("lease lost"));
            assertEquals(1, events.count("duplicate"));
        }
    }

    @Nested
    class Cancelled {
        @Test
        void oneFuture_neitherTheOthersNorTheCreationAreCancelled() {
            CompletableFuture<String> elected = begin(lock);
            CompletableFuture<String> first = begin(lock);
            CompletableFuture<String> second = begin(lock);

            assertTrue(first.cancel(true));
            steps.runAll();
            assertFalse(second.isDone());
            assertFalse(making.isDone());
            making.complete("new");
            steps.runAll();

            assertEquals("new", elected.getNow("not done"));
            assertEquals("new", second.getNow("not done"));
            assertTrue(first.isCancelled());
            assertEquals(1, events.count("waited 0 ms INTERRUPTED"));
        }

        @Test
        void futureOfTheElected_itsCreationGoesOn_andIsStored() {
            CompletableFuture<String> elected = begin(lock);
            CompletableFuture<String> waiter = begin(lock);

            elected.cancel(false);
            steps.runAll();
            making.complete("new");
            steps.runAll();

            assertEquals("new", waiter.getNow("not done"));
            assertEquals(Optional.of("new"), slot.stored());
            assertEquals(1, creates.get());
            assertEquals(0, lock.inFlight());
        }

        @Test
        void futureOfTheLeader_theNextOneLeads_andTheGrantIsNotLost() {
            slot.heldElsewhere = true;
            CompletableFuture<String> leader = begin(lock);
            CompletableFuture<String> next = begin(lock);
            leader.cancel(false);
            steps.runAll();
            slot.heldElsewhere = false;
            making.complete("new");

            time.advance(SECOND);
            steps.runAll();

            assertEquals("new", next.getNow("not done"));
            assertEquals(1, creates.get());
        }

        @Test
        void lastFuture_leavesNothingBehind() {
            slot.heldElsewhere = true;
            CompletableFuture<String> only = begin(lock);
            assertEquals(1, lock.inFlight());

            only.cancel(false);
            steps.runAll();

            assertEquals(0, lock.inFlight());
            assertEquals(0, time.alarms());
        }

        @Test
        void beforeItsFirstStep_nothingIsDone() {
            CompletableFuture<String> future = lock.async(steps).get("report", slot, AsyncDogpileLockTest.this::made);
            future.cancel(false);
            steps.runAll();

            assertEquals(0, creates.get());
            assertEquals(0, slot.reads.get());
        }
    }

    @Nested
    class Failures {
        @Test
        void failedStage_isThatVeryFailure_forAllWhoWait_blockingOrNot() {
            IllegalStateException boom = new IllegalStateException("boom");
            CompletableFuture<String> elected = begin(lock);
            CompletableFuture<String> waiter = begin(lock);
            Callers.Caller<String> blocking = callers.start(() -> lock.get("report", slot, () -> "another call"));
            time.awaitParked(1);

            making.completeExceptionally(boom);
            steps.runAll();

            assertSame(boom, failureOf(elected));
            assertSame(boom, failureOf(waiter));
            assertSame(boom, blocking.failure());
            assertEquals(1, creates.get());
            assertEquals(List.of(Optional.of(boom)), slot.abandoned);
        }

        @Test
        void stageThatWrapsItsFailure_isUnwrapped() {
            IllegalStateException boom = new IllegalStateException("boom");
            CompletableFuture<Acquired<String>> future = lock.async(Runnable::run)
                    .acquire(
                            "report",
                            slot,
                            () -> CompletableFuture.<String>failedFuture(boom).thenApply(value -> value));

            assertSame(boom, future.handle((value, thrown) -> thrown).join());
        }

        @Test
        void creatorThatThrows_orReturnsNoStage_hasFailed() {
            IOException boom = new IOException("boom");
            CompletableFuture<String> thrown = lock.async(Runnable::run).get("report", slot, () -> {
                throw boom;
            });
            CreationException failure = assertInstanceOf(CreationException.class, failureOf(thrown));
            assertSame(boom, failure.getCause());

            CompletableFuture<String> none = lock.async(Runnable::run).get("other", slot, () -> null);
            assertInstanceOf(NullPointerException.class, failureOf(none));
            assertEquals(2, slot.abandoned.size());
        }

        @Test
        void staleValue_isServedInstead() {
            holdStale();
            making.completeExceptionally(new IllegalStateException("boom"));

            assertEquals("old", begin(lock).getNow("not done"));
            assertEquals(List.of("failed boom", "stale"), events.all());
        }

        @Test
        void backOff_isSharedWithBlockingCallers() {
            making.completeExceptionally(new IllegalStateException("boom"));
            begin(lock);
            begin(lock);

            assertInstanceOf(CreationException.class, failureOf(begin(lock)));
            assertThrows(CreationException.class, () -> lock.get("report", slot, () -> "not asked"));
            assertEquals(2, creates.get());
        }

        @Test
        void hardTimeout_isInTheFuture_andTheCreationGoesOn() {
            DogpileLock<String> hasty = tenSeconds().hardTimeout(SECOND).build();
            CompletableFuture<String> elected = begin(hasty);
            CompletableFuture<String> waiter = begin(hasty);
            time.advance(SECOND.minusNanos(1));
            steps.runAll();
            assertFalse(waiter.isDone());

            time.advance(Duration.ofNanos(1));
            steps.runAll();

            assertInstanceOf(HardTimeoutException.class, failureOf(waiter));
            assertFalse(elected.isDone());
            making.complete("new");
            steps.runAll();
            assertEquals("new", elected.getNow("not done"));
            assertEquals(1, events.count("waited 1000 ms TIMEOUT"));
        }

        @Test
        void storeIsDown_andThePolicyIsToFail() {
            IOException down = new IOException("down");
            slot.onRead = () -> {
                throw down;
            };

            Throwable failure =
                    failureOf(begin(tenSeconds().whenDown(WhenDown.FAIL).build()));

            assertInstanceOf(DogpileException.class, failure);
            assertSame(down, failure.getCause());
        }
    }

    @Nested
    class ExecutorRejects {
        @Test
        void theFirstStep_theFutureFails_andNothingIsLeftBehind() {
            steps.refuseAll();

            Throwable failure = failureOf(lock.async(steps).get("report", slot, AsyncDogpileLockTest.this::made));

            assertInstanceOf(DogpileException.class, failure);
            assertEquals(0, lock.inFlight());
            assertEquals(0, creates.get());
        }

        @Test
        void aLaterStep_thatFutureFails_theOthersAreStillWoken() {
            rejectsALaterStep(task -> {
                throw new java.util.concurrent.RejectedExecutionException("full");
            });
        }

        @Test
        void aLaterStepByAnError_thatFutureFails_theOthersAreStillWoken() {
            rejectsALaterStep(task -> {
                throw new InternalError("no thread");
            });
        }

        private void rejectsALaterStep(Executor refusing) {
            AtomicReference<Executor> current = new AtomicReference<>(Runnable::run);
            CompletableFuture<String> elected = begin(lock);
            CompletableFuture<String> rejected =
                    lock.async(task -> current.get().execute(task)).get("report", slot, now("another call"));
            CompletableFuture<String> other = begin(lock);
            current.set(refusing);

            making.complete("new");
            steps.runAll();

            assertInstanceOf(DogpileException.class, failureOf(rejected));
            assertEquals("new", elected.getNow("not done"));
            assertEquals("new", other.getNow("not done"));
            assertEquals(0, lock.inFlight());
        }

        @Test
        void leadersLaterStep_theNextOneLeads() {
            slot.heldElsewhere = true;
            AtomicReference<Executor> current = new AtomicReference<>(Runnable::run);
            CompletableFuture<String> leader =
                    lock.async(task -> current.get().execute(task)).get("report", slot, now("another call"));
            CompletableFuture<String> next = begin(lock);
            current.set(task -> {
                throw new java.util.concurrent.RejectedExecutionException("full");
            });
            slot.heldElsewhere = false;
            making.complete("new");

            time.advance(SECOND);
            steps.runAll();

            assertInstanceOf(DogpileException.class, failureOf(leader));
            assertEquals("new", next.getNow("not done"));
        }
    }

    @Nested
    class Recursion {
        @Test
        @Tag("A-044")
        void ownName_isRefusedAtOnce_withTheChain() {
            AsyncDogpileLock<String> async = lock.async(Runnable::run);
            CompletableFuture<String> future = async.get("report", slot, () -> async.get("report", slot, now("never")));

            Throwable refused = assertInstanceOf(IllegalStateException.class, failureOf(future));
            assertTrue(refused.getMessage().contains("report -> report"), refused.getMessage());
            assertEquals(0, lock.inFlight());
        }

        @Test
        @Tag("A-044")
        void ownNameAskedForByABlockingCall_isRefusedToo() {
            CompletableFuture<String> future = lock.async(Runnable::run)
                    .get(
                            "report",
                            slot,
                            () -> CompletableFuture.completedFuture(lock.get("report", slot, () -> "never")));

            assertInstanceOf(IllegalStateException.class, failureOf(future));
        }

        @Test
        void otherNames_areAllowed() {
            AsyncDogpileLock<String> async = lock.async(Runnable::run);
            ScriptedSlot<String> other = new ScriptedSlot<>(time);
            CompletableFuture<String> future = async.get(
                    "report",
                    slot,
                    () -> async.get("other", other, now("inner")).thenApply(value -> value + " in outer"));

            assertEquals("inner in outer", future.getNow("not done"));
        }

        @Test
        void creationIsBoundWhileTheCreatorIsCalled_andNotAfter() {
            AtomicReference<Optional<Creation>> told = new AtomicReference<>();
            lock.async(Runnable::run).get("report", slot, () -> {
                told.set(Creation.current());
                return making;
            });

            assertEquals("report", told.get().orElseThrow().name());
            assertEquals(Optional.empty(), Creation.current());
        }
    }
}
