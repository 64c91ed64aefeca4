package io.dogpile.memcached;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.processes.NodeMain;
import io.dogpile.core.LockProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** A node on a memcached server, which is named by its address. */
final class MemcachedNodeMain implements NodeMain.Store {
    private final MemcachedBackend backend;

    private MemcachedNodeMain(String address) {
        backend = MemcachedBackend.builder().servers(address).build();
    }

    public static void main(String[] arguments) throws IOException {
        NodeMain.run(arguments, MemcachedNodeMain::new);
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public LockProvider locks() {
        return backend.locks();
    }

    @Override
    public long number(String counter) {
        Server server = backend.member().server();
        byte[] bytes = server.answer(server.gets(item(counter))).data();
        return bytes == null ? 0 : Long.parseLong(new String(bytes, StandardCharsets.US_ASCII));
    }

    @Override
    public void number(String counter, long number) {
        Server server = backend.member().server();
        server.answer(server.set(item(counter), Long.toString(number).getBytes(StandardCharsets.US_ASCII), Ttl.NEVER));
    }

    static Item item(String counter) {
        return new Names("counters:").lock(counter);
    }

    @Override
    public void close() {
        backend.close();
    }
}
