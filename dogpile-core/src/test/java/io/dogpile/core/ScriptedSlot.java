package io.dogpile.core;

import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * A slot in memory that grants by itself, as a server would: one right at a time, refused once it was voided. Counts each
 * verb, and fails or refuses where a test wants it.
 */
final class ScriptedSlot<V> implements Slot<V> {
    /** Runs inside a verb, before it does anything. */
    interface Step {
        void run() throws Exception;
    }

    private static final Duration FOREVER = Duration.ofDays(100_000);

    private final FakeTime time;
    private final ReentrantLock lock = new ReentrantLock();
    private Stored<V> current = Stored.absent(0); // Guarded by: lock
    private long versions; // Guarded by: lock
    private long tokens; // Guarded by: lock
    private Right holder; // Guarded by: lock

    final AtomicInteger reads = new AtomicInteger();
    final AtomicInteger claims = new AtomicInteger();
    final AtomicInteger renewals = new AtomicInteger();
    final AtomicInteger publishes = new AtomicInteger();
    final List<Wish> wishes = new CopyOnWriteArrayList<>();

    /** The causes of the rights that were given back without a value; empty where no creator ran. */
    final List<Optional<Throwable>> abandoned = new CopyOnWriteArrayList<>();

    volatile boolean readsFree = true;
    volatile boolean heldElsewhere;
    volatile boolean renewable = true;
    volatile Duration lease = Duration.ZERO;
    volatile Claim<V> answer;
    volatile Published<V> outcome;
    volatile Step onRead = () -> {};
    volatile Step onClaim = () -> {};
    volatile Step onRenew = () -> {};
    volatile Step onPublish = () -> {};
    volatile Step onAbandon = () -> {};
    volatile Step onWatch = () -> {};
    private volatile Consumer<Seen<V>> watcher = pushed -> {};

    ScriptedSlot(FakeTime time) {
        this.time = time;
    }

    /** Holds a value that was created that long ago, at no cost, with no limit of its life. */
    ScriptedSlot<V> holding(V value, Duration age) {
        return holding(value, age, FOREVER, FOREVER, Duration.ZERO);
    }

    /** Holds a value that was created that long ago. Who creates now finds itself superseded. */
    ScriptedSlot<V> holding(V value, Duration age, Duration staleAfter, Duration expireAfter, Duration cost) {
        lock.lock();
        try {
            current = Stored.of(
                    new Draft<>(value, staleAfter, expireAfter, cost, true),
                    time.nanos() - age.toNanos(),
                    time.instant().minus(age),
                    ++versions);
        } finally {
            lock.unlock();
        }
        return this;
    }

    /** Holds the same version, without an end: as it is seen by whoever knows the store's clock better. */
    void holdingStill(V value, Duration age, Duration staleAfter) {
        lock.lock();
        try {
            versions--;
            holding(value, age, staleAfter, FOREVER, Duration.ZERO);
        } finally {
            lock.unlock();
        }
    }

    /** Forgets the value and voids the right, as an invalidation made anywhere does. */
    void invalidate() {
        lock.lock();
        try {
            current = Stored.absent(++versions);
            holder = null;
        } finally {
            lock.unlock();
        }
    }

    /** Tells whoever watches what a server would push. */
    void push(V value) {
        holding(value, Duration.ZERO);
        watcher.accept(seen());
    }

    boolean isHeld() {
        lock.lock();
        try {
            return holder != null;
        } finally {
            lock.unlock();
        }
    }

    /** What is stored now, uncounted. */
    Optional<V> stored() {
        return Optional.of(seen()).filter(Seen::present).map(Seen::value);
    }

    @Override
    public boolean readsFree() {
        return readsFree;
    }

    @Override
    public Seen<V> read() throws Exception {
        reads.incrementAndGet();
        onRead.run();
        return seen();
    }

    @Override
    public Watch watch(Consumer<Seen<V>> changed) {
        try {
            onWatch.run();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        watcher = changed;
        return () -> watcher = pushed -> {};
    }

    private Seen<V> seen() {
        lock.lock();
        try {
            return new Sight(current);
        } finally {
            lock.unlock();
        }
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
        public V value() {
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
        public Claim<V> claim(Wish wish) throws Exception {
            claims.incrementAndGet();
            wishes.add(wish);
            onClaim.run();
            Claim<V> scripted = answer;
            if (scripted != null) {
                return scripted;
            }
            lock.lock();
            try {
                if (heldElsewhere || holder != null) {
                    return Claim.held(Duration.ZERO, null);
                }
                holder = new Right(++tokens, versions);
                return Claim.granted(holder, new Sight(current));
            } finally {
                lock.unlock();
            }
        }
    }

    private final class Right implements Grant<V> {
        private final long token;
        private final long versionBefore;

        Right(long token, long versionBefore) {
            this.token = token;
            this.versionBefore = versionBefore;
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
        public boolean renew() throws Exception {
            renewals.incrementAndGet();
            onRenew.run();
            return renewable;
        }

        @Override
        public Published<V> publish(Draft<V> draft) throws Exception {
            publishes.incrementAndGet();
            onPublish.run();
            Published<V> scripted = outcome;
            if (scripted != null) {
                release();
                return scripted;
            }
            lock.lock();
            try {
                boolean held = release();
                if (current.present() && versions != versionBefore) {
                    return new Published<>(Published.Outcome.SUPERSEDED, new Sight(current));
                }
                if (!held) {
                    return new Published<>(Published.Outcome.VOIDED, null);
                }
                if (!draft.keep()) {
                    return new Published<>(Published.Outcome.STORED, null);
                }
                current = Stored.of(draft, time.nanos(), time.instant(), ++versions);
                return new Published<>(Published.Outcome.STORED, new Sight(current));
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void abandon(Throwable cause) throws Exception {
            abandoned.add(Optional.ofNullable(cause));
            release();
            onAbandon.run();
        }

        private boolean release() {
            lock.lock();
            try {
                boolean held = holder == this;
                if (held) {
                    holder = null;
                }
                return held;
            } finally {
                lock.unlock();
            }
        }
    }
}
