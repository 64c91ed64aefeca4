package io.dogpile.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Plays schedules of several names on one thread: callers of random overlapping batches, and of single names, in one or
 * two JVMs, each at its own step, and between any two of their steps whatever the seed says. What is real: batches,
 * elections, flights, creation runs, the grants of a batch, back-off, renewal, leased slots, cells. What is simulated:
 * threads, time, executors, the shared store, and the faults.
 *
 * <p>Within a round trip for each of its names, and between the landings of a batch, other events may come too.
 *
 * <p>A schedule ends by itself: after its events, whatever can go on goes on, time moves only when nothing else can, and
 * all callers must end. All is drawn from the seed, so a seed is a schedule.
 */
final class BatchSimulation {
    private static final long MS = 1_000_000L;
    private static final long STALE_AFTER = 200 * MS;
    private static final long EXPIRE_AFTER = 500 * MS;
    private static final long LEASE = 90 * MS;
    private static final long MAX_CREATION = 150 * MS;
    private static final long SOFT_TIMEOUT = 20 * MS;
    private static final long START = 10_000 * MS;
    private static final long UNTIL_FAILURES_ARE_FORGOTTEN = 120_000 * MS;
    /** From the last event that is drawn: all creations end, and each caller waits for its hard timeout at most. */
    private static final long LONGEST_END = 10_000 * MS;

    private static final long[] HARD_TIMEOUTS = {100 * MS, 150 * MS, 400 * MS, 1_000 * MS};
    private static final long[] SHORT_STEPS = {1, MS, 5 * MS, 20 * MS};
    private static final long[] LONG_STEPS = {35 * MS, 60 * MS, 95 * MS, 160 * MS, 210 * MS, 600 * MS};
    private static final String[] NAMES = {"a", "b", "c", "d", "e"};

    private static final int FEWEST_CALLERS = 3;
    private static final int FEWEST_EVENTS = 20;
    private static final int MOST_CALLERS = 8;
    private static final int MOST_AT_ONCE = 5;
    private static final int EQUAL_CALLERS = 10;
    private static final int MOST_NAMES_ASKED = 6;
    private static final int MOST_EVENTS = 6_000;
    private static final int DEEPEST = 2;
    private static final int NOT_YET = Integer.MAX_VALUE;

    /** What grants the rights, and where the values live. */
    private enum Kind {
        /** Cells and no lock: the flights of the one JVM are lock enough. */
        LOCAL,
        /** Stores without rights beside a lock whose leases end. */
        LEASED,
        /** Stores that compare the right as they write. */
        NATIVE
    }

    // What may go wrong in a schedule, as bits
    private static final int INVALIDATION = 1;
    private static final int INTERRUPT = 1 << 1;
    private static final int STORE_DOWN = 1 << 2;
    private static final int CREATOR_FAILS = 1 << 3;
    private static final int LEAVES_OUT = 1 << 4;
    private static final int REJECTION = 1 << 5;
    private static final int PUSH_LOST = 1 << 6;
    private static final int SLOWNESS = 1 << 7;
    private static final int DRAFTING = 1 << 8;
    private static final int FAULTS = 9;

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
    private static final int INTERRUPT_ONE = 9 << 8;
    private static final int INDEX = 255;

    /** A forbidden outcome. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        final BatchOutcome outcome;

        Violation(BatchOutcome outcome, String detail) {
            super("FORBIDDEN " + outcome + " (" + outcome.why + "): " + detail);
            this.outcome = outcome;
        }
    }

    /** What is thrown on purpose. */
    private static final class Boom extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Boom(String text) {
            super(text, null, false, false);
        }
    }

    private static final Boom DOWN = new Boom("store down");
    private static final RejectedExecutionException REJECTED = new RejectedExecutionException("by the simulation");
    private static final InterruptedException STOP = new InterruptedException("by the simulation");

    /** A value, and its history in event numbers. */
    private static final class Value {
        final Name name;
        final int number;
        final @Nullable Caller by;
        final int began;
        int created = NOT_YET;
        /** When its creation was over and known. */
        int settled = NOT_YET;

        int pushed;
        long freshUntil = Long.MIN_VALUE;
        long usableUntil = Long.MIN_VALUE;

        Value(Name name, int number, @Nullable Caller by, int began) {
            this.name = name;
            this.number = number;
            this.by = by;
            this.began = began;
        }

        @Override
        public String toString() {
            return name + "" + number;
        }
    }

    /** One name, and where its value lives. */
    private final class Name {
        final String text;
        final SimStore<Value> store = new SimStore<>(time);
        Cell<Value> cell = new Cell<>(time, "");
        Slot<Value> slot = store;

        @Nullable
        HeldLease holder;

        int creations;
        /** Whether something has happened since the last creation began that lets another follow. */
        boolean excused;

        final int[] leftOut = new int[2];
        final int[] invalidationBegan = new int[2];
        final int[] invalidationEnded = new int[2];

        Name(String text) {
            this.text = text;
        }

        void reset() {
            store.reset();
            cell = new Cell<>(time, text);
            holder = null;
            creations = 0;
            excused = false;
            for (int jvm = 0; jvm < 2; jvm++) {
                leftOut[jvm] = 0;
                invalidationBegan[jvm] = 0;
                invalidationEnded[jvm] = 0;
            }
        }

        @Nullable
        Value inStore() {
            return kind == Kind.NATIVE ? store.current() : cell.read().value;
        }

        void put(Value value) {
            Slot.Draft<Value> draft = drafted(value, Duration.ZERO, true);
            if (kind == Kind.NATIVE) {
                isIn(value, store.put(draft));
            } else {
                cell.put(value, draft.staleAfter(), draft.expireAfter());
                isIn(value, cell.read());
            }
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** A creator that runs. */
    private static final class Running {
        final @Nullable Caller onThreadOf;
        final CreationRun<Value> run;
        final Map<String, Flight<Value>> flights;
        final List<Value> values = new ArrayList<>();
        final List<@Nullable Right> rights = new ArrayList<>();
        final int jvm;
        final boolean batch;
        final CompletableFuture<Map<Object, CreationRun.Made<Value>>> future = new CompletableFuture<>();
        boolean ended;
        boolean completing;
        int stored;

        Running(
                @Nullable Caller onThreadOf,
                CreationRun<Value> run,
                Map<String, Flight<Value>> flights,
                int jvm,
                boolean batch) {
            this.onThreadOf = onThreadOf;
            this.run = run;
            this.flights = flights;
            this.jvm = jvm;
            this.batch = batch;
        }

        @Override
        public String toString() {
            return values.toString();
        }
    }

    /** A creation in the queue of an executor. */
    private record Queued(CreationRun<Value> run, Runnable task) {}

    /** One caller, of a batch or of one name, and the slots through which it alone looks. */
    private final class Caller
            implements Slots<String, Value>, SimBatch.Creations<String, Value>, SimCall.Creations<Value> {
        final int number;
        final int jvm;
        final List<String> asked;
        final boolean refresh;
        final boolean takesStale;
        final Looker[] lookers = new Looker[NAMES.length];
        final Set<Caller> gotFrom = new HashSet<>();
        final @Nullable SimBatch<String, Value> batch;
        final @Nullable SimCall<Value> single;
        int began;
        long beganAt;
        int stepBegan;
        boolean interrupted;
        int creations;

        @Nullable
        CreationRun<Value> handedOver;

        Caller(int number, int jvm, DogpileLock<Value> lock, List<String> asked, boolean asBatch, boolean refresh) {
            this.number = number;
            this.jvm = jvm;
            this.asked = asked;
            this.refresh = refresh;
            this.takesStale = lock.options().takesStale() && !refresh;
            for (int i = 0; i < NAMES.length; i++) {
                lookers[i] = new Looker(this, names.get(i));
            }
            this.began = ++now;
            this.beganAt = time.nanos();
            this.batch = asBatch
                    ? new SimBatch<>(
                            lock,
                            asked,
                            this,
                            refresh ? Election.Want.NEWER_OR_NOTHING : Election.Want.VALUE_OR_NOTHING,
                            this)
                    : null;
            this.single = asBatch
                    ? null
                    : new SimCall<>(
                            lock,
                            asked.get(0),
                            slot(asked.get(0)),
                            refresh ? Election.Want.NEWER : Election.Want.VALUE,
                            this);
        }

        @Override
        public Slot<Value> slot(String name) {
            return lookers[indexOf(name)];
        }

        @Override
        public Grants<String, Value> together(Map<String, Slot.Grant<Value>> grants) {
            Set<Right> group = new HashSet<>();
            grants.values().forEach(grant -> group.add((Right) grant));
            group.forEach(right -> right.group = group);
            return Slots.super.together(grants);
        }

        @Override
        public CompletionStage<Map<Object, CreationRun.Made<Value>>> begin(
                CreationRun<Value> run, Map<String, Flight<Value>> flights) throws Exception {
            return creatorCalled(this, run, flights).future;
        }

        @Override
        public CompletionStage<Value> begin(CreationRun<Value> run, Flight<Value> flight) throws Exception {
            String name = asked.get(0);
            return creatorCalled(this, run, Map.of(name, flight))
                    .future
                    .thenApply(made -> made.get(name).value());
        }

        @Override
        public void handedOver(CreationRun<Value> run, Set<String> behind) {
            handedOver = run;
            for (String name : behind) {
                Right right = lookers[indexOf(name)].granted;
                if (right != null) {
                    right.handedOver = true;
                }
            }
        }

        boolean isEnabled() {
            return batch != null ? batch.isEnabled() : single.isEnabled();
        }

        boolean isParked() {
            return batch != null ? batch.isParked() : single.isParked() && !single.isCreating();
        }

        boolean isAsleep() {
            return batch != null ? batch.isAsleep() : single.isAsleep();
        }

        boolean isCreating() {
            return batch != null ? batch.isCreating() : single.isCreating();
        }

        boolean isEnded() {
            return batch != null ? batch.isEnded() : single.isEnded();
        }

        long until() {
            return batch != null ? batch.until() : single.until();
        }

        void interrupt() {
            interrupted = true;
            if (batch != null) {
                batch.interrupt();
            } else {
                single.interrupt();
            }
        }

        void step() {
            if (batch != null) {
                batch.go();
            } else {
                single.step();
            }
        }

        @Nullable
        Throwable thrown() {
            return batch != null ? batch.thrown() : single.thrown();
        }

        /** Its ways through the elections that have not ended. */
        void eachCall(Consumer<Call<Value>> to) {
            if (batch == null) {
                to.accept(single);
                return;
            }
            for (Batch<String, Value>.Part part : batch.parts()) {
                if (!part.ended) {
                    to.accept(part);
                }
            }
        }

        @Nullable
        CreationRun<Value> runHandedOver() {
            return batch != null ? handedOver : single.handedOver();
        }

        @Override
        public String toString() {
            return "caller " + number + " of jvm " + jvm + (batch == null ? ", alone for " : ", for ") + asked;
        }
    }

    private final SimTime time = new SimTime();
    private final List<Name> names = new ArrayList<>();
    private final ArrayList<Caller> callers = new ArrayList<>();
    private final ArrayList<Running> running = new ArrayList<>();
    private final ArrayList<Queued> tasks = new ArrayList<>();
    private final ArrayList<Runnable> renewals = new ArrayList<>();
    private final ArrayList<Right> rights = new ArrayList<>();
    private final ArrayList<HeldLease> leases = new ArrayList<>();
    private final ArrayList<Throwable> boomed = new ArrayList<>();
    private final ArrayList<DogpileLock<Value>> locks = new ArrayList<>();
    private final Set<String> untold = new LinkedHashSet<>();
    private final int[] choices = new int[192];
    private final long[] counts = new long[BatchOutcome.values().length];
    private final int[] creatorCalls = new int[2];
    private @Nullable StringBuilder trace;

    private long rng;
    private int now;
    private int events;
    private int depth;
    private int begunCalls;
    private int values;
    private int changes;
    private boolean winding;
    private Kind kind = Kind.LOCAL;
    private int jvms;
    private int faults;
    /** All ask for the same names, at once, and nothing goes wrong. */
    private boolean equal;

    private boolean freeReads;
    private boolean refreshesBehind;
    private boolean soft;
    private WhenDown whenDown = WhenDown.CREATE;
    private long hardTimeout;
    private @Nullable Violation violated;
    private @Nullable Caller stepping;
    private @Nullable Set<Right> renewing;

    BatchSimulation() {
        for (String name : NAMES) {
            names.add(new Name(name));
        }
    }

    /** How often each outcome was seen. */
    long count(BatchOutcome outcome) {
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
        int enough = FEWEST_EVENTS + pick(24);
        while (events < enough) {
            event();
        }
        windUp();
        leftBehind();
        if (equal) {
            checkEqual();
        } else if (pick(4) == 0) {
            callAlone();
        }
        return events;
    }

    // The world of a schedule

    private void set(long seed) {
        rng = seed * 0x9E3779B97F4A7C15L + 0x7654321;
        time.reset(START);
        callers.clear();
        running.clear();
        tasks.clear();
        renewals.clear();
        rights.clear();
        leases.clear();
        boomed.clear();
        locks.clear();
        untold.clear();
        creatorCalls[0] = 0;
        creatorCalls[1] = 0;
        now = 0;
        events = 0;
        depth = 0;
        begunCalls = 0;
        values = 0;
        changes = 0;
        winding = false;
        violated = null;
        stepping = null;
        renewing = null;

        int of10 = pick(10);
        kind = of10 < 3 ? Kind.LOCAL : of10 < 6 ? Kind.LEASED : Kind.NATIVE;
        jvms = kind == Kind.LOCAL ? 1 : 1 + pick(2);
        equal = pick(8) == 0;
        int some = random();
        faults = equal || pick(4) == 0 ? 0 : (some & random() & ((1 << FAULTS) - 1)) | (1 << pick(FAULTS));
        freeReads = kind == Kind.LOCAL || (kind == Kind.LEASED && pick(2) == 0);
        refreshesBehind = pick(5) < 2;
        soft = refreshesBehind && pick(2) == 0;
        whenDown = pick(3) == 0 ? WhenDown.FAIL : WhenDown.CREATE;
        hardTimeout = HARD_TIMEOUTS[equal ? HARD_TIMEOUTS.length - 1 : pick(HARD_TIMEOUTS.length)];
        for (int jvm = 0; jvm < jvms; jvm++) {
            locks.add(lock(seed + jvm));
        }
        boolean pushing = pick(2) == 0;
        boolean saysItPushes = pick(2) == 0;
        boolean looksUnderTheRight = pick(2) == 0;
        for (Name name : names) {
            name.reset();
            name.store.pushing = pushing;
            name.store.saysItPushes = saysItPushes;
            name.store.looksUnderTheRight = looksUnderTheRight;
            name.store.tellsWhatIsLeft = saysItPushes;
            name.store.leaseNanos = LEASE;
            name.store.lease = Duration.ofNanos(LEASE);
            name.slot = kind == Kind.NATIVE
                    ? name.store
                    : new LeasedSlot<>(
                            new Shelf(name),
                            freeReads,
                            name.text,
                            kind == Kind.LOCAL ? null : new Leases(name),
                            Duration.ofNanos(LEASE));
            if (!equal && pick(2) == 0) {
                Value first = new Value(name, ++values, null, 0);
                first.created = 0;
                first.settled = 0;
                name.put(first);
            }
        }
        if (!equal) {
            time.moveTo(START + drawAge());
        }
        if (trace != null) {
            note(kind + ", " + jvms + " JVMs, faults " + Integer.toBinaryString(faults) + (equal ? ", equal" : "")
                    + (freeReads ? ", free reads" : "")
                    + (pushing ? ", pushing" : "")
                    + (refreshesBehind ? ", refresh behind" : "") + (soft ? ", soft timeout" : "") + ", " + whenDown
                    + " when down, hard timeout " + hardTimeout / MS);
        }
    }

    private long drawAge() {
        return switch (pick(4)) {
            case 0 -> 0;
            case 1 -> STALE_AFTER - MS;
            case 2 -> STALE_AFTER + MS;
            default -> EXPIRE_AFTER - 5 * MS;
        };
    }

    private DogpileLock<Value> lock(long seed) {
        DogpileLock.Builder<Value> builder = DogpileLock.<Value>builder()
                .clock(time)
                .seed(seed)
                .listener(hearing)
                .staleAfter(Duration.ofNanos(STALE_AFTER))
                .expireAfter(Duration.ofNanos(EXPIRE_AFTER))
                .hardTimeout(Duration.ofNanos(hardTimeout))
                .lock(null, Duration.ofNanos(LEASE))
                .maxCreation(Duration.ofNanos(MAX_CREATION))
                .whenDown(whenDown)
                .renewOn(this::renewSoon);
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

    private Slot.Draft<Value> draft(Object name, Value value, Duration cost) {
        if (!winding) {
            switch (pick(6)) {
                case 0 -> {
                    saw(BatchOutcome.DRAFT_FAILED);
                    value.name.excused = true;
                    throw new Boom("draft");
                }
                case 1 -> {
                    saw(BatchOutcome.NOT_KEPT);
                    value.name.excused = true;
                    return drafted(value, cost, false);
                }
                default -> {}
            }
        }
        return drafted(value, cost, true);
    }

    private static Slot.Draft<Value> drafted(Value value, Duration cost, boolean keep) {
        return new Slot.Draft<>(value, Duration.ofNanos(STALE_AFTER), Duration.ofNanos(EXPIRE_AFTER), cost, keep);
    }

    private void call() {
        int jvm = pick(jvms);
        DogpileLock<Value> lock = locks.get(jvm);
        if (pick(6) == 0) {
            lock = lock.with(DogpileLock.Builder::neverStale);
        }
        boolean asBatch = equal || pick(3) != 0;
        List<String> asked = new ArrayList<>();
        if (equal) {
            asked.addAll(List.of(NAMES));
        } else {
            int size = asBatch ? 1 + pick(MOST_NAMES_ASKED) : 1;
            while (asked.size() < size) {
                asked.add(NAMES[pick(NAMES.length)]);
            }
        }
        for (int i = asked.size() - 1; i > 0; i--) {
            asked.set(i, asked.set(pick(i + 1), asked.get(i)));
        }
        Caller caller = new Caller(++begunCalls, jvm, lock, asked, asBatch, !equal && pick(10) == 0);
        callers.add(caller);
        if (trace != null) {
            note("begins " + caller + (caller.refresh ? ", refresh" : caller.takesStale ? "" : ", never stale"));
        }
    }

    // The scheduler

    private void event() {
        int choice = choose();
        if (choice < 0 && depth > 0) {
            return;
        }
        if (choice < 0) {
            check(winding, BatchOutcome.NEVER_ENDS, "nothing can happen");
            long next = nextDeadline();
            check(next != Slot.NEVER, BatchOutcome.NEVER_ENDS, "nobody has a timer");
            time.moveTo(Math.max(time.nanos(), next));
            note("time passes");
        } else {
            happen(choice & ~INDEX, choice & INDEX);
        }
        events++;
        if (violated != null) {
            throw violated;
        }
        if (depth == 0) {
            check(untold.isEmpty(), BatchOutcome.FAILURE_NOT_TOLD, untold);
            checkSleepers();
        }
    }

    private int choose() {
        int size = 0;
        int parked = -1;
        for (int i = 0; i < callers.size(); i++) {
            Caller caller = callers.get(i);
            if (caller.isEnabled()) {
                choices[size++] = STEP | i;
                choices[size++] = STEP | i;
            }
            if (caller.isParked() && (parked < 0 || pick(2) == 0)) {
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
        for (int i = 0; i < names.size(); i++) {
            if (!names.get(i).store.pushes.isEmpty()) {
                choices[size++] = DELIVER | i;
            }
        }
        if (!winding) {
            size = chooseMore(size, parked);
        }
        return size == 0 ? -1 : choices[pick(size)];
    }

    private int chooseMore(int from, int parked) {
        int size = from;
        if (equal ? begunCalls < EQUAL_CALLERS : callers.size() < MOST_AT_ONCE && begunCalls < MOST_CALLERS) {
            choices[size++] = BEGIN;
            choices[size++] = BEGIN;
        }
        choices[size++] = PASS_TIME;
        if (has(SLOWNESS)) {
            choices[size++] = PASS_TIME;
        }
        if (has(INVALIDATION) && changes < 3) {
            choices[size++] = INVALIDATE | pick(NAMES.length);
        }
        if (has(INTERRUPT) && parked >= 0) {
            choices[size++] = INTERRUPT_ONE | parked;
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
            case RENEW -> renew(renewals.remove(index));
            case RING -> {
                note("an alarm");
                time.ring(index);
            }
            case DELIVER -> deliver(names.get(index).store.pushes.remove(0));
            case PASS_TIME -> letTimePass();
            case INVALIDATE -> invalidate(names.get(index));
            case INTERRUPT_ONE -> {
                note("interrupts", callers.get(index));
                callers.get(index).interrupt();
            }
            default -> throw new IllegalStateException();
        }
    }

    /** Other events that come within a round trip, or while a listener is told. */
    private void overtaken() {
        if (depth < DEEPEST && pick(12) == 0) {
            boolean told = Thread.interrupted();
            depth++;
            event();
            if (pick(2) == 0) {
                event();
            }
            depth--;
            if (told) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void step(Caller caller) {
        if (trace != null) {
            note("steps " + caller + stateOf(caller));
        }
        List<Call<Value>> late = new ArrayList<>();
        List<Call<Value>> interrupted = new ArrayList<>();
        List<Call<Value>> entering = new ArrayList<>();
        boolean looks = caller.isParked();
        caller.eachCall(call -> {
            if (looks && caller.interrupted) {
                interrupted.add(call);
                if (call.flight().isLedBy(call) && call.election.state() == Election.State.FOLLOWING) {
                    saw(BatchOutcome.INTERRUPTED_AT_ITS_TURN);
                }
            }
            if (looks && isLate(caller, call)) {
                late.add(call);
            }
            if (call.election.state() == Election.State.ENTERING) {
                entering.add(call);
            }
        });
        if (caller.single != null && caller.single.next() == null) {
            caller.began = ++now;
            caller.beganAt = time.nanos();
        }
        Caller outer = stepping;
        stepping = caller;
        caller.stepBegan = ++now;
        caller.step();
        stepping = outer;
        for (Call<Value> call : late) {
            Election.State state = call.election.state();
            if (state == Election.State.LEADING || state == Election.State.CREATING) {
                throw violation(
                        BatchOutcome.CREATED_FOR_A_DEADLINE,
                        caller + " went on with " + call.name() + " to " + call.election.state());
            }
        }
        for (Call<Value> call : interrupted) {
            if (call.election.state() != Election.State.DONE) {
                throw violation(
                        BatchOutcome.CREATED_AFTER_AN_INTERRUPT,
                        caller + " went on with " + call.name() + " to " + call.election.state());
            }
        }
        entering.forEach(call -> checkOverdueFound(caller, call));
        if (caller.isEnded()) {
            callers.remove(caller);
            ended(caller);
        } else if (caller.isParked()) {
            checkParked(caller);
        }
    }

    private static String stateOf(Caller caller) {
        StringBuilder states = new StringBuilder();
        caller.eachCall(
                call -> states.append(", ").append(call.name()).append(' ').append(call.election.state()));
        return states.toString();
    }

    private boolean isLate(Caller caller, Call<Value> call) {
        Election.State state = call.election.state();
        return (state == Election.State.FOLLOWING || state == Election.State.WAITING)
                && time.nanos() >= caller.beganAt + hardTimeout
                && call.isInFlight()
                && call.flight().landing() == null
                && !(state == Election.State.FOLLOWING && call.flight().isLedBy(call));
    }

    private void letTimePass() {
        long next = nextDeadline();
        int how = pick(8);
        long to = time.nanos();
        if (equal) {
            to += how == 0 ? MS : 1;
        } else if (how < 2 && next != Slot.NEVER) {
            to = Math.max(to, next) + how;
        } else if (how < 6 || !has(SLOWNESS)) {
            to += SHORT_STEPS[pick(SHORT_STEPS.length)];
        } else {
            to += LONG_STEPS[pick(LONG_STEPS.length)];
        }
        time.moveTo(to);
        note("time passes");
    }

    private long nextDeadline() {
        long next = time.nextAlarm();
        for (int i = 0; i < callers.size(); i++) {
            if (callers.get(i).isParked()) {
                next = Math.min(next, callers.get(i).until());
            }
        }
        return next;
    }

    private void windUp() {
        note("winds up");
        winding = true;
        long end = time.nanos() + LONGEST_END;
        while (begunCalls < FEWEST_CALLERS || !isQuiet()) {
            if (begunCalls < FEWEST_CALLERS && (isQuiet() || pick(2) == 0)) {
                call();
            }
            event();
            check(time.nanos() <= end, BatchOutcome.NEVER_ENDS, "callers wait for too long");
            check(events < MOST_EVENTS, BatchOutcome.NEVER_ENDS, "busy for too many events");
        }
    }

    private boolean isQuiet() {
        if (!(callers.isEmpty() && running.isEmpty() && tasks.isEmpty() && renewals.isEmpty())) {
            return false;
        }
        for (int i = 0; i < names.size(); i++) {
            if (!names.get(i).store.pushes.isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** A batch that comes when all is over, and finds no fault, gets all values. */
    private void callAlone() {
        faults = 0;
        time.moveTo(time.nanos() + UNTIL_FAILURES_ARE_FORGOTTEN);
        int jvm = pick(jvms);
        Caller alone = new Caller(++begunCalls, jvm, locks.get(jvm), List.of(NAMES), true, false);
        callers.add(alone);
        note("begins alone", alone);
        while (!isQuiet()) {
            event();
            check(events < MOST_EVENTS, BatchOutcome.NEVER_ENDS, "busy for too many events");
        }
        Map<String, Acquired<Value>> got = alone.batch.values();
        if (got == null || got.size() != NAMES.length) {
            throw violation(BatchOutcome.NAME_STUCK, String.valueOf(alone.thrown()));
        }
        leftBehind();
    }

    private void checkEqual() {
        int calls = creatorCalls[0] + creatorCalls[1];
        if (creatorCalls[0] > 1 || creatorCalls[1] > 1 || calls == 0) {
            throw violation(BatchOutcome.EQUAL_BATCHES_MANY_CALLS, calls + " calls of " + begunCalls);
        }
        saw(calls == 1 ? BatchOutcome.EQUAL_BATCHES : BatchOutcome.EQUAL_BATCHES_OF_TWO_JVMS);
    }

    // Creations

    private Running creatorCalled(Caller by, CreationRun<Value> run, Map<String, Flight<Value>> flights)
            throws Exception {
        boolean behind = run == by.runHandedOver();
        Running begun = new Running(behind ? null : by, run, flights, by.jvm, by.batch != null);
        checkAsked(by, flights.keySet());
        if (!behind) {
            checkAllClaimed(by);
        }
        creatorCalls[by.jvm]++;
        by.creations++;
        if (by.creations == 2) {
            saw(BatchOutcome.CALLED_TWICE);
        }
        if (behind && flights.size() > 1) {
            saw(BatchOutcome.REFRESHED_BEHIND);
        }
        for (String text : flights.keySet()) {
            begins(begun, by, by.lookers[indexOf(text)]);
        }
        if (trace != null) {
            note("creates " + begun + (behind ? " behind, " : ", ") + by);
        }
        running.add(begun);
        if (has(CREATOR_FAILS) && !winding && pick(10) == 0) {
            running.remove(begun);
            begun.ended = true;
            begun.values.forEach(value -> value.name.excused = true);
            note("fails at once");
            throw boom();
        }
        return begun;
    }

    private void begins(Running begun, Caller by, Looker looker) {
        Name name = looker.name;
        Right right = looker.granted;
        Value value = new Value(name, ++values, by, ++now);
        if (right == null || right.run != null || right.isOver()) {
            check(looker.failed && whenDown == WhenDown.CREATE, BatchOutcome.CREATED_WITHOUT_A_RIGHT, by + ", " + name);
            saw(BatchOutcome.CREATED_WHILE_STORE_DOWN);
            name.excused = true;
            right = null;
        } else {
            right.run = begun;
            name.excused |= kind != Kind.LOCAL && !right.isLive();
            Value there = name.inStore();
            if (there != null
                    && !looker.failed
                    && !by.refresh
                    && time.nanos() <= there.freshUntil
                    && there.settled <= right.asked) {
                throw violation(BatchOutcome.CREATED_OVER_A_FRESH_VALUE, by + " over " + there);
            }
        }
        begun.values.add(value);
        begun.rights.add(right);
        checkAlone(begun, name, right);
        boolean detached = begun.flights.get(name.text).isDetached();
        Value there = name.inStore();
        boolean isOld = there != null && time.nanos() > there.freshUntil;
        if (name.creations > 0 && !name.excused && !isOld && !detached && !by.refresh) {
            throw violation(BatchOutcome.CREATED_TWICE, value + ", " + by);
        }
        name.creations++;
        name.excused = right == null || detached || (kind != Kind.LOCAL && !right.isLive());
    }

    /** The creator gets names of its caller, each once, in the order of the request. */
    private void checkAsked(Caller by, Set<String> creating) {
        List<String> expected = new ArrayList<>(new LinkedHashSet<>(by.asked));
        expected.retainAll(creating);
        if (!expected.equals(List.copyOf(creating))) {
            throw violation(BatchOutcome.CREATOR_ASKED_WRONGLY, creating + " for " + by);
        }
    }

    private void checkAllClaimed(Caller by) {
        by.eachCall(call -> {
            switch (call.election.state()) {
                case LOOKING, ENTERING, LEADING, CLAIMING ->
                    throw violation(
                            BatchOutcome.CREATED_BEFORE_ALL_WAS_CLAIMED,
                            by + " creates, and " + call.name() + " is " + call.election.state());
                default -> {}
            }
        });
    }

    private void checkAlone(Running begun, Name name, @Nullable Right right) {
        for (int i = 0; i < running.size(); i++) {
            Running other = running.get(i);
            Flight<Value> flight = other.flights.get(name.text);
            if (flight == null) {
                continue;
            }
            Right othersRight = other.rights.get(indexIn(other, name));
            if (other.ended) {
                // Its lease may end before it is stored.
                name.excused |= othersRight != null && time.nanos() >= othersRight.liveUntil;
                continue;
            }
            boolean bothLive = kind != Kind.LOCAL
                    && right != null
                    && othersRight != null
                    && othersRight.isLive()
                    && right.isLive();
            if (bothLive) {
                throw violation(BatchOutcome.TWO_UNDER_ONE_LEASE, begun + " beside " + other);
            }
            if (other.jvm == begun.jvm
                    && time.nanos() <= other.run.overdueAt()
                    && flight.landing() == null
                    && !flight.isDetached()
                    && !begun.flights.get(name.text).isDetached()) {
                throw violation(BatchOutcome.TWO_AT_ONCE_IN_A_JVM, begun + " beside " + other);
            }
            if (right != null && othersRight != null) {
                saw(BatchOutcome.CREATED_BESIDE_A_LOST_LEASE);
            }
            name.excused = true;
        }
    }

    private static int indexIn(Running creation, Name name) {
        for (int i = 0; i < creation.values.size(); i++) {
            if (creation.values.get(i).name == name) {
                return i;
            }
        }
        throw new IllegalStateException();
    }

    private Boom boom() {
        Boom boom = new Boom("boom");
        boomed.add(boom);
        return boom;
    }

    private void complete(Running creation) {
        creation.completing = true;
        List<Flight<Value>> inFlight = new ArrayList<>();
        for (Flight<Value> flight : creation.flights.values()) {
            if (flight.landing() == null && flight.run() == creation.run) {
                inFlight.add(flight);
            }
        }
        creation.ended = true;
        if (has(CREATOR_FAILS) && !winding && pick(2) == 0) {
            fail(creation, inFlight);
        } else {
            succeed(creation, inFlight);
        }
        for (Value value : creation.values) {
            value.settled = ++now;
        }
        for (Flight<Value> flight : inFlight) {
            if (flight.landing() == null) {
                throw violation(BatchOutcome.NOT_WOKEN, "created " + creation + ", and " + flight.name() + " goes on");
            }
        }
        running.remove(creation);
    }

    private void succeed(Running creation, List<Flight<Value>> inFlight) {
        note("is created", creation);
        Map<Object, CreationRun.Made<Value>> made = new HashMap<>();
        int kept = 0;
        for (Value value : creation.values) {
            value.created = ++now;
            boolean leftOut = creation.batch && has(LEAVES_OUT) && pick(3) == 0;
            if (leftOut) {
                note("left out", value);
                value.name.leftOut[creation.jvm] = ++now;
                value.name.excused = true;
            } else {
                kept++;
            }
            made.put(value.name.text, new CreationRun.Made<>(leftOut, leftOut ? null : value));
        }
        creation.future.complete(made);
        for (Value value : creation.values) {
            if (made.get(value.name.text).leftOut()) {
                value.name.leftOut[creation.jvm] = ++now;
            }
        }
        if (time.nanos() <= creation.run.overdueAt()) {
            inFlight.forEach(flight -> checkLeftOut(flight, made));
        }
        if (creation.stored > 0 && creation.stored < kept) {
            saw(BatchOutcome.STORED_IN_PART);
        }
    }

    private void checkLeftOut(Flight<Value> flight, Map<Object, CreationRun.Made<Value>> made) {
        Landing<Value> landing = flight.landing();
        if (landing != null && made.get(flight.name()).leftOut() && landing.kind() == Landing.Kind.AGAIN) {
            throw violation(BatchOutcome.LEFT_OUT_NOT_SHARED, flight.name() + ": who waits looks again");
        }
    }

    private void fail(Running creation, List<Flight<Value>> inFlight) {
        note("fails", creation);
        Throwable thrown = pick(6) == 0 ? STOP : boom();
        creation.values.forEach(value -> value.name.excused = true);
        boolean inTime = time.nanos() <= creation.run.overdueAt();
        creation.future.completeExceptionally(thrown);
        boolean told = Thread.interrupted();
        check(told == (thrown == STOP), BatchOutcome.UNKNOWN_FAILURE, "interrupt flag " + told);
        if (told) {
            saw(BatchOutcome.CREATOR_INTERRUPTED);
            if (creation.onThreadOf != null && creation.batch) {
                creation.onThreadOf.interrupt();
            }
        } else if (inTime && time.nanos() <= creation.run.overdueAt()) {
            inFlight.forEach(flight -> checkShared(flight, thrown));
        }
    }

    private void checkShared(Flight<Value> flight, Throwable thrown) {
        Landing<Value> landing = flight.landing();
        if (landing == null) {
            throw violation(BatchOutcome.NOT_WOKEN, "the creation of " + flight.name() + " failed, its flight goes on");
        }
        boolean shared = landing.kind() == Landing.Kind.FAILURE && isFrom(thrown, landing.failure());
        if (!(shared || landing.kind() == Landing.Kind.VALUE)) {
            throw violation(BatchOutcome.FAILURE_NOT_SHARED, flight.name() + ": who waits gets " + landing);
        }
    }

    private static boolean isFrom(Throwable thrown, Throwable failure) {
        return failure == thrown || failure.getCause() == thrown;
    }

    private void createSoon(Runnable task) {
        if (has(REJECTION) && !winding && pick(3) == 0) {
            saw(BatchOutcome.REFRESH_REJECTED);
            throw REJECTED;
        }
        CreationRun<Value> run = stepping.runHandedOver();
        if (stepping.single != null) {
            stepping.handedOver(run, Set.of(stepping.asked.get(0)));
        }
        if (pick(4) == 0) {
            task.run();
        } else {
            tasks.add(new Queued(run, task));
        }
    }

    private void renewSoon(Runnable task) {
        if (has(REJECTION) && !winding && pick(3) == 0) {
            throw REJECTED;
        }
        renewals.add(task);
    }

    /** One turn of one run: all of its leases, or none where it has ended. */
    private void renew(Runnable turn) {
        note("a renewal");
        Set<Right> outer = renewing;
        Set<Right> renewed = new HashSet<>();
        renewing = renewed;
        turn.run();
        renewing = outer;
        for (Right right : renewed) {
            if (right.group.size() != renewed.size()) {
                throw violation(BatchOutcome.NOT_RENEWED_TOGETHER, renewed + " of " + right.group);
            }
        }
        if (renewed.size() > 1) {
            saw(BatchOutcome.RENEWED_TOGETHER);
        }
    }

    // The store

    private static int indexOf(String name) {
        return name.charAt(0) - 'a';
    }

    private void invalidate(Name name) {
        changes++;
        int jvm = pick(jvms);
        note("invalidates", name);
        name.invalidationBegan[jvm] = ++now;
        overtaken();
        if (kind == Kind.NATIVE) {
            for (int i = 0; i < rights.size(); i++) {
                if (rights.get(i).name == name) {
                    rights.get(i).liveUntil = 0;
                }
            }
            name.store.invalidate();
        } else {
            name.cell.invalidate();
        }
        name.excused = true;
        overtaken();
        locks.get(jvm).detach(name.text);
        name.excused = true;
        name.invalidationEnded[jvm] = ++now;
    }

    private static void isIn(Value value, Stored<Value> stored) {
        value.freshUntil = stored.freshUntil;
        value.usableUntil = stored.usableUntil;
    }

    private void mayFail(Name name) {
        if (has(STORE_DOWN) && !winding && pick(12) == 0) {
            if (trace != null) {
                note("store down for " + name);
            }
            names.forEach(each -> each.excused = true);
            throw DOWN;
        }
    }

    private void deliver(SimStore.Push<Value> push) {
        if (has(PUSH_LOST) && pick(2) == 0) {
            saw(BatchOutcome.PUSH_LOST);
            note("a push is lost");
            return;
        }
        Slot.Seen<Value> seen = push.seen;
        if (seen != null && seen.value() != null) {
            note("pushes", seen.value());
            seen.value().pushed = ++now;
            saw(BatchOutcome.PUSHED);
        }
        push.deliver();
    }

    /** The cell of a name, which may fail. */
    private final class Shelf implements Store<Value> {
        private final Name name;

        Shelf(Name name) {
            this.name = name;
        }

        @Override
        public Stored<Value> read() {
            mayFail(name);
            return name.cell.read();
        }

        @Override
        public long begin() {
            return name.cell.begin();
        }

        @Override
        public @Nullable Stored<Value> write(Slot.Draft<Value> draft, long begun) {
            mayFail(name);
            Stored<Value> stored = name.cell.write(draft, begun);
            if (stored != null) {
                isIn(draft.value(), stored);
            }
            mayFail(name);
            return stored;
        }
    }

    /** A lock for both JVMs, with leases that end. */
    private final class Leases implements LockProvider {
        private final Name name;

        Leases(Name name) {
            this.name = name;
        }

        @Override
        public Optional<Lease> tryAcquire(String text, Duration leaseTime) {
            mayFail(name);
            if (name.holder != null && time.nanos() < name.holder.until) {
                return Optional.empty();
            }
            HeldLease lease = new HeldLease(name, leases.size() + 1);
            leases.add(lease);
            name.holder = lease;
            mayFail(name);
            return Optional.of(lease);
        }
    }

    private final class HeldLease implements Lease {
        private final Name name;
        private final int token;
        long until = time.nanos() + LEASE;

        HeldLease(Name name, int token) {
            this.name = name;
            this.token = token;
        }

        @Override
        public long fencingToken() {
            return token;
        }

        @Override
        public boolean extend(Duration leaseTime) {
            mayFail(name);
            if (name.holder != this || time.nanos() >= until) {
                return false;
            }
            until = time.nanos() + LEASE;
            return true;
        }

        @Override
        public void close() {
            if (name.holder == this) {
                name.holder = null;
            }
            mayFail(name);
        }
    }

    /** What one caller sees of a name: notes what it was shown and granted, and may fail or be overtaken. */
    private final class Looker implements Slot<Value> {
        final Caller by;
        final Name name;
        boolean failed;

        @Nullable
        Right granted;

        Slot.@Nullable Seen<Value> shown;

        Looker(Caller by, Name name) {
            this.by = by;
            this.name = name;
        }

        @Override
        public boolean readsFree() {
            return name.slot.readsFree();
        }

        @Override
        public Seen<Value> read() throws Exception {
            overtaken();
            Seen<Value> seen;
            try {
                mayFail(name);
                seen = new Sight(this, name.slot.read());
                allAnswered(by);
            } catch (Exception down) {
                allFailed(by);
                throw down;
            }
            shown = seen;
            overtaken();
            return seen;
        }

        @Override
        public Watch watch(Consumer<@Nullable Seen<Value>> changed) {
            return name.slot.watch(changed);
        }
    }

    /** A store that fails for one name of a round trip has given no answer for any. */
    private static void allFailed(Caller by) {
        for (Looker looker : by.lookers) {
            looker.failed = true;
            looker.shown = null;
        }
    }

    private static void allAnswered(Caller by) {
        for (Looker looker : by.lookers) {
            looker.failed = false;
        }
    }

    private final class Sight extends Forwarding.Seen<Value> {
        private final Looker looker;

        Sight(Looker looker, Slot.Seen<Value> seen) {
            super(seen);
            this.looker = looker;
        }

        @Override
        public Slot.Claim<Value> claim(Slot.Wish wish) throws Exception {
            overtaken();
            Slot.Claim<Value> claim;
            try {
                mayFail(looker.name);
                claim = inner.claim(wish);
                allAnswered(looker.by);
            } catch (Exception down) {
                allFailed(looker.by);
                throw down;
            }
            Slot.Seen<Value> also = claim.seen();
            Slot.@Nullable Seen<Value> underIt = also == null ? null : new Sight(looker, also);
            if (underIt != null) {
                looker.shown = underIt;
            }
            if (trace != null) {
                note("claims " + looker.name + ": " + claim.kind());
            }
            Slot.Claim<Value> wrapped = claim.with(seen -> underIt, grant -> {
                Right right = new Right(grant, looker);
                rights.add(right);
                looker.granted = right;
                return right;
            });
            overtaken();
            return wrapped;
        }
    }

    /** A right, and what became of it. */
    private final class Right implements Slot.Grant<Value> {
        private final Slot.Grant<Value> grant;
        private final Caller by;
        final Name name;
        final int asked;
        long liveUntil = time.nanos() + LEASE;
        Set<Right> group = Set.of(this);
        boolean handedOver;

        @Nullable
        Running run;

        private boolean published;
        private int released;

        Right(Slot.Grant<Value> grant, Looker looker) {
            this.grant = grant;
            this.by = looker.by;
            this.name = looker.name;
            this.asked = looker.by.stepBegan;
        }

        boolean isLive() {
            return !isOver() && time.nanos() < liveUntil;
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
            if (renewing != null) {
                renewing.add(this);
            }
            overtaken();
            mayFail(name);
            boolean renewed = grant.renew();
            if (renewed) {
                liveUntil = time.nanos() + LEASE;
            }
            mayFail(name);
            return renewed;
        }

        @Override
        public Slot.Published<Value> publish(Slot.Draft<Value> draft) throws Exception {
            check(!published && released < (isOverdue() ? 2 : 1), BatchOutcome.RIGHT_RELEASED_TWICE, name);
            published = true;
            untold.add(name.text);
            overtaken();
            mayFail(name);
            Slot.Published<Value> done = grant.publish(draft);
            Slot.Seen<Value> stored = done.seen();
            if (done.outcome() == Slot.Published.Outcome.STORED && stored != null) {
                draft.value().freshUntil = stored.freshUntil();
                draft.value().usableUntil = stored.usableUntil();
            }
            mayFail(name);
            if (trace != null) {
                note("published " + draft.value() + ": " + done.outcome());
            }
            if (done.trouble() == null) {
                untold.remove(name.text);
            }
            if (done.outcome() != Slot.Published.Outcome.STORED) {
                name.excused = true;
            } else {
                run.stored++;
            }
            overtaken();
            return done;
        }

        private boolean isOverdue() {
            return run != null && time.nanos() > run.run.overdueAt();
        }

        @Override
        public void abandon(@Nullable Throwable cause) throws Exception {
            if (trace != null) {
                note("the right to " + name + " is given back");
            }
            boolean overdue = isOverdue();
            if (overdue) {
                // By who finds it overdue, and by the creation as it ends: neither knows of the other.
                saw(BatchOutcome.OVERDUE);
            }
            check(run == null || run.ended || overdue, BatchOutcome.RIGHT_RELEASED_WHILE_IN_USE, by);
            int ends = released + (published ? 1 : 0);
            check(ends < (overdue ? 2 : 1), BatchOutcome.RIGHT_RELEASED_TWICE, by + ", " + name);
            released++;
            if (run == null && !handedOver) {
                saw(BatchOutcome.SECOND_LOOK_FOUND_A_VALUE);
            }
            untold.add(name.text);
            overtaken();
            mayFail(name);
            grant.abandon(cause);
            mayFail(name);
            untold.remove(name.text);
            overtaken();
        }

        @Override
        public String toString() {
            return "right to " + name;
        }
    }

    // What must hold

    private void check(boolean holds, BatchOutcome forbidden, Object detail) {
        if (!holds) {
            throw violation(forbidden, detail);
        }
    }

    /** Noted too, since what is thrown in a creator or a store is taken for its failure. */
    private Violation violation(BatchOutcome forbidden, Object detail) {
        if (violated == null) {
            violated = new Violation(forbidden, detail.toString());
        }
        return violated;
    }

    private void saw(BatchOutcome outcome) {
        counts[outcome.ordinal()]++;
    }

    private void checkOverdueFound(Caller caller, Call<Value> call) {
        for (int i = 0; i < running.size(); i++) {
            Running other = running.get(i);
            Flight<Value> flight = other.flights.get((String) call.name());
            if (other.jvm == caller.jvm
                    && flight != null
                    && !other.ended
                    && call.election.state() == Election.State.DONE
                    && !flight.isDetached()
                    && flight.landing() == null
                    && time.nanos() > other.run.overdueAt()) {
                throw violation(BatchOutcome.OVERDUE_GOES_ON, caller + " came upon " + other);
            }
        }
    }

    /** A caller that goes to sleep has nothing to take, and holds nothing. */
    private void checkParked(Caller caller) {
        if (!caller.isAsleep()) {
            return;
        }
        caller.eachCall(call -> {
            Election.State state = call.election.state();
            Slot.Seen<Value> shown = caller.lookers[indexOf((String) call.name())].shown;
            if (caller.takesStale
                    && shown != null
                    && (state == Election.State.FOLLOWING || state == Election.State.WAITING)
                    && shown.usable(time.nanos())) {
                throw violation(BatchOutcome.STALE_CALLER_WAITS, caller + " was shown " + shown.value());
            }
        });
        for (int i = 0; i < rights.size(); i++) {
            Right right = rights.get(i);
            if (right.by == caller && right.run == null && !right.handedOver && !right.isOver()) {
                throw violation(BatchOutcome.WAITS_WITH_A_RIGHT, caller + ", to " + right.name);
            }
        }
        if (caller.until() > Math.max(time.nanos(), caller.beganAt + hardTimeout)) {
            throw violation(BatchOutcome.NO_TIMER, caller + " sleeps until " + caller.until() / MS);
        }
    }

    /** Nobody sleeps who should not. */
    private void checkSleepers() {
        for (int i = 0; i < callers.size(); i++) {
            Caller caller = callers.get(i);
            if (caller.isAsleep() && !caller.isCreating()) {
                caller.eachCall(call -> checkAsleep(caller, call));
            }
        }
    }

    private void checkAsleep(Caller caller, Call<Value> call) {
        Flight<Value> flight = call.flight();
        if (flight.landing() != null) {
            throw violation(BatchOutcome.NOT_WOKEN, caller + ": " + call.name() + " has landed");
        }
        if (!call.queued) {
            throw violation(BatchOutcome.NOT_WOKEN, caller + " is not in the queue of " + call.name());
        }
        CreationRun<Value> run = flight.run();
        if (run == null) {
            checkLed(caller, flight);
        } else {
            if (!isUnderWay(run)) {
                throw violation(BatchOutcome.NEVER_ENDS, caller + " waits for a creation that is over");
            }
            if (caller.until() > Math.max(time.nanos(), call.lookAt())) {
                throw violation(BatchOutcome.NO_TIMER, caller + " sleeps until " + caller.until() / MS);
            }
        }
        Flight.Offer<Value> offer = flight.offered();
        if (offer != null && caller.takesStale && offer.seen() != call.declined) {
            throw violation(BatchOutcome.NOT_WOKEN, caller + " was offered a stale " + call.name());
        }
    }

    private void checkLed(Caller caller, Flight<Value> flight) {
        for (int i = 0; i < callers.size(); i++) {
            Caller leader = callers.get(i);
            boolean[] leads = new boolean[1];
            leader.eachCall(call -> {
                if (flight.isLedBy(call)) {
                    leads[0] = true;
                    if (leader.isAsleep() && call.election.state() != Election.State.WAITING) {
                        throw violation(BatchOutcome.NOT_WOKEN, leader + " does not know that it leads " + call.name());
                    }
                }
            });
            if (leads[0]) {
                if (leader.batch != null && leader.isCreating()) {
                    throw violation(
                            BatchOutcome.WAITS_FOR_ANOTHER_NAME, caller + " for " + flight.name() + ", " + leader);
                }
                return;
            }
        }
        throw violation(BatchOutcome.NOBODY_LEADS, caller + " waits for " + flight.name());
    }

    private boolean isUnderWay(CreationRun<Value> run) {
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
        if (caller.batch == null) {
            check(!caller.single.queued, BatchOutcome.LEFT_IN_THE_QUEUE, caller);
            Acquired<Value> acquired = caller.single.value();
            if (acquired == null) {
                failed(caller, caller.asked.get(0), caller.single.thrown());
            } else {
                returned(caller, caller.asked.get(0), acquired.value(), acquired.origin());
            }
            return;
        }
        Throwable first = null;
        int got = 0;
        Set<String> left = new LinkedHashSet<>();
        for (Batch<String, Value>.Part part : caller.batch.parts()) {
            check(!part.queued, BatchOutcome.LEFT_IN_THE_QUEUE, caller);
            if (part.next == Election.Action.THROW) {
                failed(caller, part.key, part.election.failure());
                first = first == null ? part.election.failure() : first;
            } else if (part.election.result().kind() == Landing.Kind.OMITTED) {
                leftOut(caller, part.key, part.election.origin());
                left.add(part.key);
            } else {
                returned(caller, part.key, part.election.result().value(), part.election.origin());
                got++;
            }
        }
        if (first != null && got > 0) {
            saw(BatchOutcome.FAILED_IN_PART);
        }
        if (caller.thrown() != first) {
            throw violation(BatchOutcome.WRONG_FAILURE, caller + ": " + caller.thrown() + ", not " + first);
        }
        Map<String, Acquired<Value>> result = caller.batch.values();
        if (result != null) {
            checkResult(caller, result, left);
        }
    }

    private void checkResult(Caller caller, Map<String, Acquired<Value>> result, Set<String> left) {
        Set<String> expected = new LinkedHashSet<>(caller.asked);
        expected.removeAll(left);
        if (!List.copyOf(expected).equals(List.copyOf(result.keySet()))) {
            throw violation(BatchOutcome.RESULT_OUT_OF_ORDER, caller + " got " + result.keySet());
        }
        boolean created = false;
        boolean waited = false;
        for (Map.Entry<String, Acquired<Value>> each : result.entrySet()) {
            Value value = each.getValue().value();
            if (!value.name.text.equals(each.getKey())) {
                throw violation(BatchOutcome.WRONG_VALUE, caller + " got " + value + " for " + each.getKey());
            }
            created |= value.by == caller;
            waited |= value.by != null && value.by != caller && value.settled > caller.began;
        }
        if (created && waited) {
            saw(BatchOutcome.CREATED_SOME_AND_WAITED_FOR_OTHERS);
        }
    }

    private void leftOut(Caller caller, String text, Acquired.Origin origin) {
        Name name = names.get(indexOf(text));
        if (name.leftOut[caller.jvm] <= caller.began) {
            throw violation(BatchOutcome.RESULT_OUT_OF_ORDER, caller + " lacks " + name + ", which nobody left out");
        }
        saw(origin == Acquired.Origin.CREATED ? BatchOutcome.LEFT_OUT : BatchOutcome.LEFT_OUT_BY_ANOTHER);
    }

    private void returned(Caller caller, String text, @Nullable Value value, Acquired.Origin origin) {
        if (trace != null) {
            note(caller + " gets " + value + ", " + origin);
        }
        if (value == null || value.created == NOT_YET || !value.name.text.equals(text)) {
            throw violation(BatchOutcome.WRONG_VALUE, caller + " got " + value + " for " + text);
        }
        Name name = value.name;
        checkNotInvalidated(caller, value);
        boolean news = value.settled > caller.began || value.pushed > caller.began;
        boolean good = switch (origin) {
            case CREATED -> news;
            case FRESH -> news || (!caller.refresh && value.freshUntil >= caller.beganAt);
            case STALE -> caller.takesStale && value.usableUntil >= caller.beganAt;
        };
        if (!good) {
            throw violation(BatchOutcome.TOO_OLD, caller + " got " + value + ", " + origin);
        }
        saw(
                switch (origin) {
                    case CREATED -> BatchOutcome.CREATED;
                    case FRESH -> news ? BatchOutcome.WAITED : BatchOutcome.FRESH_AT_ONCE;
                    case STALE -> BatchOutcome.STALE;
                });
        if (caller.single != null && origin == Acquired.Origin.CREATED && name.leftOut[caller.jvm] > caller.began) {
            saw(BatchOutcome.LEFT_OUT_AND_CREATED_ALONE);
        }
        Caller by = value.by;
        if (by != null && by != caller && news) {
            gotFrom(caller, by, name);
        }
    }

    private void checkNotInvalidated(Caller caller, Value value) {
        int began = value.name.invalidationBegan[caller.jvm];
        int ended = value.name.invalidationEnded[caller.jvm];
        if (value.began >= began) {
            return;
        }
        boolean isOver = ended > began;
        if (isOver && caller.began > ended) {
            throw violation(BatchOutcome.OLD_VALUE_AFTER_INVALIDATION, caller + " got " + value);
        }
        saw(BatchOutcome.OLD_VALUE_TO_AN_EARLIER_CALLER);
    }

    private void gotFrom(Caller caller, Caller by, Name name) {
        caller.gotFrom.add(by);
        if (by.gotFrom.contains(caller)) {
            saw(BatchOutcome.GOT_FROM_EACH_OTHER);
        }
        if (by.jvm != caller.jvm) {
            saw(BatchOutcome.GOT_FROM_ANOTHER_JVM);
        } else if (by.batch == null && caller.batch != null) {
            saw(BatchOutcome.BATCH_GOT_FROM_A_SINGLE_CALL);
        } else if (by.batch != null && caller.batch == null) {
            saw(BatchOutcome.SINGLE_CALL_GOT_FROM_A_BATCH);
        }
    }

    private void failed(Caller caller, String name, @Nullable Throwable failure) {
        if (trace != null) {
            note(caller + " fails for " + name + " with " + failure);
        }
        if (failure instanceof HardTimeoutException) {
            if (time.nanos() < caller.beganAt + hardTimeout) {
                throw violation(BatchOutcome.UNKNOWN_FAILURE, caller + " timed out before its time");
            }
            saw(BatchOutcome.HARD_TIMEOUT);
        } else if (failure instanceof CreationException backingOff
                && backingOff.retryAfter().isPresent()) {
            check(!boomed.isEmpty(), BatchOutcome.UNKNOWN_FAILURE, caller + " backs off, and nothing failed");
            saw(BatchOutcome.BACKED_OFF);
        } else if (failure instanceof CreationException && failure.getCause() == STOP) {
            saw(BatchOutcome.OWN_FAILURE);
        } else if (failure instanceof DogpileException && failure.getCause() instanceof InterruptedException) {
            check(caller.interrupted, BatchOutcome.UNKNOWN_FAILURE, caller + ", which nobody interrupted");
            saw(BatchOutcome.INTERRUPTED);
        } else if (failure instanceof DogpileException && failure.getCause() == DOWN) {
            check(whenDown == WhenDown.FAIL, BatchOutcome.UNKNOWN_FAILURE, caller + ": " + failure);
            saw(BatchOutcome.FAILED_WHILE_STORE_DOWN);
        } else if (failure != null && boomed.stream().anyMatch(boom -> isFrom(boom, failure))) {
            Right right = caller.lookers[indexOf(name)].granted;
            boolean own = right != null && right.run != null;
            saw(own ? BatchOutcome.OWN_FAILURE : BatchOutcome.FAILURE_SHARED);
        } else {
            throw violation(BatchOutcome.UNKNOWN_FAILURE, caller + ": " + failure);
        }
    }

    private void leftBehind() {
        for (int jvm = 0; jvm < jvms; jvm++) {
            check(locks.get(jvm).inFlight() == 0, BatchOutcome.LEFT_BEHIND, "a flight of jvm " + jvm);
        }
        check(time.alarms() == 0, BatchOutcome.LEFT_BEHIND, "an alarm");
        for (Name name : names) {
            check(name.store.watches() == 0, BatchOutcome.LEFT_BEHIND, "a watch of " + name);
        }
        for (int i = 0; i < rights.size(); i++) {
            check(rights.get(i).isOver(), BatchOutcome.RIGHT_NEVER_RELEASED, rights.get(i));
        }
    }

    /** Counts what only a listener hears; others are at work while it is told. */
    private final DogpileListener hearing = new DogpileListener() {
        @Override
        public void created(Object name, Duration cost) {
            overtaken();
        }

        @Override
        public void failed(Object name, Throwable failure) {
            overtaken();
        }

        @Override
        public void leaseLost(Object name) {
            saw(BatchOutcome.LEASE_LOST);
            names.get(indexOf((String) name)).excused = true;
        }

        @Override
        public void storeDown(Object name, Throwable failure) {
            untold.remove((String) name);
        }
    };

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
