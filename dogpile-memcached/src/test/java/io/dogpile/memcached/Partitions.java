package io.dogpile.memcached;

import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.HeldTime;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.Callers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;

/** What tests of single partitions ask, and their drafts and wishes. */
final class Partitions {
    static final Duration LEASE = Duration.ofSeconds(3);
    static final Duration MAX_CREATION = Duration.ofSeconds(60);

    /** Writes down what it is told of entries that cannot be read. */
    static final class Told implements DogpileListener {
        final List<String> corrupt = new CopyOnWriteArrayList<>();

        @Override
        public void corruptEntry(Object name, String why) {
            corrupt.add(name + " " + why);
        }
    }

    private Partitions() {}

    static Opening<String> opening(Duration lease, TimeSource time, DogpileListener listener) {
        return new Opening<>(
                "region",
                Object::toString,
                Serializer.string(),
                8 << 20,
                lease,
                MAX_CREATION,
                Opening.Backoff.DEFAULT,
                time,
                listener);
    }

    static Partition<String> of(MemcachedBackend backend) {
        return of(backend, TimeSource.system());
    }

    static Partition<String> of(MemcachedBackend backend, TimeSource time) {
        return backend.open(opening(LEASE, time, DogpileListener.NONE));
    }

    static Slot.Draft<String> draft(String value) {
        return draft(value, Duration.ofMinutes(10));
    }

    static Slot.Draft<String> draft(String value, Duration expireAfter) {
        return new Slot.Draft<>(value, expireAfter, expireAfter, Duration.ofMillis(5), true);
    }

    static Slot.Seen<String> read(Partition<String> partition, Object key) throws Exception {
        return partition.slot(key).read();
    }

    static Slot.Claim<String> claim(Partition<String> partition, Object key) throws Exception {
        return claim(partition, key, Slot.Wish.Reason.NEEDED);
    }

    static Slot.Claim<String> claim(Partition<String> partition, Object key, Slot.Wish.Reason reason) throws Exception {
        return read(partition, key).claim(new Slot.Wish(reason, Slot.NEVER, true, false));
    }

    /** What one thread read, and what came of the call of another. */
    record Both<T>(Slot.Seen<String> read, T beside) {}

    /** What comes of a call while another thread, which goes on as soon as this one waits or has its answer, reads the marks. */
    static <T> Both<T> besideReader(Partition<String> partition, Object key, HeldTime clock, Callable<T> call)
            throws Exception {
        try (Callers callers = new Callers()) {
            Callers.Caller<Slot.Seen<String>> reader = callers.start(() -> {
                clock.holdMeAtLook(2); // the first tells that the marks are old
                return read(partition, key);
            });
            clock.awaitHolding();
            Callers.Caller<T> beside = callers.start(call);
            Await.until(
                    "it waits, or has an answer",
                    () -> beside.isDone() || beside.thread().getState() == Thread.State.WAITING);
            clock.letGo();
            return new Both<>(reader.result(), beside.result());
        }
    }
}
