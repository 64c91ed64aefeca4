package io.dogpile.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.backend.TieredBackend;
import io.dogpile.cache.processes.Await;
import io.dogpile.cache.servers.Ports;
import io.dogpile.core.DogpileException;
import io.dogpile.core.Lease;
import io.dogpile.core.TimeSource;
import io.dogpile.core.WhenDown;
import io.dogpile.core.testing.Callers;
import io.dogpile.core.testing.Held;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;

/** How a backend is told where its server is and how to log in, and what it refuses to be told. */
@Timeout(60) // seconds: a test that waits for ever says so
class RedisBackendBuilderTest {
    private static final String SECRET = "s3cr:t@/?#";
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final int ATTEMPTS = 5;
    private static RedisServer server;

    private final Nodes nodes = new Nodes();
    private final Callers callers = new Callers();

    @BeforeAll
    static void start() {
        server = RedisServer.builder()
                .user("writer", SECRET, "~*", "&*", "+@all")
                .start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void end() throws Exception {
        callers.close();
        nodes.end();
    }

    private static RedisBackend.Builder builder() {
        return RedisBackend.builder();
    }

    private static RedisBackend.Builder here() {
        return builder().server("127.0.0.1", server.port());
    }

    private static RegionBuilder<String, String> region(RedisBackend backend) {
        return Region.<String, String>builder("built")
                .serializer(Serializer.string())
                .backend(backend)
                .whenDown(WhenDown.FAIL)
                .recordStats();
    }

    private RedisBackend works(RedisBackend.Builder builder) {
        RedisBackend backend = nodes.node(builder);
        Region<String, String> region = region(backend).build();
        region.put("key", "value");
        assertEquals(Optional.of("value"), region.get("key"));
        Await.until("the inbox is live", () -> backend.node().inbox().isLive());
        return backend;
    }

    private static String refused(Consumer<RedisBackend.Builder> told) {
        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, () -> {
            RedisBackend.Builder builder = builder();
            told.accept(builder);
            builder.build().close();
        });
        for (Throwable one = refusal; one != null; one = one.getCause()) {
            assertFalse(String.valueOf(one.getMessage()).contains("s3c"), one::toString);
        }
        return refusal.getMessage();
    }

    private static void assertNames(String message, String... words) {
        for (String word : words) {
            assertTrue(message.contains(word), message);
        }
    }

    @Nested
    class Urls {
        @Test
        @Tag("D-070")
        void withoutAny_itIsTheUsualServer() {
            assertEquals("localhost:6379", new Connecting().toString());
        }

        @Test
        @Tag("D-070")
        void aUrl_namesServerUserPasswordAndDatabase_percentDecoded() {
            String url = "redis://writer:s3cr%3At%40%2F%3F%23@127.0.0.1:" + server.port() + "/3";
            RedisBackend backend = works(builder().server("nowhere.invalid", 1).url(url));
            try (RedisClient inThree = client(3)) {
                assertTrue(inThree.exists(Nodes.record("built", "key")));
                inThree.flushDB();
            }
            assertFalse(backend.toString().contains("s3cr"), backend.toString());
        }

        private RedisClient client(int database) {
            return server.client(
                    DefaultJedisClientConfig.builder().database(database).build());
        }

        @Test
        void theDefaultPort_isUsed() {
            Connecting connecting = new Connecting();
            connecting.url("redis://cache.example");
            assertEquals("cache.example:6379", connecting.toString());
        }

        @Test
        void thePassword_isOfTheDefaultUser_ifNoneIsNamed() {
            RedisServer locked =
                    nodes.closing(RedisServer.builder().password("s3cret").start());
            works(builder().url("redis://:s3cret@127.0.0.1:" + locked.port()));
            works(builder().server("127.0.0.1", locked.port()).credentials("", "s3cret"));
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    "localhost",
                    "localhost:6379",
                    "http://user:s3cret@host",
                    "redis:user:s3cret@host",
                    "redis://user:s3cret@",
                    "redis://user:s3c ret@host",
                    "redis://user:s3cret@host:99999",
                    "redis://user:s3cret@host/one",
                    "redis://user:s3cret@host/-1",
                    "redis://user@host",
                    "redis://host?password=s3cret",
                    "redis://host/0#s3cret"
                })
        void whatIsNoSuchUrl_isRefused_withoutThePassword(String url) {
            assertFalse(refused(builder -> builder.url(url)).isEmpty());
        }
    }

    @Nested
    class Contradictions {
        @Test
        @Tag("D-073")
        void aClientAndWhereItsServerIs() {
            try (RedisClient client = server.client()) {
                assertNames(refused(one -> one.client(client).server("host", 1)), "CLIENT", "SERVER");
                assertNames(refused(one -> one.url("redis://host").client(client)), "SERVER", "CLIENT");
                assertNames(refused(one -> one.client(client).cluster("host:1")), "CLIENT", "CLUSTER");
                assertNames(refused(one -> one.client(client).sentinels("m", "host:1")), "CLIENT", "SENTINELS");
            }
        }

        @Test
        @Tag("D-073")
        void aClientAndItsSettings() {
            try (RedisClient client = server.client()) {
                assertNames(refused(one -> one.client(client).credentials("user", SECRET)), "client", "credentials");
                assertNames(refused(one -> one.client(client).database(7)), "client", "database 7");
                assertNames(refused(one -> one.client(client).tls()), "client", "tls");
                assertNames(refused(one -> one.client(client).timeout(TIMEOUT)), "client", "timeout PT2S");
                assertNames(refused(one -> one.client(client).pool(3, TIMEOUT)), "client", "pool of 3");
                assertEquals("PONG", client.ping(), "it is still the user's");
            }
        }

        @Test
        void twoPlaces() {
            assertNames(refused(one -> one.server("a", 1).cluster("b:1")), "SERVER", "CLUSTER");
            assertNames(refused(one -> one.sentinels("m", "a:1").url("redis://b")), "SENTINELS", "SERVER");
            assertNames(
                    refused(one -> one.server("host", 1).sentinelCredentials("u", SECRET)),
                    "sentinelCredentials",
                    "host:1");
        }

        @Test
        void aClusterAndWhatItDoesNotHave() {
            assertNames(refused(one -> one.cluster("a:1").database(2)), "cluster", "was 2");
            assertNames(refused(one -> one.cluster("a:1").strictInvalidation()), "strictInvalidation", "cluster");
        }

        @Test
        @Tag("D-089")
        void aClientOfACluster_andStrictInvalidation_theClientStaysOpen() {
            try (RedisCluster cluster = RedisCluster.start();
                    RedisClusterClient client = cluster.client()) {
                assertNames(refused(one -> one.client(client).strictInvalidation()), "strictInvalidation");
                assertEquals("OK", client.set("still", "open"));
            }
        }
    }

    @Nested
    class Limits {
        @ParameterizedTest
        @ValueSource(
                strings = {
                    "",
                    " ",
                    "a b",
                    "ab\n",
                    "é.",
                    "a*",
                    "a{b}",
                    "a~b",
                    "12345678901234567890123456789012345678901"
                })
        @Tag("D-084")
        void aPrefixOfAnotherForm_isRefused(String prefix) {
            assertNames(refused(one -> one.prefix(prefix)), "prefix", "1 to 40");
        }

        @Test
        @Tag("D-084")
        @Tag("D-085")
        void aPrefix_isThatOfAllNames_andNoUsersKeyIsALock() {
            RedisBackend backend = works(here().prefix("my-app_1.x:"));
            try (Lease lease = backend.locks().tryAcquire("key", TIMEOUT).orElseThrow();
                    RedisClient client = server.client()) {
                assertTrue(lease.fencingToken() > 0);
                assertTrue(client.exists("my-app_1.x:built:key"));
                assertTrue(client.exists("my-app_1.x:~lock:key"));
                long ttl = client.pttl("my-app_1.x:~lock:key");
                assertTrue(ttl > 0 && ttl <= TIMEOUT.toMillis(), () -> "" + ttl);
            }
        }

        @Test
        void numbersOutOfRange_areRefused() {
            assertNames(refused(one -> one.pushMax(-1)), "pushMax", "-1");
            assertNames(refused(one -> one.database(-1)), "database", "-1");
            assertNames(refused(one -> one.server("host", 0)), "host", "0");
            assertNames(refused(one -> one.server("host", 65_536)), "65536");
            assertNames(refused(one -> one.server("", 1)), "''");
            assertNames(refused(one -> one.timeout(Duration.ZERO)), "timeout", "PT0S");
            assertNames(refused(one -> one.timeout(Duration.ofMillis(-1))), "timeout");
            assertNames(refused(one -> one.timeout(Duration.ofDays(25))), "timeout", "PT600H");
            assertNames(refused(one -> one.pool(0, TIMEOUT)), "pool", "0");
            assertNames(refused(one -> one.pool(1, Duration.ZERO)), "pool", "PT0S");
        }

        @Test
        @Tag("D-087")
        @Tag("D-089")
        void whatIsNoHostAndPort_isRefused() {
            assertNames(refused(one -> one.cluster()), "cluster", "host:port");
            assertNames(refused(one -> one.cluster("host")), "cluster", "'host'");
            assertNames(refused(one -> one.cluster("host:port")), "'host:port'");
            assertNames(refused(one -> one.sentinels("master")), "sentinels", "host:port");
            assertNames(refused(one -> one.sentinels("master", ":26379")), "':26379'");
        }

        @Test
        @Tag("D-071")
        void theTimeout_isThatOfCalls() {
            RedisServer frozen = nodes.closing(RedisServer.start());
            RedisBackend backend =
                    nodes.node(builder().server("127.0.0.1", frozen.port()).timeout(Duration.ofMillis(100)));
            Region<String, String> region = region(backend).build();
            region.put("key", "value");
            frozen.freeze();
            List<Long> took = new ArrayList<>();
            // A machine that stalls makes one call slow, another timeout each.
            while (took.size() < ATTEMPTS && took.stream().noneMatch(millis -> millis < 900)) {
                long start = System.nanoTime();
                assertThrows(DogpileException.class, () -> region.get("key"));
                took.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
            }
            assertTrue(Collections.min(took) >= 90 && Collections.min(took) < 900, took::toString);
        }
    }

    @Test
    @Tag("D-072")
    @Tag("D-073")
    void aClientThatIsGiven_hasItsOwnSettings_andStaysOpen() {
        try (RedisClient client = server.client("writer", SECRET)) {
            RedisBackend backend = works(builder().client(client));
            backend.close();
            backend.close();
            assertEquals("PONG", client.ping());
        }
    }

    @Test
    void aClosedBackend_hasNoThreadsAndNoConnection() {
        RedisBackend backend = works(here());
        String id = backend.node().id();
        backend.close();
        Await.until(
                "its threads have ended",
                () -> backend.node().inbox().state() == Inbox.State.CLOSED
                        && server.command("PUBSUB", "CHANNELS", "*" + id).equals(List.of()));
    }

    @Test
    @Tag("D-070")
    void wrongCredentials_areDenied_andNotShown() {
        try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.DEBUG)) {
            RedisBackend backend = nodes.node(here().credentials("writer", "s3cr but wrong"));
            Region<String, String> region = region(backend).build();
            DogpileException denied = assertThrows(DogpileException.class, () -> region.get("key"));
            for (Throwable one = denied; one != null; one = one.getCause()) {
                assertFalse(one.toString().contains("s3cr"), one::toString);
            }
            Await.until(
                    "the log says it",
                    () -> log.lines().stream().anyMatch(line -> line.contains("WARN") && line.contains(": denied: ")));
            assertTrue(log.lines().stream().noneMatch(line -> line.contains("s3cr")), () -> "" + log.lines());
        }
    }

    @Test
    @Tag("D-074")
    void lifetimes_areTheServersToo_oneByOneAndInBulk() {
        RedisBackend backend = nodes.node(here().prefix("ttl:"));
        Region<String, String> ends =
                region(backend).expireAfter(Duration.ofSeconds(50)).build();
        ends.put("one", "1");
        ends.putAll(Map.of("two", "2", "three", "3"));
        try (RedisClient client = server.client()) {
            for (String key : List.of("one", "two", "three")) {
                long left = client.pttl("ttl:built:" + key);
                assertTrue(left > 40_000 && left <= 50_001, () -> key + " " + left);
            }
            region(nodes.node(here().prefix("never:"))).build().put("one", "1");
            assertEquals(-1, client.pttl("never:built:one"));
        }
    }

    @Test
    @Tag("D-076")
    void whatIsEmpty_asksNothing_bulkIsOneRoundTrip() {
        RedisNode node = nodes.silent(server.client(), UnaryOperator.identity());
        RedisPartition<String> partition =
                (RedisPartition<String>) Nodes.partition(node, "bulk", TIMEOUT, TIMEOUT, TimeSource.system());
        List<Object> keys =
                IntStream.range(0, 50).<Object>mapToObj(i -> "key" + i).toList();
        partition.readAll(keys);
        try (CommandCount count = CommandCount.on(server)) {
            partition.readAll(List.of());
            assertEquals(0, count.total());
            partition.readAll(keys);
            assertEquals(50, count.count(command -> command.is("HMGET")));
            assertEquals(50, count.total());
            assertEquals(
                    1,
                    count.commands().stream()
                            .map(CommandCount.Command::address)
                            .distinct()
                            .count(),
                    "on one connection");
        }
    }

    @Test
    @Tag("D-077")
    @Tag("D-083")
    void locksOfTwoBackends_excludeEachOther_andALostOneFreesNobodyElses() {
        RedisBackend one = nodes.node(here());
        RedisBackend two = nodes.node(here());
        Lease lost = one.locks().tryAcquire("shared", Duration.ofMillis(20)).orElseThrow();
        Await.until(
                "the lease is over",
                () -> two.locks().tryAcquire("shared", TIMEOUT).isPresent());
        lost.close();
        assertFalse(lost.extend(TIMEOUT));
        assertEquals(Optional.empty(), one.locks().tryAcquire("shared", TIMEOUT));
        assertEquals(Optional.empty(), two.locks().tryAcquire("shared", TIMEOUT));
    }

    @Test
    @Tag("D-087")
    void sentinels_nameTheMaster() {
        try (RedisSentinels sentinels = RedisSentinels.start()) {
            String[] at =
                    sentinels.sentinelAddresses().stream().map(Object::toString).toArray(String[]::new);
            works(builder()
                    .sentinels(RedisSentinels.MASTER_NAME, at)
                    .timeout(TIMEOUT)
                    .strictInvalidation());
            assertEquals(1L, sentinels.master().command("EXISTS", Nodes.record("built", "key")));
            RedisBackend.Builder known = RedisBackend.builder()
                    .sentinels(RedisSentinels.MASTER_NAME, at)
                    .sentinelCredentials("", SECRET);
            assertThrows(RuntimeException.class, known::build, "these Sentinels have no password, and refuse one");
            nodes.end();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @Tag("D-089")
    @Tag("D-090")
    @Tag("D-091")
    void aCluster_takesCredentialsAndServesKeysOfAllSlots() throws Exception {
        try (RedisCluster cluster = RedisCluster.start()) {
            for (RedisServer node : cluster.nodes()) {
                allow(
                        node,
                        Stream.concat(Rights.NEEDED.stream(), Rights.CLUSTER.stream())
                                .toList());
            }
            String[] at = cluster.hostsAndPorts().stream().map(Object::toString).toArray(String[]::new);
            RedisBackend backend =
                    works(builder().cluster(at).credentials("least", SECRET).timeout(TIMEOUT));
            Region<String, String> region = region(backend).build();
            Map<String, String> all =
                    IntStream.range(0, 50).boxed().collect(Collectors.toMap(i -> "key" + i, i -> "value" + i));
            assertEquals(all, region.getOrCreateAll(all.keySet(), missing -> {
                Map<String, String> made = new LinkedHashMap<>();
                missing.forEach(key -> made.put(key, all.get(key)));
                return made;
            }));
            assertEquals(all, region.getAll(all.keySet()));
            region.invalidateAll(all.keySet());
            assertEquals(Map.of(), region.getAll(all.keySet()));
            assertEquals(0, region.stats().storeFailures());
            for (int number = 0; number < RedisCluster.MASTERS; number++) {
                assertEquals("PONG", cluster.node(number).command("PING"), "all nodes are up, whichever had which key");
            }
            assertThrows(
                    RuntimeException.class,
                    () -> region(nodes.node(builder().cluster(at).credentials("least", "wrong")))
                            .build()
                            .put("key", "value"));
            nodes.end();
        }
    }

    private static void allow(RedisServer node, List<String> rules) {
        String[] all = Stream.concat(Stream.of("SETUSER", "least", "reset", "on", ">" + SECRET), rules.stream())
                .toArray(String[]::new);
        node.command("ACL", all);
    }

    /** The rules that README lists. */
    private static final class Rights {
        static final List<String> CLUSTER = List.of("+cluster");
        static final List<String> NEEDED = List.of(
                "~dogpile:*",
                "&dogpile:*",
                "+hmget",
                "+evalsha",
                "+eval",
                "+get",
                "+set",
                "+del",
                "+hget",
                "+hset",
                "+hdel",
                "+pexpireat",
                "+pexpire",
                "+pttl",
                "+persist",
                "+time",
                "+publish",
                "+subscribe");
        /** Without them a connection is thrown away where it could be kept, and the log does not say so. */
        static final List<String> BESIDE = List.of("+ping", "+select", "+client|setinfo", "+unsubscribe");
    }

    @Nested
    class Acl {
        static Stream<String> needed() {
            return Rights.NEEDED.stream();
        }

        @Test
        @Tag("D-070")
        void theRulesOfTheReadme_areEnough() throws Exception {
            allow(server, Rights.NEEDED);
            try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO)) {
                doAll(log);
                assertEquals(List.of(), log.lines());
            }
        }

        @ParameterizedTest
        @MethodSource("needed")
        void noneOfThem_canBeLeftOut_andTheLogSaysSo(String rule) {
            allow(
                    server,
                    Rights.NEEDED.stream().filter(one -> !one.equals(rule)).toList());
            server.command("SCRIPT", "FLUSH");
            try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO)) {
                try {
                    doAll(log);
                } catch (Exception | AssertionError denied) {
                    // As it should be; what matters is what an operator sees.
                }
                Await.until("the log says it", () -> isDenied(log));
            }
        }

        private static boolean isDenied(CapturedLog log) {
            return log.lines().stream().anyMatch(line -> line.contains("WARN") && line.contains(": denied: "));
        }

        /** Each command at least once. */
        private void doAll(CapturedLog log) throws Exception {
            RedisBackend backend =
                    nodes.node(here().credentials("least", SECRET).strictInvalidation());
            RedisFaultsTest.beat(backend.node().inbox());
            Region<String, String> region = region(backend)
                    .backend(TieredBackend.of(MemoryBackend.create(), backend, TIMEOUT))
                    .lease(Duration.ofMillis(150))
                    .failureBackoff(5, Duration.ofMillis(1), Duration.ofMillis(1))
                    .build();
            region.put("for ever", "1");
            region.putAll(Map.of("a", "1", "b", "2"));
            region.getAll(List.of("a", "b"));
            region.invalidate("a", Invalidation.SOFT);
            region.invalidate("b");
            region.invalidateAll(Invalidation.SOFT);
            Held<String> held = new Held<>("slow");
            Callers.Caller<String> creator = callers.start(() -> region.getOrCreate("slow", held));
            held.awaitBegun();
            String record = Nodes.record("built", "slow");
            String lease = (String) server.command("HGET", record, "l");
            if (lease != null) {
                Await.until(
                        "the lease is renewed, or denied",
                        () -> !lease.equals(server.command("HGET", record, "l")) || isDenied(log));
            }
            held.letGo();
            creator.result();
            try {
                region.getOrCreate("fails", () -> {
                    throw new IOException("boom");
                });
            } catch (DogpileException boom) {
                assertTrue(boom.getCause() instanceof IOException, boom::toString);
            }
            try (Lease lock = backend.locks().tryAcquire("lock", TIMEOUT).orElseThrow()) {
                assertTrue(lock.extend(TIMEOUT));
            }
            Region<String, String> ends = region(backend).expireAfter(TIMEOUT).build();
            ends.put("ends", "1");
            ends.invalidate("ends", Invalidation.SOFT);
            assertEquals(0, region.stats().storeFailures());
            Await.until(
                    "the inbox is live, or denied",
                    () -> backend.node().inbox().isLive()
                            || backend.node().inbox().state() == Inbox.State.DOWN);
            assertTrue(backend.node().inbox().isLive());
        }
    }

    @Nested
    class Tls {
        @TempDir
        Path dir;

        @Test
        @Tag("D-070")
        void anEncryptedServer_isTrustedByATrustStore_andByNothingElse() throws Exception {
            char[] password = "changeit".toCharArray();
            certify(password);
            int port = Ports.free();
            RedisServer encrypted = nodes.closing(RedisServer.builder()
                    .user("writer", SECRET, "~*", "&*", "+@all")
                    .setting("tls-port", Integer.toString(port))
                    .setting("tls-cert-file", dir.resolve("cert.pem").toString())
                    .setting("tls-key-file", dir.resolve("key.pem").toString())
                    .setting("tls-ca-cert-file", dir.resolve("cert.pem").toString())
                    .setting("tls-auth-clients", "no")
                    .start());
            Path trusted = dir.resolve("trusted.p12");
            String url = "rediss://writer:s3cr%3At%40%2F%3F%23@127.0.0.1:" + port;
            works(builder().url(url).tls(trusted, password, "PKCS12").timeout(TIMEOUT));
            works(builder().tls(trusted, password, "PKCS12").url(url).timeout(TIMEOUT));
            assertEquals(1L, encrypted.command("EXISTS", Nodes.record("built", "key")));

            try (CapturedLog log = new CapturedLog("io.dogpile.redis", Level.INFO)) {
                RedisBackend untrusting = nodes.node(builder().url(url).timeout(TIMEOUT));
                assertThrows(
                        DogpileException.class, () -> region(untrusting).build().get("key"));
                RedisBackend plain =
                        nodes.node(builder().server("127.0.0.1", port).timeout(Duration.ofMillis(300)));
                assertThrows(DogpileException.class, () -> region(plain).build().get("key"));
                assertTrue(log.lines().size() >= 2, () -> "" + log.lines());
            }
        }

        /** A certificate that signs itself, for the server as PEM and for clients as a trust store. */
        private void certify(char[] password) throws Exception {
            Path keys = dir.resolve("keys.p12");
            Process keytool = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "keytool")
                                    .toString(),
                            "-genkeypair",
                            "-alias",
                            "server",
                            "-keyalg",
                            "EC",
                            "-dname",
                            "CN=localhost",
                            "-ext",
                            "san=ip:127.0.0.1,dns:localhost",
                            "-storetype",
                            "PKCS12",
                            "-keystore",
                            keys.toString(),
                            "-storepass",
                            new String(password))
                    .redirectErrorStream(true)
                    .start();
            String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, keytool.waitFor(), said);
            KeyStore store = KeyStore.getInstance(keys.toFile(), password);
            pem("key.pem", "PRIVATE KEY", store.getKey("server", password).getEncoded());
            pem("cert.pem", "CERTIFICATE", store.getCertificate("server").getEncoded());
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, password);
            trusted.setCertificateEntry("server", store.getCertificate("server"));
            try (OutputStream out = Files.newOutputStream(dir.resolve("trusted.p12"))) {
                trusted.store(out, password);
            }
        }

        private void pem(String file, String what, byte[] der) throws IOException {
            String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
            Files.writeString(
                    dir.resolve(file), "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n");
        }
    }
}
