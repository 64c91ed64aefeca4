package io.dogpile.core;

import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/** Where a caller keeps a value with its creation time; counts who reads it and who creates. */
final class Stamps<V> {
    private final FakeTime time;
    final AtomicInteger reads = new AtomicInteger();
    final AtomicInteger creates = new AtomicInteger();
    private volatile Optional<Stamped<V>> kept = Optional.empty();
    volatile boolean dropsAll;

    Stamps(FakeTime time) {
        this.time = time;
    }

    /** Keeps a value that was created that long ago; a negative age is a stamp from the future. */
    Stamps<V> holding(V value, Duration age) {
        kept = Optional.of(new Stamped<>(value, time.instant().minus(age)));
        return this;
    }

    Callable<Optional<Stamped<V>>> getter() {
        return () -> {
            reads.incrementAndGet();
            return kept;
        };
    }

    Creator<Stamped<V>> creating(Callable<? extends V> value) {
        return () -> {
            creates.incrementAndGet();
            Stamped<V> created = new Stamped<>(value.call(), time.instant());
            if (!dropsAll) {
                kept = Optional.of(created);
            }
            return created;
        };
    }

    Creator<Stamped<V>> creating(V value) {
        return creating(() -> value);
    }
}
