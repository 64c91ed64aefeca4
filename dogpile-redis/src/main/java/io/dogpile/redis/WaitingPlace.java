package io.dogpile.redis;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What this JVM knows of a record that it waits for; gone with the last who waits. */
final class WaitingPlace {
    /** Told of changes of one record; null for "look again". */
    interface Waiting extends Consumer<Push.@Nullable Changed> {}

    final List<Waiting> waiting = new CopyOnWriteArrayList<>();
    private volatile @Nullable Observed observed;
    private volatile long takesFromFence = Long.MAX_VALUE;
    private volatile long takesAfterMillis = Long.MAX_VALUE;

    /** A lease of another, seen unchanged since a local time. */
    record Observed(RedisRecord.Lease lease, long since, boolean registered) {}

    @Nullable
    Observed observed() {
        return observed;
    }

    /** Whether the server has this node noted as one to be told when that lease ends. */
    boolean isNotedFor(RedisRecord.Lease lease) {
        Observed before = observed;
        return before != null && before.registered && before.lease.nonce().equals(lease.nonce());
    }

    /**
     * A lease with that fence was held while somebody waited here. What is stored under it, or later, was not invalidated
     * before the wait began; what a message brings of before may have been, since it was on its way.
     */
    void takesFrom(long fence) {
        takesFromFence = fence;
    }

    /** The same of some lease, by the server's time. */
    void takesAfter(long serverMillis) {
        takesAfterMillis = serverMillis;
    }

    /** Whoever begins to wait takes nothing before it is told what it waits for. */
    void takesNothingYet() {
        takesFromFence = Long.MAX_VALUE;
        takesAfterMillis = Long.MAX_VALUE;
    }

    /** Whether a value that was pushed is one that was waited for. */
    boolean takes(RedisRecord.Stamps pushed) {
        return pushed.fence() >= takesFromFence || pushed.storedAtMillis() > takesAfterMillis;
    }

    /** The lease is seen now; what was noted of the same one stands. */
    void sees(RedisRecord.Lease lease, boolean registered, long now) {
        Observed before = observed;
        if (before == null || !before.lease.nonce().equals(lease.nonce())) {
            observed = new Observed(lease, now, registered);
            return;
        }
        boolean stands = before.lease.expiryMillis() == lease.expiryMillis();
        observed = new Observed(lease, stands ? before.since : now, registered || before.registered);
    }
}
