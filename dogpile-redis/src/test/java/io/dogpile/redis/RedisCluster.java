package io.dogpile.redis;

import static java.util.stream.Collectors.toSet;

import io.dogpile.cache.processes.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.util.JedisClusterCRC16;
import redis.clients.jedis.util.SafeEncoder;

/**
 * A Redis Cluster of three masters on the loopback address, each with the replicas that were asked for, ready when it is
 * started. For one thread at a time.
 */
public final class RedisCluster implements AutoCloseable {
    /** How many masters there are. */
    public static final int MASTERS = 3;

    /** How many slots they share. */
    public static final int SLOTS = 16_384;

    private static final Duration MIGRATION_LIMIT = Duration.ofSeconds(5);

    /** The masters first. */
    private final List<RedisServer> nodes;

    private RedisCluster(List<RedisServer> nodes) {
        this.nodes = List.copyOf(nodes);
    }

    /** Starts three masters without replicas. */
    public static RedisCluster start() {
        return builder().start();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** A node by its number: the masters from 0 as they were at the start, then the replicas. */
    public RedisServer node(int number) {
        return nodes.get(number);
    }

    public List<RedisServer> nodes() {
        return nodes;
    }

    /** A new client that knows every node. The caller closes it. */
    public RedisClusterClient client() {
        return client(RedisServer.TIMEOUT);
    }

    /** As {@link #client()}, with another limit for connections, answers and the pools. */
    public RedisClusterClient client(Duration timeout) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxWait(timeout);
        return RedisClusterClient.builder()
                .nodes(hostsAndPorts())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .timeoutMillis((int) timeout.toMillis())
                        .build())
                .poolConfig(pool)
                .build();
    }

    public Set<HostAndPort> hostsAndPorts() {
        return nodes.stream().map(RedisServer::hostAndPort).collect(toSet());
    }

    public static int slot(String key) {
        return JedisClusterCRC16.getSlot(key);
    }

    /** The number of the node that has the slot, as the nodes that run say of themselves. */
    public int owner(int slot) {
        return IntStream.range(0, nodes.size())
                .filter(number -> owns(nodes.get(number), slot))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no node says that it has slot " + slot));
    }

    /**
     * Begins to move a slot to another master. From here on the old one answers ASK for every key that it does not have,
     * and keeps those it has; {@link Migration} goes on from there.
     */
    public Migration migrate(int slot, int from, int to) {
        RedisServer source = node(from);
        RedisServer target = node(to);
        target.command("CLUSTER", "SETSLOT", Integer.toString(slot), "IMPORTING", id(source));
        source.command("CLUSTER", "SETSLOT", Integer.toString(slot), "MIGRATING", id(target));
        return new Migration(slot, source, target);
    }

    @Override
    public void close() {
        nodes.forEach(RedisServer::close);
    }

    private static String id(RedisServer node) {
        return (String) node.command("CLUSTER", "MYID");
    }

    /** The node's own line ends with the slots it has: 0-5460, 5500, and those under way in brackets. */
    private static boolean owns(RedisServer node, int slot) {
        try {
            String own = ((String) node.command("CLUSTER", "NODES"))
                    .lines()
                    .filter(line -> line.contains("myself"))
                    .findFirst()
                    .orElseThrow();
            return Stream.of(own.split(" "))
                    .skip(8)
                    .filter(slots -> !slots.startsWith("["))
                    .map(slots -> slots.split("-"))
                    .anyMatch(range ->
                            Integer.parseInt(range[0]) <= slot && slot <= Integer.parseInt(range[range.length - 1]));
        } catch (JedisConnectionException down) {
            return false;
        }
    }

    /** A slot on its way from one master to another. */
    public final class Migration {
        private final String slot;
        private final RedisServer from;
        private final RedisServer to;

        private Migration(int slot, RedisServer from, RedisServer to) {
            this.slot = Integer.toString(slot);
            this.from = from;
            this.to = to;
        }

        /** Moves every key there is. The slot stays on its way, so for these too the answer is now ASK. */
        public Migration moveKeys() {
            List<?> keys = keys();
            while (!keys.isEmpty()) {
                for (Object key : keys) {
                    from.command(
                            "MIGRATE",
                            to.hostAndPort().getHost(),
                            Integer.toString(to.port()),
                            (String) key,
                            "0",
                            Long.toString(MIGRATION_LIMIT.toMillis()));
                }
                keys = keys();
            }
            return this;
        }

        /** Moves what is left and gives the slot to the new master. The answer of the old one is now MOVED. */
        public void finish() {
            moveKeys();
            String owner = id(to);
            // The new one first: should it not have heard, the slot would be nobody's.
            to.command("CLUSTER", "SETSLOT", slot, "NODE", owner);
            from.command("CLUSTER", "SETSLOT", slot, "NODE", owner);
            nodes.stream()
                    .limit(MASTERS)
                    .filter(node -> node != from && node != to)
                    .forEach(node -> node.command("CLUSTER", "SETSLOT", slot, "NODE", owner));
        }

        private List<?> keys() {
            return (List<?>) from.command("CLUSTER", "GETKEYSINSLOT", slot, "100");
        }
    }

    /** What a cluster is started with. */
    public static final class Builder {
        private final List<String[]> settings = new ArrayList<>();
        private int replicas;

        private Builder() {}

        /** Replicas of each master; none by default. */
        public Builder replicas(int ofEach) {
            replicas = ofEach;
            return this;
        }

        /** A setting of every node, for instance {@code setting("cluster-require-full-coverage", "no")}. */
        public Builder setting(String name, String value) {
            settings.add(new String[] {name, value});
            return this;
        }

        /**
         * Starts every node and returns when all agree on who has which slot.
         *
         * @throws IllegalStateException as {@link RedisServer.Builder#start()}, or if they do not agree in time
         */
        public RedisCluster start() {
            List<RedisServer> started = new ArrayList<>();
            try {
                for (int node = 0; node < MASTERS * (1 + replicas); node++) {
                    started.add(node());
                }
                join(started);
                follow(started);
                return new RedisCluster(started);
            } catch (RuntimeException e) {
                started.forEach(RedisServer::close);
                throw e;
            }
        }

        private RedisServer node() {
            RedisServer.Builder node = RedisServer.builder()
                    .setting("cluster-enabled", "yes")
                    .setting("cluster-node-timeout", "2000")
                    .setting("repl-diskless-sync-delay", "0");
            settings.forEach(setting -> node.setting(setting[0], setting[1]));
            return node.start();
        }

        private static void join(List<RedisServer> nodes) {
            for (int number = 0; number < nodes.size(); number++) {
                RedisServer node = nodes.get(number);
                node.command("CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(number + 1));
                if (number < MASTERS) {
                    node.raw("CLUSTER", addSlots(number));
                }
                for (RedisServer other : nodes.subList(0, number)) {
                    node.command("CLUSTER", "MEET", other.hostAndPort().getHost(), Integer.toString(other.port()));
                }
            }
            Await.until(
                    "the cluster is complete", () -> nodes.stream().allMatch(node -> isComplete(node, nodes.size())));
        }

        /** One by one: Redis 6.2 knows no ADDSLOTSRANGE. */
        private static byte[][] addSlots(int master) {
            IntStream slots = IntStream.range(SLOTS * master / MASTERS, SLOTS * (master + 1) / MASTERS);
            return Stream.concat(Stream.of("ADDSLOTS"), slots.mapToObj(Integer::toString))
                    .map(SafeEncoder::encode)
                    .toArray(byte[][]::new);
        }

        private static boolean isComplete(RedisServer node, int nodes) {
            String info = (String) node.command("CLUSTER", "INFO");
            return info.contains("cluster_state:ok")
                    && info.contains("cluster_slots_assigned:" + SLOTS)
                    && info.contains("cluster_known_nodes:" + nodes + "\r");
        }

        private static void follow(List<RedisServer> nodes) {
            List<RedisServer> replicas = nodes.subList(MASTERS, nodes.size());
            for (int number = 0; number < replicas.size(); number++) {
                replicas.get(number).command("CLUSTER", "REPLICATE", id(nodes.get(number % MASTERS)));
            }
            Await.until(
                    "the replicas follow",
                    () -> replicas.stream()
                                    .allMatch(replica -> replica.info("replication", "master_link_status")
                                            .equals("up"))
                            && nodes.stream().allMatch(node -> replicasKnownTo(node) == replicas.size()));
        }

        private static long replicasKnownTo(RedisServer node) {
            return ((String) node.command("CLUSTER", "NODES"))
                    .lines()
                    .filter(line -> line.split(" ")[2].contains("slave"))
                    .count();
        }
    }
}
