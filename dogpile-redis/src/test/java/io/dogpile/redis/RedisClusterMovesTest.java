package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Keys of many slots at once, and slots on their way from one node to another. */
@Tag("D-090")
class RedisClusterMovesTest {
    private static final int MANY = 50;

    private static RedisCluster cluster;

    private final Callers callers = new Callers();
    private final String name = "moves-" + UUID.randomUUID();
    private final List<String> keys =
            Stream.generate(() -> UUID.randomUUID().toString()).limit(MANY).toList();
    private final Map<String, String> values = keys.stream()
            .collect(Collectors.toMap(Function.identity(), key -> "value of " + key, (a, b) -> a, LinkedHashMap::new));
    private RedisBackend backend;
    private RedisBackend anotherBackend;
    private Region<String, String> region;
    private Region<String, String> another;

    @BeforeAll
    static void start() {
        cluster = RedisCluster.start();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void open() {
        backend = Backends.on(cluster).build();
        anotherBackend = Backends.on(cluster).build();
        region = region(backend);
        another = region(anotherBackend);
    }

    @AfterEach
    void close() throws InterruptedException {
        callers.close();
        backend.close();
        anotherBackend.close();
    }

    private Region<String, String> region(RedisBackend on) {
        Await.until("the inbox is live", on.node().inbox()::isLive);
        return Region.<String, String>builder(name)
                .backend(on)
                .serializer(Serializer.string())
                .lease(Duration.ofMinutes(1))
                .build();
    }

    @Test
    void manyKeys_ofManySlots_areServedTogether_inTheirOrder() {
        region.putAll(values);
        assertThat(another.getAll(keys)).containsExactlyEntriesOf(values);
        region.invalidateAll(keys);
        assertThat(another.getAll(keys)).isEmpty();
        assertThat(another.getOrCreateAll(keys, missing -> values)).containsExactlyEntriesOf(values);
        assertThat(region.getAll(keys)).containsExactlyEntriesOf(values);
    }

    @Test
    void slotUnderWay_inTheMiddleOfMany_isAskedOfBoth() {
        region.putAll(values);
        RedisCluster.Migration migration = migrate(keys.get(MANY / 2));
        migration.moveKeys(); // the old node answers ASK from here on
        assertThat(another.getAll(keys)).containsExactlyEntriesOf(values);
        assertThat(another.get(keys.get(MANY / 2))).contains(values.get(keys.get(MANY / 2)));
        another.invalidateAll(keys);
        assertThat(region.getOrCreateAll(keys, missing -> values)).containsExactlyEntriesOf(values);
        assertThat(another.getAll(keys)).containsExactlyEntriesOf(values);
        migration.finish();
        assertThat(another.getAll(keys)).containsExactlyEntriesOf(values);
    }

    @Test
    void slotThatMoved_inTheMiddleOfMany_isFound() {
        region.putAll(values);
        migrate(keys.get(MANY / 2)).finish(); // the old node answers MOVED, and clients do not know it yet
        assertThat(another.getAll(keys)).containsExactlyEntriesOf(values);
        another.invalidateAll(keys);
        assertThat(region.getOrCreateAll(keys, missing -> values)).containsExactlyEntriesOf(values);
        assertThat(another.getAll(keys)).containsExactlyEntriesOf(values);
    }

    @Test
    void rightThatMovedWithItsSlot_isStillTheHolders_andItsWaitersAreTold() throws InterruptedException {
        String key = keys.get(0);
        Held<String> creator = new Held<>("created");
        var holder = callers.start(() -> region.getOrCreate(key, creator));
        creator.awaitBegun();
        var waiter = callers.start(() -> another.getOrCreate(key, () -> "created twice"));
        Await.until("the other JVM waits", () -> owner(key).command("HGET", record(key), "w") != null);

        migrate(key).finish();
        creator.letGo();

        assertThat(holder.result()).isEqualTo("created");
        assertThat(waiter.result()).isEqualTo("created");
        assertThat(region.get(key)).contains("created");
    }

    @Test
    void manyRightsOfAMovedSlot_areStillTheHolders() {
        List<RedisCluster.Migration> migrations = new ArrayList<>();
        Map<String, String> got = region.getOrCreateAll(keys, missing -> {
            migrations.add(migrate(keys.get(1)));
            migrations.get(0).moveKeys();
            return values;
        });
        assertThat(got).containsExactlyEntriesOf(values);
        assertThat(another.getAll(keys)).containsExactlyEntriesOf(values);
        migrations.get(0).finish();
    }

    private RedisCluster.Migration migrate(String key) {
        int slot = RedisCluster.slot(record(key));
        int from = cluster.owner(slot);
        return cluster.migrate(slot, from, (from + 1) % RedisCluster.MASTERS);
    }

    private RedisServer owner(String key) {
        return cluster.node(cluster.owner(RedisCluster.slot(record(key))));
    }

    private String record(String key) {
        return RedisBackend.DEFAULT_PREFIX + name + ':' + key;
    }
}
