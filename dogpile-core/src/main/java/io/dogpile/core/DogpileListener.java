package io.dogpile.core;

import java.time.Duration;
import java.util.function.UnaryOperator;

/**
 * Told of what happens, one event per method; all do nothing unless overridden.
 *
 * <p>Called on the thread to which it happens, never under a lock of this library. Implementations are thread-safe and
 * quick. A listener that throws is logged and otherwise ignored. The name of an event is the name the caller used.
 */
public interface DogpileListener {
    /** Hears nothing. */
    DogpileListener NONE = new DogpileListener() {};

    /**
     * Several listeners as one. One that throws is logged, and does not keep the others from hearing.
     *
     * @param listeners the listeners, told in this order
     * @return a listener that never throws; {@link #NONE} for none
     */
    static DogpileListener all(DogpileListener... listeners) {
        return all(UnaryOperator.identity(), listeners);
    }

    /**
     * Several listeners as one, which know the names by another form.
     *
     * @param names turns the name of an event into the one that the listeners are told
     * @param listeners the listeners, told in this order
     * @return a listener that never throws; {@link #NONE} for none
     */
    static DogpileListener all(UnaryOperator<Object> names, DogpileListener... listeners) {
        return listeners.length == 0 ? NONE : new Listeners(names, listeners);
    }

    /** How a wait for another's creation ended. */
    enum WaitOutcome {
        /** With the value that was waited for. */
        VALUE,
        /** With a stale value. */
        STALE,
        /** With the failure of the creation. */
        FAILURE,
        /** At the hard timeout, with nothing. */
        TIMEOUT,
        /** By an interrupt, or by the cancelling of the future. */
        INTERRUPTED
    }

    /**
     * A caller was given a fresh value for which it did not wait. This is by far the most frequent event; on a hit in
     * memory it is all that a listener costs.
     *
     * @param name the name
     */
    default void hit(Object name) {}

    /**
     * A caller found no fresh value, and was not given a stale one: it created, or waited, or failed.
     *
     * @param name the name
     */
    default void missed(Object name) {}

    /**
     * A value was created, and offered to the store.
     *
     * @param name the name
     * @param cost how long the creator took
     */
    default void created(Object name, Duration cost) {}

    /**
     * A creator threw.
     *
     * @param name the name
     * @param failure what it threw
     */
    default void failed(Object name, Throwable failure) {}

    /**
     * A caller was given a stale value.
     *
     * @param name the name
     */
    default void staleServed(Object name) {}

    /**
     * A caller waited for another's creation.
     *
     * @param name the name
     * @param time for how long
     * @param outcome how the wait ended
     */
    default void waited(Object name, Duration time, WaitOutcome outcome) {}

    /**
     * A creation ended and found that another value had been stored since it began: two were made.
     *
     * @param name the name
     */
    default void duplicateCreation(Object name) {}

    /**
     * The right to create was lost while the creator ran: its lease ended, or {@code maxCreation} did.
     *
     * @param name the name
     */
    default void leaseLost(Object name) {}

    /**
     * A created value was not stored, or it is not known whether it was. Its callers have it all the same.
     *
     * @param name the name
     * @param outcome what became of the write
     */
    default void writeRefused(Object name, Slot.Published.Outcome outcome) {}

    /**
     * A fresh value was drawn for early refresh, and this caller was elected for it.
     *
     * @param name the name
     */
    default void earlyRefresh(Object name) {}

    /**
     * A caller met a name that backs off after failures in a row.
     *
     * @param name the name
     * @param retryAfter how long it still does
     */
    default void backedOff(Object name, Duration retryAfter) {}

    /**
     * The store, or the lock, could not be reached or failed.
     *
     * @param name the name that was asked for
     * @param failure how it failed
     */
    default void storeDown(Object name, Throwable failure) {}

    /**
     * The executor given to {@code refreshOn} refused a creation; the right to it was given back.
     *
     * @param name the name
     * @param failure what the executor threw
     */
    default void refreshRejected(Object name, Throwable failure) {}

    /**
     * What the store held was no value that could be read; it was taken for absent.
     *
     * @param name the name
     * @param why what was wrong with it
     */
    default void corruptEntry(Object name, String why) {}
}
