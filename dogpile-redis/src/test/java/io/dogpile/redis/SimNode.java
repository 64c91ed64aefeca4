package io.dogpile.redis;

import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.DogpileLock;
import io.dogpile.core.Renewals;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.WhenDown;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;

/**
 * One JVM of a {@linkplain RedisSimulation simulation}: its real node, partition and lock, and in place of its threads, timers and
 * connections what the simulation decides about: tasks to run, alarms to ring, messages to hear.
 */
final class SimNode implements TimeSource, Chores {
    static final Duration LEASE = Duration.ofMillis(1_000);
    static final Duration MAX_CREATION = Duration.ofMillis(3_000);
    static final Duration STALE = Duration.ofMillis(2_000);
    static final Duration EXPIRE = Duration.ofMillis(6_000);
    static final Duration HARD_TIMEOUT = Duration.ofMillis(20_000);
    static final String REGION = "r";
    static final String PREFIX = "p:";
    private static final long MS = 1_000_000L;
    private static final Names NAMES = new Names(PREFIX);
    private static final Opening.Backoff BACKOFF =
            new Opening.Backoff(2, Duration.ofMillis(100), Duration.ofMillis(800));

    /** What a node's threads would have to do, for a caller or for nobody. */
    record Task(Runnable work, Object owner) {}

    /** What is to be done at a time. */
    static final class Alarm {
        final long at;
        final Runnable task;
        final Object owner;

        Alarm(long at, Runnable task, Object owner) {
            this.at = at;
            this.task = task;
            this.owner = owner;
        }
    }

    final int number;
    final String id;
    final ArrayList<Task> tasks = new ArrayList<>();
    final ArrayList<Alarm> alarms = new ArrayList<>();
    final ArrayDeque<Runnable> messages = new ArrayDeque<>();
    final Set<String> subscribed = new HashSet<>();
    final RedisNode node;
    final RedisPartition<String> partition;
    final DogpileLock<String> lock;
    final DogpileLock<String> neverStale;
    boolean dead;
    boolean unreachable;
    int claiming;
    long pausedUntil;
    private final RedisSimulation world;
    private final long origin;
    private final long wallAhead;
    private final int firstBeat;
    private boolean ending;
    private Inbox inbox;
    private Inbox.Subscription subscription;

    SimNode(
            RedisSimulation world,
            int number,
            int life,
            Server server,
            SimDraws draws,
            WhenDown whenDown,
            boolean behind) {
        this.world = world;
        this.number = number;
        this.id = "n" + number + "x" + life;
        this.origin = draws.pick(1_000) * 1_000 * MS;
        this.wallAhead = (draws.pick(3) - 1) * 3_600_000L;
        this.firstBeat = draws.pick(1_000);
        this.node = new RedisNode(
                server, NAMES, draws.pick(4) == 0 ? 0 : 4_096, RedisNode.Reads.BOUNDED, new Nonces(id), this);
        this.partition = new RedisPartition<>(node, opening(), Serializer.string());
        node.opened(partition);
        DogpileLock.Builder<String> options = DogpileLock.<String>builder()
                .staleAfter(STALE)
                .expireAfter(EXPIRE)
                .hardTimeout(HARD_TIMEOUT)
                .maxCreation(MAX_CREATION)
                .lock(null, LEASE)
                .whenDown(whenDown)
                .failureBackoff(BACKOFF.failures(), BACKOFF.first(), BACKOFF.longest())
                .seed(draws.next())
                .clock(this);
        if (behind) {
            options.refreshOn(this::later);
        }
        this.lock = Renewals.on(options, this::later).build();
        this.neverStale = lock.with(DogpileLock.Builder::neverStale);
        node.start();
    }

    private Opening<String> opening() {
        return new Opening<>(
                REGION,
                Object::toString,
                Serializer.string(),
                1 << 16,
                LEASE,
                MAX_CREATION,
                BACKOFF,
                this,
                DogpileListener.NONE);
    }

    static String record(Object key) {
        return NAMES.key(REGION, key.toString());
    }

    Slot<String> slot(Object key) {
        return ((Partition<String>) partition).slot(key);
    }

    boolean isPaused() {
        return world.nanos() < pausedUntil;
    }

    /** Whether its threads go on. */
    boolean runs() {
        return !dead && !isPaused();
    }

    // Its clocks

    @Override
    public long nanos() {
        return origin + world.nanos();
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(1_795_308_321_787L + world.nanos() / MS + wallAhead);
    }

    @Override
    public void park(Object blocker, long nanos) {
        throw new AssertionError("a simulation has no thread to park");
    }

    @Override
    public void unpark(Thread thread) {
        throw new AssertionError("a simulation has no thread to unpark");
    }

    @Override
    public Runnable after(long nanos, Runnable task) {
        long at = nanos > Long.MAX_VALUE / 2 ? Long.MAX_VALUE : world.nanos() + nanos;
        Alarm alarm = new Alarm(at, task, world.caller());
        if (!world.loses(alarm)) {
            alarms.add(alarm);
        }
        return () -> alarms.remove(alarm);
    }

    void ring(Alarm alarm) {
        alarms.remove(alarm);
        world.as(this, alarm.owner, alarm.task);
    }

    // Its threads

    @Override
    public void later(Runnable task) {
        tasks.add(new Task(task, world.caller()));
    }

    @Override
    public void beat(long millis, Runnable task) {
        repeated(firstBeat, millis, task);
    }

    @Override
    public void every(long millis, Runnable task) {
        repeated(firstBeat / 2, millis, task);
    }

    private void repeated(long after, long millis, Runnable task) {
        alarms.add(new Alarm(
                world.nanos() + after * MS,
                () -> {
                    task.run();
                    repeated(millis, millis, task);
                },
                null));
    }

    // Its subscription

    @Override
    public void listen(Inbox told) {
        inbox = told;
        connect();
    }

    private void connect() {
        subscription = inbox.connecting();
        if (unreachable) {
            ended();
            return;
        }
        Inbox.Subscription now = subscription;
        now.opened(this::cutSubscription);
        for (byte[] channel : inbox.channels()) {
            subscribed.add(Texts.of(channel));
            messages.add(() -> now.onSubscribe(channel, 1));
        }
    }

    private void ended() {
        ending = false;
        inbox.down();
        alarms.add(new Alarm(world.nanos() + 75 * MS, this::connect, null));
    }

    /** The connection is broken, and this node sees it. */
    void cutSubscription() {
        if (inbox.state() == Inbox.State.DOWN) {
            return;
        }
        subscribed.clear();
        messages.clear();
        messages.add(this::ended);
        ending = true;
    }

    /** The connection is broken, and this node does not see it. */
    void deafen() {
        subscribed.clear();
        if (!ending) {
            messages.clear();
        }
    }

    void hears(String channel, byte[] message) {
        Inbox.Subscription now = subscription;
        int said = world.event();
        messages.add(() -> {
            world.heard(this, message, said);
            now.onMessage(Texts.bytes(channel), message);
        });
    }

    void die() {
        dead = true;
        tasks.clear();
        alarms.clear();
        messages.clear();
        subscribed.clear();
    }

    boolean isHearing() {
        return inbox.isLive() && subscribed.size() == 2;
    }

    /** Nobody here waits, creates, or is told. */
    String leftBehind() {
        String left = lock.inFlight() + " in flight";
        for (String key : RedisSimulation.KEYS) {
            left += inbox.place(record(key)) == null ? "" : ", waits for " + key;
        }
        return left.equals("0 in flight") ? null : left;
    }

    @Override
    public void close() {
        die();
    }

    @Override
    public String toString() {
        return id;
    }
}
