package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Schedules of many names, drawn from seeds and played on one thread by a {@link BatchSimulation}: the real batches and
 * single calls over random overlapping requests, with local rights, or leases that two JVMs share; with invalidation,
 * interrupt, time-out, names that a creator leaves out, and failures of stores, creators, drafting and executors. How
 * races end is counted by {@link BatchOutcome}; a forbidden end fails with its seed and all its events.
 *
 * <p>Each of these changes to the code was made by hand and turned this test red, within 10,000 seeds:
 *
 * <pre>
 *   change                                                    found as
 *   a batch waits before it creates                           WAITS_WITH_A_RIGHT
 *   creates before it has claimed all                         WAITS_FOR_ANOTHER_NAME
 *   enters one by one                                         EQUAL_BATCHES_MANY_CALLS
 *   creates one by one                                        EQUAL_BATCHES_MANY_CALLS, WAITS_FOR_ANOTHER_NAME
 *   a failed creation keeps one of its rights                 RIGHT_NEVER_RELEASED
 *   rights are given back until the first that fails          RIGHT_NEVER_RELEASED
 *   the right to a name that was left out is kept             RIGHT_NEVER_RELEASED
 *   a claim that fails for one name keeps the other rights    RIGHT_NEVER_RELEASED, WAITS_WITH_A_RIGHT
 *   an unused right is kept                                   RIGHT_NEVER_RELEASED, WAITS_WITH_A_RIGHT
 *   one landing is forgotten: created, left out, failed       NOT_WOKEN
 *   those who waited look again for what was left out         LEFT_OUT_NOT_SHARED
 *   a turn ends with the first lease that is lost, or fails   NOT_RENEWED_TOGETHER
 *   a value that is not stored keeps the rest from it         RIGHT_RELEASED_TWICE
 *   a batch looks at one of its flights only                  NOT_WOKEN, NEVER_ENDS
 *   a batch sleeps by the timer of one of its names           NO_TIMER
 *   an interrupt counts only where there is nothing to do     CREATED_AFTER_AN_INTERRUPT
 *   a batch that creates does not step aside                  WAITS_FOR_ANOTHER_NAME
 *   who has no time is elected all the same                   WAITS_FOR_ANOTHER_NAME
 *   who steps aside tells nobody                              NOT_WOKEN
 *   who steps aside never steps back                          NOBODY_LEADS
 *   who steps aside goes on as a leader                       CREATED_FOR_A_DEADLINE
 *   an overdue batch gives up one name only                   LEFT_BEHIND
 *   a batch with stale values leaves an overdue creation      OVERDUE_GOES_ON
 *   the last failure is thrown, or none beside values         WRONG_FAILURE
 *   what was left out is in the result                        RESULT_OUT_OF_ORDER
 *   the creator is given all names of its caller              CREATED_WITHOUT_A_RIGHT
 *   a right that cannot be given back is not told             FAILURE_NOT_TOLD
 *   an executor refuses, and one name alone is free           LEFT_BEHIND, NEVER_ENDS
 *   the second look under the rights is skipped               CREATED_OVER_A_FRESH_VALUE
 *   an invalidation does not detach                           OLD_VALUE_AFTER_INVALIDATION
 * </pre>
 *
 * <p>Not seen here, since all runs on one thread: that batches enter while another does ({@link BatchTest} holds it).
 *
 * <p>{@code -Ddogpile.schedule.seed=42} plays one seed alone and prints its events; {@code -Ddogpile.schedule.count=N}
 * plays N instead of 150,000.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BatchScheduleTest {
    private static final int SCHEDULES = Integer.getInteger("dogpile.schedule.count", 150_000);
    private static final int ENOUGH_TO_SEE_ALL = 50_000;
    private static final long A_MINUTE = TimeUnit.MINUTES.toNanos(1);

    private final BatchSimulation simulation = new BatchSimulation();

    @Test
    @Tag("C-109")
    @Tag("C-110")
    @Tag("C-111")
    @Tag("C-112")
    @Tag("C-119")
    void randomOverlap_endsWell_andCreatesEachNameOnce() {
        Long alone = Long.getLong(ScheduleTest.SEED);
        if (alone != null) {
            simulation.play(alone);
            System.out.println(simulation.traceOf(alone));
            return;
        }
        long began = processorTime();
        for (long seed = 1; seed <= SCHEDULES; seed++) {
            simulation.play(seed);
        }
        long took = processorTime() - began;
        System.out.println(table(took));
        for (BatchOutcome outcome : BatchOutcome.values()) {
            if (outcome.grade == Outcome.Grade.FORBIDDEN) {
                assertEquals(0, simulation.count(outcome), outcome.name());
            } else if (SCHEDULES >= ENOUGH_TO_SEE_ALL) {
                assertTrue(simulation.count(outcome) > 0, () -> "never seen: " + outcome + ", " + outcome.why);
            }
        }
        assertTrue(took < A_MINUTE, () -> "took " + TimeUnit.NANOSECONDS.toMillis(took) + " ms of processor time");
    }

    @Test
    void aSeed_isAlwaysTheSameSchedule() {
        BatchSimulation other = new BatchSimulation();
        for (long seed = 1; seed <= 200; seed++) {
            String first = other.traceOf(seed);
            other.play(seed + 1000);
            assertEquals(first, other.traceOf(seed));
        }
    }

    /** Other processes share the machine: what they take is not this test's time. */
    private static long processorTime() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private String table(long took) {
        StringBuilder table = new StringBuilder();
        table.append(SCHEDULES)
                .append(" schedules of batches in ")
                .append(TimeUnit.NANOSECONDS.toMillis(took))
                .append(" ms of processor time\n");
        for (BatchOutcome outcome : BatchOutcome.values()) {
            table.append(String.format(
                    "%-12s %-36s %,12d  %s%n", outcome.grade, outcome, simulation.count(outcome), outcome.why));
        }
        return table.toString();
    }
}
