package io.dogpile.memcached;

import org.jspecify.annotations.Nullable;

/**
 * Says that memcached did not do, or did not answer, what it was asked; also that it is not known whether it was done.
 *
 * <p>Whatever the client throws becomes one of these. The message says what is wrong and what to do, never a value.
 */
public final class MemcachedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What was wrong. */
    private final Condition condition;

    MemcachedException(Condition condition, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.condition = condition;
    }

    MemcachedException(Condition condition, String message) {
        this(condition, message, null);
    }

    /**
     * What was wrong.
     *
     * @return the condition
     */
    public Condition condition() {
        return condition;
    }

    /** What can be wrong with a server or with what it was asked. */
    public enum Condition {
        /** There is no connection. */
        UNREACHABLE("no connection; it is tried again each second"),
        /** There was no answer in time. */
        TIMEOUT("no answer in time; what was sent may be done all the same"),
        /** More waits to be sent than the client keeps. */
        OVERLOADED("the client's queue is full"),
        /** The server has no memory left and may not evict. */
        OUT_OF_MEMORY("out of memory: give it more (-m), or let it evict (no -M)"),
        /** The server does not take values of this length. */
        TOO_LARGE("a value is larger than the server takes: raise its limit (-I), or keep less"),
        /** The server did not accept who asks. */
        DENIED("the server does not accept the credentials, or wants some"),
        /** The client was shut down, or its thread was ended by an answer that it could not read. */
        CLOSED("the client was shut down, or its thread has ended: make a new one"),
        /** Anything else. */
        OTHER("the server refused");

        private final String says;

        Condition(String says) {
            this.says = says;
        }

        String says() {
            return says;
        }

        /** It is of the configuration or of a value: other commands that are answered say nothing of it. */
        boolean lasts() {
            return this == TOO_LARGE || this == DENIED;
        }
    }
}
