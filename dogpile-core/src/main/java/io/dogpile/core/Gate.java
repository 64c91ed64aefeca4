package io.dogpile.core;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The lock of one name inside this JVM: held or free, never waited for, and freed by whoever shows the token of the
 * grant, on any thread.
 *
 * <pre>
 *          tryAcquire: +1            tokens are the odd states
 *   FREE ─────────────────► HELD
 *  (even) ◄──────────────── (odd)
 *          release(token): +1        only while the state is that token
 * </pre>
 *
 * <p>Gates are held weakly, by name, in a {@link NameRegistry}: whoever is granted one keeps the gate itself in its
 * lease, so that the name stays locked until the lease is released or forgotten (A-033, B-017). A name's next gate must
 * not number its grants lower than the gate that was collected, so all gates draw their numbers, a block at a time, from
 * one counter.
 *
 * <p>Thread-safe. Neither operation allocates, waits, or calls anything.
 */
final class Gate {
    /** A power of two. The shared counter is touched once in 512 grants; and a block is small enough to be wasted. */
    private static final long STATES_IN_A_BLOCK = 1 << 10;

    private static final AtomicLong NEXT_BLOCK = new AtomicLong();
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Gate.class, "state", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** At the end of a block, and so at first, the next grant opens a new one. */
    private volatile long state;

    /**
     * Takes the gate if it is free.
     *
     * @return the token of this grant, greater than that of every earlier grant of this gate and of every gate that was
     *     collected before this one was made; 0 if the gate is held
     */
    long tryAcquire() {
        long seen = state;
        if (isHeld(seen)) {
            return 0;
        }
        long token = ((seen & (STATES_IN_A_BLOCK - 1)) == 0 ? freshBlock() : seen) + 1;
        return STATE.compareAndSet(this, seen, token) ? token : 0;
    }

    /**
     * Frees the gate if it is still held by the grant of this token.
     *
     * @return false if that grant was released before, or never made
     */
    boolean release(long token) {
        return isHeld(token) && STATE.compareAndSet(this, token, token + 1);
    }

    /** Tells whether any thread holds the gate at this moment. */
    boolean isHeld() {
        return isHeld(state);
    }

    /** Tells whether the grant of this token still holds the gate. */
    boolean isHeldBy(long token) {
        return isHeld(token) && state == token;
    }

    private static boolean isHeld(long state) {
        return (state & 1) != 0;
    }

    private static long freshBlock() {
        return NEXT_BLOCK.getAndIncrement() * STATES_IN_A_BLOCK;
    }
}
