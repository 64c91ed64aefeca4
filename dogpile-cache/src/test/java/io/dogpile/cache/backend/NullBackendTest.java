package io.dogpile.cache.backend;

import static io.dogpile.cache.backend.Openings.read;
import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.core.DogpileLock;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class NullBackendTest {
    private final Partition<Integer> partition = NullBackend.create().open(new Openings().of(null));
    private final DogpileLock<Integer> lock = DogpileLock.create();

    @Test
    @Tag("D-024")
    void creatorRuns_atEachCall() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        for (int call = 1; call <= 3; call++) {
            assertThat(lock.get("key", partition.slot("key"), calls::incrementAndGet))
                    .isEqualTo(call);
        }
        assertThat(read(partition, "key").present()).isFalse();
    }

    @Test
    void callersAtOnce_shareOneCreation() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        try {
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch go = new CountDownLatch(1);
            AtomicInteger calls = new AtomicInteger();
            AtomicReference<Thread> waiter = new AtomicReference<>();
            Callable<Integer> get = () -> lock.get("key", partition.slot("key"), () -> {
                begun.countDown();
                go.await();
                return calls.incrementAndGet();
            });
            Future<Integer> creating = threads.submit(get);
            begun.await();
            Future<Integer> waiting = threads.submit(() -> {
                waiter.set(Thread.currentThread());
                return get.call();
            });
            while (waiter.get() == null || waiter.get().getState() != Thread.State.TIMED_WAITING) {
                Thread.onSpinWait();
            }
            go.countDown();
            assertThat(creating.get(30, TimeUnit.SECONDS)).isEqualTo(1);
            assertThat(waiting.get(30, TimeUnit.SECONDS)).isEqualTo(1);
        } finally {
            threads.shutdownNow();
        }
    }
}
