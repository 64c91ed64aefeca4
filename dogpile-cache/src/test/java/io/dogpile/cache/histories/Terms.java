package io.dogpile.cache.histories;

import java.time.Duration;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * What a store promises: which invariant is not demanded under which fault, and how long things may take. Immutable.
 */
public final class Terms {
    /** What a scheduler may take on a busy machine, beyond what the library does. */
    private static final Duration SLACK = Duration.ofSeconds(1);

    /** What a look at the store may take that several share. */
    private static final Duration LOOK = Duration.ofMillis(200);

    private final Duration lease;
    private final Duration takeover;
    private final Duration recovery;
    private final Map<Invariant, Set<Fault>> excused;

    private Terms(Builder builder) {
        lease = builder.lease;
        takeover = builder.takeover;
        recovery = builder.recovery;
        excused = builder.excused;
    }

    /**
     * Of a store that promises everything under every fault.
     *
     * @param lease the time of a right that nobody renews
     * @return a new builder
     */
    public static Builder withLease(Duration lease) {
        return new Builder(lease);
    }

    long leaseMicros() {
        return micros(lease);
    }

    /** How long a key may be nobody's while somebody waits for it. */
    long takeoverMicros() {
        return micros(takeover.plus(SLACK));
    }

    /** How long a call may take that waits for nobody. */
    long promptMicros() {
        return micros(SLACK);
    }

    /** How long before a call a look began that it shares, where nothing was in the way. */
    long lookMicros() {
        return micros(LOOK);
    }

    /** How long after the end of a fault it may still be felt. */
    long recoveryMicros() {
        return micros(recovery);
    }

    boolean excuses(Fault fault, Invariant invariant) {
        return excused.getOrDefault(invariant, Set.of()).contains(fault);
    }

    private static long micros(Duration time) {
        return time.toNanos() / 1_000;
    }

    /** Collects what is not promised. */
    public static final class Builder {
        private final Duration lease;
        private final EnumMap<Invariant, Set<Fault>> excused = new EnumMap<>(Invariant.class);
        private Duration takeover;
        private Duration recovery = Duration.ofSeconds(2);

        private Builder(Duration lease) {
            this.lease = lease;
            // a holder's death may be noticed late by a tenth of a lease, and jitter is added
            takeover = Duration.ofNanos(lease.toNanos() * 11 / 10).plusMillis(20);
        }

        /** How long until a dead holder is replaced, where that is not 1.1 of its lease and 20 ms. */
        public Builder takeover(Duration longest) {
            takeover = longest;
            return this;
        }

        /** How long after the end of a fault it may still be felt; two seconds unless told. */
        public Builder recovery(Duration longest) {
            recovery = longest;
            return this;
        }

        /** Does not demand that invariant where one of the faults may have had a hand in it. */
        public Builder excuse(Invariant invariant, Fault... faults) {
            excused.computeIfAbsent(invariant, one -> EnumSet.noneOf(Fault.class))
                    .addAll(Set.of(faults));
            return this;
        }

        /** As told. */
        public Terms build() {
            return new Terms(this);
        }
    }
}
