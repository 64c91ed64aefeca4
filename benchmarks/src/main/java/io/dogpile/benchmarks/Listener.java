package io.dogpile.benchmarks;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisClient;

/** Hears what is published on a channel, by a thread of its own, until it is closed. */
final class Listener extends JedisPubSub implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 20;

    private final Consumer<String> heard;
    private final CountDownLatch subscribed = new CountDownLatch(1);

    private Listener(Consumer<String> heard) {
        this.heard = heard;
    }

    /** Returns when it hears. */
    static Listener start(RedisClient jedis, String channel, Consumer<String> heard) throws InterruptedException {
        Listener listener = new Listener(heard);
        Thread thread = new Thread(() -> jedis.subscribe(listener, channel), "listener");
        thread.setDaemon(true);
        thread.start();
        if (!listener.subscribed.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("no subscription to '" + channel + "' within " + PATIENCE_SECONDS + " s");
        }
        return listener;
    }

    @Override
    public void onMessage(String channel, String message) {
        heard.accept(message);
    }

    @Override
    public void onSubscribe(String channel, int count) {
        subscribed.countDown();
    }

    @Override
    public void close() {
        unsubscribe();
    }
}
