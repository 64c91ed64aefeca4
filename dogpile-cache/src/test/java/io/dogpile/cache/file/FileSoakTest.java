package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.SoakContract;
import io.dogpile.cache.backend.Serializer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/** In files: when values have expired the sweep has removed them; no lock and no descriptor is left. */
class FileSoakTest extends SoakContract {
    @TempDir
    private Path directory;

    private FileBackend backend;

    @Override
    protected List<Node> open() {
        backend = FileBackend.builder(directory)
                .sweepEvery(Duration.ofMillis(100))
                .build();
        return List.of(region -> region.backend(backend).serializer(Serializer.string()));
    }

    @Override
    protected void close() {
        backend.close();
    }

    @Override
    protected Map<String, LongSupplier> counts() {
        return Map.of("files", () -> files().size());
    }

    @Override
    protected String unsettled() {
        return files().stream()
                .map(Path::toString)
                .filter(file -> file.endsWith(RegionFiles.SUFFIX))
                .findAny()
                .orElse("");
    }

    @Override
    protected void assertNothingLeft() throws IOException {
        assertEquals(0, Descriptors.openIn(directory));
        assertTrue(files().size() > 1, "there are lock files to try");
        for (Path file : files()) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                    FileLock lock = channel.tryLock()) { // throws if it is this JVM that holds it
                assertNotNull(lock, () -> file + " is locked by another process");
            }
        }
    }

    private List<Path> files() {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(Files::isRegularFile).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (UncheckedIOException sweptMeanwhile) {
            return files();
        }
    }
}
