package io.dogpile.cache;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.HashMap;
import java.util.Map;

/** What the type variables of an interface's super-interfaces stand for, as seen from the interface. Immutable. */
final class TypeArguments {
    private final Map<TypeVariable<?>, Type> byVariable = new HashMap<>();

    TypeArguments(Class<?> type) {
        collect(type);
    }

    private void collect(Class<?> type) {
        for (Type parent : type.getGenericInterfaces()) {
            Class<?> raw = classOf(parent);
            if (parent instanceof ParameterizedType parameterized) {
                TypeVariable<?>[] variables = raw.getTypeParameters();
                for (int i = 0; i < variables.length; i++) {
                    byVariable.put(variables[i], parameterized.getActualTypeArguments()[i]);
                }
            }
            collect(raw);
        }
    }

    /** The class of a type; that of its first bound where it stands for no type in particular. */
    Class<?> classOf(Type type) {
        if (type instanceof Class<?> itself) {
            return itself;
        }
        if (type instanceof ParameterizedType parameterized) {
            return classOf(parameterized.getRawType());
        }
        if (type instanceof GenericArrayType array) {
            return classOf(array.getGenericComponentType()).arrayType();
        }
        if (type instanceof WildcardType wildcard) {
            return classOf(wildcard.getUpperBounds()[0]);
        }
        TypeVariable<?> variable = (TypeVariable<?>) type;
        return classOf(byVariable.getOrDefault(variable, variable.getBounds()[0]));
    }

    /** The only argument of a type such as {@code Optional<User>}; Object where it is raw. */
    Type argumentOf(Type type) {
        if (type instanceof ParameterizedType parameterized) {
            return parameterized.getActualTypeArguments()[0];
        }
        if (type instanceof WildcardType wildcard) {
            return argumentOf(wildcard.getUpperBounds()[0]);
        }
        return type instanceof TypeVariable<?> variable
                ? argumentOf(byVariable.getOrDefault(variable, Object.class))
                : Object.class;
    }
}
