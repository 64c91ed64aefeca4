package io.dogpile.cache.histories;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Histories written by hand: those that are wrong are found, each by its invariant, and those that may be right are not. */
class CheckerTest {
    private static final Terms ALL = Terms.withLease(Duration.ofSeconds(1)).build();

    private final List<Event> events = new ArrayList<>();

    /** Times are in milliseconds. */
    private void event(long at, String node, Event.Kind kind, String op, String detail) {
        String key = kind == Event.Kind.STALL || kind == Event.Kind.FAULT || kind == Event.Kind.HEALED ? "-" : "k";
        events.add(new Event(at * 1_000, node, kind, op, key, detail));
    }

    private void call(long from, long to, String node, String op, String what, String gives) {
        event(from, node, Event.Kind.INVOKE, op, what);
        event(to, node, Event.Kind.OK, op, gives);
    }

    private void peek(long from, long to, String node, String op, String value) {
        call(from, to, node, op, "PEEK", value);
    }

    /** A call that is elected, and gets what it made. */
    private void create(long from, long to, String node, String op, String value, long fence) {
        event(from, node, Event.Kind.INVOKE, op, "CREATE");
        event(from, node, Event.Kind.START, op, value + ' ' + fence);
        event(to, node, Event.Kind.END, op, "created");
        event(to, node, Event.Kind.OK, op, value);
    }

    private void fault(long from, long to, String node, Fault fault) {
        event(from, node, Event.Kind.FAULT, "-", fault.toString());
        event(to, node, Event.Kind.HEALED, "-", fault.toString());
    }

    private Set<Invariant> broken(Terms terms) {
        List<Event> byText =
                events.stream().map(event -> Event.parse(event.toString())).toList();
        return Checker.check(byText, terms).violations().stream()
                .map(Checker.Violation::invariant)
                .collect(Collectors.toSet());
    }

    private void finds(Invariant only) {
        assertEquals(Set.of(only), broken(ALL));
    }

    private void findsNothing() {
        assertEquals(Set.of(), broken(ALL));
    }

    private static Terms excusing(Invariant invariant, Fault fault) {
        return Terms.withLease(Duration.ofSeconds(1)).excuse(invariant, fault).build();
    }

    @Test
    void quietHistory_isRight_andWhatWasCheckedIsCounted() {
        create(0, 10, "a", "1", "v", 5);
        peek(20, 21, "b", "2", "v");
        call(30, 31, "b", "3", "SOFT", "-");
        event(40, "b", Event.Kind.INVOKE, "4", "CREATE");
        create(39, 80, "a", "5", "w", 6);
        event(41, "b", Event.Kind.OK, "4", "v");
        peek(90, 91, "b", "6", "w");
        call(100, 101, "a", "7", "HARD", "-");
        peek(110, 111, "b", "8", "-");
        findsNothing();
        Map<Invariant, Integer> checked = Checker.check(events, ALL).checked();
        assertEquals(1, checked.get(Invariant.STALE_IS_SERVED));
        assertEquals(3, checked.get(Invariant.TAKEN_OVER));
        assertEquals(8, checked.get(Invariant.NOBODY_LEFT));
        assertEquals(1, checked.get(Invariant.ONE_CREATION));
    }

    @Nested
    class FromNowhere {
        @Test
        void valueThatNobodyMade_isFound() {
            peek(0, 1, "a", "1", "v");
            finds(Invariant.NOTHING_FROM_NOWHERE);
        }

        @Test
        void valueThatIsMadeLater_isFound() {
            peek(0, 1, "a", "1", "v");
            create(10, 20, "b", "2", "v", 0);
            finds(Invariant.NOTHING_FROM_NOWHERE);
        }

        @Test
        void valueOfAnotherKey_isFound() {
            create(10, 20, "b", "1", "v", 0);
            events.add(new Event(30_000, "a", Event.Kind.INVOKE, "2", "other", "PEEK"));
            events.add(new Event(31_000, "a", Event.Kind.OK, "2", "other", "v"));
            finds(Invariant.NOTHING_FROM_NOWHERE);
        }

        @Test
        void valueWhoseWriteWasRefused_isFound_whereAnotherProcessReadsIt() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            event(0, "a", Event.Kind.START, "1", "v 0");
            event(10, "a", Event.Kind.END, "1", "created");
            event(11, "a", Event.Kind.REFUSED, "1", "VOIDED");
            event(12, "a", Event.Kind.OK, "1", "v");
            findsNothing();
            peek(20, 21, "b", "2", "v");
            finds(Invariant.NOTHING_FROM_NOWHERE);
            fault(5, 9, "a", Fault.CUT); // its reply was lost; when it asked again it was replaced
            findsNothing();
        }

        @Test
        void valueOfAWriteThatIsNotKnown_mayBeThere() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            event(0, "a", Event.Kind.START, "1", "v 0");
            event(10, "a", Event.Kind.END, "1", "created");
            event(11, "a", Event.Kind.REFUSED, "1", "UNKNOWN");
            event(12, "a", Event.Kind.OK, "1", "v");
            peek(20, 21, "b", "2", "v");
            findsNothing();
        }

        @Test
        void oneFenceForTwo_isFound() {
            create(0, 10, "a", "1", "v", 5);
            call(20, 21, "a", "2", "HARD", "-");
            create(30, 40, "a", "3", "w", 5);
            finds(Invariant.NOTHING_FROM_NOWHERE);
        }
    }

    @Nested
    class WayBack {
        @Test
        void valueThatWasReplaced_andIsReadAgain_isFound() {
            create(0, 10, "a", "1", "v", 0);
            peek(20, 21, "b", "2", "v");
            call(30, 31, "a", "3", "PUT w", "-");
            peek(40, 41, "b", "4", "w");
            peek(50, 51, "b", "5", "v");
            finds(Invariant.NO_WAY_BACK);
            assertEquals(Set.of(Invariant.NO_WAY_BACK), broken(excusing(Invariant.NO_WAY_BACK, Fault.FAILOVER)));
            fault(35, 45, "*", Fault.FAILOVER);
            assertEquals(Set.of(), broken(excusing(Invariant.NO_WAY_BACK, Fault.FAILOVER)));
        }

        @Test
        void whatTheCreatorOfItsProcessFound_isGivenAgain_onlyWhileTheStoreIsAway() {
            create(0, 10, "b", "1", "old", 1);
            call(15, 16, "b", "7", "SOFT", "-");
            event(20, "a", Event.Kind.INVOKE, "2", "CREATE");
            event(21, "a", Event.Kind.START, "2", "w 2");
            call(25, 26, "b", "3", "SOFT", "-");
            create(30, 40, "b", "4", "new", 3);
            call(50, 51, "a", "5", "CREATE", "new");
            call(95, 96, "a", "6", "CREATE", "old");
            event(500, "a", Event.Kind.END, "2", "created");
            event(501, "a", Event.Kind.REFUSED, "2", "SUPERSEDED");
            event(502, "a", Event.Kind.OK, "2", "w");
            finds(Invariant.NO_WAY_BACK);
            fault(60, 90, "*", Fault.RESTART_PERSISTED);
            finds(Invariant.NO_WAY_BACK);
            fault(92, 99, "*", Fault.RESTART_PERSISTED);
            findsNothing();
        }

        @Test
        void putWhoseReplyIsLost_isDoneTwice_andNotAThirdTime() {
            event(0, "a", Event.Kind.INVOKE, "1", "PUT v");
            peek(10, 11, "b", "2", "v");
            call(20, 21, "b", "3", "PUT w", "-");
            peek(30, 31, "b", "4", "w");
            event(100, "a", Event.Kind.OK, "1", "-");
            peek(110, 111, "b", "5", "v");
            finds(Invariant.NO_WAY_BACK);
            fault(5, 90, "a", Fault.CUT);
            findsNothing();
            call(120, 121, "b", "6", "PUT x", "-");
            peek(130, 131, "b", "7", "x");
            findsNothing();
            peek(140, 141, "b", "8", "v");
            finds(Invariant.NO_WAY_BACK);
        }

        @Test
        void lookThatTakesLong_isSharedAtTheStartOfAJvm_andNotLater() {
            lookThatTakesLong_isSharedBy("a-10");
            findsNothing();
            events.clear();
            lookThatTakesLong_isSharedBy("a-11");
            finds(Invariant.NO_WAY_BACK);
        }

        private void lookThatTakesLong_isSharedBy(String call) {
            event(0, "a", Event.Kind.INVOKE, "a-1", "CREATE");
            create(1, 10, "b", "b-2", "v", 0);
            peek(20, 21, "b", "b-3", "v");
            call(30, 31, "b", "b-4", "PUT w", "-");
            peek(40, 41, "b", "b-5", "w");
            call(700, 900, "a", call, "CREATE", "v");
            event(910, "a", Event.Kind.OK, "a-1", "w");
        }

        @Test
        void readsThatOverlap_mayBeInEitherOrder() {
            create(0, 10, "a", "1", "v", 0);
            peek(20, 60, "b", "2", "v");
            call(30, 31, "a", "3", "PUT w", "-");
            peek(40, 41, "b", "4", "w");
            peek(25, 51, "c", "5", "v");
            findsNothing();
        }

        @Test
        void smallerFenceThatIsReadLater_isFound() {
            create(0, 10, "a", "1", "v", 7);
            peek(20, 21, "b", "2", "v");
            call(30, 31, "a", "3", "HARD", "-");
            create(40, 50, "a", "4", "w", 6);
            peek(60, 61, "b", "5", "w");
            finds(Invariant.NO_WAY_BACK);
        }
    }

    @Nested
    class Forgotten {
        @Test
        void valueFromBeforeAnInvalidation_readAfterIt_isFound() {
            create(0, 10, "a", "1", "v", 0);
            call(20, 21, "b", "2", "HARD", "-");
            peek(30, 31, "c", "3", "v");
            finds(Invariant.FORGOTTEN_STAYS_FORGOTTEN);
        }

        @Test
        void putFromBeforeAnInvalidation_givenAfterItByAProcessThatCreates_isFound() {
            call(0, 1, "b", "1", "PUT v", "-");
            event(10, "a", Event.Kind.INVOKE, "2", "CREATE");
            event(11, "a", Event.Kind.START, "2", "w 0");
            call(20, 21, "b", "3", "HARD", "-");
            call(30, 31, "a", "4", "CREATE", "v");
            event(50, "a", Event.Kind.END, "2", "created");
            event(51, "a", Event.Kind.REFUSED, "2", "VOIDED");
            event(52, "a", Event.Kind.OK, "2", "w");
            finds(Invariant.FORGOTTEN_STAYS_FORGOTTEN);
        }

        @Test
        void creationThatBeganBefore_andEndsAfter_mayNotBeReadByOthers_butByItsCaller() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            event(0, "a", Event.Kind.START, "1", "v 0");
            call(10, 11, "b", "2", "HARD", "-");
            event(20, "a", Event.Kind.END, "1", "created");
            event(21, "a", Event.Kind.OK, "1", "v");
            findsNothing();
            peek(30, 31, "b", "3", "v");
            finds(Invariant.FORGOTTEN_STAYS_FORGOTTEN);
        }

        @Test
        void readThatBeganBeforeTheInvalidationEnded_mayGiveIt() {
            create(0, 10, "a", "1", "v", 0);
            call(20, 31, "b", "2", "HARD", "-");
            peek(30, 40, "c", "3", "v");
            findsNothing();
        }

        @Test
        void lookThatIsSharedInAProcess_mayBeFromWhenTheFirstAsked_aMomentAgo() {
            create(0, 10, "a", "1", "v", 0);
            event(15, "c", Event.Kind.INVOKE, "2", "CREATE");
            call(20, 21, "b", "3", "HARD", "-");
            call(30, 40, "c", "4", "CREATE", "v");
            event(40, "c", Event.Kind.OK, "2", "v");
            findsNothing();
            call(500, 501, "c", "5", "CREATE", "v");
            finds(Invariant.FORGOTTEN_STAYS_FORGOTTEN);
        }

        @Test
        void creationThatIsPublishedWhileItIsInvalidated_mayBeGivenToWhoComesThen_inItsProcess() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            event(0, "a", Event.Kind.START, "1", "v 0");
            event(10, "a", Event.Kind.END, "1", "created");
            call(15, 16, "b", "2", "HARD", "-");
            call(20, 30, "a", "3", "CREATE", "v");
            event(30, "a", Event.Kind.OK, "1", "v");
            findsNothing();
            call(250, 251, "a", "4", "CREATE", "v");
            finds(Invariant.FORGOTTEN_STAYS_FORGOTTEN);
        }

        @Test
        void lookOfWhoIsThenElected_mayBeShared_untilItCreates() {
            create(0, 10, "a", "1", "v", 0);
            event(20, "c", Event.Kind.INVOKE, "2", "CREATE");
            call(30, 31, "b", "3", "HARD", "-");
            call(40, 45, "c", "4", "CREATE", "v");
            event(50, "c", Event.Kind.START, "2", "w 0");
            findsLater("v", 60);
        }

        @Test
        void whileTheStoreIsDown_theStaleValueOfWhoCreates_mayBeGiven() {
            create(0, 10, "a", "1", "v", 0);
            call(12, 13, "b", "0", "SOFT", "-");
            event(20, "c", Event.Kind.INVOKE, "2", "CREATE");
            event(21, "c", Event.Kind.START, "2", "w 0");
            call(30, 31, "b", "3", "HARD", "-");
            call(60, 61, "c", "4", "CREATE", "v");
            fault(55, 65, "*", Fault.RESTART_PERSISTED);
            event(100, "c", Event.Kind.END, "2", "created");
            event(101, "c", Event.Kind.OK, "2", "w");
            findsNothing();
            call(70, 71, "d", "5", "CREATE", "v");
            finds(Invariant.FORGOTTEN_STAYS_FORGOTTEN);
        }

        private void findsLater(String value, long at) {
            event(100, "c", Event.Kind.END, "2", "created");
            event(101, "c", Event.Kind.OK, "2", "w");
            findsNothing();
            call(at, at + 1, "c", "9", "CREATE", value);
            finds(Invariant.FORGOTTEN_STAYS_FORGOTTEN);
        }

        @Test
        void invalidationThatIsNotKnown_demandsNothing() {
            create(0, 10, "a", "1", "v", 0);
            event(20, "b", Event.Kind.INVOKE, "2", "HARD");
            event(21, "b", Event.Kind.UNKNOWN, "2", "no answer");
            peek(30, 31, "c", "3", "v");
            findsNothing();
        }
    }

    @Nested
    class TwoAtOnce {
        private void twoAtOnce() {
            create(0, 100, "a", "1", "v", 1);
            create(50, 60, "b", "2", "w", 2);
        }

        @Test
        void withoutAReason_isFound() {
            twoAtOnce();
            finds(Invariant.ONE_RIGHT);
        }

        @Test
        void afterAnInvalidation_isRight_alsoIfThatIsNotKnown() {
            twoAtOnce();
            event(40, "c", Event.Kind.INVOKE, "3", "HARD");
            event(41, "c", Event.Kind.UNKNOWN, "3", "no answer");
            findsNothing();
        }

        @Test
        void ofAProcessThatStoodStill_isExcused_andOfAnotherIsNot() {
            twoAtOnce();
            Terms terms = excusing(Invariant.ONE_RIGHT, Fault.PAUSE);
            fault(10, 20, "c", Fault.PAUSE);
            assertEquals(Set.of(Invariant.ONE_RIGHT), broken(terms));
            fault(10, 20, "a", Fault.PAUSE);
            assertEquals(Set.of(), broken(terms));
        }

        @Test
        void ofAProcessThatGotNoTurnForLong_isExcused_asAPauseIs() {
            twoAtOnce();
            event(45, "a", Event.Kind.STALL, "-", "700000");
            finds(Invariant.ONE_RIGHT);
            assertEquals(Set.of(), broken(excusing(Invariant.ONE_RIGHT, Fault.PAUSE)));
        }

        @Test
        void faultThatIsLongOver_excusesNothing() {
            create(10_000, 10_100, "a", "1", "v", 1);
            create(10_050, 10_060, "b", "2", "w", 2);
            fault(0, 10, "*", Fault.FLUSH);
            assertEquals(Set.of(Invariant.ONE_RIGHT), broken(excusing(Invariant.ONE_RIGHT, Fault.FLUSH)));
        }

        @Test
        void faultThatIsHeardOf_whileOneOfItsKindLasts_endsNoneButItself() {
            create(10_000, 10_100, "a", "1", "v", 1);
            create(10_050, 10_060, "b", "2", "w", 2);
            Terms terms = excusing(Invariant.ONE_RIGHT, Fault.FAILOVER);
            event(0, "*", Event.Kind.FAULT, "-", Fault.FAILOVER.toString());
            fault(5, 5, "*", Fault.FAILOVER);
            assertEquals(Set.of(), broken(terms), "the first lasts");
            event(10, "*", Event.Kind.HEALED, "-", Fault.FAILOVER.toString());
            assertEquals(Set.of(Invariant.ONE_RIGHT), broken(terms), "both are long over");
        }

        @Test
        void ofAProcessThatWasKilled_isNoneFromThenOn() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            event(0, "a", Event.Kind.START, "1", "v 0");
            fault(30, 31, "a", Fault.KILL);
            create(50, 60, "b", "2", "w", 0);
            assertEquals(Set.of(), broken(excusing(Invariant.ONE_CREATION, Fault.KILL)));
        }

        @Test
        void ofAProcessThatTakesLongToDie_mayBeOverAsSoonAsItIsKilled_andIsNotBefore() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            event(0, "a", Event.Kind.START, "1", "v 0");
            fault(30, 700, "a", Fault.KILL);
            create(50, 60, "b", "2", "w", 0);
            assertEquals(Set.of(), broken(excusing(Invariant.ONE_CREATION, Fault.KILL)));
            create(20, 25, "c", "3", "x", 0);
            assertTrue(broken(excusing(Invariant.ONE_CREATION, Fault.KILL)).contains(Invariant.ONE_RIGHT));
        }
    }

    @Nested
    class Waiting {
        @Test
        void forNobody_longerThanItTakesToTakeOver_isFound() {
            call(0, 2_300, "a", "1", "CREATE", "v");
            create(2_200, 2_250, "b", "2", "v", 0);
            finds(Invariant.TAKEN_OVER);
        }

        @Test
        void forAHolderThatWasKilled_countsFromItsDeath() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            event(0, "a", Event.Kind.START, "1", "v 0");
            fault(5_000, 5_001, "a", Fault.KILL);
            event(10, "b", Event.Kind.INVOKE, "2", "CREATE");
            event(6_100, "b", Event.Kind.START, "2", "w 0");
            event(6_110, "b", Event.Kind.END, "2", "created");
            event(6_111, "b", Event.Kind.OK, "2", "w");
            assertEquals(Set.of(), broken(excusing(Invariant.ONE_CREATION, Fault.KILL)));
            event(10, "c", Event.Kind.INVOKE, "3", "CREATE");
            event(10_000, "c", Event.Kind.FAIL, "3", "time-out");
            assertEquals(Set.of(Invariant.TAKEN_OVER), broken(excusing(Invariant.ONE_CREATION, Fault.KILL)));
        }

        @Test
        void untilTheEnd_isFound_butOfWhoWasKilled() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            finds(Invariant.NOBODY_LEFT);
            fault(10, 11, "a", Fault.KILL);
            findsNothing();
        }

        @Test
        void withAValueAtHand_isFound() {
            create(0, 10, "a", "1", "v", 0);
            peek(20, 21, "b", "2", "v");
            call(30, 31, "b", "3", "SOFT", "-");
            create(40, 2_000, "a", "4", "w", 0);
            call(50, 2_001, "b", "5", "CREATE", "w");
            finds(Invariant.STALE_IS_SERVED);
        }

        @Test
        void forTheCreationOfItsOwnProcess_begunBeforeThereWasAValue_isRight() {
            create(40, 2_000, "b", "1", "w", 0);
            call(45, 46, "a", "2", "PUT v", "-");
            peek(47, 48, "a", "3", "v");
            call(50, 2_001, "b", "4", "CREATE", "w");
            findsNothing();
            call(50, 2_001, "a", "5", "CREATE", "v");
            finds(Invariant.STALE_IS_SERVED);
        }

        @Test
        void withAValueThatWasInvalidatedMeanwhile_isRight() {
            create(0, 10, "a", "1", "v", 0);
            peek(20, 21, "b", "2", "v");
            call(30, 31, "b", "3", "HARD", "-");
            create(40, 2_000, "a", "4", "w", 0);
            call(50, 2_001, "b", "5", "CREATE", "w");
            findsNothing();
        }
    }

    @Nested
    class TwoInTurn {
        @Test
        void withoutAReason_isFound() {
            create(0, 10, "a", "1", "v", 1);
            create(20, 30, "b", "2", "w", 2);
            finds(Invariant.ONE_CREATION);
            fault(15, 16, "*", Fault.FLUSH);
            assertEquals(Set.of(), broken(excusing(Invariant.ONE_CREATION, Fault.FLUSH)));
        }

        @Test
        void afterAFailure_orAnInvalidation_isRight() {
            event(0, "a", Event.Kind.INVOKE, "1", "CREATE");
            event(0, "a", Event.Kind.START, "1", "u 1");
            event(5, "a", Event.Kind.END, "1", "failed");
            event(6, "a", Event.Kind.FAIL, "1", "as wanted");
            create(10, 20, "a", "2", "v", 2);
            call(30, 31, "b", "3", "SOFT", "-");
            create(40, 50, "b", "4", "w", 3);
            findsNothing();
        }
    }
}
