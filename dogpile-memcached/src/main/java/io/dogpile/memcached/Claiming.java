package io.dogpile.memcached;

import io.dogpile.core.Slot;
import java.time.Duration;

/**
 * One try to get a right: asks for it, reads the value, and reads who has the right, sent together; the server does them in
 * that order.
 */
final class Claiming<V> {
    private final RegionItems<V> items;
    private final Server server;
    private final MemcachedSight<V> before;
    private final Slot.Wish wish;
    private final ItemName name;
    private final Generations.Marks marks;
    private final String nonce;
    private final Pending adding;
    private final Pending reading;
    private final Pending looking;
    private boolean freedMeanwhile;

    /** Under marks that were read before the value is. */
    Claiming(RegionItems<V> items, MemcachedSight<V> before, Slot.Wish wish, Generations.Marks marks) {
        this.items = items;
        this.server = items.server();
        this.nonce = items.member().newNonce();
        this.marks = marks;
        this.before = before;
        this.wish = wish;
        this.name = before.name();
        this.adding = server.add(name.lease(), held(0, marks).bytes(), items.leaseTtl());
        this.reading = server.gets(name.value());
        this.looking = server.gets(name.lease());
    }

    private LeaseText.Held held(int failures, Generations.Marks under) {
        return new LeaseText.Held(nonce, failures, under.packed());
    }

    /** Tries once more where the right was given back between two of the questions. */
    Slot.Claim<V> claim() {
        Slot.Claim<V> claim = tried();
        return freedMeanwhile
                ? new Claiming<>(items, before, wish, items.generations().marks()).tried()
                : claim;
    }

    private Slot.Claim<V> tried() {
        try {
            Answer added = server.answer(adding);
            Answer value = server.answer(reading);
            Answer there = server.answer(looking);
            if (added.done()) {
                return granted(held(0, marks), added.cas(), items.sight(name, value, marks), marks);
            }
            return refused(there, items.sight(name, value, marks));
        } catch (RuntimeException notKnown) {
            items.member().later(this::giveBack);
            throw notKnown;
        }
    }

    /** There is something in the item; it is not always in the way. */
    private Slot.Claim<V> refused(Answer there, MemcachedSight<V> seen) {
        LeaseText.Read said = LeaseText.of(there.data());
        if (said instanceof LeaseText.Held holder) {
            if (holder.nonce().equals(nonce)) { // sent twice, since the connection broke
                return granted(holder, there.cas(), seen, marks);
            }
            if (holder.generation() == marks.packed()) {
                return Slot.Claim.held(Duration.ZERO, seen);
            }
            // Of another generation: dead, unless it is the newer one.
            Generations.Marks now = items.generations().readAgain();
            return holder.generation() == now.packed()
                    ? Slot.Claim.held(Duration.ZERO, null)
                    : takenOver(there.cas(), held(holder.failures(), now), now);
        }
        if (seen.satisfies(wish, before)) {
            return Slot.Claim.notNeeded(seen);
        }
        if (said instanceof LeaseText.Free free) {
            long left = free.leftMillis(items.nowMillis());
            if (left > 0 && wish.reason() != Slot.Wish.Reason.REFRESH) {
                return Slot.Claim.backingOff(
                        Duration.ofMillis(left),
                        items.called(name) + " backs off, for " + left + " ms more; another node's last failure: "
                                + free.text(),
                        seen);
            }
            return takenOver(there.cas(), held(free.failures(), marks), marks);
        }
        freedMeanwhile = true;
        return Slot.Claim.held(Duration.ZERO, seen);
    }

    private Slot.Claim<V> takenOver(long cas, LeaseText.Held text, Generations.Marks under) {
        Pending taking = server.cas(name.lease(), cas, text.bytes(), items.leaseTtl());
        Pending value = server.gets(name.value());
        Answer taken = server.answer(taking);
        MemcachedSight<V> seen = items.sight(name, server.answer(value), under);
        if (taken.done()) {
            return granted(text, taken.cas(), seen, under);
        }
        freedMeanwhile = true; // or taken by another: then the second try finds it held
        return Slot.Claim.held(Duration.ZERO, seen);
    }

    private Slot.Claim<V> granted(LeaseText.Held text, long cas, MemcachedSight<V> seen, Generations.Marks under) {
        MemcachedRight<V> right = new MemcachedRight<>(items, seen, text, cas, under);
        if (seen.satisfies(wish, before)) {
            right.giveBackLater();
            return Slot.Claim.notNeeded(seen);
        }
        items.createsHere(name);
        return Slot.Claim.granted(right, seen);
    }

    /** A right that was granted all the same. */
    private void giveBack() {
        Answer there = server.answer(server.gets(name.lease()));
        byte[] data = there.data();
        if (data != null
                && LeaseText.of(data) instanceof LeaseText.Held holder
                && holder.nonce().equals(nonce)) {
            var unused = new OwnItem(server, name.lease(), data, there.cas())
                    .deleting()
                    .done();
        }
    }
}
