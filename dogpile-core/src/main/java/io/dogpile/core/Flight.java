package io.dogpile.core;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Those in this JVM who wait on one name, from the first caller who found no fresh value until there is one.
 *
 * <pre>
 *           join                        creating
 *  (new) ─────────► OPEN ────────────────────────────► CREATING
 *                   │  ▲      creation was refused         │
 *                   │  └───────────────────────────────────┤
 *                   │ land, or the last one leaves         │ land
 *                   ▼                                      ▼
 *                 LANDED ◄─────────────────────────────────┘
 * </pre>
 *
 * <p>While OPEN, one of the queue leads: it alone does the slot's round trips, for all. When it leaves, by value,
 * deadline or interrupt, or has no time since it creates other names, the next one leads. While CREATING nobody needs to, since the creation lands the flight. A
 * flight lands once; whoever comes second is told so.
 *
 * <p>A waiter that gives up is unlinked before it returns. Whoever is woken by the landing helps to wake the rest, which
 * halves the time until the last of 200 threads runs. Signals are given outside of the lock.
 */
final class Flight<V> {
    enum Phase {
        OPEN,
        CREATING,
        LANDED
    }

    /** What a waiter finds when it looks. */
    enum Signal {
        /** Nothing; wait on. */
        NONE,
        /** The flight has landed. */
        LANDED,
        /** It is this waiter's turn to lead. */
        LEAD,
        /** A value was found that may do for this waiter. */
        OFFERED,
        /** This waiter leads, and the store told that something changed. */
        LOOK
    }

    /**
     * A value that is stale to who found it.
     *
     * @param seen the value
     * @param at when it was shown; who began later may not take it for what is there now
     */
    record Offer<V>(Slot.Seen<V> seen, long at) {}

    /** Of a crowd of thousands each wakes more than one at a time, lest all be held up by the counter that they share. */
    private static final int TURNS_TO_WAKE_ALL = 128;

    private final Object name;
    private final ReentrantLock lock = new ReentrantLock();

    private @Nullable Waiter<V> first; // Guarded by: lock
    private @Nullable Waiter<V> last; // Guarded by: lock
    private int length; // Guarded by: lock
    private Phase phase = Phase.OPEN; // Guarded by: lock

    /** Written under the lock, read without. */
    private volatile @Nullable Waiter<V> leader;

    private volatile @Nullable Landing<V> landing;
    private volatile @Nullable Offer<V> offered;
    private volatile boolean changed;
    private volatile boolean detached;
    private volatile @Nullable CreationRun<V> run;
    private volatile long overdueAt = Slot.NEVER;
    private Slot.@Nullable Watch watch; // Guarded by: lock

    /** Those to wake, once landed, and the next of them. */
    private volatile Waiter<V> @Nullable [] sleepers;

    private final AtomicInteger nextSleeper = new AtomicInteger();

    Flight(Object name) {
        this.name = name;
    }

    Object name() {
        return name;
    }

    /** Enters the queue; the first to enter leads. Returns false, and changes nothing, if the flight has landed. */
    boolean join(Waiter<V> waiter) {
        lock.lock();
        try {
            if (phase == Phase.LANDED) {
                return false;
            }
            link(waiter);
            if (phase == Phase.OPEN && leader == null) {
                leader = waiter;
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    boolean isLedBy(Waiter<V> waiter) {
        return leader == waiter;
    }

    /** What there is for this waiter; {@code leading} says that it knows of its turn already. */
    Signal look(Waiter<V> waiter, boolean leading) {
        if (landing != null) {
            return Signal.LANDED;
        }
        if (isLedBy(waiter)) {
            if (!leading) {
                return Signal.LEAD;
            }
            if (changed) {
                changed = false;
                return Signal.LOOK;
            }
        }
        Offer<V> offer = offered;
        return offer != null && offer.seen() != waiter.declined && waiter.takesOffers() ? Signal.OFFERED : Signal.NONE;
    }

    /**
     * Leaves the queue, and hands on if this waiter led. Returns true if the flight ended by that, since nobody is left.
     */
    boolean leave(Waiter<V> waiter) {
        Waiter<V> next = null;
        Slot.Watch unused = null;
        boolean ended = false;
        lock.lock();
        try {
            unlink(waiter);
            if (leader == waiter) {
                leader = phase == Phase.OPEN ? firstWithTime() : null;
                next = leader;
            }
            if (phase == Phase.OPEN && first == null) {
                phase = Phase.LANDED;
                landing = Landing.again();
                ended = true;
                unused = takeWatch();
            }
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.signal();
        }
        if (unused != null) {
            unused.close();
        }
        return ended;
    }

    /**
     * The waiter stays, but has no time to lead: the next one with time does, also one that comes later. Returns whether
     * it led.
     */
    boolean stepAside(Waiter<V> waiter) {
        Waiter<V> next = null;
        boolean led;
        lock.lock();
        try {
            waiter.busy = true;
            led = phase == Phase.OPEN && leader == waiter;
            if (led) {
                leader = firstWithTime();
                next = leader;
            }
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.signal();
        }
        return led;
    }

    /** The waiter has time again, and leads if nobody else does. */
    void stepBack(Waiter<V> waiter) {
        lock.lock();
        try {
            waiter.busy = false;
            if (phase == Phase.OPEN && leader == null) {
                leader = waiter;
            }
        } finally {
            lock.unlock();
        }
    }

    /** A creation begins. Returns false if the flight has landed meanwhile. */
    boolean creating(CreationRun<V> byRun, long overdue) {
        lock.lock();
        try {
            if (phase != Phase.OPEN) {
                return false;
            }
            phase = Phase.CREATING;
            run = byRun;
            overdueAt = overdue;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** The creation that had been announced was refused by its executor: somebody must lead again. */
    void notCreating() {
        Waiter<V> next = null;
        lock.lock();
        try {
            if (phase == Phase.CREATING) {
                phase = Phase.OPEN;
                run = null;
                overdueAt = Slot.NEVER;
                if (leader == null) {
                    leader = firstWithTime();
                    next = leader;
                }
            }
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.signal();
        }
    }

    /** Ends the flight and wakes all who wait. Returns false if it had landed before; then nothing is changed. */
    boolean land(Landing<V> how) {
        Slot.Watch unused;
        lock.lock();
        try {
            if (phase == Phase.LANDED) {
                return false;
            }
            phase = Phase.LANDED;
            sleepers = drain();
            leader = null;
            unused = takeWatch();
            landing = how;
        } finally {
            lock.unlock();
        }
        while (wakeSome()) {
            // each of those woken helps, so that few are left for this thread
        }
        if (unused != null) {
            unused.close();
        }
        return true;
    }

    /** Wakes some of those who still sleep after the landing. Returns false if all have been woken. */
    boolean wakeSome() {
        Waiter<V>[] all = sleepers;
        if (all == null || nextSleeper.get() >= all.length) {
            return false;
        }
        int some = Math.max(1, all.length / TURNS_TO_WAKE_ALL);
        int first = nextSleeper.getAndAdd(some);
        for (int next = first; next < Math.min(all.length, first + some); next++) {
            all[next].signal();
        }
        return first < all.length;
    }

    /** Shows a value that the leader found, stale to itself, to all whom it may do. */
    void offer(Slot.Seen<V> stale, long now) {
        offered = new Offer<>(stale, now);
        signalAll();
    }

    /** The store told of a change without telling the value: the leader looks. */
    void changed() {
        changed = true;
        Waiter<V> leads = leader;
        if (leads != null) {
            leads.signal();
        }
    }

    private void signalAll() {
        Waiter<V>[] all;
        lock.lock();
        try {
            all = queue();
        } finally {
            lock.unlock();
        }
        for (Waiter<V> waiter : all) {
            if (waiter.takesOffers()) {
                waiter.signal();
            }
        }
    }

    /** Keeps the watch until the flight ends. */
    void own(Slot.Watch registered) {
        boolean tooLate;
        lock.lock();
        try {
            tooLate = phase == Phase.LANDED;
            if (!tooLate) {
                watch = registered;
            }
        } finally {
            lock.unlock();
        }
        if (tooLate) {
            registered.close();
        }
    }

    boolean isWatched() {
        lock.lock();
        try {
            return watch != null;
        } finally {
            lock.unlock();
        }
    }

    /** Whether changes are pushed, so that a slow safety poll is enough. */
    boolean isWatchLive() {
        lock.lock();
        try {
            return watch != null && watch.live();
        } finally {
            lock.unlock();
        }
    }

    @Nullable
    Landing<V> landing() {
        return landing;
    }

    @Nullable
    Offer<V> offered() {
        return offered;
    }

    @Nullable
    CreationRun<V> run() {
        return run;
    }

    /** When the name stops being the running creation's. */
    long overdueAt() {
        return overdueAt;
    }

    boolean isDetached() {
        return detached;
    }

    /** The name was invalidated or put: callers from now on elect anew, those who wait get this creation's value. */
    void detach() {
        detached = true;
    }

    private @Nullable Waiter<V> firstWithTime() {
        Waiter<V> one = first;
        while (one != null && one.busy) {
            one = one.after;
        }
        return one;
    }

    private void link(Waiter<V> waiter) {
        waiter.before = last;
        waiter.after = null;
        waiter.queued = true;
        if (last == null) {
            first = waiter;
        } else {
            last.after = waiter;
        }
        last = waiter;
        length++;
    }

    private void unlink(Waiter<V> waiter) {
        if (!waiter.queued) {
            return;
        }
        Waiter<V> before = waiter.before;
        Waiter<V> after = waiter.after;
        if (before == null) {
            first = after;
        } else {
            before.after = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.before = before;
        }
        waiter.before = null;
        waiter.after = null;
        waiter.queued = false;
        length--;
    }

    /** Takes the queue whole; what was before or after each is left as it is, since it is never asked again. */
    private Waiter<V>[] drain() {
        Waiter<V>[] all = queue();
        for (Waiter<V> waiter : all) {
            waiter.queued = false;
        }
        first = null;
        last = null;
        length = 0;
        return all;
    }

    private Waiter<V>[] queue() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        Waiter<V>[] all = new Waiter[length];
        int next = 0;
        for (Waiter<V> waiter = first; waiter != null; waiter = waiter.after) {
            all[next++] = waiter;
        }
        return all;
    }

    private Slot.@Nullable Watch takeWatch() {
        Slot.Watch taken = watch;
        watch = null;
        return taken;
    }

    @Override
    public String toString() {
        return "Flight of '" + Names.render(name) + "': " + (landing == null ? "under way" : landing);
    }
}
