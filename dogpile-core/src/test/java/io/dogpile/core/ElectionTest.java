package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Election.Action;
import io.dogpile.core.Election.State;
import io.dogpile.core.Election.Want;
import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The table of an election, event by event and to the nanosecond. */
class ElectionTest {
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long BEGAN = 10_000 * MS;
    private static final long HARD = 1_000 * MS;
    private static final long DEADLINE = BEGAN + HARD;
    private static final long STALE_AT = BEGAN + 100 * MS;
    private static final long EXPIRED_AT = BEGAN + 200 * MS;
    private static final long SOFT = 50 * MS;

    private boolean takesStale;
    private boolean readsFree = true;
    private long softTimeout;
    private long maxAge = Options.UNSET;
    private long maxUsableAge = Options.UNSET;
    private Executor refreshOn;
    private double beta;
    private WhenDown whenDown = WhenDown.CREATE;
    private DoubleSupplier random = () -> {
        throw new AssertionError("nothing is to be drawn");
    };

    private record Seen(boolean present, long bornAt, long freshUntil, long usableUntil, long costNanos, long version)
            implements Slot.Seen<String> {
        @Override
        public String value() {
            return present ? "value" : null;
        }

        @Override
        public Instant createdAt() {
            return Instant.EPOCH;
        }

        @Override
        public Slot.Claim<String> claim(Slot.Wish wish) {
            throw new AssertionError("an election asks its driver to claim");
        }
    }

    private static final Seen ABSENT = new Seen(false, Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE, 0, 0);

    /** From before the call, of version 1. */
    private static Seen old(long freshUntil, long usableUntil) {
        return new Seen(true, BEGAN - 1, freshUntil, usableUntil, 0, 1);
    }

    /** Stale when the call begins. */
    private static final Seen STALE = old(BEGAN - 1, EXPIRED_AT);

    /** Fresh when the call begins. */
    private static final Seen FRESH = old(STALE_AT, EXPIRED_AT);

    private static final Slot.Grant<String> RIGHT = new Slot.Grant<>() {
        @Override
        public long fencingToken() {
            return 1;
        }

        @Override
        public boolean renew() {
            return true;
        }

        @Override
        public Slot.Published<String> publish(Slot.Draft<String> draft) {
            throw new AssertionError("an election asks its driver to publish");
        }

        @Override
        public void abandon(Throwable cause) {}
    };

    private Election<String> election(Want want) {
        Options<String> options = new Options<>(
                HARD,
                HARD,
                maxAge,
                maxUsableAge,
                takesStale,
                softTimeout,
                HARD,
                HARD,
                refreshOn,
                beta,
                whenDown,
                null,
                new Told(DogpileListener.NONE, "", "io.dogpile.core"),
                new FakeTime(),
                random,
                Runnable::run);
        return new Election<>(options, want, readsFree, "report");
    }

    private Election<String> begun(Want want) {
        Election<String> election = election(want);
        election.begin(BEGAN);
        return election;
    }

    private Election<String> begun() {
        return begun(Want.VALUE);
    }

    private Election<String> entering(Slot.Seen<String> seen) {
        return entering(Want.VALUE, seen);
    }

    private Election<String> entering(Want want, Slot.Seen<String> seen) {
        Election<String> election = begun(want);
        assertEquals(Action.ENTER, election.seen(seen, BEGAN));
        return election;
    }

    private Election<String> following(Want want, Slot.Seen<String> seen) {
        Election<String> election = entering(want, seen);
        assertEquals(Action.AWAIT, election.entered(Flights.Entered.FOLLOWS, BEGAN));
        return election;
    }

    private Election<String> claiming(Want want, Slot.Seen<String> seen) {
        Election<String> election = entering(want, seen);
        assertEquals(Action.CLAIM, election.entered(Flights.Entered.LEADS, BEGAN));
        return election;
    }

    private Election<String> claiming(Slot.Seen<String> seen) {
        return claiming(Want.VALUE, seen);
    }

    private Election<String> waiting(Slot.Seen<String> seen) {
        random = () -> 0;
        Election<String> election = claiming(seen);
        assertEquals(Action.AWAIT, election.claimed(Slot.Claim.held(Duration.ZERO, null), false, BEGAN));
        assertEquals(State.WAITING, election.state());
        return election;
    }

    private Election<String> creating(Slot.Seen<String> seen) {
        Election<String> election = claiming(seen);
        assertEquals(Action.CREATE, election.claimed(Slot.Claim.granted(RIGHT, seen), false, BEGAN));
        return election;
    }

    /** Granted, with an executor, and a stale value that is taken. */
    private Election<String> handing(Slot.Seen<String> seen) {
        takesStale = true;
        refreshOn = Runnable::run;
        Election<String> election = claiming(seen);
        assertEquals(Action.CREATE_BEHIND, election.claimed(Slot.Claim.granted(RIGHT, seen), false, BEGAN));
        return election;
    }

    private Election<String> behind() {
        softTimeout = SOFT;
        Election<String> election = handing(STALE);
        assertEquals(Action.AWAIT, election.handedOver(BEGAN));
        assertEquals(State.BEHIND, election.state());
        return election;
    }

    private static void assertTakes(
            Slot.Seen<String> seen, Acquired.Origin origin, Election<String> election, Action done) {
        assertEquals(Action.RETURN, done);
        assertEquals(State.DONE, election.state());
        assertSame(seen, election.result().seen());
        assertEquals(origin, election.origin());
    }

    private static void assertAwaits(long until, Election<String> election, Action done) {
        assertEquals(Action.AWAIT, done);
        assertEquals(until, election.wakeAt());
    }

    private static <X extends Throwable> X assertFails(Class<X> kind, Election<String> election, Action done) {
        assertEquals(Action.THROW, done);
        assertEquals(State.DONE, election.state());
        return kind.cast(election.failure());
    }

    @Nested
    class WhatWasSeen {
        @Test
        void freshToTheLastNanosecond_isReturnedByWhoLooks() {
            Election<String> inTime = begun();
            assertTakes(FRESH, Acquired.Origin.FRESH, inTime, inTime.seen(FRESH, STALE_AT));
            assertNull(inTime.share());

            Election<String> late = begun();
            assertEquals(Action.ENTER, late.seen(FRESH, STALE_AT + 1));
            assertTrue(late.joins());
        }

        @Test
        void staleToTheLastNanosecond_isTakenByWhoIsBusyWithIt() {
            takesStale = true;
            Election<String> inTime = begun();
            assertEquals(Action.ENTER, inTime.seen(STALE, EXPIRED_AT));
            assertFalse(inTime.joins());
            assertTakes(STALE, Acquired.Origin.STALE, inTime, inTime.entered(Flights.Entered.BUSY, EXPIRED_AT));

            Election<String> late = begun();
            assertEquals(Action.ENTER, late.seen(STALE, EXPIRED_AT + 1));
            assertTrue(late.joins());
        }

        @Test
        void whoLeads_sharesAFreshOne_offersAStaleOne_andClaimsWhereThereIsNone() {
            readsFree = false;
            for (Seen seen : List.of(FRESH, STALE, ABSENT)) {
                Election<String> election = election(Want.VALUE);
                assertEquals(Action.ENTER, election.begin(BEGAN));
                assertEquals(Action.READ, election.entered(Flights.Entered.LEADS, BEGAN));
                Action next = election.seen(seen, BEGAN);
                if (seen == FRESH) {
                    assertTakes(FRESH, Acquired.Origin.FRESH, election, next);
                    assertSame(FRESH, election.share().seen());
                } else if (seen == STALE) {
                    assertEquals(Action.OFFER, next);
                    assertEquals(Action.CLAIM, election.offered());
                } else {
                    assertEquals(Action.CLAIM, next);
                }
            }
        }

        @Test
        void whoFollowsAndLooks_takesWhatWillDo_orWaitsOnUntilItsDeadline() {
            Election<String> takes = following(Want.VALUE, ABSENT);
            assertTakes(FRESH, Acquired.Origin.FRESH, takes, takes.seen(FRESH, BEGAN));

            Election<String> waits = following(Want.VALUE, ABSENT);
            assertAwaits(DEADLINE, waits, waits.seen(STALE, BEGAN));
        }

        @Test
        void whoWantsANewerOne_takesAnyOtherVersion_andOnlyThat() {
            Election<String> election = begun(Want.NEWER);
            assertEquals(Action.ENTER, election.seen(FRESH, BEGAN));
            assertEquals(Action.CLAIM, election.entered(Flights.Entered.LEADS, BEGAN));
            Seen another = new Seen(true, BEGAN - 1, BEGAN - 1, EXPIRED_AT, 0, 2);

            assertTakes(
                    another,
                    Acquired.Origin.FRESH,
                    election,
                    election.claimed(Slot.Claim.granted(RIGHT, another), false, BEGAN));
        }

        @ParameterizedTest
        @CsvSource({"0, 2, true", "-1, 2, false", "0, 1, false"})
        void staleAlready_butAnotherOneBornSinceTheCallBegan_isFreshEnough(
                long bornAfter, long version, boolean taken) {
            Election<String> election = following(Want.VALUE, STALE);
            Seen stale = new Seen(true, BEGAN + bornAfter, BEGAN, EXPIRED_AT, 0, version);

            Action next = election.seen(stale, BEGAN + 1);

            assertEquals(taken ? Action.RETURN : Action.AWAIT, next);
        }
    }

    @Nested
    class Drawn {
        private static final long COST = 10 * MS;

        private Action seenWithLeft(long left) {
            Election<String> election = election(Want.VALUE);
            election.begin(BEGAN);
            Action next = election.seen(new Seen(true, 0, BEGAN + left, Slot.NEVER, COST, 1), BEGAN);
            assertEquals(next == Action.ENTER, election.isDrawn());
            return next;
        }

        @ParameterizedTest
        @CsvSource({"1, 0.5", "2, 0.25"})
        void byItsDraw_itsCost_andTheFactor(double factor, double drawn) {
            beta = factor;
            random = () -> drawn;
            long before = (long) (-Math.log(1 - drawn) * factor * COST);

            assertEquals(Action.ENTER, seenWithLeft(before));
            assertEquals(Action.RETURN, seenWithLeft(before + 1));
        }

        @Test
        void theLeastDraw_isNever_notEvenAtTheEnd() {
            beta = 1;
            random = () -> 0;

            assertEquals(Action.RETURN, seenWithLeft(0));
        }

        @Test
        void theLuckiestDraw_isOnlyWithinTwentyTimesTheCost() {
            beta = 1;
            random = () -> Math.nextDown(1.0);

            assertEquals(Action.ENTER, seenWithLeft(20 * COST - 1));
            assertEquals(Action.RETURN, seenWithLeft(20 * COST));
        }

        @Test
        void isFresh_andNotWaitedFor_alsoBehind() {
            beta = 1;
            random = () -> 0.5;
            softTimeout = SOFT;
            Seen drawn = new Seen(true, 0, BEGAN, Slot.NEVER, COST, 1);
            Election<String> election = handing(drawn);

            assertEquals(Slot.Wish.Reason.EARLY, election.wish(false).reason());
            assertTakes(drawn, Acquired.Origin.FRESH, election, election.handedOver(BEGAN));
        }

        @Test
        void byWhoLeads_isOffered() {
            beta = 1;
            random = () -> 0.5;
            readsFree = false;
            Election<String> election = begun();
            election.entered(Flights.Entered.LEADS, BEGAN);

            assertEquals(Action.OFFER, election.seen(new Seen(true, 0, BEGAN, Slot.NEVER, COST, 1), BEGAN));
        }
    }

    @Nested
    class TheWish {
        @Test
        void tellsWhyAndHowOld_andWhetherTheCallerWillWait() {
            assertEquals(
                    new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, false),
                    claiming(STALE).wish(false));
            assertEquals(
                    new Slot.Wish(Slot.Wish.Reason.REFRESH, Slot.NEVER, true, false),
                    claiming(Want.NEWER, STALE).wish(false));
            takesStale = true;
            assertEquals(
                    new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, false, false),
                    claiming(STALE).wish(false));
            maxAge = 0;
            assertEquals(
                    new Slot.Wish(Slot.Wish.Reason.NEEDED, 0, false, false),
                    claiming(STALE).wish(false));
        }

        @Test
        void isUndisturbed_onlyWhereThereIsAValue_andNobodyElseComes() {
            assertTrue(claiming(STALE).wish(true).undisturbed());
            assertFalse(claiming(STALE).wish(false).undisturbed());
            assertFalse(claiming(ABSENT).wish(true).undisturbed());
        }

        @Test
        void ofANewerOne_takesNoOffers() {
            assertTrue(begun(Want.VALUE).takesOffers());
            assertTrue(begun(Want.VALUE_OR_NOTHING).takesOffers());
            assertFalse(begun(Want.NEWER).takesOffers());
            assertFalse(begun(Want.NEWER_OR_NOTHING).takesOffers());
        }
    }

    @Nested
    class TheAnswerToAClaim {
        @Test
        void granted_andNothingSeenWithIt_looksOnceMore_andTheRightIsShownUntilItIsUsed() {
            Election<String> election = claiming(STALE);
            assertNull(election.grant());

            assertEquals(Action.READ, election.claimed(Slot.Claim.granted(RIGHT), false, BEGAN));

            assertSame(RIGHT, election.grant());
            assertEquals(Action.CREATE, election.seen(STALE, BEGAN));
            election.used();
            assertNull(election.grant());
        }

        @Test
        void granted_withAFreshValue_takesAndSharesIt() {
            Election<String> election = claiming(ABSENT);

            assertTakes(
                    FRESH,
                    Acquired.Origin.FRESH,
                    election,
                    election.claimed(Slot.Claim.granted(RIGHT, FRESH), false, BEGAN));
            assertSame(FRESH, election.share().seen());
        }

        @Test
        void granted_createsBehind_onlyWithAnExecutor_andAValueThatIsTaken() {
            takesStale = true;
            assertEquals(Action.CREATE, claiming(STALE).claimed(Slot.Claim.granted(RIGHT, STALE), false, BEGAN));
            refreshOn = Runnable::run;
            assertEquals(Action.CREATE_BEHIND, claiming(STALE).claimed(Slot.Claim.granted(RIGHT, STALE), false, BEGAN));
            takesStale = false;
            assertEquals(Action.CREATE, claiming(STALE).claimed(Slot.Claim.granted(RIGHT, STALE), false, BEGAN));
        }

        @Test
        void notNeeded_takesAndSharesWhatCameWithIt() {
            Election<String> election = claiming(ABSENT);

            assertTakes(
                    FRESH,
                    Acquired.Origin.FRESH,
                    election,
                    election.claimed(Slot.Claim.notNeeded(FRESH), false, BEGAN));
            assertSame(FRESH, election.share().seen());
        }

        @Test
        void held_takesTheStaleOne_orWaits() {
            takesStale = true;
            Election<String> takes = claiming(STALE);
            assertTakes(
                    STALE,
                    Acquired.Origin.STALE,
                    takes,
                    takes.claimed(Slot.Claim.held(Duration.ZERO, null), false, BEGAN));

            takesStale = false;
            assertAwaits(BEGAN + 5 * MS, waiting(STALE), Action.AWAIT);
        }

        /** The value that came with the answer counts, not the one that was seen before. */
        @Test
        void backingOff_takesTheStaleOne_orFails_withWhoFollows() {
            takesStale = true;
            Election<String> takes = claiming(ABSENT);
            assertTakes(
                    STALE,
                    Acquired.Origin.STALE,
                    takes,
                    takes.claimed(Slot.Claim.backingOff(Duration.ofMillis(30), "why", STALE), false, BEGAN));

            takesStale = false;
            Election<String> fails = claiming(STALE);
            CreationException failure = assertFails(
                    CreationException.class,
                    fails,
                    fails.claimed(Slot.Claim.backingOff(Duration.ofMillis(30), "why"), false, BEGAN));
            assertEquals(Duration.ofMillis(30), failure.retryAfter().orElseThrow());
            assertSame(failure, fails.share().failure());
        }
    }

    @Nested
    class Polls {
        private long pollAfter(long waited, Duration left, boolean pushes) {
            Election<String> election = claiming(ABSENT);
            long now = BEGAN + waited;
            assertEquals(Action.AWAIT, election.claimed(Slot.Claim.held(left, null), pushes, now));
            return election.wakeAt() - now;
        }

        @ParameterizedTest
        @CsvSource({"0, 5", "20, 5", "40, 10", "400, 100", "800, 100"})
        void areAQuarterOfTheWaitApart_from5To100Ms(long waitedMillis, long delayMillis) {
            random = () -> 0;

            assertEquals(delayMillis * MS, pollAfter(waitedMillis * MS, Duration.ZERO, false));
        }

        @Test
        void areHalfASecondApart_whereChangesAreTold() {
            random = () -> 0;

            assertEquals(500 * MS, pollAfter(0, Duration.ZERO, true));
        }

        @Test
        void areUpToAFifthLater_byADraw() {
            random = () -> 0.5;

            assertEquals(11 * MS, pollAfter(40 * MS, Duration.ZERO, false));
            assertEquals(550 * MS, pollAfter(0, Duration.ZERO, true));
        }

        @Test
        void come5MsAfterTheLeaseEnds_whereThatIsSooner() {
            random = () -> 0;

            assertEquals(35 * MS, pollAfter(0, Duration.ofMillis(30), true));
            assertEquals(500 * MS, pollAfter(0, Duration.ofMillis(495), true));
            assertEquals(500 * MS, pollAfter(0, Duration.ofMillis(600), true));
            assertEquals(5 * MS + 1, pollAfter(0, Duration.ofNanos(1), true));
        }

        @Test
        void areNotAfterTheDeadline() {
            random = () -> 0;

            assertEquals(20 * MS, pollAfter(HARD - 20 * MS, Duration.ZERO, true));
        }

        @Test
        void beginAnew_withATurnToLead() {
            random = () -> 0;
            Election<String> election = following(Want.VALUE, ABSENT);
            long now = BEGAN + 400 * MS;

            assertEquals(Action.READ, election.lead(now));
            assertEquals(State.LEADING, election.state());
            assertEquals(Action.CLAIM, election.seen(ABSENT, now));
            assertAwaits(now + 5 * MS, election, election.claimed(Slot.Claim.held(Duration.ZERO, null), false, now));
        }
    }

    @Nested
    class CreatedHere {
        @Test
        void itsValue_isReturnedAsCreated() {
            Election<String> election = creating(ABSENT);
            Landing<String> own = Landing.value("new", Instant.EPOCH);

            assertEquals(Action.RETURN, election.created(own, BEGAN));
            assertSame(own, election.result());
            assertEquals(Acquired.Origin.CREATED, election.origin());
        }

        @Test
        void itsFailure_isThrown_butWhereAStaleValueIsTaken() {
            RuntimeException failure = new RuntimeException("creator");
            Election<String> throwing = creating(STALE);
            assertSame(
                    failure,
                    assertFails(RuntimeException.class, throwing, throwing.created(Landing.failure(failure), BEGAN)));

            takesStale = true;
            Election<String> serving = creating(STALE);
            assertTakes(STALE, Acquired.Origin.STALE, serving, serving.created(Landing.failure(failure), EXPIRED_AT));
        }

        @Test
        void itsFailure_isThrown_whereTheStaleValueExpiredMeanwhile() {
            takesStale = true;
            Election<String> election = creating(STALE);
            RuntimeException failure = new RuntimeException("creator");

            assertSame(
                    failure,
                    assertFails(
                            RuntimeException.class,
                            election,
                            election.created(Landing.failure(failure), EXPIRED_AT + 1)));
        }
    }

    @Nested
    class CreatedBehind {
        @Test
        void withoutASoftTimeout_theStaleValueIsTakenAtOnce() {
            Election<String> election = handing(STALE);

            assertTakes(STALE, Acquired.Origin.STALE, election, election.handedOver(BEGAN));
        }

        @Test
        void refusedByTheExecutor_theStaleValueIsTaken() {
            Election<String> election = handing(STALE);

            assertTakes(STALE, Acquired.Origin.STALE, election, election.rejected());
        }

        @Test
        void theSoftTimeout_isWaitedFor_butNotBeyondTheDeadline() {
            assertAwaits(BEGAN + SOFT, behind(), Action.AWAIT);

            softTimeout = 2 * HARD;
            Election<String> longer = handing(STALE);
            assertAwaits(DEADLINE, longer, longer.handedOver(BEGAN));
        }

        @Test
        void wokenAtTheSoftTimeout_takesTheStaleValue_andNotBefore() {
            Election<String> election = behind();

            assertAwaits(BEGAN + SOFT, election, election.woken(BEGAN + SOFT - 1));
            assertTakes(STALE, Acquired.Origin.STALE, election, election.woken(BEGAN + SOFT));
        }

        @Test
        void wokenAtTheSoftTimeout_withAValueThatExpiredMeanwhile_waitsUntilTheDeadline() {
            Election<String> election = behind();

            assertAwaits(DEADLINE, election, election.woken(EXPIRED_AT + 1));
        }

        @Test
        void landed_isTheOneItCreated() {
            Election<String> election = behind();

            assertEquals(Action.RETURN, election.landed(Landing.value("new", Instant.EPOCH), BEGAN));
            assertEquals(Acquired.Origin.CREATED, election.origin());
        }

        @Test
        void anOfferFromBeforeTheCall_isTaken() {
            Election<String> election = behind();

            assertTakes(
                    FRESH,
                    Acquired.Origin.FRESH,
                    election,
                    election.offer(new Flight.Offer<>(FRESH, BEGAN - 1), BEGAN));
        }
    }

    @Nested
    class AFlightLanded {
        @Test
        void withAValue_itIsFreshToWhoFollows() {
            Election<String> election = following(Want.NEWER, STALE);

            assertEquals(Action.RETURN, election.landed(Landing.value("new", Instant.EPOCH), BEGAN));
            assertEquals(Acquired.Origin.FRESH, election.origin());
        }

        @Test
        void withWhatWasSeen_itIsJudgedAnew() {
            Election<String> takes = following(Want.VALUE, ABSENT);
            assertTakes(FRESH, Acquired.Origin.FRESH, takes, takes.landed(Landing.seen(FRESH), BEGAN));

            Election<String> looks = following(Want.VALUE, ABSENT);
            assertEquals(Action.READ, looks.landed(Landing.seen(STALE), BEGAN));
            assertEquals(State.LOOKING, looks.state());

            Election<String> newer = following(Want.NEWER, STALE);
            Seen another = new Seen(true, BEGAN, STALE_AT, EXPIRED_AT, 0, 2);
            assertEquals(Action.READ, newer.landed(Landing.seen(another), BEGAN));
        }

        @Test
        void withWhatWasSeen_whichHasExpiredSince_theCallerLooksAgain() {
            takesStale = true;
            Election<String> election = following(Want.VALUE, ABSENT);

            assertEquals(Action.READ, election.landed(Landing.seen(STALE), EXPIRED_AT + 1));
        }

        @Test
        void withAFailure_itIsThrown_butWhereAStaleValueIsTaken() {
            RuntimeException failure = new RuntimeException("creator");
            Election<String> election = following(Want.VALUE, ABSENT);
            assertSame(
                    failure,
                    assertFails(RuntimeException.class, election, election.landed(Landing.failure(failure), BEGAN)));

            Election<String> serving = behind();
            assertTakes(STALE, Acquired.Origin.STALE, serving, serving.landed(Landing.failure(failure), BEGAN));
        }

        @ParameterizedTest
        @EnumSource(Want.class)
        void withoutAnythingForThisName_isNews_onlyToWhoAskedForThat(Want want) {
            Election<String> election = following(want, STALE);

            Action next = election.landed(Landing.omitted(), BEGAN);

            boolean news = want == Want.VALUE_OR_NOTHING || want == Want.NEWER_OR_NOTHING;
            assertEquals(news ? Action.RETURN : Action.READ, next);
        }

        @Test
        void withNothing_theCallerLooksAgain_untilItsDeadline() {
            Election<String> inTime = following(Want.VALUE, ABSENT);
            assertEquals(Action.READ, inTime.landed(Landing.again(), DEADLINE - 1));

            Election<String> late = following(Want.VALUE, ABSENT);
            assertFails(HardTimeoutException.class, late, late.landed(Landing.again(), DEADLINE));
        }
    }

    @Nested
    class AnOffer {
        @Test
        void thatWillNotDo_isWaitedPast() {
            Election<String> election = waiting(ABSENT);
            long before = election.wakeAt();

            assertAwaits(before, election, election.offer(new Flight.Offer<>(STALE, BEGAN), BEGAN));
            assertEquals(State.WAITING, election.state());
        }

        @Test
        void fromTheMomentTheCallBegan_isTaken() {
            Election<String> election = following(Want.VALUE, ABSENT);

            assertTakes(
                    FRESH, Acquired.Origin.FRESH, election, election.offer(new Flight.Offer<>(FRESH, BEGAN), BEGAN));
        }

        @Test
        void fromBefore_isLookedFor_byWhoFollows_asByWhoWaits() {
            Flight.Offer<String> before = new Flight.Offer<>(FRESH, BEGAN - 1);
            Election<String> follows = following(Want.VALUE, ABSENT);
            assertEquals(Action.READ, follows.offer(before, BEGAN));
            assertEquals(State.FOLLOWING, follows.state());

            Election<String> waits = waiting(ABSENT);
            assertEquals(Action.READ, waits.offer(before, BEGAN));
            assertEquals(State.LEADING, waits.state());
        }

        /** Stale already, of which the one who asks takes any; from before the call. */
        private final Flight.Offer<String> expiring = new Flight.Offer<>(STALE, BEGAN - 1);

        @Test
        void fromBefore_whichExpiredSince_isLookedFor_byWhoFollows_untilItsDeadline() {
            takesStale = true;
            for (long now : List.of(EXPIRED_AT + 1, DEADLINE - 1)) {
                Election<String> inTime = following(Want.VALUE, ABSENT);
                assertEquals(Action.READ, inTime.offer(expiring, now));
                assertEquals(State.FOLLOWING, inTime.state());
            }

            Election<String> late = following(Want.VALUE, ABSENT);
            assertAwaits(DEADLINE, late, late.offer(expiring, DEADLINE));
        }

        @Test
        void fromBefore_whichExpiredSince_isNotLookedFor_byWhoWaits_norByWhoTakesNoStaleOne() {
            Election<String> follows = following(Want.VALUE, ABSENT);
            assertAwaits(DEADLINE, follows, follows.offer(expiring, EXPIRED_AT + 1));

            takesStale = true;
            Election<String> waits = waiting(ABSENT);
            long until = waits.wakeAt();
            assertAwaits(until, waits, waits.offer(expiring, EXPIRED_AT + 1));
            assertEquals(State.WAITING, waits.state());
        }

        @Test
        void fromBefore_whichOnlyTheCallerTakesForExpired_isNotLookedFor() {
            takesStale = true;
            maxUsableAge = 0;
            Election<String> election = following(Want.VALUE, ABSENT);

            assertAwaits(DEADLINE, election, election.offer(expiring, EXPIRED_AT));
        }

        @Test
        void fromTheMomentTheCallBegan_whichExpiredSince_isNotLookedFor() {
            takesStale = true;
            Election<String> election = following(Want.VALUE, ABSENT);

            assertAwaits(DEADLINE, election, election.offer(new Flight.Offer<>(STALE, BEGAN), EXPIRED_AT + 1));
        }
    }

    @Nested
    class Waiting {
        @Test
        void whoStepsAside_followsUntilItsDeadline() {
            Election<String> waits = waiting(ABSENT);
            assertAwaits(DEADLINE, waits, waits.steppedAside());
            assertEquals(State.FOLLOWING, waits.state());

            Election<String> behind = behind();
            assertAwaits(BEGAN + SOFT, behind, behind.steppedAside());
            assertEquals(State.BEHIND, behind.state());
        }

        @Test
        void woken_whoWaits_looksAgainAsLeader() {
            Election<String> election = waiting(ABSENT);

            assertEquals(Action.READ, election.woken(DEADLINE - 1));
            assertEquals(State.LEADING, election.state());
        }

        @Test
        void woken_whoFollows_waitsOn() {
            Election<String> election = following(Want.VALUE, ABSENT);

            assertAwaits(DEADLINE, election, election.woken(DEADLINE - 1));
        }

        @Test
        void atTheDeadline_theCallFails_andSaysWhatItWaitedFor_andHowLong() {
            Election<String> election = following(Want.VALUE, ABSENT);

            HardTimeoutException late =
                    assertFails(HardTimeoutException.class, election, election.woken(BEGAN + 1_234 * MS));

            assertTrue(late.getMessage().startsWith("'report': no value within 1234 ms"), late::getMessage);
        }

        @Test
        void interrupted_theCallFails_andSaysWhatItWaitedFor() {
            Election<String> election = following(Want.VALUE, ABSENT);
            InterruptedException interrupt = new InterruptedException();

            DogpileException failure =
                    assertFails(DogpileException.class, election, election.interrupted(interrupt, BEGAN));

            assertSame(interrupt, failure.getCause());
            assertTrue(failure.getMessage().contains("'report'"), failure::getMessage);
        }

        @Test
        void interrupted_behind_theStaleValueIsServed() {
            Election<String> election = behind();

            assertTakes(
                    STALE, Acquired.Origin.STALE, election, election.interrupted(new InterruptedException(), BEGAN));
        }
    }

    @Nested
    class TheStoreFails {
        private final Exception trouble = new Exception("store");

        @Test
        void theStaleValueIsTaken_unlessItExpiredMeanwhile() {
            takesStale = true;
            Election<String> inTime = claiming(STALE);
            assertTakes(STALE, Acquired.Origin.STALE, inTime, inTime.storeFailed(trouble, EXPIRED_AT));

            Election<String> late = claiming(STALE);
            assertEquals(Action.CREATE, late.storeFailed(trouble, EXPIRED_AT + 1));
            assertEquals(State.CREATING, late.state());
        }

        @Test
        void wherePolicyIsToFail_allFail() {
            whenDown = WhenDown.FAIL;
            Election<String> election = claiming(ABSENT);

            DogpileException failure =
                    assertFails(DogpileException.class, election, election.storeFailed(trouble, BEGAN));

            assertSame(trouble, failure.getCause());
            assertSame(failure, election.share().failure());
            assertTrue(failure.getMessage().contains("'report'"), failure::getMessage);
        }

        @Test
        void beforeTheFlight_whoLeadsCreatesWithoutAskingAgain_unlessItAnsweredSince() {
            Election<String> election = begun();
            assertEquals(Action.ENTER, election.storeFailed(trouble, BEGAN));
            assertEquals(Action.CREATE, election.entered(Flights.Entered.LEADS, BEGAN));
            assertEquals(State.CREATING, election.state());

            Election<String> later = begun();
            later.storeFailed(trouble, BEGAN);
            later.entered(Flights.Entered.FOLLOWS, BEGAN);
            later.landed(Landing.again(), BEGAN);
            assertEquals(Action.ENTER, later.seen(ABSENT, BEGAN));
            assertEquals(Action.CLAIM, later.entered(Flights.Entered.LEADS, BEGAN));
        }

        @Test
        void whoFollows_waitsOn() {
            Election<String> election = following(Want.VALUE, ABSENT);

            assertAwaits(DEADLINE, election, election.storeFailed(trouble, BEGAN));
            assertEquals(State.FOLLOWING, election.state());
        }

        @Test
        void whoHasTheRight_keepsItAndCreates() {
            Election<String> election = claiming(STALE);
            election.claimed(Slot.Claim.granted(RIGHT), false, BEGAN);

            assertEquals(Action.CREATE, election.storeFailed(trouble, BEGAN));
            assertEquals(State.CREATING, election.state());
            assertSame(RIGHT, election.grant());
        }
    }

    @Nested
    class OutOfTurn {
        private void assertRefused(String event, Consumer<Election<String>> told) {
            assertEquals(
                    "'" + event + "' in state LOOKING",
                    assertThrows(IllegalStateException.class, () -> told.accept(begun()))
                            .getMessage());
        }

        @Test
        void anEvent_isRefused_andNamesTheState() {
            assertRefused("entered", one -> one.entered(Flights.Entered.LEADS, BEGAN));
            assertRefused("offered", Election::offered);
            assertRefused("claimed", one -> one.claimed(Slot.Claim.notNeeded(FRESH), false, BEGAN));
            assertRefused("created", one -> one.created(Landing.again(), BEGAN));
            assertRefused("handedOver", one -> one.handedOver(BEGAN));
            assertRefused("rejected", Election::rejected);
        }

        @Test
        void aLookThatNobodyTook_isRefused() {
            Election<String> election = entering(ABSENT);

            assertThrows(IllegalStateException.class, () -> election.seen(FRESH, BEGAN));
        }

        @Test
        void whatIsNotThereYet_isNotShown() {
            assertRefused("best", Election::best);
            assertRefused("result", Election::result);
            assertRefused("origin", Election::origin);
            assertRefused("failure", Election::failure);
        }

        @Test
        void itsBeginning_isTold() {
            assertEquals(BEGAN, begun().began());
        }
    }
}
