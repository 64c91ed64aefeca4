package io.dogpile.benchmarks;

/** A part of a page that a command writes, between two comments that nobody sees. */
final class MarkedPart {
    private final String begin;
    private final String end;

    MarkedPart(String name) {
        begin = "<!-- " + name + " -->\n";
        end = "<!-- /" + name + " -->\n";
    }

    /**
     * The page with another part.
     *
     * @throws IllegalStateException if the page does not have each comment once, the one before the other
     */
    String replacedIn(String page, String part) {
        return page.substring(0, begins(page)) + part + page.substring(ends(page));
    }

    /**
     * What stands there now.
     *
     * @throws IllegalStateException if the page does not have each comment once, the one before the other
     */
    String in(String page) {
        return page.substring(begins(page), ends(page));
    }

    private int begins(String page) {
        return once(page, begin) + begin.length();
    }

    private int ends(String page) {
        int at = once(page, end);
        if (at < begins(page)) {
            throw new IllegalStateException(end.trim() + " stands before " + begin.trim() + ": put it behind");
        }
        return at;
    }

    private static int once(String page, String marker) {
        int at = page.indexOf(marker);
        if (at < 0 || page.indexOf(marker, at + 1) >= 0) {
            throw new IllegalStateException("the page must have a line " + marker.trim() + " exactly once");
        }
        return at;
    }
}
