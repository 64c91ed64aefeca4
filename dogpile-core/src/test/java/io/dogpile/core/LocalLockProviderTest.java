package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.LockProviderContract;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LocalLockProviderTest extends LockProviderContract {
    @Override
    protected LockProvider provider() {
        return LockProvider.local();
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.WITH_THE_PROCESS, Trait.NUMBERED);
    }

    @Test
    @Tag("F-009")
    void twoProviders_shareNoNames() {
        Lease one = LockProvider.local().tryAcquire("foo", LONG_LEASE).orElseThrow();
        assertTrue(LockProvider.local().tryAcquire("foo", LONG_LEASE).isPresent());
        assertTrue(one.extend(LONG_LEASE));
    }

    @Test
    @Tag("A-032")
    void leaseThatIsForgotten_isFreedByTheCollector() {
        LockProvider provider = LockProvider.local();
        WeakReference<Lease> forgotten =
                new WeakReference<>(provider.tryAcquire("foo", LONG_LEASE).orElseThrow());
        Optional<Lease> next = Optional.empty();
        for (int collection = 0; collection < 100 && next.isEmpty(); collection++) {
            System.gc();
            next = provider.tryAcquire("foo", LONG_LEASE);
        }
        assertTrue(next.isPresent());
        assertTrue(forgotten.refersTo(null));
    }

    @Test
    void tokenAfterACollection_isStillHigher() {
        LockProvider provider = LockProvider.local();
        long last = 0;
        for (int round = 0; round < 5; round++) {
            WeakReference<Lease> ended = new WeakReference<>(acquiredAfter(last, provider));
            last = Objects.requireNonNull(ended.get()).fencingToken();
            for (int collection = 0; collection < 100 && !ended.refersTo(null); collection++) {
                System.gc();
            }
            assertTrue(ended.refersTo(null), "collected, with all that is kept of the name");
        }
    }

    /** By itself, so that no local variable holds the lease. */
    private static Lease acquiredAfter(long last, LockProvider provider) {
        try (Lease lease = provider.tryAcquire("foo", LONG_LEASE).orElseThrow()) {
            assertTrue(lease.fencingToken() > last, lease.fencingToken() + " after " + last);
            return lease;
        }
    }

    @Test
    @Tag("A-030")
    void extend_doesNotRevive_whatAnotherHolds() {
        LockProvider provider = LockProvider.local();
        Lease first = provider.tryAcquire("foo", Duration.ofSeconds(1)).orElseThrow();
        first.close();
        Lease second = provider.tryAcquire("foo", Duration.ofSeconds(1)).orElseThrow();
        assertEquals(false, first.extend(LONG_LEASE));
        assertTrue(second.extend(LONG_LEASE));
    }
}
