package io.dogpile.cache.file;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.testing.BackendContract;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** What every backend holds, in a directory. */
@Tag("D-045")
class FileBackendContractTest extends BackendContract {
    @TempDir
    Path directory;

    private final List<FileBackend> made = new ArrayList<>();

    @AfterEach
    void closeAll() {
        made.forEach(FileBackend::close);
    }

    @Override
    protected Backend backend() {
        FileBackend backend = FileBackend.in(directory);
        made.add(backend);
        return backend;
    }

    @Override
    protected Backend restarted(Backend first) {
        ((FileBackend) first).close();
        return backend();
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.PERSISTENT, Trait.EXCLUSIVE, Trait.TELLS);
    }
}
