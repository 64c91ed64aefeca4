package com.example.shop;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.SerializingBackend;
import io.dogpile.cache.testing.BackendContract;
import java.util.Set;

// docs plug-your-own
class MapStoreTest extends BackendContract {
    @Override
    protected Backend backend() {
        return SerializingBackend.of(new MapStore());
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.PERSISTENT); // who opens the region again finds its values
    }
}
// end
