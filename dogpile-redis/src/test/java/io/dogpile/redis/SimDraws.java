package io.dogpile.redis;

/** What a seed decides: a sequence of numbers that is cheap to begin. */
final class SimDraws {
    private long state;

    SimDraws(long seed) {
        state = seed * 0x9E3779B97F4A7C15L + 0x1234567;
    }

    long next() {
        state += 0x9E3779B97F4A7C15L;
        long mixed = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }

    /** One of that many numbers, from 0 on. */
    int pick(int among) {
        return (int) Long.remainderUnsigned(next(), among);
    }

    boolean oneIn(int many) {
        return pick(many) == 0;
    }
}
