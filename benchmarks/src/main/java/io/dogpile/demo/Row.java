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
                "One line per caller, creators first, then as they were served; each picture has its own time scale.",
                "One line per caller, JVM by JVM, creators first; each picture has its own time scale."),
        /** All at once on many keys. */
        MANY_KEYS(
                "One line per caller, by module, the largest first; each picture has its own time scale.",
                "One line per caller, by module, the largest first, and which JVM created it where one did; each picture"
                        + " has its own time scale."),
        /** At a steady pace. */
        STEADY(
                "One line per thread. A thread that creates serves nobody meanwhile; where all do, calls pile up.",
                "One line per thread, JVM by JVM. A thread that creates serves nobody meanwhile; where all do, calls"
                        + " pile up.");

        private final String howToRead;
        private final String ofSeveralJvms;

        Kind(String howToRead, String ofSeveralJvms) {
            this.howToRead = howToRead;
            this.ofSeveralJvms = ofSeveralJvms;
        }
    }

    String howToRead() {
        return inSeveralJvms() ? kind.ofSeveralJvms : kind.howToRead;
    }

    boolean inSeveralJvms() {
        return runs.stream().anyMatch(run -> run.jvms().size() > 1);
    }

    /** When the last of the runs was over. */
    long end() {
        return runs.stream().mapToLong(Run::end).max().orElseThrow();
    }
}
