package io.dogpile.redis;

import java.util.regex.Pattern;

/**
 * The names of keys and channels on the server: all begin with the prefix. A region's name holds neither {@code :} nor
 * {@code ~}, so that no user's key makes a name of another kind.
 *
 * <pre>
 *   prefix region : text of key    a record
 *   prefix region ~generation      the generations of a region
 *   prefix ~lock: name             a lock
 *   prefix ~in: id                 channel of one node; of all nodes with the id *
 *   prefix ~near: region           channel for near copies of a region
 * </pre>
 */
record Names(String prefix) {
    private static final Pattern PREFIX = Pattern.compile("[A-Za-z0-9_.:-]{1,40}");

    Names {
        if (!PREFIX.matcher(prefix).matches()) {
            throw new IllegalArgumentException(
                    "a prefix is 1 to 40 letters, digits, '_', '-', '.' and ':', was '" + prefix + "'");
        }
    }

    String key(String region, String text) {
        return prefix + region + ':' + text;
    }

    byte[] generation(String region) {
        return Texts.bytes(prefix + region + "~generation");
    }

    byte[] lock(String name) {
        return Texts.bytes(prefix + "~lock:" + name);
    }

    byte[] inboxes() {
        return Texts.bytes(prefix + "~in:");
    }

    byte[] inbox(String id) {
        return Texts.bytes(prefix + "~in:" + id);
    }

    byte[] channelOfAll() {
        return inbox("*");
    }

    byte[] near(String region) {
        return Texts.bytes(prefix + "~near:" + region);
    }
}
