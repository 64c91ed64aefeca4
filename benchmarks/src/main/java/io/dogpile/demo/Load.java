package io.dogpile.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/** Makes callers, each a thread of its own, and waits until all are served. */
final class Load {
    /** One call for a key. */
    @FunctionalInterface
    interface Request {
        Call.Outcome send(String key) throws Exception;
    }

    /** Says when a load begins; asked when all who call are there, or nearly. */
    @FunctionalInterface
    interface Start {
        /** When callers are wanted soon, and time to get ready is left. */
        Start SOON = () -> TimeUnit.MILLISECONDS.toNanos(100);

        /** Returns in how many nanoseconds it begins. */
        long inNanos() throws Exception;
    }

    /**
     * When calls are due.
     *
     * @param first when the first is, in nanoseconds after the load has begun
     * @param pause from one to the next
     * @param calls how many there are
     */
    record Pace(long first, long pause, int calls) {
        static Pace perSecond(int perSecond, int calls) {
            return new Pace(0, TimeUnit.SECONDS.toNanos(1) / perSecond, calls);
        }

        /** The share of one of several who keep this pace together, and take turns. */
        Pace share(int number, int of) {
            return new Pace(first + number * pause, of * pause, (calls - number + of - 1) / of);
        }
    }

    private Load() {}

    /**
     * All callers at once, one call each. They wake by the clock, not by one another: a chain of wake-ups would be so
     * slow on a few processors that the last callers came when the first had created.
     */
    static void burst(int callers, IntFunction<String> keys, Recorder recorder, Request request, Start start)
            throws Exception {
        CountDownLatch ready = new CountDownLatch(callers);
        CountDownLatch clockIsSet = new CountDownLatch(1);
        List<Caller> all = start(callers, recorder, lane -> {
            ready.countDown();
            clockIsSet.await();
            awaitDue(0, recorder);
            call(keys.apply(lane), 0, recorder, request);
        });
        ready.await();
        recorder.beginIn(start.inNanos());
        clockIsSet.countDown();
        join(all);
    }

    /**
     * Calls that are due at a steady pace, whatever became of those before; each is taken by the next caller that is
     * free, as a server's threads do.
     */
    static void steady(int callers, Pace pace, String key, Recorder recorder, Request request, Start start)
            throws Exception {
        AtomicInteger next = new AtomicInteger();
        recorder.beginIn(start.inNanos());
        join(start(callers, recorder, lane -> {
            for (int number = next.getAndIncrement(); number < pace.calls(); number = next.getAndIncrement()) {
                long due = pace.first() + number * pace.pause();
                awaitDue(due, recorder);
                call(key, due, recorder, request);
            }
        }));
    }

    private static void awaitDue(long due, Recorder recorder) {
        for (long early = due - recorder.now(); early > 0; early = due - recorder.now()) {
            LockSupport.parkNanos(early);
        }
    }

    private static void call(String key, long due, Recorder recorder, Request request) throws Exception {
        long begin = recorder.now();
        Call.Outcome outcome = request.send(key);
        recorder.called(key, due, begin, outcome);
    }

    /** What a caller does with its life. */
    private interface Part {
        void play(int lane) throws Exception;
    }

    private static List<Caller> start(int callers, Recorder recorder, Part part) {
        List<Caller> all = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            int lane = i;
            all.add(new Caller(lane, () -> {
                try {
                    part.play(lane);
                } catch (Throwable thrown) {
                    recorder.failed(thrown);
                }
            }));
        }
        all.forEach(Thread::start);
        return all;
    }

    private static void join(List<Caller> all) throws InterruptedException {
        for (Caller caller : all) {
            caller.join();
        }
    }
}
