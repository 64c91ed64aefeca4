package io.dogpile.core;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Gives every caller of one name the same object, for as long as anyone holds it. This is how the many users of a key
 * come to share one {@code Dogpile}, or one lock, without anybody keeping a map of all keys.
 *
 * <pre>{@code
 * NameRegistry<Report> reports = NameRegistry.of(Report::new);
 * Report report = reports.get("daily");      // the same object for all who ask while one of them holds it
 * }</pre>
 *
 * <p><b>Guarantees.</b> Two calls for one name give the same object while any caller strongly holds it. Concurrent first
 * calls run the creator once and share what it gives, or what it throws. A creator runs under no lock: a slow one delays
 * only those who ask for its own name, and it may ask this or another registry for other names. A look-up that finds its
 * object takes no lock and allocates nothing. Any number of distinct names may pass through: an object nobody holds is
 * left to the garbage collector, and its entry is taken out by later calls, whether they find their name or not.
 *
 * <p><b>The first holder's arguments win.</b> The creator is called only where the name has no living object, so what
 * a second caller gives to {@link #get(String, Function)} is ignored while the first caller's object lives. Keep what
 * differs from call to call (an expiry, say) out of the registered object.
 *
 * <p><b>Not promised.</b> The registry does not keep an object alive. An object used as a lock must stay strongly
 * reachable for the whole section it guards, by a field of what is handed on or by {@link Reference#reachabilityFence};
 * a local variable that is not used again does not count. A creator that hands its work to another thread and waits for
 * it there is not seen to be waiting: only what creators ask on their own thread is checked for cycles.
 *
 * <p>Thread-safe. Rows B-001 to B-018 of the conformance list; after {@code NameRegistry} of dogpile.core, which
 * serialises all creators and lets one replace its own object.
 *
 * @param <V> the type of the named objects
 */
public final class NameRegistry<V> {
    /** More than the one entry a miss adds, so that a backlog shrinks; few, so that no single caller pays for it all. */
    private static final int PURGED_BY_A_MISS = 64;

    /** The creation that runs on this thread, innermost; absent while none does, so that no idle thread pins a class. */
    private static final ThreadLocal<Attempt<?>> RUNNING = new ThreadLocal<>();

    /**
     * Guards who waits for whom: {@link Attempt#waitingFor} and {@link Attempt#waiting} of all registries, since a cycle
     * may lead through several. Taken only by a creator that has to wait for another creator, and never for longer than
     * a walk along the waiting ones.
     */
    private static final ReentrantLock WAITS = new ReentrantLock();

    private final Function<? super String, ? extends V> creator;

    /** Names with an object, living or collected but not yet purged. Put only by the attempt that holds the name. */
    final ConcurrentMap<String, Entry<V>> entries = new ConcurrentHashMap<>();

    /** Names whose creator runs. An attempt registers its entry before it leaves here, so that no name is in neither. */
    private final ConcurrentMap<String, Attempt<V>> attempts = new ConcurrentHashMap<>();

    private final ReferenceQueue<V> collected = new ReferenceQueue<>();

    private NameRegistry(Function<? super String, ? extends V> creator) {
        this.creator = creator;
    }

    /**
     * Makes a registry whose objects are made by {@code creator}.
     *
     * @param <V> the type of the named objects
     * @param creator makes the object of a name; is given the name, and may not give null
     * @return a registry without any name
     * @throws NullPointerException if {@code creator} is null
     */
    public static <V> NameRegistry<V> of(Function<? super String, ? extends V> creator) {
        return new NameRegistry<>(requireNonNull(creator, "creator must not be null"));
    }

    /**
     * Gives the object of {@code name}, making it if the name has none. Callers who come while it is being made wait
     * for it; if its creator throws, they get that same exception, nothing is registered, and the next caller who
     * comes tries anew.
     *
     * @param name the name, compared by {@code equals}
     * @return the one object of that name
     * @throws NullPointerException if {@code name} is null, or if the creator gave null
     * @throws IllegalStateException if the calling creator would have to wait for itself; the message shows the chain of
     *     names
     * @throws DogpileException if the thread was interrupted while it waited for another thread's creator; its interrupt
     *     flag is set again
     */
    public V get(String name) {
        V value = living(name);
        return value != null ? value : create(name, creator);
    }

    /**
     * Gives the object of {@code name} as {@link #get(String)} does, but makes it, if it has to be made, by the creator
     * given here: the way to pass it further arguments. If the name has an object, or is being given one, this creator
     * is ignored.
     *
     * @param name the name, compared by {@code equals}
     * @param creator makes the object of a name; is given the name, and may not give null
     * @return the one object of that name
     * @throws NullPointerException if {@code name} or {@code creator} is null, or if the creator gave null
     * @throws IllegalStateException as {@link #get(String)} does
     * @throws DogpileException as {@link #get(String)} does
     */
    public V get(String name, Function<? super String, ? extends V> creator) {
        requireNonNull(creator, "creator must not be null");
        V value = living(name);
        return value != null ? value : create(name, creator);
    }

    /**
     * Counts the names that have an object, after taking out those whose objects are known to be collected. A moment's
     * figure, for gauges and tests.
     *
     * @return the number of names
     */
    public int size() {
        purge(Integer.MAX_VALUE);
        return entries.size();
    }

    private @Nullable V living(String name) {
        // A registry that is only hit must lose its dead too. With none waiting this reads one field.
        Reference<? extends V> dead = collected.poll();
        if (dead != null) {
            remove(dead);
        }
        Entry<V> entry = entries.get(requireNonNull(name, "name must not be null"));
        return entry == null ? null : entry.get();
    }

    private V create(String name, Function<? super String, ? extends V> creator) {
        purge(PURGED_BY_A_MISS);
        Attempt<V> mine = new Attempt<>(name, RUNNING.get());
        Attempt<V> others = attempts.putIfAbsent(name, mine);
        return others == null ? run(mine, creator) : await(others);
    }

    private V run(Attempt<V> mine, Function<? super String, ? extends V> creator) {
        String name = mine.name;
        try {
            Entry<V> entry = entries.get(name);
            V value = entry == null ? null : entry.get();
            if (value == null) {
                value = mine.call(creator);
                entries.put(name, new Entry<>(name, value, collected));
            }
            mine.value = value;
            return value;
        } catch (Throwable t) {
            mine.failure = t;
            throw t;
        } finally {
            // In this order: who is told of the outcome and asks again must not meet this attempt a second time.
            attempts.remove(name, mine);
            mine.done.countDown();
        }
    }

    private V await(Attempt<V> others) {
        Attempt<?> waiting = RUNNING.get();
        if (waiting != null) {
            waiting.announceWaitFor(others);
        }
        try {
            others.done.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DogpileException(
                    "interrupted while another thread creates " + quoted(others.name)
                            + "; the interrupt flag is set again",
                    e);
        } finally {
            if (waiting != null) {
                waiting.endWait();
            }
        }
        return others.outcome();
    }

    private void purge(int most) {
        for (int purged = 0; purged < most; purged++) {
            Reference<? extends V> dead = collected.poll();
            if (dead == null) {
                return;
            }
            remove(dead);
        }
    }

    /** Takes out exactly this reference: by now its name may have another object. */
    private void remove(Reference<? extends V> dead) {
        if (dead instanceof Entry<?> entry) {
            entries.remove(entry.name, entry);
        }
    }

    private static String quoted(String name) {
        return '"' + Names.render(name) + '"';
    }

    /** A name's hold on its object. Equality is identity, which is what a purge needs. */
    static final class Entry<V> extends WeakReference<V> {
        final String name;

        Entry(String name, V value, ReferenceQueue<V> collected) {
            super(value, collected);
            this.name = name;
        }
    }

    /**
     * One run of a creator for one name, and what those wait for who come while it runs. The attempts of one thread form
     * a stack, from the innermost over {@link #outer} to their {@link #root}; since a waiting thread keeps all of them
     * waiting, the root carries for all of them what the thread waits for.
     */
    private static final class Attempt<V> {
        final String name;
        final @Nullable Attempt<?> outer;
        final Attempt<?> root;
        final CountDownLatch done = new CountDownLatch(1);

        /** What the thread of this stack waits for. Kept by the root. Guarded by WAITS. */
        @Nullable
        Attempt<?> waitingFor;

        /** The innermost attempt of the waiting stack. Kept by the root. Guarded by WAITS. */
        @Nullable
        Attempt<?> waiting;

        /** Written before done is counted down, read after it, as is the failure. */
        @Nullable
        V value;

        @Nullable
        Throwable failure;

        Attempt(String name, @Nullable Attempt<?> outer) {
            this.name = name;
            this.outer = outer;
            this.root = outer == null ? this : outer.root;
        }

        V call(Function<? super String, ? extends V> creator) {
            RUNNING.set(this);
            try {
                return requireNonNull(creator.apply(name), () -> "the creator gave null for the name " + quoted(name));
            } finally {
                if (outer == null) {
                    RUNNING.remove();
                } else {
                    RUNNING.set(outer);
                }
            }
        }

        V outcome() {
            if (failure instanceof RuntimeException e) {
                throw e;
            }
            if (failure instanceof Error e) {
                throw e;
            }
            if (failure != null) {
                throw new UndeclaredThrowableException(failure);
            }
            return requireNonNull(value);
        }

        void announceWaitFor(Attempt<?> others) {
            WAITS.lock();
            try {
                refuseCycle(others);
                root.waiting = this;
                root.waitingFor = others;
            } finally {
                WAITS.unlock();
            }
        }

        void endWait() {
            WAITS.lock();
            try {
                root.waiting = null;
                root.waitingFor = null;
            } finally {
                WAITS.unlock();
            }
        }

        /**
         * Follows the waits from the wanted attempt on; throws if they lead back to this stack. An attempt that is done
         * holds nobody up, whatever its thread waits for by now. Guarded by WAITS.
         */
        private void refuseCycle(Attempt<?> wanted) {
            List<String> chain = new ArrayList<>();
            Attempt<?> next = wanted;
            while (next != null && next.done.getCount() > 0) {
                if (next.root == root) {
                    chain.addAll(0, names(next, this));
                    chain.add(next.name);
                    throw new IllegalStateException("the creator of " + quoted(name) + " asks for "
                            + quoted(wanted.name) + ", which cannot be made before it: "
                            + chain.stream().map(NameRegistry::quoted).collect(joining(" -> "))
                            + "; make what they share under a name of its own");
                }
                Attempt<?> innermost = next.root.waiting;
                if (innermost == null) {
                    return;
                }
                chain.addAll(names(next, innermost));
                next = next.root.waitingFor;
            }
        }

        /** The names of one stack, from an outer attempt to an inner one, both included. */
        private static List<String> names(Attempt<?> from, Attempt<?> to) {
            List<String> names = new ArrayList<>();
            for (Attempt<?> at = to; at != null; at = at == from ? null : at.outer) {
                names.add(0, at.name);
            }
            return names;
        }
    }
}
