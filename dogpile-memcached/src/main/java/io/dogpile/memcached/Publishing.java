package io.dogpile.memcached;

import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import org.jspecify.annotations.Nullable;

/** A publication that was sent, so that several can be under way together. */
final class Publishing<V> {
    private final RegionItems<V> items;
    private final MemcachedRight<V> right;
    private final ItemName name;
    private @Nullable Packed packed;
    private @Nullable V value;
    private @Nullable Exception notPacked;
    private @Nullable Pending storing;
    private OwnItem.@Nullable Change releasing;

    Publishing(RegionItems<V> items, MemcachedRight<V> right, Slot.Draft<V> draft) {
        this.items = items;
        this.right = right;
        this.name = right.seen().name();
        if (right.hasEnded()) {
            return;
        }
        if (!right.isGood()) {
            right.giveBackLater();
            return;
        }
        // What a newer node wrote is not overwritten at once: else old and new nodes undo each other's work in
        // turn.
        if (draft.keep() && !right.seen().isNewerWriters()) {
            pack(draft);
        }
        releasing = right.item().deleting();
    }

    private void pack(Slot.Draft<V> draft) {
        try {
            Packed one = items.packed(name, draft, right.marks());
            packed = one;
            value = draft.value();
            storing = right.seen().cas() == 0
                    ? items.server().add(name.value(), one.bytes(), one.ttl())
                    : items.server().cas(name.value(), right.seen().cas(), one.bytes(), one.ttl());
        } catch (Exception e) {
            notPacked = e;
        }
    }

    MemcachedRight<V> right() {
        return right;
    }

    Slot.Published<V> published() {
        OwnItem.Change release = releasing;
        if (release == null) {
            return refused();
        }
        if (notPacked != null) {
            right.ends(MemcachedRight.State.ENDED);
            return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, releaseQuietly(release, notPacked));
        }
        Packed sent = packed;
        if (sent == null || storing == null) {
            boolean own = release.done();
            right.ends(MemcachedRight.State.ENDED);
            return own ? new Slot.Published<>(Slot.Published.Outcome.STORED, null) : refused();
        }
        Answer stored;
        try {
            stored = items.server().answer(storing);
        } catch (MemcachedException notKnown) {
            right.ends(MemcachedRight.State.UNKNOWN);
            throw notKnown;
        }
        right.ends(MemcachedRight.State.ENDED);
        Exception trouble = releaseQuietly(release, null);
        if (!stored.done()) {
            return refused();
        }
        MemcachedSight<V> seen =
                items.sight(name, stored.cas(), new ValueFormat.Result<>(sent.stamps(), value, null), right.marks());
        return new Slot.Published<>(Slot.Published.Outcome.STORED, seen, trouble);
    }

    private @Nullable Exception releaseQuietly(OwnItem.Change release, @Nullable Exception trouble) {
        try {
            var unused = release.done(); // false: it was lost before
            return trouble;
        } catch (MemcachedException notKnown) {
            return trouble == null ? notKnown : trouble;
        }
    }

    /** By what is there now, which is one's own if it was sent twice. */
    private Slot.Published<V> refused() {
        MemcachedSight<V> now = items.sight(
                name,
                items.server().answer(items.server().gets(name.value())),
                items.generations().marks());
        if (!now.present() || now.version() == right.seen().version()) {
            return new Slot.Published<>(Slot.Published.Outcome.VOIDED, null);
        }
        boolean own = packed != null && packed.stamps().fence() == now.version();
        return new Slot.Published<>(own ? Slot.Published.Outcome.STORED : Slot.Published.Outcome.SUPERSEDED, now);
    }
}
