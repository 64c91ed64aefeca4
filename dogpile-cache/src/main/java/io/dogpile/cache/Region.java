package io.dogpile.cache;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.Creator;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Values under one policy, by key: a cache in which a value that is missing or stale is created by one caller, while the
 * others take the old value or wait for the new one.
 *
 * <pre>{@code
 * Region<Long, User> users = Region.<Long, User>builder("users")
 *         .staleAfter(Duration.ofMinutes(1))
 *         .expireAfter(Duration.ofHours(1))
 *         .build();
 * User user = users.getOrCreate(42L, id -> repository.load(id));
 * }</pre>
 *
 * <p>Promised: what {@link io.dogpile.core.DogpileLock} promises, for each key. A creation that fails reaches all who
 * waited for it; a null, and a value that is refused for caching, too. A value that was created is never lost to its own
 * caller, whatever the backend does. A put or an invalidation that comes while a value is being created detaches that
 * creation: its value is not stored, and callers from then on elect anew. Those who wait already get its value, or the
 * newer one that was stored meanwhile; in a store that others share, where another's invalidation may be the later one,
 * they look again if there is none.
 *
 * <p>Not promised: that a creator's side effects are exclusive, or that an entry stays until it expires: a backend may
 * evict it.
 *
 * <p>A hit in memory takes no lock and allocates nothing. A hit through a creator that captures variables allocates that
 * creator, unless the compiler proves it away: {@code (id -> repository.load(id))} with the key as its argument captures
 * less than {@code (() -> repository.load(id))}.
 *
 * <p>Keys are objects with a sound {@code equals} that do not change. In memory they are compared by it; a store in another
 * process knows them by a text that differs where they differ ({@link RegionBuilder#keys} changes it).
 *
 * <p>Thread-safe. Exceptions named below are those of programming or configuration errors too where they say so; the
 * failures of creations are told at {@link #getOrCreate(Object, KeyedCreator)}.
 *
 * @param <K> the type of the keys
 * @param <V> the type of the values
 */
public final class Region<K, V> implements AutoCloseable {
    private final RegionBuilder.Plan<K, V> plan;
    private final Entries<V> entries;
    private final @Nullable Supplier<@Nullable Duration> life;

    Region(RegionBuilder.Plan<K, V> plan, Entries<V> entries, @Nullable Supplier<@Nullable Duration> life) {
        this.plan = plan;
        this.entries = entries;
        this.life = life;
    }

    /**
     * Begins a region.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param name its name: 1 to 100 letters, digits, {@code .}, {@code _} and {@code -}
     * @return a builder with the defaults that its verbs name
     * @throws IllegalArgumentException if the name is not such a one
     */
    public static <K, V> RegionBuilder<K, V> builder(String name) {
        return new RegionBuilder<>(name, null, null);
    }

    /**
     * Begins a region that knows its types, so that {@link Regions#get(String, Class, Class)} can check them.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param name its name, as for {@link #builder(String)}
     * @param keyType the type of the keys
     * @param valueType the type of the values
     * @return a builder with the defaults that its verbs name
     * @throws IllegalArgumentException if the name is not such a one
     */
    public static <K, V> RegionBuilder<K, V> builder(String name, Class<K> keyType, Class<V> valueType) {
        return new RegionBuilder<>(
                name, Objects.requireNonNull(keyType, "keyType"), Objects.requireNonNull(valueType, "valueType"));
    }

    /**
     * The name.
     *
     * @return the name that was given to the builder
     */
    public String name() {
        return plan.name();
    }

    /**
     * This region as seen by a caller with other wishes: a cheap view over the same values and flights. What the view says
     * of {@code staleAfter} and {@code expireAfter} judges values by their age, for its own calls only, and is not stored;
     * what it says of {@code cacheIf}, {@code cacheNullFor} and lives computed from the value holds for what its calls
     * create.
     *
     * @param changes sets the options that differ
     * @return the view
     * @throws IllegalArgumentException if the options contradict each other; the message names both values
     * @throws IllegalStateException if an option is set that cannot differ, such as the backend
     */
    public Region<K, V> with(UnaryOperator<RegionBuilder<K, V>> changes) {
        return RegionBuilder.view(this, changes);
    }

    // One key

    /**
     * Returns the key's value if it is fresh, and else decides who creates it.
     *
     * @param key the key
     * @param creator makes the value if this caller is elected. If it throws, a stale value is served where there is one;
     *     else what it threw, when unchecked, is thrown to all who waited, as the same instance
     * @return the value, which may be null if creators make nulls
     * @throws io.dogpile.core.CreationException if the creator threw a checked exception, or the key backs off after
     *     failures in a row
     * @throws io.dogpile.core.HardTimeoutException if another's creation was not done within {@code hardTimeout}
     * @throws io.dogpile.core.DogpileException if the caller was interrupted while it waited (its flag is then set), or
     *     the backend could not be reached and {@code whenDown} is {@code FAIL}
     * @throws IllegalStateException if the current thread is creating this key, or the wait would close a cycle of
     *     creations in this JVM, or the region is closed
     * @throws IllegalArgumentException if the key has no text by which the backend could know it
     */
    public V getOrCreate(K key, KeyedCreator<? super K, ? extends V> creator) {
        if (life != null) {
            return current().getOrCreate(key, creator);
        }
        Object name = plan.nameOf(key);
        Slot.Seen<V> hit = entries.hit(name);
        return hit == null ? create(name, key, creator) : valueOf(hit);
    }

    /**
     * As {@link #getOrCreate(Object, KeyedCreator)}, with a creator that knows its key.
     *
     * @param key the key
     * @param creator makes the value if this caller is elected
     * @return the value
     * @throws RuntimeException as {@link #getOrCreate(Object, KeyedCreator)} does
     */
    public V getOrCreate(K key, Creator<? extends V> creator) {
        if (life != null) {
            return current().getOrCreate(key, creator);
        }
        Object name = plan.nameOf(key);
        Slot.Seen<V> hit = entries.hit(name);
        return hit == null ? entries.create(name, creator) : valueOf(hit);
    }

    /** Apart from the hit, so that its creator is made only here. */
    private V create(Object name, K key, KeyedCreator<? super K, ? extends V> creator) {
        Objects.requireNonNull(creator, "creator");
        return entries.create(name, () -> creator.create(key));
    }

    /**
     * Returns the key's value if it is fresh. Never creates, never waits for a creation.
     *
     * @param key the key
     * @return the value; empty if there is none that is fresh, or it is null ({@link #peek} tells these apart), or the
     *     backend could not be reached and {@code whenDown} is not {@code FAIL}
     * @throws io.dogpile.core.DogpileException if the backend could not be reached and {@code whenDown} is {@code FAIL}
     * @throws IllegalStateException if the region is closed
     */
    public Optional<V> get(K key) {
        if (life != null) {
            return current().get(key);
        }
        Slot.Seen<V> seen = entries.fresh(plan.nameOf(key));
        return seen == null ? Optional.empty() : Optional.ofNullable(seen.value());
    }

    /**
     * Returns what the region holds for the key, fresh or stale, with what is known of it. Never creates, and is not
     * counted as a hit or a miss.
     *
     * @param key the key
     * @return the value with its metadata; empty if there is none, or it is expired
     * @throws RuntimeException as {@link #get} does
     */
    public Optional<CachedValue<V>> peek(K key) {
        return life == null ? entries.peek(plan.nameOf(key)) : current().peek(key);
    }

    /**
     * Stores a value as if it had been created now. {@code cacheIf} is not asked; {@code cacheNullFor} holds.
     *
     * @param key the key
     * @param value the value; null is a value
     * @throws io.dogpile.core.DogpileException if it is not known whether it was stored
     * @throws IllegalStateException if the region is closed
     */
    public void put(K key, V value) {
        entries.put(plan.nameOf(key), value);
    }

    /**
     * Creates a value newer than the one that the region holds, or waits for one that another is creating. Others keep
     * the present value until then.
     *
     * @param key the key
     * @param creator makes the value if this caller is elected
     * @return the new value
     * @throws RuntimeException as {@link #getOrCreate(Object, KeyedCreator)} does; a stale value is not served instead
     */
    public V refresh(K key, KeyedCreator<? super K, ? extends V> creator) {
        Objects.requireNonNull(creator, "creator");
        return entries.refresh(plan.nameOf(key), () -> creator.create(key));
    }

    /**
     * Forgets the key's value: nobody is given it any more. Harmless if there is none.
     *
     * @param key the key
     * @throws io.dogpile.core.DogpileException if it is not known whether it was forgotten
     * @throws IllegalStateException if the region is closed
     */
    public void invalidate(K key) {
        invalidate(key, Invalidation.HARD);
    }

    /**
     * Declares the key's value old.
     *
     * @param key the key
     * @param how stale or expired from now on
     * @throws io.dogpile.core.DogpileException if it is not known whether it was done
     * @throws IllegalStateException if the region is closed
     */
    public void invalidate(K key, Invalidation how) {
        entries.invalidate(plan.nameOf(key), Objects.requireNonNull(how, "how"));
    }

    /**
     * Whether the key's value is being created or waited for, in this JVM, or elsewhere if the backend tells. Disturbs
     * nobody.
     *
     * @param key the key
     * @return a snapshot
     * @throws RuntimeException as {@link #get} does
     */
    public boolean isCreating(K key) {
        return entries.isCreating(plan.nameOf(key));
    }

    // Many keys

    /**
     * Makes the values of many keys in one call.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     */
    @FunctionalInterface
    public interface BulkCreator<K, V> {
        /**
         * Creates the values.
         *
         * @param missing the keys to create, each once, in the order in which the caller asked; unmodifiable
         * @return the values by key. A key that is left out has no value: it is not cached and not in the caller's result;
         *     a null is a value; other keys are ignored
         * @throws Exception if no value could be made
         */
        Map<K, ? extends V> create(Set<K> missing) throws Exception;
    }

    /**
     * Returns the values of many keys, creating in one call of the creator those that this caller is elected for and
     * waiting for those that others create. Calls that overlap create each key once and never wait for each other in a
     * circle; equal calls at once are one creation in this JVM.
     *
     * <p>If the creator throws, each key it was asked for has that failure; a stale value is served where there is one.
     * What was created for other keys stays stored, whoever created it.
     *
     * @param keys the keys, walked once; one that comes twice is asked for once
     * @param creator makes the values of the keys that this caller is elected for
     * @return the values, in the order of the keys, without those that a creator left out; the caller's own
     * @throws RuntimeException as {@link #getOrCreate(Object, KeyedCreator)} does if any key has no value: the failure of
     *     the first such key
     */
    public Map<K, V> getOrCreateAll(Iterable<? extends K> keys, BulkCreator<K, V> creator) {
        if (life != null) {
            return current().getOrCreateAll(keys, creator);
        }
        Batch batch = new Batch(keys);
        return batch.values(entries.createAll(batch.names(), batch.creator(creator)));
    }

    /**
     * Creates newer values of many keys, or waits for those that others are creating, as {@link #getOrCreateAll} does.
     *
     * @param keys the keys, walked once
     * @param creator makes the values of the keys that this caller is elected for
     * @return the new values, in the order of the keys, without those that a creator left out, which keep their value
     * @throws RuntimeException as {@link #getOrCreateAll} does; a stale value is not served instead
     */
    public Map<K, V> refreshAll(Iterable<? extends K> keys, BulkCreator<K, V> creator) {
        Batch batch = new Batch(keys);
        return batch.values(entries.refreshAll(batch.names(), batch.creator(creator)));
    }

    /**
     * Returns the fresh values of many keys, judged by one moment. Never creates.
     *
     * @param keys the keys, walked once
     * @return the values, in the order of the keys, without those that are missing; a null in it is a value
     * @throws RuntimeException as {@link #get} does
     */
    public Map<K, V> getAll(Iterable<? extends K> keys) {
        if (life != null) {
            return current().getAll(keys);
        }
        Batch batch = new Batch(keys);
        Map<Object, V> values = new LinkedHashMap<>();
        entries.freshAll(batch.names()).forEach((name, seen) -> values.put(name, seen.value()));
        return batch.values(values);
    }

    /**
     * Returns what the region holds for many keys, fresh or stale, judged by one moment. Never creates.
     *
     * @param keys the keys, walked once
     * @return the values with their metadata, in the order of the keys, without those that are missing or expired
     * @throws RuntimeException as {@link #get} does
     */
    public Map<K, CachedValue<V>> peekAll(Iterable<? extends K> keys) {
        if (life != null) {
            return current().peekAll(keys);
        }
        Batch batch = new Batch(keys);
        return batch.values(entries.peekAll(batch.names()));
    }

    /**
     * Stores many values as if they had been created now.
     *
     * @param values the values; not changed
     * @throws RuntimeException as {@link #put} does; some may then be stored
     */
    public void putAll(Map<? extends K, ? extends V> values) {
        Map<Object, V> named = new LinkedHashMap<>();
        values.forEach((key, value) -> named.put(plan.nameOf(key), value));
        entries.putAll(named);
    }

    /**
     * Forgets the values of many keys.
     *
     * @param keys the keys, walked once
     * @throws RuntimeException as {@link #invalidate(Object)} does; some may then be forgotten
     */
    public void invalidateAll(Iterable<? extends K> keys) {
        entries.invalidateAll(new Batch(keys).names(), Invalidation.HARD);
    }

    /**
     * Declares all values of the region old, those of its functions included. Soft after hard revives nothing.
     *
     * @param how {@code SOFT}: stale from now on, so that one caller per key creates anew and the others may take the old
     *     value until then, whatever its life; {@code HARD}: expired from now on
     * @throws io.dogpile.core.DogpileException if it is not known whether it was done
     * @throws IllegalStateException if the region is closed
     */
    public void invalidateAll(Invalidation how) {
        entries.invalidateAll(Objects.requireNonNull(how, "how"));
    }

    // Functions

    /**
     * A function over this region's own entries: its call is {@code getOrCreate(key, function)} with the wishes of this
     * view, and what one stored the other finds.
     *
     * @param function makes the value of a key
     * @return the cached function
     */
    public CachedFunction<K, V> cached(KeyedCreator<? super K, ? extends V> function) {
        return new CachedFunction<>(this, UnaryOperator.identity(), function);
    }

    /**
     * A function with entries of its own, by namespace and argument. Two functions of one namespace share their entries.
     * {@link #invalidateAll(Invalidation)} reaches them; {@link RegionBuilder#keys} does not.
     *
     * @param <A> the type of the argument; several arguments may be one record
     * @param namespace tells this function from others of the region, the same in every JVM
     * @param function makes the value of an argument
     * @return the cached function
     * @throws IllegalArgumentException if the namespace is empty, or the region asks for {@code cacheIf} or
     *     {@code expireAfter} of a key and a value, which know the region's keys only
     */
    public <A> CachedFunction<A, V> cached(String namespace, KeyedCreator<? super A, ? extends V> function) {
        return new CachedFunction<>(
                keyedBy(namespace, argument -> ArgumentKey.of(namespace, argument)), ArgumentKey::copied, function);
    }

    /**
     * A function of two arguments with entries of its own.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param namespace as for {@link #cached(String, KeyedCreator)}
     * @param function makes the value of the arguments
     * @return the cached function
     * @throws IllegalArgumentException as {@link #cached(String, KeyedCreator)} does
     */
    public <A, B> CachedFunction.Of2<A, B, V> cached(
            String namespace, CachedFunction.Creator2<? super A, ? super B, ? extends V> function) {
        return new CachedFunction.Of2<>(calls(namespace), namespace, function);
    }

    /**
     * A function of three arguments with entries of its own.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param <C> the type of the third argument
     * @param namespace as for {@link #cached(String, KeyedCreator)}
     * @param function makes the value of the arguments
     * @return the cached function
     * @throws IllegalArgumentException as {@link #cached(String, KeyedCreator)} does
     */
    public <A, B, C> CachedFunction.Of3<A, B, C, V> cached(
            String namespace, CachedFunction.Creator3<? super A, ? super B, ? super C, ? extends V> function) {
        return new CachedFunction.Of3<>(calls(namespace), namespace, function);
    }

    /**
     * A function of four arguments with entries of its own.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param <C> the type of the third argument
     * @param <D> the type of the fourth argument
     * @param namespace as for {@link #cached(String, KeyedCreator)}
     * @param function makes the value of the arguments
     * @return the cached function
     * @throws IllegalArgumentException as {@link #cached(String, KeyedCreator)} does
     */
    public <A, B, C, D> CachedFunction.Of4<A, B, C, D, V> cached(
            String namespace,
            CachedFunction.Creator4<? super A, ? super B, ? super C, ? super D, ? extends V> function) {
        return new CachedFunction.Of4<>(calls(namespace), namespace, function);
    }

    /**
     * A function of many keys at once over this region's own entries: its call is
     * {@code getOrCreateAll(keys, function)}.
     *
     * @param function makes the values of the keys that are missing
     * @return the cached function
     */
    public CachedBulkFunction<K, V> cachedAll(BulkCreator<K, V> function) {
        return new CachedBulkFunction<>(this, function);
    }

    /**
     * A function of many arguments at once with entries of its own, one for each argument: those of
     * {@link #cached(String, KeyedCreator)} with the same namespace.
     *
     * @param <A> the type of the arguments
     * @param namespace as for {@link #cached(String, KeyedCreator)}
     * @param function makes the values of the arguments that are missing
     * @return the cached function
     * @throws IllegalArgumentException as {@link #cached(String, KeyedCreator)} does
     */
    public <A> CachedBulkFunction<A, V> cachedAll(String namespace, BulkCreator<A, V> function) {
        return new CachedBulkFunction<>(keyedBy(namespace, argument -> ArgumentKey.of(namespace, argument)), function);
    }

    /** This view, asked by the calls of a function. */
    Region<ArgumentKey, V> calls(String namespace) {
        return keyedBy(namespace, null);
    }

    private <A> Region<A, V> keyedBy(String namespace, @Nullable Function<? super A, ?> names) {
        if (namespace.isEmpty()) {
            throw new IllegalArgumentException("a function of region '" + name()
                    + "' has an empty namespace; give it one that tells it from the region's other functions");
        }
        if (plan.needsKeys() != null) {
            throw new IllegalArgumentException(namespace + " has entries of its own, by its arguments, and region '"
                    + name() + "' asks for " + plan.needsKeys() + ", which knows the region's keys only; let it ask for"
                    + " the value alone, or share the region's keys by cached(function)");
        }
        return new Region<>(plan.keyedBy(names), entries, life);
    }

    // Views and the whole

    /**
     * This region for callers who do not wait on a thread.
     *
     * @param executor runs the steps of each call: the backend's round trips and the start of the creator
     * @return the view
     */
    public AsyncRegion<K, V> async(Executor executor) {
        return new AsyncRegion<>(this, Objects.requireNonNull(executor, "executor"));
    }

    /**
     * The counts of this region.
     *
     * @return the counts, which go on
     * @throws IllegalStateException if the region was built without {@link RegionBuilder#recordStats}
     */
    public RegionStats stats() {
        RegionStats stats = plan.stats();
        if (stats == null) {
            throw new IllegalStateException("region '" + name() + "' counts nothing; build it with recordStats()");
        }
        return stats;
    }

    /**
     * Ends this region with all its views: calls from now on are refused, those who wait get an
     * {@link IllegalStateException} or a stale value, rights to create are given back, and what creators that still run
     * make goes to their own callers and is not stored. The backend is not closed. Harmless if done before.
     */
    @Override
    public void close() {
        entries.close();
    }

    @Override
    public String toString() {
        return "Region '" + name() + "'";
    }

    Entries<V> entries() {
        return entries;
    }

    RegionBuilder.Plan<K, V> plan() {
        return plan;
    }

    /** What this view asks at each call for how long a value is fresh; null where that is fixed. */
    @Nullable
    Supplier<@Nullable Duration> life() {
        return life;
    }

    /** This view, with the life that its supplier says now. */
    Region<K, V> current() {
        if (life == null) {
            return this;
        }
        Duration now = life.get();
        return new Region<>(plan, now == null ? entries : entries.withStaleAfter(now), null);
    }

    @SuppressWarnings("NullAway") // a null is a value, where V is the type of values
    static <V> V valueOf(Slot.Seen<V> seen) {
        return seen.value();
    }

    /** The keys of one call, by name: those that are one name are one entry. */
    private final class Batch {
        private final Map<K, Object> nameOfKey = new LinkedHashMap<>();
        private final Map<Object, K> keyOfName = new LinkedHashMap<>();

        Batch(Iterable<? extends K> keys) {
            for (K key : keys) {
                Object name = plan.nameOf(key);
                nameOfKey.put(key, name);
                keyOfName.putIfAbsent(name, key);
            }
        }

        Set<Object> names() {
            return keyOfName.keySet();
        }

        Slots.Creator<Object, V> creator(BulkCreator<K, V> bulk) {
            Objects.requireNonNull(bulk, "creator");
            return names -> {
                Set<K> missing = new LinkedHashSet<>();
                names.forEach(name -> missing.add(keyOf(name)));
                Map<K, ? extends V> made = bulk.create(Collections.unmodifiableSet(missing));
                Objects.requireNonNull(made, "The creator must return a map of what it made, not null");
                Map<Object, V> named = new LinkedHashMap<>();
                made.forEach((key, value) -> named.put(plan.nameOf(key), value));
                return named;
            };
        }

        @SuppressWarnings("NullAway") // a null is an argument, where the names are those of calls
        private K keyOf(Object name) {
            return keyOfName.get(name);
        }

        <T> Map<K, T> values(Map<Object, T> byName) {
            Map<K, T> values = new LinkedHashMap<>();
            nameOfKey.forEach((key, name) -> {
                if (byName.containsKey(name)) {
                    values.put(key, byName.get(name));
                }
            });
            return values;
        }
    }
}
