package com.example.shop;

import io.dogpile.cache.backend.ByteBackend;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

// docs plug-your-own
/** A store of bytes, here a plain map; who has a real store hands the life of an entry on to it. */
record MapStore(ConcurrentMap<String, Entry> entries) implements ByteBackend {
    MapStore() {
        this(new ConcurrentHashMap<>());
    }

    @Override
    public byte[] get(String key) {
        Entry entry = entries.get(key);
        return entry == null ? null : entry.bytes();
    }

    @Override
    public void set(String key, Entry entry) {
        entries.put(key, entry);
    }

    @Override
    public void delete(String key) {
        entries.remove(key);
    }
}
// end
