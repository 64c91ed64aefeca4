package io.dogpile.redis;

import io.dogpile.core.TimeSource;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisClusterException;
import redis.clients.jedis.exceptions.JedisClusterOperationException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisRedirectionException;

/**
 * Tells the log what is wrong with the server: one line when a condition begins, one a minute while it lasts, one when the
 * server answers again. Regions follow their own policies meanwhile, and count.
 *
 * <pre>
 *   WELL ──no answer──► TROUBLED ──answered, after a second without a failure──► WELL        (any) ──close──► silent
 * </pre>
 *
 * <p>A refusal is an answer: it is told, once a minute, and ends nothing that others would have to begin again.
 */
final class Health {
    private static final long REPEATED_AFTER = TimeUnit.MINUTES.toNanos(1);
    private static final long WELL_AFTER = TimeUnit.SECONDS.toNanos(1);
    private static final String ARGUMENTS = ", with args beginning with";

    /** What can be wrong, and what to do. */
    enum Condition {
        UNREACHABLE("no connection"),
        TIMEOUT("no answer in time; what was sent may have been done all the same"),
        POOL_EXHAUSTED("all connections of the pool are in use: raise its size, or the time it waits"),
        OUT_OF_MEMORY("the server is out of memory: raise maxmemory, or let it evict; what is there can still be read"),
        READ_ONLY("the server is a replica: after a failover it will be left for the new master"),
        LOADING("the server loads its data"),
        BUSY("somebody's script holds the server up"),
        CLUSTER("the cluster does not serve the key"),
        WRONG_TYPE("a key holds what another program stored: give this backend a prefix of its own"),
        DENIED("the user may not do this: see README for the rules that are needed"),
        OTHER("the server refused");

        private static final Set<Condition> REFUSALS = EnumSet.of(OUT_OF_MEMORY, READ_ONLY, WRONG_TYPE, DENIED, OTHER);

        private final String says;

        Condition(String says) {
            this.says = says;
        }

        /** The server answers, and refuses this: others that are not refused say nothing of it. */
        boolean isRefusal() {
            return REFUSALS.contains(this);
        }

        static Condition of(JedisException failure) {
            if (failure instanceof JedisConnectionException) {
                return has(failure, SocketTimeoutException.class) && !has(failure, ConnectException.class)
                        ? TIMEOUT
                        : UNREACHABLE;
            }
            if (has(failure, NoSuchElementException.class)) {
                return POOL_EXHAUSTED;
            }
            if (failure instanceof JedisRedirectionException
                    || failure instanceof JedisClusterException
                    || failure instanceof JedisClusterOperationException) {
                return CLUSTER;
            }
            if (failure instanceof JedisAccessControlException) {
                return DENIED;
            }
            return failure instanceof JedisDataException ? said(String.valueOf(failure.getMessage())) : OTHER;
        }

        /** What a script was refused stands inside of the script's own error. */
        private static Condition said(String message) {
            if (message.contains("OOM ")) {
                return OUT_OF_MEMORY;
            }
            if (message.contains("READONLY ")) {
                return READ_ONLY;
            }
            if (message.startsWith("LOADING ")) {
                return LOADING;
            }
            if (message.startsWith("BUSY ")) {
                return BUSY;
            }
            if (message.contains("WRONGTYPE ")) {
                return WRONG_TYPE;
            }
            if (message.contains("NOPERM ")
                    || message.contains("The user executing the script ") // 7.0
                    || message.contains("ACL failure in script: ") // 7.2 and later, Valkey
                    || message.startsWith("NOAUTH ")
                    || message.startsWith("WRONGPASS ")) {
                return DENIED;
            }
            return OTHER;
        }

        private static boolean has(Throwable failure, Class<? extends Throwable> type) {
            for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                if (type.isInstance(cause)) {
                    return true;
                }
            }
            return false;
        }
    }

    private final Logger log = LoggerFactory.getLogger("io.dogpile.redis");
    private final String server;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Condition, Long> said = new EnumMap<>(Condition.class); // Guarded by: lock
    private long failures; // Guarded by: lock
    private long lastFailure; // Guarded by: lock
    private volatile boolean troubled;
    private volatile boolean closed;

    /** Names the server in messages. */
    Health(String server) {
        this.server = server;
    }

    /** Notes a failure, and returns it, {@linkplain #withoutArguments without arguments}. */
    JedisException failed(JedisException told) {
        JedisException failure = withoutArguments(told);
        if (closed) {
            return failure;
        }
        Condition condition = Condition.of(failure);
        long now = TimeSource.system().nanos();
        boolean news;
        lock.lock();
        try {
            if (!condition.isRefusal()) {
                failures++;
                lastFailure = now;
                troubled = true;
            }
            Long before = said.get(condition);
            news = before == null || now - before >= REPEATED_AFTER;
            if (news) {
                said.put(condition, now);
            }
        } finally {
            lock.unlock();
        }
        if (news) {
            log.warn(
                    "Redis {}: {}: {} ({}). Regions follow their policies (whenDown) meanwhile.",
                    server,
                    condition.name().toLowerCase(Locale.ROOT),
                    condition.says,
                    failure.toString());
            log.debug("Redis {}: the first such failure", server, failure);
        }
        return failure;
    }

    /** A server repeats what it does not know, arguments included: a password may be among them, or a value. */
    static JedisException withoutArguments(JedisException failure) {
        String message = repeating(failure);
        if (message == null) {
            return failure;
        }
        JedisException cut = new JedisDataException(message.substring(0, message.indexOf(ARGUMENTS)));
        cut.setStackTrace(failure.getStackTrace());
        return cut;
    }

    /** A message that has arguments in it, wherever it is told; null if there is none. Failures may be each other's causes in a circle. */
    private static @Nullable String repeating(Throwable failure) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Throwable> left = new ArrayDeque<>(List.of(failure));
        while (!left.isEmpty()) {
            Throwable next = left.remove();
            if (!seen.add(next)) {
                continue;
            }
            String message = next.getMessage();
            if (message != null && message.contains(ARGUMENTS)) {
                return message;
            }
            if (next.getCause() != null) {
                left.add(next.getCause());
            }
            left.addAll(List.of(next.getSuppressed()));
        }
        return null;
    }

    /** The client is being closed: what fails from here on says nothing of the server. */
    void close() {
        closed = true;
    }

    /** Notes that the server answered. */
    void answered() {
        if (troubled) {
            recover();
        }
    }

    private void recover() {
        long now = TimeSource.system().nanos();
        long failed;
        lock.lock();
        try {
            if (!troubled || now - lastFailure < WELL_AFTER) {
                return;
            }
            troubled = false;
            failed = failures;
            failures = 0;
            said.keySet().removeIf(condition -> !condition.isRefusal());
        } finally {
            lock.unlock();
        }
        log.info("Redis {}: answers again, after {} failures", server, failed);
    }
}
