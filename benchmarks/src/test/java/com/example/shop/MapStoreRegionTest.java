package com.example.shop;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.SerializingBackend;
import io.dogpile.cache.testing.RegionContract;

/** What a region does on the plain map. */
class MapStoreRegionTest extends RegionContract {
    @Override
    protected Backend backend() {
        return SerializingBackend.of(new MapStore());
    }
}
