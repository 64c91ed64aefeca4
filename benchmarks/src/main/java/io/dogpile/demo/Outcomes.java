package io.dogpile.demo;

import io.dogpile.core.DogpileListener;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Tells how each caller came by its value: a region tells its listener on the caller's own thread. */
final class Outcomes implements DogpileListener {
    private final ThreadLocal<Call.@Nullable Outcome> last = new ThreadLocal<>();

    /** Makes a call, and says how it ended. */
    Call.Outcome of(Callable<?> call) throws Exception {
        last.remove();
        var unused = call.call();
        Call.Outcome outcome = last.get();
        if (outcome == null) {
            throw new IllegalStateException("the call ended and nothing was told of it");
        }
        return outcome;
    }

    @Override
    public void hit(Object name) {
        last.set(Call.Outcome.FRESH);
    }

    @Override
    public void staleServed(Object name) {
        last.set(Call.Outcome.STALE);
    }

    @Override
    public void created(Object name, Duration cost) {
        last.set(Call.Outcome.CREATED);
    }

    @Override
    public void waited(Object name, Duration time, WaitOutcome outcome) {
        // Who waited for one that died, and then created, is told of both.
        if (last.get() != Call.Outcome.CREATED) {
            last.set(outcome == WaitOutcome.STALE ? Call.Outcome.STALE : Call.Outcome.WAITED);
        }
    }
}
