package io.dogpile.cache.backend;

import io.dogpile.core.Forwarding;
import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import io.dogpile.core.Slot;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A partition whose rights are granted by a lock first, and by the partition itself second.
 *
 * <p>The lock decides among all who share it; the partition's own right sees to it that a put or an invalidation voids
 * what is being created. What is read goes straight through. Who is refused by the lock is not told what the partition
 * holds meanwhile: it reads.
 *
 * <p>A publication asks the lease whether it still holds ({@link Lease#extend}) and then writes: a holder that is paused
 * between the two for longer than the lease may overwrite its successor, unless the partition's own right refuses it.
 */
final class LockedPartition<V> implements Partition<V> {
    private final Partition<V> inner;
    private final Opening<V> opening;
    private final LockProvider provider;
    private final Duration leaseTime;

    LockedPartition(Partition<V> inner, Opening<V> opening, LockProvider provider, Duration leaseTime) {
        if (leaseTime.isZero() || leaseTime.isNegative()) {
            throw new IllegalArgumentException(
                    "the lease of region '" + opening.region() + "' must be positive, was " + leaseTime);
        }
        this.inner = inner;
        this.opening = opening;
        this.provider = provider;
        this.leaseTime = leaseTime;
    }

    @Override
    public Slot.@Nullable Seen<V> look(Object key) {
        return inner.look(key);
    }

    @Override
    public Slot<V> slot(Object key) {
        Slot<V> slot = inner.slot(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() throws Exception {
                return sight(key, slot.read());
            }

            @Override
            public boolean readsFree() {
                return slot.readsFree();
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return slot.watch(seen -> changed.accept(seen == null ? null : sight(key, seen)));
            }
        };
    }

    private Slot.Seen<V> sight(Object key, Slot.Seen<V> seen) {
        return new Sight(key, seen);
    }

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) throws Exception {
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        inner.readAll(keys).forEach((key, one) -> seen.put(key, sight(key, one)));
        return seen;
    }

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) throws Exception {
        Map<Object, Lease> leases = new LinkedHashMap<>();
        Map<Object, Slot.Claim<V>> granted = Map.of();
        try {
            Map<Object, Asked<V>> askedInside = new LinkedHashMap<>();
            for (Map.Entry<Object, Asked<V>> each : asked.entrySet()) {
                Optional<Lease> lease = provider.tryAcquire(name(each.getKey()), leaseTime);
                if (lease.isPresent()) {
                    leases.put(each.getKey(), lease.get());
                    Asked<V> one = each.getValue();
                    askedInside.put(each.getKey(), new Asked<>(inside(one.seen()), disturbed(one.wish())));
                }
            }
            if (!askedInside.isEmpty()) {
                granted = inner.claimAll(askedInside);
            }
        } catch (Throwable failure) {
            leases.values().forEach(lease -> close(lease, failure));
            throw failure;
        }
        Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
        for (Map.Entry<Object, Asked<V>> each : asked.entrySet()) {
            Object key = each.getKey();
            Lease lease = leases.get(key);
            Slot.Claim<V> claim = lease == null ? null : granted.get(key);
            claims.put(
                    key,
                    lease == null || claim == null
                            ? heldUnlessLeft(key, lease)
                            : under(key, lease, each.getValue().seen(), claim));
        }
        return claims;
    }

    /** The lock refused; or the partition gave no answer, and then nobody has the right. */
    private Slot.Claim<V> heldUnlessLeft(Object key, @Nullable Lease lease) {
        if (lease != null) {
            giveBack(key, lease);
        }
        return Slot.Claim.held(Duration.ZERO, null);
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        inner.put(key, draft);
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        inner.putAll(drafts);
    }

    @Override
    public void invalidate(Object key, Invalidation how) throws Exception {
        inner.invalidate(key, how);
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) throws Exception {
        inner.invalidateAll(keys, how);
    }

    @Override
    public void invalidateAll(Invalidation how) throws Exception {
        inner.invalidateAll(how);
    }

    @Override
    public Slot.Watch watchAll(Consumer<@Nullable String> changed) {
        return inner.watchAll(changed);
    }

    @Override
    public void close() {
        inner.close();
    }

    @Override
    public String toString() {
        return inner + " under " + provider;
    }

    private String name(Object key) {
        return opening.region() + '/' + opening.texts().apply(key);
    }

    /** What the partition itself saw. */
    private Slot.Seen<V> inside(Slot.Seen<V> seen) {
        return seen instanceof LockedPartition<V>.Sight sight ? sight.inside() : seen;
    }

    /** Others share the lock: only a second look, under it, tells what they did. */
    private static Slot.Wish disturbed(Slot.Wish wish) {
        return new Slot.Wish(wish.reason(), wish.maxAgeNanos(), wish.willWait(), false);
    }

    /** The partition's answer to who has the lease, which ends at once if nothing was granted. */
    private Slot.Claim<V> under(Object key, Lease lease, Slot.Seen<V> before, Slot.Claim<V> claim) {
        if (claim.kind() != Slot.Claim.Kind.GRANTED) {
            giveBack(key, lease);
        }
        Slot.Seen<V> last = claim.seen() == null ? before : claim.seen();
        return claim.with(seen -> sight(key, seen), grant -> new Right(key, lease, grant, last.version()));
    }

    /** The answer to the claim is known; a lease that cannot be given back must not hide it. */
    private void giveBack(Object key, Lease lease) {
        Throwable trouble = close(lease, null);
        if (trouble != null) {
            opening.listener().storeDown(key, trouble);
        }
    }

    /** Ends the lease; what goes wrong is added to what went wrong before. */
    private static @Nullable Throwable close(Lease lease, @Nullable Throwable before) {
        try {
            lease.close();
            return before;
        } catch (RuntimeException notGivenBack) {
            return joined(before, notGivenBack);
        }
    }

    private static Throwable joined(@Nullable Throwable first, Throwable next) {
        if (first == null || first == next) {
            return next;
        }
        first.addSuppressed(next);
        return first;
    }

    /** The draft was refused, since the lock's lease was lost; what the key holds now says to whom. */
    private Slot.Published<V> lost(Right right, @Nullable Throwable before) {
        Throwable trouble = before;
        try {
            Slot.Seen<V> now = slot(right.key).read();
            if (now.present() && now.version() != right.seenVersion) {
                return new Slot.Published<>(Slot.Published.Outcome.SUPERSEDED, now, trouble);
            }
        } catch (Exception notKnown) {
            trouble = joined(trouble, notKnown);
        }
        return new Slot.Published<>(Slot.Published.Outcome.VOIDED, null, trouble);
    }

    /** The same, as this partition shows it and with what went wrong beside. */
    private Slot.Published<V> shown(Object key, Slot.Published<V> published, @Nullable Throwable trouble) {
        Slot.Seen<V> seen = published.seen();
        Throwable inside = published.trouble();
        return new Slot.Published<>(
                published.outcome(),
                seen == null ? null : sight(key, seen),
                inside == null ? trouble : trouble == null ? inside : joined(inside, trouble));
    }

    /** What was read, able to claim under the lock. */
    private final class Sight extends Forwarding.Seen<V> {
        private final Object key;

        Sight(Object key, Slot.Seen<V> inner) {
            super(inner);
            this.key = key;
        }

        Slot.Seen<V> inside() {
            return inner;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
            Optional<Lease> lease = provider.tryAcquire(name(key), leaseTime);
            if (lease.isEmpty()) {
                return Slot.Claim.held(Duration.ZERO, null);
            }
            Slot.Claim<V> claim;
            try {
                claim = inner.claim(disturbed(wish));
            } catch (Throwable failure) {
                close(lease.get(), failure);
                throw failure;
            }
            return under(key, lease.get(), inner, claim);
        }
    }

    /** The lock's lease and the partition's own right. */
    private final class Right implements Slot.Grant<V> {
        private final Object key;
        private final Lease lease;
        private final Slot.Grant<V> inner;
        private final long seenVersion;

        Right(Object key, Lease lease, Slot.Grant<V> inner, long seenVersion) {
            this.key = key;
            this.lease = lease;
            this.inner = inner;
            this.seenVersion = seenVersion;
        }

        @Override
        public long fencingToken() {
            long token = lease.fencingToken();
            return token == 0 ? inner.fencingToken() : token;
        }

        @Override
        public Duration lease() {
            Duration inside = inner.lease(); // zero: it does not end by time
            return inside.isZero() || inside.compareTo(leaseTime) > 0 ? leaseTime : inside;
        }

        @Override
        public boolean renew() throws Exception {
            return lease.extend(leaseTime) && inner.renew();
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
            boolean held;
            Slot.Published<V> published = null;
            Throwable trouble = null;
            try {
                held = lease.extend(leaseTime);
                if (held) {
                    published = inner.publish(draft);
                } else {
                    trouble = abandonInside(null);
                }
            } catch (Throwable notKnown) {
                close(lease, abandonInside(notKnown));
                throw notKnown;
            }
            trouble = close(lease, trouble);
            return published == null ? lost(this, trouble) : shown(key, published, trouble);
        }

        private @Nullable Throwable abandonInside(@Nullable Throwable before) {
            try {
                inner.abandon(null);
                return before;
            } catch (Exception notGivenBack) {
                return joined(before, notGivenBack);
            }
        }

        @Override
        public void abandon(@Nullable Throwable cause) throws Exception {
            try (lease) {
                inner.abandon(cause);
            }
        }
    }
}
