package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class DogpileLockBuilderTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TWO = Duration.ofSeconds(2);
    private static final Duration NEGATIVE = Duration.ofSeconds(-3);

    @Nested
    class Defaults {
        private final Options<String> options = DogpileLock.<String>create().options();

        @Test
        void valuesNeverTurnStaleNorExpire() {
            assertEquals(Slot.NEVER, options.staleAfter());
            assertEquals(Slot.NEVER, options.expireAfter());
            assertEquals(Options.UNSET, options.maxAge());
            assertEquals(Options.UNSET, options.maxUsableAge());
            assertTrue(options.takesStale());
        }

        @Test
        void softTimeoutIsZero_hardTimeoutIsMaxCreation_whichIsAMinute() {
            assertEquals(0, options.softTimeout());
            assertEquals(Duration.ofSeconds(60).toNanos(), options.maxCreation());
            assertEquals(options.maxCreation(), options.hardTimeout());
            assertEquals(
                    Duration.ofSeconds(9).toNanos(),
                    DogpileLock.builder()
                            .maxCreation(Duration.ofSeconds(9))
                            .build()
                            .options()
                            .hardTimeout());
        }

        @Test
        void nothingIsRefreshedEarlyOrElsewhere_andAStoreThatIsDownIsCreatedPast() {
            assertNull(options.refreshOn());
            assertEquals(0, options.beta());
            assertEquals(WhenDown.CREATE, options.whenDown());
            assertNull(options.drafting());
        }

        @Test
        void timeIsTheSystems() {
            assertSame(TimeSource.system(), options.time());
        }

        @Test
        void leaseIsWhatIsGiven_andNobodyNeedsOneWhoGivesNoLock() {
            RecordingLocks locks = new RecordingLocks();
            Duration[] asked = new Duration[1];
            LockProvider asking = (name, leaseTime) -> {
                asked[0] = leaseTime;
                return locks.tryAcquire(name, leaseTime);
            };
            DogpileLock<String> lock = DogpileLock.<String>builder()
                    .lock(asking, Duration.ofSeconds(5))
                    .build();
            lock.acquireStamped(
                    "report", () -> new Stamped<>("new", TimeSource.system().instant()), Optional::empty);
            assertEquals(Duration.ofSeconds(5), asked[0]);

            IllegalArgumentException refused = assertThrows(
                    IllegalArgumentException.class,
                    () -> DogpileLock.builder()
                            .maxCreation(SECOND)
                            .lock(asking, Duration.ofSeconds(5))
                            .build());
            assertTrue(refused.getMessage().contains("leaseTime (PT5S)"), refused.getMessage());
            assertEquals(
                    "value",
                    DogpileLock.<String>builder()
                            .maxCreation(SECOND)
                            .build()
                            .get("name", new ScriptedSlot<>(new FakeTime()), () -> "value"));
        }

        @Test
        void draft_livesAsTheOptionsSay_andIsKept() {
            Slot.Draft<String> draft = DogpileLock.<String>builder()
                    .staleAfter(SECOND)
                    .expireAfter(TWO)
                    .build()
                    .options()
                    .draft("name", "value", 7);

            assertEquals(new Slot.Draft<>("value", SECOND, TWO, Duration.ofNanos(7), true), draft);
        }
    }

    @Nested
    class Refused {
        private void refused(UnaryOperator<DogpileLock.Builder<String>> options, String... named) {
            IllegalArgumentException refused = assertThrows(
                    IllegalArgumentException.class,
                    () -> options.apply(DogpileLock.builder()).build());
            for (String value : named) {
                assertTrue(refused.getMessage().contains(value), refused.getMessage());
            }
        }

        @Test
        void staleAfterLongerThanExpireAfter() {
            refused(o -> o.staleAfter(TWO).expireAfter(SECOND), "staleAfter (PT2S)", "expireAfter (PT1S)");
        }

        @Test
        void softTimeoutWithoutRefreshOn() {
            refused(o -> o.softTimeout(SECOND), "softTimeout (PT1S)", "refreshOn (none)");
        }

        @Test
        void softTimeoutLongerThanHardTimeout() {
            refused(
                    o -> o.refreshOn(Runnable::run).softTimeout(TWO).hardTimeout(SECOND),
                    "softTimeout (PT2S)",
                    "hardTimeout (PT1S)");
        }

        @Test
        void softTimeoutLongerThanTheDefaultHardTimeout() {
            refused(
                    o -> o.refreshOn(Runnable::run).softTimeout(Duration.ofSeconds(61)),
                    "softTimeout (PT1M1S)",
                    "hardTimeout (PT1M)");
        }

        @Test
        void leaseLongerThanMaxCreation() {
            refused(
                    o -> o.lock(LockProvider.local(), TWO).maxCreation(SECOND),
                    "leaseTime (PT2S)",
                    "maxCreation (PT1S)");
        }

        @Test
        void leaseThatIsNotPositive() {
            refused(o -> o.lock(LockProvider.local(), Duration.ZERO), "leaseTime", "PT0S");
            refused(o -> o.lock(LockProvider.local(), NEGATIVE), "leaseTime", "PT-3S");
        }

        @Test
        void negativeDurations() {
            refused(o -> o.staleAfter(NEGATIVE), "staleAfter", "PT-3S");
            refused(o -> o.expireAfter(NEGATIVE), "expireAfter", "PT-3S");
            refused(o -> o.refreshOn(Runnable::run).softTimeout(NEGATIVE), "softTimeout", "PT-3S");
            refused(o -> o.hardTimeout(NEGATIVE), "hardTimeout", "PT-3S");
            refused(o -> o.maxCreation(NEGATIVE).hardTimeout(SECOND), "maxCreation", "PT-3S");
        }

        @Test
        void weightOfEarlyRefreshThatIsNoWeight() {
            refused(o -> o.earlyRefresh(-1), "earlyRefresh", "-1.0");
            refused(o -> o.earlyRefresh(Double.NaN), "earlyRefresh", "NaN");
            refused(o -> o.earlyRefresh(Double.POSITIVE_INFINITY), "earlyRefresh", "Infinity");
        }

        @Test
        void equalLimits_areNoContradiction() {
            DogpileLock.builder()
                    .staleAfter(SECOND)
                    .expireAfter(SECOND)
                    .refreshOn(Runnable::run)
                    .softTimeout(SECOND)
                    .hardTimeout(SECOND)
                    .lock(LockProvider.local(), SECOND)
                    .maxCreation(SECOND)
                    .build();
        }

        @Test
        void nullNameOrCreator() {
            DogpileLock<String> lock = DogpileLock.create();
            ScriptedSlot<String> slot = new ScriptedSlot<>(new FakeTime());

            assertThrows(NullPointerException.class, () -> lock.get(null, slot, () -> "new"));
            assertThrows(NullPointerException.class, () -> lock.get("report", slot, null));
            assertThrows(NullPointerException.class, () -> lock.detach(null));
        }
    }

    @Nested
    class InAView {
        private final DogpileLock<String> lock = DogpileLock.<String>builder()
                .staleAfter(SECOND)
                .refreshOn(Runnable::run)
                .softTimeout(SECOND)
                .hardTimeout(TWO)
                .earlyRefresh(1)
                .whenDown(WhenDown.FAIL)
                .neverStale()
                .build();

        private void belongsToTheLock(UnaryOperator<DogpileLock.Builder<String>> change, String option) {
            IllegalStateException refused = assertThrows(IllegalStateException.class, () -> lock.with(change));
            assertTrue(refused.getMessage().startsWith(option + " "), refused.getMessage());
        }

        @Test
        void whatBelongsToTheLock_isRefused() {
            belongsToTheLock(o -> o.maxCreation(SECOND), "maxCreation");
            belongsToTheLock(o -> o.listener(new Events()), "listener");
            belongsToTheLock(o -> o.clock(new FakeTime()), "clock");
            belongsToTheLock(o -> o.lock(null, SECOND), "lock");
            belongsToTheLock(o -> o.seed(1), "seed");
        }

        @Test
        void whatIsNotSet_isAsInTheLock() {
            assertEquals(lock.options(), lock.with(o -> o).options());
        }

        @Test
        void whatIsSet_differs_andTheLockStaysAsItWas() {
            Options<String> before = lock.options();
            Options<String> view = lock.with(o -> o.staleAfter(Duration.ofSeconds(5))
                            .expireAfter(Duration.ofSeconds(6))
                            .softTimeout(Duration.ofSeconds(3))
                            .hardTimeout(Duration.ofSeconds(4))
                            .earlyRefresh(2)
                            .whenDown(WhenDown.CREATE))
                    .options();

            assertEquals(Duration.ofSeconds(5).toNanos(), view.maxAge());
            assertEquals(Duration.ofSeconds(6).toNanos(), view.maxUsableAge());
            assertEquals(SECOND.toNanos(), view.staleAfter());
            assertEquals(Duration.ofSeconds(3).toNanos(), view.softTimeout());
            assertEquals(Duration.ofSeconds(4).toNanos(), view.hardTimeout());
            assertEquals(2, view.beta());
            assertEquals(WhenDown.CREATE, view.whenDown());
            assertEquals(before, lock.options());
        }

        @Test
        void contradictions_areRefusedToo() {
            IllegalArgumentException refused = assertThrows(
                    IllegalArgumentException.class, () -> lock.with(o -> o.softTimeout(Duration.ofSeconds(3))));
            assertTrue(refused.getMessage().contains("hardTimeout (PT2S)"), refused.getMessage());
        }
    }

    @Test
    void builtLock_isNotTouchedByLaterChangesOfItsBuilder() {
        DogpileLock.Builder<String> builder = DogpileLock.builder();
        DogpileLock<String> lock = builder.staleAfter(SECOND).build();
        builder.staleAfter(TWO);

        assertEquals(SECOND.toNanos(), lock.options().staleAfter());
    }
}
