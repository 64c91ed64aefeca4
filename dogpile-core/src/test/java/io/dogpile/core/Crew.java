package io.dogpile.core;

import static java.util.concurrent.TimeUnit.SECONDS;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The threads of one test, which end with it. */
public final class Crew implements AutoCloseable {
    /** Far more than anything here takes; whoever waits longer waits for ever. */
    private static final long PATIENCE_SECONDS = 30;

    private final ExecutorService threads = Executors.newCachedThreadPool();

    <T> Future<T> start(Callable<T> task) {
        return threads.submit(task);
    }

    <T> List<Future<T>> start(int callers, Callable<T> task) {
        List<Future<T>> started = new ArrayList<>();
        for (int caller = 0; caller < callers; caller++) {
            started.add(start(task));
        }
        return started;
    }

    static <T> T result(Future<T> task) throws Exception {
        return task.get(PATIENCE_SECONDS, SECONDS);
    }

    static <T> List<T> results(List<Future<T>> tasks) throws Exception {
        List<T> results = new ArrayList<>();
        for (Future<T> task : tasks) {
            results.add(result(task));
        }
        return results;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
