package io.dogpile.redis;

import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.commons.pool2.impl.GenericObjectPool;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.BinaryJedisPubSub;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPool;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.exceptions.JedisRedirectionException;
import redis.clients.jedis.util.Pool;

/**
 * The only caller of the client: sends commands alone or many together, knows scripts that the server has forgotten, and
 * tries once more where a connection was broken by a restart.
 *
 * <p>Whatever is sent may be sent twice; so all of it does its work once, or may be done twice. A time-out is not tried
 * again, since the caller has waited enough: what was sent may have been done.
 */
final class Server implements AutoCloseable {
    /** Said of what cannot be read. */
    static final String ANOTHER_PROGRAM = "no server answers this; is it another program's?";

    private static final int MOST_TOGETHER = 256;

    private final UnifiedJedis client;
    private final Owner owner;
    private final Health health;
    private final Map<RedisScript, RedisScript.Sent> scripts = new EnumMap<>(RedisScript.class);

    /** Who closes the client. */
    enum Owner {
        THIS,
        USER
    }

    Server(UnifiedJedis client, Owner owner, Health health, UnaryOperator<String> edited) {
        this.client = Objects.requireNonNull(client, "client");
        this.owner = owner;
        this.health = health;
        for (RedisScript script : RedisScript.values()) {
            scripts.put(script, RedisScript.Sent.of(edited.apply(script.text())));
        }
    }

    /** Something to send. */
    interface Command {
        @Nullable
        Object alone(UnifiedJedis client);

        Response<?> among(AbstractPipeline others);

        /** Whether this can be its reply. */
        default boolean fits(@Nullable Object reply) {
            return true;
        }
    }

    /** What came of one command among others. */
    record Answer(@Nullable Object reply, @Nullable JedisException failure) {
        @Nullable
        Object orThrow() {
            if (failure != null) {
                throw failure;
            }
            return reply;
        }

        /** The reply of a script, which is never null. */
        List<?> list() {
            return (List<?>) Objects.requireNonNull(orThrow());
        }
    }

    /** Whether keys may lie on different nodes, so that a script may use one key only. */
    boolean isCluster() {
        return !(client instanceof RedisClient || client instanceof RedisSentinelClient);
    }

    Command hmget(byte[] key, byte[]... fields) {
        return new Hmget(key, fields);
    }

    Command get(byte[] key) {
        return new Get(key);
    }

    Command publish(byte[] channel, byte[] message) {
        return new Publish(channel, message);
    }

    Command script(RedisScript which, List<byte[]> keys, List<byte[]> arguments) {
        return new Script(which, Objects.requireNonNull(scripts.get(which)), keys, arguments);
    }

    @SuppressWarnings("ArrayRecordComponent") // sent, never compared
    private record Hmget(byte[] key, byte[][] fields) implements Command {
        @Override
        public Object alone(UnifiedJedis client) {
            return client.hmget(key, fields);
        }

        @Override
        public Response<?> among(AbstractPipeline others) {
            return others.hmget(key, fields);
        }

        @Override
        public boolean fits(@Nullable Object reply) {
            if (!(reply instanceof List<?> values) || values.size() != fields.length) {
                return false;
            }
            for (Object value : values) { // on the way of each hit, of which a stream would be a fifth
                if (value != null && !(value instanceof byte[])) {
                    return false;
                }
            }
            return true;
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // sent, never compared
    private record Get(byte[] key) implements Command {
        @Override
        public @Nullable Object alone(UnifiedJedis client) {
            return client.get(key);
        }

        @Override
        public Response<?> among(AbstractPipeline others) {
            return others.get(key);
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // sent, never compared
    private record Publish(byte[] channel, byte[] message) implements Command {
        @Override
        public Object alone(UnifiedJedis client) {
            return client.publish(channel, message);
        }

        @Override
        public Response<?> among(AbstractPipeline others) {
            return others.publish(channel, message);
        }
    }

    private record Script(RedisScript which, RedisScript.Sent sent, List<byte[]> keys, List<byte[]> arguments)
            implements Command {
        @Override
        public Object alone(UnifiedJedis client) {
            try {
                return client.evalsha(sent.hash(), keys, arguments);
            } catch (JedisNoScriptException forgotten) {
                return client.eval(sent.text(), keys, arguments);
            }
        }

        @Override
        public Response<?> among(AbstractPipeline others) {
            return others.evalsha(sent.hash(), keys, arguments);
        }

        @Override
        public boolean fits(@Nullable Object reply) {
            return which.gives(reply);
        }
    }

    /** Sends a command and returns its reply. */
    @Nullable
    Object send(Command command) {
        try {
            Object reply = sendOrRetry(command);
            health.answered();
            return reply;
        } catch (JedisException failure) {
            throw health.failed(failure);
        }
    }

    List<?> sendScript(RedisScript which, List<byte[]> keys, List<byte[]> arguments) {
        return (List<?>) Objects.requireNonNull(send(script(which, keys, arguments)));
    }

    private @Nullable Object sendOrRetry(Command command) {
        try {
            return reply(command, () -> command.alone(client));
        } catch (JedisConnectionException broken) {
            if (isTimeout(broken) || !dropIdle()) {
                throw broken;
            }
            return reply(command, () -> command.alone(client));
        }
    }

    private @Nullable Object reply(Command command, Supplier<@Nullable Object> asked) {
        Object reply = readable(asked);
        if (!command.fits(reply)) {
            dropIdle();
            throw new JedisConnectionException("no server answers this to such a command; is it another program's?");
        }
        return reply;
    }

    /**
     * What no server says counts as a broken connection. The client would go on with it, though it may be out of step there, and
     * the next reply be that to an earlier command: so it goes.
     */
    private <T> T readable(Supplier<T> asked) {
        try {
            return asked.get();
        } catch (JedisDataException refusal) {
            if (isOfNoKind(refusal)) {
                dropIdle();
            }
            throw refusal;
        } catch (JedisException known) {
            throw known;
        } catch (RuntimeException
                | StackOverflowError
                | OutOfMemoryError unreadable) { // a claim of a huge length is the last
            dropIdle();
            throw new JedisConnectionException(ANOTHER_PROGRAM, unreadable);
        }
    }

    /** A plain error, and none of those that are expected: it may be the reply to an earlier command. */
    private static boolean isOfNoKind(JedisDataException refusal) {
        String text = refusal.getMessage();
        return text == null || text.startsWith("ERR ");
    }

    /**
     * Sends many together, in one round trip for each node.
     *
     * @return what came of each; some may have failed
     * @throws JedisException if it is not known what came of any
     */
    List<Answer> sendAll(List<Command> commands) {
        List<Answer> answers = new ArrayList<>(commands.size());
        for (int from = 0; from < commands.size(); from += MOST_TOGETHER) {
            answers.addAll(sendTogether(commands.subList(from, Math.min(commands.size(), from + MOST_TOGETHER))));
        }
        return answers;
    }

    private List<Answer> sendTogether(List<Command> commands) {
        if (commands.size() == 1) {
            return List.of(answerOf(commands.get(0)));
        }
        List<Response<?>> responses;
        try {
            responses = pipelined(commands);
        } catch (JedisConnectionException broken) {
            if (isTimeout(broken) || !dropIdle()) {
                throw health.failed(broken);
            }
            responses = pipelined(commands);
        } catch (JedisException failure) {
            throw health.failed(failure);
        }
        List<Answer> answers = new ArrayList<>(commands.size());
        for (int i = 0; i < commands.size(); i++) {
            answers.add(answerOf(commands.get(i), responses.get(i)));
        }
        return answers;
    }

    private List<Response<?>> pipelined(List<Command> commands) {
        List<Response<?>> responses = new ArrayList<>(commands.size());
        try (AbstractPipeline pipeline = client.pipelined()) {
            commands.forEach(command -> responses.add(command.among(pipeline)));
            readable(() -> {
                pipeline.sync();
                return pipeline;
            });
        }
        return responses;
    }

    /** One whose script is not known there, whose key has moved, or whose node was lost, is sent again by itself. */
    private Answer answerOf(Command command, Response<?> response) {
        try {
            Object reply = reply(command, response::get);
            health.answered();
            return new Answer(reply, null);
        } catch (JedisNoScriptException | JedisRedirectionException | JedisConnectionException again) {
            return answerOf(command);
        } catch (JedisException failure) {
            return new Answer(null, health.failed(failure));
        } catch (IllegalStateException noReply) { // of a node that did not answer while others did
            return answerOf(command);
        }
    }

    private Answer answerOf(Command command) {
        try {
            return new Answer(send(command), null);
        } catch (JedisException failure) {
            return new Answer(null, failure);
        }
    }

    /** A time-out, or no connection at all; a new connection would not help. */
    private static boolean isTimeout(JedisConnectionException failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SocketTimeoutException || cause instanceof ConnectException) {
                return true;
            }
        }
        return false;
    }

    /** After a restart all idle connections are broken, and each would cost a try. Returns false if they are not known. */
    private boolean dropIdle() {
        Pool<Connection> pool = pool();
        if (pool == null) {
            return false;
        }
        pool.clear();
        return true;
    }

    private @Nullable Pool<Connection> pool() {
        if (client instanceof RedisClient single) {
            return single.getPool();
        }
        if (client instanceof RedisSentinelClient sentinel) {
            return sentinel.getPrimaryNodesConnectionMap().values().stream()
                    .findFirst()
                    .orElse(null);
        }
        return null; // the client of a cluster tries again by itself
    }

    /**
     * Subscribes on a connection of its own, beside the user's pool, and returns when that ends.
     *
     * @param opened told how to break the connection off, before anything is sent on it
     * @throws Exception whatever ended it
     */
    void subscribe(BinaryJedisPubSub subscriber, Opened opened, byte[]... channels) throws Exception {
        try {
            subscribed(subscriber, opened, channels);
        } catch (JedisDataException refused) {
            throw health.failed(refused); // else nobody knew why all who wait poll
        } catch (JedisException broken) {
            throw Health.withoutArguments(broken);
        }
    }

    private void subscribed(BinaryJedisPubSub subscriber, Opened opened, byte[]... channels) throws Exception {
        GenericObjectPool<Connection> pool = anyPool();
        if (pool == null) {
            opened.with(subscriber::unsubscribe);
            client.subscribe(subscriber, channels); // another kind of client: on a connection of its pool
            return;
        }
        try (Connection connection = pool.getFactory().makeObject().getObject()) {
            opened.with(connection::forceDisconnect);
            connection.setTimeoutInfinite();
            subscriber.proceed(connection, channels);
        }
    }

    /** Takes what breaks a connection off. */
    interface Opened {
        /** What breaks a connection off. */
        interface Break {
            void off() throws Exception;
        }

        void with(Break connection);
    }

    private @Nullable GenericObjectPool<Connection> anyPool() {
        if (client instanceof RedisClusterClient cluster) {
            List<ConnectionPool> nodes = List.copyOf(cluster.getClusterNodes().values());
            // Any node hears all messages; another one each time, since one of them may be down.
            return nodes.isEmpty()
                    ? null
                    : nodes.get(ThreadLocalRandom.current().nextInt(nodes.size()));
        }
        return pool();
    }

    @Override
    public void close() {
        if (owner == Owner.THIS) {
            health.close();
            client.close();
        }
    }
}
