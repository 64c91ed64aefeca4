package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A read that is a round trip is shared by those who ask at once; what they are told to have been. */
class SharedReadTest {
    /** Counts what {@link Events} does not. */
    private static final class Counts implements DogpileListener {
        final AtomicInteger hits = new AtomicInteger();
        final AtomicInteger misses = new AtomicInteger();
        final AtomicInteger waits = new AtomicInteger();

        @Override
        public void hit(Object name) {
            hits.incrementAndGet();
        }

        @Override
        public void missed(Object name) {
            misses.incrementAndGet();
        }

        @Override
        public void waited(Object name, Duration time, WaitOutcome outcome) {
            waits.incrementAndGet();
        }
    }

    private final FakeTime time = new FakeTime();
    private final Crew crew = new Crew();
    private final Counts counts = new Counts();
    private final ScriptedSlot<String> slot = new ScriptedSlot<>(time);
    private final CountDownLatch go = new CountDownLatch(1);
    private final DogpileLock<String> lock =
            DogpileLock.<String>builder().clock(time).listener(counts).build();

    @AfterEach
    void end() {
        crew.close();
    }

    private List<String> threeCallersOfOneRead() throws Exception {
        slot.readsFree = false;
        slot.onRead = go::await;
        List<Future<String>> callers = new ArrayList<>(crew.start(3, () -> lock.get("report", slot, () -> "new")));
        time.awaitParked(2);
        go.countDown();
        List<String> got = Crew.results(callers);
        assertEquals(1, slot.reads.get());
        return got;
    }

    @Test
    void freshValue_wasThere_forAllOfThem_andNobodyWaitedForACreation() throws Exception {
        slot.holding("old", Duration.ofSeconds(1));

        assertEquals(List.of("old", "old", "old"), threeCallersOfOneRead());
        assertEquals(3, counts.hits.get());
        assertEquals(0, counts.misses.get());
        assertEquals(0, counts.waits.get());
    }
}
