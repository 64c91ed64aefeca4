package io.dogpile.memcached;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.cache.processes.JvmNode;
import io.dogpile.cache.processes.JvmNode.Creation;
import io.dogpile.cache.processes.JvmNode.Creator;
import io.dogpile.cache.processes.JvmNode.Got;
import io.dogpile.cache.processes.JvmNodes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Several JVMs on one server, whose holders of a right are killed and stopped. */
class MemcachedProcessesTest {
    private static final String REGION = "processes";

    /** The shortest there is; of its seconds the first may be over at once. */
    private static final Duration LEASE = Duration.ofSeconds(3);

    private static final Map<String, String> SETTINGS =
            Map.of("lease", "3s", "maxCreation", "15s", "expireAfter", "1h", "hardTimeout", "20s");
    private static final int NODES = 4;

    /** What a scheduler may take on a busy machine, beyond what the library does. */
    private static final Duration SLACK = Duration.ofSeconds(1);

    /** Far longer than any test waits. */
    private static final long LONG_CREATION = 10_000;

    private static MemcachedServer server;
    private static JvmNodes nodes;

    private MemcachedBackend backend;
    private Region<String, String> region;

    @BeforeAll
    static void start() {
        server = MemcachedServer.start();
        nodes = new JvmNodes(NODES, MemcachedNodeMain.class, server.address(), REGION, SETTINGS);
    }

    @AfterAll
    static void stop() {
        nodes.close();
        server.close();
    }

    @BeforeEach
    void open() {
        nodes.replaceMissing();
        backend = MemcachedBackend.builder().servers(server.address()).build();
        region = Region.<String, String>builder(REGION)
                .backend(backend)
                .serializer(Serializer.string())
                .lease(LEASE)
                .expireAfter(Duration.ofHours(1))
                .build();
    }

    @AfterEach
    void close() {
        region.close();
        backend.close();
    }

    @Test
    void fourJvmsOfFiftyThreads_aColdKey_oneCreation_andRequestsByTheProcess() {
        nodes.all()
                .forEach(node ->
                        node.get("warm" + node.name(), 2, Creator.VALUE, 1).await());
        long few = requestsForACreation("few", 5);
        long many = requestsForACreation("many", 50);
        System.out.println("requests of 4 JVMs for one creation of 500 ms: " + few + " by 5 threads each, " + many
                + " by 50 threads each");
        assertThat(many).as("requests by 200 threads, by 20: " + few).isLessThan(2 * few);
    }

    private static long requestsForACreation(String key, int threads) {
        long before = requests();
        List<Got> all = nodes.all().stream().map(node -> node.get(key, threads, Creator.VALUE, 500)).toList().stream()
                .flatMap(call -> call.await().stream())
                .toList();
        long after = requests();
        assertThat(nodes.creations(key)).hasSize(1);
        Creation only = nodes.creations(key).get(0);
        assertThat(all).hasSize(NODES * threads).allMatch(got -> got.value().equals(only.value()));
        return after - before;
    }

    private static long requests() {
        return server.stat("cmd_get") + server.stat("cmd_set") + server.stat("cmd_touch");
    }

    @Test
    void holderOfAColdKeyKilled_oneTakesOver_whenItsLeaseEnds() {
        JvmNode holder = nodes.get(0);
        holder.get("killed", 1, Creator.VALUE, LONG_CREATION);
        Creation lost = holder.awaitCreation("killed");
        List<JvmNode.Call> calls = nodes.all().subList(1, 4).stream()
                .map(node -> node.get("killed", 5, Creator.VALUE, 100))
                .toList();

        long killed = System.currentTimeMillis();
        holder.kill();
        List<Got> all = calls.stream().flatMap(call -> call.await().stream()).toList();

        List<Creation> successors = nodes.creations("killed").stream()
                .filter(one -> one != lost && !one.node().equals(lost.node()))
                .toList();
        assertThat(successors).hasSize(1);
        assertThat(all)
                .hasSize(15)
                .allMatch(got -> got.value().equals(successors.get(0).value()));
        long took = successors.get(0).begunMicros() / 1000 - killed;
        System.out.println("takeover after the kill of a holder: " + took + " ms, lease " + LEASE.toMillis() + " ms");
        assertThat(took).isLessThanOrEqualTo(LEASE.plus(SLACK).toMillis());
        assertThat(region.get("killed")).contains(successors.get(0).value());
    }

    @Test
    void holderStoppedPastItsLease_isReplaced_andItsLateWriteIsRefused() {
        JvmNode holder = nodes.get(0);
        JvmNode other = nodes.get(1);
        JvmNode.Call held = holder.get("stopped", 1, Creator.VALUE, 500);
        Creation lost = holder.awaitCreation("stopped");
        holder.stop();
        try {
            String successors = other.value("stopped");
            assertThat(successors).isEqualTo(other.creations("stopped").get(0).value());
            holder.goOn();
            holder.awaitEnd(lost);
            assertThat(held.value()).as("its caller has it all the same").isEqualTo(lost.value());
            assertThat(region.get("stopped")).contains(successors);
            assertThat(nodes.get(2).value("stopped")).isEqualTo(successors);
        } finally {
            holder.goOn();
        }
    }

    @Test
    void lockOfASubSecondLease_ends_andItsLateRelease_leavesTheNextHolders() {
        long began = System.nanoTime();
        assertThat(nodes.get(0).lock("late", 500)).isTrue();
        assertThat(nodes.get(1).lock("late", 60_000)).isFalse();
        Await.until("the lease ends", () -> nodes.get(1).lock("late", 60_000));
        long took = Duration.ofNanos(System.nanoTime() - began).toMillis();
        assertThat(took).as("of 500 ms").isBetween(500L, 2_500 + SLACK.toMillis());

        nodes.get(0).unlock("late");
        assertThat(nodes.get(2).lock("late", 60_000)).as("it is another's").isFalse();
        nodes.get(1).unlock("late");
        assertThat(nodes.get(2).lock("late", 60_000)).isTrue();
        nodes.get(2).unlock("late");
    }

    @Test
    void lockOfAKilledHolder_isFree_whenItsLeaseEnds_andNotBefore() {
        JvmNode holder = nodes.get(3);
        long began = System.nanoTime();
        assertThat(holder.lock("orphan", 1_000)).isTrue();
        holder.kill();
        Await.until("the lease ends", () -> nodes.get(1).lock("orphan", 60_000));
        long took = Duration.ofNanos(System.nanoTime() - began).toMillis();
        assertThat(took).as("of 1 s").isBetween(1_000L, 3_000 + SLACK.toMillis());
        assertThat(nodes.get(2).lock("orphan", 60_000)).isFalse();
        nodes.get(1).unlock("orphan");
    }

    @Test
    @Tag("D-065")
    void deletionDuringACreation_letsAnotherJvmCreateAtOnce_andOnlyItsValueStays() {
        JvmNode.Call held = nodes.get(0).get("deleted", 1, Creator.VALUE, 1_000);
        Creation voided = nodes.get(0).awaitCreation("deleted");
        nodes.get(1).invalidate("deleted", Invalidation.HARD).value();
        String successors = nodes.get(2).value("deleted");
        assertThat(successors)
                .isEqualTo(nodes.get(2).creations("deleted").get(0).value());
        assertThat(held.got()).as("the first still creates").isEmpty();
        assertThat(held.value()).isEqualTo(voided.value());
        assertThat(region.get("deleted")).contains(successors);
    }

    @Test
    void deletionDuringACreation_withNobodyInterested_isNotUndone() {
        JvmNode.Call held = nodes.get(0).get("forgotten", 1, Creator.VALUE, 300);
        Creation voided = nodes.get(0).awaitCreation("forgotten");
        nodes.get(1).invalidate("forgotten", Invalidation.HARD).value();
        assertThat(held.value()).isEqualTo(voided.value());
        assertThat(region.get("forgotten")).isEmpty();
    }

    @Test
    void serverRestartedDuringACreation_anotherMayCreate_andTheSecondToEndIsRefused() {
        JvmNode holder = nodes.get(0);
        JvmNode other = nodes.get(1);
        JvmNode.Call held = holder.get("restarted", 1, Creator.VALUE, 5_000);
        Creation lost = holder.awaitCreation("restarted");
        server.restart();
        Await.until(
                "all have found the server again", () -> nodes.all().stream().allMatch(this::reaches));

        String successors = other.value("restarted");
        assertThat(region.get("restarted")).contains(successors);
        assertThat(held.got()).as("the first still creates").isEmpty();
        assertThat(held.value()).as("its caller has it all the same").isEqualTo(lost.value());
        assertThat(region.get("restarted")).contains(successors);
        assertThat(nodes.creations("restarted")).hasSize(2);
    }

    /** Whether what is created there can be read here. */
    private boolean reaches(JvmNode node) {
        try {
            String key = "reached-" + node.name();
            return region.get(key).equals(Optional.of(node.value(key)));
        } catch (MemcachedException notYet) {
            return false;
        }
    }

    @Test
    @Tag("D-077")
    void threeJvmsCountUnderALock_nothingIsLost() {
        List<JvmNode.Call> calls = nodes.all().subList(0, 3).stream()
                .map(node -> node.count("counting", "counted", 1_000))
                .toList();
        assertThat(calls).allSatisfy(call -> assertThat(call.value()).isEqualTo("counted"));
        Server raw = backend.member().server();
        byte[] counted = raw.answer(raw.gets(MemcachedNodeMain.item("counted"))).data();
        assertThat(new String(counted, StandardCharsets.US_ASCII)).isEqualTo("3000");
    }
}
