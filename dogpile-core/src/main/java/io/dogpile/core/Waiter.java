package io.dogpile.core;

import org.jspecify.annotations.Nullable;

/**
 * One caller in a {@link Flight}: a parked thread, a future, or a step of a simulation.
 *
 * <p>A signal says "look at the flight"; it may come for no reason and more than once, but never too late: whatever it
 * is about was written before.
 */
abstract class Waiter<V> {
    /** The neighbours in the flight's queue. Guarded by the flight's lock. */
    @Nullable
    Waiter<V> before;

    @Nullable
    Waiter<V> after;

    boolean queued;

    /** Creates other names, and has no time to lead. Guarded by the flight's lock. */
    boolean busy;

    /** An offer that did not do for this caller. Only touched by the caller itself. */
    Slot.@Nullable Seen<V> declined;

    /** Whether a value that is stale to who found it may end this wait. */
    abstract boolean takesOffers();

    /** Wakes the caller; never blocks and never throws. */
    abstract void signal();
}
