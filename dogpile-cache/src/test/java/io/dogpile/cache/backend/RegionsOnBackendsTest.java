package io.dogpile.cache.backend;

import io.dogpile.cache.testing.RegionContract;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** Regions do the same on each backend of this library that stores. */
class RegionsOnBackendsTest {
    private static final Duration FRONT_LIFE = Duration.ofMillis(500);

    @Nested
    @Tag("D-021")
    class Memory extends RegionContract {
        @Override
        protected Backend backend() {
            return MemoryBackend.create();
        }

        @Override
        protected @Nullable Serializer<String> serializer() {
            return null;
        }
    }

    @Nested
    @Tag("D-021")
    @Tag("D-022")
    class SerializingMemory extends RegionContract {
        @Override
        protected Backend backend() {
            return MemoryBackend.create();
        }
    }

    @Nested
    @Tag("C-033")
    class ProxiedMemory extends RegionContract {
        @Override
        protected Backend backend() {
            return new BackendsTest.NoOp(MemoryBackend.create());
        }

        @Override
        protected @Nullable Serializer<String> serializer() {
            return null;
        }
    }

    /** A store that only gets, sets and deletes. */
    @Nested
    @Tag("C-184")
    class Bytes extends RegionContract {
        @Override
        protected Backend backend() {
            return SerializingBackend.of(new BytesInMemory());
        }
    }

    @Nested
    @Tag("C-033")
    class ProxiedBytes extends RegionContract {
        @Override
        protected Backend backend() {
            return new BackendsTest.NoOp(SerializingBackend.of(new BytesInMemory()));
        }
    }

    @Nested
    class Tiered extends RegionContract {
        @Override
        protected Backend backend() {
            return TieredBackend.of(MemoryBackend.create(), SerializingBackend.of(new BytesInMemory()), FRONT_LIFE);
        }
    }
}
