package io.dogpile.cache.histories;

import io.dogpile.cache.processes.Await;
import io.dogpile.cache.processes.JvmProcess;
import io.dogpile.cache.processes.NodeMain;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/**
 * Several JVMs that call a region on one store at random, while faults are done to them and to the store; and a check of
 * all that they saw.
 *
 * <p>It goes by rounds: each has keys of its own, a schedule of faults by its seed, an end at which all is healed and
 * everybody returns, and a check. What is found names the seed; the history of that round stays in {@code target}. The seed
 * gives the same faults and the same calls, though never the same order of events. For one thread at a time.
 */
public final class LiveHistory implements AutoCloseable {
    private static final Duration ROUND = Duration.ofSeconds(Histories.areLong() ? 6 : 3);
    private static final long LONGEST_DRAIN_MILLIS = 30_000;
    private static final Duration APART = Duration.ofSeconds(30);

    /** Nothing ends by itself, and what fails is tried again at once, so that each creation has a reason in the history. */
    private static final Map<String, String> SETTINGS = Map.of(
            "maxCreation", "60s",
            "hardTimeout", "15s",
            "staleAfter", "1h",
            "expireAfter", "2h",
            "whenDown", "fail",
            "failureBackoff", "1000,1s,1s");

    private static final int KEYS = 5;
    private static final int VIOLATIONS_TOLD = 5;
    private static final int EVENTS_TOLD = 60;

    /**
     * Who does what, and where.
     *
     * @param name what messages and files call it
     * @param main what runs in the processes: a class whose main calls {@link NodeMain#run}
     * @param store where the store of a process is, by its number, as that class understands it
     * @param nodes how many processes
     * @param threads how many threads each of them has
     * @param lease the lease of the region
     * @param settings of the region beside its lease, as {@code RegionBuilder.from} takes them
     * @param clocksApart by how much the clock of each process is ahead of the one's before it
     * @param always what is wrong all the time
     */
    public record Plan(
            String name,
            Class<?> main,
            IntFunction<String> store,
            int nodes,
            int threads,
            Duration lease,
            Map<String, String> settings,
            Duration clocksApart,
            Set<Fault> always) {
        /** For a region that keeps values for longer than any round, with no fault that is there all the time. */
        public Plan(String name, Class<?> main, IntFunction<String> store, int nodes, int threads, Duration lease) {
            this(name, main, store, nodes, threads, lease, Map.of(), Duration.ZERO, Set.of());
        }

        /** The same, with clocks that are apart. */
        public Plan withClocksApart() {
            return new Plan(name, main, store, nodes, threads, lease, settings, APART, Set.of(Fault.CLOCKS));
        }

        /** The same, with a fault that is there all the time. */
        public Plan always(Fault fault) {
            return new Plan(name, main, store, nodes, threads, lease, settings, clocksApart, Set.of(fault));
        }
    }

    private final Plan plan;
    private final Terms terms;
    private final List<Blow> blows = new ArrayList<>();
    private final long seed;
    private final Random random;
    private final Node[] nodes;
    private final Set<String> killed = new HashSet<>();
    private final Map<Fault, Integer> done = new EnumMap<>(Fault.class);
    private final Map<Invariant, Integer> checked = new EnumMap<>(Invariant.class);
    private final Map<Invariant, Integer> excused = new EnumMap<>(Invariant.class);
    private final Queue<Event> befallen = new ConcurrentLinkedQueue<>();
    private volatile Queue<Event> events = new ConcurrentLinkedQueue<>();
    private String work = "";
    private int started;
    private int operations;
    private int creations;
    private int rounds;

    /**
     * Starts the processes.
     *
     * @param plan who does what
     * @param terms what the store promises
     * @param seed of the schedule and the calls
     */
    public LiveHistory(Plan plan, Terms terms, long seed) {
        this.plan = plan;
        this.terms = terms;
        this.seed = seed;
        this.random = new Random(seed);
        this.nodes = new Node[plan.nodes];
        try {
            for (int number = 0; number < nodes.length; number++) {
                nodes[number] = new Node(number);
            }
            for (Node node : nodes) {
                node.awaitReady();
            }
        } catch (RuntimeException | AssertionError e) {
            close();
            throw e;
        }
    }

    /**
     * Runs rounds until the time is over, the first without faults.
     *
     * @param time about how long; at least two rounds are run
     * @return what was done, for the log
     * @throws AssertionError if something was found; the message has the seed and the events
     */
    public String run(Duration time) {
        long began = System.nanoTime();
        round(Duration.ofSeconds(2), List.of());
        do {
            List<Blow> shuffled = new ArrayList<>(blows);
            Collections.shuffle(shuffled, random);
            round(ROUND, shuffled);
        } while (System.nanoTime() - began < time.toNanos());
        return report();
    }

    private void round(Duration length, List<Blow> schedule) {
        rounds++;
        // What was done at the end of the last round may still be felt.
        List<Event> before = events.stream()
                .filter(event -> event.kind() == Event.Kind.FAULT || event.kind() == Event.Kind.HEALED)
                .filter(event ->
                        plan.always.stream().noneMatch(fault -> event.detail().equals(fault.toString())))
                .toList();
        events = new ConcurrentLinkedQueue<>(before);
        work = "work r" + rounds + "k " + KEYS + ' ' + plan.threads;
        long begin = System.nanoTime();
        plan.always.forEach(fault -> note("*", Event.Kind.FAULT, fault));
        for (Node node : nodes) {
            node.process.tell(work);
        }
        List<Blow> left = new ArrayList<>(schedule);
        while (System.nanoTime() - begin < length.toNanos() || !left.isEmpty()) {
            pause(100 + random.nextInt(400));
            if (!left.isEmpty()) {
                strike(left.remove(0));
            }
        }
        for (Node node : nodes) {
            node.halted = false;
            node.process.tell("halt");
        }
        long drained = System.nanoTime();
        while (!List.of(nodes).stream().allMatch(node -> node.halted)
                && System.nanoTime() - drained < TimeUnit.MILLISECONDS.toNanos(LONGEST_DRAIN_MILLIS)) {
            pause(5);
        }
        check();
    }

    private void strike(Blow blow) {
        blow.begin();
        pause(blow.millis());
        blow.end();
        done.merge(blow.fault, 1, Integer::sum);
    }

    private void check() {
        for (Node node : nodes) {
            if (node.ended && !killed.contains(node.name)) {
                throw new AssertionError("node " + node.name + " of " + plan.name + " ended by itself, " + seedText());
            }
        }
        List<Event> all = new ArrayList<>(events);
        all.addAll(befallen);
        Checker checker = Checker.check(all, terms);
        operations += checker.operations();
        creations += checker.creations();
        checker.checked().forEach((invariant, times) -> checked.merge(invariant, times, Integer::sum));
        checker.excused().forEach((invariant, times) -> excused.merge(invariant, times, Integer::sum));
        if (!checker.violations().isEmpty()) {
            throw new AssertionError(told(checker.violations(), all));
        }
    }

    private String told(List<Checker.Violation> violations, List<Event> all) {
        Path file = Path.of("target", "histories", plan.name + '-' + seed + '-' + rounds + ".txt");
        List<String> lines = all.stream()
                .sorted((one, other) -> Long.compare(one.at(), other.at()))
                .map(Event::toString)
                .toList();
        try {
            Files.createDirectories(file.getParent());
            Files.write(file, lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        StringBuilder text = new StringBuilder(violations.size() + " violations in round " + rounds + " of " + plan.name
                + ", " + seedText() + ", history in " + file + ":\n");
        violations.stream()
                .limit(VIOLATIONS_TOLD)
                .forEach(one -> text.append(one).append('\n'));
        String key = ' ' + violations.get(0).key() + ' ';
        List<String> ofKey = lines.stream()
                .filter(line -> line.contains(key) || line.contains(" FAULT ") || line.contains(" HEALED "))
                .toList();
        text.append("the last of its key:\n");
        ofKey.subList(Math.max(0, ofKey.size() - EVENTS_TOLD), ofKey.size())
                .forEach(line -> text.append(line).append('\n'));
        return text.toString();
    }

    private String seedText() {
        return "seed " + seed + " (-Ddogpile.histories.seed=" + seed + ")";
    }

    private String report() {
        return plan.name + ": " + rounds + " rounds, " + operations + " operations, " + creations
                + " creations, faults "
                + done + (plan.always.isEmpty() ? "" : ", always " + plan.always)
                + ", checked " + new TreeMap<>(checked) + ", excused " + new TreeMap<>(excused)
                + ", 0 violations, seed "
                + seed;
    }

    /** How often each invariant was put to the test. */
    public Map<Invariant, Integer> checked() {
        return Map.copyOf(checked);
    }

    /** How often each fault was done. */
    public Map<Fault, Integer> faults() {
        return Map.copyOf(done);
    }

    private void note(String node, Event.Kind kind, Fault fault) {
        events.add(eventOf(node, kind, fault));
    }

    private static Event eventOf(String node, Event.Kind kind, Fault fault) {
        return new Event(Event.now(), node, kind, "-", "-", fault.toString());
    }

    private static void pause(long millis) {
        for (long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis), left;
                (left = end - System.nanoTime()) > 0; ) {
            LockSupport.parkNanos(left);
        }
    }

    /**
     * Adds a fault of the store or of the network.
     *
     * @param fault which
     * @param number of the process that is concerned, or less than 0 for all
     * @param lasting for how long
     * @param begin begins it
     * @param end ends it
     * @return this
     */
    public LiveHistory with(Fault fault, int number, Duration lasting, Runnable begin, Runnable end) {
        blows.add(new OfTheStore(fault, number, lasting, begin, end));
        return this;
    }

    /**
     * Notes a fault that nobody here did, at the moment of which it was heard. For any thread.
     *
     * @param fault which
     */
    public void befell(Fault fault) {
        befallen.add(eventOf("*", Event.Kind.FAULT, fault));
        befallen.add(eventOf("*", Event.Kind.HEALED, fault));
    }

    /**
     * Adds kills of processes that create.
     *
     * @return this
     */
    public LiveHistory withKills() {
        blows.add(new Kill());
        return this;
    }

    /**
     * Adds pauses of processes that create, which are longer than the lease.
     *
     * @return this
     */
    public LiveHistory withPauses() {
        blows.add(new Pause());
        return this;
    }

    /** One stroke of the schedule, which says in the history when it begins and ends. */
    private abstract static class Blow {
        final Fault fault;

        Blow(Fault fault) {
            this.fault = fault;
        }

        abstract void begin();

        long millis() {
            return 0;
        }

        void end() {}
    }

    private final class OfTheStore extends Blow {
        private final int number;
        private final Duration lasting;
        private final Runnable beginning;
        private final Runnable ending;
        private String target = "*";

        OfTheStore(Fault fault, int number, Duration lasting, Runnable beginning, Runnable ending) {
            super(fault);
            this.number = number;
            this.lasting = lasting;
            this.beginning = beginning;
            this.ending = ending;
        }

        @Override
        void begin() {
            target = number < 0 ? "*" : nodes[number].name;
            note(target, Event.Kind.FAULT, fault);
            beginning.run();
        }

        @Override
        long millis() {
            return lasting.toMillis();
        }

        @Override
        void end() {
            ending.run();
            note(target, Event.Kind.HEALED, fault);
        }
    }

    /** One that creates now, if there is one; waits a little for one. */
    private Node holder() {
        for (int tried = 0; tried < 200; tried++) {
            for (Node node : nodes) {
                if (!node.creating.isEmpty()) {
                    return node;
                }
            }
            pause(2);
        }
        return nodes[random.nextInt(nodes.length)];
    }

    private final class Kill extends Blow {
        Kill() {
            super(Fault.KILL);
        }

        @Override
        void begin() {
            Node victim = holder();
            killed.add(victim.name);
            note(victim.name, Event.Kind.FAULT, fault);
            victim.process.kill();
            Await.until(() -> victim.name + " has said all", () -> victim.ended);
            note(victim.name, Event.Kind.HEALED, fault);
            Node next = new Node(victim.number);
            nodes[victim.number] = next;
            next.awaitReady();
            next.process.tell(work);
        }
    }

    private final class Pause extends Blow {
        private Node victim;

        Pause() {
            super(Fault.PAUSE);
        }

        @Override
        void begin() {
            victim = holder();
            note(victim.name, Event.Kind.FAULT, fault);
            victim.process.stop();
        }

        @Override
        long millis() {
            return plan.lease.toMillis() * 3 / 2;
        }

        @Override
        void end() {
            victim.process.goOn();
            note(victim.name, Event.Kind.HEALED, fault);
        }
    }

    /** A process, and what it says. */
    private final class Node implements JvmProcess.Ear {
        private final int number;
        private final String name;
        private final Set<String> creating = ConcurrentHashMap.newKeySet();
        private final JvmProcess process;
        private volatile boolean ready;
        private volatile boolean halted;
        private volatile boolean ended;

        Node(int number) {
            this.number = number;
            this.name = "n" + number + '.' + started++;
            List<String> arguments = new ArrayList<>(List.of(
                    NodeMain.HISTORY,
                    name,
                    plan.store.apply(number),
                    Long.toString(random.nextLong()),
                    Long.toString(plan.clocksApart.toSeconds() * number),
                    Long.toString(plan.lease.toMillis())));
            arguments.add("lease=" + plan.lease.toMillis() + "ms");
            Map<String, String> settings = new TreeMap<>(SETTINGS);
            settings.putAll(plan.settings);
            settings.forEach((setting, value) -> arguments.add(setting + '=' + value));
            process = JvmProcess.start(name, plan.main, this, arguments);
        }

        void awaitReady() {
            process.await("its region is open", () -> ready);
        }

        @Override
        public void heard(String line) {
            switch (line) {
                case "ready" -> ready = true;
                case "halted" -> halted = true;
                default -> {
                    if (line.endsWith(HistoryNode.WHOLE)) { // what is not is the last of a process that was killed
                        heard(Event.parse(line.substring(0, line.length() - HistoryNode.WHOLE.length())));
                    }
                }
            }
        }

        private void heard(Event event) {
            events.add(event);
            if (event.kind() == Event.Kind.START) {
                creating.add(event.op());
            } else if (event.kind() == Event.Kind.END) {
                creating.remove(event.op());
            }
        }

        @Override
        public void ended() {
            ended = true;
        }
    }

    @Override
    public void close() {
        for (Node node : nodes) {
            if (node != null) {
                node.process.close();
            }
        }
    }
}
