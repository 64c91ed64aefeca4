package io.dogpile.cache.file;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.testing.RegionContract;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** What every region does, in a directory. */
@Tag("D-045")
class FileRegionContractTest extends RegionContract {
    @TempDir
    Path directory;

    private FileBackend backend;

    @AfterEach
    void close() {
        backend.close();
    }

    @Override
    protected Backend backend() {
        if (backend == null) {
            backend = FileBackend.in(directory);
        }
        return backend;
    }
}
