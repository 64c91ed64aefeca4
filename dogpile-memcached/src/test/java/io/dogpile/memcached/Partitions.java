package io.dogpile.memcached;

import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.List;
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
}
