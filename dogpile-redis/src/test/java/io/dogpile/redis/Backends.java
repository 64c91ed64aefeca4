package io.dogpile.redis;

import redis.clients.jedis.HostAndPort;

/** Backends of the servers of tests. */
final class Backends {
    private Backends() {}

    /** On one server, with the defaults. */
    static RedisBackend.Builder on(RedisServer server) {
        return RedisBackend.builder().server("127.0.0.1", server.port());
    }

    /** On a cluster. */
    static RedisBackend.Builder on(RedisCluster cluster) {
        return RedisBackend.builder()
                .cluster(cluster.nodes().stream()
                        .map(RedisServer::hostAndPort)
                        .map(HostAndPort::toString)
                        .toArray(String[]::new));
    }

    /** On the master that sentinels name. */
    static RedisBackend.Builder on(RedisSentinels sentinels) {
        return RedisBackend.builder()
                .sentinels(
                        RedisSentinels.MASTER_NAME,
                        sentinels.sentinelAddresses().stream()
                                .map(HostAndPort::toString)
                                .toArray(String[]::new));
    }
}
