package io.dogpile.core;

/**
 * The caller waited for another's creation for its whole {@code hardTimeout} and no value, not even a stale one, was at
 * hand. The creation goes on; this caller never created by itself.
 */
public class HardTimeoutException extends DogpileException {
    private static final long serialVersionUID = 1L;

    /**
     * A wait that ended without a value.
     *
     * @param message which name was waited for, and for how long
     */
    public HardTimeoutException(String message) {
        super(message);
    }
}
