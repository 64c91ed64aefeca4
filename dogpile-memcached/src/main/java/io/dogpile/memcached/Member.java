package io.dogpile.memcached;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This JVM as one of many that share the servers: its nonces, and two threads, one for polls, which never blocks, and one for
 * what need not be waited for.
 */
final class Member implements AutoCloseable {
    /** What is put off when a server does not answer is given up beyond this: leases end by themselves. */
    private static final int MOST_PUT_OFF = 1_000;

    private final Logger log = LoggerFactory.getLogger("io.dogpile.memcached");
    private final Server server;
    private final Names names;
    private final int maxItemBytes;
    private final Nonces nonces = new Nonces();
    private final AtomicLong versions =
            new AtomicLong(ThreadLocalRandom.current().nextLong());
    private final ScheduledThreadPoolExecutor polls = timer("dogpile-memcached-polls");
    private final ScheduledThreadPoolExecutor behind = timer("dogpile-memcached-behind");

    Member(Server server, Names names, int maxItemBytes) {
        this.server = server;
        this.names = names;
        this.maxItemBytes = maxItemBytes;
    }

    private static ScheduledThreadPoolExecutor timer(String name) {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(null, task, name, 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(null);
            return thread;
        });
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    /** Does something that is of use and need not be waited for; a server that cannot be reached costs that use only. */
    void later(Runnable task) {
        if (behind.getQueue().size() < MOST_PUT_OFF) {
            try {
                behind.execute(() -> {
                    try {
                        task.run();
                    } catch (RuntimeException | LinkageError failed) {
                        log.debug("Memcached: given up", failed);
                    }
                });
            } catch (RejectedExecutionException closed) {
                log.debug("Memcached: closed before a right was given back; it ends with its lease");
            }
        }
    }

    ScheduledThreadPoolExecutor polls() {
        return polls;
    }

    String newNonce() {
        return nonces.next();
    }

    /** Tells two values of one key apart, whoever wrote them; says nothing of their order. */
    long newVersion() {
        return versions.incrementAndGet();
    }

    Server server() {
        return server;
    }

    Names names() {
        return names;
    }

    int maxItemBytes() {
        return maxItemBytes;
    }

    @Override
    public void close() {
        polls.shutdownNow();
        behind.shutdownNow();
        server.close();
    }

    @Override
    public String toString() {
        return "memcached " + server + ", prefix '" + names.prefix() + "'";
    }
}
