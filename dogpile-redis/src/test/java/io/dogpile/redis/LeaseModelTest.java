package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tlc2.TLC;

/**
 * The protocol of leases as a TLA+ module, given to the model checker TLC, in a JVM of its own for each configuration. The
 * first line of a configuration says what must come out: {@code Holds}, or {@code Violates} and the name of the invariant.
 * Each build runs the folder {@code short}, the profile {@code model} also {@code long}. {@code src/test/tla/README.md} says
 * what is modelled.
 */
class LeaseModelTest {
    private static final Path FOLDER = Path.of("src", "test", "tla").toAbsolutePath();
    private static final Path OUTPUT = Path.of("target", "tlc").toAbsolutePath();
    private static final Duration LONGEST = Duration.ofMinutes(20);
    private static final Pattern EXPECTED = Pattern.compile("\\\\\\* (Holds|Violates (I\\d))");
    private static final Pattern VIOLATED =
            Pattern.compile("Invariant (I\\d) is violated|(Temporal properties were violated)");
    private static final Pattern SIZE = Pattern.compile("(\\d+) states generated, (\\d+) distinct states found");
    private static final String COMPLETED = "Model checking completed. No error has been found.";

    /** What TLC is to find, and found. */
    private record Outcome(String text, String states) {}

    static Stream<Path> configurations() throws IOException {
        List<String> folders = Boolean.getBoolean("dogpile.model.long") ? List.of("short", "long") : List.of("short");
        Stream.Builder<Path> all = Stream.builder();
        for (String folder : folders) {
            try (Stream<Path> files = Files.list(FOLDER.resolve(folder))) {
                files.filter(file -> file.toString().endsWith(".cfg")).sorted().forEach(all::add);
            }
        }
        return all.build();
    }

    @ParameterizedTest
    @MethodSource("configurations")
    @Timeout(value = 25, unit = TimeUnit.MINUTES)
    void protocolOrBrokenTwin_checkedInAllItsStates_holdsOrViolatesWhatItsConfigurationNames(Path configuration)
            throws Exception {
        long begun = System.currentTimeMillis();
        Outcome found = outcome(check(configuration));
        System.out.printf(
                "TLC, %s: %s, %s distinct states, %.1f s%n",
                configuration.getFileName(), found.text, found.states, (System.currentTimeMillis() - begun) / 1000.0);

        assertThat(found.text).as("what TLC found").isEqualTo(expected(configuration));
    }

    private static String expected(Path configuration) throws IOException {
        String first = Files.readAllLines(configuration).get(0);
        Matcher expected = EXPECTED.matcher(first);
        assertThat(expected.matches())
                .as("%s begins with what is expected: %s", configuration, first)
                .isTrue();
        return expected.group(1);
    }

    private static Outcome outcome(String output) {
        Matcher size = SIZE.matcher(output);
        String states = "no";
        while (size.find()) {
            states = size.group(2);
        }
        Matcher violated = VIOLATED.matcher(output);
        if (violated.find()) {
            // The only temporal property that a configuration names is I9.
            return new Outcome("Violates " + (violated.group(1) == null ? "I9" : violated.group(1)), states);
        }
        return new Outcome(output.contains(COMPLETED) ? "Holds" : output, states);
    }

    private static String check(Path configuration) throws IOException, InterruptedException, URISyntaxException {
        Path own = OUTPUT.resolve(configuration.getFileName().toString());
        delete(own);
        Files.createDirectories(own);
        Path output = own.resolveSibling(configuration.getFileName() + ".log");
        Path tools = Path.of(
                TLC.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx2g",
                        "-XX:+UseParallelGC",
                        "-Djava.io.tmpdir=" + own, // where TLC unpacks its own modules
                        "-cp",
                        tools.toString(),
                        TLC.class.getName(),
                        "-workers",
                        "2",
                        "-nowarning",
                        "-metadir",
                        own.toString(),
                        "-config",
                        configuration.toString(),
                        FOLDER.resolve("Lease.tla").toString())
                .directory(own.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS))
                    .as("TLC ends within %s; its output is in %s", LONGEST, output)
                    .isTrue();
            return Files.readString(output, UTF_8);
        } finally {
            process.destroyForcibly().waitFor();
            delete(own);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(each);
                }
            }
        }
    }
}
