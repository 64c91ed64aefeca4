package io.dogpile.cache.backend;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A store of bytes that never forgets by itself, counts what it is asked, and fails where a test wants it. */
class BytesInMemory implements ByteBackend {
    final Map<String, Entry> entries = new ConcurrentHashMap<>();
    final AtomicInteger reads = new AtomicInteger();
    final AtomicInteger writes = new AtomicInteger();
    volatile KeyLimit limit;
    volatile Exception failing;
    volatile Runnable beforeWrite = () -> {};
    volatile Runnable afterRead = () -> {};

    @Override
    public byte[] get(String key) throws Exception {
        reads.incrementAndGet();
        fail();
        Entry entry = entries.get(key);
        afterRead.run();
        return entry == null ? null : entry.bytes();
    }

    @Override
    public void set(String key, Entry entry) throws Exception {
        writes.incrementAndGet();
        beforeWrite.run();
        fail();
        entries.put(key, entry);
    }

    @Override
    public void delete(String key) throws Exception {
        fail();
        entries.remove(key);
    }

    @Override
    public KeyLimit keyLimit() {
        return limit;
    }

    private void fail() throws Exception {
        if (failing != null) {
            throw failing;
        }
    }

    @Override
    public String toString() {
        return "bytes in memory";
    }
}
