package io.dogpile.demo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;

/** Puts together what several JVMs tell of one run, and what those no longer can that were killed. Thread-safe. */
final class Gathering {
    private final Recorder recorder = new Recorder();
    private final CompletableFuture<Integer> firstCreator = new CompletableFuture<>();
    private final Map<Place, Long> working = new ConcurrentHashMap<>();
    private final Set<Place> served = ConcurrentHashMap.newKeySet();
    private final Queue<Run.Death> deaths = new ConcurrentLinkedQueue<>();
    private final Queue<Call> diedCalls = new ConcurrentLinkedQueue<>();

    /** A caller among all JVMs. */
    private record Place(int jvm, int lane) {}

    /** All that was told so far. */
    Recorder recorder() {
        return recorder;
    }

    /** The number of the first JVM in which somebody creates. */
    Future<Integer> firstCreator() {
        return firstCreator;
    }

    void begun(int jvm, int lane, long at) {
        working.put(new Place(jvm, lane), at);
        recorder.begun();
        firstCreator.complete(jvm);
    }

    void worked(Work work) {
        working.remove(new Place(work.jvm(), work.lane()));
        recorder.add(work);
    }

    void called(Call call) {
        served.add(new Place(call.jvm(), call.lane()));
        recorder.add(call);
    }

    /** A JVM was killed just now, and all that it told was taken before: what it was at is broken off. */
    void died(int jvm, List<String> keysOfCallers) {
        long at = recorder.now();
        deaths.add(new Run.Death(jvm, at));
        working.forEach((place, begin) -> {
            if (place.jvm() == jvm) {
                recorder.add(new Work(jvm, place.lane(), begin, at));
            }
        });
        for (int lane = 0; lane < keysOfCallers.size(); lane++) {
            if (!served.contains(new Place(jvm, lane))) {
                diedCalls.add(new Call(jvm, lane, keysOfCallers.get(lane), 0, 0, at, Call.Outcome.DIED));
            }
        }
    }

    Run run(String way, String stats, long commands) {
        Run told = recorder.run(way, stats);
        List<Call> calls = new ArrayList<>(told.calls());
        calls.addAll(diedCalls);
        calls.sort(Comparator.comparingLong(Call::end));
        return new Run(way, List.copyOf(calls), told.works(), stats, commands, List.copyOf(deaths));
    }
}
