package io.dogpile.core;

import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * A value that the caller keeps without its creation time: the user's getter reads it, the dogpile knows when it was
 * created. As long as the dogpile knows of no creation, there is no value, whatever the getter has.
 */
final class KeptElsewhereStore<V> implements Store<V> {
    private final Cell<V> stamp;
    private final Callable<Optional<V>> getter;

    KeptElsewhereStore(Cell<V> stamp, Callable<Optional<V>> getter) {
        this.stamp = stamp;
        this.getter = Objects.requireNonNull(getter, "getter");
    }

    @Override
    public Stored<V> read() throws Exception {
        Stored<V> created = stamp.read();
        if (!created.present()) {
            return created;
        }
        Optional<V> value = getter.call();
        Objects.requireNonNull(value, "The getter must return Optional.empty() for 'not available', not null");
        return value.isPresent() ? created.with(value.get()) : Stored.absent(created.version);
    }

    @Override
    public long begin() {
        return stamp.begin();
    }

    @Override
    public @Nullable Stored<V> write(Slot.Draft<V> draft, long begun) {
        Slot.Draft<V> stampOnly = new Slot.Draft<>(
                Nulls.unmarked(null), draft.staleAfter(), draft.expireAfter(), draft.cost(), draft.keep());
        Stored<V> stamped = stamp.write(stampOnly, begun);
        return stamped == null ? null : stamped.with(draft.value());
    }
}
