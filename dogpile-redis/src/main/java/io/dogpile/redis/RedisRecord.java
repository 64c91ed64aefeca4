package io.dogpile.redis;

import org.jspecify.annotations.Nullable;

/**
 * The texts in a record, which is one hash for each key:
 *
 * <pre>
 *   v  the envelope of the value
 *   m  its stamps:  "fence generation softAt hardAt cost softLife storedAt"  in ms of the server's clock; 0 never
 *   l  the lease:   "nonce fence generation expiry length"; absent when nobody creates
 *   w  inboxes to wake, each followed by a blank; "* " for all
 *   e  failures:    "inARow until length text": backs off until then, for so long
 * </pre>
 *
 * <p>They come from a store that others can write to: what does not parse is taken as absent, here as in the scripts.
 */
final class RedisRecord {
    static final byte[] VALUE = {'v'};
    static final byte[] STAMPS = {'m'};
    static final byte[] LEASE = {'l'};

    private RedisRecord() {}

    /** The stamps of a value. Declared stale where {@code softAt} is 1. */
    record Stamps(
            long fence,
            long generation,
            long softAtMillis,
            long hardAtMillis,
            long costMillis,
            long softLifeMillis,
            long storedAtMillis) {
        private static final int NUMBERS = 7;
        private static final long DECLARED_STALE = 1;
        private static final long CLOCK_SET_BACK = 5_000;

        static @Nullable Stamps parse(byte @Nullable [] text) {
            if (text == null) {
                return null;
            }
            Numbers in = new Numbers(text, 0);
            long[] read = new long[NUMBERS];
            for (int i = 0; i < NUMBERS; i++) {
                read[i] = in.next();
                if (read[i] < 0 || in.atEnd() != (i == NUMBERS - 1)) {
                    return null;
                }
            }
            return new Stamps(read[0], read[1], read[2], read[3], read[4], read[5], read[6]);
        }

        boolean isDeclaredStale() {
            return softAtMillis == DECLARED_STALE;
        }

        /** More time is left than was given: the server's clock was set back since. */
        boolean isFromTheFuture(long nowMillis) {
            return softAtMillis - nowMillis > softLifeMillis + CLOCK_SET_BACK;
        }
    }

    /** A lease as it is seen by those who do not hold it; {@code seenAs} changes when it is granted or renewed. */
    record Lease(String nonce, long fence, long generation, long expiryMillis, long lengthMillis) {
        static @Nullable Lease parse(byte @Nullable [] text) {
            if (text == null) {
                return null;
            }
            int blank = 0;
            while (blank < text.length && text[blank] > ' ') {
                blank++;
            }
            if (blank == 0 || blank == text.length || text[blank] != ' ') {
                return null;
            }
            Numbers in = new Numbers(text, blank + 1);
            long fence = in.next();
            long generation = in.next();
            long expiry = in.next();
            long length = in.next();
            return fence < 0 || generation < 0 || expiry < 0 || length < 0 || !in.atEnd()
                    ? null
                    : new Lease(Texts.of(text, 0, blank), fence, generation, expiry, length);
        }

        String seenAs() {
            return nonce + ' ' + expiryMillis;
        }
    }

    /** Reads decimal numbers with one blank between them. Of at most 16 digits: longer ones are not exact in a script. */
    static final class Numbers {
        private static final int MOST_DIGITS = 16;

        private final byte[] text;
        private int at;

        Numbers(byte[] text, int from) {
            this.text = text;
            this.at = from;
        }

        /** The next number, or -1 if there is none. */
        long next() {
            int start = at;
            long number = 0;
            while (at < text.length && text[at] >= '0' && text[at] <= '9' && at - start < MOST_DIGITS) {
                number = number * 10 + (text[at++] - '0');
            }
            if (at == start || (at < text.length && text[at] != ' ')) {
                return -1;
            }
            at++;
            return number;
        }

        /** Whether the last number was the last of the text; a blank behind it is not its end. */
        boolean atEnd() {
            return at == text.length + 1;
        }
    }
}
