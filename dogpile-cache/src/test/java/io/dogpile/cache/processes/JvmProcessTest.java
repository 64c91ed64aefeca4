package io.dogpile.cache.processes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class JvmProcessTest {
    private static final int LINES = 1_000; // less than a pipe holds

    @TempDir
    Path directory;

    /** Says some lines, tells by a file that it has, and stays. */
    static final class Talker {
        public static void main(String[] arguments) throws IOException {
            for (int i = 0; i < LINES; i++) {
                System.out.println(i);
            }
            Files.createFile(Path.of(arguments[0]));
            System.in.read();
        }
    }

    @Test
    void whatItSaidBeforeItWasKilled_isHeard() throws Exception {
        Path said = directory.resolve("said");
        List<String> heard = new CopyOnWriteArrayList<>();
        CountDownLatch killed = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        JvmProcess.Ear slow = new JvmProcess.Ear() {
            @Override
            public void heard(String line) {
                try {
                    assertTrue(killed.await(30, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                heard.add(line);
            }

            @Override
            public void ended() {
                ended.countDown();
            }
        };
        try (JvmProcess talker = JvmProcess.start("that talks", Talker.class, slow, List.of(said.toString()))) {
            talker.await("has said all", () -> Files.exists(said));
            talker.kill();
        }
        killed.countDown();

        assertTrue(ended.await(30, TimeUnit.SECONDS));
        assertEquals(IntStream.range(0, LINES).mapToObj(String::valueOf).toList(), heard);
    }
}
