package io.dogpile.redis;

import static java.util.stream.Collectors.joining;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.commands.ProtocolCommand;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.util.SafeEncoder;

/**
 * A real Redis server for tests, on the loopback address, empty at first, that can be killed, frozen and started again.
 *
 * <p>It is of the {@linkplain ServerKind#ofThisMachine() kind of this machine}; the first that starts prints which. No
 * server at all is a failure, never a skip. The port and the files stay the same until it is closed, and nothing is left
 * of it then. What is not closed ends with the JVM, unless that is killed with -9. For one thread at a time.
 */
public final class RedisServer implements AutoCloseable {
    /** How long a client made here waits for a connection, an answer or its pool. */
    public static final Duration TIMEOUT = Duration.ofSeconds(2);

    /** The name of the connections of {@link #command}. */
    static final String FIXTURE = "fixture";

    private static final String LOOPBACK = "127.0.0.1";
    private static final int PORTS_TRIED = 5;
    private static final AtomicBoolean PRINTED = new AtomicBoolean();
    private static final Set<ServerRun> RUNNING = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> RUNNING.forEach(ServerRun::delete), "servers of the tests"));
    }

    private final ServerRun run;
    private final int port;
    private final String password;

    private RedisServer(ServerRun run, int port, String password) {
        this.run = run;
        this.port = port;
        this.password = password;
    }

    /** Starts one with no setting but those that keep it on loopback and off the disk. */
    public static RedisServer start() {
        return builder().start();
    }

    public static Builder builder() {
        return new Builder();
    }

    public int port() {
        return port;
    }

    public HostAndPort hostAndPort() {
        return new HostAndPort(LOOPBACK, port);
    }

    /** The process id on this machine; another one after each restart. */
    public long pid() {
        return run.pid();
    }

    /** A new client with the rights of the default user. The caller closes it. */
    public RedisClient client() {
        return client(TIMEOUT);
    }

    /** As {@link #client()}, with another limit for connections, answers and the pool. */
    public RedisClient client(Duration timeout) {
        return client(config(password).timeoutMillis((int) timeout.toMillis()).build());
    }

    /** A new client of a user that {@link Builder#user} made. The caller closes it. */
    public RedisClient client(String user, String ofUser) {
        return client(config(ofUser).user(user).build());
    }

    /** A new client with any set-up. The caller closes it. */
    public RedisClient client(JedisClientConfig config) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxWait(Duration.ofMillis(config.getSocketTimeoutMillis()));
        return RedisClient.builder()
                .hostAndPort(hostAndPort())
                .clientConfig(config)
                .poolConfig(pool)
                .build();
    }

    /** Sends one command on a connection of its own. The answer has text for bytes, and lists of such. */
    public Object command(String name, String... arguments) {
        return raw(name, Stream.of(arguments).map(SafeEncoder::encode).toArray(byte[][]::new));
    }

    Object raw(String name, byte[]... arguments) {
        ProtocolCommand command = () -> SafeEncoder.encode(name);
        try (Connection connection = new Connection(hostAndPort(), configOfOne(FIXTURE))) {
            connection.sendCommand(command, arguments);
            return SafeEncoder.encodeObject(connection.getOne());
        }
    }

    /** For a connection without a pool, whose answers look the same on every version. */
    JedisClientConfig configOfOne(String client) {
        return config(password).protocol(RedisProtocol.RESP2).clientName(client).build();
    }

    /** As kill -9 does. Its connections break, what it held in memory is lost. */
    public void kill() {
        run.kill();
    }

    /** Starts it again, on its port and with its files; kills it before if it runs. Returns when it answers. */
    public void restart() {
        kill();
        run.start();
        awaitAnswer();
    }

    /** As SIGSTOP does: connections stay open and new ones are taken by the system, but nothing answers. */
    public void freeze() {
        run.freeze();
    }

    /** Ends {@link #freeze()}. What was sent meanwhile is then done. */
    public void thaw() {
        run.thaw();
    }

    /** What it has logged, of every start. */
    public String log() {
        return run.log();
    }

    @Override
    public void close() {
        if (RUNNING.remove(run)) {
            run.delete();
        }
    }

    @Override
    public String toString() {
        return "RedisServer[" + hostAndPort() + "]";
    }

    private static DefaultJedisClientConfig.Builder config(String password) {
        return DefaultJedisClientConfig.builder()
                .timeoutMillis((int) TIMEOUT.toMillis())
                .password(password);
    }

    private void awaitAnswer() {
        Await.until(() -> this + " answers; it logged:\n" + run.log(), () -> {
            if (!run.isAlive()) {
                throw new IllegalStateException(this + " ended before it answered; it logged:\n" + run.log());
            }
            return answers();
        });
    }

    /** Whether it has loaded its files, and is not another that took the port a moment before. */
    private boolean answers() {
        try {
            return command("PING").equals("PONG")
                    && info("server", "process_id").equals(Long.toString(run.ownPid()));
        } catch (JedisException notYet) {
            return false;
        }
    }

    /** One field of INFO; empty if there is none. */
    String info(String section, String field) {
        return ((String) command("INFO", section))
                .lines()
                .filter(line -> line.startsWith(field + ":"))
                .map(line -> line.substring(field.length() + 1).trim())
                .findFirst()
                .orElse("");
    }

    private void printOnce(ServerKind kind) {
        if (PRINTED.compareAndSet(false, true)) {
            String valkey = info("server", "valkey_version");
            String version = valkey.isEmpty() ? "Redis " + info("server", "redis_version") : "Valkey " + valkey;
            System.out.println("Servers of the tests: " + kind + ", " + version + ", " + run.origin());
        }
    }

    /** What a server is started with. Later settings win over earlier ones. */
    public static final class Builder {
        private final List<String> settings = new ArrayList<>();
        private final List<String> arguments = new ArrayList<>();
        private String password;

        private Builder() {
            setting("bind", LOOPBACK);
        }

        /** A line of the configuration file, for instance {@code setting("maxmemory-policy", "noeviction")}. */
        public Builder setting(String name, String... values) {
            settings.add(Stream.concat(Stream.of(name), Stream.of(values).map(Builder::quoted))
                    .collect(joining(" ")));
            return this;
        }

        /** The limit for all it holds; 0 for none, which is the default. */
        public Builder maxMemory(long bytes) {
            return setting("maxmemory", Long.toString(bytes));
        }

        /** What it does at the limit; without it, it refuses to write. */
        public Builder maxMemoryPolicy(String policy) {
            return setting("maxmemory-policy", policy);
        }

        /** Writes every change to its file before it answers, so that a restart after a kill has it. Off by default. */
        public Builder appendOnly() {
            return setting("appendonly", "yes").setting("appendfsync", "always");
        }

        /** The password of the default user, which has none by default. */
        public Builder password(String ofDefault) {
            password = ofDefault;
            return setting("requirepass", ofDefault);
        }

        /** One user more, for instance with the rules {@code ~a:*}, {@code +@read}. */
        public Builder user(String name, String ofUser, String... rules) {
            Stream<String> first = Stream.of(name, "on", ">" + ofUser);
            return setting("user", Stream.concat(first, Stream.of(rules)).toArray(String[]::new));
        }

        Builder argument(String argument) {
            arguments.add(argument);
            return this;
        }

        /**
         * Starts it and returns when it answers.
         *
         * @throws IllegalStateException if this machine has no server, or if the server ends or does not answer in time;
         *     the message has its log
         */
        public RedisServer start() {
            ServerKind kind = ServerKind.ofThisMachine();
            for (int tried = 1; ; tried++) {
                int port = Ports.free();
                ServerRun run = kind.run(configuration(port), arguments);
                RedisServer server = new RedisServer(run, port, password);
                RUNNING.add(run);
                try {
                    run.start();
                    server.awaitAnswer();
                    server.printOnce(kind);
                    return server;
                } catch (RuntimeException e) {
                    boolean taken = run.log().contains("Address already in use");
                    server.close();
                    if (!taken || tried == PORTS_TRIED) {
                        throw e;
                    }
                }
            }
        }

        private String configuration(int port) {
            return Stream.concat(Stream.of("port " + port, "save \"\""), settings.stream())
                    .collect(joining("\n", "", "\n"));
        }

        private static String quoted(String value) {
            return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        }
    }
}
