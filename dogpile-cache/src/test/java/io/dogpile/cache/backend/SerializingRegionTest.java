package io.dogpile.cache.backend;

import io.dogpile.cache.RegionContract;

/** A region whose values are bytes in a store. */
class SerializingRegionTest extends RegionContract {
    private final Backend backend = SerializingBackend.of(new BytesInMemory());

    @Override
    protected Backend backend() {
        return backend;
    }
}
