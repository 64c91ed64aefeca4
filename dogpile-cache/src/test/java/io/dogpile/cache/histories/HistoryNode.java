package io.dogpile.cache.histories;

import io.dogpile.cache.CachedValue;
import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.NodeMain;
import io.dogpile.core.Creation;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * A process of a live history: threads that call a region at random, and say what they do in lines ({@link Event}).
 *
 * <pre>
 *   work PREFIX KEYS THREADS    begins a round on so many keys
 *   halt                        ends it
 *
 *   ready                       the region is open
 *   halted                      each thread has returned
 * </pre>
 */
public final class HistoryNode implements DogpileListener {
    /** The name of the region. */
    static final String REGION = "histories";

    /** Ends each event, so that one can tell when a line was cut off. */
    static final String WHOLE = " ;";

    private static final long WATCH_MILLIS = 20;
    private static final long STALL_MICROS = 150_000;
    private static final int LONGEST_PAUSE_MICROS = 12_000;

    private final String node;
    private final SplittableRandom seeds;
    private final long leaseMillis;
    private final PrintStream out;
    private final AtomicLong numbers = new AtomicLong();
    private final ThreadLocal<String> current = new ThreadLocal<>();
    private final List<Thread> workers = new ArrayList<>();
    private volatile boolean working;

    private HistoryNode(String node, long seed, long leaseMillis, PrintStream out) {
        this.node = node;
        this.seeds = new SplittableRandom(seed);
        this.leaseMillis = leaseMillis;
        this.out = out;
    }

    /**
     * Does as it is told until it is told no more, and ends the JVM.
     *
     * @param arguments name of the node, where the store is, seed, seconds by which its wall clock is wrong, milliseconds of
     *     a lease, and the settings of the region as name=value
     * @param opened opens the store, by where it is
     * @throws IOException if its orders cannot be read
     */
    public static void run(String[] arguments, Function<String, NodeMain.Store> opened) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Duration wrong = Duration.ofSeconds(Long.parseLong(arguments[3]));
        HistoryNode node =
                new HistoryNode(arguments[0], Long.parseLong(arguments[2]), Long.parseLong(arguments[4]), out);
        Map<String, String> settings = new HashMap<>();
        for (int i = 5; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            settings.put("region." + arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
        }
        try (NodeMain.Store store = opened.apply(arguments[1]);
                Region<String, String> region = Region.<String, String>builder(REGION)
                        .backend(store.backend())
                        .serializer(Serializer.string())
                        .from(settings, "region.")
                        .clock(new WrongClock(wrong))
                        .listener(node)
                        .build()) {
            store.awaitLive();
            daemon(node::watch);
            out.println("ready");
            node.obey(region, new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        }
        System.exit(0); // threads may still wait for a creation
    }

    private record WrongClock(Duration by) implements TimeSource {
        @Override
        public long nanos() {
            return TimeSource.system().nanos();
        }

        @Override
        public Instant instant() {
            return TimeSource.system().instant().plus(by);
        }
    }

    private void obey(Region<String, String> region, BufferedReader in) throws IOException {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "work" -> {
                    working = true;
                    for (int thread = Integer.parseInt(words[3]); thread > 0; thread--) {
                        SplittableRandom random = seeds.split();
                        workers.add(daemon(() -> work(region, words[1], Integer.parseInt(words[2]), random)));
                    }
                }
                case "halt" -> {
                    working = false;
                    daemon(this::halt);
                }
                default -> throw new IllegalArgumentException(line);
            }
        }
    }

    private void halt() {
        for (Thread worker : workers) {
            try {
                worker.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        workers.clear();
        out.println("halted");
    }

    /** Tells when the machine gave this process no turn. */
    private void watch() {
        for (long before = Event.now(); ; ) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(WATCH_MILLIS));
            long now = Event.now();
            if (now - before > STALL_MICROS) {
                say(Event.Kind.STALL, "-", "-", Long.toString(now - before));
            }
            before = now;
        }
    }

    private void work(Region<String, String> region, String prefix, int keys, SplittableRandom random) {
        while (working) {
            String key = prefix + random.nextInt(keys);
            String op = node + '-' + numbers.incrementAndGet();
            current.set(op);
            int what = random.nextInt(100);
            if (what < 70) {
                call(op, key, "CREATE", Event.Kind.FAIL, () -> region.getOrCreate(key, () -> create(op, key, random)));
            } else if (what < 86) {
                call(
                        op,
                        key,
                        "PEEK",
                        Event.Kind.FAIL,
                        () -> region.peek(key).map(CachedValue::value).orElse(History.NOTHING));
            } else if (what < 91) {
                call(op, key, "HARD", Event.Kind.UNKNOWN, () -> {
                    region.invalidate(key, Invalidation.HARD);
                    return History.NOTHING;
                });
            } else if (what < 97) {
                call(op, key, "SOFT", Event.Kind.UNKNOWN, () -> {
                    region.invalidate(key, Invalidation.SOFT);
                    return History.NOTHING;
                });
            } else {
                String value = op + ":put";
                call(op, key, "PUT " + value, Event.Kind.UNKNOWN, () -> {
                    region.put(key, value);
                    return History.NOTHING;
                });
            }
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(LONGEST_PAUSE_MICROS)));
        }
    }

    private interface Called {
        String call();
    }

    private void call(String op, String key, String what, Event.Kind ifItFails, Called called) {
        say(Event.Kind.INVOKE, op, key, what);
        try {
            String value = called.call();
            say(Event.Kind.OK, op, key, value);
        } catch (RuntimeException failed) {
            say(ifItFails, op, key, failed.toString());
        }
    }

    /** Most take no time, some longer than a lease, and some fail. */
    private String create(String op, String key, SplittableRandom random) {
        String value = op + ":" + numbers.incrementAndGet();
        long fence = Creation.current().orElseThrow().fencingToken();
        say(Event.Kind.START, op, key, value + ' ' + fence);
        int how = random.nextInt(100);
        long millis = how < 60
                ? random.nextInt(10)
                : how < 90 ? random.nextInt(200) : how < 98 ? random.nextLong(leaseMillis) : leaseMillis * 3 / 2;
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < TimeUnit.MILLISECONDS.toNanos(millis)) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        if (random.nextInt(30) == 0) {
            say(Event.Kind.END, op, key, "failed");
            throw new IllegalStateException("as the history wants it");
        }
        say(Event.Kind.END, op, key, "created");
        return value;
    }

    /** On the thread that created. */
    @Override
    public void writeRefused(Object name, Slot.Published.Outcome outcome) {
        say(Event.Kind.REFUSED, current.get(), name.toString(), outcome.toString());
    }

    private void say(Event.Kind kind, String op, String key, String detail) {
        out.println(new Event(Event.now(), node, kind, op, key, detail) + WHOLE);
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
