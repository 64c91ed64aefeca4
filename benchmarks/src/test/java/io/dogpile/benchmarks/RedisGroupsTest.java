package io.dogpile.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.dogpile.cache.Region;
import io.dogpile.redis.RedisBackend;
import io.dogpile.redis.RedisServer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** The groups on Redis at their smallest: that they run and print, not what. */
@Isolated("takes what is printed")
class RedisGroupsTest {
    @Test
    void hit_oneRound_isOneCommand() throws Exception {
        assertThat(Printed.by(() -> RedisHit.run(Throughput.Sizes.SMALLEST)))
                .contains("### Hit in Redis, 16 threads, one hot key", "1 thread, 1,000 keys: commands a hit: 1.00");
    }

    @Test
    void stampede_oneRound_hasOneCreationEach() throws Exception {
        assertThat(Printed.by(() -> RedisStampede.run(new RedisStampede.Sizes(1, 1, 1, 0, 1, 1))))
                .contains(
                        "### One cold key",
                        ClusterContender.POLLING.title,
                        ClusterContender.LETTUCE_SINGLE.title,
                        "most creations in a round: 1.00");
    }

    @Test
    void wake_oneOfEach_hasOneSuccessor() throws Exception {
        assertThat(Printed.by(() -> RedisWake.run(new RedisWake.Sizes(1, 1, 0, 1, 1))))
                .contains("### One waiter", "exactly one successor each time, and no caller fails: met");
    }

    @Test
    void expiry_oneSecond_hasNoFailures() throws Exception {
        assertThat(Printed.by(() -> RedisExpiry.run(1, 1, 1)))
                .contains("### Expiry under load in Redis", ExpiryWorker.Kind.JETCACHE.title);
    }

    @Test
    void bulk_oneRound_callsTheCreatorOnce() throws Exception {
        assertThat(Printed.by(() -> Bulk.run(Throughput.Sizes.SMALLEST, 1)))
                .contains(
                        "cache2k getAll, bulkLoader",
                        "Guava getAll, loadAll",
                        "creator calls: 1.00, goal",
                        "### Bulk hit in Redis");
    }

    @Test
    void near_fewRounds_leaveNoOldCopy() throws Exception {
        assertThat(Printed.by(() -> {
                    try (RedisServer server = RedisServer.start()) {
                        NearCaches.run(server, 3);
                    }
                }))
                .contains("### Another client's write", "copies older than 1 s after the write: 0.00");
    }

    @Test
    void heartbeatsAndLooksAfterGenerations_areNotCounted_aHitIs() throws Exception {
        try (RedisServer server = RedisServer.start();
                RedisBackend backend = Peers.backend(server.port())) {
            Region<String, byte[]> region = Peers.region("counted", backend).build();
            region.put("key", Peers.value());
            Duration twoHeartbeats = Duration.ofSeconds(4);
            ClientCommands idle =
                    ClientCommands.of(server, () -> TimeUnit.MILLISECONDS.sleep(twoHeartbeats.toMillis()));
            assertEquals(Map.of(), idle.byName());
            ClientCommands hits = ClientCommands.of(server, () -> {
                for (int i = 0; i < 3; i++) {
                    region.getOrCreate("key", () -> new byte[0]);
                }
            });
            assertEquals(Map.of("hmget", 3L), hits.byName());
        }
    }
}
