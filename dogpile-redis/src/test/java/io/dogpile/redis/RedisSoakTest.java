package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.CreationException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.resps.ScanResult;

/** Much of everything at once, on two nodes: whatever happens, nothing is left that does not end by itself. */
class RedisSoakTest {
    private static final int KEYS = 10_000;
    private static final int HOT_KEYS = 20;
    private static final int THREADS_OF_EACH_NODE = 12;
    private static final int CALLS = 15_000;
    private static final String REGION = "soak";
    private static final String GENERATION = "dogpile:" + REGION + "~generation";

    private final AtomicInteger callsLeft = new AtomicInteger(CALLS);
    private final LongAdder thrown = new LongAdder();
    private final LongAdder created = new LongAdder();

    @Test
    void manyKeysThreadsFailuresAndInvalidations_nothingIsLeftWithoutEnd_andNoRightAndNobodyNoted() throws Exception {
        try (RedisServer server = RedisServer.start();
                RedisClient client = server.client()) {
            try (RedisBackend first = backend(server);
                    RedisBackend second = backend(server);
                    Region<String, String> here = region(first);
                    Region<String, String> there = region(second)) {
                soak(List.of(here, there));

                Await.until(
                        () -> "rights or inboxes are left: " + rightsAndInboxes(client),
                        () -> rightsAndInboxes(client).isEmpty());
            }
            assertThat(thrown.sum()).as("creators that threw").isPositive();
            assertThat(created.sum()).as("values created").isGreaterThan(KEYS / 2);
            assertThat(keys(client)).hasSizeGreaterThan(KEYS / 2);
            assertThat(keys(client).stream().filter(key -> client.pttl(key) == -1))
                    .containsExactly(GENERATION);
            assertThat(rightsAndInboxes(client)).isEmpty();
        }
    }

    private static RedisBackend backend(RedisServer server) {
        return RedisBackend.builder().server("127.0.0.1", server.port()).build();
    }

    private static Region<String, String> region(RedisBackend backend) {
        return Region.builder(REGION, String.class, String.class)
                .backend(backend)
                .serializer(Serializer.string())
                .staleAfter(Duration.ofMillis(100))
                .expireAfter(Duration.ofMinutes(5))
                .failureBackoff(2, Duration.ofMillis(1), Duration.ofMillis(5))
                .build();
    }

    private void soak(List<Region<String, String>> nodes) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(nodes.size() * THREADS_OF_EACH_NODE);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < nodes.size() * THREADS_OF_EACH_NODE; i++) {
                Region<String, String> node = nodes.get(i % nodes.size());
                SplittableRandom random = new SplittableRandom(i);
                running.add(threads.submit(() -> calls(node, random)));
            }
            for (Future<?> one : running) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private void calls(Region<String, String> node, SplittableRandom random) {
        for (int left = callsLeft.getAndDecrement(); left > 0; left = callsLeft.getAndDecrement()) {
            String key = "k" + (random.nextInt(4) == 0 ? random.nextInt(HOT_KEYS) : left % KEYS);
            switch (random.nextInt(100)) {
                case 0, 1, 2 -> node.invalidate(key, Invalidation.SOFT);
                case 3, 4, 5 -> node.invalidate(key);
                case 6, 7 -> node.put(key, key + " put");
                case 8, 9, 10 -> caught(() -> node.refresh(key, name -> create(name, random)));
                case 11 ->
                    caught(() -> String.join(
                            ",",
                            node.getOrCreateAll(List.of(key, key + "b", "k1"), missing -> {
                                        ConcurrentHashMap<String, String> all = new ConcurrentHashMap<>();
                                        missing.forEach(name -> all.put(name, name + " together"));
                                        return all;
                                    })
                                    .values()));
                default -> {
                    String value = caught(() -> node.getOrCreate(key, name -> create(name, random)));
                    if (value != null) {
                        assertThat(value).startsWith(key + " ");
                    }
                }
            }
            if (left % (CALLS / 10) == 0) {
                node.invalidateAll(left % (CALLS / 5) == 0 ? Invalidation.HARD : Invalidation.SOFT);
            }
        }
    }

    private String create(String key, SplittableRandom random) {
        if (random.nextInt(20) == 0) {
            thrown.increment();
            throw new IllegalStateException("as the soak wants it");
        }
        created.increment();
        return key + " created";
    }

    private interface Called {
        String call();
    }

    /** The value, or null if its creation failed or backs off. */
    private static String caught(Called call) {
        try {
            return call.call();
        } catch (CreationException | IllegalStateException failed) {
            return null;
        }
    }

    private static TreeSet<String> rightsAndInboxes(RedisClient client) {
        TreeSet<String> left = new TreeSet<>();
        for (String key : keys(client)) {
            if (!key.equals(GENERATION)) {
                List<String> fields = client.hmget(key, "l", "w");
                if (fields.get(0) != null || fields.get(1) != null) {
                    left.add(key + " " + fields);
                }
            }
        }
        return left;
    }

    private static TreeSet<String> keys(RedisClient client) {
        TreeSet<String> keys = new TreeSet<>();
        String cursor = ScanParams.SCAN_POINTER_START;
        do {
            ScanResult<String> some = client.scan(cursor, new ScanParams().count(1_000));
            keys.addAll(some.getResult());
            cursor = some.getCursor();
        } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
        return keys;
    }
}
