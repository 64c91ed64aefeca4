package io.dogpile.core;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;

/** Leases by a {@link LockTable}: each grant has a holder of its own, so that no late release can free another's. */
final class TableLockProvider implements LockProvider {
    private static final int NANOS_PER_MILLI = 1_000_000;

    private final LockTable table;

    TableLockProvider(LockTable table) {
        this.table = table;
    }

    @Override
    public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
        Duration millis = wholeMillis(leaseTime);
        String holder = UUID.randomUUID().toString();
        boolean taken = asked(name, () -> table.take(name, holder, millis));
        return taken ? Optional.of(new TableLease(name, holder)) : Optional.empty();
    }

    /** Up: a lease cut to nothing would be none, or one for ever. */
    private static Duration wholeMillis(Duration leaseTime) {
        if (leaseTime.isNegative() || leaseTime.isZero()) {
            throw new IllegalArgumentException("leaseTime must be positive, was " + leaseTime);
        }
        int beyond = leaseTime.toNanosPart() % NANOS_PER_MILLI;
        return beyond == 0 ? leaseTime : leaseTime.plusNanos(NANOS_PER_MILLI - beyond);
    }

    private <T> T asked(String name, Callable<T> verb) {
        try {
            return verb.call();
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Exception failure) {
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            throw new DogpileException(
                    "The lock of '" + Names.render(name) + "' is not known to be taken, kept or left: " + table
                            + " failed. Look at its store; a lease ends with its time",
                    failure);
        }
    }

    @Override
    public String toString() {
        return "locks by " + table;
    }

    private final class TableLease implements Lease {
        private final String name;
        private final String holder;

        TableLease(String name, String holder) {
            this.name = name;
            this.holder = holder;
        }

        @Override
        public boolean extend(Duration leaseTime) {
            Duration millis = wholeMillis(leaseTime);
            return asked(name, () -> table.keep(name, holder, millis));
        }

        @Override
        public void close() {
            asked(name, () -> {
                table.leave(name, holder);
                return true;
            });
        }
    }
}
