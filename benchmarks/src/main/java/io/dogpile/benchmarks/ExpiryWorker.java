package io.dogpile.benchmarks;

import com.alicp.jetcache.Cache;
import com.alicp.jetcache.RefreshPolicy;
import io.dogpile.cache.Region;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Base64;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.zip.DataFormatException;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SynchronizedHistogram;

/**
 * One process of those that ask for a value which lives a second, each thread once a millisecond. A value is the moment
 * when its creator returned, by the machine's own monotonic clock.
 */
public final class ExpiryWorker {
    static final Duration LIFE = Duration.ofSeconds(1);
    static final long CREATION_MILLIS = 100;

    private static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long START_NANOS = 20 * PERIOD_NANOS;

    private final int port;
    /** For each kind its own: JetCache goes on to refresh while the others have their turn. */
    private final Map<Kind, LongAdder> creations = new EnumMap<>(Kind.class);

    private final Map<Kind, Supplier<byte[]>> open = new EnumMap<>(Kind.class);

    /** What is asked. */
    enum Kind {
        REGION("Region on RedisBackend, staleAfter 1 s, refreshOn") {
            @Override
            Supplier<byte[]> open(int port, Supplier<byte[]> creator) {
                Region<String, byte[]> region = Peers.region("expiring", Peers.backend(port))
                        .staleAfter(LIFE)
                        .expireAfter(LIFE.multipliedBy(LIVES_KEPT))
                        .refreshOn(Executors.newSingleThreadExecutor())
                        .build();
                return () -> region.getOrCreate("key", creator::get);
            }
        },

        JETCACHE("JetCache on Redis (Lettuce), refreshPolicy 1 s") {
            @Override
            Supplier<byte[]> open(int port, Supplier<byte[]> creator) {
                Cache<String, byte[]> jet = Peers.jetCache(Peers.lettuce(port), "expiring:")
                        .expireAfterWrite(LIFE.toSeconds() * LIVES_KEPT, TimeUnit.SECONDS)
                        .refreshPolicy(RefreshPolicy.newPolicy(LIFE.toSeconds(), TimeUnit.SECONDS))
                        .loader(key -> creator.get())
                        .buildCache();
                return () -> jet.get("key");
            }
        };

        private static final int LIVES_KEPT = 5;

        final String title;

        Kind(String title) {
            this.title = title;
        }

        abstract Supplier<byte[]> open(int port, Supplier<byte[]> creator);
    }

    /**
     * What a process saw, or several.
     *
     * @param creations that were begun
     * @param failures calls that failed
     * @param oldestNanos the greatest age of a value that was returned
     * @param latency of all calls, from the moment when they were due
     */
    record Seen(long creations, long failures, long oldestNanos, Histogram latency) {
        static Seen parse(String line) {
            String[] words = line.split(" ");
            try {
                ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(words[3]));
                return new Seen(
                        Long.parseLong(words[0]),
                        Long.parseLong(words[1]),
                        Long.parseLong(words[2]),
                        Histogram.decodeFromCompressedByteBuffer(bytes, 0));
            } catch (DataFormatException e) {
                throw new IllegalArgumentException("not the answer of an " + ExpiryWorker.class.getSimpleName(), e);
            }
        }

        @Override
        public String toString() {
            ByteBuffer bytes = ByteBuffer.allocate(latency.getNeededByteBufferCapacity());
            int length = latency.encodeIntoCompressedByteBuffer(bytes);
            String encoded = Base64.getEncoder().encodeToString(java.util.Arrays.copyOf(bytes.array(), length));
            return creations + " " + failures + " " + oldestNanos + " " + encoded;
        }

        Seen and(Seen other) {
            Histogram both = latency.copy();
            both.add(other.latency);
            return new Seen(
                    creations + other.creations,
                    failures + other.failures,
                    Math.max(oldestNanos, other.oldestNanos),
                    both);
        }
    }

    private ExpiryWorker(int port) {
        this.port = port;
        for (Kind kind : Kind.values()) {
            creations.put(kind, new LongAdder());
        }
    }

    /**
     * Answers lines until there are no more.
     *
     * @param args the port of the server
     */
    public static void main(String[] args) throws Exception {
        ExpiryWorker worker = new ExpiryWorker(Integer.parseInt(args[0]));
        Child.serve(words -> worker.load(Kind.valueOf(words[0]), Integer.parseInt(words[1]), Integer.parseInt(words[2]))
                .toString());
    }

    private LongAdder creationsOf(Kind kind) {
        return Objects.requireNonNull(creations.get(kind));
    }

    private byte[] create(Kind kind) {
        creationsOf(kind).increment();
        try {
            TimeUnit.MILLISECONDS.sleep(CREATION_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return ByteBuffer.allocate(Long.BYTES).putLong(System.nanoTime()).array();
    }

    private Seen load(Kind kind, int threads, int seconds) throws InterruptedException {
        Supplier<byte[]> getter = open.computeIfAbsent(kind, one -> one.open(port, () -> create(one)));
        creationsOf(kind).reset();
        Histogram latency = new SynchronizedHistogram(3);
        AtomicLong oldest = new AtomicLong();
        AtomicInteger failures = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(threads);
        long begin = System.nanoTime() + START_NANOS;
        long end = begin + TimeUnit.SECONDS.toNanos(seconds);
        for (int thread = 0; thread < threads; thread++) {
            long first = begin + thread * PERIOD_NANOS / threads;
            new Thread(() -> {
                        Histogram own = new Histogram(3);
                        long ownOldest = 0;
                        for (long due = first; due < end; due += PERIOD_NANOS) {
                            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                                LockSupport.parkNanos(left);
                            }
                            try {
                                long createdAt = ByteBuffer.wrap(getter.get()).getLong();
                                ownOldest = Math.max(ownOldest, System.nanoTime() - createdAt);
                            } catch (RuntimeException e) {
                                failures.incrementAndGet();
                            }
                            own.recordValue(System.nanoTime() - due);
                        }
                        latency.add(own);
                        oldest.accumulateAndGet(ownOldest, Math::max);
                        done.countDown();
                    })
                    .start();
        }
        done.await();
        return new Seen(creationsOf(kind).sum(), failures.get(), oldest.get(), latency.copy());
    }
}
