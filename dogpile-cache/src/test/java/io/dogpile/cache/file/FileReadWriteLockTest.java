package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Background;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two objects of one lock, in one JVM. */
class FileReadWriteLockTest {
    private static final long SHORT_MILLIS = 5;

    @TempDir
    Path directory;

    private FileReadWriteLock first;
    private FileReadWriteLock second;

    @BeforeEach
    void open() {
        first = FileReadWriteLock.in(directory, "name");
        second = FileReadWriteLock.in(directory, "name");
    }

    @AfterEach
    void close() {
        first.close();
        second.close();
    }

    private void assertFree() {
        for (FileReadWriteLock lock : List.of(first, second)) {
            assertTrue(lock.writeLock().tryLock());
            lock.writeLock().unlock();
        }
    }

    @Test
    @Tag("E-047")
    @Tag("D-029")
    void readers_areInTogether_andTheLastOneLetsTheWriterIn() {
        first.readLock().lock();
        first.readLock().lock();
        second.readLock().lock();
        for (Lock reading : List.of(first.readLock(), second.readLock(), first.readLock())) {
            assertFalse(second.writeLock().tryLock());
            reading.unlock();
        }
        assertFree();
    }

    @Test
    void writer_isAlone() throws Exception {
        first.writeLock().lock();
        for (Lock lock : List.of(first.readLock(), first.writeLock(), second.readLock(), second.writeLock())) {
            assertFalse(lock.tryLock());
            assertFalse(lock.tryLock(SHORT_MILLIS, TimeUnit.MILLISECONDS));
        }
        first.writeLock().unlock();
        assertFree();
    }

    @Test
    @Tag("D-035")
    @Tag("W-27")
    void unlockOfWhatThisObjectDoesNotHold_isAnError_andFreesNobodyElses() {
        second.readLock().lock();
        assertThrows(IllegalMonitorStateException.class, first.readLock()::unlock);
        assertThrows(IllegalMonitorStateException.class, first.writeLock()::unlock);
        assertThrows(IllegalMonitorStateException.class, second.writeLock()::unlock);
        assertFalse(first.writeLock().tryLock(), "the reader is still in");
        second.readLock().unlock();
        assertThrows(IllegalMonitorStateException.class, second.readLock()::unlock);
        first.writeLock().lock();
        assertThrows(IllegalMonitorStateException.class, second.writeLock()::unlock);
        assertFalse(second.readLock().tryLock(), "the writer is still in");
        first.writeLock().unlock();
        assertThrows(IllegalMonitorStateException.class, first.writeLock()::unlock);
        assertFree();
    }

    @Test
    @Tag("W-25")
    void anyThread_mayUnlock() throws Exception {
        first.readLock().lock();
        Background.run(first.readLock()::unlock).result();
        first.writeLock().lock();
        Background.run(first.writeLock()::unlock).result();
        assertFree();
    }

    @Test
    void writerWhoseTimeIsOver_letsReadersInAgain() throws Exception {
        first.readLock().lock();
        assertFalse(second.writeLock().tryLock(SHORT_MILLIS, TimeUnit.MILLISECONDS));
        assertFalse(second.writeLock().tryLock());
        assertTrue(second.readLock().tryLock());
        second.readLock().unlock();
        first.readLock().unlock();
        assertFree();
    }

    @Test
    void interruptedWriter_leavesTheLockAsItWas() throws Exception {
        first.readLock().lock();
        Background<Void> writer = Background.run(second.writeLock()::lockInterruptibly);
        Background.eventually("the writer waits", () -> !passes(first.readLock()));
        writer.thread.interrupt();
        assertInstanceOf(InterruptedException.class, writer.failure());
        assertTrue(passes(second.readLock()));
        first.readLock().unlock();
        assertFree();
    }

    private static boolean passes(Lock side) {
        boolean in = side.tryLock();
        if (in) {
            side.unlock();
        }
        return in;
    }

    @Test
    void interruptedReader_leavesTheLockAsItWas() throws Exception {
        first.writeLock().lock();
        Background<Void> reader =
                Background.run(second.readLock()::lockInterruptibly).parked();
        reader.thread.interrupt();
        assertInstanceOf(InterruptedException.class, reader.failure());
        first.writeLock().unlock();
        assertFree();
    }

    @Test
    void interruptDuringLock_isKeptForLater() throws Exception {
        first.writeLock().lock();
        Background<Boolean> reader = Background.start(() -> {
            second.readLock().lock();
            return Thread.interrupted();
        });
        reader.parked();
        reader.thread.interrupt();
        reader.parked();
        assertFalse(reader.isDone());
        first.writeLock().unlock();
        assertTrue(reader.result());
        second.readLock().unlock();
        assertFree();
    }

    @Test
    void interruptedThread_isRefused_whereItMayBeInterrupted_andNotByTryLock() {
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, first.readLock()::lockInterruptibly);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> first.writeLock().tryLock(1, TimeUnit.SECONDS));
        Thread.currentThread().interrupt();
        assertTrue(first.writeLock().tryLock());
        assertTrue(Thread.interrupted());
        first.writeLock().unlock();
        assertFree();
    }

    @Test
    void conditions_areNotSupported() {
        assertThrows(UnsupportedOperationException.class, first.readLock()::newCondition);
        assertThrows(UnsupportedOperationException.class, first.writeLock()::newCondition);
    }

    @Test
    void closedLock_locksNothingMore_andWhatIsLockedStaysUntilItIsUnlocked() {
        first.readLock().lock();
        first.close();
        first.close();
        assertThrows(IllegalStateException.class, first.readLock()::lock);
        assertFalse(second.writeLock().tryLock());
        first.readLock().unlock();
        assertTrue(second.writeLock().tryLock());
        second.writeLock().unlock();
    }

    @Test
    void locksOfOtherNames_doNotTouch() {
        try (FileReadWriteLock other = FileReadWriteLock.in(directory, "other");
                FileLockProvider provider = FileLockProvider.in(directory)) {
            first.writeLock().lock();
            assertTrue(other.writeLock().tryLock());
            provider.tryAcquire("name", Duration.ofSeconds(1)).orElseThrow().close();
            other.writeLock().unlock();
            first.writeLock().unlock();
        }
        assertThrows(IllegalArgumentException.class, () -> FileReadWriteLock.in(directory, ""));
    }

    @Test
    void manyThreads_onBothObjects_excludeEachOther() throws Exception {
        AtomicInteger readers = new AtomicInteger();
        AtomicInteger clashes = new AtomicInteger();
        int[] count = new int[1]; // kept by the lock alone
        List<Background<Void>> all = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
            FileReadWriteLock lock = thread % 2 == 0 ? first : second;
            all.add(Background.run(() -> {
                for (int round = 0; round < 200; round++) {
                    lock.writeLock().lock();
                    clashes.addAndGet(readers.get());
                    count[0]++;
                    lock.writeLock().unlock();
                    lock.readLock().lock();
                    readers.incrementAndGet();
                    Thread.yield();
                    readers.decrementAndGet();
                    lock.readLock().unlock();
                }
            }));
        }
        for (Background<Void> one : all) {
            one.result();
        }
        assertEquals(0, clashes.get());
        assertEquals(800, count[0]);
        assertFree();
    }
}
