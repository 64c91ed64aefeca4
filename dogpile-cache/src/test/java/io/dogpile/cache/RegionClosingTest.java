package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.ProxyBackend;
import io.dogpile.core.RecordingLocks;
import io.dogpile.core.Slot;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** The end of a region. */
@Tag("C-128")
@Tag("W-40")
@Timeout(60) // seconds: a test that waits for ever says so
class RegionClosingTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeTime time = new FakeTime();
    private final HandDriven executor = new HandDriven();
    private final Callers callers = new Callers();
    private final RecordingLocks locks = new RecordingLocks();
    private final Held<String> held = new Held<>("made all the same");
    private final Region<String, String> region = builder().build();

    @AfterEach
    void endCallers() throws InterruptedException {
        held.letGo();
        callers.close();
    }

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("users")
                .clock(time)
                .staleAfter(SECOND)
                .lock(locks, Duration.ofSeconds(5));
    }

    @Test
    void everyCall_isRefused_namingTheRegion() {
        region.put("key", "value");
        Region<String, String> view = region.with(RegionBuilder::neverStale);
        region.close();
        for (Executable call : List.<Executable>of(
                () -> region.getOrCreate("key", k -> "new"),
                () -> region.getOrCreate("key", () -> "new"),
                () -> view.getOrCreate("key", k -> "new"),
                () -> region.get("key"),
                () -> region.peek("key"),
                () -> region.put("key", "new"),
                () -> region.put("key", null),
                () -> region.refresh("key", k -> "new"),
                () -> region.invalidate("key"),
                () -> region.invalidate("key", Invalidation.SOFT),
                () -> region.isCreating("key"),
                () -> region.getOrCreateAll(List.of("key"), missing -> Map.of()),
                () -> region.getOrCreateAll(List.of(), missing -> Map.of()),
                () -> region.refreshAll(List.of("key"), missing -> Map.of()),
                () -> region.getAll(List.of("key")),
                () -> region.peekAll(List.of("key")),
                () -> region.putAll(Map.of("key", "new")),
                () -> region.invalidateAll(List.of("key")),
                () -> region.invalidateAll(Invalidation.HARD),
                () -> region.async(executor).getOrCreate("key", k -> new CompletableFuture<>()),
                () -> region.async(executor).refresh("key", k -> new CompletableFuture<>()))) {
            var refused = assertThrows(IllegalStateException.class, call);
            assertTrue(refused.getMessage().contains("region 'users' is closed"), refused.getMessage());
        }
    }

    @Test
    void twice_isHarmless_andTheBackendIsNotClosed() {
        SpyBackend spy = new SpyBackend();
        Region<String, String> remote = builder().backend(spy).build();
        remote.close();
        remote.close();
        assertEquals(1, spy.closed);
        Backend memory = MemoryBackend.create();
        builder().backend(memory).build().close();
        Region<String, String> another = builder().backend(memory).build();
        another.put("key", "value");
        assertEquals(Optional.of("value"), another.get("key"));
    }

    @Test
    void whoWaits_getsAClearError_whoCreatesItsValue_andNothingIsStored() throws Exception {
        Callers.Caller<String> creator = callers.start(() -> region.getOrCreate("key", held));
        held.awaitBegun();
        List<Callers.Caller<String>> waiting = callers.start(3, () -> region.getOrCreate("key", k -> "never"));
        CompletableFuture<String> future =
                region.async(executor).getOrCreate("key", k -> CompletableFuture.completedFuture("never"));
        executor.runAll();
        time.awaitParked(3);
        region.close();
        executor.runAll();
        for (Callers.Caller<String> one : waiting) {
            Throwable refused = assertInstanceOf(IllegalStateException.class, one.failure());
            assertTrue(refused.getMessage().contains("'users' is closed"), refused.getMessage());
        }
        assertInstanceOf(
                IllegalStateException.class,
                assertThrows(CompletionException.class, future::join).getCause());
        assertFalse(locks.isHeld("users/key"));
        held.letGo();
        assertEquals("made all the same", creator.result());
        assertFalse(locks.isHeld("users/key"));
    }

    @Test
    void whoWaitsBehindForASoftTimeout_getsTheStaleValue() {
        Region<String, String> soft =
                builder().refreshOn(executor).softTimeout(SECOND).build();
        soft.put("key", "old");
        time.advance(SECOND.multipliedBy(2));
        Callers.Caller<String> waiting = callers.start(() -> soft.getOrCreate("key", k -> "never"));
        time.awaitParked(1);
        soft.close();
        assertEquals("old", waiting.result());
    }

    @Test
    void whatWaitsInTheExecutorsQueue_isNotMade_andItsRightIsGivenBack() {
        Region<String, String> behind = builder().refreshOn(executor).build();
        behind.put("key", "old");
        time.advance(SECOND.multipliedBy(2));
        assertEquals("old", behind.getOrCreate("key", k -> {
            throw new AssertionError("made for a closed region");
        }));
        assertTrue(locks.isHeld("users/key"));
        behind.close();
        assertFalse(locks.isHeld("users/key"));
        executor.runAll();
        assertEquals(locks.granted.get(), locks.released.get());
        assertEquals(0, time.alarms());
    }

    @Test
    void aCallThatTheEndOvertakes_getsItsValue_andLeavesNothingThatIsServedLater() {
        AtomicReference<Region<String, String>> closing = new AtomicReference<>();
        Region<String, String> overtaken = Region.<String, String>builder("users")
                .clock(time)
                .wrap(inner -> new ProxyBackend(inner) {
                    @Override
                    protected <V> Slot.Seen<V> onRead(String region, Object key, Slot.Seen<V> seen) {
                        closing.get().close();
                        return seen;
                    }
                })
                .build();
        closing.set(overtaken);
        assertEquals("made", overtaken.getOrCreate("key", k -> "made"));
        assertThrows(IllegalStateException.class, () -> overtaken.getOrCreate("key", k -> "never"));
    }

    @Test
    void whoWaitsForADetachedCreation_getsAClearErrorToo_andItsRightIsGivenBack() throws Exception {
        Callers.Caller<String> creator = callers.start(() -> region.getOrCreate("key", held));
        held.awaitBegun();
        Callers.Caller<String> waiting = callers.start(() -> region.getOrCreate("key", k -> "never"));
        time.awaitParked(1);
        region.invalidate("key");
        region.close();
        assertInstanceOf(IllegalStateException.class, waiting.failure());
        assertFalse(locks.isHeld("users/key"));
        held.letGo();
        assertEquals("made all the same", creator.result());
    }

    @Test
    void aBatchThatWaits_getsAClearError() throws Exception {
        callers.start(() -> region.getOrCreate("a", held));
        held.awaitBegun();
        Callers.Caller<Map<String, String>> batch =
                callers.start(() -> region.getOrCreateAll(List.of("a", "b"), missing -> Map.of("b", "2")));
        time.awaitParked(1);
        region.close();
        assertInstanceOf(IllegalStateException.class, batch.failure());
    }
}
