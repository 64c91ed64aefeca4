package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the pages link to, there is something. Outside of this repository nobody is asked: only the form is checked. */
class LinksTest {
    private static final Pattern CODE = Pattern.compile("`[^`]*`");
    private static final List<Pattern> LINKS = List.of(
            Pattern.compile("\\]\\(([^()\\s]*(?:\\([^()\\s]*\\)[^()\\s]*)*)\\)"),
            Pattern.compile("^\\[[^\\]]+\\]: *(\\S+)"),
            Pattern.compile("<(?:a|img|source)\\b[^>]*?(?:href|src|srcset)=\"([^\"]*)\""));

    /** All pages of the top, the guide, and those of the benchmarks. */
    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(Guide.pages());
        for (Path folder : List.of(Guide.root(), Guide.root().resolve("benchmarks"))) {
            try (Stream<Path> files = Files.list(folder)) {
                files.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
            }
        }
        return pages;
    }

    private static List<String> links(Path page) {
        List<String> links = new ArrayList<>();
        for (String line : Guide.prose(page)) {
            String text = CODE.matcher(line).replaceAll("``");
            LINKS.forEach(form -> form.matcher(text)
                    .results()
                    .map((MatchResult link) -> link.group(1))
                    .forEach(links::add));
        }
        return links;
    }

    /** What is wrong with the links of a page. */
    private static List<String> broken(Path page) {
        return links(page).stream()
                .flatMap(link -> Stream.ofNullable(fault(page, link)).map(fault -> page.getFileName() + ": " + fault))
                .toList();
    }

    private static String fault(Path page, String link) {
        URI target;
        try {
            target = new URI(link);
        } catch (URISyntaxException malformed) {
            return "'" + link + "' is no link: " + malformed.getMessage();
        }
        if (target.isAbsolute()) {
            return target.getScheme().equals("https") && target.getHost() != null
                    ? null
                    : "'" + link + "' does not lead to https and a host";
        }
        Path file = target.getPath().isEmpty()
                ? page
                : page.resolveSibling(target.getPath()).normalize();
        if (link.isEmpty() || !Files.exists(file)) {
            return "'" + link + "' leads to no file";
        }
        String anchor = target.getFragment();
        return anchor == null || Guide.anchors(file).contains(anchor)
                ? null
                : "'" + link + "' leads to no heading; there are " + Guide.anchors(file);
    }

    @Test
    void everyLink_leadsSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        int links = 0;
        for (Path page : pages()) {
            broken.addAll(broken(page));
            links += links(page).size();
        }
        assertEquals(List.of(), broken);
        int found = links;
        assertTrue(found > 50, () -> found + " links");
    }

    /** Who reads the index finds every page, and who reads README finds the index. */
    @Test
    void everyPageOfTheGuide_isLinkedFromItsIndex() {
        List<String> linked = links(Guide.page("README.md"));
        for (Path page : Guide.pages()) {
            String name = page.getFileName().toString();
            assertTrue(name.equals("README.md") || linked.contains(name), name);
        }
        assertTrue(links(Guide.root().resolve("README.md")).contains("docs/README.md"));
    }

    @Test
    void whatIsWrong_isFound(@TempDir Path folder) throws IOException {
        Path page = folder.resolve("page.md");
        Files.writeString(folder.resolve("other.md"), "# What `when`, and (why)?\n## Twice\n## Twice\n");
        Files.writeString(page, """
                [a](other.md) [b](other.md#what-when-and-why) [c](other.md#twice-1) [d](#here) `[e](no.md)`
                [f](https://example.org/x(y))
                # Here
                [g](no.md) [h](other.md#twice-2) [i](http://example.org) [j](#there)
                [k]: neither.md
                <img src="none.svg">
                ```
                [l](no.md)
                ```
                """);
        List<String> broken = broken(page);
        assertEquals(6, broken.size(), broken::toString);
        for (String link :
                List.of("no.md", "other.md#twice-2", "http://example.org", "#there", "neither.md", "none.svg")) {
            assertTrue(broken.stream().anyMatch(fault -> fault.contains("'" + link + "'")), link);
        }
    }
}
