package io.dogpile.cache.backend;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.InvalidObjectException;
import java.util.Objects;

/**
 * JSON through Jackson's databind, with id 3. Thread-safe: what is kept of a mapper is its immutable readers and writers,
 * so that changes made to the mapper later have no effect here.
 *
 * <p>A class beside {@link Serializer}, so that an application without Jackson can load and reflect on that interface.
 *
 * <p>The type decides what is read, never the bytes: a mapper with default typing is refused, since whoever can write to
 * the store would then choose the classes that are made. Anything behind the value is refused too, and so is the JSON
 * literal {@code null}.
 *
 * <p>The library's own mapper is Jackson's default: it knows records, but no {@code java.time} types and no Kotlin or
 * Scala ones; for these give a mapper with the modules they need. It refuses unknown properties: a property that is
 * ignored by an old node is gone when that node writes the value anew. Where nodes with and without it shall share
 * entries, give a mapper or mark the class.
 *
 * @param <V> the type of the values
 */
@SuppressWarnings("exports") // Only who has a mapper calls the methods that take one, and names its module anyway.
public final class JsonSerializer<V> implements Serializer<V> {
    private final JavaType type;
    private final ObjectReader reader;
    private final ObjectWriter writer;

    private JsonSerializer(JavaType type, ObjectMapper mapper) {
        if (mapper.getDeserializationConfig().getDefaultTyper(type) != null) {
            throw new IllegalArgumentException("The mapper has default typing, with which the stored bytes choose the"
                    + " classes that are made. Give a mapper without it, and mark the base class of a family with"
                    + " @JsonTypeInfo(use = NAME).");
        }
        this.type = type;
        this.reader = mapper.readerFor(type).with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        this.writer = mapper.writerFor(type);
    }

    /**
     * A class, with the library's own mapper.
     *
     * @param <V> the type of the values
     * @param type the type of the values
     * @return the serializer
     */
    public static <V> JsonSerializer<V> of(Class<V> type) {
        return of(type, new ObjectMapper());
    }

    /**
     * A class, with the user's mapper.
     *
     * @param <V> the type of the values
     * @param type the type of the values
     * @param mapper how to map it; copied in effect
     * @return the serializer
     * @throws IllegalArgumentException if the mapper has default typing
     */
    public static <V> JsonSerializer<V> of(Class<V> type, ObjectMapper mapper) {
        Objects.requireNonNull(type, "type");
        return new JsonSerializer<>(mapper.constructType(type), mapper);
    }

    /**
     * A parameterized type, with the library's own mapper.
     *
     * @param <V> the type of the values
     * @param type such as {@code new TypeReference<List<User>>() {}}
     * @return the serializer
     */
    public static <V> JsonSerializer<V> of(TypeReference<V> type) {
        return of(type, new ObjectMapper());
    }

    /**
     * A parameterized type, with the user's mapper.
     *
     * @param <V> the type of the values
     * @param type such as {@code new TypeReference<List<User>>() {}}
     * @param mapper how to map it; copied in effect
     * @return the serializer
     * @throws IllegalArgumentException if the mapper has default typing
     */
    public static <V> JsonSerializer<V> of(TypeReference<V> type, ObjectMapper mapper) {
        Objects.requireNonNull(type, "type");
        return new JsonSerializer<>(mapper.constructType(type), mapper);
    }

    /**
     * A type that was made by hand, with the user's mapper. That it is the type of the values is the caller's word.
     *
     * @param <V> the type of the values
     * @param type the type of the values
     * @param mapper how to map it; copied in effect
     * @return the serializer
     * @throws IllegalArgumentException if the mapper has default typing
     */
    public static <V> JsonSerializer<V> of(JavaType type, ObjectMapper mapper) {
        return new JsonSerializer<>(Objects.requireNonNull(type, "type"), mapper);
    }

    @Override
    public int id() {
        return 3;
    }

    @Override
    public byte[] write(V value) throws Exception {
        return writer.writeValueAsBytes(value);
    }

    @Override
    public V read(byte[] bytes) throws Exception {
        V value = reader.readValue(bytes);
        if (value == null) {
            throw new InvalidObjectException("The JSON is a null, which is no value.");
        }
        return value;
    }

    @Override
    public String toString() {
        return "json of " + type.toCanonical();
    }
}
