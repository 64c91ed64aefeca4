package io.dogpile.core;

import java.time.Duration;
import java.util.Optional;

/**
 * Leases for the threads of one process: a weakly registered {@link Gate} per name, held strongly by its lease. They end
 * when they are closed and not by time, since no holder can be cut off from its own process.
 */
final class LocalLockProvider implements LockProvider {
    private final NameRegistry<Gate> gates = NameRegistry.of(name -> new Gate());

    @Override
    public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
        requirePositive(leaseTime);
        Gate gate = gates.get(name);
        long token = gate.tryAcquire();
        return token == 0 ? Optional.empty() : Optional.of(new LocalLease(gate, token));
    }

    private static void requirePositive(Duration leaseTime) {
        if (leaseTime.isNegative() || leaseTime.isZero()) {
            throw new IllegalArgumentException("leaseTime must be positive, was " + leaseTime);
        }
    }

    private record LocalLease(Gate gate, long fencingToken) implements Lease {
        @Override
        public boolean extend(Duration leaseTime) {
            requirePositive(leaseTime);
            return gate.isHeldBy(fencingToken);
        }

        @Override
        public void close() {
            gate.release(fencingToken);
        }
    }
}
