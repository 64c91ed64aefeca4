package io.dogpile.core;

import static io.dogpile.core.Background.collected;
import static io.dogpile.core.Background.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What holds for readers and a writer, whatever keeps them apart. */
abstract class ReadersWriterContract {
    static final long LONG = TimeUnit.SECONDS.toNanos(20);
    private static final long SHORT = TimeUnit.MILLISECONDS.toNanos(2);

    final ReadersWriter lock = lock();

    abstract ReadersWriter lock();

    /** For how long the stress tests run. */
    abstract long stressNanos();

    @Nested
    class Sides {
        @Test
        @DisplayName("B-019 openRead_byManyThreads_allAreInTogether")
        void openRead_byManyThreads_allAreInTogether() throws Exception {
            int count = 3;
            CountDownLatch in = new CountDownLatch(count);
            List<Background<Void>> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                all.add(Background.run(() -> {
                    var reader = lock.openRead();
                    in.countDown();
                    assertTrue(in.await(20, TimeUnit.SECONDS), "all are in at once");
                    reader.close();
                }));
            }
            for (Background<Void> one : all) {
                one.result();
            }
            assertTrue(lock.tryLockWrite());
        }

        @Test
        @DisplayName("B-020 lockWrite_whileReadersAreIn_waitsForTheLast")
        void lockWrite_whileReadersAreIn_waitsForTheLast() throws Exception {
            var first = openedElsewhere();
            var second = openedElsewhere();
            Background<Void> writer = Background.run(lock::lockWrite).parked();

            first.close();
            assertFalse(writer.isDone());
            writer.parked();
            second.close();
            writer.result();
        }

        @Test
        @DisplayName("B-020 lockWrite_whileAWriterIsIn_waits")
        void lockWrite_whileAWriterIsIn_waits() throws Exception {
            lock.lockWrite();
            Background<Void> second = Background.run(() -> {
                lock.lockWrite();
                lock.unlockWrite();
            });
            second.parked();
            assertFalse(saidElsewhere(lock::tryLockWrite));
            lock.unlockWrite();
            second.result();
        }

        @Test
        @DisplayName("B-021 B-022 pendingWriter_holdsOffNewReaders_andEntersBeforeThem")
        void pendingWriter_holdsOffNewReaders_andEntersBeforeThem() throws Exception {
            List<String> order = new ArrayList<>();
            var first = openedElsewhere();
            Background<Void> writer = Background.run(() -> {
                lock.lockWrite();
                order.add("writer");
                lock.unlockWrite();
            });
            writer.parked();
            assertNull(elsewhere(lock::tryOpenRead));
            Background<Void> reader = Background.run(() -> {
                var second = lock.openRead();
                order.add("reader");
                second.close();
            });
            reader.parked();
            assertNull(lock.tryOpenRead());
            first.close();

            writer.result();
            reader.result();
            assertEquals(List.of("writer", "reader"), order);
        }

        @Test
        @DisplayName("B-022 B-025 tryOpenRead_isGivenUnlessAWriterIsInOrPending")
        void tryOpenRead_isGivenUnlessAWriterIsInOrPending() throws Exception {
            var first = elsewhere(lock::tryOpenRead);
            assertNotNull(first, "free");
            var second = elsewhere(lock::tryOpenRead);
            assertNotNull(second, "beside a reader");
            Background<Void> writer = Background.run(lock::lockWrite).parked();
            assertNull(elsewhere(lock::tryOpenRead), "beside a pending writer");
            first.close();
            second.close();
            writer.result();
            assertNull(elsewhere(lock::tryOpenRead), "beside a writer");
            assertNull(elsewhere(() -> lock.openRead(SHORT)), "beside a writer, in time");
            assertNull(elsewhere(() -> lock.openRead(-1)), "beside a writer, without time");
        }

        @Test
        @DisplayName("B-023 B-025 tryLockWrite_isGivenOnlyIfNobodyIsInOrPending")
        void tryLockWrite_isGivenOnlyIfNobodyIsInOrPending() throws Exception {
            var reader = openedElsewhere();
            assertFalse(saidElsewhere(lock::tryLockWrite), "beside a reader");
            assertFalse(saidElsewhere(() -> lock.tryLockWrite(SHORT)), "beside a reader, in time");
            assertFalse(saidElsewhere(() -> lock.tryLockWrite(-1)), "beside a reader, without time");
            CountDownLatch mayLeave = new CountDownLatch(1);
            Background<Void> writer = Background.run(() -> {
                lock.lockWrite();
                assertTrue(mayLeave.await(20, TimeUnit.SECONDS));
                lock.unlockWrite();
            });
            writer.parked();
            assertFalse(lock.tryLockWrite(), "beside a pending writer");
            reader.close();
            eventually("the writer is in", () -> elsewhereOpens() == null);
            assertFalse(lock.tryLockWrite(), "beside a writer");
            mayLeave.countDown();
            writer.result();
            assertTrue(lock.tryLockWrite(), "free");
            lock.unlockWrite();
            assertTrue(lock.tryLockWrite(LONG), "free, in time");
        }

        private ReadersWriter.Reader elsewhereOpens() {
            var opened = elsewhere(lock::tryOpenRead);
            if (opened != null) {
                opened.close();
            }
            return opened;
        }

        @Test
        @DisplayName("B-024 tryLockWrite_refused_leavesNoTrace")
        void tryLockWrite_refused_leavesNoTrace() throws Exception {
            var first = openedElsewhere();
            assertFalse(lock.tryLockWrite());
            var second = elsewhere(lock::tryOpenRead);
            assertNotNull(second);
            first.close();
            assertFalse(lock.tryLockWrite());
            second.close();
            assertTrue(lock.tryLockWrite());
        }

        @Test
        @DisplayName("B-020 stress: writers alone, readers together, and free at the end")
        void sides_underStress_excludeEachOther() throws Exception {
            AtomicInteger writers = new AtomicInteger();
            AtomicInteger readers = new AtomicInteger();
            AtomicInteger clashes = new AtomicInteger();
            AtomicInteger reads = new AtomicInteger();
            AtomicInteger writes = new AtomicInteger();
            long[] guarded = new long[1]; // written in write sections, without any other order
            long begin = System.nanoTime();
            BooleanSupplier goesOn = () -> {
                long past = System.nanoTime() - begin;
                // A machine that stalled for all of its time has shown nothing yet.
                return past < stressNanos() || past < LONG / 2 && (reads.get() == 0 || writes.get() == 0);
            };
            List<Background<Void>> all = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                SplittableRandom random = new SplittableRandom(t);
                all.add(Background.run(() -> {
                    while (goesOn.getAsBoolean()) {
                        int choice = random.nextInt(16);
                        try {
                            if (choice < 5) {
                                boolean in = switch (choice) {
                                    case 0 -> {
                                        lock.lockWrite();
                                        yield true;
                                    }
                                    case 1 -> lock.tryLockWrite(random.nextLong(50_000));
                                    default -> lock.tryLockWrite();
                                };
                                if (in) {
                                    if (writers.incrementAndGet() != 1 || readers.get() != 0) {
                                        clashes.incrementAndGet();
                                    }
                                    guarded[0]++;
                                    writers.decrementAndGet();
                                    writes.incrementAndGet();
                                    lock.unlockWrite();
                                }
                            } else {
                                var reader = switch (choice) {
                                    case 5 -> lock.openRead(random.nextLong(50_000));
                                    case 6, 7, 8, 9 -> lock.tryOpenRead();
                                    default -> lock.openRead();
                                };
                                if (reader != null) {
                                    readers.incrementAndGet();
                                    long before = guarded[0];
                                    if (writers.get() != 0 || guarded[0] != before) {
                                        clashes.incrementAndGet();
                                    }
                                    readers.decrementAndGet();
                                    reads.incrementAndGet();
                                    reader.close();
                                }
                            }
                        } catch (InterruptedException e) {
                            Thread.interrupted(); // by design of the test: whoever was interrupted is out
                        }
                    }
                }));
            }
            while (goesOn.getAsBoolean()) {
                all.forEach(one -> one.thread.interrupt());
                LockSupport.parkNanos(50_000);
            }
            for (Background<Void> one : all) {
                one.result();
            }

            assertEquals(0, clashes.get());
            assertEquals(writes.get(), guarded[0]);
            assertTrue(reads.get() > 0 && writes.get() > 0, reads + " reads, " + writes + " writes");
            assertTrue(lock.tryLockWrite(), "all are out");
            lock.unlockWrite();
            assertNotNull(lock.tryOpenRead());
        }
    }

    @Nested
    class Closing {
        @Test
        @DisplayName("B-026 B-027 close_twice_isAnErrorAndChangesNothing")
        void close_twice_isAnErrorAndChangesNothing() throws Exception {
            var reader = lock.openRead();
            reader.close();
            assertTrue(assertThrows(IllegalStateException.class, reader::close)
                    .getMessage()
                    .contains("closed twice"));
            var other = openedElsewhere();
            assertThrows(IllegalStateException.class, reader::close);

            assertFalse(lock.tryLockWrite());
            other.close();
            assertTrue(lock.tryLockWrite());
        }

        @Test
        @DisplayName("B-026 B-027 close_byManyThreadsAtOnce_succeedsOnce")
        void close_byManyThreadsAtOnce_succeedsOnce() throws Exception {
            for (int round = 0; round < 50; round++) {
                var reader = openedElsewhere();
                var other = openedElsewhere();
                AtomicInteger refused = new AtomicInteger();
                List<Background<Void>> all = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    all.add(Background.run(() -> {
                        try {
                            reader.close();
                        } catch (IllegalStateException e) {
                            refused.incrementAndGet();
                        }
                    }));
                }
                for (Background<Void> one : all) {
                    one.result();
                }
                assertEquals(2, refused.get());
                assertFalse(lock.tryLockWrite());
                other.close();
                assertTrue(lock.tryLockWrite());
                lock.unlockWrite();
            }
        }

        @Test
        void close_onAnotherThread_letsTheWriterIn() throws Exception {
            var reader = lock.openRead();
            Background<Void> writer = Background.run(lock::lockWrite).parked();

            Background.run(reader::close).result();
            writer.result();
        }

        @Test
        @DisplayName("B-028 unlockWrite_byAnotherThread_isAnErrorAndTheLockStaysHeld")
        void unlockWrite_byAnotherThread_isAnErrorAndTheLockStaysHeld() throws Exception {
            lock.lockWrite();
            Throwable refused = Background.run(lock::unlockWrite).failure();
            assertInstanceOf(IllegalStateException.class, refused);
            assertTrue(refused.getMessage().contains(Thread.currentThread().getName()), refused.getMessage());

            assertNull(elsewhere(lock::tryOpenRead));
            lock.unlockWrite();
            assertNotNull(elsewhere(lock::tryOpenRead));
        }

        @Test
        @DisplayName("B-029 unlockWrite_whenNotHeld_isAnErrorAndChangesNothing")
        void unlockWrite_whenNotHeld_isAnErrorAndChangesNothing() throws Exception {
            assertThrows(IllegalStateException.class, lock::unlockWrite);
            var reader = lock.openRead();
            assertThrows(IllegalStateException.class, lock::unlockWrite);
            assertFalse(saidElsewhere(lock::tryLockWrite));
            reader.close();
            lock.lockWrite();
            lock.unlockWrite();
            assertThrows(IllegalStateException.class, lock::unlockWrite);
            assertTrue(lock.tryLockWrite());
        }
    }

    @Nested
    class GivingUp {
        @Test
        @DisplayName("B-033 lockWrite_interrupted_letsThoseInWhomItHeldOff")
        void lockWrite_interrupted_letsThoseInWhomItHeldOff() throws Exception {
            var first = openedElsewhere();
            Background<Void> writer = Background.run(lock::lockWrite).parked();
            Background<ReadersWriter.Reader> second =
                    Background.start(lock::openRead).parked();
            writer.thread.interrupt();

            assertInstanceOf(InterruptedException.class, writer.failure());
            second.result().close();
            assertThrows(IllegalStateException.class, lock::unlockWrite);
            var third = elsewhere(lock::tryOpenRead);
            third.close();
            first.close();
            assertTrue(lock.tryLockWrite());
        }

        @Test
        @DisplayName("B-033 tryLockWrite_timedOut_letsThoseInWhomItHeldOff")
        void tryLockWrite_timedOut_letsThoseInWhomItHeldOff() throws Exception {
            var first = openedElsewhere();
            Background<Boolean> writer = Background.start(() -> lock.tryLockWrite(TimeUnit.MILLISECONDS.toNanos(300)));
            writer.parked();
            Background<ReadersWriter.Reader> second = Background.start(lock::openRead);

            assertFalse(writer.result());
            second.result().close();
            first.close();
            assertTrue(lock.tryLockWrite());
        }

        @Test
        @DisplayName("B-033 lockWrite_interruptedBehindAnotherWriter_leavesTheQueue")
        void lockWrite_interruptedBehindAnotherWriter_leavesTheQueue() throws Exception {
            lock.lockWrite();
            Background<Void> second = Background.run(lock::lockWrite).parked();
            Background<Boolean> third = Background.start(() -> lock.tryLockWrite(SHORT));
            assertFalse(third.result());
            second.thread.interrupt();
            assertInstanceOf(InterruptedException.class, second.failure());

            lock.unlockWrite();
            assertNotNull(elsewhere(lock::tryOpenRead));
        }

        @Test
        @DisplayName("B-034 openRead_interruptedOrTimedOut_leavesTheCountsAlone")
        void openRead_interruptedOrTimedOut_leavesTheCountsAlone() throws Exception {
            lock.lockWrite();
            Background<ReadersWriter.Reader> interrupted =
                    Background.start(lock::openRead).parked();
            Background<ReadersWriter.Reader> timedOut = Background.start(() -> lock.openRead(SHORT));
            interrupted.thread.interrupt();

            assertInstanceOf(InterruptedException.class, interrupted.failure());
            assertNull(timedOut.result());
            lock.unlockWrite();
            assertTrue(saidElsewhere(lock::tryLockWrite));
        }
    }

    @Nested
    class OwnSections {
        @Test
        @DisplayName("B-035 B-044 write_insideOwnWrite_isRefusedAtOnce")
        void write_insideOwnWrite_isRefusedAtOnce() throws Exception {
            lock.lockWrite();
            assertWriteRefused("holds the write lock");
            lock.unlockWrite();
            assertTrue(saidElsewhere(lock::tryLockWrite), "the refusals left nothing");
        }

        @Test
        @DisplayName("B-035 B-044 read_insideOwnWrite_isRefusedAtOnce")
        void read_insideOwnWrite_isRefusedAtOnce() throws Exception {
            lock.lockWrite();
            assertReadRefused("holds the write lock");
            lock.unlockWrite();
            assertTrue(saidElsewhere(lock::tryLockWrite), "the refusals left nothing");
        }

        @Test
        @DisplayName("B-035 B-044 write_insideOwnRead_isRefusedAtOnce")
        void write_insideOwnRead_isRefusedAtOnce() throws Exception {
            var reader = lock.openRead();
            assertWriteRefused("has a read open");
            elsewhere(lock::tryOpenRead).close();
            reader.close();
            assertTrue(saidElsewhere(lock::tryLockWrite), "the refusals left nothing");
        }

        @Test
        @DisplayName("B-035 B-044 read_insideOwnRead_isRefusedAtOnce_alsoWithAPendingWriter")
        void read_insideOwnRead_isRefusedAtOnce_alsoWithAPendingWriter() throws Exception {
            var reader = lock.openRead();
            assertReadRefused("has a read open");
            Background<Void> writer = Background.run(lock::lockWrite).parked();
            assertReadRefused("has a read open");
            reader.close();
            writer.result();
        }

        @Test
        void sections_ofOtherLocks_areNoHindrance() throws Exception {
            ReadersWriter other = lock();
            ReadersWriter third = lock();
            var outer = lock.openRead();
            var inner = other.openRead();
            third.lockWrite();
            outer.close();
            var again = lock.openRead();
            assertThrows(IllegalStateException.class, other::openRead);
            assertThrows(IllegalStateException.class, lock::lockWrite);
            inner.close();
            third.unlockWrite();
            again.handOver();
            assertTrue(other.tryLockWrite());
            assertFalse(lock.tryLockWrite(), "what was handed over is still open");
        }

        @Test
        @DisplayName("B-035 openRead_afterHandOver_isGiven")
        void openRead_afterHandOver_isGiven() throws Exception {
            var given = lock.openRead().handOver();
            var second = lock.openRead();
            assertThrows(IllegalStateException.class, lock::openRead, "the second was not given away");
            assertSame(given, given.handOver());
            Background.run(given::close).result();
            assertFalse(saidElsewhere(lock::tryLockWrite));
            second.close();
            assertTrue(saidElsewhere(lock::tryLockWrite));
            assertThrows(IllegalStateException.class, given::handOver);
        }

        @Test
        @DisplayName("B-035 openRead_afterAnotherThreadHandedOverTheFirst_isGiven")
        void openRead_afterAnotherThreadHandedOverTheFirst_isGiven() throws Exception {
            var first = lock.openRead();
            Background.run(first::handOver).result();
            lock.openRead().close();
            first.close();
            assertTrue(lock.tryLockWrite());
        }

        @Test
        void sections_closedInAnyOrder_areForgotten() throws Exception {
            ReadersWriter other = lock();
            var outer = lock.openRead();
            var inner = other.openRead();
            outer.close();
            assertThrows(IllegalStateException.class, other::openRead);
            inner.close();
            var again = lock.openRead();
            Background.run(other.openRead()::close).result();
            assertThrows(IllegalStateException.class, lock::openRead);
            again.close();
            assertTrue(lock.tryLockWrite());
            assertTrue(other.tryLockWrite());
        }

        @Test
        @DisplayName("B-035 lockWrite_afterHandOver_waitsForTheOtherThread")
        void lockWrite_afterHandOver_waitsForTheOtherThread() throws Exception {
            Background<ReadersWriter.Reader> given =
                    Background.start(() -> lock.openRead().handOver());
            var reader = given.result();
            Background<Boolean> writer = Background.start(() -> {
                var own = lock.openRead().handOver();
                Background.run(own::close).result();
                return lock.tryLockWrite(LONG);
            });
            writer.parked();
            reader.close();
            assertTrue(writer.result());
        }

        @Test
        @DisplayName("B-035 openRead_afterAnotherThreadClosedTheFirst_isGiven")
        void openRead_afterAnotherThreadClosedTheFirst_isGiven() throws Exception {
            for (int i = 0; i < 3; i++) {
                var reader = lock.openRead();
                assertThrows(IllegalStateException.class, lock::openRead);
                Background.run(reader::close).result();
            }
            lock.lockWrite();
            lock.unlockWrite();
        }

        @Test
        void lock_whoseReadWasClosedElsewhere_isNotPinnedByTheOpener() throws Exception {
            WeakReference<ReadersWriter> forgotten = readAndCloseElsewhere();
            collected(forgotten);
        }

        private WeakReference<ReadersWriter> readAndCloseElsewhere() throws Exception {
            ReadersWriter shortLived = lock();
            var reader = shortLived.openRead();
            Background.run(reader::close).result();
            return new WeakReference<>(shortLived);
        }

        private void assertReadRefused(String because) {
            assertRefused(because, lock::openRead);
            assertRefused(because, lock::tryOpenRead);
            assertRefused(because, () -> lock.openRead(LONG));
        }

        private void assertWriteRefused(String because) {
            assertRefused(because, lock::lockWrite);
            assertRefused(because, lock::tryLockWrite);
            assertRefused(because, () -> lock.tryLockWrite(LONG));
        }

        private void assertRefused(String because, Executable call) {
            long start = System.nanoTime();
            IllegalStateException refused = assertThrows(IllegalStateException.class, call);
            assertTrue(System.nanoTime() - start < LONG / 2, "at once");
            assertTrue(refused.getMessage().contains(because), refused.getMessage());
        }
    }

    /** Opened by a thread that has ended, so that it counts as nobody's here. */
    final ReadersWriter.Reader openedElsewhere() {
        return elsewhere(lock::openRead);
    }

    final boolean saidElsewhere(Callable<Boolean> call) {
        return elsewhere(call);
    }

    final <T> T elsewhere(Callable<T> call) {
        try {
            return Background.start(call).result();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
