package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.redis.CommandCount;
import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;

/** How the cost of a region on Redis grows: with callers, keys, processes and the length of values. */
public final class Growth {
    private static final List<Integer> CALLERS = List.of(10, 100, 1_000, 10_000);
    /** Threads of the system cost memory and processes of it, each; so many are safe everywhere. */
    private static final int MOST_PLATFORM_THREADS = 2_000;

    private static final List<Integer> KEYS = List.of(10, 100, 1_000, 10_000, 100_000, 1_000_000);
    private static final List<Integer> PROCESSES = List.of(1, 2, 4, 8);
    private static final List<Integer> LENGTHS = List.of(100, 1_000, 10_000, 100_000, 1_000_000);
    private static final Sizes USUAL = new Sizes(10_000, 1_000_000, 8, 5, 200, 10_000);

    private static final long CREATION_MILLIS = 200;
    private static final long START_MILLIS = 200;
    private static final long SETTLE_MILLIS = 300;
    private static final int THREADS_A_PROCESS = 10;
    private static final int BATCH = 1_000;

    private final RedisServer server;
    private final Sizes sizes;

    private Growth(RedisServer server, Sizes sizes) {
        this.server = server;
        this.sizes = sizes;
    }

    /**
     * How much is done.
     *
     * @param mostCallers steps with more are left out
     * @param mostKeys steps with more are left out
     * @param mostProcesses steps with more are left out; at least 2
     * @param rounds of each step
     * @param values of each length
     * @param idleMillis how long is listened to what is sent by the clock
     */
    record Sizes(int mostCallers, int mostKeys, int mostProcesses, int rounds, int values, long idleMillis) {}

    static long expectedSeconds() {
        return 110;
    }

    /**
     * Runs it by itself.
     *
     * @param args none
     */
    public static void main(String[] args) throws Exception {
        run();
    }

    static void run() throws Exception {
        run(USUAL);
    }

    static void run(Sizes sizes) throws Exception {
        try (RedisServer server = RedisServer.start()) {
            Growth growth = new Growth(server, sizes);
            double bytesAKey;
            try (RedisBackend backend = Peers.backend(server.port())) {
                growth.callers(backend);
                bytesAKey = growth.keys(backend);
                growth.lengths(backend);
            }
            growth.onPaper(growth.processes(), bytesAKey);
        }
    }

    private void callers(RedisBackend backend) throws Exception {
        boolean virtual = Crowd.hasVirtualThreads();
        Results.heading("Callers of one cold key in one process, creator 50 ms, "
                + (virtual ? "virtual threads" : "platform threads, at most " + MOST_PLATFORM_THREADS) + ", "
                + Peers.version(server));
        AtomicLong held = new AtomicLong();
        Table table = new Table(
                "callers", "creations", "commands", "lag p50, ms", "lag p99, ms", "heap while they wait, KiB a caller");
        for (int callers : CALLERS) {
            if (callers > (virtual ? sizes.mostCallers() : Math.min(sizes.mostCallers(), MOST_PLATFORM_THREADS))) {
                continue;
            }
            Progress.show(callers + " callers");
            // Another region each time, since crowds use the same names.
            Region<String, String> region = Region.builder("callers-" + callers, String.class, String.class)
                    .backend(backend)
                    .serializer(Serializer.string())
                    .staleAfter(Peers.LIFE)
                    .expireAfter(Peers.LIFE)
                    .build();
            Contender plain = new Contender("Region", (name, creator) -> region.getOrCreate(name, creator::call));
            Contender weighed = new Contender(
                    "Region",
                    (name, creator) -> region.getOrCreate(name, () -> {
                        String value = creator.call(); // all the others wait meanwhile
                        held.set(heap());
                        return value;
                    }));
            Crowd crowd = virtual ? Crowd.ofVirtualThreads(callers) : Crowd.ofPlatformThreads(callers);
            Rounds rounds = new Rounds(plain);
            for (int round = 0; round < sizes.rounds(); round++) {
                rounds.add(crowd.meet(plain, 50, Crowd.Ending.VALUE));
            }
            ClientCommands commands = ClientCommands.of(server, () -> {
                var unused = crowd.meet(plain, 50, Crowd.Ending.VALUE);
            });
            long before = heap();
            var unused = crowd.meet(weighed, 50, Crowd.Ending.VALUE);
            table.row(
                    Integer.toString(callers),
                    Integer.toString(rounds.mostCreations()),
                    Long.toString(commands.total()),
                    number(rounds.lagP50(), 2),
                    number(rounds.lagP99(), 2),
                    number(Math.max(0, held.get() - before) / 1024.0 / callers, 2));
        }
        Progress.end();
        table.drawn(Chart.growth("creations", "commands", "lag p99, ms")).print();
        Results.note("Heap of platform threads is without their stacks, which lie beside it.");
    }

    /** The bytes of Redis for each of the most keys. */
    private double keys(RedisBackend backend) throws Exception {
        Results.heading("Keys of one region, created in batches of " + BATCH + ", values of 100 B");
        byte[] value = new byte[100];
        Table table = new Table(
                "keys",
                "creations",
                "commands a key",
                "creations/s",
                "hit in a batch, us a key",
                "Redis, bytes a key",
                "heap here, bytes a key");
        double bytes = Double.NaN;
        for (int keys : KEYS) {
            if (keys > sizes.mostKeys()) {
                continue;
            }
            Progress.show(keys + " keys");
            Region<String, byte[]> region =
                    Peers.region("keys-" + keys, backend).build();
            AtomicLong creations = new AtomicLong();
            long heapBefore = heap();
            long redisBefore = redisBytes();
            long[] commands = new long[1];
            long began = System.nanoTime();
            try (CommandCount count = keys <= 10_000 ? CommandCount.on(server) : CommandCount.on()) {
                batches(region, keys, value, creations);
                commands[0] = count.count(command -> !command.isUpkeep() && !ClientCommands.isByTheClock(command));
            }
            double seconds = (System.nanoTime() - began) / 1e9;
            bytes = (double) (redisBytes() - redisBefore) / keys;
            double heapBytes = Math.max(0, heap() - heapBefore) / (double) keys;
            long hitsBegan = System.nanoTime();
            batches(region, keys, value, new AtomicLong());
            table.row(
                    Integer.toString(keys),
                    Long.toString(creations.get()),
                    keys <= 10_000 ? number((double) commands[0] / keys, 4) : "-",
                    number(keys / seconds, 0),
                    number((System.nanoTime() - hitsBegan) / 1e3 / keys, 2),
                    number(bytes, 0),
                    number(heapBytes, 0));
        }
        Progress.end();
        table.drawn(Chart.growth("creations/s", "Redis, bytes a key", "hit in a batch, us a key"))
                .print();
        Results.note(
                "Commands are those that a client sends, and are counted up to 10,000 keys, since counting slows the server down.");
        return bytes;
    }

    private static void batches(Region<String, byte[]> region, int keys, byte[] value, AtomicLong creations)
            throws Exception {
        for (int from = 0; from < keys; from += BATCH) {
            List<String> batch = new ArrayList<>();
            for (int i = from; i < Math.min(keys, from + BATCH); i++) {
                batch.add(Throughput.key(i));
            }
            int asked = batch.size();
            Map<String, byte[]> got = region.getOrCreateAll(batch, missing -> {
                creations.addAndGet(missing.size());
                Map<String, byte[]> made = new LinkedHashMap<>();
                missing.forEach(key -> made.put(key, value));
                return made;
            });
            if (got.size() != asked) {
                throw new IllegalStateException(got.size() + " values of " + asked + " keys");
            }
        }
    }

    /** What was seen with a number of processes. */
    private record Step(int processes, double commands) {}

    private List<Step> processes() throws Exception {
        Results.heading("Processes x " + THREADS_A_PROCESS + " threads on one cold key, creator " + CREATION_MILLIS
                + " ms; on a machine of " + Runtime.getRuntime().availableProcessors()
                + " cores lag measures its scheduler");
        Table table = new Table("processes", "most creations", "commands", "lag p50, ms", "lag p99, ms");
        List<Step> steps = new ArrayList<>();
        for (int processes : PROCESSES) {
            if (processes > sizes.mostProcesses()) {
                continue;
            }
            Progress.show(processes + " processes");
            List<Child> children = Child.start(processes, ClusterWorker.class, Integer.toString(server.port()));
            try {
                ClusterWorker.warmUp(children, List.of(ClusterContender.REGION), sizes.rounds() * 20);
                Histogram lag = new Histogram(3);
                int most = 0;
                for (int round = 0; round < sizes.rounds(); round++) {
                    ClusterWorker.Round met = meet(children);
                    most = Math.max(most, met.creations());
                    for (long each : met.lags()) {
                        lag.recordValue(each);
                    }
                }
                double[] commands = new double[Math.min(3, sizes.rounds())];
                for (int i = 0; i < commands.length; i++) {
                    commands[i] = ClientCommands.of(server, () -> {
                                var unused = meet(children);
                                TimeUnit.MILLISECONDS.sleep(SETTLE_MILLIS);
                            })
                            .total();
                }
                steps.add(new Step(processes, Table.median(commands)));
                table.row(
                        Integer.toString(processes),
                        Integer.toString(most),
                        number(Table.median(commands), 0),
                        number(lag.getValueAtPercentile(50) / 1e6, 2),
                        number(lag.getValueAtPercentile(99) / 1e6, 2));
            } finally {
                children.forEach(Child::close);
            }
        }
        Progress.end();
        table.drawn(Chart.growth("most creations", "commands")).print();
        return steps;
    }

    private static ClusterWorker.Round meet(List<Child> children) throws Exception {
        long startAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(START_MILLIS);
        return ClusterWorker.Round.of(Child.ask(
                children, ClusterContender.REGION, "grown:" + startAt, THREADS_A_PROCESS, startAt, CREATION_MILLIS));
    }

    private void lengths(RedisBackend backend) throws Exception {
        Results.heading("The length of a value, one thread, " + sizes.values() + " keys");
        Table table = new Table(
                "bytes", "commands a creation", "commands a hit", "creation, us", "hit, us", "Redis, bytes a value");
        for (int length : LENGTHS) {
            Progress.show("values of " + length + " bytes");
            // Few of the long ones, so that they have room.
            int values = Math.max(1, Math.min(sizes.values(), 20_000_000 / length));
            Region<String, byte[]> region =
                    Peers.region("length-" + length, backend).build();
            byte[] value = new byte[length];
            Arrays.fill(value, (byte) 'x');
            long redisBefore = redisBytes();
            double creation = micros(region, 0, values, value);
            double redisBytes = (double) (redisBytes() - redisBefore) / values;
            double hit = micros(region, 0, values, value);
            long hits = ClientCommands.of(server, () -> {
                        var unused = micros(region, 0, values, value);
                    })
                    .total();
            long creations = ClientCommands.of(server, () -> {
                        var unused = micros(region, values, values + 10, value);
                    })
                    .total();
            table.row(
                    Integer.toString(length),
                    number(creations / 10.0, 2),
                    number((double) hits / values, 2),
                    number(creation, 1),
                    number(hit, 1),
                    number(redisBytes, 0));
        }
        Progress.end();
        table.drawn(Chart.growth("creation, us", "hit, us")).print();
    }

    /** Of one call, the median. */
    private static double micros(Region<String, byte[]> region, int from, int to, byte[] value) {
        double[] each = new double[to - from];
        for (int i = from; i < to; i++) {
            long began = System.nanoTime();
            var unused = region.getOrCreate(Throughput.key(i), () -> value);
            each[i - from] = (System.nanoTime() - began) / 1e3;
        }
        return Table.median(each);
    }

    /** What a thousand processes would ask of Redis, by the figures above. */
    private void onPaper(List<Step> steps, double bytesAKey) throws Exception {
        double idle = idleCommandsASecond();
        Step least = steps.get(0);
        Step most = steps.get(steps.size() - 1);
        double aProcess = (most.commands() - least.commands()) / (most.processes() - least.processes());
        double alone = least.commands();
        int processes = 1_000;
        double keys = 1e7;
        double lifeSeconds = TimeUnit.HOURS.toSeconds(1);
        double creations = keys / lifeSeconds;
        double together = alone + aProcess * (processes - 1);
        Results.heading("On paper: " + processes + " JVMs, 10^7 keys");
        Table table = new Table("", "figure", "from");
        table.row("Redis, GiB of values of 100 B", number(keys * bytesAKey / (1 << 30), 2), "bytes a key x 10^7");
        table.row("creations/s", number(creations, 0), "each key lives an hour, and is asked for again at once");
        table.row("commands of a creation, one JVM asks", number(alone, 1), "1 process, above");
        table.row("commands of a further JVM that waits", number(aProcess, 2), "(most - least processes), above");
        table.row("commands of a creation, all JVMs ask at once", number(together, 0), "one + 999 further");
        table.row("commands/s, one JVM asks for each key", number(creations * alone, 0), "creations/s x one");
        table.row(
                "commands/s, ten ask at once",
                number(creations * (alone + 9 * aProcess), 0),
                "creations/s x (one + 9)");
        table.row("commands/s, all ask at once", number(creations * together, 0), "creations/s x all");
        table.row("commands/s of an idle JVM", number(idle, 2), "counted in " + sizes.idleMillis() / 1_000 + " s");
        table.row("commands/s of 1,000 idle JVMs", number(idle * processes, 0), "heartbeats, looks after generations");
        table.print();
        Results.note(
                "Assumed: cost grows with processes as from " + least.processes() + " to " + most.processes()
                        + ", and not with keys that differ; one region; no hits, each of which is one command more; all keys are"
                        + " created anew each hour, evenly spread; one Redis takes them all. Nothing of this was run at that size.");
    }

    /** Of a JVM that has one region in use, by what it sends by the clock. */
    private double idleCommandsASecond() throws Exception {
        Progress.show("counting what is sent by the clock");
        try (RedisBackend backend = Peers.backend(server.port())) {
            Peers.region("idle", backend).build().put("key", new byte[1]);
            try (CommandCount count = CommandCount.on(server)) {
                TimeUnit.MILLISECONDS.sleep(sizes.idleMillis());
                return count.total() * 1e3 / sizes.idleMillis();
            }
        } finally {
            Progress.end();
        }
    }

    private long redisBytes() {
        String info = (String) server.command("INFO", "memory");
        return info.lines()
                .filter(line -> line.startsWith("used_memory:"))
                .mapToLong(line ->
                        Long.parseLong(line.substring(line.indexOf(':') + 1).trim()))
                .findFirst()
                .orElseThrow();
    }

    /** What is in use after a collection. */
    @SuppressWarnings("SystemGc") // it is what is measured
    private static long heap() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
