package io.dogpile.memcached;

import io.dogpile.core.TimeSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.spy.memcached.MemcachedConnection;
import net.spy.memcached.MemcachedNode;
import net.spy.memcached.ops.DeleteOperation;
import net.spy.memcached.ops.GetsOperation;
import net.spy.memcached.ops.Operation;
import net.spy.memcached.ops.OperationStatus;
import net.spy.memcached.ops.StatusCode;
import net.spy.memcached.ops.StoreOperation;
import org.jspecify.annotations.Nullable;

/**
 * A command that was sent. Completed once, by the client's thread or by who waits no longer; what comes later is dropped.
 */
final class Pending implements GetsOperation.Callback, StoreOperation.Callback, DeleteOperation.Callback {
    private static final OperationStatus NONE = new OperationStatus(false, "no status", StatusCode.ERR_CLIENT);

    private final Item item;
    private final long lateAt;
    private final CompletableFuture<Answer> answer = new CompletableFuture<>();
    private @Nullable Operation operation; // written before it is sent

    // Written by one thread at a time, under the operation's own lock.
    private OperationStatus status = NONE;
    private long cas;
    private byte @Nullable [] data;

    /** For an answer that is waited for so long from now on. */
    Pending(Item item, long timeoutNanos) {
        this.item = item;
        this.lateAt = TimeSource.system().nanos() + timeoutNanos;
    }

    Item item() {
        return item;
    }

    void of(Operation sent) {
        operation = sent;
    }

    @Override
    public void gotData(String key, int flags, long itsCas, byte[] itsData) {
        cas = itsCas;
        data = itsData;
    }

    @Override
    public void gotData(String key, long itsCas) {
        cas = itsCas;
    }

    @Override
    public void gotData(long itsCas) {
        cas = itsCas;
    }

    @Override
    public void receivedStatus(OperationStatus said) {
        status = said;
    }

    @Override
    public void complete() {
        answer.complete(new Answer(status.getStatusCode(), String.valueOf(status.getMessage()), cas, data));
    }

    void notSent(Throwable why) {
        answer.completeExceptionally(why);
    }

    /** Completed by the client's thread, under its locks: what follows must go to a thread of its own. */
    CompletableFuture<Answer> answer() {
        return answer;
    }

    /** Waits no longer. It may be done all the same. */
    void giveUp() {
        Operation sent = operation;
        if (sent != null && !answer.isDone()) {
            MemcachedConnection.opTimedOut(sent); // after many in a row the client opens the connection anew
            sent.timeOut();
        }
    }

    /** The client counts time-outs in a row. */
    private void noteAnswered(Answer given) {
        MemcachedNode node = operation == null ? null : operation.getHandlingNode();
        if (node != null && node.getContinuousTimeout() > 0 && given.status() != StatusCode.TIMEDOUT) {
            MemcachedConnection.opSucceeded(operation);
        }
    }

    /**
     * Waits for the answer, at most so long after it was sent, interrupted or not: the time is short, and who is interrupted must
     * not take that for a failure of the server.
     *
     * @throws ExecutionException if it was not sent
     */
    Answer await() throws ExecutionException {
        boolean interrupted = false;
        TimeSource time = TimeSource.system();
        try {
            while (true) {
                try {
                    Answer given = answer.get(Math.max(0, lateAt - time.nanos()), TimeUnit.NANOSECONDS);
                    noteAnswered(given);
                    return given;
                } catch (InterruptedException later) {
                    interrupted = true;
                } catch (TimeoutException late) {
                    giveUp(); // so that it is complete now
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
