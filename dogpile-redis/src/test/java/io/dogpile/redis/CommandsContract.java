package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.Slot;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.Held;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What each call costs a server: its commands, exactly. Servers know the scripts, and clients the time. */
abstract class CommandsContract {
    private static final int MANY = 50;
    private static final Duration LONG_WAIT = Duration.ofMillis(2_200);
    private static final long POLL_MILLIS = 500;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final Callers callers = new Callers();
    private final String name = "commands-" + UUID.randomUUID();
    private Region<String, String> region;
    private Region<String, String> another;
    private CommandCount count;
    private final Map<Region<String, String>, Inbox> inboxes = new HashMap<>();

    /** The servers. */
    abstract List<RedisServer> servers();

    /** A backend on them. */
    abstract RedisBackend.Builder backend();

    /** What a plain read sends. */
    List<String> read() {
        return List.of("HMGET");
    }

    @BeforeEach
    final void open() {
        for (RedisServer server : servers()) {
            for (RedisScript script : RedisScript.values()) {
                server.command("SCRIPT", "LOAD", script.text());
            }
        }
        region = region(UnaryOperator.identity());
        another = region(UnaryOperator.identity());
        count = CommandCount.on(servers().toArray(RedisServer[]::new));
    }

    @AfterEach
    final void close() throws Exception {
        count.close();
        callers.close();
        Collections.reverse(opened);
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    /** A region of one name, as another JVM would open it. */
    final Region<String, String> region(UnaryOperator<RegionBuilder<String, String>> options) {
        RedisBackend backend = backend().build();
        opened.add(backend);
        Inbox inbox = backend.node().inbox();
        Await.until("the inbox is live", inbox::isLive);
        Region<String, String> made = options.apply(Region.<String, String>builder(name)
                        .backend(backend)
                        .serializer(Serializer.string())
                        .staleAfter(Duration.ofHours(1))
                        .lease(Duration.ofMinutes(1)))
                .build();
        opened.add(made);
        inboxes.put(made, inbox);
        made.get("clocks are known");
        return made;
    }

    @Test
    void hit_isOneRead() {
        region.put("key", "value");
        count.reset();
        for (int hit = 0; hit < MANY; hit++) {
            assertThat(region.getOrCreate("key", () -> "not needed")).isEqualTo("value");
        }
        assertThat(Calls.of(count)).isEqualTo(reads(MANY));
        assertThat(Calls.ofGenerations(count))
                .as("they are asked for each second, not by a hit")
                .isLessThan(MANY);
    }

    @Test
    void coldKey_isARead_aClaim_andAPublication() {
        count.reset();
        assertThat(region.getOrCreate("key", () -> "value")).isEqualTo("value");
        assertThat(Calls.of(count)).isEqualTo(reads(1, "CLAIM", "PUBLISH"));
    }

    @Test
    void coldKey_askedByManyThreadsOfOneJvm_costsTheSame() throws InterruptedException {
        Held<String> creator = new Held<>("value");
        count.reset();
        List<Callers.Caller<String>> all = new ArrayList<>();
        all.add(callers.start(() -> region.getOrCreate("key", creator)));
        creator.awaitBegun();
        all.addAll(callers.start(MANY, () -> region.getOrCreate("key", creator)));
        all.subList(1, all.size())
                .forEach(caller -> Await.until(
                        "the thread waits", () -> caller.thread().getState() == Thread.State.TIMED_WAITING));
        creator.letGo();
        all.forEach(caller -> assertThat(caller.result()).isEqualTo("value"));
        assertThat(Calls.of(count)).isEqualTo(reads(1, "CLAIM", "PUBLISH"));
    }

    @Test
    void staleValue_refreshedBehind_isOneRead_andTwoCommandsBehind() {
        Queue<Runnable> behind = new ArrayDeque<>();
        Region<String, String> refreshing = region(options -> options.refreshOn(behind::add));
        refreshing.put("key", "old");
        refreshing.invalidate("key", Invalidation.SOFT);
        count.reset();

        assertThat(refreshing.getOrCreate("key", () -> "new")).isEqualTo("old");
        assertThat(behind).hasSize(1);
        behind.remove().run();

        assertThat(Calls.of(count)).isEqualTo(reads(1, "CLAIM", "PUBLISH"));
        assertThat(refreshing.get("key")).contains("new");
    }

    @Test
    void staleValue_whileAnotherCreates_isOneRead() throws InterruptedException {
        region.put("key", "old");
        region.invalidate("key", Invalidation.SOFT);
        Held<String> creator = new Held<>("new");
        var holder = callers.start(() -> region.getOrCreate("key", creator));
        creator.awaitBegun();
        count.reset();
        assertThat(another.getOrCreate("key", () -> "not needed")).isEqualTo("old");
        assertThat(Calls.of(count)).isEqualTo(read());
        creator.letGo();
        assertThat(holder.result()).isEqualTo("new");
    }

    @Test
    void waiterOfAnotherJvm_readsAndClaims_andIsGivenTheValue() throws InterruptedException {
        Held<String> creator = new Held<>("value");
        var holder = callers.start(() -> region.getOrCreate("key", creator));
        creator.awaitBegun();
        count.reset();
        var waiter = waiter("key");
        assertThat(Calls.of(count)).isEqualTo(reads(1, "CLAIM"));

        count.reset();
        creator.letGo();
        assertThat(waiter.result()).isEqualTo("value");
        assertThat(holder.result()).isEqualTo("value");
        assertThat(Calls.of(count)).isEqualTo(List.of("PUBLISH"));
    }

    @Test
    void waiterForALargeValue_readsItOnce() throws InterruptedException {
        String large = "x".repeat(10_000);
        Held<String> creator = new Held<>(large);
        var holder = callers.start(() -> region.getOrCreate("key", creator));
        creator.awaitBegun();
        List<Push.Changed> pushes = new CopyOnWriteArrayList<>();
        try (Slot.Watch watch = inboxes.get(another).watch(record("key"), pushes::add)) {
            assertThat(watch.live()).isTrue();
            var waiter = waiter("key");
            count.reset();
            creator.letGo();
            assertThat(waiter.result()).isEqualTo(large);
        }
        assertThat(holder.result()).isEqualTo(large);
        assertThat(Calls.of(count)).isEqualTo(concat(List.of("PUBLISH"), read()));
        assertThat(pushes).hasSize(1);
        assertThat(pushes.get(0).envelope()).isNull();
    }

    @Test
    void longWait_isAtMostOneReadEachHalfSecond_andNoClaim() throws InterruptedException {
        Held<String> creator = new Held<>("value");
        var holder = callers.start(() -> region.getOrCreate("key", creator));
        creator.awaitBegun();
        var waiter = waiter("key");
        long from = System.nanoTime();
        count.reset();
        Await.until("it waits for long", () -> System.nanoTime() - from > LONG_WAIT.toNanos());
        List<String> waiting = Calls.of(count);
        long most = (System.nanoTime() - from) / Duration.ofMillis(POLL_MILLIS).toNanos() + 1;

        assertThat(waiting).isNotEmpty().isSubsetOf(read()).hasSizeLessThanOrEqualTo((int) most * read().size());
        count.reset();
        creator.letGo();
        assertThat(waiter.result()).isEqualTo("value");
        assertThat(holder.result()).isEqualTo("value");
        assertThat(Calls.of(count)).contains("PUBLISH").doesNotContain("CLAIM");
    }

    @Test
    void manyKeys_areOneReadEach() {
        Map<String, String> values = values();
        region.putAll(values);
        count.reset();
        assertThat(region.getAll(values.keySet())).isEqualTo(values);
        assertThat(sorted(Calls.of(count))).isEqualTo(sorted(readsTogether(MANY)));
    }

    @Test
    void manyColdKeys_areARead_aClaim_andAPublicationEach() {
        Map<String, String> values = values();
        count.reset();
        Map<String, String> got = region.getOrCreateAll(
                values.keySet(), keys -> keys.stream().collect(Collectors.toMap(key -> key, values::get)));
        assertThat(got).isEqualTo(values);
        List<String> expected = new ArrayList<>(readsTogether(MANY));
        expected.addAll(Collections.nCopies(MANY, "CLAIM"));
        expected.addAll(Collections.nCopies(MANY, "PUBLISH"));
        assertThat(sorted(Calls.of(count))).isEqualTo(sorted(expected));
    }

    @Test
    void put_andInvalidation_areOneCommandEach() {
        count.reset();
        region.put("key", "value");
        region.invalidate("key");
        assertThat(Calls.of(count)).isEqualTo(List.of("PUT", "INVALIDATE"));
    }

    private String record(String key) {
        return RedisBackend.DEFAULT_PREFIX + name + ':' + key;
    }

    /** Waits in the other JVM, and is noted on the server as one to be told. */
    private Callers.Caller<String> waiter(String key) {
        var waiter = callers.start(() -> another.getOrCreate(key, () -> "not needed"));
        String record = record(key);
        Await.until("a JVM waits for " + key, () -> owner(record).command("HGET", record, "w") != null);
        Await.until("the thread waits", () -> waiter.thread().getState() == Thread.State.TIMED_WAITING);
        return waiter;
    }

    /** The server that has the key. */
    abstract RedisServer owner(String key);

    /** What a read of many keys sends. */
    List<String> readsTogether(int keys) {
        return Collections.nCopies(keys, "HMGET");
    }

    private List<String> reads(int reads, String... more) {
        List<String> all = new ArrayList<>();
        IntStream.range(0, reads).forEach(read -> all.addAll(read()));
        all.addAll(List.of(more));
        return all;
    }

    private static List<String> concat(List<String> first, List<String> second) {
        List<String> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }

    private static List<String> sorted(List<String> commands) {
        return commands.stream().sorted().toList();
    }

    private static Map<String, String> values() {
        return IntStream.range(0, MANY)
                .mapToObj(number -> "key" + number)
                .collect(Collectors.toMap(Function.identity(), key -> "value of " + key));
    }
}
