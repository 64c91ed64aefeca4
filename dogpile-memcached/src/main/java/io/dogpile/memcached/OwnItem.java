package io.dogpile.memcached;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An item that is one's own while it holds one's own text, which nobody else writes. It is changed and deleted only as what
 * it is: whatever took its place is left alone.
 *
 * <p>Thread-safe.
 */
final class OwnItem {
    /** A change of one's own that was not answered makes the number another; more than one at a time is not expected. */
    private static final int TRIES = 3;

    private final Server server;
    private final Item item;
    private final byte[] text;
    private volatile long cas;

    /** With the number that it has; 0 if that is not known. */
    OwnItem(Server server, Item item, byte[] text, long cas) {
        this.server = server;
        this.item = item;
        this.text = text;
        this.cas = cas;
    }

    /** Lets it live for another time. */
    Change prolonging(int ttl) {
        return new Change(text, ttl);
    }

    /** Puts another text in its place; it is one's own no longer. */
    Change replacing(byte[] by, int ttl) {
        return new Change(by, ttl);
    }

    Change deleting() {
        return new Change(null, Ttl.NEVER);
    }

    /** A change that was sent, so that several can be under way together. */
    final class Change {
        private final byte @Nullable [] becomes;
        private final int ttl;
        private final @Nullable Pending sent;

        private Change(byte @Nullable [] becomes, int ttl) {
            this.becomes = becomes;
            this.ttl = ttl;
            long known = cas;
            this.sent = known == 0 ? null : send(known);
        }

        private Pending send(long known) {
            return becomes == null ? server.delete(item, known) : server.cas(item, known, becomes, ttl);
        }

        /**
         * Waits for it, and tries again if the item is one's own under another number.
         *
         * @return false if the item is not one's own any more
         */
        boolean done() {
            Pending last = sent;
            for (int tried = 0; tried < TRIES; tried++) {
                if (last != null) {
                    Answer answer = server.answer(last);
                    if (answer.done()) {
                        cas = answer.cas();
                        return true;
                    }
                    if (answer.missing()) {
                        return false;
                    }
                }
                Answer now = server.answer(server.gets(item));
                if (now.data() == null || !Arrays.equals(now.data(), text)) {
                    return false;
                }
                last = send(now.cas());
            }
            return false;
        }
    }
}
