package io.dogpile.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.redis.SimServer.Mutant;
import io.dogpile.redis.SimServer.Violation.Promise;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Schedules of three or more JVMs and one Redis, drawn from seeds and played by a {@link RedisSimulation}.
 *
 * <p>{@code -Ddogpile.simulation.count=N} plays N instead of the few of each build, from the seed
 * {@code -Ddogpile.simulation.from=N} on; {@code -Ddogpile.simulation.seed=42} plays one alone and prints its events.
 */
class RedisScheduleTest {
    private static final int SCHEDULES = Integer.getInteger("dogpile.simulation.count", 800);
    private static final long FROM = Long.getLong("dogpile.simulation.from", 1);
    private static final int ENOUGH_TO_FIND_A_MUTANT = 5_000;

    @Test
    void schedulesWithFaults_keepTheirPromises_andEndWellOnceFaultsHave() {
        RedisSimulation simulation = new RedisSimulation(Mutant.NONE);
        Long alone = Long.getLong(RedisSimulation.SEED);
        if (alone != null) {
            System.out.println(simulation.traceOf(alone));
            return;
        }
        long began = System.nanoTime();
        long events = 0;
        for (long seed = FROM; seed < FROM + SCHEDULES; seed++) {
            int played = simulation.play(seed);
            long of = seed;
            assertTrue(played >= RedisSimulation.FEWEST_EVENTS, () -> "seed " + of + " has " + played + " events");
            assertTrue(simulation.nodesOfLast() >= RedisSimulation.FEWEST_NODES, () -> "seed " + of);
            events += played;
        }
        System.out.printf(
                "%d schedules, %d events in %d ms%n",
                SCHEDULES, events, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
    }

    @Test
    void aSeed_isAlwaysTheSameSchedule() {
        RedisSimulation simulation = new RedisSimulation(Mutant.NONE);
        for (long seed = 1; seed <= 50; seed++) {
            String first = simulation.traceOf(seed);
            simulation.play(seed + 1_000);
            assertEquals(first, simulation.traceOf(seed));
        }
    }

    /** What the promises are worth: each of these is found by the first schedules already. */
    @ParameterizedTest
    @CsvSource({
        "PUBLISH_ASKS_FOR_ANY_RIGHT, ONLY_THE_HOLDER_PUBLISHES",
        "PUBLISH_ASKS_FOR_NO_RIGHT, ONLY_THE_HOLDER_PUBLISHES",
        "INVALIDATION_KEEPS_THE_RIGHT, ONLY_THE_HOLDER_PUBLISHES",
        "NO_TIMER, WHO_WAITS_HAS_A_TIMER",
        "DEAF_WHILE_CLAIMING, ONE_PUSH_WAKES",
        "SILENT_ABANDON, ONE_PUSH_WAKES",
        "RENEWAL_GOES_ON, RENEWED_WHILE_CREATING"
    })
    void somethingIsBrokenOnPurpose_aScheduleFindsIt(Mutant mutant, Promise promise) {
        RedisSimulation simulation = new RedisSimulation(mutant);
        Promise found = null; // some break other promises, too
        int step = promise == Promise.ONE_PUSH_WAKES ? RedisSimulation.QUIET_EACH : 1;
        for (long tried = 1; tried <= ENOUGH_TO_FIND_A_MUTANT && found != promise; tried++) {
            found = simulation.brokenBy(tried * step);
        }
        assertEquals(promise, found);
    }
}
