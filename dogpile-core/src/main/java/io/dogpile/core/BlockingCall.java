package io.dogpile.core;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The driver whose caller waits on its own thread, parked; never on a monitor, so that virtual threads wait cheaply. */
final class BlockingCall<V> extends Call<V> {
    private final Creator<? extends V> creator;
    private final Thread caller = Thread.currentThread();
    private final @Nullable CreationRun<?> outer = Creation.currentRun();
    private boolean nested;

    BlockingCall(DogpileLock<V> lock, Object name, Slot<V> slot, Election.Want want, Creator<? extends V> creator) {
        super(lock, name, slot, want);
        this.creator = creator;
    }

    Acquired<V> run() {
        Election.Action end;
        try {
            end = drive();
        } finally {
            leave();
            if (nested) {
                Cycles.waitsNoMore(outer);
            }
        }
        if (end == Election.Action.THROW) {
            throw BlockingCall.<RuntimeException>sneaky(failure());
        }
        return acquired();
    }

    private Election.Action drive() {
        Election.Action action = election.begin(now());
        while (action != Election.Action.RETURN && action != Election.Action.THROW) {
            if (action == Election.Action.ENTER) {
                Creation.refuseRecursion(flights(), name(), options().told());
            }
            action = action == Election.Action.AWAIT ? await() : Objects.requireNonNull(step(action));
            if (outer != null && isInFlight()) {
                nested = true;
                Cycles.waits(outer, flight());
            }
        }
        return action;
    }

    @Override
    Election.Action create(CreationRun<V> run) {
        return election.created(run.run(creator), now());
    }

    @Override
    Runnable createLater(CreationRun<V> run) {
        return () -> run.run(creator);
    }

    private Election.Action await() {
        beginsToWait();
        while (true) {
            Election.Action next = look();
            if (next == Election.Action.RETURN || next == Election.Action.THROW) {
                return next;
            }
            if (caller.isInterrupted()) {
                // Also when its turn has come, or it is to look again: an interrupted waiter never creates.
                return election.interrupted(new InterruptedException(), now());
            }
            if (next != null) {
                return next;
            }
            options().time().park(flight(), lookAt() - now());
        }
    }

    /** Not to itself, as when a leader lands its own flight: it looks before it parks. */
    @Override
    void signal() {
        if (Thread.currentThread() != caller) {
            options().time().unpark(caller);
        }
    }

    /** Throws what the creator threw, checked or not: a checked one has been wrapped where the creation ended. */
    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException sneaky(Throwable failure) throws E {
        throw (E) failure;
    }
}
