package io.dogpile.redis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This JVM as one of many that share a Redis: its id, its inbox, and what it does by the clock: heartbeats, asking for
 * generations, and what need not be waited for. Others do that for it ({@link Chores}), until it is closed.
 */
final class RedisNode implements AutoCloseable {
    private static final long ASK_MILLIS = 1_000;

    private final Logger log = LoggerFactory.getLogger("io.dogpile.redis");
    private final Server server;
    private final Names names;
    private final byte[] pushMax;
    private final Reads reads;
    private final Nonces nonces;
    private final Inbox inbox;
    private final Set<RedisPartition<?>> partitions = ConcurrentHashMap.newKeySet();
    private final Chores chores;

    /** What a plain read asks for. */
    enum Reads {
        /** The record; generations are known by push, and by asking each second. */
        BOUNDED,
        /** The region's generations, too. */
        STRICT
    }

    RedisNode(Server server, Names names, int pushMax, Reads reads) {
        this(server, names, pushMax, reads, new Nonces(), new NodeThreads(server));
    }

    RedisNode(Server server, Names names, int pushMax, Reads reads, Nonces nonces, Chores chores) {
        this.server = server;
        this.names = names;
        this.pushMax = Texts.bytes(pushMax);
        this.reads = reads;
        this.nonces = nonces;
        this.inbox = new Inbox(server, names, nonces.id());
        this.chores = chores;
    }

    void start() {
        chores.listen(inbox);
        chores.beat(Inbox.BEAT_MILLIS, () -> attempt(() -> inbox.beat(this::later)));
        chores.every(ASK_MILLIS, () -> partitions.forEach(this::ask));
    }

    private void ask(RedisPartition<?> partition) {
        attempt(partition::refreshGenerations);
    }

    private void attempt(Runnable task) {
        try {
            task.run();
        } catch (Throwable failed) { // else it would be the last time
            log.debug("Redis: tried again later", failed);
        }
    }

    /** Does something that is of use and need not be waited for; a server that cannot be reached costs that use only. */
    void later(Runnable task) {
        chores.later(() -> attempt(task));
    }

    /** No other node, and no other attempt of this one, ever has the same. */
    String newNonce() {
        return nonces.next();
    }

    String id() {
        return nonces.id();
    }

    Server server() {
        return server;
    }

    Inbox inbox() {
        return inbox;
    }

    Names names() {
        return names;
    }

    byte[] pushMax() {
        return pushMax;
    }

    boolean isStrict() {
        return reads == Reads.STRICT;
    }

    void opened(RedisPartition<?> partition) {
        partitions.add(partition);
    }

    void closed(RedisPartition<?> partition) {
        partitions.remove(partition);
    }

    @Override
    public void close() {
        inbox.close();
        chores.close();
        server.close();
    }

    @Override
    public String toString() {
        return "Redis, prefix '" + names.prefix() + "'";
    }
}
