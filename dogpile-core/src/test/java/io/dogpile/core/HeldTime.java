package io.dogpile.core;

import io.dogpile.core.testing.Held;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;

/** Another clock, which holds one thread at one of its looks: for tests of what others do while it is busy. Thread-safe. */
public final class HeldTime implements TimeSource {
    private final TimeSource time;
    private final Held<Boolean> held = new Held<>(true);
    private final AtomicInteger looksLeft = new AtomicInteger();
    private volatile Thread holding;

    public HeldTime(TimeSource time) {
        this.time = time;
    }

    /** Holds the current thread at its so many-th look from now on. */
    public void holdMeAtLook(int look) {
        looksLeft.set(look);
        holding = Thread.currentThread();
    }

    public void awaitHolding() throws InterruptedException {
        held.awaitBegun();
    }

    public void letGo() {
        held.letGo();
    }

    @Override
    public long nanos() {
        if (Thread.currentThread() == holding && looksLeft.decrementAndGet() == 0) {
            try {
                held.create();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        return time.nanos();
    }

    @Override
    public Instant instant() {
        return time.instant();
    }
}
