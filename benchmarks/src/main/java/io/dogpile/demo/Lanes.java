package io.dogpile.demo;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Says what is drawn in which line of a timeline. */
final class Lanes {
    private static final double SMALL = 2.5;
    private static final double OF_A_KEY = 3.25;
    private static final double LARGE = 15;
    private static final double GAP = 8;
    private static final int MOST_LARGE = 8;

    private final Run run;
    private final boolean severalJvms;
    private final List<Lane> lanes = new ArrayList<>();

    private Lanes(Row row, Run run) {
        this.run = run;
        this.severalJvms = row.inSeveralJvms();
    }

    static List<Lane> of(Row row, Run run) {
        Lanes lanes = new Lanes(row, run);
        switch (row.kind()) {
            case ONE_KEY -> lanes.byOutcome();
            case MANY_KEYS -> lanes.byKey();
            case STEADY -> lanes.byCaller();
        }
        return List.copyOf(lanes.lanes);
    }

    static String name(int jvm) {
        return "JVM " + (jvm + 1);
    }

    /** The creators first, and large where they are few: one line in two hundred would not be seen. */
    private void byOutcome() {
        double ofCreators = run.creations() <= MOST_LARGE ? LARGE : SMALL;
        for (int jvm : run.jvms()) {
            gapBetweenJvms();
            List<Call> calls =
                    run.calls().stream().filter(call -> call.jvm() == jvm).toList();
            String label = severalJvms ? name(jvm) : "";
            for (Call call : calls) {
                for (Work brokenOff : brokenOff(call)) {
                    Lane.Mark mark = new Lane.Mark(Call.Outcome.CREATED, brokenOff.begin(), brokenOff.end());
                    Lane.Note note = new Lane.Note("kill -9, while it creates", mark.end());
                    lanes.add(new Lane(label, LARGE, List.of(mark), note));
                    label = "";
                }
            }
            for (Call.Outcome outcome : Call.Outcome.values()) {
                label = severalJvms ? label : outcome.cssClass();
                boolean created = outcome == Call.Outcome.CREATED;
                for (Call call : calls) {
                    if (call.outcome() == outcome && brokenOff(call).isEmpty()) {
                        lanes.add(new Lane(label, created ? ofCreators : SMALL, marks(call)));
                        label = "";
                    }
                }
            }
        }
    }

    /** The creation that the caller was at when its JVM was killed, if it was. */
    private List<Work> brokenOff(Call call) {
        return run.works().stream()
                .filter(work -> work.jvm() == call.jvm() && work.lane() == call.lane() && run.brokenOff(work))
                .toList();
    }

    /** Who took over had waited before. */
    private List<Lane.Mark> marks(Call call) {
        for (Run.Death death : run.deaths()) {
            Work takeover = run.takeover(death).orElse(null);
            if (takeover != null && takeover.jvm() == call.jvm() && takeover.lane() == call.lane()) {
                return List.of(
                        new Lane.Mark(Call.Outcome.WAITED, call.begin(), takeover.begin()),
                        new Lane.Mark(Call.Outcome.CREATED, takeover.begin(), call.end()));
            }
        }
        return List.of(Lane.Mark.of(call));
    }

    private void byKey() {
        Map<String, Integer> firstCallers = new HashMap<>();
        run.calls().forEach(call -> firstCallers.merge(call.key(), call.lane(), Math::min));
        Map<String, List<Call>> byKey =
                new TreeMap<>(Comparator.<String>comparingInt(key -> firstCallers.getOrDefault(key, 0))
                        .thenComparing(Comparator.naturalOrder()));
        run.calls()
                .forEach(call -> byKey.computeIfAbsent(call.key(), key -> new ArrayList<>())
                        .add(call));
        byKey.forEach((key, calls) -> {
            String label = key;
            calls.sort(Comparator.comparingLong(Call::end));
            Lane.Note note = noteOf(calls);
            for (Call call : calls) {
                lanes.add(new Lane(label, OF_A_KEY, List.of(Lane.Mark.of(call)), note));
                label = "";
                note = Lane.Note.NONE;
            }
        });
    }

    private Lane.Note noteOf(List<Call> callsOfOneKey) {
        List<Call> creators = callsOfOneKey.stream()
                .filter(call -> call.outcome() == Call.Outcome.CREATED)
                .toList();
        return severalJvms && creators.size() == 1
                ? new Lane.Note(
                        name(creators.get(0).jvm()),
                        callsOfOneKey.get(callsOfOneKey.size() - 1).end())
                : Lane.Note.NONE;
    }

    private void byCaller() {
        for (int jvm : run.jvms()) {
            gapBetweenJvms();
            TreeMap<Integer, List<Lane.Mark>> marks = new TreeMap<>();
            run.calls().stream()
                    .filter(call -> call.jvm() == jvm)
                    .forEach(call -> marks.computeIfAbsent(call.lane(), lane -> new ArrayList<>())
                            .add(Lane.Mark.of(call)));
            marks.forEach((caller, calls) -> lanes.add(new Lane(nameOfThread(jvm, caller), LARGE, calls)));
            List<Lane.Mark> behind = run.works().stream()
                    .filter(work -> work.jvm() == jvm && work.lane() == Work.BEHIND)
                    .map(work -> new Lane.Mark(Call.Outcome.CREATED, work.begin(), work.end()))
                    .toList();
            if (!behind.isEmpty()) {
                lanes.add(new Lane("executor", LARGE, behind));
            }
        }
    }

    private String nameOfThread(int jvm, int caller) {
        return severalJvms ? caller == 0 ? name(jvm) : "" : "thread " + (caller + 1);
    }

    private void gapBetweenJvms() {
        if (!lanes.isEmpty()) {
            lanes.add(Lane.gap(GAP));
        }
    }
}
