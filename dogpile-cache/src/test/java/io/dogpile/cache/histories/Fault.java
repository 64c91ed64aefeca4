package io.dogpile.cache.histories;

/** What is done to a store, or to processes, while they work. */
public enum Fault {
    /** A process that creates is killed with -9. */
    KILL,
    /** A process that creates is stopped for longer than its lease. */
    PAUSE,
    /** The store is killed and started again, and has lost everything. */
    RESTART_EMPTY,
    /** The store is killed and started again, and has what it had acknowledged. */
    RESTART_PERSISTED,
    /** All that the store held is removed. */
    FLUSH,
    /** The master is killed and its replica becomes master. */
    FAILOVER,
    /** The network of one process is cut. */
    CUT,
    /** The store is short of memory, and forgets what it likes. */
    EVICTION,
    /** The wall clocks of the processes are apart. */
    CLOCKS
}
