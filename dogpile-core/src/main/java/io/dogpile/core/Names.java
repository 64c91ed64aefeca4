package io.dogpile.core;

/** How what callers hand in appears in messages: rendered by its own {@code toString}, which may fail, and cut. */
final class Names {
    private static final int LONGEST_SHOWN = 100;

    private Names() {}

    static String render(Object name) {
        return render(name, LONGEST_SHOWN);
    }

    static String render(Object any, int longest) {
        String text;
        try {
            text = String.valueOf(any);
        } catch (RuntimeException unreadable) {
            text = any.getClass().getName();
        }
        return text.length() <= longest ? text : text.substring(0, longest) + "...";
    }
}
