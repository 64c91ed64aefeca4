package io.dogpile.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Another JVM that answers each line with a line. It ends when its input does, and so with this JVM, however that ends.
 */
final class Child implements AutoCloseable {
    private static final String READY = "ready";
    private static final int SECONDS_TO_END = 5;

    private final Process process;
    private final BufferedReader answers;

    private Child(Process process) {
        this.process = process;
        this.answers = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    }

    /** What a child makes of a line. */
    @FunctionalInterface
    interface Work {
        String answer(String[] words) throws Exception;
    }

    /** Starts several at once, and returns when all are ready. */
    static List<Child> start(int number, Class<?> main, String... arguments) throws IOException {
        List<Child> children = new ArrayList<>();
        try {
            for (int i = 0; i < number; i++) {
                children.add(launch(main, arguments));
            }
            for (Child child : children) {
                child.awaitReady();
            }
            return children;
        } catch (IOException | RuntimeException e) {
            children.forEach(Child::kill);
            throw e;
        }
    }

    private static Child launch(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-D" + Peers.LOG_LEVEL + "=error",
                "-D" + Peers.MEMCACHED_LOGGER + '=' + Peers.SLF4J,
                "-classpath",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        return new Child(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
    }

    private void awaitReady() throws IOException {
        String first = answers.readLine();
        if (!READY.equals(first)) {
            throw new IllegalStateException("a child said '" + first + "' instead of '" + READY + "'");
        }
    }

    void tell(Object... words) {
        try {
            process.getOutputStream().write((joined(words) + '\n').getBytes(UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            throw new UncheckedIOException("the child " + process.pid() + " has ended", e);
        }
    }

    private static String joined(Object... words) {
        return String.join(" ", Arrays.stream(words).map(String::valueOf).toList());
    }

    /** The answer to the oldest line that was not answered yet. */
    String answer() throws IOException {
        String line = answers.readLine();
        if (line == null) {
            throw new IllegalStateException("the child " + process.pid() + " has ended without an answer");
        }
        return line;
    }

    /** Tells all the same, and returns the answers of all. */
    static List<String> ask(List<Child> children, Object... words) throws IOException {
        children.forEach(child -> child.tell(words));
        List<String> answers = new ArrayList<>();
        for (Child child : children) {
            answers.add(child.answer());
        }
        return answers;
    }

    /** As kill -9 does. */
    void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    /** Ends it by the end of its input, or else by force. */
    @Override
    public void close() {
        try {
            process.getOutputStream().close();
        } catch (IOException ended) {
            // nothing is left to close
        }
        if (!awaitEnd()) {
            kill();
        }
    }

    private boolean awaitEnd() {
        try {
            return process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** What a child does: says that it is ready, then answers line by line until there are no more. */
    static void serve(Work work) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        System.out.println(READY);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(work.answer(line.split(" ")));
        }
        Runtime.getRuntime().halt(0); // the threads of peers go on otherwise
    }
}
