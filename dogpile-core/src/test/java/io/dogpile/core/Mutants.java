package io.dogpile.core;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Hostile input, made of good input by a few changes each: bits, lengths, numbers, words, halves of two. What is drawn depends
 * on the seed only, which stands in the message of what fails: {@code -Ddogpile.mutant=<seed>} does that one alone.
 */
public final class Mutants {
    /** How many of each form; {@code -Ddogpile.mutants=10000000} for a longer run. */
    private static final int COUNT = Integer.getInteger("dogpile.mutants", 100_000);

    private static final Long ALONE = Long.getLong("dogpile.mutant");
    private static final int MOST_CHANGES = 4;
    private static final int KINDS = 12;

    private static final long[] NUMBERS = {
        0,
        1,
        -1,
        2,
        7,
        0x7f,
        0x80,
        0xff,
        0x100,
        0xffff,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        0xffff_ffffL,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        1L << 53,
        9_999_999_999_999_999L
    };

    private static final List<byte[]> WORDS = List.of(
            bytes(""),
            bytes(" "),
            bytes("\n"),
            bytes("\r\n"),
            bytes("\0"),
            bytes("-1"),
            bytes("0"),
            bytes("1"),
            bytes("1e9"),
            bytes("NaN"),
            bytes("9007199254740992"),
            bytes("9999999999999"),
            bytes("9999999999999999"),
            bytes("99999999999999999"),
            bytes("9223372036854775807"),
            bytes("9223372036854775808"),
            bytes("18446744073709551616"),
            bytes("999999999999999999999999999999999999999"),
            bytes("\u0661\u0662"),
            new byte[] {(byte) 0xff, (byte) 0xfe},
            new byte[] {(byte) 0xac, (byte) 0xed, 0, 5});

    private final List<byte[]> good;

    private Mutants(List<byte[]> good) {
        this.good = good;
    }

    /** Told of one mutant. */
    public interface Check {
        void on(byte[] mutant, SplittableRandom random) throws Exception;
    }

    public static Mutants of(byte[]... good) {
        return new Mutants(List.of(good));
    }

    public static Mutants of(String... good) {
        return new Mutants(Arrays.stream(good).map(Mutants::bytes).toList());
    }

    /** As many as a form of bytes is due. */
    public void each(Check check) {
        each(1, check);
    }

    /** One of so many of them, for what costs more than to look at bytes. */
    public void each(int oneOf, Check check) {
        if (ALONE != null) {
            one(ALONE, check);
            return;
        }
        for (long seed = 0; seed < COUNT / oneOf; seed++) {
            one(seed, check);
        }
    }

    private void one(long seed, Check check) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] mutant = draw(random);
        try {
            check.on(mutant, random);
        } catch (Throwable failure) {
            throw new AssertionError("-Ddogpile.mutant=" + seed + ": " + shown(mutant), failure);
        }
    }

    /** One of the good ones, changed. */
    public byte[] draw(SplittableRandom random) {
        byte[] mutant = good.get(random.nextInt(good.size()));
        for (int left = 1 + random.nextInt(MOST_CHANGES); left > 0; left--) {
            mutant = changed(mutant, random);
        }
        return mutant;
    }

    private byte[] changed(byte[] of, SplittableRandom random) {
        int at = random.nextInt(of.length + 1);
        int end = at + random.nextInt(of.length - at + 1);
        byte[] from = Arrays.copyOf(of, at);
        return switch (random.nextInt(KINDS)) {
            case 0, 1 -> withBit(of, random);
            case 2 -> from;
            case 3 -> join(of, drawn(random, random.nextInt(40)));
            case 4 -> join(from, drawn(random, 1 + random.nextInt(8)), tail(of, at));
            case 5 -> join(from, tail(of, end));
            case 6 -> join(from, Arrays.copyOfRange(of, at, end), tail(of, at));
            case 7 -> withNumber(of, random);
            case 8, 9 -> withWord(of, random);
            case 10 -> swapped(of, random);
            default -> spliced(from, random);
        };
    }

    private static byte[] withBit(byte[] of, SplittableRandom random) {
        byte[] mutant = of.clone();
        if (mutant.length > 0) {
            mutant[random.nextInt(mutant.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return mutant;
    }

    /** Over a field as forms of bytes have them, for instance a length. */
    private static byte[] withNumber(byte[] of, SplittableRandom random) {
        int width = 1 << random.nextInt(4);
        if (of.length < width) {
            return of;
        }
        byte[] mutant = of.clone();
        byte[] number = ByteBuffer.allocate(Long.BYTES)
                .putLong(NUMBERS[random.nextInt(NUMBERS.length)])
                .array();
        System.arraycopy(number, Long.BYTES - width, mutant, random.nextInt(of.length - width + 1), width);
        return mutant;
    }

    /** In place of a word as forms of text have them, for instance a number. */
    private static byte[] withWord(byte[] of, SplittableRandom random) {
        int[] word = word(of, random);
        return join(Arrays.copyOf(of, word[0]), WORDS.get(random.nextInt(WORDS.size())), tail(of, word[1]));
    }

    private static byte[] swapped(byte[] of, SplittableRandom random) {
        int[] a = word(of, random);
        int[] b = word(of, random);
        if (a[1] > b[0]) {
            return join(of, of);
        }
        return join(
                Arrays.copyOf(of, a[0]),
                Arrays.copyOfRange(of, b[0], b[1]),
                Arrays.copyOfRange(of, a[1], b[0]),
                Arrays.copyOfRange(of, a[0], a[1]),
                tail(of, b[1]));
    }

    private byte[] spliced(byte[] from, SplittableRandom random) {
        byte[] other = good.get(random.nextInt(good.size()));
        return join(from, tail(other, random.nextInt(other.length + 1)));
    }

    /** Where a word begins and ends. */
    private static int[] word(byte[] of, SplittableRandom random) {
        int at = random.nextInt(of.length + 1);
        int from = at;
        while (from > 0 && of[from - 1] > ' ') {
            from--;
        }
        int to = at;
        while (to < of.length && of[to] > ' ') {
            to++;
        }
        return new int[] {from, to};
    }

    private static byte[] drawn(SplittableRandom random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] tail(byte[] of, int from) {
        return Arrays.copyOfRange(of, from, of.length);
    }

    private static byte[] join(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteBuffer all = ByteBuffer.allocate(length);
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** For a message: letters as they are, other bytes by their numbers. */
    public static String shown(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte each : Arrays.copyOf(bytes, Math.min(bytes.length, 400))) {
            if (each >= ' ' && each < 0x7f && each != '\\') {
                text.append((char) each);
            } else {
                text.append(String.format("\\x%02x", each));
            }
        }
        return text.toString();
    }

    /** How many bytes of memory this thread has taken so far. */
    public static long taken() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}
