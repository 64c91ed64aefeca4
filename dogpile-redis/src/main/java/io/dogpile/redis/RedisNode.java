package io.dogpile.redis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This JVM as one of many that share a Redis: its id, its inbox, and what it does by the clock: heartbeats, asking for
 * generations, and what need not be waited for. Owns two threads for that, and the inbox's.
 */
final class RedisNode implements AutoCloseable {
    private static final long ASK_MILLIS = 1_000;

    /** What is put off when a server does not answer is given up beyond this: leases end by themselves. */
    private static final int MOST_PUT_OFF = 1_000;

    private final Logger log = LoggerFactory.getLogger("io.dogpile.redis");
    private final Server server;
    private final Names names;
    private final byte[] pushMax;
    private final Reads reads;
    private final Nonces nonces = new Nonces();
    private final Inbox inbox;
    private final Set<RedisPartition<?>> partitions = ConcurrentHashMap.newKeySet();
    private final ScheduledThreadPoolExecutor heart = timer("dogpile-redis-heart");
    private final ScheduledThreadPoolExecutor behind = timer("dogpile-redis-behind");

    /** What a plain read asks for. */
    enum Reads {
        /** The record; generations are known by push, and by asking each second. */
        BOUNDED,
        /** The region's generations, too. */
        STRICT
    }

    RedisNode(Server server, Names names, int pushMax, Reads reads) {
        this.server = server;
        this.names = names;
        this.pushMax = Texts.bytes(pushMax);
        this.reads = reads;
        this.inbox = new Inbox(server, names, nonces.id(), daemon("dogpile-redis-inbox"));
    }

    void start() {
        inbox.start();
        every(heart, Inbox.BEAT_MILLIS, () -> inbox.beat(this::later));
        every(behind, ASK_MILLIS, () -> partitions.forEach(this::ask));
    }

    private static ThreadFactory daemon(String name) {
        return task -> {
            Thread thread = new Thread(null, task, name, 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(null);
            return thread;
        };
    }

    private static ScheduledThreadPoolExecutor timer(String name) {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, daemon(name));
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        timer.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
        return timer;
    }

    /** With a part of the time drawn, so that nodes that were started together do not act together. */
    private void every(ScheduledThreadPoolExecutor timer, long millis, Runnable task) {
        long first = ThreadLocalRandom.current().nextLong(millis);
        var unused = timer.scheduleWithFixedDelay(() -> attempt(task), first, millis, TimeUnit.MILLISECONDS);
    }

    private void ask(RedisPartition<?> partition) {
        attempt(partition::refreshGenerations);
    }

    private void attempt(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | LinkageError failed) {
            log.debug("Redis: tried again later", failed);
        }
    }

    /** Does something that is of use and need not be waited for; a server that cannot be reached costs that use only. */
    void later(Runnable task) {
        if (behind.getQueue().size() < MOST_PUT_OFF) {
            try {
                behind.execute(() -> attempt(task));
            } catch (RejectedExecutionException closed) {
                log.debug("Redis: closed before a right was given back; it ends with its lease");
            }
        }
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
        heart.shutdownNow();
        behind.shutdownNow();
        inbox.close();
        server.close();
    }

    @Override
    public String toString() {
        return "Redis, prefix '" + names.prefix() + "'";
    }
}
