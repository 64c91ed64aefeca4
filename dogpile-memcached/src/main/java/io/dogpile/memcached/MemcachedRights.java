package io.dogpile.memcached;

import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The rights of a batch, which are renewed, used and given back together. */
final class MemcachedRights<V> implements Slots.Grants<Object, V> {
    private final RegionItems<V> items;
    private final Map<Object, MemcachedRight<V>> rights;

    MemcachedRights(RegionItems<V> items, Map<Object, MemcachedRight<V>> rights) {
        this.items = items;
        this.rights = rights;
    }

    @Override
    public Duration lease() {
        return items.lease();
    }

    @Override
    public Set<Object> renewAll() {
        Map<Object, OwnItem.Change> sent = new LinkedHashMap<>();
        Set<Object> lost = new LinkedHashSet<>();
        rights.forEach((key, right) -> {
            OwnItem.Change renewing = right.renewing();
            if (renewing == null) {
                lost.add(key);
            } else {
                sent.put(key, renewing);
            }
        });
        sent.forEach((key, renewing) -> {
            if (!renewing.done()) {
                lost.add(key);
            }
        });
        return lost;
    }

    @Override
    public Map<Object, Slot.Published<V>> publishAll(Map<Object, Slot.Draft<V>> drafts) {
        Map<Object, Publishing<V>> sent = new LinkedHashMap<>();
        List<OwnItem.Change> leftOut = new ArrayList<>();
        rights.forEach((key, right) -> {
            Slot.Draft<V> draft = drafts.get(key);
            if (draft == null) {
                leftOut.add(right.abandoning(null));
            } else {
                sent.put(key, new Publishing<>(items, right, draft));
            }
        });
        Map<Object, Slot.Published<V>> published = new LinkedHashMap<>();
        sent.forEach((key, one) -> {
            try {
                published.put(key, one.published());
            } catch (MemcachedException notKnown) {
                one.right().giveBackLater();
                published.put(key, new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, notKnown));
            }
        });
        leftOut.forEach(MemcachedRights::awaited);
        return published;
    }

    /** What was created is worth more than a right that could not be given back: that ends with its lease. */
    private static void awaited(OwnItem.Change givingBack) {
        try {
            var unused = givingBack.done();
        } catch (MemcachedException notKnown) {
            // Told to the log where it happened.
        }
    }

    @Override
    public void abandonAll(@Nullable Throwable cause) {
        List<OwnItem.Change> sent =
                rights.values().stream().map(right -> right.abandoning(cause)).toList();
        MemcachedException failure = null;
        for (OwnItem.Change one : sent) {
            try {
                var unused = one.done();
            } catch (MemcachedException notKnown) {
                failure = failure == null ? notKnown : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
