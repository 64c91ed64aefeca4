package io.dogpile.cache.processes;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.histories.HistoryNode;
import io.dogpile.core.Creation;
import io.dogpile.core.Lease;
import io.dogpile.core.LockProvider;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;

/** What runs in the JVM of a {@link JvmNode}, which says what the lines mean. */
public final class NodeMain {
    /** The first argument of a process of a live history. */
    public static final String HISTORY = "history";

    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final Duration LONGEST_CREATION = Duration.ofSeconds(20);
    private static final Duration LOCK_LEASE = Duration.ofSeconds(10);

    /** The store of a node, as its module opens it. Ends with {@link #close}. */
    public interface Store extends AutoCloseable {
        /**
         * Where the values are.
         *
         * @return the backend
         */
        Backend backend();

        /**
         * The lock alone.
         *
         * @return the provider
         */
        default LockProvider locks() {
            throw new UnsupportedOperationException("no lock");
        }

        /** Returns when what others do is heard here, once a region is open. */
        default void awaitLive() {}

        /**
         * Reads a number that nothing but a lock protects.
         *
         * @param counter where it is
         * @return the number; zero if there is none
         */
        default long number(String counter) {
            throw new UnsupportedOperationException("no numbers");
        }

        /**
         * Writes it.
         *
         * @param counter where it is
         * @param number the number
         */
        default void number(String counter, long number) {
            throw new UnsupportedOperationException("no numbers");
        }

        @Override
        void close();
    }

    private final String node;
    private final Store store;
    private final Region<String, String> region;
    private final PrintStream out;
    private final Map<String, Lease> locked = new ConcurrentHashMap<>();

    private NodeMain(String node, Store store, Region<String, String> region, PrintStream out) {
        this.node = node;
        this.store = store;
        this.region = region;
        this.out = out;
    }

    /**
     * Does as it is told until it is told no more, and ends the JVM.
     *
     * @param arguments name of the node, where the store is, name of the region, and its settings as name=value; or
     *     {@link #HISTORY} and what {@link HistoryNode#run} takes
     * @param opened opens the store, by where it is
     * @throws IOException if its orders cannot be read
     */
    public static void run(String[] arguments, Function<String, Store> opened) throws IOException {
        if (arguments[0].equals(HISTORY)) {
            HistoryNode.run(Arrays.copyOfRange(arguments, 1, arguments.length), opened);
            return;
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Map<String, String> settings = new HashMap<>();
        for (int i = 3; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            settings.put("region." + arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
        }
        try (Store store = opened.apply(arguments[1]);
                Region<String, String> region = Region.<String, String>builder(arguments[2])
                        .backend(store.backend())
                        .serializer(Serializer.string())
                        .from(settings, "region.")
                        .build()) {
            store.awaitLive();
            NodeMain main = new NodeMain(arguments[0], store, region, out);
            main.say("ready");
            main.obey(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        }
        System.exit(0); // threads may still wait for a creation
    }

    private void obey(BufferedReader in) throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            switch (words[0]) {
                case "get" -> get(words);
                case "invalidate" ->
                    answered(words, () -> {
                        region.invalidate(words[2], Invalidation.valueOf(words[3]));
                        return "invalidated";
                    });
                case "lock" ->
                    answered(words, () -> {
                        Optional<Lease> granted =
                                store.locks().tryAcquire(words[2], Duration.ofMillis(Long.parseLong(words[3])));
                        granted.ifPresent(lease -> locked.put(words[2], lease));
                        return granted.isPresent() ? "granted" : "refused";
                    });
                case "unlock" ->
                    answered(words, () -> {
                        locked.remove(words[2]).close();
                        return "released";
                    });
                case "count" -> answered(words, () -> count(words));
                default -> say("unknown " + line);
            }
        }
    }

    private void get(String[] words) {
        String key = words[2];
        int threads = Integer.parseInt(words[3]);
        JvmNode.Creator creator = JvmNode.Creator.valueOf(words[4]);
        long millis = Long.parseLong(words[5]);
        for (int thread = 0; thread < threads; thread++) {
            answered(words, () -> region.getOrCreate(key, () -> create(key, creator, millis)));
        }
    }

    private String create(String key, JvmNode.Creator creator, long millis) {
        Creation creation = Creation.current().orElseThrow();
        long fence = creation.fencingToken();
        say("creating", key, Long.toString(fence), now());
        long begun = System.nanoTime();
        long until = (creator == JvmNode.Creator.UNTIL_LOST ? LONGEST_CREATION : Duration.ofMillis(millis)).toNanos();
        while (System.nanoTime() - begun < until
                && !(creator == JvmNode.Creator.UNTIL_LOST && creation.isLeaseLost())) {
            LockSupport.parkNanos(POLL_NANOS);
        }
        say("created", key, Long.toString(fence), now(), Boolean.toString(creation.isLeaseLost()));
        if (creator == JvmNode.Creator.FAILS) {
            throw new IllegalStateException("the creator of " + node + " fails");
        }
        return JvmNode.Creation.valueOf(node, fence);
    }

    /** On a thread of its own, and says what came of it. */
    private void answered(String[] words, Supplier<String> task) {
        start(() -> {
            try {
                String answer = task.get();
                say("got", words[1], now(), answer);
            } catch (RuntimeException failed) {
                say("failed", words[1], now(), failed.toString().replaceAll("\\s+", " "));
            }
        });
    }

    /** Adds one at a time to what a key holds, in two steps that only the lock keeps together. */
    private String count(String[] words) {
        String lock = words[2];
        String counter = words[3];
        for (int left = Integer.parseInt(words[4]); left > 0; ) {
            Optional<Lease> granted = store.locks().tryAcquire(lock, LOCK_LEASE);
            if (granted.isEmpty()) {
                LockSupport.parkNanos(POLL_NANOS / 10);
                continue;
            }
            Lease held = granted.get();
            try {
                store.number(counter, store.number(counter) + 1);
                left--;
            } finally {
                held.close();
            }
        }
        return "counted";
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "told");
        thread.setDaemon(true);
        thread.start();
    }

    private void say(String... words) {
        out.println(String.join(" ", words));
    }

    /** In microseconds of the machine's clock, which all its processes have in common. */
    private static String now() {
        return Long.toString(ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));
    }
}
