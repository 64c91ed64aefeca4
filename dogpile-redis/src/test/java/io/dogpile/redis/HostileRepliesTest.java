package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.DogpileException;
import io.dogpile.core.GarblingNetwork;
import io.dogpile.core.WhenDown;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** A server that answers garbage, whatever it is: a failure of the store, and nothing worse. */
@Timeout(60)
class HostileRepliesTest {
    /** Where some answers never come, or never end. */
    private static final Duration TIMEOUT = Duration.ofMillis(250);

    /** Where all come, if the server's machine has time for it. */
    private static final Duration PATIENT = Duration.ofSeconds(2);

    private static final int KEYS = 20;

    private final Nodes nodes = new Nodes();
    private final String name = "replies-" + UUID.randomUUID();

    @AfterEach
    void end() throws Exception {
        nodes.end();
    }

    private Region<String, String> region(int port, WhenDown policy) {
        return region(
                nodes.node(RedisBackend.builder()
                        .server("127.0.0.1", port)
                        .timeout(TIMEOUT)
                        .pool(4, TIMEOUT)),
                policy);
    }

    private Region<String, String> region(RedisBackend backend, WhenDown policy) {
        return Region.<String, String>builder(name)
                .backend(backend)
                .serializer(Serializer.string())
                .staleAfter(Duration.ofHours(1))
                .hardTimeout(Duration.ofMillis(500))
                .whenDown(policy)
                .recordStats()
                .build();
    }

    static Stream<String> garbage() {
        return Stream.of(
                "\0",
                "\r\n",
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
                "-\r\n",
                "-ERR \r\n",
                "-NOSCRIPT No matching script\r\n",
                "-MOVED 1 127.0.0.1:1\r\n",
                "-MOVED x\r\n",
                "+OK\r\n",
                "+QUEUED\r\n",
                ":1\r\n",
                ":x\r\n",
                ":99999999999999999999\r\n",
                "$-1\r\n",
                "$-7\r\n",
                "$x\r\n",
                "$5\r\nab\r\n",
                "$3\r\nabc\r\n",
                "*-1\r\n",
                "*-9\r\n",
                "*0\r\n",
                "*x\r\n",
                "*1\r\n:1\r\n",
                "*3\r\n$-1\r\n$-1\r\n:7\r\n",
                "*7\r\n:0\r\n:0\r\n+a\r\n+b\r\n:0\r\n+c\r\n",
                "*2\r\n:9223372036854775807\r\n$1\r\nx\r\n",
                "%1\r\n+a\r\n+b\r\n",
                "_\r\n",
                "#t\r\n",
                ",nan\r\n",
                ">3\r\n+message\r\n+a\r\n+b\r\n");
    }

    @ParameterizedTest
    @MethodSource("garbage")
    void garbage_isAFailureOfTheStore_soThatTheCallerCreates(String always) throws Exception {
        GarblingNetwork network = nodes.closing(GarblingNetwork.answering(always.getBytes(UTF_8)));
        Region<String, String> region = region(network.port(), WhenDown.CREATE);
        Region<String, String> strict = region(network.port(), WhenDown.FAIL);

        assertThatThrownBy(() -> strict.getOrCreate("key", () -> "created")).isInstanceOf(DogpileException.class);
        assertThatThrownBy(() -> strict.get("key")).isInstanceOf(DogpileException.class);
        assertThat(region.getOrCreate("key", () -> "created")).isEqualTo("created");
    }

    static Stream<String> whatNoMemoryHolds() {
        return Stream.of("$2147483647\r\n", "*1\r\n".repeat(20_000));
    }

    @ParameterizedTest
    @MethodSource("whatNoMemoryHolds")
    void lengthsAndNestingsThatNoMemoryHolds_areAFailureOfTheStore(String always) throws Exception {
        GarblingNetwork lies = nodes.closing(GarblingNetwork.answering(always.getBytes(UTF_8)));
        Region<String, String> strict = region(lies.port(), WhenDown.FAIL);

        assertThatThrownBy(() -> strict.get("key")).isInstanceOf(DogpileException.class);
        assertThat(region(lies.port(), WhenDown.CREATE).getOrCreate("key", () -> "created"))
                .isEqualTo("created");
    }

    /**
     * Other texts and other numbers in the same frame. Frames are left: the client takes so much memory as a length says, and
     * that is not promised to be bounded.
     */
    private static byte[] damaged(byte[] reply, SplittableRandom random) {
        byte[] mutant = reply.clone();
        int at = 0;
        while (at < reply.length) {
            int end = at;
            while (end < reply.length && reply[end] != '\r') {
                end++;
            }
            if (reply[at] == '$') {
                int length = Integer.parseInt(new String(reply, at + 1, end - at - 1, UTF_8));
                int from = end + 2;
                for (int left = random.nextInt(4); left > 0 && length > 0 && from + length <= reply.length; left--) {
                    mutant[from + random.nextInt(length)] ^= (byte) (1 << random.nextInt(8));
                }
                end = length < 0 ? end : from + length;
            } else if (reply[at] == ':' && random.nextInt(4) == 0) {
                mutant[end - 1] = (byte) ('0' + random.nextInt(10));
            }
            at = end + 2;
        }
        return mutant;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void repliesThatAreDamagedOnTheirWay_areNeverAnotherKeysValue_andAllIsWellAfterwards(long seed) throws Exception {
        RedisServer server = nodes.closing(RedisServer.start());
        GarblingNetwork network = nodes.closing(GarblingNetwork.before(server.port()));
        RedisBackend behind = nodes.node(RedisBackend.builder()
                .server("127.0.0.1", network.port())
                .timeout(PATIENT)
                .pool(4, PATIENT));
        Inbox inbox = behind.node().inbox();
        Await.until("the inbox is live", inbox::isLive);
        Region<String, String> region = region(behind, WhenDown.FAIL);
        Map<String, String> all = IntStream.range(0, KEYS)
                .boxed()
                .collect(Collectors.toMap(number -> "key" + number, number -> "value of key" + number));
        region.putAll(all);

        Random random = new Random(seed);
        network.garble(
                reply -> random.nextInt(3) == 0 ? damaged(reply, new SplittableRandom(random.nextLong())) : reply);
        for (int i = 0; i < 100; i++) {
            String key = "key" + i % KEYS;
            try {
                region.get(key).ifPresent(value -> assertThat(value).isEqualTo("value of " + key));
                region.getAll(Arrays.asList(key, "key0", "other"))
                        .forEach((of, value) -> assertThat(value).isEqualTo("value of " + of));
                assertThat(region.getOrCreate(key, () -> "value of " + key)).isEqualTo("value of " + key);
                if (i % 10 == 0) {
                    region.invalidate(key);
                }
            } catch (DogpileException down) {
                // as it should be, where an answer cannot be read
            }
        }

        network.heal();
        Await.until("the inbox is live again", inbox::isLive);
        for (String key : all.keySet()) {
            Await.until(() -> "a right that was taken meanwhile ends", () -> {
                try {
                    region.put(key, all.get(key));
                    return true;
                } catch (DogpileException brokenByTheHealing) {
                    return false;
                }
            });
        }
        long failures = region.stats().storeFailures();
        assertThat(region.getAll(all.keySet())).isEqualTo(all);
        all.forEach((key, value) -> assertThat(region.get(key)).contains(value));
        assertThat(region.stats().storeFailures()).isEqualTo(failures);
    }

    /** Nothing else would tell that all who wait here have to look by themselves. */
    @Test
    void subscriptionsThatAreAnsweredByNothing_areLoggedOnce_andAllIsWellAfterwards() throws Exception {
        RedisServer server = nodes.closing(RedisServer.start());
        GarblingNetwork network = nodes.closing(GarblingNetwork.before(server.port()));
        AtomicInteger answered = new AtomicInteger();
        network.garble(reply -> {
            boolean toSubscribe = new String(reply, ISO_8859_1).contains("\r\nsubscribe\r\n");
            if (toSubscribe) {
                answered.incrementAndGet();
            }
            return toSubscribe ? "_\r\n".getBytes(ISO_8859_1) : reply;
        });
        try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO)) {
            Inbox inbox = nodes.node(RedisBackend.builder().server("127.0.0.1", network.port()))
                    .node()
                    .inbox();
            Await.until("it subscribes for the third time", () -> answered.get() >= 3);
            network.heal();
            Await.until("the inbox is live", inbox::isLive);
            assertThat(log.lines()).singleElement().asString().contains("ERROR", inbox.toString(), "subscribing anew");
        }
    }

    @Test
    void aReplyThatCannotBeRead_leavesNoneBehindIt_thatTheNextWouldTakeForItsOwn() throws Exception {
        RedisServer server = nodes.closing(RedisServer.start());
        GarblingNetwork network = nodes.closing(GarblingNetwork.before(server.port()));
        RedisBackend behind = nodes.node(RedisBackend.builder()
                .server("127.0.0.1", network.port())
                .timeout(PATIENT)
                .pool(4, PATIENT));
        Region<String, String> region = region(behind, WhenDown.FAIL);
        for (int i = 0; i < KEYS; i++) {
            region.put("key" + i, "value of key" + i);
        }

        AtomicInteger replies = new AtomicInteger();
        network.garble(reply -> replies.incrementAndGet() % 3 == 0
                ? ("+what?\r\n" + new String(reply, ISO_8859_1)).getBytes(ISO_8859_1)
                : reply);
        int read = 0;
        for (int i = 0; i < 100; i++) {
            String key = "key" + i % KEYS;
            try {
                assertThat(region.get(key)).contains("value of " + key);
                read++;
            } catch (DogpileException down) {
                // as it should be, where an answer cannot be read
            }
        }

        assertThat(read).isBetween(1, 99);
        assertThat(region.stats().corruptEntries()).isZero();
    }
}
