package io.dogpile.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MarkedPartTest {
    private static final MarkedPart PART = new MarkedPart("figures");

    @Test
    void part_isReplaced_andAllAroundItStays() {
        String page = "before\n<!-- figures -->\nold\n<!-- /figures -->\nafter <!-- other -->\n";
        String written = PART.replacedIn(page, "new $1\n");
        assertEquals("before\n<!-- figures -->\nnew $1\n<!-- /figures -->\nafter <!-- other -->\n", written);
        assertEquals("new $1\n", PART.in(written));
        assertEquals(written, PART.replacedIn(written, "new $1\n"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no marks\n",
                "<!-- figures -->\nno end\n",
                "no beginning\n<!-- /figures -->\n",
                "<!-- /figures -->\n<!-- figures -->\n",
                "<!-- figures -->\n<!-- figures -->\ntwice\n<!-- /figures -->\n"
            })
    void pageWithoutItsMarks_isRefused_ratherThanCut(String page) {
        assertThrows(IllegalStateException.class, () -> PART.replacedIn(page, "new\n"));
    }
}
