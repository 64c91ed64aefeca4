package io.dogpile.memcached;

import io.dogpile.core.TimeSource;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.spy.memcached.ConnectionObserver;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.MemcachedConnection;
import net.spy.memcached.MemcachedNode;
import net.spy.memcached.OperationFactory;
import net.spy.memcached.ops.Operation;
import net.spy.memcached.ops.StatusCode;
import net.spy.memcached.ops.StoreType;
import net.spy.memcached.protocol.binary.BinaryMemcachedNodeImpl;
import net.spy.memcached.protocol.binary.BinaryOperationFactory;
import org.jspecify.annotations.Nullable;

/**
 * The only caller of the client: sends commands, as many together as one likes, and turns whatever goes wrong into a
 * {@link MemcachedException}.
 *
 * <p>Commands are made here and not by the client's own methods. So bytes stay bytes: the client's transcoder, which makes
 * objects of what others stored, is never asked. Each command may be sent to where another key is, so that a right and its
 * value are always on one server, and come there in the order in which they were sent. Where a server is down the
 * client's bulk reads ask another one, which would answer for it; these do not. And an answer that a {@code cas} does not
 * expect, such as "out of memory", does not break the connection.
 *
 * <p>What timed out may have been done, and may still be. The client may send again what it was about to send when a
 * connection broke; so all of it either does its work once, or may be done twice.
 */
final class Server implements AutoCloseable {
    private static final long BETWEEN_LOOKS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final Duration LONGEST_SHUTDOWN = Duration.ofSeconds(1);
    private static final int NO_FLAGS = 0;
    private static final Pattern TIMEOUT = Pattern.compile("Max Op Timeout: (\\d{1,9}),");

    private final MemcachedClient client;
    private final MemcachedConnection connection;
    private final OperationFactory commands = new BinaryOperationFactory();
    private final Owner owner;
    private final Health health;
    private final long timeoutNanos;

    /** A server took a connection, and nothing was answered since: where there are credentials, they may be wrong. */
    private volatile boolean unproven;

    /** Who closes the client. */
    enum Owner {
        THIS,
        USER
    }

    Server(MemcachedClient client, Owner owner, Health health, Duration timeout) {
        this.client = Objects.requireNonNull(client, "client");
        this.connection = client.getConnection();
        this.owner = owner;
        this.health = health;
        this.timeoutNanos = timeout.toNanos();
        var unused = client.addObserver(new ConnectionObserver() {
            @Override
            public void connectionEstablished(SocketAddress address, int reconnects) {
                unproven = true;
            }

            @Override
            public void connectionLost(SocketAddress address) {
                // what is sent then is told
            }
        });
    }

    /**
     * Refuses a client that cannot do what is needed, as far as it tells.
     *
     * @throws IllegalArgumentException if it speaks another protocol, or hands what is for one server to another
     */
    static void check(MemcachedClient client) {
        for (MemcachedNode node : client.getConnection().getLocator().getAll()) {
            if (!(node instanceof BinaryMemcachedNodeImpl)) {
                throw new IllegalArgumentException(
                        "the client speaks the text protocol, which cannot delete an item only if it"
                                + " is one's own: build it with ConnectionFactoryBuilder.setProtocol(Protocol.BINARY)");
            }
        }
        String told = told(client);
        for (FailureMode other : FailureMode.values()) {
            if (other != FailureMode.Cancel && told.contains("Failure Mode: " + other.name() + ",")) {
                throw new IllegalArgumentException("the client has FailureMode." + other
                        + ", by which rights and values end up on servers where nobody looks for them: build it with"
                        + " ConnectionFactoryBuilder.setFailureMode(FailureMode.Cancel)");
            }
        }
    }

    /** How long the client itself waits for an answer, or the default where it does not tell. */
    static Duration timeoutOf(MemcachedClient client) {
        Matcher told = TIMEOUT.matcher(told(client));
        return told.find() ? Duration.ofMillis(Long.parseLong(told.group(1))) : Connecting.DEFAULT_TIMEOUT;
    }

    /** The client has no other words for its settings; and has none where its hash is one's own. */
    private static String told(MemcachedClient client) {
        try {
            return client.toString();
        } catch (RuntimeException unknown) {
            return "";
        }
    }

    long timeoutNanos() {
        return timeoutNanos;
    }

    /** Waits for the connections, at most as long as for an answer. */
    void awaitConnections() {
        TimeSource time = TimeSource.system();
        Collection<MemcachedNode> nodes = connection.getLocator().getAll();
        long end = time.nanos() + timeoutNanos;
        while (!nodes.stream().allMatch(node -> node.isActive() && node.isAuthenticated()) && time.nanos() < end) {
            LockSupport.parkNanos(BETWEEN_LOOKS);
            if (Thread.currentThread().isInterrupted()) {
                return;
            }
        }
    }

    /** Reads an item and its number. */
    Pending gets(Item item) {
        Pending pending = new Pending(item, timeoutNanos);
        return send(pending, commands.gets(item.key(), pending));
    }

    /** Stores an item if there is none. */
    Pending add(Item item, byte[] data, int ttl) {
        Pending pending = new Pending(item, timeoutNanos);
        return send(pending, commands.store(StoreType.add, item.key(), NO_FLAGS, ttl, data, pending));
    }

    /** Stores an item. */
    Pending set(Item item, byte[] data, int ttl) {
        Pending pending = new Pending(item, timeoutNanos);
        return send(pending, commands.store(StoreType.set, item.key(), NO_FLAGS, ttl, data, pending));
    }

    /** Stores an item if it still has this number, which is not 0. */
    Pending cas(Item item, long cas, byte[] data, int ttl) {
        Pending pending = new Pending(item, timeoutNanos);
        return send(pending, commands.cas(StoreType.set, item.key(), known(cas), NO_FLAGS, ttl, data, pending));
    }

    /** Deletes an item. */
    Pending delete(Item item) {
        Pending pending = new Pending(item, timeoutNanos);
        return send(pending, commands.delete(item.key(), pending));
    }

    /** Deletes an item if it still has this number, which is not 0. */
    Pending delete(Item item, long cas) {
        Pending pending = new Pending(item, timeoutNanos);
        return send(pending, commands.delete(item.key(), known(cas), pending));
    }

    /** 0 would mean "whatever there is". */
    private static long known(long cas) {
        if (cas == 0) {
            throw new IllegalArgumentException("the number of the item is not known");
        }
        return cas;
    }

    /** An answer without sense, or of a length that no memory holds, ends the client's only thread, and nothing is answered. */
    private boolean hasEnded() {
        return !connection.isAlive() && !connection.isShutDown();
    }

    /** Who is interrupted could not send: the flag is put aside meanwhile. What cannot be sent is told by the answer. */
    private Pending send(Pending pending, Operation command) {
        pending.of(command);
        boolean interrupted = Thread.interrupted();
        try {
            if (hasEnded()) {
                throw new IllegalStateException("the client's thread has ended");
            }
            connection.enqueueOperation(pending.item().beside(), command);
        } catch (RuntimeException notSent) {
            pending.notSent(notSent);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return pending;
    }

    /**
     * Waits for an answer.
     *
     * @return an answer that was done or refused
     * @throws MemcachedException if there is none, or it is another
     */
    Answer answer(Pending pending) {
        try {
            return checked(pending, pending.await());
        } catch (ExecutionException notSent) {
            throw notSent(pending, notSent.getCause());
        }
    }

    private Answer checked(Pending pending, Answer answer) {
        if (answer.done() || answer.refused()) {
            if (unproven) {
                unproven = false;
            }
            health.answered();
            return answer;
        }
        MemcachedException.Condition condition = condition(pending, answer);
        throw health.failed(new MemcachedException(
                condition, message(pending) + condition.says() + " (" + answer.status() + ", " + answer.said() + ")"));
    }

    private MemcachedException notSent(Pending pending, @Nullable Throwable why) {
        MemcachedException.Condition condition = connection.isShutDown() || hasEnded()
                ? MemcachedException.Condition.CLOSED
                : why instanceof IllegalStateException
                        ? MemcachedException.Condition.OVERLOADED
                        : MemcachedException.Condition.OTHER;
        return health.failed(new MemcachedException(condition, message(pending) + condition.says(), why));
    }

    private String message(Pending pending) {
        return "memcached " + health.servers() + ", item '" + pending.item().key() + "': ";
    }

    private MemcachedException.Condition condition(Pending pending, Answer answer) {
        return switch (answer.status()) {
            case CANCELLED -> {
                MemcachedNode node =
                        connection.getLocator().getPrimary(pending.item().beside());
                yield connection.isShutDown()
                        ? MemcachedException.Condition.CLOSED
                        : unproven && !node.isAuthenticated()
                                ? MemcachedException.Condition.DENIED
                                : MemcachedException.Condition.UNREACHABLE;
            }
            case TIMEDOUT -> MemcachedException.Condition.TIMEOUT;
            case ERR_NO_MEM -> MemcachedException.Condition.OUT_OF_MEMORY;
            case ERR_2BIG -> MemcachedException.Condition.TOO_LARGE;
            default ->
                answer.status() != StatusCode.SUCCESS && answer.said().contains("Auth")
                        ? MemcachedException.Condition.DENIED
                        : MemcachedException.Condition.OTHER;
        };
    }

    @Override
    public void close() {
        if (owner == Owner.THIS) {
            client.shutdown(LONGEST_SHUTDOWN.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public String toString() {
        return health.servers();
    }
}
