package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dogpile.core.testing.FakeTime;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Many callers of one cold name: virtual threads where the JVM has them, fewer platform threads where it has not. */
class VirtualThreadsTest {
    private static final int FIRST_VERSION_WITH_THEM = 21;
    private static final int VIRTUAL_CALLERS = 2_000;
    private static final int PLATFORM_CALLERS = 200;

    private final boolean virtual = Runtime.version().feature() >= FIRST_VERSION_WITH_THEM;
    private final int callers = virtual ? VIRTUAL_CALLERS : PLATFORM_CALLERS;

    private ExecutorService threadPerCaller() throws Throwable {
        return virtual
                ? (ExecutorService) MethodHandles.publicLookup()
                        .findStatic(
                                Executors.class,
                                "newVirtualThreadPerTaskExecutor",
                                MethodType.methodType(ExecutorService.class))
                        .invoke()
                : Executors.newCachedThreadPool();
    }

    @Test
    void coldName_oneCreation_everyCallerGetsItsValue() throws Throwable {
        FakeTime time = new FakeTime();
        Dogpile<String> dogpile =
                Dogpile.<String>builder().options(o -> o.clock(time)).build();
        AtomicInteger creations = new AtomicInteger();
        CountDownLatch go = new CountDownLatch(1);
        List<Future<String>> all = new ArrayList<>();
        ExecutorService threads = threadPerCaller();
        try {
            for (int i = 0; i < callers; i++) {
                all.add(threads.submit(() -> dogpile.get(() -> {
                    go.await();
                    return "value " + creations.incrementAndGet();
                })));
            }
            time.awaitParked(callers - 1);
            go.countDown();

            for (Future<String> one : all) {
                assertEquals("value 1", one.get(20, TimeUnit.SECONDS));
            }
        } finally {
            threads.shutdownNow();
        }
        assertEquals(1, creations.get());
    }
}
