package io.dogpile.core;

import io.dogpile.cache.file.FileReadWriteLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** What holds for readers and a writer, over a lock in files. It is in this package since the suite is. */
@Tag("D-029")
class FileReadWriteLockContractTest extends ReadersWriterContract {
    @TempDir
    static Path directory;

    private FileReadWriteLock behind;

    @AfterEach
    void close() {
        behind.close();
    }

    @Override
    ReadersWriter lock() {
        try {
            behind = FileReadWriteLock.in(Files.createTempDirectory(directory, "lock"), "name");
            return new OverReadWriteLock(behind);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    long stressNanos() {
        return TimeUnit.MILLISECONDS.toNanos(400);
    }
}
