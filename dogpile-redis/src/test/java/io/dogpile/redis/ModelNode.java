package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.testing.FakeTime;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.args.Rawable;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.executors.CommandExecutor;
import redis.clients.jedis.providers.PooledConnectionProvider;

/**
 * A node of a test, before a {@linkplain ScriptModel model} of the server: real from the partition down to the client's
 * commands, without a thread, a socket and a timer. What it would do behind is done when the test says so. For one thread.
 */
final class ModelNode implements Chores {
    static final Names NAMES = new Names("model:");
    static final String REGION = "region";
    static final Duration LEASE = Duration.ofSeconds(5);
    static final Opening.Backoff BACKOFF = new Opening.Backoff(1, Duration.ofSeconds(1), Duration.ofSeconds(8));
    static final int PUSH_MAX = 400;

    /** One server, and the time. */
    static final class World {
        private static final long START_MICROS = 1_795_308_321_787_000L;

        final FakeTime time = new FakeTime();
        final ScriptModel server = new ScriptModel(this::micros, this::published);
        private final List<ModelNode> nodes = new ArrayList<>();
        private Duration ahead = Duration.ZERO;

        private long micros() {
            return START_MICROS + (time.nanos() + ahead.toNanos()) / 1_000;
        }

        long millis() {
            return micros() / 1_000;
        }

        /** Time passes. */
        void pass(Duration by) {
            time.advance(by);
        }

        /** Time passes, but not on the server. */
        void passButOnServer(Duration by) {
            time.advance(by);
            setServerClock(by.negated());
        }

        void setServerClock(Duration by) {
            ahead = ahead.plus(by);
        }

        private void published(ScriptModel.Message message) {
            for (ModelNode node : List.copyOf(nodes)) {
                node.hears(message.channel(), message.text().getBytes(ISO_8859_1));
            }
        }
    }

    /** What becomes of the next commands. */
    enum Way {
        GOOD,
        /** The server does not get them. */
        REQUEST_LOST,
        /** The server does them. */
        REPLY_LOST
    }

    private final World world;
    private final Serializer<String> serializer;
    final RedisNode node;
    final RedisPartition<String> partition;
    final List<Runnable> behind = new ArrayList<>();
    final List<Runnable> eachSecond = new ArrayList<>();
    int commands;
    Way way = Way.GOOD;
    private Inbox.Subscription subscription;

    ModelNode(World world, String id) {
        this(world, id, Serializer.string());
    }

    ModelNode(World world, String id, Serializer<String> serializer) {
        this(world, id, serializer, RedisNode.Reads.BOUNDED);
    }

    ModelNode(World world, String id, Serializer<String> serializer, RedisNode.Reads reads) {
        this.world = world;
        this.serializer = serializer;
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setJmxEnabled(false);
        pool.setTimeBetweenEvictionRuns(Duration.ofMillis(-1));
        RedisClient client = RedisClient.builder()
                .connectionProvider(new Connections(pool))
                .commandExecutor(new Wire())
                .build();
        Server server = new Server(client, Server.Owner.USER, new Health("of a test"), UnaryOperator.identity());
        this.node = new RedisNode(server, NAMES, PUSH_MAX, reads, new Nonces(id), this);
        this.partition = new RedisPartition<>(node, opening(REGION), serializer);
        node.opened(partition);
        world.nodes.add(this);
    }

    /** Another region on the same node. */
    RedisPartition<String> another(String region) {
        RedisPartition<String> another = new RedisPartition<>(node, opening(region), serializer);
        node.opened(another);
        return another;
    }

    private Opening<String> opening(String region) {
        return new Opening<>(
                region,
                Object::toString,
                serializer,
                1 << 16,
                LEASE,
                Duration.ofSeconds(30),
                BACKOFF,
                world.time,
                DogpileListener.NONE);
    }

    /** Its inbox goes live. */
    ModelNode listening() {
        node.start();
        return this;
    }

    void doWhatIsBehind() {
        List<Runnable> all = List.copyOf(behind);
        behind.clear();
        all.forEach(Runnable::run);
    }

    static String record(String key) {
        return NAMES.key(REGION, key);
    }

    // The way of commands

    private Object command(CommandArguments command) {
        commands++;
        if (way == Way.REQUEST_LOST) {
            throw new JedisConnectionException(new SocketTimeoutException("lost by a test"));
        }
        Object reply = reply(command);
        if (way == Way.REPLY_LOST) {
            throw new JedisConnectionException(new SocketTimeoutException("lost by a test"));
        }
        return reply;
    }

    private Object reply(CommandArguments command) {
        List<byte[]> words = new ArrayList<>();
        for (Rawable word : command) {
            words.add(word.getRaw());
        }
        RedisScript script = SimServer.script(command);
        if (script != null) {
            int keys = Integer.parseInt(Texts.of(words.get(2)));
            return world.server.run(script, words.subList(3, 3 + keys), words.subList(3 + keys, words.size()));
        }
        return switch ((Protocol.Command) command.getCommand()) {
            case HMGET ->
                world.server.hmget(words.get(1), words.subList(2, words.size()).toArray(byte[][]::new));
            case GET -> world.server.get(words.get(1));
            default -> throw new AssertionError("no command of these tests: " + command.getCommand());
        };
    }

    private final class Wire implements CommandExecutor {
        @Override
        public <T> T executeCommand(CommandObject<T> command) {
            return command.getBuilder().build(command(command.getArguments()));
        }

        @Override
        public void close() {}
    }

    /** For pipelines, which have a connection of their own. */
    private final class Connections extends PooledConnectionProvider {
        Connections(ConnectionPoolConfig pool) {
            super(
                    new HostAndPort("model", 1),
                    DefaultJedisClientConfig.builder().build(),
                    pool);
        }

        @Override
        public Connection getConnection() {
            return new Pipe();
        }
    }

    private final class Pipe extends Connection {
        private final List<Object> replies = new ArrayList<>();

        @Override
        public void sendCommand(CommandArguments arguments) {
            replies.add(command(arguments));
        }

        @Override
        public List<Object> getMany(int count) {
            return replies;
        }

        @Override
        public void close() {}
    }

    // What it does beside its callers

    private void hears(String channel, byte[] message) {
        if (subscription != null && subscription.acknowledged.contains(channel)) {
            subscription.onMessage(Texts.bytes(channel), message);
        }
    }

    @Override
    public void listen(Inbox inbox) {
        subscription = inbox.connecting();
        List<byte[]> channels = new ArrayList<>(List.of(inbox.channels()));
        Collections.reverse(channels); // its own at last, with which it goes live: then none is asked for anew
        channels.forEach(channel -> subscription.onSubscribe(channel, 1));
    }

    @Override
    public void beat(long millis, Runnable task) {}

    @Override
    public void every(long millis, Runnable task) {
        eachSecond.add(task);
    }

    @Override
    public void later(Runnable task) {
        behind.add(task);
    }

    @Override
    public void close() {}
}
