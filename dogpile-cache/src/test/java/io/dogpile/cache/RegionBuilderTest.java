package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.LockProvider;
import io.dogpile.core.testing.FakeTime;
import io.dogpile.core.testing.HandDriven;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a region can be built of, and what it refuses. */
class RegionBuilderTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final FakeTime time = new FakeTime();

    private RegionBuilder<String, String> builder() {
        return Region.<String, String>builder("users").clock(time);
    }

    private static String refused(RegionBuilder<String, String> builder) {
        return assertThrows(IllegalArgumentException.class, builder::build).getMessage();
    }

    private static void assertNames(String message, String... parts) {
        for (String part : parts) {
            assertTrue(message.contains(part), message + " does not name " + part);
        }
    }

    @Nested
    class Name {
        @Test
        @Tag("C-001")
        @Tag("E-042")
        void isReportedBack_byTheRegionAndItsViews() {
            Region<String, String> region =
                    builder().staleAfter(SECOND).recordStats().build();
            assertEquals("users", region.name());
            assertEquals("users", region.with(RegionBuilder::neverStale).name());
            assertEquals("Region 'users'", region.toString());
        }

        @Test
        @Tag("C-001")
        @Tag("C-017")
        @Tag("W-12")
        void isNoPartOfAKey_whichReachesTheBackendAsItIs() {
            SpyBackend spy = new SpyBackend();
            builder().backend(spy).build().put("key", "value");
            assertEquals(List.of("put [key]"), spy.asked());
        }

        @ParameterizedTest
        @ValueSource(strings = {"", "with blank", "with/slash", "caf\u00e9", "a:b"})
        void thatIsNotOne_isRefused(String name) {
            var refused = assertThrows(IllegalArgumentException.class, () -> Region.builder(name));
            assertNames(refused.getMessage(), "'" + name + "'", "letters");
        }

        @Test
        void ofAHundredCharacters_isTheLongest() {
            assertEquals(100, Region.builder("n".repeat(100)).build().name().length());
            assertThrows(IllegalArgumentException.class, () -> Region.builder("n".repeat(101)));
        }
    }

    @Nested
    class Contradictions {
        @Test
        void staleLongerThanExpire_isRefused_namingBoth() {
            assertNames(
                    refused(builder().staleAfter(SECOND.multipliedBy(2)).expireAfter(SECOND)),
                    "staleAfter",
                    "PT2S",
                    "expireAfter",
                    "PT1S");
        }

        @Test
        void softTimeoutWithoutRefreshOn_isRefused() {
            assertNames(refused(builder().softTimeout(SECOND)), "softTimeout", "PT1S", "refreshOn", "none");
        }

        @Test
        void hardTimeoutShorterThanSoft_isRefused_namingBoth() {
            assertNames(
                    refused(builder()
                            .refreshOn(new HandDriven())
                            .softTimeout(SECOND.multipliedBy(3))
                            .hardTimeout(SECOND.multipliedBy(2))),
                    "softTimeout",
                    "PT3S",
                    "hardTimeout",
                    "PT2S");
        }

        @Test
        void leaseLongerThanMaxCreation_isRefused_namingBoth() {
            assertNames(
                    refused(builder().lease(SECOND.multipliedBy(3)).maxCreation(SECOND.multipliedBy(2))),
                    "lease",
                    "PT3S",
                    "maxCreation",
                    "PT2S");
            assertNames(
                    refused(builder()
                            .lock(LockProvider.local(), SECOND.multipliedBy(3))
                            .maxCreation(SECOND.multipliedBy(2))),
                    "PT3S",
                    "PT2S");
        }

        @Test
        void negativeDurations_areRefused_namingThem() {
            Duration negative = Duration.ofMillis(-1);
            assertNames(refused(builder().staleAfter(negative)), "staleAfter", "PT-0.001S");
            assertNames(refused(builder().expireAfter(negative)), "expireAfter", "PT-0.001S");
            assertNames(refused(builder().hardTimeout(negative)), "hardTimeout", "PT-0.001S");
            assertNames(
                    refused(builder().refreshOn(new HandDriven()).softTimeout(negative)), "softTimeout", "PT-0.001S");
            assertNames(refused(builder().maxCreation(negative)), "maxCreation", "PT-0.001S");
            assertNames(refused(builder().lease(negative)), "lease", "PT-0.001S");
            assertNames(refused(builder().lease(Duration.ZERO)), "lease", "PT0S");
            assertNames(
                    assertThrows(IllegalArgumentException.class, () -> builder().cacheNullFor(negative))
                            .getMessage(),
                    "cacheNullFor",
                    "PT-0.001S");
        }

        @ParameterizedTest
        @ValueSource(doubles = {-0.1, 1.1, Double.NaN, Double.POSITIVE_INFINITY})
        void aJitterThatIsNoShare_isRefused(double share) {
            assertNames(
                    assertThrows(IllegalArgumentException.class, () -> builder().jitter(share))
                            .getMessage(),
                    "jitter",
                    "" + share);
        }

        @ParameterizedTest
        @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY})
        void anEarlyRefreshThatIsNoWeight_isRefused(double weight) {
            assertNames(
                    assertThrows(IllegalArgumentException.class, () -> builder().earlyRefresh(weight))
                            .getMessage(),
                    "earlyRefresh",
                    "" + weight);
        }

        @Test
        void valueBytesAndBackOffs_outOfTheirRange_areRefused() {
            assertNames(
                    assertThrows(IllegalArgumentException.class, () -> builder().maxValueBytes(0))
                            .getMessage(),
                    "maxValueBytes",
                    "0");
            assertThrows(IllegalArgumentException.class, () -> builder().failureBackoff(0, SECOND, SECOND));
            assertThrows(IllegalArgumentException.class, () -> builder().failureBackoff(1, Duration.ZERO, SECOND));
            assertNames(
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> builder().failureBackoff(1, SECOND, Duration.ofMillis(1)))
                            .getMessage(),
                    "PT1S",
                    "PT0.001S");
        }

        @Test
        void aRegionThatIsRefused_openedNothing() {
            SpyBackend spy = new SpyBackend();
            refused(builder().backend(spy).staleAfter(SECOND).expireAfter(Duration.ZERO));
            assertNull(spy.opening);
        }
    }

    @Nested
    class OfAView {
        private final Region<String, String> region = builder().build();

        private void assertRefused(String option, UnaryOperator<RegionBuilder<String, String>> change) {
            var refused = assertThrows(IllegalStateException.class, () -> region.with(change), option);
            assertNames(refused.getMessage(), option);
        }

        @Test
        void whatARegionHas_cannotDiffer() {
            assertRefused("backend", o -> o.backend(new SpyBackend()));
            assertRefused("wrap", o -> o.wrap(backend -> backend));
            assertRefused("keys", o -> o.keys(key -> key));
            assertRefused("serializer", o -> o.serializer(Serializer.string()));
            assertRefused("maxValueBytes", o -> o.maxValueBytes(1));
            assertRefused("lock", o -> o.lock(LockProvider.local(), SECOND));
            assertRefused("lease", o -> o.lease(SECOND));
            assertRefused("listener", o -> o.listener(DogpileListener.NONE));
            assertRefused("recordStats", RegionBuilder::recordStats);
            assertRefused("clock", o -> o.clock(time));
            assertRefused("seed", o -> o.seed(1));
            assertRefused("maxCreation", o -> o.maxCreation(SECOND));
            assertRefused("failureBackoff", o -> o.failureBackoff(1, SECOND, SECOND));
            assertRefused("build()", o -> {
                o.build();
                return o;
            });
        }

        @Test
        void contradictions_areRefused_namingBoth() {
            var refused = assertThrows(
                    IllegalArgumentException.class,
                    () -> region.with(o -> o.staleAfter(SECOND.multipliedBy(2)).expireAfter(SECOND)));
            assertNames(refused.getMessage(), "PT2S", "PT1S");
        }

        @Test
        void whatOnlyAViewHas_isRefusedInARegion() {
            assertNames(
                    assertThrows(IllegalStateException.class, () -> builder().ignoreExpiry())
                            .getMessage(),
                    "ignoreExpiry",
                    "'users'",
                    "with(");
            assertNames(
                    assertThrows(IllegalStateException.class, () -> builder().staleAfter(() -> SECOND))
                            .getMessage(),
                    "staleAfter",
                    "'users'");
        }
    }

    @Nested
    class Built {
        @Test
        @Tag("C-040")
        void laterChangesOfTheBuilder_doNotTouchTheRegion() {
            RegionBuilder<String, String> builder = builder();
            Region<String, String> region = builder.build();
            builder.staleAfter(Duration.ZERO).cacheIf(value -> false);
            assertEquals("value", region.getOrCreate("key", k -> "value"));
            time.advance(SECOND);
            assertEquals(Optional.of("value"), region.get("key"));
        }

        @Test
        void twoRegionsOfOneBuilder_countForThemselves() {
            RegionBuilder<String, String> builder = builder().recordStats();
            Region<String, String> one = builder.build();
            Region<String, String> other = builder.build();
            one.getOrCreate("key", k -> "value");
            assertEquals(1, one.stats().creations());
            assertEquals(0, other.stats().creations());
            assertEquals(Optional.empty(), other.get("key"));
        }

        @Test
        void whatItAsksOfItsBackend_isWhatWasSet() {
            SpyBackend spy = new SpyBackend();
            Serializer<String> strings = Serializer.string();
            builder()
                    .backend(spy)
                    .serializer(strings)
                    .maxValueBytes(77)
                    .lease(SECOND.multipliedBy(3))
                    .build();
            Opening<?> opening = spy.opening;
            assertNotNull(opening);
            assertEquals("users", opening.region());
            assertSame(strings, opening.serializer());
            assertEquals(77, opening.maxValueBytes());
            assertEquals(SECOND.multipliedBy(3), opening.lease());
            assertSame(time, opening.time());
            builder().backend(spy).build();
            assertEquals(1 << 20, spy.opening.maxValueBytes());
            assertEquals(Duration.ofSeconds(5), spy.opening.lease());
            assertNull(spy.opening.serializer());
        }

        @Test
        @Tag("C-023")
        void whatIsWrappedLater_isOutside() {
            List<String> order = new ArrayList<>();
            builder()
                    .wrap(backend -> noting("first", order, backend))
                    .wrap(backend -> noting("second", order, backend))
                    .build();
            assertEquals(List.of("second", "first"), order);
        }

        private Backend noting(String name, List<String> order, Backend inner) {
            return new Backend() {
                @Override
                public <V> Partition<V> open(Opening<V> opening) {
                    order.add(name);
                    return inner.open(opening);
                }
            };
        }

        @Test
        void aWrapThatMakesNull_isRefused() {
            assertNames(
                    assertThrows(
                                    NullPointerException.class,
                                    () -> builder().wrap(backend -> null).build())
                            .getMessage(),
                    "wrap()");
        }
    }

    @Nested
    class Keys {
        private final SpyBackend spy = new SpyBackend();
        private final List<Object> told = new ArrayList<>();
        private final DogpileListener hearing = new DogpileListener() {
            @Override
            public void created(Object name, Duration cost) {
                told.add(name);
            }

            @Override
            public void hit(Object name) {
                told.add(name);
            }
        };
        private final Region<String, String> region = builder()
                .backend(spy)
                .keys(key -> "HI!" + key.toLowerCase(Locale.ROOT))
                .listener(hearing)
                .build();

        @Test
        @Tag("C-051")
        @Tag("C-031")
        @Tag("E-034")
        void areRenderedOnce_forTheBackend_andStayAsTheyAreForCreatorsAndListeners() {
            assertEquals("made of Key", region.getOrCreate("Key", k -> "made of " + k));
            assertEquals(Optional.of("made of Key"), region.get("Key"));
            assertEquals(List.of("Key", "Key"), told);
            Map<String, String> all = region.getOrCreateAll(List.of("Other"), missing -> {
                assertEquals(List.of("Other"), List.copyOf(missing));
                return Map.of("Other", "value");
            });
            assertEquals(Map.of("Other", "value"), all);
            region.refresh("Key", k -> "anew of " + k);
            assertEquals("anew of Key", region.peek("Key").orElseThrow().value());
            assertFalse(region.isCreating("Key"));
            region.invalidate("Key");
            region.invalidateAll(List.of("Other"));
            assertEquals(Map.of(), region.peekAll(List.of("Key", "Other")));
            assertEquals("HI!key", spy.opening.texts().apply(new RenamedKey("HI!key", "Key")));
        }

        @Test
        @Tag("C-114")
        @Tag("W-06")
        void thatRenderAlike_areOneEntry_alsoInABatch() {
            region.put("A", "value");
            assertEquals(Optional.of("value"), region.get("a"));
            List<List<String>> asked = new ArrayList<>();
            Map<String, String> all = region.getOrCreateAll(List.of("B", "b"), missing -> {
                asked.add(List.copyOf(missing));
                return Map.of("B", "both");
            });
            assertEquals(List.of(List.of("B")), asked);
            assertEquals(Map.of("B", "both", "b", "both"), all);
        }

        @Test
        void thatAreRenderedAsNull_areRefused() {
            Region<String, String> broken = builder().keys(key -> null).build();
            assertNames(
                    assertThrows(NullPointerException.class, () -> broken.get("key"))
                            .getMessage(),
                    "keys()");
        }

        @Test
        void null_isNoKey() {
            assertThrows(NullPointerException.class, () -> region.get(null));
            assertThrows(NullPointerException.class, () -> region.getOrCreate(null, k -> "value"));
            assertThrows(NullPointerException.class, () -> region.put(null, "value"));
        }
    }

    @Nested
    class Refusals {
        @Test
        void nameTheRegion_andBothValues() {
            var refused = assertThrows(
                    IllegalArgumentException.class,
                    () -> Region.<String, String>builder("users")
                            .staleAfter(Duration.ofSeconds(2))
                            .expireAfter(Duration.ofSeconds(1))
                            .build());
            assertTrue(refused.getMessage().startsWith("region 'users': "), refused.getMessage());
            assertTrue(refused.getMessage().contains("PT2S")
                    && refused.getMessage().contains("PT1S"));
            Region<String, String> users =
                    Region.<String, String>builder("users").build();
            var inView = assertThrows(
                    IllegalArgumentException.class, () -> users.with(o -> o.softTimeout(Duration.ofSeconds(1))));
            assertTrue(inView.getMessage().startsWith("region 'users': softTimeout"), inView.getMessage());
        }

        @Test
        void aShortMaxCreation_needsNoLease_butALeaseThatIsNamedMustBeShorter() {
            Region<String, String> brief = Region.<String, String>builder("brief")
                    .maxCreation(Duration.ofMillis(100))
                    .build();
            assertEquals("value", brief.getOrCreate("key", key -> "value"));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Region.<String, String>builder("brief")
                            .maxCreation(Duration.ofMillis(100))
                            .lease(Duration.ofSeconds(1))
                            .build());
        }
    }
}
