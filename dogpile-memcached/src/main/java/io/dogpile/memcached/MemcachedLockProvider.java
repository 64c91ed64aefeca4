package io.dogpile.memcached;

import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import net.spy.memcached.MemcachedClient;

/**
 * Leases in memcached, for those who keep their values elsewhere and want only the lock.
 *
 * <p>A lease is one item with a nonce of its own, so that closing or extending a lease that was lost touches no later holder's.
 * It lasts at least as long as it was asked for, and at most two seconds longer: memcached counts whole seconds and lets the
 * first one end early.
 *
 * <p><b>Not promised</b>: that a lease lasts. A server that is restarted, flushed or short of memory forgets it, and another
 * gets the lock. Grants are not numbered, so no store can tell a late writer. Values that are kept in memcached are
 * better protected by {@link MemcachedBackend}, which refuses what is published by a right that was lost.
 *
 * <p>Thread-safe. It holds no threads, and closes nothing.
 */
public final class MemcachedLockProvider implements LockProvider {
    private final Server server;
    private final Names names;
    private final Nonces nonces = new Nonces();

    MemcachedLockProvider(Server server, Names names) {
        this.server = server;
        this.names = names;
    }

    /**
     * Locks under {@value MemcachedBackend#DEFAULT_PREFIX}.
     *
     * @param client the client; the user's to close
     * @return the provider
     * @throws IllegalArgumentException if the client is not of the kind that {@link MemcachedBackend#of} takes
     */
    public static MemcachedLockProvider of(MemcachedClient client) {
        return of(client, MemcachedBackend.DEFAULT_PREFIX);
    }

    /**
     * Locks under a prefix.
     *
     * @param client the client; the user's to close
     * @param prefix 1 to 40 letters, digits, {@code _}, {@code -}, {@code .} and {@code :}; those who share locks have the same
     * @return the provider
     * @throws IllegalArgumentException if the prefix is not of that form, or the client not of the kind that
     *     {@link MemcachedBackend#of} takes
     */
    public static MemcachedLockProvider of(MemcachedClient client, String prefix) {
        Names names = new Names(Objects.requireNonNull(prefix, "prefix"));
        Server.check(client);
        Health health = new Health(Connecting.OF_THE_USER);
        return new MemcachedLockProvider(
                new Server(client, Server.Owner.USER, health, Server.timeoutOf(client)), names);
    }

    /**
     * Tries to get the right to create a name.
     *
     * @param name the name, at least one character
     * @param leaseTime for how long the right lasts at least unless it is extended; positive
     * @return the lease, or empty if somebody else holds it
     * @throws IllegalArgumentException if the name is empty or the time not positive
     * @throws MemcachedException if it is not known whether the right was granted; it ends with its time if it was
     */
    @Override
    public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("the name of a lock must not be empty");
        }
        int ttl = ttl(leaseTime);
        Item item = names.lock(name);
        byte[] nonce = Names.bytes(nonces.next());
        Pending adding = server.add(item, nonce, ttl);
        Pending looking = server.gets(item);
        Answer added = server.answer(adding);
        if (added.done()) {
            return Optional.of(new Held(new OwnItem(server, item, nonce, added.cas())));
        }
        // One's own if the client sent it twice, as it may where a connection broke.
        Answer there = server.answer(looking);
        return there.data() != null && Arrays.equals(there.data(), nonce)
                ? Optional.of(new Held(new OwnItem(server, item, nonce, there.cas())))
                : Optional.empty();
    }

    private static int ttl(Duration leaseTime) {
        if (leaseTime.isNegative() || leaseTime.isZero()) {
            throw new IllegalArgumentException("a lease must last for some time, was asked for " + leaseTime);
        }
        return Ttl.atLeast(leaseTime);
    }

    private static final class Held implements Lease {
        private final OwnItem item;
        private final AtomicBoolean closed = new AtomicBoolean();

        Held(OwnItem item) {
            this.item = item;
        }

        @Override
        public boolean extend(Duration leaseTime) {
            int ttl = ttl(leaseTime);
            return !closed.get() && item.prolonging(ttl).done();
        }

        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                try {
                    var unused = item.deleting().done(); // false: it was lost before
                } catch (MemcachedException notKnown) {
                    closed.set(false); // so that it can be tried again
                    throw notKnown;
                }
            }
        }
    }

    @Override
    public String toString() {
        return "locks in memcached, prefix '" + names.prefix() + "'";
    }
}
