package io.dogpile.benchmarks;

import io.dogpile.core.Creator;
import io.dogpile.core.Dogpile;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * A fresh value is got: the call that is made a million times for each creation. The reference is the least that any
 * value with a life costs, if the clock is read for each call: one volatile read and one {@link System#nanoTime()}.
 *
 * <p>A creator that captures nothing is one object for ever; one that captures is made anew by each call, 16 bytes that
 * the compiler can drop only as long as it has never seen the creator used. So before anything is measured, the very
 * call sites that are measured create, fail and serve stale values until their slow path is compiled too.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@State(Scope.Benchmark)
public class HitBenchmark {
    /** Enough for the last tier of the compiler. */
    private static final int POLLUTION = 20_000;

    private final Creator<String> failing = HitBenchmark::fail;
    private final Dogpile<String> fresh = Dogpile.of(Duration.ofHours(1));

    /** Under a second a hit needs the exact clock. */
    private final Dogpile<String> shortLived = Dogpile.of(Duration.ofMillis(999));

    private Dogpile<String> dogpile = fresh;
    private int captured = 1;
    private volatile String value = "value";

    /** Leaves the call sites with all three of their outcomes behind them, and the values fresh. */
    @Setup
    public void pollute() {
        for (int i = 0; i < POLLUTION; i++) {
            dogpile = Dogpile.of(Duration.ofHours(1));
            callEach(); // the first creates, the others hit
            dogpile = Dogpile.of(Duration.ofHours(1));
            catchFailure();
        }
        dogpile = staleWithNobodyToRefresh();
        for (int i = 0; i < POLLUTION; i++) {
            callEach();
        }
        dogpile = fresh;
        callEach();
    }

    private void callEach() {
        nonCapturing();
        capturing();
        lastSecond();
        dogpile.invalidate();
        capturing();
        shortLived.invalidate();
    }

    private void catchFailure() {
        try {
            dogpile.get(failing);
        } catch (IllegalStateException expected) {
            value = "value";
        }
    }

    /** Its refresh is handed to an executor that forgets it, so that every call takes the stale value. */
    private static Dogpile<String> staleWithNobodyToRefresh() {
        Dogpile<String> stale = Dogpile.<String>builder()
                .staleAfter(Duration.ZERO)
                .refreshOn(task -> {})
                .build();
        stale.get(() -> "stale");
        return stale;
    }

    private static String fail() {
        throw new IllegalStateException("to be caught");
    }

    /** The reference. */
    @Benchmark
    public long reference() {
        return value.length() + System.nanoTime();
    }

    /** The creator is a lambda that captures nothing. */
    @Benchmark
    public String nonCapturing() {
        return dogpile.get(() -> "created");
    }

    /** The creator captures a local variable. */
    @Benchmark
    public String capturing() {
        int local = captured;
        return dogpile.get(() -> "created " + local);
    }

    /** The value's life ends within a second, so that the coarse clock is not enough; now and then it is created anew. */
    @Benchmark
    public String lastSecond() {
        return shortLived.get(() -> "created");
    }
}
