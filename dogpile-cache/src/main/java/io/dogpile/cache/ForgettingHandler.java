package io.dogpile.cache;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** What a call of a proxy's twin does: it forgets what the proxy's call would read. */
record ForgettingHandler(CachingHandler caching) implements InvocationHandler {
    @Override
    public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments) {
        CachedMethod cached = caching.cached(method);
        if (cached != null) {
            return cached.forget(arguments);
        }
        if (method.getDeclaringClass() == Object.class) {
            return CachingHandler.ofObject(this, method, arguments);
        }
        throw new UnsupportedOperationException(MethodsOfInterface.nameOf(caching.type(), method)
                + " has no @Cached, so there is nothing that an invalidator could forget; call it on the proxy");
    }

    @Override
    public String toString() {
        return "Invalidator of " + caching;
    }
}
