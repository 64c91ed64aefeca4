package io.dogpile.memcached;

import io.dogpile.core.Slot;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks after one key for all in this JVM who wait on it, as long as there are any: both of its items by two reads sent
 * together, 15 ms apart for a second, then ever less often, up to 250 ms, jittered so that processes do not poll in step.
 *
 * <p>Tells those who watch when the value's number became another, and when nobody has the right to create it. Never blocks its
 * thread: answers come back to it as tasks. While the right is this JVM's own there is nothing to look for.
 */
final class Polling<V> {
    private static final long FIRST_NANOS = TimeUnit.MILLISECONDS.toNanos(15);
    private static final long LONGEST_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long FLAT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final double GROWTH = 1.5;
    private static final double JITTER = 0.3;

    /** What it looks after. */
    interface Key<V> {
        Item value();

        Item lease();

        /** Whether this JVM has the right. */
        boolean isCreatedHere();

        /** The value that was read, or null for "look again". */
        Slot.@Nullable Seen<V> changedTo(Answer value);

        /** Forgets this polling if nobody is left to be told. Returns whether it is forgotten, so that nobody joins it any more. */
        boolean retire(Polling<V> polling);
    }

    private final Key<V> key;
    private final Server server;
    private final ScheduledThreadPoolExecutor thread;
    private final List<Watcher> watchers = new CopyOnWriteArrayList<>();
    private volatile boolean answered = true;

    // Of the thread alone.
    private long delay = FIRST_NANOS;
    private long flatLeft = FLAT_NANOS;
    private boolean hasLooked;
    private long valueCas;
    private long leaseCas;

    Polling(Key<V> key, Server server, ScheduledThreadPoolExecutor thread) {
        this.key = key;
        this.server = server;
        this.thread = thread;
    }

    /** One who waits. */
    private final class Watcher implements Slot.Watch {
        private final Consumer<Slot.@Nullable Seen<V>> changed;

        Watcher(Consumer<Slot.@Nullable Seen<V>> changed) {
            this.changed = changed;
        }

        @Override
        public boolean live() {
            return answered;
        }

        @Override
        public void close() {
            if (watchers.remove(this) && watchers.isEmpty()) {
                var unused = key.retire(Polling.this);
            }
        }
    }

    Slot.Watch watch(Consumer<Slot.@Nullable Seen<V>> changed) {
        Watcher watcher = new Watcher(changed);
        watchers.add(watcher);
        return watcher;
    }

    boolean isUnwatched() {
        return watchers.isEmpty();
    }

    void start() {
        next();
    }

    private void next() {
        long jittered =
                (long) (delay * (1 + JITTER * ThreadLocalRandom.current().nextDouble(-1, 1)));
        if (flatLeft > 0) {
            flatLeft -= delay;
        } else {
            delay = Math.min(LONGEST_NANOS, (long) (delay * GROWTH));
        }
        try {
            var unused = thread.schedule(this::look, jittered, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException closed) {
            answered = false;
        }
    }

    private void look() {
        if (watchers.isEmpty() && key.retire(this)) {
            return;
        }
        if (key.isCreatedHere()) {
            next();
            return;
        }
        Pending lease = server.gets(key.lease()); // first: where it is gone since the value was stored, that is seen
        Pending value = server.gets(key.value());
        Future<?> limit = thread.schedule(
                () -> {
                    value.giveUp();
                    lease.giveUp();
                },
                server.timeoutNanos(),
                TimeUnit.NANOSECONDS);
        var unused = CompletableFuture.allOf(value.answer(), lease.answer())
                .whenCompleteAsync(
                        (nothing, notSent) -> {
                            limit.cancel(false);
                            looked(value, lease);
                        },
                        thread);
    }

    private void looked(Pending value, Pending lease) {
        try {
            Answer itsValue = server.answer(value);
            Answer itsLease = server.answer(lease);
            answered = true;
            judge(itsValue, itsLease);
        } catch (RuntimeException | LinkageError notKnown) {
            answered = false; // their own timers find what is not told
            delay = LONGEST_NANOS;
        }
        next();
    }

    private void judge(Answer value, Answer lease) {
        boolean isFree = !(LeaseText.of(lease.data()) instanceof LeaseText.Held);
        boolean hasChanged = hasLooked && value.cas() != valueCas;
        boolean becameFree = isFree && (!hasLooked || lease.cas() != leaseCas);
        hasLooked = true;
        valueCas = value.cas();
        leaseCas = lease.cas();
        if (hasChanged) {
            tell(key.changedTo(value));
        } else if (becameFree) {
            tell(null);
        }
    }

    private void tell(Slot.@Nullable Seen<V> seen) {
        watchers.forEach(watcher -> watcher.changed.accept(seen));
    }
}
