package io.dogpile.cache.backend;

import io.dogpile.core.Forwarding;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A partition with a proxy's hooks before it. Overrides every verb, those with a default too: none may bypass a hook. */
final class ProxyPartition<V> implements Partition<V> {
    private final ProxyBackend hooks;
    private final String region;
    private final Partition<V> inner;

    ProxyPartition(ProxyBackend hooks, String region, Partition<V> inner) {
        this.hooks = hooks;
        this.region = region;
        this.inner = inner;
    }

    /** Not wrapped, so that a hit allocates nothing: what is looked up is not claimed on. */
    @Override
    public Slot.@Nullable Seen<V> look(Object key) {
        Slot.Seen<V> seen = inner.look(key);
        try {
            return seen == null ? null : hooks.onRead(region, key, seen);
        } catch (RuntimeException refusedByHook) {
            return null; // who then reads by a slot has the policy for what fails
        }
    }

    @Override
    public Slot<V> slot(Object key) {
        return new ProxySlot(key, inner.slot(key));
    }

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) throws Exception {
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        inner.readAll(keys).forEach((key, one) -> seen.put(key, read(key, one)));
        return seen;
    }

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) throws Exception {
        Map<Object, Asked<V>> askedInside = new LinkedHashMap<>();
        asked.forEach((key, one) -> askedInside.put(key, new Asked<>(inside(one.seen()), one.wish())));
        Map<Object, Slot.Claim<V>> granted = inner.claimAll(askedInside);
        Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
        try {
            for (Map.Entry<Object, Slot.Claim<V>> each : granted.entrySet()) {
                claims.put(each.getKey(), claimed(each.getKey(), each.getValue()));
            }
        } catch (RuntimeException | Error refusedByHook) {
            granted.values().forEach(claim -> abandon(claim, refusedByHook));
            throw refusedByHook;
        }
        return claims;
    }

    @Override
    public Slots.Grants<Object, V> together(Map<Object, Slot.Grant<V>> grants) {
        Map<Object, Slot.Grant<V>> inside = new LinkedHashMap<>();
        grants.forEach((key, grant) -> inside.put(key, ((ProxyGrant) grant).granted()));
        return new ProxyGrants(inner.together(inside));
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        Slot.Draft<V> written = hooks.onWrite(region, key, draft);
        if (written != null) {
            inner.put(key, written);
        }
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        Map<Object, Slot.Draft<V>> written = new LinkedHashMap<>();
        drafts.forEach((key, draft) -> {
            Slot.Draft<V> one = hooks.onWrite(region, key, draft);
            if (one != null) {
                written.put(key, one);
            }
        });
        if (!written.isEmpty()) {
            inner.putAll(written);
        }
    }

    @Override
    public void invalidate(Object key, Invalidation how) throws Exception {
        hooks.onDelete(region, key, how);
        inner.invalidate(key, how);
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) throws Exception {
        keys.forEach(key -> hooks.onDelete(region, key, how));
        inner.invalidateAll(keys, how);
    }

    @Override
    public void invalidateAll(Invalidation how) throws Exception {
        hooks.onDelete(region, null, how);
        inner.invalidateAll(how);
    }

    @Override
    public Slot.Watch watchAll(Consumer<@Nullable String> changed) {
        return inner.watchAll(changed);
    }

    @Override
    public void close() {
        inner.close();
    }

    @Override
    public String toString() {
        return inner.toString();
    }

    private Slot.Seen<V> read(Object key, Slot.Seen<V> seen) {
        return new ProxySeen(key, seen, hooks.onRead(region, key, seen));
    }

    private Slot.@Nullable Seen<V> readIfAny(Object key, Slot.@Nullable Seen<V> seen) {
        return seen == null ? null : read(key, seen);
    }

    /** What the partition itself saw. */
    private Slot.Seen<V> inside(Slot.Seen<V> seen) {
        return seen instanceof ProxyPartition<V>.ProxySeen mine ? mine.claimed : seen;
    }

    private Slot.Claim<V> claimed(Object key, Slot.Claim<V> claim) {
        return claim.with(seen -> read(key, seen), grant -> new ProxyGrant(key, grant));
    }

    private static void abandon(Slot.Claim<?> claim, Throwable cause) {
        if (claim.kind() == Slot.Claim.Kind.GRANTED) {
            abandon(claim.grant(), cause);
        }
    }

    private static void abandon(Slot.Grant<?> grant, Throwable cause) {
        try {
            grant.abandon(null);
        } catch (Exception notGivenBack) {
            cause.addSuppressed(notGivenBack);
        }
    }

    private Slot.Published<V> published(Object key, Slot.Published<V> published) {
        return new Slot.Published<>(published.outcome(), readIfAny(key, published.seen()), published.trouble());
    }

    /** What is to be published instead; a veto hands the value to those who wait, and keeps nothing. */
    private Slot.Draft<V> written(Object key, Slot.Draft<V> draft) {
        if (!draft.keep()) {
            return draft;
        }
        Slot.Draft<V> written = hooks.onWrite(region, key, draft);
        return written != null
                ? written
                : new Slot.Draft<>(draft.value(), draft.staleAfter(), draft.expireAfter(), draft.cost(), false);
    }

    private final class ProxySlot implements Slot<V> {
        private final Object key;
        private final Slot<V> inner;

        ProxySlot(Object key, Slot<V> inner) {
            this.key = key;
            this.inner = inner;
        }

        @Override
        public Seen<V> read() throws Exception {
            return ProxyPartition.this.read(key, inner.read());
        }

        @Override
        public boolean readsFree() {
            return inner.readsFree();
        }

        @Override
        public Watch watch(Consumer<@Nullable Seen<V>> changed) {
            return inner.watch(seen -> changed.accept(readIfAny(key, seen)));
        }
    }

    /** What the hook shows; claims on what the partition saw. */
    private final class ProxySeen extends Forwarding.Seen<V> {
        private final Object key;
        private final Slot.Seen<V> claimed;

        ProxySeen(Object key, Slot.Seen<V> claimed, Slot.Seen<V> shown) {
            super(shown);
            this.key = key;
            this.claimed = claimed;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
            Slot.Claim<V> claim = claimed.claim(wish);
            try {
                return claimed(key, claim);
            } catch (RuntimeException | Error refusedByHook) {
                abandon(claim, refusedByHook);
                throw refusedByHook;
            }
        }
    }

    private final class ProxyGrant extends Forwarding.Grant<V> {
        private final Object key;

        ProxyGrant(Object key, Slot.Grant<V> inner) {
            super(inner);
            this.key = key;
        }

        Slot.Grant<V> granted() {
            return inner;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
            Slot.Draft<V> written;
            try {
                written = written(key, draft);
            } catch (RuntimeException | Error refusedByHook) {
                ProxyPartition.abandon(inner, refusedByHook);
                throw refusedByHook;
            }
            return published(key, inner.publish(written));
        }
    }

    private final class ProxyGrants implements Slots.Grants<Object, V> {
        private final Slots.Grants<Object, V> inner;

        ProxyGrants(Slots.Grants<Object, V> inner) {
            this.inner = inner;
        }

        @Override
        public Duration lease() {
            return inner.lease();
        }

        @Override
        public Set<Object> renewAll() throws Exception {
            return inner.renewAll();
        }

        @Override
        public Map<Object, Slot.Published<V>> publishAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
            Map<Object, Slot.Draft<V>> written = new LinkedHashMap<>();
            drafts.forEach((key, draft) -> written.put(key, written(key, draft)));
            Map<Object, Slot.Published<V>> published = new LinkedHashMap<>();
            inner.publishAll(written).forEach((key, one) -> published.put(key, published(key, one)));
            return published;
        }

        @Override
        public void abandonAll(@Nullable Throwable cause) throws Exception {
            inner.abandonAll(cause);
        }
    }
}
