package io.dogpile.cache.backend;

import static io.dogpile.cache.backend.Openings.claim;
import static io.dogpile.cache.backend.Openings.draft;
import static io.dogpile.cache.backend.Openings.read;
import static io.dogpile.cache.backend.Openings.undisturbed;
import static io.dogpile.cache.backend.Openings.wish;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LockedPartitionTest {
    private static final Duration LEASE = Duration.ofSeconds(5);

    private final Openings openings = new Openings();
    private final ScriptedPartition<String> inner = new ScriptedPartition<>(openings.of(null));
    private final Locks locks = new Locks();
    private final Partition<String> partition = Partition.locked(inner, openings.of(null), locks, LEASE);

    /** The local locks, written down, and made to fail where a test wants it. */
    private static final class Locks implements LockProvider {
        private final LockProvider granting = LockProvider.local();
        final List<String> calls = new ArrayList<>();
        final List<String> heldElsewhere = new ArrayList<>();
        boolean lost;
        RuntimeException askingFails;
        RuntimeException extendingFails;
        RuntimeException closingFails;

        @Override
        public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
            calls.add("acquire " + name + " " + leaseTime);
            if (askingFails != null) {
                throw askingFails;
            }
            return heldElsewhere.contains(name)
                    ? Optional.empty()
                    : granting.tryAcquire(name, leaseTime).map(lease -> recorded(name, lease));
        }

        private Lease recorded(String name, Lease lease) {
            return new Lease() {
                @Override
                public long fencingToken() {
                    return lease.fencingToken();
                }

                @Override
                public boolean extend(Duration leaseTime) {
                    calls.add("extend " + name + " " + leaseTime);
                    if (extendingFails != null) {
                        throw extendingFails;
                    }
                    return !lost && lease.extend(leaseTime);
                }

                @Override
                public void close() {
                    calls.add("close " + name);
                    lease.close();
                    if (closingFails != null) {
                        throw closingFails;
                    }
                }
            };
        }

        boolean isHeld(String name) {
            Optional<Lease> lease = granting.tryAcquire(name, LEASE);
            lease.ifPresent(Lease::close);
            return lease.isEmpty();
        }
    }

    @Nested
    class Claims {
        @Test
        void grantedByBoth_isGranted_underTheNameOfRegionAndKey() throws Exception {
            Slot.Claim<String> claim = claim(partition, 42);
            assertThat(claim.kind()).isEqualTo(Slot.Claim.Kind.GRANTED);
            assertThat(locks.calls).containsExactly("acquire region/42 PT5S");
            assertThat(locks.isHeld("region/42")).isTrue();
            assertThat(inner.calls).containsExactly("read", "claim");
        }

        @Test
        void refusedByTheLock_isHeld_andThePartitionIsNotAsked() throws Exception {
            locks.heldElsewhere.add("region/key");
            Slot.Claim<String> claim = claim(partition, "key");
            assertThat(claim.kind()).isEqualTo(Slot.Claim.Kind.HELD);
            assertThat(inner.calls).containsExactly("read");
        }

        @Test
        void othersShareTheLock_soThatAlwaysASecondLookIsTaken() throws Exception {
            Slot.Seen<String> nothing = read(partition, "key");
            inner.put("key", draft("since"));
            Slot.Claim<String> claim = nothing.claim(undisturbed());
            assertThat(inner.calls).contains("claim").doesNotContain("claim undisturbed");
            assertThat(claim.seen().value()).isEqualTo("since");
        }

        @Test
        void refusedByThePartition_endsTheLease() throws Exception {
            Slot.Seen<String> seen = read(partition, "key");
            List<Slot.Claim<String>> answers = List.of(
                    Slot.Claim.held(Duration.ofSeconds(3), null),
                    Slot.Claim.notNeeded(seen),
                    Slot.Claim.backingOff(Duration.ofSeconds(4), "failed"));
            for (Slot.Claim<String> answer : answers) {
                inner.answer = answer;
                Slot.Claim<String> claim = seen.claim(wish());
                assertThat(claim.kind()).isEqualTo(answer.kind());
                assertThat(claim.left()).isEqualTo(answer.left());
                assertThat(claim.why()).isEqualTo(answer.why());
                assertThat(locks.isHeld("region/key")).isFalse();
            }
        }

        @Test
        void whatAnyAnswerShows_claimsUnderTheLock() throws Exception {
            Slot.Seen<String> shown = claim(partition, "key").seen();
            locks.calls.clear();
            shown.claim(wish());
            assertThat(locks.calls).startsWith("acquire region/key PT5S");
        }

        @Test
        void failureOfTheLock_surfaces() throws Exception {
            Slot.Seen<String> seen = read(partition, "key");
            locks.askingFails = new IllegalStateException("no lock server");
            assertThatThrownBy(() -> seen.claim(wish())).isSameAs(locks.askingFails);
        }

        @Test
        void failureOfThePartition_surfaces_andEndsTheLease() throws Exception {
            Slot.Seen<String> seen = read(partition, "key");
            inner.failing = new IOException("down");
            locks.closingFails = new IllegalStateException("no lock server");
            assertThatThrownBy(() -> seen.claim(wish()))
                    .isSameAs(inner.failing)
                    .hasSuppressedException(locks.closingFails);
            assertThat(locks.isHeld("region/key")).isFalse();
        }

        @Test
        void leaseThatCannotBeGivenBack_doesNotHideTheAnswer_andIsTold() throws Exception {
            Slot.Seen<String> seen = read(partition, "key");
            inner.answer = Slot.Claim.held(Duration.ZERO, null);
            locks.closingFails = new IllegalStateException("no lock server");
            assertThat(seen.claim(wish()).kind()).isEqualTo(Slot.Claim.Kind.HELD);
            assertThat(openings.told.down).containsExactly("key no lock server");
        }
    }

    @Nested
    class Rights {
        private Slot.Grant<String> right() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            locks.calls.clear();
            inner.calls.clear();
            return right;
        }

        @Test
        void renewal_isOfBoth() throws Exception {
            Slot.Grant<String> right = right();
            assertThat(right.renew()).isTrue();
            assertThat(locks.calls).containsExactly("extend region/key PT5S");
            assertThat(inner.calls).containsExactly("renew");
            inner.put("key", draft("put"));
            assertThat(right.renew()).isFalse();
            right.abandon(null);
            Slot.Grant<String> next = right();
            locks.lost = true;
            assertThat(next.renew()).isFalse();
            assertThat(inner.calls).isEmpty();
        }

        @Test
        void lease_isTheShorterOne() throws Exception {
            assertThat(right().lease()).isEqualTo(LEASE);
            for (int seconds : List.of(3, 7)) {
                Partition<String> longer = Partition.locked(
                        partition, openings.of(null), LockProvider.local(), Duration.ofSeconds(seconds));
                assertThat(claim(longer, "k" + seconds).grant().lease())
                        .isEqualTo(Duration.ofSeconds(Math.min(seconds, 5)));
            }
        }

        @Test
        void token_isTheLocks() throws Exception {
            Slot.Grant<String> first = right();
            long token = first.fencingToken();
            first.abandon(null);
            assertThat(right().fencingToken()).isGreaterThan(token);
        }

        @Test
        void publication_asksTheLeaseFirst_andEndsIt() throws Exception {
            Slot.Published<String> published = right().publish(draft("value"));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.STORED);
            assertThat(locks.calls).containsExactly("extend region/key PT5S", "close region/key");
            assertThat(inner.calls).containsExactly("publish");
            assertThat(locks.isHeld("region/key")).isFalse();
            assertThat(read(partition, "key").value()).isEqualTo("value");
        }

        @Test
        void lostLease_voids_andGivesTheInnerRightBack() throws Exception {
            Slot.Grant<String> right = right();
            locks.lost = true;
            Slot.Published<String> published = right.publish(draft("late"));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.VOIDED);
            assertThat(inner.calls).contains("abandon").doesNotContain("publish");
            assertThat(locks.calls).contains("close region/key");
            assertThat(read(partition, "key").present()).isFalse();
        }

        @Test
        void lostLease_isSuperseded_whereASuccessorStored() throws Exception {
            Slot.Grant<String> right = right();
            locks.lost = true;
            inner.put("key", draft("successor's"));
            Slot.Published<String> published = right.publish(draft("late"));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.SUPERSEDED);
            assertThat(published.seen().value()).isEqualTo("successor's");
        }

        @Test
        void lostLease_overAStaleValue_isVoided() throws Exception {
            inner.put("key", draft("old"));
            inner.invalidate("key", Invalidation.SOFT);
            Slot.Grant<String> right = right();
            locks.lost = true;
            assertThat(right.publish(draft("late")).outcome()).isEqualTo(Slot.Published.Outcome.VOIDED);
        }

        @Test
        void failureOfThePartition_surfaces_andEndsTheLease() throws Exception {
            Slot.Grant<String> right = right();
            inner.failing = new IOException("down");
            assertThatThrownBy(() -> right.publish(draft("value"))).isSameAs(inner.failing);
            assertThat(locks.isHeld("region/key")).isFalse();
        }

        @Test
        void failureToExtend_surfaces_andEndsBoth() throws Exception {
            Slot.Grant<String> right = right();
            locks.extendingFails = new IllegalStateException("no lock server");
            assertThatThrownBy(() -> right.publish(draft("value"))).isSameAs(locks.extendingFails);
            assertThat(inner.calls).containsExactly("abandon");
            assertThat(locks.isHeld("region/key")).isFalse();
        }

        @Test
        void failureToGiveTheLeaseBack_isTheTrouble_ofAStoredValue() throws Exception {
            Slot.Grant<String> right = right();
            locks.closingFails = new IllegalStateException("no lock server");
            Slot.Published<String> published = right.publish(draft("value"));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.STORED);
            assertThat(published.trouble()).isSameAs(locks.closingFails);
        }

        @Test
        void abandon_endsBoth_evenIfOneFails() throws Exception {
            Slot.Grant<String> right = right();
            inner.failing = new IOException("down");
            assertThatThrownBy(() -> right.abandon(null)).isSameAs(inner.failing);
            assertThat(locks.isHeld("region/key")).isFalse();
        }

        @Test
        void invalidationInside_voidsWhatIsCreatedUnderTheLock() throws Exception {
            Slot.Grant<String> right = right();
            partition.invalidateAll(Invalidation.SOFT);
            assertThat(right.publish(draft("late")).outcome()).isEqualTo(Slot.Published.Outcome.VOIDED);
            assertThat(locks.isHeld("region/key")).isFalse();
        }
    }

    @Nested
    class Batches {
        private Map<Object, Slots.Asked<String>> asked(Object... keys) throws Exception {
            Map<Object, Slots.Asked<String>> asked = new LinkedHashMap<>();
            partition
                    .readAll(List.of(keys))
                    .forEach((key, seen) -> asked.put(key, new Slots.Asked<>(seen, undisturbed())));
            return asked;
        }

        @Test
        void keysThatTheLockRefuses_areHeld_andTheOthersGranted() throws Exception {
            locks.heldElsewhere.add("region/2");
            Map<Object, Slot.Claim<String>> claims = partition.claimAll(asked("1", "2", "3"));
            assertThat(claims.keySet()).containsExactly("1", "2", "3");
            assertThat(claims.get("1").kind()).isEqualTo(Slot.Claim.Kind.GRANTED);
            assertThat(claims.get("2").kind()).isEqualTo(Slot.Claim.Kind.HELD);
            assertThat(claims.get("3").kind()).isEqualTo(Slot.Claim.Kind.GRANTED);
            assertThat(inner.calls).filteredOn("claim"::equals).hasSize(2);
        }

        @Test
        @Tag("C-189")
        void lockThatManyKeysShare_isHeldForTheSecond_andNobodyWaits() throws Exception {
            Partition<String> striped =
                    Partition.locked(inner, openings.of(null), (name, time) -> locks.tryAcquire("one", time), LEASE);
            Map<Object, Slots.Asked<String>> asked = new LinkedHashMap<>();
            striped.readAll(List.of("1", "2")).forEach((key, seen) -> asked.put(key, new Slots.Asked<>(seen, wish())));
            Map<Object, Slot.Claim<String>> claims = striped.claimAll(asked);
            assertThat(claims.get("1").kind()).isEqualTo(Slot.Claim.Kind.GRANTED);
            assertThat(claims.get("2").kind()).isEqualTo(Slot.Claim.Kind.HELD);
            claims.get("1").grant().publish(draft("one"));
            assertThat(striped.claimAll(asked).get("2").kind()).isEqualTo(Slot.Claim.Kind.HELD);
            assertThat(claim(striped, "2").kind()).isEqualTo(Slot.Claim.Kind.HELD);
        }

        @Test
        void lockThatFailsMidway_leavesNoLeaseBehind() throws Exception {
            Map<Object, Slots.Asked<String>> asked = asked("1", "2");
            RuntimeException down = new IllegalStateException("no lock server");
            Partition<String> failing = Partition.locked(
                    inner,
                    openings.of(null),
                    (name, time) -> {
                        if (name.endsWith("2")) {
                            throw down;
                        }
                        return locks.tryAcquire(name, time);
                    },
                    LEASE);
            assertThatThrownBy(() -> failing.claimAll(asked)).isSameAs(down);
            assertThat(locks.isHeld("region/1")).isFalse();
        }

        @Test
        void partitionThatFails_leavesNoLeaseBehind() throws Exception {
            Map<Object, Slots.Asked<String>> asked = asked("1", "2");
            inner.failing = new IOException("down");
            assertThatThrownBy(() -> partition.claimAll(asked)).isSameAs(inner.failing);
            assertThat(locks.isHeld("region/1")).isFalse();
            assertThat(locks.isHeld("region/2")).isFalse();
        }
    }

    @Test
    void leaseThatIsNotPositive_isRefused_namingTheRegion() {
        for (Duration refused : List.of(Duration.ZERO, Duration.ofSeconds(-1))) {
            assertThatThrownBy(() -> Partition.locked(inner, openings.of(null), locks, refused))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'region'")
                    .hasMessageContaining(refused.toString());
        }
    }

    @Test
    void hits_andWhatPassesThrough_askNoLock() throws Exception {
        partition.put("key", draft("value"));
        assertThat(partition.look("key")).isNull(); // as the partition inside answers
        read(partition, "key");
        List<String> told = new ArrayList<>();
        partition.watchAll(told::add);
        inner.push("key");
        partition.slot("key").watch(seen -> told.add(seen.value()));
        Slot.Seen<String> pushed = inner.memory.slot("key").read();
        inner.slotWatchers.forEach(watcher -> watcher.accept(pushed));
        assertThat(told).containsExactly("key", "value");
        partition.invalidate("key", Invalidation.HARD);
        partition.close();
        assertThat(inner.closed).isTrue();
        assertThat(locks.calls).isEmpty();
    }
}
