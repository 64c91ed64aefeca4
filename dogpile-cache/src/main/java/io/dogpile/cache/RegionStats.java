package io.dogpile.cache;

import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;

/**
 * What happened in a region, counted since it was built: a {@link DogpileListener} that {@link RegionBuilder#recordStats}
 * adds, or that a user gives to several locks. Counts are exact once what they count has returned; two counts are not
 * read at one moment. Thread-safe.
 *
 * <p>Each call that wants a value is counted once: as a hit, as a stale value served, or as a miss.
 */
public final class RegionStats implements DogpileListener {
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder staleServed = new LongAdder();
    private final LongAdder creations = new LongAdder();
    private final LongAdder creationNanos = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final Map<WaitOutcome, LongAdder> waits = adders(WaitOutcome.class);
    private final Map<WaitOutcome, LongAdder> waitNanos = adders(WaitOutcome.class);
    private final LongAdder duplicateCreations = new LongAdder();
    private final LongAdder leasesLost = new LongAdder();
    private final Map<Slot.Published.Outcome, LongAdder> writesRefused = adders(Slot.Published.Outcome.class);
    private final LongAdder earlyRefreshes = new LongAdder();
    private final LongAdder backOffHits = new LongAdder();
    private final LongAdder storeFailures = new LongAdder();
    private final LongAdder refreshesRejected = new LongAdder();
    private final LongAdder corruptEntries = new LongAdder();
    private volatile IntSupplier inFlight = () -> 0;

    /** Begins to count. */
    public RegionStats() {}

    private static <E extends Enum<E>> Map<E, LongAdder> adders(Class<E> outcomes) {
        Map<E, LongAdder> adders = new EnumMap<>(outcomes);
        for (E outcome : outcomes.getEnumConstants()) {
            adders.put(outcome, new LongAdder());
        }
        return adders;
    }

    void gauges(IntSupplier namesInFlight) {
        inFlight = namesInFlight;
    }

    /**
     * How often a fresh value was given at once.
     *
     * @return the count
     */
    public long hits() {
        return hits.sum();
    }

    /**
     * How often there was no fresh value and no stale one was taken: the caller created, waited, failed, or only looked.
     *
     * @return the count
     */
    public long misses() {
        return misses.sum();
    }

    /**
     * How often a stale value was given.
     *
     * @return the count
     */
    public long staleServed() {
        return staleServed.sum();
    }

    /**
     * How many values were created.
     *
     * @return the count; a creation of several keys counts each
     */
    public long creations() {
        return creations.sum();
    }

    /**
     * How long creators took that made a value.
     *
     * @return the sum
     */
    public Duration creationTime() {
        return Duration.ofNanos(creationNanos.sum());
    }

    /**
     * How often a creator threw.
     *
     * @return the count
     */
    public long failures() {
        return failures.sum();
    }

    /**
     * How many callers waited for another's creation instead of creating by themselves.
     *
     * @return the count, over all outcomes
     */
    public long waits() {
        return waits.values().stream().mapToLong(LongAdder::sum).sum();
    }

    /**
     * How many callers' waits ended so.
     *
     * @param outcome how
     * @return the count
     */
    public long waits(WaitOutcome outcome) {
        return of(waits, outcome).sum();
    }

    /**
     * How long callers waited whose wait ended so.
     *
     * @param outcome how
     * @return the sum
     */
    public Duration waitTime(WaitOutcome outcome) {
        return Duration.ofNanos(of(waitNanos, outcome).sum());
    }

    /**
     * How often a value was created twice, since a right was lost.
     *
     * @return the count
     */
    public long duplicateCreations() {
        return duplicateCreations.sum();
    }

    /**
     * How often a right to create ended, or was taken over, while its creator ran.
     *
     * @return the count
     */
    public long leasesLost() {
        return leasesLost.sum();
    }

    /**
     * How many created values were not stored, or not for certain, and why.
     *
     * @param outcome what became of the write
     * @return the count
     */
    public long writesRefused(Slot.Published.Outcome outcome) {
        return of(writesRefused, outcome).sum();
    }

    /**
     * How often a value was refreshed before it turned stale.
     *
     * @return the count
     */
    public long earlyRefreshes() {
        return earlyRefreshes.sum();
    }

    /**
     * How often a caller met a key that backs off after failures.
     *
     * @return the count
     */
    public long backOffHits() {
        return backOffHits.sum();
    }

    /**
     * How often the backend or the lock failed or could not be reached.
     *
     * @return the count
     */
    public long storeFailures() {
        return storeFailures.sum();
    }

    /**
     * How often the executor of {@code refreshOn} refused.
     *
     * @return the count
     */
    public long refreshesRejected() {
        return refreshesRejected.sum();
    }

    /**
     * How often the store held something that was no value, and was taken for none.
     *
     * @return the count
     */
    public long corruptEntries() {
        return corruptEntries.sum();
    }

    /**
     * How many keys are being created or waited for in this JVM now.
     *
     * @return a snapshot; 0 if these counts are not those of one region
     */
    public int inFlight() {
        return inFlight.getAsInt();
    }

    @Override
    public void hit(Object name) {
        hits.increment();
    }

    @Override
    public void missed(Object name) {
        misses.increment();
    }

    @Override
    public void created(Object name, Duration cost) {
        creations.increment();
        creationNanos.add(cost.toNanos());
    }

    @Override
    public void failed(Object name, Throwable failure) {
        failures.increment();
    }

    @Override
    public void staleServed(Object name) {
        staleServed.increment();
    }

    @Override
    public void waited(Object name, Duration time, WaitOutcome outcome) {
        of(waits, outcome).increment();
        of(waitNanos, outcome).add(time.toNanos());
    }

    @Override
    public void duplicateCreation(Object name) {
        duplicateCreations.increment();
    }

    @Override
    public void leaseLost(Object name) {
        leasesLost.increment();
    }

    @Override
    public void writeRefused(Object name, Slot.Published.Outcome outcome) {
        of(writesRefused, outcome).increment();
    }

    @Override
    public void earlyRefresh(Object name) {
        earlyRefreshes.increment();
    }

    @Override
    public void backedOff(Object name, Duration retryAfter) {
        backOffHits.increment();
    }

    @Override
    public void storeDown(Object name, Throwable failure) {
        storeFailures.increment();
    }

    @Override
    public void refreshRejected(Object name, Throwable failure) {
        refreshesRejected.increment();
    }

    @Override
    public void corruptEntry(Object name, String why) {
        corruptEntries.increment();
    }

    private static <E> LongAdder of(Map<E, LongAdder> adders, E outcome) {
        LongAdder adder = adders.get(outcome);
        if (adder == null) {
            throw new IllegalArgumentException("no such outcome: " + outcome);
        }
        return adder;
    }

    @Override
    public String toString() {
        return hits() + " hits, " + misses() + " misses, " + staleServed() + " stale served, " + creations()
                + " creations in " + creationTime() + ", " + failures() + " failures, " + waits() + " waits, "
                + duplicateCreations() + " duplicate creations, " + leasesLost() + " leases lost, " + earlyRefreshes()
                + " early refreshes, " + backOffHits() + " back-off hits, " + storeFailures() + " store failures, "
                + refreshesRejected() + " refreshes rejected, " + corruptEntries() + " corrupt entries, "
                + inFlight() + " in flight";
    }
}
