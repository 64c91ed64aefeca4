package io.dogpile.redis;

/**
 * Who does what a node does beside its callers: {@link NodeThreads}, and in a simulation the one who decides what happens next.
 */
interface Chores extends AutoCloseable {
    /** Keeps the inbox subscribed until it is closed. */
    void listen(Inbox inbox);

    /** Runs a task, which does not wait for the server, each so many milliseconds. */
    void beat(long millis, Runnable task);

    /** Runs a task, which may wait for the server, each so many milliseconds. */
    void every(long millis, Runnable task);

    /** Runs a task, which may wait for the server, soon, unless there is too much to do already. */
    void later(Runnable task);

    /** Ends them all. */
    @Override
    void close();
}
