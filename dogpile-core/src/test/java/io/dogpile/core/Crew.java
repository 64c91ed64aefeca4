package io.dogpile.core;

import static java.util.concurrent.TimeUnit.SECONDS;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

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

    /** A creator that is held until the test lets it go on, and counts. */
    public static final class Held<V> implements Creator<V> {
        private final CountDownLatch begun = new CountDownLatch(1);
        private final CountDownLatch go = new CountDownLatch(1);
        private final AtomicInteger calls = new AtomicInteger();
        private final Creator<V> then;

        public Held(V value) {
            this(value, () -> value);
        }

        private Held(Object unused, Creator<V> then) {
            this.then = then;
        }

        public static <V> Held<V> then(Creator<V> then) {
            return new Held<>(null, then);
        }

        @Override
        public V create() throws Exception {
            calls.incrementAndGet();
            begun.countDown();
            if (!go.await(PATIENCE_SECONDS, SECONDS)) {
                throw new AssertionError("nobody let this creator go on");
            }
            return then.create();
        }

        public void awaitBegun() throws InterruptedException {
            if (!begun.await(PATIENCE_SECONDS, SECONDS)) {
                throw new AssertionError("nobody was elected");
            }
        }

        public void letGo() {
            go.countDown();
        }

        public int calls() {
            return calls.get();
        }
    }
}
