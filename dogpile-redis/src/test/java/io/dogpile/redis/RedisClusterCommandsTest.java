package io.dogpile.redis;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What each call costs a cluster. */
class RedisClusterCommandsTest extends CommandsContract {
    private static RedisCluster cluster;

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Override
    List<RedisServer> servers() {
        return cluster.nodes();
    }

    @Override
    RedisBackend.Builder backend() {
        return Backends.on(cluster);
    }

    @Override
    RedisServer owner(String key) {
        return cluster.node(cluster.owner(RedisCluster.slot(key)));
    }
}
