package io.dogpile.demo;

/**
 * One call, from when it was due to when it had its value; times in nanoseconds since the run began.
 *
 * @param lane the caller's number
 * @param key the module that was asked for
 * @param due when the call should have begun: a caller that is late because it was kept busy made somebody wait
 * @param begin when it began
 * @param end when it had its value
 * @param outcome how it came by the value
 */
record Call(int lane, String key, long due, long begin, long end, Outcome outcome) {
    /** How a caller came by its value. */
    enum Outcome {
        CREATED("created it", "created", 0.9),
        WAITED("waited for another's", "waited", 0.5),
        STALE("took the stale one at once", "stale", 0.9),
        FRESH("took a fresh one at once", "fresh", 0.4);

        private final String label;
        private final String cssClass;
        private final double share;

        Outcome(String label, String cssClass, double share) {
            this.label = label;
            this.cssClass = cssClass;
            this.share = share;
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
    }

    long waited() {
        return end - due;
    }
}
