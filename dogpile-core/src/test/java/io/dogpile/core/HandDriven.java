package io.dogpile.core;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/** An executor that runs nothing before it is told to, and refuses where a test wants it. */
public final class HandDriven implements Executor {
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    public final AtomicInteger taken = new AtomicInteger();
    public volatile boolean full;

    @Override
    public void execute(Runnable task) {
        if (full) {
            throw new RejectedExecutionException("full");
        }
        taken.incrementAndGet();
        tasks.add(task);
    }

    /** Runs all tasks, and those that they lead to, on the current thread. */
    public void runAll() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    /** Forgets all tasks, as an executor does that is stopped at once. */
    public void dropAll() {
        tasks.clear();
    }
}
