package io.dogpile.core;

import com.google.common.util.concurrent.Striped;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * The lock of one of 10,000 names is looked up, taken and freed, mostly without a rival.
 *
 * <p>This class lives in the package of the core, since {@link Gate} is hidden there. The benchmarks run from the class
 * path, where one package may come from two places.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class KeyedLockBenchmark {
    private static final int NAMES = 10_000;
    private static final int STRIPES = 1 << 14;
    /** A power of two. */
    private static final int STEPS = 1 << 16;

    private static String name(int number) {
        return "user:profile:" + number;
    }

    /** What all threads share. */
    @State(Scope.Benchmark)
    public static class Locks {
        final NameRegistry<Gate> gates = NameRegistry.of(name -> new Gate());
        final Striped<Lock> stripes = Striped.lazyWeakLock(STRIPES);

        /** All names are live: somebody holds each gate. */
        final Gate[] held = new Gate[NAMES];

        /** Looks up each name once. */
        public Locks() {
            Arrays.setAll(held, number -> gates.get(name(number)));
        }
    }

    /** One thread's way through the names, uniform; each thread has strings of its own, as callers do. */
    @State(Scope.Thread)
    public static class Walk {
        private final String[] names = new String[STEPS];
        private int at;

        /** Draws the way. */
        public Walk() {
            Random random = new Random(Thread.currentThread().getId());
            String[] each = new String[NAMES];
            Arrays.setAll(each, KeyedLockBenchmark::name);
            Arrays.setAll(names, step -> each[random.nextInt(NAMES)]);
        }

        String next() {
            return names[at++ & (STEPS - 1)];
        }
    }

    /** What is measured. */
    @Benchmark
    public boolean registryAndGate(Locks locks, Walk walk) {
        Gate gate = locks.gates.get(walk.next());
        long token = gate.tryAcquire();
        return token != 0 && gate.release(token);
    }

    /** The reference. */
    @Benchmark
    public boolean stripedLazyWeakLock(Locks locks, Walk walk) {
        Lock lock = locks.stripes.get(walk.next());
        lock.lock();
        try {
            return walk.at != 0;
        } finally {
            lock.unlock();
        }
    }
}
