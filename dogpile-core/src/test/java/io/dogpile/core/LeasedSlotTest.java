package io.dogpile.core;

import static io.dogpile.core.Slot.Published.Outcome.STORED;
import static io.dogpile.core.Slot.Published.Outcome.SUPERSEDED;
import static io.dogpile.core.Slot.Published.Outcome.UNKNOWN;
import static io.dogpile.core.Slot.Published.Outcome.VOIDED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A slot of a store and a lock: what it asks of both, and in which order. */
class LeasedSlotTest {
    private static final Duration LEASE = Duration.ofSeconds(3);
    private static final Instant BORN = Instant.parse("2026-11-01T00:00:00Z");

    private Stored<String> there = Stored.absent(1);
    private Exception notWritten;
    private boolean refuses;
    private boolean own;
    private String written;

    private boolean leaseIsLost;
    private RuntimeException notExtended;
    private RuntimeException notClosed;
    private Duration extendedBy;
    private int closed;
    private boolean isHeld;

    private final Store<String> store = new Store<>() {
        @Override
        public Stored<String> read() {
            return there;
        }

        @Override
        public long begin() {
            return 77;
        }

        @Override
        public Stored<String> write(Slot.Draft<String> draft, long begun) throws Exception {
            assertThat(begun).isEqualTo(77);
            if (notWritten != null) {
                throw notWritten;
            }
            if (refuses) {
                return null;
            }
            written = draft.value();
            return stored(draft.value(), 9);
        }

        @Override
        public boolean isOwn(Stored<String> stored) {
            return own;
        }
    };

    private final LockProvider locks = (name, leaseTime) -> {
        assertThat(name).isEqualTo("name");
        assertThat(leaseTime).isEqualTo(LEASE);
        return isHeld ? Optional.empty() : Optional.of(new Lent());
    };

    private final class Lent implements Lease {
        @Override
        public long fencingToken() {
            return 5;
        }

        @Override
        public boolean extend(Duration leaseTime) {
            extendedBy = leaseTime;
            if (notExtended != null) {
                throw notExtended;
            }
            return !leaseIsLost;
        }

        @Override
        public void close() {
            closed++;
            if (notClosed != null) {
                throw notClosed;
            }
        }
    }

    private static Slot.Draft<String> draft(String value, boolean keep) {
        return new Slot.Draft<>(value, Duration.ofNanos(10), Duration.ofNanos(20), Duration.ofNanos(4), keep);
    }

    private static Stored<String> stored(String value, long version) {
        return Stored.of(draft(value, true), 100, BORN, version);
    }

    private Slot<String> slot() {
        return new LeasedSlot<>(store, false, "name", locks, LEASE);
    }

    private Slot.Grant<String> granted() throws Exception {
        Slot.Claim<String> claim = slot().read().claim(wish(false));
        assertThat(claim.kind()).isEqualTo(Slot.Claim.Kind.GRANTED);
        return claim.grant();
    }

    private static Slot.Wish wish(boolean undisturbed) {
        return new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, undisturbed);
    }

    @Test
    void whatIsSeen_isWhatIsStored() throws Exception {
        there = stored("value", 8);

        Slot.Seen<String> seen = slot().read();

        assertThat(seen.present()).isTrue();
        assertThat(seen.value()).isEqualTo("value");
        assertThat(seen.bornAt()).isEqualTo(100);
        assertThat(seen.freshUntil()).isEqualTo(110);
        assertThat(seen.usableUntil()).isEqualTo(120);
        assertThat(seen.costNanos()).isEqualTo(4);
        assertThat(seen.version()).isEqualTo(8);
        assertThat(seen.createdAt()).isEqualTo(BORN);
        there = Stored.absent(1);
        assertThat(slot().read().present()).isFalse();
    }

    @Test
    void whetherReadsAreFree_isAsItWasSaid() {
        assertThat(new LeasedSlot<>(store, true, "name", null, LEASE).readsFree())
                .isTrue();
        assertThat(new LeasedSlot<>(store, false, "name", null, LEASE).readsFree())
                .isFalse();
    }

    @Test
    void withoutALock_theRightIsGranted_numberedByTheStore_andEndsByNoTime() throws Exception {
        Slot.Seen<String> seen = new LeasedSlot<>(store, true, "name", null, LEASE).read();

        Slot.Claim<String> undisturbed = seen.claim(wish(true));
        Slot.Claim<String> claim = seen.claim(wish(false));

        assertThat(undisturbed.seen()).isSameAs(seen);
        assertThat(claim.seen()).isNull();
        assertThat(claim.grant().fencingToken()).isEqualTo(77);
        assertThat(claim.grant().lease()).isEqualTo(Duration.ZERO);
        assertThat(claim.grant().renew()).isTrue();
        claim.grant().abandon(null);
        assertThat(claim.grant().publish(draft("value", true)).outcome()).isEqualTo(STORED);
    }

    @Test
    void withALock_theRightIsTheLease() throws Exception {
        Slot.Grant<String> grant = granted();

        assertThat(grant.fencingToken()).isEqualTo(5);
        assertThat(grant.lease()).isEqualTo(LEASE);
        assertThat(grant.renew()).isTrue();
        assertThat(extendedBy).isEqualTo(LEASE);
        leaseIsLost = true;
        assertThat(grant.renew()).isFalse();
        grant.abandon(null);
        assertThat(closed).isOne();
    }

    @Test
    void aLockThatIsHeld_isSaidToBe() throws Exception {
        isHeld = true;

        Slot.Claim<String> claim = slot().read().claim(wish(false));

        assertThat(claim.kind()).isEqualTo(Slot.Claim.Kind.HELD);
        assertThat(claim.left()).isEqualTo(Duration.ZERO);
    }

    @Test
    void aPublication_asksTheLease_writes_andGivesItBack() throws Exception {
        Slot.Published<String> published = granted().publish(draft("value", true));

        assertThat(published.outcome()).isEqualTo(STORED);
        assertThat(published.seen().value()).isEqualTo("value");
        assertThat(published.seen().version()).isEqualTo(9);
        assertThat(published.trouble()).isNull();
        assertThat(extendedBy).isEqualTo(LEASE);
        assertThat(written).isEqualTo("value");
        assertThat(closed).isOne();
    }

    @Test
    void whatIsNotToBeKept_isNotWritten() throws Exception {
        Slot.Published<String> published = granted().publish(draft("value", false));

        assertThat(published.outcome()).isEqualTo(STORED);
        assertThat(published.seen()).isNull();
        assertThat(written).isNull();
        assertThat(closed).isOne();
    }

    @Test
    void aLeaseThatIsLost_isNotWrittenUnder() throws Exception {
        Slot.Grant<String> grant = granted();
        leaseIsLost = true;

        assertThat(grant.publish(draft("value", true)).outcome()).isEqualTo(VOIDED);
        assertThat(written).isNull();
        assertThat(closed).isOne();
        there = stored("another's", 8);
        Slot.Published<String> superseded = grant.publish(draft("value", true));
        assertThat(superseded.outcome()).isEqualTo(SUPERSEDED);
        assertThat(superseded.seen().value()).isEqualTo("another's");
        own = true;
        assertThat(grant.publish(draft("value", true)).outcome()).isEqualTo(UNKNOWN);
    }

    @Test
    void aLostLease_overTheValueThatWasThereBefore_isNoSuccessor() throws Exception {
        there = stored("old", 8);
        Slot.Grant<String> grant = granted();
        leaseIsLost = true;

        assertThat(grant.publish(draft("value", true)).outcome()).isEqualTo(VOIDED);
    }

    @Test
    void aStoreThatRefuses_isLookedAtAgain() throws Exception {
        Slot.Grant<String> grant = granted();
        refuses = true;
        there = stored("another's", 8);
        notClosed = new IllegalStateException("not closed");

        Slot.Published<String> published = grant.publish(draft("value", true));

        assertThat(published.outcome()).isEqualTo(SUPERSEDED);
        assertThat(published.trouble()).isSameAs(notClosed);
    }

    @Test
    void aLeaseThatDoesNotAnswer_isGivenBack_andNothingIsWritten() throws Exception {
        Slot.Grant<String> grant = granted();
        notExtended = new IllegalStateException("no answer");

        assertThatThrownBy(() -> grant.publish(draft("value", true)))
                .isSameAs(notExtended)
                .hasNoSuppressedExceptions();
        assertThat(closed).isOne();
        assertThat(written).isNull();
    }

    @Test
    void aStoreThatFails_isTold_withTheLeaseThatCouldNotBeGivenBack() throws Exception {
        Slot.Grant<String> grant = granted();
        notWritten = new IOException("disk full");
        notClosed = new IllegalStateException("not closed");

        assertThatThrownBy(() -> grant.publish(draft("value", true)))
                .isSameAs(notWritten)
                .hasSuppressedException(notClosed);
    }

    @Test
    void aLeaseThatCannotBeGivenBack_doesNotHideThatTheValueIsStored() throws Exception {
        Slot.Grant<String> grant = granted();
        notClosed = new IllegalStateException("not closed");

        Slot.Published<String> published = grant.publish(draft("value", true));

        assertThat(published.outcome()).isEqualTo(STORED);
        assertThat(published.trouble()).isSameAs(notClosed);
    }
}
