package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The timing tests of dogpile.core in virtual time: workers that again and again acquire, use for a while and sleep, while
 * the resource, whose value is the time of its creation, turns stale. How many creations there are, how many acquisitions
 * are slow, how old a used value is and how long all takes stays within what the formulas of the original say, for every
 * seed. A seed draws when the workers start, by how much they oversleep, and who of several goes first.
 *
 * <p>Rows hold for each case; the other rows are the cases.
 */
@Tag("A-046")
@Tag("A-048")
@Tag("A-049")
@Tag("A-050")
@Tag("A-051")
class TimingTest {
    private static final long MS = 1_000_000L;
    private static final long SLOW = 10 * MS;
    private static final double SLACK = 1.1;
    private static final int SEEDS = 20;
    private static final String NAME = "some key";

    /** Where the value is kept, and how it is reached. */
    private enum Mode {
        /** As {@link Dogpile#ensure}: the caller keeps the resource. */
        ENSURE,
        /** As {@link SyncReaderDogpile#acquire}: the whole use is a reading. */
        READING,
        /** As {@link Dogpile#acquire} with a value getter. */
        GETTER,
        /** As {@link Dogpile#acquireStamped}, with a dogpile that is taken from a registry for each use. */
        STAMPED,
        /** As {@link SyncReaderDogpile#acquireStamped}, from a registry. */
        STAMPED_READING,
        /** As {@link DogpileLock#acquireStamped}, with a view of its own for each use. */
        LOCK,
        /** The same, with a getter that looks under the read lock. */
        LOCK_AND_LOCKED_GETTER
    }

    /** When the backend forgets the value. */
    private enum Forgets {
        NEVER,
        /** Long after a new one should have been created. */
        LATE,
        /** Before the value is stale. */
        EARLY
    }

    /** One line of the original's table; times in seconds. */
    private record Case(
            String ids,
            Mode mode,
            double stale,
            double creation,
            int uses,
            double use,
            double delay,
            Forgets forgets,
            double write) {
        static final int WORKERS = 10;

        double ttl() {
            return switch (forgets) {
                case NEVER -> Double.POSITIVE_INFINITY;
                case LATE -> SLACK * (stale + creation);
                case EARLY -> 0.8 * stale;
            };
        }

        double effectiveStale() {
            return Math.min(ttl(), stale);
        }

        double effectiveCreation() {
            return creation + write;
        }

        double oldest() {
            return SLACK * (effectiveStale() + effectiveCreation() + use + delay);
        }

        private double base() {
            return SLACK * uses * (use + delay);
        }

        int creations() {
            return (int) Math.ceil(base() / effectiveStale());
        }

        int slowOnes() {
            return forgets == Forgets.EARLY || write > 0 ? creations() * WORKERS : creations() + WORKERS - 1;
        }

        double wholeRun() {
            return SLACK * (base() + effectiveCreation() + slowOnes() * effectiveCreation() / WORKERS);
        }

        @Override
        public String toString() {
            return ids + " " + mode;
        }
    }

    static Stream<Case> quick() {
        return Stream.of(
                new Case("A-052", Mode.ENSURE, 2, 0.5, 50, 0.05, 0.1, Forgets.NEVER, 0),
                new Case("A-060", Mode.STAMPED, 2, 0.5, 50, 0.05, 0.1, Forgets.LATE, 0),
                new Case("A-063", Mode.LOCK, 2, 0.5, 50, 0.05, 0.1, Forgets.NEVER, 0),
                new Case("A-068", Mode.LOCK, 2, 0.5, 50, 0.05, 0.1, Forgets.LATE, 0));
    }

    static Stream<Case> slow() {
        return Stream.of(
                new Case("A-053", Mode.ENSURE, 5, 2, 50, 0.1, 0.1, Forgets.NEVER, 0),
                new Case("A-060", Mode.STAMPED, 5, 2, 50, 0.1, 0.1, Forgets.LATE, 0),
                new Case("A-064", Mode.LOCK, 5, 2, 50, 0.1, 0.1, Forgets.NEVER, 0),
                new Case("A-069", Mode.LOCK, 5, 2, 50, 0.1, 0.1, Forgets.LATE, 0));
    }

    static Stream<Case> slowWrite() {
        return Stream.of(
                new Case("A-054", Mode.READING, 2, 0.5, 50, 0.05, 0.1, Forgets.NEVER, 2),
                new Case("A-057", Mode.STAMPED_READING, 2, 0.5, 50, 0.05, 0.1, Forgets.NEVER, 2),
                new Case("A-071", Mode.LOCK_AND_LOCKED_GETTER, 2, 0.5, 50, 0.05, 0.1, Forgets.NEVER, 2));
    }

    static Stream<Case> returnWhileInProgress() {
        return Stream.of(
                new Case("A-055", Mode.GETTER, 5, 2, 50, 1, 0.1, Forgets.NEVER, 0),
                new Case("A-065", Mode.LOCK, 5, 2, 50, 1, 0.1, Forgets.NEVER, 0));
    }

    static Stream<Case> longCreation() {
        return Stream.of(new Case("A-058", Mode.STAMPED, 2, 2.5, 50, 0.05, 0.1, Forgets.NEVER, 0));
    }

    static Stream<Case> unsafeBackend() {
        return Stream.of(new Case("A-067", Mode.LOCK, 1, 0.6, 100, 0.05, 0.1, Forgets.EARLY, 0));
    }

    @Tag("A-052")
    @Tag("A-060")
    @Tag("A-063")
    @Tag("A-068")
    @ParameterizedTest
    @MethodSource
    void quick(Case of) {
        assertBounds(of, 2.915, 5, 14, 10.40);
        playAll(of);
    }

    @Tag("A-053")
    @Tag("A-060")
    @Tag("A-064")
    @Tag("A-069")
    @ParameterizedTest
    @MethodSource
    void slow(Case of) {
        assertBounds(of, 7.92, 3, 12, 16.94);
        playAll(of);
    }

    @Tag("A-054")
    @Tag("A-057")
    @Tag("A-071")
    @ParameterizedTest
    @MethodSource
    void slowWrite(Case of) {
        assertBounds(of, 5.115, 5, 50, 25.58);
        playAll(of);
    }

    @Tag("A-055")
    @Tag("A-065")
    @ParameterizedTest
    @MethodSource
    void returnWhileInProgress(Case of) {
        assertBounds(of, 8.91, 13, 22, 73.59);
        playAll(of);
    }

    @Tag("A-058")
    @ParameterizedTest
    @MethodSource
    void longCreation(Case of) {
        assertBounds(of, 5.115, 5, 14, 15.68);
        playAll(of);
    }

    @Tag("A-067")
    @ParameterizedTest
    @MethodSource
    void unsafeBackend(Case of) {
        assertBounds(of, 1.705, 21, 210, 32.67);
        playAll(of);
    }

    /** The formulas give the figures of the original's table. */
    private static void assertBounds(Case of, double oldest, int creations, int slowOnes, double wholeRun) {
        assertEquals(oldest, of.oldest(), 0.001);
        assertEquals(creations, of.creations());
        assertEquals(slowOnes, of.slowOnes());
        assertEquals(wholeRun, of.wholeRun(), 0.005);
    }

    private static void playAll(Case of) {
        for (int seed = 1; seed <= SEEDS; seed++) {
            Run run = new Run(of, seed);
            try {
                run.play();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(of + ", seed " + seed + ", at " + run.seconds() + " s: " + e.getMessage(), e);
            }
        }
    }

    @Test
    void aResourceThatNobodyMayRead_isSeenAsSuch() {
        Run run = new Run(slowWrite().findFirst().orElseThrow(), 1);
        run.readingIsLocked = false;
        AssertionError seen = null;
        try {
            run.play();
        } catch (AssertionError e) {
            seen = e;
        }
        assertTrue(seen != null && String.valueOf(seen.getMessage()).contains("emptied"), () -> "nobody saw it");
    }

    /** What a registry gives to all who use a name. */
    private static final class Shared {
        final Cell<Long> stamp;
        final ReadersWriterLock lock = new ReadersWriterLock();

        Shared(TimeSource time) {
            stamp = new Cell<>(time, NAME);
        }
    }

    private static final class Run {
        private final Case of;
        private final Random random;
        private final SimTime time = new SimTime();
        private final DogpileLock<Long> lock;
        private final NameRegistry<Shared> registry;
        private final List<Worker> workers = new ArrayList<>();
        private final List<Creation> writers = new ArrayList<>();
        boolean readingIsLocked = true;

        /** When the resource was created; null while it is emptied. */
        private @Nullable Long resource;

        private int creations;
        private int slowOnes;
        private int forgotten;
        private int readersIn;
        private boolean writing;
        private final long origin;

        Run(Case of, int seed) {
            this.of = of;
            this.random = new Random(seed);
            time.reset(nanos(100));
            origin = time.nanos();
            lock = DogpileLock.<Long>builder()
                    .staleAfter(Duration.ofNanos(nanos(of.stale)))
                    .clock(time)
                    .seed(seed)
                    .build();
            registry = NameRegistry.of(name -> new Shared(time));
            Shared held = registry.get(NAME);
            for (int i = 0; i < Case.WORKERS; i++) {
                workers.add(new Worker(held));
            }
        }

        double seconds() {
            return (time.nanos() - origin) / 1e9;
        }

        void play() {
            while (!workers.stream().allMatch(worker -> worker.state == State.ENDED)) {
                List<Runnable> enabled = enabled();
                if (enabled.isEmpty()) {
                    moveOn();
                } else {
                    enabled.get(random.nextInt(enabled.size())).run();
                }
            }
            double took = seconds();
            assertTrue(creations <= of.creations(), () -> creations + " creations");
            assertTrue(creations * of.stale >= took / 2 - of.effectiveCreation(), () -> "only " + creations);
            assertTrue(slowOnes <= of.slowOnes(), () -> slowOnes + " slow acquisitions");
            assertTrue(took <= of.wholeRun(), () -> "took " + took + " s");
            if (of.forgets == Forgets.LATE) {
                assertEquals(0, forgotten, "the backend forgot the value");
            } else if (of.forgets == Forgets.EARLY) {
                assertTrue(forgotten > 0);
            }
            assertEquals(0, lock.inFlight());
            assertEquals(0, readersIn);
        }

        private List<Runnable> enabled() {
            List<Runnable> enabled = new ArrayList<>();
            workers.stream().filter(Worker::isEnabled).forEach(worker -> enabled.add(worker::go));
            for (int i = 0; i < time.alarms(); i++) {
                if (time.isDue(i)) {
                    int alarm = i;
                    enabled.add(() -> time.ring(alarm));
                }
            }
            writers.stream().filter(Creation::mayWrite).findFirst().ifPresent(writer -> enabled.add(writer::write));
            return enabled;
        }

        private void moveOn() {
            long next = time.nextAlarm();
            for (Worker worker : workers) {
                next = Math.min(next, worker.until());
            }
            assertNotEquals(Slot.NEVER, next, "nobody has a timer");
            time.moveTo(Math.max(next, time.nanos()));
        }

        private long nanos(double seconds) {
            return Math.round(seconds * 1e9);
        }

        /** Sleeps end late, by up to half a millisecond. */
        private long after(double seconds) {
            return time.nanos() + nanos(seconds) + random.nextInt(500) * 1_000L;
        }

        private Optional<Long> get() {
            if (resource == null) {
                return Optional.empty();
            }
            if (time.nanos() - resource > of.ttl() * 1e9) {
                forgotten++;
                return Optional.empty();
            }
            return Optional.of(resource);
        }

        private enum State {
            SLEEPING,
            ACQUIRING,
            OPENING,
            USING,
            ENDED
        }

        private final class Worker implements SimCall.Creations<Long> {
            private final Shared shared;
            private State state = State.SLEEPING;
            private long until = time.nanos() + (long) (random.nextDouble() * of.delay * 1e9);
            private int uses;
            private long asked;
            private @Nullable SimCall<Long> call;
            private LongFunction<Long> stamping = created -> created;
            private int ticket = ReadersWriter.REFUSED;

            Worker(Shared shared) {
                this.shared = shared;
            }

            boolean isEnabled() {
                return switch (state) {
                    case SLEEPING, USING -> time.nanos() >= until;
                    case ACQUIRING -> call().isEnabled() && !(looksUnderTheLock() && isClosed());
                    case OPENING -> !isClosed();
                    case ENDED -> false;
                };
            }

            long until() {
                return switch (state) {
                    case SLEEPING, USING -> until;
                    case ACQUIRING -> call().isParked() ? call().until() : Slot.NEVER;
                    case OPENING, ENDED -> Slot.NEVER;
                };
            }

            /** A writer is in, or waits: then no new reader gets in. */
            private boolean isClosed() {
                return readingIsLocked && (writing || !writers.isEmpty());
            }

            private boolean looksUnderTheLock() {
                return of.mode == Mode.LOCK_AND_LOCKED_GETTER && call().next() == Election.Action.READ;
            }

            void go() {
                switch (state) {
                    case SLEEPING -> ask();
                    case ACQUIRING -> {
                        if (looksUnderTheLock()) {
                            enter();
                            call().step();
                            exit();
                        } else {
                            call().step();
                        }
                        if (call().isEnded()) {
                            acquired();
                        }
                    }
                    case OPENING -> {
                        enter();
                        use();
                    }
                    case USING -> {
                        if (ticket != ReadersWriter.REFUSED) {
                            exit();
                        }
                        state = uses == of.uses ? State.ENDED : State.SLEEPING;
                        until = after(of.delay);
                    }
                    case ENDED -> throw new IllegalStateException();
                }
            }

            private void ask() {
                asked = time.nanos();
                uses++;
                state = State.ACQUIRING;
                Shared here = registry.get(NAME);
                assertEquals(shared, here);
                Cell<Long> cell = here.stamp;
                call = switch (of.mode) {
                    case ENSURE, READING -> call(lock, cell, lock.slot(cell, NAME));
                    case GETTER -> call(lock, cell, lock.slot(new KeptElsewhereStore<>(cell, Run.this::get), NAME));
                    case STAMPED, STAMPED_READING -> call(lock, cell, lock.slot(stamped(), NAME));
                    case LOCK, LOCK_AND_LOCKED_GETTER -> {
                        DogpileLock<Long> view = lock.with(same -> same);
                        yield call(view, NAME, view.slot(stamped(), NAME));
                    }
                };
            }

            private SimCall<Long> call(DogpileLock<Long> by, Object name, Slot<Long> slot) {
                return new SimCall<>(by, name, slot, Election.Want.VALUE, this);
            }

            private StampedStore<Long> stamped() {
                StampedStore<Long> store = new StampedStore<>(
                        NAME,
                        () -> get().map(created ->
                                new Stamped<>(created, time.instant().minusNanos(time.nanos() - created))),
                        lock.options(),
                        stored -> {});
                stamping = created -> {
                    try {
                        return store.stamping(() -> new Stamped<>(created, time.instant()))
                                .create();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                };
                return store;
            }

            private SimCall<Long> call() {
                if (call == null) {
                    throw new IllegalStateException();
                }
                return call;
            }

            private void acquired() {
                if (call().value() == null) {
                    throw new AssertionError("a worker failed", call().thrown());
                }
                if (of.mode == Mode.READING || of.mode == Mode.STAMPED_READING) {
                    state = State.OPENING;
                } else {
                    use();
                }
            }

            private void use() {
                if (time.nanos() - asked > SLOW) {
                    slowOnes++;
                }
                boolean byValue = of.mode == Mode.GETTER
                        || of.mode == Mode.STAMPED
                        || of.mode == Mode.LOCK
                        || of.mode == Mode.LOCK_AND_LOCKED_GETTER;
                Acquired<Long> acquired = call().value();
                Long used = byValue && acquired != null ? acquired.value() : resource;
                if (used == null) {
                    throw new AssertionError("used the emptied resource");
                }
                double age = (time.nanos() - used) / 1e9;
                assertTrue(age <= of.oldest(), () -> "used a value of " + age + " s");
                state = State.USING;
                until = after(of.use);
            }

            private void enter() {
                if (readingIsLocked) {
                    ticket = shared.lock.tryEnterRead();
                    assertNotEquals(ReadersWriter.REFUSED, ticket, "no writer is in, and no reader gets in");
                    readersIn++;
                }
            }

            private void exit() {
                shared.lock.exitRead(ticket);
                ticket = ReadersWriter.REFUSED;
                readersIn--;
            }

            @Override
            public CompletionStage<Long> begin(CreationRun<Long> run, Flight<Long> flight) {
                creations++;
                Creation creation = new Creation(this);
                time.after(nanos(of.creation), of.write > 0 ? creation::wantsToWrite : creation::ends);
                return creation.future;
            }
        }

        /** A creator at work. One that writes announces itself, as the lock's waiting form does, and keeps new readers out. */
        private final class Creation {
            private final Worker by;
            private final CompletableFuture<Long> future = new CompletableFuture<>();

            Creation(Worker by) {
                this.by = by;
            }

            void wantsToWrite() {
                writers.add(this);
                if (readingIsLocked && readersIn > 0) {
                    assertFalse(by.shared.lock.tryEnterWrite(), "a writer got in beside a reader");
                }
            }

            boolean mayWrite() {
                return !writing && readersIn == 0;
            }

            void write() {
                assertTrue(by.shared.lock.tryEnterWrite());
                assertEquals(ReadersWriter.REFUSED, by.shared.lock.tryEnterRead(), "a reader got in beside a writer");
                writing = true;
                resource = null;
                time.after(nanos(of.write), () -> {
                    writing = false;
                    writers.remove(this);
                    by.shared.lock.exitWrite();
                    ends();
                });
            }

            void ends() {
                long created = time.nanos();
                resource = created;
                future.complete(by.stamping.apply(created));
            }
        }
    }
}
