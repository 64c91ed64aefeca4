package io.dogpile.benchmarks;

import java.util.List;

/**
 * How a table is drawn.
 *
 * @param form bars of the rows, or lines over the first column
 * @param scale of the values
 * @param better which values one wants; none where rows are not rivals
 * @param columns the heads of the columns that are drawn
 */
record Chart(Form form, Scale scale, Better better, List<String> columns) {
    /** What is drawn. */
    enum Form {
        BARS,
        LINES
    }

    /** How far apart values are drawn. */
    enum Scale {
        LINEAR,
        LOGARITHMIC
    }

    /** Which values one wants. */
    enum Better {
        LOWER,
        HIGHER,
        NEITHER
    }

    /** Rivals of which the lowest is best. */
    static Chart lowerIsBetter(String... columns) {
        return new Chart(Form.BARS, Scale.LINEAR, Better.LOWER, List.of(columns));
    }

    /** Rivals of which the highest is best. */
    static Chart higherIsBetter(String... columns) {
        return new Chart(Form.BARS, Scale.LINEAR, Better.HIGHER, List.of(columns));
    }

    /** What grows with the first column, over steps that are powers of each other. */
    static Chart growth(String... columns) {
        return new Chart(Form.LINES, Scale.LOGARITHMIC, Better.NEITHER, List.of(columns));
    }

    /** Shares of one, over the first column. */
    static Chart shares(String... columns) {
        return new Chart(Form.LINES, Scale.LINEAR, Better.NEITHER, List.of(columns));
    }

    /** For values that are orders of magnitude apart. */
    Chart logarithmic() {
        return new Chart(form, Scale.LOGARITHMIC, better, columns);
    }
}
