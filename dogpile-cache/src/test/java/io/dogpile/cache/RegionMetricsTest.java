package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.FakeTime;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RegionMetricsTest {
    private final FakeTime time = new FakeTime();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    private double count(String name, String... tags) {
        return registry.get("dogpile.region." + name)
                .tags(tags)
                .functionCounter()
                .count();
    }

    @Test
    void whatHappens_isSeenInTheRegistry() {
        Region<String, Integer> region = Region.<String, Integer>builder("numbers")
                .clock(time)
                .staleAfter(Duration.ofSeconds(10))
                .recordStats()
                .build();
        RegionMetrics.of(region).bindTo(registry);

        Integer created = region.getOrCreate("key", key -> {
            assertEquals(1, registry.get("dogpile.region.inflight").gauge().value());
            time.advance(Duration.ofSeconds(2));
            return 1;
        });
        assertEquals(created, region.getOrCreate("key", key -> 2));
        assertThrows(
                IllegalStateException.class,
                () -> region.getOrCreate("other", key -> {
                    throw new IllegalStateException("expected");
                }));

        assertEquals(1, count("gets", "region", "numbers", "result", "hit"));
        assertEquals(2, count("gets", "result", "miss"));
        assertEquals(0, count("gets", "result", "stale"));
        assertEquals(1, count("failures"));
        var creations = registry.get("dogpile.region.creations").functionTimer();
        assertEquals(1, creations.count());
        assertEquals(2, creations.totalTime(TimeUnit.SECONDS));
        assertEquals(0, registry.get("dogpile.region.inflight").gauge().value());
    }

    /** A million keys must not be a million meters. */
    @Test
    void tags_haveFewValues() {
        Region<Integer, Integer> region =
                Region.<Integer, Integer>builder("many").recordStats().build();
        RegionMetrics.of(region).bindTo(registry);
        int before = registry.getMeters().size();
        for (int i = 0; i < 1_000; i++) {
            region.getOrCreate(i, key -> key);
        }
        assertEquals(before, registry.getMeters().size());
        Set<String> keys = registry.getMeters().stream()
                .map(Meter::getId)
                .flatMap(id -> id.getTags().stream())
                .map(Tag::getKey)
                .collect(Collectors.toSet());
        assertEquals(Set.of("region", "result", "outcome"), keys);
    }

    @Test
    void aRegionThatCountsNothing_isRefused() {
        Region<Integer, Integer> region =
                Region.<Integer, Integer>builder("quiet").build();
        var refused = assertThrows(IllegalStateException.class, () -> RegionMetrics.of(region));
        assertTrue(refused.getMessage().contains("recordStats()"), refused.getMessage());
    }
}
