package io.dogpile.demo;

import java.util.List;

/**
 * What was measured of one way to meet one load.
 *
 * @param way what stood between the callers and the expensive call
 * @param calls all calls, in the order of their ends
 * @param works all runs of the expensive call
 * @param stats what the way itself has counted; empty if it counts nothing
 */
record Run(String way, List<Call> calls, List<Work> works, String stats) {
    Percentiles waits() {
        return Percentiles.of(calls.stream().mapToLong(Call::waited).toArray());
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
