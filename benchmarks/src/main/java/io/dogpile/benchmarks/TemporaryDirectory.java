package io.dogpile.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * A directory that is deleted with all in it.
 *
 * @param path where it is
 */
record TemporaryDirectory(Path path) implements AutoCloseable {
    static TemporaryDirectory make() throws IOException {
        return new TemporaryDirectory(Files.createTempDirectory("dogpile-benchmarks-"));
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> all = Files.walk(path)) {
            List<Path> innermostFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path each : innermostFirst) {
                Files.deleteIfExists(each);
            }
        }
    }
}
