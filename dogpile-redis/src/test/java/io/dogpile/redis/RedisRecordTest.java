package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What stands in a record was written by anybody. */
class RedisRecordTest {
    private static final int TRIES = 100_000;
    private static final long MOST = 9_999_999_999_999_999L;

    @Test
    void stamps_thatWereWritten_areRead() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < TRIES; i++) {
            long[] n = LongStream.range(0, 7).map(any -> number(random)).toArray();

            assertThat(RedisRecord.Stamps.parse(bytes(text(n))))
                    .as(text(n))
                    .isEqualTo(new RedisRecord.Stamps(n[0], n[1], n[2], n[3], n[4], n[5], n[6]));
        }
    }

    @Test
    void lease_thatWasWritten_isRead() {
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < TRIES; i++) {
            long[] n = LongStream.range(0, 4).map(any -> number(random)).toArray();
            String nonce = Long.toHexString(random.nextLong()) + '.' + random.nextInt(1_000);

            assertThat(RedisRecord.Lease.parse(bytes(nonce + ' ' + text(n))))
                    .as(text(n))
                    .isEqualTo(new RedisRecord.Lease(nonce, n[0], n[1], n[2], n[3]));
        }
    }

    @Test
    void lease_isSeenAs_nonceAndExpiry() {
        assertThat(new RedisRecord.Lease("a.1", 2, 3, 4, 5).seenAs()).isEqualTo("a.1 4");
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                " ",
                "x",
                "1",
                "1 2 3 4 5 6",
                "1 2 3 4 5 6 ",
                "1 2 3 4 5 6 7 ",
                " 1 2 3 4 5 6 7",
                "1  2 3 4 5 6 7",
                "1 2 3 4 5 6 7 8",
                "1 2 -3 4 5 6 7",
                "1 2 +3 4 5 6 7",
                "1 2 3 4 5 6 7\n",
                "1 2 3 4 5 6 \u0667",
                "1 2 3 4 5 6 12345678901234567"
            })
    void stamps_thatAreNone_areAbsent(String text) {
        assertThat(RedisRecord.Stamps.parse(text == null ? null : bytes(text))).isNull();
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                " ",
                "a",
                "a ",
                "a 1",
                "a 1 ",
                "a 1 2",
                "a 1 2 3",
                "a 1 2 3 ",
                "a 1 2 3 4 ",
                "a 1 2 3 4 5",
                " 1 2 3 4",
                "a\n1 2 3 4",
                "a 1 2 3 -4",
                "a 1 2 3 12345678901234567"
            })
    void lease_thatIsNone_isAbsent(String text) {
        assertThat(RedisRecord.Lease.parse(text == null ? null : bytes(text))).isNull();
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "",
                " ",
                "1",
                "1 ",
                "1  2",
                "1 2 ",
                "1 2 3",
                "+1 2",
                "1 -2",
                "\u0661 2",
                "12345678901234567 1",
                "9000000000000001 0",
                "0 9999999999999999"
            })
    void generations_thatAreNone_areAbsent(String text) {
        assertThat(Generations.Both.parse(text)).isNull();
    }

    @Test
    void generations_thatWereWritten_areRead() {
        assertThat(Generations.Both.parse("1795308321787167 0")).isEqualTo(new Generations.Both(1795308321787167L, 0));
        assertThat(Generations.Both.parse("0 9000000000000000"))
                .isEqualTo(new Generations.Both(0, 9_000_000_000_000_000L));
    }

    @Test
    void anyBytes_neverThrow() {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < TRIES; i++) {
            byte[] text = new byte[random.nextInt(60)];
            random.nextBytes(text);
            readAll(text);
        }
    }

    @Test
    void bytesThatLookLikeIt_andTheirBeginnings_neverThrow_andAreReadOnlyWhole() {
        SplittableRandom random = new SplittableRandom(4);
        byte[] letters = bytes("0123456789  a.-\n");
        for (int i = 0; i < TRIES; i++) {
            byte[] text = new byte[random.nextInt(40)];
            for (int at = 0; at < text.length; at++) {
                text[at] = letters[random.nextInt(letters.length)];
            }
            readAll(text);
        }
        byte[] stamps = bytes("1795308321787167 0 1795308322787 1795308323787 12 1000 1795308321787");
        byte[] lease = bytes("0123456789abcdef.7 1795308321787167 0 1795308322787 1000");
        for (int length = 0; length < stamps.length; length++) {
            readAll(Arrays.copyOf(stamps, length));
        }
        for (int length = 0; length < lease.length; length++) {
            readAll(Arrays.copyOf(lease, length));
        }
        assertThat(RedisRecord.Stamps.parse(stamps)).isNotNull();
        assertThat(RedisRecord.Lease.parse(lease)).isNotNull();
    }

    @Test
    void declaredStale_isOne_neverIsZero() {
        assertThat(softAt(1, 1_000).isDeclaredStale()).isTrue();
        assertThat(softAt(0, 1_000).isDeclaredStale()).isFalse();
    }

    @Test
    void moreSoftLifeLeftThanItWasGiven_isFromTheFuture_beyondFiveSeconds() {
        long now = 1_795_308_321_787L;

        assertThat(softAt(now + 6_000, 1_000).isFromTheFuture(now)).isFalse();
        assertThat(softAt(now + 6_001, 1_000).isFromTheFuture(now)).isTrue();
        assertThat(softAt(0, 0).isFromTheFuture(now)).isFalse();
    }

    private static RedisRecord.Stamps softAt(long softAt, long softLife) {
        return new RedisRecord.Stamps(5, 0, softAt, 0, 12, softLife, 0);
    }

    private static void readAll(byte[] text) {
        RedisRecord.Stamps.parse(text);
        RedisRecord.Lease.parse(text);
        Generations.Both.parse(new String(text, UTF_8));
    }

    private static long number(SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextLong(3);
            case 1 -> MOST;
            default -> random.nextLong(MOST) >> random.nextInt(50);
        };
    }

    private static String text(long... numbers) {
        return LongStream.of(numbers).mapToObj(Long::toString).collect(Collectors.joining(" "));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
