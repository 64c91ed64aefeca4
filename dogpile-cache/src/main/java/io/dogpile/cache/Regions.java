package io.dogpile.cache;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Regions by name, for what asks for them by name: annotations, and an application's other parts. Immutable, thread-safe.
 */
public final class Regions implements AutoCloseable {
    private final Map<String, Region<?, ?>> byName;

    private Regions(Map<String, Region<?, ?>> byName) {
        this.byName = byName;
    }

    /**
     * These regions.
     *
     * @param regions the regions
     * @return a collection of them
     * @throws IllegalArgumentException if two have one name
     */
    public static Regions of(Region<?, ?>... regions) {
        Map<String, Region<?, ?>> byName = new LinkedHashMap<>();
        for (Region<?, ?> region : regions) {
            if (byName.put(region.name(), region) != null) {
                throw new IllegalArgumentException("two regions are called '" + region.name() + "'");
            }
        }
        return new Regions(byName);
    }

    /**
     * The region of that name and these types.
     *
     * @param <K> the type of the keys
     * @param <V> the type of the values
     * @param name the name
     * @param keyType the type of its keys
     * @param valueType the type of its values
     * @return the region
     * @throws IllegalArgumentException if there is none of that name, or it is of other types, or it was built without
     *     types
     */
    @SuppressWarnings("unchecked") // checked by what it was built with
    public <K, V> Region<K, V> get(String name, Class<K> keyType, Class<V> valueType) {
        Region<?, ?> region = named(name);
        Class<?> ownKey = region.plan().keyType();
        Class<?> ownValue = region.plan().valueType();
        if (ownKey == null || ownValue == null) {
            throw new IllegalArgumentException("region '" + name + "' was built without types; build it with"
                    + " Region.builder(name, keyType, valueType)");
        }
        refuseOther(name, "keys", ownKey, keyType);
        refuseOther(name, "values", ownValue, valueType);
        return (Region<K, V>) region;
    }

    private static void refuseOther(String name, String what, Class<?> own, @Nullable Class<?> asked) {
        if (!own.equals(asked)) {
            throw new IllegalArgumentException(
                    "region '" + name + "' has " + what + " of " + own + ", not of " + asked);
        }
    }

    /**
     * The region of that name, whatever its types.
     *
     * @param name the name
     * @return the region
     * @throws IllegalArgumentException if there is none; the message names those that there are
     */
    public Region<?, ?> named(String name) {
        return Optional.<Region<?, ?>>ofNullable(byName.get(name))
                .orElseThrow(() -> new IllegalArgumentException("there is no region '" + name + "'; there are "
                        + byName.keySet().stream().map(one -> "'" + one + "'").collect(Collectors.joining(", "))));
    }

    /**
     * All of them.
     *
     * @return the regions, in the order in which they were given
     */
    public Collection<Region<?, ?>> all() {
        return Collections.unmodifiableCollection(byName.values());
    }

    /** Closes all of them, also if one fails; what the first threw is thrown in the end. */
    @Override
    public void close() {
        RuntimeException failure = null;
        for (Region<?, ?> region : byName.values()) {
            try {
                region.close();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public String toString() {
        return "Regions " + byName.keySet();
    }
}
