package com.example.shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.dogpile.core.ReadmeSamples;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What two pages show is what runs here. */
class DocsTest {
    @ParameterizedTest
    @ValueSource(strings = {"testing", "plug-your-own"})
    void samples_areWhatRunsHere(String page) throws IOException {
        List<String> shown =
                ReadmeSamples.blocks(Files.readAllLines(Path.of("..", "docs", page + ".md")), "```java", "```");
        List<String> run = new ArrayList<>();
        try (Stream<Path> files = Files.list(Path.of("src", "test", "java", "com", "example", "shop"))) {
            for (Path file : files.toList()) {
                run.addAll(ReadmeSamples.blocks(Files.readAllLines(file), "// docs " + page, "// end"));
            }
        }
        assertFalse(shown.isEmpty());
        assertEquals(new TreeSet<>(run), new TreeSet<>(shown));
    }
}
