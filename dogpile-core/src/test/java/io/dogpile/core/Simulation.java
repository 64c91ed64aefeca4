package io.dogpile.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Plays schedules of one name on one thread: three or more callers in one to three JVMs, each at its own step, and
 * between any two of their steps whatever the seed says. What is real: elections, flights, calls, creation runs, back-off,
 * renewal, leased slots, cells, gates. What is simulated: threads, time, executors, the shared store, and the faults.
 *
 * <p>Within a round trip, before and after it takes effect, other events may come too; so a caller is also overtaken
 * between its read and what follows from it.
 *
 * <p>A schedule ends by itself: after its events, whatever can go on goes on, time moves only when nothing else can, and
 * all callers must end. All is drawn from the seed, so a seed is a schedule.
 */
final class Simulation {
    private static final long MS = 1_000_000L;
    private static final long STALE_AFTER = 200 * MS;
    private static final long EXPIRE_AFTER = 500 * MS;
    private static final long LEASE = 90 * MS;
    private static final long MAX_CREATION = 150 * MS;
    private static final long SOFT_TIMEOUT = 20 * MS;
    private static final long MAX_AGE = 60 * MS;
    private static final long START = 10_000 * MS;
    private static final long UNTIL_FAILURES_ARE_FORGOTTEN = 120_000 * MS;
    private static final long[] HARD_TIMEOUTS = {100 * MS, 150 * MS, 400 * MS, 1_000 * MS};
    private static final long[] SHORT_STEPS = {1, MS, 5 * MS, 20 * MS};
    private static final long[] LONG_STEPS = {35 * MS, 60 * MS, 95 * MS, 160 * MS, 210 * MS, 600 * MS};

    static final int FEWEST_CALLERS = 3;
    static final int FEWEST_EVENTS = 20;
    private static final int MOST_CALLERS = 9;
    private static final int MOST_AT_ONCE = 6;
    private static final int MOST_EVENTS = 6_000;
    private static final int DEEPEST = 2;
    private static final int NOT_YET = Integer.MAX_VALUE;
    private static final String NAME = "name";

    /** What grants the right, and where the value lives. */
    private enum Kind {
        /** A cell and no lock: the flights of the one JVM are lock enough. */
        LOCAL,
        /** A store without rights beside the gates of this process, which do not end by time. */
        GATED,
        /** A store without rights beside a lock whose leases end. */
        LEASED,
        /** A store that compares the right as it writes. */
        NATIVE
    }

    // What may go wrong in a schedule, as bits
    private static final int INVALIDATION = 1;
    private static final int PUT = 1 << 1;
    private static final int INTERRUPT = 1 << 2;
    private static final int CANCEL = 1 << 3;
    private static final int STORE_DOWN = 1 << 4;
    private static final int CREATOR_FAILS = 1 << 5;
    private static final int REJECTION = 1 << 6;
    private static final int PUSH_LOST = 1 << 7;
    private static final int SLOWNESS = 1 << 8;
    private static final int DRAFTING = 1 << 9;
    private static final int ALL_FAULTS = (1 << 10) - 1;

    // Events, above their index
    private static final int STEP = 0;
    private static final int BEGIN = 1 << 8;
    private static final int COMPLETE = 2 << 8;
    private static final int EXECUTE = 3 << 8;
    private static final int RENEW = 4 << 8;
    private static final int RING = 5 << 8;
    private static final int DELIVER = 6 << 8;
    private static final int PASS_TIME = 7 << 8;
    private static final int INVALIDATE = 8 << 8;
    private static final int PUT_VALUE = 9 << 8;
    private static final int INTERRUPT_ONE = 10 << 8;
    private static final int CANCEL_ONE = 11 << 8;
    private static final int INDEX = 255;

    /** A forbidden outcome. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        final Outcome outcome;

        Violation(Outcome outcome, String detail) {
            super("FORBIDDEN " + outcome + " (" + outcome.why + ")" + (detail.isEmpty() ? "" : ": " + detail));
            this.outcome = outcome;
        }
    }

    /** What a store throws that cannot be reached. */
    private static final class StoreDown extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StoreDown() {
            super("store down", null, false, false);
        }
    }

    /** What a creator throws. */
    private static final class Boom extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Boom() {
            super("boom", null, false, false);
        }
    }

    private static final class CheckedBoom extends Exception {
        private static final long serialVersionUID = 1L;

        CheckedBoom() {
            super("checked boom", null, false, false);
        }
    }

    private static final class ErrorBoom extends Error {
        private static final long serialVersionUID = 1L;

        ErrorBoom() {
            super("error boom", null, false, false);
        }
    }

    private static final StoreDown DOWN = new StoreDown();
    private static final RejectedExecutionException REJECTED = new RejectedExecutionException("by the simulation");
    private static final InterruptedException STOP = new InterruptedException("by the simulation");

    /** A value, and its history in event numbers. */
    private static final class Made {
        final int number;
        final @Nullable Caller by;
        int began;
        int created = NOT_YET;
        /** When its creation, or its put, was over and known. */
        int settled = NOT_YET;

        int stored = NOT_YET;
        int pushed;
        int granted;
        long storedAt;
        long freshUntil = Long.MIN_VALUE;
        long usableUntil = Long.MIN_VALUE;
        Slot.Published.@Nullable Outcome outcome;

        Made(int number, @Nullable Caller by, int began) {
            this.number = number;
            this.by = by;
            this.began = began;
        }

        @Override
        public String toString() {
            return "v" + number;
        }
    }

    /** An invalidation, or a put. */
    private static final class Change {
        final int jvm;
        final int began;
        int ended = NOT_YET;

        Change(int jvm, int began) {
            this.jvm = jvm;
            this.began = began;
        }
    }

    /** A creator that runs. */
    private static final class Running {
        final Made made;
        final CreationRun<Made> run;
        final Flight<Made> flight;
        final @Nullable Right right;
        final int jvm;
        final CompletableFuture<Made> future = new CompletableFuture<>();
        boolean ended;
        boolean completing;

        Running(Made made, CreationRun<Made> run, Flight<Made> flight, @Nullable Right right, int jvm) {
            this.made = made;
            this.run = run;
            this.flight = flight;
            this.right = right;
            this.jvm = jvm;
        }
    }

    /** A creation in the queue of an executor. */
    private static final class Queued {
        final @Nullable CreationRun<Made> run;
        private final Runnable task;

        Queued(@Nullable CreationRun<Made> run, Runnable task) {
            this.run = run;
            this.task = task;
        }
    }

    /** One caller: its wishes, and the slot through which it alone looks. */
    private final class Caller implements SimCall.Creations<Made> {
        final int number;
        final int jvm;
        int began;
        long beganAt;
        final boolean refresh;
        final boolean takesStale;
        final long maxAge;
        final Looker slot = new Looker(this);
        final SimCall<Made> call;
        boolean interrupted;
        boolean handedOver;
        boolean followed;
        boolean offered;

        Caller(int number, int jvm, DogpileLock<Made> lock, boolean refresh) {
            this.number = number;
            this.jvm = jvm;
            this.refresh = refresh;
            this.takesStale = lock.options().takesStale() && !refresh;
            this.maxAge = lock.options().maxAge();
            this.call = new SimCall<>(lock, NAME, slot, refresh ? Election.Want.NEWER : Election.Want.VALUE, this);
        }

        @Override
        public CompletionStage<Made> begin(CreationRun<Made> run, Flight<Made> flight) throws Exception {
            return creatorCalled(this, run, flight);
        }

        @Override
        public String toString() {
            return "caller " + number + " of jvm " + jvm;
        }
    }

    private final SimTime time = new SimTime();
    private final SimStore<Made> store = new SimStore<>(time);
    private final Hearing hearing = new Hearing();
    private final ArrayList<Caller> callers = new ArrayList<>();
    private final ArrayList<Running> running = new ArrayList<>();
    private final ArrayList<Queued> tasks = new ArrayList<>();
    private final ArrayList<Runnable> renewals = new ArrayList<>();
    private final ArrayList<Change> changes = new ArrayList<>();
    private final ArrayList<Right> rights = new ArrayList<>();
    private final ArrayList<HeldLease> leases = new ArrayList<>();
    private final ArrayList<Throwable> boomed = new ArrayList<>();
    private final ArrayList<@Nullable DogpileLock<Made>> locks = new ArrayList<>();
    private final int[] choices = new int[128];
    private final long[] counts = new long[Outcome.values().length];
    private @Nullable StringBuilder trace;

    private long rng;
    private int now;
    private int events;
    private int depth;
    private int begunCalls;
    private int mades;
    private boolean winding;
    private Kind kind = Kind.LOCAL;
    private int jvms;
    private int faults;
    private boolean freeReads;
    /** The store knows nothing of rights: only the lease stands against a late write. */
    private boolean plain;

    private boolean refreshesBehind;
    private boolean soft;
    private boolean staleEnds;
    private boolean expires;
    private WhenDown whenDown = WhenDown.CREATE;
    private double beta;
    private long hardTimeout;
    private Cell<Made> cell = new Cell<>(time, NAME);
    private Slot<Made> shared = store;
    private @Nullable LockProvider gates;
    private @Nullable HeldLease holder;
    private int tokens;
    private int excuses;
    private int invalidated;
    private @Nullable Violation violated;
    private @Nullable Caller stepping;

    /** How often each outcome was seen. */
    long count(Outcome outcome) {
        return counts[outcome.ordinal()];
    }

    /** Plays the schedule of a seed. Returns the number of its events; throws a violation with the seed and the trace. */
    int play(long seed) {
        try {
            return schedule(seed, null);
        } catch (AssertionError | RuntimeException first) {
            throw replayed(seed, first);
        }
    }

    /** What happened in the schedule of a seed, event by event. */
    String traceOf(long seed) {
        StringBuilder lines = new StringBuilder();
        schedule(seed, lines);
        return lines.toString();
    }

    private AssertionError replayed(long seed, Throwable first) {
        StringBuilder lines = new StringBuilder();
        try {
            schedule(seed, lines);
            lines.append("(the replay ended well: the schedule is not drawn from its seed alone)\n");
        } catch (AssertionError | RuntimeException again) {
            lines.append(again).append('\n');
        }
        return new AssertionError(
                (violated == null ? first : violated).getMessage() + "\nseed " + seed + ", to be played alone by -D"
                        + ScheduleTest.SEED + "=" + seed + "\n" + lines,
                first);
    }

    private int schedule(long seed, @Nullable StringBuilder lines) {
        trace = lines;
        set(seed);
        int enough = FEWEST_EVENTS + pick(16);
        while (events < enough) {
            event();
        }
        winding = true;
        windUp();
        check(changes.size() < NOT_YET, Outcome.NEVER_ENDS, "");
        leftBehind();
        if (pick(4) == 0) {
            callAlone();
        }
        return events;
    }

    int callersOfLast() {
        return begunCalls;
    }

    // The world of a schedule

    private void set(long seed) {
        rng = seed * 0x9E3779B97F4A7C15L + 0x1234567;
        time.reset(START);
        store.reset();
        callers.clear();
        running.clear();
        tasks.clear();
        renewals.clear();
        changes.clear();
        rights.clear();
        leases.clear();
        boomed.clear();
        locks.clear();
        now = 0;
        events = 0;
        depth = 0;
        begunCalls = 0;
        mades = 0;
        tokens = 0;
        excuses = 0;
        invalidated = 0;
        violated = null;
        stepping = null;
        winding = false;
        holder = null;

        kind = drawKind();
        jvms = kind == Kind.LOCAL ? 1 : 1 + pick(3);
        int some = random();
        faults = pick(4) == 0 ? 0 : (some & random() & ALL_FAULTS) | (1 << pick(10));
        freeReads = kind == Kind.LOCAL || (kind != Kind.NATIVE && pick(2) == 0);
        plain = (kind == Kind.LEASED || kind == Kind.GATED) && !has(INVALIDATION) && !has(PUT) && pick(2) == 0;
        refreshesBehind = pick(5) < 2;
        soft = refreshesBehind && pick(2) == 0;
        staleEnds = pick(4) != 0;
        expires = pick(2) == 0;
        whenDown = pick(3) == 0 ? WhenDown.FAIL : WhenDown.CREATE;
        beta = pick(4) == 0 ? 5 : 0;
        hardTimeout = HARD_TIMEOUTS[pick(HARD_TIMEOUTS.length)];
        for (int jvm = 0; jvm < jvms; jvm++) {
            locks.add(lock(seed + jvm));
        }
        gates = kind == Kind.GATED ? new LocalLockProvider() : null;
        cell = new Cell<>(time, NAME);
        store.pushing = pick(2) == 0;
        store.saysItPushes = pick(2) == 0;
        store.looksUnderTheRight = pick(2) == 0;
        store.tellsWhatIsLeft = pick(2) == 0;
        store.leaseNanos = LEASE;
        store.lease = Duration.ofNanos(LEASE);
        shared = kind == Kind.NATIVE
                ? store
                : new LeasedSlot<>(
                        new Shelf(),
                        freeReads,
                        NAME,
                        kind == Kind.LOCAL ? null : new Leases(),
                        Duration.ofNanos(LEASE));
        if (pick(3) != 0) {
            Made first = new Made(++mades, null, 0);
            first.created = 0;
            first.settled = 0;
            putIntoStore(first);
            time.moveTo(START + drawAge());
        }
        if (trace != null) {
            note(kind + ", " + jvms + " JVMs, faults " + Integer.toBinaryString(faults)
                    + (freeReads ? ", free reads" : "")
                    + (refreshesBehind ? ", refresh behind" : "") + (soft ? ", soft timeout" : "")
                    + (staleEnds ? ", stale after " + STALE_AFTER / MS : "")
                    + (expires ? ", expires after " + EXPIRE_AFTER / MS : "") + ", " + whenDown + " when down, beta "
                    + beta + ", hard timeout " + hardTimeout / MS + ", value " + inStore());
        }
    }

    private Kind drawKind() {
        int of20 = pick(20);
        return of20 < 8 ? Kind.LOCAL : of20 < 10 ? Kind.GATED : of20 < 13 ? Kind.LEASED : Kind.NATIVE;
    }

    private long drawAge() {
        return switch (pick(4)) {
            case 0 -> 0;
            case 1 -> STALE_AFTER - MS;
            case 2 -> STALE_AFTER + MS;
            default -> EXPIRE_AFTER - 5 * MS;
        };
    }

    private DogpileLock<Made> lock(long seed) {
        DogpileLock.Builder<Made> builder = DogpileLock.<Made>builder()
                .clock(time)
                .seed(seed)
                .listener(hearing)
                .hardTimeout(Duration.ofNanos(hardTimeout))
                .lock(null, Duration.ofNanos(LEASE))
                .maxCreation(Duration.ofNanos(MAX_CREATION))
                .whenDown(whenDown)
                .earlyRefresh(beta)
                .renewOn(this::renewSoon);
        if (staleEnds) {
            builder.staleAfter(Duration.ofNanos(STALE_AFTER));
        }
        if (expires) {
            builder.expireAfter(Duration.ofNanos(EXPIRE_AFTER));
        }
        if (refreshesBehind) {
            builder.refreshOn(this::createSoon);
            if (soft) {
                builder.softTimeout(Duration.ofNanos(SOFT_TIMEOUT));
            }
        }
        if (has(DRAFTING)) {
            builder.drafting(this::draft);
        }
        return builder.build();
    }

    private Slot.Draft<Made> draft(Object name, Made made, Duration cost) {
        if (!winding) {
            switch (pick(4)) {
                case 0 -> {
                    saw(Outcome.DRAFT_FAILED);
                    throw new Boom();
                }
                case 1 -> {
                    saw(Outcome.HANDED_ON_AND_NOT_KEPT);
                    return drafted(made, cost, false);
                }
                default -> {}
            }
        }
        return drafted(made, cost, true);
    }

    private Slot.Draft<Made> drafted(Made made, Duration cost, boolean keep) {
        return new Slot.Draft<>(made, staleAfter(), expireAfter(), cost, keep);
    }

    private Duration staleAfter() {
        return Duration.ofNanos(staleEnds ? STALE_AFTER : expires ? EXPIRE_AFTER : Slot.NEVER);
    }

    private Duration expireAfter() {
        return Duration.ofNanos(expires ? EXPIRE_AFTER : Slot.NEVER);
    }

    private DogpileLock<Made> lockOf(int jvm) {
        DogpileLock<Made> lock = locks.get(jvm);
        if (lock == null) {
            throw new IllegalStateException();
        }
        return lock;
    }

    private static final UnaryOperator<DogpileLock.Builder<Made>> NEVER_STALE = DogpileLock.Builder::neverStale;
    private static final UnaryOperator<DogpileLock.Builder<Made>> YOUNG =
            builder -> builder.staleAfter(Duration.ofNanos(MAX_AGE));

    private Caller call() {
        int jvm = pick(jvms);
        DogpileLock<Made> lock = lockOf(jvm);
        boolean refresh = false;
        switch (pick(10)) {
            case 0 -> lock = lock.with(NEVER_STALE);
            case 1 -> lock = lock.with(YOUNG);
            case 2 -> refresh = true;
            default -> {}
        }
        Caller caller = new Caller(++begunCalls, jvm, lock, refresh);
        callers.add(caller);
        if (trace != null) {
            note("begins " + caller + (refresh ? ", refresh" : "") + (caller.takesStale ? "" : ", never stale")
                    + (caller.maxAge == Options.UNSET ? "" : ", max age " + caller.maxAge / MS));
        }
        return caller;
    }

    // The scheduler

    private void event() {
        int choice = choose();
        if (choice < 0 && depth > 0) {
            return;
        }
        if (choice < 0) {
            check(winding, Outcome.NEVER_ENDS, "nothing can happen");
            passTime();
        } else {
            happen(choice & ~INDEX, choice & INDEX);
        }
        events++;
        if (violated != null) {
            throw violated;
        }
        if (depth == 0) {
            checkSleepers();
        }
    }

    private int choose() {
        int size = 0;
        int parked = -1;
        for (int i = 0; i < callers.size(); i++) {
            SimCall<Made> call = callers.get(i).call;
            if (call.isEnabled()) {
                choices[size++] = STEP | i;
                choices[size++] = STEP | i;
            }
            if (call.isParked() && (parked < 0 || pick(2) == 0)) {
                parked = i;
            }
        }
        for (int i = 0; i < running.size(); i++) {
            if (!running.get(i).completing) {
                choices[size++] = COMPLETE | i;
            }
        }
        for (int i = 0; i < tasks.size(); i++) {
            choices[size++] = EXECUTE | i;
        }
        for (int i = 0; i < renewals.size(); i++) {
            choices[size++] = RENEW | i;
        }
        for (int i = 0; i < time.alarms(); i++) {
            if (time.isDue(i)) {
                choices[size++] = RING | i;
            }
        }
        for (int i = 0; i < store.pushes.size() && i < 8; i++) {
            choices[size++] = DELIVER | i;
        }
        if (!winding) {
            size = chooseMore(size, parked);
        }
        return size == 0 ? -1 : choices[pick(size)];
    }

    private int chooseMore(int from, int parked) {
        int size = from;
        if (callers.size() < MOST_AT_ONCE && begunCalls < MOST_CALLERS) {
            choices[size++] = BEGIN;
            choices[size++] = BEGIN;
        }
        choices[size++] = PASS_TIME;
        if (has(SLOWNESS)) {
            choices[size++] = PASS_TIME;
        }
        if (changes.size() < 3) {
            if (has(INVALIDATION)) {
                choices[size++] = INVALIDATE;
            }
            if (has(PUT)) {
                choices[size++] = PUT_VALUE;
            }
        }
        if (parked >= 0) {
            if (has(INTERRUPT)) {
                choices[size++] = INTERRUPT_ONE | parked;
            }
            if (has(CANCEL)) {
                choices[size++] = CANCEL_ONE | parked;
            }
        }
        return size;
    }

    private void happen(int what, int index) {
        switch (what) {
            case STEP -> step(callers.get(index));
            case BEGIN -> call();
            case COMPLETE -> complete(running.get(index));
            case EXECUTE -> {
                note("the executor runs");
                tasks.remove(index).task.run();
            }
            case RENEW -> {
                note("a renewal");
                renewals.remove(index).run();
            }
            case RING -> {
                note("an alarm");
                time.ring(index);
            }
            case DELIVER -> deliver(store.pushes.remove(index));
            case PASS_TIME -> letTimePass();
            case INVALIDATE -> change(false);
            case PUT_VALUE -> change(true);
            case INTERRUPT_ONE -> {
                Caller caller = callers.get(index);
                note("interrupts", caller);
                caller.interrupted = true;
                caller.call.interrupt();
            }
            case CANCEL_ONE -> cancel(callers.get(index));
            default -> throw new IllegalStateException();
        }
    }

    /** Other events that come within a round trip. */
    private void overtaken() {
        if (depth < DEEPEST && pick(12) == 0) {
            depth++;
            event();
            if (pick(2) == 0) {
                event();
            }
            depth--;
        }
    }

    private void step(Caller caller) {
        SimCall<Made> call = caller.call;
        Election.State state = call.election.state();
        boolean late = isLate(caller, state);
        if (call.next() == null) {
            caller.began = ++now;
            caller.beganAt = time.nanos();
        }
        if (trace != null) {
            note("steps " + caller + ", " + state + (call.next() == null ? "" : ": " + call.next()));
        }
        Caller outer = stepping;
        stepping = caller;
        call.step();
        stepping = outer;
        Election.State after = call.election.state();
        if (late && after != state && after != Election.State.DONE) {
            throw violation(Outcome.CREATED_FOR_A_DEADLINE, caller + " went on to " + after);
        }
        caller.handedOver |= after == Election.State.BEHIND;
        caller.followed |= after == Election.State.FOLLOWING || after == Election.State.WAITING;
        caller.offered |= call.declined != null;
        if (call.isEnded()) {
            callers.remove(caller);
            ended(caller);
        } else if (call.isParked()) {
            checkParked(caller);
        }
    }

    private boolean isLate(Caller caller, Election.State state) {
        SimCall<Made> call = caller.call;
        return call.next() == Election.Action.AWAIT
                && (state == Election.State.FOLLOWING || state == Election.State.WAITING)
                && time.nanos() >= caller.beganAt + hardTimeout
                && call.flight().landing() == null
                && !(state == Election.State.FOLLOWING && call.flight().isLedBy(call));
    }

    private void cancel(Caller caller) {
        SimCall<Made> call = caller.call;
        note("cancels", caller);
        boolean leads =
                call.isInFlight() && call.flight().isLedBy(call) && call.election.state() == Election.State.WAITING;
        saw(
                call.isCreating()
                        ? Outcome.CANCELLED_CREATOR
                        : leads ? Outcome.CANCELLED_LEADER : Outcome.CANCELLED_FOLLOWER);
        callers.remove(caller);
        call.cancel();
        if (call.queued) {
            throw violation(Outcome.LEFT_IN_THE_QUEUE, "cancelled " + caller);
        }
    }

    private void letTimePass() {
        long next = nextDeadline();
        int how = pick(8);
        long to = time.nanos();
        if (how < 2 && next != Slot.NEVER) {
            to = Math.max(to, next) + how;
        } else if (how < 6 || !has(SLOWNESS)) {
            to += SHORT_STEPS[pick(SHORT_STEPS.length)];
        } else {
            to += LONG_STEPS[pick(LONG_STEPS.length)];
        }
        time.moveTo(to);
        if (trace != null) {
            note("time passes");
        }
    }

    /** Nothing else can happen: somebody's timer must be set. */
    private void passTime() {
        long next = nextDeadline();
        check(next != Slot.NEVER, Outcome.NEVER_ENDS, "nobody has a timer");
        time.moveTo(Math.max(time.nanos(), next));
        note("time passes");
    }

    private long nextDeadline() {
        long next = time.nextAlarm();
        for (int i = 0; i < callers.size(); i++) {
            SimCall<Made> call = callers.get(i).call;
            if (call.isParked()) {
                next = Math.min(next, call.until());
            }
        }
        return next;
    }

    private void windUp() {
        note("winds up");
        while (begunCalls < FEWEST_CALLERS || !isQuiet()) {
            if (begunCalls < FEWEST_CALLERS && (isQuiet() || pick(2) == 0)) {
                call();
            }
            event();
            if (!(events < MOST_EVENTS)) {
                throw violation(Outcome.NEVER_ENDS, "busy for " + events + " events");
            }
        }
    }

    private boolean isQuiet() {
        return callers.isEmpty()
                && running.isEmpty()
                && tasks.isEmpty()
                && renewals.isEmpty()
                && store.pushes.isEmpty();
    }

    /** A caller who comes when all is over, and finds no fault, gets a value. */
    private void callAlone() {
        faults = 0;
        time.moveTo(time.nanos() + UNTIL_FAILURES_ARE_FORGOTTEN);
        int jvm = pick(jvms);
        Caller alone = new Caller(++begunCalls, jvm, lockOf(jvm), false);
        callers.add(alone);
        note("begins alone", alone);
        while (!isQuiet()) {
            event();
            if (!(events < MOST_EVENTS)) {
                throw violation(Outcome.NEVER_ENDS, "busy for " + events + " events");
            }
        }
        if (!(alone.call.value() != null)) {
            throw violation(Outcome.NAME_STUCK, String.valueOf(alone.call.thrown()));
        }
        leftBehind();
    }

    // Creations

    private CompletionStage<Made> creatorCalled(Caller by, CreationRun<Made> run, Flight<Made> flight)
            throws Exception {
        Right right = by.slot.granted;
        Made made = new Made(++mades, by, ++now);
        if (trace != null) {
            note("creates " + made + ", " + by + (right == null ? " without a right" : ""));
        }
        if (right == null) {
            check(by.slot.failed && whenDown == WhenDown.CREATE, Outcome.CREATED_WITHOUT_A_RIGHT, by);
            saw(Outcome.CREATED_WHILE_STORE_DOWN);
            excuses++;
        } else {
            made.granted = right.granted;
            check(!right.used, Outcome.TWO_UNDER_ONE_LEASE, by);
            check(!right.isOver(), Outcome.CREATED_WITHOUT_A_RIGHT, by);
            right.used = true;
            checkNeeded(by, right);
        }
        Running begun = new Running(made, run, flight, right, by.jvm);
        checkAlone(begun);
        if (right != null) {
            right.run = begun;
        }
        if (has(CREATOR_FAILS) && !winding && pick(8) == 0) {
            begun.ended = true;
            throw boom();
        }
        running.add(begun);
        return begun.future;
    }

    /** What was there when the right was granted was not good enough. */
    private void checkNeeded(Caller by, Right right) {
        Made there = inStore();
        if (there == null || by.refresh || by.call.election.isDrawn() || by.slot.failed) {
            return;
        }
        boolean fresh = by.maxAge == Options.UNSET
                ? time.nanos() <= there.freshUntil
                : time.nanos() <= there.usableUntil && time.nanos() - there.storedAt <= by.maxAge;
        if (!(!fresh || there.settled > right.asked)) {
            throw violation(Outcome.CREATED_OVER_A_FRESH_VALUE, by + " over " + there);
        }
    }

    private void checkAlone(Running begun) {
        int inTime = 0;
        boolean beside = false;
        for (int i = 0; i < running.size(); i++) {
            Running other = running.get(i);
            if (other.ended) {
                continue;
            }
            if (other.jvm == begun.jvm && time.nanos() <= other.run.overdueAt()) {
                inTime++;
            }
            if (other.right != null && begun.right != null) {
                if (!(kind == Kind.LOCAL || !other.right.isLive() || !begun.right.isLive())) {
                    throw violation(Outcome.TWO_UNDER_ONE_LEASE, begun.made + " beside " + other.made);
                }
                beside = true;
            }
        }
        if (beside) {
            saw(Outcome.CREATED_BESIDE_A_LOST_LEASE);
        }
        if (kind == Kind.LOCAL) {
            if (!(inTime <= excuses)) {
                throw violation(Outcome.TWO_AT_ONCE_IN_A_JVM, begun.made + " beside " + inTime);
            }
        }
    }

    private Exception boom() {
        Exception boom = pick(4) == 0 ? new CheckedBoom() : new Boom();
        boomed.add(boom);
        return boom;
    }

    private void complete(Running creation) {
        creation.completing = true;
        boolean fails = has(CREATOR_FAILS) && !winding && pick(2) == 0;
        Flight<Made> flight = creation.flight;
        boolean inFlight = flight.landing() == null && flight.run() == creation.run;
        creation.ended = true;
        if (!fails) {
            note("is created", creation.made);
            creation.made.created = ++now;
            creation.future.complete(creation.made);
        } else {
            Throwable thrown = pick(8) == 0 ? STOP : pick(8) == 0 ? new ErrorBoom() : boom();
            if (thrown == STOP) {
                saw(Outcome.CREATOR_INTERRUPTED);
            } else if (thrown instanceof ErrorBoom) {
                boomed.add(thrown);
            }
            note("fails", creation.made);
            creation.future.completeExceptionally(thrown);
            boolean told = Thread.interrupted();
            if (!(told == (thrown == STOP))) {
                throw violation(Outcome.UNKNOWN_FAILURE, "interrupt flag " + told);
            }
            if (thrown != STOP && inFlight && time.nanos() <= creation.run.overdueAt()) {
                checkShared(flight, thrown);
            }
        }
        creation.made.settled = ++now;
        running.remove(creation);
    }

    private void checkShared(Flight<Made> flight, Throwable thrown) {
        Landing<Made> landing = flight.landing();
        check(landing != null, Outcome.NOT_WOKEN, "the creation failed, and its flight goes on");
        boolean shared = landing.kind() == Landing.Kind.FAILURE && isFrom(thrown, landing.failure());
        if (!(shared || landing.kind() == Landing.Kind.VALUE)) {
            throw violation(Outcome.FAILURE_NOT_SHARED, thrown + ", and those who wait get " + landing);
        }
    }

    private static boolean isFrom(Throwable thrown, Throwable failure) {
        return failure == thrown || failure.getCause() == thrown;
    }

    private void createSoon(Runnable task) {
        Caller by = stepping;
        if (has(REJECTION) && !winding && pick(3) == 0) {
            saw(Outcome.REFRESH_REJECTED);
            throw REJECTED;
        }
        if (by.slot.granted != null) {
            by.slot.granted.handedOver = true;
        }
        if (pick(4) == 0) {
            task.run();
        } else {
            tasks.add(new Queued(by.call.handedOver(), task));
        }
    }

    private void renewSoon(Runnable task) {
        if (has(REJECTION) && !winding && pick(3) == 0) {
            throw REJECTED;
        }
        renewals.add(task);
    }

    // The store

    private @Nullable Made inStore() {
        return kind == Kind.NATIVE ? store.current() : cell.read().value;
    }

    private void change(boolean put) {
        int jvm = pick(jvms);
        Change change = new Change(jvm, ++now);
        changes.add(change);
        Made made = put ? new Made(++mades, null, now) : null;
        if (trace != null) {
            note("jvm " + jvm + (made == null ? " invalidates" : " puts " + made));
        }
        overtaken();
        for (int i = 0; i < rights.size(); i++) {
            if (kind == Kind.NATIVE) {
                rights.get(i).liveUntil = 0;
            }
        }
        if (made != null) {
            made.began = ++now;
            made.created = now;
            putIntoStore(made);
        } else if (kind == Kind.NATIVE) {
            store.invalidate();
        } else {
            cell.invalidate();
        }
        invalidated = ++now;
        overtaken();
        lockOf(jvm).detach(NAME);
        excuses++;
        change.ended = ++now;
        if (made != null) {
            made.settled = now;
        }
        note("changed");
    }

    private void putIntoStore(Made made) {
        if (kind == Kind.NATIVE) {
            isIn(made, store.put(drafted(made, Duration.ZERO, true)));
        } else {
            cell.put(made, staleAfter(), expireAfter());
            isIn(made, cell.read());
        }
    }

    private void isIn(Made made, Stored<Made> stored) {
        made.stored = ++now;
        made.storedAt = stored.bornAt;
        made.freshUntil = stored.freshUntil;
        made.usableUntil = stored.usableUntil;
    }

    private void published(Made made, @Nullable Made before, Stored<Made> stored) {
        if (!((before == null || before == made || before.stored < made.granted) && invalidated < made.granted)) {
            throw violation(Outcome.LATE_WRITE, made + " over " + before);
        }
        isIn(made, stored);
    }

    private boolean fails() {
        return has(STORE_DOWN) && !winding && pick(10) == 0;
    }

    private void mayFail() {
        if (fails()) {
            note("store down");
            throw DOWN;
        }
    }

    /** A right that was lost on its way ends by time; the gates of a process do not, and are never lost. */
    private void mayLoseTheRight() {
        if (kind != Kind.GATED) {
            mayFail();
        }
    }

    private void deliver(SimStore.Push<Made> push) {
        if (has(PUSH_LOST) && pick(2) == 0) {
            saw(Outcome.PUSH_LOST);
            note("a push is lost");
            return;
        }
        note("a push");
        Slot.Seen<Made> seen = push.seen;
        if (seen != null && seen.value() != null) {
            seen.value().pushed = ++now;
            saw(Outcome.PUSHED);
        }
        push.deliver();
    }

    /** The cell, which may fail. */
    private final class Shelf implements Store<Made> {
        @Override
        public Stored<Made> read() {
            mayFail();
            return cell.read();
        }

        @Override
        public long begin() {
            return cell.begin();
        }

        @Override
        public @Nullable Stored<Made> write(Slot.Draft<Made> draft, long begun) {
            mayFail();
            Made before = cell.read().value;
            Stored<Made> stored = cell.write(draft, plain ? cell.begin() : begun);
            if (stored != null) {
                published(draft.value(), before, stored);
            }
            mayFail();
            return stored;
        }
    }

    /** A lock for all JVMs: the real gates, or leases that end. */
    private final class Leases implements LockProvider {
        @Override
        public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
            Optional<Lease> granted;
            if (gates != null) {
                granted = gates.tryAcquire(name, leaseTime);
            } else {
                mayFail();
                granted = holder != null && time.nanos() < holder.until ? Optional.empty() : Optional.of(DUMMY);
            }
            if (granted.isEmpty()) {
                return granted;
            }
            for (int i = 0; i < leases.size(); i++) {
                HeldLease other = leases.get(i);
                check(other.ended || time.nanos() >= other.until, Outcome.TWO_UNDER_ONE_LEASE, "granted twice");
            }
            HeldLease lease = new HeldLease(++tokens, gates == null ? null : granted.get());
            leases.add(lease);
            holder = lease;
            mayLoseTheRight();
            return Optional.of(lease);
        }
    }

    private static final Lease DUMMY = new Lease() {
        @Override
        public boolean extend(Duration leaseTime) {
            return false;
        }

        @Override
        public void close() {}
    };

    private final class HeldLease implements Lease {
        private final int token;
        private final @Nullable Lease gate;
        long until;
        boolean ended;

        HeldLease(int token, @Nullable Lease gate) {
            this.token = token;
            this.gate = gate;
            this.until = gate == null ? time.nanos() + LEASE : Slot.NEVER;
        }

        @Override
        public long fencingToken() {
            return token;
        }

        @Override
        public boolean extend(Duration leaseTime) {
            if (gate != null) {
                return gate.extend(leaseTime);
            }
            mayFail();
            if (holder != this || time.nanos() >= until) {
                return false;
            }
            until = time.nanos() + LEASE;
            return true;
        }

        @Override
        public void close() {
            ended = true;
            if (gate != null) {
                gate.close();
                return;
            }
            if (holder == this) {
                holder = null;
            }
            mayFail();
        }
    }

    /** What one caller sees of the shared slot: notes what it was shown and granted, and may fail or be overtaken. */
    private final class Looker implements Slot<Made> {
        final Caller by;
        boolean failed;

        @Nullable
        Right granted;

        Slot.@Nullable Seen<Made> shown;
        Slot.@Nullable Seen<Made> read;

        Looker(Caller by) {
            this.by = by;
        }

        @Override
        public boolean readsFree() {
            return shared.readsFree();
        }

        @Override
        public Seen<Made> read() throws Exception {
            overtaken();
            failed = true;
            mayFail();
            Seen<Made> seen = new Sight(this, shared.read());
            failed = false;
            shown = seen;
            read = seen;
            overtaken();
            return seen;
        }

        @Override
        public Watch watch(Consumer<@Nullable Seen<Made>> changed) {
            return shared.watch(changed);
        }
    }

    private final class Sight extends Forwarding.Seen<Made> {
        private final Looker looker;

        Sight(Looker looker, Slot.Seen<Made> seen) {
            super(seen);
            this.looker = looker;
        }

        @Override
        public Slot.Claim<Made> claim(Slot.Wish wish) throws Exception {
            int asked = ++now;
            overtaken();
            looker.failed = true;
            mayFail();
            Slot.Claim<Made> claim = inner.claim(wish);
            if (claim.kind() == Slot.Claim.Kind.GRANTED) {
                mayLoseTheRight();
            }
            looker.failed = false;
            claim = wrapped(claim, asked);
            overtaken();
            return claim;
        }

        private Slot.Claim<Made> wrapped(Slot.Claim<Made> claim, int asked) {
            Slot.Seen<Made> also = claim.seen();
            Slot.@Nullable Seen<Made> underIt = also == null ? null : new Sight(looker, also);
            if (underIt != null) {
                looker.shown = underIt;
            }
            return claim.with(seen -> underIt, grant -> {
                Right right = new Right(grant, looker.by, asked);
                rights.add(right);
                looker.granted = right;
                return right;
            });
        }
    }

    /** A right, and what became of it. */
    private final class Right implements Slot.Grant<Made> {
        private final Slot.Grant<Made> grant;
        private final Caller by;
        final int asked;
        final int granted = ++now;
        long liveUntil = time.nanos() + LEASE;
        boolean handedOver;
        boolean used;

        @Nullable
        Running run;

        private boolean published;
        private int released;

        Right(Slot.Grant<Made> grant, Caller by, int asked) {
            this.asked = asked;
            this.grant = grant;
            this.by = by;
        }

        boolean isLive() {
            return !published && released == 0 && time.nanos() < liveUntil;
        }

        boolean isOver() {
            return published || released > 0;
        }

        @Override
        public long fencingToken() {
            return grant.fencingToken();
        }

        @Override
        public Duration lease() {
            return grant.lease();
        }

        @Override
        public boolean renew() throws Exception {
            overtaken();
            mayFail();
            boolean renewed = grant.renew();
            if (renewed) {
                saw(Outcome.LEASE_RENEWED);
                liveUntil = time.nanos() + LEASE;
            }
            mayFail();
            return renewed;
        }

        @Override
        public Slot.Published<Made> publish(Slot.Draft<Made> draft) throws Exception {
            Made made = draft.value();
            boolean overdue = run != null && time.nanos() > run.run.overdueAt();
            check(!published && released < (overdue ? 2 : 1), Outcome.RIGHT_RELEASED_TWICE, made);
            published = true;
            made.outcome = Slot.Published.Outcome.UNKNOWN;
            try {
                overtaken();
                mayLoseTheRight();
                Made before = inStore();
                Slot.Published<Made> done = grant.publish(draft);
                if (kind == Kind.NATIVE && done.outcome() == Slot.Published.Outcome.STORED && draft.keep()) {
                    publishedTo(store, made, before);
                }
                mayFail();
                made.outcome = done.outcome();
                if (trace != null) {
                    note("published " + made + ": " + done.outcome());
                }
                switch (done.outcome()) {
                    case SUPERSEDED -> saw(Outcome.LATE_PUBLISH_SUPERSEDED);
                    case VOIDED -> saw(Outcome.LATE_PUBLISH_VOIDED);
                    default -> {}
                }
                overtaken();
                return done;
            } catch (Exception e) {
                saw(Outcome.PUBLISH_NOT_KNOWN);
                throw e;
            }
        }

        @Override
        public void abandon(@Nullable Throwable cause) throws Exception {
            if (trace != null) {
                note("a right is given back");
            }
            Running user = run;
            boolean overdue = user != null && time.nanos() > user.run.overdueAt();
            if (overdue) {
                // By who finds it overdue, and by the creation as it ends: neither knows of the other.
                saw(Outcome.OVERDUE);
            }
            check(user == null || user.ended || overdue, Outcome.RIGHT_RELEASED_WHILE_IN_USE, by);
            int ends = released + (published ? 1 : 0);
            check(ends < (overdue ? 2 : 1), Outcome.RIGHT_RELEASED_TWICE, by);
            released++;
            if (handedOver && !used) {
                saw(Outcome.OVERDUE_IN_THE_QUEUE);
            } else if (by.call.election.state() == Election.State.DONE && !used) {
                saw(Outcome.SECOND_LOOK_FOUND_A_VALUE);
            }
            overtaken();
            mayLoseTheRight();
            grant.abandon(cause);
            mayFail();
            overtaken();
        }
    }

    private void publishedTo(SimStore<Made> where, Made made, @Nullable Made before) {
        Slot.Seen<Made> seen = where.read();
        check(seen.value() == made, Outcome.LATE_WRITE, "lost at once");
        if (!((before == null || before.stored < made.granted) && invalidated < made.granted)) {
            throw violation(Outcome.LATE_WRITE, made + " over " + before);
        }
        made.stored = ++now;
        made.storedAt = seen.bornAt();
        made.freshUntil = seen.freshUntil();
        made.usableUntil = seen.usableUntil();
    }

    // What must hold

    private void check(boolean holds, Outcome forbidden, Object detail) {
        if (!holds) {
            throw violation(forbidden, detail);
        }
    }

    /** Noted too, since what is thrown in a creator or a store is taken for its failure. */
    private Violation violation(Outcome forbidden, Object detail) {
        if (violated == null) {
            violated = new Violation(forbidden, detail.toString());
        }
        return violated;
    }

    private void saw(Outcome outcome) {
        counts[outcome.ordinal()]++;
    }

    /** A caller that goes to sleep has nothing to take. */
    private void checkParked(Caller caller) {
        SimCall<Made> call = caller.call;
        Election.State state = call.election.state();
        Slot.Seen<Made> shown = caller.slot.shown;
        if (caller.takesStale
                && shown != null
                && (state == Election.State.FOLLOWING || state == Election.State.WAITING)
                && shown.usable(time.nanos())
                && call.isAsleep()) {
            throw violation(Outcome.STALE_CALLER_WAITS, caller + ", " + state + ", was shown " + shown.value());
        }
        if (state != Election.State.CREATING) {
            if (!(call.until() <= Math.max(time.nanos(), caller.beganAt + hardTimeout))) {
                throw violation(Outcome.NO_TIMER, caller + " sleeps until " + call.until() / MS);
            }
        }
    }

    /** Nobody sleeps who should not. */
    private void checkSleepers() {
        for (int i = 0; i < callers.size(); i++) {
            Caller caller = callers.get(i);
            SimCall<Made> call = caller.call;
            if (!call.isAsleep()) {
                continue;
            }
            if (call.isCreating()) {
                if (!(isCreatedBy(call))) {
                    throw violation(Outcome.NEVER_ENDS, caller + " waits for a creation that is over");
                }
                continue;
            }
            Flight<Made> flight = call.flight();
            if (!(flight.landing() == null)) {
                throw violation(Outcome.NOT_WOKEN, caller + ", landed with a thing that it does not know");
            }
            if (!(call.queued)) {
                throw violation(Outcome.NOT_WOKEN, caller + " is not in the queue");
            }
            CreationRun<Made> run = flight.run();
            if (run != null) {
                if (!(isUnderWay(run))) {
                    throw violation(Outcome.NEVER_ENDS, caller + " waits for a creation that is over");
                }
                if (!(call.until() <= Math.max(time.nanos(), call.lookAt()))) {
                    throw violation(
                            Outcome.NO_TIMER,
                            caller + " sleeps until " + call.until() / MS + ", the creation is overdue at "
                                    + run.overdueAt() / MS);
                }
            } else {
                checkLed(caller, flight);
            }
            Flight.Offer<Made> offer = flight.offered();
            if (!(offer == null || !caller.takesStale || offer.seen() == call.declined)) {
                throw violation(Outcome.NOT_WOKEN, caller + " was offered a stale value");
            }
        }
    }

    private void checkLed(Caller caller, Flight<Made> flight) {
        for (int i = 0; i < callers.size(); i++) {
            Caller leader = callers.get(i);
            SimCall<Made> call = leader.call;
            if (!flight.isLedBy(call)) {
                continue;
            }
            boolean polls = call.election.state() == Election.State.WAITING;
            if (call.isAsleep() && !polls) {
                throw violation(Outcome.NOT_WOKEN, leader + " does not know that it leads");
            }
            Slot.Seen<Made> read = leader.slot.read;
            boolean lookedItself = caller.call.declined != null;
            if (polls
                    && !freeReads
                    && caller.takesStale
                    && !lookedItself
                    && read != null
                    && read.usable(time.nanos())) {
                throw violation(Outcome.STALE_CALLER_WAITS, caller + " was not offered what " + leader + " read");
            }
            return;
        }
        throw violation(Outcome.NOBODY_LEADS, caller + " waits");
    }

    private boolean isCreatedBy(SimCall<Made> call) {
        for (int i = 0; i < running.size(); i++) {
            Caller by = running.get(i).made.by;
            if (by != null && by.call == call) {
                return true;
            }
        }
        return false;
    }

    private boolean isUnderWay(CreationRun<Made> run) {
        for (int i = 0; i < running.size(); i++) {
            if (running.get(i).run == run) {
                return true;
            }
        }
        for (int i = 0; i < tasks.size(); i++) {
            if (tasks.get(i).run == run) {
                return true;
            }
        }
        return false;
    }

    private void ended(Caller caller) {
        SimCall<Made> call = caller.call;
        check(!call.queued, Outcome.LEFT_IN_THE_QUEUE, caller);
        Acquired<Made> acquired = call.value();
        if (acquired == null) {
            failed(caller, call.thrown());
        } else {
            returned(caller, acquired.value(), acquired.origin());
        }
    }

    private void returned(Caller caller, @Nullable Made made, Acquired.Origin origin) {
        if (trace != null) {
            note(caller + " gets " + made + ", " + origin);
        }
        if (!(made != null && made.created != NOT_YET)) {
            throw violation(Outcome.RETURNED_BUT_NEVER_CREATED, caller + " got " + made);
        }
        checkNotInvalidated(caller, made);
        boolean news = made.settled > caller.began || made.pushed > caller.began;
        switch (origin) {
            case CREATED -> {
                if (!(news)) {
                    throw violation(Outcome.TOO_OLD, caller + " created " + made);
                }
            }
            case FRESH -> {
                long end = caller.maxAge == Options.UNSET
                        ? made.freshUntil
                        : Math.min(made.usableUntil, made.storedAt + caller.maxAge);
                if (!(news || (!caller.refresh && end >= caller.beganAt))) {
                    throw violation(Outcome.TOO_OLD, caller + " got " + made);
                }
            }
            case STALE -> {
                if (!(caller.takesStale && made.usableUntil >= caller.beganAt)) {
                    throw violation(Outcome.TOO_OLD, caller + " got the stale " + made);
                }
            }
        }
        saw(classOf(caller, made, origin));
    }

    private void checkNotInvalidated(Caller caller, Made made) {
        for (int i = 0; i < changes.size(); i++) {
            Change change = changes.get(i);
            if (made.began >= change.began) {
                continue;
            }
            if (caller.began < change.ended) {
                if (made.settled > change.ended && made.by != caller) {
                    saw(Outcome.OLD_VALUE_TO_AN_EARLIER_CALLER);
                }
                continue;
            }
            boolean refused = made.outcome == Slot.Published.Outcome.VOIDED
                    && made.by != caller
                    && !(freeReads && wasDetachedFor(caller));
            if (change.jvm == caller.jvm || refused) {
                throw violation(Outcome.OLD_VALUE_AFTER_INVALIDATION, caller + " got " + made);
            }
            saw(Outcome.OLD_VALUE_ACROSS_JVMS);
        }
    }

    /** Where a read is free, a JVM invalidates for itself: who waited then gets what it waited for. */
    private boolean wasDetachedFor(Caller caller) {
        for (int i = 0; i < changes.size(); i++) {
            if (changes.get(i).jvm == caller.jvm && changes.get(i).ended > caller.began) {
                return true;
            }
        }
        return false;
    }

    private Outcome classOf(Caller caller, Made made, Acquired.Origin origin) {
        if (caller.interrupted) {
            return Outcome.INTERRUPTED_AND_SERVED;
        }
        return switch (origin) {
            case CREATED -> caller.handedOver ? Outcome.VALUE_WITHIN_SOFT_TIMEOUT : Outcome.CREATED;
            case FRESH -> caller.followed ? Outcome.WAITED_AND_GOT_THE_VALUE : Outcome.FRESH_AT_ONCE;
            case STALE ->
                caller.slot.granted != null && caller.slot.granted.used && !caller.handedOver
                        ? Outcome.STALE_ON_FAILURE
                        : caller.handedOver
                                ? Outcome.STALE_AFTER_SOFT_TIMEOUT
                                : caller.offered ? Outcome.WAITED_AND_WAS_OFFERED_STALE : Outcome.STALE_AT_ONCE;
        };
    }

    private void failed(Caller caller, @Nullable Throwable failure) {
        if (trace != null) {
            note(caller + " ends with " + failure);
        }
        Slot.Seen<Made> shown = caller.slot.shown;
        if (failure instanceof HardTimeoutException) {
            if (!(time.nanos() >= caller.beganAt + hardTimeout)) {
                throw violation(Outcome.UNKNOWN_FAILURE, caller + " timed out before its time");
            }
            if (!(!caller.takesStale || shown == null || !shown.usable(time.nanos()))) {
                throw violation(Outcome.STALE_CALLER_WAITS, caller + " timed out with a stale value at hand");
            }
            saw(Outcome.HARD_TIMEOUT);
        } else if (failure instanceof CreationException backingOff
                && backingOff.retryAfter().isPresent()) {
            if (boomed.isEmpty()) {
                throw violation(Outcome.UNKNOWN_FAILURE, caller + " backs off, and nothing failed");
            }
            saw(Outcome.BACKED_OFF);
        } else if (failure instanceof CreationException && failure.getCause() == STOP) {
            saw(Outcome.OWN_FAILURE);
        } else if (failure instanceof DogpileException && failure.getCause() instanceof InterruptedException) {
            if (!(caller.interrupted)) {
                throw violation(Outcome.UNKNOWN_FAILURE, caller + ", which nobody interrupted: " + failure);
            }
            saw(Outcome.INTERRUPTED);
        } else if (failure instanceof DogpileException && failure.getCause() == DOWN) {
            if (!(whenDown == WhenDown.FAIL)) {
                throw violation(Outcome.UNKNOWN_FAILURE, caller + ": " + failure);
            }
            saw(Outcome.FAILED_WHILE_STORE_DOWN);
        } else {
            boolean known = false;
            for (int i = 0; i < boomed.size() && failure != null; i++) {
                known |= isFrom(boomed.get(i), failure);
            }
            if (!(known)) {
                throw violation(Outcome.UNKNOWN_FAILURE, caller + ": " + failure);
            }
            boolean own = caller.slot.granted != null && caller.slot.granted.used;
            saw(own ? Outcome.OWN_FAILURE : Outcome.FAILURE_SHARED);
        }
    }

    private void leftBehind() {
        for (int jvm = 0; jvm < jvms; jvm++) {
            if (!(lockOf(jvm).inFlight() == 0)) {
                throw violation(Outcome.LEFT_BEHIND, "a flight of jvm " + jvm);
            }
        }
        check(time.alarms() == 0, Outcome.LEFT_BEHIND, "an alarm");
        check(store.watches() == 0, Outcome.LEFT_BEHIND, "a watch");
        for (int i = 0; i < rights.size(); i++) {
            check(rights.get(i).isOver(), Outcome.RIGHT_NEVER_RELEASED, "");
        }
    }

    /** Counts what only a listener hears. */
    private final class Hearing implements DogpileListener {
        @Override
        public void leaseLost(Object name) {
            saw(Outcome.LEASE_LOST);
        }

        @Override
        public void earlyRefresh(Object name) {
            saw(Outcome.EARLY_REFRESH);
        }
    }

    // Drawing and telling

    private boolean has(int fault) {
        return (faults & fault) != 0;
    }

    private int random() {
        rng += 0x9E3779B97F4A7C15L;
        long mixed = (rng ^ (rng >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return (int) (mixed >>> 33);
    }

    private int pick(int of) {
        return random() % of;
    }

    private void note(String what) {
        if (trace != null) {
            trace.append(time.nanos() / MS)
                    .append(" ms ")
                    .append("  ".repeat(depth))
                    .append(what)
                    .append('\n');
        }
    }

    private void note(String what, Object whom) {
        if (trace != null) {
            note(what + " " + whom);
        }
    }
}
