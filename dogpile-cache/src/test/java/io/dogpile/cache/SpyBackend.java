package io.dogpile.cache;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.Forwarding;
import io.dogpile.core.Slot;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Memory that stands for a store in another process: each verb is a round trip that is written down, and fails where a
 * test wants it.
 */
final class SpyBackend implements Backend {
    /** What was asked, in order, such as {@code "read [a, b]"}. */
    private final List<String> asked = new CopyOnWriteArrayList<>();

    private final Backend memory = MemoryBackend.create();
    volatile @Nullable Exception readsFail;
    volatile @Nullable Exception claimsFail;
    volatile @Nullable Exception publishesFail;
    volatile @Nullable Exception changesFail;
    volatile @Nullable Opening<?> opening;
    volatile int closed;

    /** What was asked since this was asked last. */
    List<String> asked() {
        List<String> before = List.copyOf(asked);
        asked.clear();
        return before;
    }

    @Override
    public <V> Partition<V> open(Opening<V> of) {
        opening = of;
        return new Spied<>(memory.open(of));
    }

    private void ask(String verb, @Nullable Object of, @Nullable Exception fails) throws Exception {
        asked.add(of == null ? verb : verb + " " + of);
        if (fails != null) {
            throw fails;
        }
    }

    private final class Spied<V> implements Partition<V> {
        private final Partition<V> inner;

        Spied(Partition<V> inner) {
            this.inner = inner;
        }

        @Override
        public Slot<V> slot(Object key) {
            return () -> {
                ask("read", List.of(key), readsFail);
                return new Sight<>(key, inner.slot(key).read());
            };
        }

        @Override
        public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) throws Exception {
            ask("read", keys, readsFail);
            Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
            inner.readAll(keys).forEach((key, one) -> seen.put(key, new Sight<>(key, one)));
            return seen;
        }

        @Override
        public void put(Object key, Slot.Draft<V> draft) throws Exception {
            ask("put", List.of(key), changesFail);
            inner.put(key, draft);
        }

        @Override
        public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
            ask("put", drafts.keySet(), changesFail);
            inner.putAll(drafts);
        }

        @Override
        public void invalidate(Object key, Invalidation how) throws Exception {
            ask("invalidate " + how, List.of(key), changesFail);
            inner.invalidate(key, how);
        }

        @Override
        public void invalidateAll(Collection<Object> keys, Invalidation how) throws Exception {
            ask("invalidate " + how, keys, changesFail);
            inner.invalidateAll(keys, how);
        }

        @Override
        public void invalidateAll(Invalidation how) throws Exception {
            ask("invalidate all " + how, null, changesFail);
            inner.invalidateAll(how);
        }

        @Override
        public void close() {
            closed++;
            inner.close();
        }
    }

    private final class Sight<V> extends Forwarding.Seen<V> {
        private final Object key;

        Sight(Object key, Slot.Seen<V> inner) {
            super(inner);
            this.key = key;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
            ask("claim", key, claimsFail);
            return Slot.Claim.granted(new Right<>(key, inner.claim(wish).grant()));
        }
    }

    private final class Right<V> extends Forwarding.Grant<V> {
        private final Object key;

        Right(Object key, Slot.Grant<V> inner) {
            super(inner);
            this.key = key;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
            ask(draft.keep() ? "publish" : "hand on", key, publishesFail);
            return inner.publish(draft);
        }

        @Override
        public void abandon(@Nullable Throwable cause) throws Exception {
            ask("abandon", key, null);
            inner.abandon(cause);
        }
    }
}
