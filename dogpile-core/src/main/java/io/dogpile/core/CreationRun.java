package io.dogpile.core;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One creation under one right: binds {@link Creation#current()}, runs the creator, keeps the lease alive meanwhile,
 * publishes or abandons, and lands the flight. The same for a caller's own thread, the executor of {@code refreshOn},
 * and a creator that answers with a future.
 *
 * <p>Order matters: the value is stored, then the publication is counted, then the name is free, then those who wait are
 * woken. So whoever finds no flight finds the value, or a moved count.
 */
final class CreationRun<V> {
    private final Flights<V> flights;
    private final Flight<V> flight;
    private final Options<V> options;
    private final Slot.Grant<V> grant;
    private final Creation creation;
    private final long startedAt;
    private final long overdueAt;
    private volatile @Nullable Renewal renewal;

    /** The flight that this run's creator waits for. Guarded by: {@link Cycles}. */
    @Nullable
    Flight<?> waitsFor;

    CreationRun(Flights<V> flights, Flight<V> flight, Options<V> options, Slot.@Nullable Grant<V> grant) {
        this.flights = flights;
        this.flight = flight;
        this.options = options;
        this.grant = grant == null ? new NoRight<>() : grant;
        this.startedAt = options.time().nanos();
        this.overdueAt = Stored.deadline(startedAt, options.maxCreation());
        this.creation = new Creation(
                this,
                flight.name(),
                this.grant.fencingToken(),
                options.time().instant().plusNanos(options.maxCreation()));
    }

    long overdueAt() {
        return overdueAt;
    }

    boolean isIn(Flights<?> scope) {
        return flights == scope;
    }

    Flight<V> flight() {
        return flight;
    }

    /** Creates on this thread, and returns what this caller gets: its own value whatever the store says. */
    Landing<V> run(Creator<? extends V> creator) {
        V value;
        begin();
        try {
            value = creator.create();
        } catch (Throwable thrown) {
            return failed(thrown);
        } finally {
            end();
        }
        return succeeded(value);
    }

    /** Creates by a stage; {@code done} is told what this caller gets, on the thread that completes the stage. */
    void start(Callable<? extends CompletionStage<? extends V>> stages, Consumer<Landing<V>> done) {
        CompletionStage<? extends V> stage;
        begin();
        try {
            stage = stages.call();
            if (stage == null) {
                throw new NullPointerException("The creator returned no stage");
            }
        } catch (Throwable thrown) {
            stage = CompletableFuture.failedFuture(thrown);
        } finally {
            creation.end();
        }
        var unused = stage.whenComplete((value, thrown) -> {
            stopRenewing();
            done.accept(thrown == null ? succeeded(Nulls.unmarked(value)) : failed(unwrapped(thrown)));
        });
    }

    /** The executor refused to run this: the right goes back, and somebody else may lead. */
    void refused(Throwable why) {
        options.told().refreshRejected(flight.name(), why);
        giveBack(null);
        flight.notCreating();
    }

    /** The name goes to others; the creator runs on, and may ask. What it makes is refused if another began. */
    void overdue() {
        stopRenewing();
        loseLease();
        giveBack(null);
    }

    private void begin() {
        creation.begin();
        renewal = Renewal.start(grant, overdueAt, options.time(), options.renewOn(), this::loseLease);
    }

    private void end() {
        creation.end();
        stopRenewing();
    }

    private void stopRenewing() {
        Renewal keeping = renewal;
        if (keeping != null) {
            keeping.stop();
        }
    }

    private void loseLease() {
        if (creation.loseLease()) {
            options.told().leaseLost(flight.name());
        }
    }

    private Landing<V> succeeded(V value) {
        long cost = options.time().nanos() - startedAt;
        Slot.Published<V> published = publish(value, cost);
        Slot.Seen<V> stored = published.seen();
        boolean isStored = published.outcome() == Slot.Published.Outcome.STORED;
        Landing<V> own = Landing.value(
                value,
                isStored && stored != null ? stored.createdAt() : options.time().instant());
        flights.backoff().succeeded(flight.name());
        flights.published(flight.name());
        options.told().created(flight.name(), cost);
        flights.land(
                flight,
                switch (published.outcome()) {
                    case STORED, UNKNOWN -> own;
                    case SUPERSEDED ->
                        stored == null ? Landing.again() : Landing.value(stored.value(), stored.createdAt());
                    case VOIDED -> flight.isDetached() ? own : Landing.again();
                });
        return own;
    }

    private Slot.Published<V> publish(V value, long cost) {
        Object name = flight.name();
        Slot.Published<V> published;
        try {
            published = grant.publish(options.draft(value, cost));
            Throwable trouble = published.trouble();
            if (trouble != null) {
                options.told().storeDown(name, trouble);
            }
        } catch (Throwable thrown) {
            options.told().storeDown(name, thrown);
            published = new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null);
        }
        if (published.outcome() != Slot.Published.Outcome.STORED) {
            options.told().writeRefused(name, published.outcome());
        }
        if (published.outcome() == Slot.Published.Outcome.SUPERSEDED) {
            options.told().duplicateCreation(name);
        }
        return published;
    }

    private Landing<V> failed(Throwable thrown) {
        Object name = flight.name();
        Throwable failure = thrown instanceof RuntimeException || thrown instanceof Error
                ? thrown
                : new CreationException("The creator of '" + Names.render(name) + "' failed: " + thrown, thrown);
        giveBack(failure);
        options.told().failed(name, thrown);
        Landing<V> own = Landing.failure(failure);
        if (thrown instanceof InterruptedException) {
            // It was this caller that was told to stop, not the creation that was found impossible.
            Thread.currentThread().interrupt();
            flights.land(flight, Landing.again());
        } else {
            flights.backoff().failed(name, thrown, options.time());
            flights.land(flight, own);
        }
        return own;
    }

    private void giveBack(@Nullable Throwable cause) {
        try {
            grant.abandon(cause);
        } catch (Throwable notGivenBack) {
            options.told().storeDown(flight.name(), notGivenBack);
            if (cause != null && cause != notGivenBack) {
                cause.addSuppressed(notGivenBack);
            }
        }
    }

    private static Throwable unwrapped(Throwable thrown) {
        Throwable cause = thrown instanceof CompletionException ? thrown.getCause() : null;
        return cause == null ? thrown : cause;
    }

    @Override
    public String toString() {
        return creation.toString();
    }

    /** The store cannot be reached and the policy is to create all the same: nothing can be stored. */
    private static final class NoRight<V> implements Slot.Grant<V> {
        @Override
        public long fencingToken() {
            return 0;
        }

        @Override
        public boolean renew() {
            return true;
        }

        @Override
        public Slot.Published<V> publish(Slot.Draft<V> draft) {
            return new Slot.Published<>(Slot.Published.Outcome.UNKNOWN, null);
        }

        @Override
        public void abandon(@Nullable Throwable cause) {}
    }
}
