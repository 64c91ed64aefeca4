package io.dogpile.cache;

import java.io.InputStream;
import java.io.Reader;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.stream.BaseStream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the cached methods of an interface and refuses those that cannot be cached. One that overrides another is the same
 * method: they share the annotation and the entries, through whichever of them a call comes, and so do the bridges that
 * the compiler makes for type variables.
 *
 * <p>Lives for one call of {@link CachedProxies#wrap}, on one thread.
 */
final class MethodsOfInterface {
    /** A method as its callers write it, or as the JVM knows it. */
    private record Signature(String name, List<Class<?>> parameters) {
        static Signature erased(Method method) {
            return new Signature(method.getName(), List.of(method.getParameterTypes()));
        }
    }

    /** What one caller uses up. */
    private static final List<Class<?>> USED_UP =
            List.of(Iterator.class, BaseStream.class, InputStream.class, Reader.class);

    private final Class<?> type;
    private final TypeArguments arguments;
    /** The declarations of one method, that of the nearest interface first. */
    private final Map<Signature, List<Method>> declarations = new LinkedHashMap<>();
    /** Of erased signatures: as callers write them. */
    private final Map<Signature, Signature> written = new HashMap<>();

    MethodsOfInterface(Class<?> type) {
        this.type = type;
        this.arguments = new TypeArguments(type);
        for (Class<?> each : nearestFirst()) {
            for (Method method : each.getDeclaredMethods()) {
                if (!method.isBridge()) { // which bears the annotations of the method that it leads to
                    collect(method);
                }
            }
        }
    }

    private void collect(Method method) {
        if (!isOfInstances(method)) {
            refuseAnnotated(method, "is static or private, and no proxy sees its calls; take off @Cached");
            return;
        }
        List<Class<?>> parameters = Arrays.stream(method.getGenericParameterTypes())
                .<Class<?>>map(arguments::classOf)
                .toList();
        Signature signature = new Signature(method.getName(), parameters);
        declarations.computeIfAbsent(signature, any -> new ArrayList<>()).add(method);
        written.putIfAbsent(Signature.erased(method), signature);
    }

    static boolean isOfInstances(Method method) {
        return !Modifier.isStatic(method.getModifiers()) && !Modifier.isPrivate(method.getModifiers());
    }

    /** How a method appears in messages. */
    static String nameOf(Class<?> type, Method method) {
        StringBuilder name = new StringBuilder(type.getName()).append('.').append(method.getName());
        String separator = "(";
        for (Class<?> parameter : method.getParameterTypes()) {
            name.append(separator).append(parameter.getSimpleName());
            separator = ", ";
        }
        return name.append(separator.equals("(") ? "()" : ")").toString();
    }

    private Set<Class<?>> nearestFirst() {
        Set<Class<?>> found = new LinkedHashSet<>();
        List<Class<?>> next = List.of(type);
        while (!next.isEmpty()) {
            found.removeAll(next); // one that is reached again comes after all that extend it
            found.addAll(next);
            next = next.stream()
                    .flatMap(each -> Arrays.stream(each.getInterfaces()))
                    .toList();
        }
        return found;
    }

    /** The cached methods for that object, by each method that a proxy can be called by. */
    Map<Method, CachedMethod> cached(Object target, Regions regions) {
        refuseAnnotatedClass(target.getClass());
        Map<Method, CachedMethod> cached = new HashMap<>();
        Map<List<String>, Common> shared = new HashMap<>();
        declarations.forEach((signature, all) -> {
            Cached annotation = annotation(all);
            if (annotation != null) {
                Common common = common(signature, all.get(0), annotation, regions);
                refuseOtherContent(
                        shared.putIfAbsent(List.of(annotation.region(), common.namespace()), common), common);
                callable(signature).forEach(method -> cached.put(method, common.of(target, method, thrown(method))));
            }
        });
        if (cached.isEmpty()) {
            throw new IllegalArgumentException("no method of " + type.getName()
                    + " has @Cached, so there is nothing to cache; annotate the interface's methods");
        }
        return cached;
    }

    /** What the declarations of one method have in common. */
    private record Common(String label, String namespace, Region<ArgumentKey, Object> calls, ReturnForm form) {
        CachedMethod of(Object target, Method method, List<Class<?>> thrown) {
            return new CachedMethod(label, namespace, calls, form, thrown, CachedMethod.handle(method, target));
        }
    }

    private @Nullable Cached annotation(List<Method> declared) {
        Method nearest = null;
        Cached found = null;
        for (Method method : declared) {
            Cached annotation = method.getAnnotation(Cached.class);
            if (annotation == null) {
                continue;
            }
            if (nearest == null || found == null) {
                nearest = method;
                found = annotation;
            } else if (!found.equals(annotation)
                    && !method.getDeclaringClass().isAssignableFrom(nearest.getDeclaringClass())) {
                throw new IllegalArgumentException(nameOf(nearest.getDeclaringClass(), nearest) + " has " + found
                        + ", and " + nameOf(method.getDeclaringClass(), method) + " has " + annotation
                        + "; override it in " + type.getName() + " with the one that holds");
            }
        }
        return found;
    }

    private Common common(Signature signature, Method method, Cached annotation, Regions regions) {
        String label = nameOf(type, method) + ", @Cached in region '" + annotation.region() + "'";
        ReturnForm form = form(label, method.getGenericReturnType());
        signature.parameters().stream()
                .filter(parameter -> !KeyText.mayHold(parameter))
                .findFirst()
                .ifPresent(parameter -> {
                    throw new IllegalArgumentException(label + ": a parameter is a " + parameter.getName()
                            + ", which has no text that is the same in every JVM; pass a stable part of it, such as its"
                            + " id, or a record");
                });
        try {
            String namespace =
                    annotation.namespace().isEmpty() ? ArgumentKey.namespaceOf(type, method) : annotation.namespace();
            Region<?, ?> region = regions.named(annotation.region());
            Class<?> kept = region.plan().valueType();
            if (kept != null && !kept.isAssignableFrom(form.content())) {
                throw new IllegalArgumentException("the region keeps values of " + kept + ", and the method makes "
                        + form.content() + "; name another region, or build it with the type that both have");
            }
            return new Common(label, namespace, calls(region, namespace), form);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(label + ": " + e.getMessage(), e);
        }
    }

    @SuppressWarnings("unchecked") // checked against the region's type, where it has one
    private static Region<ArgumentKey, Object> calls(Region<?, ?> region, String namespace) {
        return (Region<ArgumentKey, Object>) region.calls(namespace);
    }

    private ReturnForm form(String label, Type returned) {
        Class<?> raw = arguments.classOf(returned);
        if (raw == CompletableFuture.class || raw == CompletionStage.class) {
            Type inside = arguments.argumentOf(returned);
            return arguments.classOf(inside) == Optional.class
                    ? form(label, ReturnForm.Kind.FUTURE_OF_OPTIONAL, arguments.argumentOf(inside), raw)
                    : form(label, ReturnForm.Kind.FUTURE, inside, raw);
        }
        if (raw == Optional.class) {
            return form(label, ReturnForm.Kind.OPTIONAL, arguments.argumentOf(returned), raw);
        }
        return form(label, raw.isPrimitive() ? ReturnForm.Kind.PRIMITIVE : ReturnForm.Kind.REFERENCE, returned, raw);
    }

    private ReturnForm form(String label, ReturnForm.Kind kind, Type content, Class<?> returned) {
        Class<?> kept = MethodType.methodType(arguments.classOf(content)).wrap().returnType();
        if (kept == Void.class) {
            throw new IllegalArgumentException(
                    label + ": it returns nothing that could be kept; let it return a value, or take off @Cached");
        }
        if (Future.class.isAssignableFrom(kept) || CompletionStage.class.isAssignableFrom(kept)) {
            throw new IllegalArgumentException(label + ": it returns a " + kept.getName()
                    + ", and of futures only what a CompletableFuture or CompletionStage completes with can be kept;"
                    + " let it return one of these");
        }
        if (USED_UP.stream().anyMatch(each -> each.isAssignableFrom(kept))) {
            throw new IllegalArgumentException(label + ": it returns a " + kept.getName()
                    + ", which its first caller uses up; let it return a List, or an array");
        }
        return new ReturnForm(kind, kept, returned);
    }

    /** All that a proxy's call of the method can come by. */
    private List<Method> callable(Signature signature) {
        return Arrays.stream(type.getMethods())
                .filter(method -> isOfInstances(method) && signature.equals(written.get(Signature.erased(method))))
                .toList();
    }

    /** What a proxy's method may throw: that which all declarations of it declare. */
    private List<Class<?>> thrown(Method method) {
        List<Method> same = Arrays.stream(type.getMethods())
                .filter(each -> Signature.erased(each).equals(Signature.erased(method))
                        && each.getReturnType() == method.getReturnType())
                .toList();
        return same.stream()
                .flatMap(each -> Arrays.stream(each.getExceptionTypes()))
                .<Class<?>>map(thrown -> thrown)
                .filter(thrown -> same.stream()
                        .allMatch(each -> Arrays.stream(each.getExceptionTypes())
                                .anyMatch(declared -> declared.isAssignableFrom(thrown))))
                .distinct()
                .toList();
    }

    private static void refuseOtherContent(@Nullable Common other, Common common) {
        if (other != null && other.form().content() != common.form().content()) {
            throw new IllegalArgumentException(common.label() + ": it shares the namespace '" + common.namespace()
                    + "' with " + other.label() + ", and one makes "
                    + common.form().content() + ", the other "
                    + other.form().content() + "; give each its own namespace");
        }
    }

    private static void refuseAnnotatedClass(Class<?> type) {
        for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            for (Method method : each.getDeclaredMethods()) {
                refuseAnnotated(method, "belongs to a class, and the interface's method is what counts; annotate that");
            }
        }
    }

    private static void refuseAnnotated(Method method, String why) {
        Cached annotation = method.getAnnotation(Cached.class);
        if (annotation != null) {
            throw new IllegalArgumentException(nameOf(method.getDeclaringClass(), method) + ", @Cached in region '"
                    + annotation.region() + "', " + why);
        }
    }
}
