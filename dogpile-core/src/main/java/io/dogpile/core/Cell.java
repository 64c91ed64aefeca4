package io.dogpile.core;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One value in memory, read without a lock. A write is refused if since its beginning the value was invalidated or put,
 * or another creation began. The cell is also the name under which a {@link Dogpile} is in flight, so that it stays
 * reachable while anybody creates or waits, and with it its owner: a registry that holds the dogpile weakly must not make
 * another for the name while this one is in flight, or backs off.
 */
final class Cell<V> implements Store<V> {
    private final TimeSource time;
    private final String label;
    private final ReentrantLock lock = new ReentrantLock();
    private long begun; // Guarded by: lock
    private long versions; // Guarded by: lock
    private volatile Stored<V> current = Stored.absent(0); // written under the lock

    @SuppressWarnings("unused") // what it does is to be there
    private @Nullable Object owner; // written before the owner is handed out

    Cell(TimeSource time, String label) {
        this.time = time;
        this.label = label;
    }

    /** Keeps the owner reachable for as long as this cell is. */
    void keep(Object ownedBy) {
        owner = ownedBy;
    }

    @Override
    public Stored<V> read() {
        return current;
    }

    @Override
    public long begin() {
        lock.lock();
        try {
            return ++begun;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public @Nullable Stored<V> write(Slot.Draft<V> draft, long begunAs) {
        lock.lock();
        try {
            return begunAs == begun ? set(Stored.of(draft, time.nanos(), time.instant(), ++versions)) : null;
        } finally {
            lock.unlock();
        }
    }

    /** Sets what was created at another time or place; a creation that runs is not refused by it. */
    void note(Stored<V> known) {
        lock.lock();
        try {
            versions++;
            current = known;
        } finally {
            lock.unlock();
        }
    }

    /** Sets the value as if it had been created now, without cost. */
    void put(@Nullable V value, Duration staleAfter, Duration expireAfter) {
        Slot.Draft<V> draft = new Slot.Draft<>(Nulls.unmarked(value), staleAfter, expireAfter, Duration.ZERO, true);
        lock.lock();
        try {
            begun++;
            set(Stored.of(draft, time.nanos(), time.instant(), ++versions));
        } finally {
            lock.unlock();
        }
    }

    void invalidate() {
        lock.lock();
        try {
            begun++;
            set(Stored.absent(++versions));
        } finally {
            lock.unlock();
        }
    }

    private Stored<V> set(Stored<V> stored) {
        current = stored;
        return stored;
    }

    @Override
    public String toString() {
        return label;
    }
}
