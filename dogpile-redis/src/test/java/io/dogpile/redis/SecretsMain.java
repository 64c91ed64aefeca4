package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.WhenDown;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;

/**
 * Goes all ways that fail, with a password and values that are easily found, and prints each exception whole. For {@link
 * SecretsTest}, in a process of its own in which each logger says all it can.
 */
final class SecretsMain {
    static final String USER = "marked-user";
    static final String PASSWORD = "PASSWORD-cafe";
    static final String WRONG = "PASSWORD-wrong";
    static final String VALUE = "VALUE-beef";
    static final String KEY = "KEY-feed";
    static final String FAILED = "failed, as it should: ";

    private static final Duration TIMEOUT = Duration.ofMillis(300);

    private SecretsMain() {}

    /** The ports: of a server that knows the user; of one that repeats what it was sent; of one that is not there. */
    public static void main(String[] ports) throws Exception {
        int known = Integer.parseInt(ports[0]);
        int repeating = Integer.parseInt(ports[1]);
        int none = Integer.parseInt(ports[2]);
        misconfigured();
        try (RedisBackend backend = at(known, PASSWORD).build()) {
            well(backend);
            damaged(backend, known);
            refusedByTheCaller(backend);
            System.err.println(backend + " " + backend.locks());
        }
        for (RedisBackend.Builder failing : List.of(at(known, WRONG), at(repeating, PASSWORD), at(none, PASSWORD))) {
            try (RedisBackend backend = failing.build()) {
                all(backend);
            }
        }
        must(() -> RedisBackend.builder()
                .sentinels("master", "127.0.0.1:" + none)
                .sentinelCredentials(USER, PASSWORD)
                .credentials(USER, PASSWORD)
                .timeout(TIMEOUT)
                .build());
        must(() -> RedisBackend.builder()
                .cluster("127.0.0.1:" + none)
                .credentials(USER, PASSWORD)
                .timeout(TIMEOUT)
                .build());
        must(() -> RedisBackend.builder()
                .cluster("127.0.0.1:" + repeating)
                .credentials(USER, PASSWORD)
                .timeout(TIMEOUT)
                .build());
    }

    private static RedisBackend.Builder at(int port, String password) {
        return RedisBackend.builder()
                .server("127.0.0.1", port)
                .credentials(USER, password)
                .timeout(TIMEOUT);
    }

    private static Region<String, String> region(RedisBackend backend, Serializer<String> serializer) {
        return Region.<String, String>builder("secrets")
                .backend(backend)
                .serializer(serializer)
                .staleAfter(Duration.ofHours(1))
                .hardTimeout(Duration.ofSeconds(1))
                .maxValueBytes(1_000)
                .whenDown(WhenDown.FAIL)
                .build();
    }

    private static void misconfigured() {
        for (String url : List.of(
                "redis://" + USER + ':' + PASSWORD + "@",
                "redis://" + USER + ':' + PASSWORD + "@host:port/",
                "http://" + USER + ':' + PASSWORD + "@host/",
                "redis://" + USER + ':' + PASSWORD + "@host/zero",
                "redis://" + USER + ':' + PASSWORD + "@host:99999",
                "redis://" + USER + ':' + PASSWORD + "@host?x=" + PASSWORD,
                "redis://" + USER + ':' + PASSWORD + " @host",
                "redis://:" + PASSWORD + "%zz@host")) {
            must(() -> RedisBackend.builder().url(url).build());
        }
        must(() -> RedisBackend.builder()
                .url("redis://" + USER + ':' + PASSWORD + "@host")
                .cluster("host:1")
                .build());
        must(() -> RedisBackend.builder()
                .client(RedisClient.builder()
                        .hostAndPort(new HostAndPort("127.0.0.1", 1))
                        .clientConfig(DefaultJedisClientConfig.builder()
                                .password(PASSWORD)
                                .build())
                        .build())
                .credentials(USER, PASSWORD)
                .build());
    }

    private static void well(RedisBackend backend) {
        Region<String, String> region = region(backend, Serializer.string());
        region.put(KEY, VALUE);
        region.get(KEY);
        region.getOrCreate("other", () -> VALUE);
        region.putAll(Map.of("a", VALUE, "b", VALUE));
        region.invalidateAll(List.of("a", "b"));
        System.err.println(region + " " + region.peek(KEY).map(Object::toString));
    }

    /** What strangers wrote, and cannot be read. */
    private static void damaged(RedisBackend backend, int port) {
        byte[] record = Nodes.record("secrets", KEY).getBytes(UTF_8);
        Envelope.Stamps stamps = new Envelope.Stamps(1, System.currentTimeMillis(), 0, 0, 0, 0);
        byte[] json = Envelope.of(stamps, 0, 3, VALUE.getBytes(UTF_8)).encode(record, Envelope.Codec.NONE);
        try (RedisClient client = RedisClient.builder()
                .hostAndPort(new HostAndPort("127.0.0.1", port))
                .clientConfig(DefaultJedisClientConfig.builder()
                        .user(USER)
                        .password(PASSWORD)
                        .build())
                .build()) {
            client.hset(record, RedisRecord.VALUE, json);
            region(backend, Serializer.json(String.class)).get(KEY);
            client.hset(record, RedisRecord.VALUE, VALUE.getBytes(UTF_8));
            region(backend, Serializer.string()).get(KEY);
            client.hset(record, RedisRecord.STAMPS, VALUE.getBytes(UTF_8));
            region(backend, Serializer.string()).get(KEY);
            client.del(record);
            client.set(record, VALUE.getBytes(UTF_8));
            all(backend);
            client.del(record);
        }
    }

    /** What a value is too large, or not of the form, for. */
    private static void refusedByTheCaller(RedisBackend backend) {
        tried(() -> {
            region(backend, Serializer.string()).put(KEY, VALUE.repeat(1_000));
            return null;
        });
        tried(() -> region(backend, Serializer.string()).getOrCreate(KEY, () -> VALUE.repeat(1_000)));
    }

    private static void all(RedisBackend backend) {
        Region<String, String> region = region(backend, Serializer.string());
        must(() -> region.get(KEY));
        must(() -> region.getAll(List.of(KEY, "other")));
        must(() -> {
            region.put(KEY, VALUE);
            return null;
        });
        must(() -> {
            region.putAll(Map.of(KEY, VALUE, "other", VALUE));
            return null;
        });
        tried(() -> region.getOrCreate(KEY, () -> VALUE));
        tried(() -> {
            region.invalidate(KEY);
            return null;
        });
        tried(() -> backend.locks().tryAcquire(KEY, TIMEOUT));
    }

    private static void must(Callable<?> failing) {
        try {
            failing.call();
        } catch (Exception expected) {
            System.err.println(FAILED);
            expected.printStackTrace();
            return;
        }
        throw new AssertionError("that should have failed");
    }

    private static void tried(Supplier<?> call) {
        try {
            System.err.println("done, without a failure: " + (call.get() != null));
        } catch (RuntimeException failure) {
            System.err.println(FAILED);
            failure.printStackTrace();
        }
    }
}
