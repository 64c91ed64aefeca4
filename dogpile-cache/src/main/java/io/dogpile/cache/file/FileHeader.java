package io.dogpile.cache.file;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What a value's file begins with; the envelope follows. Big-endian:
 *
 * <pre>
 * off size
 *   0   4  magic "DPF1"
 *   4   4  mark: 0 none, 1 declared stale, 2 empty
 *   8   8  fence: another number for each write; neither 0 nor -1
 *  16  16  the region's marks when the right to create was granted
 *  32   8  expiry, ms of the wall clock, 0 never: for the sweep
 *  40   4  length of the envelope
 *  44   4  CRC-32C of bytes 0 to 43
 * </pre>
 */
record FileHeader(long fence, Mark mark, RegionMarks.Marks marks, long expiresAtMillis, int bodyLength) {
    static final int BYTES = 48;
    private static final int MAGIC = 0x44504631;
    private static final int CRC_AT = 44;

    /** What was done to the value since it was stored. */
    enum Mark {
        NONE(0),
        STALE(1),
        /** There is none: a right to create the first was granted. */
        EMPTY(2);

        private final int code;

        Mark(int code) {
            this.code = code;
        }

        private static @Nullable Mark of(int code) {
            for (Mark mark : values()) {
                if (mark.code == code) {
                    return mark;
                }
            }
            return null;
        }
    }

    byte[] encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES)
                .putInt(MAGIC)
                .putInt(mark.code)
                .putLong(fence)
                .putLong(marks.hard())
                .putLong(marks.soft())
                .putLong(expiresAtMillis)
                .putInt(bodyLength);
        return out.putInt(checksum(out.array())).array();
    }

    /** The header, or null if these bytes begin with none. */
    static @Nullable FileHeader decode(byte[] bytes) {
        if (bytes.length < BYTES) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        Mark mark = Mark.of(in.getInt(4));
        int bodyLength = in.getInt(40);
        boolean whole = in.getInt(0) == MAGIC && in.getInt(CRC_AT) == checksum(bytes);
        if (!whole || mark == null || bodyLength < 0) {
            return null;
        }
        return new FileHeader(
                in.getLong(8), mark, new RegionMarks.Marks(in.getLong(16), in.getLong(24)), in.getLong(32), bodyLength);
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, CRC_AT);
        return (int) crc.getValue();
    }

    /** The same value, written once more. */
    FileHeader with(long newFence, Mark newMark) {
        return new FileHeader(newFence, newMark, marks, expiresAtMillis, bodyLength);
    }
}
