package io.dogpile.redis;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.LockProvider;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.function.UnaryOperator;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Keeps values of regions in Redis, and grants the right to create one to one caller in the whole cluster.
 *
 * <p><b>Promised</b>, by one atomic script on one key, whatever the clocks do: a right that was lost (its lease ran out and
 * another took over, its key was put, invalidated, deleted, evicted or lost in a failover) stores nothing any more. While
 * the server answers and keeps its data, no key has two rights at a time. Who waits is woken by a push as soon as
 * there is a value, or none will come; and looks by itself at the latest each half second, so that a lost message
 * delays, and never hangs. The holder of a right that dies is replaced when its lease ends.
 *
 * <p><b>Not promised</b>: that two creators never run at once. They can after a lease that a paused or slow holder lost, a
 * failover to a replica that lacks the lease, a flush, an eviction, a restart without persistence, a jump of the server's clock
 * or an invalidation during the creation; one of the two is stored. To protect another resource hand it
 * {@code Creation.current()}'s fencing token. An invalidation that a master acknowledged and did not replicate is lost with it.
 *
 * <p>An invalidation of a whole region is seen by this node at once, by others by push, and at the latest after a second and a
 * round trip; see {@link Builder#strictInvalidation()}. A write that timed out counts as not known, never as not done.
 *
 * <p>A value that is pushed is read by the region's serializer on the thread that all pushes come by: a serializer must not block.
 *
 * <p>Works with Redis 6.2 and newer, alone, under Sentinel or as a Cluster. Thread-safe. Owns three daemon threads and one
 * connection beside the client's pool, until it is {@linkplain #close closed}. The protocol: DESIGN.md, Redis.
 */
public final class RedisBackend implements Backend, AutoCloseable {
    /** The prefix of all keys and channels unless another is given. */
    public static final String DEFAULT_PREFIX = "dogpile:";

    private final RedisNode node;

    private RedisBackend(RedisNode node) {
        this.node = node;
        node.start();
    }

    /**
     * On a client that the user has, with the defaults of {@link #builder()}.
     *
     * @param client the client; stays the user's to close, after this backend
     * @return the backend
     */
    public static RedisBackend of(UnifiedJedis client) {
        return builder().client(client).build();
    }

    /**
     * With options.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Opens the values of a region.
     *
     * @param <V> the type of the region's values
     * @param opening what the region asks for
     * @return the partition; the server is not asked yet, and may be down
     * @throws IllegalArgumentException if the region has no serializer
     */
    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        RedisPartition<V> partition = new RedisPartition<>(node, opening, opening.serializerFor(this));
        node.opened(partition);
        return partition;
    }

    /**
     * The lock alone, over the same client and prefix.
     *
     * @return the provider; usable until this backend's client is closed
     */
    public LockProvider locks() {
        return new RedisLockProvider(node.server(), node.names());
    }

    RedisNode node() {
        return node;
    }

    /** Ends the threads and the subscription, and closes the client if this backend's builder made it. Harmless twice. */
    @Override
    public void close() {
        node.close();
    }

    @Override
    public String toString() {
        return node.toString();
    }

    /**
     * Makes a backend. Give it either a client, or where the server is. Not thread-safe.
     */
    public static final class Builder {
        private static final int DEFAULT_PUSH_MAX = 4 << 10;

        private final Connecting connecting = new Connecting();
        private String prefix = DEFAULT_PREFIX;
        private int pushMax = DEFAULT_PUSH_MAX;
        private RedisNode.Reads reads = RedisNode.Reads.BOUNDED;
        private UnaryOperator<String> scripts = UnaryOperator.identity();

        Builder() {}

        /**
         * Uses a client that the user has, with its own pool, time-outs and credentials.
         *
         * @param client the client; a {@code RedisClient}, {@code RedisSentinelClient} or {@code RedisClusterClient}. Another
         *     kind is taken for a cluster, and the subscription takes one connection of its pool
         * @return this builder
         */
        public Builder client(UnifiedJedis client) {
            connecting.client(Objects.requireNonNull(client, "client"));
            return this;
        }

        /**
         * One server by URL.
         *
         * @param url such as {@code redis://user:password@host:6379/0}; {@code rediss} for TLS
         * @return this builder
         * @throws IllegalArgumentException if it is not such a URL; what stands for the password is not shown
         */
        public Builder url(String url) {
            connecting.url(url);
            return this;
        }

        /**
         * One server. Without this and without any other, {@code localhost} and 6379.
         *
         * @param host its name
         * @param port its port
         * @return this builder
         */
        public Builder server(String host, int port) {
            connecting.server(host, port);
            return this;
        }

        /**
         * The master that Sentinels name.
         *
         * @param master the name of the master
         * @param sentinels where Sentinels are, each {@code host:port}; at least one
         * @return this builder
         * @throws IllegalArgumentException if one is not of that form
         */
        public Builder sentinels(String master, String... sentinels) {
            connecting.sentinels(master, sentinels);
            return this;
        }

        /**
         * Credentials for the Sentinels, which have their own; TLS, if given, holds for them, too.
         *
         * @param user the user; empty for the default one
         * @param password the password
         * @return this builder
         */
        public Builder sentinelCredentials(String user, String password) {
            connecting.sentinelCredentials(user, password);
            return this;
        }

        /**
         * A Cluster.
         *
         * @param nodes where some of its nodes are, each {@code host:port}; at least one
         * @return this builder
         * @throws IllegalArgumentException if one is not of that form
         */
        public Builder cluster(String... nodes) {
            connecting.cluster(nodes);
            return this;
        }

        /**
         * Credentials.
         *
         * @param user the user; empty for the default one
         * @param password the password
         * @return this builder
         */
        public Builder credentials(String user, String password) {
            connecting.credentials(user, password);
            return this;
        }

        /**
         * The number of the database; not with a Cluster. 0 by default.
         *
         * @param number the number
         * @return this builder
         */
        public Builder database(int number) {
            connecting.database(number);
            return this;
        }

        /**
         * Encrypts connections, trusts whom the JVM trusts, and checks that the server's certificate is of its host.
         *
         * @return this builder
         */
        public Builder tls() {
            connecting.tls();
            return this;
        }

        /**
         * The same, and trusts whom a trust store names.
         *
         * @param truststore the file, which is read at {@link #build()}
         * @param password its password; copied
         * @param type such as {@code PKCS12}
         * @return this builder
         */
        public Builder tls(Path truststore, char[] password, String type) {
            connecting.tls(truststore.toFile(), password, type);
            return this;
        }

        /**
         * How long to wait for a connection, and for an answer; a second each by default. A call to a server that hangs may
         * take twice as long.
         *
         * @param timeout the time, at least a millisecond
         * @return this builder
         */
        public Builder timeout(Duration timeout) {
            connecting.timeout(timeout);
            return this;
        }

        /**
         * The pool of connections, for each server; 16 connections and a second by default.
         *
         * @param connections how many there may be
         * @param wait how long a caller waits for one when all are in use, before the call fails
         * @return this builder
         */
        public Builder pool(int connections, Duration wait) {
            connecting.pool(connections, wait);
            return this;
        }

        /**
         * What all keys and channels of this backend begin with; {@value RedisBackend#DEFAULT_PREFIX} by default. Nodes that
         * share values have the same.
         *
         * @param prefix 1 to 40 letters, digits, {@code _}, {@code -}, {@code .} and {@code :}
         * @return this builder
         * @throws IllegalArgumentException at {@link #build()}, if it is not
         */
        public Builder prefix(String prefix) {
            this.prefix = Objects.requireNonNull(prefix, "prefix");
            return this;
        }

        /**
         * How large a value may be to be sent to those who wait inside of the message that wakes them; 4 KiB by default. They
         * read a larger one.
         *
         * @param bytes the limit, with some 70 bytes of stamps; 0 for none
         * @return this builder
         * @throws IllegalArgumentException if it is negative
         */
        public Builder pushMax(int bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("pushMax must not be negative, was " + bytes);
            }
            this.pushMax = bytes;
            return this;
        }

        /**
         * Each read asks for the region's generations, too: once an invalidation of a whole region has returned, no node that
         * reads the master gets an older value. Costs one more command in the same round trip.
         *
         * @return this builder
         */
        public Builder strictInvalidation() {
            this.reads = RedisNode.Reads.STRICT;
            return this;
        }

        /** Changes the scripts, for tests that turn the server's clock. */
        Builder scripts(UnaryOperator<String> edited) {
            this.scripts = edited;
            return this;
        }

        /**
         * Builds the backend. The server need not answer yet, but for Sentinels, of which one must name the master, and for a
         * Cluster, of which one node must tell where the others are.
         *
         * @return the backend, to be closed by the caller
         * @throws IllegalArgumentException if options contradict each other; the message names both
         * @throws JedisException if what answers is no server, but claims lengths or nestings that no memory holds
         */
        public RedisBackend build() {
            Names names = new Names(prefix);
            connecting.check();
            connecting.checkAgainst(reads);
            Server server = new Server(connected(), connecting.owner(), new Health(connecting.toString()), scripts);
            if (server.isCluster() && reads == RedisNode.Reads.STRICT) {
                server.close();
                throw new IllegalArgumentException("strictInvalidation needs one server, alone or under Sentinel; "
                        + connecting + " may keep a region's generations and its values on different nodes");
            }
            return new RedisBackend(new RedisNode(server, names, pushMax, reads));
        }

        private UnifiedJedis connected() {
            try {
                return connecting.connect();
            } catch (JedisException failure) {
                throw Health.withoutArguments(failure);
            } catch (StackOverflowError | OutOfMemoryError garbage) {
                throw new JedisConnectionException(connecting + ": " + Server.ANOTHER_PROGRAM, garbage);
            }
        }
    }
}
