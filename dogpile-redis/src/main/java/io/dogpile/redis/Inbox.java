package io.dogpile.redis;

import io.dogpile.core.Slot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
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
    private static final int MOST_BEATS_MISSED = 2;

    enum State {
        CONNECTING,
        LIVE,
        DOWN,
        CLOSED
    }

    /** Told of changes of one record; null for "look again". */
    interface Waiting extends Consumer<Push.@Nullable Changed> {}

    private final Logger log = LoggerFactory.getLogger("io.dogpile.redis");
    private final Server server;
    private final Names names;
    private final String id;
    private final byte[] own;
    private final Map<String, Place> places = new ConcurrentHashMap<>();
    private final Map<String, List<Consumer<@Nullable String>>> nearByChannel = new ConcurrentHashMap<>();
    private final Map<String, List<Generations>> generations = new ConcurrentHashMap<>();
    private final ReentrantLock channels = new ReentrantLock();
    private final AtomicLong beats = new AtomicLong();
    private volatile long lastBeat;
    private volatile long lastSent;
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

    /** What this JVM knows of a record that it waits for; gone with the last who waits. */
    static final class Place {
        final List<Waiting> waiting = new CopyOnWriteArrayList<>();
        private volatile @Nullable Observed observed;
        private volatile long takesFromFence = Long.MAX_VALUE;
        private volatile long takesAfterMillis = Long.MAX_VALUE;

        /** A lease of another, seen unchanged since a local time. */
        record Observed(RedisRecord.Lease lease, long since, boolean registered) {}

        @Nullable
        Observed observed() {
            return observed;
        }

        /** Whether the server has this node noted as one to be told when that lease ends. */
        boolean isNotedFor(RedisRecord.Lease lease) {
            Observed before = observed;
            return before != null && before.registered && before.lease.nonce().equals(lease.nonce());
        }

        /**
         * A lease with that fence was held while somebody waited here. What is stored under it, or later, was not invalidated
         * before the wait began; what a message brings of before may have been, since it was on its way.
         */
        void takesFrom(long fence) {
            takesFromFence = fence;
        }

        /** The same of some lease, by the server's time. */
        void takesAfter(long serverMillis) {
            takesAfterMillis = serverMillis;
        }

        /** Whoever begins to wait takes nothing before it is told what it waits for. */
        private void takesNothingYet() {
            takesFromFence = Long.MAX_VALUE;
            takesAfterMillis = Long.MAX_VALUE;
        }

        /** Whether a value that was pushed is one that was waited for. */
        boolean takes(RedisRecord.Stamps pushed) {
            return pushed.fence() >= takesFromFence || pushed.storedAtMillis() > takesAfterMillis;
        }

        /** The lease is seen now; what was noted of the same one stands. */
        void sees(RedisRecord.Lease lease, boolean registered, long now) {
            Observed before = observed;
            if (before == null || !before.lease.nonce().equals(lease.nonce())) {
                observed = new Observed(lease, now, registered);
                return;
            }
            boolean stands = before.lease.expiryMillis() == lease.expiryMillis();
            observed = new Observed(lease, stands ? before.since : now, registered || before.registered);
        }
    }

    /** What is known of a record; null if nobody here waits for it. */
    @Nullable
    Place place(String record) {
        return places.get(record);
    }

    /** Tells of changes of a record until it is closed. */
    Slot.Watch watch(String record, Waiting told) {
        places.compute(record, (key, before) -> {
            Place place = before == null ? new Place() : before;
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
        if (beats.get() - lastBeat >= MOST_BEATS_MISSED) {
            if (lastSent > lastBeat) {
                log.warn("Redis: {} heartbeats did not come back to inbox {}; subscribing anew", MOST_BEATS_MISSED, id);
            } else {
                log.debug("Redis: heartbeats cannot be sent; inbox {} subscribes anew", id); // why was told already
            }
            breakOff();
            return;
        }
        long number = beats.incrementAndGet();
        sender.accept(() -> {
            server.send(server.publish(own, Texts.bytes("H" + number)));
            lastSent = number;
        });
    }

    /** Nothing else ends a connection that is lost after it was opened and before it is acknowledged. */
    private void breakOffIfSilent() {
        Subscription now = subscription;
        if (state == State.CONNECTING && now != null && ++now.beatsUnacknowledged > MOST_BEATS_MISSED) {
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
            Place place = places.get(changed.key());
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
            heard(beat.number());
        }
    }

    /** One that was not sent yet is a stranger's, and would pass for all those that will not come back. */
    private void heard(long number) {
        if (number > lastBeat && number <= beats.get()) {
            lastBeat = number;
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
                lastBeat = beats.get();
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
