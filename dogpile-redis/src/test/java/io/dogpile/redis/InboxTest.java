package io.dogpile.redis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.Background;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.slf4j.event.Level;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Connection;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.args.Rawable;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.executors.CommandExecutor;

/** The inbox without its thread, and without a server: what arrives is what a test says. */
class InboxTest {
    private static final Names NAMES = new Names("p:");
    private static final String OWN = "p:~in:id";
    private static final String OF_ALL = "p:~in:*";
    private static final String NEAR = "p:~near:region";
    private static final String STAMPS = "1795308321787167 0 1795308322787 1795308323787 12 1000 1795308321787";
    private static final String LOOK_AGAIN = "look again";

    /** What was sent, on any connection. */
    private final List<String> sent = new ArrayList<>();

    private boolean isDown;
    private final AtomicInteger brokenOff = new AtomicInteger();
    private final RedisClient client = RedisClient.builder()
            .hostAndPort("127.0.0.1", 1) // never asked
            .commandExecutor(new Wire())
            .build();
    private final Server server =
            new Server(client, Server.Owner.USER, new Health("of a test"), UnaryOperator.identity());
    private final Inbox inbox = new Inbox(server, NAMES, "id");

    @AfterEach
    void end() throws Exception {
        assertNotNull(Background.start(inbox::channels).result(), "no lock is held");
        client.close();
    }

    private final class Wire implements CommandExecutor {
        @Override
        public <T> T executeCommand(CommandObject<T> command) {
            if (isDown) {
                throw new JedisConnectionException(new SocketTimeoutException("lost by a test"));
            }
            sent.add(text(command.getArguments()));
            return command.getBuilder().build(1L);
        }

        @Override
        public void close() {}
    }

    private static String text(CommandArguments command) {
        List<String> words = new ArrayList<>();
        for (Rawable word : command) {
            words.add(Texts.of(word.getRaw()));
        }
        return String.join(" ", words);
    }

    /** The connection of a subscription: takes what is sent, and has nothing to say. */
    private final class Line extends Connection {
        @Override
        public void setTimeoutInfinite() {}

        @Override
        public void rollbackTimeout() {}

        @Override
        public void sendCommand(CommandArguments arguments) {
            sent.add(text(arguments));
        }

        @Override
        protected void flush() {}

        @Override
        public Object getUnflushedObject() {
            throw new JedisConnectionException("nothing is said");
        }
    }

    /** A subscription that is asked for, and not acknowledged. */
    private Inbox.Subscription connecting() {
        Inbox.Subscription now = inbox.connecting();
        now.opened(brokenOff::incrementAndGet);
        assertThrows(JedisConnectionException.class, () -> now.proceed(new Line(), inbox.channels()));
        sent.clear();
        return now;
    }

    private Inbox.Subscription live() {
        Inbox.Subscription now = connecting();
        acknowledge(now, OWN);
        acknowledge(now, OF_ALL);
        assertTrue(inbox.isLive());
        return now;
    }

    private static void acknowledge(Inbox.Subscription by, String channel) {
        by.onSubscribe(Texts.bytes(channel), 1);
    }

    private static void say(Inbox.Subscription by, String channel, String message) {
        by.onMessage(Texts.bytes(channel), Texts.bytes(message));
    }

    /** What who waits for that record is told: the fence of a value, or to look again. */
    private Slot.Watch watch(String record, List<String> told) {
        return inbox.watch(
                record,
                push -> told.add(
                        push == null
                                ? LOOK_AGAIN
                                : push.stamps() == null
                                        ? "-"
                                        : "" + push.stamps().fence()));
    }

    private Slot.Watch watchNear(List<String> told) {
        return inbox.watchAll("region", text -> told.add(text == null ? "all" : text));
    }

    private void beat() {
        inbox.beat(Runnable::run);
    }

    @Nested
    class ItsConnection {
        @Test
        void isLive_onceBothChannelsAreAcknowledged_inWhateverOrder() {
            assertEquals(Inbox.State.CONNECTING, inbox.state());
            for (List<String> order : List.of(List.of(OWN, OF_ALL), List.of(OF_ALL, OWN))) {
                Inbox.Subscription now = connecting();
                acknowledge(now, order.get(0));
                assertFalse(inbox.isLive());
                assertFalse(now.wasLive());
                acknowledge(now, order.get(1));
                assertTrue(inbox.isLive());
                assertTrue(now.wasLive());
                inbox.down();
                assertEquals(Inbox.State.DOWN, inbox.state());
            }
        }

        @Test
        void isSubscribedToItsOwnChannel_thatOfAll_andThoseOfNearCopies() {
            watchNear(new ArrayList<>());
            List<String> channels = new ArrayList<>();
            for (byte[] channel : inbox.channels()) {
                channels.add(Texts.of(channel));
            }

            assertEquals(List.of(OWN, OF_ALL, NEAR), channels);
        }

        @Test
        void asItGoesLive_andDown_whoWaitsLooksAgain_andNearCopiesAreDropped_onceEach() {
            List<String> waits = new ArrayList<>();
            List<String> near = new ArrayList<>();
            watch("record", waits);
            watchNear(near);
            Inbox.Subscription now = connecting();
            assertEquals(List.of(), waits);
            acknowledge(now, OWN);
            acknowledge(now, OF_ALL);
            assertEquals(List.of(LOOK_AGAIN), waits);
            assertEquals(List.of("all"), near);
            acknowledge(now, "another");
            acknowledge(now, OWN);
            assertEquals(List.of(LOOK_AGAIN), waits);

            inbox.down();
            assertEquals(List.of(LOOK_AGAIN, LOOK_AGAIN), waits);
            assertEquals(List.of("all", "all"), near);
        }

        @Test
        void isLostBeforeItIsAcknowledged_heartbeatsFindThat_andItIsBrokenOff() {
            acknowledge(connecting(), OWN);
            beat();
            beat();
            assertEquals(0, brokenOff.get());
            beat();
            assertEquals(1, brokenOff.get());
            inbox.down();
            beat();
            assertEquals(1, brokenOff.get(), "it pauses, and is to be left alone");

            connecting();
            beat();
            beat();
            assertEquals(1, brokenOff.get());
            beat();
            assertEquals(2, brokenOff.get(), "and the next one is found like the first");
        }

        @Test
        void isBrokenAlready_breakingItOffIsNoFailure() {
            inbox.connecting().opened(() -> {
                throw new IllegalStateException("broken");
            });
            inbox.close();

            assertEquals(Inbox.State.CLOSED, inbox.state());
        }

        @Test
        void closed_itIsBrokenOff_andStaysClosed_andTellsNobody() {
            List<String> waits = new ArrayList<>();
            live();
            watch("record", waits);
            inbox.close();
            assertEquals(1, brokenOff.get());

            inbox.down();
            assertEquals(Inbox.State.CLOSED, inbox.state());
            assertEquals(List.of(), waits);
            inbox.connecting().opened(brokenOff::incrementAndGet);
            assertEquals(Inbox.State.CLOSED, inbox.state());
            assertEquals(2, brokenOff.get(), "one that was opened meanwhile");
        }

        @Test
        void hasAName() {
            assertEquals("inbox id", inbox.toString());
        }
    }

    @Nested
    class Heartbeats {
        @Test
        void comeBack_itStaysLive() {
            Inbox.Subscription now = live();
            for (int number = 1; number <= 9; number++) {
                beat();
                assertEquals(List.of("PUBLISH " + OWN + " H" + number), sent);
                sent.clear();
                say(now, OWN, "H" + number);
            }
            assertEquals(0, brokenOff.get());
        }

        @Test
        void areLost_theThirdBeatBreaksItOff_andSaysSo() {
            try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO)) {
                Inbox.Subscription now = live();
                beat();
                beat();
                say(now, OF_ALL, "H2"); // anybody's
                assertEquals(0, brokenOff.get());
                beat();
                assertEquals(1, brokenOff.get());
                assertEquals(2, sent.size());
                assertEquals(1, log.lines().size());
                assertTrue(
                        log.lines().get(0).contains("2 heartbeats did not come back to inbox id"),
                        log.lines()::toString);
            }
        }

        @Test
        void cannotBeSent_theThirdBeatBreaksItOff_withoutAWordOfHeartbeats() {
            live();
            isDown = true;
            try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO)) {
                for (int i = 0; i < 2; i++) {
                    assertThrows(JedisConnectionException.class, InboxTest.this::beat);
                }
                assertEquals(0, brokenOff.get());
                beat();
                assertEquals(1, brokenOff.get());
                assertFalse(log.lines().stream().anyMatch(line -> line.contains("heartbeats")), log.lines()::toString);
            }
        }

        @Test
        void ofAnEarlierConnection_areForgottenByTheNext() {
            live();
            beat();
            beat();
            inbox.down();
            live();
            beat();
            assertEquals(0, brokenOff.get());
        }
    }

    @Nested
    class Records {
        @Test
        void aChange_isToldToWhoWaitsForThatRecord_untilTheWatchIsClosed() {
            Inbox.Subscription now = live();
            List<String> waits = new ArrayList<>();
            List<String> another = new ArrayList<>();
            Slot.Watch watch = watch("record", waits);
            watch("another", another);
            say(now, OWN, "P 6 record" + STAMPS);
            assertEquals(List.of("1795308321787167"), waits);
            say(now, OF_ALL, "A 6 record");
            assertEquals(List.of("1795308321787167", "-"), waits);
            say(now, OWN, "A 4 none");
            watch.close();
            say(now, OWN, "A 6 record");

            assertEquals(2, waits.size());
            assertEquals(List.of(), another);
        }

        @Test
        void thatNobodyWaitsFor_leaveNothingBehind() {
            assertNull(inbox.place("record"));
            Slot.Watch first = watch("record", new ArrayList<>());
            Slot.Watch second = watch("record", new ArrayList<>());
            WaitingPlace place = inbox.place("record");
            assertNotNull(place);
            first.close();
            assertEquals(place, inbox.place("record"));
            second.close();
            assertNull(inbox.place("record"));
            second.close();
            assertNull(inbox.place("record"));
        }

        @Test
        void whoBeginsToWait_takesNoPushBeforeItIsToldWhatItWaitsFor() {
            RedisRecord.Stamps pushed = RedisRecord.Stamps.parse(Texts.bytes(STAMPS));
            watch("record", new ArrayList<>());
            WaitingPlace place = inbox.place("record");
            place.takesFrom(1);
            assertTrue(place.takes(pushed));

            watch("record", new ArrayList<>());
            assertFalse(place.takes(pushed));
        }

        @Test
        void whatWasStoredUnderALeaseThatWasSeen_orAfterIt_isTaken() {
            RedisRecord.Stamps pushed = RedisRecord.Stamps.parse(Texts.bytes(STAMPS));
            WaitingPlace place = new WaitingPlace();
            assertFalse(place.takes(pushed));
            place.takesFrom(pushed.fence() + 1);
            assertFalse(place.takes(pushed));
            place.takesFrom(pushed.fence());
            assertTrue(place.takes(pushed));
            place.takesNothingYet();
            place.takesAfter(pushed.storedAtMillis());
            assertFalse(place.takes(pushed));
            place.takesAfter(pushed.storedAtMillis() - 1);
            assertTrue(place.takes(pushed));
        }

        @Test
        void areWatchedLive_whileTheInboxIs() {
            Slot.Watch watch = watch("record", new ArrayList<>());
            assertFalse(watch.live());
            live();
            assertTrue(watch.live());
            inbox.down();
            assertFalse(watch.live());
        }

        @Test
        void oneWhoFails_keepsNobodyElseFromBeingTold_andIsLogged() {
            try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO)) {
                List<String> waits = new ArrayList<>();
                inbox.watch("record", push -> {
                    throw new IllegalStateException("of a test");
                });
                watch("record", waits);
                Inbox.Subscription now = live();
                say(now, OWN, "A 6 record");

                assertEquals(List.of(LOOK_AGAIN, "-"), waits);
                assertEquals(
                        2,
                        log.lines().stream()
                                .filter(line -> line.contains("a message could not be handled"))
                                .count());
            }
        }
    }

    @Nested
    class Regions {
        private final AtomicInteger begun = new AtomicInteger();
        private final Generations known = new Generations(
                server, NAMES, "region", new Clocks(TimeSource.system(), false), begun::incrementAndGet);

        @Test
        void aNewGeneration_isToldToThatRegion_untilTheWatchIsClosed() {
            Slot.Watch watch = inbox.watchGenerations("region", known);
            Inbox.Subscription now = live();
            say(now, OF_ALL, "G region 5 3");
            assertEquals(1, begun.get());
            say(now, OF_ALL, "G another 6 6");
            assertEquals(1, begun.get());
            watch.close();
            say(now, OF_ALL, "G region 9 9");
            assertEquals(1, begun.get());
        }

        @Test
        void aMessageThatCannotBeHandled_endsNothing_andIsLogged() {
            try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO)) {
                inbox.watchGenerations(
                        "region",
                        new Generations(server, NAMES, "region", new Clocks(TimeSource.system(), false), () -> {
                            throw new IllegalStateException("of a test");
                        }));
                say(live(), OF_ALL, "G region 5 3");

                assertTrue(inbox.isLive());
                assertTrue(log.lines().get(0).contains("a message could not be handled"), log.lines()::toString);
            }
        }
    }

    @Nested
    class NearCopies {
        private final List<String> told = new ArrayList<>();

        @Test
        void thatAnotherNodeMadeOld_areToldByTheChannelOfTheirRegion_untilTheWatchIsClosed() {
            Slot.Watch watch = watchNear(told);
            Inbox.Subscription now = live();
            told.clear();
            say(now, NEAR, "K other key of mine");
            say(now, NEAR, "K id one's own");
            say(now, "p:~near:another", "K other key");
            assertEquals(List.of("key of mine"), told);
            watch.close();
            say(now, NEAR, "K other key");
            assertEquals(1, told.size());
        }

        @Test
        void watchedWhileLive_areSubscribedAtOnce_andDroppedWhenThatIsAcknowledged() {
            Inbox.Subscription now = live();
            Slot.Watch watch = watchNear(told);
            assertEquals(List.of("SUBSCRIBE " + NEAR), sent);
            assertFalse(watch.live());
            assertEquals(List.of(), told);
            acknowledge(now, NEAR);
            assertTrue(watch.live());
            assertEquals(List.of("all"), told);
            inbox.down();
            assertFalse(watch.live());
        }

        @Test
        void watchedWhileConnecting_areSubscribedAsItGoesLive() {
            Inbox.Subscription now = connecting();
            Slot.Watch watch = watchNear(told);
            assertEquals(List.of(), sent);
            acknowledge(now, OWN);
            acknowledge(now, OF_ALL);
            assertEquals(List.of("SUBSCRIBE " + NEAR), sent);
            assertFalse(watch.live());
        }

        @Test
        void watchedBefore_areSubscribedWithTheRest() {
            Slot.Watch watch = watchNear(told);
            assertFalse(watch.live());
            Inbox.Subscription now = connecting();
            acknowledge(now, NEAR);
            assertFalse(watch.live());
            acknowledge(now, OWN);
            acknowledge(now, OF_ALL);
            assertEquals(List.of(), sent);
            assertTrue(watch.live());
        }

        @Test
        void ofTwoWatches_closingOneLeavesTheOther() {
            watchNear(new ArrayList<>()).close();
            watchNear(told);
            Inbox.Subscription now = live();
            told.clear();
            say(now, NEAR, "K other key");
            assertEquals(List.of("key"), told);
            assertArrayEquals(Texts.bytes(NEAR), inbox.channels()[2]);
        }
    }
}
