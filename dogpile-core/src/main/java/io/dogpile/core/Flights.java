package io.dogpile.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;

/**
 * What is in flight in this JVM, by name: the local half of every election is {@code putIfAbsent} here. Holds nothing
 * of a name that nobody creates or waits for, but its failures ({@link Backoff}).
 *
 * <p>It also counts publications, in stripes. A caller notes its name's stripe before its first read: if it then opens a
 * flight over a stale value and the count has not moved, nobody in this JVM published between its read and its election,
 * and it need not look again.
 */
final class Flights<V> {
    private static final int STRIPES = 64;
    private static final long NEVER_OVERDUE = Long.MIN_VALUE;

    /** How a caller entered. */
    enum Entered {
        /** It opened the flight, and leads. */
        LEADS,
        /** It joined those who wait. */
        FOLLOWS,
        /** There is a flight, which it did not want to join. */
        BUSY
    }

    private final ConcurrentHashMap<Object, Flight<V>> inFlight = new ConcurrentHashMap<>();

    /** Those that are their name's no more, but not ended: creations go on in them, and callers wait. */
    private final Set<Flight<V>> detached = ConcurrentHashMap.newKeySet();

    private final AtomicLongArray publications = new AtomicLongArray(STRIPES);
    private final Backoff backoff;
    private final ReentrantLock batchEntry = new ReentrantLock();

    Flights(Backoff.Delays delays) {
        this.backoff = new Backoff(delays);
    }

    Backoff backoff() {
        return backoff;
    }

    /** The number of names that somebody creates or waits for. */
    int size() {
        return inFlight.size();
    }

    boolean isInFlight(Object name) {
        return inFlight.containsKey(name);
    }

    /** The count of publications in the name's stripe. */
    long publications(Object name) {
        return publications.get(stripe(name));
    }

    /** Enters the flight of the caller's name, opening it if there is none; a landed or overdue one is replaced. */
    Entered enter(Call<V> caller, boolean willJoin, long now) {
        Object name = caller.name();
        while (true) {
            Flight<V> flight = inFlight.get(name);
            if (flight == null) {
                Flight<V> opened = new Flight<>(name);
                opened.join(caller);
                if (inFlight.putIfAbsent(name, opened) == null) {
                    detached.removeIf(gone -> now > gone.overdueAt()); // an executor may have dropped its creation
                    caller.board(opened);
                    return Entered.LEADS;
                }
                opened.leave(caller);
            } else if (now > flight.overdueAt()) {
                expire(flight);
            } else if (flight.landing() != null) {
                inFlight.remove(name, flight);
            } else if (!willJoin) {
                return Entered.BUSY;
            } else if (flight.join(caller)) {
                caller.board(flight);
                return flight.isLedBy(caller) ? Entered.LEADS : Entered.FOLLOWS;
            }
        }
    }

    /**
     * Enters the flights of a batch in one step as seen by other batches, so that equal ones at once are one creation.
     * What is overdue is ended before: within the step nobody's listener is called.
     */
    void enterAll(Collection<? extends Call<V>> callers, long now, BiConsumer<Call<V>, Entered> entered) {
        for (Call<V> caller : callers) {
            Flight<V> flight = inFlight.get(caller.name());
            if (flight != null && now > flight.overdueAt()) {
                expire(flight);
            }
        }
        List<Entered> how = new ArrayList<>(callers.size());
        batchEntry.lock();
        try {
            callers.forEach(caller -> how.add(enter(caller, caller.election.joins(), NEVER_OVERDUE)));
        } finally {
            batchEntry.unlock();
        }
        Iterator<Entered> next = how.iterator();
        callers.forEach(caller -> entered.accept(caller, next.next()));
    }

    /** Ends a flight: whoever comes now opens a new one, whoever waits is woken. */
    boolean land(Flight<V> flight, Landing<V> landing) {
        inFlight.remove(flight.name(), flight);
        boolean landed = flight.land(landing);
        forgetDetached(flight);
        return landed;
    }

    void leave(Flight<V> flight, Waiter<V> waiter) {
        if (flight.leave(waiter)) {
            inFlight.remove(flight.name(), flight);
            forgetDetached(flight);
        }
    }

    private void forgetDetached(Flight<V> flight) {
        if (flight.isDetached()) {
            detached.remove(flight);
        }
    }

    /** The creation took longer than it may: all its names are free again, and those who wait elect anew. */
    void expire(Flight<V> flight) {
        if (land(flight, Landing.again())) {
            CreationRun<V> run = flight.run();
            if (run != null) {
                run.overdue();
                run.flights().forEach(each -> land(each, Landing.again()));
            }
        }
    }

    /** Told after the slot's value was changed in another way than by a flight: callers from now on elect anew. */
    void detach(Object name) {
        published(name);
        Flight<V> flight = inFlight.get(name);
        if (flight != null) {
            detach(flight);
        }
    }

    private void detach(Flight<V> flight) {
        flight.detach();
        detached.add(flight);
        inFlight.remove(flight.name(), flight);
        if (flight.landing() != null) {
            detached.remove(flight); // it ended meanwhile, and nobody else will
        }
    }

    /** Told after many or all values were changed in another way. */
    void detachAll() {
        for (int stripe = 0; stripe < STRIPES; stripe++) {
            publications.incrementAndGet(stripe);
        }
        inFlight.values().forEach(this::detach);
    }

    /** Ends all flights with this failure, detached ones too; the rights of creations that run are given back. */
    void endAll(RuntimeException failure) {
        inFlight.values().forEach(flight -> end(flight, failure));
        detached.forEach(flight -> end(flight, failure));
    }

    private void end(Flight<V> flight, RuntimeException failure) {
        if (land(flight, Landing.failure(failure))) {
            CreationRun<V> run = flight.run();
            if (run != null) {
                run.overdue();
            }
        }
    }

    /** Told after the slot's value was changed, before those who wait are woken. */
    void published(Object name) {
        publications.incrementAndGet(stripe(name));
    }

    private static int stripe(Object name) {
        int hash = name.hashCode();
        return (hash ^ (hash >>> 16)) & (STRIPES - 1);
    }
}
