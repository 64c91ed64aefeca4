package io.dogpile.demo;

/**
 * One run of the expensive call; times in nanoseconds since the run began.
 *
 * @param lane the caller on whose thread it ran, or {@link #BEHIND}
 * @param begin when it began
 * @param end when it returned
 */
record Work(int lane, long begin, long end) {
    /** The lane of work that no caller did. */
    static final int BEHIND = -1;
}
