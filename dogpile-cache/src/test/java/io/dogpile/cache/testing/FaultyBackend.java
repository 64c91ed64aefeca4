package io.dogpile.cache.testing;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Stands before any backend as an unreliable network does, and as a process that may die: requests are dropped, delayed
 * until the test lets them go, done twice; replies are lost; a process ends after its write. What meets which fault is
 * told by a {@linkplain #script script}, for {@linkplain #always all} requests of a kind, or by a {@linkplain #byChance
 * seed}.
 *
 * <pre>{@code
 * FaultyBackend store = FaultyBackend.before(new MyBackend(server));
 * Region<Long, User> users = Region.<Long, User>builder("users").backend(store).build();
 * store.script(Verb.PUBLISH, Fault.LOSE_REPLY); // the next value is stored, and nobody is told
 * }</pre>
 *
 * <p>One of these is one process. For a second, put another before the same backend. Each verb of a partition is one
 * request, of one key or of several. No read is free here, whatever the backend is, so that none passes the faults by.
 *
 * <p>Not promised: anything of the bytes on a wire; the faults are those that are seen at this port. A request that is
 * done twice is two calls of the backend's verb, of which the first answers.
 *
 * <p>Thread-safe. Every wait here ends after 30 seconds.
 */
public final class FaultyBackend implements Backend {
    /** What a partition is asked. */
    public enum Verb {
        /** Reads of one key or several. */
        READ,
        /** Claims of the right to create. */
        CLAIM,
        /** Renewals of rights. */
        RENEW,
        /** Publications of what was created. */
        PUBLISH,
        /** Rights that are given back without a value. */
        ABANDON,
        /** Puts. */
        PUT,
        /** Invalidations, of keys and of the region. */
        INVALIDATE,
        /** What the backend tells a watch; it goes the other way, and knows no reply. */
        PUSH
    }

    /** What becomes of a request. */
    public enum Fault {
        /** Nothing: it is done and answered. */
        NONE,
        /** It does not reach the store, and its caller gets an IOException. A push is not told. */
        DROP,
        /** It waits until {@link FaultyBackend#letGo}, and is then done. A push is told then. */
        DELAY,
        /** It is done, and its answer waits until {@link FaultyBackend#letGo}. */
        DELAY_REPLY,
        /** It is done twice; the first answer counts. A push is told twice. */
        DUPLICATE,
        /** It is done, and its caller gets an IOException. */
        LOSE_REPLY,
        /** It is done, and then the process dies: see {@link FaultyBackend#crash}. */
        CRASH
    }

    /**
     * A request and its fault.
     *
     * @param verb what was asked
     * @param key the key, or the collection of keys, or null for all of the region
     * @param fault what became of it
     */
    public record Met(Verb verb, @Nullable Object key, Fault fault) {}

    private static final long PATIENCE_SECONDS = 30;
    private static final int MOST_REMEMBERED = 10_000;
    private static final Set<Fault> BY_CHANCE = EnumSet.of(Fault.DROP, Fault.DUPLICATE, Fault.LOSE_REPLY);
    private static final Set<Fault> OF_PUSHES = EnumSet.of(Fault.NONE, Fault.DROP, Fault.DELAY, Fault.DUPLICATE);

    private final Backend backend;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Map<Verb, Deque<Fault>> scripts = new EnumMap<>(Verb.class); // Guarded by: lock
    private final Map<Verb, Fault> standing = new EnumMap<>(Verb.class); // Guarded by: lock
    private final Map<Verb, Integer> counts = new EnumMap<>(Verb.class); // Guarded by: lock
    private final Deque<Met> met = new ArrayDeque<>(); // Guarded by: lock
    private final List<Runnable> delayedPushes = new ArrayList<>(); // Guarded by: lock
    private @Nullable Chance chance; // Guarded by: lock
    private int delayed; // Guarded by: lock
    private long releases; // Guarded by: lock
    private boolean crashed; // Guarded by: lock

    private record Chance(long seed, Random random, int oneIn, List<Fault> faults) {
        Fault draw() {
            return random.nextInt(oneIn) == 0 ? faults.get(random.nextInt(faults.size())) : Fault.NONE;
        }
    }

    private FaultyBackend(Backend backend) {
        this.backend = backend;
    }

    /**
     * Before a backend, without faults until told.
     *
     * @param backend where the requests go
     * @return the backend for one process
     */
    public static FaultyBackend before(Backend backend) {
        return new FaultyBackend(Objects.requireNonNull(backend, "backend"));
    }

    /**
     * The next requests of a verb meet these faults, one each, in this order, after those that were scripted before. A
     * script goes before {@link #always} and {@link #byChance}.
     *
     * @param verb the verb
     * @param faults what they meet; {@link Fault#NONE} lets one pass
     * @return this
     * @throws IllegalArgumentException if a push is to meet what only a request can
     */
    public FaultyBackend script(Verb verb, Fault... faults) {
        List.of(faults).forEach(fault -> check(verb, fault));
        lock.lock();
        try {
            Collections.addAll(scripts.computeIfAbsent(verb, none -> new ArrayDeque<>()), faults);
        } finally {
            lock.unlock();
        }
        return this;
    }

    /**
     * All requests of these verbs meet this fault, until it is said otherwise.
     *
     * @param fault the fault
     * @param verbs the verbs
     * @return this
     * @throws IllegalArgumentException if a push is to meet what only a request can
     */
    public FaultyBackend always(Fault fault, Verb... verbs) {
        List.of(verbs).forEach(verb -> check(verb, fault));
        lock.lock();
        try {
            List.of(verbs).forEach(verb -> standing.put(verb, fault));
        } finally {
            lock.unlock();
        }
        return this;
    }

    /**
     * Each request and push meets one of these faults by chance. The same seed draws the same faults for the same order of
     * requests; each failure that it leads to names the seed.
     *
     * @param seed where the draw begins
     * @param oneIn how many requests there are for each that fails; at least 1
     * @param faults what is drawn from: {@link Fault#DROP}, {@link Fault#DUPLICATE}, {@link Fault#LOSE_REPLY}
     * @return this
     * @throws IllegalArgumentException if no fault is given, or one that waits or ends for a test, or {@code oneIn} is
     *     less than 1
     */
    public FaultyBackend byChance(long seed, int oneIn, Fault... faults) {
        List<Fault> drawn = List.of(faults);
        if (oneIn < 1 || drawn.isEmpty() || !BY_CHANCE.containsAll(drawn)) {
            throw new IllegalArgumentException("by chance one in 1 or more requests meets one of " + BY_CHANCE
                    + ", was one in " + oneIn + " of " + drawn + "; script what needs a test to go on");
        }
        lock.lock();
        try {
            chance = new Chance(seed, new Random(seed), oneIn, drawn);
        } finally {
            lock.unlock();
        }
        return this;
    }

    /** No request meets a fault from now on; those that are delayed go on. What died stays so until {@link #restart}. */
    public void heal() {
        lock.lock();
        try {
            scripts.clear();
            standing.clear();
            chance = null;
        } finally {
            lock.unlock();
        }
        letGo();
    }

    /** Lets all that is delayed now go on. Delayed pushes are told on this thread. */
    public void letGo() {
        List<Runnable> pushes;
        lock.lock();
        try {
            releases++;
            delayed = 0;
            pushes = List.copyOf(delayedPushes);
            delayedPushes.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        pushes.forEach(Runnable::run);
    }

    /**
     * Waits until that many requests, replies and pushes are delayed.
     *
     * @param many how many, at least
     * @throws AssertionError if there are fewer after 30 seconds
     * @throws InterruptedException if interrupted meanwhile
     */
    public void awaitDelayed(int many) throws InterruptedException {
        lock.lock();
        try {
            long left = TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (delayed + delayedPushes.size() < many) {
                if (left <= 0) {
                    throw new AssertionError(delayed + delayedPushes.size() + " are delayed, not " + many);
                }
                left = changed.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * The process dies: nothing that it asks from now on reaches the store, what it had delayed neither, and nothing is
     * told to it. The store keeps what it has, rights too.
     */
    public void crash() {
        lock.lock();
        try {
            crashed = true;
        } finally {
            lock.unlock();
        }
        letGo();
    }

    /** A process is there again. Rights of the one before are as the store has them. */
    public void restart() {
        lock.lock();
        try {
            crashed = false;
        } finally {
            lock.unlock();
        }
    }

    /**
     * The requests and pushes so far, the last 10,000 of them.
     *
     * @return what was asked, in order, with its fault
     */
    public List<Met> met() {
        lock.lock();
        try {
            return List.copyOf(met);
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many requests of a verb there were.
     *
     * @param verb the verb
     * @return all, whatever became of them
     */
    public int count(Verb verb) {
        lock.lock();
        try {
            return counts.getOrDefault(verb, 0);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        return new FaultyPartition<>(this, backend.open(opening));
    }

    @Override
    public String toString() {
        return "faults before " + backend;
    }

    /** A request on its way through the faults. */
    <T> T request(Verb verb, @Nullable Object key, Callable<T> request) throws Exception {
        Fault fault = meet(verb, key);
        switch (fault) {
            case NONE -> {
                return request.call();
            }
            case DROP -> throw noAnswer(verb, key, "was dropped");
            case DELAY -> {
                hold(verb, key);
                return request.call();
            }
            case DELAY_REPLY -> {
                T reply = request.call();
                hold(verb, key);
                return reply;
            }
            case DUPLICATE -> {
                T reply = request.call();
                callAgain(request);
                return reply;
            }
            case LOSE_REPLY -> {
                request.call();
                throw noAnswer(verb, key, "was done and its reply lost");
            }
            case CRASH -> {
                request.call();
                crash();
                throw noAnswer(verb, key, "was done and its process died");
            }
            default -> throw new AssertionError(fault);
        }
    }

    /** The client is not told what becomes of a copy. */
    private static void callAgain(Callable<?> request) {
        try {
            request.call();
        } catch (Exception unseen) {
            // as the store pleases
        }
    }

    /** What the store tells a watch. */
    void push(Runnable push) {
        Fault fault;
        lock.lock();
        try {
            if (crashed) {
                return;
            }
            fault = drawn(Verb.PUSH, null);
            if (fault == Fault.DELAY) {
                delayedPushes.add(() -> {
                    if (isAlive()) {
                        push.run();
                    }
                });
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        if (fault == Fault.NONE || fault == Fault.DUPLICATE) {
            push.run();
        }
        if (fault == Fault.DUPLICATE) {
            push.run();
        }
    }

    boolean isAlive() {
        lock.lock();
        try {
            return !crashed;
        } finally {
            lock.unlock();
        }
    }

    private Fault meet(Verb verb, @Nullable Object key) throws IOException {
        lock.lock();
        try {
            if (crashed) {
                throw new IOException(text(verb, key) + " of a process that died");
            }
            return drawn(verb, key);
        } finally {
            lock.unlock();
        }
    }

    /** The fault of this request, written down. Called under the lock. */
    private Fault drawn(Verb verb, @Nullable Object key) {
        Deque<Fault> script = scripts.get(verb);
        Fault fault = script == null ? null : script.poll();
        if (fault == null) {
            fault = standing.get(verb);
        }
        if (fault == null) {
            fault = chance == null ? Fault.NONE : chance.draw();
            fault = verb != Verb.PUSH || OF_PUSHES.contains(fault) ? fault : Fault.NONE;
        }
        counts.merge(verb, 1, Integer::sum);
        met.add(new Met(verb, key, fault));
        if (met.size() > MOST_REMEMBERED) {
            met.remove();
        }
        return fault;
    }

    private void hold(Verb verb, @Nullable Object key) throws Exception {
        lock.lock();
        long before = releases;
        delayed++;
        try {
            changed.signalAll();
            long left = TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
            while (releases == before) {
                if (left <= 0) {
                    throw noAnswer(verb, key, "was delayed, and nobody let it go");
                }
                left = changed.awaitNanos(left);
            }
            if (crashed) {
                throw noAnswer(verb, key, "was under way as its process died");
            }
        } finally {
            if (releases == before) {
                delayed--;
            }
            lock.unlock();
        }
    }

    private IOException noAnswer(Verb verb, @Nullable Object key, String why) {
        lock.lock();
        try {
            return new IOException(text(verb, key) + ' ' + why + (chance == null ? "" : ", seed " + chance.seed()));
        } finally {
            lock.unlock();
        }
    }

    private static String text(Verb verb, @Nullable Object key) {
        return "the " + verb + " of " + (key == null ? "the region" : "'" + key + "'");
    }

    private static void check(Verb verb, Fault fault) {
        if (verb == Verb.PUSH && !OF_PUSHES.contains(fault)) {
            throw new IllegalArgumentException(verb + " cannot meet " + fault + ": it is one of " + OF_PUSHES);
        }
    }
}
