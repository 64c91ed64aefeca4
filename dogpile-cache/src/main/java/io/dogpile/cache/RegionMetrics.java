package io.dogpile.cache;

import io.dogpile.core.DogpileListener.WaitOutcome;
import io.dogpile.core.Slot;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * Shows the counts of a region as meters of Micrometer, which the user's application brings: micrometer-core is an
 * optional dependency.
 *
 * <p>All meters begin with {@code dogpile.region} and bear the tag {@code region}. Further tags have a fixed set of values;
 * keys are never tags. A registry holds a region's counts weakly: keep the region.
 *
 * <pre>
 *   dogpile.region.gets            result=hit|miss|stale
 *   dogpile.region.creations       timer: how many, and how long they took
 *   dogpile.region.failures
 *   dogpile.region.waits           timer, outcome=value|stale|failure|timeout|interrupted
 *   dogpile.region.duplicates, .leases.lost, .refreshes.early, .refreshes.rejected, .backoffs, .store.failures, .corrupt
 *   dogpile.region.writes.refused  outcome=superseded|voided|unknown
 *   dogpile.region.inflight        gauge
 * </pre>
 *
 * <p>Thread-safe.
 */
@SuppressWarnings("exports") // whoever binds them has the optional module
public final class RegionMetrics implements MeterBinder {
    private static final String PREFIX = "dogpile.region.";

    private final String region;
    private final RegionStats stats;

    private RegionMetrics(String region, RegionStats stats) {
        this.region = region;
        this.stats = stats;
    }

    /**
     * The meters of a region.
     *
     * @param region the region
     * @return what binds them to a registry
     * @throws IllegalStateException if the region was built without {@link RegionBuilder#recordStats}
     */
    public static RegionMetrics of(Region<?, ?> region) {
        return new RegionMetrics(region.name(), region.stats());
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        count(registry, "gets", RegionStats::hits, "result", "hit");
        count(registry, "gets", RegionStats::misses, "result", "miss");
        count(registry, "gets", RegionStats::staleServed, "result", "stale");
        count(registry, "failures", RegionStats::failures);
        count(registry, "duplicates", RegionStats::duplicateCreations);
        count(registry, "leases.lost", RegionStats::leasesLost);
        count(registry, "refreshes.early", RegionStats::earlyRefreshes);
        count(registry, "refreshes.rejected", RegionStats::refreshesRejected);
        count(registry, "backoffs", RegionStats::backOffHits);
        count(registry, "store.failures", RegionStats::storeFailures);
        count(registry, "corrupt", RegionStats::corruptEntries);
        for (Slot.Published.Outcome outcome : Slot.Published.Outcome.values()) {
            if (outcome != Slot.Published.Outcome.STORED) {
                count(registry, "writes.refused", all -> all.writesRefused(outcome), "outcome", tag(outcome));
            }
        }
        FunctionTimer.builder(
                        PREFIX + "creations",
                        stats,
                        RegionStats::creations,
                        all -> all.creationTime().toNanos(),
                        TimeUnit.NANOSECONDS)
                .tag("region", region)
                .register(registry);
        for (WaitOutcome outcome : WaitOutcome.values()) {
            FunctionTimer.builder(
                            PREFIX + "waits",
                            stats,
                            all -> all.waits(outcome),
                            all -> all.waitTime(outcome).toNanos(),
                            TimeUnit.NANOSECONDS)
                    .tags("region", region, "outcome", tag(outcome))
                    .register(registry);
        }
        Gauge.builder(PREFIX + "inflight", stats, RegionStats::inFlight)
                .tag("region", region)
                .register(registry);
    }

    private void count(MeterRegistry registry, String name, ToDoubleFunction<RegionStats> count, String... tags) {
        FunctionCounter.builder(PREFIX + name, stats, count)
                .tag("region", region)
                .tags(tags)
                .register(registry);
    }

    private static String tag(Enum<?> outcome) {
        return outcome.name().toLowerCase(Locale.ROOT);
    }
}
