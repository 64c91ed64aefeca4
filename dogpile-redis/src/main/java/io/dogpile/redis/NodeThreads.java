package io.dogpile.redis;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * The three threads of a node, daemons all: its heart, which never waits for the server, what goes on behind, and the one that
 * the subscription of the inbox is read by.
 */
final class NodeThreads implements Chores {
    /** What is put off when a server does not answer is given up beyond this: leases end by themselves. */
    private static final int MOST_PUT_OFF = 1_000;

    private static final long FIRST_PAUSE = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(2);

    private final Logger log = LoggerFactory.getLogger("io.dogpile.redis");
    private final Server server;
    private final ScheduledThreadPoolExecutor heart = timer("dogpile-redis-heart");
    private final ScheduledThreadPoolExecutor behind = timer("dogpile-redis-behind");
    private volatile @Nullable Thread listener;

    NodeThreads(Server server) {
        this.server = server;
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

    @Override
    public void beat(long millis, Runnable task) {
        every(heart, millis, task);
    }

    @Override
    public void every(long millis, Runnable task) {
        every(behind, millis, task);
    }

    /** With a part of the time drawn, so that nodes that were started together do not act together. */
    private static void every(ScheduledThreadPoolExecutor timer, long millis, Runnable task) {
        long first = ThreadLocalRandom.current().nextLong(millis);
        var unused = timer.scheduleWithFixedDelay(task, first, millis, TimeUnit.MILLISECONDS);
    }

    @Override
    public void later(Runnable task) {
        if (behind.getQueue().size() < MOST_PUT_OFF) {
            try {
                behind.execute(task);
            } catch (RejectedExecutionException closed) {
                log.debug("Redis: closed before a right was given back; it ends with its lease");
            }
        }
    }

    @Override
    public void listen(Inbox inbox) {
        Thread thread = daemon("dogpile-redis-inbox").newThread(() -> subscribe(inbox));
        listener = thread;
        thread.start();
    }

    private void subscribe(Inbox inbox) {
        long pause = FIRST_PAUSE;
        while (inbox.state() != Inbox.State.CLOSED) {
            Inbox.Subscription now = inbox.connecting();
            try {
                server.subscribe(now, now::opened, inbox.channels());
                log.debug("Redis: the subscription of {} ended", inbox);
            } catch (Throwable broken) {
                // Also what garbage does to the client: without this thread nothing is heard any more.
                boolean unexplained =
                        !(broken instanceof JedisConnectionException) && !(broken instanceof JedisDataException);
                if (unexplained && pause == FIRST_PAUSE) {
                    log.error(
                            "Redis: the subscription of {} was ended by {}; subscribing anew",
                            inbox,
                            broken.toString());
                }
                log.debug("Redis: the subscription of {} is broken", inbox, broken);
            }
            if (now.wasLive()) {
                pause = FIRST_PAUSE;
            }
            inbox.down();
            if (inbox.state() != Inbox.State.CLOSED) {
                LockSupport.parkNanos(
                        pause + (long) (pause * ThreadLocalRandom.current().nextDouble()));
                pause = Math.min(2 * pause, LONGEST_PAUSE);
            }
        }
    }

    /** The inbox is to be closed before, so that its thread finds it so. */
    @Override
    public void close() {
        heart.shutdownNow();
        behind.shutdownNow();
        LockSupport.unpark(listener);
    }
}
