package io.dogpile.cache;

import java.lang.invoke.MethodHandle;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a call of a proxy does. All is looked up when the object is wrapped; a call finds it by its method. Immutable. */
final class CachingHandler implements InvocationHandler {
    private final Class<?> type;
    private final Object target;
    private final Regions regions;
    private final Map<Method, CachedMethod> cached;
    private final Map<Method, MethodHandle> passed = new HashMap<>();

    <T> CachingHandler(Class<T> type, T target, Regions regions) {
        this.type = type;
        this.target = target;
        this.regions = regions;
        this.cached = new MethodsOfInterface(type).cached(target, regions);
        for (Method method : type.getMethods()) {
            if (!cached.containsKey(method) && MethodsOfInterface.isOfInstances(method)) {
                passed.put(method, CachedMethod.handle(method, target));
            }
        }
    }

    Class<?> type() {
        return type;
    }

    /** Null for a method that is not cached. */
    @Nullable
    CachedMethod cached(Method method) {
        return cached.get(method);
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws Throwable {
        CachedMethod here = cached.get(method);
        if (here != null) {
            return here.call(arguments);
        }
        MethodHandle there = passed.get(method);
        return there == null ? ofObject(this, method, arguments) : there.invokeExact(arguments);
    }

    /** equals, hashCode or toString: a proxy is handed no other method of Object. */
    static Object ofObject(InvocationHandler handler, Method method, @Nullable Object @Nullable [] arguments) {
        return switch (method.getName()) {
            case "equals" -> handler.equals(CachedProxies.handlerOf(Objects.requireNonNull(arguments)[0]));
            case "hashCode" -> handler.hashCode();
            default -> handler.toString();
        };
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CachingHandler that
                && type == that.type
                && regions == that.regions
                && target.equals(that.target);
    }

    @Override
    public int hashCode() {
        return target.hashCode();
    }

    @Override
    public String toString() {
        return target.toString();
    }
}
