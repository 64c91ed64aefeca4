package io.dogpile.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one group measured, as it is kept in a file of its own.
 *
 * @param run the id of the run: what was measured under one id belongs together
 * @param group the name of the group
 * @param command what measures it again
 * @param began when it began, by ISO 8601
 * @param seconds how long it took
 * @param machine where
 * @param sheets its tables
 */
record Measured(
        String run, String group, String command, String began, long seconds, Machine machine, List<Sheet> sheets) {
    private static final String SUFFIX = ".json";
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /**
     * A table with what was told around it.
     *
     * @param title what it shows
     * @param heads of its columns
     * @param rows its cells, as they were printed
     * @param chart how it is drawn; null for not at all
     * @param goals what was to be reached
     * @param notes what else was told
     */
    record Sheet(
            String title,
            List<String> heads,
            List<List<String>> rows,
            @Nullable Chart chart,
            List<Goal.Verdict> goals,
            List<String> notes) {}

    /** What is kept of a group in a directory, measured by this version of Java; null if there is nothing. */
    static @Nullable Measured of(Path directory, String group) throws IOException {
        Path file = directory.resolve(id(group, Runtime.version().feature()) + SUFFIX);
        return Files.exists(file) ? read(file) : null;
    }

    /** All that is kept in a directory, by the names of the groups and the versions of Java; nothing if there is none. */
    static List<Measured> all(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> sorted = files.filter(file -> file.toString().endsWith(SUFFIX))
                    .sorted()
                    .toList();
            return Stream.of(sorted.toArray(Path[]::new))
                    .map(Measured::readUnchecked)
                    .toList();
        }
    }

    /** Keeps in a directory what was measured after what is kept there of the same group and version of Java. */
    static void takeOver(Path measured, Path kept) throws IOException {
        for (Measured each : all(measured)) {
            Path file = each.file(kept);
            if (!Files.exists(file) || read(file).began().compareTo(each.began()) < 0) {
                each.keep(kept);
            }
        }
    }

    private static Measured readUnchecked(Path file) {
        try {
            return read(file);
        } catch (IOException e) {
            throw new IllegalStateException("cannot read the figures in " + file, e);
        }
    }

    private static Measured read(Path file) throws IOException {
        return JSON.readValue(file.toFile(), Measured.class);
    }

    /** Whole, or not at all: who breaks off a run leaves no half of a file. */
    void keep(Path directory) throws IOException {
        Files.createDirectories(directory);
        Path part = directory.resolve(group + ".part");
        JSON.writeValue(part.toFile(), this);
        Files.move(part, file(directory), StandardCopyOption.REPLACE_EXISTING);
    }

    /** The version of Java alone, such as 17. */
    int feature() {
        return Runtime.Version.parse(machine.jdk()).feature();
    }

    /** Which group, on which Java. */
    String title() {
        return group + ", JDK " + feature();
    }

    /** The same as a word. */
    String id() {
        return id(group, feature());
    }

    /** One for each version of Java, so that what one measured does not replace another's. */
    private static String id(String group, int feature) {
        return group + ".jdk" + feature;
    }

    /** When it began, without the time of day. */
    String day() {
        return began.substring(0, began.indexOf('T'));
    }

    /** What was to be reached in any of the tables. */
    List<Goal.Verdict> goals() {
        return sheets.stream().flatMap(sheet -> sheet.goals().stream()).toList();
    }

    private Path file(Path directory) {
        return directory.resolve(id() + SUFFIX);
    }
}
