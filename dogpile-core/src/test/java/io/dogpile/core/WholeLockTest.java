package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What the owner of a lock with many names asks of it, beside the values. */
class WholeLockTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TICK = Duration.ofNanos(1);

    private final FakeTime time = new FakeTime();
    private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
    private final Callers callers = new Callers();
    private final CountDownLatch go = new CountDownLatch(1);
    private final List<String> heard = new ArrayList<>();
    private final DogpileListener hearing = new DogpileListener() {
        @Override
        public void hit(Object name) {
            heard.add("hit " + name);
        }

        @Override
        public void missed(Object name) {
            heard.add("missed " + name);
        }

        @Override
        public void staleServed(Object name) {
            heard.add("stale " + name);
        }
    };

    private DogpileLock.Builder<String> builder() {
        return DogpileLock.<String>builder().clock(time).seed(1);
    }

    private Callers.Caller<String> parkedCreation(DogpileLock<String> lock, Object name) {
        Callers.Caller<String> elected = callers.start(() -> lock.get(name, slot, () -> {
            go.await();
            return "created";
        }));
        DogpileLockTest.await(() -> slot.isHeld());
        return elected;
    }

    @AfterEach
    void endCallers() throws InterruptedException {
        go.countDown();
        callers.close();
    }

    @Nested
    class EndAll {
        @Test
        void thoseWhoWait_getTheFailure_theRightIsGivenBack_andTheCreatorsCallerHasItsValue() {
            DogpileLock<String> lock = builder().build();
            Callers.Caller<String> elected = parkedCreation(lock, "name");
            Callers.Caller<String> waiter = callers.start(() -> lock.get("name", slot, () -> "never"));
            time.awaitParked(1);
            IllegalStateException closed = new IllegalStateException("closed");

            lock.endAll(closed);

            assertSame(closed, waiter.failure());
            assertFalse(slot.isHeld());
            assertEquals(0, lock.inFlight());
            go.countDown();
            assertEquals("created", elected.result());
            assertTrue(slot.stored().isEmpty());
        }
    }

    @Nested
    class DetachAll {
        @Test
        void callersAfterIt_electAnew_andTheOldCreation_isNotStored() {
            DogpileLock<String> lock = builder().build();
            Callers.Caller<String> elected = parkedCreation(lock, "name");
            Callers.Caller<String> waiter = callers.start(() -> lock.get("name", slot, () -> "never"));
            time.awaitParked(1);

            slot.invalidate();
            lock.detachAll();

            assertEquals("new", lock.get("name", slot, () -> "new"));
            go.countDown();
            assertEquals("created", elected.result());
            assertEquals("new", waiter.result()); // the successor's
            assertEquals("new", slot.stored().orElseThrow());
        }
    }

    @Nested
    class InFlight {
        @Test
        void aName_isInFlight_whileItIsCreated() {
            DogpileLock<String> lock = builder().build();
            assertFalse(lock.isInFlight("name"));
            Callers.Caller<String> elected = parkedCreation(lock, "name");
            assertTrue(lock.isInFlight("name"));
            assertFalse(lock.isInFlight("other"));
            go.countDown();
            assertEquals("created", elected.result());
            assertFalse(lock.isInFlight("name"));
        }
    }

    @Nested
    class Judged {
        private final DogpileLock<String> lock = builder().build();

        private Slot.Seen<String> seen(Duration age, Duration staleAfter, Duration expireAfter) throws Exception {
            return slot.holding("value", age, staleAfter, expireAfter, SECOND).read();
        }

        @Test
        void anAgeEqualToALimit_isWithinIt() throws Exception {
            Slot.Seen<String> seen = seen(Duration.ZERO, SECOND, SECOND.multipliedBy(2));
            long born = seen.bornAt();
            assertTrue(lock.isFresh(seen, born + SECOND.toNanos()));
            assertFalse(lock.isFresh(seen, born + SECOND.toNanos() + 1));
            assertTrue(lock.isUsable(seen, born + 2 * SECOND.toNanos()));
            assertFalse(lock.isUsable(seen, born + 2 * SECOND.toNanos() + 1));
        }

        @Test
        void aView_judgesByItsOwnLimits() throws Exception {
            Slot.Seen<String> seen = seen(Duration.ofMillis(600), SECOND, SECOND);
            long now = time.nanos();
            assertTrue(lock.isHit(seen));
            assertFalse(lock.with(o -> o.staleAfter(Duration.ofMillis(500))).isHit(seen));
            assertFalse(lock.with(o -> o.staleAfter(Duration.ofMillis(500))).isFresh(seen, now));
            time.advance(SECOND);
            assertFalse(lock.isHit(seen));
            DogpileLock<String> patient =
                    lock.with(o -> o.staleAfter(SECOND.multipliedBy(9)).expireAfter(SECOND.multipliedBy(9)));
            assertTrue(patient.isHit(seen));
        }

        @Test
        void whatIsAbsent_isNeverAHit() throws Exception {
            Slot.Seen<String> absent = slot.read();
            DogpileLock<String> ignoring = lock.with(
                    o -> o.staleAfter(Duration.ofNanos(Slot.NEVER)).expireAfter(Duration.ofNanos(Slot.NEVER)));
            for (DogpileLock<String> each : List.of(lock, ignoring)) {
                assertFalse(each.isHit(absent));
                assertFalse(each.isFresh(absent, time.nanos()));
                assertFalse(each.isUsable(absent, time.nanos()));
            }
        }

        @Test
        void aValueThatMayBeDrawn_isNoHit() throws Exception {
            DogpileLock<String> early = builder().earlyRefresh(1).build();
            assertTrue(early.isHit(seen(Duration.ZERO, SECOND.multipliedBy(21), SECOND.multipliedBy(30))));
            assertFalse(early.isHit(seen(Duration.ZERO, SECOND.multipliedBy(19), SECOND.multipliedBy(30))));
        }
    }

    @Nested
    class Told {
        @Test
        void eachCall_isAHit_aMiss_orAStaleValue() throws Exception {
            DogpileLock<String> lock = builder().listener(hearing).build();
            lock.get("name", slot, () -> "value");
            lock.get("name", slot, () -> "never");
            assertThrows(
                    IllegalStateException.class,
                    () -> lock.refresh("name", slot, () -> {
                        throw new IllegalStateException("expected");
                    }));
            slot.holding("old", SECOND.multipliedBy(3), SECOND, SECOND.multipliedBy(9), SECOND);
            slot.heldElsewhere = true;
            lock.get("name", slot, () -> "never");

            assertEquals(List.of("missed name", "hit name", "missed name", "stale name"), heard);
        }

        @Test
        void severalListeners_hearAll_alsoIfOneThrows_andByTheNamesTheyKnow() {
            List<String> second = new ArrayList<>();
            DogpileListener throwing = new DogpileListener() {
                @Override
                public void missed(Object name) {
                    second.add("missed " + name);
                    throw new IllegalStateException("expected");
                }
            };
            DogpileListener both = DogpileListener.all(name -> "key of " + name, throwing, hearing);

            builder().listener(both).build().get("name", slot, () -> "value");

            assertEquals(List.of("missed key of name"), second);
            assertEquals(List.of("missed key of name"), heard);
            assertSame(DogpileListener.NONE, DogpileListener.all());
        }

        @Test
        void messages_beginWithTheLabel() {
            DogpileLock<String> lock = builder()
                    .appearsAs("region 'users', key ", "io.dogpile.core.test")
                    .hardTimeout(SECOND)
                    .whenDown(WhenDown.FAIL)
                    .build();
            Callers.Caller<String> elected = parkedCreation(lock, "name");
            Callers.Caller<String> late = callers.start(() -> lock.get("name", slot, () -> "never"));
            time.awaitParked(1);
            time.advance(SECOND);
            assertTrue(late.failure().getMessage().startsWith("region 'users', key 'name': no value within 1000 ms"));
            go.countDown();
            assertEquals("created", elected.result());

            slot.onRead = () -> {
                throw new java.io.IOException("refused");
            };
            var down = assertThrows(DogpileException.class, () -> lock.get("other", slot, () -> "never"));
            assertTrue(down.getMessage().contains("region 'users', key 'other'"), down.getMessage());
        }
    }

    @Nested
    class FailureBackoff {
        private final AtomicInteger calls = new AtomicInteger();

        private void fails(DogpileLock<String> lock) {
            assertThrows(
                    RuntimeException.class,
                    () -> lock.get("name", slot, () -> {
                        calls.incrementAndGet();
                        throw new IllegalStateException("expected");
                    }));
        }

        @Test
        void asManyFailuresAsAskedFor_backOffAsLongAsAskedFor() {
            DogpileLock<String> lock =
                    builder().failureBackoff(3, SECOND, SECOND.multipliedBy(3)).build();
            for (int i = 0; i < 4; i++) {
                fails(lock);
            }
            assertEquals(3, calls.get());
            time.advance(SECOND.plus(TICK));
            fails(lock);
            assertEquals(4, calls.get());
            time.advance(SECOND.multipliedBy(2));
            fails(lock);
            assertEquals(4, calls.get());
            time.advance(TICK);
            fails(lock);
            time.advance(SECOND.multipliedBy(3));
            fails(lock);
            assertEquals(5, calls.get());
            time.advance(TICK);
            fails(lock);
            assertEquals(6, calls.get());
        }

        @Test
        void whatMakesNoSense_isRefused_namingIt() {
            var none =
                    assertThrows(IllegalArgumentException.class, () -> builder().failureBackoff(0, SECOND, SECOND));
            assertTrue(none.getMessage().contains("0"));
            assertThrows(IllegalArgumentException.class, () -> builder().failureBackoff(1, Duration.ZERO, SECOND));
            var both = assertThrows(
                    IllegalArgumentException.class, () -> builder().failureBackoff(1, SECOND.multipliedBy(2), SECOND));
            assertTrue(both.getMessage().contains("PT2S") && both.getMessage().contains("PT1S"), both.getMessage());
        }
    }

    @Nested
    class Refresh {
        @Test
        void many_areCreatedAnew_alsoWhereTheyAreFresh() {
            DogpileLock<String> lock = builder().build();
            Map<String, ScriptedSlot<String>> slots =
                    Map.of("a", new ScriptedSlot<String>(time).holding("old", SECOND), "b", new ScriptedSlot<>(time));
            List<List<String>> asked = new ArrayList<>();
            Map<String, Acquired<String>> made = lock.refreshAll(List.of("b", "a"), slots::get, names -> {
                asked.add(List.copyOf(names));
                return Map.of("a", "new a", "b", "new b");
            });
            assertEquals(List.of(List.of("b", "a")), asked);
            assertEquals("new a", made.get("a").value());
            assertEquals("new a", slots.get("a").stored().orElseThrow());
        }

        @Test
        void leftOut_keepsItsValue() {
            DogpileLock<String> lock = builder().build();
            slot.holding("old", SECOND);
            assertEquals(Map.of(), lock.refreshAll(List.of("a"), name -> slot, names -> Map.of()));
            assertEquals("old", slot.stored().orElseThrow());
            assertFalse(slot.isHeld());
        }

        @Test
        void asynchronously_isNewerThanWhatThereIs() {
            slot.holding("old", SECOND);
            CompletableFuture<Acquired<String>> future = builder()
                    .build()
                    .async(Runnable::run)
                    .refresh("name", slot, () -> CompletableFuture.completedFuture("new"));
            assertEquals("new", future.join().value());
        }
    }
}
