package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each promise in GUARANTEES.md names tests that there are, and says how they were seen to fail. */
class GuaranteesTest {
    private static final Pattern ROW = Pattern.compile("^\\| ([A-Z][0-9]+) \\|(.*)\\|$");
    private static final Pattern HEADING = Pattern.compile("^#+ (.*)$");
    private static final Pattern SEEN_TO_FAIL = Pattern.compile("^- \\*\\*([^*]+)\\*\\*: .*$");
    private static final Set<String> STORES = Set.of("Redis", "Memcached", "Files"); // whose rows have the same names
    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w+)\\.(\\w+)`");

    @Test
    void everyPromise_namesTestsThatThereAre() throws IOException {
        Path root = Path.of("..");
        Map<String, String> tests = testSources(root);
        List<String> missing = new ArrayList<>();
        int rows = 0;
        for (String line : Files.readAllLines(root.resolve("GUARANTEES.md"))) {
            var row = ROW.matcher(line);
            if (!row.matches()) {
                continue;
            }
            rows++;
            String[] cells = row.group(2).split(" \\| ", -1);
            List<String> named = NAMED.matcher(cells[cells.length - 1])
                    .results()
                    .filter(test -> !isIn(tests.get(test.group(1)), test.group(2)))
                    .map(test -> test.group(1) + "." + test.group(2))
                    .toList();
            missing.addAll(named);
            if (!NAMED.matcher(cells[cells.length - 1]).find()) {
                missing.add(row.group(1) + " names no test");
            }
        }
        assertEquals(List.of(), missing);
        assertTrue(rows > 30, "rows read: " + rows);
    }

    @Test
    void everyPromise_saysHowItsTestsWereSeenToFail_byTestsThatThereAre() throws IOException {
        Path root = Path.of("..");
        Map<String, String> tests = testSources(root);
        List<String> rows = new ArrayList<>();
        List<String> seenToFail = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        String store = "";
        for (String line : Files.readAllLines(root.resolve("GUARANTEES.md"))) {
            var heading = HEADING.matcher(line);
            var row = ROW.matcher(line);
            var seen = SEEN_TO_FAIL.matcher(line);
            if (heading.matches()) {
                store = STORES.contains(heading.group(1)) ? heading.group(1) + " " : "";
            } else if (row.matches()) {
                rows.add(store + row.group(1));
            } else if (seen.matches()) {
                seenToFail.add(seen.group(1));
                NAMED.matcher(line)
                        .results()
                        .filter(test -> !isIn(tests.get(test.group(1)), test.group(2)))
                        .forEach(test -> missing.add(test.group()));
            }
        }
        assertEquals(rows, seenToFail);
        assertEquals(List.of(), missing);
    }

    /** The sources of all test classes, by their simple names. */
    private static Map<String, String> testSources(Path root) throws IOException {
        try (Stream<Path> modules = Files.list(root)) {
            List<Path> folders = modules.map(module -> module.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .toList();
            List<Path> files = new ArrayList<>();
            for (Path folder : folders) {
                try (Stream<Path> all = Files.walk(folder)) {
                    all.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
                }
            }
            return files.stream()
                    .collect(Collectors.toMap(
                            file -> file.getFileName().toString().replace(".java", ""),
                            GuaranteesTest::text,
                            (one, other) -> one + other));
        }
    }

    private static boolean isIn(String source, String method) {
        return source != null && source.contains("void " + method + "(");
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
