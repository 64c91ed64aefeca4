package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.DogpileException;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.Mutants;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.Callers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.RedisClient;

/** What strangers write into records and say on channels of a real server: attack by attack, and then at random. */
@Timeout(60)
class HostileRecordsTest {
    private static final Duration PATIENCE = Duration.ofMillis(300);
    private static final Duration TIMEOUT = Duration.ofMillis(500);

    /** Of the forms that cost round trips, one of so many. */
    private static final int FEW = 80;

    private static RedisServer server;
    private static RedisClient client;

    private final Nodes nodes = new Nodes();
    private final Callers callers = new Callers();
    private final String name = "hostile-" + UUID.randomUUID();
    private final String record = Nodes.record(name, "key");
    private RedisBackend backend;
    private Region<String, String> region;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        client = server.client();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    @BeforeEach
    void open() {
        backend = nodes.node(server);
        awaitLive(backend);
        region = region(backend).build();
    }

    @AfterEach
    void end() throws Exception {
        callers.close();
        nodes.end();
    }

    private static void awaitLive(RedisBackend node) {
        Await.until("the inbox is live", () -> node.node().inbox().isLive());
    }

    private RegionBuilder<String, String> region(RedisBackend on) {
        return Region.<String, String>builder(name)
                .backend(on)
                .serializer(Serializer.string())
                .staleAfter(Duration.ofHours(1))
                .hardTimeout(PATIENCE)
                .recordStats();
    }

    // Leases and notes of failures

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x 1 1 9999999999999 9999999999999",
                "x 1 1 9999999999999999 9999999999999999",
                "x 9999999999999999 9999999999999999 9999999999999999 9999999999999999"
            })
    void aLeaseForEver_isWaitedForNoLongerThanAsked_andIsNoFailureOfTheStore(String lease) {
        server.command("HSET", record, "l", lease);

        Throwable failure =
                callers.start(() -> region.getOrCreate("key", () -> "value")).failure();

        assertThat(failure).isInstanceOf(HardTimeoutException.class);
        assertThat(region.stats().storeFailures()).isZero();
        region.invalidate("key");
        assertThat(region.getOrCreate("key", () -> "value")).isEqualTo("value");
    }

    @Test
    void aNoteOfFailures_howeverLong_isOneShortLineInAMessage() {
        String note = "boom\nWARN io.dogpile.redis - forged\u001b[2J".repeat(100_000);
        server.command("HSET", record, "e", "9 " + (System.currentTimeMillis() + 100_000) + " 100000 " + note);

        Throwable failure =
                callers.start(() -> region.getOrCreate("key", () -> "value")).failure();

        assertThat(failure).isInstanceOf(DogpileException.class).hasMessageContaining("boom");
        assertThat(failure.getMessage()).hasSizeLessThan(700).doesNotContain("\n", "\u001b");
    }

    // Generations

    @Test
    void aGenerationThatNoScriptCanCount_whereverItIsSaid_isNone() {
        region.put("key", "value");

        server.command("PUBLISH", "dogpile:~in:*", "G " + name + " 9999999999999999 0");
        server.command("SET", "dogpile:" + name + "~generation", "9999999999999999 9999999999999999");
        Region<String, String> another = region(nodes.node(server)).build();

        assertThat(another.get("key")).contains("value");
        assertThat(region.getOrCreate("new", () -> "1")).isEqualTo("1");
        assertThat(another.getOrCreate("new", () -> "2")).isEqualTo("1");
        another.invalidateAll(Invalidation.HARD);
        assertThat(another.get("key")).isEmpty();
        assertThat(another.getOrCreate("key", () -> "new")).isEqualTo("new");
        assertThat(another.get("key")).contains("new");
        assertThat(another.stats().storeFailures()).isZero();
    }

    @Test
    void aGenerationFarAhead_costsTheValuesThatThereWere_andNothingAfterwards() {
        region.put("key", "old");

        server.command("PUBLISH", "dogpile:~in:*", "G " + name + " 8999999999999000 0");
        Await.until("the value is gone", () -> region.get("key").isEmpty());

        assertThat(region.getOrCreate("key", () -> "new")).isEqualTo("new");
        assertThat(region.get("key")).contains("new");
        region.invalidateAll(Invalidation.HARD);
        assertThat(region.get("key")).isEmpty();
    }

    // Heartbeats

    @ParameterizedTest
    @ValueSource(strings = {"H9223372036854775807", "H1000", "H-9223372036854775808"})
    void aForgedHeartbeat_doesNotHideThatOnesOwnAreLost(String forged) throws Exception {
        try (Proxy network = Proxy.before(server)) {
            RedisBackend behind = nodes.node(network.hostAndPort(), TIMEOUT);
            awaitLive(behind);
            Inbox inbox = behind.node().inbox();
            RedisFaultsTest.beat(inbox);
            CountDownLatch heard = new CountDownLatch(1);
            nodes.closing(inbox.watch("x", change -> heard.countDown()));
            server.command("PUBLISH", "dogpile:~in:" + behind.node().id(), forged);
            server.command("PUBLISH", "dogpile:~in:" + behind.node().id(), "A 1 x");
            assertThat(heard.await(10, TimeUnit.SECONDS)).isTrue();

            network.blackHole();
            Await.until("it is found that the network loses everything", () -> {
                inbox.beat(sending -> {});
                return !inbox.isLive();
            });
            network.heal();
            awaitLive(behind);
        }
    }

    // Objects

    /** What must never be made of bytes that a stranger chose. */
    static final class Gadget implements Serializable {
        private static final long serialVersionUID = 1L;
        static volatile boolean made;

        private void readObject(ObjectInputStream in) {
            made = true;
        }
    }

    private static byte[] gadget() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(new Gadget());
        }
        return bytes.toByteArray();
    }

    private byte[] envelope(int serializer, byte[] payload) {
        Envelope.Stamps stamps = new Envelope.Stamps(1, System.currentTimeMillis(), 0, 0, 0, 0);
        return Envelope.of(stamps, 0, serializer, payload).encode(record.getBytes(UTF_8), Envelope.Codec.NONE);
    }

    private void store(byte[] value) {
        long now = System.currentTimeMillis();
        client.hset(record.getBytes(UTF_8), RedisRecord.VALUE, value);
        client.hset(record.getBytes(UTF_8), RedisRecord.STAMPS, ("1 0 0 0 0 0 " + now).getBytes(UTF_8));
    }

    @Test
    void aStoredObject_bareOrInAnEnvelope_isACountedMiss_andNeverMade() throws Exception {
        Region<String, Serializable> allowing = Region.<String, Serializable>builder(name)
                .backend(backend)
                .serializer(Serializer.jdk(Serializable.class, ObjectInputFilter.Config.createFilter("java.lang.*;!*")))
                .staleAfter(Duration.ofHours(1))
                .recordStats()
                .build();

        store(gadget());
        assertThat(region.get("key")).isEmpty();
        assertThat(allowing.get("key")).isEmpty();
        store(envelope(Serializer.string().id(), gadget()));
        assertThat(region.get("key")).isEmpty();
        store(envelope(2, gadget()));
        assertThat(region.get("key")).isEmpty();
        assertThat(allowing.get("key")).isEmpty();

        assertThat(Gadget.made).isFalse();
        assertThat(region.stats().corruptEntries()).isEqualTo(3);
        assertThat(allowing.stats().corruptEntries()).isEqualTo(2);
        assertThat(allowing.getOrCreate("key", () -> "made")).isEqualTo("made");
        assertThat(allowing.get("key")).contains("made");
    }

    @Test
    void aValueLongerThanAllowed_isACountedMiss_andReplaced() {
        store(envelope(Serializer.string().id(), new byte[(1 << 20) + 1]));

        assertThat(region.get("key")).isEmpty();
        assertThat(region.stats().corruptEntries()).isOne();
        assertThat(region.getOrCreate("key", () -> "new")).isEqualTo("new");
        assertThat(region.get("key")).contains("new");
    }

    // At random

    private Partition<String> partition() {
        return Nodes.partition(
                backend.node(), name, Duration.ofSeconds(5), Duration.ofSeconds(60), TimeSource.system());
    }

    @Test
    void anyRecord_isReadAndClaimedWithoutAnException_andMendedByAnInvalidation() throws Exception {
        Partition<String> partition = partition();
        byte[] key = record.getBytes(UTF_8);
        byte[] generation = ("dogpile:" + name + "~generation").getBytes(UTF_8);
        partition.put("key", Nodes.draft("good"));
        byte[] envelope = client.hget(key, RedisRecord.VALUE);
        byte[] stamps = client.hget(key, RedisRecord.STAMPS);
        long now = System.currentTimeMillis();
        Mutants fields = Mutants.of(
                stamps,
                ("n.1 " + now + "000 0 " + (now + 90_000) + " 90000").getBytes(UTF_8),
                ("3 " + (now + 90_000) + " java.io.IOException: boom").getBytes(UTF_8),
                "a.1 b.2 * ".getBytes(UTF_8),
                (now + "000 0").getBytes(UTF_8));
        Slot.Watch waiting = partition.slot("key").watch(seen -> {});

        Mutants.of(envelope).each(FEW, (mutant, random) -> {
            client.hset(key, RedisRecord.VALUE, random.nextBoolean() ? mutant : envelope);
            client.hset(key, RedisRecord.STAMPS, random.nextInt(3) == 0 ? fields.draw(random) : stamps);
            for (String field : List.of("l", "e", "w")) {
                if (random.nextBoolean()) {
                    client.hset(key, field.getBytes(UTF_8), fields.draw(random));
                }
            }
            if (random.nextInt(8) == 0) {
                client.set(generation, fields.draw(random));
            }

            Slot.Seen<String> seen = Nodes.read(partition, "key");
            if (seen.present()) {
                assertThat(seen.value()).isEqualTo("good");
            }
            Slot.Wish.Reason reason = Slot.Wish.Reason.values()[random.nextInt(3)];
            Slot.Claim<String> claim = seen.claim(new Slot.Wish(reason, Slot.NEVER, random.nextBoolean(), false));
            if (claim.kind() == Slot.Claim.Kind.GRANTED) {
                claim.grant().renew();
                claim.grant().publish(Nodes.draft("good"));
            }
            partition.invalidate("key", random.nextBoolean() ? Invalidation.SOFT : Invalidation.HARD);
            partition.invalidate("key", Invalidation.HARD);
            Slot.Claim<String> next = Nodes.claim(partition, "key");
            assertThat(next.kind()).isEqualTo(Slot.Claim.Kind.GRANTED);
            assertThat(next.grant().publish(Nodes.draft("good")).outcome()).isEqualTo(Slot.Published.Outcome.STORED);
            assertThat(Nodes.read(partition, "key").value()).isEqualTo("good");
        });
        waiting.close();
    }

    @Test
    void anyMessage_isHeardWithoutHarm_andNothingIsTakenFromItThatWasNotWritten() throws Exception {
        Partition<String> partition = partition();
        String good = "good".repeat(100); // so long that most mutants of the push are mutants of the value
        partition.put("key", Nodes.draft(good));
        String stamps = client.hget(record, "m");
        ByteArrayOutputStream push = new ByteArrayOutputStream();
        push.writeBytes(("P " + record.length() + ' ' + record + stamps + '\n').getBytes(UTF_8));
        push.writeBytes(client.hget(record.getBytes(UTF_8), RedisRecord.VALUE));
        Queue<Slot.Seen<String>> told = new ConcurrentLinkedQueue<>();
        Slot.Watch waiting = partition.slot("key").watch(seen -> {
            if (seen != null) {
                told.add(seen);
            }
        });
        Objects.requireNonNull(backend.node().inbox().place(record)).takesFrom(0); // as if a claim had been told "held"
        Slot.Watch near = partition.watchAll(key -> {});
        byte[] own = new Names("dogpile:").inbox(backend.node().id());
        List<byte[]> channels = List.of(own, new Names("dogpile:").channelOfAll(), new Names("dogpile:").near(name));
        client.publish(own, push.toByteArray());

        Mutants.of(
                        push.toByteArray(),
                        ("A " + record.length() + ' ' + record).getBytes(UTF_8),
                        ("I " + record.length() + ' ' + record).getBytes(UTF_8))
                .each(FEW, (mutant, random) -> client.publish(channels.get(random.nextInt(channels.size())), mutant));
        client.publish(own, push.toByteArray());
        // Only now: once a generation of theirs is believed, pushes of before it are not.
        Mutants.of(
                        ("G " + name + " 1795308321787167 0").getBytes(UTF_8),
                        "K 0123456789abcdef key".getBytes(UTF_8),
                        "H7".getBytes(UTF_8))
                .each(FEW, (mutant, random) -> client.publish(channels.get(random.nextInt(channels.size())), mutant));

        partition.put("key", Nodes.draft(good));
        Slot.Claim<String> claim = Nodes.read(partition, "key").claim(Nodes.wish());
        assertThat(claim.kind()).isEqualTo(Slot.Claim.Kind.NOT_NEEDED);
        assertThat(told)
                .hasSizeGreaterThan(1)
                .allSatisfy(seen -> assertThat(seen.value()).isEqualTo(good));
        assertThat(backend.node().inbox().isLive()).isTrue();
        waiting.close();
        near.close();
    }
}
