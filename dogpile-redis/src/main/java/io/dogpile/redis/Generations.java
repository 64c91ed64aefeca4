package io.dogpile.redis;

import io.dogpile.cache.backend.Invalidation;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The generations of one region: a value is there if its own is not below {@code hard}, and fresh only if it is not below
 * {@code soft}. Numbers of a hybrid logical clock, so that they only grow, also where the server has lost them.
 *
 * <p>This node knows the largest that it ever saw: by its own invalidations at once, by others' at the latest when it asks
 * again, each second. What it knows and the server has lost, it restores.
 *
 * <p>Thread-safe.
 */
final class Generations {
    private static final byte[] KEEP = Texts.bytes("KEEP");

    /** Both generations. */
    record Both(long hard, long soft) {
        static final Both NONE = new Both(0, 0);

        /** Beyond it numbers are not exact in a script, so that no value could be of a generation that follows. */
        private static final long MOST = 9_000_000_000_000_000L;

        static @Nullable Both parse(@Nullable String text) {
            if (text == null) {
                return null;
            }
            RedisRecord.Numbers in = new RedisRecord.Numbers(Texts.bytes(text), 0);
            long hard = in.next();
            long soft = in.next();
            boolean damaged = hard < 0 || soft < 0 || hard > MOST || soft > MOST || !in.atEnd();
            return damaged ? null : new Both(hard, soft);
        }

        Both and(Both other) {
            return new Both(Math.max(hard, other.hard), Math.max(soft, other.soft));
        }
    }

    private final Server server;
    private final byte[] key;
    private final byte[] channelOfAll;
    private final byte[] announcement;
    private final Clocks clocks;
    private final Runnable changed;
    private final AtomicReference<Both> known = new AtomicReference<>(Both.NONE);
    private final ReentrantLock asking = new ReentrantLock();
    private volatile boolean asked;

    /** Tells {@code changed}, on any thread, when there is a new generation. */
    Generations(Server server, Names names, String region, Clocks clocks, Runnable changed) {
        this.server = server;
        this.key = names.generation(region);
        this.channelOfAll = names.channelOfAll();
        this.announcement = Texts.bytes("G " + region + ' ');
        this.clocks = clocks;
        this.changed = changed;
    }

    byte[] key() {
        return key;
    }

    /** What is known; asks the server first if it was never asked. */
    Both known() {
        if (!asked) {
            asking.lock();
            try {
                if (!asked) {
                    ask();
                }
            } finally {
                asking.unlock();
            }
        }
        return seen();
    }

    private Both seen() {
        return Objects.requireNonNull(known.get());
    }

    /** Asks the server, and restores there what it has lost. */
    void ask() {
        step(KEEP);
        asked = true;
    }

    /** Begins a generation. This node goes by it even where the server did not answer, and restores it there later. */
    void begin(Invalidation how) {
        try {
            step(Texts.bytes(how.name()));
        } catch (RuntimeException notKnown) {
            Both before = seen();
            long next = Math.max(Math.max(before.hard, before.soft) + 1, clocks.microsOrZero());
            learn(how == Invalidation.HARD ? new Both(next, 0) : new Both(0, next));
            throw notKnown;
        }
    }

    private void step(byte[] how) {
        Both before = seen();
        long sent = clocks.now();
        List<?> reply = server.sendScript(
                RedisScript.GENERATION,
                List.of(key),
                List.of(how, Texts.bytes(before.hard), Texts.bytes(before.soft), channelOfAll, announcement));
        clocks.answered(key, sent, (Long) reply.get(0));
        learn(Both.parse(Texts.ofOrNull(reply.get(1))));
    }

    /** Takes note of generations, if they are newer. */
    void learn(@Nullable Both told) {
        if (told == null) {
            return;
        }
        Both before = Objects.requireNonNull(known.getAndUpdate(now -> now.and(told)));
        if (!before.and(told).equals(before)) {
            changed.run();
        }
    }
}
