package io.dogpile.cache.histories;

import java.util.regex.Pattern;

/**
 * One line of a history.
 *
 * @param at when, in microseconds of the monotonic clock that all processes of a machine have in common
 * @param node the name of the process; {@code *} for all of them
 * @param kind what happened
 * @param op the operation in whose course it happened; {@code -} for none
 * @param key the key; {@code -} for none
 * @param detail what the kind says
 */
public record Event(long at, String node, Kind kind, String op, String key, String detail) {
    private static final Pattern BLANKS = Pattern.compile("\\s+");

    /** What happened. */
    public enum Kind {
        /** A call begins. Detail: one of {@link History.Call}, and the value that is put. */
        INVOKE,
        /** It returned. Detail: the value that it gave, or {@code -}. */
        OK,
        /** It failed, and changed nothing by itself. Detail: why. */
        FAIL,
        /** It failed, and may have done what it was to do. Detail: why. */
        UNKNOWN,
        /** The call was elected, and its creator begins. Detail: the value it will give, and its fence. */
        START,
        /** The creator ends. Detail: {@code created}, or {@code failed}. */
        END,
        /** What was created was not stored, or nobody knows. Detail: the outcome, as the region told it. */
        REFUSED,
        /** The process stood still, though nobody stopped it. Detail: for how many microseconds until now. */
        STALL,
        /** A fault begins. Detail: one of {@link Fault}. */
        FAULT,
        /** It ends. Detail: the same. */
        HEALED
    }

    /** A line, as {@link #toString()} makes it. */
    public static Event parse(String line) {
        String[] words = BLANKS.split(line.trim(), 6);
        if (words.length < 6) {
            throw new IllegalArgumentException("no event: " + line);
        }
        return new Event(Long.parseLong(words[0]), words[1], Kind.valueOf(words[2]), words[3], words[4], words[5]);
    }

    /** Now, by that clock. */
    public static long now() {
        return System.nanoTime() / 1_000;
    }

    @Override
    public String toString() {
        return at + " " + node + ' ' + kind + ' ' + op + ' ' + key + ' '
                + BLANKS.matcher(detail).replaceAll(" ");
    }
}
