package io.dogpile.demo;

import java.util.List;

/**
 * What a timeline draws in one line.
 *
 * @param label what is written before it, often nothing
 * @param height how high it is
 * @param marks what is drawn
 * @param note what is written among the marks
 */
record Lane(String label, double height, List<Mark> marks, Note note) {
    /**
     * A call or a creation.
     *
     * @param outcome which of the two, and how it ended
     * @param begin when it began
     * @param end when it ended
     */
    record Mark(Call.Outcome outcome, long begin, long end) {
        static Mark of(Call call) {
            return new Mark(call.outcome(), call.begin(), call.end());
        }
    }

    /**
     * Words among the marks.
     *
     * @param text the words, often none
     * @param after the end of what they stand behind
     */
    record Note(String text, long after) {
        static final Note NONE = new Note("", 0);
    }

    Lane(String label, double height, List<Mark> marks) {
        this(label, height, marks, Note.NONE);
    }

    /** An empty one, between others. */
    static Lane gap(double height) {
        return new Lane("", height, List.of());
    }
}
