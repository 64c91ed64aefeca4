package io.dogpile.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Node}, as the JVM sees it that started it. One thread of its own reads what it tells. For one thread at a time.
 */
final class NodeProcess implements AutoCloseable {
    private static final String HEAP = "-Xmx128m";
    /** Threads of collectors would compete with callers for few processors. */
    private static final String COLLECTOR = "-XX:+UseSerialGC";

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final int jvm;
    private final Process process;
    private final Thread reader;
    /** What is not an event of a run. */
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();

    private volatile Gathering gathering = new Gathering();

    private NodeProcess(int jvm, Process process) {
        this.jvm = jvm;
        this.process = process;
        this.reader = new Thread(this::read, "reader of " + Lanes.name(jvm));
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts one, which says {@link Node#READY} when it is. */
    static NodeProcess start(int jvm, int port) throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                HEAP,
                COLLECTOR,
                "-classpath",
                System.getProperty("java.class.path"),
                Demo.class.getName(),
                Node.WORD,
                Integer.toString(jvm),
                Integer.toString(port));
        return new NodeProcess(
                jvm,
                new ProcessBuilder(command)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start());
    }

    int jvm() {
        return jvm;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What it tells from now on belongs to this run. */
    void gatherInto(Gathering run) {
        gathering = run;
    }

    void tell(Object... words) throws IOException {
        String line = Arrays.stream(words).map(String::valueOf).collect(Collectors.joining(" "));
        process.getOutputStream().write((line + '\n').getBytes(UTF_8));
        process.getOutputStream().flush();
    }

    /** Waits until it says what it should say next, and returns the words behind that. */
    List<String> await(String expected) throws InterruptedException {
        @Nullable String line = answers.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        if (line == null || !(line + ' ').startsWith(expected + ' ')) {
            throw new IllegalStateException(Lanes.name(jvm) + ", process " + process.pid() + ", should have said '"
                    + expected + "', and "
                    + (line == null ? "has said nothing for " + PATIENCE.toSeconds() + " s" : "said '" + line + "'"));
        }
        List<String> words = List.of(line.split(" "));
        return words.subList(1, words.size());
    }

    /** As kill -9 does. Returns when all is read that it has told before. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new IllegalStateException(Lanes.name(jvm) + ", process " + process.pid() + ", cannot be killed");
        }
        reader.join(PATIENCE.toMillis());
    }

    /** Ends its input, upon which it should end. */
    void orphan() throws IOException {
        process.getOutputStream().close();
    }

    boolean awaitEnd(Duration longest) throws InterruptedException {
        return process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    private void read() {
        try (BufferedReader in = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                take(line);
            }
        } catch (IOException | RuntimeException e) {
            answers.add(Node.FAILED + ' ' + e);
        }
        answers.add(Node.FAILED + " it has ended");
    }

    private void take(String line) {
        String[] words = line.split(" ");
        switch (words[0]) {
            case Node.BEGUN -> gathering.begun(jvm, Integer.parseInt(words[1]), Long.parseLong(words[2]));
            case Node.WORKED ->
                gathering.worked(
                        new Work(jvm, Integer.parseInt(words[1]), Long.parseLong(words[2]), Long.parseLong(words[3])));
            case Node.CALLED ->
                gathering.called(new Call(
                        jvm,
                        Integer.parseInt(words[1]),
                        words[2],
                        Long.parseLong(words[3]),
                        Long.parseLong(words[4]),
                        Long.parseLong(words[5]),
                        Call.Outcome.valueOf(words[6])));
            default -> answers.add(line);
        }
    }
}
