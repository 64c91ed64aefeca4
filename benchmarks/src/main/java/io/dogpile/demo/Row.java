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
        ONE_KEY("One line per caller, creators first, then as they were served; each picture has its own time scale."),
        /** All at once on many keys. */
        MANY_KEYS("One line per caller, by module, the largest first; each picture has its own time scale."),
        /** At a steady pace. */
        STEADY("One line per thread. A thread that creates serves nobody meanwhile; where all do, calls pile up.");

        private final String howToRead;

        Kind(String howToRead) {
            this.howToRead = howToRead;
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
