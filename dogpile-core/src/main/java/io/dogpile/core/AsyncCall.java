package io.dogpile.core;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The driver whose caller holds a future: the same election, with no thread parked. Steps run on the executor of the
 * view, one at a time.
 *
 * <pre>
 *            signal           await
 *   WAITING ────────► RUNNING ──────► WAITING
 *                     │    ▲
 *              signal ▼    │ await
 *                   SIGNALLED            RUNNING ──end──► DONE
 * </pre>
 */
final class AsyncCall<V> extends Call<V> {
    private enum Turn {
        WAITING,
        RUNNING,
        SIGNALLED,
        DONE
    }

    private final Callable<? extends CompletionStage<? extends V>> creator;
    private final Executor executor;
    private final CompletableFuture<Acquired<V>> future = new CompletableFuture<>();
    private final AtomicReference<Turn> turn = new AtomicReference<>(Turn.RUNNING);

    /** Only touched by whoever has the turn. */
    private Election.@Nullable Action next;

    private volatile @Nullable Landing<V> own;
    private @Nullable Runnable cancelTimer;

    AsyncCall(
            DogpileLock<V> lock,
            Object name,
            Slot<V> slot,
            Callable<? extends CompletionStage<? extends V>> creator,
            Election.Want want,
            Executor executor) {
        super(lock, name, slot, want);
        this.creator = creator;
        this.executor = executor;
    }

    CompletableFuture<Acquired<V>> start() {
        Creation.refuseRecursion(flights(), name(), options().told());
        var unused = future.whenComplete((acquired, thrown) -> {
            if (future.isCancelled()) {
                signal();
            }
        });
        submit();
        return future;
    }

    /** Any thread: whoever finds the call waiting takes its turn to the executor. */
    @Override
    void signal() {
        while (true) {
            Turn now = turn.get();
            if (now == Turn.DONE || now == Turn.SIGNALLED) {
                return;
            }
            if (turn.compareAndSet(now, now == Turn.WAITING ? Turn.RUNNING : Turn.SIGNALLED)) {
                if (now == Turn.WAITING) {
                    submit();
                }
                return;
            }
        }
    }

    private void submit() {
        try {
            executor.execute(this::drive);
        } catch (RuntimeException | Error rejected) {
            end();
            future.completeExceptionally(
                    new DogpileException("The executor of the asynchronous view refused a step", rejected));
        }
    }

    private void drive() {
        try {
            while (true) {
                if (future.isDone()) {
                    end();
                    tellWait(DogpileListener.WaitOutcome.INTERRUPTED);
                    return;
                }
                if (advance()) {
                    return;
                }
                arm();
                if (turn.compareAndSet(Turn.RUNNING, Turn.WAITING)) {
                    return;
                }
                turn.set(Turn.RUNNING);
            }
        } catch (Throwable unexpected) {
            end();
            future.completeExceptionally(unexpected);
        }
    }

    /** Goes on until there is nothing but to wait (false) or the call has ended (true). */
    private boolean advance() {
        if (next == null) {
            next = election.begin(now());
        }
        while (true) {
            switch (next) {
                case RETURN:
                    end();
                    future.complete(acquired());
                    return true;
                case THROW:
                    end();
                    future.completeExceptionally(failure());
                    return true;
                case AWAIT:
                    Election.Action found = awaited();
                    if (found == null) {
                        return false;
                    }
                    next = found;
                    break;
                default:
                    Election.Action after = step(next);
                    next = after == null ? Election.Action.AWAIT : after;
            }
        }
    }

    private Election.@Nullable Action awaited() {
        if (election.state() == Election.State.CREATING) {
            Landing<V> landed = own;
            return landed == null ? null : election.created(landed, now());
        }
        beginsToWait();
        return look();
    }

    @Override
    Election.@Nullable Action create(CreationRun<V> run) {
        run.start(creator, landing -> {
            own = landing;
            signal();
        });
        return null;
    }

    @Override
    Runnable createLater(CreationRun<V> run) {
        return () -> run.start(creator, landing -> {});
    }

    /** The timer is always armed while the call waits for others; its own creation wakes it by itself. */
    private void arm() {
        disarm();
        if (election.state() != Election.State.CREATING) {
            cancelTimer = options().time().after(Math.max(0, lookAt() - now()), this::signal);
        }
    }

    private void disarm() {
        if (cancelTimer != null) {
            cancelTimer.run();
            cancelTimer = null;
        }
    }

    private void end() {
        turn.set(Turn.DONE);
        disarm();
        leave();
    }
}
