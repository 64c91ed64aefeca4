package io.dogpile.cache.histories;

import io.dogpile.cache.histories.History.Call;
import io.dogpile.cache.histories.History.Ending;
import io.dogpile.cache.histories.History.Made;
import io.dogpile.cache.histories.History.Op;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Looks in a history for what must not be.
 *
 * <p>Of two events one was before the other only if it had ended before that began; whatever overlaps may have happened in
 * either order, and what failed may have happened or not. So nothing is found that could have been right, and much that
 * was wrong may not be found: a history proves nothing, it only disproves.
 *
 * <p>Callers of one process who ask for a key at once share a look at the store. So what one of them is given may have been
 * true when the first of them asked, and no longer when the last did. They share what one of them creates, too: while it is
 * published it may be invalidated, and those who come then are given it.
 */
public final class Checker {
    /**
     * What was found.
     *
     * @param invariant what did not hold
     * @param key of which key
     * @param what the events that show it
     */
    public record Violation(Invariant invariant, String key, String what) {
        @Override
        public String toString() {
            return invariant + " of " + key + ": " + what;
        }
    }

    private final History history;
    private static final int FIRST_CALLS = 10;

    private final Terms terms;
    private final List<Violation> violations = new ArrayList<>();
    private final Map<Invariant, Integer> checked = new EnumMap<>(Invariant.class);
    private final Map<Invariant, Integer> excused = new EnumMap<>(Invariant.class);

    private Checker(History history, Terms terms) {
        this.history = history;
        this.terms = terms;
    }

    /**
     * Checks the events of one round, after which all was healed and everybody was given time to end.
     *
     * @param events all of them, in any order
     * @param terms what the store promises
     * @return what was found
     */
    public static Checker check(Collection<Event> events, Terms terms) {
        Checker checker = new Checker(History.of(List.copyOf(events)), terms);
        checker.check();
        return checker;
    }

    /** What was found; empty if all is well. */
    public List<Violation> violations() {
        return List.copyOf(violations);
    }

    /** How often there was something to check. */
    public Map<Invariant, Integer> checked() {
        return Map.copyOf(checked);
    }

    /** How often something was found that a fault excuses. */
    public Map<Invariant, Integer> excused() {
        return Map.copyOf(excused);
    }

    /** How many calls there were. */
    public int operations() {
        return history.ops.size();
    }

    /** How many creators began. */
    public int creations() {
        return (int) history.made.values().stream()
                .filter(one -> one.op.call == Call.CREATE)
                .count();
    }

    private void check() {
        history.doubts.forEach(doubt -> found(Invariant.NOTHING_FROM_NOWHERE, "-", doubt));
        nobodyLeft();
        Map<String, List<Op>> byKey = history.ops.values().stream()
                .collect(Collectors.groupingBy(op -> op.key, LinkedHashMap::new, Collectors.toList()));
        byKey.forEach((key, ops) -> new OfKey(key, ops).check());
    }

    private void nobodyLeft() {
        for (Op op : history.ops.values()) {
            if (!history.wasKilled(op.node)) {
                count(Invariant.NOBODY_LEFT);
                if (op.ending == Ending.OPEN) {
                    found(Invariant.NOBODY_LEFT, op.key, op + " has not ended");
                }
            }
        }
    }

    private void count(Invariant invariant) {
        checked.merge(invariant, 1, Integer::sum);
    }

    private void found(Invariant invariant, String key, String what) {
        violations.add(new Violation(invariant, key, what));
    }

    /** Notes it, unless a fault in that time excuses it; what befell only processes other than those does not. */
    private void found(Invariant invariant, String key, long from, long to, Collection<String> nodes, String what) {
        boolean isExcused = history.faults.stream()
                .filter(fault -> terms.excuses(fault.kind(), invariant))
                .filter(fault -> nodes.stream().anyMatch(fault::isOf))
                .anyMatch(fault -> fault.meets(from - terms.recoveryMicros(), to));
        if (isExcused || stalled(invariant, from, to, nodes)) {
            excused.merge(invariant, 1, Integer::sum);
        } else {
            found(invariant, key, what);
        }
    }

    /** What a machine does to a process counts as what we do to it. To be late, it is enough that another got no turn. */
    private boolean stalled(Invariant invariant, long from, long to, Collection<String> nodes) {
        boolean isAboutTime = invariant == Invariant.TAKEN_OVER || invariant == Invariant.STALE_IS_SERVED;
        boolean isAboutRights = isAboutTime || terms.excuses(Fault.PAUSE, invariant);
        return isAboutRights
                && history.stalls.stream()
                        .filter(stall -> isAboutTime
                                || nodes.contains(stall.node()) && stall.to() - stall.from() > terms.leaseMicros() / 2)
                        .anyMatch(stall -> stall.from() <= to && stall.to() >= from - terms.leaseMicros());
    }

    private static boolean isOfNetworkOrProcess(Fault kind) {
        return kind != Fault.CLOCKS && kind != Fault.EVICTION && kind != Fault.FLUSH;
    }

    private static boolean isOutage(Fault kind) {
        return kind == Fault.RESTART_EMPTY
                || kind == Fault.RESTART_PERSISTED
                || kind == Fault.FAILOVER
                || kind == Fault.CUT;
    }

    /** One key. */
    private final class OfKey {
        private final String key;
        private final List<Op> ops;
        private final List<Op> disturbing;
        private final List<Made> created;

        /** Reads of what was in the store, by their ends. */
        private final List<Op> reads;

        OfKey(String key, List<Op> ops) {
            this.key = key;
            this.ops = ops;
            this.disturbing = ops.stream().filter(Op::disturbs).toList();
            this.created = ops.stream()
                    .flatMap(op -> op.creations.stream())
                    .sorted(Comparator.comparingLong(one -> one.started))
                    .toList();
            this.reads = ops.stream()
                    .filter(op -> op.gave() && isOfTheStore(op))
                    .sorted(Comparator.comparingLong(op -> op.ended))
                    .toList();
        }

        /** Whose look, or whose publication, each may have shared that was under way in its process when it came. */
        private void looks() {
            List<Op> callers = ops.stream().filter(op -> op.call == Call.CREATE).toList();
            for (Op op : callers) {
                for (Op other : callers) {
                    long since = other != op && other.node.equals(op.node)
                            ? underWaySince(other, op.invoked)
                            : History.NEVER;
                    if (since != History.NEVER) {
                        op.looked = Math.min(op.looked, sharedSince(since, op));
                    }
                    boolean isCreatedHere = other != op && creates(other, op.node, op.invoked);
                    if (isCreatedHere
                            && storeWasAway(op.node, op.invoked, op.ended)) { // then it gets what that one found
                        op.looked = Math.min(op.looked, other.invoked);
                    }
                }
            }
        }

        private static boolean creates(Op op, String node, long time) {
            return op.node.equals(node)
                    && op.creations.stream().anyMatch(one -> one.started <= time && one.ended > time);
        }

        private boolean storeWasAway(String node, long from, long to) {
            return history.faults.stream()
                    .anyMatch(fault -> isOutage(fault.kind()) && fault.isOf(node) && fault.meets(from, to));
        }

        /** Since when that caller looked, or published, at that time; never if it did neither. */
        private long underWaySince(Op op, long time) {
            if (op.invoked > time || op.ended < time) {
                return History.NEVER;
            }
            if (op.creations.isEmpty() || time <= op.creations.get(0).started) {
                return op.invoked;
            }
            long published = op.creations.get(op.creations.size() - 1).ended;
            return published <= time ? published : History.NEVER;
        }

        private long sharedSince(long since, Op op) {
            boolean stood = history.stalls.stream()
                            .anyMatch(stall ->
                                    stall.node().equals(op.node) && stall.from() <= op.ended && stall.to() >= since)
                    || history.faults.stream()
                            .anyMatch(fault -> isOfNetworkOrProcess(fault.kind())
                                    && fault.isOf(op.node)
                                    && fault.meets(since, op.ended));
            boolean takesLong = stood || isAmongTheFirst(op);
            return takesLong ? since : Math.max(since, op.invoked - terms.lookMicros());
        }

        /** Who asks at the start of a JVM waits for classes that are loaded, and shares a look that waits for them as long. */
        private static boolean isAmongTheFirst(Op op) {
            int number = op.id.lastIndexOf('-');
            return number >= 0 && Integer.parseInt(op.id.substring(number + 1)) <= FIRST_CALLS;
        }

        void check() {
            looks();
            Map<String, Seen> seen = new HashMap<>();
            for (Op op : ops) {
                if (op.gave()) {
                    Made one = history.made.get(op.value);
                    nothingFromNowhere(op, one);
                    if (one != null && !isItsOwn(op, one)) {
                        forgottenStaysForgotten(op, one);
                        if (isOfTheStore(op)) {
                            seen.computeIfAbsent(op.value, value -> new Seen(one))
                                    .by(op);
                        }
                    }
                    staleIsServed(op);
                }
                if (op.call == Call.CREATE) {
                    takenOver(op);
                }
            }
            noWayBack(List.copyOf(seen.values()));
            differentFences();
            oneRight();
            oneCreation();
        }

        private void nothingFromNowhere(Op op, Made one) {
            count(Invariant.NOTHING_FROM_NOWHERE);
            if (one == null) {
                found(Invariant.NOTHING_FROM_NOWHERE, key, op + ": nobody made that");
            } else if (!one.op.key.equals(key)) {
                found(Invariant.NOTHING_FROM_NOWHERE, key, op + ": made for another key: " + one);
            } else if (one.started > op.ended) {
                found(Invariant.NOTHING_FROM_NOWHERE, key, op + ": made later: " + one);
            } else if (one.failed) {
                found(Invariant.NOTHING_FROM_NOWHERE, key, op + ": its creator failed: " + one);
            } else if (isRefused(one) && !isAskedAgain(one) && (op.call == Call.PEEK || !one.op.node.equals(op.node))) {
                found(Invariant.NOTHING_FROM_NOWHERE, key, op + ": refused by the store: " + one);
            }
        }

        /**
         * What its own creator made, each caller has, whatever became of it in the store; and where the store did not say, so
         * has each who waited for it in that process.
         */
        private boolean isItsOwn(Op op, Made one) {
            return one.op == op || one.refused.equals("UNKNOWN") && !isOfTheStore(op);
        }

        private static boolean isRefused(Made one) {
            return one.refused.equals("SUPERSEDED") || one.refused.equals("VOIDED");
        }

        /** A publication whose reply was lost is asked again; it may have been stored, and replaced since. */
        private boolean isAskedAgain(Made one) {
            return history.faults.stream()
                    .filter(fault -> fault.kind() == Fault.CUT && fault.isOf(one.op.node))
                    .anyMatch(fault -> fault.meets(one.started, one.op.ended));
        }

        private void differentFences() {
            Map<Long, Made> fences = new HashMap<>();
            for (Made one : created) {
                Made other = one.fence == 0 ? null : fences.put(one.fence, one);
                if (other != null) {
                    found(Invariant.NOTHING_FROM_NOWHERE, key, "one fence for " + other + " and " + one);
                }
            }
        }

        private void noWayBack(List<Seen> seen) {
            for (Seen one : seen) {
                for (Seen other : seen) {
                    if (one == other || one.firstEnd >= other.lastBegin) {
                        continue;
                    }
                    // one was read, and later the other
                    count(Invariant.NO_WAY_BACK);
                    boolean back = one.reads.stream()
                            .anyMatch(after -> other.reads.stream()
                                    .anyMatch(between -> between.looked > one.firstEnd
                                            && between.ended < after.looked
                                            && !isPutAgain(one.made, between)));
                    if (back) {
                        foundOfAll(
                                one.firstEnd,
                                one.lastBegin,
                                one.made + " was read, then " + other.made + ", then the first again");
                    }
                    if (one.made.fence > other.made.fence && other.made.fence > 0) {
                        foundOfAll(
                                one.firstEnd,
                                other.lastBegin,
                                one.made + " was read, and after it " + other.made + " of a smaller fence");
                    }
                }
            }
        }

        /** A put whose reply was lost is done again: over what others stored meanwhile, too. */
        private boolean isPutAgain(Made one, Op between) {
            return one.op.call == Call.PUT
                    && between.looked <= one.op.ended
                    && storeWasAway(one.op.node, one.op.invoked, one.op.ended);
        }

        private void foundOfAll(long from, long to, String what) {
            found(Invariant.NO_WAY_BACK, key, from, to, List.of("*"), what);
        }

        private void forgottenStaysForgotten(Op op, Made one) {
            long from = one.op.call == Call.PUT ? one.op.ended : one.started;
            for (Op how : disturbing) {
                if (how.call == Call.HARD && how.ending == Ending.OK && how.ended < op.looked) {
                    count(Invariant.FORGOTTEN_STAYS_FORGOTTEN);
                    if (from < how.invoked && !isServedForWantOfAStore(op)) {
                        found(
                                Invariant.FORGOTTEN_STAYS_FORGOTTEN,
                                key,
                                one.started,
                                op.ended,
                                List.of(op.node, one.op.node, how.node),
                                op + " gave " + one + ", though between them: " + how);
                        return;
                    }
                }
            }
        }

        /** Where the store does not answer, callers are given the stale value that their process creates over. */
        private boolean isServedForWantOfAStore(Op op) {
            return op.call == Call.CREATE
                    && !creatingAt(op).isEmpty()
                    && storeWasAway(op.node, op.invoked - terms.recoveryMicros(), op.ended);
        }

        /** What the call's own process was creating when it came. */
        private List<Made> creatingAt(Op op) {
            return created.stream()
                    .filter(one ->
                            one.op.node.equals(op.node) && one.started <= op.invoked && one.op.ended >= op.invoked)
                    .toList();
        }

        /** A second may begin when the right of the first may have been lost. */
        private void oneRight() {
            for (int i = 0; i < created.size(); i++) {
                Made first = created.get(i);
                for (int j = i + 1; j < created.size() && created.get(j).started < first.ranUntil(); j++) {
                    Made second = created.get(j);
                    count(Invariant.ONE_RIGHT);
                    if (!disturbed(first, second)) {
                        found(
                                Invariant.ONE_RIGHT,
                                key,
                                asked(first, second),
                                second.started,
                                List.of(first.op.node, second.op.node),
                                second + " began while " + first + " ran");
                    }
                }
            }
        }

        private void oneCreation() {
            for (int i = 0; i + 1 < created.size(); i++) {
                Made first = created.get(i);
                Made second = created.get(i + 1);
                if (first.ended < second.started && !first.failed) {
                    count(Invariant.ONE_CREATION);
                    if (!disturbed(first, second)) {
                        found(
                                Invariant.ONE_CREATION,
                                key,
                                first.op.invoked,
                                second.started,
                                List.of(first.op.node),
                                second + " was created, though there was " + first);
                    }
                }
            }
        }

        /** Whether the value, or the right, of the first may have been taken away through the library. */
        private boolean disturbed(Made first, Made second) {
            return disturbing.stream()
                    .anyMatch(how -> how.invoked <= second.started && endOf(how) >= asked(first, second));
        }

        /** When the first of them asked: the right that was granted later may have been used earlier. */
        private long asked(Made first, Made second) {
            return Math.min(first.op.invoked, second.op.invoked);
        }

        /** What is not known to have happened may still happen. */
        private long endOf(Op op) {
            return op.ending == Ending.OK ? op.ended : History.NEVER;
        }

        private void takenOver(Op op) {
            if (op.ended == History.NEVER) {
                return;
            }
            count(Invariant.TAKEN_OVER);
            long idleSince = op.invoked;
            for (Made one : created) {
                if (one.started >= op.ended) {
                    break;
                }
                long signOfLife = signOfLife(one);
                if (signOfLife > idleSince) {
                    idle(op, idleSince, one.started);
                    idleSince = signOfLife;
                }
            }
            idle(op, idleSince, op.ended);
        }

        private long signOfLife(Made one) {
            return history.faults.stream()
                    .filter(fault -> fault.kind() == Fault.PAUSE && fault.isOf(one.op.node))
                    .filter(fault -> fault.meets(one.started, one.ended))
                    .mapToLong(History.Window::from)
                    .min()
                    .orElse(one.ended);
        }

        private void idle(Op op, long from, long to) {
            if (to - from > terms.takeoverMicros() && !stood(op, from, to)) {
                List<String> nodes = new ArrayList<>(List.of(op.node));
                created.stream()
                        .filter(one -> one.started <= to && one.ended >= from)
                        .forEach(one -> nodes.add(one.op.node));
                found(
                        Invariant.TAKEN_OVER,
                        key,
                        from,
                        to,
                        nodes,
                        op + " waited from " + from + " to " + to + ", and nobody created");
            }
        }

        private void staleIsServed(Op op) {
            if (op.call != Call.CREATE || !op.creations.isEmpty()) {
                return;
            }
            Op latest = latestBefore(op.invoked);
            if (latest != null && isStill(latest, op) && !isOvertaken(latest, op)) {
                count(Invariant.STALE_IS_SERVED);
                if (op.ended - op.invoked > terms.promptMicros() && !stood(op, op.invoked, op.ended)) {
                    found(
                            Invariant.STALE_IS_SERVED,
                            key,
                            op.invoked,
                            op.ended,
                            List.of(op.node),
                            op + " waited for " + (op.ended - op.invoked) / 1_000 + " ms, though there was a value");
                }
            }
        }

        /** Whether what was read is still in the store when the call ends, or another in its place. */
        private boolean isStill(Op read, Op op) {
            return disturbing.stream()
                            .noneMatch(how ->
                                    how.call == Call.HARD && how.invoked <= op.ended && endOf(how) >= read.invoked)
                    && history.faults.stream()
                            .noneMatch(fault -> terms.excuses(fault.kind(), Invariant.STALE_IS_SERVED)
                                    && fault.meets(read.invoked - terms.recoveryMicros(), op.ended));
        }

        /** What was made while the call's own process was creating: its callers wait for its own creation all the same. */
        private boolean isOvertaken(Op read, Op op) {
            Made one = history.made.get(read.value);
            return creatingAt(op).stream().anyMatch(own -> own.started <= endOf(one.op));
        }

        /** The last read that had ended by then, or null. */
        private Op latestBefore(long time) {
            int low = 0;
            for (int high = reads.size(); low < high; ) {
                int middle = (low + high) >>> 1;
                if (reads.get(middle).ended < time) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            return low == 0 ? null : reads.get(low - 1);
        }

        /** Not of what its own process made, which may never have been stored. */
        private boolean isOfTheStore(Op op) {
            Made one = history.made.get(op.value);
            return one != null && (op.call == Call.PEEK || !one.op.node.equals(op.node));
        }

        private boolean stood(Op op, long from, long to) {
            return history.faults.stream()
                    .anyMatch(fault -> fault.kind() == Fault.PAUSE && fault.isOf(op.node) && fault.meets(from, to));
        }
    }

    /** Where a value was read, apart from those who made it. */
    private static final class Seen {
        final Made made;
        final List<Op> reads = new ArrayList<>();
        long firstEnd = History.NEVER;
        long lastBegin;

        Seen(Made made) {
            this.made = made;
        }

        void by(Op op) {
            reads.add(op);
            firstEnd = Math.min(firstEnd, op.ended);
            lastBegin = Math.max(lastBegin, op.looked);
        }
    }
}
