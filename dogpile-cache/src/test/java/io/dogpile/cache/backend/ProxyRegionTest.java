package io.dogpile.cache.backend;

import io.dogpile.cache.RegionContract;
import org.junit.jupiter.api.Tag;

/** What a region does is the same with a proxy in place that does nothing. */
@Tag("C-033")
class ProxyRegionTest extends RegionContract {
    private final Backend backend = new BackendsTest.NoOp(MemoryBackend.create());

    @Override
    protected Backend backend() {
        return backend;
    }
}
