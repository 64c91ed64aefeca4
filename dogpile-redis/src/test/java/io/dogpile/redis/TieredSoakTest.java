package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.TieredBackend;
import java.time.Duration;

/** As {@link RedisSoakTest}, with copies in memory before each node. */
class TieredSoakTest extends RedisSoakTest {
    private static final int FEW_ENTRIES = 1_000; // so that the map is full from the first round on

    @Override
    protected Backend over(RedisBackend redis) {
        return TieredBackend.of(MemoryBackend.ofEntries(FEW_ENTRIES), redis, Duration.ofSeconds(1));
    }
}
