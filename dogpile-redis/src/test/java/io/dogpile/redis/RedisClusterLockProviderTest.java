package io.dogpile.redis;

import io.dogpile.core.LockProvider;
import io.dogpile.core.testing.LockProviderContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import redis.clients.jedis.UnifiedJedis;

/** What every lock holds, on a cluster of three. */
@Tag("D-089")
class RedisClusterLockProviderTest extends LockProviderContract {
    private static final List<UnifiedJedis> clients = new ArrayList<>();
    private static RedisCluster cluster;

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start();
    }

    @AfterAll
    static void stop() {
        clients.forEach(UnifiedJedis::close);
        cluster.close();
    }

    @Override
    protected LockProvider provider() {
        UnifiedJedis client = cluster.client();
        clients.add(client);
        return RedisLockProvider.of(client);
    }

    @Override
    protected LockProvider anotherClient(LockProvider first) {
        return provider();
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.EXPIRES, Trait.NUMBERED);
    }
}
