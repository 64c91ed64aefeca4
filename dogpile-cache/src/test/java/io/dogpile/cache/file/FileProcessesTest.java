package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.Background;
import io.dogpile.core.Lease;
import io.dogpile.core.SyncReaderDogpile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several JVMs on one directory. Keys and locks are new in each test. */
class FileProcessesTest {
    private static final Duration LEASE = Duration.ofSeconds(5);
    private static final int INCREMENTS = 1_000;
    private static final int READS = 33_400; // by each of three: 100,200

    @TempDir
    static Path directory;

    private static NodeProcess[] nodes;

    @BeforeAll
    static void start() throws Exception {
        nodes = NodeProcess.on(directory, 3);
    }

    @AfterAll
    static void stop() {
        for (NodeProcess node : nodes) {
            node.close();
        }
    }

    @Test
    @Tag("F-037")
    @Tag("F-034")
    void increments_byThreeProcesses_areNotLost() throws Exception {
        Path counter = directory.resolve("counter");
        Files.writeString(counter, "0");
        List<CompletableFuture<String>> all = new ArrayList<>();
        for (NodeProcess node : nodes) {
            all.add(node.begin("increment counting counter " + INCREMENTS));
        }
        for (CompletableFuture<String> one : all) {
            assertEquals("done", one.get(60, TimeUnit.SECONDS));
        }
        assertEquals(Integer.toString(3 * INCREMENTS), Files.readString(counter));
    }

    @Test
    @Tag("F-041")
    void holderThatIsKilled_isFollowedAtOnce() throws Exception {
        try (FileLockProvider provider = FileLockProvider.in(directory);
                NodeProcess holder = NodeProcess.on(directory)) {
            assertEquals("granted", holder.ask("acquire killed"));
            assertTrue(provider.tryAcquire("killed", LEASE).isEmpty());
            holder.kill();
            provider.tryAcquire("killed", LEASE).orElseThrow().close();
        }
    }

    @Test
    @Tag("D-033")
    void lock_isHeldAgainstOtherProcesses_whileProvidersComeAndGo() throws Exception {
        try (FileLockProvider provider = FileLockProvider.in(directory);
                Lease lease = provider.tryAcquire("kept", LEASE).orElseThrow()) {
            FileLockProvider.in(directory).close();
            try (FileReadWriteLock other = FileReadWriteLock.in(directory, "kept")) {
                other.readLock().lock();
                other.readLock().unlock();
            }
            FileBackend.in(directory).close();
            assertEquals("refused", nodes[0].ask("acquire kept"));
            assertTrue(lease.extend(LEASE));
        }
        assertEquals("granted", nodes[0].ask("acquire kept"));
        assertEquals("refused", nodes[1].ask("acquire kept"));
        nodes[0].ask("release kept");
    }

    @Test
    @Tag("F-034")
    void coldKey_inThreeProcessesOfFiveThreads_isCreatedOnce() throws Exception {
        List<CompletableFuture<String>> all = new ArrayList<>();
        for (NodeProcess node : nodes) {
            all.add(node.begin("obtain-all cold 5"));
        }
        int created = 0;
        for (CompletableFuture<String> one : all) {
            created += Integer.parseInt(one.get(60, TimeUnit.SECONDS).substring("created ".length()));
        }
        assertEquals(1, created);
    }

    @Test
    void waiterInAnotherProcess_getsTheValue_asSoonAsItIsThere() throws Exception {
        assertEquals("creating", nodes[0].ask("create awaited value"));
        CompletableFuture<String> waiter = nodes[1].begin("obtain awaited other 20000");
        assertTrue(NodeProcess.isOpen(waiter, 200));
        assertEquals("value", nodes[0].ask("finish"));
        assertEquals("value", waiter.get(20, TimeUnit.SECONDS));
    }

    @Test
    @Tag("F-041")
    void creatorThatIsKilled_isFollowed_byWhoWaits() throws Exception {
        try (NodeProcess creator = NodeProcess.on(directory)) {
            assertEquals("creating", creator.ask("create orphan never"));
            CompletableFuture<String> waiter = nodes[1].begin("obtain orphan next 20000");
            assertTrue(NodeProcess.isOpen(waiter, 200));
            creator.kill();
            assertEquals("next", waiter.get(20, TimeUnit.SECONDS), "else it has timed out");
        }
    }

    @Test
    void creatorThatIsStopped_makesThoseWhoWaitTimeOut_andPublishesWhenItGoesOn() throws Exception {
        try (NodeProcess creator = NodeProcess.on(directory)) {
            assertEquals("creating", creator.ask("create stopped late"));
            creator.stop();
            assertEquals("timed out", nodes[1].ask("obtain stopped other 300"));
            creator.goOn();
            assertEquals("late", creator.ask("finish"));
            assertEquals("late", nodes[1].ask("get stopped"));
        }
    }

    @Test
    @Tag("F-042")
    void staleValue_isServedElsewhere_whileItIsCreatedAnew() throws Exception {
        nodes[0].ask("put stale old");
        nodes[0].ask("invalidate stale SOFT");
        assertEquals("creating", nodes[0].ask("create stale new"));
        assertEquals("old", nodes[1].ask("obtain stale other 20000"));
        assertEquals("new", nodes[0].ask("finish"));
        assertEquals("new", nodes[1].ask("get stale"));
    }

    @Test
    void invalidationInAnotherProcess_duringACreation_isNotUndone() throws Exception {
        for (String how : List.of("HARD", "SOFT")) {
            String key = "invalidated-" + how;
            nodes[0].ask("put " + key + " first");
            nodes[0].ask("invalidate " + key + " SOFT");
            assertEquals("creating", nodes[0].ask("create " + key + " outdated"));
            assertEquals("invalidated", nodes[1].ask("invalidate " + key + ' ' + how));
            assertEquals("outdated", nodes[0].ask("finish"), "its callers have it all the same");
            assertNotEquals("outdated", nodes[2].ask("get " + key));
            assertEquals("anew", createdOrStale(key));
        }
    }

    /** The first caller after a soft invalidation creates. */
    private String createdOrStale(String key) throws Exception {
        return nodes[2].ask("obtain " + key + " anew 20000");
    }

    @Test
    void deletionDuringACreation_letsAnotherProcessCreateAtOnce_andOnlyItsValueStays() throws Exception {
        assertEquals("creating", nodes[0].ask("create deleted zombie"));
        nodes[1].ask("invalidate deleted HARD");
        assertEquals("successor", nodes[1].ask("obtain deleted successor 20000"));
        nodes[0].ask("finish");
        assertEquals("successor", nodes[2].ask("get deleted"));
    }

    @Test
    void putInAnotherProcess_duringACreation_stays() throws Exception {
        assertEquals("creating", nodes[0].ask("create overtaken created"));
        nodes[1].ask("put overtaken put");
        nodes[0].ask("finish");
        assertEquals("put", nodes[2].ask("get overtaken"));
    }

    @Test
    void invalidationOfTheRegion_inAnotherProcess_duringACreation_isNotUndone() throws Exception {
        try (FileBackend own = FileBackend.in(directory);
                Region<String, String> region = Region.<String, String>builder("own")
                        .backend(own)
                        .serializer(Serializer.string())
                        .build()) {
            region.put("key", "value"); // another region, that must not be touched
            assertEquals("creating", nodes[0].ask("create region-key outdated"));
            nodes[1].ask("invalidate-all HARD");
            nodes[0].ask("finish");
            assertEquals("absent", nodes[1].ask("get region-key"));
            assertEquals("value", region.get("key").orElseThrow());
        }
    }

    @Test
    void invalidationOfTheRegion_isSeenByOtherProcesses_afterASecond() throws Exception {
        nodes[0].ask("put seen value");
        assertEquals("value", nodes[1].ask("get seen"));
        nodes[0].ask("invalidate-all HARD");
        assertEquals("absent", nodes[0].ask("get seen"), "at once where it was done");
        Background.eventually("the other process sees it too", () -> isAbsent("seen"));
    }

    private static boolean isAbsent(String key) {
        try {
            return nodes[1].ask("get " + key).equals("absent");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Tag("D-031")
    void writerKilledAtAnyMoment_leavesOldOrNew_neverTorn() throws Exception {
        SplittableRandom random = new SplittableRandom(5);
        try (FileBackend backend = FileBackend.in(directory);
                Region<String, String> region = Region.<String, String>builder(FileNode.REGION)
                        .backend(backend)
                        .serializer(Serializer.string())
                        .recordStats()
                        .build()) {
            for (int round = 0; round < 3; round++) {
                NodeProcess[] writers = NodeProcess.on(directory, 3);
                for (int i = 0; i < writers.length; i++) {
                    region.put("torn" + i, Blocks.of(0, 1));
                    writers[i].ask("keep-writing torn" + i);
                }
                for (int i = 0; i < writers.length; i++) {
                    String key = "torn" + i;
                    Background.eventually(
                            "it writes", () -> !region.get(key).orElseThrow().equals(Blocks.of(0, 1)));
                    readFor(region, "torn" + i, random.nextLong(TimeUnit.MILLISECONDS.toNanos(300)));
                    writers[i].kill();
                    assertTrue(Blocks.isWhole(region.get("torn" + i).orElseThrow()));
                    region.put("torn" + i, Blocks.of(1, 1)); // the lock for writing is free
                }
            }
            assertEquals(0, region.stats().corruptEntries());
        }
    }

    @Test
    @Tag("D-031")
    void writersOfTwoProcesses_ofOneKey_neverMixWhatTheyWrite() throws Exception {
        NodeProcess[] writers = NodeProcess.on(directory, 2);
        try (FileBackend backend = FileBackend.in(directory);
                Region<String, String> region = Region.<String, String>builder(FileNode.REGION)
                        .backend(backend)
                        .serializer(Serializer.string())
                        .recordStats()
                        .build()) {
            region.put("mixed", Blocks.of(0, 1));
            for (NodeProcess writer : writers) {
                writer.ask("keep-writing mixed");
            }
            readFor(region, "mixed", TimeUnit.SECONDS.toNanos(1));
            for (NodeProcess writer : writers) {
                assertEquals("none", writer.ask("trouble"));
            }
            assertEquals(0, region.stats().corruptEntries());
        } finally {
            for (NodeProcess writer : writers) {
                writer.close();
            }
        }
    }

    private static void readFor(Region<String, String> region, String key, long nanos) {
        for (long end = System.nanoTime() + nanos; System.nanoTime() < end; ) {
            assertTrue(Blocks.isWhole(region.get(key).orElseThrow()));
        }
    }

    @Test
    @Tag("D-029")
    void readersInThreeProcesses_andAWriterInAFourth_neverSeeATornFile() throws Exception {
        Path file = directory.resolve("rewritten");
        Files.writeString(file, Blocks.of(1, 1));
        List<CompletableFuture<String>> readers = new ArrayList<>();
        for (NodeProcess node : nodes) {
            readers.add(node.begin("read rewriting rewritten " + READS));
        }
        try (NodeProcess writer = NodeProcess.on(directory)) {
            int rewrites = 0;
            while (!readers.stream().allMatch(CompletableFuture::isDone)) {
                assertEquals("written", writer.ask("rewrite rewriting rewritten 20"));
                rewrites += 20;
            }
            for (CompletableFuture<String> reader : readers) {
                assertEquals("torn 0", reader.get(60, TimeUnit.SECONDS));
            }
            assertTrue(rewrites >= 20);
        }
    }

    @Test
    @Tag("D-029")
    @Tag("E-047")
    void readers_ofTwoProcesses_areInTogether_andAWriterIsNot() throws Exception {
        assertEquals("granted", nodes[0].ask("lock-read together"));
        assertEquals("granted", nodes[1].ask("lock-read together"));
        assertEquals("refused", nodes[2].ask("lock-write together"));
        assertEquals("unlocked", nodes[0].ask("unlock-read together"));
        assertEquals("refused", nodes[2].ask("lock-write together"));
        assertEquals("unlocked", nodes[1].ask("unlock-read together"));
        assertEquals("granted", nodes[2].ask("lock-write together"));
        assertEquals("refused", nodes[0].ask("lock-read together"));
    }

    @Test
    @Tag("D-035")
    void unlockOfWhatAnotherProcessHolds_isAnError() throws Exception {
        assertEquals("granted", nodes[0].ask("lock-read foreign"));
        assertTrue(nodes[1].ask("unlock-read foreign").contains("IllegalMonitorStateException"));
        assertEquals("unlocked", nodes[0].ask("unlock-read foreign"));
    }

    @Test
    void waitingWriter_isNotStarved_byReadersInTwoOtherProcesses() throws Exception {
        try (NodeProcess first = NodeProcess.on(directory);
                NodeProcess second = NodeProcess.on(directory);
                FileReadWriteLock lock = FileReadWriteLock.in(directory, "busy")) {
            first.ask("keep-reading busy");
            second.ask("keep-reading busy");
            for (int write = 0; write < 10; write++) {
                assertTrue(lock.writeLock().tryLock(10, TimeUnit.SECONDS), "write " + write);
                lock.writeLock().unlock();
            }
        }
    }

    @Test
    void waitingWriter_holdsOffNewReaders_inOtherProcesses_alsoBesideOneThatIsIn() throws Exception {
        assertEquals("granted", nodes[0].ask("lock-read pending"));
        try (FileReadWriteLock lock = FileReadWriteLock.in(directory, "pending")) {
            Background<Void> writer = Background.run(() -> {
                lock.writeLock().lock();
                lock.writeLock().unlock();
            });
            Background.eventually("new readers wait", () -> isRefused(nodes[1]));
            for (int ask = 0; ask < 50; ask++) {
                assertTrue(isRefused(nodes[0]), "the process that has a reader in");
                assertTrue(isRefused(nodes[1]), "another process");
            }
            assertFalse(writer.isDone());
            nodes[0].ask("unlock-read pending");
            writer.result();
            assertEquals("granted", nodes[1].ask("lock-read pending"));
        }
    }

    private static boolean isRefused(NodeProcess node) {
        try {
            boolean refused = node.ask("lock-read pending").equals("refused");
            if (!refused) {
                node.ask("unlock-read pending");
            }
            return refused;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void writerThatIsKilled_leavesNothingLocked() throws Exception {
        try (NodeProcess holder = NodeProcess.on(directory);
                FileReadWriteLock lock = FileReadWriteLock.in(directory, "abandoned")) {
            assertEquals("granted", holder.ask("lock-write abandoned"));
            assertFalse(lock.readLock().tryLock());
            holder.kill();
            assertTrue(lock.writeLock().tryLock());
            lock.writeLock().unlock();
        }
    }

    @Test
    @Tag("B-045")
    void syncReader_overALockOfFiles_keepsReadersOfOtherProcessesOut() throws Exception {
        try (FileReadWriteLock lock = FileReadWriteLock.in(directory, "synced")) {
            SyncReaderDogpile<String> dogpile = SyncReaderDogpile.of(Duration.ofHours(1), lock);
            assertEquals("granted", nodes[0].ask("lock-read synced"));
            Background<Void> creator = Background.run(() -> dogpile.acquire(sync -> sync.write(() -> {
                        assertEquals("refused", nodes[0].ask("lock-read synced"));
                        return "written";
                    }))
                    .close());
            creator.parked();
            assertFalse(creator.isDone());
            nodes[0].ask("unlock-read synced");
            creator.result();
            try (var reading = dogpile.acquire(sync -> "not called")) {
                assertEquals("written", reading.value());
                assertEquals("refused", nodes[0].ask("lock-write synced"));
            }
            Lock writing = lock.writeLock();
            assertTrue(writing.tryLock(5, TimeUnit.SECONDS));
            writing.unlock();
        }
    }

    @Test
    void probe_tellsThatADirectoryLocks() throws Exception {
        Process probe = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockProbe.class.getName(),
                        directory.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(probe.getInputStream().readAllBytes());
        assertTrue(probe.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, probe.exitValue(), said);
        assertTrue(said.contains("locks, between processes"), said);
    }
}
