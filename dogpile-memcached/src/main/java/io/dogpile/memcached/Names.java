package io.dogpile.memcached;

import io.dogpile.cache.backend.KeyLimit;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The names of items on the servers, at most 250 bytes each: all begin with the prefix. A region's name holds neither {@code :}
 * nor {@code ~}, so that no user's key makes a name of another kind.
 *
 * <pre>
 *   prefix region : text of key             a value
 *   prefix ~lease: region : text of key     the right to create it, on the same server
 *   prefix region ~hard, region ~soft       the marks of a region's generation
 *   prefix ~lock: name                      a lock
 * </pre>
 *
 * <p>Blanks and control characters, which no key may hold, are escaped by a backslash and two hexadecimal digits, as the
 * backslash is. Percent signs are left alone: regions render their keys with them. What is too long is cut and hashed; the
 * envelope of a value holds a check of the full name.
 */
record Names(String prefix) {
    static final int LONGEST_KEY = 250;

    private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9_.:-]{1,40}");
    private static final String LEASE = "~lease:";
    private static final String LOCK = "~lock:";
    private static final char ESCAPE = '\\';
    private static final int DELETE = 0x7f;

    Names {
        if (!PREFIX.matcher(prefix).matches()) {
            throw new IllegalArgumentException(
                    "a prefix is 1 to 40 letters, digits, '_', '-', '.' and ':', was '" + prefix + "'");
        }
    }

    /** What the value of a key is called in full, for the check in its envelope. */
    String full(String region, String text) {
        return prefix + region + ':' + text;
    }

    private String limited(String kind, String name) {
        return KeyLimit.of(LONGEST_KEY + 1 - prefix.length() - kind.length()).apply(escaped(name));
    }

    Item value(String region, String text) {
        String key = prefix + limited(LEASE, region + ':' + text);
        return new Item(key, key);
    }

    /** The right to create what is kept in the item, on its server. */
    Item lease(Item value) {
        return new Item(prefix + LEASE + value.key().substring(prefix.length()), value.key());
    }

    Item hard(String region) {
        return alone(prefix + region + "~hard");
    }

    Item soft(String region) {
        return alone(prefix + region + "~soft");
    }

    Item lock(String name) {
        return alone(prefix + LOCK + limited(LOCK, name));
    }

    private static Item alone(String key) {
        return new Item(key, key);
    }

    private static String escaped(String name) {
        if (name.chars().noneMatch(Names::isForbidden)) {
            return name;
        }
        StringBuilder escaped = new StringBuilder(name.length() + 16);
        name.chars().forEach(c -> {
            if (isForbidden(c)) {
                escaped.append(ESCAPE).append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            } else {
                escaped.append((char) c);
            }
        });
        return escaped.toString();
    }

    private static boolean isForbidden(int c) {
        return c <= ' ' || c == DELETE || c == ESCAPE;
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
