package io.dogpile.cache.testing;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.testing.FaultyBackend.Verb;
import io.dogpile.core.Forwarding;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A partition each of whose verbs is a request that passes the faults of its backend. */
final class FaultyPartition<V> implements Partition<V> {
    private final FaultyBackend faults;
    private final Partition<V> inner;

    FaultyPartition(FaultyBackend faults, Partition<V> inner) {
        this.faults = faults;
        this.inner = inner;
    }

    private interface Change {
        void make() throws Exception;
    }

    private void change(Verb verb, @Nullable Object key, Change change) throws Exception {
        Callable<Boolean> request = () -> {
            change.make();
            return true;
        };
        faults.request(verb, key, request);
    }

    @Override
    public Slot<V> slot(Object key) {
        Slot<V> slot = inner.slot(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() throws Exception {
                return faults.request(Verb.READ, key, () -> new Sight(key, slot.read()));
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return whileAlive(slot.watch(
                        seen -> faults.push(() -> changed.accept(seen == null ? null : new Sight(key, seen)))));
            }
        };
    }

    private Slot.Watch whileAlive(Slot.Watch watch) {
        return new Slot.Watch() {
            @Override
            public boolean live() {
                return faults.isAlive() && watch.live();
            }

            @Override
            public void close() {
                watch.close();
            }
        };
    }

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) throws Exception {
        return faults.request(Verb.READ, List.copyOf(keys), () -> {
            Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
            inner.readAll(keys).forEach((key, one) -> seen.put(key, new Sight(key, one)));
            return seen;
        });
    }

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) throws Exception {
        Map<Object, Asked<V>> askedInside = new LinkedHashMap<>();
        asked.forEach((key, one) -> askedInside.put(key, new Asked<>(inside(one.seen()), one.wish())));
        return faults.request(Verb.CLAIM, Set.copyOf(asked.keySet()), () -> {
            Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
            inner.claimAll(askedInside).forEach((key, claim) -> claims.put(key, shown(key, claim)));
            return claims;
        });
    }

    @Override
    public Slots.Grants<Object, V> together(Map<Object, Slot.Grant<V>> grants) {
        Map<Object, Slot.Grant<V>> inside = new LinkedHashMap<>();
        grants.forEach((key, grant) ->
                inside.put(key, grant instanceof FaultyPartition<V>.Right right ? right.granted() : grant));
        return new Rights(Set.copyOf(grants.keySet()), inner.together(inside));
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        change(Verb.PUT, key, () -> inner.put(key, draft));
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        change(Verb.PUT, Set.copyOf(drafts.keySet()), () -> inner.putAll(drafts));
    }

    @Override
    public void invalidate(Object key, Invalidation how) throws Exception {
        change(Verb.INVALIDATE, key, () -> inner.invalidate(key, how));
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) throws Exception {
        change(Verb.INVALIDATE, List.copyOf(keys), () -> inner.invalidateAll(keys, how));
    }

    @Override
    public void invalidateAll(Invalidation how) throws Exception {
        change(Verb.INVALIDATE, null, () -> inner.invalidateAll(how));
    }

    @Override
    public Slot.Watch watchAll(Consumer<@Nullable String> changed) {
        return whileAlive(inner.watchAll(text -> faults.push(() -> changed.accept(text))));
    }

    @Override
    public void close() {
        inner.close();
    }

    @Override
    public String toString() {
        return "faults before " + inner;
    }

    /** What the partition itself saw. */
    private Slot.Seen<V> inside(Slot.Seen<V> seen) {
        return seen instanceof FaultyPartition<V>.Sight sight ? sight.inside() : seen;
    }

    private Slot.Claim<V> shown(Object key, Slot.Claim<V> claim) {
        return claim.with(seen -> new Sight(key, seen), grant -> new Right(key, grant));
    }

    private Slot.Published<V> shown(Object key, Slot.Published<V> published) {
        Slot.Seen<V> seen = published.seen();
        return new Slot.Published<>(
                published.outcome(), seen == null ? null : new Sight(key, seen), published.trouble());
    }

    private final class Sight extends Forwarding.Seen<V> {
        private final Object key;

        Sight(Object key, Slot.Seen<V> inner) {
            super(inner);
            this.key = key;
        }

        Slot.Seen<V> inside() {
            return inner;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
            return faults.request(Verb.CLAIM, key, () -> shown(key, inner.claim(wish)));
        }
    }

    private final class Right extends Forwarding.Grant<V> {
        private final Object key;

        Right(Object key, Slot.Grant<V> inner) {
            super(inner);
            this.key = key;
        }

        Slot.Grant<V> granted() {
            return inner;
        }

        @Override
        public boolean renew() throws Exception {
            return faults.request(Verb.RENEW, key, inner::renew);
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
            return faults.request(Verb.PUBLISH, key, () -> shown(key, inner.publish(draft)));
        }

        @Override
        public void abandon(@Nullable Throwable cause) throws Exception {
            change(Verb.ABANDON, key, () -> inner.abandon(cause));
        }
    }

    private final class Rights implements Slots.Grants<Object, V> {
        private final Set<Object> keys;
        private final Slots.Grants<Object, V> inner;

        Rights(Set<Object> keys, Slots.Grants<Object, V> inner) {
            this.keys = keys;
            this.inner = inner;
        }

        @Override
        public Duration lease() {
            return inner.lease();
        }

        @Override
        public Set<Object> renewAll() throws Exception {
            return faults.request(Verb.RENEW, keys, inner::renewAll);
        }

        @Override
        public Map<Object, Slot.Published<V>> publishAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
            return faults.request(Verb.PUBLISH, keys, () -> {
                Map<Object, Slot.Published<V>> published = new LinkedHashMap<>();
                inner.publishAll(drafts).forEach((key, one) -> published.put(key, shown(key, one)));
                return published;
            });
        }

        @Override
        public void abandonAll(@Nullable Throwable cause) throws Exception {
            change(Verb.ABANDON, keys, () -> inner.abandonAll(cause));
        }
    }
}
