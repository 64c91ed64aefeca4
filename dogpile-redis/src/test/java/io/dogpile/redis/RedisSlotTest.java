package io.dogpile.redis;

import static io.dogpile.core.Slot.Claim.Kind.BACKING_OFF;
import static io.dogpile.core.Slot.Claim.Kind.GRANTED;
import static io.dogpile.core.Slot.Claim.Kind.HELD;
import static io.dogpile.core.Slot.Claim.Kind.NOT_NEEDED;
import static io.dogpile.core.Slot.Published.Outcome.STORED;
import static io.dogpile.core.Slot.Published.Outcome.SUPERSEDED;
import static io.dogpile.core.Slot.Published.Outcome.UNKNOWN;
import static io.dogpile.core.Slot.Published.Outcome.VOIDED;
import static io.dogpile.redis.Nodes.draft;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.Envelope;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.ValueFormat;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;

/** What one node does with a record, command by command and to the millisecond, on a model of the server. */
class RedisSlotTest {
    private static final Duration MS = Duration.ofMillis(1);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Slot.Wish NEEDED = new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, true, false);
    private static final Slot.Wish EARLY = new Slot.Wish(Slot.Wish.Reason.EARLY, Slot.NEVER, true, false);
    private static final Slot.Wish REFRESH = new Slot.Wish(Slot.Wish.Reason.REFRESH, Slot.NEVER, false, false);
    private static final Slot.Wish NOT_WAITED_FOR = new Slot.Wish(Slot.Wish.Reason.NEEDED, Slot.NEVER, false, false);

    private final ModelNode.World world = new ModelNode.World();
    private final ModelNode a = new ModelNode(world, "a");
    private final ModelNode b = new ModelNode(world, "b");

    private static Slot.Seen<String> read(ModelNode by, String key) throws Exception {
        return slot(by, key).read();
    }

    private static Slot<String> slot(ModelNode of, String key) {
        return of.partition.slot(key);
    }

    private static Slot.Claim<String> claim(ModelNode by, Slot.Wish wish) throws Exception {
        return read(by, "key").claim(wish);
    }

    private static Slot.Grant<String> granted(ModelNode to) throws Exception {
        Slot.Claim<String> claim = claim(to, REFRESH);
        assertEquals(GRANTED, claim.kind());
        return claim.grant();
    }

    private static Slot.Published<String> published(ModelNode by, String value) throws Exception {
        Slot.Published<String> published = granted(by).publish(draft(value));
        assertEquals(STORED, published.outcome());
        return published;
    }

    /** What is there, and cannot be read by the nodes of these tests. */
    private void makeUnreadable(String key) {
        world.server.hset(ModelNode.record(key), "v", "written by another program");
    }

    /** The value that is told; an empty text stands for "look again". */
    private static List<String> told(ModelNode node) {
        List<String> told = new ArrayList<>();
        slot(node, "key").watch(seen -> told.add(seen == null ? "" : seen.value()));
        return told;
    }

    private long localNanos(Duration from) {
        return world.time.nanos() + from.toNanos();
    }

    /** As far as half a millisecond: that much is not known of a server's clock that tells milliseconds. */
    private static void assertAbout(long expectedNanos, long nanos) {
        assertTrue(Math.abs(expectedNanos - nanos) <= MS.toNanos(), () -> nanos - expectedNanos + " ns off");
    }

    @Nested
    class Reading {
        @Test
        void aValue_hasItsTimes_inTheTermsOfThisJvmsClock() throws Exception {
            world.setServerClock(HOUR);
            long born = world.time.nanos();
            published(a, "value");
            world.pass(Duration.ofSeconds(3));

            Slot.Seen<String> seen = read(b, "key");

            assertTrue(seen.present());
            assertEquals("value", seen.value());
            assertAbout(born, seen.bornAt());
            assertAbout(born + Nodes.FRESH.toNanos(), seen.freshUntil());
            assertAbout(born + Nodes.USABLE.toNanos(), seen.usableUntil());
            assertFalse(seen.creating());
        }

        @Test
        void aValueForEver_hasNoEnd() throws Exception {
            Duration never = Duration.ofNanos(Slot.NEVER);
            granted(a).publish(draft("value", never, never));

            assertEquals(Slot.NEVER, read(b, "key").freshUntil());
            assertEquals(Slot.NEVER, read(b, "key").usableUntil());
        }

        @Test
        void anotherValue_isAnotherVersion_andNoneIsNone() throws Exception {
            assertEquals(0, read(b, "key").version());
            published(a, "first");
            long first = read(b, "key").version();
            published(a, "second");

            assertTrue(first > 0);
            assertTrue(read(b, "key").version() > first);
        }

        @Test
        void declaredStale_isStaleFromTheBeginning() throws Exception {
            published(a, "value");
            a.partition.invalidate("key", Invalidation.SOFT);

            Slot.Seen<String> seen = read(b, "key");

            assertEquals("value", seen.value());
            assertEquals(Long.MIN_VALUE, seen.freshUntil());
            assertAbout(localNanos(Nodes.USABLE), seen.usableUntil());
        }

        @Test
        void ofAnOlderGeneration_isStale_orHidden_andOfTheSameIsFresh() throws Exception {
            published(b, "value");
            b.partition.invalidateAll(Invalidation.SOFT);
            assertEquals(Long.MIN_VALUE, read(b, "key").freshUntil());
            published(b, "newer");
            assertAbout(localNanos(Nodes.FRESH), read(b, "key").freshUntil());

            world.pass(MS);
            b.partition.invalidateAll(Invalidation.HARD);
            assertFalse(read(b, "key").present());
            published(b, "newest");
            assertEquals("newest", read(b, "key").value());
        }

        @Test
        void manyAtOnce_areInOneRoundTrip_andNoneInNone() throws Exception {
            published(a, "value");
            a.partition.put("other", draft("another"));
            read(b, "key");
            b.commands = 0;
            assertEquals(Map.of(), b.partition.readAll(List.of()));
            assertEquals(0, b.commands);

            Map<Object, Slot.Seen<String>> seen = b.partition.readAll(List.of("key", "absent", "other"));

            assertEquals(List.of("key", "absent", "other"), List.copyOf(seen.keySet()));
            assertEquals("value", seen.get("key").value());
            assertFalse(seen.get("absent").present());
            assertEquals("another", seen.get("other").value());
        }

        @Test
        void strictly_whatOthersInvalidated_isNotServed_alsoWithoutAMessage() throws Exception {
            ModelNode strict = new ModelNode(world, "s", Serializer.string(), RedisNode.Reads.STRICT);
            published(a, "value");
            assertEquals("value", read(strict, "key").value());
            assertEquals("value", read(b, "key").value());
            world.pass(MS);
            a.partition.invalidateAll(Invalidation.HARD);

            assertFalse(read(strict, "key").present());
            assertTrue(read(b, "key").present(), "a second old, where reads are bounded");

            published(a, "newer");
            assertEquals(
                    "newer", strict.partition.readAll(List.of("key")).get("key").value());
            world.pass(MS);
            a.partition.invalidateAll(Invalidation.HARD);
            assertFalse(strict.partition.readAll(List.of("key")).get("key").present());
        }

        @Test
        void strictly_manyAtOnce_areReadBesideTheGenerations() throws Exception {
            ModelNode strict = new ModelNode(world, "s", Serializer.string(), RedisNode.Reads.STRICT);
            published(a, "value");
            read(strict, "key");
            strict.commands = 0;

            assertEquals(2, strict.partition.readAll(List.of("key", "other")).size());

            assertEquals(3, strict.commands);
        }

        @Test
        void ifTheServerDidNotTellItsTime_theNextThreadAsksAgain() throws Exception {
            published(a, "value");
            b.way = ModelNode.Way.REQUEST_LOST;
            assertThrows(JedisException.class, () -> read(b, "key"));
            b.way = ModelNode.Way.GOOD;

            CompletableFuture<String> other = CompletableFuture.supplyAsync(() -> {
                try {
                    return read(b, "key").value();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });

            assertEquals("value", other.get(10, TimeUnit.SECONDS));
        }

        @Test
        void itself_isNamedByItsRegion() {
            assertEquals("region 'region' on Redis, prefix 'model:'", a.partition.toString());
        }
    }

    /** Judged by the server's time as it is known here: 1,000,000 ms when this JVM's clock says 0. */
    @Nested
    class Sights {
        private static final long NOW = 1_000_000;
        private static final long LENGTH = 5_000;

        private final ServerClock clock = new ServerClock();
        private final RecordName name = new RecordName("key", "key", "full", new byte[0]);

        Sights() {
            clock.answered(0, 0, NOW);
        }

        private RedisSight<String> sight(RedisRecord.Stamps stamps, RedisRecord.Lease held, Generations.Both known) {
            ValueFormat.Result<String> value =
                    new ValueFormat.Result<>(new Envelope.Stamps(9, 0, 0, 0, 5, 0), "value", null);
            return new RedisSight<>(null, name, stamps, stamps == null ? null : value, held, known, clock, NOW);
        }

        private RedisSight<String> ofLease(long generation, long expiry, Generations.Both known) {
            return sight(null, new RedisRecord.Lease("n", 1, generation, expiry, LENGTH), known);
        }

        @Test
        void aLease_isGoodToItsLastMillisecond() {
            assertEquals(0, sight(null, null, Generations.Both.NONE).leftMillis());
            assertEquals(LENGTH, ofLease(0, NOW + LENGTH, Generations.Both.NONE).leftMillis());
            assertEquals(1, ofLease(0, NOW + 1, Generations.Both.NONE).leftMillis());
            assertTrue(ofLease(0, NOW + 1, Generations.Both.NONE).creating());
            assertEquals(0, ofLease(0, NOW, Generations.Both.NONE).leftMillis());
            assertFalse(ofLease(0, NOW, Generations.Both.NONE).creating());
            assertEquals(0, ofLease(0, NOW - 1, Generations.Both.NONE).leftMillis());
        }

        @Test
        void aLeaseWithMoreLeftThanItWasGiven_isFromBeforeTheClockWasSetBack_beyond100Ms() {
            assertEquals(
                    LENGTH + 100,
                    ofLease(0, NOW + LENGTH + 100, Generations.Both.NONE).leftMillis());
            assertEquals(
                    0, ofLease(0, NOW + LENGTH + 101, Generations.Both.NONE).leftMillis());
        }

        @Test
        void aLeaseOfAnOlderGeneration_isNone_whicheverWasBegun() {
            assertEquals(
                    LENGTH, ofLease(7, NOW + LENGTH, new Generations.Both(7, 3)).leftMillis());
            assertEquals(
                    LENGTH, ofLease(7, NOW + LENGTH, new Generations.Both(3, 7)).leftMillis());
            assertEquals(0, ofLease(7, NOW + LENGTH, new Generations.Both(8, 0)).leftMillis());
            assertEquals(0, ofLease(7, NOW + LENGTH, new Generations.Both(0, 8)).leftMillis());
        }

        private RedisSight<String> ofStamps(long generation, long softAt, long hardAt) {
            return sight(
                    new RedisRecord.Stamps(9, generation, softAt, hardAt, 5, 1_000, NOW - 10),
                    null,
                    new Generations.Both(2, 3));
        }

        @Test
        void aValue_isFreshUntilItsTime_andNotBeyondItsEnd() {
            assertEquals(
                    clock.nanosOf(NOW + 500), ofStamps(3, NOW + 500, NOW + 900).freshUntil());
            assertEquals(
                    clock.nanosOf(NOW + 400), ofStamps(3, NOW + 500, NOW + 400).freshUntil());
            assertEquals(
                    clock.nanosOf(NOW + 900), ofStamps(3, NOW + 500, NOW + 900).usableUntil());
            assertEquals(
                    clock.nanosOf(NOW - 10), ofStamps(3, NOW + 500, NOW + 900).bornAt());
            assertEquals(Slot.NEVER, ofStamps(3, 0, 0).freshUntil());
            assertEquals(Long.MIN_VALUE, ofStamps(2, NOW + 500, NOW + 900).freshUntil());
            assertEquals(Long.MIN_VALUE, ofStamps(3, 1, NOW + 900).freshUntil());
            assertEquals(Long.MIN_VALUE, ofStamps(3, NOW + 60_000, NOW + 90_000).freshUntil());
        }

        @Test
        void aValueThatCannotBeRead_hasItsFence_andNoneHasNone() {
            RedisRecord.Stamps stamps = new RedisRecord.Stamps(9, 3, NOW, NOW, 5, 1_000, NOW - 10);
            RedisSight<String> unreadable = new RedisSight<>(
                    null,
                    name,
                    stamps,
                    new ValueFormat.Result<>(null, null, null),
                    null,
                    Generations.Both.NONE,
                    clock,
                    NOW);
            assertEquals(9L, unreadable.fence());
            assertTrue(unreadable.isUnreadable());
            assertFalse(ofStamps(3, NOW, NOW).isUnreadable());
            assertNull(sight(null, null, Generations.Both.NONE).fence());
            assertFalse(sight(null, null, Generations.Both.NONE).isUnreadable());
        }
    }

    @Nested
    class Claiming {
        @Test
        void aFreshValue_isNotNeeded_andComesWithTheAnswer() throws Exception {
            Slot.Seen<String> before = read(b, "key");
            published(a, "value");

            Slot.Claim<String> claim = before.claim(NEEDED);

            assertEquals(NOT_NEEDED, claim.kind());
            assertEquals("value", claim.seen().value());
        }

        @Test
        void aFreshValueThatIsTooOldForTheCaller_isNeededAnew() throws Exception {
            published(a, "value");
            world.pass(Duration.ofSeconds(10));
            long nineSeconds = Duration.ofSeconds(9).toNanos();
            long tenSeconds = Duration.ofSeconds(10).toNanos();

            assertEquals(NOT_NEEDED, claim(b, NEEDED).kind());
            assertEquals(
                    NOT_NEEDED,
                    claim(b, new Slot.Wish(Slot.Wish.Reason.NEEDED, tenSeconds, true, false))
                            .kind());
            assertEquals(
                    GRANTED,
                    claim(b, new Slot.Wish(Slot.Wish.Reason.NEEDED, nineSeconds, true, false))
                            .kind());
        }

        @Test
        void theValueThatTheCallerHas_isNotSentAgain_andStaysSeen() throws Exception {
            published(a, "value");
            Slot.Seen<String> seen = read(b, "key");
            world.server.hset(ModelNode.record("key"), "v", "would be seen if it were sent");

            Slot.Claim<String> claim = seen.claim(EARLY);

            assertEquals(GRANTED, claim.kind());
            assertEquals("value", claim.seen().value());
        }

        @Test
        void aValueThatReplacedTheCallersOwn_isSeen() throws Exception {
            published(a, "value");
            Slot.Seen<String> seen = read(b, "key");
            published(a, "newer");

            assertEquals("newer", seen.claim(EARLY).seen().value());
        }

        @Test
        void aValueThatWasRemovedMeanwhile_isNotSeen() throws Exception {
            published(a, "value");
            Slot.Seen<String> seen = read(b, "key");
            a.partition.invalidate("key", Invalidation.HARD);

            Slot.Claim<String> claim = seen.claim(NEEDED);

            assertEquals(GRANTED, claim.kind());
            assertFalse(claim.seen().present());
        }

        @Test
        void aValueThatCannotBeRead_isReplaced_seenBeforeOrNot() throws Exception {
            a.partition.put("key", draft("value"));
            makeUnreadable("key");
            assertFalse(read(b, "key").present());
            Slot.Claim<String> known = claim(b, NEEDED);
            assertEquals(GRANTED, known.kind());
            known.grant().abandon(null);

            a.partition.invalidate("key", Invalidation.HARD);
            Slot.Seen<String> nothing = read(b, "key");
            a.partition.put("key", draft("value"));
            makeUnreadable("key");
            assertEquals(GRANTED, nothing.claim(NEEDED).kind());
        }

        @Test
        void aValueThatCannotBeRead_andReplacedOneThatCouldNot_isAskedForLater() throws Exception {
            a.partition.put("key", draft("value"));
            makeUnreadable("key");
            Slot.Seen<String> unreadable = read(b, "key");
            world.pass(MS);
            a.partition.put("key", draft("newer"));
            makeUnreadable("key");

            Slot.Claim<String> claim = unreadable.claim(NEEDED);

            assertEquals(HELD, claim.kind());
            assertEquals(Duration.ZERO, claim.left());
        }

        @Test
        void theAnswer_tellsTheServersTime() throws Exception {
            read(b, "key");
            world.setServerClock(HOUR);

            assertEquals(GRANTED, claim(b, NEEDED).kind());

            a.partition.put("key", draft("value"));
            assertAbout(localNanos(Nodes.FRESH), read(b, "key").freshUntil());
        }

        @Test
        void theAnswer_tellsOfGenerations() throws Exception {
            a.partition.put("other", draft("value"));
            assertTrue(read(b, "other").present());
            world.pass(MS);
            a.partition.invalidateAll(Invalidation.HARD);
            assertTrue(read(b, "other").present(), "not told yet");

            claim(b, NEEDED);

            assertFalse(read(b, "other").present());
        }

        @Test
        void unanswered_theRightIsGivenBackBehind() throws Exception {
            Slot.Seen<String> seen = read(a, "key");
            a.way = ModelNode.Way.REPLY_LOST;
            assertThrows(JedisException.class, () -> seen.claim(NEEDED));
            assertEquals(HELD, claim(b, NEEDED).kind());

            a.way = ModelNode.Way.GOOD;
            a.doWhatIsBehind();

            assertEquals(GRANTED, claim(b, REFRESH).kind());
        }

        @Test
        void afterFailures_backsOff_andSaysWhoAndWhyAndHowLong() throws Exception {
            granted(a).abandon(new IllegalStateException("no such report"));

            Slot.Claim<String> claim = claim(b, NEEDED);

            assertEquals(BACKING_OFF, claim.kind());
            assertEquals(Duration.ofSeconds(1), claim.left());
            assertTrue(claim.why().startsWith("region 'region', key 'key' backs off for 1000 ms"), claim::why);
            assertTrue(claim.why().contains("no such report"), claim::why);
        }

        @Test
        void afterNoFailure_orOneThatDoesNotCount_doesNotBackOff() throws Exception {
            granted(a).abandon(null);
            Slot.Claim<String> claim = claim(b, NEEDED);
            assertEquals(GRANTED, claim.kind());
            claim.grant().abandon(new InterruptedException());

            assertEquals(GRANTED, claim(b, NEEDED).kind());
        }
    }

    @Nested
    class AnotherCreates {
        @Test
        void whoDoesNotWait_isToldSoWithoutTheServer() throws Exception {
            granted(a);
            world.pass(Duration.ofSeconds(2));
            Slot.Seen<String> seen = read(b, "key");
            b.commands = 0;

            Slot.Claim<String> claim = seen.claim(NOT_WAITED_FOR);

            assertEquals(HELD, claim.kind());
            assertEquals(Duration.ofSeconds(3), claim.left());
            assertSame(seen, claim.seen());
            assertEquals(0, b.commands);
        }

        @Test
        void whoRefreshes_orSeesALeaseThatEnded_asksTheServer() throws Exception {
            granted(a);
            Slot.Seen<String> seen = read(b, "key");
            b.commands = 0;
            assertEquals(HELD, seen.claim(REFRESH).kind());
            assertTrue(b.commands > 0);

            world.pass(ModelNode.LEASE);
            assertEquals(GRANTED, claim(b, NOT_WAITED_FOR).kind());
        }

        @Test
        void whoWaits_asksTheServerOnce_andThenOnlyForAnotherLease() throws Exception {
            Slot.Grant<String> right = granted(a);
            told(b);
            assertEquals(HELD, claim(b, NEEDED).kind());
            Slot.Seen<String> again = read(b, "key");
            b.commands = 0;
            assertEquals(HELD, again.claim(NEEDED).kind());
            assertEquals(0, b.commands);

            right.abandon(null);
            granted(a);
            Slot.Seen<String> another = read(b, "key");
            b.commands = 0;
            assertEquals(HELD, another.claim(NEEDED).kind());
            assertEquals(1, b.commands);
        }

        @Test
        void withoutAPlaceToBeTold_whoWaitsAsksTheServerEachTime() throws Exception {
            granted(a);
            claim(b, NEEDED);
            Slot.Seen<String> again = read(b, "key");
            b.commands = 0;

            assertEquals(HELD, again.claim(NEEDED).kind());
            assertEquals(1, b.commands);
        }

        /** The server's clock stands. */
        @Test
        void aLeaseThatStoodStillForLongerThanItLasts_isTakenOver_andNotBefore() throws Exception {
            granted(a);
            told(b);
            world.passButOnServer(Duration.ofSeconds(3));
            assertEquals(HELD, claim(b, NEEDED).kind());

            world.passButOnServer(Duration.ofMillis(5_500));
            assertEquals(HELD, claim(b, NEEDED).kind());
            world.passButOnServer(MS);
            assertEquals(GRANTED, claim(b, NEEDED).kind());
        }

        @Test
        void aLeaseThatStoodStill_isTakenOver_alsoWhereItsTimeIsToCome() throws Exception {
            granted(a);
            told(b);
            claim(b, NEEDED);
            world.passButOnServer(Duration.ofMillis(5_501));
            read(b, "other").claim(NEEDED); // tells that the server's clock stands
            Slot.Seen<String> seen = read(b, "key");
            assertTrue(seen.creating());

            assertEquals(GRANTED, seen.claim(NEEDED).kind());
        }

        @Test
        void aLeaseThatWasRenewed_didNotStandStill() throws Exception {
            Slot.Grant<String> right = granted(a);
            told(b);
            claim(b, NEEDED);
            world.pass(Duration.ofSeconds(3));
            assertTrue(right.renew());
            assertEquals(HELD, claim(b, NEEDED).kind());
            world.pass(Duration.ofSeconds(3));
            assertTrue(right.renew());

            assertEquals(HELD, claim(b, NEEDED).kind());
        }

        @Test
        void aLeaseIsWatchedFromTheFirstClaim_alsoWhereThatIsNotAnswered() throws Exception {
            granted(a);
            told(b);
            Slot.Seen<String> seen = read(b, "key");
            b.way = ModelNode.Way.REQUEST_LOST;
            assertThrows(JedisException.class, () -> seen.claim(NEEDED));
            b.way = ModelNode.Way.GOOD;

            world.passButOnServer(Duration.ofMillis(5_501));

            assertEquals(GRANTED, claim(b, NEEDED).kind());
        }

        @Test
        void aRenewedLeaseIsWatchedFromThenOn_alsoWhereTheServerIsNotAsked() throws Exception {
            Slot.Grant<String> right = granted(a);
            told(b);
            claim(b, NEEDED);
            world.pass(Duration.ofSeconds(1));
            assertTrue(right.renew());
            assertEquals(HELD, claim(b, NEEDED).kind());

            world.passButOnServer(Duration.ofMillis(5_501));

            assertEquals(GRANTED, claim(b, NEEDED).kind());
        }

        /** It lasts 5 s, of which 2 s are left when it is first heard of: 5.5 s from then on, not 2.2. */
        @Test
        void aLeaseThatIsHeardOfLate_isWaitedForAsLongAsItLasts() throws Exception {
            granted(a);
            world.pass(Duration.ofSeconds(3));
            told(b);
            assertEquals(HELD, claim(b, NEEDED).kind());

            world.passButOnServer(Duration.ofMillis(2_300));

            assertEquals(HELD, claim(b, NEEDED).kind());
        }

        @Test
        void whatIsPublishedUnderALeaseThatWasSeen_isTaken_inTheSameMillisecondToo() throws Exception {
            b.listening();
            Slot.Grant<String> right = granted(a);
            List<String> told = told(b);
            claim(b, NEEDED);

            right.publish(draft("value"));

            assertEquals(List.of("value"), told);
        }

        @Test
        void whatIsPublishedLaterThanTheAnswer_isTaken_ofALeaseThatWasNotSeen() throws Exception {
            b.listening();
            List<String> told = told(b);
            Slot.Seen<String> nothing = read(b, "key");
            Slot.Grant<String> right = granted(a);
            assertEquals(HELD, nothing.claim(NEEDED).kind());
            world.pass(MS);

            right.publish(draft("value"));

            assertEquals(List.of("value"), told);
        }

        @Test
        void whoBeginsToWaitBesideAnother_isToldToo_withoutAskingAgain() throws Exception {
            b.listening();
            Slot.Grant<String> right = granted(a);
            told(b);
            claim(b, NEEDED);
            List<String> second = told(b);
            Slot.Seen<String> seen = read(b, "key");
            b.commands = 0;
            assertEquals(HELD, seen.claim(NEEDED).kind());
            assertEquals(0, b.commands);

            right.publish(draft("value"));

            assertEquals(List.of("value"), second);
        }

        @Test
        void whatWasPublishedBeforeOneWaited_isAHint() throws Exception {
            b.listening();
            Slot.Grant<String> right = granted(a);
            told(b);
            claim(b, NEEDED);
            List<String> second = told(b);

            right.publish(draft("value"));

            assertEquals(List.of(""), second);
        }

        @Test
        void aValueTooLongForAMessage_orOneThatCannotBeRead_isAHint() throws Exception {
            b.listening();
            List<String> told = told(b);
            Slot.Grant<String> right = granted(a);
            claim(b, NEEDED);
            right.publish(draft("x".repeat(ModelNode.PUSH_MAX)));
            assertEquals(List.of(""), told);

            told.clear();
            ModelNode otherwise = new ModelNode(world, "o", new Packed());
            Slot.Grant<String> theirs = granted(otherwise);
            read(b, "key").claim(REFRESH);
            claim(b, EARLY);
            theirs.publish(draft("value"));
            assertEquals(List.of(""), told);
        }

        @Test
        void whoStoppedWatching_isToldNothing() throws Exception {
            List<String> told = new ArrayList<>();
            Slot.Watch watch = slot(b, "key").watch(seen -> told.add("told"));
            assertFalse(watch.live());
            b.listening();
            assertTrue(watch.live());
            told.clear(); // that it is live now

            watch.close();
            a.partition.put("key", draft("value"));

            assertEquals(List.of(), told);
        }

        @Test
        void aRightThatIsGivenBack_isAHint() throws Exception {
            b.listening();
            List<String> told = told(b);
            Slot.Grant<String> right = granted(a);
            claim(b, NEEDED);

            right.abandon(null);

            assertEquals(List.of(""), told);
        }

        @Test
        void aValueOfAGenerationThatIsOverHere_isAHint() throws Exception {
            Generations.Both known = new Generations.Both(0, 0);
            for (Invalidation how : Invalidation.values()) {
                ModelNode waits = new ModelNode(world, "w" + how).listening();
                List<String> told = told(waits);
                Slot.Grant<String> right = granted(a);
                claim(waits, NEEDED);
                claim(waits, EARLY);
                long next = world.millis() * 1_000 + 5_000_000;
                known = known.and(
                        how == Invalidation.HARD ? new Generations.Both(next, 0) : new Generations.Both(0, next));
                waits.partition.learn(Texts.bytes(known.hard() + " " + known.soft()));
                right.publish(draft("value"));
                assertEquals("", told.get(told.size() - 1), how::name);
            }
        }

        @Test
        void aNodeThatDoesNotKnowTheServersTime_isOnlyTold() throws Exception {
            b.listening();
            List<String> told = told(b);

            a.partition.put("key", draft("value"));

            // To one who waits and never asked nothing is sent; so it is said here.
            Push.Changed push = new Push.Changed(
                    ModelNode.record("key"), RedisRecord.Stamps.parse(Texts.bytes("1 0 0 0 0 0 1")), new byte[1]);
            assertNotNull(push.stamps());
            b.node.inbox().place(ModelNode.record("key")).waiting.forEach(one -> one.accept(push));
            assertEquals(List.of(""), told);
        }
    }

    /** Of another backend. */
    private record Foreign() implements Slot.Seen<String> {
        @Override
        public boolean present() {
            return false;
        }

        @Override
        public String value() {
            return null;
        }

        @Override
        public long freshUntil() {
            return Long.MIN_VALUE;
        }

        @Override
        public long usableUntil() {
            return Long.MIN_VALUE;
        }

        @Override
        public long bornAt() {
            return Long.MIN_VALUE;
        }

        @Override
        public long version() {
            return 0;
        }

        @Override
        public Instant createdAt() {
            return Instant.EPOCH;
        }

        @Override
        public Slot.Claim<String> claim(Slot.Wish wish) {
            return Slot.Claim.granted(new ForeignRight());
        }
    }

    /** Of another backend. */
    private record ForeignRight() implements Slot.Grant<String> {
        @Override
        public long fencingToken() {
            return 0;
        }

        @Override
        public boolean renew() {
            return true;
        }

        @Override
        public Slot.Published<String> publish(Slot.Draft<String> draft) {
            return new Slot.Published<>(VOIDED, null);
        }

        @Override
        public void abandon(Throwable cause) {}
    }

    /** As text, but of another kind. */
    private record Packed() implements Serializer<String> {
        @Override
        public int id() {
            return 200;
        }

        @Override
        public byte[] write(String value) {
            if (value.equals("unwritable")) {
                throw new IllegalArgumentException("cannot be written");
            }
            return Texts.bytes(value);
        }

        @Override
        public String read(byte[] bytes) {
            return Texts.of(bytes);
        }
    }

    @Nested
    class ARight {
        @Test
        void isNumbered_andLastsALease_whichIsRenewedWhileItIsHeld() throws Exception {
            Slot.Grant<String> right = granted(a);
            assertTrue(right.fencingToken() > 0);
            assertEquals(ModelNode.LEASE, right.lease());
            world.pass(Duration.ofSeconds(4));
            assertTrue(right.renew());
            world.pass(Duration.ofSeconds(4));
            assertEquals(HELD, claim(b, NEEDED).kind());

            a.partition.invalidate("key", Invalidation.HARD);

            assertFalse(right.renew());
        }

        @Test
        void published_isSeenAsTheServerStampedIt() throws Exception {
            Slot.Published<String> published = granted(a).publish(draft("value"));

            assertEquals(STORED, published.outcome());
            assertEquals("value", published.seen().value());
            assertAbout(localNanos(Nodes.FRESH), published.seen().freshUntil());
            assertEquals(read(b, "key").version(), published.seen().version());
        }

        @Test
        void published_andNotToBeKept_isHandedOn_andNotSeen() throws Exception {
            Slot.Draft<String> passing =
                    new Slot.Draft<>("value", Nodes.FRESH, Nodes.USABLE, Duration.ofMillis(5), false);

            Slot.Published<String> published = granted(a).publish(passing);

            assertEquals(STORED, published.outcome());
            assertNull(published.seen());
            assertFalse(read(b, "key").present());
        }

        @Test
        void itsPublication_tellsTheServersTime() throws Exception {
            Slot.Grant<String> right = granted(a);
            world.setServerClock(Duration.ofSeconds(2));

            Slot.Published<String> published = right.publish(draft("value"));

            assertAbout(localNanos(Nodes.FRESH), published.seen().freshUntil());
        }

        @Test
        void whereAnotherWasStored_isSuperseded_andSeesIt() throws Exception {
            Slot.Grant<String> right = granted(a);
            b.partition.put("key", draft("put"));

            Slot.Published<String> published = right.publish(draft("value"));

            assertEquals(SUPERSEDED, published.outcome());
            assertEquals("put", published.seen().value());
        }

        @Test
        void whereItWasInvalidated_isVoided() throws Exception {
            Slot.Grant<String> right = granted(a);
            b.partition.invalidate("key", Invalidation.HARD);

            Slot.Published<String> published = right.publish(draft("value"));

            assertEquals(VOIDED, published.outcome());
            assertNull(published.seen());
        }

        @Test
        void isPublishedOnce() throws Exception {
            Slot.Grant<String> right = granted(a);
            right.publish(draft("value"));
            a.commands = 0;

            assertEquals(VOIDED, right.publish(draft("again")).outcome());
            assertEquals(0, a.commands);
        }

        @Test
        void withAValueThatCannotBeWritten_isGivenBackBehind_andSaysWhy() throws Exception {
            ModelNode packing = new ModelNode(world, "p", new Packed());
            Slot.Published<String> published = granted(packing).publish(draft("unwritable"));

            assertEquals(UNKNOWN, published.outcome());
            assertEquals("cannot be written", published.trouble().getMessage());
            assertEquals(HELD, claim(b, NEEDED).kind());
            packing.doWhatIsBehind();
            assertEquals(GRANTED, claim(b, REFRESH).kind());
        }

        @Test
        void whosePublicationIsNotAnswered_isGivenBackBehind_once() throws Exception {
            Slot.Grant<String> right = granted(a);
            a.way = ModelNode.Way.REQUEST_LOST;
            assertThrows(JedisException.class, () -> right.publish(draft("value")));
            a.way = ModelNode.Way.GOOD;
            a.commands = 0;

            right.abandon(null);

            assertEquals(0, a.commands);
            assertEquals(HELD, claim(b, NEEDED).kind());
            a.doWhatIsBehind();
            assertEquals(GRANTED, claim(b, REFRESH).kind());
        }
    }

    @Nested
    class ManyRights {
        private static final List<Object> KEYS = List.of("one", "two", "three");

        private Map<Object, Slots.Asked<String>> asked(ModelNode by, Slot.Wish wish) {
            Map<Object, Slots.Asked<String>> asked = new LinkedHashMap<>();
            by.partition.readAll(KEYS).forEach((key, seen) -> asked.put(key, new Slots.Asked<>(seen, wish)));
            return asked;
        }

        private Slots.Grants<Object, String> together(ModelNode by) {
            Map<Object, Slot.Grant<String>> grants = new LinkedHashMap<>();
            by.partition.claimAll(asked(by, REFRESH)).forEach((key, claim) -> {
                assertEquals(GRANTED, claim.kind());
                grants.put(key, claim.grant());
            });
            assertEquals(KEYS, List.copyOf(grants.keySet()));
            return by.partition.together(grants);
        }

        private Map<Object, Slot.Draft<String>> drafts() {
            Map<Object, Slot.Draft<String>> drafts = new LinkedHashMap<>();
            KEYS.forEach(key -> drafts.put(key, draft("value of " + key)));
            return drafts;
        }

        @Test
        void areClaimed_eachByItself_butWhereAnotherIsSeenToCreate() throws Exception {
            Slot.Claim<String> first = read(a, "two").claim(NEEDED);
            Map<Object, Slots.Asked<String>> asked = asked(b, NOT_WAITED_FOR);
            b.commands = 0;

            Map<Object, Slot.Claim<String>> claims = b.partition.claimAll(asked);

            assertEquals(GRANTED, first.kind());
            assertEquals(Set.copyOf(KEYS), claims.keySet());
            assertEquals(GRANTED, claims.get("one").kind());
            assertEquals(HELD, claims.get("two").kind());
            assertEquals(GRANTED, claims.get("three").kind());
            world.server.hset(ModelNode.record("one"), "l", "x 1 0 1 1");
            assertFalse(claims.get("one").grant().renew());
            assertTrue(claims.get("three").grant().renew());
        }

        @Test
        void unanswered_areGivenBackBehind() throws Exception {
            Map<Object, Slots.Asked<String>> asked = asked(a, NEEDED);
            a.way = ModelNode.Way.REPLY_LOST;
            assertThrows(JedisException.class, () -> a.partition.claimAll(asked));

            a.way = ModelNode.Way.GOOD;
            a.doWhatIsBehind();

            b.partition.claimAll(asked(b, NEEDED)).values().forEach(claim -> assertEquals(GRANTED, claim.kind()));
        }

        @Test
        void areRenewed_andTellWhichAreLost() throws Exception {
            Slots.Grants<Object, String> grants = together(a);
            assertEquals(ModelNode.LEASE, grants.lease());
            assertEquals(Set.of(), grants.renewAll());

            b.partition.invalidate("two", Invalidation.HARD);

            assertEquals(Set.of("two"), grants.renewAll());
        }

        @Test
        void arePublished_eachItsOwn_andThoseWithoutADraftAreGivenBack() throws Exception {
            Slots.Grants<Object, String> grants = together(a);
            Map<Object, Slot.Draft<String>> drafts = drafts();
            drafts.remove("one");
            b.partition.invalidate("two", Invalidation.HARD);

            Map<Object, Slot.Published<String>> published = grants.publishAll(drafts);

            assertEquals(Set.of("two", "three"), published.keySet());
            assertEquals(VOIDED, published.get("two").outcome());
            assertEquals(STORED, published.get("three").outcome());
            assertEquals("value of three", published.get("three").seen().value());
            assertEquals("value of three", read(b, "three").value());
            assertEquals(GRANTED, read(b, "one").claim(NEEDED).kind());
        }

        @Test
        void whoseValueCannotBeWritten_isGivenBackBehind_andTheOthersArePublished() throws Exception {
            ModelNode packing = new ModelNode(world, "p", new Packed());
            Slots.Grants<Object, String> grants = together(packing);
            Map<Object, Slot.Draft<String>> drafts = drafts();
            drafts.put("one", draft("unwritable"));

            Map<Object, Slot.Published<String>> published = grants.publishAll(drafts);

            assertEquals(UNKNOWN, published.get("one").outcome());
            assertEquals(STORED, published.get("two").outcome());
            assertEquals(STORED, published.get("three").outcome());
            assertEquals(HELD, read(b, "one").claim(NEEDED).kind());
            packing.doWhatIsBehind();
            assertEquals(GRANTED, read(b, "one").claim(REFRESH).kind());
        }

        @Test
        void whosePublicationIsNotAnswered_areGivenBackBehind_andNotTwice() throws Exception {
            Slots.Grants<Object, String> grants = together(a);
            a.way = ModelNode.Way.REQUEST_LOST;
            assertThrows(JedisException.class, () -> grants.publishAll(drafts()));
            a.way = ModelNode.Way.GOOD;
            a.commands = 0;
            grants.abandonAll(null);
            assertEquals(0, a.commands);

            a.doWhatIsBehind();

            b.partition.claimAll(asked(b, NEEDED)).values().forEach(claim -> assertEquals(GRANTED, claim.kind()));
        }

        @Test
        void oneWhosePublicationFailedAlone_isNotKnown_andGivenBackBehind() throws Exception {
            Slot.Grant<String> one = read(a, "one").claim(NEEDED).grant();
            Slots.Grants<Object, String> grants = a.partition.together(Map.of("one", one));
            a.way = ModelNode.Way.REQUEST_LOST;

            Slot.Published<String> published =
                    grants.publishAll(Map.of("one", draft("value"))).get("one");

            assertEquals(UNKNOWN, published.outcome());
            assertNotNull(published.trouble());
            a.way = ModelNode.Way.GOOD;
            a.doWhatIsBehind();
            assertEquals(GRANTED, read(b, "one").claim(NEEDED).kind());
        }

        @Test
        void areGivenBack_andAFailureToDoSoIsTold() throws Exception {
            together(a).abandonAll(null);
            Slots.Grants<Object, String> grants = together(b);
            Slot.Grant<String> other = read(b, "other").claim(NEEDED).grant();
            b.way = ModelNode.Way.REQUEST_LOST;

            assertThrows(JedisException.class, () -> grants.abandonAll(null));
            assertThrows(
                    JedisException.class,
                    () -> b.partition.together(Map.of("other", other)).abandonAll(null));
        }

        @Test
        void ofAnotherPartition_areRefused() throws Exception {
            Slot.Seen<String> foreign = new Foreign();
            String seen = assertThrows(
                            IllegalArgumentException.class,
                            () -> a.partition.claimAll(Map.of("key", new Slots.Asked<>(foreign, NEEDED))))
                    .getMessage();
            String granted = assertThrows(
                            IllegalArgumentException.class,
                            () -> a.partition.together(Map.of("key", new ForeignRight())))
                    .getMessage();

            assertEquals("region 'region', key 'key': seen by another partition", seen);
            assertTrue(granted.startsWith("region 'region': a right of another partition"), granted);
        }
    }

    @Nested
    class Writing {
        @Test
        void putAndInvalidated_oneOrMany() throws Exception {
            a.partition.put("one", draft("1"));
            a.partition.putAll(Map.of("two", draft("2"), "three", draft("3")));
            assertEquals("1", read(b, "one").value());
            assertEquals("2", read(b, "two").value());
            assertEquals("3", read(b, "three").value());

            a.partition.invalidate("one", Invalidation.HARD);
            a.partition.invalidateAll(List.of("two", "three"), Invalidation.HARD);
            for (String key : List.of("one", "two", "three")) {
                assertFalse(read(b, key).present());
            }
        }

        @Test
        void unanswered_isTold_forOneToo() throws Exception {
            read(a, "one");
            a.way = ModelNode.Way.REQUEST_LOST;

            assertThrows(JedisException.class, () -> a.partition.put("one", draft("1")));
            assertThrows(JedisException.class, () -> a.partition.putAll(Map.of("one", draft("1"))));
            assertThrows(JedisException.class, () -> a.partition.invalidate("one", Invalidation.HARD));
            assertThrows(JedisException.class, () -> a.partition.invalidateAll(List.of("one"), Invalidation.HARD));
        }
    }

    @Nested
    class NewGenerations {
        private final List<String> near = new ArrayList<>();

        private Slot.Watch watching(ModelNode node) {
            Slot.Watch watch = node.partition.watchAll(key -> near.add(String.valueOf(key)));
            node.listening();
            near.clear();
            return watch;
        }

        @Test
        void andChangedValues_areToldToNearCopies_untilNobodyListens() throws Exception {
            Slot.Watch before = b.partition.watchAll(key -> {});
            assertFalse(before.live());
            Slot.Watch watch = watching(b);
            assertTrue(watch.live());
            a.partition.put("key", draft("value"));
            assertEquals(List.of("key"), near);
            near.clear();
            a.partition.invalidateAll(Invalidation.SOFT);
            assertEquals(List.of("null"), near);

            watch.close();
            near.clear();
            world.pass(MS);
            a.partition.invalidateAll(Invalidation.SOFT);
            a.partition.put("key", draft("value"));
            assertEquals(List.of(), near);
        }

        @Test
        void areNotToldOnce_thePartitionIsClosed_norAskedFor() throws Exception {
            watching(b);
            b.partition.close();
            b.commands = 0;

            a.partition.invalidateAll(Invalidation.SOFT);
            b.eachSecond.forEach(Runnable::run);

            assertEquals(List.of(), near);
            assertEquals(0, b.commands);
            b.partition.close(); // twice is harmless
        }

        @Test
        void areAskedForEachSecond_andToldOnce() throws Exception {
            read(b, "key");
            b.partition.watchAll(key -> near.add(String.valueOf(key)));
            a.partition.invalidateAll(Invalidation.SOFT);
            b.node.start();
            near.clear();

            b.eachSecond.forEach(Runnable::run);
            assertEquals(List.of("null"), near);
            b.eachSecond.forEach(Runnable::run);
            assertEquals(List.of("null"), near);
        }

        @Test
        void thatTheServerDidNotHear_holdHere_andAreTakenThereLater() throws Exception {
            for (Invalidation how : Invalidation.values()) {
                world.pass(MS);
                published(a, "value");
                read(b, "key");
                a.way = ModelNode.Way.REQUEST_LOST;
                assertThrows(JedisException.class, () -> a.partition.invalidateAll(how));
                a.way = ModelNode.Way.GOOD;
                Slot.Seen<String> seen = read(a, "key");
                assertEquals(how == Invalidation.SOFT, seen.present());
                assertEquals(Long.MIN_VALUE, seen.freshUntil());
                a.partition.refreshGenerations();
                b.partition.refreshGenerations();
                assertEquals(how == Invalidation.SOFT, read(b, "key").present());
                assertEquals(Long.MIN_VALUE, read(b, "key").freshUntil());
            }
        }

        @Test
        void thatTheServerDidNotHear_areNewerThanAllThereWere_alsoWhereItsClockWasSetBack() throws Exception {
            a.partition.invalidateAll(Invalidation.HARD);
            world.setServerClock(HOUR.negated());
            published(a, "value");
            assertTrue(read(a, "key").present());
            a.way = ModelNode.Way.REQUEST_LOST;

            assertThrows(JedisConnectionException.class, () -> a.partition.invalidateAll(Invalidation.HARD));

            a.way = ModelNode.Way.GOOD;
            assertFalse(read(a, "key").present());
        }

        @Test
        void ofLargerNumbersThanAScriptCounts_areNone() {
            assertEquals(
                    new Generations.Both(9_000_000_000_000_000L, 9_000_000_000_000_000L),
                    Generations.Both.parse("9000000000000000 9000000000000000"));
            assertNull(Generations.Both.parse("9000000000000001 0"));
            assertNull(Generations.Both.parse("0 9000000000000001"));
        }
    }
}
