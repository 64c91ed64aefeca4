package io.dogpile.redis;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Texts as Redis takes and gives them: bytes. */
final class Texts {
    static final byte[] EMPTY = {};
    private static final int LONGEST = 300;

    private Texts() {}

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] bytes(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    static String of(byte[] text) {
        return new String(text, StandardCharsets.UTF_8);
    }

    static String of(byte[] text, int from, int to) {
        return new String(text, from, to - from, StandardCharsets.UTF_8);
    }

    static @Nullable String ofOrNull(@Nullable Object text) {
        return text instanceof byte[] bytes ? of(bytes) : null;
    }

    /** Cut, for a message. */
    static String cut(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...";
    }
}
