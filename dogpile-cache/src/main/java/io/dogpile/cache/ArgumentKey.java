package io.dogpile.cache;

import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The key of a call: a namespace and the arguments. In memory it is compared by value, and no text is made for it; its
 * text is for stores in other processes.
 *
 * <p>Arrays, and arrays in arrays, are compared by what they hold and copied here; everything else by its equals, and
 * is kept as it was given. So an argument must not change in what its equals compares while it is a key, and an array
 * inside a list or a record is compared as that list or record does, most often by identity.
 *
 * <p>Whoever receives the call is no part of the key. Immutable, as far as the arguments are.
 */
final class ArgumentKey {
    private static final int DEEPEST_ARRAY = KeyText.DEEPEST_LEVEL;

    private final String namespace;
    /** The argument itself, where there is one and it is no array; else all of them in an Object[] of our own. */
    private final @Nullable Object arguments;

    private final int hash;

    private ArgumentKey(String namespace, @Nullable Object arguments, int hashOfArguments) {
        this.namespace = namespace;
        this.arguments = arguments;
        this.hash = 31 * namespace.hashCode() + hashOfArguments;
    }

    /**
     * The key of a call with one argument. Equal to that of {@link #ofAll} with an array of this one.
     *
     * @param namespace what is called
     * @param argument its argument; an array is one argument
     * @return the key
     */
    static ArgumentKey of(String namespace, @Nullable Object argument) {
        if (argument == null) {
            return new ArgumentKey(namespace, null, 0);
        }
        if (argument.getClass().isArray()) {
            return several(namespace, new Object[] {copyOf(argument, 0)});
        }
        return new ArgumentKey(namespace, argument, argument.hashCode());
    }

    /**
     * The key of a call.
     *
     * @param namespace what is called
     * @param arguments its arguments; null for none, as reflection has it
     * @return the key; later changes of the array do not touch it
     */
    static ArgumentKey ofAll(String namespace, @Nullable Object @Nullable ... arguments) {
        if (arguments == null) {
            return several(namespace, new Object[0]);
        }
        return arguments.length == 1 ? of(namespace, arguments[0]) : several(namespace, copyOf(arguments, 0));
    }

    private static ArgumentKey several(String namespace, @Nullable Object[] ours) {
        return new ArgumentKey(namespace, ours, Arrays.deepHashCode(ours));
    }

    /**
     * The namespace of a method by default: class, name and parameter types, so that neither overloads nor methods of
     * the same name in two classes share entries. {@code io.example.Users.find[long;String]}: the semicolon cannot be
     * part of a name in a class file.
     *
     * @param type the class or interface through which it is called: two of them may inherit the method from one that
     *     is generic, and mean different things by it
     * @param method the method
     * @return the namespace, the same in every JVM
     * @throws IllegalArgumentException if the class gets its name anew in every JVM
     */
    static String namespaceOf(Class<?> type, Method method) {
        StringJoiner parameters = new StringJoiner(";", "[", "]");
        for (Class<?> parameter : method.getParameterTypes()) {
            parameters.add(compact(parameter));
        }
        if (type.isHidden() || Proxy.isProxyClass(type)) {
            throw new IllegalArgumentException(type.getName() + "." + method.getName()
                    + " has no namespace of its own: the class gets its name anew in every JVM; give a namespace");
        }
        return type.getName() + "." + method.getName() + parameters;
    }

    /**
     * The namespace of a method that is called through the class that declares it.
     *
     * @param method the method
     * @return the namespace
     */
    static String namespaceOf(Method method) {
        return namespaceOf(method.getDeclaringClass(), method);
    }

    /** Types of java.lang without their package; a class without a package begins with a dot, lest it be taken for one. */
    private static String compact(Class<?> type) {
        if (type.isArray()) {
            return compact(type.getComponentType()) + "[]";
        }
        String name = type.getName();
        return switch (type.getPackageName()) {
            case "java.lang" -> type.isPrimitive() ? name : name.substring("java.lang.".length());
            case "" -> "." + name;
            default -> name;
        };
    }

    /**
     * What stores in other processes know the call by.
     *
     * @return the text, rendered anew
     * @throws IllegalArgumentException if an argument has no stable text
     */
    String text() {
        return KeyText.ofCall(namespace, all());
    }

    /**
     * The arguments, for what is called.
     *
     * @return a new array; arrays in it are copies, so that whoever gets them may change them, and whoever gave them too
     */
    @Nullable
    Object[] arguments() {
        return copyOf(all(), 0);
    }

    /**
     * Refuses a call that would not be found again.
     *
     * @throws IllegalArgumentException if an argument has no stable text, or a collection in it holds an array, which
     *     the collection compares by identity; the message names the call and the argument
     */
    void refuseUnstable() {
        @Nullable Object[] all = all();
        String unused = KeyText.ofCall(namespace, all);
        for (int i = 0; i < all.length; i++) {
            if (hidesArray(all[i])) {
                throw new IllegalArgumentException(namespace + ": argument " + (i + 1) + " of " + all.length
                        + " holds an array, which a collection compares by identity, so that it is never found again;"
                        + " pass the array as an argument of its own, or a List instead of it");
            }
        }
    }

    /** Whether there is an array in a collection. Not asked of what contains itself: that has no text. */
    private static boolean hidesArray(@Nullable Object value) {
        if (value instanceof Object[] array) {
            return Arrays.stream(array).anyMatch(ArgumentKey::hidesArray);
        }
        Stream<?> held = Stream.empty();
        if (value instanceof Collection<?> collection) {
            held = collection.stream();
        } else if (value instanceof Map<?, ?> map) {
            held = Stream.concat(map.keySet().stream(), map.values().stream());
        } else if (value instanceof Optional<?> optional) {
            held = optional.stream();
        }
        return held.anyMatch(one -> one != null && (one.getClass().isArray() || hidesArray(one)));
    }

    private @Nullable Object[] all() {
        return arguments instanceof Object[] several ? several : new Object[] {arguments};
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (this == other) {
            return true;
        }
        return other instanceof ArgumentKey that
                && hash == that.hash
                && namespace.equals(that.namespace)
                && (Objects.equals(arguments, that.arguments)
                        || (arguments instanceof Object[] mine
                                && that.arguments instanceof Object[] others
                                && Arrays.deepEquals(mine, others)));
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** The text; for a message it must not fail. */
    @Override
    public String toString() {
        try {
            return text();
        } catch (IllegalArgumentException e) {
            return namespace + "/(no stable text)";
        }
    }

    /** The argument, as a copy where it is an array: a creation behind the caller's back must not see later changes. */
    @SuppressWarnings("unchecked") // a copy is of the same type
    static <A> A copied(A argument) {
        return argument != null && argument.getClass().isArray() ? (A) copyOf(argument, 0) : argument;
    }

    private static Object[] copyOf(@Nullable Object[] array, int level) {
        if (level > DEEPEST_ARRAY) {
            throw new IllegalArgumentException(
                    "an array contains itself, or nests deeper than " + DEEPEST_ARRAY + " levels");
        }
        @Nullable Object[] copy = array.clone();
        for (int i = 0; i < copy.length; i++) {
            Object element = copy[i];
            if (element != null && element.getClass().isArray()) {
                copy[i] = copyOf(element, level + 1);
            }
        }
        return copy;
    }

    private static Object copyOf(Object array, int level) {
        if (array instanceof Object[] elements) {
            return copyOf(elements, level);
        }
        int length = Array.getLength(array);
        Object copy = Array.newInstance(array.getClass().getComponentType(), length);
        System.arraycopy(array, 0, copy, 0, length);
        return copy;
    }
}
