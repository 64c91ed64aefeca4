package io.dogpile.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.core.Flight.Signal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What one flight answers, step by step; in all interleavings: {@link FlightLincheckTest}. */
class FlightTest {
    private static final int FEW = 3;
    private static final long SHOWN_AT = 7;

    private final Flight<String> flight = new Flight<>("name");
    private final One first = new One();
    private final One second = new One();
    private final One third = new One();

    /** Counts what it is told. */
    private static final class One extends Waiter<String> {
        private int signals;
        private boolean choosy;

        @Override
        boolean takesOffers() {
            return !choosy;
        }

        @Override
        void signal() {
            signals++;
        }
    }

    /** Counts how often it is closed. */
    private static final class Watched implements Slot.Watch {
        private boolean live = true;
        private int closed;

        @Override
        public boolean live() {
            return live;
        }

        @Override
        public void close() {
            closed++;
        }
    }

    private static Slot.Seen<String> seen(String value) throws Exception {
        Store<String> store = new Store<>() {
            @Override
            public Stored<String> read() {
                Duration life = Duration.ofSeconds(1);
                return Stored.of(new Slot.Draft<>(value, life, life, Duration.ZERO, true), 0, Instant.EPOCH, 1);
            }

            @Override
            public Stored<String> write(Slot.Draft<String> draft, long begun) {
                throw new AssertionError("nothing is written here");
            }
        };
        return new LeasedSlot<>(store, true, "name", null, Duration.ZERO).read();
    }

    /** A step that keeps the lock would end everything. */
    @AfterEach
    void itsLockIsFree() throws Exception {
        FutureTask<Boolean> look = new FutureTask<>(flight::isWatched);
        Thread other = new Thread(look, "other");
        other.setDaemon(true);
        other.start();
        look.get(20, TimeUnit.SECONDS);
    }

    private void joinAll() {
        assertThat(flight.join(first)).isTrue();
        assertThat(flight.join(second)).isTrue();
        assertThat(flight.join(third)).isTrue();
    }

    @Test
    void itTellsItsName_andWhetherItIsUnderWay() {
        assertThat(flight.name()).isEqualTo("name");
        assertThat(flight).hasToString("Flight of 'name': under way");

        flight.land(Landing.again());

        assertThat(flight.toString()).startsWith("Flight of 'name': ").doesNotContain("under way");
    }

    @Nested
    class Leading {
        @Test
        void theFirstToEnter_leads_andIsToldOnce() {
            joinAll();

            assertThat(flight.isLedBy(first)).isTrue();
            assertThat(flight.isLedBy(second)).isFalse();
            assertThat(flight.look(first, false)).isEqualTo(Signal.LEAD);
            assertThat(flight.look(first, true)).isEqualTo(Signal.NONE);
            assertThat(flight.look(second, false)).isEqualTo(Signal.NONE);
            assertThat(first.signals).isZero();
        }

        @Test
        void theLeaderLeaves_theNextIsToldThatItLeads_andTheFlightGoesOn() {
            joinAll();

            assertThat(flight.leave(first)).isFalse();

            assertThat(second.signals).isOne();
            assertThat(flight.look(second, false)).isEqualTo(Signal.LEAD);
            assertThat(third.signals).isZero();
            assertThat(first.queued).isFalse();
        }

        @Test
        void whoDoesNotLeadLeaves_nobodyIsTold() {
            joinAll();

            assertThat(flight.leave(second)).isFalse();

            assertThat(flight.isLedBy(first)).isTrue();
            assertThat(first.signals + third.signals).isZero();
            assertThat(flight.leave(first)).isFalse();
            assertThat(flight.isLedBy(third)).isTrue();
        }

        @Test
        void leavingTwice_isLeavingOnce() {
            joinAll();

            flight.leave(third);
            flight.leave(third);

            flight.land(Landing.again());
            assertThat(first.signals + second.signals).isEqualTo(2);
            assertThat(third.signals).isZero();
        }

        @Test
        void theLastLeaves_theFlightHasLanded_itsWatchIsClosed_andNobodyJoinsAnyMore() {
            Watched watch = new Watched();
            flight.join(first);
            flight.own(watch);

            assertThat(flight.leave(first)).isTrue();

            assertThat(watch.closed).isOne();
            assertThat(flight.look(first, false)).isEqualTo(Signal.LANDED);
            assertThat(flight.join(second)).isFalse();
            assertThat(second.queued).isFalse();
            assertThat(flight.isLedBy(second)).isFalse();
            assertThat(flight.land(Landing.again())).isFalse();
        }

        @Test
        void whoHasNoTime_stepsAside_forTheFirstWhoHas() {
            joinAll();
            flight.stepAside(second);

            assertThat(flight.stepAside(first)).isTrue();

            assertThat(flight.isLedBy(third)).isTrue();
            assertThat(third.signals).isOne();
            assertThat(second.signals).isZero();
        }

        @Test
        void whoDoesNotLead_stepsAside_andNothingChanges() {
            joinAll();

            assertThat(flight.stepAside(second)).isFalse();

            assertThat(flight.isLedBy(first)).isTrue();
            assertThat(first.signals + second.signals + third.signals).isZero();
        }

        @Test
        void nobodyHasTime_theFirstWhoHasAgain_leads() {
            flight.join(first);
            flight.join(second);
            flight.stepAside(second);
            flight.stepAside(first);
            assertThat(flight.isLedBy(first) || flight.isLedBy(second)).isFalse();

            flight.stepBack(second);
            flight.stepBack(first);

            assertThat(flight.isLedBy(second)).isTrue();
            assertThat(first.busy || second.busy).isFalse();
        }

        @Test
        void whoComesWhileNobodyHasTime_leads() {
            flight.join(first);
            flight.stepAside(first);

            flight.join(second);

            assertThat(flight.isLedBy(second)).isTrue();
        }
    }

    @Nested
    class Creating {
        @Test
        void itBegins_once_andNobodyNeedsToLead() {
            joinAll();

            assertThat(flight.creating(null, 7)).isTrue();
            assertThat(flight.creating(null, 8)).isFalse();

            assertThat(flight.overdueAt()).isEqualTo(7);
            flight.leave(first);
            assertThat(flight.isLedBy(second)).isFalse();
            assertThat(second.signals).isZero();
            assertThat(flight.stepAside(second)).isFalse();
            assertThat(flight.stepAside(first)).isFalse();
        }

        @Test
        void whoJoinsLater_doesNotLead() {
            assertThat(flight.creating(null, 7)).isTrue();

            assertThat(flight.join(first)).isTrue();
            flight.stepBack(first);

            assertThat(flight.isLedBy(first)).isFalse();
        }

        @Test
        void allLeave_theCreationGoesOn() {
            flight.join(first);
            flight.creating(null, 7);

            assertThat(flight.leave(first)).isFalse();

            assertThat(flight.landing()).isNull();
            assertThat(flight.join(second)).isTrue();
        }

        @Test
        void itIsRefusedByItsExecutor_theFirstWithTimeLeads() {
            joinAll();
            flight.creating(null, 7);
            flight.leave(first);
            flight.stepAside(second);

            flight.notCreating();

            assertThat(flight.isLedBy(third)).isTrue();
            assertThat(third.signals).isOne();
            assertThat(second.signals).isZero();
            assertThat(flight.overdueAt()).isEqualTo(Slot.NEVER);
            assertThat(flight.creating(null, 9)).isTrue();
        }

        @Test
        void itIsRefused_whoLedBefore_leadsOn_andIsNotToldAgain() {
            flight.join(first);
            flight.creating(null, 7);

            flight.notCreating();

            assertThat(flight.isLedBy(first)).isTrue();
            assertThat(first.signals).isZero();
        }

        @Test
        void noneWasRunning_theRefusalOfOneChangesNothing() {
            flight.join(first);
            flight.stepAside(first);
            first.busy = false;

            flight.notCreating();

            assertThat(flight.isLedBy(first)).isFalse();
            flight.land(Landing.again());
            flight.notCreating();
            assertThat(flight.join(second)).isFalse();
        }

        @Test
        void afterTheLanding_noneBegins() {
            flight.land(Landing.again());

            assertThat(flight.creating(null, 7)).isFalse();
            assertThat(flight.overdueAt()).isEqualTo(Slot.NEVER);
        }

        @Test
        void detached_staysSo() {
            assertThat(flight.isDetached()).isFalse();
            flight.detach();
            assertThat(flight.isDetached()).isTrue();
        }
    }

    @Nested
    class Landings {
        @Test
        void allWhoWait_areWokenOnce_andSeeIt() {
            Landing<String> landing = Landing.value("value", Instant.EPOCH);
            joinAll();

            assertThat(flight.land(landing)).isTrue();

            assertThat(flight.landing()).isSameAs(landing);
            for (One one : new One[] {first, second, third}) {
                assertThat(one.signals).isOne();
                assertThat(one.queued).isFalse();
                assertThat(flight.look(one, true)).isEqualTo(Signal.LANDED);
            }
            assertThat(flight.wakeSome()).isFalse();
            assertThat(flight.isLedBy(first)).isFalse();
        }

        /** Wakes others when it is woken. */
        private final class Helper extends Waiter<String> {
            private int turns;

            @Override
            boolean takesOffers() {
                return true;
            }

            @Override
            void signal() {
                while (flight.wakeSome()) {
                    turns++;
                }
            }
        }

        @Test
        void whoIsWoken_helpsToWakeTheRest() {
            Helper helper = new Helper();
            flight.join(helper);
            flight.join(first);
            flight.join(second);

            flight.land(Landing.again());

            assertThat(helper.turns).isEqualTo(2);
            assertThat(first.signals + second.signals).isEqualTo(2);
        }

        @Test
        void ofACrowd_eachIsWokenOnce_andSeveralInATurn() {
            Helper helper = new Helper();
            flight.join(helper);
            List<One> crowd = Stream.generate(One::new).limit(2_000).toList();
            crowd.forEach(flight::join);

            flight.land(Landing.again());

            assertThat(crowd).allMatch(one -> one.signals == 1);
            assertThat(helper.turns).isLessThan(200);
            assertThat(flight.wakeSome()).isFalse();
        }

        @Test
        void beforeIt_nobodyIsWoken() {
            joinAll();

            assertThat(flight.wakeSome()).isFalse();
            assertThat(first.signals).isZero();
        }

        @Test
        void theSecond_isToldSo_andChangesNothing() {
            Landing<String> landing = Landing.value("value", Instant.EPOCH);
            flight.join(first);
            flight.land(landing);

            assertThat(flight.land(Landing.again())).isFalse();

            assertThat(flight.landing()).isSameAs(landing);
            assertThat(first.signals).isOne();
        }

        @Test
        void itClosesTheWatch_once_andOneThatComesTooLate() {
            Watched watch = new Watched();
            Watched late = new Watched();
            flight.own(watch);

            flight.land(Landing.again());
            flight.own(late);

            assertThat(watch.closed).isOne();
            assertThat(late.closed).isOne();
            assertThat(flight.isWatched()).isFalse();
        }

        @Test
        void whoLeavesAfterwards_endsNothing() {
            joinAll();
            flight.land(Landing.again());

            assertThat(flight.leave(first)).isFalse();

            assertThat(second.signals).isOne();
            assertThat(flight.isLedBy(second)).isFalse();
        }
    }

    @Nested
    class Watching {
        @Test
        void itIsWatched_asLongAsItsWatchIsThere_andLive_asLongAsThatIs() {
            Watched watch = new Watched();
            assertThat(flight.isWatched()).isFalse();
            assertThat(flight.isWatchLive()).isFalse();

            flight.own(watch);

            assertThat(flight.isWatched()).isTrue();
            assertThat(flight.isWatchLive()).isTrue();
            watch.live = false;
            assertThat(flight.isWatchLive()).isFalse();
            assertThat(watch.closed).isZero();
        }

        @Test
        void aChange_isTheLeadersToLookAt_once() {
            flight.join(first);
            flight.join(second);

            flight.changed();

            assertThat(first.signals).isOne();
            assertThat(second.signals).isZero();
            assertThat(flight.look(second, true)).isEqualTo(Signal.NONE);
            assertThat(flight.look(first, true)).isEqualTo(Signal.LOOK);
            assertThat(flight.look(first, true)).isEqualTo(Signal.NONE);
        }

        @Test
        void aChange_thatNobodyLeadsToLookAt_isTheNextLeaders() {
            flight.changed();

            flight.join(first);

            assertThat(flight.look(first, true)).isEqualTo(Signal.LOOK);
        }

        @Test
        void anOffer_isShownToWhomItMayDo_nowAndLater() throws Exception {
            Slot.Seen<String> offer = seen("stale");
            second.choosy = true;
            flight.join(first);
            flight.join(second);

            flight.offer(offer, SHOWN_AT);

            assertThat(first.signals).isOne();
            assertThat(second.signals).isZero();
            assertThat(flight.offered()).isEqualTo(new Flight.Offer<>(offer, SHOWN_AT));
            assertThat(flight.look(first, true)).isEqualTo(Signal.OFFERED);
            assertThat(flight.look(second, true)).isEqualTo(Signal.NONE);
            flight.join(third);
            assertThat(flight.look(third, true)).isEqualTo(Signal.OFFERED);
            first.declined = offer;
            assertThat(flight.look(first, true)).isEqualTo(Signal.NONE);
        }
    }

    @Test
    void manyWhoComeAndGo_leaveTheQueueAsLongAsItIs() throws Exception {
        One[] all = new One[FEW * FEW];
        for (int i = 0; i < all.length; i++) {
            all[i] = new One();
            flight.join(all[i]);
        }
        for (int i = 0; i < all.length; i += FEW) {
            flight.leave(all[i]);
        }

        flight.offer(seen("stale"), SHOWN_AT);
        flight.land(Landing.again());

        for (int i = 0; i < all.length; i++) {
            boolean left = i % FEW == 0;
            int followedTheFirst = i == 1 ? 1 : 0;
            assertThat(all[i].signals).as("caller %d", i).isEqualTo(left ? 0 : 2 + followedTheFirst);
        }
    }
}
