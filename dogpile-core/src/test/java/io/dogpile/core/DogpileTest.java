package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class DogpileTest {
    @Test
    void thousandCallers_oneCreation() throws Exception {
        FakeTime time = new FakeTime();
        Dogpile<String> dogpile = Dogpile.<String>builder()
                .staleAfter(Duration.ofSeconds(10))
                .options(o -> o.clock(time))
                .build();
        AtomicInteger creations = new AtomicInteger();
        var pool = Executors.newCachedThreadPool();
        CountDownLatch go = new CountDownLatch(1);
        List<Future<String>> all = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            all.add(pool.submit(() -> dogpile.get(() -> {
                creations.incrementAndGet();
                go.await();
                return "x";
            })));
        }
        time.awaitParked(99);
        go.countDown();
        for (var f : all) assertEquals("x", f.get());
        assertEquals(1, creations.get());
        time.advance(Duration.ofSeconds(10));
        assertEquals("x", dogpile.get(() -> "y"));
        time.advance(Duration.ofNanos(1));
        assertEquals("y", dogpile.get(() -> "y"));
        var a = DogpileLock.<String>builder().clock(time).build();
        pool.shutdown();
    }
}
