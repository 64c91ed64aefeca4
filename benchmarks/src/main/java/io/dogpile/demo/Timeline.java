package io.dogpile.demo;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Draws one run as SVG: time to the right, one lane per caller, one mark per call. The outcomes differ in colour and in
 * height. All marks of an outcome are one path, so that a thousand calls stay a small file.
 */
final class Timeline {
    private static final int WIDTH = 960;
    private static final int RIGHT = 24;
    private static final int TOP = 24;
    private static final int BASELINE = 4;
    private static final double LEAST_MARK = 2;
    private static final double SMALL_LANE = 2.5;
    private static final double KEY_LANE = 3.25;
    private static final double LARGE_LANE = 15;
    private static final int MOST_LARGE_LANES = 8;
    private static final double LABEL_DROP = 11;
    private static final int QUEUE_GAP = 24;
    private static final int QUEUE_HEIGHT = 48;

    private final Row row;
    private final Run run;
    /** The room left of the lanes, for their labels. */
    private final int gutter;

    private final Axis axis;
    private final StringBuilder svg = new StringBuilder();

    private Timeline(Row row, Run run) {
        this.row = row;
        this.run = run;
        // Runs at a steady pace take the same time, and can be compared side by side.
        long end = row.kind() == Row.Kind.STEADY ? row.end() : run.end();
        this.gutter = row.kind() == Row.Kind.MANY_KEYS ? 150 : 76;
        this.axis = new Axis(end, gutter, WIDTH - RIGHT);
    }

    static String of(Row row, Run run) {
        return new Timeline(row, run).draw();
    }

    /** What is drawn in one line: the marks, and what is written before it, often nothing. */
    private record Lane(String label, double height, List<Mark> marks) {}

    private record Mark(Call.Outcome outcome, long begin, long end) {
        static Mark of(Call call) {
            return new Mark(call.outcome(), call.begin(), call.end());
        }
    }

    private String draw() {
        List<Lane> lanes = switch (row.kind()) {
            case ONE_KEY -> byOutcome();
            case MANY_KEYS -> byKey();
            case STEADY -> byCaller();
        };
        double bottom = TOP + lanes.stream().mapToDouble(Lane::height).sum() + BASELINE;
        double height = row.kind() == Row.Kind.STEADY ? bottom + QUEUE_GAP + QUEUE_HEIGHT + BASELINE : bottom;
        svg.append(format(
                "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"%s\">%n",
                WIDTH, height, HtmlPage.escape("Timeline of " + row.title() + ", " + run.way())));
        ticks(height);
        marks(lanes);
        labels(lanes);
        if (row.kind() == Row.Kind.STEADY) {
            queue(bottom + QUEUE_GAP);
        }
        return svg.append("</svg>\n").toString();
    }

    /** The creators first, and large where they are few: one line in two hundred would not be seen. */
    private List<Lane> byOutcome() {
        boolean few = run.count(Call.Outcome.CREATED) <= MOST_LARGE_LANES;
        List<Lane> lanes = new ArrayList<>();
        for (Call.Outcome outcome : Call.Outcome.values()) {
            String label = outcome.cssClass();
            boolean large = few && outcome == Call.Outcome.CREATED;
            for (Call call : run.calls()) {
                if (call.outcome() == outcome) {
                    lanes.add(new Lane(label, large ? LARGE_LANE : SMALL_LANE, List.of(Mark.of(call))));
                    label = "";
                }
            }
        }
        return lanes;
    }

    private List<Lane> byKey() {
        Map<String, Integer> firstCallers = new HashMap<>();
        run.calls().forEach(call -> firstCallers.merge(call.key(), call.lane(), Math::min));
        List<Call> sorted = run.calls().stream()
                .sorted(Comparator.<Call>comparingInt(call -> firstCallers.getOrDefault(call.key(), 0))
                        .thenComparing(Call::end))
                .toList();
        List<Lane> lanes = new ArrayList<>();
        String above = "";
        for (Call call : sorted) {
            lanes.add(new Lane(call.key().equals(above) ? "" : call.key(), KEY_LANE, List.of(Mark.of(call))));
            above = call.key();
        }
        return lanes;
    }

    private List<Lane> byCaller() {
        TreeMap<Integer, List<Mark>> marks = new TreeMap<>();
        for (Call call : run.calls()) {
            marks.computeIfAbsent(call.lane(), lane -> new ArrayList<>()).add(Mark.of(call));
        }
        List<Lane> lanes = new ArrayList<>();
        marks.forEach((caller, calls) -> lanes.add(new Lane("thread " + (caller + 1), LARGE_LANE, calls)));
        List<Mark> behind = run.works().stream()
                .filter(work -> work.lane() == Work.BEHIND)
                .map(work -> new Mark(Call.Outcome.CREATED, work.begin(), work.end()))
                .toList();
        if (!behind.isEmpty()) {
            lanes.add(new Lane("executor", LARGE_LANE, behind));
        }
        return lanes;
    }

    private void ticks(double height) {
        for (long at : axis.ticks()) {
            double x = axis.x(at);
            svg.append(format("<path class=\"tick\" d=\"M%.1f %d V%.1f\"/>", x, TOP - BASELINE, height));
            svg.append(format("<text class=\"at\" x=\"%.1f\" y=\"14\">%s</text>%n", x, axis.label(at)));
        }
    }

    private void marks(List<Lane> lanes) {
        for (Call.Outcome outcome : Call.Outcome.values()) {
            StringBuilder path = new StringBuilder();
            double top = TOP;
            for (Lane lane : lanes) {
                double height = lane.height() * outcome.share();
                double y = top + (lane.height() - height) / 2;
                for (Mark mark : lane.marks()) {
                    if (mark.outcome() == outcome) {
                        double x = axis.x(mark.begin());
                        double width = Math.max(LEAST_MARK, axis.x(mark.end()) - x);
                        path.append(format("M%.1f %.2fh%.1fv%.2fh-%.1fz", x, y, width, height, width));
                    }
                }
                top += lane.height();
            }
            svg.append(format("<path class=\"%s\" d=\"%s\"/>%n", outcome.cssClass(), path));
        }
    }

    private void labels(List<Lane> lanes) {
        double top = TOP;
        for (Lane lane : lanes) {
            if (!lane.label().isEmpty()) {
                svg.append(format(
                        "<text class=\"lane\" x=\"%d\" y=\"%.1f\">%s</text>%n",
                        gutter - 8, top + LABEL_DROP, HtmlPage.escape(lane.label())));
            }
            top += lane.height();
        }
    }

    /** How many calls were due and had not begun, at each pixel; all runs of a row to the same scale. */
    private void queue(double top) {
        long most = Math.max(
                1, row.runs().stream().mapToLong(Timeline::longestQueue).max().orElseThrow());
        double base = top + QUEUE_HEIGHT;
        long[] dues = sorted(run, true);
        long[] begins = sorted(run, false);
        StringBuilder path = new StringBuilder(format("M%d %.1f", gutter, base));
        int due = 0;
        int begun = 0;
        for (int x = gutter; x <= WIDTH - RIGHT; x++) {
            long at = axis.time(x);
            while (due < dues.length && dues[due] <= at) {
                due++;
            }
            while (begun < begins.length && begins[begun] <= at) {
                begun++;
            }
            path.append(format("L%d %.1f", x, base - (double) QUEUE_HEIGHT * (due - begun) / most));
        }
        path.append(format("V%.1fz", base));
        svg.append(format("<path class=\"queue\" d=\"%s\"/>%n", path));
        svg.append(format("<path class=\"base\" d=\"M%d %.1fH%d\"/>", gutter, base, WIDTH - RIGHT));
        svg.append(format(
                "<text class=\"note\" x=\"%d\" y=\"%.1f\">calls due that no thread has taken yet: at most %d</text>%n",
                gutter, top - 6, longestQueue(run)));
    }

    private static long longestQueue(Run run) {
        long[] dues = sorted(run, true);
        long[] begins = sorted(run, false);
        int longest = 0;
        int begun = 0;
        for (int due = 0; due < dues.length; due++) {
            while (begins[begun] < dues[due]) {
                begun++;
            }
            // The one that is due just now is not kept waiting by this.
            longest = Math.max(longest, due - begun);
        }
        return longest;
    }

    private static long[] sorted(Run run, boolean dues) {
        long[] times =
                run.calls().stream().mapToLong(dues ? Call::due : Call::begin).toArray();
        Arrays.sort(times);
        return times;
    }

    private static String format(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }
}
