package io.dogpile.memcached;

import io.dogpile.cache.histories.Fault;
import io.dogpile.cache.histories.Histories;
import io.dogpile.cache.histories.Invariant;
import io.dogpile.cache.histories.LiveHistory;
import io.dogpile.cache.histories.Terms;
import java.time.Duration;
import net.spy.memcached.MemcachedClient;
import org.junit.jupiter.api.Test;

/** What takes longer than a build should: the profile {@code histories} runs it. */
class MemcachedLongHistories {
    /** A value from the future is stale, so it is created again; nothing else depends on clocks. */
    @Test
    void clocksThatAreApart_breakNoPromise() {
        Terms terms = MemcachedHistoriesTest.terms()
                .excuse(Invariant.ONE_CREATION, Fault.CLOCKS)
                .build();
        try (MemcachedServer server = MemcachedServer.start();
                LiveHistory history = new LiveHistory(
                        MemcachedHistoriesTest.plan("memcached-clocks", server).withClocksApart(),
                        terms,
                        Histories.seed())) {
            history.withKills().withPauses();
            System.out.println(history.run(Histories.time()));
        }
    }

    /** Many other items, of which each pushes some out. */
    @Test
    void evictionUnderALimitOfMemory_breaksNoPromise() {
        try (MemcachedServer server =
                        MemcachedServer.builder().option("-m", "2").start();
                LiveHistory history = new LiveHistory(
                        MemcachedHistoriesTest.plan("memcached-eviction", server),
                        MemcachedHistoriesTest.terms().build(),
                        Histories.seed())) {
            MemcachedClient filler = server.client();
            Runnable fill = () -> {
                for (int i = 0; i < 5_000; i++) {
                    var unused = filler.set("filler" + i, 0, "x".repeat(100));
                }
                filler.get("filler0");
            };
            history.withKills().with(Fault.EVICTION, -1, Duration.ofMillis(300), fill, fill);
            System.out.println(history.run(Histories.time()));
            filler.shutdown();
        }
    }
}
