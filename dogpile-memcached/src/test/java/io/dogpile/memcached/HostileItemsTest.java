package io.dogpile.memcached;

import static io.dogpile.memcached.Partitions.draft;
import static io.dogpile.memcached.Partitions.read;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Partition;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.DogpileException;
import io.dogpile.core.GarblingNetwork;
import io.dogpile.core.Mutants;
import io.dogpile.core.Slot;
import io.dogpile.core.WhenDown;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import net.spy.memcached.CachedData;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.transcoders.Transcoder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What strangers leave in items, and servers that answer garbage. */
@Timeout(60)
class HostileItemsTest {
    private static final int FEW = 300;
    private static final Duration TIMEOUT = Duration.ofMillis(250);
    private static MemcachedServer server;

    private final List<AutoCloseable> made = new ArrayList<>();
    private final String name = "hostile-" + UUID.randomUUID();

    @BeforeAll
    static void start() {
        server = MemcachedServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : made) {
            one.close();
        }
    }

    private <T extends AutoCloseable> T closing(T one) {
        made.add(one);
        return one;
    }

    private MemcachedBackend backend(String address) {
        return closing(
                MemcachedBackend.builder().servers(address).timeout(TIMEOUT).build());
    }

    @Test
    void mutantsOfLeases_areReadOrNobodys_inOneLine() {
        Mutants.of(
                        "L 0123456789abcdef.7 3 -123456789012345678",
                        "E 1795308321787 2 java.io.IOException: boom",
                        "E 0 0 ")
                .each((mutant, random) -> {
                    LeaseText.Read read = LeaseText.of(mutant);
                    assertThat(read).isNotNull();
                    if (read instanceof LeaseText.Free free) {
                        assertThat(free.text()).doesNotContainPattern("\\p{Cntrl}");
                        assertThat(free.leftMillis(1_795_308_321_787L)).isBetween(0L, 3_600_000L);
                    }
                });
    }

    @Test
    void anyItems_areReadAndClaimedWithoutAnException_andMendedByAnInvalidation() throws Exception {
        MemcachedClient client = server.client();
        made.add(client::shutdown);
        Partition<String> partition = Partitions.of(backend(server.address()));
        Names names = new Names(MemcachedBackend.DEFAULT_PREFIX);
        String value = names.value("region", name).key();
        String lease = names.lease(names.value("region", name)).key();
        partition.put(name, draft("good"));
        byte[] envelope = (byte[]) client.get(value, new Bytes());
        Mutants leases = Mutants.of(
                "L 0123456789abcdef.7 3 -123456789012345678",
                "E " + (System.currentTimeMillis() + 60_000) + " 2 java.io.IOException: boom");

        Mutants.of(envelope).each(FEW, (mutant, random) -> {
            client.set(value, 0, random.nextInt(3) > 0 ? mutant : envelope, new Bytes())
                    .get();
            if (random.nextBoolean()) {
                client.set(lease, 0, leases.draw(random), new Bytes()).get();
            } else {
                client.delete(lease).get();
            }
            Slot.Seen<String> seen = read(partition, name);
            if (seen.present()) {
                assertThat(seen.value()).isEqualTo("good");
            }
            Slot.Wish.Reason reason = Slot.Wish.Reason.values()[random.nextInt(3)];
            Slot.Claim<String> claim = seen.claim(new Slot.Wish(reason, Slot.NEVER, random.nextBoolean(), false));
            if (claim.kind() == Slot.Claim.Kind.GRANTED) {
                claim.grant().renew();
                claim.grant().publish(draft("good"));
            }
            partition.invalidate(name, Invalidation.SOFT);
            partition.invalidate(name, Invalidation.HARD);
            assertThat(read(partition, name).present()).isFalse();
            partition.put(name, draft("good"));
            assertThat(read(partition, name).value()).isEqualTo("good");
        });
    }

    /** Bytes as they are. */
    private static final class Bytes implements Transcoder<Object> {
        @Override
        public boolean asyncDecode(CachedData data) {
            return false;
        }

        @Override
        public CachedData encode(Object bytes) {
            return new CachedData(0, (byte[]) bytes, getMaxSize());
        }

        @Override
        public Object decode(CachedData data) {
            return data.getData();
        }

        @Override
        public int getMaxSize() {
            return CachedData.MAX_SIZE;
        }
    }

    private Region<String, String> region(String address, WhenDown policy) {
        return Region.<String, String>builder("garbage")
                .backend(backend(address))
                .serializer(Serializer.string())
                .staleAfter(Duration.ofHours(1))
                .hardTimeout(Duration.ofSeconds(5))
                .whenDown(policy)
                .build();
    }

    /** A header that is answered to whatever is asked. */
    private static byte[] header(int command, int keyLength, int extras, int status, int body) {
        return ByteBuffer.allocate(24)
                .put((byte) 0x81)
                .put((byte) command)
                .putShort((short) keyLength)
                .put((byte) extras)
                .put((byte) 0)
                .putShort((short) status)
                .putInt(body)
                .putInt(0)
                .putLong(7)
                .array();
    }

    static Stream<byte[]> garbage() {
        byte[] body = Arrays.copyOf(header(0, 0, 4, 0, 30), 54);
        return Stream.of(
                new byte[1],
                new byte[24],
                new byte[1_000],
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".getBytes(UTF_8),
                "ERROR\r\n".getBytes(UTF_8),
                header(0, 0, 0, 0, 0),
                header(0, 0, 0, 0x7777, 0),
                header(0, 0, 0, 0, -1),
                header(0, -1, -1, 0, 3),
                body);
    }

    @ParameterizedTest
    @MethodSource("garbage")
    void garbage_isAFailureOfTheStore_soThatTheCallerCreates(byte[] always) throws Exception {
        GarblingNetwork network = closing(GarblingNetwork.answering(always));
        Region<String, String> region = region("127.0.0.1:" + network.port(), WhenDown.CREATE);
        Region<String, String> strict = region("127.0.0.1:" + network.port(), WhenDown.FAIL);

        assertThatThrownBy(() -> strict.getOrCreate("key", () -> "created")).isInstanceOf(DogpileException.class);
        assertThatThrownBy(() -> strict.get("key")).isInstanceOf(DogpileException.class);
        assertThat(region.getOrCreate("key", () -> "created")).isEqualTo("created");
    }

    /** Nothing is answered any more, and who waited for that would wait for each call. */
    @Test
    void garbageThatEndedTheClientsThread_makesCallsFailAtOnce_andSayWhy() throws Exception {
        GarblingNetwork network = closing(GarblingNetwork.answering(header(0, 0, 0, 0, Integer.MAX_VALUE)));
        Partition<String> partition = Partitions.of(backend("127.0.0.1:" + network.port()));
        Await.until("the thread has ended", () -> failing(partition) == MemcachedException.Condition.CLOSED);

        for (int call = 0; call < 20; call++) {
            assertThat(failing(partition)).isEqualTo(MemcachedException.Condition.CLOSED);
        }
    }

    private static MemcachedException.Condition failing(Partition<String> partition) {
        return catchThrowableOfType(MemcachedException.class, () -> read(partition, "key"))
                .condition();
    }
}
