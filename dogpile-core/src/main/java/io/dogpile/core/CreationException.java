package io.dogpile.core;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The creation failed with a checked exception (the cause), or the name backs off after failures in a row and no stale
 * value is at hand ({@link #retryAfter()} tells for how long).
 *
 * <p>One instance is handed to all who waited for the same creation; do not add suppressed exceptions to it.
 */
public class CreationException extends DogpileException {
    private static final long serialVersionUID = 1L;

    /** How long the name still backs off, or null if the creation was tried. */
    private final @Nullable Duration retryAfter;

    /**
     * A creation that failed.
     *
     * @param message what went wrong, with which name
     * @param cause what the creator threw
     */
    public CreationException(String message, Throwable cause) {
        super(message, cause);
        this.retryAfter = null;
    }

    /**
     * A creation that was not tried, because the name backs off.
     *
     * @param message the recorded text of the last failure
     * @param retryAfter how long the name still backs off
     */
    public CreationException(String message, Duration retryAfter) {
        super(message);
        this.retryAfter = retryAfter;
    }

    /**
     * How long the name still backs off.
     *
     * @return the time until a caller may be elected again; empty if the creation was tried and failed
     */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
