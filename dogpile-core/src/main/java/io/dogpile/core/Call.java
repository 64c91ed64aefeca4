package io.dogpile.core;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One caller's way through its {@link Election}: does the actions that the election asks for, in this caller's flight.
 * How a creation is run and how a wait is waited is the drivers' matter.
 */
abstract class Call<V> extends Waiter<V> {
    private final DogpileLock<V> lock;
    private final Object name;
    private final Slot<V> slot;
    final Election<V> election;
    private @Nullable Flight<V> flight;
    private boolean leads;
    private long publicationsBefore;
    private long firstWaitAt = Slot.NEVER;

    Call(DogpileLock<V> lock, Object name, Slot<V> slot, Election.Want want) {
        this.lock = lock;
        this.name = name;
        this.slot = slot;
        this.election = new Election<>(lock.options(), want, slot.readsFree(), name);
    }

    /** Runs the creator of this caller in the run; returns the event that follows, or null if it will come later. */
    abstract Election.@Nullable Action create(CreationRun<V> run);

    /** What the executor of {@code refreshOn} is given to create in the run; it lands the flight, and tells nobody else. */
    abstract Runnable createLater(CreationRun<V> run);

    final Object name() {
        return name;
    }

    final Options<V> options() {
        return lock.options();
    }

    final Flights<V> flights() {
        return lock.flights();
    }

    final long now() {
        return options().time().nanos();
    }

    @Override
    final boolean takesOffers() {
        return election.takesOffers();
    }

    final Flight<V> flight() {
        if (flight == null) {
            throw new IllegalStateException("not in flight: " + election.state());
        }
        return flight;
    }

    final boolean isInFlight() {
        return flight != null;
    }

    /** This caller has entered the flight's queue. */
    final void board(Flight<V> entered) {
        flight = entered;
        leads = entered.isLedBy(this);
    }

    /** Does one action that is neither a wait nor the end; returns the next, or null if it will come later. */
    final Election.@Nullable Action step(Election.Action action) {
        switch (action) {
            case READ:
                return read();
            case ENTER:
                return entered(flights().enter(this, election.joins(), now()));
            case OFFER:
                flight().offer(election.best(), now());
                return election.offered();
            case CLAIM:
                return claim();
            case CREATE:
                return create(begunRun());
            case CREATE_BEHIND:
                return createBehind();
            default:
                throw new IllegalStateException("not a step: " + action);
        }
    }

    private Election.Action read() {
        beforeRead();
        Slot.Seen<V> seen;
        try {
            seen = slot.read();
        } catch (Exception e) {
            return storeFailed(e);
        }
        return election.seen(seen, now());
    }

    /** Notes the publications before the first look, so that one that falls between look and election is known of. */
    final void beforeRead() {
        if (election.state() == Election.State.LOOKING) {
            publicationsBefore = flights().publications(name);
        }
    }

    final Election.Action entered(Flights.Entered how) {
        if (how == Flights.Entered.BUSY) {
            options().told().creationElsewhere(name);
        }
        return election.entered(how, now());
    }

    private Election.Action claim() {
        Slot.Claim<V> claim = backingOff();
        if (claim == null) {
            try {
                claim = election.best().claim(wish());
            } catch (Exception e) {
                return storeFailed(e);
            }
        }
        return claimed(claim);
    }

    /** The refusal of a name that backs off after failures, or null if it may be claimed. */
    final Slot.@Nullable Claim<V> backingOff() {
        long now = now();
        Backoff.Failures failures = flights().backoff().check(name, now);
        return failures == null
                ? null
                : Slot.Claim.backingOff(
                        Duration.ofNanos(failures.until() - now),
                        options().told().render(name) + " backs off after " + failures.inARow()
                                + " failed creations in a row, the last one: " + failures.text());
    }

    /** What this caller wants; who will wait is registered before the claim, so that no publication falls between. */
    final Slot.Wish wish() {
        Slot.Wish wish = election.wish(flights().publications(name) == publicationsBefore);
        if (wish.willWait()) {
            watch();
        }
        return wish;
    }

    final Election.Action claimed(Slot.Claim<V> claim) {
        switch (claim.kind()) {
            case BACKING_OFF -> options().told().backedOff(name, claim.left());
            case HELD -> options().told().creationElsewhere(name);
            default -> {}
        }
        offerNews(claim);
        return election.claimed(claim, flight().isWatchLive(), now());
    }

    /**
     * A value that the store first shows as it answers the claim may do for those who wait, as one that was read. So may one
     * that was taken for expired when it was read: what is known of the store's clock is better now.
     */
    private void offerNews(Slot.Claim<V> claim) {
        Slot.Seen<V> seen = claim.seen();
        if (seen == null || !seen.present()) {
            return;
        }
        Slot.Seen<V> before = election.best();
        boolean tookItForExpired = flight().offered() == null && seen.usableUntil() > before.usableUntil();
        if (seen.version() != before.version() || tookItForExpired) {
            flight().offer(seen, now());
        }
    }

    private void watch() {
        Flight<V> inFlight = flight();
        if (!slot.readsFree() && !inFlight.isWatched()) {
            Slot.Watch watch;
            try {
                watch = slot.watch(pushed -> {
                    if (pushed == null) {
                        inFlight.changed();
                    } else {
                        flights().land(inFlight, Landing.value(pushed.value(), pushed.createdAt()));
                    }
                });
            } catch (RuntimeException notWatched) {
                // Only a help was lost: the timer finds what is not told.
                options().told().storeDown(name, notWatched);
                watch = Slot.Watch.NONE;
            }
            inFlight.own(watch);
        }
    }

    final Election.Action storeFailed(Throwable failure) {
        options().told().storeDown(name, failure);
        return election.storeFailed(failure, now());
    }

    private CreationRun<V> begunRun() {
        CreationRun<V> run = new CreationRun<>(flights(), flight(), options(), election.grant());
        begins(run);
        return run;
    }

    /** The creation of this caller's name is this run's from now on. */
    final void begins(CreationRun<V> run) {
        options().told().elected(name);
        if (election.isDrawn()) {
            options().told().earlyRefresh(name);
        }
        if (!slot.readsFree()) {
            run.sharesItsStore();
        }
        flight().creating(run, run.overdueAt());
        election.used();
    }

    private Election.Action createBehind() {
        CreationRun<V> run = begunRun();
        run.keep();
        try {
            Objects.requireNonNull(options().refreshOn()).execute(run.later(createLater(run)));
        } catch (RuntimeException | Error rejected) {
            // An executor that cannot start a thread throws an Error; the flight must not stay promised to it.
            run.refused(rejected);
            return election.rejected();
        }
        options().told().handedOver(name);
        return election.handedOver(now());
    }

    /** Looks at the flight; returns the action that follows, or null if there is nothing but to wait. */
    final Election.@Nullable Action look() {
        Flight<V> inFlight = flight();
        switch (inFlight.look(this, leads)) {
            case LANDED:
                Landing<V> landing = Objects.requireNonNull(inFlight.landing());
                flight = null;
                leads = false;
                while (inFlight.wakeSome()) {
                    // whoever is awake helps to wake the rest
                }
                // A value is taken whatever the time is, and a crowd that wakes at once need not read the clock.
                return election.landed(landing, landing.kind() == Landing.Kind.VALUE ? election.began() : now());
            case LEAD:
                leads = true;
                return election.lead(now());
            case OFFERED:
                Flight.Offer<V> offer = Objects.requireNonNull(inFlight.offered());
                declined = offer.seen();
                return election.offer(offer, now());
            case LOOK:
                return election.woken(now());
            case NONE:
                break;
        }
        long now = now();
        if (now > inFlight.overdueAt()) {
            flights().expire(inFlight);
            return look();
        }
        return now >= election.wakeAt() ? election.woken(now) : null;
    }

    /** When to look again if nobody signals; a creation that begins while this caller sleeps is not overdue before. */
    final long lookAt() {
        long overdue = flight().overdueAt();
        return Math.min(
                election.wakeAt(),
                overdue == Slot.NEVER ? Stored.deadline(now(), options().maxCreation()) : overdue + 1);
    }

    final void beginsToWait() {
        if (firstWaitAt == Slot.NEVER) {
            firstWaitAt = now();
            options().told().waits(name);
        }
    }

    /** This caller goes on to wait, but has no time to lead until {@link #stepBack}. Returns the action that follows. */
    final Election.Action stepAside() {
        if (flight().stepAside(this)) {
            leads = false;
        }
        return election.steppedAside();
    }

    final void stepBack() {
        flight().stepBack(this);
    }

    /** Leaves whatever this caller is in: hands on, shares what it found, gives back a right that was not used. */
    final void leave() {
        Slot.Grant<V> unused = election.grant();
        if (unused != null) {
            try {
                unused.abandon(null);
                options().told().released(name);
            } catch (Exception notGivenBack) {
                options().told().storeDown(name, notGivenBack);
            }
            options().told().createdMeanwhile(name);
        }
        Flight<V> inFlight = flight;
        if (inFlight != null) {
            flight = null;
            Landing<V> share = election.share();
            if (share != null && leads) {
                flights().land(inFlight, share);
            } else {
                flights().leave(inFlight, this);
            }
        }
    }

    /** The end of a call that got a value. */
    final Acquired<V> acquired() {
        Landing<V> result = election.result();
        Acquired.Origin origin = election.origin();
        if (origin == Acquired.Origin.FRESH && wasThere(result)) {
            options().told().hit(name);
        } else {
            if (origin == Acquired.Origin.STALE) {
                options().told().staleServed(name);
            } else {
                options().told().missed(name);
            }
            tellWait(
                    origin == Acquired.Origin.STALE
                            ? DogpileListener.WaitOutcome.STALE
                            : DogpileListener.WaitOutcome.VALUE);
        }
        return new Acquired<>(Nulls.unmarked(result.value()), result.createdAt(), origin);
    }

    /** Whether the value was there before this call, which waited at most for another's read of it. */
    private boolean wasThere(Landing<V> result) {
        return firstWaitAt == Slot.NEVER
                || (result.kind() == Landing.Kind.SEEN && result.seen().bornAt() < election.began());
    }

    /** The end of a call that got none. */
    final Throwable failure() {
        Throwable failure = election.failure();
        options().told().missed(name);
        if (failure instanceof HardTimeoutException) {
            tellWait(DogpileListener.WaitOutcome.TIMEOUT);
        } else if (failure.getCause() instanceof InterruptedException && failure instanceof DogpileException) {
            tellWait(DogpileListener.WaitOutcome.INTERRUPTED);
        } else {
            tellWait(DogpileListener.WaitOutcome.FAILURE);
        }
        return failure;
    }

    final void tellWait(DogpileListener.WaitOutcome outcome) {
        if (firstWaitAt != Slot.NEVER && options().told().isHeard()) {
            options().told().waited(name, now() - firstWaitAt, outcome);
        }
    }
}
