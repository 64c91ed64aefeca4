package io.dogpile.cache;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.DogpileLock;
import io.dogpile.core.LockProvider;
import io.dogpile.core.TimeSource;
import io.dogpile.core.WhenDown;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The options of a region, or of a view of one, each with its default. Not thread-safe.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public final class RegionBuilder<K, V> {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");
    private static final int DEFAULT_MAX_VALUE_BYTES = 1 << 20;

    /**
     * What a built region is beside its entries; the same for all its views.
     *
     * @param names makes the name of a key's entry; null where the key is it
     */
    record Plan<K, V>(
            String name,
            @Nullable Class<K> keyType,
            @Nullable Class<V> valueType,
            @Nullable Function<? super K, ?> names,
            @Nullable RegionStats stats,
            @Nullable Executor refreshOn,
            @Nullable String needsKeys) {
        /** The name of the key's entry. */
        Object nameOf(K key) {
            return names == null ? Objects.requireNonNull(key, "key") : names.apply(key);
        }

        /** The same for other keys. */
        <A> Plan<A, V> keyedBy(@Nullable Function<? super A, ?> otherNames) {
            return new Plan<>(name, null, valueType, otherNames, stats, refreshOn, needsKeys);
        }
    }

    private final String name;
    private final @Nullable Class<K> keyType;
    private final @Nullable Class<V> valueType;
    private final @Nullable Region<K, V> viewed;
    private final DogpileLock.Builder<V> options;

    private Duration staleAfter = Lives.NEVER;
    private Duration expireAfter = Lives.NEVER;
    private @Nullable Supplier<@Nullable Duration> life;
    private @Nullable Duration cacheNullFor;
    private @Nullable BiPredicate<Object, V> cacheIf;
    private @Nullable BiFunction<Object, V, @Nullable Duration> lifeOf;
    private double jitter;
    private @Nullable Long seed;
    private @Nullable Executor refreshOn;
    private WhenDown whenDown = WhenDown.CREATE;

    private Backend backend = MemoryBackend.create();
    private final List<UnaryOperator<Backend>> wraps = new ArrayList<>();
    private @Nullable Function<? super K, ?> names;
    private @Nullable Serializer<V> serializer;
    private int maxValueBytes = DEFAULT_MAX_VALUE_BYTES;
    private @Nullable LockProvider provider;
    private Opening.Backoff backoff = Opening.Backoff.DEFAULT;
    private final List<DogpileListener> listeners = new ArrayList<>();
    private boolean counts;
    private TimeSource time = TimeSource.system();

    RegionBuilder(String name, @Nullable Class<K> keyType, @Nullable Class<V> valueType) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "a region's name is 1 to 100 letters, digits, '.', '_' and '-', was '" + name + "'");
        }
        this.name = name;
        this.keyType = keyType;
        this.valueType = valueType;
        this.viewed = null;
        this.options = DogpileLock.builder();
    }

    private RegionBuilder(Region<K, V> viewed, DogpileLock.Builder<V> options) {
        Plan<K, V> plan = viewed.plan();
        Lives<V> lives = viewed.entries().lives();
        this.name = plan.name();
        this.keyType = plan.keyType();
        this.valueType = plan.valueType();
        this.viewed = viewed;
        this.options = options;
        this.staleAfter = lives.staleAfter();
        this.expireAfter = lives.expireAfter();
        this.life = viewed.life();
        this.cacheNullFor = lives.cacheNullFor();
        this.cacheIf = lives.cacheIf();
        this.lifeOf = lives.lifeOf();
        this.jitter = lives.jitter();
        this.refreshOn = plan.refreshOn();
        this.whenDown = viewed.entries().whenDown();
    }

    static <K, V> Region<K, V> view(Region<K, V> of, UnaryOperator<RegionBuilder<K, V>> changes) {
        Entries<V> entries = of.entries();
        List<RegionBuilder<K, V>> changed = new ArrayList<>(1);
        DogpileLock<V> lock = named(
                of.name(),
                () -> entries.lock().with(options -> {
                    changed.add(changes.apply(new RegionBuilder<>(of, options)));
                    return options.drafting(changed.get(0).lives(entries.lives().random()));
                }));
        RegionBuilder<K, V> by = changed.get(0);
        return new Region<>(
                by.plan(of.plan().names(), of.plan().stats()),
                new Entries<>(entries.shared(), lock, by.lives(entries.lives().random()), by.whenDown),
                by.life);
    }

    // Lives

    /**
     * How long a value is fresh, counted from its creation; then one caller creates it anew, and the others take the old
     * one. Default: for ever.
     *
     * @param limit the time; an age equal to it is still fresh
     * @return this builder
     */
    public RegionBuilder<K, V> staleAfter(Duration limit) {
        options.staleAfter(limit);
        life = null;
        if (viewed == null) {
            staleAfter = limit;
        }
        return this;
    }

    /**
     * How long a value is fresh for the calls of a view, asked anew at each call, hits included, which then allocate.
     *
     * @param limits the time, or null for the region's own; called by many threads
     * @return this builder
     * @throws IllegalStateException if this builds a region: it stores its lives with its values
     */
    public RegionBuilder<K, V> staleAfter(Supplier<@Nullable Duration> limits) {
        refuseInRegion("a supplied staleAfter");
        life = Objects.requireNonNull(limits, "staleAfter");
        return this;
    }

    /**
     * How long a value may be served, fresh or stale. Default: for ever.
     *
     * @param limit the time, not less than {@code staleAfter}
     * @return this builder
     */
    public RegionBuilder<K, V> expireAfter(Duration limit) {
        options.expireAfter(limit);
        if (viewed == null) {
            expireAfter = limit;
        }
        return this;
    }

    /**
     * How long a value may be served, computed from it; overrides {@code expireAfter} for it. Where that is less than
     * {@code staleAfter}, the value is never stale. Default: not computed.
     *
     * @param lives tells the time, or null for the region's own; a negative one, and one that throws, keep the value from
     *     being stored
     * @return this builder
     */
    public RegionBuilder<K, V> expireAfter(Function<? super V, @Nullable Duration> lives) {
        Objects.requireNonNull(lives, "expireAfter");
        lifeOf = (key, value) -> lives.apply(value);
        return this;
    }

    /**
     * As {@link #expireAfter(Function)}, computed from the key too. Functions with a namespace have keys of another form,
     * and refuse a region that asks for this.
     *
     * @param lives tells the time, or null for the region's own
     * @return this builder
     */
    @SuppressWarnings("unchecked") // refused where names are of another type
    public RegionBuilder<K, V> expireAfter(BiFunction<? super K, ? super V, @Nullable Duration> lives) {
        Objects.requireNonNull(lives, "expireAfter");
        lifeOf = new KeyedLife<>((key, value) -> lives.apply((K) key, value));
        return this;
    }

    /**
     * How long a null lives: fresh until then, then expired. Zero: it is handed to all who waited and not stored.
     * Default: as any value.
     *
     * @param limit the time; not negative
     * @return this builder
     * @throws IllegalArgumentException if it is negative
     */
    public RegionBuilder<K, V> cacheNullFor(Duration limit) {
        if (limit.isNegative()) {
            throw new IllegalArgumentException("cacheNullFor must not be negative, was " + limit);
        }
        cacheNullFor = limit;
        return this;
    }

    /**
     * Which created values are kept. One that is not is handed to all who waited for it, and what was stored before stays.
     * Asked once per creation, never on a hit. Default: all.
     *
     * @param keep the condition; one that throws keeps the value from being stored
     * @return this builder
     */
    public RegionBuilder<K, V> cacheIf(Predicate<? super V> keep) {
        Objects.requireNonNull(keep, "cacheIf");
        cacheIf = (key, value) -> keep.test(value);
        return this;
    }

    /**
     * As {@link #cacheIf(Predicate)}, by key and value. Functions with a namespace have keys of another form, and refuse
     * a region that asks for this.
     *
     * @param keep the condition
     * @return this builder
     */
    @SuppressWarnings("unchecked") // refused where names are of another type
    public RegionBuilder<K, V> cacheIf(BiPredicate<? super K, ? super V> keep) {
        Objects.requireNonNull(keep, "cacheIf");
        cacheIf = new KeyedCondition<>((key, value) -> keep.test((K) key, value));
        return this;
    }

    /**
     * By how much both lives of a value may be cut, at random, so that what was created together does not end together.
     * Default: 0.
     *
     * @param share the largest share that is cut: 0 to 1
     * @return this builder
     * @throws IllegalArgumentException if it is less than 0 or more than 1
     */
    public RegionBuilder<K, V> jitter(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("jitter must be a share from 0 to 1, was " + share);
        }
        jitter = share;
        return this;
    }

    // Calls

    /**
     * Waits for the new value where a stale one could be had. Default: the stale one is taken.
     *
     * @return this builder
     */
    public RegionBuilder<K, V> neverStale() {
        options.neverStale();
        return this;
    }

    /**
     * Takes a value of any age, and one that was declared stale; what was expired by {@code HARD} invalidation, or evicted,
     * is gone all the same.
     *
     * @return this builder
     * @throws IllegalStateException if this builds a region
     */
    public RegionBuilder<K, V> ignoreExpiry() {
        refuseInRegion("ignoreExpiry");
        options.staleAfter(Lives.NEVER).expireAfter(Lives.NEVER);
        life = null;
        return this;
    }

    /**
     * How long the elected caller waits for a creation that it handed to {@code refreshOn}, before it takes the stale
     * value; the creation goes on and its value is stored. Default: zero.
     *
     * @param longest the time
     * @return this builder
     */
    public RegionBuilder<K, V> softTimeout(Duration longest) {
        options.softTimeout(longest);
        return this;
    }

    /**
     * How long a caller waits for another's creation if it has no stale value; then it gets a
     * {@link io.dogpile.core.HardTimeoutException} and never creates by itself. Default: {@code maxCreation}.
     *
     * @param longest the time
     * @return this builder
     */
    public RegionBuilder<K, V> hardTimeout(Duration longest) {
        options.hardTimeout(longest);
        return this;
    }

    /**
     * How long a key stays that of one creation. After it another caller may be elected, while the creator runs on.
     * Default: 60 s.
     *
     * @param longest the time
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> maxCreation(Duration longest) {
        options.maxCreation(longest);
        return this;
    }

    /**
     * Where a stale value is created anew, so that no caller waits. An executor that refuses is told to the listener and
     * the stale value is served. A bounded executor limits how many creations run at once. Default: the elected caller
     * creates.
     *
     * @param executor runs the creations; the user's to shut down
     * @return this builder
     */
    public RegionBuilder<K, V> refreshOn(Executor executor) {
        options.refreshOn(executor);
        refreshOn = executor;
        return this;
    }

    /**
     * Refreshes a value before it turns stale, with a chance that grows towards the end and with the value's cost
     * (XFetch). Default: off.
     *
     * @param beta 1.0 for the optimum of the paper, more for earlier; 0 for off
     * @return this builder
     * @throws IllegalArgumentException if it is negative or not finite
     */
    public RegionBuilder<K, V> earlyRefresh(double beta) {
        options.earlyRefresh(beta);
        return this;
    }

    /**
     * What is done when the backend or the lock cannot be reached and there is no stale value. Default:
     * {@link WhenDown#CREATE}.
     *
     * @param policy the policy
     * @return this builder
     */
    public RegionBuilder<K, V> whenDown(WhenDown policy) {
        options.whenDown(policy);
        whenDown = policy;
        return this;
    }

    /**
     * How long a key backs off whose creations fail in a row. Default: after 2 failures 100 ms, doubling up to 30 s.
     *
     * @param failures how many in a row; at least 1
     * @param first how long it backs off then; positive
     * @param longest the most that it is doubled to
     * @return this builder
     * @throws IllegalArgumentException if a value is out of its range
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> failureBackoff(int failures, Duration first, Duration longest) {
        options.failureBackoff(failures, first, longest);
        backoff = new Opening.Backoff(failures, first, longest);
        return this;
    }

    // What a region has and a view does not

    /**
     * Where the values live. Default: {@link MemoryBackend#create()}.
     *
     * @param store the backend, which the region does not close
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> backend(Backend store) {
        refuseInView("backend");
        backend = Objects.requireNonNull(store, "backend");
        return this;
    }

    /**
     * Puts something around the backend, such as a {@code ProxyBackend}. What is given later is outside of what was given
     * before. Default: nothing.
     *
     * @param around makes the outer backend of the inner one
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> wrap(UnaryOperator<Backend> around) {
        refuseInView("wrap");
        wraps.add(Objects.requireNonNull(around, "wrap"));
        return this;
    }

    /**
     * How keys are rendered as text for backends in other processes and for locks. Keys that render alike are one key, in
     * memory too; the text is then made for each call, hits included. Default: a readable text that differs where keys differ.
     *
     * @param texts renders a key, the same way in each JVM; not for blanks, control characters and secrets
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> keys(Function<? super K, String> texts) {
        refuseInView("keys");
        Objects.requireNonNull(texts, "keys");
        names = key -> RenamedKey.of(texts, key);
        return this;
    }

    /**
     * How values are turned into bytes. A backend that keeps bytes needs one; in memory it gives each reader a copy.
     * Default: none.
     *
     * @param by the serializer
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> serializer(Serializer<V> by) {
        refuseInView("serializer");
        serializer = Objects.requireNonNull(by, "serializer");
        return this;
    }

    /**
     * How many bytes a value may have in a backend that keeps bytes; a larger one is not stored. Default: 1 MiB.
     *
     * @param most the number of bytes; positive
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> maxValueBytes(int most) {
        refuseInView("maxValueBytes");
        if (most <= 0) {
            throw new IllegalArgumentException("maxValueBytes must be positive, was " + most);
        }
        maxValueBytes = most;
        return this;
    }

    /**
     * Who grants the right to create, for all JVMs that use the same provider and region name. Default: the backend, and
     * in memory this JVM.
     *
     * <p>A put or an invalidation does not take the lock from a creation that it detaches: a caller who then finds no
     * value waits until that creation has given the lock back, and creates anew.
     *
     * @param by the provider
     * @param leaseTime for how long a right lasts that is not renewed; it is renewed at a third while a creator runs.
     *     Choose it above the pauses that a process may suffer
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> lock(LockProvider by, Duration leaseTime) {
        refuseInView("lock");
        provider = Objects.requireNonNull(by, "lock");
        return lease(leaseTime);
    }

    /**
     * For how long a right to create lasts that is not renewed, where the backend grants it. Default: 5 s, or
     * {@code maxCreation} where that is less.
     *
     * @param time the time; positive, and not longer than {@code maxCreation}
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> lease(Duration time) {
        refuseInView("lease");
        options.lock(null, time);
        return this;
    }

    /**
     * Who is told what happens; may be called several times. Names in events are keys as callers gave them. Default:
     * nobody.
     *
     * @param listener the listener
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> listener(DogpileListener listener) {
        refuseInView("listener");
        listeners.add(Objects.requireNonNull(listener, "listener"));
        return this;
    }

    /**
     * Counts what happens, for {@link Region#stats}. Default: off.
     *
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> recordStats() {
        refuseInView("recordStats");
        counts = true;
        return this;
    }

    /**
     * Where time comes from. Default: {@link TimeSource#system()}.
     *
     * @param source the time source
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> clock(TimeSource source) {
        options.clock(source);
        time = source;
        return this;
    }

    /**
     * Seeds early refresh, jitter and the spread of polls, so that a test can repeat them. Default: random.
     *
     * @param of the seed
     * @return this builder
     * @throws IllegalStateException if this builds a view
     */
    public RegionBuilder<K, V> seed(long of) {
        options.seed(of);
        seed = of;
        return this;
    }

    /**
     * Reads options from a flat map. Objects, such as the backend, are given by the other verbs.
     *
     * <p>Durations ({@code staleAfter}, {@code expireAfter}, {@code cacheNullFor}, {@code softTimeout},
     * {@code hardTimeout}, {@code maxCreation}, {@code lease}): a number with {@code ms}, {@code s}, {@code m},
     * {@code h} or {@code d}; a number alone, which is seconds; or ISO-8601, such as {@code PT1M}. {@code never}, or
     * {@code -1}, for {@code staleAfter} and {@code expireAfter}. Numbers: {@code earlyRefresh}, {@code jitter},
     * {@code maxValueBytes}, {@code seed}. {@code failureBackoff}: a number and two durations, such as
     * {@code 2, 100ms, 30s}. Booleans, {@code true} or {@code false} in any case: {@code neverStale},
     * {@code recordStats}. {@code whenDown}: {@code CREATE} or {@code FAIL}. Blanks around a value are no part of it.
     *
     * <p>A name with a further dot behind the prefix is left to others. Any other name that is no option is refused: one
     * mistyped would leave an option at its default and nobody the wiser.
     *
     * @param settings the settings; not changed
     * @param prefix what stands before the options' names, such as {@code "cache.users."}
     * @return this builder
     * @throws IllegalArgumentException if a value cannot be read, or an option is not known; the message names all such
     * @throws IllegalStateException if an option is set that cannot differ in a view
     */
    public RegionBuilder<K, V> from(Map<String, String> settings, String prefix) {
        Settings.apply(settings, prefix, this);
        return this;
    }

    /**
     * Reads options from a properties file, as {@link #from(Map, String)} does.
     *
     * @param settings the properties; not changed
     * @param prefix what stands before the options' names
     * @return this builder
     * @throws IllegalArgumentException as {@link #from(Map, String)} does
     */
    public RegionBuilder<K, V> from(Properties settings, String prefix) {
        Map<String, String> strings = new HashMap<>();
        settings.stringPropertyNames().forEach(key -> strings.put(key, settings.getProperty(key)));
        return from(strings, prefix);
    }

    /**
     * Builds the region.
     *
     * @return a new region; later changes of this builder do not touch it
     * @throws IllegalArgumentException if the options contradict each other, naming both values, or the backend cannot
     *     serve such a region
     * @throws IllegalStateException if this builds a view
     */
    public Region<K, V> build() {
        refuseInView("build()");
        List<DogpileListener> all = new ArrayList<>(listeners);
        RegionStats stats = counts ? new RegionStats() : null;
        if (stats != null) {
            all.add(0, stats);
        }
        DogpileListener listener = DogpileListener.all(RenamedKey::original, all.toArray(new DogpileListener[0]));
        Lives<V> lives = lives(seed == null ? () -> ThreadLocalRandom.current().nextDouble() : random(seed));
        DogpileLock<V> lock = named(
                name,
                () -> options.listener(listener)
                        .drafting(lives)
                        .appearsAs("region '" + name + "', key ", "io.dogpile.cache." + name)
                        .build());
        Opening<V> opening = new Opening<>(
                name,
                RenamedKey::textOf,
                serializer,
                maxValueBytes,
                lock.lease(),
                lock.maxCreation(),
                backoff,
                time,
                listener);
        Entries.Shared<V> shared = new Entries.Shared<>(name, open(opening), listener, time, new Entries.Closing());
        if (stats != null) {
            stats.gauges(lock::inFlight);
        }
        return new Region<>(plan(names, stats), new Entries<>(shared, lock, lives, whenDown), null);
    }

    private Partition<V> open(Opening<V> opening) {
        Backend outermost = backend;
        for (UnaryOperator<Backend> wrap : wraps) {
            outermost = Objects.requireNonNull(wrap.apply(outermost), "wrap() made null of a backend");
        }
        Partition<V> partition = outermost.open(opening);
        return provider == null ? partition : Partition.locked(partition, opening, provider, opening.lease());
    }

    /** What the lock refuses is the region's to say. */
    private static <T> T named(String region, Supplier<T> built) {
        try {
            return built.get();
        } catch (IllegalArgumentException contradiction) {
            throw new IllegalArgumentException("region '" + region + "': " + contradiction.getMessage(), contradiction);
        }
    }

    private Plan<K, V> plan(@Nullable Function<? super K, ?> namedBy, @Nullable RegionStats counts) {
        return new Plan<>(name, keyType, valueType, namedBy, counts, refreshOn, needsKeys());
    }

    /** A condition that is asked with the region's keys. */
    private record KeyedCondition<V>(BiPredicate<Object, V> of) implements BiPredicate<Object, V> {
        @Override
        public boolean test(Object key, V value) {
            return of.test(key, value);
        }
    }

    /** A life that is computed from the region's keys, too. */
    private record KeyedLife<V>(BiFunction<Object, V, @Nullable Duration> of)
            implements BiFunction<Object, V, @Nullable Duration> {
        @Override
        public @Nullable Duration apply(Object key, V value) {
            return of.apply(key, value);
        }
    }

    /** What names of another form than the region's keys cannot be asked; null if they can be asked all. */
    private @Nullable String needsKeys() {
        if (cacheIf instanceof KeyedCondition) {
            return "cacheIf of a key and a value";
        }
        return lifeOf instanceof KeyedLife ? "expireAfter of a key and a value" : null;
    }

    private Lives<V> lives(DoubleSupplier random) {
        return new Lives<>(staleAfter, expireAfter, cacheNullFor, cacheIf, lifeOf, jitter, random);
    }

    private static DoubleSupplier random(long seed) {
        return new Random(seed)::nextDouble;
    }

    private void refuseInView(String option) {
        if (viewed != null) {
            throw new IllegalStateException(
                    option + " belongs to region '" + name + "' and cannot differ in a view of it");
        }
    }

    private void refuseInRegion(String option) {
        if (viewed == null) {
            throw new IllegalStateException(
                    option + " is for a view of region '" + name + "', made by with(...), not for the region");
        }
    }
}
