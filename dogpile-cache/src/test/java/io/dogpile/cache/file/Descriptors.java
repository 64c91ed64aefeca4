package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What this process has open, as Linux tells. */
final class Descriptors {
    private static final Path OPEN = Path.of("/proc/self/fd");

    private Descriptors() {}

    /** How many descriptors are of files in a directory. */
    static int openIn(Path directory) {
        assertTrue(Files.isDirectory(OPEN), "these tests count descriptors, which needs " + OPEN);
        try (Stream<Path> all = Files.list(OPEN)) {
            Path real = directory.toRealPath();
            return (int) all.filter(one -> isOf(one, real)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isOf(Path descriptor, Path directory) {
        try {
            return Files.readSymbolicLink(descriptor).startsWith(directory);
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }
}
