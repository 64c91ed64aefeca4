package io.dogpile.cache.file;

import java.util.HexFormat;

/** Texts that show whether they are whole: one number, over and over, and how often at the end. */
final class Blocks {
    private static final int WIDTH = 16;

    private Blocks() {}

    static String of(long seed, int times) {
        String block = HexFormat.of().toHexDigits(seed);
        return block.repeat(times) + '#' + times;
    }

    static boolean isWhole(String text) {
        int end = text.lastIndexOf('#');
        if (end < WIDTH) {
            return false;
        }
        int times = Integer.parseInt(text.substring(end + 1));
        return text.equals(text.substring(0, WIDTH).repeat(times) + '#' + times);
    }

    /** A block's shape, another text itself. */
    static String summary(String text) {
        return text.indexOf('#') < 0 ? text : isWhole(text) ? "whole" : "torn";
    }
}
