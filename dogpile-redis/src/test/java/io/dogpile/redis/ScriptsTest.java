package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.cache.processes.Await;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisDataException;

/** Each rule of the scripts, on a real server whose {@linkplain StoppedClock clock stands still} unless a test turns it. */
class ScriptsTest {
    private static final long START_MILLIS = 1_795_308_321_787L;
    private static final String RECORD = "p:region:key";
    private static final String GENERATION = "p:region~generation";
    private static final String LOCK = "p:~lock:name";
    private static final String INBOXES = "p:~in:";
    private static final String NEAR = "p:~near:region";
    private static final long LEASE = 1_000;
    private static final long LINGER = 60_000;
    private static final int PUSH_MAX = 20;

    private static RedisServer server;
    private static RedisClient client;
    private static Messages messages;

    private long now;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        client = server.client();
        messages = new Messages(server.client());
    }

    @AfterAll
    static void stop() {
        messages.close();
        client.close();
        server.close();
    }

    @BeforeEach
    void empty() {
        client.flushAll();
        clock(START_MILLIS);
        messages.forget();
    }

    private void clock(long millis) {
        now = millis;
        client.set(StoppedClock.KEY, Long.toString(millis * 1_000));
    }

    private void pass(long millis) {
        clock(now + millis);
    }

    private Object run(RedisScript script, List<String> keys, Object... arguments) {
        return reply(client.eval(
                StoppedClock.edit(script.text()).getBytes(UTF_8),
                keys.stream().map(Texts::bytes).toList(),
                Stream.of(arguments).map(String::valueOf).map(Texts::bytes).toList()));
    }

    /** With texts for bytes. */
    private static Object reply(Object reply) {
        if (reply instanceof byte[] bytes) {
            return Texts.of(bytes);
        }
        return reply instanceof List<?> items
                ? items.stream()
                        .map(item -> item instanceof byte[] bytes ? Texts.of(bytes) : item)
                        .toList()
                : reply;
    }

    private List<?> list(RedisScript script, Object... arguments) {
        return (List<?>) run(script, List.of(RECORD), arguments);
    }

    private String end(String key) {
        return client.get("~end:" + key);
    }

    private String field(String field) {
        return client.hget(RECORD, field);
    }

    /** A claim as it is asked for; whatever is not said is as most callers have it. */
    private final class Asked {
        private final String nonce;
        private String inbox = "";
        private long hard;
        private long soft;
        private String fence = "";
        private String wish = "N";
        private String steal = "";
        private String maxAge = "";
        private List<String> keys = List.of(RECORD, GENERATION);

        Asked(String nonce) {
            this.nonce = nonce;
        }

        Asked inbox(String id) {
            inbox = id;
            return this;
        }

        Asked knowing(long ofHard, long ofSoft) {
            hard = ofHard;
            soft = ofSoft;
            return this;
        }

        Asked having(long version) {
            fence = Long.toString(version);
            return this;
        }

        Asked wishing(String letter) {
            wish = letter;
            return this;
        }

        Asked stealing(String lease) {
            steal = lease;
            return this;
        }

        Asked maxAge(long millis) {
            maxAge = Long.toString(millis);
            return this;
        }

        Asked inCluster() {
            keys = List.of(RECORD);
            return this;
        }

        Claimed go() {
            return new Claimed((List<?>)
                    run(RedisScript.CLAIM, keys, nonce, LEASE, LINGER, inbox, hard, soft, fence, wish, steal, maxAge));
        }
    }

    private record Claimed(List<?> reply) {
        long code() {
            return (Long) reply.get(0);
        }

        String stamps() {
            return (String) reply.get(2);
        }

        String value() {
            return (String) reply.get(3);
        }

        long left() {
            return (Long) reply.get(4);
        }

        String more() {
            return (String) reply.get(5);
        }

        long fence() {
            return Long.parseLong(more());
        }

        String generations() {
            return (String) reply.get(6);
        }
    }

    private Asked asking(String nonce) {
        return new Asked(nonce);
    }

    private Claimed claim(String nonce) {
        return asking(nonce).go();
    }

    private List<?> publish(String nonce, long fence, String envelope, long soft, long hard) {
        return publish(nonce, fence, envelope, soft, hard, "1", "");
    }

    private List<?> publish(String nonce, long fence, String envelope, long soft, long hard, String keep, String near) {
        return (List<?>) run(
                RedisScript.PUBLISH,
                List.of(RECORD, GENERATION),
                nonce,
                fence,
                envelope,
                soft,
                hard,
                12,
                keep,
                0,
                0,
                PUSH_MAX,
                INBOXES,
                near,
                "K n key");
    }

    private List<?> put(String envelope, long soft, long hard) {
        return (List<?>) run(
                RedisScript.PUT,
                List.of(RECORD, GENERATION),
                envelope,
                soft,
                hard,
                12,
                0,
                0,
                PUSH_MAX,
                INBOXES,
                NEAR,
                "K n key");
    }

    private List<?> renew(String nonce) {
        return (List<?>) run(RedisScript.RENEW, List.of(RECORD, GENERATION), nonce, LEASE, LINGER, 0, 0);
    }

    private long abandon(String nonce, String how) {
        return (Long) list(RedisScript.ABANDON, nonce, how, 2, 100, 30_000, "boom", INBOXES)
                .get(0);
    }

    private void invalidate(String how) {
        list(RedisScript.INVALIDATE, how, INBOXES, NEAR, "K n key");
    }

    private List<?> generation(String how, long hard, long soft) {
        return (List<?>) run(RedisScript.GENERATION, List.of(GENERATION), how, hard, soft, INBOXES + '*', "G region ");
    }

    /** Stores a value by a claim and its publication, and returns its fence. */
    private long store(String envelope, long soft, long hard) {
        Claimed claimed = claim("stores");
        publish("stores", claimed.fence(), envelope, soft, hard);
        messages.forget();
        return claimed.fence();
    }

    @Nested
    class Claiming {
        @Test
        void nothingThere_granted_withTheTimeAsFence_andEndsAfterLeaseAndLinger() {
            Claimed claimed = claim("a");

            assertThat(claimed.reply())
                    .isEqualTo(Arrays.asList(3L, now, null, null, LEASE, Long.toString(now * 1_000), null));
            assertThat(field("l")).isEqualTo("a " + now * 1_000 + " 0 " + (now + LEASE) + " " + LEASE);
            assertThat(end(RECORD)).isEqualTo(Long.toString(now + LEASE + LINGER + 1));
        }

        @Test
        void sameNonceAgain_sameGrant_whateverTimeIsLeft() {
            long fence = claim("a").fence();
            pass(400);
            Claimed again = claim("a");
            pass(601);
            Claimed late = claim("a");

            assertThat(again.code()).isEqualTo(3);
            assertThat(again.fence()).isEqualTo(fence);
            assertThat(again.left()).isEqualTo(LEASE - 400);
            assertThat(late.fence()).isEqualTo(fence);
        }

        @Test
        void anotherHolds_held_withTheTimeLeft_andWhatToWatch() {
            claim("a");
            pass(400);
            Claimed second = claim("b");

            assertThat(second.code()).isEqualTo(4);
            assertThat(second.left()).isEqualTo(LEASE - 400);
            assertThat(second.more()).isEqualTo("a " + (START_MILLIS + LEASE));
        }

        @Test
        void leaseRunOut_granted_inItsLastMillisecondNotYet() {
            long first = claim("a").fence();
            pass(LEASE - 1);
            assertThat(claim("b").code()).isEqualTo(4);
            pass(1);

            Claimed second = claim("b");
            assertThat(second.code()).isEqualTo(3);
            assertThat(second.fence()).isGreaterThan(first);
        }

        @Test
        void fencesOfTheFuture_areStillOutgrown_exactly() {
            long ahead = now * 1_000 + 7_777_777_777L;
            client.hset(RECORD, "m", ahead + " 0 1 0 0 1000 " + now);
            assertThat(claim("a").fence()).isEqualTo(ahead + 1);
            client.hset(RECORD, "l", "x " + (ahead + 8) + " 0 1 1");

            assertThat(claim("b").fence()).isEqualTo(ahead + 9);
        }

        @Test
        void clockSetBackBetweenGrants_fencesGrow() {
            long first = claim("a").fence();
            clock(now - 3_600_000);

            assertThat(claim("b").fence()).isEqualTo(first + 1);
        }

        @Test
        void freshValue_givenAsItIs_toTheLastMillisecond() {
            long fence = store("value", 500, 9_000);
            Claimed fresh = claim("a");
            pass(500);

            assertThat(fresh.code()).isZero();
            assertThat(fresh.value()).isEqualTo("value");
            assertThat(fresh.stamps())
                    .isEqualTo(fence + " 0 " + (START_MILLIS + 500) + " " + (START_MILLIS + 9_000) + " 12 500 "
                            + START_MILLIS);
            assertThat(claim("a").code()).isZero();
            pass(1);
            assertThat(claim("a").code()).isEqualTo(2);
        }

        @Test
        void valueThatTheCallerHas_notSentAgain() {
            long fence = store("value", 500, 9_000);

            assertThat(asking("a").having(fence).go().value()).isEmpty();
            assertThat(asking("a").having(fence - 1).go().value()).isEqualTo("value");
            pass(501);
            assertThat(asking("a").having(fence).go().value()).isEmpty();
        }

        @Test
        void hardLifeOver_valueHidden_thoughTheRightKeepsTheRecord() {
            store("value", 500, 900);
            pass(700);
            assertThat(claim("a").code()).isEqualTo(2);
            pass(200);
            assertThat(claim("b").code()).isEqualTo(1);
            pass(1);

            Claimed hidden = claim("b");
            assertThat(hidden.code()).isEqualTo(4);
            assertThat(hidden.stamps()).isNull();
            assertThat(hidden.value()).isNull();
        }

        @Test
        void rightOverAValue_endsWithTheLaterOfBoth_andNeverWhereTheValueNeverEnds() {
            store("value", 10, 900);
            pass(11);
            claim("a");
            assertThat(end(RECORD)).isEqualTo(Long.toString(now + LEASE + LINGER + 1));
            invalidate("HARD");

            store("value", 10, 900_000);
            pass(11);
            claim("b");
            assertThat(end(RECORD)).isEqualTo(Long.toString(now - 11 + 900_000 + 1));
            invalidate("HARD");

            store("value", 10, 0);
            pass(11);
            claim("c");
            assertThat(end(RECORD)).isNull();
        }

        @Test
        void earlyOrRefresh_newerThanWhatTheCallerHas_isEnough() {
            long fence = store("value", 500, 9_000);

            for (String wish : List.of("E", "R")) {
                assertThat(asking("a").wishing(wish).having(fence - 1).go().code())
                        .isZero();
                assertThat(asking("a").wishing(wish).having(fence).go().code()).isEqualTo(2);
                abandon("a", "N");
            }
            assertThat(asking("a").wishing("N").having(fence).go().code()).isZero();
        }

        @Test
        void ownMaxAge_countsFromTheStoring() {
            store("value", 5_000, 9_000);
            pass(300);

            assertThat(asking("a").maxAge(300).go().code()).isZero();
            assertThat(asking("a").maxAge(299).go().code()).isEqualTo(2);
        }

        @Test
        void manyToName_oneBroadcast() {
            claim("a");
            String long600 = "i".repeat(600);
            asking("b").inbox(long600).go();
            asking("b").inbox("k" + long600).go();
            assertThat(field("w")).hasSize(1_203);
            asking("b").inbox("2").go();
            assertThat(field("w")).isEqualTo("* ");
            asking("b").inbox("3").go();
            assertThat(field("w")).isEqualTo("* ");
        }

        @Test
        void inboxThatIsTheEndOfAnother_isNotedToo_andNoneTwice() {
            claim("a");
            asking("b").inbox("j2").go();
            asking("b").inbox("2").go();
            asking("b").inbox("j2").go();
            asking("b").inbox("2").go();

            assertThat(field("w")).isEqualTo("j2 2 ");
        }

        @Test
        void callerThatWillNotWait_isNotNoted() {
            claim("a");
            claim("b");

            assertThat(field("w")).isNull();
        }
    }

    @Nested
    class ClockAndLeases {
        @Test
        void leaseThatStoodStill_isTakenOver_onlyAsItWasSeen() {
            claim("a");
            String seen = claim("b").more();
            assertThat(asking("b").stealing(seen.replace("a ", "x ")).go().code())
                    .isEqualTo(4);

            Claimed stolen = asking("b").stealing(seen).go();
            assertThat(stolen.code()).isEqualTo(3);
            assertThat(renew("a").get(0)).isEqualTo(0L);
        }

        @Test
        void leaseRenewedSince_isNotTakenOver() {
            claim("a");
            String seen = claim("b").more();
            pass(1);
            renew("a");

            assertThat(asking("b").stealing(seen).go().code()).isEqualTo(4);
        }

        @Test
        void clockSetBackByMoreThanALease_leaseIsDead_byLessItLives() {
            claim("a");
            pass(-LEASE - 1_000);
            assertThat(claim("b").code()).isEqualTo(4);
            pass(-1);

            assertThat(claim("b").code()).isEqualTo(3);
            assertThat(publish("a", 1, "old", 0, 9_000).get(0)).isEqualTo(0L);
        }

        @Test
        void clockSetBackUnderAValue_staleOnce_thenFreshAgain() {
            store("value", 1_000, 9_000_000);
            pass(-5_000);
            assertThat(claim("a").code()).isZero();
            pass(-1);

            Claimed stale = claim("a");
            assertThat(stale.code()).isEqualTo(2);
            publish("a", stale.fence(), "again", 1_000, 9_000_000);
            assertThat(claim("b").code()).isZero();
            pass(500);
            assertThat(claim("b").code()).isZero();
        }

        @Test
        void clockSetForward_everythingEnds() {
            store("value", 1_000, 9_000);
            pass(3_600_000);

            assertThat(claim("a").code()).isEqualTo(3);
        }

        @Test
        void backOffFurtherAwayThanAnHour_isNotBelieved() {
            client.hset(RECORD, "e", "3 " + (now + 3_600_000) + " 3600000 boom");
            assertThat(claim("a").code()).isEqualTo(7);
            client.hset(RECORD, "e", "3 " + (now + 3_600_001) + " 3600000 boom");

            assertThat(claim("a").code()).isEqualTo(3);
        }

        @Test
        void clockSetBackDuringABackOff_itEndsOnceTwiceItsLengthIsLeft() {
            claim("a");
            abandon("a", "F");
            claim("a");
            abandon("a", "F");
            clock(now - 100);
            assertThat(claim("a").left()).isEqualTo(200);
            clock(now - 1);

            assertThat(claim("a").code()).isEqualTo(3);
        }

        @Test
        void clockSetBackAfterAFailureWithoutABackOff_thereIsNone() {
            claim("a");
            abandon("a", "F");
            clock(now - 1);

            assertThat(claim("a").code()).isEqualTo(3);
        }
    }

    @Nested
    class Publishing {
        @Test
        void held_stored_andNothingElseIsLeft() {
            long fence = claim("a").fence();
            asking("b").inbox("2").go();
            client.hset(RECORD, "e", "1 1 0 boom");

            List<?> reply = publish("a", fence, "value", 500, 9_000);
            String stamps = fence + " 0 " + (now + 500) + " " + (now + 9_000) + " 12 500 " + now;
            assertThat(reply).isEqualTo(Arrays.asList(1L, now, stamps, null));
            assertThat(client.hgetAll(RECORD)).containsOnlyKeys("v", "m").containsEntry("m", stamps);
            assertThat(end(RECORD)).isEqualTo(Long.toString(now + 9_000 + 1));
        }

        @Test
        void withoutEnd_itEndsNever() {
            publish("a", claim("a").fence(), "value", 0, 0);

            assertThat(end(RECORD)).isNull();
            pass(9_000_000_000L);
            assertThat(claim("b").code()).isZero();
        }

        @Test
        void afterTheLease_acceptedDuringLinger_refusedAfterwards() {
            long first = claim("a").fence();
            pass(LEASE + LINGER + 1);
            assertThat(publish("a", first, "value", 500, 9_000).get(0)).isEqualTo(1L);
            invalidate("HARD");

            long second = claim("b").fence();
            pass(LEASE + LINGER + 2);
            assertThat(publish("b", second, "value", 500, 9_000)).isEqualTo(Arrays.asList(0L, now, null, null));
            assertThat(client.exists(RECORD)).isFalse();
        }

        @Test
        void takenOver_refused_beforeAndAfterTheSuccessorPublishes() {
            long first = claim("a").fence();
            pass(LEASE);
            long second = claim("b").fence();

            assertThat(publish("a", first, "old", 500, 9_000)).isEqualTo(Arrays.asList(0L, now, null, null));
            publish("b", second, "new", 500, 9_000);
            List<?> after = publish("a", first, "old", 500, 9_000);
            assertThat(after.get(0)).isEqualTo(0L);
            assertThat((String) after.get(2)).startsWith(second + " ");
            assertThat(after.get(3)).isEqualTo("new");
            assertThat(field("v")).isEqualTo("new");
        }

        @Test
        void claimThatCameTwice_theSecondTimeAfterAnInvalidation_whatWasMadeBeforeIsRefused() {
            long first = claim("a").fence();
            invalidate("HARD");
            pass(1);
            assertThat(claim("a").fence()).isGreaterThan(first);

            assertThat(publish("a", first, "old", 500, 9_000)).isEqualTo(Arrays.asList(0L, now, null, null));
            assertThat(field("v")).isNull();
        }

        @Test
        void again_saysThatItArrived_andWakesNobodyTwice() {
            long fence = claim("a").fence();
            asking("b").inbox("2").go();
            publish("a", fence, "value", 500, 9_000);
            messages.forget();

            assertThat(publish("a", fence, "value", 500, 9_000).get(0)).isEqualTo(2L);
            assertThat(messages.all()).isEmpty();
        }

        @Test
        void recordLost_refused() {
            long fence = claim("a").fence();
            client.del(RECORD);

            assertThat(publish("a", fence, "value", 500, 9_000).get(0)).isEqualTo(0L);
            assertThat(client.exists(RECORD)).isFalse();
        }

        @Test
        void notToBeKept_handedToWhoWaits_andNothingIsStored() {
            long fence = claim("a").fence();
            asking("b").inbox("2").go();
            publish("a", fence, "value", 500, 9_000, "0", NEAR);

            assertThat(client.exists(RECORD)).isFalse();
            assertThat(messages.all())
                    .singleElement()
                    .asString()
                    .startsWith(INBOXES + "2 P ")
                    .endsWith("\nvalue");
        }

        @Test
        void smallValue_isPushed_aLargerOneIsNot_eachToAllWhoWait() {
            long first = claim("a").fence();
            asking("b").inbox("2").go();
            asking("b").inbox("j2").go();
            publish("a", first, "v".repeat(PUSH_MAX), 1, 9_000, "1", NEAR);
            String stamps = field("m");
            assertThat(messages.all())
                    .containsExactly(
                            NEAR + " K n key",
                            INBOXES + "2 P 12 " + RECORD + stamps + "\n" + "v".repeat(PUSH_MAX),
                            INBOXES + "j2 P 12 " + RECORD + stamps + "\n" + "v".repeat(PUSH_MAX));

            pass(2);
            long second = claim("c").fence();
            asking("b").inbox("2").go();
            publish("c", second, "v".repeat(PUSH_MAX + 1), 1, 9_000);
            assertThat(messages.all()).containsExactly(INBOXES + "2 P 12 " + RECORD + field("m"));
        }
    }

    @Nested
    class Putting {
        @Test
        void nothingThere_storedAndTold() {
            assertThat(put("value", 500, 9_000))
                    .isEqualTo(List.of(
                            1L, now, now * 1_000 + " 0 " + (now + 500) + " " + (now + 9_000) + " 12 500 " + now));
            assertThat(end(RECORD)).isEqualTo(Long.toString(now + 9_000 + 1));
            assertThat(messages.all()).containsExactly(NEAR + " K n key");
            assertThat(claim("a").value()).isEqualTo("value");
        }

        @Test
        void whileOthersCreate_theyAreRefused_andWhoWaitsIsWoken() {
            long fence = claim("a").fence();
            asking("b").inbox("2").go();
            put("value", 500, 9_000);

            assertThat(messages.all())
                    .containsExactly(NEAR + " K n key", INBOXES + "2 P 12 " + RECORD + field("m") + "\nvalue");
            assertThat(client.hgetAll(RECORD)).containsOnlyKeys("v", "m");
            assertThat(publish("a", fence, "created", 500, 9_000).get(3)).isEqualTo("value");
        }

        @Test
        void fencesOfTheFuture_areStillOutgrown() {
            long ahead = now * 1_000 + 999;
            client.hset(RECORD, "m", ahead + " 0 1 0 0 1000 " + now);
            put("value", 500, 9_000);
            assertThat(field("m")).startsWith((ahead + 1) + " ");
            client.hset(RECORD, "l", "x " + (ahead + 5) + " 0 1 1");
            put("value", 500, 9_000);

            assertThat(field("m")).startsWith((ahead + 6) + " ");
        }
    }

    @Nested
    class Renewing {
        @Test
        void held_lastsForItsWholeLengthFromNow_andSoDoesTheRecord() {
            long fence = claim("a").fence();
            pass(700);

            assertThat(renew("a")).isEqualTo(List.of(1L, now));
            assertThat(field("l")).isEqualTo("a " + fence + " 0 " + (now + LEASE) + " " + LEASE);
            assertThat(end(RECORD)).isEqualTo(Long.toString(now + LEASE + LINGER));
        }

        @Test
        void recordThatLastsLonger_isNotShortened_andOneWithoutEndGetsNone() {
            store("value", 10, 900_000);
            String before = end(RECORD);
            pass(11);
            claim("a");
            renew("a");
            assertThat(end(RECORD)).isEqualTo(before);
            invalidate("HARD");

            store("value", 10, 0);
            pass(11);
            claim("b");
            renew("b");
            assertThat(end(RECORD)).isNull();
        }

        @Test
        void takenOverOrLost_no() {
            claim("a");
            pass(LEASE);
            claim("b");
            assertThat(renew("a").get(0)).isEqualTo(0L);
            client.del(RECORD);

            assertThat(renew("b").get(0)).isEqualTo(0L);
            assertThat(client.exists(RECORD)).isFalse();
        }
    }

    @Nested
    class Abandoning {
        @Test
        void notHeld_nothingChanges() {
            claim("a");
            asking("c").inbox("2").go();

            assertThat(abandon("b", "F")).isZero();
            assertThat(client.hgetAll(RECORD)).containsOnlyKeys("l", "w");
            assertThat(messages.all()).isEmpty();
        }

        @Test
        void noCreatorRan_nothingIsLeft_andWhoWaitsIsWoken() {
            claim("a");
            asking("b").inbox("2").go();

            assertThat(abandon("a", "N")).isEqualTo(1);
            assertThat(client.exists(RECORD)).isFalse();
            assertThat(messages.all()).containsExactly(INBOXES + "2 A 12 " + RECORD);
        }

        @Test
        void failures_areCounted_backOffDoubles_andIsCapped() {
            long[] backOffs = LongStream.range(0, 40)
                    .map(i -> {
                        assertThat(claim("a").code()).isEqualTo(3);
                        abandon("a", "F");
                        Claimed next = claim("b");
                        long backOff = next.code() == 7 ? next.left() : 0;
                        abandon("b", "N");
                        pass(backOff);
                        return backOff;
                    })
                    .toArray();

            assertThat(backOffs).startsWith(0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000);
            assertThat(backOffs).endsWith(30_000, 30_000);
        }

        @Test
        void backingOff_textIsTold_staleValueIsGiven_refreshGoesOn() {
            long fence = store("value", 10, 9_000);
            pass(11);
            claim("a");
            abandon("a", "F");
            claim("a");
            abandon("a", "F");

            Claimed next = claim("b");
            assertThat(next.code()).isEqualTo(6);
            assertThat(next.value()).isEqualTo("value");
            assertThat(next.more()).isEqualTo("boom");
            assertThat(asking("b").wishing("E").having(fence).go().code()).isEqualTo(6);
            assertThat(asking("b").wishing("R").having(fence).go().code()).isEqualTo(2);
        }

        @Test
        void published_failuresAreForgotten() {
            claim("a");
            abandon("a", "F");
            publish("a", claim("a").fence(), "value", 10, 9_000);
            pass(11);
            claim("a");
            abandon("a", "F");

            assertThat(field("e")).startsWith("1 ");
        }

        @Test
        void noValue_failuresLastAsLongAsTheLongestBackOff() {
            claim("a");
            abandon("a", "F");
            assertThat(end(RECORD)).isEqualTo(Long.toString(now + 30_000));
            claim("a");
            abandon("a", "F");

            assertThat(end(RECORD)).isEqualTo(Long.toString(now + 100 + 30_000));
        }

        @Test
        void valueThatEndsSooner_failuresAreStillKnownThen_andOneThatEndsLaterKeepsItsEnd() {
            store("value", 10, 900);
            pass(11);
            claim("a");
            client.set("~end:" + RECORD, Long.toString(now + 889));
            abandon("a", "F");
            assertThat(end(RECORD)).isEqualTo(Long.toString(now + 30_000));
            pass(1_000);
            assertThat(claim("b").code()).isEqualTo(3);
            abandon("b", "F");
            assertThat(claim("b").code()).isEqualTo(7);
            invalidate("HARD");

            store("value", 10, 900_000);
            String before = end(RECORD);
            pass(11);
            claim("a");
            abandon("a", "F");
            assertThat(end(RECORD)).isEqualTo(before);
            invalidate("HARD");

            store("value", 10, 0);
            pass(11);
            claim("a");
            abandon("a", "F");
            assertThat(end(RECORD)).isNull();
        }

        @Test
        void longestOverAnHour_isAnHour_sinceMoreIsNotBelieved() {
            claim("a");
            list(RedisScript.ABANDON, "a", "F", 1, 7_200_000, 7_200_000, "boom", INBOXES);

            Claimed next = claim("b");
            assertThat(next.code()).isEqualTo(7);
            assertThat(next.left()).isEqualTo(3_600_000);
        }
    }

    @Nested
    class Invalidating {
        @Test
        void hard_everythingIsGone_whoCreatesIsRefused_whoWaitsIsWoken() {
            long fence = claim("a").fence();
            asking("b").inbox("2").go();
            invalidate("HARD");

            assertThat(client.exists(RECORD)).isFalse();
            assertThat(messages.all()).containsExactly(NEAR + " K n key", INBOXES + "2 I 12 " + RECORD);
            assertThat(publish("a", fence, "value", 500, 9_000).get(0)).isEqualTo(0L);
        }

        @Test
        void soft_valueIsStale_theRightIsGone_andTheEndStays() {
            store("value", 500, 9_000);
            pass(501);
            long fence = claim("a").fence();
            asking("b").inbox("2").go();
            invalidate("SOFT");

            assertThat(client.hgetAll(RECORD)).containsOnlyKeys("v", "m");
            assertThat(end(RECORD)).isEqualTo(Long.toString(now - 501 + 9_000 + 1));
            assertThat(messages.all()).containsExactly(NEAR + " K n key", INBOXES + "2 I 12 " + RECORD);
            assertThat(publish("a", fence, "new", 500, 9_000).get(0)).isEqualTo(0L);
            Claimed next = claim("b");
            assertThat(next.code()).isEqualTo(2);
            assertThat(next.value()).isEqualTo("value");
        }

        @Test
        void soft_freshOrEndlessValue_isStaleTooUntilItIsCreatedAnew() {
            store("value", 0, 0);
            invalidate("SOFT");
            assertThat(end(RECORD)).isNull();

            Claimed stale = claim("a");
            assertThat(stale.code()).isEqualTo(2);
            publish("a", stale.fence(), "new", 0, 0);
            assertThat(claim("b").code()).isZero();
        }

        @Test
        void soft_noValue_theRightIsGone() {
            claim("a");
            invalidate("SOFT");

            assertThat(client.exists(RECORD)).isFalse();
        }
    }

    @Nested
    class GenerationsOfARegion {
        @Test
        void begun_isTheTime_andTold() {
            assertThat(generation("HARD", 0, 0)).isEqualTo(List.of(now, now * 1_000 + " 0"));
            assertThat(messages.all()).containsExactly(INBOXES + "* G region " + now * 1_000 + " 0");
        }

        @Test
        void neverShrinks_thoughTheClockGoesBack_andEachIsLargerThanBoth() {
            long first = now * 1_000;
            generation("HARD", 0, 0);
            clock(now - 10_000);
            assertThat(generation("SOFT", 0, 0).get(1)).isEqualTo(first + " " + (first + 1));
            assertThat(generation("HARD", 0, 0).get(1)).isEqualTo((first + 2) + " " + (first + 1));
        }

        @Test
        void lost_restoredByWhoKnowsIt_andNothingIsSaidWhereNothingIsNew() {
            assertThat(generation("KEEP", 0, 0).get(1)).isEqualTo("0 0");
            assertThat(client.exists(GENERATION)).isFalse();
            generation("KEEP", 70, 50);
            assertThat(client.get(GENERATION)).isEqualTo("70 50");
            messages.forget();

            assertThat(generation("KEEP", 60, 55).get(1)).isEqualTo("70 55");
            assertThat(messages.all()).containsExactly(INBOXES + "* G region 70 55");
            assertThat(generation("KEEP", 60, 55).get(1)).isEqualTo("70 55");
            assertThat(messages.all()).isEmpty();
        }

        @Test
        void hard_olderValueIsNoValue_soft_itIsStale() {
            store("value", 5_000, 9_000);
            generation("SOFT", 0, 0);
            Claimed stale = claim("a");
            assertThat(stale.code()).isEqualTo(2);
            assertThat(stale.generations()).isEqualTo("0 " + now * 1_000);
            abandon("a", "N");
            generation("HARD", 0, 0);

            assertThat(claim("a").code()).isEqualTo(3);
        }

        @Test
        void callerKnowsMoreThanTheServer_itsKnowledgeDecides_andNothingIsNew() {
            store("value", 5_000, 9_000);
            Claimed stale = asking("a").knowing(0, 5).go();
            assertThat(stale.code()).isEqualTo(2);
            assertThat(stale.generations()).isNull();
            assertThat(field("l")).startsWith("a ").contains(" 5 ");

            assertThat(asking("b").knowing(7, 5).inCluster().go().code()).isEqualTo(3);
        }

        @Test
        void begunDuringACreation_itIsNotRenewed_notStored_andTheNextIsGrantedAtOnce() {
            long fence = claim("a").fence();
            asking("b").inbox("2").go();
            generation("SOFT", 0, 0);
            messages.forget();

            assertThat(renew("a").get(0)).isEqualTo(0L);
            assertThat(publish("a", fence, "old", 500, 9_000)).isEqualTo(Arrays.asList(0L, now, null, null));
            assertThat(messages.all()).containsExactly(INBOXES + "2 I 12 " + RECORD);
            assertThat(client.exists(RECORD)).isFalse();

            long old = claim("a").fence();
            generation("HARD", 0, 0);
            assertThat(claim("a").fence()).as("not its own old right again").isGreaterThan(old);
            generation("HARD", 0, 0);
            assertThat(claim("b").code()).isEqualTo(3);
        }

        @Test
        void successorOfAnOlderHardGeneration_isNotHandedToWhoWasRefused() {
            long first = claim("a").fence();
            pass(LEASE);
            publish("b", claim("b").fence(), "new", 500, 9_000);
            generation("HARD", 0, 0);

            assertThat(publish("a", first, "old", 500, 9_000)).isEqualTo(Arrays.asList(0L, now, null, null));
        }

        @Test
        void ownValuesOfTheGeneration_areFresh() {
            generation("HARD", 0, 0);
            generation("SOFT", 0, 0);
            store("created", 500, 9_000);
            assertThat(claim("a").code()).isZero();
            put("put", 500, 9_000);

            assertThat(claim("a").code()).isZero();
            assertThat(claim("a").value()).isEqualTo("put");
        }
    }

    @Nested
    class Damaged {
        @ParameterizedTest
        @ValueSource(
                strings = {"", " ", "x", "1 2", "1 2 3 4 5 6", "1 2 3 4 5 6 7 8", "1 2 -3 4 5 6 7", "1 0 0 0 0 0 0\n"})
        void stamps_areNoValue(String text) {
            client.hset(RECORD, "v", "value");
            client.hset(RECORD, "m", text);

            assertThat(claim("a").code()).isEqualTo(3);
            assertThat(publish("a", now * 1_000, "value", 500, 9_000).get(0)).isEqualTo(1L);
            client.hset(RECORD, "m", text);
            put("value", 500, 9_000);
            assertThat(claim("b").code()).isZero();
            client.hset(RECORD, "m", text);
            invalidate("SOFT");
            assertThat(client.exists(RECORD)).isFalse();
        }

        @ParameterizedTest
        @ValueSource(strings = {"", " ", "x", "x 1", "x 1 0 y 1000", "x 1 0 9999999999999", " 1 0 9999999999999 1000"})
        void lease_isNone(String text) {
            client.hset(RECORD, "l", text);

            assertThat(renew("a").get(0)).isEqualTo(0L);
            assertThat(abandon("a", "F")).isZero();
            assertThat(claim("a").code()).isEqualTo(3);
            assertThat(publish("a", now * 1_000, "value", 500, 9_000).get(0)).isEqualTo(1L);
        }

        @ParameterizedTest
        @ValueSource(strings = {"", " ", "x", "9", "9 x boom", "-1 9999999999999 100 boom", "9 9999999999999 boom"})
        void failures_areNone(String text) {
            client.hset(RECORD, "e", text);

            assertThat(claim("a").code()).isEqualTo(3);
            assertThat(abandon("a", "F")).isEqualTo(1);
            assertThat(claim("a").code()).isIn(3L, 7L);
        }

        @Test
        void waiting_wakesWhoeverCanBeReadThere() {
            claim("a");
            client.hset(RECORD, "w", "  2\n j2  ");
            abandon("a", "N");

            assertThat(messages.all()).containsExactly(INBOXES + "2 A 12 " + RECORD, INBOXES + "j2 A 12 " + RECORD);
        }

        @ParameterizedTest
        @ValueSource(strings = {"", "x", "5", "5 x", "5 6 7", " 5 6"})
        void generations_areNone(String text) {
            client.set(GENERATION, text);

            assertThat(claim("a").generations()).isNull();
            assertThat(renew("a").get(0)).isEqualTo(1L);
            assertThat(publish("a", now * 1_000, "value", 500, 9_000).get(0)).isEqualTo(1L);
            put("value", 500, 9_000);
            assertThat(generation("HARD", 0, 0).get(1)).isEqualTo(now * 1_000 + " 0");
        }

        /** Else each next fence would be as inexact, no client could read it, and the key would fail for ever. */
        @Test
        void numbersThatAreNotExact_areNone() {
            String tooLong = "12345678901234567";
            client.hset(RECORD, "v", "value");
            client.hset(RECORD, "m", tooLong + " 0 0 0 0 0 0");
            client.hset(RECORD, "l", "x " + tooLong + " 0 1 1");
            assertThat(claim("a").fence()).isEqualTo(now * 1_000);
            client.hset(RECORD, "m", tooLong + " 0 0 0 0 0 0");
            client.hset(RECORD, "l", "x " + tooLong + " 0 1 1");
            put("value", 500, 9_000);
            assertThat(field("m")).startsWith(now * 1_000 + " 0 ");

            client.set(GENERATION, tooLong + " 0");
            assertThat(claim("a").code()).isZero();
            invalidate("HARD");
            claim("a");
            assertThat(renew("a").get(0)).isEqualTo(1L);
            assertThat(publish("a", now * 1_000, "value", 500, 9_000).get(0)).isEqualTo(1L);
            put("value", 500, 9_000);
            assertThat(field("m")).contains(" 0 ").doesNotContain(tooLong);
            assertThat(generation("HARD", 0, 0).get(1)).isEqualTo(now * 1_000 + " 0");

            client.set(LOCK, "x " + tooLong + " 1 1");
            assertThat(run(RedisScript.LOCK, List.of(LOCK), "a", LEASE))
                    .isEqualTo(List.of(1L, Long.toString(now * 1_000)));
        }

        @Test
        void textAtTheRecordsKey_isAnError_andStays() {
            client.set(RECORD, "somebody's");

            for (RedisScript script : List.of(
                    RedisScript.CLAIM,
                    RedisScript.PUBLISH,
                    RedisScript.PUT,
                    RedisScript.RENEW,
                    RedisScript.ABANDON,
                    RedisScript.INVALIDATE)) {
                assertThatThrownBy(() -> run(script, List.of(RECORD), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1))
                        .as(script.name())
                        .isInstanceOf(JedisDataException.class)
                        .hasMessageContaining("WRONGTYPE");
            }
            assertThat(client.get(RECORD)).isEqualTo("somebody's");
        }
    }

    @Nested
    class Locks {
        private List<?> lock(String nonce) {
            return (List<?>) run(RedisScript.LOCK, List.of(LOCK), nonce, LEASE);
        }

        private Object extend(String nonce) {
            return run(RedisScript.EXTEND, List.of(LOCK), nonce, 2 * LEASE);
        }

        private Object unlock(String nonce) {
            return run(RedisScript.UNLOCK, List.of(LOCK), nonce);
        }

        @Test
        void free_granted_withTheTimeAsFence_andEnds() {
            assertThat(lock("a")).isEqualTo(List.of(1L, Long.toString(now * 1_000)));
            assertThat(end(LOCK)).isEqualTo(Long.toString(now + LEASE));
        }

        @Test
        void held_refused_sameNonceAgain_sameGrant() {
            List<?> first = lock("a");
            pass(100);

            assertThat(lock("b")).isEqualTo(List.of(0L, "0"));
            assertThat(lock("a")).isEqualTo(first);
        }

        @Test
        void released_byItsHolderOnly() {
            lock("a");
            assertThat(unlock("b")).isEqualTo(0L);
            assertThat(lock("b").get(0)).isEqualTo(0L);
            assertThat(unlock("a")).isEqualTo(1L);

            assertThat(lock("b").get(0)).isEqualTo(1L);
            assertThat(unlock("a")).isEqualTo(0L);
        }

        @Test
        void extended_byItsHolderOnly_withItsFence() {
            Object fence = lock("a").get(1);
            pass(100);
            assertThat(extend("b")).isEqualTo(0L);
            assertThat(extend("a")).isEqualTo(1L);

            assertThat(client.get(LOCK)).isEqualTo("a " + fence + " " + (now + 2 * LEASE) + " " + 2 * LEASE);
            assertThat(end(LOCK)).isEqualTo(Long.toString(now + 2 * LEASE));
        }

        @Test
        void gone_isNotExtended() {
            lock("a");
            pass(LEASE + 1);

            assertThat(extend("a")).isEqualTo(0L);
            assertThat(client.exists(LOCK)).isFalse();
        }

        @Test
        void clockSetBackByMoreThanALease_isDead_byLessItLives_andFencesGrow() {
            long fence = Long.parseLong((String) lock("a").get(1));
            pass(-LEASE - 1_000);
            assertThat(lock("b").get(0)).isEqualTo(0L);
            pass(-1);

            assertThat(lock("b")).isEqualTo(List.of(1L, Long.toString(fence + 1)));
        }

        @ParameterizedTest
        @ValueSource(strings = {"", "x", "x 1", "x 1 2", "x 1 9999999999999 y"})
        void damaged_isFree(String text) {
            client.set(LOCK, text);

            assertThat(lock("a")).isEqualTo(List.of(1L, Long.toString(now * 1_000)));
        }

        @Test
        void hashAtItsKey_isAnError_andStays() {
            client.hset(LOCK, "somebody", "else");

            assertThatThrownBy(() -> lock("a")).hasMessageContaining("WRONGTYPE");
            assertThatThrownBy(() -> extend("a")).hasMessageContaining("WRONGTYPE");
            assertThatThrownBy(() -> unlock("a")).hasMessageContaining("WRONGTYPE");
            assertThat(client.hget(LOCK, "somebody")).isEqualTo("else");
        }
    }

    /** The scripts as they are, by the server's own clock. */
    @Nested
    class ByTheServersClock {
        private List<?> claim(String nonce, long lease, long linger) {
            return (List<?>) reply(client.eval(
                    RedisScript.CLAIM.text(),
                    List.of(RECORD),
                    List.of(nonce, "" + lease, "" + linger, "", "0", "0", "", "N", "", "")));
        }

        @Test
        void theServerEndsWhatTheScriptsSaid() {
            long before = millis();
            List<?> claimed = claim("a", 5_000, 60_000);
            long after = millis();

            assertThat((Long) claimed.get(1)).isBetween(before, after);
            assertThat(Long.parseLong((String) claimed.get(5)) / 1_000).isBetween(before, after);
            assertThat(client.pttl(RECORD)).isBetween(65_001 - (millis() - before), 65_001L);

            client.eval(RedisScript.RENEW.text(), List.of(RECORD), List.of("a", "90000", "60000", "0", "0"));
            assertThat(client.pttl(RECORD)).isBetween(150_000 - (millis() - before), 150_000L);
            client.eval(
                    RedisScript.PUBLISH.text(),
                    List.of(RECORD),
                    List.of(
                            "a",
                            (String) claimed.get(5),
                            "value",
                            "500",
                            "900000",
                            "0",
                            "1",
                            "0",
                            "0",
                            "0",
                            INBOXES,
                            "",
                            ""));
            assertThat(client.pttl(RECORD)).isBetween(900_001 - (millis() - before), 900_001L);
            client.eval(RedisScript.INVALIDATE.text(), List.of(RECORD), List.of("SOFT", INBOXES, "", ""));
            assertThat(client.pttl(RECORD)).isBetween(900_001 - (millis() - before), 900_001L);
            client.eval(
                    RedisScript.PUT.text(),
                    List.of(RECORD),
                    List.of("value", "500", "0", "0", "0", "0", "0", INBOXES, "", ""));
            assertThat(client.pttl(RECORD)).isEqualTo(-1);
            client.eval(RedisScript.LOCK.text(), List.of(LOCK), List.of("a", "70000"));
            assertThat(client.pttl(LOCK)).isBetween(70_000 - (millis() - before), 70_000L);
            client.eval(RedisScript.EXTEND.text(), List.of(LOCK), List.of("a", "80000"));
            assertThat(client.pttl(LOCK)).isBetween(80_000 - (millis() - before), 80_000L);
        }

        @Test
        void aShortLease_endsByItself() {
            claim("a", 1, 1);

            Await.until("the record is gone", () -> !client.exists(RECORD));
        }

        private long millis() {
            return (Long) ((List<?>) client.eval(
                            "local t=redis.call('TIME') return {math.floor((t[1]*1000000+t[2])/1000)}",
                            List.of(),
                            List.of()))
                    .get(0);
        }
    }

    /** A server that has no room and may throw nothing away. */
    @Nested
    class OutOfMemory {
        @Test
        void nothingIsHalfDone_andWhoHoldsARightCanGiveItBack() {
            long fence = store("value", 500, 9_000_000);
            pass(501);
            long held = claim("a").fence();
            client.hset("p:region:other", "v", "x");
            client.configSet("maxmemory", "1");
            try {
                assertThatThrownBy(() -> run(
                                RedisScript.CLAIM,
                                List.of("p:region:new"),
                                "n",
                                LEASE,
                                LINGER,
                                "2",
                                0,
                                0,
                                "",
                                "N",
                                "",
                                ""))
                        .hasMessageContaining("OOM");
                assertThat(client.exists("p:region:new")).isFalse();

                Claimed second = asking("b").inbox("2").go();
                assertThat(second.code()).as("held; the inbox is not noted").isEqualTo(1);
                assertThat(field("w")).isNull();

                String before = field("l");
                assertThatThrownBy(() -> publish("a", held, "new", 500, 9_000)).hasMessageContaining("OOM");
                assertThat(field("l")).isEqualTo(before);
                assertThat(field("v")).isEqualTo("value");
                assertThat(field("m")).startsWith(fence + " ");
                assertThatThrownBy(() -> put("new", 500, 9_000)).hasMessageContaining("OOM");
                assertThat(field("l")).isEqualTo(before);

                assertThat(abandon("a", "F")).isEqualTo(1);
                assertThat(client.hgetAll(RECORD)).doesNotContainKeys("l", "w").containsKeys("v", "m");
                invalidate("SOFT");
                assertThat(field("m")).startsWith(fence + " 0 1 ");
                invalidate("HARD");
                assertThat(client.exists(RECORD)).isFalse();
            } finally {
                client.configSet("maxmemory", "0");
            }
        }
    }

    /** Whatever is published, as "channel message", in its order. */
    private static final class Messages implements AutoCloseable {
        private static final String MARK = "mark";

        private final BlockingQueue<String> arrived = new LinkedBlockingQueue<>();
        private final Overheard overheard;

        Messages(RedisClient subscribed) {
            overheard = new Overheard(
                    subscribed, (channel, message) -> arrived.add(Texts.of(channel) + ' ' + Texts.of(message)));
        }

        /** All since the last look. */
        List<String> all() {
            List<String> all = new ArrayList<>();
            client.publish(MARK, "");
            try {
                while (true) {
                    String next = arrived.poll(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS);
                    if (next == null) {
                        throw new AssertionError("no marker arrived, but " + all);
                    }
                    if (next.startsWith(MARK)) {
                        return all;
                    }
                    all.add(next);
                }
            } catch (InterruptedException e) {
                throw new AssertionError("interrupted", e);
            }
        }

        void forget() {
            all();
        }

        @Override
        public void close() {
            overheard.close();
        }
    }
}
