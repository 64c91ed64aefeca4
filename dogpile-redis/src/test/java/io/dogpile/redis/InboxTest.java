package io.dogpile.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.RedisClient;

/** The inbox without its thread, and without a server. */
class InboxTest {
    private static final Names NAMES = new Names("p:");

    @Test
    void theConnectionIsLostBeforeItIsAcknowledged_heartbeatsFindThat_andItIsBrokenOff() {
        try (RedisClient client = RedisClient.create("127.0.0.1", 1)) { // never asked
            Server server = new Server(client, Server.Owner.USER, new Health("of a test"), UnaryOperator.identity());
            Inbox inbox = new Inbox(server, NAMES, "id");
            AtomicInteger brokenOff = new AtomicInteger();
            Inbox.Subscription first = inbox.connecting();
            first.opened(brokenOff::incrementAndGet);
            first.onSubscribe(NAMES.inbox("id"), 1);
            inbox.beat(Runnable::run);
            inbox.beat(Runnable::run);
            assertEquals(0, brokenOff.get());
            inbox.beat(Runnable::run);
            assertEquals(1, brokenOff.get());
            inbox.down();
            inbox.beat(Runnable::run);
            assertEquals(1, brokenOff.get(), "it pauses, and is to be left alone");
        }
    }
}
