package io.dogpile.cache.backend;

import io.dogpile.cache.RegionContract;
import java.time.Duration;

/** A region with copies in memory before a store. */
class TieredRegionTest extends RegionContract {
    private final Backend backend = TieredBackend.of(
            MemoryBackend.create(), SerializingBackend.of(new BytesInMemory()), Duration.ofMillis(100));

    @Override
    protected Backend backend() {
        return backend;
    }
}
