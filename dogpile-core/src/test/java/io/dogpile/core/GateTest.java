package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class GateTest {
    private final Gate gate = new Gate();

    @Test
    void tryAcquire_whileHeld_isRefused() {
        assertFalse(gate.isHeld());
        long token = gate.tryAcquire();

        assertTrue(token > 0);
        assertTrue(gate.isHeld());
        assertEquals(0, gate.tryAcquire());
        assertTrue(gate.release(token));
        assertFalse(gate.isHeld());
    }

    @Test
    void release_twiceOrByAnEarlierGrant_isRefusedAndFreesNothing() {
        long first = gate.tryAcquire();
        assertTrue(gate.release(first));
        assertFalse(gate.release(first));
        long second = gate.tryAcquire();

        assertFalse(gate.release(first));
        assertTrue(gate.isHeld());
        assertEquals(0, gate.tryAcquire());
        assertTrue(gate.release(second));
    }

    @Test
    void release_ofWhatIsNoToken_changesNothing() {
        for (long wrong : new long[] {0, -1, 1, 2, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertFalse(gate.release(wrong), () -> "fresh gate, " + wrong);
        }
        long token = gate.tryAcquire();
        assertTrue(token > 0);
        for (long wrong : new long[] {0, -1, token - 1, token + 1, token + 2}) {
            assertFalse(gate.release(wrong), () -> "held gate, " + wrong);
        }
        assertTrue(gate.release(token));
        assertFalse(gate.release(token + 1));
        assertTrue(gate.tryAcquire() > token);
    }

    @Test
    void isHeldBy_isTrueOfTheCurrentGrantAlone() {
        assertFalse(gate.isHeldBy(0));
        long first = gate.tryAcquire();
        assertTrue(gate.isHeldBy(first));
        assertFalse(gate.isHeldBy(first + 1));
        gate.release(first);
        assertFalse(gate.isHeldBy(first));
        assertFalse(gate.isHeldBy(first + 1), "free is not held, though its state is that number");
        long second = gate.tryAcquire();
        assertFalse(gate.isHeldBy(first));
        assertTrue(gate.isHeldBy(second));
    }

    @Test
    void release_onAnotherThread_frees() throws Exception {
        long token = gate.tryAcquire();

        assertTrue(Background.start(() -> gate.release(token)).result());
        assertTrue(gate.tryAcquire() > token);
    }

    @Test
    void tokens_growWithEachGrant_alsoPastABlockAndFromGateToGate() {
        long last = 0;
        for (int i = 0; i < 3_000; i++) {
            long token = gate.tryAcquire();
            assertTrue(token > last, token + " after " + last);
            assertTrue(gate.release(token));
            last = token;
        }
        assertTrue(new Gate().tryAcquire() > last);
    }

    @Test
    void tryAcquire_byManyThreads_grantsOneAtATime() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger clashes = new AtomicInteger();
        int threads = 4;
        int grants = 20_000;
        List<Background<Void>> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            all.add(Background.run(() -> {
                for (int granted = 0; granted < grants; ) {
                    long token = gate.tryAcquire();
                    if (token == 0) {
                        Thread.onSpinWait();
                        continue;
                    }
                    if (inside.incrementAndGet() != 1) {
                        clashes.incrementAndGet();
                    }
                    inside.decrementAndGet();
                    assertTrue(gate.release(token));
                    granted++;
                }
            }));
        }
        for (Background<Void> one : all) {
            one.result();
        }
        assertEquals(0, clashes.get());
        assertFalse(gate.isHeld());
    }
}
