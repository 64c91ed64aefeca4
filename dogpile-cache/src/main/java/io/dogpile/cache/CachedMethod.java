package io.dogpile.cache;

import io.dogpile.core.CreationException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import org.jspecify.annotations.Nullable;

/** A cached method of a wrapped object. Immutable, thread-safe. */
final class CachedMethod implements CachingHandler.Answer {
    private static final MethodType OF_ARRAY = MethodType.methodType(Object.class, Object[].class);

    private final String label;
    private final String namespace;
    private final Region<ArgumentKey, Object> calls;
    private final AsyncRegion<ArgumentKey, Object> asyncCalls;
    private final ReturnForm form;
    private final List<Class<?>> declared;
    private final KeyedCreator<ArgumentKey, Object> creator;
    private final KeyedCreator<ArgumentKey, CompletionStage<Object>> asyncCreator;

    /**
     * @param label names the method and its region in messages
     * @param declared the exceptions that a call of the proxy may throw
     */
    CachedMethod(
            String label,
            String namespace,
            Region<ArgumentKey, Object> calls,
            ReturnForm form,
            List<Class<?>> declared,
            MethodHandle target) {
        Executor behind = calls.plan().refreshOn();
        this.label = label;
        this.namespace = namespace;
        this.calls = calls;
        this.asyncCalls = calls.async(behind == null ? ForkJoinPool.commonPool() : behind);
        this.form = form;
        this.declared = declared;
        this.creator = key -> create(target, form, key);
        this.asyncCreator = key -> begin(target, form, key);
    }

    /** Calls the method of this object with the arguments in an array, null for none. It throws what the method throws. */
    static MethodHandle handle(Method method, Object target) {
        try {
            boolean unused =
                    method.trySetAccessible(); // for an interface that is not public; unreflect says if in vain
            return MethodHandles.lookup()
                    .unreflect(method)
                    .bindTo(target)
                    .asFixedArity()
                    .asSpreader(Object[].class, method.getParameterCount())
                    .asType(OF_ARRAY);
        } catch (IllegalAccessException e) {
            throw new IllegalArgumentException(
                    MethodsOfInterface.nameOf(method.getDeclaringClass(), method)
                            + " is not accessible; make the interface public, or open its package to io.dogpile.cache",
                    e);
        }
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // it is the proxy's caller's
    public @Nullable Object call(@Nullable Object @Nullable [] arguments) throws Throwable {
        ArgumentKey key = ArgumentKey.ofAll(namespace, arguments);
        if (form.isFuture()) {
            return ofOneCaller(asyncCalls.getOrCreate(key, asyncCreator));
        }
        try {
            return form.toCaller(calls.getOrCreate(key, creator), label);
        } catch (CreationException e) {
            throw asDeclared(e);
        }
    }

    /** What the method of the object threw, if a caller of the proxy must expect it. */
    private Throwable asDeclared(CreationException failure) {
        Throwable thrown = failure.getCause();
        if (thrown == null || declared.stream().noneMatch(type -> type.isInstance(thrown))) {
            return failure;
        }
        if (thrown instanceof InterruptedException) {
            boolean unused = Thread.interrupted(); // the exception says it, as it does without a cache
        }
        return thrown;
    }

    /** A future that the caller may cancel or complete without anybody noticing, and that fails as the object's does. */
    private CompletableFuture<@Nullable Object> ofOneCaller(CompletableFuture<Object> shared) {
        CompletableFuture<@Nullable Object> own = new CompletableFuture<>();
        var unused = shared.whenComplete((value, thrown) -> {
            if (thrown == null) {
                own.complete(form.toCaller(value, label));
            } else {
                own.completeExceptionally(ofObject(thrown));
            }
        });
        var unusedToo = own.whenComplete((value, thrown) -> {
            if (own.isCancelled()) {
                shared.cancel(false);
            }
        });
        return own;
    }

    /** What the object's future failed with: a future may fail with anything, so there is nothing to be declared. */
    private static Throwable ofObject(Throwable failure) {
        Throwable thrown = failure;
        while (thrown instanceof CompletionException && thrown.getCause() != null) {
            thrown = thrown.getCause();
        }
        return thrown instanceof CreationException && thrown.getCause() != null ? thrown.getCause() : thrown;
    }

    /** Forgets what {@link #call} would read. */
    @Nullable
    Object forget(@Nullable Object @Nullable [] arguments) {
        calls.invalidate(ArgumentKey.ofAll(namespace, arguments));
        return form.nothing();
    }

    @SuppressWarnings("NullAway") // a null is a value
    private static Object create(MethodHandle target, ReturnForm form, ArgumentKey key) throws Exception {
        return form.toCache(answer(target, key));
    }

    @SuppressWarnings("NullAway") // a null stage is refused by whoever asked for it
    private static CompletionStage<Object> begin(MethodHandle target, ReturnForm form, ArgumentKey key)
            throws Exception {
        CompletionStage<?> answer = (CompletionStage<?>) answer(target, key);
        return answer == null ? null : answer.thenApply(form::toCache);
    }

    private static @Nullable Object answer(MethodHandle target, ArgumentKey key) throws Exception {
        try {
            return (Object) target.invokeExact(key.arguments());
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable neither) {
            throw CachedMethod.<RuntimeException>asItIs(neither);
        }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // a lie, so that a bare Throwable passes
    private static <X extends Throwable> X asItIs(Throwable thrown) throws X {
        throw (X) thrown;
    }
}
