package io.dogpile.redis;

import io.dogpile.cache.histories.Fault;
import io.dogpile.cache.histories.Histories;
import io.dogpile.cache.histories.LiveHistory;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What takes longer than a build should: the profile {@code histories} runs it. */
class RedisLongHistories {
    @Test
    void killsPausesAndRestartsThatForgetNothing_breakNoPromise() {
        try (RedisServer server = RedisServer.builder().appendOnly().start();
                LiveHistory history = onOne("redis-persisted", server)) {
            history.withKills()
                    .withPauses()
                    .with(Fault.RESTART_PERSISTED, -1, Duration.ofMillis(100), server::kill, server::restart);
            System.out.println(history.run(Histories.time()));
        }
    }

    /** Many other keys, of which each pushes some out. */
    @Test
    void evictionUnderALimitOfMemory_breaksNoPromise() {
        try (RedisServer server = RedisServer.builder()
                        .maxMemory(4 << 20)
                        .maxMemoryPolicy("allkeys-random")
                        .start();
                LiveHistory history = onOne("redis-eviction", server)) {
            Runnable fill = () -> server.command(
                    "EVAL", "for i=1,20000 do redis.call('SET','filler'..i,string.rep('x',400)) end return 1", "0");
            Runnable fillAndEmpty = () -> { // else each write pushes something out, also when the fault has ended
                fill.run();
                server.command("EVAL", "for i=1,20000 do redis.call('DEL','filler'..i) end return 1", "0");
            };
            history.withKills()
                    .with(Fault.EVICTION, -1, Duration.ofMillis(200), fill, fillAndEmpty)
                    .with(Fault.EVICTION, -1, Duration.ofMillis(500), fill, fillAndEmpty);
            System.out.println(history.run(Histories.time()));
        }
    }

    @Test
    void failovers_breakNoPromise() {
        try (RedisSentinels sentinels = RedisSentinels.start()) {
            String where = "sentinels";
            for (RedisServer sentinel : sentinels.sentinels()) {
                where += "," + sentinel.port();
            }
            String stores = where;
            RedisServer[] lost = new RedisServer[1];
            try (LiveHistory history = new LiveHistory(
                            RedisHistoriesTest.plan("redis-failover", number -> stores)
                                    .withClocksApart(),
                            RedisHistoriesTest.terms(),
                            Histories.seed());
                    // On a busy machine sentinels find a master down that is not, and replace it by themselves.
                    SentinelEvents events = new SentinelEvents(sentinels, event -> {
                        if (SentinelEvents.OF_TWO_MASTERS.contains(event)) {
                            history.befell(Fault.FAILOVER);
                        }
                    })) {
                history.withKills()
                        .with(
                                Fault.FAILOVER,
                                -1,
                                Duration.ofMillis(500),
                                () -> {
                                    sentinels.awaitReplica(); // of the last failover
                                    lost[0] = sentinels.killMaster();
                                },
                                () -> {
                                    sentinels.awaitMasterOtherThan(lost[0]);
                                    lost[0].restart();
                                })
                        .with(
                                Fault.FAILOVER,
                                -1,
                                Duration.ZERO,
                                sentinels::awaitReplica, // else there is none to take over
                                sentinels::failOver);
                try {
                    System.out.println(history.run(Histories.time()));
                } catch (AssertionError | IllegalStateException found) {
                    throw new AssertionError(found.getMessage() + '\n' + String.join("\n", events.told()), found);
                }
            }
        }
    }

    private static LiveHistory onOne(String name, RedisServer server) {
        return new LiveHistory(
                RedisHistoriesTest.plan(name, number -> Integer.toString(server.port()))
                        .withClocksApart(),
                RedisHistoriesTest.terms(),
                Histories.seed());
    }
}
