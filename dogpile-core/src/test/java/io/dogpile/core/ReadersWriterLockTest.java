package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ReadersWriterLockTest extends ReadersWriterContract {
    @Override
    ReadersWriter lock() {
        return new ReadersWriterLock();
    }

    @Override
    long stressNanos() {
        return TimeUnit.MILLISECONDS.toNanos(2_000);
    }

    @Test
    @DisplayName("B-031 readersBehindAWriter_enterBeforeTheNextWriter")
    void readersBehindAWriter_enterBeforeTheNextWriter() throws Exception {
        lock.lockWrite();
        Background<Void> nextWriter = Background.run(lock::lockWrite).parked();
        List<Background<ReadersWriter.Reader>> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            readers.add(Background.start(lock::openRead).parked());
        }
        lock.unlockWrite();

        for (Background<ReadersWriter.Reader> reader : readers) {
            assertFalse(nextWriter.isDone());
            reader.result();
        }
        nextWriter.parked();
        Background<ReadersWriter.Reader> late = Background.start(lock::openRead).parked();
        for (Background<ReadersWriter.Reader> reader : readers) {
            assertFalse(nextWriter.isDone());
            reader.result().close();
        }
        nextWriter.result();
        assertFalse(late.isDone());
    }

    @Test
    @DisplayName("B-031 writersBackToBack_doNotStarveAReader")
    void writersBackToBack_doNotStarveAReader() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        List<Background<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            writers.add(Background.run(() -> {
                while (!done.get()) {
                    lock.lockWrite();
                    lock.unlockWrite();
                }
            }));
        }
        for (int i = 0; i < 200; i++) {
            var reader = lock.openRead(LONG);
            assertNotNull(reader);
            reader.close();
        }
        done.set(true);
        for (Background<Void> writer : writers) {
            writer.result();
        }
    }

    @Test
    @DisplayName("B-021 readersBackToBack_doNotStarveAWriter")
    void readersBackToBack_doNotStarveAWriter() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        List<Background<Void>> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            readers.add(Background.run(() -> {
                var last = lock.openRead().handOver();
                while (!done.get()) {
                    // Always one open where the lock allows it, so that only a wait for its turn lets the writer in.
                    var next = lock.tryOpenRead();
                    last.close();
                    last = next != null ? next.handOver() : lock.openRead().handOver();
                }
                last.close();
            }));
        }
        for (int i = 0; i < 200; i++) {
            assertTrue(lock.tryLockWrite(LONG));
            lock.unlockWrite();
        }
        done.set(true);
        for (Background<Void> reader : readers) {
            reader.result();
        }
    }

    @Test
    @DisplayName("B-031 writers_enterInTheOrderTheyCame")
    void writers_enterInTheOrderTheyCame() throws Exception {
        List<Integer> order = new ArrayList<>();
        lock.lockWrite();
        List<Background<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int number = i;
            writers.add(Background.run(() -> {
                        lock.lockWrite();
                        order.add(number);
                        lock.unlockWrite();
                    })
                    .parked());
        }
        lock.unlockWrite();
        for (Background<Void> writer : writers) {
            writer.result();
        }
        assertEquals(List.of(0, 1, 2, 3), order);
    }

    @Test
    @DisplayName("B-032 spuriousWakeUps_changeNothing")
    void spuriousWakeUps_changeNothing() throws Exception {
        var first = openedElsewhere();
        var second = openedElsewhere();
        Background<Void> writer = Background.run(lock::lockWrite).parked();
        Background<ReadersWriter.Reader> reader =
                Background.start(lock::openRead).parked();
        for (int i = 0; i < 200; i++) {
            LockSupport.unpark(writer.thread);
            LockSupport.unpark(reader.thread);
            Thread.onSpinWait();
            if (i == 100) {
                first.close();
            }
            assertFalse(writer.isDone() || reader.isDone());
            writer.parked();
            reader.parked();
        }
        second.close();
        writer.result();
        assertFalse(reader.isDone());
    }

    @Test
    @DisplayName("B-033 B-034 interrupt_asTheTurnComes_isEitherThrownOrKept")
    void interrupt_asTheTurnComes_isEitherThrownOrKept() throws Exception {
        for (int round = 0; round < 50; round++) {
            var reader = openedElsewhere();
            Background<Boolean> writer = Background.start(() -> {
                        lock.lockWrite();
                        lock.unlockWrite();
                        return Thread.currentThread().isInterrupted();
                    })
                    .parked();
            writer.thread.interrupt();
            reader.close();
            try {
                assertTrue(writer.result(), "the turn came first, and the interrupt is kept");
            } catch (ExecutionException e) {
                assertInstanceOf(InterruptedException.class, e.getCause());
            }
            assertTrue(saidElsewhere(() -> lock.tryLockWrite() && unlocked()), "free either way");
        }
    }

    private boolean unlocked() {
        lock.unlockWrite();
        return true;
    }
}
