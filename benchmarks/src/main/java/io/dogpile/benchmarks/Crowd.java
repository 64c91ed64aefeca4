package io.dogpile.benchmarks;

import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Callers who ask for one cold name at the same moment, each on a thread of its own. */
final class Crowd {
    /** What the starter of a round does before it lets the crowd go, so that all of it has come to rest. */
    private static final long SETTLE_MILLIS = 5;

    private static final long STACK_BYTES = 256 * 1024;

    private final int callers;
    private final Starter starter;
    private final AtomicInteger rounds = new AtomicInteger();

    /** How a creator ends. */
    enum Ending {
        VALUE,
        FAILURE,
        /** Some give it to the callers, others throw. */
        NULL
    }

    /** Starts a thread. */
    @FunctionalInterface
    private interface Starter {
        void start(Runnable task);
    }

    private Crowd(int callers, Starter starter) {
        this.callers = callers;
        this.starter = starter;
    }

    static Crowd ofPlatformThreads(int callers) {
        return new Crowd(callers, task -> new Thread(null, task, "caller", STACK_BYTES).start());
    }

    static boolean hasVirtualThreads() {
        return Runtime.version().feature() >= 21;
    }

    /** Made reflectively, since this is compiled for 17. */
    static Crowd ofVirtualThreads(int callers) throws NoSuchMethodException {
        var start = Thread.class.getMethod("startVirtualThread", Runnable.class);
        return new Crowd(callers, task -> {
            try {
                start.invoke(null, task);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /**
     * One round, on a name never used before.
     *
     * @param creationMillis how long the creator takes
     * @param ending how it ends then
     */
    Round meet(Contender contender, long creationMillis, Ending ending) throws InterruptedException {
        String name = "name " + rounds.incrementAndGet();
        AtomicInteger creations = new AtomicInteger();
        AtomicLong ended = new AtomicLong(Long.MAX_VALUE);
        Callable<String> creator = () -> {
            creations.incrementAndGet();
            Thread.sleep(creationMillis);
            ended.accumulateAndGet(System.nanoTime(), Math::min);
            return switch (ending) {
                case VALUE -> "value of " + name;
                case NULL -> null;
                case FAILURE -> throw new IllegalStateException("the creator failed, as it was told to");
            };
        };
        long[] returned = new long[callers];
        AtomicInteger wrong = new AtomicInteger();
        CountDownLatch ready = new CountDownLatch(callers);
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(callers);
        for (int i = 0; i < callers; i++) {
            int caller = i;
            starter.start(() -> {
                ready.countDown();
                boolean failed = false;
                try {
                    go.await();
                    contender.lookup().get(name, creator);
                } catch (Exception e) {
                    failed = true;
                }
                returned[caller] = System.nanoTime();
                if (ending != Ending.NULL && failed != (ending == Ending.FAILURE)) {
                    wrong.incrementAndGet();
                }
                done.countDown();
            });
        }
        ready.await();
        TimeUnit.MILLISECONDS.sleep(SETTLE_MILLIS);
        long began = System.nanoTime();
        go.countDown();
        done.await();
        if (wrong.get() > 0) {
            throw new IllegalStateException(contender.title() + ": " + wrong + " callers did not get what was created");
        }
        Arrays.sort(returned);
        return new Round(creations.get(), began, ended.get(), returned);
    }

    /**
     * What was seen.
     *
     * @param began when the callers were let go
     * @param ended when the first creator was about to return or throw
     * @param returned when each caller returned, in that order
     */
    record Round(int creations, long began, long ended, long[] returned) {
        /** How long after the creator's end that share of the callers had returned; never negative. */
        double lagMillis(double share) {
            int rank = (int) Math.ceil(share * returned.length);
            return Math.max(0, returned[Math.max(rank, 1) - 1] - ended) / 1e6;
        }

        double lastLagMillis() {
            return lagMillis(1);
        }

        /** When the last returned, counted from the beginning. */
        double lastMillis() {
            return (returned[returned.length - 1] - began) / 1e6;
        }
    }
}
