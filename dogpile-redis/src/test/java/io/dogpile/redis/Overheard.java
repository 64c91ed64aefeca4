package io.dogpile.redis;

import io.dogpile.cache.processes.Await;
import java.util.function.BiConsumer;
import redis.clients.jedis.BinaryJedisPubSub;
import redis.clients.jedis.RedisClient;

/** Whatever a server publishes, in its order, from when this is made until it is closed, which closes its client too. */
final class Overheard implements AutoCloseable {
    private final RedisClient client;
    private final BinaryJedisPubSub subscription;
    private final Thread thread;

    /**
     * Returns when the server has said that it will tell.
     *
     * @param client of whom; this closes it
     * @param heard is given channel and message, on a thread of this
     */
    Overheard(RedisClient client, BiConsumer<byte[], byte[]> heard) {
        this.client = client;
        this.subscription = new BinaryJedisPubSub() {
            @Override
            public void onPMessage(byte[] pattern, byte[] channel, byte[] message) {
                heard.accept(channel, message);
            }
        };
        this.thread = new Thread(() -> client.psubscribe(subscription, Texts.bytes("*")), "overhears a server");
        thread.setDaemon(true);
        thread.start();
        Await.until("the subscription", subscription::isSubscribed);
    }

    @Override
    public void close() {
        try {
            subscription.punsubscribe();
            Await.until("the end of the subscription", () -> !thread.isAlive());
        } finally {
            client.close();
        }
    }
}
