package io.dogpile.cache.file;

import io.dogpile.core.TimeSource;
import java.io.File;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Tells regular files from pipes and devices, and looks at each at most once a second: a look costs a third of what it costs to
 * open the file. What was seen is kept in a table of fixed size, where one file takes another's place. Thread-safe.
 */
final class RegularFiles {
    /** A power of two. */
    private static final int PLACES = 1 << 13;

    private final TimeSource time;
    /** In the upper half the hash of a name, in the lower the second in which it was a regular file's; 0 at first. */
    private final AtomicLongArray seen = new AtomicLongArray(PLACES);

    RegularFiles(TimeSource time) {
        this.time = time;
    }

    /** Whether this is a regular file, or was one in this second. */
    boolean isOne(File file) {
        int hash = file.hashCode();
        int place = (hash ^ (hash >>> 16)) & (PLACES - 1);
        long now = ((long) hash << Integer.SIZE) | second();
        if (seen.getOpaque(place) == now) {
            return true;
        }
        boolean is = file.isFile();
        if (is) {
            seen.setOpaque(place, now);
        }
        return is;
    }

    /** Never 0. */
    private long second() {
        int second = (int) TimeUnit.NANOSECONDS.toSeconds(time.nanos());
        return Integer.toUnsignedLong(second | Integer.MIN_VALUE);
    }
}
