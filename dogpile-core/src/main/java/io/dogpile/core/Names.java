package io.dogpile.core;

/** How names appear in messages: rendered, and cut. */
final class Names {
    private static final int LONGEST_SHOWN = 100;

    private Names() {}

    static String render(Object name) {
        String text = String.valueOf(name);
        return text.length() <= LONGEST_SHOWN ? text : text.substring(0, LONGEST_SHOWN) + "...";
    }
}
