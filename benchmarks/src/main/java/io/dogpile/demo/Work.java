package io.dogpile.demo;

/**
 * One run of the expensive call; times in nanoseconds since the run began.
 *
 * @param jvm the number of the JVM it ran in; 0 where there is one only
 * @param lane the caller on whose thread it ran, or {@link #BEHIND}
 * @param begin when it began
 * @param end when it returned, or died
 */
record Work(int jvm, int lane, long begin, long end) {
    /** The lane of work that no caller did. */
    static final int BEHIND = -1;
}
