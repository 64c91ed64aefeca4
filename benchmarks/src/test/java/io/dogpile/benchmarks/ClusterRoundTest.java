package io.dogpile.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class ClusterRoundTest {
    private static final String CREATOR = "1 0 100 300 310 305";
    private static final String WAITER = "0 1 " + Long.MAX_VALUE + " " + Long.MAX_VALUE + " 320 290";

    @Test
    void severalProcesses_lagsCountFromTheFirstCreatorsEnd_andAreNotNegative() {
        ClusterWorker.Round round = ClusterWorker.Round.of(List.of(WAITER, CREATOR));
        assertEquals(1, round.creations());
        assertEquals(1, round.failures());
        assertEquals(100, round.began());
        assertEquals(300, round.ended());
        assertArrayEquals(new long[] {20, 0, 10, 5}, round.lags());
    }

    @Test
    void creatorElsewhere_lagsCountFromItsEnd() {
        assertArrayEquals(
                new long[] {50, 20},
                ClusterWorker.Round.of(List.of(WAITER), 270).lags());
    }
}
