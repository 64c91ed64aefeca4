package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Whose clock a key goes by. */
class ClocksTest {
    private static final byte[] KEY = Texts.bytes("key");
    private static final byte[] SAME_SLOT = Texts.bytes("{key}another");
    private static final byte[] OTHER_SLOT = Texts.bytes("other");
    private static final long SERVER_MILLIS = 1_795_308_321_787L;
    private static final long AN_HOUR = TimeUnit.HOURS.toMillis(1);

    private final FakeTime time = new FakeTime();

    /** Told at this moment, and so exact to the millisecond. */
    private void tell(Clocks clocks, byte[] key, long serverMillis) {
        clocks.answered(key, clocks.now(), serverMillis);
    }

    private long millis(Clocks clocks, byte[] key) {
        return clocks.of(key).millisAt(clocks.now());
    }

    @Test
    void nobodyHasToldTheTime_itIsNotKnown() {
        for (boolean cluster : new boolean[] {false, true}) {
            Clocks clocks = new Clocks(time, cluster);
            assertThat(clocks.of(KEY).isKnown()).isFalse();
            assertThat(clocks.microsOrZero()).isZero();
            assertThat(clocks.now()).isEqualTo(time.nanos());
        }
    }

    @Test
    void oneServer_hasOneClock_whateverTheKey() {
        Clocks clocks = new Clocks(time, false);
        tell(clocks, KEY, SERVER_MILLIS);
        assertThat(clocks.of(OTHER_SLOT)).isSameAs(clocks.of(KEY));
        time.advance(Duration.ofSeconds(2));

        assertThat(millis(clocks, OTHER_SLOT)).isEqualTo(SERVER_MILLIS + 2_000);
        assertThat(clocks.microsOrZero()).isEqualTo((SERVER_MILLIS + 2_000) * 1_000);
        tell(clocks, OTHER_SLOT, SERVER_MILLIS + AN_HOUR);
        assertThat(millis(clocks, KEY)).as("it was set").isEqualTo(SERVER_MILLIS + AN_HOUR);
    }

    @Test
    void inACluster_aSlotGoesByTheOthersClock_untilItsOwnIsKnown() {
        Clocks clocks = new Clocks(time, true);
        tell(clocks, KEY, SERVER_MILLIS);
        assertThat(millis(clocks, KEY)).isEqualTo(SERVER_MILLIS);
        assertThat(millis(clocks, OTHER_SLOT)).isEqualTo(SERVER_MILLIS);

        tell(clocks, OTHER_SLOT, SERVER_MILLIS + AN_HOUR);
        assertThat(millis(clocks, OTHER_SLOT)).isEqualTo(SERVER_MILLIS + AN_HOUR);
        assertThat(millis(clocks, KEY)).isEqualTo(SERVER_MILLIS);
        assertThat(clocks.of(SAME_SLOT)).isSameAs(clocks.of(KEY));
        assertThat(clocks.microsOrZero()).as("that of the first").isEqualTo(SERVER_MILLIS * 1_000);

        tell(clocks, SAME_SLOT, SERVER_MILLIS + 2 * AN_HOUR);
        assertThat(millis(clocks, KEY)).as("it was set").isEqualTo(SERVER_MILLIS + 2 * AN_HOUR);
        assertThat(millis(clocks, OTHER_SLOT)).isEqualTo(SERVER_MILLIS + AN_HOUR);
    }
}
