package io.dogpile.redis;

import io.dogpile.core.Slot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.BinaryJedisPubSub;

/**
 * Where this node is told what others did: one subscription at a time, on one connection and by one thread of its own
 * ({@link Chores#listen}), to a channel of its own and one of all nodes, and to those of near caches.
 *
 * <pre>
 *             both channels acknowledged
 *   CONNECTING ────────────────────────► LIVE
 *      ▲                                  │ broken, or two heartbeats did not come back
 *      │ pause, growing                   ▼
 *      └──────────────────────────────── DOWN        (any) ──close──► CLOSED
 * </pre>
 *
 * <p>CONNECTING becomes DOWN, too, where the connection is broken, or not acknowledged before the third heartbeat is due.
 *
 * <p>A heartbeat is published on a command connection and must come back through the subscription: so half-open
 * connections, missing rights and a cluster whose bus is cut are found, too. Whenever the inbox goes live or down, all who wait
 * are told to look again, since a message may have been missed; whenever it goes live, near copies are dropped.
 *
 * <p>What is told runs on the inbox's thread, and must not block.
 */
final class Inbox implements AutoCloseable {
    static final long BEAT_MILLIS = 2_000;

    enum State {
        CONNECTING,
        LIVE,
        DOWN,
        CLOSED
    }

    private final Logger log = LoggerFactory.getLogger("io.dogpile.redis");
    private final Server server;
    private final Names names;
    private final String id;
    private final byte[] own;
    private final Map<String, WaitingPlace> places = new ConcurrentHashMap<>();
    private final Map<String, List<Consumer<@Nullable String>>> nearByChannel = new ConcurrentHashMap<>();
    private final Map<String, List<Generations>> generations = new ConcurrentHashMap<>();
    private final ReentrantLock channels = new ReentrantLock();
    private final Heartbeats beats = new Heartbeats();
    private volatile State state = State.CONNECTING;
    private volatile @Nullable Subscription subscription;

    Inbox(Server server, Names names, String id) {
        this.server = server;
        this.names = names;
        this.id = id;
        this.own = names.inbox(id);
    }

    boolean isLive() {
        return state == State.LIVE;
    }

    State state() {
        return state;
    }

    /** What is known of a record; null if nobody here waits for it. */
    @Nullable
    WaitingPlace place(String record) {
        return places.get(record);
    }

    /** Tells of changes of a record until it is closed. */
    Slot.Watch watch(String record, WaitingPlace.Waiting told) {
        places.compute(record, (key, before) -> {
            WaitingPlace place = before == null ? new WaitingPlace() : before;
            place.takesNothingYet();
            place.waiting.add(told);
            return place;
        });
        return new Slot.Watch() {
            @Override
            public boolean live() {
                return isLive();
            }

            @Override
            public void close() {
                places.computeIfPresent(record, (key, place) -> {
                    place.waiting.remove(told);
                    return place.waiting.isEmpty() ? null : place;
                });
            }
        };
    }

    /** Tells of near copies of a region that are old: the text of a key, or null for all. */
    Slot.Watch watchAll(String region, Consumer<@Nullable String> changed) {
        String channel = Texts.of(names.near(region));
        channels.lock();
        try {
            nearByChannel
                    .computeIfAbsent(channel, key -> new CopyOnWriteArrayList<>())
                    .add(changed);
            Subscription now = subscription;
            if (now != null && isLive()) {
                now.subscribe(Texts.bytes(channel));
            }
        } finally {
            channels.unlock();
        }
        return new Slot.Watch() {
            @Override
            public boolean live() {
                Subscription now = subscription;
                return isLive() && now != null && now.acknowledged.contains(channel);
            }

            @Override
            public void close() {
                List<Consumer<@Nullable String>> told = nearByChannel.get(channel);
                if (told != null) {
                    told.remove(changed); // the channel stays subscribed: one for each region that ever had a near copy
                }
            }
        };
    }

    /** Tells of new generations of a region until the returned watch is closed. */
    Slot.Watch watchGenerations(String region, Generations known) {
        List<Generations> all = generations.computeIfAbsent(region, key -> new CopyOnWriteArrayList<>());
        all.add(known);
        return () -> all.remove(known);
    }

    /**
     * Has a heartbeat sent, or breaks the connection off whose heartbeats do not come back. Called each {@link #BEAT_MILLIS}; does
     * not wait for the server, so that one that hangs is found as soon as one that is gone.
     */
    void beat(Consumer<Runnable> sender) {
        if (!isLive()) {
            breakOffIfSilent();
            return;
        }
        switch (beats.course()) {
            case WELL -> sendBeat(sender);
            case LOST -> {
                log.warn(
                        "Redis: {} heartbeats did not come back to inbox {}; subscribing anew",
                        Heartbeats.MOST_MISSED,
                        id);
                breakOff();
            }
            case NOT_SENT -> {
                log.debug("Redis: heartbeats cannot be sent; inbox {} subscribes anew", id); // why was told already
                breakOff();
            }
        }
    }

    private void sendBeat(Consumer<Runnable> sender) {
        long number = beats.begin();
        sender.accept(() -> {
            server.send(server.publish(own, Texts.bytes("H" + number)));
            beats.sent(number);
        });
    }

    /** Nothing else ends a connection that is lost after it was opened and before it is acknowledged. */
    private void breakOffIfSilent() {
        Subscription now = subscription;
        if (state == State.CONNECTING && now != null && ++now.beatsUnacknowledged > Heartbeats.MOST_MISSED) {
            log.warn("Redis: the subscription of inbox {} is not acknowledged; subscribing anew", id);
            breakOff();
        }
    }

    private void breakOff() {
        Subscription broken = subscription;
        if (broken != null) {
            broken.breakOff();
        }
    }

    /** A subscription begins, to {@link #channels}: it is told what comes by it, until this inbox is told that it is down. */
    Subscription connecting() {
        to(State.CONNECTING);
        Subscription now = new Subscription();
        subscription = now;
        return now;
    }

    /** The subscription ended. */
    void down() {
        to(State.DOWN);
    }

    private void to(State next) {
        channels.lock();
        try {
            if (state == State.CLOSED) {
                return;
            }
            state = next;
        } finally {
            channels.unlock();
        }
        if (next != State.CONNECTING) {
            places.values().forEach(place -> place.waiting.forEach(one -> tell(() -> one.accept(null))));
            nearByChannel.values().forEach(all -> all.forEach(one -> tell(() -> one.accept(null))));
        }
    }

    byte[][] channels() {
        channels.lock();
        try {
            List<byte[]> all = new ArrayList<>(List.of(own, names.channelOfAll()));
            nearByChannel.keySet().forEach(channel -> all.add(Texts.bytes(channel)));
            return all.toArray(new byte[0][]);
        } finally {
            channels.unlock();
        }
    }

    private void got(byte[] channel, byte[] message) {
        Push push = Push.parse(message);
        if (push instanceof Push.Changed changed) {
            WaitingPlace place = places.get(changed.key());
            if (place != null) {
                place.waiting.forEach(one -> tell(() -> one.accept(changed)));
            }
        } else if (push instanceof Push.Begun begun) {
            generations.getOrDefault(begun.region(), List.of()).forEach(known -> known.learn(begun.generations()));
        } else if (push instanceof Push.Copied copied && !copied.origin().equals(id)) {
            nearByChannel
                    .getOrDefault(Texts.of(channel), List.of())
                    .forEach(one -> tell(() -> one.accept(copied.text())));
        } else if (push instanceof Push.Beat beat && Arrays.equals(channel, own)) {
            beats.heard(beat.number());
        }
    }

    private void tell(Runnable one) {
        try {
            one.run();
        } catch (RuntimeException | LinkageError failed) {
            log.warn("Redis: a message could not be handled", failed);
        }
    }

    /** One connection's subscription. */
    final class Subscription extends BinaryJedisPubSub {
        final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
        private volatile Server.Opened.@Nullable Break connection;
        private volatile boolean wasLive;
        private int beatsUnacknowledged; // by the one thread of heartbeats

        boolean wasLive() {
            return wasLive;
        }

        void opened(Server.Opened.Break broken) {
            connection = broken;
            if (state == State.CLOSED) {
                breakOff();
            }
        }

        void breakOff() {
            Server.Opened.Break open = connection;
            if (open != null) {
                try {
                    open.off();
                } catch (Exception alreadyBroken) {
                    log.debug("Redis: the connection of inbox {} was broken already", id, alreadyBroken);
                }
            }
        }

        @Override
        public void onSubscribe(byte[] channel, int count) {
            acknowledged.add(Texts.of(channel));
            // What was copied before may have been changed without a word.
            nearByChannel.getOrDefault(Texts.of(channel), List.of()).forEach(one -> tell(() -> one.accept(null)));
            boolean both =
                    acknowledged.contains(Texts.of(own)) && acknowledged.contains(Texts.of(names.channelOfAll()));
            if (both && !wasLive) {
                wasLive = true;
                beats.forget();
                to(State.LIVE);
                subscribeLate();
            }
        }

        /** Those that were asked for while this one was connecting. */
        private void subscribeLate() {
            channels.lock();
            try {
                for (String channel : nearByChannel.keySet()) {
                    if (!acknowledged.contains(channel)) {
                        subscribe(Texts.bytes(channel)); // twice is harmless
                    }
                }
            } finally {
                channels.unlock();
            }
        }

        @Override
        public void onMessage(byte[] channel, byte[] message) {
            try {
                got(channel, message);
            } catch (RuntimeException | LinkageError failed) {
                log.warn("Redis: a message could not be handled", failed);
            }
        }
    }

    @Override
    public void close() {
        channels.lock();
        try {
            state = State.CLOSED;
        } finally {
            channels.unlock();
        }
        breakOff();
    }

    @Override
    public String toString() {
        return "inbox " + id;
    }
}
