package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** What the guide shows is what the tests of all modules run, and what it says of the log is what the sources say. */
class GuideTest {
    /** What else may stand between fences; so no Java hides behind a fence without a name. */
    private static final Set<String> LANGUAGES =
            Set.of("java", "properties", "xml", "sh", "python", "mermaid", "text", "promql", "yaml");

    private static final Pattern LOGGED = Pattern.compile(
            "\\b(?:log|LOG)\\.(?:warn|info|error)\\(\\s*(\"(?:[^\"\\\\]|\\\\.)*\"(?:\\s*\\+\\s*\"(?:[^\"\\\\]|\\\\.)*\")*)");

    private static Stream<Path> sources(String kind) {
        try (Stream<Path> modules = Files.list(Guide.root())) {
            return modules
                    .map(module -> module.resolve("src/" + kind + "/java"))
                    .filter(Files::isDirectory)
                    .flatMap(GuideTest::walk)
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static Stream<Path> walk(Path folder) {
        try {
            return Files.walk(folder).filter(file -> file.toString().endsWith(".java"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static String shown(Stream<Guide.Block> blocks) {
        return blocks.map(block -> "== " + block.place() + "\n" + block.text())
                .sorted()
                .collect(Collectors.joining("\n"));
    }

    @Test
    void everySampleOfTheGuide_isRunByATest() {
        List<Guide.Block> java = Guide.pages().stream()
                .filter(page -> !comparedByDocsTest(page))
                .flatMap(page -> Guide.blocks(page).stream())
                .filter(block -> block.language().equals("java"))
                .toList();
        assertTrue(java.size() > 30, () -> java.size() + " samples");
        assertEquals(
                shown(sources("test")
                        .filter(source -> source.toString().endsWith("Test.java")) // what the build runs
                        .flatMap(source -> Guide.samples(source).stream())),
                shown(java.stream()));
    }

    /** Two pages show what an outside project has; a test of it compares their samples, all of them. */
    private static boolean comparedByDocsTest(Path page) {
        Path test = Guide.root().resolve("benchmarks/src/test/java/com/example/shop/DocsTest.java");
        String name = page.getFileName().toString().replace(".md", "");
        return Guide.lines(test).stream()
                .anyMatch(line -> line.contains("@ValueSource") && line.contains('"' + name + '"'));
    }

    @Test
    void everySampleOfReadme_isThatOfAModule_whoseTestComparesThem() throws IOException {
        int inModules = 0;
        for (String module : List.of("dogpile-core", "dogpile-cache", "dogpile-redis", "dogpile-memcached")) {
            Path test = Guide.root()
                    .resolve(module + "/src/test/java/io/dogpile/" + module.substring("dogpile-".length())
                            + "/ReadmeExamplesTest.java");
            assertTrue(Files.readString(test).contains("ReadmeSamples.shown(\"" + module + "\")"), test::toString);
            inModules += ReadmeSamples.shown(module).size();
        }
        assertEquals(
                inModules,
                Guide.blocks(Guide.root().resolve("README.md")).stream()
                        .filter(block -> block.language().equals("java"))
                        .count());
    }

    @Test
    void everyFence_namesItsLanguage() {
        List<String> others = Guide.pages().stream()
                .flatMap(page -> Guide.blocks(page).stream())
                .filter(block -> !LANGUAGES.contains(block.language()))
                .map(block -> block.place() + " has a block of '" + block.language() + "'")
                .toList();
        assertEquals(List.of(), others);
    }

    /** Seen once in a browser, which no build has: a semicolon ends a statement, also inside of a message. */
    @Test
    void pictures_haveNoSemicolon() {
        List<Guide.Block> pictures = Guide.pages().stream()
                .flatMap(page -> Guide.blocks(page).stream())
                .filter(block -> block.language().equals("mermaid"))
                .toList();
        assertTrue(pictures.size() >= 2, () -> pictures.size() + " pictures");
        pictures.forEach(picture -> assertFalse(picture.text().contains(";"), picture::place));
    }

    @Test
    void dependencies_areModulesOfThisVersion() throws Exception {
        int dependencies = 0;
        for (Path page : Guide.pages()) {
            for (Guide.Block block : Guide.blocks(page)) {
                if (block.language().equals("xml")) {
                    dependencies += checkedDependencies(block);
                }
            }
        }
        assertTrue(dependencies > 0);
    }

    private static int checkedDependencies(Guide.Block block) throws Exception {
        Document pom = parsed("<project>" + block.text() + "</project>");
        String version = parsed(Files.readString(Guide.root().resolve("pom.xml")))
                .getDocumentElement()
                .getElementsByTagName("version")
                .item(0)
                .getTextContent();
        NodeList all = pom.getElementsByTagName("dependency");
        for (int i = 0; i < all.getLength(); i++) {
            Element dependency = (Element) all.item(i);
            assertEquals("io.dogpile", text(dependency, "groupId"), block.place());
            assertEquals(version, text(dependency, "version"), block.place());
            String artifact = text(dependency, "artifactId");
            boolean parent = artifact.equals("dogpile-parent");
            assertTrue(parent || Files.isDirectory(Guide.root().resolve(artifact)), block.place());
        }
        return all.getLength();
    }

    private static Document parsed(String xml) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    }

    private static String text(Element of, String child) {
        return of.getElementsByTagName(child).item(0).getTextContent();
    }

    /** Each line that the modules write above DEBUG, and no other, is told in the guide, with its level. */
    @Test
    void failures_namesEveryLineOfTheLog() {
        List<String> written = sources("main")
                .filter(source -> !source.toString().contains("benchmarks"))
                .flatMap(GuideTest::logged)
                .distinct()
                .sorted()
                .toList();
        List<String> told = Guide.table("failures.md#in-the-log").stream()
                .map(row -> Guide.code(row.get(0)).get(0) + " "
                        + Guide.code(row.get(2)).get(0))
                .sorted()
                .toList();
        assertEquals(String.join("\n", written), String.join("\n", told));
    }

    private static Stream<String> logged(Path source) {
        List<String> logged = new ArrayList<>();
        Matcher call = LOGGED.matcher(String.join("\n", Guide.lines(source)));
        while (call.find()) {
            String level =
                    call.group().replaceAll("(?s).*?\\.(\\w+)\\(.*", "$1").toUpperCase(Locale.ROOT);
            logged.add(level + " "
                    + call.group(1).replaceAll("\"\\s*\\+\\s*\"", "").replaceAll("^\"|\"$", ""));
        }
        return logged.stream();
    }
}
