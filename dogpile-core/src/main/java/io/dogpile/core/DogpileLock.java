package io.dogpile.core;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Lets one caller at a time create a name's value, while the others take the old value or wait for the new one: the lock
 * under every {@link Dogpile} and every region, for values that live elsewhere.
 *
 * <p>Promised: a fresh value is returned without a lock; among all callers of one name in this JVM, and among all JVMs
 * that share the lock of its slot, one creates; a failed creation reaches all who waited for it in this JVM as the same
 * failure; a caller who waits never creates because its time is up. What exactly happens is the table in DESIGN.md.
 *
 * <p>Not promised: that a creator's side effects are exclusive. A lease that ends while the creator runs lets another
 * begin; choose a lease above the pauses that its holder may suffer.
 *
 * <p>Thread-safe. A lock keeps no threads and need not be closed.
 *
 * @param <V> the type of the values; one name has values of one type
 */
public final class DogpileLock<V> {
    private final Options<V> options;
    private final Flights<V> flights;
    private final @Nullable LockProvider provider;
    private final Duration leaseTime;

    private DogpileLock(Options<V> options, Flights<V> flights, @Nullable LockProvider provider, Duration leaseTime) {
        this.options = options;
        this.flights = flights;
        this.provider = provider;
        this.leaseTime = leaseTime;
    }

    /**
     * A lock whose values never turn stale, with all other options at their defaults.
     *
     * @param <V> the type of the values
     * @return a new lock
     */
    public static <V> DogpileLock<V> create() {
        return DogpileLock.<V>builder().build();
    }

    /**
     * Begins a lock.
     *
     * @param <V> the type of the values
     * @return a builder with the defaults that its verbs name
     */
    public static <V> Builder<V> builder() {
        return new Builder<>();
    }

    /**
     * This lock as seen by a caller with other wishes: a cheap view over the same flights and values. What the view says
     * of {@code staleAfter} and {@code expireAfter} judges values by their age, for its own calls only; what its calls
     * create is stored with this lock's lives, unless the view drafts for itself. The clock, the listener, the lock provider, the lease and
     * {@code maxCreation} are the lock's own and cannot differ.
     *
     * @param changes sets the options that differ
     * @return the view
     * @throws IllegalArgumentException if the options contradict each other
     * @throws IllegalStateException if an option is set that cannot differ
     */
    public DogpileLock<V> with(UnaryOperator<Builder<V>> changes) {
        return changes.apply(new Builder<>(this)).build(flights);
    }

    /**
     * This lock for callers who do not wait on a thread.
     *
     * @param executor runs the steps of each call: the slot's round trips and the start of the creator
     * @return the view
     */
    public AsyncDogpileLock<V> async(Executor executor) {
        return new AsyncDogpileLock<>(this, Objects.requireNonNull(executor, "executor"));
    }

    /**
     * Returns the slot's value, fresh, stale or created, as {@link #acquire(Object, Slot, Creator)} does.
     *
     * @param name the name of the value; equal names share one flight
     * @param slot where the value lives
     * @param creator makes the value if this caller is elected
     * @return the value
     */
    public V get(Object name, Slot<V> slot, Creator<? extends V> creator) {
        return acquire(name, slot, creator).value();
    }

    /**
     * Returns the slot's value if it is fresh, and else decides who creates it.
     *
     * @param name the name of the value; equal names share one flight
     * @param slot where the value lives
     * @param creator makes the value if this caller is elected. If it throws, a stale value is served where there is
     *     one; else what it threw, when unchecked, is thrown to all who waited, as the same instance
     * @return the value, with its creation time and how it was come by
     * @throws CreationException if the creator threw a checked exception, or the name backs off after failures in a row
     * @throws HardTimeoutException if another's creation was not done within {@code hardTimeout}
     * @throws DogpileException if the caller was interrupted while it waited (its flag is then set), or the store could
     *     not be reached and {@code whenDown} is {@code FAIL}
     * @throws IllegalStateException if the current thread is creating this name, or the wait would close a cycle of
     *     creations in this JVM
     */
    public Acquired<V> acquire(Object name, Slot<V> slot, Creator<? extends V> creator) {
        return new BlockingCall<>(this, checked(name), slot, Election.Want.VALUE, checked(creator)).run();
    }

    /**
     * Creates a value newer than the one that the slot holds, or waits for one that another is creating. Never answers
     * with the value that is there now.
     *
     * @param name the name of the value
     * @param slot where the value lives
     * @param creator makes the value if this caller is elected
     * @return the new value
     * @throws RuntimeException as {@link #acquire(Object, Slot, Creator)} does; a stale value is not served instead
     */
    public Acquired<V> refresh(Object name, Slot<V> slot, Creator<? extends V> creator) {
        return new BlockingCall<>(this, checked(name), slot, Election.Want.NEWER, checked(creator)).run();
    }

    /**
     * Returns a value that the caller keeps in a place of its own, with the time of its creation: the creator stores the
     * pair, the getter gives it back. The right to create is granted by the lock given to the builder, else by this JVM.
     * Each call reads by the getter once; who is elected for an absent value, or under a distributed lock, reads again
     * before it creates.
     *
     * @param name the name of the value and of its lock
     * @param creator makes and stores the value
     * @param getter reads what was stored; empty if it is not available. A present null is a value
     * @return the value
     * @throws RuntimeException as {@link #acquire(Object, Slot, Creator)} does
     */
    public Acquired<V> acquireStamped(String name, Creator<Stamped<V>> creator, Callable<Optional<Stamped<V>>> getter) {
        StampedStore<V> store = new StampedStore<>(name, getter, options, stored -> {});
        return acquire(checked(name), slot(store, name), store.stamping(checked(creator)));
    }

    /**
     * Returns the values of many names, creating in one call of the creator those that this caller is elected for, and
     * waiting for those that others create. Batches that overlap create each name once and never wait for each other in
     * a circle; equal batches at once are one call. The leases of a batch are renewed together.
     *
     * <p>If the creator throws, all the names it was asked for fail with that, and what was created by others is kept.
     *
     * @param <N> the type of the names
     * @param names the names; one that comes twice is asked for once
     * @param slots where the values live
     * @param creator makes the values of the names that this caller is elected for
     * @return the values, in the order of the names; without those that a creator left out
     * @throws RuntimeException as {@link #acquire(Object, Slot, Creator)} does, if any name has no value: the failure of
     *     the first such name
     */
    public <N> Map<N, Acquired<V>> acquireAll(
            Collection<? extends N> names, Slots<N, V> slots, Slots.Creator<N, V> creator) {
        return new BatchCall<>(this, names, checked(slots), Election.Want.VALUE_OR_NOTHING, checked(creator)).run();
    }

    /**
     * Creates values newer than those that the slots hold, or waits for those that others are creating; otherwise as
     * {@link #acquireAll}.
     *
     * @param <N> the type of the names
     * @param names the names; one that comes twice is asked for once
     * @param slots where the values live
     * @param creator makes the values of the names that this caller is elected for
     * @return the new values, in the order of the names; without those that a creator left out
     * @throws RuntimeException as {@link #acquireAll} does; a stale value is not served instead
     */
    public <N> Map<N, Acquired<V>> refreshAll(
            Collection<? extends N> names, Slots<N, V> slots, Slots.Creator<N, V> creator) {
        return new BatchCall<>(this, names, checked(slots), Election.Want.NEWER_OR_NOTHING, checked(creator)).run();
    }

    /**
     * Whether a call of this lock would return the value as it was seen, without an election: it is fresh, and not drawn
     * for early refresh. Takes no lock, allocates nothing, and reads the exact clock only in the last second of the
     * value's life or where the answer is no.
     *
     * @param seen the value
     * @return true if it is a hit; false for an absent value, and where only a call can tell
     */
    public boolean isHit(Slot.Seen<V> seen) {
        return options.isHit(
                options.freshFor(seen.present(), seen.bornAt(), seen.freshUntil(), seen.usableUntil()),
                seen.costNanos());
    }

    /**
     * Whether a caller of this lock takes the value as fresh, at that moment.
     *
     * @param seen the value
     * @param nanos the moment, by the lock's {@link TimeSource}; an age equal to the limit is still fresh
     * @return whether there is a value and it is fresh
     */
    public boolean isFresh(Slot.Seen<V> seen, long nanos) {
        return seen.present() && nanos <= options.freshFor(true, seen.bornAt(), seen.freshUntil(), seen.usableUntil());
    }

    /**
     * Whether a caller of this lock takes the value at all, fresh or stale, at that moment.
     *
     * @param seen the value
     * @param nanos the moment, by the lock's {@link TimeSource}
     * @return whether there is a value and it is not expired
     */
    public boolean isUsable(Slot.Seen<V> seen, long nanos) {
        return seen.present() && nanos <= options.usableUntil(true, seen.bornAt(), seen.usableUntil());
    }

    /**
     * Whether a name is being created or waited for in this JVM. Takes no lock.
     *
     * @param name the name
     * @return a snapshot
     */
    public boolean isInFlight(Object name) {
        return flights.isInFlight(checked(name));
    }

    /**
     * Tells that the value of a name was invalidated or put in another way than by this lock: callers from now on elect
     * anew, those who wait already get what they wait for. Call it after the store was changed.
     *
     * @param name the name
     */
    public void detach(Object name) {
        flights.detach(checked(name));
    }

    /**
     * Tells that many or all values were invalidated or put in another way than by this lock, as {@link #detach} does of
     * one.
     */
    public void detachAll() {
        flights.detachAll();
    }

    /**
     * Ends all that is in flight: those who wait get the failure, or a stale value where they have one; the rights to
     * create are given back. Creators that run are not stopped: their own callers get what they make, and it is not
     * stored. Calls from now on begin anew; the owner of this lock is the one to refuse them.
     *
     * @param failure what those who wait are thrown
     */
    public void endAll(RuntimeException failure) {
        flights.endAll(checked(failure));
    }

    /**
     * For how long a right to create lasts that is not renewed, where rights end by time.
     *
     * @return what was given to the builder, or its default
     */
    public Duration lease() {
        return leaseTime;
    }

    /**
     * How long a creation may take before its name goes to others.
     *
     * @return what was given to the builder, or its default
     */
    public Duration maxCreation() {
        return Duration.ofNanos(options.maxCreation());
    }

    /**
     * How a name appears in this lock's messages.
     *
     * @param name the name
     * @return the prefix given to the builder, and the name as it renders itself, cut where it is long
     */
    public String describe(Object name) {
        return options.told().render(name);
    }

    /**
     * How many names are being created or waited for in this JVM.
     *
     * @return a snapshot
     */
    public int inFlight() {
        return flights.size();
    }

    Slot<V> slot(Store<V> store, String name) {
        return new LeasedSlot<>(store, true, name, provider, leaseTime);
    }

    Options<V> options() {
        return options;
    }

    Flights<V> flights() {
        return flights;
    }

    private static <T> T checked(@Nullable T argument) {
        return Objects.requireNonNull(argument, "no argument may be null");
    }

    @Override
    public String toString() {
        return "DogpileLock[" + inFlight() + " in flight]";
    }

    /**
     * Decides how long a created value lives, and whether it is kept; elsewhere called an expiry policy.
     *
     * @param <V> the type of the values
     */
    @FunctionalInterface
    public interface Drafting<V> {
        /**
         * Drafts what is offered to the store.
         *
         * @param name the name that was created
         * @param value the created value; may be null
         * @param cost how long its creator took
         * @return the draft
         */
        Slot.Draft<V> draft(Object name, V value, Duration cost);
    }

    /**
     * The options of a lock, each with its default. Not thread-safe.
     *
     * @param <V> the type of the values
     */
    public static final class Builder<V> {
        private static final Duration DEFAULT_MAX_CREATION = Duration.ofSeconds(60);
        private static final Duration DEFAULT_LEASE = Duration.ofSeconds(5);

        private final @Nullable DogpileLock<V> viewed;
        private @Nullable Duration staleAfter;
        private @Nullable Duration expireAfter;
        private boolean takesStale = true;
        private @Nullable Duration softTimeout;
        private @Nullable Duration hardTimeout;
        private Duration maxCreation = DEFAULT_MAX_CREATION;
        private @Nullable Executor refreshOn;
        private double beta;
        private WhenDown whenDown = WhenDown.CREATE;
        private @Nullable Drafting<V> drafting;
        private DogpileListener listener = DogpileListener.NONE;
        private TimeSource time = TimeSource.system();
        private @Nullable Long seed;
        private Backoff.Delays backoff = Backoff.Delays.DEFAULT;
        private String label = "";
        private String logger = "io.dogpile.core";
        private @Nullable LockProvider provider;
        private @Nullable Duration leaseTime;
        private Executor renewOn = Renewal.workers();

        private Builder() {
            this.viewed = null;
        }

        private Builder(DogpileLock<V> viewed) {
            Options<V> from = viewed.options;
            this.viewed = viewed;
            this.takesStale = from.takesStale();
            this.softTimeout = from.softTimeout() == 0 ? null : Duration.ofNanos(from.softTimeout());
            this.hardTimeout = Duration.ofNanos(from.hardTimeout());
            this.refreshOn = from.refreshOn();
            this.beta = from.beta();
            this.whenDown = from.whenDown();
            this.maxCreation = Duration.ofNanos(from.maxCreation());
            this.provider = viewed.provider;
            this.leaseTime = viewed.leaseTime;
        }

        /**
         * How long a value is fresh, counted from its creation. Default: for ever.
         *
         * @param life the time; an age equal to it is still fresh
         * @return this builder
         */
        public Builder<V> staleAfter(Duration life) {
            staleAfter = Objects.requireNonNull(life, "staleAfter");
            return this;
        }

        /**
         * How long a value may be served, fresh or stale. Default: for ever.
         *
         * @param life the time, not less than {@code staleAfter}
         * @return this builder
         */
        public Builder<V> expireAfter(Duration life) {
            expireAfter = Objects.requireNonNull(life, "expireAfter");
            return this;
        }

        /**
         * Waits for the new value where a stale one could be had. Default: the stale one is taken.
         *
         * @return this builder
         */
        public Builder<V> neverStale() {
            takesStale = false;
            return this;
        }

        /**
         * How long the elected caller waits for a creation that it handed to {@code refreshOn}, before it takes the
         * stale value; the creation goes on and its value is stored. Default: zero.
         *
         * @param longest the time
         * @return this builder
         */
        public Builder<V> softTimeout(Duration longest) {
            softTimeout = Objects.requireNonNull(longest, "softTimeout");
            return this;
        }

        /**
         * How long a caller waits for another's creation if it has no stale value. Default: {@code maxCreation}.
         *
         * @param longest the time
         * @return this builder
         */
        public Builder<V> hardTimeout(Duration longest) {
            hardTimeout = Objects.requireNonNull(longest, "hardTimeout");
            return this;
        }

        /**
         * How long a name stays that of one creation. After it, the lease is renewed no more and another caller may be
         * elected, while the creator runs on. Default: 60 s.
         *
         * @param longest the time
         * @return this builder
         */
        public Builder<V> maxCreation(Duration longest) {
            refuseInView("maxCreation");
            maxCreation = Objects.requireNonNull(longest, "maxCreation");
            return this;
        }

        /**
         * Where a stale value is created anew, so that no caller waits. An executor that refuses is told to the
         * listener and the stale value is served; a value that is absent is created on its caller's thread, always.
         * Default: the elected caller creates.
         *
         * @param executor runs the creations
         * @return this builder
         */
        public Builder<V> refreshOn(Executor executor) {
            refreshOn = Objects.requireNonNull(executor, "refreshOn");
            return this;
        }

        /**
         * Refreshes a value before it turns stale, with a chance that grows towards the end and with the value's cost
         * (XFetch). Default: off.
         *
         * @param weight 1.0 for the optimum of the paper, more for earlier; 0 for off
         * @return this builder
         * @throws IllegalArgumentException if it is negative or not finite
         */
        public Builder<V> earlyRefresh(double weight) {
            if (!(weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "the weight of earlyRefresh must be 0 or more and finite, was " + weight);
            }
            beta = weight;
            return this;
        }

        /**
         * What is done when the store or the lock cannot be reached and there is no stale value. Default:
         * {@link WhenDown#CREATE}.
         *
         * @param policy the policy
         * @return this builder
         */
        public Builder<V> whenDown(WhenDown policy) {
            whenDown = Objects.requireNonNull(policy, "whenDown");
            return this;
        }

        /**
         * Who is told what happens. Default: nobody.
         *
         * @param to the listener
         * @return this builder
         */
        public Builder<V> listener(DogpileListener to) {
            refuseInView("listener");
            listener = Objects.requireNonNull(to, "listener");
            return this;
        }

        /**
         * Where time comes from. Default: {@link TimeSource#system()}.
         *
         * @param source the time source
         * @return this builder
         */
        public Builder<V> clock(TimeSource source) {
            refuseInView("clock");
            time = Objects.requireNonNull(source, "clock");
            return this;
        }

        /**
         * Who grants the right to create, for {@link DogpileLock#acquireStamped}; a {@link Slot} that is handed in
         * grants by itself. The lease is renewed at a third of its time while the creator runs. Default: this JVM.
         *
         * @param by the provider; null for the default
         * @param lease for how long a right lasts that is not renewed; positive. Default: 5 s, or
         *     {@code maxCreation} where that is less
         * @return this builder
         */
        public Builder<V> lock(@Nullable LockProvider by, Duration lease) {
            refuseInView("lock");
            provider = by;
            leaseTime = Objects.requireNonNull(lease, "leaseTime");
            return this;
        }

        /**
         * How long each created value lives, and whether it is kept. Default: {@code staleAfter} and
         * {@code expireAfter}, and kept.
         *
         * @param by drafts what is stored; if it throws, the value is handed to those who wait and not stored
         * @return this builder
         */
        public Builder<V> drafting(Drafting<V> by) {
            drafting = Objects.requireNonNull(by, "drafting");
            return this;
        }

        /**
         * Seeds the draws of early refresh and the jitter of polls, so that a test can repeat them. Default: random.
         *
         * @param of the seed
         * @return this builder
         */
        public Builder<V> seed(long of) {
            refuseInView("seed");
            seed = of;
            return this;
        }

        /**
         * How long a name backs off whose creations fail in a row. Default: after 2 failures 100 ms, doubling with each
         * further one up to 30 s.
         *
         * @param failures how many in a row; at least 1
         * @param first how long it backs off then; positive
         * @param longest the most that it is doubled to; not shorter than the first
         * @return this builder
         */
        public Builder<V> failureBackoff(int failures, Duration first, Duration longest) {
            refuseInView("failureBackoff");
            if (failures < 1) {
                throw new IllegalArgumentException("failureBackoff needs at least 1 failure, was " + failures);
            }
            if (first.isNegative() || first.isZero()) {
                throw new IllegalArgumentException("the first failureBackoff must be positive, was " + first);
            }
            refuseLonger("the first failureBackoff", first, "the longest", longest);
            backoff = new Backoff.Delays(failures, Stored.nanos(first), Stored.nanos(longest));
            return this;
        }

        /**
         * How the lock appears in messages and in the log. Default: not at all, and the logger {@code io.dogpile.core}.
         *
         * @param prefix what stands before a name in messages, such as {@code "region 'users', key "}
         * @param loggerName the logger of the lock's events
         * @return this builder
         */
        public Builder<V> appearsAs(String prefix, String loggerName) {
            refuseInView("appearsAs");
            label = Objects.requireNonNull(prefix, "prefix");
            logger = Objects.requireNonNull(loggerName, "loggerName");
            return this;
        }

        boolean hasProvider() {
            return provider != null;
        }

        Builder<V> renewOn(Executor executor) {
            renewOn = executor;
            return this;
        }

        /**
         * Builds the lock.
         *
         * @return a new lock; later changes of this builder do not touch it
         * @throws IllegalArgumentException if a duration is negative, {@code staleAfter} is longer than
         *     {@code expireAfter}, {@code softTimeout} is given without {@code refreshOn} or longer than
         *     {@code hardTimeout}, or the lease is not positive or longer than {@code maxCreation}; the message names
         *     both values
         */
        public DogpileLock<V> build() {
            return build(new Flights<>(backoff));
        }

        DogpileLock<V> build(Flights<V> flights) {
            Duration hard = hardTimeout == null ? maxCreation : hardTimeout;
            Duration soft = softTimeout == null ? Duration.ZERO : softTimeout;
            check(hard, soft);
            Options<V> from = viewed == null ? null : viewed.options;
            long stale = nanosOrNever(staleAfter);
            long expire = nanosOrNever(expireAfter);
            Options<V> options = new Options<>(
                    from == null ? stale : from.staleAfter(),
                    from == null ? expire : from.expireAfter(),
                    from == null ? Options.UNSET : staleAfter == null ? from.maxAge() : stale,
                    from == null ? Options.UNSET : expireAfter == null ? from.maxUsableAge() : expire,
                    takesStale,
                    Stored.nanos(soft),
                    Stored.nanos(hard),
                    Stored.nanos(maxCreation),
                    refreshOn,
                    beta,
                    whenDown,
                    drafting == null && from != null ? from.drafting() : drafting,
                    from == null ? new Told(listener, label, logger) : from.told(),
                    from == null ? time : from.time(),
                    from == null ? random() : from.random(),
                    from == null ? renewOn : from.renewOn());
            return new DogpileLock<>(options, flights, provider, lease());
        }

        private void check(Duration hard, Duration soft) {
            refuseNegative("staleAfter", staleAfter);
            refuseNegative("expireAfter", expireAfter);
            refuseNegative("softTimeout", softTimeout);
            refuseNegative("hardTimeout", hardTimeout);
            refuseNegative("maxCreation", maxCreation);
            refuseLonger("staleAfter", staleAfter, "expireAfter", expireAfter);
            refuseLonger("softTimeout", soft, "hardTimeout", hard);
            refuseLonger("leaseTime", leaseTime, "maxCreation", maxCreation);
            if (softTimeout != null && refreshOn == null) {
                throw new IllegalArgumentException(
                        "softTimeout (" + softTimeout + ") needs refreshOn (none): without an"
                                + " executor the elected caller creates by itself and waits for nobody");
            }
            if (leaseTime != null && (leaseTime.isNegative() || leaseTime.isZero())) {
                throw new IllegalArgumentException("leaseTime must be positive, was " + leaseTime);
            }
        }

        /** Nobody who asks for a short {@code maxCreation} alone needs to name a lease. */
        private Duration lease() {
            if (leaseTime != null) {
                return leaseTime;
            }
            return maxCreation.compareTo(DEFAULT_LEASE) < 0 ? maxCreation : DEFAULT_LEASE;
        }

        private static void refuseNegative(String option, @Nullable Duration value) {
            if (value != null && value.isNegative()) {
                throw new IllegalArgumentException(option + " must not be negative, was " + value);
            }
        }

        private static void refuseLonger(
                String option, @Nullable Duration value, String limit, @Nullable Duration limitValue) {
            if (value != null && limitValue != null && value.compareTo(limitValue) > 0) {
                throw new IllegalArgumentException(
                        option + " (" + value + ") must not be longer than " + limit + " (" + limitValue + ")");
            }
        }

        private void refuseInView(String option) {
            if (viewed != null) {
                throw new IllegalStateException(option + " belongs to the lock and cannot differ in a view of it");
            }
        }

        private static long nanosOrNever(@Nullable Duration duration) {
            return duration == null ? Slot.NEVER : Stored.nanos(duration);
        }

        private DoubleSupplier random() {
            return seed == null ? () -> ThreadLocalRandom.current().nextDouble() : new Random(seed)::nextDouble;
        }
    }
}
