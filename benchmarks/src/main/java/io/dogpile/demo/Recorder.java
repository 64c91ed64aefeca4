package io.dogpile.demo;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Writes down what happens in one run, while it happens. Thread-safe. */
final class Recorder {
    private final Queue<Call> calls = new ConcurrentLinkedQueue<>();
    private final Queue<Work> works = new ConcurrentLinkedQueue<>();
    private final AtomicInteger served = new AtomicInteger();
    private final AtomicInteger creations = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile long beganAt = System.nanoTime();

    /** Time is counted from then on; what was before is forgotten. */
    void beginIn(long nanos) {
        calls.clear();
        works.clear();
        served.set(0);
        creations.set(0);
        beganAt = System.nanoTime() + nanos;
    }

    long now() {
        return System.nanoTime() - beganAt;
    }

    /** Does the expensive call, and notes it. */
    ModuleIndex index(String module) throws IOException {
        creations.incrementAndGet();
        long begin = now();
        try {
            return ModuleIndexer.index(module);
        } finally {
            works.add(new Work(Caller.currentLane(), begin, now()));
        }
    }

    void called(String key, long due, long begin, Call.Outcome outcome) {
        calls.add(new Call(Caller.currentLane(), key, due, begin, now(), outcome));
        served.incrementAndGet();
    }

    void failed(Throwable thrown) {
        failure.compareAndSet(null, thrown);
    }

    /** Waits for work that goes on though all callers are served. */
    void awaitQuiet() throws InterruptedException {
        while (works.size() < creations.get() && failure.get() == null) {
            Thread.sleep(1);
        }
    }

    int served() {
        return served.get();
    }

    int creations() {
        return creations.get();
    }

    Run run(String way, String stats) {
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw new IllegalStateException("a caller failed: " + thrown, thrown);
        }
        List<Call> ended =
                calls.stream().sorted(Comparator.comparingLong(Call::end)).toList();
        return new Run(way, ended, List.copyOf(works), stats);
    }
}
