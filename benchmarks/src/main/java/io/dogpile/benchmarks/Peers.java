package io.dogpile.benchmarks;

import com.alicp.jetcache.redis.lettuce.RedisLettuceCacheBuilder;
import com.alicp.jetcache.redis.lettuce.RedisLettuceCacheConfig;
import com.alicp.jetcache.support.Kryo5ValueDecoder;
import com.alicp.jetcache.support.Kryo5ValueEncoder;
import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.memcached.MemcachedBackend;
import io.dogpile.memcached.MemcachedServer;
import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import net.spy.memcached.CachedData;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.transcoders.Transcoder;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.config.Config;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;

/** The clients that are measured, each with room for as many connections as there are threads, on one server of loopback. */
final class Peers {
    static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";
    /** The memcached client writes to the console unless it is told otherwise. */
    static final String MEMCACHED_LOGGER = "net.spy.log.LoggerImpl";

    static final String SLF4J = "net.spy.memcached.compat.log.SLF4JLogger";
    static final String HOST = "127.0.0.1";
    static final int CONNECTIONS = 64;
    static final Duration LIFE = Duration.ofMinutes(10);

    private static final int VALUE_BYTES = 1024;
    private static final Duration WAIT = Duration.ofSeconds(5);

    /** Bytes as they are. */
    static final Transcoder<byte[]> BYTES = new Transcoder<>() {
        @Override
        public boolean asyncDecode(CachedData data) {
            return false;
        }

        @Override
        public CachedData encode(byte[] value) {
            return new CachedData(0, value, CachedData.MAX_SIZE);
        }

        @Override
        public byte[] decode(CachedData data) {
            return data.getData();
        }

        @Override
        public int getMaxSize() {
            return CachedData.MAX_SIZE;
        }
    };

    private Peers() {}

    static byte[] value() {
        byte[] value = new byte[VALUE_BYTES];
        Arrays.fill(value, (byte) 'x');
        return value;
    }

    static DefaultJedisClientConfig.Builder jedisConfig() {
        return DefaultJedisClientConfig.builder().timeoutMillis((int) WAIT.toMillis());
    }

    static ConnectionPoolConfig jedisPool() {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(CONNECTIONS);
        pool.setMaxIdle(CONNECTIONS);
        pool.setMaxWait(WAIT);
        pool.setJmxEnabled(false);
        return pool;
    }

    static RedisClient jedis(int port) {
        JedisClientConfig config = jedisConfig().build();
        return RedisClient.builder()
                .hostAndPort(HOST, port)
                .clientConfig(config)
                .poolConfig(jedisPool())
                .build();
    }

    static RedisBackend backend(int port) {
        return RedisBackend.builder()
                .server(HOST, port)
                .timeout(WAIT)
                .pool(CONNECTIONS, WAIT)
                .build();
    }

    static RegionBuilder<String, byte[]> region(String name, Backend backend) {
        return Region.builder(name, String.class, byte[].class)
                .backend(backend)
                .serializer(Serializer.bytes())
                .staleAfter(LIFE)
                .expireAfter(LIFE);
    }

    static RedissonClient redisson(int port) {
        return Redisson.create(redissonConfig(port));
    }

    private static Config redissonConfig(int port) {
        Config config = new Config();
        config.setCodec(ByteArrayCodec.INSTANCE);
        config.useSingleServer().setAddress("redis://" + HOST + ':' + port).setConnectionPoolSize(CONNECTIONS);
        return config;
    }

    static io.lettuce.core.RedisClient lettuce(int port) {
        return io.lettuce.core.RedisClient.create("redis://" + HOST + ':' + port);
    }

    static RedisLettuceCacheBuilder<?> jetCache(io.lettuce.core.RedisClient client, String prefix) {
        RedisLettuceCacheBuilder<?> builder = RedisLettuceCacheBuilder.createRedisLettuceCacheBuilder();
        RedisLettuceCacheConfig<?, ?> config = (RedisLettuceCacheConfig<?, ?>) builder.getConfig();
        config.setRedisClient(client);
        config.setKeyPrefix(prefix);
        config.setValueEncoder(Kryo5ValueEncoder.INSTANCE);
        config.setValueDecoder(Kryo5ValueDecoder.INSTANCE);
        config.setCachePenetrationProtect(true);
        return builder;
    }

    /** The raw client, of the protocol and the failure mode of ours. */
    static MemcachedClient memcached(int port) throws IOException, InterruptedException {
        MemcachedClient client = new MemcachedClient(
                new ConnectionFactoryBuilder()
                        .setProtocol(ConnectionFactoryBuilder.Protocol.BINARY)
                        .setFailureMode(FailureMode.Cancel)
                        .setDaemon(true)
                        .setOpTimeout(WAIT.toMillis())
                        .build(),
                List.of(new InetSocketAddress(HOST, port)));
        long end = System.nanoTime() + WAIT.toNanos();
        while (!client.getUnavailableServers().isEmpty()) { // what is sent before is cancelled
            if (System.nanoTime() > end) {
                throw new IllegalStateException("no connection to memcached on port " + port);
            }
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return client;
    }

    static MemcachedBackend memcachedBackend(int port) {
        return MemcachedBackend.builder()
                .servers(HOST + ':' + port)
                .timeout(WAIT)
                .build();
    }

    /** A raw get, without the client's serializing. */
    static byte @Nullable [] bytes(MemcachedClient client, String key) {
        return client.get(key, BYTES);
    }

    /** Such as "Redis 7.0.15". */
    static String version(RedisServer server) {
        String info = (String) server.command("INFO", "server");
        return "Redis "
                + info.lines()
                        .filter(line -> line.startsWith("redis_version:"))
                        .map(line -> line.substring(line.indexOf(':') + 1).trim())
                        .findFirst()
                        .orElse("of unknown version");
    }

    /** Such as "memcached 1.6.18". */
    static String version(MemcachedServer server) {
        return server.text("version").replace("VERSION", "memcached");
    }
}
