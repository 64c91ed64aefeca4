package io.dogpile.memcached;

import static io.dogpile.memcached.Partitions.claim;
import static io.dogpile.memcached.Partitions.draft;
import static io.dogpile.memcached.Partitions.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.HeldTime;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.FakeTime;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is memcached's own: numbers of items, whole seconds, other programs' bytes, waiters that poll. */
class MemcachedPartitionTest {
    private static MemcachedServer server;

    private final List<AutoCloseable> made = new ArrayList<>();
    private final FakeTime time = new FakeTime();
    private final String key = "key-" + UUID.randomUUID();

    @BeforeAll
    static void start() {
        server = MemcachedServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : made) {
            one.close();
        }
    }

    private MemcachedBackend backend() {
        MemcachedBackend backend = MemcachedBackend.builder()
                .servers(server.address())
                .timeout(MemcachedServer.TIMEOUT)
                .build();
        made.add(backend);
        return backend;
    }

    private MemcachedClient client() {
        MemcachedClient client = server.client();
        made.add(client::shutdown);
        return client;
    }

    private Item item() {
        return new Names(MemcachedBackend.DEFAULT_PREFIX).value("region", key);
    }

    private Item lease() {
        return new Names(MemcachedBackend.DEFAULT_PREFIX).lease(item());
    }

    @Test
    void leaseUnderThreeSeconds_isRefused_andBothAreNamed() {
        MemcachedBackend backend = backend();
        String said = assertThrows(
                        IllegalArgumentException.class,
                        () -> backend.open(Partitions.opening(
                                Duration.ofMillis(2_999), TimeSource.system(), DogpileListener.NONE)))
                .getMessage();
        assertTrue(said.contains("PT2.999S") && said.contains("PT3S") && said.contains("'region'"), said);
        Partitions.of(backend).close();
    }

    @Test
    @Tag("D-051")
    void lifeBeyondThirtyDays_isKept_andEndsByItself() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        for (int days : List.of(30, 31, 40)) {
            partition.put(key, draft("value", Duration.ofDays(days)));
            assertEquals("value", read(partition, key).value(), days + " days");
            long left = ttl(item());
            long asked = Duration.ofDays(days).toSeconds();
            assertTrue(asked <= left + 1 && left <= asked + 2, () -> "asked for " + asked + ", has " + left);
        }
    }

    @Test
    @Tag("D-050")
    void lifeOnTheServer_isTheValuesOwn_roundedUp_andForEverWhereItHasNoEnd() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        partition.put(key, draft("value", Duration.ofMillis(20_001)));
        assertTrue(ttl(item()) >= 21, () -> "has " + ttl(item())); // 22, of which the first may be over
        partition.putAll(Map.of(key, draft("value", Duration.ofSeconds(Long.MAX_VALUE))));
        assertEquals(-1, ttl(item()));
        partition.put(key, draft("value", Duration.ofNanos(1)));
        assertTrue(ttl(item()) > 0, () -> "has " + ttl(item()));
    }

    /** In seconds; -1 for ever. */
    private static long ttl(Item item) {
        String answer = server.text("mg " + item.key() + " t");
        return Long.parseLong(answer.substring(answer.indexOf('t') + 1));
    }

    /** Says so when it is made of bytes. */
    private static final class Bomb implements Serializable {
        private static final long serialVersionUID = 1L;
        static final AtomicInteger read = new AtomicInteger();

        private void readObject(ObjectInputStream in) {
            read.incrementAndGet();
        }
    }

    @Test
    void storedObject_isACountedMiss_andNeverRead() throws Exception {
        Partitions.Told told = new Partitions.Told();
        Partition<String> partition = backend().open(Partitions.opening(Partitions.LEASE, time, told));
        client().set(item().key(), 0, new Bomb()).get();
        assertFalse(read(partition, key).present());
        assertFalse(partition.readAll(List.of(key)).get(key).present());
        assertEquals(2, told.corrupt.size(), told.corrupt::toString);
        claim(partition, key).grant().publish(draft("value"));
        assertEquals("value", read(partition, key).value());
        assertEquals(0, Bomb.read.get());
    }

    @Test
    @Tag("D-049")
    void nothing_isAMiss_aloneAndAmongOthers_andSoIsAnEmptyItem() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        partition.put(key, draft("value"));
        Map<Object, Slot.Seen<String>> seen = partition.readAll(List.of(key, "none-" + key));
        assertTrue(seen.get(key).present());
        assertFalse(seen.get("none-" + key).present());
        assertEquals("STORED", server.text("set " + item().key() + " 0 0 0", ""));
        assertFalse(read(partition, key).present());
    }

    @Test
    void foreignDeleteOverAStaleValue_refusesWhatIsCreated() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        partition.put(key, draft("old"));
        partition.invalidate(key, Invalidation.SOFT);
        Slot.Grant<String> right = claim(partition, key).grant();
        assertEquals("DELETED", server.text("delete " + item().key()));
        assertEquals(Slot.Published.Outcome.VOIDED, right.publish(draft("new")).outcome());
        assertFalse(read(partition, key).present());
    }

    @Test
    @Tag("D-064")
    void invalidationOfSeveral_reachesEach_alsoThoseThatAreNotThere() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        partition.putAll(Map.of(key + 1, draft("one"), key + 3, draft("three")));
        partition.invalidateAll(List.of(key + 1, key + 2, key + 3), Invalidation.HARD);
        for (int i = 1; i <= 3; i++) {
            assertFalse(read(partition, key + i).present());
        }
    }

    @Test
    void rightOlderThanACreationMayTake_publishesNothing() throws Exception {
        Partition<String> partition = Partitions.of(backend(), time);
        Slot.Grant<String> right = claim(partition, key).grant();
        time.advance(Partitions.MAX_CREATION.plusMillis(1));
        assertFalse(right.renew());
        assertEquals(Slot.Published.Outcome.VOIDED, right.publish(draft("late")).outcome());
        assertFalse(read(partition, key).present());
    }

    @Test
    void tombstone_outlivesEveryRightThatWasGrantedBefore() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        partition.invalidate(key, Invalidation.HARD);
        assertTrue(ttl(item()) >= Partitions.MAX_CREATION.toSeconds(), () -> "has " + ttl(item()));
    }

    @Test
    void valueFromTheFuture_isStale_beyondFiveSeconds() throws Exception {
        Partition<String> partition = Partitions.of(backend(), time);
        partition.put(key, draft("value"));
        time.jumpWall(Duration.ofSeconds(-5));
        assertTrue(read(partition, key).fresh(time.nanos()));
        time.jumpWall(Duration.ofMillis(-1));
        Slot.Seen<String> seen = read(partition, key);
        assertFalse(seen.fresh(time.nanos()));
        assertEquals("value", seen.value());
    }

    @Test
    void rightThatRanOut_isTakenOver_andStoresNothingAfterItsSuccessor() throws Exception {
        Partition<String> first = Partitions.of(backend());
        Partition<String> second = Partitions.of(backend());
        Slot.Grant<String> late = claim(first, key).grant();
        assertEquals(Slot.Claim.Kind.HELD, claim(second, key).kind());
        AtomicReference<Slot.Grant<String>> taken = new AtomicReference<>();
        long began = System.nanoTime();
        Await.until("the lease ends", () -> {
            Slot.Claim<String> again = claimed(second);
            if (again.kind() == Slot.Claim.Kind.GRANTED) {
                taken.set(again.grant());
            }
            return taken.get() != null;
        });
        long took = Duration.ofNanos(System.nanoTime() - began).toMillis();
        assertTrue(took <= Partitions.LEASE.toMillis() + 1_000, () -> "took " + took + " ms");
        assertFalse(late.renew());
        assertEquals(
                Slot.Published.Outcome.STORED, taken.get().publish(draft("new")).outcome());
        Slot.Published<String> refused = late.publish(draft("late"));
        assertEquals(Slot.Published.Outcome.SUPERSEDED, refused.outcome());
        assertEquals("new", refused.seen().value());
        assertEquals("new", read(first, key).value());
    }

    private Slot.Claim<String> claimed(Partition<String> by) {
        try {
            return claim(by, key);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    @Tag("D-067")
    void lateGivingBack_leavesAnotherHoldersRight() throws Exception {
        Partition<String> first = Partitions.of(backend());
        Partition<String> second = Partitions.of(backend());
        Slot.Grant<String> late = claim(first, key).grant();
        assertEquals("DELETED", server.text("delete " + lease().key()));
        Slot.Grant<String> holder = claim(second, key).grant();
        late.abandon(null);
        late.abandon(new IllegalStateException("failed"));
        assertTrue(holder.renew());
        assertEquals(Slot.Claim.Kind.HELD, claim(first, key).kind());
    }

    @Test
    void rightIsRenewed_forItsWholeLease() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        Slot.Grant<String> right = claim(partition, key).grant();
        assertEquals(Partitions.LEASE.minusSeconds(1), right.lease(), "the first second may be over at once");
        assertEquals(
                "HD", server.text("mg " + lease().key() + " T1").substring(0, 2)); // as if its time were nearly over
        assertTrue(right.renew());
        assertTrue(ttl(lease()) >= 2, () -> "has " + ttl(lease()));
        assertTrue(right.renew(), "once more, by the number it has now");
    }

    @Test
    void failures_areToldToOthers_untilTheKeyIsTriedAgain() throws Exception {
        Partition<String> first = Partitions.of(backend(), time);
        Partition<String> second = Partitions.of(backend(), time);
        claim(first, key).grant().abandon(new IllegalStateException("first"));
        claim(first, key).grant().abandon(new IllegalStateException("no\nluck"));
        Slot.Claim<String> refused = claim(second, key);
        assertEquals(Slot.Claim.Kind.BACKING_OFF, refused.kind());
        assertEquals(Duration.ofMillis(100), refused.left());
        assertTrue(refused.why().contains("no luck") && refused.why().contains(key), refused.why());
        claim(second, key, Slot.Wish.Reason.REFRESH).grant().abandon(new IllegalStateException("third"));
        assertEquals(Duration.ofMillis(200), claim(second, key).left());
        time.advance(Duration.ofMillis(201));
        Slot.Claim<String> again = claim(first, key);
        assertEquals(Slot.Claim.Kind.GRANTED, again.kind());
        again.grant().publish(draft("value"));
        assertEquals("value", read(second, key).value());
        second.invalidate(key, Invalidation.HARD);
        claim(second, key).grant().abandon(new IllegalStateException("the first in a row again"));
        assertEquals(Slot.Claim.Kind.GRANTED, claim(second, key).kind());
    }

    @Test
    void damagedRight_isNobodys() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        for (String damaged : List.of("", "L", "L x", "E 1", "L n 999999999 99999999999999999999", "x".repeat(2_000))) {
            assertEquals("STORED", server.text("set " + lease().key() + " 0 0 " + damaged.length(), damaged));
            Slot.Claim<String> claim = claim(partition, key);
            assertEquals(Slot.Claim.Kind.GRANTED, claim.kind(), damaged);
            claim.grant().abandon(null);
        }
    }

    @Test
    void waiter_isToldTheValue_byAPoll() throws Exception {
        Partition<String> first = Partitions.of(backend());
        Partition<String> second = Partitions.of(backend());
        Slot.Grant<String> right = claim(first, key).grant();
        assertFalse(seenBy(second).present());
        BlockingQueue<Optional<Slot.Seen<String>>> told = new LinkedBlockingQueue<>();
        try (Slot.Watch watch = second.slot(key).watch(seen -> told.add(Optional.ofNullable(seen)))) {
            assertTrue(watch.live());
            awaitPolls();
            right.publish(draft("value"));
            Optional<Slot.Seen<String>> seen = told.poll(2, TimeUnit.SECONDS);
            assertNotNull(seen);
            // Or it is told to look: where the region's marks must be read again first.
            assertEquals("value", seen.orElseGet(() -> seenBy(second)).value());
            assertTrue(watch.live());
        }
    }

    @Test
    @Tag("D-068")
    void waiter_isToldThatTheRightIsFree_byAPoll_andNoPollsFollowItsEnd() throws Exception {
        Partition<String> first = Partitions.of(backend());
        Partition<String> second = Partitions.of(backend());
        Slot.Grant<String> right = claim(first, key).grant();
        BlockingQueue<String> told = new LinkedBlockingQueue<>();
        Slot.Watch watch = second.slot(key).watch(seen -> told.add(seen == null ? "look" : "value"));
        Slot.Watch beside = second.slot(key).watch(seen -> told.add(seen == null ? "look" : "value"));
        awaitPolls();
        right.abandon(null);
        long freed = System.nanoTime();
        assertEquals("look", told.poll(2, TimeUnit.SECONDS));
        assertEquals("look", told.poll(2, TimeUnit.SECONDS), "each is told");
        long took = Duration.ofNanos(System.nanoTime() - freed).toMillis();
        assertTrue(took <= 1_000, () -> "told after " + took + " ms");
        watch.close();
        beside.close();
        long[] gets = {-1};
        Await.until("the polls end", () -> {
            long before = gets[0];
            gets[0] = server.stat("cmd_get");
            LockSupport.parkNanos(Duration.ofMillis(60).toNanos());
            return gets[0] == before;
        });
    }

    /** Both items were read three times since. */
    private static void awaitPolls() {
        long before = server.stat("cmd_get");
        Await.until("it polls", () -> server.stat("cmd_get") >= before + 6);
    }

    private Slot.Seen<String> seenBy(Partition<String> partition) {
        try {
            return Partitions.read(partition, key);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void invalidationOfARegion_isSeenByOthers_afterASecond() throws Exception {
        Partition<String> first = Partitions.of(backend());
        Partition<String> second = Partitions.of(backend());
        first.put(key, draft("value"));
        assertTrue(read(second, key).present());
        long began = System.nanoTime();
        first.invalidateAll(Invalidation.HARD);
        assertFalse(read(first, key).present(), "its own, at once");
        Await.until("the other sees it", () -> !seenBy(second).present());
        long took = Duration.ofNanos(System.nanoTime() - began).toMillis();
        assertTrue(took <= 2_000, () -> "took " + took + " ms");
    }

    @Test
    void invalidationOfARegion_isSeenByOthers_alsoWhileOneOfTheirThreadsReadsTheMarks() throws Exception {
        HeldTime clock = new HeldTime(time);
        Partition<String> first = Partitions.of(backend(), time);
        Partition<String> second = Partitions.of(backend(), clock);
        first.put(key, draft("value"));
        assertTrue(read(second, key).present());
        first.invalidateAll(Invalidation.HARD);
        time.advance(Duration.ofSeconds(1));
        Partitions.Both<Slot.Seen<String>> both = Partitions.besideReader(second, key, clock, () -> read(second, key));
        assertFalse(both.read().present());
        assertFalse(both.beside().present());
    }

    @Test
    void nodeThatLagsBehindAnInvalidation_doesNotTakeANewersRightAway() throws Exception {
        Partition<String> ahead = Partitions.of(backend(), time);
        Partition<String> behind = Partitions.of(backend(), time);
        read(behind, key);
        ahead.invalidateAll(Invalidation.HARD);
        Slot.Grant<String> right = claim(ahead, key).grant();
        assertEquals(Slot.Claim.Kind.HELD, claim(behind, key).kind());
        assertTrue(right.renew());
    }

    @Test
    void lostMarks_reviveNothing() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        partition.put(key, draft("value"));
        assertEquals("DELETED", server.text("delete dogpile:region~hard"));
        assertFalse(read(Partitions.of(backend()), key).present());
    }

    @Test
    void clientOfAnotherKind_isRefused_atOnce() {
        MemcachedClient redistributing = MemcachedServer.clientOf(FailureMode.Redistribute, server);
        made.add(redistributing::shutdown);
        MemcachedClient text = MemcachedServer.clientOf(
                new ConnectionFactoryBuilder()
                        .setProtocol(ConnectionFactoryBuilder.Protocol.TEXT)
                        .setFailureMode(FailureMode.Cancel),
                server);
        made.add(text::shutdown);
        for (MemcachedClient wrong : List.of(redistributing, text)) {
            assertThrows(IllegalArgumentException.class, () -> MemcachedBackend.of(wrong));
            assertThrows(IllegalArgumentException.class, () -> MemcachedLockProvider.of(wrong));
        }
    }

    @Test
    void clientOfTheUser_staysOpen_andItsSettingsAreNotContradicted() throws Exception {
        MemcachedClient client = client();
        try (MemcachedBackend backend = MemcachedBackend.of(client)) {
            Partitions.of(backend).put(key, draft("value"));
        }
        assertNotNull(client.get("dogpile:region~hard", new net.spy.memcached.transcoders.SerializingTranscoder()));
        String said = assertThrows(
                        IllegalArgumentException.class,
                        () -> MemcachedBackend.builder()
                                .client(client)
                                .timeout(Duration.ofSeconds(9))
                                .build())
                .getMessage();
        assertTrue(said.contains("PT9S"), said);
    }

    @Test
    @Tag("D-047")
    void servers_areOneOrAList_andNoTextOfSeveral() {
        MemcachedBackend.Builder builder = MemcachedBackend.builder();
        builder.servers("foo:11211").servers("a:1", "b:2", "[::1]:11211");
        for (String wrong : List.of("", "foo", ":1", "foo:0", "foo:65536", "foo:x", "a:1, b:2", "a:1,b:2", " a:1")) {
            String said = assertThrows(IllegalArgumentException.class, () -> builder.servers(wrong))
                    .getMessage();
            assertTrue(said.contains("'" + wrong + "'"), said);
        }
        assertThrows(IllegalArgumentException.class, builder::servers);
    }

    @Test
    @Tag("D-062")
    void names_holdNothingForbidden_fit_andAreDifferent() {
        Names names = new Names("p:");
        String longest = "x".repeat(300);
        List<String> texts = List.of(
                "",
                " ",
                "a",
                "a ",
                "a\\20",
                "a%20",
                "\t",
                "\n",
                "\u007f",
                "\\",
                longest,
                longest + "y",
                "\u00e9".repeat(150));
        List<String> keys = new ArrayList<>();
        for (String text : texts) {
            Item value = names.value("region", text);
            keys.add(value.key());
            keys.add(names.lease(value).key());
            keys.add(names.lock("region:" + text).key());
            assertEquals(value.key(), names.lease(value).beside());
        }
        for (String one : keys) {
            assertTrue(Names.bytes(one).length <= Names.LONGEST_KEY, one);
            assertTrue(one.chars().noneMatch(c -> c <= ' ' || c == 0x7f), one);
        }
        assertEquals(keys.size(), keys.stream().distinct().count());
    }

    @Test
    void interruptedCaller_isAnswered_andStaysInterrupted() throws Exception {
        Partition<String> partition = Partitions.of(backend());
        partition.put(key, draft("value"));
        Thread.currentThread().interrupt();
        try {
            assertEquals("value", read(partition, key).value());
        } finally {
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void close_endsItsThreads() throws Exception {
        MemcachedBackend backend = MemcachedBackend.builder()
                .servers(server.address())
                .prefix("threads:")
                .build();
        Partition<String> partition = Partitions.of(backend);
        Slot.Grant<String> right = claim(partition, key).grant();
        partition.slot("other").watch(seen -> {}).close();
        right.publish(draft("value"));
        backend.close();
        backend.close();
        Await.until(
                "its threads end",
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().startsWith("dogpile-memcached")));
        MemcachedException after = assertThrows(MemcachedException.class, () -> read(partition, key));
        assertEquals(MemcachedException.Condition.CLOSED, after.condition());
    }
}
