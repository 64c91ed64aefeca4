package io.dogpile.cache.histories;

/** What must hold in a history, but for what a fault excuses in a store. */
public enum Invariant {
    /**
     * I1: whatever is read was created or put for that key, by somebody who had begun before, and whose write was not
     * refused; no two creations of a key have the same fence.
     */
    NOTHING_FROM_NOWHERE,
    /** I2: what was replaced is never read again; where grants are numbered, what is read later has no smaller number. */
    NO_WAY_BACK,
    /**
     * I3: what was created from before an invalidation is not read after it; but where the store does not answer, and its own
     * process creates over that value.
     */
    FORGOTTEN_STAYS_FORGOTTEN,
    /** I4: no two create a key at the same time. */
    ONE_RIGHT,
    /** I5: who waits while nobody creates waits no longer than it takes to take over. */
    TAKEN_OVER,
    /** I6: when all is healed nobody waits on. */
    NOBODY_LEFT,
    /**
     * I7: who has a value at hand, even a stale one, does not wait for another's creation; but where its own process began to
     * create before there was that value, and lost the right.
     */
    STALE_IS_SERVED,
    /** I8: what was created and stored is not created again without a reason. */
    ONE_CREATION
}
