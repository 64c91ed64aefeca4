package io.dogpile.core;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Writes down what a listener is told: the event's word, and what matters of it. */
final class Events implements DogpileListener {
    private final List<String> told = new CopyOnWriteArrayList<>();

    /** All that was told, in order. */
    List<String> all() {
        return List.copyOf(told);
    }

    long count(String event) {
        return told.stream().filter(event::equals).count();
    }

    void clear() {
        told.clear();
    }

    @Override
    public void created(Object name, Duration cost) {
        told.add("created");
    }

    @Override
    public void failed(Object name, Throwable failure) {
        told.add("failed " + failure.getMessage());
    }

    @Override
    public void staleServed(Object name) {
        told.add("stale");
    }

    @Override
    public void waited(Object name, Duration time, WaitOutcome outcome) {
        told.add("waited " + time.toMillis() + " ms " + outcome);
    }

    @Override
    public void duplicateCreation(Object name) {
        told.add("duplicate");
    }

    @Override
    public void leaseLost(Object name) {
        told.add("lease lost");
    }

    @Override
    public void writeRefused(Object name, Slot.Published.Outcome outcome) {
        told.add("refused " + outcome);
    }

    @Override
    public void earlyRefresh(Object name) {
        told.add("early");
    }

    @Override
    public void backedOff(Object name, Duration retryAfter) {
        told.add("backed off " + retryAfter.toMillis() + " ms");
    }

    @Override
    public void storeDown(Object name, Throwable failure) {
        told.add("down " + failure.getMessage());
    }

    @Override
    public void refreshRejected(Object name, Throwable failure) {
        told.add("rejected " + failure.getMessage());
    }

    @Override
    public void corruptEntry(Object name, String why) {
        told.add("corrupt");
    }
}
