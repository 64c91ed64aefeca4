package io.dogpile.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class GoalTest {
    @Test
    void atMost_theLimitIsMet_aboveItIsMissed() {
        assertEquals("met", Goal.atMost("", 1, 1).verdict());
        assertEquals("MISSED", Goal.atMost("", 1.01, 1).verdict());
    }

    @Test
    void atLeast_theLimitIsMet_belowItIsMissed() {
        assertEquals("met", Goal.atLeast("", 0.95, 0.95).verdict());
        assertEquals("MISSED", Goal.atLeast("", 0.94, 0.95).verdict());
    }

    @Test
    void nothingSeen_isMissed() {
        assertEquals("MISSED", Goal.atMost("", Double.NaN, 1).verdict());
        assertEquals("MISSED", Goal.atLeast("", Double.NaN, 1).verdict());
    }
}
