package io.dogpile.benchmarks;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class GoalTest {
    @Test
    void atMost_theLimitIsMet_aboveItIsMissed() {
        assertTrue(Goal.atMost("", 1, 1).isMet());
        assertFalse(Goal.atMost("", 1.01, 1).isMet());
    }

    @Test
    void atLeast_theLimitIsMet_belowItIsMissed() {
        assertTrue(Goal.atLeast("", 0.95, 0.95).isMet());
        assertFalse(Goal.atLeast("", 0.94, 0.95).isMet());
    }

    @Test
    void nothingSeen_isMissed() {
        assertFalse(Goal.atMost("", Double.NaN, 1).isMet());
        assertFalse(Goal.atLeast("", Double.NaN, 1).isMet());
    }
}
