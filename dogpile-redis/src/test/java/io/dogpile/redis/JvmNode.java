package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Another JVM with a region of its own on a Redis server, that can be asked, killed with -9 and stopped in mid-work. It
 * has the class path of this one, a small heap, and ends with this JVM or when it is closed.
 *
 * <p>Told in lines what to do, and answers in lines:
 *
 * <pre>
 *   get CALL KEY THREADS CREATOR MILLIS    so many threads ask for the key; whoever is elected creates as told
 *   count CALL LOCK COUNTER TIMES          adds one to a counter, so many times, under a lock
 *
 *   ready                                  the region is open, and hears what others do
 *   creating KEY FENCE MICROS              a creator began
 *   created KEY FENCE MICROS LOST          it ended; whether it had been told that its lease was lost
 *   got CALL MICROS VALUE                  one thread is done
 *   failed CALL MICROS WHY                 one thread failed
 * </pre>
 *
 * <p>Thread-safe.
 */
public final class JvmNode implements AutoCloseable {
    private static final int MOST_OF_STDERR = 20_000;
    private static final Path PROC = Path.of("/proc");

    /** What an elected caller does. */
    public enum Creator {
        /** Takes its time, and returns {@code node@fence}. */
        VALUE,
        /** Takes its time, and throws. */
        FAILS,
        /** Goes on until it is told that its lease is lost, 20 seconds at most, and returns {@code node@fence}. */
        UNTIL_LOST
    }

    /**
     * One run of a creator.
     *
     * @param node the name of the node
     * @param key the key
     * @param fence the number of its right
     * @param begunMicros when it began, in microseconds of the machine's clock
     */
    public record Creation(String node, String key, long fence, long begunMicros) {}

    /**
     * The end of a run.
     *
     * @param micros when, in microseconds of the machine's clock
     * @param wasToldOfLoss whether the creator had been told that its lease was lost
     */
    public record End(long micros, boolean wasToldOfLoss) {}

    /**
     * What a thread got.
     *
     * @param micros when, in microseconds of the machine's clock
     * @param value the value; what was thrown, where it failed
     * @param failed whether it failed
     */
    public record Got(long micros, String value, boolean failed) {}

    private final String name;
    private final Process process;
    private final Writer told;
    private final AtomicLong calls = new AtomicLong();
    private final List<String> said = new CopyOnWriteArrayList<>();
    private final StringBuffer stderr = new StringBuffer();

    private JvmNode(String name, Process process) {
        this.name = name;
        this.process = process;
        this.told = process.outputWriter(UTF_8);
        daemon(name + " says", () -> listen(process.getInputStream()));
        daemon(name + " stderr", () -> keep(process.getErrorStream()));
    }

    /**
     * Starts a JVM and returns when its region is open.
     *
     * @param name its name, of letters and digits
     * @param port of a server on this machine
     * @param region the name of the region; nodes of one name share their values
     * @param settings of the region, as {@code RegionBuilder.from} takes them, such as {@code lease} and {@code 1s}
     * @return the node; the caller closes it
     * @throws IllegalStateException if it does not open its region in time; the message has what it wrote to its stderr
     */
    public static JvmNode start(String name, int port, String region, Map<String, String> settings) {
        return start(List.of(name), port, region, settings).get(0);
    }

    /** As {@link #start(String, int, String, Map)}, several at once. */
    public static List<JvmNode> start(List<String> names, int port, String region, Map<String, String> settings) {
        List<JvmNode> started = new ArrayList<>();
        try {
            names.forEach(name -> started.add(new JvmNode(name, run(name, port, region, settings))));
            started.forEach(node -> node.await("that its region is open", () -> node.said.contains("ready")));
            return List.copyOf(started);
        } catch (RuntimeException e) {
            started.forEach(JvmNode::close);
            throw e;
        }
    }

    private static Process run(String name, int port, String region, Map<String, String> settings) {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        List<String> command = new ArrayList<>(List.of(
                java.toString(),
                "-Xmx64m",
                "-Xss512k",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                JvmNodeMain.class.getName(),
                name,
                Integer.toString(port),
                region));
        settings.forEach((setting, value) -> command.add(setting + '=' + value));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + java, e);
        }
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /**
     * Lets threads of the node ask for a key, all at once. Returns at once.
     *
     * @param key without blanks
     * @param threads how many
     * @param creator what the one that is elected does
     * @param millis how long that takes
     * @return the call
     */
    public Call get(String key, int threads, Creator creator, long millis) {
        Call call = new Call(threads);
        tell("get " + call.id + ' ' + key + ' ' + threads + ' ' + creator + ' ' + millis);
        return call;
    }

    /**
     * Lets a thread of the node add one to what a key of the server holds, by reading and writing, under a lock. Returns at
     * once.
     *
     * @param lock the name of the lock
     * @param counter the key
     * @param times how many times
     * @return the call
     */
    public Call count(String lock, String counter, int times) {
        Call call = new Call(1);
        tell("count " + call.id + ' ' + lock + ' ' + counter + ' ' + times);
        return call;
    }

    /** The creators of a key that began here so far. */
    public List<Creation> creations(String key) {
        return said.stream()
                .map(line -> line.split(" ", 4))
                .filter(words -> words[0].equals("creating") && words[1].equals(key))
                .map(words -> new Creation(name, key, Long.parseLong(words[2]), Long.parseLong(words[3])))
                .toList();
    }

    /** Waits until a creator of the key runs here, and returns the first. */
    public Creation awaitCreation(String key) {
        await("a creation of " + key, () -> !creations(key).isEmpty());
        return creations(key).get(0);
    }

    /** Waits until the creator of that run has ended, and returns how. */
    public End awaitEnd(Creation creation) {
        String start = "created " + creation.key + ' ' + creation.fence + ' ';
        await("the end of " + creation, () -> said.stream().anyMatch(line -> line.startsWith(start)));
        return said.stream()
                .filter(line -> line.startsWith(start))
                .map(line -> line.split(" ", 5))
                .map(words -> new End(Long.parseLong(words[3]), words[4].equals("true")))
                .findFirst()
                .orElseThrow();
    }

    /** As kill -9. Returns when it is gone. */
    public void kill() {
        process.destroyForcibly();
        boolean ended = false;
        try {
            ended = process.waitFor(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!ended) {
            throw new IllegalStateException("not ended: " + this);
        }
    }

    /** As SIGSTOP: it stands still in mid-work, and its connections stay open. Returns when it does. */
    public void stop() {
        signal("STOP");
        Path stat = PROC.resolve(Long.toString(process.pid())).resolve("stat");
        if (Files.isReadable(stat)) { // elsewhere than on Linux the signal is only sent so far
            Await.until(this + " stands still", () -> isStopped(stat));
        }
    }

    /** As SIGCONT: ends {@link #stop()}. */
    public void goOn() {
        signal("CONT");
    }

    /** Whether it runs, or stands still. */
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

    private void tell(String line) {
        try {
            told.write(line + '\n');
            told.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(this + " takes no more orders; it wrote:\n" + stderr, e);
        }
    }

    private void await(String what, java.util.function.BooleanSupplier holds) {
        Await.until(() -> this + ": " + what + "; it said:\n" + lastLines() + "\nand wrote:\n" + stderr, () -> {
            if (holds.getAsBoolean()) {
                return true;
            }
            if (!process.isAlive()) {
                throw new IllegalStateException(
                        this + " ended before " + what + "; it said:\n" + lastLines() + "\nand wrote:\n" + stderr);
            }
            return false;
        });
    }

    private String lastLines() {
        List<String> lines = List.copyOf(said);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    private void listen(InputStream out) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(out, UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            said.add(line);
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

    private void signal(String signal) {
        try {
            // The shell's own kill: the command of that name is not installed everywhere.
            Process kill = new ProcessBuilder("sh", "-c", "kill -" + signal + ' ' + process.pid())
                    .redirectErrorStream(true)
                    .start();
            String wrote = new String(kill.getInputStream().readAllBytes(), UTF_8);
            if (!kill.waitFor(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS) || kill.exitValue() != 0) {
                throw new IllegalStateException("kill -" + signal + " of " + this + " failed: " + wrote);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while sending a signal to " + this, e);
        }
    }

    /** Each of its threads stands still. The letter is behind the name, which is in brackets. */
    private static boolean isStopped(Path stat) {
        try {
            String line = Files.readString(stat);
            return line.charAt(line.lastIndexOf(')') + 2) == 'T';
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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

    /** Threads of the node that were told to do something. */
    public final class Call {
        private final String id = "c" + calls.incrementAndGet();
        private final int threads;

        private Call(int threads) {
            this.threads = threads;
        }

        /** What those got that are done. */
        public List<Got> got() {
            return said.stream()
                    .map(line -> line.split(" ", 4))
                    .filter(words -> (words[0].equals("got") || words[0].equals("failed")) && words[1].equals(id))
                    .map(words -> new Got(Long.parseLong(words[2]), words[3], words[0].equals("failed")))
                    .toList();
        }

        /** Waits until all are done, and returns what each of them got. */
        public List<Got> await() {
            JvmNode.this.await("that " + threads + " threads are done", () -> got().size() == threads);
            return got();
        }
    }
}
