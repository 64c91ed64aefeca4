package io.dogpile.benchmarks;

import io.dogpile.core.TimeSource;
import java.time.Instant;

/** Time that passes when it is told to, for one thread, which never waits; so what is to happen later never has to. */
final class SimulatedTime implements TimeSource {
    private long now;

    void advance(long nanos) {
        now += nanos;
    }

    @Override
    public long nanos() {
        return now;
    }

    @Override
    public Instant instant() {
        return Instant.EPOCH.plusNanos(now);
    }

    @Override
    public Runnable after(long nanos, Runnable task) {
        return () -> {};
    }
}
