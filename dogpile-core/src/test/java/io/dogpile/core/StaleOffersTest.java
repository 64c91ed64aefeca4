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
        creator = created("report", slot);
    }

    /** One that runs, of a caller who finds what the slot has. */
    private Future<String> created(String name, ScriptedSlot<String> in) throws Exception {
        CountDownLatch creating = new CountDownLatch(1);
        Future<String> started = crew.start(() -> lock.get(name, in, () -> {
            creating.countDown();
            mayEnd.await(10, TimeUnit.SECONDS);
            return "created";
        }));
        assertTrue(creating.await(10, TimeUnit.SECONDS));
        time.advance(Duration.ofMillis(1));
        return started;
    }

    /** Has a value that is stale, and expires in a second. */
    private ScriptedSlot<String> expiring() {
        ScriptedSlot<String> expiring = new ScriptedSlot<>(time);
        expiring.readsFree = false;
        return expiring.holding(
                "old", Duration.ofSeconds(9), Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ZERO);
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

    @Test
    void whoComesAfterTheStaleValueExpired_andAPutElsewhere_getsWhatWasPut() throws Exception {
        ScriptedSlot<String> expiring = expiring();
        Future<String> first = created("other", expiring);
        time.advance(Duration.ofSeconds(2));
        expiring.holding("put", Duration.ZERO);

        assertEquals("put", lock.get("other", expiring, () -> "not called"));
        assertFalse(first.isDone(), "it was not waited for");
        mayEnd.countDown();
        assertEquals("created", Crew.result(first));
    }

    @Test
    void whoComesAfterTheStaleValueExpired_looksOnce_andWaits() throws Exception {
        ScriptedSlot<String> expiring = expiring();
        Future<String> first = created("other", expiring);
        time.advance(Duration.ofSeconds(2));
        int before = expiring.reads.get();
        Future<String> later = crew.start(() -> lock.get("other", expiring, () -> "not called"));
        time.awaitParked(1);
        assertEquals(before + 1, expiring.reads.get());
        mayEnd.countDown();

        assertEquals("created", Crew.result(later));
        assertEquals("created", Crew.result(first));
        assertEquals(before + 1, expiring.reads.get());
    }

    @Test
    void whoComesAfterTheClaimShowedWhatWasTakenForExpired_getsIt() throws Exception {
        ScriptedSlot<String> misjudged = new ScriptedSlot<>(time);
        misjudged.readsFree = false;
        misjudged.holding("old", Duration.ofHours(1), Duration.ofMinutes(1), Duration.ofMinutes(30), Duration.ZERO);
        misjudged.onClaim = () -> misjudged.holdingStill("old", Duration.ofHours(1), Duration.ofMinutes(1));
        Future<String> first = created("other", misjudged);

        assertEquals("old", lock.get("other", misjudged, () -> "not called"));
        assertFalse(first.isDone(), "it was not waited for");
        mayEnd.countDown();
        assertEquals("created", Crew.result(first));
    }
}
