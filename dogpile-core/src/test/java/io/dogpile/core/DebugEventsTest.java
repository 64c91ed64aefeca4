package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** What the log says at DEBUG of each path, in order. */
@Tag("A-045")
class DebugEventsTest {
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);

    private final Logger logger = LoggerFactory.getLogger("io.dogpile.core");
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private final PrintStream errBefore = System.err;
    private final FakeTime time = new FakeTime();
    private final HandDriven executor = new HandDriven();
    private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
    private final Callers callers = new Callers();
    private final CountDownLatch go = new CountDownLatch(1);
    private int levelBefore;

    @BeforeEach
    void listen() throws ReflectiveOperationException {
        levelBefore = level().getInt(logger);
        level().setInt(logger, Level.DEBUG.toInt());
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restore() throws Exception {
        callers.close();
        System.setErr(errBefore);
        level().setInt(logger, levelBefore);
    }

    /** The simple logger reads its level once, from the system's properties. */
    private Field level() throws ReflectiveOperationException {
        Field level = logger.getClass().getDeclaredField("currentLogLevel");
        level.setAccessible(true);
        return level;
    }

    private DogpileLock<String> lock() {
        return DogpileLock.<String>builder().staleAfter(TEN_SECONDS).clock(time).build();
    }

    private List<String> logged() {
        List<String> events = new ArrayList<>();
        for (String line : log.toString(StandardCharsets.UTF_8).split("\n", -1)) {
            int text = line.indexOf("'report': ");
            if (text >= 0) {
                assertTrue(line.contains(" DEBUG "), line);
                events.add(line.substring(text + "'report': ".length()).strip());
            }
        }
        return events;
    }

    @Test
    void absent_elected_created_released() {
        lock().get("report", slot, () -> "a secret value");

        assertEquals(List.of("elected, creating", "created in 0 ns", "the right to create was given back"), logged());
        assertFalse(log.toString(StandardCharsets.UTF_8).contains("secret"));
    }

    @Test
    void absent_anotherCreates_waits() {
        DogpileLock<String> lock = lock();
        Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, () -> {
            go.await();
            return "new";
        }));
        DogpileLockTest.await(slot::isHeld);
        Callers.Caller<String> waiter = callers.start(() -> lock.get("report", slot, () -> "never made"));
        time.awaitParked(1);

        assertTrue(logged().contains("no value yet, waiting for the creation that is under way"), logged()::toString);
        go.countDown();
        assertEquals("new", elected.result());
        assertEquals("new", waiter.result());
    }

    @Test
    void stale_anotherCreatesHere_inProgressElsewhere() {
        slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);
        DogpileLock<String> lock = lock();
        Callers.Caller<String> elected = callers.start(() -> lock.get("report", slot, () -> {
            go.await();
            return "new";
        }));
        DogpileLockTest.await(() -> logged().contains("elected, creating"));

        lock.get("report", slot, () -> "never made");

        assertEquals(List.of("elected, creating", "a creation is under way elsewhere"), logged());
        go.countDown();
        assertEquals("new", elected.result());
    }

    @Test
    void stale_heldElsewhere_inProgressElsewhere() {
        slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);
        slot.heldElsewhere = true;

        lock().get("report", slot, () -> "never made");

        assertEquals(List.of("a creation is under way elsewhere"), logged());
    }

    @Test
    void absent_createdMeanwhile_released() {
        slot.onClaim = () -> slot.holding("theirs", Duration.ZERO);

        assertEquals("theirs", lock().get("report", slot, () -> "never made"));

        assertEquals(
                List.of("the right to create was given back", "somebody else created the value meanwhile"), logged());
    }

    @Test
    void stale_withExecutor_handedOver() {
        slot.holding("old", Duration.ofSeconds(12), TEN_SECONDS, Duration.ofDays(1), Duration.ZERO);

        lock().with(o -> o.refreshOn(executor)).get("report", slot, () -> "new");
        executor.runAll();

        assertEquals(
                List.of(
                        "elected, creating",
                        "creation handed to the executor",
                        "created in 0 ns",
                        "the right to create was given back"),
                logged());
    }

    @Test
    void creatorFails_released() {
        Optional<Throwable> thrown = Optional.empty();
        try {
            lock().get("report", slot, () -> {
                throw new IllegalStateException("boom");
            });
        } catch (IllegalStateException expected) {
            thrown = Optional.of(expected);
        }

        assertTrue(thrown.isPresent());
        assertEquals(
                List.of("elected, creating", "the right to create was given back", "the creator failed"), logged());
    }

    @Test
    @Tag("A-006")
    void stampFarAhead_isToldByItsName_notByItsValue() {
        Stamps<String> stamps = new Stamps<String>(time).holding("a secret value", Duration.ofSeconds(-1_000_000));

        lock().acquireStamped("report", stamps.creating("new"), stamps.getter());

        assertTrue(logged().contains("the value's stamp is PT277H46M40S ahead of this clock"), logged()::toString);
        assertFalse(log.toString(StandardCharsets.UTF_8).contains("secret"));
    }
}
