package io.dogpile.cache.processes;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.dogpile.core.Background;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Another JVM, that is told lines and says lines, and can be killed with -9 and stopped in mid-work. It has the class path
 * of this one, a small heap, and ends when it is closed; its main ends when it is told no more, as when this JVM ends.
 * Thread-safe.
 */
public final class JvmProcess implements AutoCloseable {
    private static final int MOST_OF_STDERR = 20_000;

    /** Hears what it says, on a thread of its own. */
    public interface Ear {
        /**
         * A line.
         *
         * @param line without its end
         */
        void heard(String line);

        /** It says no more, since it has ended. */
        default void ended() {}
    }

    private final String name;
    private final Process process;
    private final Writer told;
    private final Ear ear;
    private final StringBuffer stderr = new StringBuffer();

    private JvmProcess(String name, Process process, Ear ear) {
        this.name = name;
        this.process = process;
        this.told = process.outputWriter(UTF_8);
        this.ear = ear;
        daemon(name + " says", () -> listen(process.getInputStream()));
        daemon(name + " stderr", () -> keep(process.getErrorStream()));
    }

    /**
     * Starts one, and does not wait for what it says.
     *
     * @param name what messages call it
     * @param main the class that runs in it
     * @param ear hears what it says
     * @param arguments of the class
     * @return the process; the caller closes it
     */
    public static JvmProcess start(String name, Class<?> main, Ear ear, List<String> arguments) {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        List<String> command = new ArrayList<>(List.of(
                java.toString(),
                "-Xmx64m",
                "-Xss512k",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dnet.spy.log.LoggerImpl=net.spy.memcached.compat.log.SLF4JLogger",
                "-Dorg.slf4j.simpleLogger.log.net.spy=off",
                main.getName()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        try {
            return new JvmProcess(name, builder.start(), ear);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + java, e);
        }
    }

    /**
     * Its name.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * Tells it a line.
     *
     * @param line without its end
     * @throws UncheckedIOException if it has ended; the message has what it wrote to its stderr
     */
    public void tell(String line) {
        try {
            told.write(line + '\n');
            told.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(this + " takes no more orders; it wrote:\n" + stderr, e);
        }
    }

    /**
     * Waits for what can be seen of it.
     *
     * @param what what is waited for
     * @param holds whether it is there
     * @throws AssertionError if it ends before, or takes too long; the message has what it wrote to its stderr
     */
    public void await(String what, BooleanSupplier holds) {
        try {
            Background.eventually(this + ": " + what, () -> {
                if (holds.getAsBoolean()) {
                    return true;
                }
                if (!process.isAlive()) {
                    throw new AssertionError(this + " ended before " + what);
                }
                return false;
            });
        } catch (AssertionError failed) {
            throw new AssertionError(failed.getMessage() + "; it wrote:\n" + stderr, failed);
        }
    }

    /** As kill -9. Returns when it is gone. */
    public void kill() {
        Signals.kill(process);
    }

    /** As SIGSTOP: it stands still in mid-work, and its connections stay open. Returns when it does. */
    public void stop() {
        Signals.stop(process);
    }

    /** As SIGCONT: ends {@link #stop()}. */
    public void goOn() {
        Signals.goOn(process);
    }

    /**
     * Whether it has not ended.
     *
     * @return true if it runs, or stands still
     */
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        if (isAlive()) {
            kill();
        }
    }

    @Override
    public String toString() {
        return "node " + name + ", process " + process.pid();
    }

    private void listen(InputStream out) throws IOException {
        try {
            BufferedReader lines = new BufferedReader(new InputStreamReader(out, UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                ear.heard(line);
            }
        } finally {
            ear.ended();
        }
    }

    private void keep(InputStream err) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(err, UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (stderr.length() < MOST_OF_STDERR) {
                stderr.append(line).append('\n');
            }
        }
    }

    private static void daemon(String name, Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException ended) {
                        // So does the process, and whoever waits for it says so.
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private interface Task {
        void run() throws IOException;
    }
}
