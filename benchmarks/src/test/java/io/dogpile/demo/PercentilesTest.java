package io.dogpile.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PercentilesTest {
    @Test
    void hundredValues_eachPercentileIsItsOwnRank() {
        Percentiles percentiles =
                Percentiles.of(LongStream.rangeClosed(1, 100).map(n -> 101 - n).toArray());
        for (int percent = 1; percent <= 100; percent++) {
            assertEquals(percent, percentiles.at(percent));
        }
    }

    @Test
    void fewValues_theRankIsRoundedUp() {
        Percentiles percentiles = Percentiles.of(35, 20, 15, 50, 40);
        assertEquals(15, percentiles.at(5));
        assertEquals(20, percentiles.at(30));
        assertEquals(20, percentiles.at(40));
        assertEquals(35, percentiles.at(50));
        assertEquals(50, percentiles.at(99));
    }

    @Test
    void twoHundredValues_theWorstTwoAreAboveP99() {
        Percentiles percentiles = Percentiles.of(LongStream.rangeClosed(1, 200).toArray());
        assertEquals(198, percentiles.at(99));
        assertEquals(200, percentiles.max());
    }

    @Test
    void oneValue_isEveryPercentile() {
        Percentiles percentiles = Percentiles.of(7);
        assertEquals(7, percentiles.at(1));
        assertEquals(7, percentiles.at(50));
        assertEquals(7, percentiles.max());
    }

    @Test
    void noValues_areRefused() {
        assertThrows(IllegalArgumentException.class, Percentiles::of);
    }
}
