package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

/** A figure and what it is to be at most, or at least. */
record Goal(String title, double seen, Bound bound, double limit) {
    /** On which side of the limit the figure is to be. */
    enum Bound {
        AT_MOST("at most"),
        AT_LEAST("at least");

        private final String words;

        Bound(String words) {
            this.words = words;
        }
    }

    static Goal atMost(String title, double seen, double limit) {
        return new Goal(title, seen, Bound.AT_MOST, limit);
    }

    static Goal atLeast(String title, double seen, double limit) {
        return new Goal(title, seen, Bound.AT_LEAST, limit);
    }

    /** What was not seen, NaN, meets nothing. */
    boolean isMet() {
        return bound == Bound.AT_MOST ? seen <= limit : seen >= limit;
    }

    /**
     * What is said of a goal.
     *
     * @param text the goal, with what was seen
     * @param met whether it was reached
     */
    record Verdict(String text, boolean met) {}

    void print() {
        Results.goal(new Verdict(
                title + ": " + number(seen, 2) + ", goal " + bound.words + " " + number(limit, 2), isMet()));
    }
}
