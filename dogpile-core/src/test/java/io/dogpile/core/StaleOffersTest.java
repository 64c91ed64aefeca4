package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What callers of this JVM are given while one of them creates anew, in a store that others share: the stale value that is
 * there when they ask, and not the one that the creator found.
 */
class StaleOffersTest {
    private final FakeTime time = new FakeTime();
    private final Crew crew = new Crew();
    private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final DogpileLock<String> lock =
            DogpileLock.<String>builder().clock(time).build();
    private Future<String> creator;

    @BeforeEach
    void somebodyCreatesAnew() throws Exception {
        slot.readsFree = false;
        slot.holding("old", Duration.ofHours(1), Duration.ofMinutes(1), Duration.ofDays(1), Duration.ZERO);
        CountDownLatch creating = new CountDownLatch(1);
        creator = crew.start(() -> lock.get("report", slot, () -> {
            creating.countDown();
            mayEnd.await(10, TimeUnit.SECONDS);
            return "created";
        }));
        assertTrue(creating.await(10, TimeUnit.SECONDS));
        time.advance(Duration.ofMillis(1));
    }

    @AfterEach
    void end() {
        crew.close();
    }

    @Test
    void whoComesLater_getsTheStaleValue_byALookOfItsOwn() {
        int before = slot.reads.get();
        assertEquals("old", lock.get("report", slot, () -> "not called"));
        assertEquals(before + 1, slot.reads.get());
    }

    @Test
    void whoComesAfterAnInvalidationElsewhere_isNotGivenWhatItForgot() throws Exception {
        slot.invalidate();
        Future<String> later = crew.start(() -> lock.get("report", slot, () -> "anew"));
        time.awaitParked(1);
        assertFalse(later.isDone());
        mayEnd.countDown();
        assertEquals("created", Crew.result(creator), "its creator has it, though it is not stored");
        assertEquals("anew", Crew.result(later));
    }

    @Test
    void whoComesAfterAPutElsewhere_getsWhatWasPut() {
        slot.holding("put", Duration.ZERO);
        assertEquals("put", lock.get("report", slot, () -> "not called"));
    }

    @Test
    void whoComesWhileTheStoreIsDown_getsTheStaleValueThatWasFound() {
        slot.onRead = () -> {
            throw new IllegalStateException("down");
        };
        assertEquals("old", lock.get("report", slot, () -> "not called"));
    }
}
