package io.dogpile.memcached;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.Slot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A region's values in memcached: for each key an item with the value, and beside it, on the same server, one with the
 * right to create it ({@link LeaseText}).
 *
 * <p>The number of the value's item is the fence: what is published replaces what the right was granted over, or nothing. So
 * whatever stands between a grant and its publication must change that number: a put does, and an invalidation of a key
 * leaves a tombstone for as long as a right may be used. An invalidation of all changes the marks that values bear.
 */
final class MemcachedPartition<V> implements Partition<V> {
    /** How often a stale mark is tried while others change the value; then the value goes. */
    private static final int MARK_TRIES = 16;

    private final RegionItems<V> items;
    private final Server server;
    private final ConcurrentHashMap<String, Polling<V>> pollings = new ConcurrentHashMap<>();

    MemcachedPartition(Member member, Opening<V> opening, Serializer<V> serializer) {
        this.items = new RegionItems<>(member, opening, serializer);
        this.server = member.server();
    }

    @Override
    public Slot<V> slot(Object key) {
        ItemName name = items.name(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() {
                Pending reading = server.gets(name.value());
                return items.sight(name, server.answer(reading), marks());
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return MemcachedPartition.this.watch(name, changed);
            }
        };
    }

    private Generations.Marks marks() {
        return items.generations().marks();
    }

    // Reading

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) {
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        Map<ItemName, Pending> reading = new LinkedHashMap<>();
        keys.forEach(key -> {
            ItemName name = items.name(key);
            reading.put(name, server.gets(name.value()));
        });
        reading.forEach((name, one) -> seen.put(name.key(), items.sight(name, server.answer(one), marks())));
        return seen;
    }

    private Slot.Watch watch(ItemName name, Consumer<Slot.@Nullable Seen<V>> changed) {
        AtomicBoolean isNew = new AtomicBoolean();
        Slot.Watch[] watch = new Slot.Watch[1];
        Polling<V> polling =
                Objects.requireNonNull(pollings.compute(name.value().key(), (key, before) -> {
                    isNew.set(before == null);
                    Polling<V> one = before == null
                            ? new Polling<>(
                                    new Watched(name), server, items.member().polls())
                            : before;
                    watch[0] = one.watch(changed);
                    return one;
                }));
        if (isNew.get()) {
            polling.start();
        }
        return Objects.requireNonNull(watch[0]);
    }

    private final class Watched implements Polling.Key<V> {
        private final ItemName name;

        Watched(ItemName name) {
            this.name = name;
        }

        @Override
        public Item value() {
            return name.value();
        }

        @Override
        public Item lease() {
            return name.lease();
        }

        @Override
        public boolean isCreatedHere() {
            return items.isCreatedHere(name);
        }

        @Override
        public Slot.@Nullable Seen<V> changedTo(Answer value) {
            MemcachedSight<V> seen =
                    items.sight(name, value, items.generations().lastKnown());
            return seen.fresh(items.nowNanos()) ? seen : null;
        }

        @Override
        public boolean retire(Polling<V> polling) {
            pollings.computeIfPresent(
                    name.value().key(), (key, one) -> one == polling && polling.isUnwatched() ? null : one);
            return pollings.get(name.value().key()) != polling;
        }
    }

    // Claiming

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) {
        Map<Object, Claiming<V>> sent = new LinkedHashMap<>();
        Generations.Marks marks = marks();
        asked.forEach((key, one) -> sent.put(key, new Claiming<>(items, own(key, one.seen()), one.wish(), marks)));
        Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
        RuntimeException failure = null;
        for (Map.Entry<Object, Claiming<V>> each : sent.entrySet()) {
            try {
                claims.put(each.getKey(), each.getValue().claim());
            } catch (RuntimeException notKnown) {
                failure = notKnown;
            }
        }
        if (failure != null) {
            for (Slot.Claim<V> claim : claims.values()) {
                if (claim.kind() == Slot.Claim.Kind.GRANTED) {
                    ((MemcachedRight<V>) claim.grant()).giveBackLater();
                }
            }
            throw failure;
        }
        return claims;
    }

    private MemcachedSight<V> own(Object key, Slot.Seen<V> seen) {
        if (seen instanceof MemcachedSight<V> sight) {
            return sight;
        }
        throw new IllegalArgumentException(
                "region '" + items.region() + "', key '" + key + "': seen by another partition");
    }

    @Override
    public Grants<Object, V> together(Map<Object, Slot.Grant<V>> grants) {
        Map<Object, MemcachedRight<V>> rights = new LinkedHashMap<>();
        grants.forEach((key, grant) -> {
            if (!(grant instanceof MemcachedRight<V> right)) {
                throw new IllegalArgumentException(
                        "region '" + items.region() + "': a right of another partition: " + grant);
            }
            rights.put(key, right);
        });
        return new MemcachedRights<>(items, rights);
    }

    // Writing

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        putAll(Map.of(key, draft));
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        Generations.Marks marks = marks();
        Map<ItemName, Packed> all = new LinkedHashMap<>();
        for (Map.Entry<Object, Slot.Draft<V>> each : drafts.entrySet()) {
            ItemName name = items.name(each.getKey());
            all.put(name, items.packed(name, each.getValue(), marks));
        }
        List<Pending> sent = new ArrayList<>();
        all.forEach((name, packed) -> {
            sent.add(server.set(name.value(), packed.bytes(), packed.ttl()));
            sent.add(server.delete(name.lease()));
        });
        answerAll(sent);
    }

    /** Waits for all, also where one fails. */
    private void answerAll(List<Pending> sent) {
        MemcachedException failure = null;
        for (Pending one : sent) {
            try {
                server.answer(one);
            } catch (MemcachedException failed) {
                failure = failure == null ? failed : failure;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void invalidate(Object key, Invalidation how) {
        invalidateAll(List.of(key), how);
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) {
        List<ItemName> all = keys.stream().map(items::name).toList();
        List<Pending> sent = new ArrayList<>();
        if (how == Invalidation.HARD) {
            all.forEach(name -> sent.add(setTombstone(name)));
        } else {
            List<Marking> marking = all.stream().map(Marking::new).toList();
            marking.forEach(Marking::send);
            marking.forEach(Marking::finish);
        }
        all.forEach(name -> sent.add(server.delete(name.lease())));
        answerAll(sent);
    }

    private Pending setTombstone(ItemName name) {
        Packed tombstone = items.tombstone(name);
        return server.set(name.value(), tombstone.bytes(), tombstone.ttl());
    }

    /** Writes one value again with a mark. What is no value, or cannot be marked, is replaced by a tombstone. */
    private final class Marking {
        private final ItemName name;
        private Pending sent;

        Marking(ItemName name) {
            this.name = name;
            this.sent = server.gets(name.value());
        }

        void send() {
            sent = marked(server.answer(sent));
        }

        void finish() {
            for (int tried = 0; tried < MARK_TRIES; tried++) {
                if (server.answer(sent).done()) {
                    return;
                }
                sent = server.gets(name.value());
                send();
            }
            server.answer(setTombstone(name));
        }

        private Pending marked(Answer found) {
            byte[] bytes = found.data();
            if (bytes == null) {
                Packed none = items.tombstone(name);
                return server.add(name.value(), none.bytes(), none.ttl());
            }
            Packed stale = items.declaredStale(name, bytes);
            return server.cas(name.value(), found.cas(), stale.bytes(), stale.ttl());
        }
    }

    @Override
    public void invalidateAll(Invalidation how) {
        items.generations().next(how);
    }

    @Override
    public void close() {
        pollings.clear(); // each ends when it looks next
    }

    @Override
    public String toString() {
        return items.toString();
    }
}
