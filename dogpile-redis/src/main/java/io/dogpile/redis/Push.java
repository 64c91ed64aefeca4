package io.dogpile.redis;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A message of the inbox. It is a hint from a channel that others can write to: what does not parse is {@link Unknown}, and
 * whoever gets a value checks it as if he had read it.
 *
 * <pre>
 *   P klen key m [newline envelope]   a value was published or put; without the envelope where it is long
 *   A klen key                        a right was given back without a value
 *   I klen key                        a value was declared old, and a running creation with it
 *   G region hard soft                a region began a new generation
 *   K origin text                     a value of the channel's region was changed by that node
 *   H number                          the sender's own heartbeat
 * </pre>
 */
sealed interface Push {
    /** A record changed. */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    record Changed(String key, RedisRecord.@Nullable Stamps stamps, byte @Nullable [] envelope) implements Push {}

    /** A region began a generation. */
    record Begun(String region, Generations.Both generations) implements Push {}

    /** A near copy is old. */
    record Copied(String origin, String text) implements Push {}

    /** A heartbeat. */
    record Beat(long number) implements Push {}

    /** Nothing that is known here; a newer node may have sent it. */
    record Unknown() implements Push {}

    static Push parse(byte[] message) {
        if (message.length < 2) {
            return new Unknown();
        }
        return switch (message[0]) {
            case 'P', 'A', 'I' -> changed(message);
            case 'G' -> begun(Texts.of(message, 1, message.length).trim().split(" ", -1));
            case 'K' -> copied(Texts.of(message));
            case 'H' -> beat(Texts.of(message, 1, message.length));
            default -> new Unknown();
        };
    }

    private static Push changed(byte[] message) {
        int at = 2;
        long length = 0;
        while (at < message.length && message[at] >= '0' && message[at] <= '9' && length < message.length) {
            length = length * 10 + (message[at++] - '0');
        }
        if (message[1] != ' ' || at == 2 || at >= message.length || message[at] != ' ') {
            return new Unknown();
        }
        int keyAt = at + 1;
        if (length > message.length - keyAt) {
            return new Unknown();
        }
        int keyEnd = keyAt + (int) length;
        String key = Texts.of(message, keyAt, keyEnd);
        if (message[0] != 'P') {
            return new Changed(key, null, null);
        }
        int end = keyEnd;
        while (end < message.length && message[end] != '\n') {
            end++;
        }
        RedisRecord.Stamps stamps = RedisRecord.Stamps.parse(Arrays.copyOfRange(message, keyEnd, end));
        byte[] envelope = end == message.length ? null : Arrays.copyOfRange(message, end + 1, message.length);
        return new Changed(key, stamps, envelope);
    }

    private static Push begun(String[] words) {
        Generations.Both both = words.length == 3 ? Generations.Both.parse(words[1] + ' ' + words[2]) : null;
        return both == null ? new Unknown() : new Begun(words[0], both);
    }

    private static Push copied(String message) {
        int blank = message.indexOf(' ', 2);
        return blank < 0 ? new Unknown() : new Copied(message.substring(2, blank), message.substring(blank + 1));
    }

    private static Push beat(String number) {
        try {
            return new Beat(Long.parseLong(number));
        } catch (NumberFormatException unknown) {
            return new Unknown();
        }
    }
}
