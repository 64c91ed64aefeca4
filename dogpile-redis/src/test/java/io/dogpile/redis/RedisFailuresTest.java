package io.dogpile.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.cache.servers.Ports;
import io.dogpile.core.Background;
import io.dogpile.core.DogpileException;
import io.dogpile.core.Slot;
import io.dogpile.core.WhenDown;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.event.Level;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * A server that is down, does not answer or refuses: what callers get, what the log says of it, and that all is well
 * afterwards without a restart of the client.
 */
@Timeout(60) // seconds: a test that waits for ever says so
class RedisFailuresTest {
    private static final Duration TIMEOUT = Duration.ofMillis(200);
    private static final Duration TWO_CALLS = Duration.ofSeconds(5);
    private static final int CROWD = 8;

    private final Nodes nodes = new Nodes();
    private final Callers callers = new Callers();
    private final CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO);
    private final AtomicInteger creations = new AtomicInteger();
    private final AtomicInteger running = new AtomicInteger();
    private final Set<Integer> together = ConcurrentHashMap.newKeySet();
    private RedisServer server;
    private Proxy network;
    private RedisClient client;

    @BeforeEach
    void start() {
        server = nodes.closing(RedisServer.start());
        network = nodes.closing(Proxy.before(server));
        client = nodes.closing(pooled(4));
    }

    @AfterEach
    void end() throws Exception {
        log.close();
        callers.close();
        nodes.end();
    }

    private RedisClient pooled(int connections) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(connections);
        pool.setMaxWait(TIMEOUT);
        return RedisClient.builder()
                .hostAndPort(network.hostAndPort())
                .clientConfig(DefaultJedisClientConfig.builder()
                        .timeoutMillis((int) TIMEOUT.toMillis())
                        .build())
                .poolConfig(pool)
                .build();
    }

    private Region<String, String> region(RedisBackend backend, WhenDown policy) {
        return Region.<String, String>builder("failures." + policy)
                .serializer(Serializer.string())
                .staleAfter(Duration.ofMinutes(1))
                .backend(backend)
                .whenDown(policy)
                .recordStats()
                .build();
    }

    private static RedisBackend live(RedisBackend backend) {
        Await.until("the inbox is live", () -> backend.node().inbox().isLive());
        return backend;
    }

    /** Creates when all who asked at once wait, or create as well; so those who create side by side are seen. */
    private String nextAfter(CountDownLatch settled) throws InterruptedException {
        together.add(running.incrementAndGet());
        try {
            assertTrue(settled.await(Await.PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
        } finally {
            running.decrementAndGet();
        }
        return next();
    }

    private static boolean waits(Callers.Caller<?> caller) {
        return Set.of(Thread.State.WAITING, Thread.State.TIMED_WAITING)
                .contains(caller.thread().getState());
    }

    private String next() {
        together.add(running.incrementAndGet());
        try {
            return "created " + creations.incrementAndGet();
        } finally {
            running.decrementAndGet();
        }
    }

    private List<String> logged(String level) {
        return log.lines().stream()
                .filter(line -> line.contains(level + " io.dogpile.redis"))
                .toList();
    }

    /** What can be wrong, how it begins and ends, and what the log says. */
    private enum Trouble {
        REFUSED("unreachable") {
            @Override
            void begin(RedisFailuresTest test) {
                test.server.kill();
            }

            @Override
            void end(RedisFailuresTest test) {
                test.server.restart();
            }
        },
        CUT("unreachable") {
            @Override
            void begin(RedisFailuresTest test) {
                test.network.cut();
            }

            @Override
            void end(RedisFailuresTest test) {
                test.network.heal();
            }
        },
        FROZEN("timeout") {
            @Override
            void begin(RedisFailuresTest test) {
                test.server.freeze();
            }

            @Override
            void end(RedisFailuresTest test) {
                test.server.thaw();
            }
        },
        SLOW("timeout") {
            @Override
            void begin(RedisFailuresTest test) {
                test.network.delay(TIMEOUT.multipliedBy(3));
            }

            @Override
            void end(RedisFailuresTest test) {
                test.network.heal();
            }
        },
        BUSY("busy") {
            @Override
            void begin(RedisFailuresTest test) {
                test.server.command("CONFIG", "SET", "busy-reply-threshold", "1");
                Background.run(() -> test.server.command("EVAL", "while true do end", "0"));
                Await.until("the server is busy", () -> test.isRefused("GET", "any"));
            }

            @Override
            void end(RedisFailuresTest test) {
                test.server.command("SCRIPT", "KILL");
            }
        },
        POOL_EXHAUSTED("pool_exhausted") {
            @Override
            void begin(RedisFailuresTest test) {
                for (int i = 0; i < 4; i++) {
                    test.borrowed.add(test.client.getPool().getResource());
                }
            }

            @Override
            void end(RedisFailuresTest test) {
                test.borrowed.forEach(Connection::close);
                test.borrowed.clear();
            }
        },
        OUT_OF_MEMORY("out_of_memory") {
            @Override
            void begin(RedisFailuresTest test) {
                test.server.command("CONFIG", "SET", "maxmemory", "1");
            }

            @Override
            void end(RedisFailuresTest test) {
                test.server.command("CONFIG", "SET", "maxmemory", "0");
            }
        },
        READ_ONLY("read_only") {
            @Override
            void begin(RedisFailuresTest test) {
                test.server.command("REPLICAOF", "127.0.0.1", Integer.toString(Ports.free()));
            }

            @Override
            void end(RedisFailuresTest test) {
                test.server.command("REPLICAOF", "NO", "ONE");
            }
        },
        WRONG_TYPE("wrong_type") {
            @Override
            void begin(RedisFailuresTest test) {
                for (WhenDown policy : WhenDown.values()) {
                    test.server.command("SET", Nodes.record("failures." + policy, "cold"), "of another program");
                }
            }

            @Override
            void end(RedisFailuresTest test) {
                for (WhenDown policy : WhenDown.values()) {
                    test.server.command("DEL", Nodes.record("failures." + policy, "cold"));
                }
            }
        };

        final String said;

        Trouble(String said) {
            this.said = said;
        }

        abstract void begin(RedisFailuresTest test);

        abstract void end(RedisFailuresTest test);

        boolean readsWork() {
            return compareTo(OUT_OF_MEMORY) >= 0;
        }
    }

    private final List<Connection> borrowed = new ArrayList<>();

    private boolean isRefused(String command, String... arguments) {
        try {
            server.command(command, arguments);
            return false;
        } catch (JedisDataException refused) {
            return true;
        }
    }

    @ParameterizedTest
    @EnumSource(Trouble.class)
    void thePolicyIsFollowed_theLogSaysItOnce_andAfterwardsAllIsWell(Trouble trouble) throws Exception {
        RedisBackend backend = live(nodes.node(RedisBackend.builder().client(client)));
        Region<String, String> creates = region(backend, WhenDown.CREATE);
        Region<String, String> fails = region(backend, WhenDown.FAIL);
        for (Region<String, String> one : List.of(creates, fails)) {
            one.put("there", "fresh");
            one.put("stale", "stale");
            one.invalidate("stale", Invalidation.SOFT);
        }
        trouble.begin(this);

        Set<String> got = new HashSet<>();
        CountDownLatch settled = new CountDownLatch(1);
        List<Callers.Caller<String>> atOnce =
                callers.start(CROWD, () -> creates.getOrCreate("cold", () -> nextAfter(settled)));
        Await.until("all wait", () -> atOnce.stream().allMatch(RedisFailuresTest::waits));
        settled.countDown();
        atOnce.forEach(one -> got.add(one.result()));
        assertTrue(creations.get() >= 1 && got.size() == creations.get(), () -> got + " of " + creations);
        assertEquals(Set.of(1), together, "one at a time");
        int created = creations.get();
        long start = System.nanoTime();
        DogpileException down = assertThrows(DogpileException.class, () -> fails.getOrCreate("cold", this::next));
        assertTrue(System.nanoTime() - start < TWO_CALLS.toNanos());
        assertTrue(down.getMessage().contains("region 'failures.FAIL', key 'cold'"), down.getMessage());
        assertEquals(created, creations.get());
        assertTrue(creates.stats().storeFailures() > 0);
        if (trouble.readsWork()) {
            for (Region<String, String> one : List.of(creates, fails)) {
                assertEquals("fresh", one.getOrCreate("there", this::next));
                if (trouble != Trouble.WRONG_TYPE) {
                    assertEquals("stale", one.getOrCreate("stale", this::next));
                    assertThrows(DogpileException.class, () -> one.put("there", "not known to be stored"));
                }
            }
            assertEquals(created, creations.get());
        } else {
            assertThrows(DogpileException.class, () -> creates.put("put", "not known to be stored"));
            assertThrows(DogpileException.class, () -> fails.get("there"));
            assertEquals(Optional.empty(), creates.get("there"));
        }
        List<String> warned = logged("WARN");
        assertEquals(1, warned.size(), () -> String.join("\n", warned));
        assertTrue(warned.get(0).contains(": " + trouble.said + ": "), warned.get(0));
        assertEquals(List.of(), logged("INFO"));

        trouble.end(this);
        Await.until("the server answers", () -> isStored(creates) && isStored(fails));
        int before = creations.get();
        Region<String, String> another = region(nodes.node(server), WhenDown.CREATE);
        got.clear();
        List<Callers.Caller<String>> crowd =
                new ArrayList<>(callers.start(CROWD, () -> creates.getOrCreate("cold", this::next)));
        crowd.addAll(callers.start(CROWD, () -> another.getOrCreate("cold", this::next)));
        crowd.forEach(one -> got.add(one.result()));
        assertEquals(Set.of("created " + (before + 1)), got);
        assertEquals("created " + (before + 2), fails.getOrCreate("cold", this::next));
        if (trouble.compareTo(Trouble.OUT_OF_MEMORY) < 0) {
            Await.until(
                    "the log says that it is over",
                    () -> isStored(creates) && !logged("INFO").isEmpty());
        }
        assertEquals(
                1,
                logged("WARN").stream()
                        .filter(line -> line.contains(": " + trouble.said + ": "))
                        .count());
    }

    private static boolean isStored(Region<String, String> region) {
        try {
            region.put("probe", "probe");
            return true;
        } catch (DogpileException notYet) {
            return false;
        }
    }

    /** By the client that a backend makes. A third time-out would be one too many; the rest of it is for what is no waiting. */
    @Test
    void theServerStandsStill_eachCallTakesAtMostTwiceTheTimeout() {
        Duration timeout = Duration.ofMillis(500);
        RedisBackend backend = live(nodes.node(server.hostAndPort(), timeout));
        Region<String, String> region = region(backend, WhenDown.FAIL);
        region.put("key", "value"); // on a connection that is idle from now on
        server.freeze();
        try {
            List<Callers.Caller<Duration>> calls = List.of(
                    callers.start(() -> failed(() -> region.get("key"))),
                    callers.start(() -> failed(() -> region.getAll(List.of("key", "another")))),
                    callers.start(() -> failed(() -> region.getOrCreate("cold", this::next))),
                    callers.start(() -> failed(() -> region.put("key", "put"))),
                    callers.start(() -> failed(() -> region.invalidate("key"))));
            for (Callers.Caller<Duration> call : calls) {
                Duration took = call.result();
                assertTrue(took.compareTo(timeout.multipliedBy(3)) < 0, took::toString);
            }
        } finally {
            server.thaw();
        }
        assertEquals(0, creations.get());
    }

    private static Duration failed(Executable call) {
        long start = System.nanoTime();
        assertThrows(DogpileException.class, call);
        return Duration.ofNanos(System.nanoTime() - start);
    }

    @ParameterizedTest
    @EnumSource(WhenDown.class)
    void theServerIsDownFromTheBeginning_theClientIsBuilt_andAllIsWellOnceItIsUp(WhenDown policy) {
        server.kill();
        RedisBackend backend = nodes.node(server.hostAndPort(), TIMEOUT);
        Region<String, String> region = region(backend, policy);
        if (policy == WhenDown.CREATE) {
            assertEquals("created 1", region.getOrCreate("key", this::next));
        } else {
            assertThrows(DogpileException.class, () -> region.getOrCreate("key", this::next));
        }
        assertEquals(1, logged("WARN").size(), () -> String.join("\n", logged("WARN")));
        server.restart();
        live(backend);
        Await.until("the server answers", () -> isStored(region));
        String created = region.getOrCreate("key", this::next);
        assertEquals(created, region.getOrCreate("key", this::next));
        assertEquals(Optional.of(created), region(nodes.node(server), policy).get("key"));
    }

    @Test
    void theServerLoadsItsData_thePolicyIsFollowed_andTheLogSaysIt() throws Exception {
        RedisServer large = nodes.closing(RedisServer.builder()
                .setting("loading-process-events-interval-bytes", "1024")
                .setting("rdbcompression", "no")
                .setting("key-load-delay", "15000") // microseconds for each key, from the next start on
                .start());
        String kilobyte = "x".repeat(1_000);
        try (RedisClient fills = large.client()) {
            for (int i = 0; i < 100; i++) {
                fills.set("key" + i, kilobyte);
            }
        }
        RedisBackend backend = live(nodes.node(large.hostAndPort(), TIMEOUT.multipliedBy(3)));
        Region<String, String> creates = region(backend, WhenDown.CREATE);
        creates.put("there", "kept");
        large.command("SAVE");
        large.kill();
        Background<Void> restarting = Background.run(large::restart);
        Await.until("the log says it", () -> {
            creates.getOrCreate("cold", this::next);
            return logged("WARN").stream().anyMatch(line -> line.contains(": loading: "));
        });
        assertTrue(creations.get() > 0);
        restarting.result();
        Await.until("the server answers", () -> isStored(creates));
        assertEquals(Optional.of("kept"), creates.get("there"));
        assertEquals(
                1,
                logged("WARN").stream()
                        .filter(line -> line.contains(": loading: "))
                        .count());
    }

    @Test
    void scriptsAreForgotten_nobodyNotices() {
        Region<String, String> region = region(nodes.node(server), WhenDown.FAIL);
        for (int i = 0; i < 5; i++) {
            server.command("SCRIPT", "FLUSH");
            String key = "key" + i;
            assertEquals("value", region.getOrCreate(key, () -> "value"));
            server.command("SCRIPT", "FLUSH");
            region.putAll(Map.of("one", "1", "two", "2", "three", "3"));
            assertEquals(3, region.getAll(List.of("one", "two", "three")).size());
        }
        assertEquals(0, region.stats().storeFailures());
        assertEquals(List.of(), logged("WARN"));
    }

    @Test
    @Tag("D-090")
    void slotsMove_nobodyNotices() throws Exception {
        try (RedisCluster cluster = RedisCluster.start();
                RedisClusterClient client = cluster.client()) {
            Region<String, String> region =
                    region(nodes.node(RedisBackend.builder().client(client)), WhenDown.FAIL);
            Map<String, String> all =
                    IntStream.range(0, 50).boxed().collect(Collectors.toMap(i -> "key" + i, i -> "value" + i));
            region.putAll(all);
            assertEquals(all, region.getAll(all.keySet()));
            for (String key : List.of("key1", "key2", "key3")) {
                int slot = RedisCluster.slot(Nodes.record("failures.FAIL", key));
                int from = cluster.owner(slot);
                RedisCluster.Migration migration = cluster.migrate(slot, from, (from + 1) % RedisCluster.MASTERS);
                assertEquals(all, region.getAll(all.keySet()));
                migration.moveKeys();
                assertEquals(all, region.getAll(all.keySet()));
                assertEquals("new", region.refresh(key, k -> "new"));
                all.put(key, "new");
                migration.finish();
                assertEquals(all, region.getAll(all.keySet()));
                region.putAll(all);
                region.invalidate(key);
                assertEquals("made", region.getOrCreate(key, () -> "made"));
                all.put(key, "made");
                assertEquals(all, region.getOrCreateAll(all.keySet(), missing -> {
                    throw new AssertionError("missing " + missing);
                }));
            }
            assertEquals(0, region.stats().storeFailures());
            assertEquals(List.of(), logged("WARN"));
        }
    }

    @Test
    void aNodeOfTheClusterStandsStill_callsAreBounded() throws Exception {
        try (RedisCluster cluster = RedisCluster.start()) {
            RedisBackend backend = nodes.node(RedisBackend.builder()
                    .cluster(cluster.hostsAndPorts().stream()
                            .map(Object::toString)
                            .toArray(String[]::new))
                    .timeout(Duration.ofMillis(500)));
            Region<String, String> region = region(live(backend), WhenDown.CREATE);
            region.put("key", "value");
            RedisServer owner = cluster.node(cluster.owner(RedisCluster.slot(Nodes.record("failures.CREATE", "key"))));
            owner.freeze();
            try {
                long start = System.nanoTime();
                assertEquals("created 1", region.getOrCreate("key", this::next));
                Duration took = Duration.ofNanos(System.nanoTime() - start);
                assertTrue(took.compareTo(Duration.ofSeconds(2)) < 0, took::toString);
            } finally {
                owner.thaw();
            }
            Await.until("the server answers", () -> region.get("key").isPresent());
            assertEquals(Optional.of("value"), region.get("key"));
        }
    }

    @Test
    void theServerStandsStillForLong_heartbeatsAreNotAnotherCondition() throws Exception {
        RedisNode node = nodes.silent(client, UnaryOperator.identity());
        Nodes.listen(node);
        Await.until("the inbox is live", () -> node.inbox().isLive());
        server.freeze();
        Await.until("the inbox is down", () -> {
            RedisFaultsTest.beat(node.inbox());
            return !node.inbox().isLive();
        });
        server.thaw();
        Await.until("the inbox is live again", () -> node.inbox().isLive());
        assertEquals(1, logged("WARN").size(), () -> String.join("\n", logged("WARN")));
    }

    @Test
    void aPublicationIsNotAnswered_itCountsAsUnknown_andIsThereAfterwards() throws Exception {
        RedisBackend backend = live(nodes.node(RedisBackend.builder().client(client)));
        Region<String, String> region = region(backend, WhenDown.FAIL);
        assertEquals("warm", region.getOrCreate("warm", () -> "warm"));
        Held<String> held = new Held<>("perhaps stored");
        Callers.Caller<String> creator = callers.start(() -> region.getOrCreate("key", held));
        held.awaitBegun();
        network.dropReplies();
        held.letGo();
        assertEquals("perhaps stored", creator.result());
        network.heal();
        assertEquals(1, region.stats().writesRefused(Slot.Published.Outcome.UNKNOWN));
        Await.until("the server answers", () -> isStored(region));
        assertEquals("perhaps stored", region.getOrCreate("key", this::next));
        DogpileException unknown = assertThrows(DogpileException.class, () -> {
            network.dropReplies();
            region.put("key", "put");
        });
        assertInstanceOf(JedisConnectionException.class, unknown.getCause());
        assertTrue(unknown.getMessage().contains("not known"), unknown.getMessage());
        network.heal();
        Await.until("the server answers", () -> isStored(region));
        assertEquals("put", region.getOrCreate("key", this::next));
    }
}
