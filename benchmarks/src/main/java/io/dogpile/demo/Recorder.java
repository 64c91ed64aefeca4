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
    private final int jvm;
    private final Witness witness;
    private final Queue<Call> calls = new ConcurrentLinkedQueue<>();
    private final Queue<Work> works = new ConcurrentLinkedQueue<>();
    private final AtomicInteger served = new AtomicInteger();
    private final AtomicInteger creations = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile long beganAt = System.nanoTime();

    /** For a run in this JVM alone. */
    Recorder() {
        this(0, Witness.NONE);
    }

    /** For the share that this JVM has in a run of several. */
    Recorder(int jvm, Witness witness) {
        this.jvm = jvm;
        this.witness = witness;
    }

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
        return work(() -> ModuleIndexer.index(module));
    }

    /** What costs a lot. */
    @FunctionalInterface
    interface Costly<T> {
        T get() throws IOException;
    }

    /** Does what costs a lot, and notes it. */
    <T> T work(Costly<T> costly) throws IOException {
        int lane = Caller.currentLane();
        long begin = now();
        begun();
        witness.begun(lane, begin);
        try {
            return costly.get();
        } finally {
            Work work = new Work(jvm, lane, begin, now());
            witness.worked(work);
            add(work);
        }
    }

    void called(String key, long due, long begin, Call.Outcome outcome) {
        Call call = new Call(jvm, Caller.currentLane(), key, due, begin, now(), outcome);
        witness.called(call);
        add(call);
    }

    /** The expensive call has begun, here or in another JVM. */
    void begun() {
        creations.incrementAndGet();
    }

    void add(Work work) {
        works.add(work);
    }

    void add(Call call) {
        calls.add(call);
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

    /** Throws what a caller failed with, if one did. */
    void check() {
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw new IllegalStateException("a caller failed: " + thrown, thrown);
        }
    }

    Run run(String way, String stats) {
        check();
        List<Call> ended =
                calls.stream().sorted(Comparator.comparingLong(Call::end)).toList();
        return new Run(way, ended, List.copyOf(works), stats);
    }
}
