package io.dogpile.benchmarks;

import io.dogpile.core.SyncReaderDogpile;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.concurrent.locks.StampedLock;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * A reading of a fresh value is opened and closed; nobody writes. The references do what one would write by hand: a read
 * lock around the value, and one look at the clock to know that it is fresh.
 *
 * <p>As in {@link HitBenchmark}, the miss path of the measured call has been taken often enough to be compiled.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@State(Scope.Benchmark)
public class ReadLockBenchmark {
    private static final int POLLUTION = 20_000;

    private final SyncReaderDogpile<String> fresh = SyncReaderDogpile.of(Duration.ofHours(1));
    private SyncReaderDogpile<String> dogpile = fresh;

    private final StampedLock stamped = new StampedLock();
    private final ReentrantReadWriteLock reentrant = new ReentrantReadWriteLock();
    private String value = "value";

    /** Creates, with and without a write, and fails, through the call site that is measured. */
    @Setup
    public void pollute() throws Exception {
        for (int i = 0; i < POLLUTION; i++) {
            dogpile = SyncReaderDogpile.of(Duration.ofHours(1));
            syncReader();
            String written = "written " + i;
            dogpile.write(() -> written);
            dogpile.dogpile().invalidate();
            syncReader();
            dogpile = SyncReaderDogpile.of(Duration.ofHours(1));
            catchFailure();
        }
        dogpile = fresh;
        syncReader();
    }

    private void catchFailure() {
        try (var reading = dogpile.acquire(sync -> sync.write(ReadLockBenchmark::fail))) {
            value = reading.value();
        } catch (IllegalStateException expected) {
            value = "value";
        }
    }

    private static String fail() {
        throw new IllegalStateException("to be caught");
    }

    /** What is measured. */
    @Benchmark
    public int syncReader() {
        try (var reading = dogpile.acquire(sync -> sync.write(() -> "created"))) {
            return reading.value().length();
        }
    }

    /** The reference at one thread. */
    @Benchmark
    public long stampedLock() {
        long stamp = stamped.readLock();
        try {
            return value.length() + System.nanoTime();
        } finally {
            stamped.unlockRead(stamp);
        }
    }

    /** The reference at two threads, whose readers fight over one line. */
    @Benchmark
    public long reentrantReadWriteLock() {
        reentrant.readLock().lock();
        try {
            return value.length() + System.nanoTime();
        } finally {
            reentrant.readLock().unlock();
        }
    }
}
