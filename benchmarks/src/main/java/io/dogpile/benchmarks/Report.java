package io.dogpile.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.dogpile.benchmarks.Measured.Sheet;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Collectors;

/**
 * The command that makes one page of the measured files: all inlined, so that it needs no network. Whatever figure it shows is
 * in one of the files. Unless it is told where they are, it first takes over what was measured last into the files that are
 * committed, and writes those into the READMEs, too.
 */
public final class Report {
    /** Heights in a chart, in pixels. */
    private static final int OF_A_BAR = 22;

    private static final int LEAST_OF_A_ROW = 38;
    private static final int AROUND = 100;
    private static final int OF_LINES = 420;

    private static final String NAME = "report.html";
    private static final String PAGE = "report.html";
    private static final String LIBRARY = "META-INF/resources/webjars/chart.js/%s/dist/chart.umd.js";
    private static final String LIBRARY_VERSION = "META-INF/maven/org.webjars.npm/chart.js/pom.properties";

    private final List<Measured> all;
    private final StringBuilder out = new StringBuilder();
    private int charts;

    private Report(List<Measured> all) {
        this.all = all;
    }

    /**
     * Makes the page, and the tables of the READMEs.
     *
     * @param args the directory of the measured files, in which the page is written, and nothing else; by default the page is of
     *     all that is kept in {@value Readmes#KEPT}, and written beside what was measured last
     */
    public static void main(String[] args) throws IOException {
        Path measured = Path.of(args.length == 0 ? Benchmarks.RESULTS : args[0]);
        Path source = measured;
        if (args.length == 0) {
            source = Path.of(Readmes.KEPT);
            Measured.takeOver(measured, source);
        }
        List<Measured> all = Measured.all(source);
        if (all.isEmpty()) {
            System.err.println("No figures in " + source.toAbsolutePath() + ": measure first, by Benchmarks");
            System.exit(2);
        }
        Files.createDirectories(measured);
        Path page = measured.resolve(NAME);
        Files.writeString(page, page(all));
        System.out.println(page.toAbsolutePath());
        if (args.length == 0) {
            Readmes.write(Path.of(""), all);
        }
    }

    static String page(List<Measured> all) throws IOException {
        Map<String, String> parts = Map.of(
                "BODY", new Report(all).body(),
                "LIBRARY", library().replace("</script", "<\\/script"));
        String page = resource("io/dogpile/benchmarks/" + PAGE);
        StringBuilder filled = new StringBuilder();
        for (String piece : page.split("@@", -1)) {
            filled.append(parts.getOrDefault(piece, piece));
        }
        return filled.toString();
    }

    private static String library() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = opened(LIBRARY_VERSION)) {
            properties.load(in);
        }
        return resource(String.format(LIBRARY, properties.getProperty("version")));
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = opened(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static InputStream opened(String name) {
        return Objects.requireNonNull(Report.class.getClassLoader().getResourceAsStream(name), name);
    }

    private String body() throws JsonProcessingException {
        machines();
        losses();
        missed();
        contents();
        for (Measured group : all) {
            out.append("<section id=\"").append(escaped(group.id())).append("\"><h2>");
            out.append(escaped(group.title())).append("</h2>");
            paragraph("when", when(group));
            out.append("<pre>").append(escaped(group.command())).append("</pre>");
            for (Sheet sheet : group.sheets()) {
                sheet(group, sheet);
            }
            out.append("</section>\n");
        }
        return out.toString();
    }

    private static String when(Measured group) {
        return "Run " + group.run() + ", began " + group.began() + ", took " + group.seconds() + " s, "
                + group.machine().loadTold();
    }

    /** Each machine once, with the groups that were measured on it. */
    private void machines() {
        Map<String, List<String>> groups = new LinkedHashMap<>();
        for (Measured each : all) {
            groups.computeIfAbsent(each.machine().told(), none -> new ArrayList<>())
                    .add(each.group());
        }
        out.append("<section><h2>Where and when</h2><ul>");
        groups.forEach((machine, names) -> {
            out.append("<li>").append(escaped(machine));
            out.append(groups.size() == 1 ? "" : ": " + escaped(String.join(", ", names)));
            out.append("</li>");
        });
        String first = all.stream().map(Measured::began).min(String::compareTo).orElseThrow();
        String last = all.stream().map(Measured::began).max(String::compareTo).orElseThrow();
        out.append("<li>Groups began between ").append(escaped(first)).append(" and ");
        out.append(escaped(last)).append("</li></ul></section>\n");
    }

    private void losses() {
        out.append("<section><h2>Where another is better</h2>");
        List<Loss> losses = all.stream()
                .flatMap(group -> group.sheets().stream().flatMap(sheet -> Loss.of(group.title(), sheet).stream()))
                .toList();
        if (losses.isEmpty()) {
            out.append("<p>In no chart of this report.</p>");
        } else {
            List<List<String>> rows = losses.stream().map(Loss::cells).toList();
            table(List.of("where", "figure", "best", "", "ours", "", "x"), rows);
        }
        out.append("</section>\n");
    }

    private void missed() {
        long goals = all.stream()
                .flatMap(group -> group.sheets().stream())
                .mapToLong(sheet -> sheet.goals().size())
                .sum();
        List<List<String>> missed = all.stream()
                .flatMap(group -> group.sheets().stream()
                        .flatMap(sheet -> sheet.goals().stream()
                                .filter(goal -> !goal.met())
                                .map(goal -> List.of(group.title() + ": " + sheet.title(), goal.text()))))
                .toList();
        out.append("<section><h2>Goals missed</h2>");
        paragraph("", missed.size() + " of " + goals + " goals were missed.");
        if (!missed.isEmpty()) {
            table(List.of("where", "goal"), missed);
        }
        out.append("</section>\n");
    }

    private void contents() {
        out.append("<nav>");
        out.append(all.stream()
                .map(group -> "<a href=\"#" + escaped(group.id()) + "\">" + escaped(group.title()) + "</a>")
                .collect(Collectors.joining(" ")));
        out.append("</nav>\n");
    }

    private void sheet(Measured group, Sheet sheet) throws JsonProcessingException {
        if (!sheet.title().isEmpty()) {
            out.append("<h3>").append(escaped(sheet.title())).append("</h3>");
        }
        if (sheet.chart() != null) {
            chart(group, sheet, sheet.chart());
        }
        if (!sheet.rows().isEmpty()) {
            table(sheet.heads(), sheet.rows());
        }
        if (!sheet.goals().isEmpty()) {
            out.append("<ul>");
            for (Goal.Verdict goal : sheet.goals()) {
                out.append(goal.met() ? "<li>met: " : "<li class=\"missed\">MISSED: ")
                        .append(escaped(goal.text()))
                        .append("</li>");
            }
            out.append("</ul>");
        }
        sheet.notes().forEach(note -> paragraph("", note));
    }

    private void chart(Measured group, Sheet sheet, Chart chart) throws JsonProcessingException {
        Map<String, Object> drawn = new LinkedHashMap<>();
        drawn.put("form", chart.form());
        drawn.put("logarithmic", chart.scale() == Chart.Scale.LOGARITHMIC);
        drawn.put("labels", sheet.rows().stream().map(row -> row.get(0)).toList());
        drawn.put("ours", sheet.rows().stream().map(row -> Ours.is(row.get(0))).toList());
        drawn.put("first", sheet.heads().get(0));
        drawn.put("better", chart.better());
        List<Map<String, Object>> series = new ArrayList<>();
        for (String column : chart.columns()) {
            int at = sheet.heads().indexOf(column);
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", column);
            one.put(
                    "values",
                    sheet.rows().stream().map(row -> Ours.number(row.get(at))).toList());
            series.add(one);
        }
        drawn.put("series", series);
        String id = group.id() + "-chart-" + ++charts;
        // On a phone a label has up to three lines.
        int aRow = Math.max(LEAST_OF_A_ROW, OF_A_BAR * chart.columns().size());
        int height =
                chart.form() == Chart.Form.BARS ? AROUND + aRow * sheet.rows().size() : OF_LINES;
        out.append("<div class=\"chart\" style=\"height:")
                .append(height)
                .append("px\"><canvas id=\"")
                .append(id)
                .append("\" role=\"img\" aria-label=\"")
                .append(escaped(sheet.title()))
                .append(
                        ", drawn; the figures are in the table below\"></canvas></div><script type=\"application/json\" data-chart=\"")
                .append(id)
                .append("\">")
                .append(new ObjectMapper().writeValueAsString(drawn).replace("<", "\\u003c"))
                .append("</script>");
        paragraph("command", "Drawn from the table below; measured by " + group.command());
    }

    private void table(List<String> heads, List<List<String>> rows) {
        out.append("<div class=\"table\"><table><thead><tr>");
        heads.forEach(head -> out.append("<th>").append(escaped(head)).append("</th>"));
        out.append("</tr></thead><tbody>");
        for (List<String> row : rows) {
            out.append(Ours.is(row.get(0)) ? "<tr class=\"ours\">" : "<tr>");
            for (String cell : row) {
                out.append(Double.isNaN(Ours.number(cell)) ? "<td>" : "<td class=\"number\">");
                out.append(escaped(cell)).append("</td>");
            }
            out.append("</tr>");
        }
        out.append("</tbody></table></div>");
    }

    private void paragraph(String type, String text) {
        out.append("<p class=\"")
                .append(type)
                .append("\">")
                .append(escaped(text))
                .append("</p>");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
