package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.Creation;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What failovers do to rights, values, generations and subscriptions. */
@Tag("D-087")
class RedisSentinelTest {
    private static RedisSentinels sentinels;

    private final Callers callers = new Callers();
    private final List<RedisBackend> backends = new ArrayList<>();
    private final String name = "sentinel-" + UUID.randomUUID();
    private Region<String, String> region;
    private Region<String, String> another;

    @BeforeAll
    static void start() {
        sentinels = RedisSentinels.start();
    }

    @AfterAll
    static void stop() {
        sentinels.close();
    }

    @BeforeEach
    void open() {
        region = region();
        another = region();
    }

    @AfterEach
    void close() throws InterruptedException {
        callers.close();
        backends.forEach(RedisBackend::close);
    }

    private Region<String, String> region() {
        RedisBackend backend = Backends.on(sentinels).build();
        backends.add(backend);
        Await.until("the inbox is live", backend.node().inbox()::isLive);
        return Region.<String, String>builder(name)
                .backend(backend)
                .serializer(Serializer.string())
                .lease(Duration.ofMinutes(1))
                .expireAfter(Duration.ofHours(1))
                .build();
    }

    @Test
    @Tag("D-088")
    void failoverToAReplicaThatLacksTheLeases_electsAnew_andStoresNothingOfTheLost() throws InterruptedException {
        AtomicLong lostFence = new AtomicLong();
        Held<String> lostFirst = Held.then(() -> fenced(lostFence, "lost"));
        Held<String> lostSecond = new Held<>("lost");
        try (Failover failover = new Failover()) {
            var first = callers.start(() -> region.getOrCreate("first", lostFirst));
            var second = callers.start(() -> region.getOrCreate("second", lostSecond));
            lostFirst.awaitBegun();
            lostSecond.awaitBegun();
            failover.happen();
            AtomicLong newFence = new AtomicLong();
            Held<String> anew = Held.then(() -> fenced(newFence, "new"));
            var successor = callers.start(() -> another.getOrCreate("first", anew));
            anew.awaitBegun();
            assertThat(another.getOrCreate("second", () -> "new")).isEqualTo("new");

            lostFirst.letGo();
            assertThat(first.result()).isEqualTo("lost");
            assertThat(another.get("first"))
                    .as("before the successor has published")
                    .isEmpty();
            anew.letGo();
            assertThat(successor.result()).isEqualTo("new");
            lostSecond.letGo();
            assertThat(second.result()).isEqualTo("lost");

            assertThat(another.get("first")).contains("new");
            assertThat(region.get("first")).contains("new");
            assertThat(another.get("second"))
                    .as("after the successor has published")
                    .contains("new");
            assertThat(newFence.get()).isGreaterThan(lostFence.get());
        }
    }

    @Test
    void invalidationOfARegion_thatTheNewMasterLacks_isRestoredByWhoKnowsIt() {
        region.put("key", "old");
        assertThat(sentinels.master().command("WAIT", "1", "5000")).isEqualTo(1L);
        try (Failover failover = new Failover()) {
            region.invalidateAll(Invalidation.HARD);
            failover.happen();
            assertThat(region.get("key")).isEmpty();
            Await.until(
                    "the generation is restored",
                    () -> sentinels
                            .master()
                            .command("EXISTS", RedisBackend.DEFAULT_PREFIX + name + "~generation")
                            .equals(1L));
            assertThat(region().get("key")).as("of who never knew it").isEmpty();
            Await.until(
                    "the other one has asked, as it does each second",
                    () -> another.get("key").isEmpty());
        }
    }

    @Test
    void afterAFailover_theInboxHearsTheNewMaster() throws InterruptedException {
        try (Failover failover = new Failover()) {
            failover.happen();
            backends.forEach(
                    backend -> Await.until("the inbox is live", backend.node().inbox()::isLive));
            Held<String> creator = new Held<>("value");
            var holder = callers.start(() -> region.getOrCreate("key", creator));
            creator.awaitBegun();
            var waiter = callers.start(() -> another.getOrCreate("key", () -> "created twice"));
            Await.until(
                    "the other JVM waits",
                    () -> sentinels.master().command("HGET", RedisBackend.DEFAULT_PREFIX + name + ":key", "w") != null);
            try (CommandCount count = CommandCount.on(sentinels.master())) {
                creator.letGo();
                assertThat(waiter.result()).isEqualTo("value");
                assertThat(holder.result()).isEqualTo("value");
                List<String> commands = Calls.of(count);
                // The new master does not know the script yet.
                assertThat(commands).as("the value was pushed").containsExactly("PUBLISH", "EVAL PUBLISH");
            }
        }
    }

    @Test
    void masterThatBecomesAReplica_isLeft_withoutARestartOfTheClient() {
        region.put("key", "old");
        RedisServer before = sentinels.master();
        assertThat(before.command("WAIT", "1", "5000")).isEqualTo(1L);
        // The new one first, so that there are no two masters; the client is not told, and its connections stay.
        sentinels.sentinels().get(0).command("SENTINEL", "FAILOVER", RedisSentinels.MASTER_NAME);
        AtomicLong readOnly = new AtomicLong();
        Await.until("values are stored again, by the new master", () -> {
            try {
                region.put("key", "new");
                return sentinels.master() != before;
            } catch (RuntimeException refused) {
                if (String.valueOf(refused).contains("READONLY")
                        || String.valueOf(refused.getCause()).contains("READONLY")) {
                    readOnly.incrementAndGet();
                }
                return false;
            }
        });
        System.out.println("writes that a demoted master refused as read-only: " + readOnly);
        sentinels.awaitMasterOtherThan(before);
        sentinels.awaitReplica();
        region.put("key", "newer");
        assertThat(another.get("key")).contains("newer");
        assertThat(region.getOrCreate("created", () -> "value")).isEqualTo("value");
        assertThat(another.get("created")).contains("value");
        backends.forEach(
                backend -> Await.until("the inbox is live", backend.node().inbox()::isLive));
    }

    private static String fenced(AtomicLong fence, String value) {
        fence.set(Creation.current().orElseThrow().fencingToken());
        return value;
    }

    /** The replica hears nothing from here on, and becomes the master when the other is killed. */
    private final class Failover implements AutoCloseable {
        private final RedisServer replica = sentinels.awaitReplica();
        private final RedisServer master = sentinels.master();

        Failover() {
            replica.freeze();
            // Else what is done now would lie in its socket, and be done when it goes on.
            master.command("CLIENT", "KILL", "TYPE", "replica");
        }

        /** Returns when the clients have found the new master. */
        void happen() {
            master.kill();
            replica.thaw();
            sentinels.awaitMasterOtherThan(master);
            for (Region<String, String> one : List.of(region, another)) {
                Await.until("the client has found the new master", () -> {
                    try {
                        one.put("probe", "value");
                        return true;
                    } catch (RuntimeException notYet) {
                        return false;
                    }
                });
            }
        }

        @Override
        public void close() {
            replica.thaw();
            master.restart();
            sentinels.awaitReplica();
        }
    }
}
