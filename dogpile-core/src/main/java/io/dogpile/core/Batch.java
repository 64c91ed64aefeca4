package io.dogpile.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * One caller's way through the elections of many names, led side by side. What several elections ask for is done
 * together: one read, one entry into the flights, one claim, one call of the creator. Nothing is created before all that
 * is free was claimed, and nothing waited for while something could be created, so batches that overlap cannot wait for
 * each other in a circle.
 *
 * <p>A caller waits on all its flights at once, since a waiter looks at its flight whenever it is woken. How it waits and
 * how a creation is run is the drivers' matter, as it is for one {@link Call}.
 */
abstract class Batch<N, V> {
    private final DogpileLock<V> lock;
    private final Slots<N, V> slots;
    private final @Nullable CreationRun<?> outer = Creation.currentRun();
    private final Map<N, Part> parts = new LinkedHashMap<>();

    Batch(DogpileLock<V> lock, Collection<? extends N> names, Slots<N, V> slots, Election.Want want) {
        this.lock = lock;
        this.slots = slots;
        names.forEach(name -> parts.computeIfAbsent(Objects.requireNonNull(name, "name"), key -> new Part(key, want)));
    }

    /** One name of the batch. */
    final class Part extends Call<V> {
        final N key;
        Election.Action next;
        boolean ended;

        Part(N key, Election.Want want) {
            super(lock, key, slots.slot(key), want);
            this.key = key;
            this.next = election.begin(now());
        }

        @Override
        Election.@Nullable Action create(CreationRun<V> run) {
            throw new IllegalStateException("a batch creates together");
        }

        @Override
        Runnable createLater(CreationRun<V> run) {
            throw new IllegalStateException("a batch creates together");
        }

        @Override
        void signal() {
            Batch.this.signal();
        }

        void end() {
            if (!ended) {
                ended = true;
                leave();
            }
        }
    }

    /** Wakes the caller, as {@link Waiter#signal}. */
    abstract void signal();

    /** Whether the caller was told to stop waiting. */
    abstract boolean isInterrupted();

    /**
     * Runs the creator for these names in the run. Returns what this caller gets of each, or null if {@link #created} will
     * be told later, before the next step.
     */
    abstract @Nullable Map<Object, Landing<V>> create(CreationRun<V> run, Set<N> names);

    /** What the executor of {@code refreshOn} is given to create in the run. */
    abstract Runnable createLater(CreationRun<V> run, Set<N> names);

    final TimeSource time() {
        return lock.options().time();
    }

    final Collection<Part> parts() {
        return parts.values();
    }

    final void refuseRecursion() {
        parts.keySet()
                .forEach(name -> Creation.refuseRecursion(
                        lock.flights(), name, lock.options().told()));
    }

    /** Ends the names that are through; true if all are. */
    final boolean isOver() {
        endParts();
        return parts.values().stream().allMatch(part -> part.ended);
    }

    /** Does what the elections ask for next, for all who ask the same. Returns false if there is nothing but to wait. */
    final boolean step() {
        return read() || enter() || offer() || claim() || createBehind() || create() || look();
    }

    /** Leaves whatever this caller is in, however it ended. */
    final void leave() {
        parts.values().forEach(Part::end);
        Cycles.waitsNoMore(outer);
    }

    private void endParts() {
        parts.values().stream()
                .filter(part -> part.next == Election.Action.RETURN || part.next == Election.Action.THROW)
                .forEach(Part::end);
    }

    private List<Part> partsTo(Election.Action action) {
        return parts.values().stream()
                .filter(part -> !part.ended && part.next == action)
                .toList();
    }

    private boolean read() {
        List<Part> reading = partsTo(Election.Action.READ);
        if (reading.isEmpty()) {
            return false;
        }
        reading.forEach(Part::beforeRead);
        answered(
                reading,
                () -> slots.readAll(reading.stream().map(part -> part.key).toList()),
                (part, seen) -> part.election.seen(seen, part.now()));
        return true;
    }

    private boolean enter() {
        List<Part> entering = partsTo(Election.Action.ENTER);
        lock.flights().enterAll(entering, time().nanos(), (call, how) -> partOf(call).next = call.entered(how));
        for (Part part : entering) {
            if (outer != null && part.isInFlight()) {
                Cycles.waits(outer, part.flight());
            }
        }
        return !entering.isEmpty();
    }

    private boolean offer() {
        List<Part> offering = partsTo(Election.Action.OFFER);
        offering.forEach(part -> part.next = Objects.requireNonNull(part.step(Election.Action.OFFER)));
        return !offering.isEmpty();
    }

    private boolean claim() {
        List<Part> claiming = partsTo(Election.Action.CLAIM);
        if (claiming.isEmpty()) {
            return false;
        }
        Map<N, Slots.Asked<V>> asked = new LinkedHashMap<>();
        for (Part part : claiming) {
            Slot.Claim<V> refused = part.backingOff();
            if (refused == null) {
                asked.put(part.key, new Slots.Asked<>(part.election.best(), part.wish()));
            } else {
                part.next = part.claimed(refused);
            }
        }
        if (asked.isEmpty()) {
            return true;
        }
        List<Part> askers =
                claiming.stream().filter(part -> asked.containsKey(part.key)).toList();
        answered(askers, () -> slots.claimAll(asked), Part::claimed);
        return true;
    }

    /** Asks the store for all, and reports to each part its answer, or that there was none. */
    private <T> void answered(
            List<Part> asking, Callable<Map<N, T>> store, BiFunction<Part, T, Election.Action> report) {
        Map<N, T> answers;
        try {
            answers = store.call();
        } catch (Exception e) {
            asking.forEach(part -> part.next = part.storeFailed(e));
            return;
        }
        for (Part part : asking) {
            T answer = answers.get(part.key);
            part.next = answer == null
                    ? part.storeFailed(new DogpileException("The store gave no answer for "
                            + lock.options().told().render(part.key)))
                    : report.apply(part, answer);
        }
    }

    private boolean create() {
        List<Part> all = partsTo(Election.Action.CREATE);
        List<Part> withRight =
                all.stream().filter(part -> part.election.grant() != null).toList();
        List<Part> creating = withRight.isEmpty() ? all : withRight;
        if (creating.isEmpty()) {
            return false;
        }
        CreationRun<V> run = newRun(creating);
        // Who waits for another name must not wait for this creation, too: somebody else leads there meanwhile.
        partsTo(Election.Action.AWAIT).forEach(part -> part.next = part.stepAside());
        Map<Object, Landing<V>> own = create(run, namesOf(creating));
        if (own != null) {
            created(own);
        }
        return true;
    }

    /** What this caller gets of a creation that it ran. */
    final void created(Map<Object, Landing<V>> own) {
        own.forEach((name, landing) -> {
            Part part = Objects.requireNonNull(parts.get(name));
            part.next = part.election.created(landing, part.now());
        });
        partsTo(Election.Action.AWAIT).forEach(Part::stepBack);
    }

    private boolean createBehind() {
        List<Part> creating = partsTo(Election.Action.CREATE_BEHIND);
        if (creating.isEmpty()) {
            return false;
        }
        CreationRun<V> run = newRun(creating);
        run.keep();
        try {
            Objects.requireNonNull(lock.options().refreshOn()).execute(run.later(createLater(run, namesOf(creating))));
        } catch (RuntimeException | Error rejected) {
            // As for one name: an executor that cannot start a thread throws an Error.
            run.refused(rejected);
            creating.forEach(part -> part.next = part.election.rejected());
            return true;
        }
        creating.forEach(part -> part.next = part.election.handedOver(part.now()));
        return true;
    }

    private CreationRun<V> newRun(List<Part> creating) {
        Map<N, Slot.Grant<V>> rights = new LinkedHashMap<>();
        Map<Object, Slot.Grant<V>> noRights = new LinkedHashMap<>();
        for (Part part : creating) {
            Slot.Grant<V> right = part.election.grant();
            if (right == null) {
                noRights.put(part.key, CreationRun.orNoRight(null));
            } else {
                rights.put(part.key, right);
            }
        }
        CreationRun<V> run = new CreationRun<>(
                lock.flights(),
                creating.stream().map(Part::flight).toList(),
                lock.options(),
                rights.isEmpty() ? new EachGrant<>(noRights) : byName(slots.together(rights)),
                0);
        creating.forEach(part -> part.begins(run));
        return run;
    }

    private Set<N> namesOf(List<Part> creating) {
        Set<N> names = new LinkedHashSet<>();
        creating.forEach(part -> names.add(part.key));
        return Collections.unmodifiableSet(names);
    }

    /** Looks at the flights of all names that wait. Returns false if there is nothing but to wait. */
    private boolean look() {
        boolean interrupted = isInterrupted();
        boolean went = false;
        for (Part part : partsTo(Election.Action.AWAIT)) {
            part.beginsToWait();
            Election.Action found = part.look();
            if (interrupted && found != Election.Action.RETURN && found != Election.Action.THROW) {
                // Also when its turn has come, or it is to look again: an interrupted waiter never creates.
                found = part.election.interrupted(new InterruptedException(), part.now());
            }
            if (found != null) {
                part.next = found;
                went = true;
            }
        }
        return went;
    }

    /** When to look again if nobody signals. */
    final long lookAt() {
        return partsTo(Election.Action.AWAIT).stream()
                .mapToLong(Part::lookAt)
                .min()
                .orElse(Slot.NEVER);
    }

    /** All that was asked for, in that order, but what a creator left out; or the first failure, if any name has none. */
    final Map<N, Acquired<V>> results() {
        List<Throwable> failures = new ArrayList<>();
        Map<N, Acquired<V>> results = new LinkedHashMap<>();
        parts.forEach((name, part) -> {
            if (part.next == Election.Action.THROW) {
                failures.add(part.failure());
                return;
            }
            Acquired<V> acquired = part.acquired();
            if (part.election.result().kind() != Landing.Kind.OMITTED) {
                results.put(name, acquired);
            }
        });
        if (!failures.isEmpty()) {
            throw BlockingCall.<RuntimeException>sneaky(failures.get(0));
        }
        return results;
    }

    @SuppressWarnings("unchecked") // the flights are entered by the parts of this batch alone
    private Part partOf(Call<V> call) {
        return (Part) call;
    }

    /** The same rights, for a run that knows names and not their type. */
    @SuppressWarnings("unchecked") // asked for the names of this batch alone
    private static <V> Slots.Grants<Object, V> byName(Slots.Grants<?, V> grants) {
        return (Slots.Grants<Object, V>) grants;
    }
}
