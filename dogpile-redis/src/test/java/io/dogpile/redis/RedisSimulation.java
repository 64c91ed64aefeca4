package io.dogpile.redis;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.Acquired;
import io.dogpile.core.Creation;
import io.dogpile.core.CreationException;
import io.dogpile.core.DogpileException;
import io.dogpile.core.DogpileLock;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.Slot;
import io.dogpile.core.WhenDown;
import io.dogpile.redis.SimServer.Mutant;
import io.dogpile.redis.SimServer.Violation;
import io.dogpile.redis.SimServer.Violation.Promise;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.UnaryOperator;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.executors.CommandExecutor;
import redis.clients.jedis.providers.PooledConnectionProvider;

/**
 * Plays schedules of three or more JVMs and one Redis on one thread. What is real: elections, flights, asynchronous calls,
 * creation runs, renewals, partitions, claims, rights, generations, inboxes, nodes, and the class that sends commands, down to the
 * client's own commands. What is simulated: threads, clocks, timers, the network, and the server, by a {@linkplain ScriptModel model}
 * of the scripts that another test ties to the real one.
 *
 * <p>While a command is under way, before and after the server does it, other events may come: so a caller is overtaken
 * between any two of its commands, and a reply by a push. A request that timed out may arrive later.
 *
 * <p>A schedule has events, with the faults that its seed draws, and is held to the promises after each. Then all faults end, and
 * all calls must within a bound. Then the values grow stale, each node asks for a fresh one, one creates it, all get it, and nothing is
 * left behind. All is drawn from the seed, so a seed is a schedule.
 */
final class RedisSimulation implements SimServer.World {
    static final List<String> KEYS = List.of("a", "b");
    static final int FEWEST_NODES = 3;
    static final int FEWEST_EVENTS = 30;

    /** Of so many seeds one is of a schedule without faults but of creators, in which time passes only when nothing else can. */
    static final int QUIET_EACH = 6;

    static final String SEED = "dogpile.simulation.seed";
    private static final int MOST_CALLS = 12;
    private static final int MOST_EVENTS_TO_END = 5_000;
    private static final int DEEPEST = 2;
    private static final String NO_NONCE = "none";
    private static final long MS = 1_000_000L;
    private static final long TIMEOUT = 200 * MS;

    /** A lease that stood still, the polls around it, two creations, and commands. */
    private static final long LONGEST_TO_END = 5_000 * MS;

    private static final long[] STEPS = {MS, 20 * MS, 150 * MS, 400 * MS, 1_100 * MS, 2_500 * MS};
    /** How old the first value is: fresh, nearly stale, stale, nearly expired. */
    private static final long[] AGES = {MS, 1_900 * MS, 2_100 * MS, 5_500 * MS};

    private static final long[] CLOCK_STEPS_MILLIS = {-100, 100, -3_000, 3_000, -7_200_000, 3_600_000};

    /** What may go wrong, or be asked for, in a schedule. */
    enum Fault {
        REQUEST_LOST,
        REPLY_LOST,
        CONNECTION_BROKEN,
        REQUEST_LATE,
        REQUEST_LATE_AND_AGAIN,
        UNREACHABLE,
        PUSH_LOST,
        PUSH_TWICE,
        SUBSCRIPTION_CUT,
        SUBSCRIPTION_DEAF,
        PAUSE,
        KILL,
        RESTART,
        FLUSH,
        EVICTION,
        FAILOVER,
        CLOCK_SET,
        CREATOR_FAILS,
        CREATOR_SLOW,
        INVALIDATION,
        PUT,
        NEW_GENERATION,
        REFRESH;

        final int bit = 1 << ordinal();
    }

    private static final int ALL_FAULTS = (1 << Fault.values().length) - 1;

    /** Those that are events; the others come with one. */
    private static final int BY_THEMSELVES = Fault.UNREACHABLE.bit
            | Fault.SUBSCRIPTION_CUT.bit
            | Fault.SUBSCRIPTION_DEAF.bit
            | Fault.PAUSE.bit
            | Fault.KILL.bit
            | Fault.RESTART.bit
            | Fault.FLUSH.bit
            | Fault.EVICTION.bit
            | Fault.FAILOVER.bit
            | Fault.CLOCK_SET.bit
            | Fault.INVALIDATION.bit
            | Fault.PUT.bit
            | Fault.NEW_GENERATION.bit;

    /** Those by which a command is not answered. */
    private static final int OF_THE_NETWORK = Fault.REQUEST_LOST.bit
            | Fault.REPLY_LOST.bit
            | Fault.CONNECTION_BROKEN.bit
            | Fault.REQUEST_LATE.bit
            | Fault.REQUEST_LATE_AND_AGAIN.bit
            | Fault.UNREACHABLE.bit;

    /** What the client throws; its stack is of no use here, and dear. */
    private static final class Unanswered extends JedisConnectionException {
        private static final long serialVersionUID = 1L;

        Unanswered(String message) {
            super(message);
        }

        Unanswered(Throwable cause) {
            super("timed out", cause);
        }

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }

    private static final SocketTimeoutException TIMED_OUT = new SocketTimeoutException("by the simulation");

    /** What a creator throws. */
    private static final class Boom extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Boom() {
            super("boom", null, false, false);
        }
    }

    /** A value, and under which right it was made. */
    private static final class Made {
        final int number;
        final int began;
        final long fence;
        final String nonce;
        boolean unknown;

        Made(int number, int began, long fence, String nonce) {
            this.number = number;
            this.began = began;
            this.fence = fence;
            this.nonce = nonce;
        }

        @Override
        public String toString() {
            return "<" + number + '>';
        }
    }

    /** A call. */
    private static final class Caller {
        final int number;
        final SimNode node;
        final String key;
        final int began;
        final boolean takesStale;
        boolean ended;
        boolean lost;
        /** Of the last right that it was granted: fences may be granted anew after a failover with the clock set back. */
        String nonce = NO_NONCE;

        /** The server did not answer when it looked last. */
        boolean blind;

        /** When the server did the last look that it answered. */
        int looked = -1;

        Running creating;
        Made got;
        Throwable failure;

        Caller(int number, SimNode node, String key, int began, boolean takesStale) {
            this.number = number;
            this.node = node;
            this.key = key;
            this.began = began;
            this.takesStale = takesStale;
        }

        @Override
        public String toString() {
            return "call " + number + " of " + node + " for " + key;
        }
    }

    /** A creator that runs. */
    private static final class Running {
        final Made made;
        final Caller caller;
        final CompletableFuture<String> future = new CompletableFuture<>();
        long doneAt;
        boolean fails;

        Running(Made made, Caller caller) {
            this.made = made;
            this.caller = caller;
        }
    }

    /** A value that the server told a JVM of, by a reply or a push, and when it said so and was heard. */
    private record Told(SimNode node, Made made, int said, int heard) {}

    /** An invalidation of a key that was answered. */
    private record Invalidated(String key, Invalidation how, int done, int returned) {}

    private final Mutant mutant;
    private final Server wire;
    private SimServer server;
    private SimDraws draws = new SimDraws(0);
    private StringBuilder trace;
    private final ArrayList<SimNode> nodes = new ArrayList<>();
    private final ArrayList<Caller> callers = new ArrayList<>();
    private final ArrayList<Running> running = new ArrayList<>();
    private final ArrayDeque<CommandArguments> late = new ArrayDeque<>();
    private final ArrayList<Invalidated> invalidated = new ArrayList<>();
    private final ArrayList<Told> told = new ArrayList<>();
    private final Map<String, Made> mades = new HashMap<>();
    private final Map<String, Made> madeByNonce = new HashMap<>();
    private final Set<String> endedRights = new HashSet<>();
    private final Set<String> sentAgain = new HashSet<>();
    private SimServer.Replica replica;
    private SimNode actor;
    private Object current;
    private long nanos;
    private int events;
    private int depth;
    private int lives;
    private int faults;
    private int drawn;
    private int begunCreations;
    private boolean quiet;
    private boolean healed;
    private boolean behind;
    private WhenDown whenDown = WhenDown.CREATE;
    private Violation violation;

    RedisSimulation(Mutant mutant) {
        this.mutant = mutant;
        this.server = new SimServer(this, mutant);
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setJmxEnabled(false);
        pool.setTimeBetweenEvictionRuns(Duration.ofMillis(-1));
        RedisClient client = RedisClient.builder()
                .connectionProvider(new NoConnections(pool))
                .commandExecutor(new Wire())
                .build();
        this.wire = new Server(client, Server.Owner.USER, new Health("of a simulation"), UnaryOperator.identity());
    }

    /** There are none to be had; idle ones are dropped as ever. */
    private static final class NoConnections extends PooledConnectionProvider {
        NoConnections(ConnectionPoolConfig pool) {
            super(
                    new HostAndPort("simulated", 1),
                    DefaultJedisClientConfig.builder().build(),
                    pool);
        }

        @Override
        public Connection getConnection() {
            throw new Unanswered("a simulation has no connections");
        }
    }

    /** The way of each command. */
    private final class Wire implements CommandExecutor {
        @Override
        public <T> T executeCommand(CommandObject<T> command) {
            return command.getBuilder().build(command(command.getArguments()));
        }

        @Override
        public void close() {}
    }

    // A schedule

    /** Plays the schedule of a seed. Returns the number of its events; throws with the seed and all that happened. */
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

    /** The promise that the schedule breaks, or null. */
    Promise brokenBy(long seed) {
        try {
            schedule(seed, null);
            return null;
        } catch (Violation broken) {
            return broken.promise;
        }
    }

    int nodesOfLast() {
        return nodes.size();
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
                first + "\nseed " + seed + ", to be played alone by -D" + SEED + "=" + seed + "\n" + lines, first);
    }

    private int schedule(long seed, StringBuilder lines) {
        trace = lines;
        draws = new SimDraws(seed);
        server = new SimServer(this, mutant);
        nodes.clear();
        callers.clear();
        running.clear();
        late.clear();
        invalidated.clear();
        told.clear();
        mades.clear();
        madeByNonce.clear();
        endedRights.clear();
        sentAgain.clear();
        replica = null;
        actor = null;
        current = null;
        nanos = 10_000 * MS;
        events = 0;
        depth = 0;
        lives = 0;
        begunCreations = 0;
        healed = false;
        violation = null;
        quiet = seed % QUIET_EACH == 0;
        drawn = ALL_FAULTS;
        for (int halved = draws.oneIn(3) ? 3 : 2; halved > 0; halved--) {
            drawn &= (int) draws.next();
        }
        if (quiet) {
            drawn = draws.oneIn(2) ? Fault.CREATOR_FAILS.bit : 0;
        }
        faults = 0;
        behind = draws.oneIn(3);
        whenDown = draws.oneIn(3) ? WhenDown.FAIL : WhenDown.CREATE;
        int many = FEWEST_NODES + draws.pick(2);
        for (int i = 0; i < many; i++) {
            nodes.add(node(i));
        }
        while (draws.oneIn(2) ? step() : quiet && step()) {
            // most nodes hear before it begins, in a quiet schedule all
        }
        if (draws.oneIn(2)) {
            healed = true;
            begin(nodes.get(0), KEYS.get(0), false, false);
            end();
            healed = false;
            passTo(nanos + AGES[draws.pick(AGES.length)]);
        }
        faults = drawn;
        if (trace != null) {
            note("nodes " + many + (quiet ? ", quiet" : "") + (behind ? ", refresh behind" : "") + ", " + whenDown
                    + " when down, " + shown(faults));
        }
        int enough = events + FEWEST_EVENTS + draws.pick(30);
        while (events < enough) {
            happen();
            check();
        }
        heal();
        end();
        askAll();
        return events;
    }

    private static String shown(int faults) {
        StringBuilder shown = new StringBuilder();
        for (Fault fault : Fault.values()) {
            if ((faults & fault.bit) != 0) {
                shown.append(fault).append(' ');
            }
        }
        return shown.toString();
    }

    private SimNode node(int number) {
        Object before = current;
        current = null; // what a node does as it is made has no caller
        SimNode made = new SimNode(this, number, lives++, wire, draws, whenDown, behind);
        current = before;
        return made;
    }

    private boolean may(Fault fault, int oneIn) {
        return (faults & fault.bit) != 0 && draws.oneIn(oneIn);
    }

    private void note(String what) {
        if (trace != null) {
            trace.append(String.format("%4d %9.3f ms %s%s%n", events, nanos / 1e6, "    ".repeat(depth), what));
        }
    }

    // What nodes and server ask

    @Override
    public long nanos() {
        return nanos;
    }

    @Override
    public int event() {
        return events;
    }

    /** Whose work is being done. */
    Object caller() {
        return current;
    }

    boolean loses(SimNode.Alarm alarm) {
        return mutant == Mutant.NO_TIMER && alarm.owner instanceof Caller caller && caller.creating == null;
    }

    void as(SimNode node, Object owner, Runnable work) {
        if (node.dead) {
            return;
        }
        SimNode before = actor;
        Object beforeOwner = current;
        actor = node;
        current = owner;
        try {
            work.run();
        } finally {
            actor = before;
            current = beforeOwner;
        }
        if (violation != null) {
            throw violation; // others may have caught it
        }
    }

    @Override
    public void violated(Promise promise, String detail) {
        if (violation == null) {
            violation = new Violation(promise, detail + " (event " + events + ")");
        }
        throw violation;
    }

    @Override
    public void published(String channel, byte[] message) {
        for (SimNode node : nodes) {
            if (node.subscribed.contains(channel) && !node.dead && !may(Fault.PUSH_LOST, 3)) {
                hears(node, channel, message);
                if (may(Fault.PUSH_TWICE, 3)) {
                    hears(node, channel, message);
                }
            }
        }
    }

    private void hears(SimNode node, String channel, byte[] message) {
        if (mutant == Mutant.DEAF_WHILE_CLAIMING) {
            node.messages.add(() -> {
                if (node.claiming == 0) {
                    node.hears(channel, message);
                }
            });
        } else {
            node.hears(channel, message);
        }
    }

    // The network

    private Object command(CommandArguments command) {
        SimNode by = actor;
        if (by == null || by.dead) {
            throw new Unanswered(TIMED_OUT);
        }
        RedisScript script = SimServer.script(command);
        if (script == RedisScript.RENEW) {
            String nonce = SimServer.argument(command, 1);
            if (!sentAgain.remove(nonce) && endedRights.contains(nonce)) {
                violated(Promise.RENEWED_WHILE_CREATING, nonce + " is renewed after its creation ended");
            }
        }
        boolean claims = script == RedisScript.CLAIM;
        by.claiming += claims ? 1 : 0;
        Caller looking =
                command.getCommand() == Protocol.Command.HMGET && current instanceof Caller caller ? caller : null;
        try {
            Object reply = travelled(by, command, script);
            if (looking != null) {
                looking.blind = false;
            }
            return reply;
        } catch (Unanswered notKnown) {
            if (looking != null) {
                looking.blind = true;
            }
            throw notKnown;
        } finally {
            by.claiming -= claims ? 1 : 0;
        }
    }

    private Object travelled(SimNode by, CommandArguments command, RedisScript script) {
        travel();
        String what = trace == null ? "" : by + " " + (script == null ? command.getCommand() : script);
        if (by.unreachable || may(Fault.REQUEST_LOST, 6)) {
            throw timedOut(by, script, command, what + ", request lost");
        }
        if (may(Fault.REQUEST_LATE, 6)) {
            late.add(command);
            throw timedOut(by, script, command, what + ", request late");
        }
        if (may(Fault.REQUEST_LATE_AND_AGAIN, 6)) {
            late.add(command);
            throw broken(by, script, command, what + ", connection broken, request late");
        }
        if (may(Fault.CONNECTION_BROKEN, 10)) {
            throw broken(by, script, command, what + ", connection broken before");
        }
        Object reply;
        try {
            reply = server.run(command);
        } catch (JedisNoScriptException unknown) {
            note(what + ", script not known");
            willBeSentAgain(script, command);
            throw unknown;
        }
        if (trace != null) {
            note(what + " -> " + shownReply(reply) + (script == null ? "" : "   now " + recordOf(command)));
        }
        Made there = mades.get(valueIn(server.value(command)));
        int said = events;
        travel();
        if (may(Fault.REPLY_LOST, 6)) {
            throw timedOut(by, script, command, what + ", reply lost");
        }
        if (may(Fault.CONNECTION_BROKEN, 10)) {
            throw broken(by, script, command, what + ", connection broken behind");
        }
        if (by.dead) {
            throw new Unanswered(TIMED_OUT);
        }
        awake(by);
        told(by, there, said);
        if (command.getCommand() == Protocol.Command.HMGET && current instanceof Caller caller) {
            caller.looked = said;
        }
        if (script == RedisScript.CLAIM && current instanceof Caller caller && SimServer.isGranted(reply)) {
            caller.nonce = SimServer.argument(command, 1);
        }
        return reply;
    }

    private String recordOf(CommandArguments command) {
        String key = Texts.of(command.get(3).getRaw());
        if (key.endsWith("~generation")) {
            return "";
        }
        StringBuilder shown = new StringBuilder();
        for (String field : List.of("m", "l", "w", "e")) {
            String text = server.field(key, field);
            shown.append(text == null ? "" : field + "=[" + text + "] ");
        }
        return key + " " + shown;
    }

    private void told(SimNode node, Made made, int said) {
        if (made != null) {
            told.add(new Told(node, made, said, events));
        }
    }

    void heard(SimNode node, byte[] message, int said) {
        told(node, mades.get(valueIn(Texts.of(message))), said);
    }

    /** The value at the end of a text; the text itself if there is none. */
    private static String valueIn(String text) {
        return text.substring(Math.max(0, text.lastIndexOf('<')));
    }

    private static String shownReply(Object reply) {
        if (reply instanceof List<?> list) {
            List<String> items = new ArrayList<>();
            list.forEach(item -> items.add(shownReply(item)));
            return items.toString();
        }
        if (reply instanceof byte[] bytes) {
            return valueIn(Texts.of(bytes));
        }
        return String.valueOf(reply);
    }

    /** While a command is under way others may go on. */
    private void travel() {
        nanos += (50 + draws.pick(200)) * 1_000L;
        if (depth < DEEPEST && draws.oneIn(3)) {
            depth++;
            for (int more = 1 + draws.pick(3); more > 0; more--) {
                if (healed || quiet) {
                    step();
                } else {
                    happen();
                }
            }
            depth--;
        }
    }

    /** A thread of a JVM that is paused goes on no sooner than the JVM. */
    private void awake(SimNode by) {
        nanos = Math.max(nanos, by.pausedUntil);
    }

    private Unanswered timedOut(SimNode by, RedisScript script, CommandArguments command, String what) {
        note(what);
        nanos += TIMEOUT;
        awake(by);
        unknown(script, command);
        return new Unanswered(TIMED_OUT);
    }

    /** The client sends once more. */
    private Unanswered broken(SimNode by, RedisScript script, CommandArguments command, String what) {
        note(what);
        awake(by);
        unknown(script, command);
        willBeSentAgain(script, command);
        return new Unanswered("broken");
    }

    /** The same renewal, though its creation may end meanwhile. */
    private void willBeSentAgain(RedisScript script, CommandArguments command) {
        if (script == RedisScript.RENEW) {
            sentAgain.add(SimServer.argument(command, 1));
        }
    }

    private void unknown(RedisScript script, CommandArguments command) {
        if (script == RedisScript.PUBLISH) {
            Made made = madeByNonce.get(SimServer.argument(command, 1));
            if (made != null) {
                made.unknown = true;
            }
        }
    }

    // Events

    private void happen() {
        if (quiet) {
            if (!(draws.oneIn(5) && begin()) && !step() && !(draws.oneIn(2) && begin())) {
                passTo(nextDue());
            }
            return;
        }
        int at = draws.pick(100);
        boolean done = at < 45
                ? step()
                : at < 58 ? begin() : at < 72 ? passTo(nanos + STEPS[draws.pick(STEPS.length)]) : at < 88 && fault();
        if (!done && !step() && !begin()) {
            passTo(nextDue());
        }
    }

    /** Something that goes on by itself without time passing, if there is such a thing. */
    private boolean step() {
        int first = draws.pick(nodes.size());
        int kind = draws.pick(5);
        for (int k = 0; k < 5; k++) {
            for (int i = 0; i < nodes.size(); i++) {
                if (stepOf(nodes.get((first + i) % nodes.size()), (kind + k) % 5)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean stepOf(SimNode node, int kind) {
        if (!node.runs()) {
            return false;
        }
        switch (kind) {
            case 0, 1:
                return work(node);
            case 2:
                Runnable message = node.messages.poll();
                if (message == null) {
                    return false;
                }
                events++;
                note(node + " hears");
                as(node, null, message);
                return true;
            case 3:
                return ring(node);
            default:
                return complete(node) || arrive();
        }
    }

    private boolean work(SimNode node) {
        if (node.tasks.isEmpty()) {
            return false;
        }
        events++;
        SimNode.Task task = node.tasks.remove(draws.pick(node.tasks.size()));
        note(node + " works" + (task.owner() == null ? "" : " on " + task.owner()));
        as(node, task.owner(), task.work());
        return true;
    }

    private boolean ring(SimNode node) {
        for (int i = 0; i < node.alarms.size(); i++) {
            SimNode.Alarm alarm = node.alarms.get(i);
            if (alarm.at <= nanos) {
                events++;
                note(node + " has an alarm" + (alarm.owner == null ? "" : " of " + alarm.owner));
                if (quiet
                        && !healed
                        && alarm.owner instanceof Caller caller
                        && !caller.ended
                        && caller.creating == null) {
                    violated(Promise.ONE_PUSH_WAKES, caller + " had to look by itself");
                }
                node.ring(alarm);
                return true;
            }
        }
        return false;
    }

    private boolean complete(SimNode node) {
        for (int i = 0; i < running.size(); i++) {
            Running one = running.get(i);
            if (one.caller.node == node && one.doneAt <= nanos) {
                events++;
                running.remove(i);
                note("the creator of " + one.made + " in " + node + (one.fails ? " fails" : " returns"));
                one.caller.creating = null;
                endedRights.add(one.made.nonce);
                as(node, one.caller, () -> {
                    if (one.fails) {
                        one.future.completeExceptionally(new Boom());
                    } else {
                        one.future.complete(one.made.toString());
                    }
                });
                return true;
            }
        }
        return false;
    }

    /** A request arrives that nobody waits for any more. */
    private boolean arrive() {
        if (late.isEmpty() || (!healed && !draws.oneIn(3))) {
            return false;
        }
        events++;
        CommandArguments command = draws.oneIn(2) ? late.pollFirst() : late.pollLast();
        try {
            Object reply = server.run(command);
            if (trace != null) {
                RedisScript script = SimServer.script(command);
                note("late " + (script == null ? command.getCommand() : script) + " -> " + shownReply(reply)
                        + (script == null ? "" : "   now " + recordOf(command)));
            }
        } catch (JedisNoScriptException forgotten) {
            note("late, script not known");
        }
        return true;
    }

    private boolean passTo(long to) {
        events++;
        nanos = Math.max(nanos, to);
        note("time");
        return true;
    }

    /** When something is to happen by itself. */
    private long nextDue() {
        long next = nanos + 500 * MS;
        for (SimNode node : nodes) {
            if (!node.dead) {
                for (SimNode.Alarm alarm : node.alarms) {
                    next = Math.min(next, Math.max(alarm.at, node.pausedUntil));
                }
            }
        }
        for (Running one : running) {
            next = Math.min(next, Math.max(one.doneAt, one.caller.node.pausedUntil));
        }
        return Math.max(next, nanos);
    }

    // Calls

    private boolean begin() {
        if (callers.size() >= MOST_CALLS) {
            return false;
        }
        SimNode node = nodes.get(draws.pick(nodes.size()));
        if (!node.runs()) {
            return false;
        }
        boolean refresh = may(Fault.REFRESH, 4);
        begin(node, KEYS.get(draws.oneIn(4) ? 1 : 0), refresh, !refresh && draws.pick(3) != 0);
        return true;
    }

    private Caller begin(SimNode node, String key, boolean refresh, boolean takesStale) {
        events++;
        Caller caller = new Caller(callers.size(), node, key, events, takesStale);
        callers.add(caller);
        note(caller + " begins" + (refresh ? ", refresh" : takesStale ? "" : ", never stale"));
        DogpileLock<String> lock = takesStale || refresh ? node.lock : node.neverStale;
        as(node, caller, () -> {
            var async = lock.async(task -> node.tasks.add(new SimNode.Task(task, caller)));
            Slot<String> slot = node.slot(key);
            CompletableFuture<Acquired<String>> future = refresh
                    ? async.refresh(key, slot, () -> create(caller))
                    : async.acquire(key, slot, () -> create(caller));
            var unused = future.whenComplete((acquired, thrown) -> ended(caller, acquired, thrown));
        });
        return caller;
    }

    private CompletionStage<String> create(Caller caller) {
        begunCreations++;
        long fence = Creation.current().orElseThrow().fencingToken();
        Made made = new Made(mades.size() + 1, events, fence, fence == 0 ? NO_NONCE : caller.nonce);
        mades.put(made.toString(), made);
        note(caller + " creates " + made + " with fence " + fence);
        if (fence != 0) {
            madeByNonce.put(made.nonce, made);
        }
        if (mutant == Mutant.RENEWAL_GOES_ON && fence != 0) {
            goesOn(caller.node, caller.key, made.nonce);
        }
        if (quiet) {
            if (server.hasFresh(SimNode.record(caller.key))) {
                violated(Promise.ONE_CREATOR, caller + " creates over a fresh value");
            }
            for (Running other : running) {
                if (other.caller.key.equals(caller.key)) {
                    violated(Promise.ONE_CREATOR, caller + " creates while " + other.caller + " does");
                }
            }
        }
        Running one = new Running(made, caller);
        one.doneAt = nanos + (may(Fault.CREATOR_SLOW, 2) ? 500 + draws.pick(5_000) : draws.pick(300)) * MS;
        one.fails = may(Fault.CREATOR_FAILS, 3);
        if (!caller.node.dead) { // else the last steps of a thread whose JVM was killed meanwhile
            caller.creating = one;
            running.add(one);
        }
        return one.future;
    }

    private void goesOn(SimNode node, String key, String nonce) {
        String full = SimNode.record(key);
        RecordName name = new RecordName(key, key, full, Texts.bytes(full));
        node.alarms.add(new SimNode.Alarm(
                nanos + 300 * MS,
                () -> {
                    goesOn(node, key, nonce);
                    wire.send(node.partition.commands().renew(name, nonce));
                },
                null));
    }

    private void ended(Caller caller, Acquired<String> acquired, Throwable thrown) {
        caller.ended = true;
        if (caller.node.dead) {
            return;
        }
        Throwable failure = thrown instanceof CompletionException ? thrown.getCause() : thrown;
        note(caller + " ends with " + (failure == null ? acquired.value() + ", " + acquired.origin() : failure));
        if (failure != null) {
            caller.failure = failure;
            boolean reason = failure instanceof CreationException
                    ? (drawn & Fault.CREATOR_FAILS.bit) != 0
                    : failure instanceof Boom
                            || failure instanceof HardTimeoutException
                            || (failure instanceof DogpileException
                                    && whenDown == WhenDown.FAIL
                                    && (drawn & OF_THE_NETWORK) != 0);
            if (!reason) {
                violated(Promise.A_CALL_HAS_A_REASON, caller + " failed: " + failure);
            }
            return;
        }
        Made made = mades.get(acquired.value());
        if (made == null) {
            violated(Promise.A_CALL_HAS_A_REASON, caller + " got " + acquired.value() + ", which nobody made");
            return;
        }
        caller.got = made;
        checkInvalidated(caller, made);
    }

    // Faults, and what else others do

    private boolean fault() {
        int open = faults & BY_THEMSELVES;
        if (open == 0) {
            return false;
        }
        for (int skip = draws.pick(Integer.bitCount(open)); skip > 0; skip--) {
            open &= open - 1;
        }
        Fault fault = Fault.values()[Integer.numberOfTrailingZeros(open)];
        SimNode node = nodes.get(draws.pick(nodes.size()));
        String key = KEYS.get(draws.oneIn(4) ? 1 : 0);
        boolean done = switch (fault) {
            case UNREACHABLE -> {
                node.unreachable = !node.unreachable;
                if (node.unreachable && !node.dead) {
                    node.deafen();
                }
                yield true;
            }
            case SUBSCRIPTION_CUT -> {
                if (!node.dead) {
                    node.cutSubscription();
                }
                yield true;
            }
            case SUBSCRIPTION_DEAF -> {
                node.deafen();
                yield true;
            }
            case PAUSE -> {
                node.pausedUntil = nanos + STEPS[1 + draws.pick(STEPS.length - 1)];
                yield true;
            }
            case KILL -> node.dead ? revive(node) : kill(node);
            case RESTART -> {
                server.restart();
                nodes.forEach(each -> {
                    if (!each.dead) {
                        each.cutSubscription();
                    }
                });
                yield true;
            }
            case FLUSH -> {
                server.flush();
                yield true;
            }
            case EVICTION -> {
                server.evict(SimNode.record(key));
                yield true;
            }
            case FAILOVER -> failOver();
            case CLOCK_SET -> {
                server.setClock(CLOCK_STEPS_MILLIS[draws.pick(CLOCK_STEPS_MILLIS.length)] * 1_000);
                yield true;
            }
            case INVALIDATION -> invalidate(node, key);
            case PUT -> put(node, key);
            case NEW_GENERATION -> beginGeneration(node);
            default -> throw new AssertionError(fault + " is no event");
        };
        if (done) {
            events++;
            note(fault + " " + node + " " + key);
        }
        return done;
    }

    private boolean kill(SimNode node) {
        long alive = nodes.stream().filter(each -> !each.dead).count();
        if (alive == 1) {
            return false;
        }
        node.die();
        running.removeIf(one -> one.caller.node == node);
        callers.forEach(caller -> caller.lost |= caller.node == node && !caller.ended);
        return true;
    }

    private boolean revive(SimNode dead) {
        nodes.set(nodes.indexOf(dead), node(dead.number));
        return true;
    }

    private boolean failOver() {
        if (replica == null || draws.oneIn(3)) {
            replica = server.replica();
            return true;
        }
        server.failOver(replica);
        nodes.forEach(each -> {
            if (!each.dead) {
                each.cutSubscription();
            }
        });
        return true;
    }

    private boolean invalidate(SimNode node, String key) {
        if (!node.runs()) {
            return false;
        }
        Invalidation how = draws.oneIn(3) ? Invalidation.SOFT : Invalidation.HARD;
        note(node + " invalidates " + key + ", " + how);
        as(node, null, () -> {
            int asked = events;
            try {
                node.partition.invalidate(key, how);
                events++;
                invalidated.add(new Invalidated(key, how, asked, events));
            } catch (JedisConnectionException notKnown) {
                note("not known");
            } finally {
                node.lock.detach(key);
            }
        });
        return true;
    }

    private boolean put(SimNode node, String key) {
        if (!node.runs()) {
            return false;
        }
        Made made = new Made(mades.size() + 1, events, 0, NO_NONCE);
        mades.put(made.toString(), made);
        made.unknown = true; // nobody asks for its right
        note(node + " puts " + made);
        as(node, null, () -> {
            try {
                node.partition.put(
                        key,
                        new Slot.Draft<>(made.toString(), SimNode.STALE, SimNode.EXPIRE, Duration.ofMillis(5), true));
            } catch (Exception notKnown) {
                note("not known");
            } finally {
                node.lock.detach(key);
            }
        });
        return true;
    }

    private boolean beginGeneration(SimNode node) {
        if (!node.runs()) {
            return false;
        }
        Invalidation how = draws.oneIn(2) ? Invalidation.SOFT : Invalidation.HARD;
        as(node, null, () -> {
            try {
                node.partition.invalidateAll(how);
            } catch (JedisConnectionException notKnown) {
                note("not known");
            } finally {
                node.lock.detachAll();
            }
        });
        return true;
    }

    // Promises

    private void check() {
        server.checkEnds();
        for (Caller caller : callers) {
            if (!caller.ended && !caller.lost && caller.creating == null && isParked(caller)) {
                boolean timed = caller.node.alarms.stream().anyMatch(alarm -> alarm.owner == caller);
                if (!timed) {
                    violated(Promise.WHO_WAITS_HAS_A_TIMER, caller + " waits, and has none");
                }
                if (caller.takesStale && mustNotWait(caller)) {
                    violated(Promise.NOBODY_WAITS_BESIDE_A_USABLE_VALUE, caller + " waits");
                }
            }
        }
    }

    private static boolean isParked(Caller caller) {
        return caller.node.tasks.stream().noneMatch(task -> task.owner() == caller);
    }

    /** There has been a usable value since before anybody of that JVM asked for one, and all was answered. */
    private boolean mustNotWait(Caller caller) {
        int excuses = OF_THE_NETWORK | Fault.RESTART.bit | Fault.FAILOVER.bit | Fault.CLOCK_SET.bit;
        if ((drawn & excuses) != 0 || !caller.node.tasks.isEmpty() || caller.node.isPaused()) {
            return false;
        }
        String record = SimNode.record(caller.key);
        if (caller.looked >= 0 && caller.looked <= server.storedAt(record)) {
            return false; // its own look was overtaken by what is there, and what it found may have expired on its way
        }
        int earliest = caller.began;
        for (Caller other : callers) {
            if (other.node == caller.node && !other.ended && other.key.equals(caller.key)) {
                earliest = Math.min(earliest, other.began);
            }
        }
        return server.usableSince(record) < earliest;
    }

    /**
     * Who joins a wait gets what that one is told: what the server said before the invalidation, and was on its way when the
     * caller began. And who looks, and is not answered, gets what its JVM was told before.
     */
    private boolean wasTold(Caller caller, Made made, Invalidated before) {
        return told.stream()
                .anyMatch(one -> one.node == caller.node
                        && one.made == made
                        && one.said <= before.returned
                        && (one.heard >= caller.began || caller.blind));
    }

    /** Who began after an invalidation had been answered gets nothing that was granted before it was asked for. */
    private void checkInvalidated(Caller caller, Made made) {
        if (made.fence == 0 || made.unknown) {
            return;
        }
        int granted = server.grantedAt(made.nonce);
        for (Invalidated each : invalidated) {
            if (each.key.equals(caller.key)
                    && (each.how == Invalidation.HARD || !caller.takesStale)
                    && granted >= 0
                    && granted < each.done
                    && each.returned < caller.began
                    && server.lastFailover() < each.done
                    && !wasTold(caller, made, each)) {
                violated(
                        Promise.NOTHING_FROM_BEFORE_AN_INVALIDATION,
                        caller + " got " + made + ", granted at event " + granted + ", and " + each);
            }
        }
    }

    // The end

    private void heal() {
        healed = true;
        faults = 0;
        note("all faults end");
        for (int i = 0; i < nodes.size(); i++) {
            SimNode node = nodes.get(i);
            if (node.dead) {
                revive(node);
            }
            node.unreachable = false;
            node.pausedUntil = nanos;
        }
        running.forEach(one -> one.doneAt = Math.min(one.doneAt, nanos + 300 * MS));
    }

    /** Time passes only when nothing else can go on. */
    private void end() {
        long until = nanos + LONGEST_TO_END;
        int most = events + MOST_EVENTS_TO_END;
        while (true) {
            while (step()) {
                check();
                checkNumber(most);
            }
            List<Caller> left = callers.stream()
                    .filter(caller -> !caller.ended && !caller.lost)
                    .toList();
            if (left.isEmpty() && running.isEmpty() && late.isEmpty()) {
                return;
            }
            if (nanos > until) {
                violated(Promise.WAITS_ARE_BOUNDED, left + " still wait");
            }
            passTo(nextDue());
            checkNumber(most);
        }
    }

    private void checkNumber(int most) {
        if (events > most) {
            violated(Promise.WAITS_ARE_BOUNDED, "too many events");
        }
    }

    /** Once all that there was is stale and forgotten, each node asks for a fresh value. */
    private void askAll() {
        long until = nanos + SimNode.STALE.plus(SimNode.LEASE).plusSeconds(6).toNanos();
        int most = events + MOST_EVENTS_TO_END;
        while (nanos < until) {
            if (!step()) {
                passTo(Math.min(nextDue(), until));
            }
            checkNumber(most);
        }
        for (String key : KEYS) {
            int before = begunCreations;
            int first = callers.size();
            nodes.forEach(node -> begin(node, key, false, false));
            end();
            Made got = callers.get(first).got;
            for (Caller caller : callers.subList(first, callers.size())) {
                if (caller.got == null || caller.got != got) {
                    violated(
                            Promise.ONE_VALUE_IN_THE_END,
                            caller + " has " + (caller.got == null ? caller.failure : caller.got) + ", another " + got);
                }
            }
            if (begunCreations - before > 1) {
                violated(Promise.ONE_CREATOR, begunCreations - before + " creations when all was well again");
            }
            String record = SimNode.record(key);
            if (!server.hasFresh(record)) {
                violated(Promise.ONE_VALUE_IN_THE_END, "no fresh value is stored for " + key);
            }
            for (String field : List.of("l", "w", "e")) {
                if (server.field(record, field) != null) {
                    violated(Promise.NOTHING_LEFT_BEHIND, field + " of " + record + ": " + server.field(record, field));
                }
            }
        }
        for (SimNode node : nodes) {
            String left = node.leftBehind();
            if (left != null || !node.tasks.isEmpty() || node.alarms.stream().anyMatch(alarm -> alarm.owner != null)) {
                violated(Promise.NOTHING_LEFT_BEHIND, node + ": " + left + ", tasks or alarms");
            }
            if (!node.isHearing()) {
                violated(Promise.NOTHING_LEFT_BEHIND, node + " does not hear");
            }
        }
    }
}
