package io.dogpile.cache;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.MemoryBackend;
import org.junit.jupiter.api.Tag;

/** Regions whose values are kept in memory as bytes. */
@Tag("D-021")
@Tag("D-022")
class SerializingMemoryRegionTest extends RegionContract {
    private final Backend backend = MemoryBackend.create();

    @Override
    protected Backend backend() {
        return backend;
    }
}
