package io.dogpile.cache.backend;

import io.dogpile.core.Slot;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What another partition saw, for one that stands before it and has a say in the claim. */
abstract class ForwardingSeen<V> implements Slot.Seen<V> {
    final Slot.Seen<V> inner;

    ForwardingSeen(Slot.Seen<V> inner) {
        this.inner = inner;
    }

    @Override
    public boolean present() {
        return inner.present();
    }

    @Override
    public @Nullable V value() {
        return inner.value();
    }

    @Override
    public long freshUntil() {
        return inner.freshUntil();
    }

    @Override
    public long usableUntil() {
        return inner.usableUntil();
    }

    @Override
    public long bornAt() {
        return inner.bornAt();
    }

    @Override
    public long costNanos() {
        return inner.costNanos();
    }

    @Override
    public boolean creating() {
        return inner.creating();
    }

    @Override
    public long version() {
        return inner.version();
    }

    @Override
    public Instant createdAt() {
        return inner.createdAt();
    }

    @Override
    public boolean fresh(long nanos) {
        return inner.fresh(nanos);
    }

    @Override
    public boolean usable(long nanos) {
        return inner.usable(nanos);
    }
}
