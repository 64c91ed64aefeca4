package io.dogpile.core;

import java.time.Duration;

/**
 * The right to create one name, until it is closed, or its time ends, or the process does.
 *
 * <p>Thread-safe: it may be extended and closed from another thread than the one that got it.
 */
public interface Lease extends AutoCloseable {
    /**
     * The number of this grant, which grows with each grant of the same name; a store that compares it can refuse a
     * writer whose lease has passed to another (Kleppmann's fencing token).
     *
     * @return the token, or 0 if this provider does not number its grants
     */
    default long fencingToken() {
        return 0;
    }

    /**
     * Makes the lease last for {@code leaseTime} from now.
     *
     * @param leaseTime the new time left; positive
     * @return false if the lease is lost: it has ended, and may be another's by now
     * @throws RuntimeException if it is not known whether the lease was extended
     */
    boolean extend(Duration leaseTime);

    /**
     * Gives the right back. Idempotent, from any thread; frees only this grant, never that of a later holder.
     *
     * @throws RuntimeException if it is not known whether the lease was given back; it then ends with its time
     */
    @Override
    void close();
}
