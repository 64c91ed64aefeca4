package io.dogpile.redis;

import static java.util.stream.Collectors.joining;

import io.dogpile.cache.servers.LoopbackServer;
import io.dogpile.cache.servers.ServerChoice;
import io.dogpile.cache.servers.ServerContainer;
import io.dogpile.cache.servers.ServerKind;
import io.dogpile.cache.servers.ServerProcess;
import io.dogpile.cache.servers.ServerRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
 * A real Redis server for tests, of the {@linkplain ServerChoice#kind() kind of this machine}. No server at all is a failure,
 * never a skip.
 */
public final class RedisServer extends LoopbackServer {
    /** How long a client made here waits for a connection, an answer or its pool. */
    public static final Duration TIMEOUT = Duration.ofSeconds(2);

    /** The name of the connections of {@link #command}. */
    static final String FIXTURE = "fixture";

    private static final ServerChoice CHOICE = new ServerChoice("redis-server", () -> ShippedServer.isExecutable());
    private static final String IMAGE = "redis:7.2-alpine";
    private static final String IMAGES_FOLDER = "/data";

    /** The file that a server reads first, in its working directory. */
    private static final String CONFIGURATION = "server.conf";

    private final String password;

    private RedisServer(ServerRun run, int port, String password) {
        super(run, port);
        this.password = password;
    }

    /** See {@link ServerChoice#preferProcesses()}. */
    public static void preferProcesses() {
        CHOICE.preferProcesses();
    }

    /** Starts one with no setting but those that keep it on loopback and off the disk. */
    public static RedisServer start() {
        return builder().start();
    }

    public static Builder builder() {
        return new Builder();
    }

    public HostAndPort hostAndPort() {
        return new HostAndPort(LOOPBACK, port());
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

    /** What it has logged, of every start. */
    public String log() {
        return run.log();
    }

    private static DefaultJedisClientConfig.Builder config(String password) {
        return DefaultJedisClientConfig.builder()
                .timeoutMillis((int) TIMEOUT.toMillis())
                .password(password);
    }

    /** Whether it has loaded its files, and is not another that took the port a moment before. */
    @Override
    protected boolean answers() {
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

    @Override
    protected String product() {
        String valkey = info("server", "valkey_version");
        return valkey.isEmpty() ? "Redis " + info("server", "redis_version") : "Valkey " + valkey;
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
            ServerKind kind = CHOICE.kind();
            return onFreePort(kind, port -> new RedisServer(run(kind, port), port, password));
        }

        private ServerRun run(ServerKind kind, int port) {
            Map<String, String> files = Map.of(CONFIGURATION, configuration(port));
            return switch (kind) {
                case DOCKER -> new ServerContainer(IMAGE, command("redis-server"), IMAGES_FOLDER, files, Map.of());
                case LOCAL -> new ServerProcess(command(CHOICE.local().toString()), files, Map.of());
                case EMBEDDED ->
                    new ServerProcess(command(ShippedServer.binary().toString()), files, Map.of());
            };
        }

        private List<String> command(String binary) {
            return Stream.concat(Stream.of(binary, CONFIGURATION), arguments.stream())
                    .toList();
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
