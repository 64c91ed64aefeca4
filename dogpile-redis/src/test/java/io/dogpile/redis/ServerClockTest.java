package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** How well this JVM knows what time it is on the server. */
class ServerClockTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long SERVER_MILLIS = 1_795_308_321_787L;

    private final ServerClock clock = new ServerClock();

    @Test
    void neverToldTheTime_doesNotKnowIt() {
        assertThat(clock.isKnown()).isFalse();
        assertThatThrownBy(() -> clock.millisAt(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> clock.nanosOf(0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void told_goesOnByTheLocalClock_bothWays() {
        clock.answered(-5 * MILLI, -5 * MILLI, SERVER_MILLIS);

        assertThat(clock.isKnown()).isTrue();
        assertThat(clock.millisAt(-5 * MILLI)).isEqualTo(SERVER_MILLIS);
        assertThat(clock.millisAt(95 * MILLI)).isEqualTo(SERVER_MILLIS + 100);
        assertThat(clock.nanosOf(SERVER_MILLIS + 100)).isBetween(94 * MILLI, 95 * MILLI);
    }

    @Test
    void fastAnswer_isNotSpoiltByASlowOne() {
        clock.answered(0, MILLI, SERVER_MILLIS);
        long before = clock.nanosOf(SERVER_MILLIS);
        clock.answered(2 * MILLI, 900 * MILLI, SERVER_MILLIS + 400);

        assertThat(Math.abs(clock.nanosOf(SERVER_MILLIS) - before)).isLessThan(MILLI / 4);
    }

    @Test
    void slowAnswer_isImprovedByAFastOne() {
        clock.answered(0, 900 * MILLI, SERVER_MILLIS + 10);
        clock.answered(SECOND, SECOND + MILLI, SERVER_MILLIS + 1_000);

        assertThat(clock.nanosOf(SERVER_MILLIS)).isBetween(-2 * MILLI, 2 * MILLI);
    }

    @Test
    void answersThatOverlap_boundEachOther() {
        clock.answered(0, 100 * MILLI, SERVER_MILLIS + 99);
        clock.answered(100 * MILLI, 200 * MILLI, SERVER_MILLIS + 101);

        assertThat(clock.nanosOf(SERVER_MILLIS)).isBetween(-2 * MILLI, 2 * MILLI);
    }

    @Test
    void answersThatMeetInOnePoint_areExact() {
        clock.answered(0, 0, 1_000);
        clock.answered(0, 0, 1_001);

        assertThat(clock.nanosOf(1_001)).isZero();
    }

    @Test
    void serversClockSet_isBelievedAtOnce_eitherWay() {
        clock.answered(0, MILLI, SERVER_MILLIS);
        clock.answered(SECOND, SECOND + MILLI, SERVER_MILLIS - 3_600_000);
        assertThat(clock.millisAt(SECOND)).isBetween(SERVER_MILLIS - 3_600_001, SERVER_MILLIS - 3_599_999);
        clock.answered(2 * SECOND, 2 * SECOND + MILLI, SERVER_MILLIS + 3_600_000);

        assertThat(clock.millisAt(2 * SECOND)).isBetween(SERVER_MILLIS + 3_599_999, SERVER_MILLIS + 3_600_001);
    }

    @Test
    void clocksThatDriftApart_areFollowed() {
        long day = TimeUnit.DAYS.toNanos(1);
        long drifted = day / 10_000;
        clock.answered(0, MILLI, SERVER_MILLIS);
        clock.answered(day, day + 40 * MILLI, SERVER_MILLIS + (day + drifted + 20 * MILLI) / MILLI);

        assertThat(clock.millisAt(day)).isCloseTo(SERVER_MILLIS + (day + drifted) / MILLI, Offset.offset(21L));
    }

    /** Round trips of any length and lopsidedness, clocks that drift less than assumed, and steps that are noticed. */
    @Test
    void manyAnswers_theErrorIsHalfTheFastestRoundTripAndAMillisecond() {
        for (int seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            ServerClock known = new ServerClock();
            double drift = (random.nextDouble() * 2 - 1) / 20_000;
            double offset = random.nextLong(1L << 50);
            long now = random.nextLong(1L << 40) - (1L << 39);
            long fastest = Long.MAX_VALUE;
            long fastestAt = now;
            for (int answer = 0; answer < 300; answer++) {
                now += random.nextLong(1 + (1L << random.nextInt(20, 34)));
                if (random.nextInt(100) == 0) {
                    // Far more than any round trip here: else it cannot be told from one.
                    offset += (random.nextBoolean() ? 1.0 : -1.0) * 10 * SECOND;
                    fastest = Long.MAX_VALUE;
                }
                long there = random.nextLong(1 + (1L << random.nextInt(10, 29)));
                long back = random.nextLong(1 + (1L << random.nextInt(10, 29)));
                known.answered(now, now + there + back, server(now + there, offset, drift) / MILLI);
                now += there + back;
                if (there + back <= fastest) {
                    fastest = there + back;
                    fastestAt = now;
                }
                long serverMillis = server(now, offset, drift) / MILLI;
                long really = now - (server(now, offset, drift) - serverMillis * MILLI);
                // As told, and twice as the clocks may have run apart since.
                double allowed = fastest / 2.0 + MILLI + (now - fastestAt) * (1.0 / 5_000 + 1.0 / 20_000);
                double apart = Math.abs(known.nanosOf(serverMillis) - really);
                assertThat(apart).as("seed %s, answer %s", seed, answer).isLessThanOrEqualTo(allowed);
            }
        }
    }

    private static long server(long local, double offset, double drift) {
        return local + (long) (offset + local * drift);
    }

    @Test
    void anyAnswers_neverThrow() {
        SplittableRandom random = new SplittableRandom(9);
        for (int i = 0; i < 100_000; i++) {
            clock.answered(random.nextLong(), random.nextLong(), random.nextLong());
            clock.millisAt(random.nextLong());
            clock.nanosOf(random.nextLong());
        }
    }
}
