package io.dogpile.memcached;

import net.spy.memcached.ops.StatusCode;
import org.jspecify.annotations.Nullable;

/**
 * What came of one command. Immutable.
 *
 * @param status what the server said, or what became of it otherwise
 * @param said the server's words
 * @param cas the number of the item as it is now; 0 if it was not told
 * @param data what was read; null if there is nothing, or nothing was asked for
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
record Answer(StatusCode status, String said, long cas, byte @Nullable [] data) {
    boolean done() {
        return status == StatusCode.SUCCESS;
    }

    /** Not done, for what is there, or is not. */
    boolean refused() {
        return status == StatusCode.ERR_NOT_FOUND
                || status == StatusCode.ERR_EXISTS
                || status == StatusCode.ERR_NOT_STORED;
    }

    /** There is no such item. */
    boolean missing() {
        return status == StatusCode.ERR_NOT_FOUND;
    }
}
