package io.dogpile.demo;

/**
 * One call, from when it was due to when it had its value; times in nanoseconds since the run began.
 *
 * @param jvm the number of the JVM it was made in; 0 where there is one only
 * @param lane the caller's number
 * @param key the module that was asked for
 * @param due when the call should have begun: a caller that is late because it was kept busy made somebody wait
 * @param begin when it began
 * @param end when it had its value
 * @param outcome how it came by the value
 */
record Call(int jvm, int lane, String key, long due, long begin, long end, Outcome outcome) {
    /** How a caller came by its value. */
    enum Outcome {
        CREATED("created it", "created", 0.9, "M0 1h34v14H0z"),
        WAITED("waited for another's", "waited", 0.5, "M0 4h34v8H0z"),
        STALE("took the stale one at once", "stale", 0.9, "M4 1h3v14H4zM16 1h3v14h-3zM28 1h3v14h-3z"),
        FRESH("took a fresh one at once", "fresh", 0.4, "M4 5h3v6H4zM16 5h3v6h-3zM28 5h3v6h-3z"),
        DIED("died with their JVM", "died", 0.7, "M0 3h34v10H0z");

        private final String label;
        private final String cssClass;
        private final double share;
        private final String sample;

        Outcome(String label, String cssClass, double share, String sample) {
            this.label = label;
            this.cssClass = cssClass;
            this.share = share;
            this.sample = sample;
        }

        String label() {
            return label;
        }

        String cssClass() {
            return cssClass;
        }

        /** Of a lane's height, so that no outcome is told by its colour alone. */
        double share() {
            return share;
        }

        /** The outline of marks as a legend shows them, 34 wide and 16 high. */
        String sample() {
            return sample;
        }
    }

    long waited() {
        return end - due;
    }
}
