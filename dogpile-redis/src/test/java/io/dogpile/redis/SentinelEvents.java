package io.dogpile.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** What sentinels publish of their master, from now until this is closed, which is before they are. */
final class SentinelEvents implements AutoCloseable {
    /** From the first to the last of these there are two masters, and what the old one is told is lost. */
    static final Set<String> OF_TWO_MASTERS = Set.of("+failover-state-send-slaveof-noone", "+switch-master");

    private final List<String> told = new CopyOnWriteArrayList<>();
    private final List<Overheard> all = new ArrayList<>();

    /**
     * Subscribes to all of them.
     *
     * @param sentinels whose
     * @param heard is given the name of each event, on a thread of that sentinel
     */
    SentinelEvents(RedisSentinels sentinels, Consumer<String> heard) {
        long start = System.nanoTime();
        for (RedisServer sentinel : sentinels.sentinels()) {
            all.add(new Overheard(sentinel.client(), (channel, message) -> {
                String event = Texts.of(channel);
                long millis = (System.nanoTime() - start) / 1_000_000;
                told.add(millis + " ms, " + sentinel + ": " + event + ' ' + Texts.of(message));
                heard.accept(event);
            }));
        }
    }

    /** All so far, a line each. */
    List<String> told() {
        return List.copyOf(told);
    }

    @Override
    public void close() {
        all.forEach(Overheard::close);
    }
}
