package io.dogpile.core;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** Callers on threads of their own, so that each can be waited for, interrupted, and asked for what it got. */
public final class Callers {
    private static final long PATIENCE_SECONDS = 20;

    private final List<Caller<?>> all = new CopyOnWriteArrayList<>();

    /** One caller and what became of it. */
    public static final class Caller<T> {
        private final FutureTask<T> task;
        private final Thread thread;

        private Caller(Callable<T> call) {
            task = new FutureTask<>(call);
            thread = new Thread(task, "caller");
            thread.setDaemon(true);
        }

        /** What the call returned; fails if it threw. */
        public T result() {
            try {
                return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (Exception e) {
                throw new AssertionError("no result", e);
            }
        }

        /** What the call threw; fails if it returned. */
        public Throwable failure() {
            try {
                T result = task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                throw new AssertionError("returned " + result);
            } catch (ExecutionException e) {
                return e.getCause();
            } catch (Exception e) {
                throw new AssertionError("no failure", e);
            }
        }

        public boolean isDone() {
            return task.isDone();
        }

        public void interrupt() {
            thread.interrupt();
        }

        public Thread thread() {
            return thread;
        }
    }

    public <T> Caller<T> start(Callable<T> call) {
        Caller<T> caller = new Caller<>(call);
        all.add(caller);
        caller.thread.start();
        return caller;
    }

    public <T> List<Caller<T>> start(int callers, Callable<T> call) {
        List<Caller<T>> started = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            started.add(start(call));
        }
        return started;
    }

    /** Ends whoever a failed test left behind. */
    public void end() throws InterruptedException {
        for (Caller<?> caller : all) {
            if (!caller.isDone()) {
                caller.interrupt();
            }
        }
        for (Caller<?> caller : all) {
            caller.thread.join(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS));
        }
    }
}
