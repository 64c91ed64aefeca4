package io.dogpile.cache.processes;

import io.dogpile.cache.backend.Invalidation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * Another JVM with a region of its own on a store that it shares, that can be asked, killed with -9 and stopped in
 * mid-work.
 *
 * <p>Told in lines what to do, and answers in lines:
 *
 * <pre>
 *   get CALL KEY THREADS CREATOR MILLIS    so many threads ask for the key; whoever is elected creates as told
 *   invalidate CALL KEY HOW                hard or soft
 *   lock CALL LOCK MILLIS                  tries to get a lock, and keeps it
 *   unlock CALL LOCK                       gives it back
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
    public record Creation(String node, String key, long fence, long begunMicros) {
        /** What the creator returns. */
        public String value() {
            return valueOf(node, fence);
        }

        static String valueOf(String node, long fence) {
            return node + '@' + fence;
        }
    }

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

    private static final long A_MOMENT_MILLIS = 50;

    private final JvmProcess process;
    private final AtomicLong calls = new AtomicLong();
    private final List<String> said = new CopyOnWriteArrayList<>();

    private JvmNode(String name, Class<?> main, List<String> arguments) {
        this.process = JvmProcess.start(name, main, said::add, arguments);
    }

    /**
     * Starts several JVMs at once and returns when their regions are open.
     *
     * @param main what runs in them: a class whose main calls {@link NodeMain#run}
     * @param names their names, of letters and digits
     * @param store where the store is, as that class understands it
     * @param region the name of the region; nodes of one name share their values
     * @param settings of the region, as {@code RegionBuilder.from} takes them, such as {@code lease} and {@code 1s}
     * @return the nodes; the caller closes them
     * @throws AssertionError if one does not open its region in time; the message has what it wrote to its stderr
     */
    public static List<JvmNode> start(
            Class<?> main, List<String> names, String store, String region, Map<String, String> settings) {
        List<JvmNode> started = new ArrayList<>();
        try {
            names.forEach(name -> {
                List<String> arguments = new ArrayList<>(List.of(name, store, region));
                settings.forEach((setting, value) -> arguments.add(setting + '=' + value));
                started.add(new JvmNode(name, main, arguments));
            });
            started.forEach(node -> node.await("its region is open", () -> node.said.contains("ready")));
            return List.copyOf(started);
        } catch (RuntimeException | AssertionError e) {
            started.forEach(JvmNode::close);
            throw e;
        }
    }

    /** Its name. */
    public String name() {
        return process.name();
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
        process.tell("get " + call.id + ' ' + key + ' ' + threads + ' ' + creator + ' ' + millis);
        return call;
    }

    /** What one thread gets for a key, which must not fail; its creator takes a moment. */
    public String value(String key) {
        return get(key, 1, Creator.VALUE, A_MOMENT_MILLIS).value();
    }

    /**
     * Makes the node invalidate a key. Returns at once.
     *
     * @param key the key
     * @param how hard or soft
     * @return the call
     */
    public Call invalidate(String key, Invalidation how) {
        Call call = new Call(1);
        process.tell("invalidate " + call.id + ' ' + key + ' ' + how);
        return call;
    }

    /**
     * Lets a thread of the node add one to what a key of the store holds, by reading and writing, under a lock. Returns at
     * once.
     *
     * @param lock the name of the lock
     * @param counter the key
     * @param times how many times
     * @return the call
     */
    public Call count(String lock, String counter, int times) {
        Call call = new Call(1);
        process.tell("count " + call.id + ' ' + lock + ' ' + counter + ' ' + times);
        return call;
    }

    /**
     * Tries to get a lock, and keeps it until told otherwise. Returns what the node got.
     *
     * @param lock the name of the lock
     * @param millis the length of its lease
     * @return whether it was granted
     */
    public boolean lock(String lock, long millis) {
        Call call = new Call(1);
        process.tell("lock " + call.id + ' ' + lock + ' ' + millis);
        return call.value().equals("granted");
    }

    /**
     * Gives back a lock that was granted here, however late, and returns when that is done.
     *
     * @param lock the name of the lock
     */
    public void unlock(String lock) {
        Call call = new Call(1);
        process.tell("unlock " + call.id + ' ' + lock);
        call.value();
    }

    /** The creators of a key that began here so far. */
    public List<Creation> creations(String key) {
        return said.stream()
                .map(line -> line.split(" ", 4))
                .filter(words -> words[0].equals("creating") && words[1].equals(key))
                .map(words -> new Creation(name(), key, Long.parseLong(words[2]), Long.parseLong(words[3])))
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
        process.kill();
    }

    /** As SIGSTOP: it stands still in mid-work, and its connections stay open. Returns when it does. */
    public void stop() {
        process.stop();
    }

    /** As SIGCONT: ends {@link #stop()}. */
    public void goOn() {
        process.goOn();
    }

    /** Whether it runs, or stands still. */
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.close();
    }

    @Override
    public String toString() {
        return process.toString();
    }

    private void await(String what, BooleanSupplier holds) {
        try {
            process.await(what, holds);
        } catch (AssertionError failed) {
            List<String> lines = List.copyOf(said);
            throw new AssertionError(
                    failed.getMessage() + "\nand said:\n"
                            + String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size())),
                    failed);
        }
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

        /** Waits until the one thread is done, which must not fail, and returns what it got. */
        public String value() {
            Got got = await().get(0);
            if (got.failed) {
                throw new AssertionError(JvmNode.this + ": " + got.value);
            }
            return got.value;
        }

        /** Waits until all are done, and returns what each of them got. */
        public List<Got> await() {
            JvmNode.this.await(threads + " threads are done", () -> got().size() == threads);
            return got();
        }
    }
}
