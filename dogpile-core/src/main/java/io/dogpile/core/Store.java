package io.dogpile.core;

import org.jspecify.annotations.Nullable;

/** A read/write pair without a lock of its own, of which {@link LeasedSlot} makes a slot. */
interface Store<V> {
    Stored<V> read() throws Exception;

    /** A creation begins; returns what {@link #write} is to be given. */
    default long begin() {
        return 0;
    }

    /**
     * Stores the value.
     *
     * @return what is stored, or null if it was refused: the value was invalidated or put, or another creation began,
     *     since {@code begun}
     */
    @Nullable
    Stored<V> write(Slot.Draft<V> draft, long begun) throws Exception;

    /** Whether what was read is what this creation's creator has stored by itself. */
    default boolean isOwn(Stored<V> stored) {
        return false;
    }
}
