package io.dogpile.core.testing;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.dogpile.core.Creator;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A creator that is held until the test lets it go on, and counts its calls: for tests of what others do while one
 * creates.
 *
 * <p>A creation that nobody lets go on fails after 30 seconds, so that no test hangs. Thread-safe.
 *
 * @param <V> the type of the value
 */
public final class Held<V> implements Creator<V> {
    /** Far more than anything here takes; whoever waits longer waits for ever. */
    private static final long PATIENCE_SECONDS = 30;

    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private final AtomicInteger calls = new AtomicInteger();
    private final Creator<? extends V> then;

    /**
     * A creator that gives a value in the end.
     *
     * @param value the value
     */
    public Held(V value) {
        this.then = () -> value;
    }

    private Held(Creator<? extends V> then) {
        this.then = then;
    }

    /**
     * A creator that goes on as another one, such as one that fails.
     *
     * @param <V> the type of the value
     * @param then what is called when it is let go
     * @return the creator
     */
    public static <V> Held<V> then(Creator<? extends V> then) {
        return new Held<V>(then);
    }

    /**
     * Waits until it is let go, and then creates.
     *
     * @return the value
     * @throws AssertionError if nobody let it go within 30 seconds
     * @throws Exception what the creator threw that it goes on as; InterruptedException if interrupted
     */
    @Override
    public V create() throws Exception {
        calls.incrementAndGet();
        begun.countDown();
        if (!go.await(PATIENCE_SECONDS, SECONDS)) {
            throw new AssertionError("nobody let this creator go on");
        }
        return then.create();
    }

    /**
     * Waits until it was called.
     *
     * @throws AssertionError if nobody called it within 30 seconds
     * @throws InterruptedException if interrupted meanwhile
     */
    public void awaitBegun() throws InterruptedException {
        if (!begun.await(PATIENCE_SECONDS, SECONDS)) {
            throw new AssertionError("nobody was elected");
        }
    }

    /** Lets the call that is held, and all that come later, go on. */
    public void letGo() {
        go.countDown();
    }

    /**
     * How often it was called.
     *
     * @return the number of calls, whatever became of them
     */
    public int calls() {
        return calls.get();
    }
}
