package io.dogpile.cache.backend;

import io.dogpile.core.DogpileListener;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a region asks of its backend. Immutable.
 *
 * @param <V> the type of the values
 * @param region the name of the region: 1 to 100 letters, digits, {@code .}, {@code _} and {@code -}
 * @param texts renders a key for stores in other processes: injective, the same in every JVM, without blanks and control
 *     characters, unless the user's own function makes it otherwise
 * @param serializer turns values into bytes; null if the region was given none
 * @param maxValueBytes how many bytes a value may have
 * @param lease how long a right to create lasts that is not renewed, where rights end by time
 * @param maxCreation how long a creation may take; a store that grants rights keeps what belongs to one for so long after
 *     its lease, so that a late value can still be stored if nobody took over
 * @param backoff how long a key backs off after failures, for a store that tells other processes of them
 * @param time where the deadlines of what is read are counted from
 * @param listener told of entries that cannot be read; may be called from any thread, and never throws
 */
public record Opening<V>(
        String region,
        Function<Object, String> texts,
        @Nullable Serializer<V> serializer,
        int maxValueBytes,
        Duration lease,
        Duration maxCreation,
        Backoff backoff,
        TimeSource time,
        DogpileListener listener) {
    /**
     * How long a key backs off: from that many failures in a row on the first time, doubled with each further failure.
     *
     * @param failures the number of failures in a row from which on it backs off; at least 1
     * @param first the first back-off
     * @param longest the longest
     */
    public record Backoff(int failures, Duration first, Duration longest) {
        /** From the second failure on, 100 ms, at most 30 s. */
        public static final Backoff DEFAULT = new Backoff(2, Duration.ofMillis(100), Duration.ofSeconds(30));

        private static final int LONGEST_TEXT = 300;

        /**
         * How long it backs off after so many failures in a row; zero after fewer than {@link #failures}.
         *
         * @param inARow the number of failures in a row
         * @return the time; at most {@link #longest}
         */
        public Duration after(int inARow) {
            if (inARow < failures || first.isZero()) {
                return Duration.ZERO;
            }
            Duration time = first;
            for (int doubled = failures; doubled < inARow && time.compareTo(longest) < 0; doubled++) {
                time = time.multipliedBy(2);
            }
            return time.compareTo(longest) < 0 ? time : longest;
        }

        /**
         * Whether an exception that ended a creation is a failure of it. An interrupt told the creator to stop; it does not say
         * that the value cannot be made.
         *
         * @param cause the exception
         * @return false for an interrupt
         */
        public static boolean counts(Throwable cause) {
            return !(cause instanceof InterruptedException) && !(cause.getCause() instanceof InterruptedException);
        }

        /**
         * What other processes are told of a failure: in one line, and cut.
         *
         * @param cause the exception
         * @return its text; the name of its class where it has none
         */
        public static String told(Throwable cause) {
            String text;
            try {
                text = cause.toString();
            } catch (RuntimeException unreadable) {
                text = cause.getClass().getName();
            }
            return heard(text);
        }

        /**
         * What a store tells of a failure, for a message: in one line, so that it cannot look like one of a log, and cut.
         *
         * @param text what anybody may have written
         * @return the same, as it may be shown
         */
        public static String heard(String text) {
            String line = text.replaceAll("\\p{Cntrl}+", " ");
            return line.length() <= LONGEST_TEXT ? line : line.substring(0, LONGEST_TEXT) + "...";
        }
    }

    /**
     * For one region.
     *
     * @param region the name of the region
     * @param texts renders a key
     * @param serializer turns values into bytes, or null
     * @param maxValueBytes how many bytes a value may have
     * @param lease how long a right lasts
     * @param maxCreation how long a creation may take
     * @param backoff how long a key backs off after failures
     * @param time where deadlines are counted from
     * @param listener told of entries that cannot be read
     * @throws NullPointerException if anything but the serializer is null
     */
    public Opening {
        Objects.requireNonNull(region, "region");
        Objects.requireNonNull(texts, "texts");
        Objects.requireNonNull(lease, "lease");
        Objects.requireNonNull(maxCreation, "maxCreation");
        Objects.requireNonNull(backoff, "backoff");
        Objects.requireNonNull(time, "time");
        Objects.requireNonNull(listener, "listener");
    }

    /**
     * The serializer, for a backend that keeps bytes.
     *
     * @param backend the backend, for the message
     * @return the serializer
     * @throws IllegalArgumentException if the region was given none
     */
    public Serializer<V> serializerFor(Backend backend) {
        if (serializer == null) {
            throw new IllegalArgumentException("region '" + region + "' has no serializer, and " + backend
                    + " keeps bytes: give the region one, such as serializer(Serializer.json(User.class))");
        }
        return serializer;
    }

    /**
     * The same, for a store that keeps values as they are.
     *
     * @return what is asked, without a serializer
     */
    public Opening<V> byReference() {
        return new Opening<>(region, texts, null, maxValueBytes, lease, maxCreation, backoff, time, listener);
    }
}
