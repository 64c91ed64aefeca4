package io.dogpile.cache;

import java.lang.reflect.Method;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What there is for each method of an interface, found by the object that a proxy hands to its handler.
 *
 * <p>That object is the same at each call of a method. No JVM promises it, so it is compared by equals once, and by
 * identity from then on: hash and equals of a method read more than all else that a proxy's hit does before it reaches
 * the region. Only as many objects are remembered as there are methods, so that whoever asks a handler with objects of
 * their own is answered and fills nothing.
 *
 * <p>Thread-safe.
 *
 * @param <T> what there is for a method
 */
final class ByMethod<T> {
    private final Map<Method, T> all;
    private volatile IdentityHashMap<Method, T> handedIn = new IdentityHashMap<>(); // replaced, not changed

    /** Takes the map over. */
    ByMethod(Map<Method, T> all) {
        this.all = all;
    }

    @Nullable
    T get(Method method) {
        T known = handedIn.get(method);
        return known == null ? find(method) : known;
    }

    /** Of two threads that come here at once one may be forgotten, and comes again. */
    private @Nullable T find(Method method) {
        T found = all.get(method);
        IdentityHashMap<Method, T> known = handedIn;
        if (found != null && known.size() < all.size()) {
            IdentityHashMap<Method, T> more = new IdentityHashMap<>(known);
            more.put(method, found);
            handedIn = more;
        }
        return found;
    }
}
