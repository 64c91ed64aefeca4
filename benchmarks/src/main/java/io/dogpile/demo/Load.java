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

    private static final long RUN_UP_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private Load() {}

    /**
     * All callers at once, one call each. They wake by the clock, not by one another: a chain of wake-ups would be so
     * slow on a few processors that the last callers came when the first had created.
     */
    static void burst(int callers, IntFunction<String> keys, Recorder recorder, Request request)
            throws InterruptedException {
        CountDownLatch ready = new CountDownLatch(callers);
        CountDownLatch clockIsSet = new CountDownLatch(1);
        List<Caller> all = start(callers, recorder, lane -> {
            ready.countDown();
            clockIsSet.await();
            awaitDue(0, recorder);
            call(keys.apply(lane), 0, recorder, request);
        });
        ready.await();
        recorder.beginIn(RUN_UP_NANOS);
        clockIsSet.countDown();
        join(all);
    }

    /**
     * Calls that are due at a steady pace, whatever became of those before; each is taken by the next caller that is
     * free, as a server's threads do.
     */
    static void steady(int callers, int perSecond, int calls, String key, Recorder recorder, Request request)
            throws InterruptedException {
        long pause = TimeUnit.SECONDS.toNanos(1) / perSecond;
        AtomicInteger next = new AtomicInteger();
        recorder.beginIn(RUN_UP_NANOS);
        join(start(callers, recorder, lane -> {
            for (int number = next.getAndIncrement(); number < calls; number = next.getAndIncrement()) {
                long due = number * pause;
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
