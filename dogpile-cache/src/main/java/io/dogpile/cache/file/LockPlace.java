package io.dogpile.cache.file;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The byte that stands for a lock: one of {@value #FILES} files, by six bits of a SHA-256, and an offset in it, by 61 further
 * bits. Two names that share a byte only keep each other out.
 */
record LockPlace(int file, long offset) {
    static final int FILES = 64;
    private static final int WIDE = 61;

    /** Java warns that on network file systems ranges may end at 2<sup>30</sup>. */
    private static final int NARROW = 30;

    /** What a lock is for; the same name has another place for each. */
    enum Kind {
        /** A {@link FileLockProvider}'s. */
        NAME('n'),
        /** The right to create a value. */
        RIGHT('r'),
        /** Held while a file is replaced. */
        WRITE('w'),
        /** What readers pass, and a writer keeps. */
        GATE('g'),
        /** What readers share, and a writer has alone. */
        DATA('d');

        private final char letter;

        Kind(char letter) {
            this.letter = letter;
        }
    }

    /** How far into a file offsets go. */
    enum Reach {
        LOCAL(WIDE),
        NETWORK(NARROW);

        private final int bits;

        Reach(int bits) {
            this.bits = bits;
        }
    }

    static LockPlace of(Kind kind, String name, Reach reach) {
        MessageDigest digest = sha256();
        digest.update((byte) kind.letter);
        ByteBuffer hash = ByteBuffer.wrap(digest.digest(name.getBytes(StandardCharsets.UTF_8)));
        int file = Math.floorMod(hash.get(), FILES);
        return new LockPlace(file, hash.getLong() >>> (Long.SIZE - reach.bits));
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
