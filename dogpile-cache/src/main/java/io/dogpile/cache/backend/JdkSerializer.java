package io.dogpile.cache.backend;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InvalidObjectException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputFilter.FilterInfo;
import java.io.ObjectInputFilter.Status;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The serialization of the JDK, read under the user's filter and under bounds of its own. */
final class JdkSerializer<V> implements Serializer<V> {
    /** How deep objects may nest: far more than values do, far less than a stack bears. */
    static final long MAX_DEPTH = 256;

    /** How many objects, strings and classes one value may consist of. */
    static final long MAX_REFERENCES = 1_000_000;

    /**
     * How many array elements and table slots one byte may claim. In honest bytes an element of an array takes at least
     * one, and one of a hash table five, a reference, for which the emptiest tables have eight slots.
     */
    static final long MAX_SLOTS_PER_BYTE = 2;

    private final Class<? super V> type;
    private final ObjectInputFilter filter;

    JdkSerializer(Class<? super V> type, ObjectInputFilter filter) {
        this.type = Objects.requireNonNull(type, "type");
        this.filter = Objects.requireNonNull(
                filter, "filter: name the classes that may be read; without a filter the stored bytes choose them");
    }

    @Override
    public int id() {
        return 2;
    }

    @Override
    public byte[] write(V value) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(value);
        }
        return bytes.toByteArray();
    }

    @Override
    @SuppressWarnings("unchecked") // Its class is checked; what it is parameterized with is the caller's word.
    public V read(byte[] bytes) throws Exception {
        ByteArrayInputStream in = new ByteArrayInputStream(bytes);
        try (ObjectInputStream objects = new ObjectInputStream(in)) {
            objects.setObjectInputFilter(new Guard(filter, objects.getObjectInputFilter(), bytes.length));
            V value = (V) type.cast(objects.readObject());
            if (value == null) {
                throw new InvalidObjectException("The object is a null, which is no value.");
            }
            if (in.available() > 0) {
                throw new InvalidObjectException("There are " + in.available() + " bytes behind the value.");
            }
            return value;
        }
    }

    @Override
    public String toString() {
        return "jdk of " + type.getName();
    }

    /** For one read: keeps count of what it claims. Used by the reading thread only. */
    private static final class Guard implements ObjectInputFilter {
        private final ObjectInputFilter filter;
        private final @Nullable ObjectInputFilter ofJvm;
        private final long maxSlots;
        private long slots;

        Guard(ObjectInputFilter filter, @Nullable ObjectInputFilter ofJvm, int length) {
            this.filter = filter;
            this.ofJvm = ofJvm;
            this.maxSlots = length * MAX_SLOTS_PER_BYTE;
        }

        @Override
        public Status checkInput(FilterInfo info) {
            // Summed, since nested arrays that each claim no more than their bytes claim the square of them.
            slots += Math.max(0, info.arrayLength());
            if (slots > maxSlots || info.depth() > MAX_DEPTH || info.references() > MAX_REFERENCES) {
                return Status.REJECTED;
            }
            if (ofJvm != null && ofJvm.checkInput(info) == Status.REJECTED) {
                return Status.REJECTED;
            }
            Status status = filter.checkInput(info);
            boolean allowed = status == Status.ALLOWED || (status == Status.UNDECIDED && harmless(info.serialClass()));
            return allowed ? Status.ALLOWED : Status.REJECTED;
        }

        /** No class at all, where only counts are asked about; or primitives, of which filters by pattern say nothing. */
        private static boolean harmless(@Nullable Class<?> named) {
            Class<?> element = named;
            while (element != null && element.isArray()) {
                element = element.getComponentType();
            }
            return element == null || element.isPrimitive();
        }
    }
}
