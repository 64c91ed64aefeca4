package io.dogpile.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.redis.RedisServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** Starts JVMs and a real server; small, so that it takes seconds. */
class ClusterTest {
    private static final Cluster.Size SMALL = new Cluster.Size(2, 4, Duration.ofMillis(500));
    private static final Duration LIFE = Duration.ofMinutes(1);
    private static final String MODULE = "java.logging";

    private static final Progress SILENT = new Progress(new PrintStream(new ByteArrayOutputStream()), false, 1);

    private static Cluster cluster;

    @BeforeAll
    static void start() throws Exception {
        cluster = Cluster.start(SMALL, SILENT);
    }

    @AfterAll
    static void end() {
        cluster.close();
    }

    @Test
    void coldKey_eachCallerCreatesWithoutARegion_oneOfAllJvmsWithIt() throws Exception {
        Run plain = cluster.burst("cold", SharedWay.PLAIN, LIFE, List.of("java.base"));
        assertThat(plain.calls()).hasSize(8);
        assertThat(plain.jvms()).containsExactly(0, 1);
        // On few processors the last may come when the first has stored.
        assertThat(plain.creations()).isBetween(2, 8);
        assertThat(plain.commands()).isEqualTo(8L + plain.creations());

        Run region = cluster.burst("cold", SharedWay.REGION, LIFE, List.of("java.base"));
        assertThat(region.calls()).hasSize(8);
        assertThat(region.creations()).isEqualTo(1);
        // Who waits in the other JVM looks each half second for as long as the creation takes.
        Work creation = region.works().get(0);
        long looks =
                (creation.end() - creation.begin()) / Duration.ofMillis(500).toNanos();
        assertThat(region.commands()).isBetween(3L, 10L + looks);
        assertThat(region.stats()).contains("1 creations");
    }

    @Test
    void keysOfAll_eachIsCreatedOnce() throws Exception {
        List<String> keys = List.of(MODULE, "java.prefs", "java.naming", "java.rmi");
        Run run = cluster.burst("cold", SharedWay.REGION, LIFE, keys);
        assertThat(run.calls()).hasSize(8).extracting(Call::key).containsAll(keys);
        assertThat(run.creations()).isEqualTo(4);
    }

    @Test
    void steadyLoad_valueGoesStale_nobodyWaitsWhereAnExecutorCreates() throws Exception {
        Duration life = Duration.ofMillis(400);
        Load.Pace pace = Load.Pace.perSecond(100, 101);
        Run run = cluster.steady("stale", SharedWay.REFRESHED, life, pace, 2, MODULE);
        assertThat(run.calls()).hasSize(101);
        assertThat(run.calls().stream().map(Call::due).distinct()).hasSize(101);
        assertThat(run.works()).isNotEmpty().extracting(Work::lane).containsOnly(Work.BEHIND);
        assertThat(run.count(Call.Outcome.CREATED)).isZero();
        assertThat(run.count(Call.Outcome.STALE)).isPositive();
    }

    @Test
    void jvmThatCreatesIsKilled_anotherTakesOverWhenTheLeaseIsOver() throws Exception {
        Duration lease = Duration.ofSeconds(1);
        try (Cluster own = Cluster.start(SMALL, SILENT)) {
            Run run = own.burstWithKill("kill", SharedWay.REGION, LIFE, lease, SharedWay.ALL_MODULES);
            assertThat(run.deaths()).hasSize(1);
            Run.Death death = run.deaths().get(0);
            assertThat(run.creations()).isEqualTo(2);
            assertThat(run.count(Call.Outcome.DIED)).isEqualTo(4);
            assertThat(run.count(Call.Outcome.CREATED)).isEqualTo(1);
            assertThat(run.count(Call.Outcome.WAITED)).isEqualTo(3);
            assertThat(run.calls()).hasSize(8);
            assertThat(own.nodes()).extracting(NodeProcess::jvm).containsExactly(1 - death.jvm());
            Work takeover = run.takeover(death).orElseThrow();
            assertThat(takeover.jvm()).isEqualTo(1 - death.jvm());
            assertThat(takeover.begin()).isGreaterThan(lease.toNanos() * 9 / 10);

            Row row = new Row("Kill", "Told.", Row.Kind.ONE_KEY, List.of(run));
            String page = HtmlPage.of(List.of(row), new HtmlPage.Intro("Heading", "machine", "call", "plain"));
            assertThat(page)
                    .contains("kill -9, while it creates")
                    .contains("class=\"death\"")
                    .contains("1 in JVM 1, 1 in JVM 2")
                    .contains("4 died with their JVM")
                    .doesNotContain("{{");
            assertThat(Figures.table(List.of(row))).contains("commands").contains(Lanes.name(death.jvm()) + " killed");
        }
    }

    @Test
    void closed_noJvmIsLeft() throws Exception {
        List<NodeProcess> nodes;
        try (Cluster own = Cluster.start(new Cluster.Size(2, 1, Duration.ZERO), SILENT)) {
            nodes = own.nodes();
            assertThat(nodes).hasSize(2).allMatch(NodeProcess::isAlive);
        }
        for (NodeProcess node : nodes) {
            assertThat(node.awaitEnd(Duration.ofSeconds(20))).isTrue();
        }
    }

    @Test
    void whoStartedItIsGone_aJvmEndsAndTheServerWithIt() throws Exception {
        try (RedisServer server = RedisServer.start();
                NodeProcess node = NodeProcess.start(0, server.port())) {
            node.await(Node.READY);
            node.orphan();
            assertThat(node.awaitEnd(Duration.ofSeconds(20))).isTrue();
            try (RedisClient client = server.client()) {
                assertThatThrownBy(client::ping).isInstanceOf(JedisConnectionException.class);
            }
        }
    }

    @Test
    void nodeThatDoesNotUnderstand_saysSo() throws Exception {
        try (RedisServer server = RedisServer.start();
                NodeProcess node = NodeProcess.start(0, server.port())) {
            node.await(Node.READY);
            node.tell("sing");
            assertThatThrownBy(() -> node.await(Node.DONE))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("JVM 1")
                    .hasMessageContaining("'done'")
                    .hasMessageContaining("sing");
        }
    }
}
