package io.dogpile.demo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** The page: one file that needs nothing else, with the figures as a table and every run drawn. */
final class HtmlPage {
    private static final String TEMPLATE = "page.html";
    private static final double LEAST_BAR_PERCENT = 0.3;

    private HtmlPage() {}

    static String of(List<Row> rows, String machine, String expensiveCall) throws IOException {
        StringBuilder drawn = new StringBuilder();
        rows.forEach(row -> section(drawn, row));
        return template()
                .replace("{{call}}", escape(expensiveCall))
                .replace("{{machine}}", escape(machine))
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
        Figures.HEADS.forEach(
                head -> table.append("<th scope=\"col\">").append(head).append("</th>"));
        table.append("</tr></thead>\n");
        for (Row row : rows) {
            table.append("<tbody><tr class=\"load\"><th scope=\"rowgroup\" colspan=\"")
                    .append(Figures.HEADS.size() + 1)
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
        page.append(escape(row.told()))
                .append(' ')
                .append(row.kind().howToRead())
                .append("</p>\n");
        if (row.kind() != Row.Kind.STEADY) {
            sameScale(page, row);
        }
        for (Run run : row.runs()) {
            page.append("<figure><figcaption><b>").append(escape(run.way())).append("</b> ");
            page.append(caption(run));
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
        return String.join(" · ", parts);
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
