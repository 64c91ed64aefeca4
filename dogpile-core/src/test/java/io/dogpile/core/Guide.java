package io.dogpile.core;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The pages that are written for people: README.md and the guide in docs.
 *
 * <p>A Java sample of the guide stands in a test, too, between {@code // guide recipes.md#bulk}, which names the page and
 * the heading above the sample, and {@code // end}. {@link GuideTest} compares the two.
 */
public final class Guide {
    private static final Pattern HEADING = Pattern.compile("#{1,6} +(.*?) *");
    private static final Pattern FENCE = Pattern.compile("\\s*```(\\S*).*");
    private static final Pattern LINK = Pattern.compile("\\[([^\\]]*)\\]\\([^)]*\\)");
    private static final Pattern NEITHER_LETTER_NOR_DIGIT = Pattern.compile("[^\\p{L}\\p{N}\\p{M} _-]");
    private static final Pattern MARK = Pattern.compile("\\s*// guide (\\S+)");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    private Guide() {}

    /**
     * A fenced block.
     *
     * @param place the page and the anchor of the heading above it, such as {@code recipes.md#bulk}
     * @param language what stands behind the fence
     * @param text what it holds
     */
    public record Block(String place, String language, String text) {}

    /** The folder that holds the modules. */
    public static Path root() {
        Path here = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(here.resolve("dogpile-core"))) {
            here = here.getParent();
        }
        return here;
    }

    /** A page of the guide. */
    public static Path page(String name) {
        return root().resolve("docs").resolve(name);
    }

    /** The pages of the guide, by name. */
    public static List<Path> pages() {
        try (Stream<Path> files = Files.list(root().resolve("docs"))) {
            return files.filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The lines of a file. */
    public static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The fenced blocks of a page. */
    public static List<Block> blocks(Path page) {
        List<Block> blocks = new ArrayList<>();
        Anchors anchors = new Anchors();
        String place = page.getFileName().toString();
        String language = null;
        List<String> block = new ArrayList<>();
        for (String line : lines(page)) {
            Matcher fence = FENCE.matcher(line);
            if (language == null && fence.matches()) {
                language = fence.group(1);
                block.clear();
            } else if (language != null && line.strip().equals("```")) {
                blocks.add(new Block(place, language, String.join("\n", block).stripIndent()));
                language = null;
            } else if (language != null) {
                block.add(line);
            } else if (HEADING.matcher(line).matches()) {
                place = page.getFileName() + "#" + anchors.of(line);
            }
        }
        return blocks;
    }

    /** The lines of a page that are not inside of a fence; those inside are empty. */
    public static List<String> prose(Path page) {
        List<String> prose = new ArrayList<>();
        boolean fenced = false;
        for (String line : lines(page)) {
            boolean fence = FENCE.matcher(line).matches();
            prose.add(fence || fenced ? "" : line);
            fenced = fence != fenced;
        }
        return prose;
    }

    /** The anchors that GitHub makes of a page's headings. */
    public static List<String> anchors(Path page) {
        Anchors anchors = new Anchors();
        return prose(page).stream()
                .filter(line -> HEADING.matcher(line).matches())
                .map(anchors::of)
                .toList();
    }

    /** Counts what comes twice, as GitHub does. */
    private static final class Anchors {
        private final Map<String, Integer> seen = new HashMap<>();

        String of(String line) {
            Matcher heading = HEADING.matcher(line);
            if (!heading.matches()) {
                throw new IllegalArgumentException(line);
            }
            String text = LINK.matcher(heading.group(1)).replaceAll("$1").toLowerCase(Locale.ROOT);
            String anchor =
                    NEITHER_LETTER_NOR_DIGIT.matcher(text).replaceAll("").replace(' ', '-');
            int before = seen.merge(anchor, 1, Integer::sum) - 1;
            return before == 0 ? anchor : anchor + "-" + before;
        }
    }

    /** The samples in a test's source. */
    public static List<Block> samples(Path source) {
        List<Block> samples = new ArrayList<>();
        String place = null;
        List<String> sample = new ArrayList<>();
        for (String line : lines(source)) {
            Matcher mark = MARK.matcher(line);
            if (mark.matches()) {
                if (place != null) {
                    throw new IllegalStateException(source + " has no '// end' behind " + place);
                }
                place = mark.group(1);
                sample.clear();
            } else if (place != null && line.strip().equals("// end")) {
                samples.add(new Block(place, "java", String.join("\n", sample).stripIndent()));
                place = null;
            } else if (place != null) {
                sample.add(line);
            }
        }
        if (place != null) {
            throw new IllegalStateException(source + " has no '// end' behind " + place);
        }
        return samples;
    }

    /** The rows of all tables under a heading, without those that name the columns: the cells of each. */
    public static List<List<String>> table(String place) {
        String page = place.substring(0, place.indexOf('#'));
        String wanted = place.substring(place.indexOf('#') + 1);
        Anchors anchors = new Anchors();
        String current = "";
        boolean headless = false;
        List<List<String>> rows = new ArrayList<>();
        for (String line : prose(page(page))) {
            if (HEADING.matcher(line).matches()) {
                current = anchors.of(line);
            }
            headless = line.startsWith("|") && (headless || line.matches("[|:\\- ]+"));
            if (headless && current.equals(wanted) && !line.matches("[|:\\- ]+")) {
                rows.add(Stream.of(line.strip().substring(1).split("(?<!\\\\)\\|"))
                        .map(cell -> cell.strip().replace("\\|", "|"))
                        .toList());
            }
        }
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("no table under " + place);
        }
        return rows;
    }

    /** What a cell says as code. */
    public static List<String> code(String cell) {
        return CODE.matcher(cell).results().map(found -> found.group(1)).toList();
    }
}
