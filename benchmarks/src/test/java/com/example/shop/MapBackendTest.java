package com.example.shop;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.testing.BackendContract;
import io.dogpile.cache.testing.RegionContract;
import java.util.Set;
import org.junit.jupiter.api.Nested;

/** The whole port, written by a user, held to both contracts. */
class MapBackendTest {
    @Nested
    class AsBackend extends BackendContract {
        @Override
        protected Backend backend() {
            return new MapBackend();
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of();
        }
    }

    @Nested
    class UnderARegion extends RegionContract {
        @Override
        protected Backend backend() {
            return new MapBackend();
        }

        @Override
        protected Serializer<String> serializer() {
            return null;
        }
    }
}
