package io.dogpile.benchmarks;

import java.util.List;

/** Which rows of a table are of this library, and what the cells say. */
final class Ours {
    private static final List<String> BEGINNINGS =
            List.of("Region", "Dogpile", "@Cached", "NameRegistry and gate", "SyncReaderDogpile", "FileLockProvider");

    private Ours() {}

    static boolean is(String title) {
        return BEGINNINGS.stream().anyMatch(title::startsWith);
    }

    /** The number in a cell as it was printed, NaN if there is none. */
    static double number(String cell) {
        try {
            return Double.parseDouble(cell);
        } catch (NumberFormatException none) {
            return Double.NaN;
        }
    }
}
