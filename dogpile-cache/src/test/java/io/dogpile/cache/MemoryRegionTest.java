package io.dogpile.cache;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Serializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;

/** Regions whose values are kept in memory by reference. */
@Tag("D-021")
class MemoryRegionTest extends RegionContract {
    private final Backend backend = MemoryBackend.create();

    @Override
    protected Backend backend() {
        return backend;
    }

    @Override
    protected @Nullable Serializer<String> serializer() {
        return null;
    }
}
