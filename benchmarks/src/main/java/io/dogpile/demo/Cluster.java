package io.dogpile.demo;

import io.dogpile.redis.CommandCount;
import io.dogpile.redis.RedisServer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** A Redis server and several JVMs that share it, started for the demo and ended with it. For one thread at a time. */
final class Cluster implements AutoCloseable {
    private static final Duration RUN_UP = Duration.ofMillis(300);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** So long that no pause on a crowded machine is taken for a death. */
    private static final Duration LEASE = Duration.ofSeconds(30);
    /** How long the one who creates is left alone before its JVM is killed. */
    private static final long GRACE_MILLIS = 50;

    private final Size size;
    private final Progress progress;
    private final RedisServer server;
    private final List<NodeProcess> nodes = new ArrayList<>();
    private int runs;

    /**
     * How large.
     *
     * @param jvms how many JVMs
     * @param callers how many callers each has when all call at once
     * @param warmUp how long each gets ready
     */
    record Size(int jvms, int callers, Duration warmUp) {
        static final Size USUAL = new Size(4, 50, Duration.ofSeconds(4));

        int all() {
            return jvms * callers;
        }

        @Override
        public String toString() {
            return jvms + " JVMs x " + callers + " callers";
        }
    }

    private Cluster(Size size, Progress progress) {
        this.size = size;
        this.progress = progress;
        RedisServer.preferProcesses();
        this.server = RedisServer.start();
    }

    static Cluster start(Size size, Progress progress) throws Exception {
        Cluster cluster = new Cluster(size, progress);
        try {
            progress.step("Starting " + size.jvms() + " JVMs");
            for (int jvm = 0; jvm < size.jvms(); jvm++) {
                cluster.nodes.add(NodeProcess.start(jvm, cluster.server.port()));
            }
            cluster.await(Node.READY);
            progress.step("Warming up " + size.jvms() + " JVMs");
            cluster.tell(Node.WARM_UP, size.warmUp().toMillis());
            cluster.await(Node.DONE);
            return cluster;
        } catch (Exception e) {
            cluster.close();
            throw e;
        }
    }

    Size size() {
        return size;
    }

    List<NodeProcess> nodes() {
        return List.copyOf(nodes);
    }

    /** All callers of all JVMs at once, one call each; as many for each key. */
    Run burst(String load, SharedWay way, Duration life, List<String> keys) throws Exception {
        return perform(load, way, new SharedWay.Terms(nextRegion(), life, LEASE), size.all(), gathering -> {
            for (NodeProcess node : nodes) {
                node.tell(Node.BURST, String.join(" ", keysOf(node, keys)));
            }
            go(gathering);
        });
    }

    /** The same for one key, and the JVM that creates is killed meanwhile. */
    Run burstWithKill(String load, SharedWay way, Duration life, Duration lease, String key) throws Exception {
        return perform(load, way, new SharedWay.Terms(nextRegion(), life, lease), size.all(), gathering -> {
            for (NodeProcess node : nodes) {
                node.tell(Node.BURST, String.join(" ", keysOf(node, List.of(key))));
            }
            go(gathering);
            int holder = gathering.firstCreator().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            TimeUnit.MILLISECONDS.sleep(GRACE_MILLIS);
            NodeProcess killed = nodes.stream()
                    .filter(node -> node.jvm() == holder)
                    .findFirst()
                    .orElseThrow();
            killed.kill();
            gathering.died(holder, keysOf(killed, List.of(key)));
            nodes.remove(killed);
        });
    }

    /** Calls of all JVMs in turn, at a steady pace, for a value that is there when they begin. */
    Run steady(String load, SharedWay way, Duration life, Load.Pace pace, int callers, String key) throws Exception {
        return perform(load, way, new SharedWay.Terms(nextRegion(), life, LEASE), pace.calls(), gathering -> {
            NodeProcess first = nodes.get(0);
            first.tell(Node.PRIME, key); // forgotten when the load begins
            first.await(Node.DONE);
            for (int i = 0; i < nodes.size(); i++) {
                Load.Pace share = pace.share(i, nodes.size());
                nodes.get(i).tell(Node.STEADY, callers, share.first(), share.pause(), share.calls(), key);
            }
            go(gathering);
        });
    }

    /** One load: tells the JVMs what to do, and makes them begin. */
    @FunctionalInterface
    private interface Telling {
        void tell(Gathering gathering) throws Exception;
    }

    private Run perform(String load, SharedWay way, SharedWay.Terms terms, int calls, Telling telling)
            throws Exception {
        Gathering gathering = new Gathering();
        nodes.forEach(node -> node.gatherInto(gathering));
        tell(
                Node.OPEN,
                way,
                terms.region(),
                terms.life().toMillis(),
                terms.lease().toMillis());
        await(Node.DONE);
        try (CommandCount commands = CommandCount.on(server)) {
            Counts[] counts = {Counts.NONE};
            progress.during(load + ", " + way.title(), calls, gathering.recorder(), () -> {
                telling.tell(gathering);
                for (NodeProcess node : nodes) {
                    counts[0] = counts[0].plus(Counts.parse(node.await(Node.COUNTED)));
                    node.await(Node.DONE);
                }
            });
            String stats = counts[0].equals(Counts.NONE) ? "" : counts[0].toString();
            return gathering.run(way.title(), stats, commands.count(Cluster::isForCallers));
        }
    }

    private void go(Gathering gathering) throws Exception {
        await(Node.READY);
        gathering.recorder().beginIn(RUN_UP.toNanos());
        tell(Node.GO, Instant.EPOCH.until(Instant.now().plus(RUN_UP), ChronoUnit.MICROS));
    }

    private List<String> keysOf(NodeProcess node, List<String> keys) {
        return IntStream.range(0, size.callers())
                .mapToObj(caller -> keys.get((node.jvm() * size.callers() + caller) % keys.size()))
                .toList();
    }

    /** All runs find their keys cold, and what is left of one disturbs no other. */
    private String nextRegion() {
        return "run-" + ++runs;
    }

    /** Not what a backend sends by the clock: its heartbeats, and its look after generations each second. */
    private static boolean isForCallers(CommandCount.Command command) {
        List<String> arguments = command.arguments();
        boolean isHeartbeat = command.is("PUBLISH")
                && arguments.get(0).contains("~in:")
                && arguments.get(1).startsWith("H");
        boolean isLook = command.is("EVAL", "EVALSHA")
                && arguments.get(1).equals("1")
                && arguments.get(2).endsWith("~generation");
        return !command.isUpkeep() && !isHeartbeat && !isLook;
    }

    private void tell(Object... words) throws IOException {
        for (NodeProcess node : nodes) {
            node.tell(words);
        }
    }

    private void await(String expected) throws InterruptedException {
        for (NodeProcess node : nodes) {
            node.await(expected);
        }
    }

    @Override
    public void close() {
        nodes.forEach(NodeProcess::close);
        server.close();
    }

    @Override
    public String toString() {
        return size + " over one Redis server, each JVM with a heap of 128 MiB";
    }
}
