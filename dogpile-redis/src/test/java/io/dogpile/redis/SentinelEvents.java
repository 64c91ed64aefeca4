package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.dogpile.cache.processes.Await;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import redis.clients.jedis.BinaryJedisPubSub;
import redis.clients.jedis.RedisClient;

/** What sentinels publish of their master, from now until this is closed, which is before they are. */
final class SentinelEvents implements AutoCloseable {
    /** From the first to the last of these there are two masters, and what the old one is told is lost. */
    static final Set<String> OF_TWO_MASTERS = Set.of("+failover-state-send-slaveof-noone", "+switch-master");

    private final List<String> told = new CopyOnWriteArrayList<>();
    private final List<BinaryJedisPubSub> subscriptions = new ArrayList<>();
    private final List<RedisClient> clients = new ArrayList<>();

    /**
     * Subscribes to all of them.
     *
     * @param sentinels whose
     * @param heard is given the name of each event, on a thread of that sentinel
     */
    SentinelEvents(RedisSentinels sentinels, Consumer<String> heard) {
        long start = System.nanoTime();
        for (RedisServer sentinel : sentinels.sentinels()) {
            BinaryJedisPubSub subscription = new BinaryJedisPubSub() {
                @Override
                public void onPMessage(byte[] pattern, byte[] channel, byte[] message) {
                    String event = new String(channel, ISO_8859_1);
                    long millis = (System.nanoTime() - start) / 1_000_000;
                    told.add(millis + " ms, " + sentinel + ": " + event + ' ' + new String(message, ISO_8859_1));
                    heard.accept(event);
                }
            };
            RedisClient client = sentinel.client();
            clients.add(client);
            subscriptions.add(subscription);
            Thread thread = new Thread(() -> listen(client, subscription), "events of " + sentinel);
            thread.setDaemon(true);
            thread.start();
            Await.until("the subscription to " + sentinel, subscription::isSubscribed);
        }
    }

    private void listen(RedisClient client, BinaryJedisPubSub subscription) {
        try {
            client.psubscribe(subscription, "*".getBytes(ISO_8859_1));
        } catch (RuntimeException ended) {
            told.add("the subscription ended: " + ended);
        }
    }

    /** All so far, a line each. */
    List<String> told() {
        return List.copyOf(told);
    }

    @Override
    public void close() {
        subscriptions.forEach(BinaryJedisPubSub::punsubscribe);
        clients.forEach(RedisClient::close);
    }
}
