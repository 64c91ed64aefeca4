package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.cache.processes.Await;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisAskDataException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisMovedDataException;

/** What the other tests take for granted of their servers. */
class ServersTest {
    private static final Duration SHORT = Duration.ofMillis(200);

    @Nested
    class Server {
        @Test
        void restart_afterAKill_hasPortAndAppendedFile() {
            try (RedisServer server = RedisServer.builder().appendOnly().start();
                    RedisClient client = server.client()) {
                client.set("k", "v");
                int port = server.port();
                long pid = server.pid();
                server.kill();
                assertThatThrownBy(() -> client.get("k")).isInstanceOf(JedisConnectionException.class);
                server.restart();
                assertThat(server.port()).isEqualTo(port);
                assertThat(server.pid()).isNotEqualTo(pid);
                try (RedisClient again = server.client()) {
                    assertThat(again.get("k")).isEqualTo("v");
                }
            }
        }

        @Test
        void restart_withoutAppendOnly_isEmpty() {
            try (RedisServer server = RedisServer.start()) {
                server.command("SET", "k", "v");
                server.restart();
                assertThat(server.command("GET", "k")).isNull();
            }
        }

        @Test
        void frozen_callsTimeOut_andWhatTheySentIsDoneAfterwards() {
            try (RedisServer server = RedisServer.start();
                    RedisClient client = server.client(SHORT)) {
                client.set("k", "before");
                server.freeze();
                assertThatThrownBy(() -> client.set("k", "late")).hasRootCauseInstanceOf(SocketTimeoutException.class);
                server.thaw();
                Await.until(
                        "the late write lands", () -> server.command("GET", "k").equals("late"));
            }
        }

        @Test
        void frozen_canBeKilledAndStartedAgain() {
            try (RedisServer server = RedisServer.start()) {
                server.freeze();
                server.restart();
                assertThat(server.command("PING")).isEqualTo("PONG");
            }
        }

        @Test
        void memoryLimit_refusesWrites() {
            try (RedisServer server = RedisServer.builder()
                    .maxMemory(1)
                    .maxMemoryPolicy("noeviction")
                    .start()) {
                assertThatThrownBy(() -> server.command("SET", "k", "v"))
                        .isInstanceOf(JedisDataException.class)
                        .hasMessageStartingWith("OOM");
            }
        }

        @Test
        void password_isAskedFor_andKnownToItsOwnClients() {
            try (RedisServer server =
                            RedisServer.builder().password("a \"b\" \\c").start();
                    RedisClient client = server.client();
                    RedisClient stranger =
                            server.client(DefaultJedisClientConfig.builder().build())) {
                assertThat(client.ping()).isEqualTo("PONG");
                assertThatThrownBy(stranger::ping).isInstanceOf(JedisException.class);
            }
        }

        @Test
        void user_hasTheRightsItWasGiven() {
            try (RedisServer server = RedisServer.builder()
                            .user("reader", "secret", "~a:*", "+@read", "+@connection")
                            .start();
                    RedisClient reader = server.client("reader", "secret")) {
                assertThat(reader.get("a:1")).isNull();
                assertThatThrownBy(() -> reader.get("b:1")).isInstanceOf(JedisAccessControlException.class);
                assertThatThrownBy(() -> reader.set("a:1", "v")).isInstanceOf(JedisAccessControlException.class);
            }
        }

        @Test
        void wrongSetting_failsWithTheLogOfTheServer() {
            assertThatThrownBy(() -> RedisServer.builder()
                            .setting("no-such-setting", "1")
                            .start())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("no-such-setting");
        }

        @Test
        void closed_isGone_twiceIsHarmless() {
            RedisServer server = RedisServer.start();
            long pid = server.pid();
            server.close();
            server.close();
            assertThat(ProcessHandle.of(pid)).isNotPresent();
        }
    }

    @Nested
    class Faults {
        private RedisServer server;
        private Proxy proxy;
        private RedisClient client;

        @BeforeEach
        void start() {
            server = RedisServer.start();
            proxy = Proxy.before(server);
            client = RedisClient.builder()
                    .hostAndPort(proxy.hostAndPort())
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .timeoutMillis((int) SHORT.toMillis())
                            .build())
                    .build();
            client.set("k", "before");
        }

        @AfterEach
        void stop() {
            client.close();
            proxy.close();
            server.close();
        }

        @Test
        void cut_breaksConnections_refusesNewOnes_andHeals() {
            proxy.cut();
            assertThat(proxy.connections()).isZero();
            assertThatThrownBy(() -> client.get("k")).isInstanceOf(JedisConnectionException.class);
            assertThatThrownBy(() -> client.get("k"))
                    .satisfies(refused ->
                            assertThat(refused.getSuppressed()).hasAtLeastOneElementOfType(ConnectException.class));
            proxy.heal();
            assertThat(client.get("k")).isEqualTo("before");
        }

        @Test
        void blackHole_passesNothing_untilHealed() {
            proxy.blackHole();
            assertThatThrownBy(() -> client.set("k", "late")).hasRootCauseInstanceOf(SocketTimeoutException.class);
            assertThat(server.command("GET", "k")).isEqualTo("before");
            proxy.heal();
            Await.until("the late write lands", () -> server.command("GET", "k").equals("late"));
            assertThat(client.get("k")).isEqualTo("late");
        }

        @Test
        void blackHole_takesNewConnections() {
            proxy.blackHole();
            try (RedisClient another = RedisClient.builder()
                    .hostAndPort(proxy.hostAndPort())
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .timeoutMillis((int) SHORT.toMillis())
                            .build())
                    .build()) {
                assertThatThrownBy(another::ping).hasRootCauseInstanceOf(SocketTimeoutException.class);
            }
        }

        @Test
        void blackHole_thenCut_losesWhatWasHeld() {
            proxy.blackHole();
            assertThatThrownBy(() -> client.set("k", "late")).isInstanceOf(JedisConnectionException.class);
            proxy.cut();
            proxy.heal();
            assertThat(client.get("k")).isEqualTo("before");
        }

        @Test
        void droppedReplies_requestIsDone_andNoReplyIsMisread() {
            proxy.dropReplies();
            assertThatThrownBy(() -> client.set("k", "done")).hasRootCauseInstanceOf(SocketTimeoutException.class);
            assertThat(server.command("GET", "k")).isEqualTo("done");
            proxy.heal();
            assertThat(client.get("k")).isEqualTo("done");
        }

        @Test
        void lostReply_breaksItsConnection_whenHealed() throws IOException {
            proxy.dropReplies();
            try (Socket socket = new Socket(
                    proxy.hostAndPort().getHost(), proxy.hostAndPort().getPort())) {
                socket.setSoTimeout((int) Await.PATIENCE.toMillis());
                socket.getOutputStream().write("PING\r\n".getBytes(UTF_8));
                Await.until("the reply is lost", () -> proxy.repliesLost() > 0);
                proxy.heal();
                assertThat(socket.getInputStream().read()).isEqualTo(-1);
            }
        }

        @Test
        void delay_isAddedOnce_howeverLongTheReply() {
            byte[] value = new byte[1 << 20];
            try (RedisClient direct = server.client()) {
                direct.set("k".getBytes(UTF_8), value);
            }
            Duration delay = Duration.ofMillis(100);
            proxy.delay(delay);
            long start = System.nanoTime();
            assertThat(client.get("k".getBytes(UTF_8))).isEqualTo(value);
            // It comes in 64 pieces at least.
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(delay, delay.multipliedBy(32));
        }
    }

    @Nested
    class Counts {
        @Test
        void count_isExact_withoutWhatScriptsCall() {
            try (RedisServer server = RedisServer.start();
                    RedisClient client = server.client();
                    CommandCount count = CommandCount.on(server)) {
                IntStream.range(0, 500).forEach(number -> client.set("k" + number, "v"));
                client.eval("redis.call('set', KEYS[1], 'x') return redis.call('get', KEYS[1])", 1, "k1");
                assertThat(count.count(command -> command.is("set"))).isEqualTo(500);
                assertThat(count.count(command -> command.is("get"))).isZero();
                assertThat(count.total()).isEqualTo(501);
            }
        }

        @Test
        void reset_forgets_andAnotherCountIsNotCounted() {
            try (RedisServer server = RedisServer.start();
                    RedisClient client = server.client()) {
                client.ping();
                try (CommandCount count = CommandCount.on(server);
                        CommandCount another = CommandCount.on(server)) {
                    client.set("k", "v");
                    assertThat(another.total()).isOne();
                    assertThat(count.commands())
                            .extracting(CommandCount.Command::toString)
                            .containsExactly("SET k v");
                    count.reset();
                    assertThat(count.commands()).isEmpty();
                }
            }
        }

        @Test
        void clients_areKnownByName_whetherConnectedBeforeOrLater() {
            try (RedisServer server = RedisServer.start();
                    RedisClient before = server.client(named("before"))) {
                before.ping();
                try (CommandCount count = CommandCount.on(server);
                        RedisClient later = server.client(named("later"))) {
                    before.set("k", "a\nb \"c\" [0 lua]");
                    later.get("k");
                    later.get("l");
                    assertThat(count.commands(command -> command.client().equals("before")))
                            .extracting(CommandCount.Command::toString)
                            .containsExactly("SET k a\\nb \\\"c\\\" [0 lua]");
                    assertThat(count.count(command -> command.client().equals("later") && !command.isUpkeep()))
                            .isEqualTo(2);
                }
            }
        }

        @Test
        void longBinaryValue_isOneArgument_cut() {
            try (RedisServer server = RedisServer.start();
                    RedisClient client = server.client();
                    CommandCount count = CommandCount.on(server)) {
                client.set("k".getBytes(UTF_8), new byte[100_000]);
                CommandCount.Command set = count.commands().get(count.commands().size() - 1);
                assertThat(set.arguments()).hasSize(2);
                assertThat(set.arguments().get(0)).isEqualTo("k");
                assertThat(set.arguments().get(1)).startsWith("\\x00\\x00").hasSizeLessThan(1_000);
            }
        }

        @Test
        void serverEnds_theNextLookFails() {
            try (RedisServer server = RedisServer.start();
                    CommandCount count = CommandCount.on(server)) {
                server.kill();
                assertThatThrownBy(count::total).isInstanceOf(RuntimeException.class);
            }
        }

        private static DefaultJedisClientConfig named(String name) {
            return DefaultJedisClientConfig.builder().clientName(name).build();
        }
    }

    @Nested
    class Clustered {
        private static RedisCluster cluster;

        @BeforeAll
        static void start() {
            cluster = RedisCluster.start();
        }

        @AfterAll
        static void stop() {
            cluster.close();
        }

        @Test
        void thirtyKeys_areRightOnEveryNode_andCounted() {
            try (RedisClusterClient client = cluster.client();
                    CommandCount count = CommandCount.on(cluster)) {
                List<String> keys = IntStream.range(0, 30)
                        .mapToObj(number -> "key:" + number)
                        .toList();
                keys.forEach(key -> client.set(key, "of " + key));
                assertThat(keys).allSatisfy(key -> assertThat(client.get(key)).isEqualTo("of " + key));
                assertThat(keys)
                        .allSatisfy(key -> assertThat(cluster.node(cluster.owner(RedisCluster.slot(key)))
                                        .command("GET", key))
                                .isEqualTo("of " + key));
                assertThat(keys.stream().map(key -> cluster.owner(RedisCluster.slot(key))))
                        .contains(0, 1, 2);
                assertThat(count.count(command -> command.is("SET"))).isEqualTo(30);
            }
        }

        @Test
        void slotOnItsWay_isAsked_thenMoved() {
            String present = "{way}present";
            String absent = "{way}absent";
            int slot = RedisCluster.slot(present);
            int from = cluster.owner(slot);
            int to = (from + 1) % RedisCluster.MASTERS;
            RedisServer old = cluster.node(from);
            try (RedisClusterClient client = cluster.client()) {
                client.set(present, "v");
                RedisCluster.Migration migration = cluster.migrate(slot, from, to);
                assertThat(old.command("GET", present)).isEqualTo("v");
                assertThatThrownBy(() -> old.command("GET", absent)).isInstanceOf(JedisAskDataException.class);
                assertThat(client.get(absent)).isNull();

                migration.moveKeys();
                assertThatThrownBy(() -> old.command("GET", present)).isInstanceOf(JedisAskDataException.class);
                assertThat(client.get(present)).isEqualTo("v");

                migration.finish();
                assertThatThrownBy(() -> old.command("GET", present)).isInstanceOf(JedisMovedDataException.class);
                assertThat(cluster.owner(slot)).isEqualTo(to);
                assertThat(client.get(present)).isEqualTo("v");
            }
        }

        @Test
        void frozenNode_losesItsOwnKeysOnly() {
            String key = "a key";
            int owner = cluster.owner(RedisCluster.slot(key));
            String elsewhere = IntStream.range(0, 100)
                    .mapToObj(number -> "elsewhere:" + number)
                    .filter(other -> cluster.owner(RedisCluster.slot(other)) != owner)
                    .findFirst()
                    .orElseThrow();
            try (RedisClusterClient client = cluster.client(SHORT)) {
                client.set(elsewhere, "v");
                cluster.node(owner).freeze();
                try {
                    assertThatThrownBy(() -> cluster.node(owner).command("GET", key))
                            .hasRootCauseInstanceOf(SocketTimeoutException.class);
                    assertThat(client.get(elsewhere)).isEqualTo("v");
                } finally {
                    cluster.node(owner).thaw();
                }
            }
        }

        @Test
        void replicas_followTheirMasters() {
            try (RedisCluster replicated = RedisCluster.builder()
                            .replicas(1)
                            .setting("cluster-require-full-coverage", "no")
                            .start();
                    RedisClusterClient client = replicated.client()) {
                client.set("k", "v");
                int owner = replicated.owner(RedisCluster.slot("k"));
                RedisServer replica = replicated.node(RedisCluster.MASTERS + owner);
                Await.until(
                        "the replica has the key",
                        () -> replica.info("keyspace", "db0").startsWith("keys=1,"));
                assertThat(replica.command("CONFIG", "GET", "cluster-require-full-coverage"))
                        .isEqualTo(List.of("cluster-require-full-coverage", "no"));
            }
        }
    }

    @Nested
    class Watched {
        @Test
        void masterKilled_theReplicaTakesOver_andTheOldOneComesBackAsReplica() throws Exception {
            try (RedisSentinels sentinels = RedisSentinels.start();
                    RedisSentinelClient client = sentinels.client()) {
                RedisServer replica = sentinels.replica();
                client.set("k", "v");
                Await.until(
                        "the replica has the key",
                        () -> replica.command("DBSIZE").equals(1L));

                RedisServer killed = sentinels.killMaster();
                assertThat(sentinels.awaitMasterOtherThan(killed)).isSameAs(replica);
                assertThat(sentinels.replica()).isSameAs(killed);
                Await.until("the client writes again", () -> succeeds(() -> client.set("k", "after")));
                assertThat(replica.command("GET", "k")).isEqualTo("after");

                killed.restart();
                assertThat(sentinels.awaitReplica()).isSameAs(killed);
                assertThat(killed.command("GET", "k")).isEqualTo("after");
            }
        }
    }

    private static boolean succeeds(Callable<?> call) {
        try {
            call.call();
            return true;
        } catch (JedisException down) {
            return false;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
