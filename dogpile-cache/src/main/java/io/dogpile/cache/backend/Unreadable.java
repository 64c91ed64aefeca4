package io.dogpile.cache.backend;

/**
 * Why stored bytes are no value for this reader. Each reason is a miss, counted as a corrupt entry; none is an exception.
 *
 * <p>Where {@link #newerWriter()} is true the bytes are whole as far as this reader can tell, and were written by a node
 * that knows more. To overwrite them at once would let old and new nodes undo each other's work in turn.
 */
public enum Unreadable {
    /** Shorter than the shortest envelope. */
    TOO_SHORT(false),
    /** The value is longer than the reader allows, or says it is. */
    TOO_LONG(false),
    /** Not an envelope at all: another program wrote under the key. */
    MAGIC(false),
    /** An envelope of a version before the first. */
    OLDER_VERSION(false),
    /** An envelope of a version after the reader's. Nothing behind its version was looked at, its checksum neither. */
    NEWER_VERSION(true),
    /** The checksum is another: the bytes were damaged, cut or mixed. */
    CHECKSUM(false),
    /** An envelope of another key: two keys share a place. */
    KEY(false),
    /** Whole, but its lengths contradict each other, or the payload does not unpack to the length that it says. */
    LENGTH(false),
    /** Whole, but it says what no writer of its version says, such as a negative life. */
    HEADER(false),
    /** It is marked in a way the reader does not know, so the payload may mean something else. */
    FLAGS(true),
    /** It carries an extension without which, so its writer says, it must not be read. */
    CRITICAL_EXTENSION(true),
    /** The payload is packed in a way the reader does not know. */
    CODEC(true),
    /** The payload was written by another serializer than the reader's. */
    SERIALIZER(false),
    /** The serializer could not read the payload. */
    PAYLOAD(false),
    /** The payload is not a value but the mark of a failure, of a removal, or a list of parts. */
    NOT_A_VALUE(false);

    private final boolean newerWriter;

    Unreadable(boolean newerWriter) {
        this.newerWriter = newerWriter;
    }

    /**
     * Whether a node that knows more than the reader wrote it, so that it should not be overwritten at once.
     *
     * @return true if the bytes may be a good value for others
     */
    public boolean newerWriter() {
        return newerWriter;
    }
}
