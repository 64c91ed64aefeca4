package io.dogpile.redis;

import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How rights are claimed in one region, on what was seen.
 *
 * <p>Whoever waits has a place in the inbox before it claims, so that no message overtakes it. While it waits for a lease
 * that the server noted it for, it is told "held" without the server being asked again. A lease that is seen unchanged for
 * longer than it lasts, by this JVM's own clock, is dead whatever the server's clock says.
 */
final class RedisClaims<V> {
    /** So much longer than its length must a lease stand still before it is taken for dead: clocks differ. */
    private static final double STANDS_STILL = 1.1;

    private final RedisPartition<V> partition;
    private final RedisNode node;
    private final TimeSource time;

    RedisClaims(RedisPartition<V> partition, RedisNode node, TimeSource time) {
        this.partition = partition;
        this.node = node;
        this.time = time;
    }

    /** One try to get a right: what was seen, what is wished, and the nonce. */
    private record Attempt<V>(RedisSight<V> seen, Slot.Wish wish, String nonce) {
        RecordName name() {
            return seen.name();
        }
    }

    Slot.Claim<V> claim(RedisSight<V> seen, Slot.Wish wish) {
        Slot.Claim<V> held = heldAsBefore(seen, wish);
        if (held != null) {
            return held;
        }
        Attempt<V> attempt = new Attempt<>(seen, wish, node.newNonce());
        long sent = time.nanos();
        List<?> reply;
        try {
            reply = (List<?>) Objects.requireNonNull(node.server().send(command(attempt)));
        } catch (RuntimeException notKnown) {
            partition.giveBackLater(seen.name(), attempt.nonce);
            throw notKnown;
        }
        return claimed(attempt, reply, sent);
    }

    Map<Object, Slot.Claim<V>> claimAll(Map<Object, Slots.Asked<V>> asked) {
        Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
        Map<Object, Attempt<V>> attempts = new LinkedHashMap<>();
        asked.forEach((key, one) -> {
            RedisSight<V> seen = partition.own(key, one.seen());
            Slot.Claim<V> held = heldAsBefore(seen, one.wish());
            if (held == null) {
                attempts.put(key, new Attempt<>(seen, one.wish(), node.newNonce()));
            } else {
                claims.put(key, held);
            }
        });
        long sent = time.nanos();
        try {
            List<Server.Answer> answers = node.server()
                    .sendAll(attempts.values().stream().map(this::command).toList());
            int next = 0;
            for (Map.Entry<Object, Attempt<V>> each : attempts.entrySet()) {
                claims.put(
                        each.getKey(),
                        claimed(each.getValue(), answers.get(next++).list(), sent));
            }
        } catch (RuntimeException notKnown) {
            attempts.values().forEach(one -> partition.giveBackLater(one.name(), one.nonce));
            throw notKnown;
        }
        return claims;
    }

    /**
     * Without a word to the server, which was just seen to have a right granted: to who does not wait, and to who waits and is
     * noted there for that very lease.
     */
    private Slot.@Nullable Claim<V> heldAsBefore(RedisSight<V> seen, Slot.Wish wish) {
        RedisRecord.Lease held = seen.held();
        long left = seen.leftMillis();
        if (held == null || left == 0 || wish.reason() == Slot.Wish.Reason.REFRESH) {
            return null;
        }
        if (!wish.willWait()) {
            return Slot.Claim.held(Duration.ofMillis(left), seen);
        }
        WaitingPlace place = placeOf(seen);
        if (place == null || !place.isNotedFor(held)) {
            return null;
        }
        place.sees(held, true, time.nanos());
        place.takesFrom(held.fence());
        return stoodStill(held, place) == null ? Slot.Claim.held(Duration.ofMillis(left), seen) : null;
    }

    private @Nullable WaitingPlace placeOf(RedisSight<V> seen) {
        return node.inbox().place(seen.name().full());
    }

    private Server.Command command(Attempt<V> attempt) {
        RedisSight<V> seen = attempt.seen;
        Slot.Wish.Reason reason = attempt.wish.reason();
        if (reason == Slot.Wish.Reason.NEEDED && seen.isUnreadable()) {
            // The server takes for fresh what cannot be read here: a newer one is wanted.
            reason = Slot.Wish.Reason.EARLY;
        }
        RedisRecord.Lease held = seen.held();
        WaitingPlace place = placeOf(seen);
        String dead = null;
        if (held != null && place != null) {
            place.sees(held, false, time.nanos());
            dead = stoodStill(held, place);
        }
        return partition.commands().claim(seen.name(), attempt.nonce, attempt.wish, reason, seen.fence(), dead);
    }

    /** The lease, if this JVM saw it stand still for longer than it lasts. */
    private @Nullable String stoodStill(RedisRecord.Lease held, WaitingPlace place) {
        WaitingPlace.Observed observed = place.observed();
        if (observed == null || !observed.lease().seenAs().equals(held.seenAs())) {
            return null;
        }
        double lasts = Slot.deadline(0, Duration.ofMillis(held.lengthMillis())) * STANDS_STILL;
        return time.nanos() - observed.since() > lasts ? held.seenAs() : null;
    }

    private Slot.Claim<V> claimed(Attempt<V> attempt, List<?> reply, long sent) {
        RecordName name = attempt.name();
        partition.answered(name, sent, (Long) reply.get(1));
        partition.learn(reply.get(6));
        RedisSight<V> seen = seenBy(attempt.seen, (byte[]) reply.get(2), (byte[]) reply.get(3));
        Duration left = Duration.ofMillis((Long) reply.get(4));
        String more = Texts.ofOrNull(reply.get(5));
        int code = ((Long) reply.get(0)).intValue();
        switch (code) {
            case 0:
                return seen.present() ? Slot.Claim.notNeeded(seen) : claimAgain(attempt, seen);
            case 2, 3:
                return Slot.Claim.granted(new RedisRight<>(partition, seen, attempt.nonce, Long.parseLong(more)), seen);
            case 1, 4:
                noteHolder(attempt, more, left.toMillis(), (Long) reply.get(1));
                return Slot.Claim.held(left, seen);
            case 6, 7:
                return Slot.Claim.backingOff(
                        left,
                        partition.shown(name) + " backs off for " + left.toMillis()
                                + " ms more, since creations failed in a row on all nodes together, the last one: "
                                + Opening.Backoff.heard(String.valueOf(more)),
                        seen);
            default:
                throw new IllegalStateException("the script for claims answered " + code);
        }
    }

    /** There is a fresh value that cannot be read here, and that the caller has not seen before: what it wants is newer. */
    private Slot.Claim<V> claimAgain(Attempt<V> attempt, RedisSight<V> unreadable) {
        return attempt.seen.isUnreadable()
                ? Slot.Claim.held(Duration.ZERO, unreadable)
                : claim(unreadable, attempt.wish);
    }

    /** What the server saw as it answered; a value that the caller has is not sent again. */
    private RedisSight<V> seenBy(RedisSight<V> before, byte @Nullable [] stampsText, byte @Nullable [] envelope) {
        RedisRecord.Stamps stamps = RedisRecord.Stamps.parse(stampsText);
        ValueFormat.Result<V> result = before.result();
        return stamps == null || result == null || envelope == null || envelope.length > 0
                ? partition.sight(before.name(), stamps, envelope, null)
                : partition.sightOf(before.name(), stamps, result);
    }

    /** The server has noted this node, if it waits, as one to be told. */
    private void noteHolder(Attempt<V> attempt, @Nullable String holder, long leftMillis, long serverMillis) {
        WaitingPlace place = placeOf(attempt.seen);
        int blank = holder == null ? -1 : holder.indexOf(' ');
        if (place != null && blank > 0) {
            long expiry = Long.parseLong(Objects.requireNonNull(holder).substring(blank + 1));
            RedisRecord.Lease before = attempt.seen.held();
            long length = leftMillis;
            if (before != null && before.seenAs().equals(holder)) {
                length = before.lengthMillis();
                place.takesFrom(before.fence());
            }
            place.takesAfter(serverMillis);
            place.sees(
                    new RedisRecord.Lease(holder.substring(0, blank), 0, 0, expiry, length),
                    attempt.wish.willWait(),
                    time.nanos());
        }
    }
}
