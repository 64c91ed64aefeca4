package io.dogpile.core.testing;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An executor that runs nothing before it is told to: what is given to {@code refreshOn} or {@code async}
 * waits until the test calls {@link #runAll}, and then runs on the thread of the test.
 *
 * <p>It keeps all that it takes until then, and has no thread of its own. Thread-safe.
 */
public final class HandDriven implements Executor {
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger taken = new AtomicInteger();
    private volatile boolean refuses;

    /** Makes an executor that takes what it is given. */
    public HandDriven() {}

    /**
     * Takes a task, to be run by {@link #runAll}.
     *
     * @param task the task
     * @throws RejectedExecutionException if it was told to {@linkplain #refuseAll refuse}
     */
    @Override
    public void execute(Runnable task) {
        if (refuses) {
            throw new RejectedExecutionException("told to refuse");
        }
        taken.incrementAndGet();
        tasks.add(task);
    }

    /** Runs all tasks, and those that they lead to, on the current thread. What a task throws ends this. */
    public void runAll() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    /** Forgets all tasks, as an executor does that is stopped at once. */
    public void dropAll() {
        tasks.clear();
    }

    /** Refuses what comes from now on, as an executor does whose queue is full. What was taken stays. */
    public void refuseAll() {
        refuses = true;
    }

    /** Takes what comes from now on. */
    public void acceptAll() {
        refuses = false;
    }

    /**
     * How many tasks were taken.
     *
     * @return all that were ever taken, run or not
     */
    public int taken() {
        return taken.get();
    }
}
