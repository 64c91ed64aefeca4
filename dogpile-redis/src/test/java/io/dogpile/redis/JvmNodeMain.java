package io.dogpile.redis;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.Creation;
import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import redis.clients.jedis.RedisClient;

/** What runs in the JVM of a {@link JvmNode}, which says what the lines mean. */
final class JvmNodeMain {
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final Duration LONGEST_CREATION = Duration.ofSeconds(20);
    private static final Duration LOCK_LEASE = Duration.ofSeconds(10);

    private final String node;
    private final int port;
    private final Region<String, String> region;
    private final LockProvider locks;
    private final PrintStream out;

    private JvmNodeMain(String node, int port, Region<String, String> region, LockProvider locks, PrintStream out) {
        this.node = node;
        this.port = port;
        this.region = region;
        this.locks = locks;
        this.out = out;
    }

    /** Arguments: name of the node, port, name of the region, and its settings as name=value. */
    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        int port = Integer.parseInt(arguments[1]);
        Map<String, String> settings = new HashMap<>();
        for (int i = 3; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            settings.put("region." + arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
        }
        try (RedisBackend backend =
                        RedisBackend.builder().server("127.0.0.1", port).build();
                Region<String, String> region = Region.<String, String>builder(arguments[2])
                        .backend(backend)
                        .serializer(Serializer.string())
                        .from(settings, "region.")
                        .build()) {
            JvmNodeMain main = new JvmNodeMain(arguments[0], port, region, backend.locks(), out);
            Await.until("the inbox is live", backend.node().inbox()::isLive);
            main.say("ready");
            main.obey(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        }
        System.exit(0); // threads may still wait for a creation
    }

    private void obey(BufferedReader in) throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            switch (words[0]) {
                case "get" -> get(words);
                case "count" -> start(() -> count(words));
                default -> say("unknown " + line);
            }
        }
    }

    private void get(String[] words) {
        String call = words[1];
        String key = words[2];
        int threads = Integer.parseInt(words[3]);
        JvmNode.Creator creator = JvmNode.Creator.valueOf(words[4]);
        long millis = Long.parseLong(words[5]);
        for (int thread = 0; thread < threads; thread++) {
            start(() -> {
                try {
                    String value = region.getOrCreate(key, () -> create(key, creator, millis));
                    say("got", call, now(), value);
                } catch (RuntimeException failed) {
                    say("failed", call, now(), failed.toString().replaceAll("\\s+", " "));
                }
            });
        }
    }

    private String create(String key, JvmNode.Creator creator, long millis) {
        Creation creation = Creation.current().orElseThrow();
        long fence = creation.fencingToken();
        say("creating", key, Long.toString(fence), now());
        long begun = System.nanoTime();
        long until = (creator == JvmNode.Creator.UNTIL_LOST ? LONGEST_CREATION : Duration.ofMillis(millis)).toNanos();
        while (System.nanoTime() - begun < until
                && !(creator == JvmNode.Creator.UNTIL_LOST && creation.isLeaseLost())) {
            LockSupport.parkNanos(POLL_NANOS);
        }
        say("created", key, Long.toString(fence), now(), Boolean.toString(creation.isLeaseLost()));
        if (creator == JvmNode.Creator.FAILS) {
            throw new IllegalStateException("the creator of " + node + " fails");
        }
        return node + '@' + fence;
    }

    /** Adds one at a time to what a key holds, in two steps that only the lock keeps together. */
    private void count(String[] words) {
        String lock = words[2];
        String counter = words[3];
        try (RedisClient client = RedisClient.create("127.0.0.1", port)) {
            for (int left = Integer.parseInt(words[4]); left > 0; ) {
                Optional<Lease> granted = locks.tryAcquire(lock, LOCK_LEASE);
                if (granted.isEmpty()) {
                    LockSupport.parkNanos(POLL_NANOS / 10);
                    continue;
                }
                Lease held = granted.get();
                try {
                    String before = client.get(counter);
                    client.set(counter, Long.toString((before == null ? 0 : Long.parseLong(before)) + 1));
                    left--;
                } finally {
                    held.close();
                }
            }
            say("got", words[1], now(), "counted");
        } catch (RuntimeException failed) {
            say("failed", words[1], now(), failed.toString().replaceAll("\\s+", " "));
        }
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "told");
        thread.setDaemon(true);
        thread.start();
    }

    private void say(String... words) {
        out.println(String.join(" ", words));
    }

    /** In microseconds of the machine's clock, which all its processes have in common. */
    private static String now() {
        return Long.toString(ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));
    }
}
