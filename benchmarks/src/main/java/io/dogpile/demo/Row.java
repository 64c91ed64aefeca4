package io.dogpile.demo;

import java.util.List;

/**
 * One load, met in several ways.
 *
 * @param title the load in a few words
 * @param told the load in a sentence or two
 * @param kind how it is drawn
 * @param runs without the library first, then with it
 */
record Row(String title, String told, Kind kind, List<Run> runs) {
    /** How a row is drawn. */
    enum Kind {
        /** All at once on one key. */
        ONE_KEY(
                12,
                2.5,
                0,
                "One line per caller, in the order in which they were served; each picture has its own time scale."),
        /** All at once on many keys. */
        MANY_KEYS(
                150,
                3.25,
                10,
                "One line per caller, by module, the largest first; each picture has its own time scale."),
        /** At a steady pace. */
        STEADY(
                76,
                15,
                11.5,
                "One line per thread. A thread that creates serves nobody meanwhile; where all do, calls pile up.");

        private final int gutter;
        private final double laneHeight;
        private final double labelDrop;
        private final String howToRead;

        Kind(int gutter, double laneHeight, double labelDrop, String howToRead) {
            this.gutter = gutter;
            this.laneHeight = laneHeight;
            this.labelDrop = labelDrop;
            this.howToRead = howToRead;
        }

        /** The room left of the lanes, for their labels. */
        int gutter() {
            return gutter;
        }

        double laneHeight() {
            return laneHeight;
        }

        /** How far below the top of its lane a label stands. */
        double labelDrop() {
            return labelDrop;
        }

        String howToRead() {
            return howToRead;
        }
    }

    /** When the last of the runs was over. */
    long end() {
        return runs.stream().mapToLong(Run::end).max().orElseThrow();
    }
}
