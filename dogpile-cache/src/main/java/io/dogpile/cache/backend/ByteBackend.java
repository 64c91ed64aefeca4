package io.dogpile.cache.backend;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A store of bytes by text: the least that a store must be to keep the values of regions. {@link SerializingBackend}
 * makes a {@link Backend} of it; stamps, checks, rights and the invalidation of regions are that one's work.
 *
 * <p>Implementations are thread-safe. They keep bytes and keys as they are, whatever they hold; an array that was given
 * to them, or by them, is not changed by either side. A verb that throws says "not known". A store may forget
 * anything at any time, which costs a creation; it must not answer with what was replaced or deleted before.
 */
public interface ByteBackend {
    /**
     * Bytes for a key.
     *
     * @param bytes the bytes
     * @param life how long the store must keep them at most, give or take its own precision, to the longer side; null
     *     for ever. A reader judges their age by itself
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    record Entry(byte[] bytes, @Nullable Duration life) {}

    /**
     * Reads.
     *
     * @param key the key
     * @return the bytes, or null if there are none
     * @throws Exception if it is not known what is there
     */
    byte @Nullable [] get(String key) throws Exception;

    /**
     * Writes, whatever is there.
     *
     * @param key the key
     * @param entry the bytes and their life, which is positive
     * @throws Exception if it is not known whether they were written
     */
    void set(String key, Entry entry) throws Exception;

    /**
     * Deletes. Harmless where there is nothing.
     *
     * @param key the key
     * @throws Exception if it is not known whether it was deleted
     */
    void delete(String key) throws Exception;

    /**
     * Reads several.
     *
     * @param keys the keys, each once
     * @return the bytes of those that have any; one after the other unless overridden
     * @throws Exception if it is not known what is there
     */
    default Map<String, byte[]> getAll(Collection<String> keys) throws Exception {
        Map<String, byte[]> found = new LinkedHashMap<>();
        for (String key : keys) {
            byte[] bytes = get(key);
            if (bytes != null) {
                found.put(key, bytes);
            }
        }
        return found;
    }

    /**
     * Writes several; one after the other unless overridden.
     *
     * @param entries the bytes by key; not empty, not to be changed
     * @throws Exception if it is not known whether all were written
     */
    default void setAll(Map<String, Entry> entries) throws Exception {
        for (Map.Entry<String, Entry> each : entries.entrySet()) {
            set(each.getKey(), each.getValue());
        }
    }

    /**
     * Deletes several; one after the other unless overridden.
     *
     * @param keys the keys, each once
     * @throws Exception if it is not known whether all were deleted
     */
    default void deleteAll(Collection<String> keys) throws Exception {
        for (String key : keys) {
            delete(key);
        }
    }

    /**
     * How long a key may be.
     *
     * @return the limit beyond which keys are shortened and hashed; null, the default, if there is none
     */
    default @Nullable KeyLimit keyLimit() {
        return null;
    }
}
