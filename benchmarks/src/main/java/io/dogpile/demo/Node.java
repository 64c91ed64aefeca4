package io.dogpile.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.dogpile.redis.RedisBackend;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisException;

/**
 * One JVM of several: does what the JVM that started it says on its input, a line a command, and tells what happens on its
 * output, a line an event. It ends when its input does, and so with the JVM that started it, however that ends.
 */
final class Node implements Witness {
    /** The argument that makes {@link Demo} one. */
    static final String WORD = "node";

    // What it is told
    static final String WARM_UP = "warm-up";
    static final String OPEN = "open";
    static final String PRIME = "prime";
    static final String BURST = "burst";
    static final String STEADY = "steady";
    static final String GO = "go";

    // What it tells
    static final String READY = "ready";
    static final String BEGUN = "begun";
    static final String WORKED = "worked";
    static final String CALLED = "called";
    static final String COUNTED = "counted";
    static final String DONE = "done";
    static final String FAILED = "failed";

    private static final String LOOPBACK = "127.0.0.1";
    /** More than there are callers: none waits for a connection. */
    private static final int CONNECTIONS = 64;

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int WARM_UP_CALLERS = 8;
    private static final Duration WARM_UP_LIFE = Duration.ofSeconds(10);

    private final int jvm;
    private final HostAndPort server;
    private final SharedWay.Store store;
    private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> telling = new LinkedBlockingQueue<>();
    private Recorder recorder;
    private SharedWay.@Nullable Service service;

    private Node(int jvm, int port) {
        this.jvm = jvm;
        this.recorder = new Recorder(jvm, this);
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(CONNECTIONS);
        pool.setMaxIdle(CONNECTIONS);
        pool.setMaxWait(PATIENCE);
        server = new HostAndPort(LOOPBACK, port);
        RedisClient client = RedisClient.builder()
                .hostAndPort(server)
                .clientConfig(DefaultJedisClientConfig.builder()
                        .timeoutMillis((int) PATIENCE.toMillis())
                        .build())
                .poolConfig(pool)
                .build();
        ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
            Thread thread = new Thread(task, "executor");
            thread.setDaemon(true);
            return thread;
        });
        store = new SharedWay.Store(client, RedisBackend.of(client), executor);
    }

    /**
     * Serves until the input ends.
     *
     * @param words the number of this JVM and the port of the server
     */
    static void serve(List<String> words) throws InterruptedException {
        PrintStream out = System.out;
        System.setOut(System.err); // what is printed by mistake must not be taken for an event
        Node node = new Node(Integer.parseInt(words.get(0)), Integer.parseInt(words.get(1)));
        daemon("listener", node::listen);
        daemon("teller", () -> node.tell(out));
        node.telling.add(READY);
        while (true) {
            node.obey(List.of(node.told.take().split(" ")));
        }
    }

    private static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void listen() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                told.add(line);
            }
        } catch (IOException theOtherEndIsGone) {
            // as if it had ended
        }
        endServer();
        Runtime.getRuntime().halt(0);
    }

    /** The JVM that started it is gone, and cannot. */
    private void endServer() {
        try (Connection connection = new Connection(server)) {
            connection.sendCommand(Protocol.Command.SHUTDOWN, "NOSAVE");
            var unused = connection.getOne();
        } catch (JedisException ended) {
            // this is how it answers; or another node was first
        }
    }

    /** One thread writes: no caller is kept waiting by what it tells. */
    private void tell(PrintStream out) {
        try {
            while (true) {
                out.println(telling.take());
                out.flush();
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }

    private void obey(List<String> words) {
        try {
            switch (words.get(0)) {
                case WARM_UP -> warmUp(Duration.ofMillis(Long.parseLong(words.get(1))));
                case OPEN -> open(words);
                case PRIME -> opened().request().send(words.get(1));
                case BURST -> burst(words);
                case STEADY -> steady(words);
                default -> throw new IllegalArgumentException("not a command: " + words);
            }
            recorder.check();
            telling.add(DONE);
        } catch (Exception e) {
            e.printStackTrace();
            telling.add(FAILED + ' ' + e);
        }
    }

    /** Lets the JVM load and compile what the first run should not pay for. */
    private void warmUp(Duration time) throws Exception {
        long began = System.nanoTime();
        List<String> modules = ModuleIndexer.modules();
        String any = modules.get(modules.size() - 1);
        for (SharedWay way : SharedWay.values()) {
            SharedWay.Terms terms = new SharedWay.Terms("warm-up-" + jvm + '-' + way, WARM_UP_LIFE, WARM_UP_LIFE);
            Recorder unused = new Recorder();
            Load.burst(
                    WARM_UP_CALLERS,
                    lane -> any,
                    unused,
                    way.open(store, terms, unused).request(),
                    Load.Start.SOON);
            unused.check();
        }
        for (int i = 0; System.nanoTime() - began < time.toNanos(); i++) {
            var unused = ModuleIndexer.index(modules.get(i % modules.size()));
        }
    }

    /** open way region life lease, the last two in milliseconds. */
    private void open(List<String> words) {
        recorder = new Recorder(jvm, this);
        SharedWay.Terms terms = new SharedWay.Terms(
                words.get(2),
                Duration.ofMillis(Long.parseLong(words.get(3))),
                Duration.ofMillis(Long.parseLong(words.get(4))));
        service = SharedWay.valueOf(words.get(1)).open(store, terms, recorder);
    }

    /** burst key key ..., one for each caller. */
    private void burst(List<String> words) throws Exception {
        List<String> keys = words.subList(1, words.size());
        Load.burst(keys.size(), keys::get, recorder, opened().request(), this::untilGo);
        telling.add(COUNTED + ' ' + opened().counts().line());
    }

    /** steady callers first pause calls key, the times in nanoseconds. */
    private void steady(List<String> words) throws Exception {
        Load.Pace pace = new Load.Pace(
                Long.parseLong(words.get(2)), Long.parseLong(words.get(3)), Integer.parseInt(words.get(4)));
        int callers = Integer.parseInt(words.get(1));
        Load.steady(callers, pace, words.get(5), recorder, opened().request(), this::untilGo);
        recorder.awaitQuiet();
        telling.add(COUNTED + ' ' + opened().counts().line());
    }

    /** Several JVMs begin at the same moment by the wall clock, the only one that they share. */
    private long untilGo() throws InterruptedException {
        telling.add(READY);
        List<String> words = List.of(told.take().split(" "));
        if (!words.get(0).equals(GO)) {
            throw new IllegalArgumentException("not " + GO + ": " + words);
        }
        Instant begin = Instant.EPOCH.plus(Long.parseLong(words.get(1)), ChronoUnit.MICROS);
        return Instant.now().until(begin, ChronoUnit.NANOS);
    }

    private SharedWay.Service opened() {
        if (service == null) {
            throw new IllegalStateException("nothing is open: '" + OPEN + "' first");
        }
        return service;
    }

    // What happens

    @Override
    public void begun(int lane, long at) {
        telling.add(BEGUN + ' ' + lane + ' ' + at);
    }

    @Override
    public void worked(Work work) {
        telling.add(WORKED + ' ' + work.lane() + ' ' + work.begin() + ' ' + work.end());
    }

    @Override
    public void called(Call call) {
        telling.add(CALLED
                + ' '
                + call.lane()
                + ' '
                + call.key()
                + ' '
                + call.due()
                + ' '
                + call.begin()
                + ' '
                + call.end()
                + ' '
                + call.outcome());
    }
}
