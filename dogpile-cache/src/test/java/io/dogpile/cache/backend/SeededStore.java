package io.dogpile.cache.backend;

import io.dogpile.core.Forwarding;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A store that grants rights by itself, one at a time, which end with their lease unless they are renewed; it renews them
 * by itself, and tells who watches. It is sound, or has one mistake that such stores are known to make.
 *
 * <p>Regions of one name share their values, as in several processes.
 */
final class SeededStore implements Backend {
    enum Mistake {
        NONE,
        /** A right is given back without a look at whose it is. */
        OWNER_CHECK,
        /** The renewal goes on when the right has ended. */
        RENEWAL_CANCEL,
        /** What is there once the right is granted is not looked at again. */
        SECOND_LOOK,
        /** Who was refused is registered only at its next step. */
        LATE_REGISTRATION,
        /** A publication does not compare the right. */
        NONCE
    }

    private final Mistake mistake;
    private final Map<String, SeededPartition<?>> regions = new ConcurrentHashMap<>();

    SeededStore(Mistake mistake) {
        this.mistake = mistake;
    }

    @Override
    @SuppressWarnings("unchecked") // regions of one name have values of one type
    public <V> Partition<V> open(Opening<V> opening) {
        return (Partition<V>) regions.computeIfAbsent(opening.region(), region -> new SeededPartition<>(opening));
    }

    private final class SeededPartition<V> implements Partition<V> {
        private final Partition<V> values;
        private final TimeSource time;
        private final Duration lease;
        private final Map<Object, Right> rights = new HashMap<>(); // Guarded by: this
        private final Map<Object, List<Consumer<Slot.@Nullable Seen<V>>>> watches = new ConcurrentHashMap<>();
        private final List<Runnable> registrations = new CopyOnWriteArrayList<>();
        private long tokens; // Guarded by: this

        SeededPartition(Opening<V> opening) {
            values = MemoryBackend.create().open(opening.byReference());
            time = opening.time();
            lease = opening.lease();
        }

        private boolean makes(Mistake one) {
            return mistake == one;
        }

        @Override
        public Slot<V> slot(Object key) {
            return new Slot<>() {
                @Override
                public Seen<V> read() throws Exception {
                    registerLate();
                    return sight(key);
                }

                @Override
                public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                    List<Consumer<@Nullable Seen<V>>> watching =
                            watches.computeIfAbsent(key, none -> new CopyOnWriteArrayList<>());
                    if (makes(Mistake.LATE_REGISTRATION)) {
                        registrations.add(() -> watching.add(changed));
                    } else {
                        watching.add(changed);
                    }
                    return new Watch() {
                        @Override
                        public boolean live() {
                            return true;
                        }

                        @Override
                        public void close() {
                            watching.remove(changed);
                        }
                    };
                }
            };
        }

        private void registerLate() {
            registrations.forEach(Runnable::run);
            registrations.clear();
        }

        private Sight sight(Object key) throws Exception {
            return new Sight(key, values.slot(key).read());
        }

        private void tell(Object key, Slot.@Nullable Seen<V> seen) {
            watches.getOrDefault(key, List.of()).forEach(watch -> watch.accept(seen));
        }

        private final class Sight extends Forwarding.Seen<V> {
            private final Object key;

            Sight(Object key, Slot.Seen<V> seen) {
                super(seen);
                this.key = key;
            }

            @Override
            public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
                synchronized (SeededPartition.this) {
                    Right holder = rights.get(key);
                    long left = holder == null ? 0 : holder.until - time.nanos();
                    if (left > 0) {
                        return Slot.Claim.held(Duration.ofNanos(left), sight(key));
                    }
                    Right right = new Right(key, ++tokens, inner.version());
                    right.keep();
                    return Slot.Claim.granted(right, makes(Mistake.SECOND_LOOK) ? this : sight(key));
                }
            }
        }

        private final class Right implements Slot.Grant<V> {
            private final Object key;
            private final long token;
            private final long seenVersion;
            private long until; // Guarded by: SeededPartition.this
            private @Nullable Runnable cancel; // Guarded by: SeededPartition.this

            Right(Object key, long token, long seenVersion) {
                this.key = key;
                this.token = token;
                this.seenVersion = seenVersion;
            }

            /** Holds the key for another lease, and again at a third of it. */
            void keep() {
                synchronized (SeededPartition.this) {
                    rights.put(key, this);
                    until = time.nanos() + lease.toNanos();
                    cancel = time.after(lease.toNanos() / 3, this::keep);
                }
            }

            void ended() {
                if (cancel != null && !makes(Mistake.RENEWAL_CANCEL)) {
                    cancel.run();
                }
            }

            private boolean isHeld() {
                return rights.get(key) == this && until > time.nanos();
            }

            @Override
            public long fencingToken() {
                return token;
            }

            @Override
            public Duration lease() {
                return lease;
            }

            @Override
            public boolean renew() {
                synchronized (SeededPartition.this) {
                    if (isHeld()) {
                        until = time.nanos() + lease.toNanos();
                        return true;
                    }
                    return false;
                }
            }

            @Override
            public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
                Slot.Published<V> published;
                synchronized (SeededPartition.this) {
                    ended();
                    if (!isHeld() && !makes(Mistake.NONCE)) {
                        return refused();
                    }
                    rights.remove(key);
                    if (draft.keep()) {
                        values.put(key, draft);
                    }
                    published = new Slot.Published<>(Slot.Published.Outcome.STORED, draft.keep() ? sight(key) : null);
                }
                tell(key, published.seen());
                return published;
            }

            private Slot.Published<V> refused() throws Exception {
                Slot.Seen<V> now = sight(key);
                return now.present() && now.version() != seenVersion
                        ? new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, now)
                        : new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
            }

            @Override
            public void abandon(@Nullable Throwable cause) {
                synchronized (SeededPartition.this) {
                    ended();
                    if (isHeld() || makes(Mistake.OWNER_CHECK)) {
                        rights.remove(key);
                    }
                }
                tell(key, null);
            }
        }

        private void endRight(Object key) {
            Right right = rights.remove(key);
            if (right != null) {
                right.ended();
            }
        }

        @Override
        public void put(Object key, Slot.Draft<V> draft) throws Exception {
            synchronized (this) {
                endRight(key);
                values.put(key, draft);
            }
            tell(key, sight(key));
        }

        @Override
        public void invalidate(Object key, Invalidation how) throws Exception {
            synchronized (this) {
                endRight(key);
                values.invalidate(key, how);
            }
            tell(key, null);
        }

        @Override
        public void invalidateAll(Invalidation how) throws Exception {
            Collection<Object> held;
            synchronized (this) {
                held = List.copyOf(rights.keySet());
                held.forEach(this::endRight);
                values.invalidateAll(how);
            }
            held.forEach(key -> tell(key, null));
        }
    }
}
