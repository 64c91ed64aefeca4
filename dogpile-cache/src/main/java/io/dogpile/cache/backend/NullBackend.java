package io.dogpile.cache.backend;

import io.dogpile.core.Slot;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Stores nothing: for tests, and to switch a cache off without touching the code that uses it.
 *
 * <p>A region on it still creates each key once at a time, and all who wait for a creation get its value. Puts and
 * invalidations are taken and do nothing; no verb fails. Thread-safe.
 */
public final class NullBackend implements Backend {
    private static final NullBackend INSTANCE = new NullBackend();

    private NullBackend() {}

    /**
     * The one that there is.
     *
     * @return the backend
     */
    public static NullBackend create() {
        return INSTANCE;
    }

    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        return new Nothing<>();
    }

    @Override
    public String toString() {
        return "NullBackend";
    }

    private static final class Nothing<V> implements Partition<V> {
        @Override
        public Slot<V> slot(Object key) {
            return new Slot<>() {
                @Override
                public Seen<V> read() {
                    return new Absent<>();
                }

                @Override
                public boolean readsFree() {
                    return true;
                }
            };
        }

        @Override
        public void put(Object key, Slot.Draft<V> draft) {}

        @Override
        public void invalidate(Object key, Invalidation how) {}

        @Override
        public void invalidateAll(Invalidation how) {}

        @Override
        public String toString() {
            return "nothing";
        }
    }

    private static final class Absent<V> implements Slot.Seen<V> {
        @Override
        public boolean present() {
            return false;
        }

        @Override
        public @Nullable V value() {
            return null;
        }

        @Override
        public long freshUntil() {
            return Long.MIN_VALUE;
        }

        @Override
        public long usableUntil() {
            return Long.MIN_VALUE;
        }

        @Override
        public long bornAt() {
            return Long.MIN_VALUE;
        }

        @Override
        public long version() {
            return 0;
        }

        @Override
        public Instant createdAt() {
            return Instant.EPOCH;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) {
            return Slot.Claim.granted(new FreeRight<>(), this);
        }
    }

    /** Nothing is stored, and so nothing can be overwritten: there is no right to lose. */
    private static final class FreeRight<V> implements Slot.Grant<V> {
        @Override
        public long fencingToken() {
            return 0;
        }

        @Override
        public boolean renew() {
            return true;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) {
            return new Slot.Published<>(Slot.Published.Outcome.STORED, null);
        }

        @Override
        public void abandon(@Nullable Throwable cause) {}
    }
}
