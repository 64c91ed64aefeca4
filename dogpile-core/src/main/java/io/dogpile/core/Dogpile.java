package io.dogpile.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One value or resource that one caller at a time creates, and again each time it has turned stale, while the others use
 * the old one or, where there is none yet, wait.
 *
 * <pre>{@code
 * Dogpile<Report> dogpile = Dogpile.of(Duration.ofHours(1));
 * Report report = dogpile.get(this::buildReport);
 * }</pre>
 *
 * <p>The value may be kept in four ways; use one of them per dogpile:
 *
 * <ul>
 *   <li>by the dogpile: {@link #get}, {@link #acquire(Creator)};
 *   <li>by the caller, who reaches it through a reference of its own: {@link #ensure};
 *   <li>by the caller, with a getter: {@link #acquire(Creator, Callable)}; the dogpile knows when it was created;
 *   <li>by the caller, with its creation time: {@link #acquireStamped}; the dogpile can then be dropped, and another,
 *       here or in another process, picks up.
 * </ul>
 *
 * <p>Nothing is locked while the value is used; for a resource that must not be replaced under its readers see
 * {@link SyncReaderDogpile}. For one dogpile per name see {@link NameRegistry}. What is promised and what is not is told
 * at {@link DogpileLock}. Thread-safe.
 *
 * @param <V> the type of the value
 */
public final class Dogpile<V> {
    /** One for all: a dogpile is in flight under its cell, which also keeps it reachable while it is. */
    private static final Flights<?> FLIGHTS = new Flights<>(Backoff.Delays.DEFAULT);

    private final Cell<V> kept;
    private final Cell<V> stamp;
    private final String lockName;
    private final DogpileLock<V> lock;
    private final Options<V> options;
    private final Slot<V> slot;

    private Dogpile(Cell<V> kept, Cell<V> stamp, String lockName, DogpileLock<V> lock) {
        this.kept = kept;
        this.stamp = stamp;
        this.lockName = lockName;
        this.lock = lock;
        this.options = lock.options();
        this.slot = lock.slot(kept, lockName);
    }

    /**
     * A dogpile whose value turns stale.
     *
     * @param <V> the type of the value
     * @param staleAfter how long a value is fresh after its creation
     * @return a new dogpile
     * @throws IllegalArgumentException if {@code staleAfter} is negative
     */
    public static <V> Dogpile<V> of(Duration staleAfter) {
        return Dogpile.<V>builder().staleAfter(staleAfter).build();
    }

    /**
     * Begins a dogpile.
     *
     * @param <V> the type of the value
     * @return a builder with the defaults that its verbs name
     */
    public static <V> Builder<V> builder() {
        return new Builder<>();
    }

    /**
     * This dogpile as seen by a caller with other wishes; see {@link DogpileLock#with}.
     *
     * @param changes sets the options that differ
     * @return a view of the same value
     */
    public Dogpile<V> with(UnaryOperator<DogpileLock.Builder<V>> changes) {
        return new Dogpile<>(kept, stamp, lockName, lock.with(changes));
    }

    /**
     * Returns the value that this dogpile keeps, creating it if nobody else does.
     *
     * @param creator makes the value if this caller is elected
     * @return the value; for a fresh one nothing is locked and nothing allocated
     * @throws RuntimeException as {@link DogpileLock#acquire} does
     */
    public V get(Creator<? extends V> creator) {
        Stored<V> stored = kept.read();
        return isHit(stored) ? Nulls.unmarked(stored.value) : acquire(creator).value();
    }

    /**
     * Returns the value that this dogpile keeps, with its creation time and how it was come by.
     *
     * @param creator makes the value if this caller is elected
     * @return the value
     * @throws RuntimeException as {@link DogpileLock#acquire} does
     */
    public Acquired<V> acquire(Creator<? extends V> creator) {
        return lock.acquire(kept, slot, creator);
    }

    /**
     * Returns a value that the caller keeps. The getter is called once per call, and again by the elected caller before
     * it creates what was absent. Unless the dogpile was built {@code initialized}, the first call creates whatever the
     * getter has. A getter that has nothing leads to a creation at once, whatever the dogpile's creation time.
     *
     * @param creator makes and stores the value
     * @param getter reads the stored value; empty if it is not available, a present null cannot be told
     * @return the value
     * @throws RuntimeException as {@link DogpileLock#acquire} does
     */
    public Acquired<V> acquire(Creator<? extends V> creator, Callable<Optional<V>> getter) {
        return lock.acquire(stamp, lock.slot(new KeptElsewhereStore<>(stamp, getter), lockName), creator);
    }

    /**
     * Returns a value that the caller keeps with its creation time. That time, not the dogpile's own, decides whether
     * the value is fresh, so this dogpile may be new, and may be dropped.
     *
     * @param creator makes the value and stores the pair
     * @param getter reads the stored pair; empty if it is not available
     * @return the value
     * @throws RuntimeException as {@link DogpileLock#acquire} does
     */
    public Acquired<V> acquireStamped(Creator<Stamped<V>> creator, Callable<Optional<Stamped<V>>> getter) {
        StampedStore<V> store = new StampedStore<>(lockName, getter, options, this::noteCreated);
        return lock.acquire(
                stamp, lock.slot(store, lockName), store.stamping(Objects.requireNonNull(creator, "creator")));
    }

    /**
     * Returns when a resource that the caller keeps has been created at least once, creating it if it is stale and
     * nobody else does. What the creator makes is reached through the caller's own reference; nothing of it is kept
     * here, and the old resource is left alone meanwhile.
     *
     * <p>Beware: a dogpile built {@code initialized} takes the resource to be there, and does not create it before it
     * is stale.
     *
     * @param creator makes the resource
     * @throws RuntimeException as {@link DogpileLock#acquire} does
     */
    public void ensure(Runnable creator) {
        Objects.requireNonNull(creator, "creator");
        if (!isHit(stamp.read())) {
            lock.acquire(stamp, lock.slot(stamp, lockName), () -> {
                creator.run();
                return Nulls.unmarked(null);
            });
        }
    }

    /**
     * When the value was last created, as far as this dogpile knows. Takes no lock.
     *
     * @return the wall-clock time, or empty if it knows of no creation
     */
    public Optional<Instant> createdAt() {
        return Optional.of(latest()).filter(Stored::present).map(Stored::createdAt);
    }

    /**
     * Whether the value has been created, as far as this dogpile knows. Takes no lock.
     *
     * @return false before the first creation, and after an invalidation
     */
    public boolean hasValue() {
        return latest().present();
    }

    /**
     * Whether the next call is to find no fresh value. Takes no lock. Follows the dogpile.core term: "expired" here is
     * what {@code staleAfter} limits.
     *
     * @return whether there is no value, or it is stale
     */
    public boolean isExpired() {
        return options.time().nanos() > freshUntil(latest());
    }

    /**
     * Forgets the value: callers from now on elect anew, and what a creation that runs now makes is given to those who
     * wait for it already and not kept. A value that the caller keeps is the caller's to remove, before this call.
     */
    public void invalidate() {
        kept.invalidate();
        stamp.invalidate();
        lock.detach(kept);
        lock.detach(stamp);
    }

    Stored<V> kept() {
        return kept.read();
    }

    boolean isCreatedBy(@Nullable CreationRun<?> run) {
        return run != null && (run.creates(lock.flights(), kept) || run.creates(lock.flights(), stamp));
    }

    Options<V> options() {
        return options;
    }

    boolean isHit(Stored<V> stored) {
        return options.isHit(freshUntil(stored), stored.costNanos);
    }

    private long freshUntil(Stored<V> stored) {
        return options.freshFor(stored.present(), stored.bornAt, stored.freshUntil, stored.usableUntil);
    }

    private Stored<V> latest() {
        Stored<V> here = kept.read();
        Stored<V> elsewhere = stamp.read();
        return !elsewhere.present() || (here.present() && here.bornAt > elsewhere.bornAt) ? here : elsewhere;
    }

    /** A stamped value was read or written; told only if it is news, so that hits do not write. */
    private void noteCreated(Stored<V> stored) {
        Stored<V> known = stamp.read();
        if (!known.present() || known.createdAt().isBefore(stored.createdAt())) {
            stamp.note(stored.with(null));
        }
    }

    @Override
    public String toString() {
        return lockName + (hasValue() ? ", created " + latest().createdAt() : ", no value");
    }

    /**
     * The options of a dogpile, each with its default. Not thread-safe.
     *
     * @param <V> the type of the value
     */
    public static final class Builder<V> {
        private static final String UNNAMED = "dogpile";

        private DogpileLock.Builder<V> options = DogpileLock.builder();
        private String lockName = UNNAMED;
        private boolean initialized;

        private Builder() {}

        /**
         * How long a value is fresh after its creation. Default: for ever.
         *
         * @param life the time; an age equal to it is still fresh
         * @return this builder
         */
        public Builder<V> staleAfter(Duration life) {
            options.staleAfter(life);
            return this;
        }

        /**
         * How long a value may be served, fresh or stale. Default: for ever.
         *
         * @param life the time, not less than {@code staleAfter}
         * @return this builder
         */
        public Builder<V> expireAfter(Duration life) {
            options.expireAfter(life);
            return this;
        }

        /**
         * Where a stale value is created anew, so that no caller waits. Default: the elected caller creates.
         *
         * @param executor runs the creations
         * @return this builder
         */
        public Builder<V> refreshOn(Executor executor) {
            options.refreshOn(executor);
            return this;
        }

        /**
         * Takes the value that the getter has, or the resource of {@link Dogpile#ensure}, to have been created now: the
         * first call does not create it. It does not speak of values that the dogpile itself keeps; of those there is
         * none yet. Default: the first call creates.
         *
         * @return this builder
         */
        public Builder<V> initialized() {
            initialized = true;
            return this;
        }

        /**
         * Who grants the right to create. Default: this process.
         *
         * @param provider the provider; null for the default
         * @param name the name of the lock, which dogpiles that share the value share
         * @param leaseTime for how long a right lasts that is not renewed
         * @return this builder
         */
        public Builder<V> lock(@Nullable LockProvider provider, String name, Duration leaseTime) {
            lockName = Objects.requireNonNull(name, "name");
            options.lock(provider, leaseTime);
            return this;
        }

        /**
         * Sets any other option of the lock.
         *
         * @param changes sets the options
         * @return this builder
         */
        public Builder<V> options(UnaryOperator<DogpileLock.Builder<V>> changes) {
            options = changes.apply(options);
            return this;
        }

        /**
         * Builds the dogpile.
         *
         * @return a new dogpile
         * @throws IllegalArgumentException if the options contradict each other (see
         *     {@link DogpileLock.Builder#build}), or a lock provider was given without a name
         */
        @SuppressWarnings("unchecked") // the cell that is the name is of the type of the values
        public Dogpile<V> build() {
            if (options.hasProvider() && lockName.equals(UNNAMED)) {
                throw new IllegalArgumentException("a lock provider needs a name of this dogpile's own: give both by"
                        + " lock(provider, name, leaseTime), else all dogpiles share the name '" + UNNAMED + "'");
            }
            DogpileLock<V> lock = options.build((Flights<V>) FLIGHTS);
            TimeSource time = lock.options().time();
            Cell<V> stamp = new Cell<>(time, lockName);
            if (initialized) {
                Duration stale = Duration.ofNanos(lock.options().staleAfter());
                Duration expire = Duration.ofNanos(lock.options().expireAfter());
                stamp.put(null, stale, expire);
            }
            Cell<V> kept = new Cell<>(time, lockName);
            Dogpile<V> dogpile = new Dogpile<>(kept, stamp, lockName, lock);
            kept.keep(dogpile);
            stamp.keep(dogpile);
            return dogpile;
        }
    }
}
