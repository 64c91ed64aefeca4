package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dogpile.core.Background;
import io.dogpile.core.Slot;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WatchersTest {
    private final ScheduledThreadPoolExecutor threads = new ScheduledThreadPoolExecutor(1);
    private final Watchers watchers = new Watchers(threads);
    private final AtomicLong fence = new AtomicLong(7);
    private final AtomicInteger looks = new AtomicInteger();
    private final AtomicInteger told = new AtomicInteger();

    @AfterEach
    void end() {
        threads.shutdownNow();
    }

    /** The right is never free. */
    private final Watchers.Look look = new Watchers.Look() {
        @Override
        public long fence() {
            looks.incrementAndGet();
            return fence.get();
        }

        @Override
        public boolean isFree(long seen) {
            return false;
        }
    };

    private void awaitLooks(int more) {
        int before = looks.get();
        Background.eventually("it looks", () -> looks.get() >= before + more);
    }

    @Test
    void write_isToldOnce_thoughTheRightWasTakenAgainAtOnce() {
        try (Slot.Watch watch = watchers.watch("key", look, told::incrementAndGet)) {
            awaitLooks(3);
            assertEquals(0, told.get(), "nothing happened: " + watch);
            fence.set(8);
            Background.eventually("the write is told", () -> told.get() == 1);
            awaitLooks(3);
            assertEquals(1, told.get());
        }
    }

    @Test
    void severalWatches_shareOnePoller_whichEndsWithTheLast() {
        Slot.Watch first = watchers.watch("key", look, told::incrementAndGet);
        Slot.Watch second = watchers.watch("key", look, told::incrementAndGet);
        assertEquals(1, watchers.size());
        first.close();
        assertEquals(1, watchers.size());
        fence.set(8);
        Background.eventually("the other is told", () -> told.get() == 1);
        second.close();
        assertEquals(0, watchers.size());
        Background.eventually("nobody polls", () -> threads.getQueue().isEmpty());
    }
}
