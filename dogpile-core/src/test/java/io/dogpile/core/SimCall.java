package io.dogpile.core;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The driver whose caller is a state machine: each {@link #step} is one event of a simulation, and in between anything
 * may happen to the others. It parks as {@link BlockingCall} does, and creates as {@link AsyncCall} does.
 *
 * <pre>
 *   READY ──nothing but to wait──► PARKED ──signal, interrupt, its time──► READY ──► ENDED
 *                                    └──cancelled──────────────────────────────────► ENDED
 * </pre>
 */
final class SimCall<V> extends Call<V> {
    private static final InterruptedException INTERRUPT = new InterruptedException("by the simulation");

    /** Where the creators of a simulation begin. */
    interface Creations<V> {
        CompletionStage<? extends V> begin(CreationRun<V> run, Flight<V> flight) throws Exception;
    }

    private enum Turn {
        READY,
        PARKED,
        ENDED
    }

    private final Creations<V> creations;
    private Turn turn = Turn.READY;
    private Election.@Nullable Action next;
    private boolean inStep;
    private boolean signalled;
    private boolean interrupted;
    private long until;
    private @Nullable Landing<V> own;
    private @Nullable CreationRun<V> handedOver;
    private @Nullable Acquired<V> acquired;
    private @Nullable Throwable failure;

    SimCall(DogpileLock<V> lock, Object name, Slot<V> slot, Election.Want want, Creations<V> creations) {
        super(lock, name, slot, want);
        this.creations = creations;
    }

    /** Whether there is something for this caller to do. */
    boolean isEnabled() {
        if (inStep) {
            return false;
        }
        return turn == Turn.READY || (turn == Turn.PARKED && (isWoken() || now() >= until));
    }

    /** Parked, and has been told of nothing yet. */
    boolean isAsleep() {
        return turn == Turn.PARKED && !inStep && !isWoken();
    }

    private boolean isWoken() {
        return signalled || (interrupted && !isCreating());
    }

    boolean isParked() {
        return turn == Turn.PARKED && !inStep;
    }

    boolean isEnded() {
        return turn == Turn.ENDED;
    }

    boolean isCreating() {
        return election.state() == Election.State.CREATING;
    }

    /** When the timer of this parked caller rings. */
    long until() {
        return until;
    }

    Election.@Nullable Action next() {
        return next;
    }

    @Nullable
    Acquired<V> value() {
        return acquired;
    }

    @Nullable
    Throwable thrown() {
        return failure;
    }

    /** The creation that an executor was given. */
    @Nullable
    CreationRun<V> handedOver() {
        return handedOver;
    }

    void interrupt() {
        interrupted = true;
    }

    /** The caller's future was cancelled, or the executor of its view refused the next step. */
    void cancel() {
        turn = Turn.ENDED;
        leave();
        tellWait(DogpileListener.WaitOutcome.INTERRUPTED);
    }

    void step() {
        inStep = true;
        turn = Turn.READY;
        try {
            if (next == null) {
                next = election.begin(now());
                return;
            }
            switch (next) {
                case RETURN -> {
                    leave();
                    turn = Turn.ENDED;
                    acquired = acquired();
                }
                case THROW -> {
                    leave();
                    turn = Turn.ENDED;
                    failure = failure();
                }
                case AWAIT -> {
                    signalled = false;
                    Election.Action found = awaited();
                    if (found == null) {
                        turn = Turn.PARKED;
                    } else {
                        next = found;
                    }
                }
                default -> {
                    Election.Action after = step(next);
                    next = after == null ? Election.Action.AWAIT : after;
                }
            }
        } finally {
            inStep = false;
        }
    }

    private Election.@Nullable Action awaited() {
        if (isCreating()) {
            until = Slot.NEVER;
            return own == null ? null : election.created(own, now());
        }
        beginsToWait();
        Election.Action found = look();
        if (interrupted && found != Election.Action.RETURN && found != Election.Action.THROW) {
            interrupted = false;
            return election.interrupted(INTERRUPT, now());
        }
        if (found == null) {
            until = lookAt();
        }
        return found;
    }

    @Override
    Election.@Nullable Action create(CreationRun<V> run) {
        Flight<V> flight = flight();
        run.start(() -> creations.begin(run, flight), landing -> {
            own = landing;
            signal();
        });
        return null;
    }

    @Override
    Runnable createLater(CreationRun<V> run) {
        handedOver = run;
        Flight<V> flight = flight();
        return () -> run.start(() -> creations.begin(run, flight), landing -> {});
    }

    @Override
    void signal() {
        signalled = true;
    }
}
