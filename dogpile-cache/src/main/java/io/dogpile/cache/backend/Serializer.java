package io.dogpile.cache.backend;

import java.io.ObjectInputFilter;

/**
 * Turns the values of a region into bytes and back.
 *
 * <p>{@link #bytes()}, {@link #string()} and {@link #json(Class)} read data only. {@link #jdk} makes objects of the
 * classes that the bytes name, and so never comes without a filter that names the classes allowed.
 *
 * <p>A serializer is thread-safe and keeps no state between calls. It never sees null: the {@link Envelope} marks a null
 * and keeps no payload for it. Bytes that it reads were whole and written under the same {@link #id()}, but not
 * necessarily by the same version of a class, and whoever can write to the store can make them say anything.
 *
 * @param <V> the type of the values
 */
public interface Serializer<V> {
    /** The lowest {@link #id()} of a serializer that is not from this library. */
    int FIRST_USER_ID = 16;

    /** The highest {@link #id()}. */
    int LAST_ID = 255;

    /**
     * Names the form of the bytes, so that a reader does not take one form for another.
     *
     * @return 0 for bytes as they are, 1 for UTF-8, 2 for the JDK's serialization, 3 for JSON; {@value #FIRST_USER_ID} to
     *     {@value #LAST_ID} for one's own, always the same for the same form
     */
    int id();

    /**
     * Writes a value.
     *
     * @param value the value; never null
     * @return its bytes, which nobody changes later
     * @throws Exception if it cannot be written; the value is then not stored
     */
    byte[] write(V value) throws Exception;

    /**
     * Reads a value.
     *
     * @param bytes what {@link #write} returned, or anything else; the serializer's to keep
     * @return the value; never null
     * @throws Exception if the bytes are not a value; the caller takes it as a miss
     */
    V read(byte[] bytes) throws Exception;

    /**
     * Bytes as they are. Arrays are handed on, not copied.
     *
     * @return the serializer, with id 0
     */
    static Serializer<byte[]> bytes() {
        return BytesSerializer.INSTANCE;
    }

    /**
     * Text as UTF-8. Refused, not replaced: bytes that are not UTF-8, and text with half a surrogate pair.
     *
     * @return the serializer, with id 1
     */
    static Serializer<String> string() {
        return StringSerializer.INSTANCE;
    }

    /**
     * JSON through Jackson, which the user's application brings: jackson-databind is an optional dependency.
     *
     * <p>The mapper is this library's own and strict: unknown properties, and anything behind the value, are refused; no
     * type names are written or followed. {@link JsonSerializer} takes other types and the user's mapper.
     *
     * @param <V> the type of the values
     * @param type the type of the values
     * @return the serializer, with id 3
     * @throws NoClassDefFoundError if jackson-databind is missing
     */
    static <V> Serializer<V> json(Class<V> type) {
        return JsonSerializer.of(type);
    }

    /**
     * The serialization of the JDK, for values whose classes offer nothing else.
     *
     * <p>To read it is to run code of the classes that the bytes name; therefore the filter is no option. A class it does
     * not allow by name is refused, one that it has no opinion on too. In addition the reader bounds how deep objects nest
     * and how many there are, and refuses arrays and tables longer than the bytes could fill. If the JVM has a filter of
     * its own, both must agree.
     *
     * <p>Not promised: that allowed classes are harmless. A filter that allows {@code HashSet} in {@code HashSet} lets
     * crafted bytes burn CPU time; allow few classes. A value whose class the filter refuses is written, and never read.
     *
     * <pre>{@code
     * Serializer.jdk(User.class, ObjectInputFilter.Config.createFilter("com.example.User;java.time.*;!*"))
     * }</pre>
     *
     * @param <V> the type of the values
     * @param type the class of the values, or the one of which they are a parameterized form
     * @param filter which classes may be read; the super classes of a value's class are asked for too, and
     *     {@code java.lang.Object} where there are collections
     * @return the serializer, with id 2
     */
    static <V> Serializer<V> jdk(Class<? super V> type, ObjectInputFilter filter) {
        return new JdkSerializer<>(type, filter);
    }
}
