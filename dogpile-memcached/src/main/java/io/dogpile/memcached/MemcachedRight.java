package io.dogpile.memcached;

import io.dogpile.cache.backend.Opening;
import io.dogpile.core.Slot;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A right: the number of what it was granted over decides.
 *
 * <pre>
 *   HELD ──published, refused or given back──► ENDED
 *     └──────────no answer───────────────────► UNKNOWN
 * </pre>
 */
final class MemcachedRight<V> implements Slot.Grant<V> {
    /** What is known of it here. */
    enum State {
        HELD,
        ENDED,
        UNKNOWN
    }

    private final RegionItems<V> items;
    private final LeaseText.Held text;
    private final OwnItem item;
    private final MemcachedSight<V> seen;
    private final Generations.Marks marks;
    private final long grantedAt;
    private volatile State state = State.HELD;

    MemcachedRight(
            RegionItems<V> items, MemcachedSight<V> seen, LeaseText.Held text, long cas, Generations.Marks marks) {
        this.items = items;
        this.text = text;
        this.item = new OwnItem(items.server(), seen.name().lease(), text.bytes(), cas);
        this.seen = seen;
        this.marks = marks;
        this.grantedAt = items.nowNanos();
    }

    void ends(State as) {
        state = as;
        items.createsHereNoMore(seen.name());
    }

    boolean isGood() {
        return state != State.ENDED
                && items.mayStillCreate(grantedAt)
                && items.generations().marks().equals(marks);
    }

    @Override
    public long fencingToken() {
        return 0;
    }

    @Override
    public Duration lease() {
        return items.lease();
    }

    @Override
    public boolean renew() {
        OwnItem.Change renewing = renewing();
        return renewing != null && renewing.done();
    }

    /** Null if it is lost. */
    OwnItem.@Nullable Change renewing() {
        return isGood() ? item.prolonging(items.leaseTtl()) : null;
    }

    @Override
    public Slot.Published<V> publish(Slot.Draft<V> draft) {
        return new Publishing<>(items, this, draft).published();
    }

    /** Where the publication was not answered the caller has waited enough, and this is done behind. */
    @Override
    public void abandon(@Nullable Throwable cause) {
        if (state == State.UNKNOWN) {
            items.member().later(() -> abandoning(cause).done());
        } else {
            var unused = abandoning(cause).done();
        }
    }

    void giveBackLater() {
        items.member().later(() -> abandoning(null).done());
    }

    OwnItem.Change abandoning(@Nullable Throwable cause) {
        ends(state == State.UNKNOWN ? State.UNKNOWN : State.ENDED);
        if (cause == null || !Opening.Backoff.counts(cause)) {
            return item.deleting();
        }
        Opening.Backoff backoff = items.backoff();
        int failures = text.failures() + 1;
        Duration left = backoff.after(failures);
        long until = left.isZero() ? 0 : items.nowMillis() + left.toMillis();
        LeaseText.Free free = new LeaseText.Free(until, failures, Opening.Backoff.told(cause));
        return item.replacing(free.bytes(), Ttl.atLeast(backoff.longest().plus(left)));
    }

    boolean hasEnded() {
        return state == State.ENDED;
    }

    MemcachedSight<V> seen() {
        return seen;
    }

    Generations.Marks marks() {
        return marks;
    }

    OwnItem item() {
        return item;
    }
}
