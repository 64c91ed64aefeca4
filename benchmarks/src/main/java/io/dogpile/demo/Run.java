package io.dogpile.demo;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What was measured of one way to meet one load.
 *
 * @param way what stood between the callers and the expensive call
 * @param calls all calls, in the order of their ends
 * @param works all runs of the expensive call
 * @param stats what the way itself has counted; empty if it counts nothing
 * @param commands how many commands the JVMs sent to the server that they share, or {@link #NOT_COUNTED}
 * @param deaths the JVMs that were killed
 */
record Run(String way, List<Call> calls, List<Work> works, String stats, long commands, List<Death> deaths) {
    /** Where there is no server. */
    static final long NOT_COUNTED = -1;

    /**
     * The end of a JVM.
     *
     * @param jvm its number
     * @param at when it was killed, in nanoseconds since the run began
     */
    record Death(int jvm, long at) {}

    Run(String way, List<Call> calls, List<Work> works, String stats) {
        this(way, calls, works, stats, NOT_COUNTED, List.of());
    }

    /** How long those waited who got their value. */
    Percentiles waits() {
        return Percentiles.of(calls.stream()
                .filter(call -> call.outcome() != Call.Outcome.DIED)
                .mapToLong(Call::waited)
                .toArray());
    }

    /** The numbers of the JVMs that it ran in. */
    List<Integer> jvms() {
        return Stream.concat(calls.stream().map(Call::jvm), works.stream().map(Work::jvm))
                .distinct()
                .sorted()
                .toList();
    }

    /** The first creation that began after a JVM was killed. */
    Optional<Work> takeover(Death death) {
        return works.stream()
                .filter(work -> work.jvm() != death.jvm() && work.begin() >= death.at())
                .min(Comparator.comparingLong(Work::begin));
    }

    /** Whether a JVM has died in the middle of this. */
    boolean brokenOff(Work work) {
        return deaths.stream().anyMatch(death -> death.jvm() == work.jvm() && death.at() == work.end());
    }

    long count(Call.Outcome outcome) {
        return calls.stream().filter(call -> call.outcome() == outcome).count();
    }

    int creations() {
        return works.size();
    }

    /** When the last of the calls and the works was over. */
    long end() {
        long end = works.stream().mapToLong(Work::end).max().orElse(0);
        return Math.max(end, calls.get(calls.size() - 1).end());
    }
}
