package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.Background;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.HeldTime;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import io.dogpile.core.WhenDown;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.FakeTime;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBackendTest {
    private static final Duration FRESH = Duration.ofSeconds(60);
    private static final Duration USABLE = Duration.ofSeconds(600);
    private static final int MOST_BYTES = 100_000;

    @TempDir
    Path directory;

    private final FakeTime time = new FakeTime();
    private final List<String> corrupt = new CopyOnWriteArrayList<>();
    private final List<FileBackend> made = new ArrayList<>();
    private FileBackend backend;
    private Partition<String> partition;

    @BeforeEach
    void open() {
        backend = built(FileBackend.builder(directory));
        partition = open(backend);
    }

    @AfterEach
    void close() {
        made.forEach(FileBackend::close);
    }

    private FileBackend built(FileBackend.Builder builder) {
        FileBackend one =
                builder.clock(time).sweepEvery(Duration.ofDays(10_000)).build();
        made.add(one);
        return one;
    }

    private Partition<String> open(FileBackend where) {
        return open(where, time);
    }

    private Partition<String> open(FileBackend where, TimeSource clock) {
        return where.open(new Opening<>(
                "region",
                Object::toString,
                Serializer.string(),
                MOST_BYTES,
                Duration.ofSeconds(5),
                Duration.ofSeconds(60),
                Opening.Backoff.DEFAULT,
                clock,
                new DogpileListener() {
                    @Override
                    public void corruptEntry(Object name, String why) {
                        corrupt.add(name + " " + why);
                    }
                }));
    }

    private static Slot.Draft<String> draft(String value) {
        return new Slot.Draft<>(value, FRESH, USABLE, Duration.ofMillis(5), true);
    }

    private static Slot.Wish wish() {
        return new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, false);
    }

    private Slot.Seen<String> read(String key) throws Exception {
        return partition.slot(key).read();
    }

    private Slot.Grant<String> granted(String key) throws Exception {
        return read(key).claim(wish()).grant();
    }

    /** The files of values, oldest first. */
    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(path -> path.toString().endsWith(".v")).toList();
        }
    }

    private Path file() throws IOException {
        List<Path> all = files();
        assertEquals(1, all.size());
        return all.get(0);
    }

    private static Path part(Path file) {
        return file.resolveSibling(file.getFileName() + ".t");
    }

    // What is stored

    @Test
    @Tag("D-027")
    void store_isMadeIfMissing_andKeptIfPresent() throws Exception {
        Path missing = directory.resolve("a/b/../c");
        try (FileBackend first = FileBackend.in(missing)) {
            open(first).put("key", draft("value"));
        }
        try (FileBackend second = FileBackend.in(missing)) {
            assertEquals("value", open(second).slot("key").read().value());
        }
        assertTrue(Files.isDirectory(directory.resolve("a/c/region-region")));
    }

    @Test
    void regionOfAnyName_staysInTheDirectory() throws Exception {
        for (String name : List.of("..", ".", "locks-00", "marks")) {
            try (Region<String, String> region = Region.<String, String>builder(name)
                    .backend(backend)
                    .serializer(Serializer.string())
                    .build()) {
                region.put("key", name);
                assertEquals(name, region.get("key").orElseThrow());
            }
            assertTrue(Files.isDirectory(directory.resolve("region-" + name)));
        }
    }

    @Test
    @Tag("D-044")
    @Tag("D-029")
    @Tag("W-27")
    void reads_takeNoLock_alsoOfSeveral() throws Exception {
        partition.putAll(Map.of("1", draft("one"), "2", draft("two"), "3", draft("three")));
        try (LockFiles locks = LockFiles.open(directory)) {
            List<LockFiles.Held> held = new ArrayList<>();
            for (Path file : files()) {
                held.add(locks.tryLock(
                        locks.place(LockPlace.Kind.WRITE, FileName.lockOf(file)), LockFiles.Mode.EXCLUSIVE));
            }
            assertEquals(3, partition.readAll(List.of("1", "2", "3")).size());
            assertEquals("one", read("1").value());
            for (LockFiles.Held one : held) {
                one.release();
            }
        }
    }

    @Test
    void readsAndWrites_ofAnInterruptedThread_areDone() throws Exception {
        partition.put("key", draft("value"));
        Thread.currentThread().interrupt();
        try {
            partition.put("key", draft("again"));
            assertEquals("again", read("key").value());
            Slot.Grant<String> right = granted("other");
            assertEquals(
                    Slot.Published.Outcome.STORED, right.publish(draft("value")).outcome());
            partition.invalidate("key", Invalidation.SOFT);
            partition.invalidateAll(Invalidation.HARD);
        } finally {
            assertTrue(Thread.interrupted());
        }
        assertFalse(read("key").present());
    }

    @Test
    void fileThatIsDeletedByHand_endsARightGrantedBefore() throws Exception {
        Slot.Grant<String> right = granted("key");
        Files.delete(file());
        assertFalse(right.renew());
        assertEquals(Slot.Published.Outcome.VOIDED, right.publish(draft("late")).outcome());
        assertFalse(read("key").present());
        assertEquals(
                Slot.Published.Outcome.STORED,
                granted("key").publish(draft("next")).outcome());
    }

    @Test
    void rightThatIsVoided_isGrantedAgainAtOnce_andTheOldOnePublishesNothing() throws Exception {
        Slot.Grant<String> old = granted("key");
        partition.invalidate("key", Invalidation.HARD);
        Slot.Grant<String> next = granted("key");
        assertEquals(Slot.Published.Outcome.VOIDED, old.publish(draft("old")).outcome());
        assertEquals(Slot.Published.Outcome.STORED, next.publish(draft("next")).outcome());
        assertEquals("next", read("key").value());
    }

    // What is damaged

    @Test
    @Tag("D-031")
    void everyTruncation_andEveryDamagedByte_isACountedMiss() throws Exception {
        partition.put("key", draft("a value"));
        Path file = file();
        byte[] whole = Files.readAllBytes(file);
        int damages = 0;
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertCounted("cut to " + length, ++damages);
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertCounted("longer", ++damages);
        for (int at = 0; at < whole.length; at++) {
            for (int flip : new int[] {1, 0x80, 0xff}) {
                byte[] damaged = whole.clone();
                damaged[at] ^= (byte) flip;
                Files.write(file, damaged);
                assertCounted("byte " + at + " damaged", ++damages);
            }
        }
        Files.write(file, whole);
        assertEquals("a value", read("key").value());
        assertEquals(damages, corrupt.size());
    }

    @Test
    void valuesAroundWhatIsReadAtOnce_comeBackWhole_andLongerFilesAreCounted() throws Exception {
        partition.put("key", draft(""));
        int atOnce = ValueFiles.FIRST_BYTES - (int) Files.size(file());
        int damages = 0;
        for (int length : new int[] {atOnce - 1, atOnce, atOnce + 1, 2 * ValueFiles.FIRST_BYTES, MOST_BYTES}) {
            String value = "v".repeat(length);
            partition.put("key", draft(value));
            assertEquals(value, read("key").value());
            byte[] whole = Files.readAllBytes(file());
            Files.write(file(), Arrays.copyOf(whole, whole.length + 1));
            assertCounted(length + " and one more", ++damages);
            Files.write(file(), Arrays.copyOf(whole, whole.length - 1));
            assertCounted(length + " but one", ++damages);
        }
    }

    private void assertCounted(String what, int damages) throws Exception {
        assertFalse(read("key").present(), what);
        assertEquals(damages, corrupt.size(), what);
    }

    @Test
    void damagedFile_isReplacedByTheNextCreation_andByAnInvalidation() throws Exception {
        for (int length : new int[] {0, FileHeader.BYTES, FileHeader.BYTES + 10}) {
            partition.put("key", draft("value"));
            cut(file(), length);
            assertEquals(
                    Slot.Published.Outcome.STORED,
                    granted("key").publish(draft("next")).outcome());
            assertEquals("next", read("key").value());
            for (Invalidation how : Invalidation.values()) {
                cut(file(), length);
                partition.invalidate("key", how);
                assertEquals(List.of(), files());
                partition.put("key", draft("value"));
            }
        }
    }

    private static void cut(Path file, int length) throws IOException {
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), length));
    }

    @Test
    void hugeFile_isNotRead() throws Exception {
        partition.put("key", draft("value"));
        Path file = file();
        long huge = 2L << 30;
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(huge);
        }
        assertCounted("longer than it says", 1);
        RegionMarks.Marks marks =
                RegionMarks.of(new ValueFiles(LockFiles.open(directory)), directory.resolve("region-region"));
        writeHeader(file, new FileHeader(1, FileHeader.Mark.NONE, marks, 0, Integer.MAX_VALUE), huge);
        assertCounted("too long", 2);
        writeHeader(file, new FileHeader(1, FileHeader.Mark.NONE, marks, 0, -1), huge);
        assertCounted("of negative length", 3);
    }

    private static void writeHeader(Path file, FileHeader header, long length) throws IOException {
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(header.encode());
            out.setLength(length);
        }
    }

    @Test
    void marksThatAreLostOrDamaged_invalidateAll_andReviveNothing() throws Exception {
        Path marks = directory.resolve("region-region/marks");
        for (byte[] damaged : new byte[][] {null, {}, new byte[24], new byte[1_000]}) {
            partition.put("key", draft("value"));
            if (damaged == null) {
                Files.delete(marks);
            } else {
                Files.write(marks, damaged);
            }
            time.advance(Duration.ofSeconds(1));
            assertFalse(read("key").present());
            partition.put("key", draft("value"));
            assertEquals("value", read("key").value());
        }
    }

    @Test
    void otherBackendOfTheDirectory_seesAnInvalidationOfAll_afterASecond() throws Exception {
        Partition<String> other = open(built(FileBackend.builder(directory)));
        partition.put("key", draft("value"));
        assertTrue(other.slot("key").read().present());
        partition.invalidateAll(Invalidation.HARD);
        assertFalse(read("key").present());
        time.advance(Duration.ofMillis(999));
        assertTrue(other.slot("key").read().present());
        time.advance(Duration.ofMillis(1));
        assertFalse(other.slot("key").read().present());
    }

    @Test
    void otherBackendOfTheDirectory_seesAnInvalidationOfAll_alsoWhileOneOfItsThreadsReadsTheMarks() throws Exception {
        HeldTime clock = new HeldTime(time);
        Partition<String> other = open(built(FileBackend.builder(directory)), clock);
        partition.put("key", draft("value"));
        assertTrue(other.slot("key").read().present());
        partition.invalidateAll(Invalidation.HARD);
        time.advance(Duration.ofSeconds(1));
        try (Callers callers = new Callers()) {
            var reader = callers.start(() -> {
                clock.holdMeAtLook(2); // the first tells that the marks are old
                return other.slot("key").read();
            });
            clock.awaitHolding();
            assertFalse(other.slot("key").read().present());
            clock.letGo();
            assertFalse(reader.result().present());
        }
    }

    @Test
    void otherBackendOfTheDirectory_keepsWhatItPutsAfterAnInvalidationOfAll() throws Exception {
        Partition<String> other = open(built(FileBackend.builder(directory)));
        assertFalse(other.slot("key").read().present());
        partition.invalidateAll(Invalidation.HARD);
        other.put("key", draft("after"));
        assertEquals("after", read("key").value());
    }

    // What fails

    @Test
    @Tag("E-044")
    void diskThatIsFull_isSaidWithThePath_andReleasesLocksAndRight() throws Exception {
        partition.put("key", draft("before"));
        Slot.Grant<String> right = granted("key");
        fillDisk();
        IOException full = assertThrows(IOException.class, () -> right.publish(draft("created")));
        assertTrue(full.getMessage().contains("No space left"), full.getMessage());
        assertTrue(full.getMessage().contains("region 'region', key 'key'"), full.getMessage());
        assertTrue(full.getMessage().contains(file().toString()), full.getMessage());
        assertFalse(full.getMessage().contains("created"));
        fillDisk();
        assertThrows(IOException.class, () -> partition.put("key", draft("put")));
        assertEquals("before", read("key").value());
        assertFalse(Files.exists(part(file())));
        assertEquals(
                Slot.Published.Outcome.STORED,
                granted("key").publish(draft("after")).outcome());
    }

    /** What is written goes to a device that is always full. */
    private void fillDisk() throws IOException {
        Path full = Path.of("/dev/full");
        assertTrue(Files.exists(full), "this test needs " + full);
        Files.createSymbolicLink(part(file()), full);
    }

    @Test
    @Tag("D-034")
    void directoryThatCannotBeWritten_isSaidAtTheBuild(@TempDir Path inTheWay) throws IOException {
        Files.createDirectory(inTheWay.resolve("locks-00"));
        for (Path refused : List.of(Path.of("/proc/self/cannot-be-made"), inTheWay)) {
            UncheckedIOException failure = assertThrows(UncheckedIOException.class, () -> FileBackend.in(refused));
            assertTrue(failure.getMessage().contains(refused.toString()), failure.getMessage());
        }
    }

    @Test
    @Tag("D-034")
    void directoryInPlaceOfAValue_isSaidWithItsPath_onEveryPath() throws Exception {
        partition.put("key", draft("value"));
        Path file = file();
        Files.delete(file);
        Files.createDirectories(file.resolve("something"));
        for (Background.Body body : List.<Background.Body>of(
                () -> read("key"),
                () -> granted("key"),
                () -> partition.put("key", draft("value")),
                () -> partition.invalidate("key", Invalidation.HARD))) {
            IOException failure = assertThrows(IOException.class, body::run);
            assertTrue(failure.getMessage().contains(file.toString()), failure.getMessage());
            assertTrue(failure.getMessage().contains("region 'region', key 'key'"), failure.getMessage());
        }
    }

    @Test
    void storeThatFails_isTreatedAsTheRegionSays() throws Exception {
        Files.createFile(directory.resolve("region-down"));
        try (Region<String, String> creates = region("down", WhenDown.CREATE);
                Region<String, String> fails = region("down", WhenDown.FAIL)) {
            assertEquals("created", creates.getOrCreate("key", () -> "created"));
            RuntimeException failure =
                    assertThrows(RuntimeException.class, () -> fails.getOrCreate("key", () -> "created"));
            assertTrue(
                    allMessages(failure)
                            .contains(directory.resolve("region-down").toString()),
                    allMessages(failure));
        }
    }

    private Region<String, String> region(String name, WhenDown whenDown) {
        return Region.<String, String>builder(name)
                .backend(backend)
                .serializer(Serializer.string())
                .whenDown(whenDown)
                .build();
    }

    private static String allMessages(Throwable failure) {
        return failure == null ? "" : failure.getMessage() + " / " + allMessages(failure.getCause());
    }

    @Test
    void valueTooLarge_isNotStored_andItsRightEnds() throws Exception {
        Slot.Published<String> published = granted("key").publish(draft("x".repeat(MOST_BYTES + 1)));
        assertEquals(Slot.Published.Outcome.UNKNOWN, published.outcome());
        granted("key").abandon(null);
    }

    @Test
    void closedBackend_grantsNoRights_twiceClosedToo() throws Exception {
        partition.put("key", draft("value"));
        backend.close();
        backend.close();
        assertThrows(IllegalStateException.class, () -> granted("key"));
        assertEquals("value", read("key").value());
    }

    @Test
    @Tag("E-009")
    void badOptions_areRefused_withTheValue() {
        FileBackend.Builder builder = FileBackend.builder(directory);
        for (Background.Body body : List.<Background.Body>of(
                () -> builder.maxTotalBytes(0),
                () -> builder.maxTotalBytes(-1),
                () -> builder.sweepEvery(Duration.ZERO),
                () -> builder.sweepEvery(Duration.ofSeconds(Long.MAX_VALUE)))) {
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, body::run);
            assertTrue(refused.getMessage().contains("was "), refused.getMessage());
        }
    }

    // Waiting

    @Test
    void watch_tellsOfAWrite_andThatTheRightIsFree_andEndsWhenClosed() throws Exception {
        Slot.Grant<String> right = granted("key");
        AtomicInteger told = new AtomicInteger();
        Slot.Watch watch = partition.slot("key").watch(seen -> told.incrementAndGet());
        assertTrue(watch.live());
        assertEquals(1, backend.watchers().size());
        right.publish(draft("value"));
        Background.eventually("the write is told", () -> told.get() > 0);
        watch.close();
        watch.close();
        assertEquals(0, backend.watchers().size());
        Slot.Grant<String> second = granted("key");
        int before = told.get();
        try (Slot.Watch again = partition.slot("key").watch(seen -> told.incrementAndGet())) {
            assertTrue(again.live());
            second.abandon(null);
            Background.eventually("the free right is told", () -> told.get() > before);
        }
    }

    // Sweeping

    @Test
    void sweep_removesWhatIsExpiredInvalidatedEmptyAndDamaged_andNothingElse() throws Exception {
        partition.put("short", new Slot.Draft<>("value", FRESH, FRESH, Duration.ZERO, true));
        Path expired = file();
        partition.put("long", draft("value"));
        granted("empty").abandon(null);
        partition.put("damaged", draft("value"));
        cut(newest("damaged"), 3);
        Path leftOver = Files.createFile(part(expired));
        assertEquals(4, files().size());
        backend.sweeper().sweep();
        assertEquals(2, files().size());
        assertTrue(Files.exists(expired));
        assertFalse(Files.exists(leftOver));
        time.advance(FRESH.plusMillis(2));
        backend.sweeper().sweep();
        assertFalse(Files.exists(expired));
        assertEquals("value", read("long").value());
        partition.invalidateAll(Invalidation.SOFT);
        backend.sweeper().sweep();
        assertEquals("value", read("long").value());
        partition.invalidateAll(Invalidation.HARD);
        backend.sweeper().sweep();
        assertEquals(List.of(), files());
        assertTrue(Files.exists(directory.resolve("locks-00")));
        assertTrue(Files.exists(directory.resolve("region-region/marks")));
    }

    private Path newest(String key) throws Exception {
        Map<Path, byte[]> before = contents();
        partition.put(key, draft("another"));
        Path changed = null;
        for (Path file : files()) {
            if (!Arrays.equals(before.get(file), Files.readAllBytes(file))) {
                changed = file;
            }
        }
        return changed;
    }

    private Map<Path, byte[]> contents() throws IOException {
        Map<Path, byte[]> all = new LinkedHashMap<>();
        for (Path file : files()) {
            all.put(file, Files.readAllBytes(file));
        }
        return all;
    }

    @Test
    void sweep_leavesWhatIsBeingCreated() throws Exception {
        Slot.Grant<String> right = granted("key");
        backend.sweeper().sweep();
        assertTrue(right.renew());
        assertEquals(
                Slot.Published.Outcome.STORED, right.publish(draft("value")).outcome());
        time.advance(USABLE.plusSeconds(1));
        Slot.Grant<String> over = granted("key");
        backend.sweeper().sweep();
        assertEquals(Slot.Published.Outcome.STORED, over.publish(draft("next")).outcome());
        assertEquals("next", read("key").value());
    }

    @Test
    void sweepBetweenInvalidationAndPublication_revivesNothing() throws Exception {
        Slot.Grant<String> right = granted("key");
        partition.invalidate("key", Invalidation.HARD);
        granted("key").abandon(null);
        backend.sweeper().sweep();
        assertEquals(List.of(), files());
        assertEquals(Slot.Published.Outcome.VOIDED, right.publish(draft("old")).outcome());
        assertFalse(read("key").present());
    }

    @Test
    void sweep_overTheLimitOfSize_removesTheOldest() throws Exception {
        FileBackend limited = built(FileBackend.builder(directory).maxTotalBytes(5_500));
        Partition<String> values = open(limited);
        for (int key = 0; key < 10; key++) {
            Path file = put(values, "key" + key);
            Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000 + key * 1_000));
        }
        limited.sweeper().sweep();
        assertEquals(5, files().size());
        for (int key = 0; key < 10; key++) {
            assertEquals(key >= 5, read("key" + key).present(), "key" + key);
        }
    }

    private Path put(Partition<String> values, String key) throws Exception {
        List<Path> before = files();
        values.put(key, draft("x".repeat(900)));
        return files().stream()
                .filter(file -> !before.contains(file))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void sweep_isBounded_andGoesOnTheNextTime() throws Exception {
        FileBackend bounded = built(FileBackend.builder(directory).filesAtOnce(10));
        for (int key = 0; key < 100; key++) {
            partition.put("key" + key, new Slot.Draft<>("value", FRESH, FRESH, Duration.ZERO, true));
        }
        time.advance(FRESH.plusMillis(2));
        bounded.sweeper().sweep();
        int left = files().size();
        assertTrue(left > 0 && left < 100, "left: " + left);
        for (int sweep = 0; sweep < 10; sweep++) {
            bounded.sweeper().sweep();
        }
        assertEquals(0, files().size());
    }

    @Test
    void sweep_isDoneByOneAtATime() throws Exception {
        partition.put("short", new Slot.Draft<>("value", FRESH, FRESH, Duration.ZERO, true));
        time.advance(FRESH.plusMillis(2));
        try (LockFiles locks = LockFiles.open(directory)) {
            LockFiles.Held sweeping =
                    locks.tryLock(locks.place(LockPlace.Kind.WRITE, "sweeper"), LockFiles.Mode.EXCLUSIVE);
            backend.sweeper().sweep();
            assertEquals(1, files().size());
            sweeping.release();
        }
        backend.sweeper().sweep();
        assertEquals(0, files().size());
    }

    @Test
    void sweep_happensByItself() throws Exception {
        try (FileBackend sweeping = FileBackend.builder(directory)
                .sweepEvery(Duration.ofMillis(20))
                .clock(time)
                .build()) {
            open(sweeping).put("short", new Slot.Draft<>("value", FRESH, FRESH, Duration.ZERO, true));
            Path file = file();
            time.advance(FRESH.plusMillis(2));
            Background.eventually("it is swept", () -> !Files.exists(file));
        }
    }

    @Test
    void headers_comeBackAsTheyWere() {
        FileHeader header =
                new FileHeader(-5, FileHeader.Mark.STALE, new RegionMarks.Marks(7, -9), 123_456_789_012L, 42);
        assertEquals(header, FileHeader.decode(header.encode()));
        assertNotEquals(
                header, FileHeader.decode(header.with(6, FileHeader.Mark.NONE).encode()));
    }
}
