package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What must not stand in the main code of any module that is published; benchmarks and demo measure, and may. */
class SourcesTest {
    private static final Pattern COMMENTS_AND_TEXTS = Pattern.compile(
            "/\\*.*?\\*/|//[^\\n]*|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])'", Pattern.DOTALL);

    private List<Path> sources;

    @BeforeEach
    void findSources() throws IOException {
        try (Stream<Path> modules = Files.list(root());
                Stream<Path> files = modules.filter(module -> !module.endsWith("benchmarks"))
                        .map(module -> module.resolve("src/main/java"))
                        .filter(Files::isDirectory)
                        .flatMap(SourcesTest::walk)) {
            sources = files.filter(file -> file.toString().endsWith(".java")).toList();
        }
        assertTrue(sources.stream().anyMatch(file -> file.endsWith("io/dogpile/core/Election.java")));
        assertTrue(sources.stream().anyMatch(file -> file.toString().contains("dogpile-cache")));
    }

    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(here.resolve("dogpile-core"))) {
            here = here.getParent();
        }
        return here;
    }

    private static Stream<Path> walk(Path folder) {
        try {
            return Files.walk(folder);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** The names of the files whose code, apart from comments and texts, has what is sought. */
    private TreeSet<String> filesWith(String sought) {
        Pattern pattern = Pattern.compile(sought);
        return sources.stream()
                .filter(file -> pattern.matcher(code(file)).find())
                .map(file -> file.getFileName().toString())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String code(Path file) {
        try {
            return COMMENTS_AND_TEXTS.matcher(Files.readString(file)).replaceAll(" ");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void nothingIsSynchronized_soThatNoVirtualThreadPinsItsCarrier() {
        assertEquals(new TreeSet<>(), filesWith("\\bsynchronized\\b"));
        assertEquals(new TreeSet<>(), filesWith("\\b(wait|notify|notifyAll)\\(\\)"));
    }

    @Test
    void timeIsRead_byClocksOnly() {
        assertEquals(
                new TreeSet<>(List.of("Clocks.java")),
                filesWith("\\bnanoTime\\b|\\bcurrentTimeMillis\\b|\\bInstant(\\.|::)now\\b|\\bClock\\.system"));
    }

    @Test
    void noPackage_hidesByItsNameOnly() {
        assertEquals(new TreeSet<>(), filesWith("\\bpackage [\\w.]*\\b(internal|impl|util)\\b"));
    }

    @Test
    void nobodySleeps() {
        assertEquals(new TreeSet<>(), filesWith("\\bsleep\\("));
    }
}
