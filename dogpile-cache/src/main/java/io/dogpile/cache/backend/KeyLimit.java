package io.dogpile.cache.backend;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Shortens the text of a key that a store does not take in full: what fits of its beginning, so that people recognise
 * it, then {@code %~}, then a hash of the whole.
 *
 * <p>The hash is all of SHA-256: keys are often written by users of the user's program, who must not find two of one
 * hash. It is in base 32 in lower case: 52 characters, where hex takes 64, and safe where case is not kept.
 *
 * <p>The text of a key as a region renders it never holds the mark. A text of another source that ends as a shortened one does is hashed as
 * well, whatever its length; so a text that was left alone is never equal to one that was shortened.
 *
 * <p>Immutable.
 */
public final class KeyLimit {
    /** Under it the beginning would say nothing. */
    public static final int LEAST = 64;

    private static final String MARK = "%~";
    private static final String DIGITS = "abcdefghijklmnopqrstuvwxyz234567";
    private static final int BITS_PER_DIGIT = 5;
    private static final int DIGITS_OF_HASH = 52;
    private static final int MOST_BYTES_PER_CHARACTER = 3;

    private final int bytes;

    private KeyLimit(int bytes) {
        this.bytes = bytes;
    }

    /**
     * Shortens what has this many bytes or more in UTF-8.
     *
     * @param bytes the first length that is too long, in bytes
     * @return the limit
     * @throws IllegalArgumentException if it is less than {@link #LEAST}
     */
    public static KeyLimit of(int bytes) {
        if (bytes < LEAST) {
            throw new IllegalArgumentException("a key limit must be at least " + LEAST + " bytes, was " + bytes);
        }
        return new KeyLimit(bytes);
    }

    /**
     * Shortens a text if need be.
     *
     * @param text without surrogates that lack their other half: UTF-8 makes the same of all of them
     * @return the text itself, or a text of fewer bytes than the limit
     */
    public String apply(String text) {
        if (fits(text) && !looksShortened(text)) {
            return text;
        }
        String hash = hash(text);
        return text.substring(0, prefix(text, bytes - 1 - MARK.length() - hash.length())) + MARK + hash;
    }

    private boolean fits(String text) {
        return (long) text.length() * MOST_BYTES_PER_CHARACTER < bytes
                || (text.length() < bytes && prefix(text, bytes - 1) == text.length());
    }

    /** How many characters fit into so many bytes, without a half of a pair at the end. */
    private static int prefix(String text, int room) {
        int left = room;
        int i = 0;
        while (i < text.length()) {
            int point = text.codePointAt(i);
            left -= point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
            if (left < 0) {
                break;
            }
            i += Character.charCount(point);
        }
        return i;
    }

    private static boolean looksShortened(String text) {
        int mark = text.length() - DIGITS_OF_HASH - MARK.length();
        return mark >= 0
                && text.startsWith(MARK, mark)
                && text.chars().skip(mark + (long) MARK.length()).allMatch(c -> DIGITS.indexOf(c) >= 0);
    }

    private static String hash(String text) {
        byte[] hash = sha256().digest(text.getBytes(StandardCharsets.UTF_8));
        StringBuilder digits = new StringBuilder(DIGITS_OF_HASH);
        int bits = 0;
        int held = 0;
        for (byte b : hash) {
            held = held << Byte.SIZE | (b & 0xff);
            bits += Byte.SIZE;
            while (bits >= BITS_PER_DIGIT) {
                bits -= BITS_PER_DIGIT;
                digits.append(DIGITS.charAt(held >> bits & 31));
            }
            held &= (1 << bits) - 1;
        }
        return digits.append(DIGITS.charAt(held << (BITS_PER_DIGIT - bits))).toString();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
