package io.dogpile.cache;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.Slot;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Knows its keys by their text only, as a store in another process does, and remembers which it was asked for. */
final class ByText implements Backend {
    final Set<String> asked = ConcurrentHashMap.newKeySet();

    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        Partition<V> inner = MemoryBackend.create().open(opening);
        return new Partition<>() {
            private String text(Object key) {
                String text = opening.texts().apply(key);
                asked.add(text);
                return text;
            }

            @Override
            public Slot<V> slot(Object key) {
                return inner.slot(text(key));
            }

            @Override
            public void put(Object key, Slot.Draft<V> draft) throws Exception {
                inner.put(text(key), draft);
            }

            @Override
            public void invalidate(Object key, Invalidation how) throws Exception {
                inner.invalidate(text(key), how);
            }

            @Override
            public void invalidateAll(Invalidation how) throws Exception {
                inner.invalidateAll(how);
            }
        };
    }
}
