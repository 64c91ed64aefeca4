package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.MemoryBackend;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Leaks that are put in are found: a soak that finds nothing says something. */
@Timeout(60)
class SoakTest {
    private static final int BYTES_LEAKED = 2_000_000;
    /** Far more than what is no rise, and than the threads and files of earlier tests that may end meanwhile. */
    private static final int LEAKED_IN_EACH_ROUND = 40;

    private static final Soak.Plan PLAN = Soak.Plan.ofRounds(3, Duration.ofMillis(150));

    private final Queue<Closeable> toClose = new ConcurrentLinkedQueue<>();

    @TempDir
    private Path directory;

    @AfterEach
    void endLeaks() throws IOException {
        for (Closeable one : toClose) {
            one.close();
        }
    }

    /** The levels that rose while each round leaves so many behind. */
    private static List<String> risen(Runnable leak) throws Exception {
        Levels levels = new Levels(PLAN).ofThisJvm();
        try (Soak soak = new Soak(PLAN);
                Region<String, String> region = soak.region("leaks")
                        .backend(MemoryBackend.ofEntries(100))
                        .build()) {
            soak.run(List.of(region), levels, () -> {
                for (int i = 0; i < LEAKED_IN_EACH_ROUND; i++) {
                    leak.run();
                }
                return "";
            });
        }
        return levels.risen();
    }

    private static void assertOnly(String level, List<String> risen) {
        assertEquals(1, risen.size(), risen::toString);
        assertTrue(risen.get(0).startsWith(level + " rose"), risen::toString);
    }

    @Test
    void bytesKept_areSeenInTheHeap() throws Exception {
        Queue<byte[]> kept = new ConcurrentLinkedQueue<>();
        assertOnly("heap", risen(() -> kept.add(new byte[BYTES_LEAKED])));
    }

    @Test
    void threadsThatNobodyEnds_areSeen() throws Exception {
        assertOnly("threads", risen(this::startOne));
    }

    @Test
    void filesThatNobodyCloses_areSeen() throws Exception {
        Path file = Files.createFile(directory.resolve("open"));
        assertOnly("descriptors", risen(() -> openOne(file)));
    }

    private void openOne(Path file) {
        try {
            toClose.add(Files.newByteChannel(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void threadThatIsLeftAfterTheEnd_isNamed() {
        var before = Levels.Open.threads();
        startOne();
        assertEquals("left behind", SoakContract.threadsBut(before));
    }

    /** A thread that lives until the test has ended. */
    private void startOne() {
        CountDownLatch end = new CountDownLatch(1);
        toClose.add(end::countDown);
        Thread thread = new Thread(
                () -> {
                    try {
                        end.await();
                    } catch (InterruptedException ended) {
                        Thread.currentThread().interrupt();
                    }
                },
                "left behind");
        thread.setDaemon(true);
        thread.start();
    }
}
