package io.dogpile.core;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Grants the right to create a name, one holder at a time: all that a pluggable, possibly distributed, lock must be.
 *
 * <p>Implementations are thread-safe and hold their promises as the contract suite {@code LockProviderContract} (in this
 * module's test-jar, package {@code io.dogpile.core.testing}) checks them. Who has a store that can compare and set, such
 * as a database, implements the three verbs of {@link LockTable} instead, and asks {@link #over}. What is <em>not</em> asked of them: waiting, fairness, re-entry. A holder that asks
 * for its own name again is refused like anybody else.
 */
@FunctionalInterface
public interface LockProvider {
    /**
     * Tries to get the right to create {@code name}. Never waits for another holder; at most one round trip.
     *
     * @param name the name, at least one character
     * @param leaseTime for how long the right lasts unless it is extended; positive. A provider that only knows whole
     *     seconds rounds up.
     * @return the lease, or empty if somebody else holds it
     * @throws RuntimeException if it is not known whether the right was granted, such as when the lock's server does not
     *     answer. A grant that was made all the same ends with its lease time.
     */
    Optional<Lease> tryAcquire(String name, Duration leaseTime);

    /**
     * A provider for the threads of this process. Its leases end when they are closed, not by time; grants are
     * numbered; a name takes memory only while it is held.
     *
     * @return a new provider, which shares no names with any other
     */
    static LockProvider local() {
        return new LocalLockProvider();
    }

    /**
     * A provider by a table of holders. Its leases end with their time; grants are not numbered. What the table throws is
     * thrown, a checked exception inside a {@link DogpileException}.
     *
     * @param table who holds which name
     * @return a provider
     */
    static LockProvider over(LockTable table) {
        return new TableLockProvider(Objects.requireNonNull(table, "table"));
    }
}
