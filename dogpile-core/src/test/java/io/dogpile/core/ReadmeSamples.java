package io.dogpile.core;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The samples of README.md, by the module whose tests run them: a comment in README says where a module's begin. */
public final class ReadmeSamples {
    private static final Path README = Path.of("..", "README.md");
    private static final String FIRST_MODULE = "dogpile-core";
    private static final String MARK = "<!-- samples of ";

    private ReadmeSamples() {}

    /** All of README. */
    public static List<String> lines() throws IOException {
        return Files.readAllLines(README);
    }

    /** The Java blocks that README shows of the module. */
    public static List<String> shown(String module) throws IOException {
        List<String> own = new ArrayList<>();
        String current = FIRST_MODULE;
        for (String line : lines()) {
            if (line.startsWith(MARK)) {
                current = line.substring(MARK.length(), line.indexOf(" -->"));
            }
            if (current.equals(module)) {
                own.add(line);
            }
        }
        return blocks(own, "```java", "```");
    }

    /** The blocks that a test marks as shown in README. */
    public static List<String> tested(Class<?> test) throws IOException {
        Path source = Path.of("src", "test", "java").resolve(test.getName().replace('.', '/') + ".java");
        return blocks(Files.readAllLines(source), "// readme", "// end");
    }

    /** What stands between such lines, without its indentation. */
    public static List<String> blocks(List<String> lines, String begin, String end) {
        List<String> blocks = new ArrayList<>();
        List<String> block = null;
        for (String line : lines) {
            if (block == null && line.strip().equals(begin)) {
                block = new ArrayList<>();
            } else if (block != null && line.strip().equals(end)) {
                blocks.add(String.join("\n", block).stripIndent());
                block = null;
            } else if (block != null) {
                block.add(line);
            }
        }
        return blocks;
    }
}
