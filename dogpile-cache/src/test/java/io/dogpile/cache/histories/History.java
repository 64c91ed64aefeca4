package io.dogpile.cache.histories;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What happened, put together from the events of all processes. */
final class History {
    static final long NEVER = Long.MAX_VALUE;
    static final String NOTHING = "-";

    /** What is called. */
    enum Call {
        /** Gives the value, fresh or stale, and creates nothing. */
        PEEK,
        /** Gives the value, and creates it if need be. */
        CREATE,
        PUT,
        HARD,
        SOFT
    }

    /** How a call ended, if it did. */
    enum Ending {
        OK,
        FAILED,
        UNKNOWN,
        OPEN
    }

    /** One call. */
    static final class Op {
        final String id;
        final String node;
        final String key;
        final Call call;
        final long invoked;
        long ended = NEVER;

        /** No look at the store that it may have used began before. */
        long looked;

        Ending ending = Ending.OPEN;
        String value = NOTHING;

        /** What it created, if it was elected. */
        final List<Made> creations = new ArrayList<>();

        Op(Event event, Call call) {
            this.id = event.op();
            this.node = event.node();
            this.key = event.key();
            this.call = call;
            this.invoked = event.at();
            this.looked = invoked;
        }

        boolean gave() {
            return ending == Ending.OK && !value.equals(NOTHING) && (call == Call.PEEK || call == Call.CREATE);
        }

        /** Takes the key's value, or its right, away from those who had it. */
        boolean disturbs() {
            return call == Call.PUT || call == Call.HARD || call == Call.SOFT;
        }

        @Override
        public String toString() {
            return call + " " + key + " by " + node + ", op " + id + ", " + invoked + " to "
                    + (ended == NEVER ? "?" : ended) + (value.equals(NOTHING) ? "" : ", " + value);
        }
    }

    /** A value that was created, or put. */
    static final class Made {
        final String value;
        final long fence;
        final Op op;
        final long started;
        long ended = NEVER;
        /** When its process was told to die, which it did at some time from then until this ended. */
        long killed = NEVER;

        boolean failed;

        /** What the region said of its write; empty where it was stored. */
        String refused = "";

        Made(String value, long fence, Op op, long started) {
            this.value = value;
            this.fence = fence;
            this.op = op;
            this.started = started;
        }

        /** Until when it surely ran. */
        long ranUntil() {
            return Math.min(ended, Math.max(started, killed));
        }

        @Override
        public String toString() {
            return value + (fence == 0 ? "" : " of fence " + fence) + " by op " + op.id + ", " + started + " to "
                    + (ended == NEVER ? "?" : ended) + (refused.isEmpty() ? "" : ", " + refused);
        }
    }

    /** A time in which something was wrong. */
    record Window(Fault kind, String node, long from, long to) {
        boolean isOf(String other) {
            return node.equals("*") || node.equals(other);
        }

        boolean meets(long begin, long end) {
            return from <= end && to >= begin;
        }
    }

    /** A time in which a process got no turn. */
    record Stall(String node, long from, long to) {}

    final Map<String, Op> ops = new LinkedHashMap<>();
    final Map<String, Made> made = new HashMap<>();
    final List<Window> faults = new ArrayList<>();
    final List<Stall> stalls = new ArrayList<>();
    final List<String> doubts = new ArrayList<>();
    private final Map<String, Made> creating = new HashMap<>();
    /** Faults that have not ended, by process and kind; the last that began ends first. */
    private final Map<String, Deque<Event>> begun = new TreeMap<>();

    private long last;

    /** In any order; those of one process are in theirs. */
    static History of(List<Event> events) {
        History history = new History();
        events.stream().sorted(Comparator.comparingLong(Event::at)).forEach(history::add);
        history.end();
        return history;
    }

    private void add(Event event) {
        last = Math.max(last, event.at());
        switch (event.kind()) {
            case INVOKE -> invoke(event);
            case OK -> ended(event, Ending.OK);
            case FAIL -> ended(event, Ending.FAILED);
            case UNKNOWN -> ended(event, Ending.UNKNOWN);
            case START -> {
                String[] words = event.detail().split(" ");
                Op op = ops.get(event.op());
                Made one = new Made(words[0], Long.parseLong(words[1]), op, event.at());
                creating.put(event.op(), one);
                op.creations.add(one);
                making(one);
            }
            case END -> {
                Made one = creating.remove(event.op());
                one.ended = event.at();
                one.failed = event.detail().equals("failed");
            }
            case REFUSED -> {
                List<Made> all = ops.get(event.op()).creations;
                all.get(all.size() - 1).refused = event.detail();
            }
            case STALL -> stalls.add(new Stall(event.node(), event.at() - Long.parseLong(event.detail()), event.at()));
            case FAULT ->
                begun.computeIfAbsent(event.node() + event.detail(), fault -> new ArrayDeque<>())
                        .push(event);
            case HEALED -> healed(begun.get(event.node() + event.detail()).pop(), event.at());
        }
    }

    private void invoke(Event event) {
        String[] words = event.detail().split(" ");
        Op op = new Op(event, Call.valueOf(words[0]));
        ops.put(op.id, op);
        if (op.call == Call.PUT) {
            making(new Made(words[1], 0, op, event.at()));
        }
    }

    private void making(Made one) {
        if (made.put(one.value, one) != null) {
            doubts.add("two made " + one.value);
        }
    }

    private void ended(Event event, Ending ending) {
        Op op = ops.get(event.op());
        op.ended = event.at();
        op.ending = ending;
        if (ending == Ending.OK) {
            op.value = event.detail();
        }
    }

    private void healed(Event begin, long at) {
        faults.add(new Window(Fault.valueOf(begin.detail()), begin.node(), begin.at(), at));
    }

    private void end() {
        begun.values().forEach(open -> open.forEach(begin -> healed(begin, NEVER)));
        // Whoever was killed creates no longer.
        creating.values()
                .forEach(one -> faults.stream()
                        .filter(fault ->
                                fault.kind() == Fault.KILL && fault.node().equals(one.op.node))
                        .forEach(fault -> {
                            one.killed = fault.from();
                            one.ended = Math.max(one.started, fault.to());
                        }));
    }

    /** The end of the last event. */
    long last() {
        return last;
    }

    boolean wasKilled(String node) {
        return faults.stream()
                .anyMatch(fault -> fault.kind() == Fault.KILL && fault.node().equals(node));
    }
}
