package io.dogpile.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One value in a store that simulated JVMs share: it grants leases with a fence, refuses whom it has not granted last or
 * has voided since, and may push. Each verb is one atomic round trip, as a script or a compare-and-set would be.
 */
final class SimStore<V> implements Slot<V> {
    /** A change on its way to one who watches. */
    static final class Push<V> {
        private final Registration<V> to;
        final Slot.@Nullable Seen<V> seen;

        private Push(Registration<V> to, Slot.@Nullable Seen<V> seen) {
            this.to = to;
            this.seen = seen;
        }

        void deliver() {
            to.changed.accept(seen);
        }
    }

    private static final class Registration<V> implements Watch {
        private final SimStore<V> store;
        private final Consumer<@Nullable Seen<V>> changed;

        Registration(SimStore<V> store, Consumer<@Nullable Seen<V>> changed) {
            this.store = store;
            this.changed = changed;
        }

        @Override
        public boolean live() {
            return store.saysItPushes;
        }

        @Override
        public void close() {
            store.watches.remove(this);
        }
    }

    private final SimTime time;
    final ArrayList<Push<V>> pushes = new ArrayList<>();
    private final ArrayList<Registration<V>> watches = new ArrayList<>();

    boolean pushing;
    boolean saysItPushes;
    boolean looksUnderTheRight;
    boolean tellsWhatIsLeft;
    long leaseNanos;
    Duration lease = Duration.ZERO;

    private Stored<V> current = Stored.absent(0);
    private long versions;
    private long fences;
    private long storedFence;
    private long voidedUpTo;
    private long leaseFence;
    private long leaseUntil;

    SimStore(SimTime time) {
        this.time = time;
    }

    void reset() {
        pushes.clear();
        watches.clear();
        current = Stored.absent(0);
        versions = 0;
        fences = 0;
        storedFence = 0;
        voidedUpTo = 0;
        leaseFence = 0;
        leaseUntil = 0;
    }

    int watches() {
        return watches.size();
    }

    @Nullable
    V current() {
        return current.value;
    }

    Stored<V> put(Draft<V> draft) {
        voidAll();
        storedFence = ++fences;
        return store(draft);
    }

    void invalidate() {
        voidAll();
        current = Stored.absent(++versions);
        push(null);
    }

    private void voidAll() {
        voidedUpTo = fences;
        leaseFence = 0;
    }

    private Stored<V> store(Draft<V> draft) {
        current = Stored.of(draft, time.nanos(), time.instant(), ++versions);
        push(new Sight(current));
        return current;
    }

    private void push(@Nullable Seen<V> seen) {
        if (pushing) {
            for (int i = 0; i < watches.size(); i++) {
                pushes.add(new Push<>(watches.get(i), seen));
            }
        }
    }

    private boolean isLeased() {
        return leaseFence != 0 && time.nanos() < leaseUntil;
    }

    @Override
    public Seen<V> read() {
        return new Sight(current);
    }

    @Override
    public Watch watch(Consumer<@Nullable Seen<V>> changed) {
        if (!pushing) {
            return Watch.NONE;
        }
        Registration<V> made = new Registration<>(this, changed);
        watches.add(made);
        return made;
    }

    private final class Sight implements Seen<V> {
        private final Stored<V> stored;

        Sight(Stored<V> stored) {
            this.stored = stored;
        }

        @Override
        public boolean present() {
            return stored.present();
        }

        @Override
        public @Nullable V value() {
            return stored.value;
        }

        @Override
        public long freshUntil() {
            return stored.freshUntil;
        }

        @Override
        public long usableUntil() {
            return stored.usableUntil;
        }

        @Override
        public long bornAt() {
            return stored.bornAt;
        }

        @Override
        public long costNanos() {
            return stored.costNanos;
        }

        @Override
        public long version() {
            return stored.version;
        }

        @Override
        public Instant createdAt() {
            return stored.createdAt();
        }

        @Override
        public Claim<V> claim(Wish wish) {
            Sight now = new Sight(current);
            if (isEnough(now, wish)) {
                return Claim.notNeeded(now);
            }
            if (isLeased()) {
                Duration left = tellsWhatIsLeft ? Duration.ofNanos(leaseUntil - time.nanos()) : Duration.ZERO;
                return Claim.held(left, looksUnderTheRight ? now : null);
            }
            leaseFence = ++fences;
            leaseUntil = time.nanos() + leaseNanos;
            Right right = new Right(leaseFence);
            return looksUnderTheRight ? Claim.granted(right, now) : Claim.granted(right);
        }

        private boolean isEnough(Sight now, Wish wish) {
            if (!looksUnderTheRight || !now.fresh(time.nanos())) {
                return false;
            }
            return switch (wish.reason()) {
                case NEEDED -> wish.maxAgeNanos() == NEVER || time.nanos() - now.bornAt() <= wish.maxAgeNanos();
                case EARLY, REFRESH -> now.version() != version();
            };
        }
    }

    private final class Right implements Grant<V> {
        private final long fence;

        Right(long fence) {
            this.fence = fence;
        }

        @Override
        public long fencingToken() {
            return fence;
        }

        @Override
        public Duration lease() {
            return lease;
        }

        @Override
        public boolean renew() {
            if (leaseFence != fence || !isLeased()) {
                return false;
            }
            leaseUntil = time.nanos() + leaseNanos;
            return true;
        }

        @Override
        public Published<V> publish(Draft<V> draft) {
            if (storedFence > fence) {
                return current.present()
                        ? new Published<>(Published.Outcome.SUPERSEDED, new Sight(current))
                        : new Published<>(Published.Outcome.VOIDED, null);
            }
            if (fence <= voidedUpTo || leaseFence != fence) {
                return new Published<>(Published.Outcome.VOIDED, null);
            }
            leaseFence = 0;
            if (!draft.keep()) {
                push(new Sight(Stored.of(draft, time.nanos(), time.instant(), ++versions)));
                return new Published<>(Published.Outcome.STORED, null);
            }
            storedFence = fence;
            return new Published<>(Published.Outcome.STORED, new Sight(store(draft)));
        }

        @Override
        public void abandon(@Nullable Throwable cause) {
            if (leaseFence == fence) {
                leaseFence = 0;
                push(null);
            }
        }
    }
}
