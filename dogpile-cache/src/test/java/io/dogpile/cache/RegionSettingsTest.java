package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.DogpileException;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import java.io.StringReader;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Options read from a flat map. */
class RegionSettingsTest {
    private final FakeTime time = new FakeTime();

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("users").clock(time);
    }

    private Region<String, String> from(String option, String value) {
        return builder()
                .from(Map.of("cache.users." + option, value), "cache.users.")
                .build();
    }

    private String refused(Map<String, String> settings) {
        return assertThrows(IllegalArgumentException.class, () -> builder().from(settings, "x."))
                .getMessage();
    }

    /** The value put now is fresh for exactly that long. */
    private void assertFreshFor(Duration life, Region<String, String> region) {
        region.put("key", "value");
        time.advance(life);
        assertEquals(Optional.of("value"), region.get("key"));
        time.advance(Duration.ofNanos(1));
        assertEquals(Optional.empty(), region.get("key"));
    }

    @Nested
    class Durations {
        @ParameterizedTest
        @CsvSource({
            "600, PT10M",
            "0.5, PT0.5S",
            "+1, PT1S",
            "1., PT1S",
            ".5, PT0.5S",
            "1e2, PT1M40S",
            "2.5e-3, PT0.0025S",
            "500ms, PT0.5S",
            "1.5s, PT1.5S",
            "10m, PT10M",
            "2h, PT2H",
            "1d, PT24H",
            "3 m, PT3M",
            "' 7 ', PT7S",
            "PT1M, PT1M",
            "P1DT8H, PT32H",
            "0, PT0S"
        })
        @Tag("C-011")
        @Tag("C-013")
        @Tag("C-019")
        @Tag("C-020")
        @Tag("E-033")
        @Tag("E-038")
        void areReadInEachForm(String text, Duration life) {
            assertFreshFor(life, from("staleAfter", text));
            Region<String, String> expiring = from("expireAfter", text);
            assertFreshFor(life, expiring);
            assertEquals(Optional.empty(), expiring.peek("key"));
        }

        @ParameterizedTest
        @ValueSource(strings = {"never", "NEVER", " Never ", "-1", "-1.0"})
        @Tag("C-011")
        @Tag("C-041")
        @Tag("E-002")
        void neverIsNever(String text) {
            Region<String, String> region = from("staleAfter", text);
            region.put("key", "value");
            time.advance(Duration.ofDays(100_000));
            assertEquals(Optional.of("value"), region.get("key"));
            assertEquals("value", region.getOrCreate("key", k -> "another"));
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "one hour",
                    "0x1",
                    "1_0",
                    "nan",
                    "NaN",
                    "",
                    "1d2h",
                    "1 2",
                    "Infinity",
                    "1e99",
                    "1e-10",
                    "\u0661"
                })
        @Tag("C-012")
        @Tag("C-020")
        void anythingElse_isRefused_namingKeyAndValue(String text) {
            String message = refused(Map.of("x.staleAfter", text));
            assertTrue(message.contains("x.staleAfter = '" + text + "'"), message);
        }

        @ParameterizedTest
        @ValueSource(strings = {"-5", "-2.5", "PT-1S", "-0.001"})
        void negativeOnes_areRefused_namingKeyAndValue(String text) {
            for (String option :
                    List.of("staleAfter", "expireAfter", "cacheNullFor", "softTimeout", "hardTimeout", "maxCreation")) {
                String message = refused(Map.of("x." + option, text));
                assertTrue(message.contains("x." + option + " = '" + text + "'"), message);
                assertTrue(message.contains("negative"), message);
            }
        }

        @Test
        void neverIsNoTimeToWait() {
            assertTrue(refused(Map.of("x.hardTimeout", "never")).contains("x.hardTimeout"));
            assertTrue(refused(Map.of("x.cacheNullFor", "-1")).contains("x.cacheNullFor"));
        }

        @Test
        void eachIsThatOfItsOption() {
            Region<String, String> region = builder()
                    .refreshOn(new HandDriven())
                    .from(
                            Map.of(
                                    "x.staleAfter", "1",
                                    "x.expireAfter", "2",
                                    "x.cacheNullFor", "3",
                                    "x.softTimeout", "4",
                                    "x.hardTimeout", "5",
                                    "x.maxCreation", "60",
                                    "x.lease", "7"),
                            "x.")
                    .build();
            Lives<String> lives = region.entries().lives();
            assertEquals(Duration.ofSeconds(1), lives.staleAfter());
            assertEquals(Duration.ofSeconds(2), lives.expireAfter());
            assertEquals(Duration.ofSeconds(3), lives.cacheNullFor());
            assertContradiction("x.softTimeout", "20", "x.hardTimeout", "10");
            assertContradiction("x.lease", "20", "x.maxCreation", "10");
            assertContradiction("x.staleAfter", "20", "x.expireAfter", "10");
        }

        private void assertContradiction(String longer, String length, String shorter, String limit) {
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> builder()
                                    .refreshOn(new HandDriven())
                                    .from(Map.of(longer, length, shorter, limit), "x.")
                                    .build())
                    .getMessage();
            assertTrue(message.contains("PT20S") && message.contains("PT10S"), message);
        }
    }

    @Nested
    class NumbersAndTruths {
        @ParameterizedTest
        @ValueSource(strings = {"TRUE", "true", " True "})
        @Tag("C-019")
        void truths_areReadInAnyCase(String text) {
            from("recordStats", text).stats();
        }

        @ParameterizedTest
        @ValueSource(strings = {"false", "FALSE"})
        @Tag("C-019")
        void falsehoods_areReadInAnyCase(String text) {
            assertThrows(
                    IllegalStateException.class, () -> from("recordStats", text).stats());
            from("neverStale", text);
        }

        @ParameterizedTest
        @ValueSource(strings = {"yes", "1", "", "t"})
        void whatIsNoTruth_isRefused(String text) {
            assertTrue(refused(Map.of("x.recordStats", text)).contains("x.recordStats = '" + text + "'"));
            assertTrue(refused(Map.of("x.neverStale", text)).contains("x.neverStale = '" + text + "'"));
        }

        @Test
        void neverStale_waits() {
            Region<String, String> region = builder()
                    .from(Map.of("x.neverStale", "true", "x.staleAfter", "1s"), "x.")
                    .refreshOn(new HandDriven())
                    .build();
            region.put("key", "old");
            time.advance(Duration.ofSeconds(2));
            assertEquals("new", region.getOrCreate("key", k -> "new"));
        }

        @Test
        void numbers_areReadAndChecked() {
            from("jitter", "0.1");
            from("earlyRefresh", "1");
            SpyBackend spy = new SpyBackend();
            builder().backend(spy).from(Map.of("x.maxValueBytes", "2e3"), "x.").build();
            assertEquals(2_000, spy.opening.maxValueBytes());
            for (Map.Entry<String, String> bad : Map.of(
                            "x.jitter", "1.5",
                            "x.earlyRefresh", "-1",
                            "x.maxValueBytes", "0")
                    .entrySet()) {
                String message = refused(Map.ofEntries(bad));
                assertTrue(message.contains(bad.getKey() + " = '" + bad.getValue() + "'"), message);
            }
            assertTrue(refused(Map.of("x.maxValueBytes", "1.5")).contains("x.maxValueBytes = '1.5'"));
            assertTrue(refused(Map.of("x.maxValueBytes", "9e9")).contains("x.maxValueBytes = '9e9'"));
            assertTrue(refused(Map.of("x.earlyRefresh", "1e999")).contains("x.earlyRefresh = '1e999'"));
            assertTrue(refused(Map.of("x.jitter", "much")).contains("x.jitter = 'much'"));
        }

        @Test
        void failureBackoff_isANumberAndTwoDurations() {
            Region<String, String> region = from("failureBackoff", "1, 10s, 1m");
            for (int i = 0; i < 2; i++) {
                assertThrows(
                        RuntimeException.class,
                        () -> region.getOrCreate("key", key -> {
                            throw new IllegalStateException("expected");
                        }));
            }
            var backingOff = assertThrows(
                    io.dogpile.core.CreationException.class, () -> region.getOrCreate("key", key -> "new"));
            assertEquals(Duration.ofSeconds(10), backingOff.retryAfter().orElseThrow());
            for (String bad : new String[] {"1, 10s", "1, 10s, soon", "0, 1s, 2s", "1, 2s, 1s"}) {
                assertThrows(IllegalArgumentException.class, () -> from("failureBackoff", bad), bad);
            }
        }

        @Test
        void whenDown_isOneOfItsWords() {
            SpyBackend spy = new SpyBackend();
            Region<String, String> region = builder()
                    .backend(spy)
                    .from(Map.of("x.whenDown", " fail "), "x.")
                    .build();
            spy.readsFail = new Exception("down");
            assertThrows(DogpileException.class, () -> region.getOrCreate("key", k -> "value"));
            assertTrue(refused(Map.of("x.whenDown", "explode")).contains("x.whenDown = 'explode'"));
        }
    }

    @Nested
    class Names {
        @Test
        @Tag("C-018")
        void otherPrefixes_areNotMixed() {
            Map<String, String> settings = Map.of(
                    "cache.local.staleAfter", "10",
                    "cache.local2.staleAfter", "20",
                    "cache.memcached.staleAfter", "30",
                    "staleAfter", "40",
                    "unrelated", "nonsense");
            assertFreshFor(
                    Duration.ofSeconds(10),
                    builder().from(settings, "cache.local.").build());
            assertFreshFor(
                    Duration.ofSeconds(30),
                    builder().from(settings, "cache.memcached.").build());
        }

        @Test
        @Tag("C-018")
        void withAFurtherDot_areLeftToOthers() {
            builder()
                    .from(Map.of("x.arguments.url", "127.0.0.1", "x.arguments.foo", "barf"), "x.")
                    .build();
        }

        @Test
        void mistyped_areRefused_namingThoseThatThereAre() {
            String message = refused(Map.of("x.staleafter", "10"));
            assertTrue(message.contains("x.staleafter") && message.contains("staleAfter, whenDown"), message);
        }

        @Test
        void allThatIsWrong_isSaidAtOnce() {
            Map<String, String> settings = new HashMap<>(Map.of(
                    "x.staleAfter", "one hour",
                    "x.expireAfter", "-7",
                    "x.jitter", "2",
                    "x.recordStats", "perhaps",
                    "x.whenDown", "panic",
                    "x.color", "red",
                    "x.lease", "5s"));
            settings.put("x.maxCreation", null);
            String message = refused(settings);
            for (String part : List.of(
                    "x.staleAfter = 'one hour'",
                    "x.expireAfter = '-7'",
                    "x.jitter = '2'",
                    "x.recordStats = 'perhaps'",
                    "x.whenDown = 'panic'",
                    "x.color",
                    "x.maxCreation")) {
                assertTrue(message.contains(part), message + " does not name " + part);
            }
            assertTrue(!message.contains("x.lease"), message);
        }
    }

    @Nested
    class TheMap {
        @Test
        @Tag("C-015")
        @Tag("D-011")
        @Tag("E-006")
        @Tag("E-028")
        void isNotChanged_andMayBeUnmodifiable() {
            Map<String, String> settings = new HashMap<>(Map.of("x.staleAfter", "10", "x.a.b", "c", "foo", "barf"));
            Map<String, String> before = Map.copyOf(settings);
            builder().from(settings, "x.").build();
            assertEquals(before, settings);
            Region<String, String> region = builder().from(before, "x.").build();
            assertFreshFor(Duration.ofSeconds(10), region);
        }

        @Test
        @Tag("E-048")
        void mayBeAPropertiesFile_withItsDefaults() throws Exception {
            Properties defaults = new Properties();
            defaults.load(new StringReader("cache.users.staleAfter = 10s\n"));
            Properties properties = new Properties(defaults);
            properties.load(new StringReader("cache.users.recordStats = TRUE\n# comment\nother.setting = 3\n"));
            Region<String, String> region =
                    builder().from(properties, "cache.users.").build();
            assertFreshFor(Duration.ofSeconds(10), region);
            assertEquals(1, region.stats().hits());
        }

        @Test
        void mayBeReadInAView_butForWhatCannotDiffer() {
            Region<String, String> region = builder().build();
            region.put("key", "value");
            time.advance(Duration.ofSeconds(11));
            assertEquals(
                    Optional.empty(),
                    region.with(o -> o.from(Map.of("x.staleAfter", "10"), "x.")).get("key"));
            assertThrows(IllegalStateException.class, () -> region.with(o -> o.from(Map.of("x.lease", "10"), "x.")));
        }
    }
}
