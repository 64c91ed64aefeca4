package io.dogpile.redis;

import static io.dogpile.core.Slot.Claim.Kind.GRANTED;
import static io.dogpile.core.Slot.Claim.Kind.HELD;
import static io.dogpile.core.Slot.Published.Outcome.STORED;
import static io.dogpile.core.Slot.Published.Outcome.VOIDED;
import static io.dogpile.redis.Nodes.claim;
import static io.dogpile.redis.Nodes.draft;
import static io.dogpile.redis.Nodes.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.CreationException;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.Held;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.ConnectionFactory;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.providers.PooledConnectionProvider;

/**
 * What goes wrong while one node creates and another waits, each by its number in the fault matrix (DESIGN.md, Redis), and
 * what comes of it.
 *
 * <p>Not here: F-03 and F-04, a holder that is stopped, need a process of its own, and are in one JVM what of
 * {@link RedisRacesTest} do by the clock; so is F-10, a failover, R-16, and F-11, a replica that lags, R-22. F-01 and F-02 have a
 * holder that never speaks again instead of one that was killed. F-20 is of another store. F-19 but for a flush of scripts is
 * in {@link RedisFailuresTest}.
 */
@Timeout(60) // seconds: a test that waits for ever says so
class RedisFaultsTest {
    private static final Duration LEASE = Duration.ofMillis(600);
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration TIMEOUT = Duration.ofMillis(250);
    private static final String REGION = "faults";
    private static final String RECORD = Nodes.record(REGION, "key");

    private final Nodes nodes = new Nodes();
    private final Callers callers = new Callers();
    private final AtomicInteger creations = new AtomicInteger();
    private RedisServer server;

    @BeforeEach
    void start() {
        server = nodes.closing(RedisServer.start());
    }

    @AfterEach
    void end() throws Exception {
        callers.close();
        nodes.end();
    }

    private RegionBuilder<String, String> region(RedisBackend backend) {
        return Region.<String, String>builder(REGION)
                .serializer(Serializer.string())
                .staleAfter(Duration.ofMinutes(1))
                .lease(LEASE)
                .backend(backend)
                .recordStats();
    }

    private RedisBackend node() {
        return live(nodes.node(server));
    }

    private static RedisBackend live(RedisBackend backend) {
        Await.until("the inbox is live", () -> backend.node().inbox().isLive());
        return backend;
    }

    private Partition<String> silent(Duration lease) {
        return silent(lease, TimeSource.system(), UnaryOperator.identity());
    }

    private Partition<String> silent(Duration lease, TimeSource time, UnaryOperator<String> scripts) {
        return Nodes.partition(nodes.silent(server.client(), scripts), REGION, lease, LONG, time);
    }

    private String next() {
        return "created " + creations.incrementAndGet();
    }

    private String field(String name) {
        return (String) server.command("HGET", RECORD, name);
    }

    private void awaitNoted() {
        Await.until("the waiter is noted", () -> field("w") != null);
    }

    private static Slot.Grant<String> granted(Slot.Claim<String> claim) {
        assertEquals(GRANTED, claim.kind(), claim::toString);
        return claim.grant();
    }

    private static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    @Test
    @Tag("F-01")
    void theHolderIsDead_oneTakesOverWhenItsLeaseEnds_theOthersHaveItsValue() throws Exception {
        List<Region<String, String>> waiting = List.of(
                region(node()).build(), region(node()).build(), region(node()).build());
        Partition<String> dead = silent(LEASE);
        long start = System.nanoTime();
        granted(claim(dead, "key"));
        List<Callers.Caller<String>> all = new ArrayList<>();
        waiting.forEach(one -> all.addAll(callers.start(
                10,
                () -> one.getOrCreate("key", () -> {
                    assertTrue(since(start).compareTo(LEASE.minusMillis(20)) >= 0, "not before the lease is over");
                    return next();
                }))));
        all.forEach(one -> assertEquals("created 1", one.result()));
        assertTrue(since(start).compareTo(LEASE.plusSeconds(3)) < 0, () -> "took " + since(start));
    }

    @Test
    @Tag("F-02")
    void theHolderIsDead_readersKeepTheStaleValue_untilOneIsGrantedAfterTheLease() throws Exception {
        Region<String, String> region = region(node()).build();
        Partition<String> dead = silent(LONG);
        dead.put("key", draft("old", Duration.ofMillis(1), LONG));
        Await.until("the value is stale by the server's clock, too", () -> isGranted(dead));
        for (int i = 0; i < 20; i++) {
            assertEquals("old", region.getOrCreate("key", this::next));
        }
        assertEquals(0, creations.get());
        String[] lease = field("l").split(" ");
        server.command("HSET", RECORD, "l", lease[0] + ' ' + lease[1] + ' ' + lease[2] + " 1 " + lease[4]);
        assertEquals("created 1", region.getOrCreate("key", this::next));
    }

    private static boolean isGranted(Partition<String> partition) {
        try {
            return claim(partition, "key").kind() == GRANTED;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    @Tag("F-05")
    @Tag("D-079")
    void aCreatorThatIsSlowerThanItsLease_keepsItByRenewal_andNobodyElseCreates() throws Exception {
        Region<String, String> creates = region(node()).build();
        Region<String, String> waits = region(node()).build();
        Held<String> slow = new Held<>("slow");
        Callers.Caller<String> creator = callers.start(() -> creates.getOrCreate("key", slow));
        slow.awaitBegun();
        Callers.Caller<String> waiter = callers.start(() -> waits.getOrCreate("key", this::next));
        Set<String> leases = new HashSet<>();
        Await.until("the lease is renewed for more than twice its length", () -> {
            leases.add(field("l"));
            return leases.size() > 6;
        });
        slow.letGo();
        assertEquals("slow", creator.result());
        assertEquals("slow", waiter.result());
        assertEquals(0, creations.get());
        assertEquals(0, creates.stats().leasesLost());
    }

    @Test
    @Tag("F-05")
    void aCreatorThatIsSlowerThanMaxCreation_isLost_theNextTakesOver_andItsValueStays() throws Exception {
        Region<String, String> creates = region(node()).maxCreation(LEASE).build();
        Region<String, String> waits = region(node()).build();
        Held<String> hung = new Held<>("hung");
        Callers.Caller<String> creator = callers.start(() -> creates.getOrCreate("key", hung));
        hung.awaitBegun();
        assertEquals("created 1", waits.getOrCreate("key", this::next));
        Await.until("the loss is told", () -> creates.stats().leasesLost() == 1);
        hung.letGo();
        assertEquals("hung", creator.result());
        assertEquals(Optional.of("created 1"), creates.get("key"));
        assertEquals(Optional.of("created 1"), waits.get("key"));
    }

    @Test
    @Tag("F-06")
    void aCreatorThrows_theWaiterOfAnotherNodeTakesOver_longBeforeTheLeaseEnds() throws Exception {
        Region<String, String> creates = region(node()).lease(LONG).build();
        Region<String, String> waits = region(node()).lease(LONG).build();
        Held<String> fails = Held.then(() -> {
            throw new IllegalStateException("boom");
        });
        Callers.Caller<String> creator = callers.start(() -> creates.getOrCreate("key", fails));
        fails.awaitBegun();
        Callers.Caller<String> waiter = callers.start(() -> waits.getOrCreate("key", this::next));
        awaitNoted();
        fails.letGo();
        assertEquals("boom", creator.failure().getMessage());
        assertEquals("created 1", waiter.result());
        assertEquals(Optional.of("created 1"), creates.get("key"));
    }

    @Test
    @Tag("F-06")
    void creatorsOfTwoNodesFail_athirdBacksOff_andTellsWhy() {
        Duration first = Duration.ofSeconds(20);
        for (int failure = 1; failure <= 2; failure++) {
            String text = "boom " + failure;
            Region<String, String> fails =
                    region(node()).failureBackoff(2, first, LONG).build();
            assertThrows(
                    IllegalStateException.class,
                    () -> fails.getOrCreate("key", () -> {
                        throw new IllegalStateException(text);
                    }));
        }
        Region<String, String> third =
                region(node()).failureBackoff(2, first, LONG).build();
        CreationException told = assertThrows(CreationException.class, () -> third.getOrCreate("key", this::next));
        assertEquals(0, creations.get());
        assertTrue(told.getMessage().contains("region 'faults', key 'key'"), told.getMessage());
        assertTrue(told.getMessage().contains("boom 2"), told.getMessage());
        assertTrue(told.retryAfter().orElseThrow().compareTo(first) <= 0, told.getMessage());
        assertEquals("created 1", third.refresh("key", k -> next()), "a refresh tries all the same");
        assertEquals("created 1", third.getOrCreate("key", this::next));
    }

    @Test
    @Tag("F-07")
    void everythingIsFlushedDuringACreation_itsCallersHaveTheValue_theWaiterCreatesAnother() throws Exception {
        Region<String, String> creates = region(node()).lease(LONG).build();
        Region<String, String> waits = region(node()).lease(LONG).build();
        Held<String> held = new Held<>("flushed");
        List<Callers.Caller<String>> own = callers.start(4, () -> creates.getOrCreate("key", held));
        held.awaitBegun();
        Callers.Caller<String> waiter = callers.start(() -> waits.getOrCreate("key", this::next));
        awaitNoted();
        server.command("FLUSHALL");
        assertEquals("created 1", waiter.result());
        held.letGo();
        assertTrue(own.stream().map(Callers.Caller::result).anyMatch("flushed"::equals));
        own.forEach(one -> assertTrue(Set.of("flushed", "created 1").contains(one.result())));
        assertEquals(1, held.calls());
        assertEquals(1, creations.get());
        assertEquals(Optional.of("created 1"), creates.get("key"));
    }

    @Test
    @Tag("F-08")
    @Tag("D-094")
    void restartWithoutPersistenceDuringACreation_itsValueIsRefused_theNextReaderCreates() throws Exception {
        Region<String, String> creates = region(node()).lease(LONG).build();
        Held<String> held = new Held<>("of the time before");
        Callers.Caller<String> creator = callers.start(() -> creates.getOrCreate("key", held));
        held.awaitBegun();
        server.restart();
        held.letGo();
        assertEquals("of the time before", creator.result());
        Region<String, String> reads = region(node()).build();
        assertEquals("created 1", reads.getOrCreate("key", this::next));
        assertEquals("created 1", creates.getOrCreate("key", this::next));
    }

    @Test
    @Tag("F-09")
    @Tag("D-094")
    void restartWithPersistenceDuringACreation_theRightSurvives_andTheValueIsStored() throws Exception {
        RedisServer kept = nodes.closing(RedisServer.builder().appendOnly().start());
        Region<String, String> creates =
                region(live(nodes.node(kept))).lease(LONG).build();
        Region<String, String> reads =
                region(live(nodes.node(kept))).lease(LONG).build();
        Held<String> held = new Held<>("of the time before");
        Callers.Caller<String> creator = callers.start(() -> creates.getOrCreate("key", held));
        held.awaitBegun();
        kept.restart();
        Callers.Caller<String> waiter = callers.start(() -> reads.getOrCreate("key", this::next));
        Await.until("the waiter is noted", () -> kept.command("HGET", RECORD, "w") != null);
        held.letGo();
        assertEquals("of the time before", creator.result());
        assertEquals("of the time before", waiter.result());
        assertEquals(0, creations.get());
    }

    @Test
    @Tag("F-12")
    void theHolderIsCutOff_itKnowsAfterALease_andStoresAfterwardsIfNobodyTookOver() throws Exception {
        Proxy network = nodes.closing(Proxy.before(server));
        Region<String, String> cutOff =
                region(live(nodes.node(network.hostAndPort(), TIMEOUT))).build();
        Held<String> held = new Held<>("late");
        Callers.Caller<String> creator = callers.start(() -> cutOff.getOrCreate("key", held));
        held.awaitBegun();
        network.blackHole();
        Await.until("the loss is told", () -> cutOff.stats().leasesLost() == 1);
        network.heal();
        Await.until("the server answers", () -> answers(cutOff));
        held.letGo();
        assertEquals("late", creator.result());
        assertEquals(Optional.of("late"), region(nodes.node(server)).build().get("key"));
    }

    private static boolean answers(Region<String, String> region) {
        try {
            region.put("probe", "probe");
            return true;
        } catch (RuntimeException notYet) {
            return false;
        }
    }

    @Test
    @Tag("F-12")
    void theHolderIsCutOff_andSomebodyTookOver_itIsRefused() throws Exception {
        Proxy network = nodes.closing(Proxy.before(server));
        Region<String, String> cutOff =
                region(live(nodes.node(network.hostAndPort(), TIMEOUT))).build();
        Region<String, String> waits = region(node()).build();
        Held<String> held = new Held<>("zombie");
        Callers.Caller<String> creator = callers.start(() -> cutOff.getOrCreate("key", held));
        held.awaitBegun();
        network.blackHole();
        assertEquals("created 1", waits.getOrCreate("key", this::next));
        network.heal();
        Await.until("the server answers", () -> answers(cutOff));
        held.letGo();
        assertEquals("zombie", creator.result());
        assertEquals(Optional.of("created 1"), cutOff.get("key"));
        assertEquals(Optional.of("created 1"), waits.get("key"));
    }

    @Test
    @Tag("F-12")
    void theReplyToThePublicationIsNotAwaited_itsCallerHasTheValue_andItIsStoredOnce() throws Exception {
        Proxy network = nodes.closing(Proxy.before(server));
        Region<String, String> creates = region(live(nodes.node(network.hostAndPort(), TIMEOUT)))
                .lease(LONG)
                .build();
        Region<String, String> reads = region(node()).lease(LONG).build();
        assertEquals(
                "created 1",
                creates.getOrCreate("warm", this::next),
                "else a lost reply may be that the script is unknown");
        Held<String> held = new Held<>("perhaps stored");
        Callers.Caller<String> creator = callers.start(() -> creates.getOrCreate("key", held));
        held.awaitBegun();
        String fence = field("l").split(" ")[1];
        Callers.Caller<String> waiter = callers.start(() -> reads.getOrCreate("key", this::next));
        awaitNoted();
        network.dropReplies();
        held.letGo();
        assertEquals("perhaps stored", waiter.result());
        assertEquals("perhaps stored", creator.result());
        network.heal();
        assertEquals(fence, field("m").split(" ")[0]);
        Await.until("the server answers", () -> answers(creates));
        assertEquals("perhaps stored", creates.getOrCreate("key", this::next));
        assertEquals(fence, field("m").split(" ")[0]);
        assertEquals(1, creations.get());
    }

    @Test
    @Tag("F-13")
    void theSubscriptionIsRefused_waitersGoOnByPolling_andOnceItIsAllowedOneLooksAgain() throws Exception {
        server.command("ACL", "SETUSER", "waits", "on", ">secret", "~*", "&*", "+@all");
        RedisBackend deaf = live(nodes.node(
                RedisBackend.builder().server("127.0.0.1", server.port()).credentials("waits", "secret")));
        server.command("ACL", "SETUSER", "waits", "resetchannels");
        Await.until("the inbox is down", () -> !deaf.node().inbox().isLive());
        Region<String, String> creates = region(node()).lease(LONG).build();
        Region<String, String> waits = region(deaf).lease(LONG).build();
        Held<String> held = new Held<>("polled");
        callers.start(() -> creates.getOrCreate("key", held));
        held.awaitBegun();
        Callers.Caller<String> waiter = callers.start(() -> waits.getOrCreate("key", this::next));
        awaitNoted();
        held.letGo();
        assertEquals("polled", waiter.result());

        BlockingQueue<Optional<String>> told = told(partition(deaf), "another");
        server.command("ACL", "SETUSER", "waits", "&*");
        live(deaf);
        assertEquals(Optional.empty(), Objects.requireNonNull(told.poll(10, TimeUnit.SECONDS)));
    }

    private static Partition<String> partition(RedisBackend backend) {
        return Nodes.partition(backend.node(), REGION, LONG, LONG, TimeSource.system());
    }

    /** What is pushed; empty for "look again". */
    private BlockingQueue<Optional<String>> told(Partition<String> partition, String key) {
        BlockingQueue<Optional<String>> told = new LinkedBlockingQueue<>();
        nodes.closing(partition
                .slot(key)
                .watch(seen -> told.add(Optional.ofNullable(seen).map(Slot.Seen::value))));
        return told;
    }

    @Test
    @Tag("F-13")
    void theSubscriptionIsCut_itIsMadeAnew_andWhoWaitsLooksAgain() throws Exception {
        RedisBackend cut = node();
        BlockingQueue<Optional<String>> told = told(partition(cut), "key");
        server.command("CLIENT", "KILL", "TYPE", "pubsub");
        // Once as it goes down, and once as it is live again.
        assertEquals(Optional.empty(), Objects.requireNonNull(told.poll(10, TimeUnit.SECONDS)));
        assertEquals(Optional.empty(), Objects.requireNonNull(told.poll(10, TimeUnit.SECONDS)));
        live(cut);
    }

    @Test
    @Tag("F-13")
    void theSubscriptionIsHalfOpen_heartbeatsFindIt_andItIsMadeAnew() throws Exception {
        Proxy network = nodes.closing(Proxy.before(server));
        RedisNode node = nodes.silent(subscribedBehind(network), UnaryOperator.identity());
        Inbox inbox = node.inbox();
        Nodes.listen(node);
        Await.until("the inbox is live", inbox::isLive);
        beat(inbox);
        beat(inbox);
        beat(inbox);
        Await.until("heartbeats come back", () -> {
            beat(inbox);
            return inbox.isLive();
        });
        network.blackHole();
        Await.until("it is found", () -> {
            beat(inbox);
            return !inbox.isLive();
        });
        network.heal();
        Await.until("the inbox is live again", inbox::isLive);
    }

    /** Sends at once, and what cannot be sent is lost. */
    static void beat(Inbox inbox) {
        inbox.beat(sending -> {
            try {
                sending.run();
            } catch (RuntimeException notSent) {
                // as a node does, which tries again at the next beat
            }
        });
    }

    /** A client whose commands go to the server, and its subscription through the network. */
    private RedisClient subscribedBehind(Proxy network) {
        JedisClientConfig config = DefaultJedisClientConfig.builder()
                .timeoutMillis((int) TIMEOUT.toMillis())
                .build();
        ConnectionFactory factory = new ConnectionFactory(
                () -> {
                    boolean subscribes = Thread.currentThread().getName().equals("dogpile-redis-inbox");
                    HostAndPort at = subscribes ? network.hostAndPort() : server.hostAndPort();
                    try {
                        Socket socket = new Socket(at.getHost(), at.getPort());
                        socket.setTcpNoDelay(true);
                        socket.setSoTimeout((int) TIMEOUT.toMillis());
                        return socket;
                    } catch (IOException e) {
                        throw new JedisConnectionException(e);
                    }
                },
                config);
        return RedisClient.builder()
                .clientConfig(config)
                .connectionProvider(new PooledConnectionProvider(factory))
                .build();
    }

    @Test
    @Tag("F-14")
    void aPushIsLost_theWaiterLooksByItself_whileTheInboxIsStillTakenForLive() throws Exception {
        Proxy network = nodes.closing(Proxy.before(server));
        RedisBackend deaf = live(nodes.node(RedisBackend.builder().client(nodes.closing(subscribedBehind(network)))));
        Region<String, String> creates = region(node()).lease(LONG).build();
        Region<String, String> waits = region(deaf).lease(LONG).build();
        Held<String> held = new Held<>("not pushed");
        callers.start(() -> creates.getOrCreate("key", held));
        held.awaitBegun();
        network.blackHole();
        Callers.Caller<String> waiter = callers.start(() -> waits.getOrCreate("key", this::next));
        awaitNoted();
        held.letGo();
        assertEquals("not pushed", waiter.result());
        assertTrue(deaf.node().inbox().isLive());
        assertEquals(0, creations.get());
    }

    @Test
    void aPushOfAnInvalidationIsLost_theNodeAsksByItself() throws Exception {
        Proxy network = nodes.closing(Proxy.before(server));
        RedisBackend deaf = live(nodes.node(RedisBackend.builder().client(nodes.closing(subscribedBehind(network)))));
        Region<String, String> one = region(node()).build();
        Region<String, String> other = region(deaf).build();
        one.put("key", "before");
        assertEquals(Optional.of("before"), other.get("key"));
        network.blackHole();
        one.invalidateAll(Invalidation.HARD);
        Await.until("it was seen", () -> other.get("key").isEmpty());
    }

    @Test
    @Tag("F-15")
    void theRecordIsDeletedDuringACreation_itIsRefused_itsCallersHaveTheValue() throws Exception {
        Region<String, String> creates = region(node()).lease(LONG).build();
        Held<String> held = new Held<>("of a record that is gone");
        Callers.Caller<String> creator = callers.start(() -> creates.getOrCreate("key", held));
        held.awaitBegun();
        server.command("DEL", RECORD);
        held.letGo();
        assertEquals("of a record that is gone", creator.result());
        assertEquals(1, creates.stats().writesRefused(VOIDED));
        assertEquals("created 1", creates.getOrCreate("key", this::next));
    }

    @Test
    @Tag("F-16")
    void outOfMemory_readsWork_valuesAreCreatedHere_aRightThatCannotPublishIsGivenBack() throws Exception {
        Region<String, String> region = region(node()).lease(LONG).build();
        Region<String, String> other = region(node()).lease(LONG).build();
        assertEquals("created 1", region.getOrCreate("there", this::next));
        Held<String> held = new Held<>("too late to be stored");
        Callers.Caller<String> creator = callers.start(() -> region.getOrCreate("key", held));
        held.awaitBegun();
        server.command("CONFIG", "SET", "maxmemory", "1");
        assertEquals("created 1", region.getOrCreate("there", this::next));
        assertEquals("created 1", other.getOrCreate("there", this::next));
        held.letGo();
        assertEquals("too late to be stored", creator.result());
        Await.until("the right is given back", () -> field("l") == null);
        assertEquals("created 2", other.getOrCreate("key", this::next));
        server.command("CONFIG", "SET", "maxmemory", "0");
        assertEquals("created 3", other.getOrCreate("key", this::next));
        assertEquals("created 3", region.getOrCreate("key", this::next));
    }

    /** The server's clock is what the scripts are told; that of the test goes on. */
    private void setServersClock(Duration ahead) {
        for (String key : List.of("clock:{a}", "clock:{b}", "clock:{c}")) {
            server.command("SET", key, Long.toString(ahead.toMillis()));
        }
    }

    @Test
    @Tag("F-17")
    void theServersClockIsSetForward_everythingExpires_oneCreatesEachKey() throws Exception {
        Partition<String> a = silent(LONG, TimeSource.system(), TurnedClock::edit);
        Partition<String> b = silent(LONG, TimeSource.system(), TurnedClock::edit);
        setServersClock(Duration.ZERO);
        a.put("key", draft("old"));
        Slot.Grant<String> running = granted(claim(a, "other"));
        setServersClock(Duration.ofHours(1));
        Slot.Grant<String> grant = granted(claim(a, "new")); // a learns the time by it
        assertTrue(grant.fencingToken() > running.fencingToken());
        Slot.Grant<String> successor = granted(claim(a, "key"));
        assertEquals(HELD, claim(b, "key").kind());
        assertEquals(STORED, successor.publish(draft("new")).outcome());
        assertEquals("new", read(b, "key").value());
        assertEquals(
                STORED, granted(claim(b, "other")).publish(draft("taken over")).outcome());
        assertFalse(running.renew());
    }

    @Test
    @Tag("F-17")
    void theServersClockIsSetBack_leasesAreDead_valuesAreStale_eachIsCreatedOnceAndThenFresh() throws Exception {
        Partition<String> a = silent(LONG, TimeSource.system(), TurnedClock::edit);
        Partition<String> b = silent(LONG, TimeSource.system(), TurnedClock::edit);
        setServersClock(Duration.ofHours(1));
        a.put("key", draft("of the future"));
        Slot.Grant<String> future = granted(claim(a, "other"));
        setServersClock(Duration.ZERO);
        Slot.Grant<String> now = granted(claim(b, "other"));
        assertTrue(now.fencingToken() > future.fencingToken());
        assertEquals(VOIDED, future.publish(draft("zombie")).outcome());
        assertEquals(STORED, now.publish(draft("of now")).outcome());
        assertEquals("of now", read(b, "other").value());

        Slot.Seen<String> seen = read(b, "key");
        assertFalse(seen.fresh(TimeSource.system().nanos()));
        assertEquals("of the future", seen.value());
        assertEquals(
                STORED,
                granted(seen.claim(Nodes.wish())).publish(draft("of now")).outcome());
        Slot.Seen<String> again = read(b, "key");
        assertTrue(again.fresh(TimeSource.system().nanos()));
        assertEquals("of now", again.value());
        assertEquals(Slot.Claim.Kind.NOT_NEEDED, claim(a, "key").kind());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 1})
    @Tag("F-18")
    void theClocksOfTheNodesAreSet_nothingComesOfIt(int hours) throws Exception {
        Partition<String> right = silent(LONG);
        Partition<String> wrong = silent(LONG, offBy(Duration.ofHours(hours)), UnaryOperator.identity());
        assertEquals(STORED, granted(claim(wrong, "key")).publish(draft("made")).outcome());
        for (Partition<String> one : List.of(right, wrong)) {
            Slot.Seen<String> seen = read(one, "key");
            long now = TimeSource.system().nanos();
            Duration fresh = Duration.ofNanos(seen.freshUntil() - now);
            Duration usable = Duration.ofNanos(seen.usableUntil() - now);
            assertTrue(fresh.compareTo(Nodes.FRESH.plusSeconds(1)) < 0, fresh::toString);
            assertTrue(fresh.compareTo(Nodes.FRESH.minusSeconds(20)) > 0, fresh::toString);
            assertTrue(usable.compareTo(Nodes.USABLE.plusSeconds(1)) < 0, usable::toString);
            assertTrue(usable.compareTo(Nodes.USABLE.minusSeconds(20)) > 0, usable::toString);
        }
        Slot.Claim<String> held = claim(right, "other");
        granted(held);
        assertEquals(HELD, claim(wrong, "other").kind());
    }

    private static TimeSource offBy(Duration wall) {
        return new TimeSource() {
            @Override
            public long nanos() {
                return TimeSource.system().nanos();
            }

            @Override
            public Instant instant() {
                return Instant.now().plus(wall);
            }
        };
    }

    @Test
    @Tag("F-19")
    void scriptsAreFlushedAtEachStep_nothingComesOfIt() throws Exception {
        Partition<String> a = silent(LONG);
        Partition<String> b = silent(LONG);
        server.command("SCRIPT", "FLUSH");
        Slot.Grant<String> grant = granted(claim(a, "key"));
        server.command("SCRIPT", "FLUSH");
        assertTrue(grant.renew());
        server.command("SCRIPT", "FLUSH");
        assertEquals(HELD, claim(b, "key").kind());
        server.command("SCRIPT", "FLUSH");
        assertEquals(STORED, grant.publish(draft("made")).outcome());
        server.command("SCRIPT", "FLUSH");
        b.putAll(Map.of("one", draft("1"), "two", draft("2"), "three", draft("3")));
        assertEquals("3", read(a, "three").value());
        server.command("SCRIPT", "FLUSH");
        a.invalidateAll(List.of("one", "two"), Invalidation.HARD);
        assertFalse(read(b, "two").present());
        assertEquals("made", read(b, "key").value());
    }

    @Test
    @Tag("F-21")
    void manyNodesWait_theyAreToldByOneBroadcast() throws Exception {
        Slot.Grant<String> grant = granted(claim(silent(LONG), "key"));
        Server shared = new Server(
                nodes.closing(server.client()), Server.Owner.USER, new Health("of a test"), UnaryOperator.identity());
        List<Partition<String>> crowd = new ArrayList<>();
        for (int i = 0; i < 80; i++) {
            RedisNode one = nodes.closing(
                    new RedisNode(shared, new Names(RedisBackend.DEFAULT_PREFIX), 4096, RedisNode.Reads.BOUNDED));
            crowd.add(Nodes.partition(one, REGION, LONG, LONG, TimeSource.system()));
        }
        BlockingQueue<Optional<String>> toldFirst = claimHeld(node());
        for (Partition<String> one : crowd) {
            assertEquals(HELD, claim(one, "key").kind());
        }
        BlockingQueue<Optional<String>> toldLast = claimHeld(node());
        assertEquals("* ", field("w"));
        assertEquals(STORED, grant.publish(draft("made")).outcome());
        assertEquals(Optional.of("made"), Objects.requireNonNull(toldFirst.poll(10, TimeUnit.SECONDS)));
        assertEquals(Optional.of("made"), Objects.requireNonNull(toldLast.poll(10, TimeUnit.SECONDS)));
    }

    private BlockingQueue<Optional<String>> claimHeld(RedisBackend backend) throws Exception {
        Partition<String> partition = partition(backend);
        BlockingQueue<Optional<String>> told = told(partition, "key");
        assertEquals(HELD, claim(partition, "key").kind());
        return told;
    }
}
