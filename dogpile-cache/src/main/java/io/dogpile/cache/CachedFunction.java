package io.dogpile.cache;

import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * A function whose values are kept in a region. Made by {@link Region#cached(KeyedCreator)}, over the region's own
 * entries, or by {@link Region#cached(String, KeyedCreator)}, with entries of its own.
 *
 * <pre>{@code
 * CachedFunction<Long, User> find = users.cached(repository::load);
 * User user = find.apply(42L);
 * find.invalidate(42L);
 * }</pre>
 *
 * <p>A call is a {@link Region#getOrCreate(Object, KeyedCreator)}: it promises and throws the same. All verbs mean the
 * same entry by the same argument, and hold the wishes of the view by which the function was made.
 *
 * <p>Arguments must not change in what their equals compares. An array is compared by what it holds, and the function is
 * handed a copy; an array in a collection is refused, and one in a record is compared as the record does. Where the
 * function has entries of its own, an argument without a text that is the same in every JVM is refused with an
 * {@link IllegalArgumentException}, in memory too; null is an argument like any other.
 *
 * <p>Whoever receives the call is no part of the key: functions of two objects share entries where they share a
 * namespace. Two functions made of one original are independent of each other, and the original is left as it is.
 *
 * <p>Thread-safe, if the function is.
 *
 * @param <A> the type of the argument
 * @param <V> the type of the values
 */
public final class CachedFunction<A, V> implements Function<A, V> {
    private final Region<A, V> region;
    private final UnaryOperator<A> owned;
    private final KeyedCreator<? super A, ? extends V> original;

    CachedFunction(Region<A, V> region, UnaryOperator<A> owned, KeyedCreator<? super A, ? extends V> original) {
        this.region = region;
        this.owned = owned;
        this.original = Objects.requireNonNull(original, "function");
    }

    /**
     * Returns the argument's value if it is fresh, and else decides who calls the function.
     *
     * @param argument the argument
     * @return the value
     * @throws RuntimeException as {@link Region#getOrCreate(Object, KeyedCreator)} does
     */
    @Override
    public V apply(A argument) {
        return region.getOrCreate(owned.apply(argument), original);
    }

    /**
     * Returns the argument's value if it is fresh. Never calls the function.
     *
     * @param argument the argument
     * @return what {@link Region#get} returns
     */
    public Optional<V> get(A argument) {
        return region.get(argument);
    }

    /**
     * Returns what is held for the argument, fresh or stale. Never calls the function.
     *
     * @param argument the argument
     * @return what {@link Region#peek} returns
     */
    public Optional<CachedValue<V>> peek(A argument) {
        return region.peek(argument);
    }

    /**
     * Stores a value as if the function had returned it now.
     *
     * @param argument the argument
     * @param value the value; null is a value
     * @throws RuntimeException as {@link Region#put} does
     */
    public void put(A argument, V value) {
        region.put(argument, value);
    }

    /**
     * Calls the function for a newer value, or waits for one that another is creating. Others keep the present value
     * until then.
     *
     * @param argument the argument
     * @return the new value
     * @throws RuntimeException as {@link Region#refresh} does
     */
    public V refresh(A argument) {
        return region.refresh(owned.apply(argument), original);
    }

    /**
     * Forgets the argument's value.
     *
     * @param argument the argument
     * @throws RuntimeException as {@link Region#invalidate(Object)} does
     */
    public void invalidate(A argument) {
        region.invalidate(argument);
    }

    /**
     * The function that is cached.
     *
     * @return the function, as it was given
     */
    public KeyedCreator<? super A, ? extends V> original() {
        return original;
    }

    /**
     * The text by which stores in other processes know the argument's value, before they shorten it.
     *
     * @param argument the argument
     * @return the text
     * @throws IllegalArgumentException if it has none
     */
    public String key(A argument) {
        return RenamedKey.textOf(region.plan().nameOf(argument));
    }

    @Override
    public String toString() {
        return "cached function of " + region;
    }

    /**
     * Makes a value of two arguments.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param <V> the type of the value
     */
    @FunctionalInterface
    public interface Creator2<A, B, V> {
        /**
         * Creates the value, as {@link KeyedCreator#create} does.
         *
         * @param a the first argument
         * @param b the second argument
         * @return the value; null is a value
         * @throws Exception if it cannot be made; what is thrown reaches all who wait for it
         */
        V create(A a, B b) throws Exception;
    }

    /**
     * Makes a value of three arguments.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param <C> the type of the third argument
     * @param <V> the type of the value
     */
    @FunctionalInterface
    public interface Creator3<A, B, C, V> {
        /**
         * Creates the value, as {@link KeyedCreator#create} does.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @return the value; null is a value
         * @throws Exception if it cannot be made; what is thrown reaches all who wait for it
         */
        V create(A a, B b, C c) throws Exception;
    }

    /**
     * Makes a value of four arguments.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param <C> the type of the third argument
     * @param <D> the type of the fourth argument
     * @param <V> the type of the value
     */
    @FunctionalInterface
    public interface Creator4<A, B, C, D, V> {
        /**
         * Creates the value, as {@link KeyedCreator#create} does.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param d the fourth argument
         * @return the value; null is a value
         * @throws Exception if it cannot be made; what is thrown reaches all who wait for it
         */
        V create(A a, B b, C c, D d) throws Exception;
    }

    /**
     * A cached function of two arguments; all that is said of {@link CachedFunction} holds. Made by
     * {@link Region#cached(String, Creator2)}.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param <V> the type of the values
     */
    public static final class Of2<A, B, V> {
        private final CachedFunction<ArgumentKey, V> calls;
        private final String namespace;
        private final Creator2<? super A, ? super B, ? extends V> original;

        @SuppressWarnings("unchecked") // the arguments are those that key(a, b) took
        Of2(Region<ArgumentKey, V> region, String namespace, Creator2<? super A, ? super B, ? extends V> original) {
            this.namespace = namespace;
            this.original = Objects.requireNonNull(original, "function");
            this.calls = new CachedFunction<>(region, UnaryOperator.identity(), call -> {
                Object[] arguments = call.arguments();
                return original.create((A) arguments[0], (B) arguments[1]);
            });
        }

        private ArgumentKey call(A a, B b) {
            return ArgumentKey.ofAll(namespace, a, b);
        }

        /**
         * Returns the arguments' value if it is fresh, and else decides who calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @return the value
         * @throws RuntimeException as {@link Region#getOrCreate(Object, KeyedCreator)} does
         */
        public V apply(A a, B b) {
            return calls.apply(call(a, b));
        }

        /**
         * Returns the arguments' value if it is fresh. Never calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @return what {@link Region#get} returns
         */
        public Optional<V> get(A a, B b) {
            return calls.get(call(a, b));
        }

        /**
         * Returns what is held for the arguments, fresh or stale. Never calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @return what {@link Region#peek} returns
         */
        public Optional<CachedValue<V>> peek(A a, B b) {
            return calls.peek(call(a, b));
        }

        /**
         * Stores a value as if the function had returned it now.
         *
         * @param a the first argument
         * @param b the second argument
         * @param value the value; null is a value
         * @throws RuntimeException as {@link Region#put} does
         */
        public void put(A a, B b, V value) {
            calls.put(call(a, b), value);
        }

        /**
         * Calls the function for a newer value, or waits for one that another is creating.
         *
         * @param a the first argument
         * @param b the second argument
         * @return the new value
         * @throws RuntimeException as {@link Region#refresh} does
         */
        public V refresh(A a, B b) {
            return calls.refresh(call(a, b));
        }

        /**
         * Forgets the arguments' value.
         *
         * @param a the first argument
         * @param b the second argument
         * @throws RuntimeException as {@link Region#invalidate(Object)} does
         */
        public void invalidate(A a, B b) {
            calls.invalidate(call(a, b));
        }

        /**
         * The function that is cached.
         *
         * @return the function, as it was given
         */
        public Creator2<? super A, ? super B, ? extends V> original() {
            return original;
        }

        /**
         * The text by which stores in other processes know the arguments' value, before they shorten it.
         *
         * @param a the first argument
         * @param b the second argument
         * @return the text
         * @throws IllegalArgumentException if they have none
         */
        public String key(A a, B b) {
            return calls.key(call(a, b));
        }

        @Override
        public String toString() {
            return calls + ", " + namespace;
        }
    }

    /**
     * A cached function of three arguments; all that is said of {@link CachedFunction} holds. Made by
     * {@link Region#cached(String, Creator3)}.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param <C> the type of the third argument
     * @param <V> the type of the values
     */
    public static final class Of3<A, B, C, V> {
        private final CachedFunction<ArgumentKey, V> calls;
        private final String namespace;
        private final Creator3<? super A, ? super B, ? super C, ? extends V> original;

        @SuppressWarnings("unchecked") // the arguments are those that key(a, b, c) took
        Of3(
                Region<ArgumentKey, V> region,
                String namespace,
                Creator3<? super A, ? super B, ? super C, ? extends V> original) {
            this.namespace = namespace;
            this.original = Objects.requireNonNull(original, "function");
            this.calls = new CachedFunction<>(region, UnaryOperator.identity(), call -> {
                Object[] arguments = call.arguments();
                return original.create((A) arguments[0], (B) arguments[1], (C) arguments[2]);
            });
        }

        private ArgumentKey call(A a, B b, C c) {
            return ArgumentKey.ofAll(namespace, a, b, c);
        }

        /**
         * Returns the arguments' value if it is fresh, and else decides who calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @return the value
         * @throws RuntimeException as {@link Region#getOrCreate(Object, KeyedCreator)} does
         */
        public V apply(A a, B b, C c) {
            return calls.apply(call(a, b, c));
        }

        /**
         * Returns the arguments' value if it is fresh. Never calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @return what {@link Region#get} returns
         */
        public Optional<V> get(A a, B b, C c) {
            return calls.get(call(a, b, c));
        }

        /**
         * Returns what is held for the arguments, fresh or stale. Never calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @return what {@link Region#peek} returns
         */
        public Optional<CachedValue<V>> peek(A a, B b, C c) {
            return calls.peek(call(a, b, c));
        }

        /**
         * Stores a value as if the function had returned it now.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param value the value; null is a value
         * @throws RuntimeException as {@link Region#put} does
         */
        public void put(A a, B b, C c, V value) {
            calls.put(call(a, b, c), value);
        }

        /**
         * Calls the function for a newer value, or waits for one that another is creating.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @return the new value
         * @throws RuntimeException as {@link Region#refresh} does
         */
        public V refresh(A a, B b, C c) {
            return calls.refresh(call(a, b, c));
        }

        /**
         * Forgets the arguments' value.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @throws RuntimeException as {@link Region#invalidate(Object)} does
         */
        public void invalidate(A a, B b, C c) {
            calls.invalidate(call(a, b, c));
        }

        /**
         * The function that is cached.
         *
         * @return the function, as it was given
         */
        public Creator3<? super A, ? super B, ? super C, ? extends V> original() {
            return original;
        }

        /**
         * The text by which stores in other processes know the arguments' value, before they shorten it.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @return the text
         * @throws IllegalArgumentException if they have none
         */
        public String key(A a, B b, C c) {
            return calls.key(call(a, b, c));
        }

        @Override
        public String toString() {
            return calls + ", " + namespace;
        }
    }

    /**
     * A cached function of four arguments; all that is said of {@link CachedFunction} holds. Made by
     * {@link Region#cached(String, Creator4)}.
     *
     * @param <A> the type of the first argument
     * @param <B> the type of the second argument
     * @param <C> the type of the third argument
     * @param <D> the type of the fourth argument
     * @param <V> the type of the values
     */
    public static final class Of4<A, B, C, D, V> {
        private final CachedFunction<ArgumentKey, V> calls;
        private final String namespace;
        private final Creator4<? super A, ? super B, ? super C, ? super D, ? extends V> original;

        @SuppressWarnings("unchecked") // the arguments are those that key(a, b, c, d) took
        Of4(
                Region<ArgumentKey, V> region,
                String namespace,
                Creator4<? super A, ? super B, ? super C, ? super D, ? extends V> original) {
            this.namespace = namespace;
            this.original = Objects.requireNonNull(original, "function");
            this.calls = new CachedFunction<>(region, UnaryOperator.identity(), call -> {
                Object[] arguments = call.arguments();
                return original.create((A) arguments[0], (B) arguments[1], (C) arguments[2], (D) arguments[3]);
            });
        }

        private ArgumentKey call(A a, B b, C c, D d) {
            return ArgumentKey.ofAll(namespace, a, b, c, d);
        }

        /**
         * Returns the arguments' value if it is fresh, and else decides who calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param d the fourth argument
         * @return the value
         * @throws RuntimeException as {@link Region#getOrCreate(Object, KeyedCreator)} does
         */
        public V apply(A a, B b, C c, D d) {
            return calls.apply(call(a, b, c, d));
        }

        /**
         * Returns the arguments' value if it is fresh. Never calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param d the fourth argument
         * @return what {@link Region#get} returns
         */
        public Optional<V> get(A a, B b, C c, D d) {
            return calls.get(call(a, b, c, d));
        }

        /**
         * Returns what is held for the arguments, fresh or stale. Never calls the function.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param d the fourth argument
         * @return what {@link Region#peek} returns
         */
        public Optional<CachedValue<V>> peek(A a, B b, C c, D d) {
            return calls.peek(call(a, b, c, d));
        }

        /**
         * Stores a value as if the function had returned it now.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param d the fourth argument
         * @param value the value; null is a value
         * @throws RuntimeException as {@link Region#put} does
         */
        public void put(A a, B b, C c, D d, V value) {
            calls.put(call(a, b, c, d), value);
        }

        /**
         * Calls the function for a newer value, or waits for one that another is creating.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param d the fourth argument
         * @return the new value
         * @throws RuntimeException as {@link Region#refresh} does
         */
        public V refresh(A a, B b, C c, D d) {
            return calls.refresh(call(a, b, c, d));
        }

        /**
         * Forgets the arguments' value.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param d the fourth argument
         * @throws RuntimeException as {@link Region#invalidate(Object)} does
         */
        public void invalidate(A a, B b, C c, D d) {
            calls.invalidate(call(a, b, c, d));
        }

        /**
         * The function that is cached.
         *
         * @return the function, as it was given
         */
        public Creator4<? super A, ? super B, ? super C, ? super D, ? extends V> original() {
            return original;
        }

        /**
         * The text by which stores in other processes know the arguments' value, before they shorten it.
         *
         * @param a the first argument
         * @param b the second argument
         * @param c the third argument
         * @param d the fourth argument
         * @return the text
         * @throws IllegalArgumentException if they have none
         */
        public String key(A a, B b, C c, D d) {
            return calls.key(call(a, b, c, d));
        }

        @Override
        public String toString() {
            return calls + ", " + namespace;
        }
    }
}
