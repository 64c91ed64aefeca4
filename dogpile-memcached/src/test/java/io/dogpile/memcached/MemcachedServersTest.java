package io.dogpile.memcached;

import static io.dogpile.memcached.Partitions.claim;
import static io.dogpile.memcached.Partitions.draft;
import static io.dogpile.memcached.Partitions.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.HeldTime;
import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import io.dogpile.core.Slot;
import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What becomes of a region where servers are down, frozen, full, restarted or several; on a memcached of this machine. */
class MemcachedServersTest {
    private static final Duration TIMEOUT = Duration.ofMillis(300);

    private final List<AutoCloseable> made = new ArrayList<>();
    private final AtomicInteger creations = new AtomicInteger();
    private final List<Throwable> troubles = new CopyOnWriteArrayList<>();

    private final DogpileListener listener = new DogpileListener() {
        @Override
        public void storeDown(Object name, Throwable failure) {
            troubles.add(failure);
        }
    };

    @AfterEach
    void closeAll() throws Exception {
        for (int i = made.size() - 1; i >= 0; i--) {
            made.get(i).close();
        }
    }

    private MemcachedServer server(String... options) {
        MemcachedServer server = MemcachedServer.builder().option(options).start();
        made.add(server);
        return server;
    }

    private MemcachedBackend backend(MemcachedServer... servers) {
        return backend(MemcachedBackend.builder(), servers);
    }

    private MemcachedBackend backend(MemcachedBackend.Builder builder, MemcachedServer... servers) {
        MemcachedBackend backend = builder.timeout(TIMEOUT)
                .servers(List.of(servers).stream().map(MemcachedServer::address).toArray(String[]::new))
                .build();
        made.add(backend);
        return backend;
    }

    private Region<String, String> region(MemcachedBackend backend) {
        Region<String, String> region = Region.<String, String>builder("region")
                .backend(backend)
                .serializer(Serializer.string())
                .maxValueBytes(8 << 20)
                .hardTimeout(Duration.ofSeconds(20))
                .lease(Partitions.LEASE)
                .listener(listener)
                .build();
        made.add(region);
        return region;
    }

    private String create(String key) {
        return key + ' ' + creations.incrementAndGet();
    }

    private static MemcachedException.Condition failing(Partition<String> partition, String key) {
        return assertThrows(MemcachedException.class, () -> read(partition, key))
                .condition();
    }

    private static void awaitAnswer(Partition<String> partition) {
        Await.until("it answers", () -> {
            try {
                return read(partition, "any") != null;
            } catch (Exception notYet) {
                return false;
            }
        });
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    // One server

    @Test
    void serverThatIsDown_failsAtOnce_andIsFoundWhenItIsBack() throws Exception {
        MemcachedServer server = server();
        server.kill();
        long began = System.nanoTime();
        MemcachedBackend backend = backend(server);
        assertTrue(millisSince(began) < 5_000, "build waits no longer than for an answer");
        Partition<String> partition = Partitions.of(backend);
        began = System.nanoTime();
        for (int i = 0; i < 20; i++) {
            assertEquals(MemcachedException.Condition.UNREACHABLE, failing(partition, "key"));
        }
        assertTrue(millisSince(began) < TIMEOUT.toMillis() * 10, "not one of them waits");
        Region<String, String> region = region(backend);
        assertEquals("key 1", region.getOrCreate("key", this::create), "whenDown: create");
        assertFalse(troubles.isEmpty());
        server.restart();
        awaitAnswer(partition);
        partition.put("key", draft("value"));
        assertEquals("value", read(partition, "key").value());
    }

    @Test
    void restartDuringACreation_refusesWhatWouldReplaceAValue_andItsCallerKeepsIt() throws Exception {
        MemcachedServer server = server();
        MemcachedBackend backend = backend(server);
        Partition<String> partition = Partitions.of(backend);
        partition.put("key", draft("old"));
        partition.invalidate("key", Invalidation.SOFT);
        Slot.Grant<String> right = claim(partition, "key").grant();
        server.restart();
        awaitAnswer(partition);
        assertFalse(right.renew(), "its lease is lost");
        assertEquals(Slot.Published.Outcome.VOIDED, right.publish(draft("new")).outcome());
        Region<String, String> region = region(backend);
        String created = region.getOrCreate("other", key -> {
            server.restart();
            return create(key);
        });
        assertEquals("other 1", created);
        awaitAnswer(partition);
        assertEquals("again 2", region.getOrCreate("again", this::create));
        assertEquals("again 2", region.getOrCreate("again", this::create), "and it is stored again");
    }

    @Test
    void killDuringACreation_leavesTheCallerItsValue() {
        MemcachedServer server = server();
        Region<String, String> region = region(backend(server));
        assertEquals("key 1", region.getOrCreate("key", key -> {
            server.kill();
            return create(key);
        }));
        assertFalse(troubles.isEmpty());
    }

    @Test
    void frozenServer_isNotWaitedForLongerThanAsked_andARightThatItGrantedLateEnds() throws Exception {
        MemcachedServer server = server();
        MemcachedBackend backend = backend(server);
        Partition<String> partition = Partitions.of(backend);
        Slot.Seen<String> nothing = read(partition, "key");
        server.freeze();
        long began = System.nanoTime();
        MemcachedException late = assertThrows(
                MemcachedException.class,
                () -> nothing.claim(new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, false)));
        assertEquals(MemcachedException.Condition.TIMEOUT, late.condition());
        assertThrows(MemcachedException.class, () -> partition.readAll(List.of("1", "2", "3", "4", "5", "6")));
        assertTrue(millisSince(began) < 4 * TIMEOUT.toMillis(), () -> "took " + millisSince(began) + " ms");
        server.thaw();
        awaitAnswer(partition);
        Await.until("the right is free", () -> {
            try {
                return claim(partition, "key").kind() == Slot.Claim.Kind.GRANTED;
            } catch (Exception notYet) {
                return false;
            }
        });
    }

    @Test
    void holderWhoseServerStoodStillForLongerThanItsLease_storesNothingAfterItsSuccessor() throws Exception {
        MemcachedServer server = server();
        Partition<String> first = Partitions.of(backend(server));
        Partition<String> second = Partitions.of(backend(server));
        Slot.Grant<String> late = claim(first, "key").grant();
        server.text("delete dogpile:~lease:region:key"); // as if its time had passed meanwhile
        server.freeze();
        server.thaw();
        awaitAnswer(second);
        claim(second, "key").grant().publish(draft("new"));
        assertEquals(
                Slot.Published.Outcome.SUPERSEDED, late.publish(draft("late")).outcome());
        assertEquals("new", read(first, "key").value());
    }

    @Test
    void fullServer_refusesToStore_answersReads_andItsCallerKeepsTheValue() throws Exception {
        MemcachedBackend backend = backend(server("-m", "2", "-M"));
        Partition<String> partition = Partitions.of(backend);
        String large = "x".repeat(200_000);
        partition.put("small", draft("value"));
        MemcachedException full = assertThrows(MemcachedException.class, () -> {
            for (int i = 0; i < 100; i++) {
                partition.put("key" + i, draft(large));
            }
        });
        assertEquals(MemcachedException.Condition.OUT_OF_MEMORY, full.condition());
        assertEquals("value", read(partition, "small").value());
        assertEquals(large, region(backend).getOrCreate("new", key -> large));
        assertEquals("value", read(partition, "small").value(), "the connection holds");
    }

    @Test
    void flushedRight_letsAnotherCreate_andOneOfTheTwoIsStored() throws Exception {
        MemcachedServer server = server();
        Partition<String> partition =
                Partitions.of(backend(server), new FakeTime()); // the marks are known until the end
        Slot.Grant<String> first = claim(partition, "key").grant();
        assertEquals("OK", server.text("flush_all"));
        assertFalse(first.renew());
        Slot.Grant<String> second = claim(partition, "key").grant();
        assertEquals(
                Slot.Published.Outcome.STORED, second.publish(draft("second")).outcome());
        Slot.Published.Outcome refused = first.publish(draft("first")).outcome();
        assertNotEquals(Slot.Published.Outcome.STORED, refused);
        assertEquals("second", read(partition, "key").value());
    }

    @Test
    void marksThatCouldNotBeReadOnce_areNotGoneByAfterwards_whileOneThreadReadsThem() throws Exception {
        MemcachedServer server = server();
        FakeTime time = new FakeTime();
        HeldTime clock = new HeldTime(time);
        MemcachedBackend backend = backend(server);
        Partition<String> partition = Partitions.of(backend, clock);
        Slot.Seen<String> nothing = read(partition, "key");
        server.kill();
        time.advance(Duration.ofSeconds(1));
        Slot.Wish needed = new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, false);
        assertThrows(MemcachedException.class, () -> nothing.claim(needed));
        server.restart(); // which loses the marks
        LockProvider locks = backend.locks();
        Await.until("the client is connected", () -> {
            try {
                return locks.tryAcquire("name", Duration.ofSeconds(9)).isPresent();
            } catch (MemcachedException notYet) {
                return false;
            }
        });
        time.advance(Duration.ofSeconds(1));
        Slot.Grant<String> right = Partitions.besideReader(
                        partition, "key", clock, () -> claim(partition, "key").grant())
                .beside();
        assertEquals(
                Slot.Published.Outcome.STORED, right.publish(draft("value")).outcome());
    }

    @Test
    void serverThatEvicts_losesValues_andNothingElse() throws Exception {
        MemcachedServer server = server("-m", "2");
        Partition<String> partition = Partitions.of(backend(server));
        String large = "x".repeat(100_000);
        for (int i = 0; i < 60; i++) {
            partition.put("key" + i, draft(large));
        }
        assertTrue(server.stat("evictions") > 0);
        assertFalse(read(partition, "key0").usable(Long.MIN_VALUE + 1));
        Slot.Grant<String> right =
                claim(partition, "key0", Slot.Wish.Reason.REFRESH).grant();
        assertEquals(
                Slot.Published.Outcome.STORED, right.publish(draft("again")).outcome());
        assertEquals("again", read(partition, "key0").value());
    }

    @Test
    @Tag("D-063")
    void valueThatIsTooLarge_isItsCallers_andTold_whoeverRefusesIt() throws Exception {
        MemcachedServer server = server();
        String large = "x".repeat(2 << 20);
        MemcachedBackend guarded = backend(server);
        String said = assertThrows(
                        IllegalArgumentException.class,
                        () -> Partitions.of(guarded).put("key", draft(large)))
                .getMessage();
        assertTrue(said.contains("'region'") && said.contains("'key'") && said.contains("maxItemBytes"), said);
        MemcachedBackend trusting = backend(MemcachedBackend.builder().maxItemBytes(4 << 20), server);
        MemcachedException refused = assertThrows(
                MemcachedException.class, () -> Partitions.of(trusting).put("key", draft(large)));
        assertEquals(MemcachedException.Condition.TOO_LARGE, refused.condition());
        for (MemcachedBackend backend : List.of(guarded, trusting)) {
            troubles.clear();
            Region<String, String> region = region(backend);
            assertEquals(large, region.getOrCreate("large", key -> large));
            assertFalse(troubles.isEmpty(), "it is told");
            assertEquals("small", region.getOrCreate("small", key -> key), "and the connection holds");
        }
        MemcachedServer larger = server("-I", "4m");
        MemcachedBackend roomy = backend(MemcachedBackend.builder().maxItemBytes(4 << 20), larger);
        Partitions.of(roomy).put("key", draft(large));
        assertEquals(large, read(Partitions.of(roomy), "key").value());
    }

    @Test
    @Tag("D-061")
    void credentialsThatAreMissingOrWrong_areToldAsSuch_notAsMisses() {
        MemcachedServer server = MemcachedServer.builder().sasl().start();
        made.add(server);
        assertEquals(MemcachedException.Condition.DENIED, failing(Partitions.of(backend(server)), "key"));
        MemcachedBackend wrong =
                backend(MemcachedBackend.builder().credentials("cache@memcached", "no-such-password"), server);
        assertFalse(wrong.toString().contains("no-such-password"));
        Partition<String> partition = Partitions.of(wrong);
        Await.until("it is denied", () -> {
            MemcachedException failure = assertThrows(MemcachedException.class, () -> read(partition, "key"));
            assertFalse(failure.toString().contains("no-such-password"));
            return failure.condition() == MemcachedException.Condition.DENIED;
        });
    }

    @Test
    @Tag("D-061")
    void credentials_areThoseOfPlain() throws Exception {
        PlainServer server = new PlainServer("cache", "secret");
        made.add(server);
        MemcachedBackend backend = MemcachedBackend.builder()
                .servers(server.address())
                .credentials("cache", "secret")
                .timeout(MemcachedServer.TIMEOUT)
                .build();
        made.add(backend);
        Item item = new Item("any", "any");
        assertTrue(backend.member()
                .server()
                .answer(backend.member().server().gets(item))
                .missing());
    }

    // Waiting

    @Test
    void waitersOfAnotherProcess_areOnePoll_andGetTheValueSoonAfter() throws Exception {
        MemcachedServer server = server();
        Partition<String> creator = Partitions.of(backend(server));
        Region<String, String> region = region(backend(server));
        Slot.Grant<String> right = claim(creator, "key").grant();
        int waiting = 20;
        ExecutorService threads = Executors.newFixedThreadPool(waiting);
        made.add(threads::shutdownNow);
        long getsBefore = server.stat("cmd_get");
        List<Future<String>> waiters = IntStream.range(0, waiting)
                .mapToObj(i -> threads.submit(() -> region.getOrCreate("key", this::create)))
                .toList();
        Await.until("they wait", () -> server.stat("cmd_get") > getsBefore + 40);
        long getsWhileTheyWait = server.stat("cmd_get");
        assertThrows(TimeoutException.class, () -> waiters.get(0).get(500, TimeUnit.MILLISECONDS));
        long gets = server.stat("cmd_get") - getsWhileTheyWait;
        // A poll reads two items each 15 ms, some 70 in this time; 20 waiters that poll each for itself: 20 times as
        // many.
        assertTrue(gets < 200, () -> gets + " reads in half a second");
        right.publish(draft("value"));
        long published = System.nanoTime();
        for (Future<String> waiter : waiters) {
            assertEquals("value", waiter.get(10, TimeUnit.SECONDS));
        }
        long took = millisSince(published);
        assertTrue(took < 1_000, () -> "took " + took + " ms");
        assertEquals(0, creations.get());
    }

    @Test
    void whatIsCreatedHere_isNotPolledFor() throws Exception {
        MemcachedServer server = server();
        Region<String, String> region = region(backend(server));
        region.getOrCreate("any", this::create);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        made.add(threads::shutdownNow);
        CountDownLatch creating = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Future<String> creator = threads.submit(() -> region.getOrCreate("key", key -> {
            creating.countDown();
            end.await();
            return create(key);
        }));
        creating.await();
        long before = server.stat("cmd_get");
        Future<String> waiter = threads.submit(() -> region.getOrCreate("key", this::create));
        assertThrows(TimeoutException.class, () -> waiter.get(500, TimeUnit.MILLISECONDS));
        long gets = server.stat("cmd_get") - before;
        assertTrue(gets <= 4, () -> gets + " reads in half a second");
        end.countDown();
        assertEquals("key 2", creator.get(10, TimeUnit.SECONDS));
        assertEquals("key 2", waiter.get(10, TimeUnit.SECONDS));
    }

    @Test
    void holderThatDies_isReplaced_whenItsLeaseEnds() throws Exception {
        MemcachedServer server = server();
        Partition<String> dying = Partitions.of(backend(server));
        Region<String, String> region = region(backend(server));
        assertNotNull(claim(dying, "key").grant());
        long died = System.nanoTime();
        assertEquals("key 1", region.getOrCreate("key", this::create));
        long took = millisSince(died);
        assertTrue(took <= Partitions.LEASE.toMillis() + 1_500, () -> "took " + took + " ms");
    }

    @Test
    @Tag("D-065")
    void twoProcesses_createEachKeyOnce() throws Exception {
        MemcachedServer server = server();
        List<Region<String, String>> regions = List.of(region(backend(server)), region(backend(server)));
        int callers = 16;
        ExecutorService threads = Executors.newFixedThreadPool(callers);
        made.add(threads::shutdownNow);
        for (int round = 0; round < 10; round++) {
            String key = "key" + round;
            CountDownLatch start = new CountDownLatch(1);
            List<Future<String>> all = IntStream.range(0, callers)
                    .mapToObj(i -> threads.submit(() -> {
                        start.await();
                        return regions.get(i % 2).getOrCreate(key, this::create);
                    }))
                    .toList();
            start.countDown();
            Set<String> seen = new HashSet<>();
            for (Future<String> one : all) {
                seen.add(one.get(20, TimeUnit.SECONDS));
            }
            assertEquals(Set.of(key + ' ' + (round + 1)), seen);
        }
    }

    // Several servers

    @Test
    void severalServers_haveEachRightBesideItsValue_andShareTheKeys() throws Exception {
        List<MemcachedServer> servers = List.of(server(), server());
        MemcachedBackend own = backend(servers.get(0), servers.get(1));
        MemcachedClient client = MemcachedServer.clientOf(FailureMode.Cancel, servers.get(0), servers.get(1));
        made.add(client::shutdown);
        MemcachedBackend ofUser = MemcachedBackend.of(client);
        made.add(ofUser);
        for (MemcachedBackend backend : List.of(own, ofUser)) {
            Partition<String> partition = Partitions.of(backend);
            Map<Boolean, Long> where = IntStream.range(0, 50)
                    .mapToObj(i -> "key" + i + (backend == own ? "" : "-of-user"))
                    .collect(Collectors.partitioningBy(
                            key -> isWithItsRight(partition, key, servers), Collectors.counting()));
            assertTrue(where.get(true) > 5 && where.get(false) > 5, where::toString);
        }
    }

    /** Whether both are on the first server; else both are on the second. */
    private static boolean isWithItsRight(Partition<String> partition, String key, List<MemcachedServer> servers) {
        try {
            partition.put(key, draft("old"));
            Slot.Claim<String> claim = claim(partition, key, Slot.Wish.Reason.REFRESH);
            assertEquals(Slot.Claim.Kind.GRANTED, claim.kind());
            List<Integer> found = IntStream.range(0, 2)
                    .filter(i -> servers.get(i).text("mg dogpile:region:" + key).startsWith("HD"))
                    .boxed()
                    .toList();
            List<Integer> rights = IntStream.range(0, 2)
                    .filter(i -> servers.get(i)
                            .text("mg dogpile:~lease:region:" + key)
                            .startsWith("HD"))
                    .boxed()
                    .toList();
            assertEquals(1, found.size());
            assertEquals(found, rights);
            assertEquals(
                    Slot.Published.Outcome.STORED,
                    claim.grant().publish(draft("new")).outcome());
            return found.get(0) == 0;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void oneOfSeveralServersIsDown_itsKeysFail_andTheOthersGoOn() throws Exception {
        List<MemcachedServer> servers = List.of(server(), server());
        MemcachedBackend backend = backend(servers.get(0), servers.get(1));
        Partition<String> partition = Partitions.of(backend);
        for (int i = 0; i < 40; i++) {
            partition.put("key" + i, draft("value"));
        }
        servers.get(1).kill();
        Await.until("the loss is noticed", () -> IntStream.range(0, 40).anyMatch(i -> isLost(partition, "key" + i)));
        long began = System.nanoTime();
        long lost =
                IntStream.range(0, 40).filter(i -> isLost(partition, "key" + i)).count();
        assertTrue(lost > 5 && lost < 35, () -> lost + " of 40");
        assertTrue(millisSince(began) < 10 * TIMEOUT.toMillis(), () -> "took " + millisSince(began) + " ms");
    }

    /** What is not lost has its value: no other server answers "none" for the one that is down. */
    private static boolean isLost(Partition<String> partition, String key) {
        try {
            assertEquals("value", partition.readAll(List.of(key)).get(key).value());
            return false;
        } catch (MemcachedException down) {
            return true;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    // The lock

    @Test
    @Tag("D-069")
    void regionsUnderTheLock_createEachKeyOnce() throws Exception {
        MemcachedServer server = server();
        List<Region<String, String>> regions = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            MemcachedBackend backend = backend(server);
            Region<String, String> region = Region.<String, String>builder("locked")
                    .backend(backend)
                    .serializer(Serializer.string())
                    .lock(backend.locks(), Duration.ofSeconds(5))
                    .hardTimeout(Duration.ofSeconds(20))
                    .build();
            made.add(region);
            regions.add(region);
        }
        ExecutorService threads = Executors.newFixedThreadPool(8);
        made.add(threads::shutdownNow);
        List<Future<String>> all = IntStream.range(0, 8)
                .mapToObj(i -> threads.submit(() -> regions.get(i % 2).getOrCreate("key", this::create)))
                .toList();
        for (Future<String> one : all) {
            assertEquals("key 1", one.get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    @Tag("D-066")
    void lockOfASubSecondLease_lastsAtLeastAsLongAsAsked_andEnds() {
        LockProvider locks = backend(server()).locks();
        long began = System.nanoTime();
        Lease lease = locks.tryAcquire("name", Duration.ofMillis(900)).orElseThrow();
        Await.until(
                "it ends",
                () -> locks.tryAcquire("name", Duration.ofSeconds(60)).isPresent());
        long took = millisSince(began);
        assertTrue(took >= 850 && took <= 3_000, () -> "took " + took + " ms");
        assertFalse(lease.extend(Duration.ofSeconds(1)));
    }

    @Test
    void lockWhoseServerIsDown_isNotKnown() {
        MemcachedServer server = server();
        LockProvider locks = backend(server).locks();
        Lease lease = locks.tryAcquire("name", Duration.ofSeconds(60)).orElseThrow();
        server.kill();
        assertThrows(MemcachedException.class, () -> locks.tryAcquire("other", Duration.ofSeconds(1)));
        assertThrows(MemcachedException.class, () -> lease.extend(Duration.ofSeconds(1)));
        assertThrows(MemcachedException.class, lease::close);
    }
}
