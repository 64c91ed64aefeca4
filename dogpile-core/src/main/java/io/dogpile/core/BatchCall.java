package io.dogpile.core;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** The driver whose caller waits for a batch on its own thread, parked, and creates on it. */
final class BatchCall<N, V> extends Batch<N, V> {
    private final Slots.Creator<N, V> creator;
    private final Thread caller = Thread.currentThread();

    BatchCall(
            DogpileLock<V> lock,
            Collection<? extends N> names,
            Slots<N, V> slots,
            Election.Want want,
            Slots.Creator<N, V> creator) {
        super(lock, names, slots, want);
        this.creator = creator;
    }

    Map<N, Acquired<V>> run() {
        try {
            refuseRecursion();
            while (!isOver()) {
                if (!step()) {
                    time().park(this, lookAt() - time().nanos());
                }
            }
        } finally {
            leave();
        }
        return results();
    }

    @Override
    Map<Object, Landing<V>> create(CreationRun<V> run, Set<N> names) {
        return run.runAll(() -> made(names));
    }

    @Override
    Runnable createLater(CreationRun<V> run, Set<N> names) {
        return () -> run.runAll(() -> made(names));
    }

    private Map<Object, CreationRun.Made<V>> made(Set<N> names) throws Exception {
        Map<N, ? extends V> made = creator.create(names);
        Objects.requireNonNull(made, "The creator must return a map of what it made, not null");
        Map<Object, CreationRun.Made<V>> byName = new LinkedHashMap<>();
        for (N name : names) {
            byName.put(name, new CreationRun.Made<>(!made.containsKey(name), made.get(name)));
        }
        return byName;
    }

    @Override
    boolean isInterrupted() {
        return caller.isInterrupted();
    }

    @Override
    void signal() {
        time().unpark(caller);
    }
}
