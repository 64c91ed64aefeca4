package io.dogpile.redis;

import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import redis.clients.jedis.UnifiedJedis;

/**
 * Leases in Redis, for those who keep their values elsewhere and want only the lock.
 *
 * <p>A lease is one key with a nonce of its own, so that closing or extending a lease that was lost touches no later holder's.
 * It ends by the server's clock; grants are numbered by it, ever higher unless that clock is set back between the end of one
 * and the next. No promise survives a failover to a replica that lacks the key. Values that are kept in Redis are
 * better protected by {@link RedisBackend}, which checks the right and writes in one step.
 *
 * <p>Thread-safe. It holds no threads, and closes nothing.
 */
public final class RedisLockProvider implements LockProvider {
    private final Server server;
    private final Names names;
    private final Nonces nonces = new Nonces();

    RedisLockProvider(Server server, Names names) {
        this.server = server;
        this.names = names;
    }

    /**
     * Locks under {@value RedisBackend#DEFAULT_PREFIX}.
     *
     * @param client the client; the user's to close
     * @return the provider
     */
    public static RedisLockProvider of(UnifiedJedis client) {
        return of(client, RedisBackend.DEFAULT_PREFIX);
    }

    /**
     * Locks under a prefix.
     *
     * @param client the client; the user's to close
     * @param prefix 1 to 40 letters, digits, {@code _}, {@code -}, {@code .} and {@code :}; those who share locks have the same
     * @return the provider
     * @throws IllegalArgumentException if the prefix is not of that form
     */
    public static RedisLockProvider of(UnifiedJedis client, String prefix) {
        Names names = new Names(Objects.requireNonNull(prefix, "prefix"));
        Health health = new Health("of a client that was given");
        return new RedisLockProvider(new Server(client, Server.Owner.USER, health, UnaryOperator.identity()), names);
    }

    /**
     * Tries to get the right to create a name.
     *
     * @param name the name, at least one character
     * @param leaseTime for how long the right lasts unless it is extended; positive, rounded up to milliseconds
     * @return the lease, or empty if somebody else holds it
     * @throws IllegalArgumentException if the name is empty or the time not positive
     * @throws RuntimeException if it is not known whether the right was granted; it is given back if it was, or ends with its
     *     time
     */
    @Override
    public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("the name of a lock must not be empty");
        }
        byte[] millis = millis(leaseTime);
        byte[] key = names.lock(name);
        byte[] nonce = Texts.bytes(nonces.next());
        List<?> reply = server.sendScript(RedisScript.LOCK, List.of(key), List.of(nonce, millis));
        return (Long) reply.get(0) == 1
                ? Optional.of(new Held(key, nonce, Long.parseLong(Texts.of((byte[]) reply.get(1)))))
                : Optional.empty();
    }

    private static byte[] millis(Duration leaseTime) {
        if (leaseTime.isNegative() || leaseTime.isZero()) {
            throw new IllegalArgumentException("a lease must last for some time, was asked for " + leaseTime);
        }
        return Texts.bytes(leaseTime.plusNanos(999_999).toMillis());
    }

    private final class Held implements Lease {
        private final byte[] key;
        private final byte[] nonce;
        private final long fence;
        private final AtomicBoolean closed = new AtomicBoolean();

        Held(byte[] key, byte[] nonce, long fence) {
            this.key = key;
            this.nonce = nonce;
            this.fence = fence;
        }

        @Override
        public long fencingToken() {
            return fence;
        }

        @Override
        public boolean extend(Duration leaseTime) {
            byte[] millis = millis(leaseTime);
            Object reply = server.send(server.script(RedisScript.EXTEND, List.of(key), List.of(nonce, millis)));
            return !closed.get() && Long.valueOf(1).equals(reply);
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                try {
                    server.send(server.script(RedisScript.UNLOCK, List.of(key), List.of(nonce)));
                } catch (RuntimeException notKnown) {
                    closed.set(false); // so that it can be tried again
                    throw notKnown;
                }
            }
        }
    }

    @Override
    public String toString() {
        return "locks in Redis, prefix '" + names.prefix() + "'";
    }
}
