package io.dogpile.core;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decides, for one call, who creates and who gets what: the one place where DESIGN.md's table of behaviour stands.
 *
 * <pre>
 *               fresh
 *   LOOKING ──────────────────────────────────────────────► DONE
 *      │ stale or absent       stale, and it is busy          ▲
 *      ▼                    ┌─────────────────────────────────┤
 *   ENTERING ───────────────┤ joins                           │
 *      │ leads              └───► FOLLOWING ──landed, offered─┤
 *      │                              │ its turn              │
 *      ▼                              ▼      fresh            │
 *   LEADING ◄──look again── WAITING   LEADING ────────────────┤
 *      │ claim                 ▲                              │
 *      ▼          held         │     not needed, backing off  │
 *   CLAIMING ──────────────────┘ ─────────────────────────────┤
 *      │ granted              fresh after all                 │
 *      ▼                    ┌─────────────────────────────────┤
 *   GRANTED ────────────────┤ creates                         │
 *      │ stale, executor    └───► CREATING ──created, failed──┤
 *      ▼                                                      │
 *   BEHIND ──soft timeout, landed─────────────────────────────┘
 * </pre>
 *
 * <p>From every waiting state the hard deadline and an interrupt lead to DONE as well, and a landing that says "again"
 * back to LOOKING. A store that fails leads, by the policy, to DONE or to CREATING without a right to store. Who finds an
 * offer from before it began reads in FOLLOWING, and waits on if there is nothing for it.
 *
 * <p>Pure: an event goes in, an action comes out; no thread, no I/O, no clock, no lock. A driver does the action and
 * reports the event that it led to: {@link BlockingCall} parks its caller, {@link AsyncCall} completes a future, and the
 * schedule tests replay seeds.
 */
final class Election<V> {
    /** What the driver does next. */
    enum Action {
        /** Read the slot, then {@link #seen} or {@link #storeFailed}. */
        READ,
        /** Enter the name's flight, joining only if {@link #joins}, then {@link #entered}. */
        ENTER,
        /** Show {@link #best()} to those who take a stale value, then {@link #offered}. */
        OFFER,
        /** Claim on {@link #best()}, then {@link #claimed} or {@link #storeFailed}. */
        CLAIM,
        /** Run the creator for this caller, then {@link #created}. */
        CREATE,
        /** Hand the creation to the executor, then {@link #handedOver} or {@link #rejected}. */
        CREATE_BEHIND,
        /** Wait for a signal of the flight, at most until {@link #wakeAt()}, then the event it stands for. */
        AWAIT,
        /** Leave the flight and return {@link #result()}. */
        RETURN,
        /** Leave the flight and throw {@link #failure()}. */
        THROW
    }

    /** Where the call is. */
    enum State {
        LOOKING,
        ENTERING,
        FOLLOWING,
        LEADING,
        CLAIMING,
        WAITING,
        GRANTED,
        CREATING,
        BEHIND,
        DONE
    }

    /** What the caller asked for. */
    enum Want {
        /** A value, fresh or within its wishes. */
        VALUE(false, false),
        /** A value newer than the one there is. */
        NEWER(true, false),
        /** A value, or the news that a creation of several names left this one out. */
        VALUE_OR_NOTHING(false, true),
        /** A value newer than the one there is, or the news that a creation of several names left this one out. */
        NEWER_OR_NOTHING(true, true);

        final boolean newer;
        final boolean orNothing;

        Want(boolean newer, boolean orNothing) {
            this.newer = newer;
            this.orNothing = orNothing;
        }
    }

    /** What a value is to this caller. */
    private enum Verdict {
        ABSENT,
        STALE,
        DRAWN,
        FRESH
    }

    private static final long SHORTEST_POLL = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long LONGEST_POLL = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long SAFETY_POLL = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int POLL_SHARE_OF_WAIT = 4;
    private static final double POLL_JITTER = 0.2;

    private final Options<V> options;
    private final Want want;
    private final boolean readsFree;
    private final Object name;

    private State state = State.LOOKING;
    private long began;
    private double draw;

    /** The best of what was seen, its verdict, and the version that was seen first. */
    private Slot.@Nullable Seen<V> best;

    private Verdict verdict = Verdict.ABSENT;
    private boolean sawOne;
    private long firstVersion;

    private Slot.@Nullable Grant<V> grant;
    private boolean storeDown;
    private long waitingSince;
    private long wakeAt;

    private Acquired.@Nullable Origin origin;
    private @Nullable Landing<V> result;
    private @Nullable Landing<V> share;
    private @Nullable Throwable failure;

    Election(Options<V> options, Want want, boolean readsFree, Object name) {
        this.options = options;
        this.want = want;
        this.readsFree = readsFree;
        this.name = name;
    }

    // Events

    Action begin(long now) {
        began = now;
        draw = options.beta() == 0 ? 0 : -Math.log(1 - options.random().getAsDouble()) * options.beta();
        return look();
    }

    /** The slot was read. */
    Action seen(Slot.Seen<V> seen, long now) {
        storeDown = false;
        judge(seen, now);
        switch (state) {
            case LOOKING:
                return verdict == Verdict.FRESH ? take(best(), Acquired.Origin.FRESH) : enter();
            case LEADING:
                return switch (verdict) {
                    case FRESH -> takeAndShare(best());
                    case DRAWN, STALE -> Action.OFFER;
                    case ABSENT -> claim();
                };
            case FOLLOWING:
                return takesBest() ? takeBest() : await(hardDeadline());
            case GRANTED:
                return decide();
            default:
                throw unexpected("seen");
        }
    }

    Action entered(Flights.Entered how, long now) {
        expect(State.ENTERING, "entered");
        switch (how) {
            case BUSY:
                return takeBest();
            case FOLLOWS:
                state = State.FOLLOWING;
                waitingSince = now;
                return await(hardDeadline());
            case LEADS:
                state = State.LEADING;
                waitingSince = now;
                if (storeDown) {
                    return createWithoutRight();
                }
                return readsFree ? claim() : Action.READ;
        }
        throw unexpected("entered");
    }

    Action offered() {
        expect(State.LEADING, "offered");
        return claim();
    }

    /** The slot answered the claim; {@code pushes} says whether changes will be told. */
    Action claimed(Slot.Claim<V> claim, boolean pushes, long now) {
        expect(State.CLAIMING, "claimed");
        Slot.Seen<V> seen = claim.seen();
        if (seen != null) {
            judge(seen, now);
        }
        switch (claim.kind()) {
            case GRANTED:
                grant = claim.grant();
                state = State.GRANTED;
                return seen == null ? Action.READ : decide();
            case NOT_NEEDED:
                return takeAndShare(best());
            case HELD:
                if (takesBest()) {
                    return takeBest();
                }
                state = State.WAITING;
                return await(Math.min(hardDeadline(), nextPoll(claim, pushes, now)));
            case BACKING_OFF:
                if (takesBest()) {
                    return takeBest();
                }
                CreationException backingOff = new CreationException(claim.why(), claim.left());
                share = Landing.failure(backingOff);
                return fail(backingOff);
        }
        throw unexpected("claimed");
    }

    /** The creation that this caller ran ended. */
    Action created(Landing<V> own, long now) {
        expect(State.CREATING, "created");
        if (own.kind() != Landing.Kind.FAILURE) {
            return take(own, Acquired.Origin.CREATED);
        }
        return serveOrFail(own.failure(), now);
    }

    /** The executor took the creation. */
    Action handedOver(long now) {
        expect(State.GRANTED, "handedOver");
        if (verdict == Verdict.DRAWN || options.softTimeout() == 0) {
            return takeBest();
        }
        state = State.BEHIND;
        waitingSince = now;
        return await(Math.min(hardDeadline(), Stored.deadline(now, options.softTimeout())));
    }

    /** The executor refused the creation. */
    Action rejected() {
        expect(State.GRANTED, "rejected");
        return takeBest();
    }

    /** The flight landed while this caller waited. */
    Action landed(Landing<V> landing, long now) {
        switch (landing.kind()) {
            case VALUE:
                return take(landing, state == State.BEHIND ? Acquired.Origin.CREATED : Acquired.Origin.FRESH);
            case SEEN:
                if (want.newer) {
                    // It may have been read before this call began, and then the next to be read is not news.
                    return lookAgain(now);
                }
                judge(landing.seen(), now);
                return takesBest() ? takeBest() : lookAgain(now);
            case FAILURE:
                return serveOrFail(landing.failure(), now);
            case OMITTED:
                return want.orNothing ? take(landing, Acquired.Origin.FRESH) : lookAgain(now);
            case AGAIN:
                return lookAgain(now);
        }
        throw unexpected("landed");
    }

    /**
     * A value was offered. Where that was before this call began, others may have invalidated or replaced it meanwhile; so
     * the caller looks for itself, and need not wait for it. A follower does so, too, if it has expired since.
     */
    Action offer(Flight.Offer<V> offered, long now) {
        judge(offered.seen(), now);
        if (state == State.BEHIND) { // what is stale does after the soft timeout, and it may be this caller's own offer
            return verdict != Verdict.STALE && takesBest() ? takeBest() : await(wakeAt);
        }
        boolean before = offered.at() < began;
        if (takesBest()) {
            if (!before) {
                return takeBest();
            }
            if (state == State.WAITING) {
                state = State.LEADING;
            }
            return Action.READ;
        }
        boolean expired = options.takesStale() && now > offered.seen().usableUntil();
        boolean looks = before && expired && state == State.FOLLOWING && now < hardDeadline();
        return looks ? Action.READ : await(wakeAt);
    }

    /** Another leads while this caller, which waits, is busy with other names. */
    Action steppedAside() {
        if (state != State.WAITING) {
            return Action.AWAIT;
        }
        state = State.FOLLOWING;
        return await(hardDeadline());
    }

    /** It is this caller's turn to lead. */
    Action lead(long now) {
        state = State.LEADING;
        waitingSince = now;
        return Action.READ;
    }

    /** The time of {@link #wakeAt()} came, or the store told of a change. */
    Action woken(long now) {
        if (now >= hardDeadline()) {
            return late(now);
        }
        if (state == State.BEHIND && now >= wakeAt) {
            judgeAgain(now);
            return takesBest() ? takeBest() : await(hardDeadline());
        }
        if (state == State.WAITING) {
            state = State.LEADING;
            return Action.READ;
        }
        return await(wakeAt);
    }

    Action interrupted(InterruptedException interrupt, long now) {
        return serveOrFail(
                new DogpileException(
                        "Interrupted while waiting for " + rendered() + ", which another creates", interrupt),
                now);
    }

    /** The store did not answer, or the lock did not. */
    Action storeFailed(Throwable cause, long now) {
        judgeAgain(now);
        if (takesBest()) {
            return takeBest();
        }
        if (options.whenDown() == WhenDown.FAIL) {
            Throwable down =
                    new DogpileException("The store or the lock of " + rendered() + " could not be reached", cause);
            share = Landing.failure(down);
            return fail(down);
        }
        switch (state) {
            case LOOKING:
                storeDown = true;
                return enter();
            case FOLLOWING:
                return await(hardDeadline());
            case GRANTED:
                state = State.CREATING;
                return Action.CREATE;
            default:
                return createWithoutRight();
        }
    }

    // What the driver asks

    State state() {
        return state;
    }

    /** Whether an existing flight is joined: not by a caller who takes what it has. */
    boolean joins() {
        return !takesBest();
    }

    /**
     * Whether a value that another offers may do. What is stale to one who refreshes, or whose limit is shorter, may be
     * fresh to a caller who never takes a stale one.
     */
    boolean takesOffers() {
        return !want.newer;
    }

    Slot.Seen<V> best() {
        if (best == null) {
            throw unexpected("best");
        }
        return best;
    }

    Slot.Wish wish(boolean undisturbed) {
        Slot.Wish.Reason reason = want.newer
                ? Slot.Wish.Reason.REFRESH
                : verdict == Verdict.DRAWN ? Slot.Wish.Reason.EARLY : Slot.Wish.Reason.NEEDED;
        long maxAge = options.maxAge() == Options.UNSET ? Slot.NEVER : options.maxAge();
        return new Slot.Wish(reason, maxAge, !takesBest(), undisturbed && verdict != Verdict.ABSENT);
    }

    boolean isDrawn() {
        return verdict == Verdict.DRAWN;
    }

    /** The right that was granted and not yet used. */
    Slot.@Nullable Grant<V> grant() {
        return grant;
    }

    /** The right is the creation's from now on: a caller that is cancelled meanwhile must not give it back. */
    void used() {
        grant = null;
    }

    long wakeAt() {
        return wakeAt;
    }

    long began() {
        return began;
    }

    /** What those who wait are given when this caller leaves; null if nothing. */
    @Nullable
    Landing<V> share() {
        return share;
    }

    Acquired.Origin origin() {
        if (origin == null) {
            throw unexpected("origin");
        }
        return origin;
    }

    Landing<V> result() {
        if (result == null) {
            throw unexpected("result");
        }
        return result;
    }

    Throwable failure() {
        if (failure == null) {
            throw unexpected("failure");
        }
        return failure;
    }

    // The table

    private Action lookAgain(long now) {
        return now >= hardDeadline() ? late(now) : look();
    }

    private Action look() {
        if (readsFree) {
            state = State.LOOKING;
            return Action.READ;
        }
        return enter();
    }

    private Action enter() {
        state = State.ENTERING;
        return Action.ENTER;
    }

    private Action claim() {
        state = State.CLAIMING;
        return Action.CLAIM;
    }

    private Action await(long until) {
        wakeAt = until;
        return Action.AWAIT;
    }

    /** What was seen decides: the right is held. */
    private Action decide() {
        if (verdict == Verdict.FRESH) {
            return takeAndShare(best());
        }
        if (options.refreshOn() != null && takesBest()) {
            return Action.CREATE_BEHIND;
        }
        state = State.CREATING;
        return Action.CREATE;
    }

    private Action createWithoutRight() {
        state = State.CREATING;
        return Action.CREATE;
    }

    private Action serveOrFail(Throwable cause, long now) {
        judgeAgain(now);
        return takesBest() ? takeBest() : fail(cause);
    }

    private Action late(long now) {
        return serveOrFail(
                new HardTimeoutException(rendered() + ": no value within " + TimeUnit.NANOSECONDS.toMillis(now - began)
                        + " ms; another creates it still"),
                now);
    }

    private Action takeBest() {
        return take(best(), verdict == Verdict.STALE ? Acquired.Origin.STALE : Acquired.Origin.FRESH);
    }

    private Action takeAndShare(Slot.Seen<V> fresh) {
        share = Landing.seen(fresh);
        return take(share, Acquired.Origin.FRESH);
    }

    private Action take(Slot.Seen<V> seen, Acquired.Origin how) {
        return take(Landing.seen(seen), how);
    }

    private Action take(Landing<V> landing, Acquired.Origin how) {
        state = State.DONE;
        result = landing;
        origin = how;
        return Action.RETURN;
    }

    private Action fail(Throwable cause) {
        state = State.DONE;
        failure = cause;
        return Action.THROW;
    }

    /** Whether the best that was seen ends this call where it would otherwise wait. */
    private boolean takesBest() {
        return switch (verdict) {
            case FRESH, DRAWN -> true;
            case STALE -> options.takesStale() && !want.newer;
            case ABSENT -> false;
        };
    }

    /** Time has passed since the best was judged. */
    private void judgeAgain(long now) {
        if (best != null) {
            verdict = verdict(best, now);
        }
    }

    private void judge(Slot.Seen<V> seen, long now) {
        best = seen;
        verdict = verdict(seen, now);
        if (!sawOne) {
            sawOne = true;
            firstVersion = seen.version();
        }
    }

    private Verdict verdict(Slot.Seen<V> seen, long now) {
        if (now > options.usableUntil(seen.present(), seen.bornAt(), seen.usableUntil())) {
            return Verdict.ABSENT;
        }
        boolean another = sawOne && seen.version() != firstVersion;
        if (want.newer) {
            return another ? Verdict.FRESH : Verdict.STALE;
        }
        boolean bornWhileWaiting = another && seen.bornAt() >= began;
        if (now > freshUntil(seen) && !bornWhileWaiting) {
            return Verdict.STALE;
        }
        return isDrawnFor(seen, now) ? Verdict.DRAWN : Verdict.FRESH;
    }

    /** Early refresh (XFetch: Vattani, Chierichetti, Lowenstein, 2015), never drawn while far from the end. */
    private boolean isDrawnFor(Slot.Seen<V> seen, long now) {
        long left = freshUntil(seen) - now;
        return left < options.drawZone(seen.costNanos()) && left < draw * seen.costNanos();
    }

    private long freshUntil(Slot.Seen<V> seen) {
        return options.freshUntil(seen.bornAt(), seen.freshUntil());
    }

    private long hardDeadline() {
        return Stored.deadline(began, options.hardTimeout());
    }

    /** Polls grow with the wait, so that they stay few, and are jittered, so that JVMs do not poll in step. */
    private long nextPoll(Slot.Claim<V> claim, boolean pushes, long now) {
        long delay = pushes
                ? SAFETY_POLL
                : Math.max(SHORTEST_POLL, Math.min(LONGEST_POLL, (now - waitingSince) / POLL_SHARE_OF_WAIT));
        delay += (long) (delay * POLL_JITTER * options.random().getAsDouble());
        long left = Stored.nanos(claim.left());
        return now + (left > 0 ? Math.min(delay, left + SHORTEST_POLL) : delay);
    }

    /** Made only for a message. */
    private String rendered() {
        return options.told().render(name);
    }

    private void expect(State expected, String event) {
        if (state != expected) {
            throw unexpected(event);
        }
    }

    private IllegalStateException unexpected(String event) {
        return new IllegalStateException("'" + event + "' in state " + state);
    }
}
