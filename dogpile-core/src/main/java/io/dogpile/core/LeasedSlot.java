package io.dogpile.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes a slot of a store that cannot grant rights, and of a lock: a {@link LockProvider}'s, or none where the flights
 * of this JVM are lock enough.
 *
 * <p>It promises less than a slot whose store compares the right and writes in one step. A publication first asks the
 * lease whether it still holds ({@link Lease#extend}) and then writes: a holder that is paused between the two for
 * longer than the lease may overwrite its successor. Who waits for another's lease polls: it reads, and only then tries
 * to acquire, since a lock that is always held would hide the value.
 */
final class LeasedSlot<V> implements Slot<V> {
    private final Store<V> store;
    private final boolean readsFree;
    private final String name;
    private final @Nullable LockProvider provider;
    private final Duration leaseTime;

    LeasedSlot(Store<V> store, boolean readsFree, String name, @Nullable LockProvider provider, Duration leaseTime) {
        this.store = store;
        this.readsFree = readsFree;
        this.name = name;
        this.provider = provider;
        this.leaseTime = leaseTime;
    }

    @Override
    public Seen<V> read() throws Exception {
        return new Sight(store.read());
    }

    @Override
    public boolean readsFree() {
        return readsFree;
    }

    /** What was read, able to claim its successor. */
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
            if (provider == null) {
                Grant<V> grant = new Right(null, stored.version);
                return wish.undisturbed() ? Claim.granted(grant, this) : Claim.granted(grant);
            }
            Optional<Lease> lease = provider.tryAcquire(name, leaseTime);
            return lease.isPresent()
                    ? Claim.granted(new Right(lease.get(), stored.version))
                    : Claim.held(Duration.ZERO, null);
        }
    }

    private final class Right implements Grant<V> {
        private final @Nullable Lease lease;
        private final long seenVersion;
        private final long begun = store.begin();

        Right(@Nullable Lease lease, long seenVersion) {
            this.lease = lease;
            this.seenVersion = seenVersion;
        }

        @Override
        public long fencingToken() {
            return lease == null ? begun : lease.fencingToken();
        }

        @Override
        public Duration lease() {
            return lease == null ? Duration.ZERO : leaseTime;
        }

        @Override
        public boolean renew() {
            return lease == null || lease.extend(leaseTime);
        }

        @Override
        public Published<V> publish(Draft<V> draft) throws Exception {
            boolean held;
            try {
                held = renew();
            } catch (Exception notKnown) {
                throw released(notKnown);
            }
            if (!held) {
                return refused(release());
            }
            if (!draft.keep()) {
                return new Published<>(Published.Outcome.STORED, null, release());
            }
            Stored<V> written;
            try {
                written = store.write(draft, begun);
            } catch (Exception notWritten) {
                throw released(notWritten);
            }
            Throwable trouble = release();
            return written == null
                    ? refused(trouble)
                    : new Published<>(Published.Outcome.STORED, new Sight(written), trouble);
        }

        @Override
        public void abandon(@Nullable Throwable cause) {
            if (lease != null) {
                lease.close();
            }
        }

        /** The right was lost: a successor was stored since, or nothing was, or what the creator stored by itself. */
        private Published<V> refused(@Nullable Throwable trouble) throws Exception {
            Stored<V> now = store.read();
            if (!now.present() || now.version == seenVersion) {
                return new Published<>(Published.Outcome.VOIDED, null, trouble);
            }
            Published.Outcome outcome = store.isOwn(now) ? Published.Outcome.UNKNOWN : Published.Outcome.SUPERSEDED;
            return new Published<>(outcome, new Sight(now), trouble);
        }

        /** The failure of a publication, after the right was given back. */
        private Exception released(Exception failure) {
            Throwable trouble = release();
            if (trouble != null) {
                failure.addSuppressed(trouble);
            }
            return failure;
        }

        /** A right that cannot be given back must not hide what became of the value. */
        private @Nullable Throwable release() {
            try {
                abandon(null);
                return null;
            } catch (RuntimeException notGivenBack) {
                return notGivenBack;
            }
        }
    }
}
