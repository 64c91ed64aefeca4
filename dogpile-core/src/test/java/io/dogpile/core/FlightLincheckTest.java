package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * Joining, leaving and landing, in every interleaving, against a plain queue; and after each run, that nobody is left
 * behind: whoever is in the queue of an open flight has a leader, and whoever was in that of a landed one was woken. The
 * broken twins leave one behind, which shows that the search would find it.
 */
class FlightLincheckTest {
    @Test
    void flight_inEveryInterleaving_isOneQueue_andLeavesNobodyBehind() {
        against(new ModelCheckingOptions().iterations(12).invocationsPerIteration(300))
                .check(TheFlight.class);
    }

    @Test
    void flight_underStress_isOneQueue_andLeavesNobodyBehind() {
        against(new StressOptions().iterations(10).invocationsPerIteration(300)).check(TheFlight.class);
    }

    @Test
    void control_aJoinBesideTheLanding_isFound() {
        assertThrows(
                LincheckAssertionError.class,
                () -> against(new ModelCheckingOptions().iterations(20).invocationsPerIteration(300))
                        .check(JoinsUnseen.class));
    }

    @Test
    void control_aLeaderWhoHandsOnToNobody_isFound() {
        assertThrows(
                LincheckAssertionError.class,
                () -> against(new ModelCheckingOptions().iterations(20).invocationsPerIteration(300))
                        .check(LeavesNoLeader.class));
    }

    private static <O extends Options<O, ?>> O against(O options) {
        return options.threads(3)
                .actorsBefore(0)
                .actorsPerThread(2)
                .actorsAfter(0)
                .sequentialSpecification(Queue.class);
    }

    /** What each caller may see: as if the calls came one after the other. */
    public static class Queue {
        private final List<Integer> queue = new ArrayList<>();
        private boolean landed;

        public boolean join(int caller) {
            return !landed && !queue.contains(caller) && queue.add(caller);
        }

        public boolean leave(int caller) {
            if (!queue.remove((Integer) caller)) {
                return false;
            }
            boolean ends = !landed && queue.isEmpty();
            landed |= ends;
            return ends;
        }

        public boolean land() {
            boolean first = !landed;
            landed = true;
            return first;
        }
    }

    /** A caller that is only counted. */
    private static final class Counted extends Waiter<Integer> {
        volatile boolean joined;
        volatile boolean signalled;

        @Override
        boolean takesOffers() {
            return false;
        }

        @Override
        void signal() {
            signalled = true;
        }
    }

    /** Each thread is one caller. */
    public abstract static class Calls {
        final Flight<Integer> flight = new Flight<>("name");
        final Counted[] callers = {new Counted(), new Counted(), new Counted(), new Counted(), new Counted()};

        @Operation
        public boolean join(@Param(gen = ThreadIdGen.class) int caller) {
            Counted waiter = callers[caller];
            if (waiter.joined) {
                return false;
            }
            waiter.joined = enter(waiter);
            return waiter.joined;
        }

        @Operation
        public boolean leave(@Param(gen = ThreadIdGen.class) int caller) {
            Counted waiter = callers[caller];
            if (!waiter.joined) {
                return false;
            }
            waiter.joined = false;
            return exit(waiter);
        }

        @Operation
        public boolean land() {
            return flight.land(Landing.value(1, Instant.EPOCH));
        }

        @Validate
        public void nobodyIsLeftBehind() {
            boolean hasLeader = flight.landing() != null;
            boolean anyone = false;
            for (Counted caller : callers) {
                anyone |= caller.joined;
                hasLeader |= caller.joined && flight.isLedBy(caller);
                assertTrue(
                        !caller.joined || flight.landing() == null || caller.signalled,
                        "a waiter of a landed flight was not woken");
            }
            assertTrue(!anyone || hasLeader, "nobody leads those who wait");
        }

        boolean enter(Counted waiter) {
            return flight.join(waiter);
        }

        boolean exit(Counted waiter) {
            return flight.leave(waiter);
        }
    }

    public static class TheFlight extends Calls {}

    /** Looks whether the flight has landed, and only then tells that it is there. */
    public static class JoinsUnseen extends Calls {
        @Override
        boolean enter(Counted waiter) {
            return flight.landing() == null;
        }
    }

    /** A waiter that leads steps out of the queue without a word. */
    public static class LeavesNoLeader extends Calls {
        @Override
        boolean exit(Counted waiter) {
            boolean last = true;
            for (Counted other : callers) {
                last &= !other.joined;
            }
            return last && flight.leave(waiter);
        }
    }
}
