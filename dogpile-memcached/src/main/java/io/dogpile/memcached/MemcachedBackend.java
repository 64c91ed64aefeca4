package io.dogpile.memcached;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.LockProvider;
import java.time.Duration;
import java.util.Objects;
import net.spy.memcached.MemcachedClient;

/**
 * Keeps values of regions in memcached, and grants the right to create one to one caller among all who share the servers.
 *
 * <p><b>Promised</b>, by the numbers ({@code cas}) that memcached gives its items: a value is stored only over what its creator's
 * right was granted over. So whoever lost its right because another took over and published, or because its key was put or
 * invalidated through this library, stores nothing. While the servers answer and keep their items, no key has two rights at
 * a time. Who waits is told at most 0.33 s after there is a value, or none will come, in the first second within 20 ms; a
 * process polls once for all its waiters. The holder of a right that dies is replaced when its lease ends.
 *
 * <p><b>Not promised</b>: that two creators never run at once. They can after a lease that a paused or slow holder lost, an
 * eviction, a flush or a restart of the server, or an invalidation during the creation. After a restart numbers begin anew;
 * so a right is good for {@code maxCreation} at most, and in that time there is a small chance that a number comes again and a
 * late value is stored. A value that another program deletes while it is created is stored all the same. An invalidation
 * that the server forgets, by eviction or restart, forbids nothing to those who create at that time. Rights are not numbered:
 * {@code Creation.current()} has no fencing token.
 *
 * <p>Lives are judged by the clocks of the processes, which must agree as closely as lives should be kept; a value that was
 * created more than five seconds in the future is stale. Leases are of whole seconds, and may end a second early.
 * An invalidation of a whole region is seen by this process at once, by others after a second and a round trip; while the
 * server that has the region's marks is down and others are not, when it is back. A write that timed out counts as not known:
 * it may still be done.
 *
 * <p>Works with servers that speak the binary protocol, alone or several, over which keys are spread. Thread-safe. Owns two
 * daemon threads beside the client's, until it is {@linkplain #close closed}. The protocol: DESIGN.md, Memcached.
 */
public final class MemcachedBackend implements Backend, AutoCloseable {
    /** The prefix of all keys unless another is given. */
    public static final String DEFAULT_PREFIX = "dogpile:";

    /** The shortest lease of a region: of memcached's seconds the first may be over at once, and a renewal needs some time. */
    private static final Duration SHORTEST_LEASE = Duration.ofSeconds(3);

    private final Member member;

    private MemcachedBackend(Member member) {
        this.member = member;
    }

    /**
     * On a client that the user has, with the defaults of {@link #builder()}.
     *
     * @param client the client, of the binary protocol and {@code FailureMode.Cancel}; stays the user's to close, after this
     *     backend. Its time limit holds, its transcoder is not used
     * @return the backend
     * @throws IllegalArgumentException if the client is of another kind; a failure mode is not seen where the client's hash is
     *     one's own
     */
    public static MemcachedBackend of(MemcachedClient client) {
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
     * @return the partition; the servers are not asked yet, and may be down
     * @throws IllegalArgumentException if the region has no serializer, or its lease is shorter than three seconds
     */
    @Override
    public <V> Partition<V> open(Opening<V> opening) {
        if (opening.lease().compareTo(SHORTEST_LEASE) < 0) {
            throw new IllegalArgumentException("region '" + opening.region() + "' has a lease of " + opening.lease()
                    + ", and memcached, which counts whole seconds, keeps none shorter than " + SHORTEST_LEASE
                    + ": give the region a longer one");
        }
        return new MemcachedPartition<>(member, opening, opening.serializerFor(this));
    }

    /**
     * The lock alone, over the same client and prefix.
     *
     * @return the provider; usable until this backend's client is closed
     */
    public LockProvider locks() {
        return new MemcachedLockProvider(member.server(), member.names());
    }

    Member member() {
        return member;
    }

    /** Ends the threads, and closes the client if this backend's builder made it. Harmless twice. */
    @Override
    public void close() {
        member.close();
    }

    @Override
    public String toString() {
        return member.toString();
    }

    /**
     * Makes a backend. Give it either a client, or where the servers are. Not thread-safe.
     */
    public static final class Builder {
        /** What the servers take unless they are told otherwise, less what they add to an item. */
        private static final int DEFAULT_MAX_ITEM_BYTES = (1 << 20) - 1_024;

        private final Connecting connecting = new Connecting();
        private String prefix = DEFAULT_PREFIX;
        private int maxItemBytes = DEFAULT_MAX_ITEM_BYTES;

        private Builder() {}

        /**
         * Uses a client that the user has, with its own time-outs and credentials.
         *
         * @param client the client; see {@link MemcachedBackend#of}
         * @return this builder
         */
        public Builder client(MemcachedClient client) {
            connecting.client(Objects.requireNonNull(client, "client"));
            return this;
        }

        /**
         * The servers. Without this and without a client, {@code localhost:11211}. With several, keys are spread over them
         * (ketama): all who share values name the same servers, in any order.
         *
         * @param servers where they are, each {@code host:port}; at least one
         * @return this builder
         * @throws IllegalArgumentException if one is not of that form
         */
        public Builder servers(String... servers) {
            connecting.servers(servers);
            return this;
        }

        /**
         * Credentials, by SASL PLAIN: in clear, since the client knows no TLS.
         *
         * @param user the user; where the server keeps its own list, with its host, as in {@code cache@memcached}
         * @param password the password
         * @return this builder
         */
        public Builder credentials(String user, String password) {
            connecting.credentials(user, password);
            return this;
        }

        /**
         * How long to wait for an answer; half a second by default. A good deal shorter than a region's lease.
         *
         * @param timeout the time, from a millisecond to a minute
         * @return this builder
         * @throws IllegalArgumentException if it is not within those
         */
        public Builder timeout(Duration timeout) {
            connecting.timeout(timeout);
            return this;
        }

        /**
         * What all keys of this backend begin with; {@value MemcachedBackend#DEFAULT_PREFIX} by default. Nodes that share values
         * have the same.
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
         * How large an item may be, with its key and 68 bytes of stamps; a KiB less than a MiB by default, which is what
         * servers take unless they were started with another {@code -I}. What is larger is not sent; its caller keeps it.
         *
         * @param bytes the limit
         * @return this builder
         * @throws IllegalArgumentException if it is not at least 1024
         */
        public Builder maxItemBytes(int bytes) {
            if (bytes < 1_024) {
                throw new IllegalArgumentException("maxItemBytes must be at least 1024, was " + bytes);
            }
            this.maxItemBytes = bytes;
            return this;
        }

        /**
         * Builds the backend. Waits for the connections, at most as long as for an answer; servers that are down are tried
         * again each second.
         *
         * @return the backend, to be closed by the caller
         * @throws IllegalArgumentException if options contradict each other, which the message names both, or a host's name does
         *     not resolve
         */
        public MemcachedBackend build() {
            Names names = new Names(prefix);
            connecting.check();
            Server server = new Server(
                    connecting.connect(), connecting.owner(), new Health(connecting.toString()), connecting.timeout());
            server.awaitConnections();
            return new MemcachedBackend(new Member(server, names, maxItemBytes));
        }
    }
}
