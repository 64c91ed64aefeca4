package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

/** A figure and what it may be at most. */
record Goal(String title, double seen, double atMost) {
    static Goal atMost(String title, double seen, double atMost) {
        return new Goal(title, seen, atMost);
    }

    boolean isMet() {
        return seen <= atMost;
    }

    String verdict() {
        return isMet() ? "met" : "MISSED";
    }

    void print() {
        System.out.println(
                "- " + title + ": " + number(seen, 2) + ", goal at most " + number(atMost, 2) + ": " + verdict());
    }
}
