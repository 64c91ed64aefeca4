package io.dogpile.core;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The driver whose caller asks for many names and is a state machine: each {@link #go} is one event of a simulation, and
 * in between anything may happen to the others. It parks as {@link BatchCall} does, and creates by a stage.
 *
 * <pre>
 *   READY ──nothing but to wait──► PARKED ──signal, interrupt, its time──► READY ──► ENDED
 *     └──creates──► CREATING ──landed──► READY
 * </pre>
 */
final class SimBatch<N, V> extends Batch<N, V> {
    /** Where the creators of a simulation begin. */
    interface Creations<N, V> {
        CompletionStage<Map<Object, CreationRun.Made<V>>> begin(CreationRun<V> run, Map<N, Flight<V>> flights)
                throws Exception;

        void handedOver(CreationRun<V> run, Set<N> names);
    }

    private enum Turn {
        READY,
        PARKED,
        CREATING,
        ENDED
    }

    private final Creations<N, V> creations;
    private Turn turn = Turn.READY;
    private boolean inStep;
    private boolean signalled;
    private boolean interrupted;
    private long until;
    private @Nullable Map<Object, Landing<V>> own;
    private @Nullable Map<N, Acquired<V>> acquired;
    private @Nullable Throwable failure;

    SimBatch(
            DogpileLock<V> lock,
            Collection<N> names,
            Slots<N, V> slots,
            Election.Want want,
            Creations<N, V> creations) {
        super(lock, names, slots, want);
        this.creations = creations;
    }

    boolean isEnabled() {
        if (inStep) {
            return false;
        }
        return switch (turn) {
            case READY -> true;
            case PARKED -> isWoken() || time().nanos() >= until;
            case CREATING -> own != null;
            case ENDED -> false;
        };
    }

    boolean isParked() {
        return turn == Turn.PARKED && !inStep;
    }

    /** Parked, and has been told of nothing yet. */
    boolean isAsleep() {
        return isParked() && !isWoken();
    }

    private boolean isWoken() {
        return signalled || interrupted;
    }

    boolean isCreating() {
        return turn == Turn.CREATING;
    }

    boolean isEnded() {
        return turn == Turn.ENDED;
    }

    /** When the timer of this parked caller rings. */
    long until() {
        return until;
    }

    @Nullable
    Map<N, Acquired<V>> values() {
        return acquired;
    }

    @Nullable
    Throwable thrown() {
        return failure;
    }

    void interrupt() {
        interrupted = true;
    }

    void go() {
        inStep = true;
        try {
            if (turn == Turn.CREATING) {
                turn = Turn.READY;
                created(Objects.requireNonNull(own));
            } else if (isOver()) {
                end();
            } else {
                signalled = false;
                own = null;
                turn = Turn.READY;
                if (!step()) {
                    until = lookAt();
                    turn = Turn.PARKED;
                }
            }
        } finally {
            inStep = false;
        }
    }

    private void end() {
        leave();
        turn = Turn.ENDED;
        try {
            acquired = results();
        } catch (Throwable thrown) {
            failure = thrown;
        }
    }

    @Override
    boolean isInterrupted() {
        return interrupted;
    }

    @Override
    void signal() {
        signalled = true;
    }

    @Override
    @Nullable
    Map<Object, Landing<V>> create(CreationRun<V> run, Set<N> names) {
        Map<N, Flight<V>> flights = flightsOf(names);
        turn = Turn.CREATING;
        run.startAll(() -> creations.begin(run, flights), made -> made, landings -> own = landings);
        return null;
    }

    @Override
    Runnable createLater(CreationRun<V> run, Set<N> names) {
        Map<N, Flight<V>> flights = flightsOf(names);
        creations.handedOver(run, names);
        return () -> run.startAll(() -> creations.begin(run, flights), made -> made, landings -> {});
    }

    private Map<N, Flight<V>> flightsOf(Set<N> names) {
        Map<N, Flight<V>> flights = new LinkedHashMap<>();
        for (Part part : parts()) {
            if (names.contains(part.key)) {
                flights.put(part.key, part.flight());
            }
        }
        return flights;
    }
}
