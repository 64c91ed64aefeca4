package io.dogpile.core;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Our own readers and writer: reading costs two counts on a cache line that threads seldom share; writing is the rare
 * and dearer side.
 *
 * <pre>
 *            lockWrite, readers are in            the last reader leaves
 *   OPEN ────────────────────────────► DRAINING ────────────────────────► WRITING
 *    │ ▲                                  │  ▲                             │ │ ▲
 *    │ └─────── it gives up, no other ────┘  └─── unlockWrite, the next ───┘ │ │
 *    │ └──────────────────── unlockWrite, no other writer waits ─────────────┘ │
 *    ├────────────────────── lockWrite, nobody is in ──────────────────────────┤
 *    └──tryLockWrite──► TRYING ──── nobody is in ──────────────────────────────┘
 *                         └──────── somebody is in ────► OPEN
 * </pre>
 *
 * <p><b>Order.</b> A writer that waits (DRAINING) holds off all new readers, so readers cannot starve it (B-021). Who
 * queues behind a writer as a reader enters when that writer leaves, or gives up, before the next writer, however many
 * there are (B-031). Writers enter in the order they came. The forms that do not wait never overtake anyone.
 *
 * <p><b>Why it is right.</b> A reader counts itself, then looks at the phase; a writer sets the phase, then looks at the
 * counts; both are sequentially consistent, so one sees the other. A reader that counted itself and finds the phase not
 * OPEN decides under the mutex: if the phase is OPEN there, its count stands; if not, it takes the count back there. So
 * whatever a writer counts under the mutex out of OPEN is a reader that is in or will be, and a refused try leaves no
 * trace that another call could see (B-024). Whoever takes a stripe's count to zero while the phase is not OPEN looks,
 * under the mutex, whether all are out, and if so grants the pending writer its turn. Every wait is for one grant, made
 * under the mutex, so a wake-up without a grant changes nothing (B-032), and a waiter that gives up either finds itself
 * granted, and stays, or takes itself out before anyone can grant it (B-033, B-034).
 *
 * <p>The mutex is held for a few steps only, never while anyone waits for a turn.
 */
final class ReadersWriterLock extends ReadersWriter {
    private enum Phase {
        /** Readers come and go; no writer is in or waits. */
        OPEN,
        /** A writer that will not wait looks whether anyone is in. Seen only beside the mutex, never under it. */
        TRYING,
        /** The pending writer waits for the readers that are in. */
        DRAINING,
        /** A writer is in. */
        WRITING
    }

    private static final long FOREVER = Long.MAX_VALUE;
    private static final int NO_TICKET = 0;

    /** Two adjacent cache lines, which the hardware fetches together. */
    private static final int INTS_IN_A_STRIDE = 128 / Integer.BYTES;

    private static final int MOST_STRIPES = 32;
    private static final int STRIPE_BITS =
            bitsFor(Math.min(MOST_STRIPES, 4 * Runtime.getRuntime().availableProcessors()));

    /** 2^32 over the golden ratio: threads started one after the other come to lie far apart. */
    private static final int SPREAD = 0x9E3779B9;

    /** How many readers are in, by stripe, one to a stride; a reader leaves the stripe it entered. */
    private final AtomicIntegerArray counts = new AtomicIntegerArray(INTS_IN_A_STRIDE * ((1 << STRIPE_BITS) + 1));

    private final ReentrantLock mutex = new ReentrantLock();

    /** Written under the mutex. */
    private volatile Phase phase = Phase.OPEN;

    /** The writer for whom the readers drain; null outside of DRAINING. Guarded by mutex. */
    private @Nullable Turn pending;

    /** Readers behind the writer that is in or pending. Empty while OPEN. Guarded by mutex. */
    private final Set<Turn> readers = new LinkedHashSet<>();

    /** Writers behind the writer that is in or pending. Empty while OPEN. Guarded by mutex. */
    private final Set<Turn> writers = new LinkedHashSet<>();

    @Override
    int enterRead() throws InterruptedException {
        return tryEnterRead(FOREVER);
    }

    @Override
    int tryEnterRead() {
        int ticket = ticketOfThisThread();
        Phase seen = phase;
        if (seen == Phase.OPEN && countsAtOnce(ticket)) {
            return ticket;
        }
        if (seen == Phase.DRAINING || seen == Phase.WRITING) {
            return REFUSED;
        }
        return entersUnderMutex(ticket, seen == Phase.OPEN, null) ? ticket : REFUSED;
    }

    @Override
    int tryEnterRead(long timeoutNanos) throws InterruptedException {
        if (timeoutNanos <= 0) {
            return tryEnterRead();
        }
        int ticket = ticketOfThisThread();
        boolean counted = phase == Phase.OPEN;
        if (counted && countsAtOnce(ticket)) {
            return ticket;
        }
        Turn turn = new Turn(ticket);
        return entersUnderMutex(ticket, counted, turn) || await(turn, timeoutNanos) ? ticket : REFUSED;
    }

    /** The way in without the mutex. If it is false, the reader is counted and must go and decide under the mutex. */
    private boolean countsAtOnce(int ticket) {
        counts.getAndIncrement(ticket);
        return phase == Phase.OPEN;
    }

    /** Enters if the phase is OPEN. If not, takes back what was counted, and queues the turn, if one is given. */
    private boolean entersUnderMutex(int ticket, boolean counted, @Nullable Turn turn) {
        Turn granted = null;
        mutex.lock();
        try {
            if (phase == Phase.OPEN) {
                if (!counted) {
                    counts.getAndIncrement(ticket);
                }
                return true;
            }
            if (counted) {
                counts.getAndDecrement(ticket);
                granted = grantIfDrained();
            }
            if (turn != null) {
                readers.add(turn);
            }
        } finally {
            mutex.unlock();
        }
        wake(granted);
        return false;
    }

    @Override
    void exitRead(int ticket) {
        if (counts.decrementAndGet(ticket) == 0 && phase != Phase.OPEN) {
            Turn granted;
            mutex.lock();
            try {
                granted = grantIfDrained();
            } finally {
                mutex.unlock();
            }
            wake(granted);
        }
    }

    @Override
    void enterWrite() throws InterruptedException {
        tryEnterWrite(FOREVER);
    }

    @Override
    boolean tryEnterWrite() {
        mutex.lock();
        try {
            if (phase != Phase.OPEN || anyReader()) {
                return false;
            }
            phase = Phase.TRYING;
            boolean entered = !anyReader();
            phase = entered ? Phase.WRITING : Phase.OPEN;
            return entered;
        } finally {
            mutex.unlock();
        }
    }

    @Override
    boolean tryEnterWrite(long timeoutNanos) throws InterruptedException {
        if (timeoutNanos <= 0) {
            return tryEnterWrite();
        }
        Turn turn = new Turn(NO_TICKET);
        mutex.lock();
        try {
            if (phase != Phase.OPEN) {
                writers.add(turn);
            } else {
                announce(turn);
                if (grantIfDrained() != null) {
                    return true;
                }
            }
        } finally {
            mutex.unlock();
        }
        return await(turn, timeoutNanos);
    }

    @Override
    void exitWrite() {
        List<Turn> granted;
        mutex.lock();
        try {
            granted = passOn();
        } finally {
            mutex.unlock();
        }
        granted.forEach(ReadersWriterLock::wake);
    }

    /** Waits for a queued or announced turn. If it is false, the time ran out and the turn was taken back. */
    private boolean await(Turn turn, long nanos) throws InterruptedException {
        try {
            return turn.came.await(nanos, NANOSECONDS) || !withdraws(turn);
        } catch (InterruptedException e) {
            if (withdraws(turn)) {
                throw e;
            }
            Thread.currentThread().interrupt(); // the turn came first, so the interrupt is for what follows
            return true;
        }
    }

    /** Takes a turn back, unless it was granted. Those whom a pending writer held off go on. */
    private boolean withdraws(Turn turn) {
        List<Turn> granted = List.of();
        mutex.lock();
        try {
            if (turn.granted) {
                return false;
            }
            if (turn == pending) {
                granted = passOn();
            } else if (turn.ticket == NO_TICKET) {
                writers.remove(turn);
            } else {
                readers.remove(turn);
            }
        } finally {
            mutex.unlock();
        }
        granted.forEach(ReadersWriterLock::wake);
        return true;
    }

    /**
     * The writer that is in or pending goes: the readers behind it enter, all of them, then the next writer is
     * announced, if there is one. Gives the turns to be woken once the mutex is free. Guarded by mutex.
     */
    private List<Turn> passOn() {
        List<Turn> granted = new ArrayList<>(readers);
        readers.clear();
        for (Turn reader : granted) {
            counts.getAndIncrement(reader.ticket);
            reader.granted = true;
        }
        pending = null;
        Iterator<Turn> queue = writers.iterator();
        if (!queue.hasNext()) {
            phase = Phase.OPEN;
            return granted;
        }
        announce(queue.next());
        queue.remove();
        Turn writer = grantIfDrained();
        if (writer != null) {
            granted.add(writer);
        }
        return granted;
    }

    /** Guarded by mutex. */
    private void announce(Turn writer) {
        pending = writer;
        phase = Phase.DRAINING;
    }

    /** Lets the pending writer in, if there is one and no reader is in, and gives its turn. Guarded by mutex. */
    private @Nullable Turn grantIfDrained() {
        Turn writer = pending;
        if (writer == null || anyReader()) {
            return null;
        }
        pending = null;
        phase = Phase.WRITING;
        writer.granted = true;
        return writer;
    }

    private boolean anyReader() {
        for (int ticket = INTS_IN_A_STRIDE; ticket < counts.length(); ticket += INTS_IN_A_STRIDE) {
            if (counts.get(ticket) != 0) {
                return true;
            }
        }
        return false;
    }

    private static void wake(@Nullable Turn granted) {
        if (granted != null) {
            granted.came.countDown();
        }
    }

    private static int ticketOfThisThread() {
        int spread = (int) Thread.currentThread().getId() * SPREAD;
        return INTS_IN_A_STRIDE * ((spread >>> (Integer.SIZE - STRIPE_BITS)) + 1);
    }

    private static int bitsFor(int stripes) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(stripes - 1);
    }

    /** One wait of one thread. */
    private static final class Turn {
        /** Where the reader will be counted, or NO_TICKET for a writer. */
        final int ticket;

        final CountDownLatch came = new CountDownLatch(1);

        /** Guarded by mutex. What the latch tells only a moment later, since nobody is woken under the mutex. */
        boolean granted;

        Turn(int ticket) {
            this.ticket = ticket;
        }
    }
}
