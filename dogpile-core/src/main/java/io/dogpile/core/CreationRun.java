package io.dogpile.core;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One call of a creator, under the rights to one name or to several: binds {@link Creation#current()}, keeps the leases
 * alive meanwhile, publishes or abandons, and lands the flights. The same for a caller's own thread, the executor of
 * {@code refreshOn}, a batch, and a creator that answers with a future.
 *
 * <p>Order matters: the value is stored, then the publication is counted, then the name is free, then those who wait are
 * woken. So whoever finds no flight finds the value, or a moved count.
 */
final class CreationRun<V> {
    /** What a creator made of one name. */
    record Made<V>(boolean leftOut, @Nullable V value) {
        static <V> Made<V> of(@Nullable V value) {
            return new Made<>(false, value);
        }
    }

    private final Flights<V> flights;
    private final Options<V> options;
    private final Map<Object, Flight<V>> legs;
    private final Slots.Grants<Object, V> grants;
    private final Creation creation;
    private final long overdueAt;
    private volatile long begunAt;
    private boolean storeIsShared; // written before the creator is called
    private final Set<Object> leasesLost = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean isOverdue = new AtomicBoolean();
    private volatile @Nullable Renewal renewal;

    /** What ends once the value is in place, or is known not to come. Only touched by the thread of the creator. */
    private final Deque<Runnable> afterwards = new ArrayDeque<>();

    /** The flights that this run's creator waits for. Guarded by: {@link Cycles}. */
    final Set<Flight<?>> waitsFor = new LinkedHashSet<>();

    /** A run for one name; a null grant is no right: what is created is not stored. */
    CreationRun(Flights<V> flights, Flight<V> flight, Options<V> options, Slot.@Nullable Grant<V> grant) {
        this(
                flights,
                List.of(flight),
                options,
                new EachGrant<>(Map.of(flight.name(), orNoRight(grant))),
                tokenOf(grant));
    }

    /** A run for several names. */
    CreationRun(
            Flights<V> flights,
            List<Flight<V>> inFlight,
            Options<V> options,
            Slots.Grants<Object, V> grants,
            long fencingToken) {
        this.flights = flights;
        this.options = options;
        this.legs = new LinkedHashMap<>();
        inFlight.forEach(flight -> legs.put(flight.name(), flight));
        this.grants = grants;
        this.begunAt = options.time().nanos();
        this.overdueAt = Stored.deadline(begunAt, options.maxCreation());
        this.creation = new Creation(
                this,
                legs.size() == 1 ? inFlight.get(0).name() : Set.copyOf(legs.keySet()),
                fencingToken,
                options.time().instant().plusNanos(options.maxCreation()));
    }

    static <V> Slot.Grant<V> orNoRight(Slot.@Nullable Grant<V> grant) {
        return grant == null ? new NoRight<>() : grant;
    }

    private static long tokenOf(Slot.@Nullable Grant<?> grant) {
        return grant == null ? 0 : grant.fencingToken();
    }

    /**
     * Others invalidate the store too. A voided value may then be older than some who wait for it, even where this JVM
     * invalidated as well: they look again.
     */
    void sharesItsStore() {
        storeIsShared = true;
    }

    long overdueAt() {
        return overdueAt;
    }

    Collection<Flight<V>> flights() {
        return legs.values();
    }

    /** Whether this run creates the name, in that set of flights. */
    boolean creates(Flights<?> scope, Object name) {
        return flights == scope && legs.containsKey(name);
    }

    /** The name that is created, or the set of names. */
    Object name() {
        return creation.name();
    }

    /** Creates on this thread, and returns what this caller gets: its own value whatever the store says. */
    Landing<V> run(Creator<? extends V> creator) {
        Object name = name();
        return Objects.requireNonNull(
                runAll(() -> Map.of(name, Made.of(creator.create()))).get(name));
    }

    /** Creates several names on this thread, and returns what this caller gets of each. */
    Map<Object, Landing<V>> runAll(Callable<? extends Map<Object, Made<V>>> creator) {
        Map<Object, Made<V>> made;
        begin();
        try {
            made = creator.call();
        } catch (Throwable thrown) {
            return failed(thrown);
        } finally {
            creation.end();
            stopRenewing();
        }
        return succeeded(made);
    }

    /** Creates one name by a stage; {@code done} is told what this caller gets, on the thread that completes the stage. */
    void start(Callable<? extends CompletionStage<? extends V>> stages, Consumer<Landing<V>> done) {
        Object name = name();
        startAll(
                stages,
                value -> Map.of(name, Made.of(value)),
                own -> done.accept(Objects.requireNonNull(own.get(name))));
    }

    /** Creates several names by a stage, as {@link #start} creates one; {@code made} tells names from what it brings. */
    <T> void startAll(
            Callable<? extends CompletionStage<? extends T>> stages,
            Function<? super T, ? extends Map<Object, Made<V>>> made,
            Consumer<Map<Object, Landing<V>>> done) {
        CompletionStage<? extends T> stage;
        begin();
        try {
            stage = Objects.requireNonNull(stages.call(), "The creator returned no stage");
        } catch (Throwable thrown) {
            stage = CompletableFuture.failedFuture(thrown);
        } finally {
            creation.end();
        }
        var unused = stage.whenComplete((value, thrown) -> {
            stopRenewing();
            done.accept(thrown == null ? succeeded(made.apply(value)) : failed(unwrapped(thrown)));
        });
    }

    /** Called by the creator: runs the task on this thread after the publication, before those who wait are woken. */
    void afterPublication(Runnable task) {
        afterwards.push(task);
    }

    /** A task that creates, unless by the time of its turn the names have gone to others. */
    Runnable later(Runnable creation) {
        return () -> {
            if (!isOverdue.get()) {
                creation.run();
            }
        };
    }

    /** The executor refused to run this: the rights go back, and somebody else may lead. */
    void refused(Throwable why) {
        stopRenewing();
        legs.keySet().forEach(name -> options.told().refreshRejected(name, why));
        giveBack(null);
        legs.values().forEach(Flight::notCreating);
    }

    /** The names go to others; the creator runs on, and may ask. What it makes is refused if another began. */
    void overdue() {
        if (isOverdue.compareAndSet(false, true)) {
            stopRenewing();
            legs.keySet().forEach(this::loseLease);
            giveBack(null);
        }
    }

    private void begin() {
        begunAt = options.time().nanos();
        creation.begin();
        keep();
    }

    /** The leases are kept alive from now on; from the hand-over on, where an executor has the creation in its queue. */
    void keep() {
        if (renewal == null) {
            renewal = Renewal.start(
                    grants.lease(), overdueAt, options.time(), options.renewOn(), this::renew, this::loseAll);
        }
    }

    /** Returns false if no right is left to be renewed. */
    private boolean renew() throws Exception {
        grants.renewAll().forEach(this::loseLease);
        return leasesLost.size() < legs.size();
    }

    private void loseAll() {
        legs.keySet().forEach(this::loseLease);
    }

    private void loseLease(Object name) {
        creation.loseLease();
        if (leasesLost.add(name)) {
            options.told().leaseLost(name);
        }
    }

    private void stopRenewing() {
        Renewal keeping = renewal;
        if (keeping != null) {
            keeping.stop();
        }
    }

    private Map<Object, Landing<V>> succeeded(Map<Object, Made<V>> made) {
        long cost = options.time().nanos() - begunAt;
        Map<Object, Slot.Published<V>> published = publish(made, cost);
        runAfterwards();
        Map<Object, Landing<V>> own = new LinkedHashMap<>();
        legs.forEach((name, flight) -> {
            Made<V> one = Objects.requireNonNull(made.get(name));
            flights.backoff().succeeded(name);
            Slot.Published<V> outcome = Objects.requireNonNull(published.get(name));
            if (one.leftOut()) {
                tellGivenBack(name, outcome.trouble());
                Landing<V> nothing = Landing.omitted();
                flights.land(flight, nothing);
                own.put(name, nothing);
                return;
            }
            options.told().created(name, cost);
            own.put(name, land(flight, one.value(), outcome));
        });
        return own;
    }

    private Landing<V> land(Flight<V> flight, @Nullable V value, Slot.Published<V> published) {
        tell(flight, published);
        Slot.Seen<V> stored = published.seen();
        boolean isStored = published.outcome() == Slot.Published.Outcome.STORED;
        Landing<V> own = Landing.value(
                value,
                isStored && stored != null ? stored.createdAt() : options.time().instant());
        flights.published(flight.name());
        flights.land(
                flight,
                switch (published.outcome()) {
                    case STORED, UNKNOWN -> own;
                    case SUPERSEDED -> stored == null ? Landing.again() : Landing.seen(stored);
                    case VOIDED -> flight.isDetached() && !storeIsShared ? own : Landing.again();
                });
        return own;
    }

    private void tell(Flight<V> flight, Slot.Published<V> published) {
        Object name = flight.name();
        Throwable trouble = published.trouble();
        if (trouble != null) {
            options.told().storeDown(name, trouble);
        } else if (published.outcome() != Slot.Published.Outcome.UNKNOWN) {
            options.told().released(name);
        }
        if (published.outcome() != Slot.Published.Outcome.STORED) {
            options.told().writeRefused(name, published.outcome());
        }
        if (published.outcome() == Slot.Published.Outcome.SUPERSEDED && !flight.isDetached()) {
            options.told().duplicateCreation(name);
        }
    }

    private void tellGivenBack(Object name, @Nullable Throwable trouble) {
        if (trouble == null) {
            options.told().released(name);
        } else {
            options.told().storeDown(name, trouble);
        }
    }

    /** Stores what was made; a store or a policy that fails costs the callers nothing but the storing. */
    private Map<Object, Slot.Published<V>> publish(Map<Object, Made<V>> made, long cost) {
        Map<Object, Slot.Published<V>> published = new LinkedHashMap<>();
        Map<Object, Slot.Draft<V>> drafts = drafts(made, cost, published);
        try {
            grants.publishAll(drafts).forEach(published::putIfAbsent);
        } catch (Throwable failed) {
            giveBack(null);
            made.keySet().forEach(name -> published.putIfAbsent(name, unknown(failed)));
        }
        made.keySet().forEach(name -> published.putIfAbsent(name, unknown(null)));
        return published;
    }

    /** What is to be stored; a policy that fails for one name costs that one alone its storing. */
    private Map<Object, Slot.Draft<V>> drafts(
            Map<Object, Made<V>> made, long cost, Map<Object, Slot.Published<V>> failures) {
        Map<Object, Slot.Draft<V>> drafts = new LinkedHashMap<>();
        made.forEach((name, one) -> {
            if (!one.leftOut()) {
                try {
                    drafts.put(name, options.draft(name, Nulls.unmarked(one.value()), cost));
                } catch (Throwable failed) {
                    failures.put(name, unknown(failed));
                }
            }
        });
        return drafts;
    }

    private static <V> Slot.Published<V> unknown(@Nullable Throwable trouble) {
        return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null, trouble);
    }

    private Map<Object, Landing<V>> failed(Throwable thrown) {
        Throwable failure = thrown instanceof RuntimeException || thrown instanceof Error
                ? thrown
                : new CreationException(
                        "The creator of " + options.told().render(name()) + " failed: " + Names.render(thrown), thrown);
        giveBack(failure);
        runAfterwards();
        // An interrupt told this caller to stop; it does not say that the value cannot be made.
        boolean interrupted = thrown instanceof InterruptedException;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        Map<Object, Landing<V>> own = new LinkedHashMap<>();
        legs.forEach((name, flight) -> {
            options.told().failed(name, thrown);
            Landing<V> landing = Landing.failure(failure);
            own.put(name, landing);
            if (!interrupted) {
                flights.backoff().failed(name, thrown, options.time());
            }
            flights.land(flight, interrupted ? Landing.again() : landing);
        });
        return own;
    }

    private void runAfterwards() {
        while (!afterwards.isEmpty()) {
            afterwards.pop().run();
        }
    }

    private void giveBack(@Nullable Throwable cause) {
        try {
            grants.abandonAll(cause);
            legs.keySet().forEach(options.told()::released);
        } catch (Throwable notGivenBack) {
            legs.keySet().forEach(name -> options.told().storeDown(name, notGivenBack));
            if (cause != null && cause != notGivenBack) {
                cause.addSuppressed(notGivenBack);
            }
        }
    }

    private static Throwable unwrapped(Throwable thrown) {
        Throwable cause = thrown instanceof CompletionException ? thrown.getCause() : null;
        return cause == null ? thrown : cause;
    }

    @Override
    public String toString() {
        return creation.toString();
    }

    /** The store cannot be reached and the policy is to create all the same: nothing can be stored. */
    private static final class NoRight<V> implements Slot.Grant<V> {
        @Override
        public long fencingToken() {
            return 0;
        }

        @Override
        public boolean renew() {
            return true;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) {
            return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null);
        }

        @Override
        public void abandon(@Nullable Throwable cause) {}
    }
}
