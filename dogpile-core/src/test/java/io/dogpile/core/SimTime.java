package io.dogpile.core;

import java.time.Instant;
import java.util.ArrayList;

/**
 * The clock of a simulation on one thread: a scheduler moves it, and decides when an alarm that is due rings. Nothing
 * parks by it.
 */
final class SimTime implements TimeSource {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final long WALL_SECONDS_AT_ORIGIN = 1_700_000_000L;

    /** What was asked to run later. */
    final class Alarm implements Runnable {
        final long at;
        private final Runnable task;

        Alarm(long at, Runnable task) {
            this.at = at;
            this.task = task;
        }

        /** Cancels. */
        @Override
        public void run() {
            alarms.remove(this);
        }
    }

    private final ArrayList<Alarm> alarms = new ArrayList<>();
    private long nanos;

    void reset(long to) {
        nanos = to;
        alarms.clear();
    }

    void moveTo(long to) {
        if (to < nanos) {
            throw new AssertionError("time does not go back");
        }
        nanos = to;
    }

    int alarms() {
        return alarms.size();
    }

    boolean isDue(int alarm) {
        return alarms.get(alarm).at <= nanos;
    }

    void ring(int alarm) {
        alarms.remove(alarm).task.run();
    }

    /** When the next alarm is due; never, if there is none. */
    long nextAlarm() {
        long next = Slot.NEVER;
        for (int i = 0; i < alarms.size(); i++) {
            next = Math.min(next, alarms.get(i).at);
        }
        return next;
    }

    @Override
    public long nanos() {
        return nanos;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochSecond(WALL_SECONDS_AT_ORIGIN + nanos / NANOS_PER_SECOND, nanos % NANOS_PER_SECOND);
    }

    @Override
    public void park(Object blocker, long forNanos) {
        throw new AssertionError("a simulation has no thread to park");
    }

    @Override
    public void unpark(Thread thread) {
        throw new AssertionError("a simulation has no thread to unpark");
    }

    @Override
    public Runnable after(long delay, Runnable task) {
        Alarm alarm = new Alarm(nanos + delay, task);
        alarms.add(alarm);
        return alarm;
    }
}
