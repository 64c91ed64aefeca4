package io.dogpile.core;

/**
 * A value could be neither taken nor created, for a reason that is not the creator's own unchecked exception: the
 * caller was interrupted while it waited, or the store could not be reached and the policy is to fail.
 */
public class DogpileException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * A failure with a message.
     *
     * @param message what went wrong, with which name, and what to do
     */
    public DogpileException(String message) {
        super(message);
    }

    /**
     * A failure with a message and a cause.
     *
     * @param message what went wrong, with which name, and what to do
     * @param cause what led to it
     */
    public DogpileException(String message, Throwable cause) {
        super(message, cause);
    }
}
