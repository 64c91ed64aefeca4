package io.dogpile.cache;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts a cache before an object: calls of its interface's methods that bear {@link Cached} are answered from a region,
 * and all others go straight to the object.
 *
 * <pre>{@code
 * Users users = CachedProxies.wrap(Users.class, repository, regions);
 * User user = users.find(42L);
 * CachedProxies.invalidator(users).find(42L); // forgets what users.find(42L) would read
 * }</pre>
 *
 * <p>A call of a cached method is a {@link Region#getOrCreate(Object, KeyedCreator)} by its arguments, as
 * {@link Region#cached(String, KeyedCreator)} has them, and what {@link CachedFunction} says of arguments holds. The object
 * is no part of the key: two objects behind the same method share entries; if they differ in what they answer, give them
 * regions of their own, or an argument that tells them apart.
 *
 * <ul>
 *   <li>Of an {@link java.util.Optional} its content is kept, and a null if it is empty, for {@code cacheNullFor}.
 *   <li>A {@link java.util.concurrent.CompletableFuture} or {@link java.util.concurrent.CompletionStage} is a call of
 *       {@link AsyncRegion#getOrCreate}, on the region's {@code refreshOn} or else the common pool; each caller has a
 *       future of its own, and cancelling it cancels nobody else's.
 *   <li>A checked exception that the method declares arrives as itself, and so does one in a future; another one in a
 *       {@link io.dogpile.core.CreationException}. Unchecked ones arrive as they are.
 *   <li>A value that is an array or a collection is the one that is kept: whoever changes it changes it for all, unless
 *       the region has a serializer.
 *   <li>A proxy equals another of the same interface and regions whose objects are equal; {@code hashCode} and
 *       {@code toString} are the object's.
 * </ul>
 *
 * <p>Not promised: that a call which the object makes of itself is cached; it does not pass the proxy. A class without an
 * interface has no proxy: use {@link Region#cached(KeyedCreator)}.
 *
 * <p>Thread-safe, and so are the proxies if the object is.
 */
public final class CachedProxies {
    private CachedProxies() {}

    /**
     * Wraps an object. All that can be told to be wrong is told now, and not by a later call.
     *
     * @param <T> the interface
     * @param type the interface
     * @param target the object that answers what the regions cannot
     * @param regions the regions that the annotations name
     * @return the object with a cache before it
     * @throws IllegalArgumentException if the type is no interface or has no method with {@link Cached}, the object's class
     *     bears {@link Cached} itself, the object is such a proxy already, or a cached method cannot be: its region is not
     *     there, keeps values of another type, or asks for conditions on keys; it returns nothing, or what only one caller
     *     can use; a parameter is of a type that has no stable text; it shares a namespace with one of another type; two
     *     interfaces annotate it differently. The message names the method, its region, and what to do
     */
    public static <T> T wrap(Class<T> type, T target, Regions regions) {
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(regions, "regions");
        if (!type.isInterface()) {
            throw new IllegalArgumentException(type.getName() + " is a class, and only interfaces have proxies;"
                    + " wrap an interface of it, or cache single functions by region.cached(function)");
        }
        if (handlerOf(target) != null) {
            throw new IllegalArgumentException(
                    target + " is a cached " + type.getName() + " already; wrap the object behind it");
        }
        return proxy(type, new CachingHandler(type, target, regions));
    }

    /**
     * A twin of a proxy, of the same interface: a call of a cached method forgets what the proxy's call would read, before
     * it returns. What it returns means nothing: null, zero, an empty {@link java.util.Optional}, or a completed future of
     * these. It throws what {@link Region#invalidate(Object)} does. A call of any other method is refused with an
     * {@link UnsupportedOperationException}.
     *
     * @param <T> the interface
     * @param proxy what {@link #wrap} returned
     * @return the twin
     * @throws IllegalArgumentException if it is not such a proxy
     */
    @SuppressWarnings("unchecked") // the proxy's own interface
    public static <T> T invalidator(T proxy) {
        if (handlerOf(proxy) instanceof CachingHandler caching) {
            return (T) proxy(caching.type(), new ForgettingHandler(caching));
        }
        throw new IllegalArgumentException(proxy + " is not what CachedProxies.wrap returned; hand in the proxy");
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    /** Ours, or null. */
    static @Nullable InvocationHandler handlerOf(@Nullable Object any) {
        if (any == null || !Proxy.isProxyClass(any.getClass())) {
            return null;
        }
        InvocationHandler handler = Proxy.getInvocationHandler(any);
        return handler instanceof CachingHandler || handler instanceof ForgettingHandler ? handler : null;
    }
}
