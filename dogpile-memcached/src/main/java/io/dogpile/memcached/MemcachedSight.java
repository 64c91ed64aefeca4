package io.dogpile.memcached;

import io.dogpile.cache.backend.EnvelopeSeen;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import org.jspecify.annotations.Nullable;

/** What lay in the value's item. Immutable. */
final class MemcachedSight<V> extends EnvelopeSeen<V> {
    private final RegionItems<V> items;
    private final ItemName name;
    private final long cas;

    MemcachedSight(
            RegionItems<V> items,
            ItemName name,
            long cas,
            ValueFormat.@Nullable Result<V> result,
            Deadlines deadlines) {
        super(result, deadlines);
        this.items = items;
        this.name = name;
        this.cas = cas;
    }

    ItemName name() {
        return name;
    }

    /** The item's number; 0 if there was none. */
    long cas() {
        return cas;
    }

    /** Whether this will do for who saw another, or the same, and wishes that. */
    boolean satisfies(Slot.Wish wish, MemcachedSight<V> before) {
        long now = items.nowNanos();
        boolean youngEnough = wish.maxAgeNanos() == Slot.NEVER || Math.max(0, now - bornAt()) <= wish.maxAgeNanos();
        boolean newer = !before.present() || before.version() != version();
        return present() && fresh(now) && youngEnough && (newer || wish.reason() == Slot.Wish.Reason.NEEDED);
    }

    @Override
    public Slot.Claim<V> claim(Slot.Wish wish) {
        return new Claiming<>(items, this, wish, items.generations().marks()).claim();
    }
}
