package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Early refresh, its draws seeded. */
class EarlyRefreshTest {
    private static final long SEED = 42;
    private static final Duration LIFE = Duration.ofSeconds(100);
    private static final Duration COST = Duration.ofSeconds(1);

    /** How long before its end a value of this cost is refreshed by the first draw of the seed. */
    private static final Duration DRAWN_BEFORE_THE_END =
            Duration.ofNanos((long) (COST.toNanos() * -Math.log(1 - new Random(SEED).nextDouble())));

    private final FakeTime time = new FakeTime();
    private final Events events = new Events();
    private final HandDriven executor = new HandDriven();
    private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
    private final AtomicInteger creates = new AtomicInteger();
    private final Callers callers = new Callers();
    private final CountDownLatch go = new CountDownLatch(1);

    @BeforeEach
    void holdFreshValue() {
        time.advance(LIFE);
        slot.holding("old", Duration.ZERO, LIFE, LIFE, COST);
    }

    @AfterEach
    void endCallers() throws InterruptedException {
        callers.close();
    }

    /** Each lock draws the seed's first number for its first call. */
    private DogpileLock.Builder<String> firstDraw() {
        return DogpileLock.<String>builder()
                .staleAfter(LIFE)
                .clock(time)
                .seed(SEED)
                .earlyRefresh(1)
                .listener(events);
    }

    private String creator() {
        creates.incrementAndGet();
        return "new";
    }

    private void untilDrawn() {
        time.advance(LIFE.minus(DRAWN_BEFORE_THE_END).plusMillis(1));
    }

    @Test
    void beforeItsDraw_theFreshValueIsJustReturned() {
        time.advance(LIFE.minus(DRAWN_BEFORE_THE_END).minusMillis(1));

        Acquired<String> got = firstDraw().build().acquire("report", slot, this::creator);

        assertEquals("old", got.value());
        assertEquals(0, slot.claims.get());
        assertEquals(List.of(), events.all());
    }

    @Test
    void drawn_withoutRefreshOn_theElectedCallerCreates() {
        untilDrawn();

        Acquired<String> got = firstDraw().build().acquire("report", slot, this::creator);

        assertEquals("new", got.value());
        assertEquals(Acquired.Origin.CREATED, got.origin());
        assertEquals(Slot.Wish.Reason.EARLY, slot.wishes.get(0).reason());
        assertEquals(List.of("early", "created"), events.all());
    }

    @Test
    void drawn_withRefreshOn_theElectedCallerGetsTheFreshValueAtOnce_whateverItsSoftTimeout() {
        untilDrawn();
        DogpileLock<String> lock = firstDraw()
                .refreshOn(executor)
                .softTimeout(Duration.ofSeconds(5))
                .build();

        Acquired<String> got = lock.acquire("report", slot, this::creator);

        assertEquals("old", got.value());
        assertEquals(Acquired.Origin.FRESH, got.origin());
        assertEquals(0, creates.get());
        executor.runAll();
        assertEquals(1, creates.get());
        assertEquals(Optional.of("new"), slot.stored());
        assertEquals(List.of("early", "created"), events.all());
    }

    @Test
    void drawnToo_butAnotherIsElected_getsTheFreshValueAtOnce() {
        DogpileLock<String> lock = firstDraw().earlyRefresh(1_000).build();
        time.advance(LIFE.minusMillis(1));
        Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, () -> {
            creates.incrementAndGet();
            go.await();
            return "new";
        }));
        DogpileLockTest.await(() -> creates.get() == 1);

        Acquired<String> loser = lock.acquire("report", slot, this::creator);
        Callers.Caller<Acquired<String>> strict =
                callers.start(() -> lock.with(DogpileLock.Builder::neverStale).acquire("report", slot, this::creator));

        assertEquals("old", loser.value());
        assertEquals(Acquired.Origin.FRESH, loser.origin());
        assertEquals("old", strict.result().value());
        assertEquals(Acquired.Origin.FRESH, strict.result().origin());
        assertFalse(elected.isDone());
        assertEquals(1, creates.get());
        go.countDown();
        assertEquals("new", elected.result());
    }

    @Test
    void drawn_butHeldElsewhere_getsTheFreshValue() {
        untilDrawn();
        slot.heldElsewhere = true;

        assertEquals("old", firstDraw().build().get("report", slot, this::creator));
        assertEquals(0, creates.get());
    }

    @Test
    void off_nothingIsDrawn() {
        time.advance(LIFE);

        assertEquals("old", firstDraw().earlyRefresh(0).build().get("report", slot, this::creator));
    }

    @Test
    void valueWithoutKnownCost_isNotDrawn() {
        slot.holding("old", LIFE, LIFE, LIFE, Duration.ZERO);

        assertEquals("old", firstDraw().earlyRefresh(1_000).build().get("report", slot, this::creator));
    }

    @Test
    void luckiestDraw_isNotDrawnBeforeTwentyTimesTheCost() {
        Options<String> options = new Options<>(
                LIFE.toNanos(),
                LIFE.toNanos(),
                Options.UNSET,
                Options.UNSET,
                true,
                0,
                LIFE.toNanos(),
                LIFE.toNanos(),
                null,
                1,
                WhenDown.CREATE,
                null,
                new Told(DogpileListener.NONE, "", "io.dogpile.core"),
                time,
                () -> Math.nextDown(1.0),
                Runnable::run);
        assertTrue(-Math.log(1 - Math.nextDown(1.0)) > 30);

        assertEquals(Election.Action.RETURN, seenWithLeft(options, COST.multipliedBy(20)));
        assertEquals(
                Election.Action.ENTER,
                seenWithLeft(options, COST.multipliedBy(20).minusMillis(1)));
    }

    private Election.Action seenWithLeft(Options<String> options, Duration left) {
        slot.holding("old", LIFE.minus(left), LIFE, LIFE, COST);
        Election<String> election = new Election<>(options, Election.Want.VALUE, true, "name");
        election.begin(time.nanos());
        try {
            return election.seen(slot.read(), time.nanos());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
