package io.dogpile.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The page: one file that needs nothing else, with the figures as a table and every run drawn. */
final class HtmlPage {
    private static final String TEMPLATE = "page.html";
    private static final double LEAST_BAR_PERCENT = 0.3;

    private HtmlPage() {}

    /**
     * What is said before the figures.
     *
     * @param heading the page's heading
     * @param machine what it was measured on
     * @param call the expensive call
     * @param plain what the plain cache is
     */
    record Intro(String heading, String machine, String call, String plain) {}

    static String of(List<Row> rows, Intro intro) throws IOException {
        StringBuilder drawn = new StringBuilder();
        rows.forEach(row -> section(drawn, row));
        return template()
                .replace("{{heading}}", escape(intro.heading()))
                .replace("{{call}}", escape(intro.call()))
                .replace("{{machine}}", escape(intro.machine()))
                .replace("{{plain}}", escape(intro.plain()))
                .replace("{{legend}}", legend(rows))
                .replace("{{table}}", table(rows))
                .replace("{{rows}}", drawn);
    }

    private static String template() throws IOException {
        try (InputStream in = HtmlPage.class.getResourceAsStream(TEMPLATE)) {
            return new String(Objects.requireNonNull(in, TEMPLATE).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String table(List<Row> rows) {
        StringBuilder table = new StringBuilder("<thead><tr><th scope=\"col\">Run</th>");
        List<String> heads = Figures.heads(rows);
        heads.forEach(head -> table.append("<th scope=\"col\">").append(head).append("</th>"));
        table.append("</tr></thead>\n");
        for (Row row : rows) {
            table.append("<tbody><tr class=\"load\"><th scope=\"rowgroup\" colspan=\"")
                    .append(heads.size() + 1)
                    .append("\">")
                    .append(escape(row.title()))
                    .append("</th></tr>\n");
            for (Run run : row.runs()) {
                table.append("<tr><th scope=\"row\">").append(escape(run.way())).append("</th>");
                Figures.of(run)
                        .forEach(cell -> table.append("<td>").append(cell).append("</td>"));
                table.append("</tr>\n");
            }
            table.append("</tbody>\n");
        }
        return table.toString();
    }

    private static void section(StringBuilder page, Row row) {
        page.append("<section><h2>").append(escape(row.title())).append("</h2>\n<p>");
        page.append(escape(row.told())).append(' ').append(row.howToRead()).append("</p>\n");
        if (row.kind() != Row.Kind.STEADY && row.runs().size() > 1) {
            sameScale(page, row);
        }
        for (Run run : row.runs()) {
            page.append("<figure><figcaption><b>").append(escape(run.way())).append("</b> ");
            page.append(caption(run));
            creators(run)
                    .ifPresent(creators ->
                            page.append("<br><small>").append(escape(creators)).append("</small>"));
            if (!run.stats().isEmpty()) {
                page.append("<br><small>RegionStats: ")
                        .append(escape(run.stats()))
                        .append("</small>");
            }
            page.append("</figcaption>\n<div class=\"scroll\" tabindex=\"0\">");
            page.append(Timeline.of(row, run)).append("</div></figure>\n");
        }
        page.append("</section>\n");
    }

    /** Each timeline has its own scale; these bars share one. */
    private static void sameScale(StringBuilder page, Row row) {
        long longest = row.end();
        page.append("<dl class=\"bars\">");
        for (Run run : row.runs()) {
            double percent = Math.max(LEAST_BAR_PERCENT, 100.0 * run.end() / longest);
            page.append("<dt>").append(escape(run.way())).append("</dt><dd><span style=\"width:");
            page.append(String.format(Locale.ROOT, "%.2f%%", percent)).append("\"></span> all served after ");
            page.append(Figures.time(run.end())).append("</dd>\n");
        }
        page.append("</dl>\n");
    }

    /** Those outcomes that there are. */
    private static String legend(List<Row> rows) {
        StringBuilder legend = new StringBuilder();
        for (Call.Outcome outcome : Call.Outcome.values()) {
            if (rows.stream().flatMap(row -> row.runs().stream()).anyMatch(run -> run.count(outcome) > 0)) {
                legend.append("  <li><svg viewBox=\"0 0 34 16\" aria-hidden=\"true\"><path class=\"")
                        .append(outcome.cssClass())
                        .append("\" d=\"")
                        .append(outcome.sample())
                        .append("\"/></svg>")
                        .append(escape(outcome.label()))
                        .append("</li>\n");
            }
        }
        return legend.toString();
    }

    private static String caption(Run run) {
        List<String> parts = new ArrayList<>();
        long behind =
                run.works().stream().filter(work -> work.lane() == Work.BEHIND).count();
        if (behind > 0) {
            parts.add(Figures.count(behind) + " created on the executor");
        }
        for (Call.Outcome outcome : Call.Outcome.values()) {
            long calls = run.count(outcome);
            if (calls > 0) {
                parts.add(Figures.count(calls) + ' ' + outcome.label());
            }
        }
        parts.addAll(Figures.deaths(run));
        return String.join(" · ", parts);
    }

    /** Which of several JVMs have created. */
    private static Optional<String> creators(Run run) {
        if (run.jvms().size() < 2) {
            return Optional.empty();
        }
        Map<Integer, Long> byJvm =
                run.works().stream().collect(Collectors.groupingBy(Work::jvm, TreeMap::new, Collectors.counting()));
        return Optional.of("Creations: "
                + byJvm.entrySet().stream()
                        .map(entry -> Figures.count(entry.getValue()) + " in " + Lanes.name(entry.getKey()))
                        .collect(Collectors.joining(", ")));
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
