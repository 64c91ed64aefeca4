package io.dogpile.cache.file;

import io.dogpile.core.Slot;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Looks at the files of those keys that somebody in this JVM waits for, since other processes cannot wake it: one poller for
 * each key, as long as somebody waits. It tells them as soon as the value was written, or the right to create is free.
 * Thread-safe.
 */
final class Watchers {
    /** How one key is looked at. */
    interface Look {
        /** What tells the present value from all others. */
        long fence() throws IOException;

        /** Whether nobody has the right to create the successor of what has that fence. */
        boolean isFree(long fence) throws Exception;
    }

    private final ScheduledExecutorService threads;
    private final ConcurrentHashMap<String, Watched> watched = new ConcurrentHashMap<>();

    Watchers(ScheduledExecutorService threads) {
        this.threads = threads;
    }

    /** Tells of what happens from now on to the key of that name. */
    Slot.Watch watch(String name, Look look, Runnable changed) {
        Watcher watcher = new Watcher(name, changed);
        Watched fresh = new Watched(name, look, fence(look)); // those who wait claim after this: nothing is missed
        Watched entered = watched.compute(name, (key, before) -> {
            Watched one = before == null ? fresh : before;
            one.watchers.add(watcher);
            return one;
        });
        if (entered == fresh) {
            fresh.again(); // only now: a poller that is not entered ends
        }
        return watcher;
    }

    private static long fence(Look look) {
        try {
            return look.fence();
        } catch (IOException notKnown) {
            return 0;
        }
    }

    /** How many keys are looked at. */
    int size() {
        return watched.size();
    }

    private final class Watcher implements Slot.Watch {
        private final String name;
        private final Runnable changed;

        Watcher(String name, Runnable changed) {
            this.name = name;
            this.changed = changed;
        }

        @Override
        public boolean live() {
            return !threads.isShutdown();
        }

        @Override
        public void close() {
            watched.computeIfPresent(name, (key, one) -> {
                one.watchers.remove(this);
                return one.watchers.isEmpty() ? null : one;
            });
        }
    }

    private final class Watched implements Runnable {
        private final String name;
        private final Look look;
        private final List<Watcher> watchers = new CopyOnWriteArrayList<>();
        private final Polls polls = new Polls();
        private long fence;

        Watched(String name, Look look, long fence) {
            this.name = name;
            this.look = look;
            this.fence = fence;
        }

        private void again() {
            try {
                var unused = threads.schedule(this, polls.nextNanos(), TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException closed) {
                // and those who wait look themselves, from time to time
            }
        }

        @Override
        public void run() {
            if (watched.get(name) != this) {
                return;
            }
            try {
                long now = look.fence();
                if (now != fence || look.isFree(now)) {
                    fence = now;
                    watchers.forEach(one -> one.changed.run());
                }
            } catch (Exception notKnown) {
                // they read for themselves, and tell
            } finally {
                again();
            }
        }
    }
}
