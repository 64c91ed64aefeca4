package io.dogpile.benchmarks;

/** One line on the error stream that is overwritten while something runs, so that the tables stay clean. */
final class Progress {
    private static final boolean TERMINAL = System.console() != null;

    private Progress() {}

    static void show(String what) {
        System.err.print(TERMINAL ? "\r\033[K" + what : what + System.lineSeparator());
        System.err.flush();
    }

    static void end() {
        if (TERMINAL) {
            System.err.print("\r\033[K");
            System.err.flush();
        }
    }
}
