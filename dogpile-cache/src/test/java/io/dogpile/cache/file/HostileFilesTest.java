package io.dogpile.cache.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.Mutants;
import io.dogpile.core.TimeSource;
import io.dogpile.core.testing.Callers;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a stranger leaves in the directory: files, names, links and pipes. */
@Timeout(60)
class HostileFilesTest {
    private static final int FEW = 300;
    private static final int CRC_AT = 44;

    @TempDir
    Path directory;

    private final Callers callers = new Callers();
    private FileBackend backend;
    private Region<String, String> region;

    @BeforeEach
    void open() {
        backend = FileBackend.builder(directory)
                .sweepEvery(Duration.ofDays(10_000))
                .maxTotalBytes(1)
                .build();
        region = Region.<String, String>builder("region")
                .backend(backend)
                .serializer(Serializer.string())
                .staleAfter(Duration.ofHours(1))
                .hardTimeout(Duration.ofSeconds(5))
                .maxValueBytes(1_000)
                .recordStats()
                .build();
        region.put("key", "value");
    }

    @AfterEach
    void close() throws Exception {
        callers.close();
        backend.close();
    }

    private Path file() throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(path -> path.toString().endsWith(".v"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static Path part(Path file) {
        return file.resolveSibling(file.getFileName() + ".t");
    }

    private static void pipe(Path path) throws Exception {
        Process made = new ProcessBuilder("mkfifo", path.toString()).inheritIO().start();
        assertThat(made.waitFor()).isZero();
    }

    private void assertACountedMiss_andMended() {
        long before = region.stats().corruptEntries();
        Callers.Caller<Optional<String>> reader = callers.start(() -> region.get("key"));
        assertThat(reader.result()).isEmpty();
        assertThat(region.stats().corruptEntries()).isGreaterThan(before);
        assertThat(callers.start(() -> region.getOrCreate("key", () -> "new")).result())
                .isEqualTo("new");
        assertThat(region.get("key")).contains("new");
        assertThat(region.stats().storeFailures()).isZero();
    }

    @Test
    void aPipe_isNotWaitedFor() throws Exception {
        Path file = file();
        Files.delete(file);
        pipe(file);

        assertACountedMiss_andMended();
    }

    @Test
    void aLinkToADeviceWithoutEnd_isNotRead() throws Exception {
        Path file = file();
        Files.delete(file);
        Files.createSymbolicLink(file, Path.of("/dev/zero"));

        assertACountedMiss_andMended();
    }

    @Test
    void aPipeInTheWayOfAWrite_isNotWaitedFor() throws Exception {
        pipe(part(file()));

        callers.start(() -> {
                    region.put("key", "new");
                    return "";
                })
                .result();

        assertThat(region.get("key")).contains("new");
    }

    @Test
    void marksThatAreAPipe_areDrawnAnew_whichInvalidates() throws Exception {
        Path marks = directory.resolve("region-region").resolve("marks");
        Files.delete(marks);
        pipe(marks);
        try (FileBackend another = FileBackend.in(directory)) {
            Region<String, String> fresh = Region.<String, String>builder("region")
                    .backend(another)
                    .serializer(Serializer.string())
                    .staleAfter(Duration.ofHours(1))
                    .build();
            assertThat(callers.start(() -> fresh.getOrCreate("key", () -> "new"))
                            .result())
                    .isEqualTo("new");
        }
    }

    @Test
    void aFileThatIsFarTooLong_costsNoMemory() throws Exception {
        Path file = file();
        byte[] bytes = Files.readAllBytes(file);
        byte[] header = new FileHeader(
                        5, FileHeader.Mark.NONE, FileHeader.decode(bytes).marks(), 0, Integer.MAX_VALUE)
                .encode();
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(8L << 30);
            sparse.write(header);
        }

        long before = Mutants.taken();
        assertThat(region.get("key")).isEmpty();

        assertThat(Mutants.taken() - before).isLessThan(1 << 20);
        assertACountedMiss_andMended();
    }

    @Test
    void strangersNames_doNotKeepTheSweepFromItsWork() throws Exception {
        Path folder = file().getParent();
        Files.writeString(directory.resolve("region-of a stranger"), "no folder");
        Files.createSymbolicLink(directory.resolve("region-loop"), directory);
        Files.writeString(directory.resolve("region-region").resolve("zz"), "no folder");
        Files.createDirectories(folder.resolve("x.v.t").resolve("full"));
        Files.createDirectories(folder.resolve("y.v").resolve("full"));
        Files.writeString(folder.resolve("no name of ours \n \u202e"), "text");
        Files.writeString(folder.resolve(".v"), "text");
        Files.writeString(folder.resolve("-rf.v"), "text");
        Files.writeString(folder.resolve("left over.v.t"), "text");
        pipe(folder.resolve("pipe.v"));
        Path value = file(folder);

        callers.start(() -> {
                    backend.sweeper().sweep();
                    return "";
                })
                .result();

        assertThat(value).doesNotExist();
        assertThat(folder.resolve("-rf.v")).doesNotExist();
        assertThat(folder.resolve("left over.v.t")).doesNotExist();
        assertThat(folder.resolve("x.v.t").resolve("full")).exists();
    }

    private static Path file(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(path -> path.getFileName().toString().matches("[0-9a-f]{64}\\.v"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void mutantsOfAHeader_areOneOrNone() throws Exception {
        byte[] good = Files.readAllBytes(file());
        Mutants.of(good).each((mutant, random) -> {
            FileHeader header = FileHeader.decode(random.nextBoolean() ? mutant : sealed(mutant));
            assertThat(header == null || header.bodyLength() >= 0).isTrue();
        });
    }

    private static byte[] sealed(byte[] bytes) {
        if (bytes.length >= FileHeader.BYTES) {
            CRC32C crc = new CRC32C();
            crc.update(bytes, 0, CRC_AT);
            ByteBuffer.wrap(bytes).putInt(CRC_AT, (int) crc.getValue());
        }
        return bytes;
    }

    @Test
    void mutantsOfAFile_areItsValueOrAMiss_andAreMended() throws Exception {
        Path file = file();
        byte[] good = Files.readAllBytes(file);
        Mutants.of(good).each(FEW, (mutant, random) -> {
            Files.write(file, random.nextBoolean() ? mutant : sealed(mutant));

            assertThat(region.get("key")).isIn(Optional.empty(), Optional.of("value"));
            assertThat(region.getOrCreate("key", () -> "value")).isEqualTo("value");
            region.put("key", "value"); // what says that a newer version wrote it is left to that one
            assertThat(region.get("key")).contains("value");
        });
        assertThat(region.stats().storeFailures()).isZero();
    }

    @Test
    void mutantsOfMarks_areMarksOrDrawnAnew() throws Exception {
        Path marks = directory.resolve("region-region").resolve("marks");
        byte[] good = Files.readAllBytes(marks);
        try (LockFiles locks = LockFiles.open(directory)) {
            ValueFiles files = new ValueFiles(locks);
            Mutants.of(good).each(FEW, (mutant, random) -> {
                Files.write(marks, mutant);
                RegionMarks.Marks read = new RegionMarks(files, marks.getParent(), TimeSource.system()).fresh();
                assertThat(RegionMarks.of(files, marks.getParent())).isEqualTo(read);
            });
        }
    }
}
