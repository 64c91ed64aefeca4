package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.processes.Await;
import io.dogpile.cache.processes.NodeMain;
import io.dogpile.core.LockProvider;
import java.io.IOException;
import java.util.Arrays;
import redis.clients.jedis.RedisClient;

/** A node on a Redis server of this machine, which is named by its port; or {@code sentinels,} and their ports. */
final class RedisNodeMain implements NodeMain.Store {
    private static final String LOOPBACK = "127.0.0.1";

    private final RedisBackend backend;

    /** For numbers beside the cache; null where there are sentinels. */
    private final RedisClient client;

    private RedisNodeMain(RedisBackend backend, RedisClient client) {
        this.backend = backend;
        this.client = client;
    }

    public static void main(String[] arguments) throws IOException {
        NodeMain.run(arguments, RedisNodeMain::open);
    }

    private static RedisNodeMain open(String where) {
        String[] words = where.split(",");
        if (words.length == 1) {
            int port = Integer.parseInt(where);
            return new RedisNodeMain(
                    RedisBackend.builder().server(LOOPBACK, port).build(), RedisClient.create(LOOPBACK, port));
        }
        String[] sentinels =
                Arrays.stream(words).skip(1).map(port -> LOOPBACK + ':' + port).toArray(String[]::new);
        return new RedisNodeMain(
                RedisBackend.builder()
                        .sentinels(RedisSentinels.MASTER_NAME, sentinels)
                        .build(),
                null);
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
        if (client != null) {
            client.close();
        }
        backend.close();
    }
}
