package io.dogpile.cache.backend;

import io.dogpile.core.Slot;
import java.time.Duration;
import java.util.Objects;

/**
 * Keeps copies in this JVM of what another backend holds, so that a hit costs no round trip.
 *
 * <p>All that is written goes to the back; rights are the back's. What is read from it, or published, is copied to the
 * front, for its own life or the front's, whichever ends first. Puts and invalidations in this JVM drop the copy, and what
 * was read from the back before one of them is not copied after it.
 *
 * <p><b>Bound.</b> What others change is seen at once where the back pushes ({@link Partition#watchAll}), as far as its
 * pushes arrive; while the back knows that they do not ({@link Slot.Watch#live}), nothing is copied. Without them a copy is at most {@code frontLife} old, counted from when the back was asked for it:
 * so long may this JVM go on with a value that others have replaced or invalidated.
 *
 * <p>Thread-safe. The front keeps values by reference, whatever the region's serializer.
 */
public final class TieredBackend implements Backend {
    private final MemoryBackend front;
    private final Backend back;
    private final Duration frontLife;

    private TieredBackend(MemoryBackend front, Backend back, Duration frontLife) {
        this.front = front;
        this.back = back;
        this.frontLife = frontLife;
    }

    /**
     * A front before a back.
     *
     * @param front where the copies are
     * @param back where the values are
     * @param frontLife how long a copy may be used without asking the back
     * @return the backend
     * @throws IllegalArgumentException if the life is not positive
     */
    public static TieredBackend of(MemoryBackend front, Backend back, Duration frontLife) {
        Objects.requireNonNull(front, "front");
        Objects.requireNonNull(back, "back");
        if (frontLife.isZero() || frontLife.isNegative()) {
            throw new IllegalArgumentException("frontLife must be positive, was " + frontLife);
        }
        return new TieredBackend(front, back, frontLife);
    }

    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        TieredPartition<V> partition =
                new TieredPartition<>(front.partition(opening.byReference()), back.open(opening), opening, frontLife);
        partition.listen();
        return partition;
    }

    @Override
    public String toString() {
        return "TieredBackend of " + front + " before " + back + ", frontLife " + frontLife;
    }
}
