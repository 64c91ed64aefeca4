package io.dogpile.cache.backend;

import java.util.Objects;

/**
 * Keeps the values of regions in a {@link ByteBackend}, each in an {@link Envelope}, made by the region's
 * {@link Serializer}.
 *
 * <p><b>Guarantee.</b> Whatever bytes the store answers with, a read ends with a value that was written under that key
 * or with a counted miss ({@link io.dogpile.core.DogpileListener#corruptEntry}); what it allocates is bounded by the
 * region's {@code maxValueBytes} and the length of the bytes. A value that is too long is not stored: its publication
 * answers UNKNOWN with the limit as trouble, and its callers have it all the same. What a put or an invalidation in this
 * JVM overtakes is not stored.
 *
 * <p>Keys in the store are {@code region:text of the key}; beside them a region has {@code region~hard} and
 * {@code region~soft}. What these two hold is its generation: an invalidation of all writes another, and a value is as
 * good as the generation that it was created under. Nothing is compared by clocks, so nothing comes back where clocks
 * differ, and no key is visited. If the store forgets them, the region is empty.
 *
 * <p><b>Not promised.</b> Rights are of this JVM: where several share the store, one creation per JVM runs, and the last
 * to publish stays, unless the region has a lock that they share. Other JVMs see an invalidation of all after at most a
 * second and a round trip; what they create meanwhile is created anew. A soft invalidation of a key reads and
 * writes: it may put back, as stale, what another JVM replaced between the two. Lives are kept in milliseconds, rounded
 * up, and counted by the wall clock from the storing. A stamp from the future is taken for now: a value never has more
 * left than its life, and the store's own time to live ends it.
 *
 * <p><b>Old and new nodes on one store.</b> An entry that a newer version of this library wrote is a miss, and what an
 * old node creates for that key goes to its callers and is not stored: else they would undo each other's work in turn. So
 * an old node creates at each call what only new ones can read, until the entry expires, is put or is invalidated.
 *
 * <p>Thread-safe. Closing a region leaves the store as it is; who made the {@link ByteBackend} closes it.
 */
public final class SerializingBackend implements Backend {
    private final ByteBackend bytes;

    private SerializingBackend(ByteBackend bytes) {
        this.bytes = bytes;
    }

    /**
     * A backend over a store of bytes.
     *
     * @param bytes the store
     * @return the backend; regions that use it need a serializer
     */
    public static SerializingBackend of(ByteBackend bytes) {
        return new SerializingBackend(Objects.requireNonNull(bytes, "bytes"));
    }

    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        return new SerializingPartition<>(bytes, opening, opening.serializerFor(this));
    }

    @Override
    public String toString() {
        return "SerializingBackend on " + bytes;
    }
}
