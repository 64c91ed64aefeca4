package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.concurrent.locks.StampedLock;
import org.junit.jupiter.api.Test;

class OverReadWriteLockTest extends ReadersWriterContract {
    @Override
    ReadersWriter lock() {
        return new OverReadWriteLock(new StampedLock().asReadWriteLock());
    }

    @Override
    long stressNanos() {
        return TimeUnit.MILLISECONDS.toNanos(400);
    }

    @Test
    void close_refusedByTheLockBehind_leavesTheReadOpenForItsOpener() throws Exception {
        ReadersWriter bound = new OverReadWriteLock(new ReentrantReadWriteLock());
        var reader = bound.openRead();
        assertInstanceOf(
                IllegalMonitorStateException.class,
                Background.run(reader::close).failure());
        assertFalse(saidElsewhere(bound::tryLockWrite));

        reader.close();
        assertTrue(saidElsewhere(bound::tryLockWrite));
    }
}
