package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.PrimitiveIterator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What counts as risen. */
class LevelsTest {
    private static final int CALLS_BETWEEN_LOOKS = 1_000;
    private static final Soak.Plan PLAN = new Soak.Plan(Duration.ofMinutes(1), 9, 1, Duration.ofSeconds(1), 2, 500, 0);

    private static List<String> risen(String kind, long... looks) {
        PrimitiveIterator.OfLong next = LongStream.of(looks).iterator();
        Levels levels = new Levels(PLAN);
        if (kind.equals("threads")) {
            levels.count(kind, next::nextLong);
        } else {
            levels.bytes(kind, next::nextLong);
        }
        for (int look = 1; look <= looks.length; look++) {
            levels.look((long) look * CALLS_BETWEEN_LOOKS);
        }
        return levels.risen();
    }

    @Test
    void riseInTheFirstThird_isNone() {
        assertEquals(List.of(), risen("threads", 1, 5, 9, 9, 9, 9, 9, 9, 9));
    }

    @Test
    void oneMoreInMostOfTheLastThird_isARise() {
        assertTrue(
                risen("threads", 9, 9, 9, 9, 9, 9, 10, 9, 10).get(0).startsWith("threads rose to 10 from at most 9"));
    }

    @Test
    void oneMoreInOneLookOfTheLastThird_isNone() {
        assertEquals(List.of(), risen("threads", 9, 9, 9, 9, 9, 9, 9, 10, 9));
    }

    @Test
    void asHighAsTheHighestOfTheMiddle_isNone() {
        assertEquals(List.of(), risen("threads", 9, 9, 9, 7, 11, 8, 11, 11, 11));
    }

    @Test
    void bytes_mayRiseByTheirGrain_andNoMore() {
        assertEquals(List.of(), risen("heap", 100, 100, 100, 100, 100, 100, 6_600, 6_600, 6_600));
        assertEquals(
                1,
                risen("heap", 100, 100, 100, 100, 100, 100, 6_601, 6_601, 6_601).size());
    }

    @Test
    void twoLooks_areTooFew() {
        assertThrows(IllegalStateException.class, () -> risen("threads", 1, 2));
    }
}
