package io.dogpile.redis;

import io.dogpile.cache.backend.EnvelopeSeen;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import org.jspecify.annotations.Nullable;

/**
 * A record as it was seen, judged by the server's time as it was known then. Immutable.
 *
 * <p>Stamps that are shown are of no older generation than the known hard one; with stamps and without a value that can be
 * read there is something that may be of use to others.
 */
final class RedisSight<V> extends EnvelopeSeen<V> {
    /** So many milliseconds more than its length may be left of a good lease, as far as the server's time is known here. */
    private static final long CLOCKS_DIFFER = 100;

    private final RedisClaims<V> claims;
    private final RecordName name;
    private final RedisRecord.@Nullable Stamps stamps;
    private final RedisRecord.@Nullable Lease held;
    private final Generations.Both known;
    private final long readAtMillis;

    RedisSight(
            RedisClaims<V> claims,
            RecordName name,
            RedisRecord.@Nullable Stamps stamps,
            ValueFormat.@Nullable Result<V> result,
            RedisRecord.@Nullable Lease held,
            Generations.Both known,
            ServerClock clock,
            long readAtMillis) {
        super(result, deadlines(stamps, known, clock, readAtMillis));
        this.claims = claims;
        this.name = name;
        this.stamps = stamps;
        this.held = held;
        this.known = known;
        this.readAtMillis = readAtMillis;
    }

    private static Deadlines deadlines(
            RedisRecord.@Nullable Stamps stamps, Generations.Both known, ServerClock clock, long readAtMillis) {
        if (stamps == null) {
            return Deadlines.NONE;
        }
        long usableUntil = end(clock, stamps.hardAtMillis());
        boolean stale =
                stamps.isDeclaredStale() || stamps.generation() < known.soft() || stamps.isFromTheFuture(readAtMillis);
        return new Deadlines(
                clock.nanosOf(stamps.storedAtMillis()),
                stale ? Long.MIN_VALUE : Math.min(end(clock, stamps.softAtMillis()), usableUntil),
                usableUntil);
    }

    private static long end(ServerClock clock, long millis) {
        return millis == 0 ? Slot.NEVER : clock.nanosOf(millis);
    }

    RecordName name() {
        return name;
    }

    /** The fence of the value that is there, readable or not. */
    @Nullable
    Long fence() {
        return stamps == null ? null : stamps.fence();
    }

    RedisRecord.@Nullable Lease held() {
        return held;
    }

    /** There is a value, which is of use to others perhaps. */
    boolean isUnreadable() {
        return stamps != null && !present();
    }

    /** How many milliseconds are left of a good lease; 0 if there is none that is good. */
    long leftMillis() {
        if (held == null) {
            return 0;
        }
        long left = held.expiryMillis() - readAtMillis;
        boolean fromBeforeTheClockWasSetBack = left > held.lengthMillis() + CLOCKS_DIFFER;
        boolean older = held.generation() < Math.max(known.hard(), known.soft());
        return fromBeforeTheClockWasSetBack || older ? 0 : Math.max(0, left);
    }

    @Override
    public boolean creating() {
        return leftMillis() > 0;
    }

    @Override
    public long version() {
        return stamps == null ? 0 : stamps.fence();
    }

    @Override
    public Slot.Claim<V> claim(Slot.Wish wish) {
        return claims.claim(this, wish);
    }
}
