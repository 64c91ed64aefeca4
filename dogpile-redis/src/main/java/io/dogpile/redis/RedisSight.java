package io.dogpile.redis;

import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A record as it was seen, judged by the server's time as it was known then. Immutable.
 *
 * <p>Stamps that are shown are of no older generation than the known hard one; with stamps and without a value that can be
 * read there is something that may be of use to others.
 */
final class RedisSight<V> implements Slot.Seen<V> {
    /** So many milliseconds more than its length may be left of a good lease, as far as the server's time is known here. */
    private static final long CLOCKS_DIFFER = 100;

    private final RedisClaims<V> claims;
    private final RecordName name;
    private final RedisRecord.@Nullable Stamps stamps;
    private final ValueFormat.@Nullable Result<V> result;
    private final RedisRecord.@Nullable Lease held;
    private final Generations.Both known;
    private final long readAtMillis;
    private final long bornAt;
    private final long freshUntil;
    private final long usableUntil;

    RedisSight(
            RedisClaims<V> claims,
            RecordName name,
            RedisRecord.@Nullable Stamps stamps,
            ValueFormat.@Nullable Result<V> result,
            RedisRecord.@Nullable Lease held,
            Generations.Both known,
            ServerClock clock,
            long readAtMillis) {
        this.claims = claims;
        this.name = name;
        this.stamps = stamps;
        this.result = result;
        this.held = held;
        this.known = known;
        this.readAtMillis = readAtMillis;
        if (stamps == null || result == null || result.stamps() == null) {
            this.bornAt = Long.MIN_VALUE;
            this.freshUntil = Long.MIN_VALUE;
            this.usableUntil = Long.MIN_VALUE;
        } else {
            this.bornAt = clock.nanosOf(stamps.storedAtMillis());
            this.usableUntil = end(clock, stamps.hardAtMillis());
            boolean stale = stamps.isDeclaredStale()
                    || stamps.generation() < known.soft()
                    || stamps.isFromTheFuture(readAtMillis);
            this.freshUntil = stale ? Long.MIN_VALUE : Math.min(end(clock, stamps.softAtMillis()), usableUntil);
        }
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

    ValueFormat.@Nullable Result<V> result() {
        return result;
    }

    RedisRecord.@Nullable Lease held() {
        return held;
    }

    /** There is a value, which is of use to others perhaps. */
    boolean isUnreadable() {
        return stamps != null && !present();
    }

    /** What a newer node wrote is not overwritten at once: else old and new nodes undo each other's work in turn. */
    boolean isNewerWriters() {
        return result != null && result.isNewerWriters();
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

    private Envelope.@Nullable Stamps envelope() {
        return result == null || stamps == null ? null : result.stamps();
    }

    @Override
    public boolean present() {
        return envelope() != null;
    }

    @Override
    public @Nullable V value() {
        return result == null || stamps == null ? null : result.value();
    }

    @Override
    public long freshUntil() {
        return freshUntil;
    }

    @Override
    public long usableUntil() {
        return usableUntil;
    }

    @Override
    public long bornAt() {
        return bornAt;
    }

    @Override
    public long costNanos() {
        return stamps == null ? 0 : Duration.ofMillis(stamps.costMillis()).toNanos();
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
    public Instant createdAt() {
        Envelope.Stamps written = envelope();
        return written == null ? Instant.EPOCH : Instant.ofEpochMilli(written.createdAtMillis());
    }

    @Override
    public Slot.Claim<V> claim(Slot.Wish wish) {
        return claims.claim(this, wish);
    }
}
