package io.dogpile.demo;

import io.dogpile.cache.RegionStats;
import io.dogpile.core.DogpileListener.WaitOutcome;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a region counts, as far as the demo makes it happen; times in nanoseconds.
 *
 * @param hits calls that found a fresh value
 * @param misses calls that found none
 * @param stale calls that took a stale one
 * @param creations creations
 * @param creating how long they took together
 * @param waits calls that waited for another's value and got it
 * @param waiting how long they waited together
 */
record Counts(long hits, long misses, long stale, long creations, long creating, long waits, long waiting) {
    static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0);

    static Counts of(RegionStats stats) {
        return new Counts(
                stats.hits(),
                stats.misses(),
                stats.staleServed(),
                stats.creations(),
                stats.creationTime().toNanos(),
                stats.waits(WaitOutcome.VALUE),
                stats.waitTime(WaitOutcome.VALUE).toNanos());
    }

    Counts plus(Counts other) {
        return new Counts(
                hits + other.hits,
                misses + other.misses,
                stale + other.stale,
                creations + other.creations,
                creating + other.creating,
                waits + other.waits,
                waiting + other.waiting);
    }

    /** For {@link #parse}. */
    String line() {
        return Stream.of(hits, misses, stale, creations, creating, waits, waiting)
                .map(String::valueOf)
                .collect(Collectors.joining(" "));
    }

    static Counts parse(List<String> words) {
        long[] numbers = words.stream().mapToLong(Long::parseLong).toArray();
        return new Counts(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%,d hits, %,d misses, %,d stale served, %,d creations in %s, %,d waited %s on average",
                hits,
                misses,
                stale,
                creations,
                Figures.time(creating),
                waits,
                Figures.time(waits == 0 ? 0 : waiting / waits));
    }
}
