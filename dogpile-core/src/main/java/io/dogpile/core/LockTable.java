package io.dogpile.core;

import java.time.Duration;

/**
 * Who holds which name, and until when: the least that a store must keep to lock by, such as a table with a row for each
 * name. {@link LockProvider#over} makes a provider of it; drawing holders, checking lease times and wrapping failures is
 * that one's work.
 *
 * <p>Each verb is one atomic statement, and the time is the store's own: clocks of clients differ. No verb waits for a
 * holder. One that throws says "not known". Lease times are positive and whole milliseconds. Thread-safe.
 */
public interface LockTable {
    /**
     * Enters the holder, unless the name is held and the time of its holder is not over.
     *
     * @param name the name: any text, compared exactly
     * @param holder who it is to be held by: 36 characters, another for each call
     * @param leaseTime for how long from now
     * @return whether the holder was entered
     * @throws Exception if it is not known whether it was
     */
    boolean take(String name, String holder, Duration leaseTime) throws Exception;

    /**
     * Sets a new end for the holder, if it is still entered and its time is not over.
     *
     * @param name the name
     * @param holder who must hold it
     * @param leaseTime for how long from now
     * @return false if the name is no longer this holder's
     * @throws Exception if it is not known whether it was set
     */
    boolean keep(String name, String holder, Duration leaseTime) throws Exception;

    /**
     * Removes the holder, if it is still entered; never another. Harmless otherwise.
     *
     * @param name the name
     * @param holder who must hold it
     * @throws Exception if it is not known whether it was removed
     */
    void leave(String name, String holder) throws Exception;
}
