package io.dogpile.cache.backend;

import io.dogpile.core.Forwarding;
import io.dogpile.core.NameRegistry;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A partition with copies in memory before it.
 *
 * <p>Who asks the back takes a ticket first: the count of changes of the key's stripe, and of the whole region. A change
 * counts first and drops the copies then; a copy is made while the key's place in the front is held, and only if the
 * ticket is still good. So nothing that was read before a change is there after it. A publication counts as it
 * copies, so that an older value that is on its way does not replace the copy.
 */
final class TieredPartition<V> implements Partition<V> {
    private static final int STRIPES = 256;

    private final MemoryPartition<V> front;
    private final Partition<V> back;
    private final TimeSource time;
    private final Function<Object, String> texts;
    private final Duration frontLife;
    private final AtomicLongArray changes = new AtomicLongArray(STRIPES);
    private final AtomicLong changesOfAll = new AtomicLong();

    /** The keys of the copies by their text. A copy holds its place; the registry does not. */
    private final NameRegistry<Place> places = NameRegistry.of(text -> new Place());

    private volatile Slot.Watch pushes = Slot.Watch.NONE;
    private volatile boolean backTellsOfGaps;

    TieredPartition(MemoryPartition<V> front, Partition<V> back, Opening<V> opening, Duration frontLife) {
        this.front = front;
        this.back = back;
        this.time = opening.time();
        this.texts = opening.texts();
        this.frontLife = frontLife;
    }

    /** The key whose copy has that text; null while it has none. */
    private static final class Place {
        volatile @Nullable Object key;
    }

    /** What the changes were, and when, before the back was asked. */
    private record Ticket(String text, int stripe, long changes, long changesOfAll, long until) {}

    /** Begins to listen to what others change. */
    void listen() {
        pushes = back.watchAll(this::changedElsewhere);
    }

    private void changedElsewhere(@Nullable String text) {
        if (text == null) {
            dropAll();
            return;
        }
        changes.incrementAndGet(stripe(text));
        Object key = places.get(text).key; // read after the count: who comes later finds its ticket void
        if (key != null) {
            front.forget(key);
        }
    }

    private static int stripe(String text) {
        int hash = text.hashCode();
        return (hash ^ hash >>> 16) & STRIPES - 1;
    }

    private Ticket ticket(Object key) {
        String text = texts.apply(key);
        int stripe = stripe(text);
        long until = Slot.deadline(time.nanos(), frontLife);
        return new Ticket(text, stripe, changes.get(stripe), changesOfAll.get(), until);
    }

    private boolean isGood(Ticket ticket) {
        return isTold() && changes.get(ticket.stripe) == ticket.changes && changesOfAll.get() == ticket.changesOfAll;
    }

    /**
     * Whether changes are told now, as far as the back can say. One that could once, and cannot now, says so by dropping all;
     * from then on nothing is copied until it can again.
     */
    private boolean isTold() {
        if (pushes.live()) {
            backTellsOfGaps = true;
            return true;
        }
        return !backTellsOfGaps;
    }

    /** A new value: what is on its way to the front is older. */
    private boolean isGoodAndCounted(Ticket ticket) {
        return isTold()
                && changesOfAll.get() == ticket.changesOfAll
                && changes.compareAndSet(ticket.stripe, ticket.changes, ticket.changes + 1);
    }

    private Slot.Seen<V> read(Object key, Ticket ticket, Slot.Seen<V> seen) {
        if (seen.fresh(time.nanos())) {
            Place place = placed(key, ticket);
            front.copy(key, seen, ticket.until, place, () -> isGood(ticket));
        } else {
            front.forget(key); // the back knows better
        }
        return new Sight(key, seen, ticket);
    }

    private Place placed(Object key, Ticket ticket) {
        Place place = places.get(ticket.text);
        place.key = key;
        return place;
    }

    private void drop(Object key) {
        changes.incrementAndGet(stripe(texts.apply(key)));
        front.forget(key);
    }

    private void dropAll() {
        changesOfAll.incrementAndGet();
        front.invalidateAll(Invalidation.HARD);
    }

    /** A copy that has ended is none, also for a caller who takes values of any age: that is the back's to tell. */
    @Override
    public Slot.@Nullable Seen<V> look(Object key) {
        Slot.Seen<V> copy = front.look(key);
        return copy != null && (copy.usable(time.notBeforeNow()) || copy.usable(time.nanos())) ? copy : null;
    }

    @Override
    public Slot<V> slot(Object key) {
        Slot<V> slot = back.slot(key);
        return new Slot<>() {
            @Override
            public Seen<V> read() throws Exception {
                Ticket ticket = ticket(key);
                return TieredPartition.this.read(key, ticket, slot.read());
            }

            @Override
            public boolean readsFree() {
                return slot.readsFree();
            }

            @Override
            public Watch watch(Consumer<@Nullable Seen<V>> changed) {
                return slot.watch(seen -> changed.accept(seen == null ? null : pushed(key, seen)));
            }
        };
    }

    /** When it was read is not known, and so it is not copied. */
    private Slot.Seen<V> pushed(Object key, Slot.Seen<V> seen) {
        return new Sight(key, seen, new Ticket("", 0, -1, -1, 0));
    }

    @Override
    public Map<Object, Slot.Seen<V>> readAll(Collection<Object> keys) throws Exception {
        Map<Object, Ticket> tickets = tickets(keys);
        Map<Object, Slot.Seen<V>> seen = new LinkedHashMap<>();
        back.readAll(keys)
                .forEach((key, one) -> seen.put(key, read(key, Objects.requireNonNull(tickets.get(key)), one)));
        return seen;
    }

    private Map<Object, Ticket> tickets(Collection<Object> keys) {
        Map<Object, Ticket> tickets = new LinkedHashMap<>();
        keys.forEach(key -> tickets.put(key, ticket(key)));
        return tickets;
    }

    @Override
    public Map<Object, Slot.Claim<V>> claimAll(Map<Object, Asked<V>> asked) throws Exception {
        Map<Object, Ticket> tickets = new LinkedHashMap<>();
        asked.forEach((key, one) -> tickets.put(key, ticketOf(key, one.seen())));
        Map<Object, Asked<V>> askedBehind = new LinkedHashMap<>();
        asked.forEach((key, one) -> askedBehind.put(key, new Asked<>(behind(one.seen()), one.wish())));
        Map<Object, Slot.Claim<V>> claims = new LinkedHashMap<>();
        back.claimAll(askedBehind)
                .forEach(
                        (key, claim) -> claims.put(key, claimed(key, Objects.requireNonNull(tickets.get(key)), claim)));
        return claims;
    }

    /** What the back itself saw. */
    private Slot.Seen<V> behind(Slot.Seen<V> seen) {
        return seen instanceof TieredPartition<V>.Sight sight ? sight.behind() : seen;
    }

    /** A claim may answer with what was seen before: it is copied by the ticket of that time. */
    private Ticket ticketOf(Object key, Slot.Seen<V> seen) {
        return seen instanceof TieredPartition<V>.Sight sight ? sight.ticket : ticket(key);
    }

    private Slot.Claim<V> claimed(Object key, Ticket ticket, Slot.Claim<V> claim) {
        return claim.with(seen -> read(key, ticket, seen), grant -> new Right(key, grant));
    }

    @Override
    public Grants<Object, V> together(Map<Object, Slot.Grant<V>> grants) {
        Map<Object, Slot.Grant<V>> behind = new LinkedHashMap<>();
        grants.forEach((key, grant) -> behind.put(key, ((Right) grant).behind()));
        return new Rights(back.together(behind));
    }

    @Override
    public void put(Object key, Slot.Draft<V> draft) throws Exception {
        try {
            back.put(key, draft);
        } finally {
            drop(key); // the next read has it, with the stamps of the back
        }
    }

    @Override
    public void putAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
        try {
            back.putAll(drafts);
        } finally {
            drafts.keySet().forEach(this::drop);
        }
    }

    @Override
    public void invalidate(Object key, Invalidation how) throws Exception {
        try {
            back.invalidate(key, how);
        } finally {
            drop(key);
        }
    }

    @Override
    public void invalidateAll(Collection<Object> keys, Invalidation how) throws Exception {
        try {
            back.invalidateAll(keys, how);
        } finally {
            keys.forEach(this::drop);
        }
    }

    @Override
    public void invalidateAll(Invalidation how) throws Exception {
        try {
            back.invalidateAll(how);
        } finally {
            dropAll();
        }
    }

    @Override
    public Slot.Watch watchAll(Consumer<@Nullable String> changed) {
        return back.watchAll(changed);
    }

    @Override
    public void close() {
        try {
            pushes.close();
        } finally {
            front.close();
            back.close();
        }
    }

    @Override
    public String toString() {
        return "copies of " + back;
    }

    private Slot.Published<V> published(Object key, Ticket ticket, Slot.Published<V> published) {
        Slot.Seen<V> behind = published.seen();
        if (published.outcome() == Slot.Published.Outcome.STORED && behind != null) {
            Place place = placed(key, ticket);
            if (!front.copy(key, behind, ticket.until, place, () -> isGoodAndCounted(ticket))) {
                drop(key);
            }
        } else {
            drop(key);
        }
        return new Slot.Published<>(
                published.outcome(), behind == null ? null : new Sight(key, behind, ticket), published.trouble());
    }

    /** What the back saw; what a claim on it sees is copied, too. */
    private final class Sight extends Forwarding.Seen<V> {
        private final Object key;
        private final Ticket ticket;

        Sight(Object key, Slot.Seen<V> inner, Ticket ticket) {
            super(inner);
            this.key = key;
            this.ticket = ticket;
        }

        Slot.Seen<V> behind() {
            return inner;
        }

        @Override
        public Slot.Claim<V> claim(Slot.Wish wish) throws Exception {
            return claimed(key, ticket, inner.claim(wish));
        }
    }

    private final class Right extends Forwarding.Grant<V> {
        private final Object key;

        Right(Object key, Slot.Grant<V> behind) {
            super(behind);
            this.key = key;
        }

        Slot.Grant<V> behind() {
            return inner;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) throws Exception {
            Ticket ticket = ticket(key);
            Slot.Published<V> published;
            try {
                published = inner.publish(draft);
            } catch (Throwable notKnown) {
                drop(key);
                throw notKnown;
            }
            return published(key, ticket, published);
        }
    }

    private final class Rights implements Grants<Object, V> {
        private final Grants<Object, V> behind;

        Rights(Grants<Object, V> behind) {
            this.behind = behind;
        }

        @Override
        public Duration lease() {
            return behind.lease();
        }

        @Override
        public Set<Object> renewAll() throws Exception {
            return behind.renewAll();
        }

        @Override
        public Map<Object, Slot.Published<V>> publishAll(Map<Object, Slot.Draft<V>> drafts) throws Exception {
            Map<Object, Ticket> tickets = tickets(drafts.keySet());
            Map<Object, Slot.Published<V>> published = new LinkedHashMap<>();
            try {
                behind.publishAll(drafts)
                        .forEach((key, one) ->
                                published.put(key, published(key, Objects.requireNonNull(tickets.get(key)), one)));
            } catch (Throwable notKnown) {
                drafts.keySet().forEach(TieredPartition.this::drop);
                throw notKnown;
            }
            return published;
        }

        @Override
        public void abandonAll(@Nullable Throwable cause) throws Exception {
            behind.abandonAll(cause);
        }
    }
}
