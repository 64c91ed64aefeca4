package io.dogpile.cache;

import java.lang.invoke.MethodHandle;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a call of a proxy does. All is looked up when the object is wrapped; a call finds it by its method. */
final class CachingHandler implements InvocationHandler {
    /** What a call of one method does. */
    @FunctionalInterface
    interface Answer {
        /** Arguments are as a proxy hands them in: null for none. It throws what the proxy's caller is to see. */
        @Nullable
        Object call(@Nullable Object @Nullable [] arguments) throws Throwable;
    }

    private final Class<?> type;
    private final Object target;
    private final Regions regions;
    private final ByMethod<Answer> answers;

    <T> CachingHandler(Class<T> type, T target, Regions regions) {
        this.type = type;
        this.target = target;
        this.regions = regions;
        Map<Method, Answer> all = new HashMap<>(new MethodsOfInterface(type).cached(target, regions));
        for (Method method : type.getMethods()) {
            if (!all.containsKey(method) && MethodsOfInterface.isOfInstances(method)) {
                MethodHandle passed = CachedMethod.handle(method, target);
                all.put(method, arguments -> (Object) passed.invokeExact(arguments));
            }
        }
        this.answers = new ByMethod<>(all);
    }

    Class<?> type() {
        return type;
    }

    /** Null for a method that is not cached. */
    @Nullable
    CachedMethod cached(Method method) {
        return answers.get(method) instanceof CachedMethod cached ? cached : null;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments)
            throws Throwable {
        Answer answer = answers.get(method);
        return answer == null ? ofObject(this, method, arguments) : answer.call(arguments);
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
