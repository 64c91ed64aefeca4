package io.dogpile.redis;

import static io.dogpile.core.Slot.Claim.Kind.GRANTED;
import static io.dogpile.core.Slot.Claim.Kind.HELD;
import static io.dogpile.core.Slot.Claim.Kind.NOT_NEEDED;
import static io.dogpile.core.Slot.Published.Outcome.STORED;
import static io.dogpile.core.Slot.Published.Outcome.SUPERSEDED;
import static io.dogpile.core.Slot.Published.Outcome.VOIDED;
import static io.dogpile.redis.Nodes.claim;
import static io.dogpile.redis.Nodes.draft;
import static io.dogpile.redis.Nodes.read;
import static io.dogpile.redis.Nodes.record;
import static io.dogpile.redis.Nodes.wish;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.Background;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.Held;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.providers.PooledConnectionProvider;

/**
 * The races of the protocol (DESIGN.md, Redis), each by the number that it has there: two nodes and one record, the steps
 * in the order that could do harm. Where time must pass, the clocks are turned; the few that need the server's own expiry wait for
 * it.
 *
 * <p>All of them can be made in one JVM. have a real replica; R-16 sentinels, too, and R-21 a cluster.
 * R-22 cannot happen by reading from replicas, since nothing here reads from them; its test says so.
 */
@Timeout(60) // seconds: a test that waits for ever says so
class RedisRacesTest {
    private static final Duration LEASE = Duration.ofSeconds(5);
    private static final Duration MAX_CREATION = Duration.ofSeconds(60);
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final AtomicInteger regions = new AtomicInteger();
    private static RedisServer server;

    private final Nodes nodes = new Nodes();
    private final String region = "races" + regions.incrementAndGet();
    private final String record = record(region, "key");
    private TurnedClock clock;
    private Partition<String> a;
    private Partition<String> b;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void twoNodes() {
        clock = new TurnedClock(server);
        a = silent(server.client());
        b = silent(server.client());
    }

    @AfterEach
    void end() throws Exception {
        nodes.end();
    }

    private Partition<String> silent(UnifiedJedis client) {
        return partition(nodes.silent(client, TurnedClock::edit));
    }

    private Partition<String> partition(RedisNode node) {
        return Nodes.partition(node, region, LEASE, MAX_CREATION, clock);
    }

    /** One with an inbox, which is live. */
    private Partition<String> listening(RedisBackend.Builder builder) {
        RedisBackend backend = nodes.node(builder.scripts(TurnedClock::edit));
        Await.until("the inbox is live", () -> backend.node().inbox().isLive());
        return Nodes.partition(backend.node(), region, LEASE, MAX_CREATION, clock);
    }

    private Partition<String> listening() {
        return listening(RedisBackend.builder().server("127.0.0.1", server.port()));
    }

    /** What a node is told of the key; an empty text stands for "look again". */
    private BlockingQueue<String> told(Partition<String> node) {
        BlockingQueue<String> told = new LinkedBlockingQueue<>();
        Consumer<Slot.Seen<String>> takes = seen -> told.add(seen == null ? "" : seen.value());
        nodes.closing(node.slot("key").watch(takes));
        return told;
    }

    private static String next(BlockingQueue<String> told) throws InterruptedException {
        return Objects.requireNonNull(told.poll(10, TimeUnit.SECONDS), "nothing was told");
    }

    private static Slot.Grant<String> granted(Slot.Claim<String> claim) {
        assertEquals(GRANTED, claim.kind(), claim::toString);
        return claim.grant();
    }

    private static Slot.Published.Outcome published(Slot.Grant<String> grant, String value) throws Exception {
        return grant.publish(draft(value)).outcome();
    }

    private static void assertValue(String expected, Partition<String> seenBy) throws Exception {
        assertEquals(expected, read(seenBy, "key").value());
    }

    private static boolean isGone(Partition<String> seenBy) {
        try {
            return !read(seenBy, "key").present();
        } catch (Exception notRead) {
            throw new AssertionError(notRead);
        }
    }

    @Test
    @Tag("R-01")
    void twoColdCallers_oneIsGranted_theOtherIsToldOfIt() throws Exception {
        CyclicBarrier together = new CyclicBarrier(2);
        AtomicInteger rights = new AtomicInteger();
        AtomicInteger refusals = new AtomicInteger();
        for (int round = 0; round < 50; round++) {
            String key = "key" + round;
            List<Slot.Seen<String>> seen = List.of(read(a, key), read(b, key));
            List<Background<Slot.Claim<String>>> claims = seen.stream()
                    .map(each -> Background.start(() -> {
                        together.await(10, TimeUnit.SECONDS);
                        return each.claim(wish());
                    }))
                    .toList();
            for (Background<Slot.Claim<String>> each : claims) {
                Slot.Claim<String> claim = each.result();
                (claim.kind() == GRANTED ? rights : refusals).incrementAndGet();
                assertTrue(claim.kind() == GRANTED || claim.left().compareTo(LEASE) <= 0, claim::toString);
            }
            assertEquals(round + 1, rights.get());
        }
        assertEquals(50, refusals.get());
    }

    @Test
    @Tag("R-02")
    void publishedBetweenReadAndClaim_theClaimIsNotNeeded_andHasTheValue() throws Exception {
        Slot.Seen<String> before = read(a, "key");
        assertEquals(STORED, published(granted(claim(b, "key")), "made by b"));
        Slot.Claim<String> claim = before.claim(wish());
        assertEquals(NOT_NEEDED, claim.kind());
        assertEquals("made by b", Objects.requireNonNull(claim.seen()).value());
    }

    @Test
    @Tag("R-03")
    void publishedBetweenHeldAndParked_thePushIsKeptForTheWaiter() throws Exception {
        Partition<String> waits = listening();
        Slot.Grant<String> grant = granted(claim(a, "key"));
        BlockingQueue<String> told = told(waits);
        assertEquals(HELD, claim(waits, "key").kind());
        assertEquals(STORED, published(grant, "made"));
        assertEquals("made", next(told));
    }

    @Test
    @Tag("R-03")
    void pushedBeforeAnInvalidation_andHeardByWhoAskedAfterIt_isAHint_andNotAValue() throws Exception {
        RedisBackend listens = nodes.node(
                RedisBackend.builder().server("127.0.0.1", server.port()).scripts(TurnedClock::edit));
        Await.until("the inbox is live", () -> listens.node().inbox().isLive());
        Partition<String> waits = Nodes.partition(listens.node(), region, LEASE, MAX_CREATION, clock);
        Slot.Grant<String> first = granted(claim(a, "key"));
        BlockingQueue<String> before = told(waits);
        assertEquals(HELD, claim(waits, "key").kind());
        assertEquals(STORED, published(first, "old"));
        assertEquals("old", next(before));
        byte[] onItsWay = push(); // the same message, not yet heard
        b.invalidate("key", Invalidation.HARD);

        Slot.Grant<String> second = granted(claim(a, "key"));
        BlockingQueue<String> after = told(waits);
        say(listens.node(), onItsWay);
        assertEquals("", next(after), "before it is told what it waits for");
        assertEquals(HELD, claim(waits, "key").kind());
        say(listens.node(), onItsWay);
        assertEquals("", next(after), "while it waits for another right");
        assertEquals(STORED, published(second, "new"));
        assertEquals("new", next(after));
    }

    private static void say(RedisNode node, byte[] message) {
        try (RedisClient client = server.client()) {
            client.publish(node.names().inbox(node.id()), message);
        }
    }

    /** What was said to those that waited for the value that is there. */
    private byte[] push() throws IOException {
        try (RedisClient client = server.client()) {
            byte[] key = record.getBytes(UTF_8);
            List<byte[]> fields = client.hmget(key, RedisRecord.VALUE, RedisRecord.STAMPS);
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            message.write(("P " + key.length + " " + record).getBytes(UTF_8));
            message.write(fields.get(1));
            message.write('\n');
            message.write(fields.get(0));
            return message.toByteArray();
        }
    }

    @Test
    @Tag("R-03")
    void abandonedBetweenHeldAndParked_theWaiterLooksAgain_andIsGranted() throws Exception {
        Partition<String> waits = listening();
        Slot.Grant<String> grant = granted(claim(a, "key"));
        BlockingQueue<String> told = told(waits);
        assertEquals(HELD, claim(waits, "key").kind());
        grant.abandon(new IllegalStateException("boom"));
        assertEquals("", next(told));
        granted(claim(waits, "key"));
    }

    @Test
    @Tag("R-04")
    void theReplyToAClaimIsLost_theRetryGetsTheSameRight() throws Exception {
        try (Proxy network = Proxy.before(server);
                CommandCount count = CommandCount.on(server)) {
            Partition<String> holder = behind(network, RedisServer.TIMEOUT);
            Slot.Seen<String> seen = read(holder, "key");
            count.reset();
            Background<Slot.Claim<String>> claiming = loseReply(network, () -> seen.claim(wish()));
            Slot.Grant<String> grant = granted(claiming.result());
            List<CommandCount.Command> sent = count.commands(command -> command.is("EVALSHA"));
            assertEquals(2, sent.size(), sent::toString);
            assertEquals(nonceOf(sent.get(0)), nonceOf(sent.get(1)));
            assertEquals(HELD, claim(b, "key").kind());
            assertEquals(STORED, published(grant, "made"));
        }
    }

    /** The first argument after the hash, the number of keys, and both keys. */
    private static String nonceOf(CommandCount.Command script) {
        return script.arguments().get(4);
    }

    /** Of a node that has a connection which was used, so that the next reply is that to its next command. */
    private Partition<String> behind(Proxy network, Duration timeout) throws Exception {
        Partition<String> node = silent(Nodes.client(network.hostAndPort(), timeout));
        read(node, "warm");
        assertEquals(GRANTED, claim(node, "warm").kind()); // the server knows the script, too
        return node;
    }

    /** Does something whose reply is lost with its connection, once the server has done what it was asked. */
    private static <T> Background<T> loseReply(Proxy network, Callable<T> doing) {
        network.dropReplies();
        long before = network.repliesLost();
        Background<T> begun = Background.start(doing);
        Await.until("the reply is lost", () -> network.repliesLost() > before);
        network.heal();
        return begun;
    }

    @Test
    @Tag("R-05")
    void theReplyToAClaimIsNotAwaited_theRightIsGivenBackBehind() throws Exception {
        try (Proxy network = Proxy.before(server)) {
            Partition<String> holder = behind(network, SHORT);
            Slot.Seen<String> seen = read(holder, "key");
            network.dropReplies();
            assertTimesOut(() -> seen.claim(wish()));
            network.heal();
            Await.until("the right is given back", () -> lease() == null);
            granted(claim(b, "key"));
        }
    }

    @Test
    @Tag("R-05")
    void aClaimArrivesAfterItsCallerGaveUp_theOrphanEndsWithItsLease() throws Exception {
        try (Proxy network = Proxy.before(server)) {
            RedisNode node = nodes.silent(Nodes.client(network.hostAndPort(), SHORT), TurnedClock::edit);
            Partition<String> holder = Nodes.partition(node, region, LEASE, MAX_CREATION, clock);
            assertEquals(GRANTED, claim(holder, "warm").kind());
            Slot.Seen<String> seen = read(holder, "key");
            node.close(); // so that nothing is given back behind
            network.blackHole();
            assertTimesOut(() -> seen.claim(wish()));
            assertNull(lease());
            network.heal();
            Await.until("the claim arrives", () -> lease() != null);
            Slot.Claim<String> held = claim(b, "key");
            assertEquals(HELD, held.kind());
            assertTrue(held.left().compareTo(LEASE) <= 0, held::toString);
            clock.pass(held.left().plusMillis(1));
            granted(claim(b, "key"));
        }
    }

    private static void assertTimesOut(Executable call) {
        Throwable cause = assertThrows(JedisConnectionException.class, call).getCause();
        assertInstanceOf(SocketTimeoutException.class, cause);
    }

    private String lease() {
        return (String) server.command("HGET", record, "l");
    }

    @Test
    @Tag("R-06")
    void theReplyToAPublicationIsLost_theRetryFindsItStored_andWakesNobodyTwice() throws Exception {
        Partition<String> waits = listening();
        BlockingQueue<String> told = told(waits);
        try (Proxy network = Proxy.before(server);
                CommandCount count = CommandCount.on(server)) {
            Partition<String> holder = behind(network, RedisServer.TIMEOUT);
            Slot.Grant<String> grant = granted(claim(holder, "key"));
            assertEquals(STORED, published(granted(claim(holder, "script")), "known to the server"));
            assertEquals(HELD, claim(waits, "key").kind());
            String nonce = lease().split(" ")[0];
            count.reset();
            Background<Slot.Published.Outcome> publishing = loseReply(network, () -> published(grant, "made"));
            assertEquals(STORED, publishing.result());
            assertEquals(
                    2,
                    count.count(
                            command -> command.is("EVALSHA") && nonceOf(command).equals(nonce)));
        }
        assertEquals("made", next(told));
        // One that is sent later arrives later: nothing is between.
        waits.invalidate("key", Invalidation.HARD);
        Slot.Grant<String> second = granted(claim(a, "key"));
        assertEquals(HELD, claim(waits, "key").kind());
        assertEquals(STORED, published(second, "made later"));
        assertEquals("made later", next(told));
    }

    @Test
    @Tag("R-07")
    @Tag("F-04")
    void publishedAfterTheLease_andNobodyTookOver_isStored() throws Exception {
        Slot.Grant<String> grant = granted(claim(a, "key"));
        clock.pass(LEASE.plusMillis(1));
        assertEquals(STORED, published(grant, "late"));
        assertValue("late", b);
    }

    @Test
    @Tag("R-08")
    @Tag("F-03")
    void publishedAfterTheLease_andSomebodyTookOver_isRefused_beforeAndAfterTheSuccessorsValue() throws Exception {
        Slot.Grant<String> late = granted(claim(a, "key"));
        Slot.Grant<String> later = granted(claim(a, "other"));
        clock.pass(LEASE.plusMillis(1));
        Slot.Grant<String> successor = granted(claim(b, "key"));
        assertTrue(successor.fencingToken() > late.fencingToken());
        assertEquals(VOIDED, published(late, "zombie"));
        assertEquals(STORED, published(successor, "successor's"));
        assertValue("successor's", a);

        assertEquals(STORED, published(granted(claim(b, "other")), "successor's"));
        Slot.Published<String> refused = later.publish(draft("zombie"));
        assertEquals(SUPERSEDED, refused.outcome());
        assertEquals("successor's", Objects.requireNonNull(refused.seen()).value());
    }

    @Test
    @Tag("R-09")
    void publishedAfterTheLinger_isRefused_theRecordIsGone() throws Exception {
        Duration brief = Duration.ofMillis(50);
        RedisNode node = nodes.silent(server.client(), UnaryOperator.identity());
        Partition<String> slow = Nodes.partition(node, region, brief, brief, clock);
        Slot.Grant<String> grant = granted(claim(slow, "key"));
        Await.until("the record is gone", () -> server.command("EXISTS", record).equals(0L));
        assertEquals(VOIDED, published(grant, "zombie"));
        assertFalse(read(b, "key").present());
    }

    @Test
    @Tag("R-10")
    void invalidatedDuringACreation_itIsRefused_andTheWaiterIsWoken() throws Exception {
        Partition<String> waits = listening();
        BlockingQueue<String> told = told(waits);
        Slot.Grant<String> grant = granted(claim(a, "key"));
        assertEquals(HELD, claim(waits, "key").kind());
        b.invalidate("key", Invalidation.HARD);
        assertEquals("", next(told));
        assertEquals(VOIDED, published(grant, "older than the invalidation"));
        assertEquals(STORED, published(granted(claim(waits, "key")), "newer"));
        assertValue("newer", b);
    }

    @Test
    @Tag("R-10")
    void deletedByAStrangerDuringACreation_itIsRefused_andTheWaiterFindsOutByItself() throws Exception {
        Region<String, String> creates = region(nodes.node(server));
        Region<String, String> waits = region(nodes.node(server));
        Held<String> first = new Held<>("older than the deletion");
        Background<String> creator = Background.start(() -> creates.getOrCreate("key", first));
        first.awaitBegun();
        Background<String> waiter = Background.start(() -> waits.getOrCreate("key", () -> "newer"));
        Await.until("the waiter is noted", () -> server.command("HGET", record, "w") != null);
        assertEquals(1L, server.command("DEL", record));
        assertEquals("newer", waiter.result());
        first.letGo();
        assertEquals("older than the deletion", creator.result());
        assertValue("newer", b);
    }

    private Region<String, String> region(RedisBackend backend) {
        return Region.<String, String>builder(region)
                .serializer(Serializer.string())
                .staleAfter(Duration.ofMinutes(1))
                .backend(backend)
                .build();
    }

    @Test
    @Tag("R-11")
    void declaredStaleDuringACreation_itIsRefused_theOldValueStays_theNextReaderIsGranted() throws Exception {
        a.put("key", draft("old"));
        a.invalidate("key", Invalidation.SOFT);
        Slot.Grant<String> grant = granted(claim(a, "key"));
        b.invalidate("key", Invalidation.SOFT);
        assertEquals(VOIDED, published(grant, "older than the declaration"));
        Slot.Seen<String> stale = read(b, "key");
        assertEquals("old", stale.value());
        assertTrue(stale.usable(clock.nanos()) && !stale.fresh(clock.nanos()));
        assertEquals(STORED, published(granted(stale.claim(wish())), "new"));
        assertValue("new", a);
    }

    @Test
    @Tag("R-12")
    void theRegionIsInvalidatedDuringACreation_itIsRefused() throws Exception {
        for (Invalidation how : Invalidation.values()) {
            Slot.Grant<String> grant = granted(claim(a, "key " + how));
            b.invalidateAll(how);
            assertEquals(VOIDED, published(grant, "older than the invalidation"), how::toString);
            assertFalse(grant.renew(), how::toString);
            granted(claim(b, "key " + how));
        }
    }

    @Test
    @Tag("R-12")
    void theRegionIsInvalidatedDuringACreation_theNextTakesOverAtOnce() throws Exception {
        for (Invalidation how : Invalidation.values()) {
            Slot.Grant<String> grant = granted(claim(a, "key " + how));
            b.invalidateAll(how);
            Slot.Grant<String> successor = granted(claim(b, "key " + how));
            assertEquals(VOIDED, published(grant, "older than the invalidation"), how::toString);
            assertEquals(STORED, published(successor, "newer"), how::toString);
        }
    }

    /** It asks nobody by the clock, and its reads do not tell it. */
    @Test
    void theRegionIsInvalidated_aNodeHearsOfItByItsInboxAlone() throws Exception {
        RedisNode node = nodes.silent(server.client(), TurnedClock::edit);
        Nodes.listen(node);
        Await.until("the inbox is live", node.inbox()::isLive);
        Partition<String> hears = partition(node);
        Partition<String> deaf = silent(server.client());
        a.put("key", draft("before"));
        assertValue("before", hears);
        assertValue("before", deaf);
        b.invalidateAll(Invalidation.HARD);
        Await.until("it has heard", () -> isGone(hears));
        assertValue("before", deaf);
    }

    @Test
    void theRegionIsInvalidated_aStrictNodeSeesItByItsNextRead_ofOneKeyOrMany() throws Exception {
        Partition<String> strict = partition(nodes.silent(server.client(), TurnedClock::edit, RedisNode.Reads.STRICT));
        a.put("key", draft("before"));
        assertValue("before", strict);
        b.invalidateAll(Invalidation.HARD);
        assertFalse(read(strict, "key").present());

        b.put("key", draft("again"));
        assertValue("again", strict);
        b.invalidateAll(Invalidation.HARD);
        assertFalse(Objects.requireNonNull(strict.readAll(List.of("key")).get("key"))
                .present());
    }

    /** Taken for a cluster's. */
    @SuppressWarnings("deprecation") // the constructors of this very class are
    private static UnifiedJedis clientOfNoKnownKind() {
        return new UnifiedJedis(new PooledConnectionProvider(server.hostAndPort()), 3, Duration.ofSeconds(2));
    }

    /** A node that may not name the region's generations in its scripts, as in a cluster, and has not heard of the last. */
    @Test
    @Tag("R-12")
    @Tag("R-13")
    void aNodeThatHasNotHeardOfAGeneration_takesNewerValues_andItsOwnAreOldToAllWhoHave() throws Exception {
        Partition<String> unaware = silent(clientOfNoKnownKind());
        assertFalse(read(unaware, "key").present());
        a.put("stale", draft("before"));
        b.invalidateAll(Invalidation.HARD);
        assertEquals("before", read(unaware, "stale").value()); // until it hears, at the latest a second later
        assertEquals(STORED, published(granted(claim(unaware, "key")), "of the old generation"));
        Slot.Seen<String> seen = read(b, "key");
        assertFalse(seen.present());
        assertEquals(STORED, published(granted(seen.claim(wish())), "of the new generation"));
        Slot.Claim<String> newer = claim(unaware, "key");
        assertEquals(NOT_NEEDED, newer.kind());
        assertEquals(
                "of the new generation", Objects.requireNonNull(newer.seen()).value());

        Slot.Grant<String> old = granted(claim(unaware, "other"));
        assertEquals(STORED, published(granted(claim(b, "other")), "taken over at once"));
        assertEquals(SUPERSEDED, published(old, "zombie"));
        assertEquals("taken over at once", read(unaware, "other").value());
    }

    @Test
    @Tag("R-14")
    void abandonedAfterATakeover_theSuccessorKeepsItsRight() throws Exception {
        Slot.Grant<String> late = granted(claim(a, "key"));
        clock.pass(LEASE.plusMillis(1));
        Slot.Grant<String> successor = granted(claim(b, "key"));
        late.abandon(new IllegalStateException("boom"));
        assertEquals(HELD, claim(a, "key").kind());
        assertTrue(successor.renew());
        assertEquals(STORED, published(successor, "successor's"));
    }

    @Test
    @Tag("R-15")
    void renewedAfterATakeover_isRefused_andTheSuccessorsLeaseIsAsItWas() throws Exception {
        Slot.Grant<String> late = granted(claim(a, "key"));
        clock.pass(LEASE.plusMillis(1));
        granted(claim(b, "key"));
        String lease = lease();
        assertFalse(late.renew());
        assertEquals(lease, lease());
    }

    @Test
    @Tag("R-16")
    @Tag("F-10")
    void failoverWithoutTheLease_anotherCreates_theOldHolderIsRefusedBeforeAndAfter() throws Exception {
        try (RedisSentinels sentinels = RedisSentinels.start();
                RedisSentinelClient one = sentinels.client();
                RedisSentinelClient two = sentinels.client()) {
            Partition<String> holder = partitionOf(RedisBackend.of(one));
            Partition<String> other = partitionOf(RedisBackend.of(two));
            Slot.Grant<String> outrun = granted(claim(holder, "other"));
            RedisServer master = sentinels.master();
            RedisServer replica = sentinels.replica();
            Await.until(
                    "the first lease is replicated",
                    () -> replica.command("HGET", record(region, "other"), "l") != null);
            // Else the lease would wait in the replica's socket until it goes on.
            replica.freeze();
            master.command("CLIENT", "KILL", "TYPE", "replica");
            Slot.Grant<String> lost = granted(claim(holder, "key"));
            long fence = lost.fencingToken();
            master.kill();
            replica.thaw();
            Await.until("the replica is the master", () -> sentinels.master() == replica);
            Await.until("writes are taken", () -> isWritable(holder) && isWritable(other));
            assertEquals(VOIDED, published(lost, "of the lost master"));
            Slot.Grant<String> successor = granted(claim(other, "key"));
            assertTrue(successor.fencingToken() > fence);
            assertEquals(VOIDED, published(lost, "of the lost master"));
            assertEquals(STORED, published(successor, "successor's"));
            assertNotEquals(GRANTED, claim(holder, "key").kind());
            assertTrue(outrun.renew(), "what was replicated goes on");
        }
    }

    private Partition<String> partitionOf(RedisBackend backend) {
        nodes.closing(backend);
        return Nodes.partition(backend.node(), region, MAX_CREATION, MAX_CREATION, clock);
    }

    private static boolean isWritable(Partition<String> partition) {
        try {
            partition.put("probe", draft("probe"));
            return true;
        } catch (Exception notYet) {
            return false;
        }
    }

    @Test
    @Tag("R-17")
    void splitBrain_theOldMastersSideIsDiscarded_andNothingOfItIsMixedIn() throws Exception {
        try (RedisServer old = RedisServer.builder()
                        .setting("repl-diskless-sync-delay", "0")
                        .start();
                RedisServer promoted = RedisServer.builder()
                        .setting("repl-diskless-sync-delay", "0")
                        .setting("replicaof", "127.0.0.1", Integer.toString(old.port()))
                        .start()) {
            Partition<String> onOld = ofSystem(old);
            Slot.Grant<String> holder = granted(claim(onOld, "key"));
            Await.until("the lease is replicated", () -> promoted.command("HGET", record, "l") != null);
            promoted.command("REPLICAOF", "NO", "ONE");
            Partition<String> onPromoted = ofSystem(promoted);
            assertEquals(HELD, claim(onPromoted, "key").kind());
            onPromoted.invalidate("key", Invalidation.HARD);
            Slot.Grant<String> successor = granted(claim(onPromoted, "key"));
            assertEquals(STORED, published(holder, "of the old master"));
            assertEquals(STORED, published(successor, "of the new master"));
            old.command("REPLICAOF", "127.0.0.1", Integer.toString(promoted.port()));
            Await.until(
                    "the old master follows",
                    () -> old.info("replication", "master_link_status").equals("up"));
            assertValue("of the new master", onOld);
        }
    }

    private Partition<String> ofSystem(RedisServer of) {
        RedisNode node = nodes.silent(of.client(), UnaryOperator.identity());
        return Nodes.partition(node, region, MAX_CREATION, MAX_CREATION, TimeSource.system());
    }

    @Test
    @Tag("R-18")
    void aValueExpiresWhileItsSuccessorIsCreated_itIsHidden_andNobodyElseIsGranted() throws Exception {
        Partition<String> creates = ofSystem(server);
        Partition<String> reads = ofSystem(server);
        creates.put("key", draft("old", Duration.ofMillis(1), Duration.ofSeconds(2)));
        Slot.Seen<String> old = read(creates, "key");
        long sure = Duration.ofMillis(50).toNanos(); // by the server's clock as well
        Await.until("the value is stale", () -> !old.fresh(TimeSource.system().nanos() - sure));
        Slot.Grant<String> grant = granted(claim(creates, "key"));
        Await.until("the value is expired", () -> !usable(reads));
        assertEquals(HELD, claim(reads, "key").kind());
        assertEquals(STORED, published(grant, "new"));
        assertValue("new", reads);
    }

    private static boolean usable(Partition<String> partition) {
        try {
            return read(partition, "key").usable(TimeSource.system().nanos());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    @Tag("R-19")
    void putDuringACreation_itsValueIsRefused_andTheWaiterIsWokenWithTheOneThatWasPut() throws Exception {
        Partition<String> waits = listening();
        BlockingQueue<String> told = told(waits);
        Slot.Grant<String> grant = granted(claim(a, "key"));
        assertEquals(HELD, claim(waits, "key").kind());
        b.put("key", draft("put"));
        assertEquals("put", next(told));
        Slot.Published<String> refused = grant.publish(draft("created"));
        assertEquals(SUPERSEDED, refused.outcome());
        assertEquals("put", Objects.requireNonNull(refused.seen()).value());
        assertValue("put", a);
    }

    @Test
    @Tag("R-20")
    @Tag("F-15")
    void evictedDuringACreation_itIsRefused_andTheKeyIsColdAgain() throws Exception {
        try (RedisServer small = RedisServer.builder()
                .setting("maxmemory-policy", "allkeys-random")
                .start()) {
            Partition<String> creates = ofSystem(small);
            Slot.Grant<String> grant = granted(claim(creates, "key"));
            small.command("CONFIG", "SET", "maxmemory", "1");
            Await.until(
                    "the record is evicted",
                    () -> small.command("EXISTS", record).equals(0L));
            small.command("CONFIG", "SET", "maxmemory", "0");
            assertEquals(VOIDED, published(grant, "of a record that is gone"));
            assertEquals(STORED, published(granted(claim(ofSystem(small), "key")), "new"));
        }
    }

    @Test
    @Tag("R-21")
    void theSlotMigratesDuringACreation_itIsStored_andTheWaiterIsWoken() throws Exception {
        try (RedisCluster cluster = RedisCluster.start()) {
            RedisBackend one = nodes.closing(RedisBackend.of(nodes.closing(cluster.client())));
            RedisBackend two = nodes.closing(RedisBackend.of(nodes.closing(cluster.client())));
            Region<String, String> creates = region(one);
            Region<String, String> waits = region(two);
            Await.until("the inbox is live", () -> two.node().inbox().isLive());
            int slot = RedisCluster.slot(record);
            int from = cluster.owner(slot);
            int to = (from + 1) % RedisCluster.MASTERS;

            Held<String> held = new Held<>("made while it moved");
            Background<String> creator = Background.start(() -> creates.getOrCreate("key", held));
            held.awaitBegun();
            Background<String> waiter = Background.start(() -> waits.getOrCreate("key", () -> "made twice"));
            Await.until("the waiter is noted", () -> cluster.node(from).command("HGET", record, "w") != null);
            RedisCluster.Migration migration = cluster.migrate(slot, from, to).moveKeys();
            held.letGo();
            assertEquals("made while it moved", creator.result());
            assertEquals("made while it moved", waiter.result());
            assertEquals("made while it moved", creates.get("key").orElseThrow());
            migration.finish();
            assertEquals("made while it moved", creates.get("key").orElseThrow());
            assertEquals("made while it moved", waits.get("key").orElseThrow());
            assertEquals(to, cluster.owner(slot));
        }
    }

    /** A replica that stands still cannot make a reader see what was before: nothing is read from replicas. */
    @Test
    @Tag("R-22")
    @Tag("F-11")
    @Tag("D-088")
    void aReplicaLagsBehindAPublication_whoIsWokenReadsTheMaster() throws Exception {
        try (RedisSentinels sentinels = RedisSentinels.start();
                RedisSentinelClient one = sentinels.client();
                RedisSentinelClient two = sentinels.client()) {
            RedisBackend waiting = nodes.node(RedisBackend.builder().client(two).pushMax(0));
            Await.until("the inbox is live", () -> waiting.node().inbox().isLive());
            Region<String, String> waits = region(waiting);
            // The publisher says what is pushed: nothing, so that the waiter must read.
            Region<String, String> creates =
                    region(nodes.node(RedisBackend.builder().client(one).pushMax(0)));
            Held<String> held = new Held<>("made");
            Background<String> creator = Background.start(() -> creates.getOrCreate("key", held));
            held.awaitBegun();
            RedisServer replica = sentinels.replica();
            Await.until("the lease is replicated", () -> replica.command("HGET", record, "l") != null);
            Background<String> waiter = Background.start(() -> waits.getOrCreate("key", () -> "made twice"));
            Await.until("the waiter is noted", () -> sentinels.master().command("HGET", record, "w") != null);
            replica.freeze();
            try {
                held.letGo();
                assertEquals("made", creator.result());
                assertEquals("made", waiter.result());
            } finally {
                replica.thaw();
            }
        }
    }
}
