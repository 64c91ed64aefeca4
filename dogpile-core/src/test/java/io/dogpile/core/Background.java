package io.dogpile.core;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.lang.ref.WeakReference;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A thread with a result, and bounded ways of waiting for what other threads do. */
public final class Background<T> {
    private static final long PATIENCE_SECONDS = 20;

    public final Thread thread;
    private final FutureTask<T> task;

    private Background(Callable<T> body) {
        task = new FutureTask<>(body);
        thread = new Thread(task, "background");
        thread.setDaemon(true);
    }

    public static <T> Background<T> start(Callable<T> body) {
        Background<T> started = new Background<>(body);
        started.thread.start();
        return started;
    }

    public static Background<Void> run(Body body) {
        return start(() -> {
            body.run();
            return null;
        });
    }

    /** What the thread gave; what it threw is thrown as the cause of an ExecutionException. */
    public T result() throws ExecutionException, InterruptedException {
        try {
            return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            AssertionError stuck = new AssertionError("still " + thread.getState());
            stuck.setStackTrace(thread.getStackTrace());
            throw stuck;
        }
    }

    public Throwable failure() throws InterruptedException {
        try {
            return fail("expected a failure, got " + result());
        } catch (ExecutionException e) {
            return e.getCause();
        }
    }

    public boolean isDone() {
        return task.isDone();
    }

    /** Waits until the thread is parked. */
    public Background<T> parked() {
        eventually("the thread waits", () -> {
            assertTrue(!task.isDone(), "the thread ended and did not wait");
            Thread.State state = thread.getState();
            return state == Thread.State.WAITING || state == Thread.State.TIMED_WAITING;
        });
        return this;
    }

    public static void eventually(String what, BooleanSupplier holds) {
        long start = System.nanoTime();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
                fail("not within " + PATIENCE_SECONDS + " s: " + what);
            }
            LockSupport.parkNanos(100_000);
        }
    }

    public static void collected(WeakReference<?> reference) {
        eventually("the object is collected", () -> {
            System.gc();
            return reference.get() == null;
        });
    }

    public interface Body {
        void run() throws Exception;
    }
}
