package io.dogpile.memcached;

import io.dogpile.cache.backend.Opening;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is in the item beside a value: who has the right to create it, or that its creation failed.
 *
 * <pre>
 *   L nonce failures generation      the right, after so many failures in a row
 *   E until failures text            nobody's; to be left alone until then, ms of the wall clock; 0: at once
 * </pre>
 *
 * <p>It comes from a store that others can write to: what does not parse is taken as nobody's.
 */
final class LeaseText {
    private static final Pattern HELD = Pattern.compile("L (\\S{1,60}) (\\d{1,9}) (-?\\d{1,19})");
    private static final Pattern FAILED = Pattern.compile("E (\\d{1,18}) (\\d{1,9}) (.*)", Pattern.DOTALL);
    private static final int LONGEST = 1_000;

    /** Longer than any back-off: what ends later was written by another clock. */
    private static final long LONGEST_BACKOFF_MILLIS = 3_600_000;

    /** What it says. */
    sealed interface Read {}

    /** Somebody has the right. */
    record Held(String nonce, int failures, long generation) implements Read {
        byte[] bytes() {
            return Names.bytes("L " + nonce + ' ' + failures + ' ' + generation);
        }
    }

    /** Nobody has it. */
    record Free(long untilMillis, int failures, String text) implements Read {
        byte[] bytes() {
            return Names.bytes("E " + untilMillis + ' ' + failures + ' ' + text);
        }

        long leftMillis(long nowMillis) {
            long left = untilMillis - nowMillis;
            return left > LONGEST_BACKOFF_MILLIS ? 0 : Math.max(0, left);
        }
    }

    private static final Free UNREADABLE = new Free(0, 0, "");

    private LeaseText() {}

    /** Null if there is none. */
    static @Nullable Read of(byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        if (bytes.length > LONGEST) {
            return UNREADABLE;
        }
        String text = Names.text(bytes);
        Matcher held = HELD.matcher(text);
        try {
            if (held.matches()) {
                return new Held(held.group(1), Integer.parseInt(held.group(2)), Long.parseLong(held.group(3)));
            }
            Matcher failed = FAILED.matcher(text);
            if (failed.matches()) {
                return new Free(
                        Long.parseLong(failed.group(1)),
                        Integer.parseInt(failed.group(2)),
                        Opening.Backoff.heard(failed.group(3)));
            }
        } catch (NumberFormatException tooLarge) {
            return UNREADABLE;
        }
        return UNREADABLE;
    }
}
