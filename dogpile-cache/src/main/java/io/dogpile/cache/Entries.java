package io.dogpile.cache;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.Acquired;
import io.dogpile.core.AsyncDogpileLock;
import io.dogpile.core.Creator;
import io.dogpile.core.DogpileException;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.DogpileLock;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import io.dogpile.core.TimeSource;
import io.dogpile.core.WhenDown;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a region by name, as seen by one view of it: what a {@link Region}, its functions and its asynchronous
 * view are made of. A name is a region's key, or an {@link ArgumentKey}, or a {@link RenamedKey}.
 */
final class Entries<V> {
    /** What all views of a region share. */
    record Shared<V>(
            String region, Partition<V> partition, DogpileListener listener, TimeSource time, Closing closing) {}

    /** Whether the region was closed. */
    static final class Closing {
        private volatile boolean closed;
    }

    /** A change of the store that its caller asked for. */
    @FunctionalInterface
    private interface Change {
        void make() throws Exception;
    }

    private final Shared<V> shared;
    private final Partition<V> partition;
    private final DogpileListener listener;
    private final DogpileLock<V> lock;
    private final Lives<V> lives;
    private final WhenDown whenDown;

    Entries(Shared<V> shared, DogpileLock<V> lock, Lives<V> lives, WhenDown whenDown) {
        this.shared = shared;
        this.partition = shared.partition();
        this.listener = shared.listener();
        this.lock = lock;
        this.lives = lives;
        this.whenDown = whenDown;
    }

    /** The same, for callers with that limit of freshness. */
    Entries<V> withStaleAfter(Duration limit) {
        return new Entries<>(shared, lock.with(options -> options.staleAfter(limit)), lives, whenDown);
    }

    Shared<V> shared() {
        return shared;
    }

    DogpileLock<V> lock() {
        return lock;
    }

    Lives<V> lives() {
        return lives;
    }

    WhenDown whenDown() {
        return whenDown;
    }

    /** The value if it is a hit, else null: the whole way of a hit, in memory, is this and what it calls. */
    Slot.@Nullable Seen<V> hit(Object name) {
        Slot.Seen<V> seen = partition.look(name);
        if (seen == null || !lock.isHit(seen)) {
            return null;
        }
        if (listener != DogpileListener.NONE) {
            listener.hit(name);
        }
        return seen;
    }

    /** For a name that was no hit. */
    V create(Object name, Creator<? extends V> creator) {
        return lock.acquire(name, slot(name), creator).value();
    }

    V refresh(Object name, Creator<? extends V> creator) {
        return lock.refresh(name, slot(name), creator).value();
    }

    Optional<CachedValue<V>> peek(Object name) {
        Slot.Seen<V> seen = read(name);
        long now = shared.time().nanos();
        return seen != null && lock.isUsable(seen, now) ? Optional.of(cached(seen, now)) : Optional.empty();
    }

    /** A fresh value, or null where there is none; a look that is counted. */
    Slot.@Nullable Seen<V> fresh(Object name) {
        Slot.Seen<V> hit = hit(name);
        if (hit != null) {
            return hit;
        }
        Slot.Seen<V> seen = read(name);
        boolean fresh = seen != null && lock.isFresh(seen, shared.time().nanos());
        tellLooked(name, fresh);
        return fresh ? seen : null;
    }

    /** Those of the names that have a value, as it was seen; judged by one moment. */
    Map<Object, CachedValue<V>> peekAll(Set<Object> names) {
        Map<Object, CachedValue<V>> found = new LinkedHashMap<>();
        Map<Object, Slot.Seen<V>> all = readAll(names);
        long now = shared.time().nanos();
        names.forEach(name -> {
            Slot.Seen<V> seen = all.get(name);
            if (seen != null && lock.isUsable(seen, now)) {
                found.put(name, cached(seen, now));
            }
        });
        return found;
    }

    Map<Object, Slot.Seen<V>> freshAll(Set<Object> names) {
        checkOpen();
        Map<Object, Slot.Seen<V>> found = new LinkedHashMap<>();
        Map<Object, Slot.Seen<V>> all = new LinkedHashMap<>();
        Set<Object> others = new LinkedHashSet<>();
        for (Object name : names) {
            Slot.Seen<V> seen = partition.look(name);
            if (seen != null && lock.isHit(seen)) {
                all.put(name, seen);
            } else {
                others.add(name);
            }
        }
        all.putAll(readAll(others));
        long now = shared.time().nanos();
        names.forEach(name -> {
            Slot.Seen<V> seen = all.get(name);
            boolean fresh = seen != null && lock.isFresh(seen, now);
            tellLooked(name, fresh);
            if (fresh) {
                found.put(name, seen);
            }
        });
        return found;
    }

    Map<Object, V> createAll(Set<Object> names, Slots.Creator<Object, V> creator) {
        checkOpen();
        Map<Object, V> values = new LinkedHashMap<>();
        Set<Object> others = new LinkedHashSet<>();
        for (Object name : names) {
            Slot.Seen<V> hit = hit(name);
            if (hit == null) {
                others.add(name);
            } else {
                values.put(name, hit.value());
            }
        }
        if (!others.isEmpty()) {
            others.forEach(Entries::refuseUnstable);
            values.putAll(values(lock.acquireAll(others, partition, creator)));
        }
        return values;
    }

    Map<Object, V> refreshAll(Set<Object> names, Slots.Creator<Object, V> creator) {
        checkOpen();
        names.forEach(Entries::refuseUnstable);
        return values(lock.refreshAll(names, partition, creator));
    }

    private static <V> Map<Object, V> values(Map<Object, Acquired<V>> acquired) {
        Map<Object, V> values = new LinkedHashMap<>();
        acquired.forEach((name, one) -> values.put(name, one.value()));
        return values;
    }

    void put(Object name, V value) {
        Slot.Draft<V> draft = lives.put(name, value);
        change(
                Set.of(name),
                "stored",
                draft.keep() ? () -> partition.put(name, draft) : () -> partition.invalidate(name, Invalidation.HARD));
    }

    void putAll(Map<Object, V> values) {
        Map<Object, Slot.Draft<V>> kept = new LinkedHashMap<>();
        Set<Object> refused = new LinkedHashSet<>();
        values.forEach((name, value) -> {
            Slot.Draft<V> draft = lives.put(name, value);
            if (draft.keep()) {
                kept.put(name, draft);
            } else {
                refused.add(name);
            }
        });
        change(values.keySet(), "stored", () -> {
            if (!kept.isEmpty()) {
                partition.putAll(kept);
            }
            if (!refused.isEmpty()) {
                partition.invalidateAll(refused, Invalidation.HARD);
            }
        });
    }

    void invalidate(Object name, Invalidation how) {
        change(Set.of(name), "invalidated", () -> partition.invalidate(name, how));
    }

    void invalidateAll(Set<Object> names, Invalidation how) {
        change(names, "invalidated", () -> partition.invalidateAll(names, how));
    }

    void invalidateAll(Invalidation how) {
        checkOpen();
        try {
            partition.invalidateAll(how);
        } catch (Exception e) {
            listener.storeDown(shared.region(), e);
            throw new DogpileException(
                    "region '" + shared.region() + "': it is not known whether all values were invalidated", e);
        } finally {
            lock.detachAll();
        }
    }

    boolean isCreating(Object name) {
        if (lock.isInFlight(name)) {
            return true;
        }
        Slot.Seen<V> seen = read(name);
        return seen != null && seen.creating();
    }

    AsyncDogpileLock<V> async(Executor executor) {
        return lock.async(executor);
    }

    Slot<V> slot(Object name) {
        checkOpen();
        refuseUnstable(name);
        return partition.slot(name);
    }

    /** In memory too, where no text is made: else such a call would be created anew each time, and nobody the wiser. */
    private static void refuseUnstable(Object name) {
        if (name instanceof ArgumentKey call) {
            call.refuseUnstable();
        }
    }

    void checkOpen() {
        if (shared.closing().closed) {
            throw closed();
        }
    }

    private IllegalStateException closed() {
        return new IllegalStateException(
                "region '" + shared.region() + "' is closed; ask it no more, or close it later");
    }

    void close() {
        if (!shared.closing().closed) {
            shared.closing().closed = true;
            lock.endAll(closed());
            partition.close();
        }
    }

    /** What the store holds; null where it cannot be reached and that is the policy. */
    private Slot.@Nullable Seen<V> read(Object name) {
        Slot<V> slot = slot(name);
        try {
            return slot.read();
        } catch (Exception e) {
            failed(name, e);
            return null;
        }
    }

    private Map<Object, Slot.Seen<V>> readAll(Set<Object> names) {
        checkOpen();
        if (names.isEmpty()) {
            return Map.of();
        }
        names.forEach(Entries::refuseUnstable);
        try {
            return partition.readAll(names);
        } catch (IllegalArgumentException noText) {
            throw noText;
        } catch (Exception e) {
            names.forEach(name -> failed(name, e));
            return Map.of();
        }
    }

    private void failed(Object name, Exception failure) {
        listener.storeDown(name, failure);
        if (whenDown == WhenDown.FAIL) {
            throw new DogpileException(lock.describe(name) + ": the store could not be read", failure);
        }
    }

    /** Whoever asks for a change must know if it may not have been made. */
    private void change(Collection<Object> names, String done, Change change) {
        checkOpen();
        if (names.isEmpty()) {
            return;
        }
        names.forEach(Entries::refuseUnstable);
        try {
            change.make();
        } catch (IllegalArgumentException refused) {
            throw refused; // by the backend, which was not asked to do anything yet
        } catch (Exception e) {
            names.forEach(name -> listener.storeDown(name, e));
            throw new DogpileException(
                    lock.describe(names.iterator().next())
                            + (names.size() == 1 ? "" : " and " + (names.size() - 1) + " others")
                            + ": it is not known whether the value was " + done,
                    e);
        } finally {
            names.forEach(lock::detach);
        }
    }

    private void tellLooked(Object name, boolean fresh) {
        if (fresh) {
            listener.hit(name);
        } else {
            listener.missed(name);
        }
    }

    private CachedValue<V> cached(Slot.Seen<V> seen, long now) {
        return new CachedValue<>(
                seen.value(),
                seen.createdAt(),
                Duration.ofNanos(Math.max(0, now - seen.bornAt())),
                Duration.ofNanos(seen.costNanos()),
                !lock.isFresh(seen, now));
    }
}
