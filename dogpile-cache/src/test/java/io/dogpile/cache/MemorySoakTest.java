package io.dogpile.cache;

import io.dogpile.cache.backend.MemoryBackend;
import java.util.List;

/** In memory, with room for a fifth of the keys: the map is full all the time, and evicts. */
class MemorySoakTest extends SoakContract {
    @Override
    protected List<Node> open() {
        return List.of(region -> region.backend(MemoryBackend.ofEntries(keys() / 5)));
    }

    @Override
    protected void close() {}
}
