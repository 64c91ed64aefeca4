package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Races of batches, step by step; each was found by a seed of {@link BatchScheduleTest}. */
class BatchRacesTest {
    private static final Duration MAX_CREATION = Duration.ofSeconds(60);

    private final SimTime time = new SimTime();
    private final Map<String, Cell<String>> cells = new HashMap<>();
    private final List<Runnable> handed = new ArrayList<>();
    private final DogpileLock<String> lock = DogpileLock.<String>builder()
            .clock(time)
            .staleAfter(Duration.ofSeconds(10))
            .hardTimeout(MAX_CREATION.multipliedBy(2))
            .build();

    /** One caller of a batch, whose creators end when the test says so. */
    private final class Asker implements SimBatch.Creations<String, String> {
        final List<Set<String>> calls = new ArrayList<>();
        final SimBatch<String, String> batch;
        private CompletableFuture<Map<Object, CreationRun.Made<String>>> creating;

        Asker(DogpileLock<String> lock, Slots<String, String> slots, String... names) {
            batch = new SimBatch<>(lock, List.of(names), slots, Election.Want.VALUE_OR_NOTHING, this);
        }

        Asker(String... names) {
            this(lock, BatchRacesTest.this::slot, names);
        }

        /** Goes on until it waits, creates, or has ended. */
        Asker goes() {
            while (batch.isEnabled()) {
                batch.go();
            }
            return this;
        }

        void created() {
            Map<Object, CreationRun.Made<String>> made = new LinkedHashMap<>();
            calls.get(calls.size() - 1).forEach(name -> made.put(name, CreationRun.Made.of(name + "!")));
            creating.complete(made);
        }

        Map<String, String> values() {
            Map<String, String> values = new HashMap<>();
            batch.values().forEach((name, acquired) -> values.put(name, acquired.value()));
            return values;
        }

        @Override
        public CompletionStage<Map<Object, CreationRun.Made<String>>> begin(
                CreationRun<String> run, Map<String, Flight<String>> flights) {
            calls.add(flights.keySet());
            creating = new CompletableFuture<>();
            return creating;
        }

        @Override
        public void handedOver(CreationRun<String> run, Set<String> names) {}
    }

    private Cell<String> cell(String name) {
        return cells.computeIfAbsent(name, n -> new Cell<>(time, n));
    }

    private Slot<String> slot(String name) {
        return new LeasedSlot<>(cell(name), true, name, null, Duration.ZERO);
    }

    private DogpileLock<String> with(UnaryOperator<DogpileLock.Builder<String>> changes) {
        return lock.with(changes);
    }

    private void passes(Duration duration) {
        time.moveTo(time.nanos() + duration.toNanos());
    }

    private void stale(String... names) {
        for (String name : names) {
            cell(name).put(name + "?", Duration.ofSeconds(10), Duration.ofHours(1));
        }
        passes(Duration.ofSeconds(11));
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(0, lock.inFlight());
        assertEquals(0, time.alarms());
    }

    @Test
    void interruptedAsItsTurnComes_neverCreates() {
        Asker creator = new Asker("a").goes();
        Asker waiter = new Asker("a", "b").goes();
        waiter.created();
        waiter.goes();
        creator.creating.completeExceptionally(new InterruptedException());
        assertTrue(Thread.interrupted(), "the creator's thread is told");
        waiter.batch.interrupt();
        waiter.goes();

        assertEquals(List.of(Set.of("b")), waiter.calls);
        assertInstanceOf(InterruptedException.class, waiter.batch.thrown().getCause());
        creator.goes();
    }

    @Test
    void aStaleName_whoseCreationIsOverdue_isCreatedAnew() {
        stale("a");
        Asker hanging = new Asker("a").goes();
        assertEquals(Map.of("a", "a?"), new Asker("a").goes().values());
        passes(MAX_CREATION.plusNanos(1));
        Asker next = new Asker("a").goes();

        assertEquals(List.of(Set.of("a")), next.calls);
        next.created();
        assertEquals(Map.of("a", "a!"), next.goes().values());
        hanging.created();
        hanging.goes();
    }

    @Test
    void aRefreshThatIsOverdueInTheQueue_leavesNoneOfItsNamesInFlight() {
        stale("a", "b");
        Asker behind = new Asker(with(o -> o.refreshOn(handed::add)), this::slot, "a", "b").goes();
        assertEquals(Map.of("a", "a?", "b", "b?"), behind.values());
        passes(MAX_CREATION.plusNanos(1));
        Asker next = new Asker("a").goes();
        next.created();
        handed.forEach(Runnable::run);

        assertEquals(List.of(), behind.calls);
        assertEquals(Map.of("a", "a!"), next.goes().values());
        assertEquals(0, lock.inFlight(), "nobody asked for b since");
    }

    @Nested
    class WhileABatchCreatesOtherNames {
        private final SimStore<String> held = new SimStore<>(time);
        private final DogpileLock<String> elsewhere =
                DogpileLock.<String>builder().clock(time).build();

        private Slot<String> slot(String name) {
            return name.equals("held") ? held : BatchRacesTest.this.slot(name);
        }

        private Asker asks(DogpileLock<String> by, String... names) {
            return new Asker(by, this::slot, names).goes();
        }

        private Asker heldElsewhere() {
            held.leaseNanos = MAX_CREATION.toNanos();
            return asks(elsewhere, "held");
        }

        @Test
        void whoWaitsForANameThatItLed_leadsItself() {
            Asker holder = heldElsewhere();
            Asker batch = asks(lock, "held", "a", "b");
            assertEquals(List.of(Set.of("a", "b")), batch.calls);
            Asker follower = asks(lock, "held");
            holder.created();
            holder.goes();
            passes(Duration.ofMillis(200));

            assertEquals(Map.of("held", "held!"), follower.goes().values());
            batch.created();
            assertEquals(
                    Map.of("held", "held!", "a", "a!", "b", "b!"), batch.goes().values());
        }

        @Test
        void whoWaitedForANameBefore_leadsIfItsLeaderLeaves() {
            Asker holder = heldElsewhere();
            Asker leader = asks(lock, "held");
            Asker batch = asks(lock, "held", "a");
            Asker follower = asks(lock, "held");
            leader.batch.interrupt();
            leader.goes();
            follower.goes();
            holder.created();
            holder.goes();
            passes(Duration.ofMillis(200));

            assertEquals(Map.of("held", "held!"), follower.goes().values());
            batch.created();
            assertEquals(Map.of("held", "held!", "a", "a!"), batch.goes().values());
        }

        @Test
        void aNameThatItHandedToTheExecutor_isNotHandedTwice() {
            stale("a");
            DogpileLock<String> behind = with(o -> o.refreshOn(handed::add).softTimeout(Duration.ofSeconds(1)));
            Asker batch = new Asker(behind, this::slot, "a", "b").goes();
            batch.created();
            batch.goes();
            assertEquals(1, handed.size());
            handed.get(0).run();
            batch.created();

            assertEquals(Map.of("a", "a!", "b", "b!"), batch.goes().values());
        }

        @Test
        void aNameThatNobodyElseWaitsFor_isLedAgainAfterwards() {
            Asker holder = heldElsewhere();
            Asker batch = asks(lock, "held", "a");
            batch.created();
            batch.goes();
            holder.created();
            holder.goes();
            passes(Duration.ofMillis(200));

            assertEquals(Map.of("held", "held!", "a", "a!"), batch.goes().values());
        }
    }
}
