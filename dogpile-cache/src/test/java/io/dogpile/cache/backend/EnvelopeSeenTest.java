package io.dogpile.cache.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Envelope.Stamps;
import io.dogpile.cache.backend.EnvelopeSeen.Deadlines;
import io.dogpile.cache.backend.EnvelopeSeen.Freshness;
import io.dogpile.core.Slot;
import io.dogpile.core.testing.FakeTime;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the stamps of a value say of it, by this JVM's clocks. */
class EnvelopeSeenTest {
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long SOFT = 100;
    private static final long HARD = 300;

    private final FakeTime time = new FakeTime();

    private static final class Seen extends EnvelopeSeen<String> {
        Seen(ValueFormat.Result<String> result, Deadlines deadlines) {
            super(result, deadlines);
        }

        @Override
        public Slot.Claim<String> claim(Slot.Wish wish) {
            throw new AssertionError("nobody claims");
        }
    }

    private Stamps born(long millisFromNow, long soft, long hard) {
        return new Stamps(7, time.instant().toEpochMilli() + millisFromNow, soft, hard, 12, 0);
    }

    @Test
    void ofAnAge_livesOnFromThere() {
        Deadlines deadlines = Deadlines.byWallClock(born(-40, SOFT, HARD), Freshness.BY_AGE, time);

        long bornAt = time.nanos() - 40 * MS;
        assertEquals(new Deadlines(bornAt, bornAt + SOFT * MS, bornAt + HARD * MS), deadlines);
    }

    @Test
    void fromTheFuture_isFromNow() {
        Deadlines deadlines = Deadlines.byWallClock(born(40, SOFT, HARD), Freshness.BY_AGE, time);

        long now = time.nanos();
        assertEquals(new Deadlines(now, now + SOFT * MS, now + HARD * MS), deadlines);
    }

    @Test
    void staysFreshNoLongerThanItIsUsable_andWithoutALifeForEver() {
        long now = time.nanos();
        assertEquals(
                new Deadlines(now, now + SOFT * MS, now + SOFT * MS),
                Deadlines.byWallClock(born(0, HARD, SOFT), Freshness.BY_AGE, time));
        assertEquals(
                new Deadlines(now, now + SOFT * MS, Slot.NEVER),
                Deadlines.byWallClock(born(0, SOFT, 0), Freshness.BY_AGE, time));
        assertEquals(
                new Deadlines(now, now + HARD * MS, now + HARD * MS),
                Deadlines.byWallClock(born(0, 0, HARD), Freshness.BY_AGE, time));
    }

    @Test
    void declaredStale_isUsableAllTheSame() {
        long now = time.nanos();
        assertEquals(
                new Deadlines(now, Long.MIN_VALUE, now + HARD * MS),
                Deadlines.byWallClock(born(0, SOFT, HARD), Freshness.DECLARED_STALE, time));
    }

    @Test
    void withoutStamps_hasNoDeadlines() {
        assertSame(Deadlines.NONE, Deadlines.byWallClock(null, Freshness.BY_AGE, time));
    }

    @Test
    void aValue_isToldByItsStamps() {
        Stamps stamps = born(-40, SOFT, HARD);
        Deadlines deadlines = Deadlines.byWallClock(stamps, Freshness.BY_AGE, time);
        ValueFormat.Result<String> result = new ValueFormat.Result<>(stamps, "value", null);
        Seen seen = new Seen(result, deadlines);

        assertTrue(seen.present());
        assertEquals("value", seen.value());
        assertSame(result, seen.result());
        assertFalse(seen.isNewerWriters());
        assertEquals(deadlines, new Deadlines(seen.bornAt(), seen.freshUntil(), seen.usableUntil()));
        assertEquals(12 * MS, seen.costNanos());
        assertEquals(7, seen.version());
        assertEquals(time.instant().minus(Duration.ofMillis(40)), seen.createdAt());
    }

    private static void assertAbsent(Seen seen) {
        assertFalse(seen.present());
        assertNull(seen.value());
        assertEquals(Deadlines.NONE, new Deadlines(seen.bornAt(), seen.freshUntil(), seen.usableUntil()));
        assertEquals(0, seen.costNanos());
        assertEquals(0, seen.version());
        assertEquals(Instant.EPOCH, seen.createdAt());
    }

    @Test
    void nothing_isAbsent_whateverTheDeadlines() {
        Seen seen = new Seen(null, new Deadlines(1, 2, 3));

        assertAbsent(seen);
        assertNull(seen.result());
        assertFalse(seen.isNewerWriters());
    }

    @ParameterizedTest
    @EnumSource
    void whatCannotBeRead_isAbsent_andMayBeANewerWriters(Unreadable why) {
        Seen seen = new Seen(new ValueFormat.Result<>(null, null, why), new Deadlines(1, 2, 3));

        assertAbsent(seen);
        assertEquals(why.newerWriter(), seen.isNewerWriters());
    }
}
