package io.dogpile.demo;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Draws one run as SVG: time to the right, one lane per caller, one mark per call. The outcomes differ in colour and in
 * height. All marks of an outcome are one path, so that a thousand calls stay a small file.
 */
final class Timeline {
    private static final int WIDTH = 960;
    private static final int RIGHT = 24;
    /** Leaves room for a note behind the longest mark. */
    private static final int RIGHT_OF_NOTES = 56;

    private static final int TOP = 24;
    private static final int BASELINE = 4;
    private static final double LEAST_MARK = 2;
    private static final double LABEL_DROP = 11;
    private static final int QUEUE_GAP = 24;
    private static final int QUEUE_HEIGHT = 48;

    private final Row row;
    private final Run run;
    /** The room left of the lanes, for their labels. */
    private final int gutter;

    private final int right;
    private final Axis axis;
    private final StringBuilder svg = new StringBuilder();

    private Timeline(Row row, Run run) {
        this.row = row;
        this.run = run;
        // Runs at a steady pace take the same time, and can be compared side by side.
        long end = row.kind() == Row.Kind.STEADY ? row.end() : run.end();
        this.gutter = row.kind() == Row.Kind.MANY_KEYS ? 150 : 76;
        boolean noted = row.kind() == Row.Kind.MANY_KEYS && row.inSeveralJvms();
        this.right = WIDTH - (noted ? RIGHT_OF_NOTES : RIGHT);
        this.axis = new Axis(end, gutter, right);
    }

    static String of(Row row, Run run) {
        return new Timeline(row, run).draw();
    }

    private String draw() {
        List<Lane> lanes = Lanes.of(row, run);
        double bottom = TOP + lanes.stream().mapToDouble(Lane::height).sum() + BASELINE;
        double height = row.kind() == Row.Kind.STEADY ? bottom + QUEUE_GAP + QUEUE_HEIGHT + BASELINE : bottom;
        svg.append(format(
                "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"%s\">%n",
                WIDTH, height, HtmlPage.escape("Timeline of " + row.title() + ", " + run.way())));
        ticks(height);
        marks(lanes);
        deaths(bottom);
        texts(lanes);
        if (row.kind() == Row.Kind.STEADY) {
            queue(bottom + QUEUE_GAP);
        }
        return svg.append("</svg>\n").toString();
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
                for (Lane.Mark mark : lane.marks()) {
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

    private void deaths(double bottom) {
        for (Run.Death death : run.deaths()) {
            svg.append(format(
                    "<path class=\"death\" d=\"M%.1f %d V%.1f\"/>%n", axis.x(death.at()), TOP - BASELINE, bottom));
        }
    }

    private void texts(List<Lane> lanes) {
        double top = TOP;
        for (Lane lane : lanes) {
            if (!lane.note().text().isEmpty()) {
                svg.append(format(
                        "<text class=\"note\" x=\"%.1f\" y=\"%.1f\">%s</text>%n",
                        axis.x(lane.note().after()) + 6,
                        top + LABEL_DROP,
                        HtmlPage.escape(lane.note().text())));
            }
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
        for (int x = gutter; x <= right; x++) {
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
        svg.append(format("<path class=\"base\" d=\"M%d %.1fH%d\"/>", gutter, base, right));
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
