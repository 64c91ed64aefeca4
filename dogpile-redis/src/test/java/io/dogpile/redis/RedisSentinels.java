package io.dogpile.redis;

import static java.util.stream.Collectors.toSet;

import io.dogpile.cache.processes.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * A master with one replica, watched by three sentinels, all on the loopback address and ready when they are started. A
 * master that does not answer for {@link #DOWN_AFTER} is replaced. For one thread at a time.
 */
public final class RedisSentinels implements AutoCloseable {
    /** What the sentinels call the master. */
    public static final String MASTER_NAME = "dogpile";

    public static final Duration DOWN_AFTER = Duration.ofSeconds(1);

    /** No less than two seconds, see {@link #hurry}; beside other work it was seen to take more than twenty. */
    private static final Duration TURNED_INTO_A_REPLICA = Duration.ofSeconds(60);

    private static final int SENTINELS = 3;
    private static final int QUORUM = 2;

    private final List<RedisServer> servers = new ArrayList<>();
    private final List<RedisServer> sentinels = new ArrayList<>();

    private RedisSentinels() {}

    /**
     * Starts all five and returns when every sentinel knows the others and the replica.
     *
     * @throws IllegalStateException as {@link RedisServer.Builder#start()}, or if they do not find each other in time
     */
    public static RedisSentinels start() {
        RedisSentinels started = new RedisSentinels();
        try {
            started.startServers();
            started.startSentinels();
            return started;
        } catch (RuntimeException e) {
            started.close();
            throw e;
        }
    }

    /** The server that the sentinels now call master; another one after a failover. It may be dead. */
    public RedisServer master() {
        List<?> address = (List<?>) sentinels.get(0).command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME);
        return byPort(Integer.parseInt((String) address.get(1)));
    }

    /** The one of the two that is not {@link #master()}. */
    public RedisServer replica() {
        RedisServer master = master();
        return servers.stream().filter(server -> server != master).findFirst().orElseThrow();
    }

    public List<RedisServer> sentinels() {
        return List.copyOf(sentinels);
    }

    public Set<HostAndPort> sentinelAddresses() {
        return sentinels.stream().map(RedisServer::hostAndPort).collect(toSet());
    }

    /** A new client that asks the sentinels for the master. The caller closes it. */
    public RedisSentinelClient client() {
        return client(RedisServer.TIMEOUT);
    }

    /** As {@link #client()}, with another limit for connections, answers and the pool. */
    public RedisSentinelClient client(Duration timeout) {
        JedisClientConfig config = DefaultJedisClientConfig.builder()
                .timeoutMillis((int) timeout.toMillis())
                .build();
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxWait(timeout);
        return RedisSentinelClient.builder()
                .masterName(MASTER_NAME)
                .sentinels(sentinelAddresses())
                .clientConfig(config)
                .sentinelClientConfig(DefaultJedisClientConfig.builder()
                        .timeoutMillis((int) timeout.toMillis())
                        .autoNegotiateProtocol(false)
                        .build())
                .poolConfig(pool)
                .build();
    }

    /** Kills the master and returns it at once. */
    public RedisServer killMaster() {
        RedisServer master = master();
        master.kill();
        return master;
    }

    /**
     * Has the sentinels replace a master that is well, and returns when they are of one mind again. Meanwhile there are two
     * masters, and what one of them is told is lost. It may be the old one that stays: a sentinel that has not heard of the
     * failover yet tells the new master to follow the old one, and then they replace it once more.
     */
    public void failOver() {
        RedisServer old = master();
        Await.until("a failover that the sentinels were asked for", () -> {
            if (master() == old) {
                askToFailOver(); // perhaps again: one that finds no replica good ends by itself
            }
            return master() != old;
        });
        Await.until(() -> "one master, the sentinels name " + named(), this::areOfOneMind);
    }

    private void askToFailOver() {
        try {
            sentinels.get(0).command("SENTINEL", "FAILOVER", MASTER_NAME);
        } catch (JedisDataException notNow) {
            // It is under way, or no replica is known to be good.
        }
    }

    /** Waits until every sentinel names another than this one, and that one takes writes. */
    public RedisServer awaitMasterOtherThan(RedisServer lost) {
        Await.until(
                () -> "another master than " + lost + ", the sentinels name " + named(),
                () -> areOfOneMind() && master() != lost);
        return master();
    }

    /** Whether all name one master, which takes writes. */
    private boolean areOfOneMind() {
        return named().size() == 1 && says(master(), "role", "master");
    }

    /** What the sentinels call master, which may be two for a moment. */
    private Set<?> named() {
        return sentinels.stream()
                .map(one -> one.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME))
                .collect(toSet());
    }

    /**
     * Waits until {@link #replica()} follows the master. A killed master that was {@linkplain RedisServer#restart() started
     * again} still thinks that it is the master until then.
     */
    public RedisServer awaitReplica() {
        Await.until(
                () -> replica() + " follows " + master(),
                TURNED_INTO_A_REPLICA,
                () -> says(replica(), "role", "slave") && says(replica(), "master_link_status", "up"));
        return replica();
    }

    @Override
    public void close() {
        // The sentinels first, so that none begins a failover.
        Stream.concat(sentinels.stream(), servers.stream()).forEach(RedisServer::close);
    }

    private void startServers() {
        RedisServer master =
                RedisServer.builder().setting("repl-diskless-sync-delay", "0").start();
        servers.add(master);
        RedisServer replica = RedisServer.builder()
                .setting("repl-diskless-sync-delay", "0")
                .setting("replicaof", master.hostAndPort().getHost(), Integer.toString(master.port()))
                .start();
        servers.add(replica);
        // A sentinel asks the master for its replicas when it begins, and then only every ten seconds.
        Await.until("the replica follows", () -> says(replica, "master_link_status", "up"));
        Await.until("the master has its replica", () -> says(master, "connected_slaves", "1"));
    }

    private void startSentinels() {
        RedisServer master = servers.get(0);
        for (int sentinel = 0; sentinel < SENTINELS; sentinel++) {
            RedisServer started = RedisServer.builder().argument("--sentinel").start();
            sentinels.add(started);
            hurry(started);
            started.command(
                    "SENTINEL",
                    "MONITOR",
                    MASTER_NAME,
                    master.hostAndPort().getHost(),
                    Integer.toString(master.port()),
                    Integer.toString(QUORUM));
            set(started, "down-after-milliseconds", Long.toString(DOWN_AFTER.toMillis()));
            // Two sentinels that both want to lead try again after twice this.
            set(started, "failover-timeout", Long.toString(2 * DOWN_AFTER.toMillis()));
        }
        Await.until("the sentinels know each other", () -> sentinels.stream().allMatch(RedisSentinels::knowsAll));
    }

    /** What a server says of replication. One that changes its part drops its connections: that is a no. */
    private static boolean says(RedisServer server, String field, String value) {
        try {
            return server.info("replication", field).equals(value);
        } catch (JedisConnectionException dropped) {
            return false;
        }
    }

    /**
     * Sentinels look around every two to ten seconds. From Redis 7 on they can be told to do so more often. They look more
     * often than they tell each other: a new master of which one was not told within four times the latter is told by that
     * one to follow the old one.
     */
    private static void hurry(RedisServer sentinel) {
        try {
            sentinel.command("SENTINEL", "DEBUG", "INFO-PERIOD", "250", "PUBLISH-PERIOD", "500");
        } catch (JedisDataException unknown) {
            // Then it all takes longer, within the same bounds.
        }
    }

    private static void set(RedisServer sentinel, String option, String value) {
        sentinel.command("SENTINEL", "SET", MASTER_NAME, option, value);
    }

    private static boolean knowsAll(RedisServer sentinel) {
        try {
            List<?> fields = (List<?>) sentinel.command("SENTINEL", "MASTER", MASTER_NAME);
            return field(fields, "num-slaves").equals("1")
                    && field(fields, "num-other-sentinels").equals(Integer.toString(SENTINELS - 1))
                    && sentinel.command("SENTINEL", "CKQUORUM", MASTER_NAME)
                            .toString()
                            .startsWith("OK");
        } catch (JedisException notYet) {
            return false;
        }
    }

    private static Object field(List<?> namesAndValues, String name) {
        return namesAndValues.get(namesAndValues.indexOf(name) + 1);
    }

    private RedisServer byPort(int port) {
        return servers.stream()
                .filter(server -> server.port() == port)
                .findFirst()
                .orElseThrow();
    }
}
