package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.processes.NodeMain;
import io.dogpile.core.LockProvider;
import java.io.IOException;
import redis.clients.jedis.RedisClient;

/** A node on a Redis server of this machine, which is named by its port. */
final class RedisNodeMain implements NodeMain.Store {
    private final RedisBackend backend;
    private final RedisClient client;

    private RedisNodeMain(int port) {
        backend = RedisBackend.builder().server("127.0.0.1", port).build();
        client = RedisClient.create("127.0.0.1", port);
    }

    public static void main(String[] arguments) throws IOException {
        NodeMain.run(arguments, port -> new RedisNodeMain(Integer.parseInt(port)));
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
    public void awaitLive() {
        Await.until("the inbox is live", backend.node().inbox()::isLive);
    }

    @Override
    public long number(String counter) {
        String text = client.get(counter);
        return text == null ? 0 : Long.parseLong(text);
    }

    @Override
    public void number(String counter, long number) {
        client.set(counter, Long.toString(number));
    }

    @Override
    public void close() {
        client.close();
        backend.close();
    }
}
