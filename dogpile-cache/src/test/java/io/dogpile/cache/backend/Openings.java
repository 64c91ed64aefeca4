package io.dogpile.cache.backend;

import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a region asks, its drafts and its wishes, in the tests of single backends. */
final class Openings {
    static final int MOST_BYTES = 1_000;
    static final Duration FRESH = Duration.ofSeconds(60);
    static final Duration USABLE = Duration.ofSeconds(600);

    /** Writes down what it is told of entries that cannot be read, and of locks that cannot be given back. */
    static final class Told implements DogpileListener {
        final List<String> corrupt = new CopyOnWriteArrayList<>();
        final List<String> down = new CopyOnWriteArrayList<>();

        @Override
        public void corruptEntry(Object name, String why) {
            corrupt.add(name + " " + why);
        }

        @Override
        public void storeDown(Object name, Throwable failure) {
            down.add(name + " " + failure.getMessage());
        }
    }

    final FakeTime time = new FakeTime();
    final Told told = new Told();

    <V> Opening<V> of(Serializer<V> serializer) {
        return of("region", serializer);
    }

    <V> Opening<V> of(String region, Serializer<V> serializer) {
        return of(region, serializer, time);
    }

    <V> Opening<V> of(String region, Serializer<V> serializer, TimeSource clock) {
        return new Opening<>(
                region,
                Object::toString,
                serializer,
                MOST_BYTES,
                Duration.ofSeconds(5),
                Duration.ofSeconds(60),
                Opening.Backoff.DEFAULT,
                clock,
                told);
    }

    static <V> Slot.Draft<V> draft(V value) {
        return new Slot.Draft<>(value, FRESH, USABLE, Duration.ofMillis(5), true);
    }

    static Slot.Wish wish() {
        return new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, false);
    }

    static Slot.Wish undisturbed() {
        return new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, true);
    }

    static <V> Slot.Seen<V> read(Partition<V> partition, Object key) throws Exception {
        return partition.slot(key).read();
    }

    static <V> Slot.Claim<V> claim(Partition<V> partition, Object key) throws Exception {
        return read(partition, key).claim(wish());
    }
}
