package io.dogpile.cache.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Another JVM, that runs a {@link FileNode}. Killed when closed. */
final class NodeProcess implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 90;

    private final Process process;
    private final BufferedWriter input;
    private final BufferedReader output;

    private NodeProcess(Process process) {
        this.process = process;
        this.input = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        this.output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    static NodeProcess on(Path directory) throws Exception {
        NodeProcess node = begunOn(directory);
        assertEquals("ready", node.answer().get(PATIENCE_SECONDS, TimeUnit.SECONDS));
        return node;
    }

    /** Several, which start at the same time. */
    static NodeProcess[] on(Path directory, int count) throws Exception {
        NodeProcess[] all = new NodeProcess[count];
        for (int i = 0; i < count; i++) {
            all[i] = begunOn(directory);
        }
        for (NodeProcess node : all) {
            assertEquals("ready", node.answer().get(PATIENCE_SECONDS, TimeUnit.SECONDS));
        }
        return all;
    }

    private static NodeProcess begunOn(Path directory) throws IOException {
        return new NodeProcess(new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FileNode.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    /** Says a line, and gives the line that answers it. */
    String ask(String line) throws Exception {
        return begin(line).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    /** Says a line; the answer comes later. */
    CompletableFuture<String> begin(String line) throws IOException {
        input.write(line);
        input.newLine();
        input.flush();
        return answer();
    }

    private CompletableFuture<String> answer() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        Thread reader = new Thread(() -> {
            try {
                String line = output.readLine();
                answer.complete(line == null ? "ended" : line);
            } catch (IOException killed) {
                answer.complete("ended");
            }
        });
        reader.setDaemon(true);
        reader.start();
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
        process.destroyForcibly()
                .onExit()
                .orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    void stop() throws Exception {
        signal("STOP");
    }

    void goOn() throws Exception {
        signal("CONT");
    }

    private void signal(String name) throws Exception {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .inheritIO()
                .start();
        assertTrue(kill.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS));
        assertEquals(0, kill.exitValue());
    }

    @Override
    public void close() {
        kill();
    }
}
