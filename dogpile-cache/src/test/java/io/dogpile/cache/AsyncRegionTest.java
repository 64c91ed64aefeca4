package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.DogpileException;
import io.dogpile.core.DogpileListener.WaitOutcome;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A region for callers who hold futures. */
@Tag("W-40")
@Timeout(60) // seconds: a test that waits for ever says so
class AsyncRegionTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeTime time = new FakeTime();
    private final HandDriven executor = new HandDriven();
    private final AtomicInteger creations = new AtomicInteger();
    private final CompletableFuture<String> stage = new CompletableFuture<>();
    private final Region<String, String> region = Region.<String, String>builder("values")
            .clock(time)
            .staleAfter(SECOND)
            .hardTimeout(Duration.ofSeconds(10))
            .recordStats()
            .build();
    private final AsyncRegion<String, String> async = region.async(executor);

    private CompletableFuture<String> ask() {
        CompletableFuture<String> asked = async.getOrCreate("key", this::creator);
        executor.runAll();
        return asked;
    }

    private CompletableFuture<String> creator(String key) {
        creations.incrementAndGet();
        return stage;
    }

    @Nested
    class GetOrCreate {
        @Test
        void aHitInMemory_isDoneAtOnce_withoutTheExecutor() {
            region.put("key", "value");
            CompletableFuture<String> asked = async.getOrCreate("key", AsyncRegionTest.this::creator);
            assertTrue(asked.isDone());
            assertEquals("value", asked.join());
            assertEquals(0, executor.taken());
            assertEquals(1, region.stats().hits());
        }

        @Test
        void aMiss_isOneCreation_forAllWhoAsk_asyncOrNot() {
            CompletableFuture<String> first = ask();
            CompletableFuture<String> second = ask();
            assertFalse(first.isDone());
            assertTrue(region.isCreating("key"));
            assertEquals(1, region.stats().inFlight());
            stage.complete("value");
            executor.runAll();
            assertEquals("value", first.join());
            assertEquals("value", second.join());
            assertEquals(1, creations.get());
            assertEquals(Optional.of("value"), region.get("key"));
            assertEquals(0, region.stats().inFlight());
        }

        @Test
        void aStaleValue_isServed_whileAnotherCreates() {
            region.put("key", "old");
            time.advance(SECOND.multipliedBy(2));
            CompletableFuture<String> elected = ask();
            assertEquals("old", ask().join());
            stage.complete("new");
            executor.runAll();
            assertEquals("new", elected.join());
        }

        @Test
        void aFailure_reachesAllWhoWait_asItself() {
            List<CompletableFuture<String>> all = List.of(ask(), ask());
            IllegalStateException boom = new IllegalStateException("boom");
            stage.completeExceptionally(boom);
            executor.runAll();
            for (CompletableFuture<String> one : all) {
                assertSame(
                        boom, assertThrows(ExecutionException.class, one::get).getCause());
                assertSame(
                        boom, assertThrows(CompletionException.class, one::join).getCause());
            }
            assertEquals(1, region.stats().failures());
        }

        @Test
        void aNull_isAValue() {
            CompletableFuture<String> asked = ask();
            stage.complete(null);
            executor.runAll();
            assertNull(asked.join());
            assertTrue(region.peek("key").isPresent());
        }

        @Test
        void whoWaitsTooLong_isToldSo() {
            ask();
            CompletableFuture<String> late = ask();
            time.advance(Duration.ofSeconds(10));
            executor.runAll();
            assertTrue(assertThrows(CompletionException.class, late::join).getCause() instanceof HardTimeoutException);
            assertEquals(1, creations.get());
        }

        @Test
        void aSuppliedLife_isAskedHere_too() {
            Region<String, String> never = region.with(o -> o.staleAfter(() -> Duration.ZERO));
            region.put("key", "old");
            time.advance(Duration.ofNanos(1));
            CompletableFuture<String> asked = never.async(executor).getOrCreate("key", AsyncRegionTest.this::creator);
            executor.runAll();
            assertEquals(1, creations.get());
            stage.complete("new");
            executor.runAll();
            assertEquals("new", asked.join());
        }
    }

    @Nested
    class Cancelling {
        @Test
        void aWaiter_cancelsNobodyElse_andNotTheCreation() {
            CompletableFuture<String> elected = ask();
            CompletableFuture<String> cancelled = ask();
            CompletableFuture<String> other = ask();
            assertTrue(cancelled.cancel(true));
            executor.runAll();
            assertFalse(elected.isDone() || other.isDone() || stage.isDone());
            stage.complete("value");
            executor.runAll();
            assertEquals("value", elected.join());
            assertEquals("value", other.join());
            assertTrue(cancelled.isCancelled());
            assertEquals(Optional.of("value"), region.get("key"));
            assertEquals(1, region.stats().waits(WaitOutcome.INTERRUPTED));
            assertEquals(1, region.stats().waits(WaitOutcome.VALUE));
        }

        @Test
        void theElected_cancelsNobodyElse_andNotTheCreation() {
            CompletableFuture<String> elected = ask();
            CompletableFuture<String> other = ask();
            assertTrue(elected.cancel(true));
            executor.runAll();
            assertFalse(stage.isDone());
            assertTrue(region.isCreating("key"));
            stage.complete("value");
            executor.runAll();
            assertEquals("value", other.join());
            assertEquals(Optional.of("value"), region.get("key"));
            assertEquals(1, creations.get());
        }

        @Test
        void allOfThem_leavesTheCreation_whoseValueIsStored() {
            List<CompletableFuture<String>> all = List.of(ask(), ask(), ask());
            all.forEach(one -> one.cancel(false));
            executor.runAll();
            stage.complete("value");
            executor.runAll();
            assertEquals(Optional.of("value"), region.get("key"));
            assertEquals(0, region.stats().inFlight());
        }

        @Test
        void aRefresh_cancelsNobodyElse_andNotTheCreation() {
            region.put("key", "old");
            CompletableFuture<String> elected = async.refresh("key", AsyncRegionTest.this::creator);
            executor.runAll();
            CompletableFuture<String> other = async.refresh("key", AsyncRegionTest.this::creator);
            executor.runAll();
            elected.cancel(true);
            executor.runAll();
            stage.complete("new");
            executor.runAll();
            assertEquals("new", other.join());
            assertEquals(1, creations.get());
        }

        @Test
        void aDependentStage_cancelsNothing() {
            CompletableFuture<String> elected = ask();
            CompletableFuture<Integer> length = elected.thenApply(String::length);
            length.cancel(true);
            stage.complete("value");
            executor.runAll();
            assertEquals("value", elected.join());
        }
    }

    @Nested
    class Others {
        @Test
        void refresh_makesANewValue() {
            region.put("key", "old");
            CompletableFuture<String> refreshing = async.refresh("key", AsyncRegionTest.this::creator);
            executor.runAll();
            assertEquals(Optional.of("old"), region.get("key"));
            stage.complete("new");
            executor.runAll();
            assertEquals("new", refreshing.join());
            assertEquals(Optional.of("new"), region.get("key"));
        }

        @Test
        void getPeekPutAndInvalidate_areDoneOnTheExecutor() {
            CompletableFuture<Void> put = async.put("key", "value");
            assertFalse(put.isDone());
            assertEquals(Optional.empty(), region.get("key"));
            executor.runAll();
            assertTrue(put.isDone());
            CompletableFuture<Optional<String>> get = async.get("key");
            CompletableFuture<Optional<CachedValue<String>>> peek = async.peek("key");
            executor.runAll();
            assertEquals(Optional.of("value"), get.join());
            assertEquals("value", peek.join().orElseThrow().value());
            CompletableFuture<Void> invalidated = async.invalidate("key");
            executor.runAll();
            invalidated.join();
            assertEquals(Optional.empty(), region.get("key"));
        }

        @Test
        void theirFailures_areInTheFuture() {
            region.close();
            List<CompletableFuture<?>> all = new ArrayList<>(
                    List.of(async.get("key"), async.peek("key"), async.put("key", "x"), async.invalidate("key")));
            executor.runAll();
            all.forEach(one -> assertTrue(
                    assertThrows(CompletionException.class, one::join).getCause() instanceof IllegalStateException));
        }

        @Test
        void anExecutorThatRefuses_isAFailureInTheFuture_andLeavesNothingBehind() {
            executor.refuseAll();
            List<CompletableFuture<?>> all = List.of(
                    async.getOrCreate("key", AsyncRegionTest.this::creator),
                    async.refresh("key", AsyncRegionTest.this::creator),
                    async.get("key"),
                    async.peek("key"),
                    async.put("key", "value"),
                    async.invalidate("key"));
            for (CompletableFuture<?> one : all) {
                assertTrue(assertThrows(CompletionException.class, one::join).getCause() instanceof DogpileException);
            }
            assertFalse(region.isCreating("key"));
            assertEquals("value", region.getOrCreate("key", () -> "value"));
        }
    }
}
