package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dogpile.cache.processes.JvmProcess;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Another JVM, that runs a {@link FileNode} and answers each line with one. Killed when closed. */
final class NodeProcess implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 90;

    private final Queue<CompletableFuture<String>> asked = new LinkedBlockingQueue<>();
    private volatile boolean ended;
    private final CompletableFuture<String> ready = new CompletableFuture<>();
    private final JvmProcess process;

    private NodeProcess(Path directory) {
        asked.add(ready);
        process = JvmProcess.start("on files", FileNode.class, new Answers(), List.of(directory.toString()));
    }

    private final class Answers implements JvmProcess.Ear {
        @Override
        public void heard(String line) {
            asked.remove().complete(line);
        }

        @Override
        public void ended() {
            ended = true;
            endAll();
        }
    }

    private void endAll() {
        for (CompletableFuture<String> one = asked.poll(); one != null; one = asked.poll()) {
            one.complete("ended");
        }
    }

    static NodeProcess on(Path directory) throws Exception {
        return on(directory, 1)[0];
    }

    /** Several, which start at the same time. */
    static NodeProcess[] on(Path directory, int count) throws Exception {
        NodeProcess[] all = new NodeProcess[count];
        for (int i = 0; i < count; i++) {
            all[i] = new NodeProcess(directory);
        }
        for (NodeProcess node : all) {
            assertEquals("ready", node.ready.get(PATIENCE_SECONDS, TimeUnit.SECONDS));
        }
        return all;
    }

    /** Says a line, and gives the line that answers it. */
    String ask(String line) throws Exception {
        return begin(line).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    /** Says a line; the answer comes later. */
    CompletableFuture<String> begin(String line) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        asked.add(answer);
        process.tell(line);
        if (ended) {
            endAll();
        }
        return answer;
    }

    static boolean isOpen(CompletableFuture<String> answer, long millis) throws Exception {
        try {
            answer.get(millis, TimeUnit.MILLISECONDS);
            return false;
        } catch (TimeoutException open) {
            return true;
        }
    }

    /** As {@code kill -9}. */
    void kill() {
        process.kill();
    }

    void stop() {
        process.stop();
    }

    void goOn() {
        process.goOn();
    }

    @Override
    public void close() {
        process.close();
    }
}
