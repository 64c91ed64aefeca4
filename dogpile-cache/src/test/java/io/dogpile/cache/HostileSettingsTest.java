package io.dogpile.cache;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.core.Mutants;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Configuration that is wrong in whatever way: set, or refused by an error that names the option. */
@Timeout(60)
class HostileSettingsTest {
    /** A region is built of each: one of so many. */
    private static final int FEW = 10;

    private static final List<String> OPTIONS = List.of(
            "staleAfter",
            "expireAfter",
            "cacheNullFor",
            "softTimeout",
            "hardTimeout",
            "maxCreation",
            "lease",
            "earlyRefresh",
            "jitter",
            "maxValueBytes",
            "seed",
            "failureBackoff",
            "neverStale",
            "recordStats",
            "whenDown");

    @Test
    void mutantsOfValues_areSet_orRefusedByName() {
        Mutants.of(
                        "90",
                        "1.5s",
                        "500ms",
                        "10m",
                        "2h",
                        "1d",
                        "PT1M",
                        "never",
                        "-1",
                        "2, 100ms, 30s",
                        "true",
                        "FAIL",
                        "0.1",
                        "1e3")
                .each(FEW, (mutant, random) -> {
                    String option = OPTIONS.get(random.nextInt(OPTIONS.size()));
                    assertSetOrRefused("p." + option, new String(mutant, UTF_8));
                });
    }

    @Test
    void mutantsOfNames_areOptions_orRefusedByName() {
        Mutants.of(OPTIONS.toArray(new String[0])).each(FEW, (mutant, random) -> {
            String name = "p." + new String(mutant, UTF_8);
            if (name.indexOf('.', 2) < 0) {
                assertSetOrRefused(name, "10s");
            }
        });
    }

    private static void assertSetOrRefused(String key, String value) {
        try {
            Region.<String, String>builder("region")
                    .from(Map.of(key, value), "p.")
                    .build();
        } catch (IllegalArgumentException refused) {
            String option = key.substring(2);
            assertThat(refused.getMessage()).contains(option);
        }
    }

    @Test
    void aValueAsLongAsABook_isRefusedAtOnce_andNotRepeated() {
        for (String value : List.of("9".repeat(1_000_000) + 'x', "1e" + "9".repeat(1_000_000), " ".repeat(1_000_000))) {
            assertThatThrownBy(() -> Region.<String, String>builder("region").from(Map.of("p.staleAfter", value), "p."))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("p.staleAfter")
                    .extracting(failure -> failure.getMessage().length())
                    .satisfies(length -> assertThat(length).isLessThan(300));
        }
    }
}
