package io.dogpile.core;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** The local locks, counted, and made to fail where a test wants it. */
public final class RecordingLocks implements LockProvider {
    private final LockProvider granting = LockProvider.local();
    public final AtomicInteger asked = new AtomicInteger();
    public final AtomicInteger granted = new AtomicInteger();
    public final AtomicInteger extended = new AtomicInteger();
    public final AtomicInteger released = new AtomicInteger();
    public volatile boolean heldElsewhere;
    public volatile boolean lost;
    public volatile RuntimeException askingFails;
    public volatile RuntimeException extendingFails;
    public volatile RuntimeException releaseFails;
    public volatile Duration lastLeaseTime;

    @Override
    public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
        asked.incrementAndGet();
        if (askingFails != null) {
            throw askingFails;
        }
        Optional<Lease> lease = heldElsewhere ? Optional.empty() : granting.tryAcquire(name, leaseTime);
        lease.ifPresent(grant -> granted.incrementAndGet());
        return lease.map(Recorded::new);
    }

    /** Whether the name is held by anybody now. */
    public boolean isHeld(String name) {
        Optional<Lease> lease = granting.tryAcquire(name, Duration.ofSeconds(1));
        lease.ifPresent(Lease::close);
        return lease.isEmpty();
    }

    private final class Recorded implements Lease {
        private final Lease lease;

        Recorded(Lease lease) {
            this.lease = lease;
        }

        @Override
        public long fencingToken() {
            return lease.fencingToken();
        }

        @Override
        public boolean extend(Duration leaseTime) {
            lastLeaseTime = leaseTime; // before who waits for the count may look at it
            extended.incrementAndGet();
            if (extendingFails != null) {
                throw extendingFails;
            }
            return !lost && lease.extend(leaseTime);
        }

        @Override
        public void close() {
            released.incrementAndGet();
            lease.close();
            if (releaseFails != null) {
                throw releaseFails;
            }
        }
    }
}
