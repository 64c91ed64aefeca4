package io.dogpile.cache.backend;

import static io.dogpile.cache.backend.Openings.claim;
import static io.dogpile.cache.backend.Openings.draft;
import static io.dogpile.cache.backend.Openings.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import io.dogpile.cache.Region;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.Slot;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class MemoryBackendTest {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final Openings openings = new Openings();

    @Test
    @Tag("D-018")
    void usersMap_isUsed_andExpiredEntriesStayInIt() throws Exception {
        ConcurrentMap<Object, Object> map = new ConcurrentHashMap<>();
        Partition<String> partition = MemoryBackend.on(map).open(openings.of(null));
        partition.put("key", draft("value"));
        openings.time.advance(Openings.USABLE.plusNanos(1));
        assertThat(map).containsOnlyKeys("key");
        assertThat(read(partition, "key").usable(openings.time.nanos())).isFalse();
    }

    @Test
    @Tag("D-018")
    void usersMap_isOfOneRegion() {
        MemoryBackend backend = MemoryBackend.on(new ConcurrentHashMap<>());
        backend.open(openings.of("one", null));
        assertThatThrownBy(() -> backend.open(openings.of("two", null)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'one'")
                .hasMessageContaining("'two'");
    }

    @Test
    @Tag("D-019")
    void map_thatIsNoConcurrentMap_isNotTaken_andNullIsHeld() throws Exception {
        assertThat(ConcurrentMap.class.isAssignableFrom(HashMap.class)).isFalse();
        assertThat(MemoryBackend.class.getMethod("on", ConcurrentMap.class)).isNotNull();
        Partition<String> partition =
                MemoryBackend.on(new ConcurrentHashMap<>()).open(openings.of(null));
        partition.put("key", draft(null));
        assertThat(partition.look("key").present()).isTrue();
        assertThat(partition.look("key").value()).isNull();
    }

    @Test
    @Tag("D-018")
    @Tag("D-020")
    void values_areKeptByReference() throws Exception {
        Partition<List<Integer>> partition = MemoryBackend.create().open(openings.of(null));
        List<Integer> list = new ArrayList<>(List.of(1));
        partition.put("key", draft(list));
        list.add(2);
        assertThat(read(partition, "key").value()).isSameAs(list);
        assertThat(partition.look("key").value()).containsExactly(1, 2);
    }

    @Test
    void hit_isTheStoredObjectItself() throws Exception {
        Partition<String> partition = MemoryBackend.create().open(openings.of(null));
        partition.put("key", draft("value"));
        assertThat(partition.look("key")).isSameAs(partition.look("key"));
    }

    @Test
    void numberOfEntries_isBounded() throws Exception {
        Partition<Integer> partition = MemoryBackend.ofEntries(10).open(openings.of(null));
        for (int key = 0; key < 10_000; key++) {
            partition.put(key, draft(key));
        }
        // Caffeine evicts behind the writer's back, on a thread that must come to run; each further write wakes it.
        int present = 10_000;
        for (long begin = System.nanoTime(); present > 10 && System.nanoTime() - begin < PATIENCE_NANOS; ) {
            Thread.yield();
            partition.put(-1, draft(-1));
            present = 0;
            for (int key = 0; key < 10_000; key++) {
                present += read(partition, key).present() ? 1 : 0;
            }
        }
        assertThat(present).isLessThanOrEqualTo(10);
    }

    /** What evicts is told of few hits; it must keep what is in use all the same. */
    @Test
    void fullCache_keepsWhatIsInUse_asCaffeineDoesThatIsToldOfEachHit() throws Exception {
        int size = 200;
        Cache<Object, Integer> told = bounded(size);
        MemoryPartition<Integer> partition = new MemoryPartition<>(openings.of(null), bounded(size));
        int hitsOfTold = 0;
        int hits = 0;
        for (int key : keysAskedForMoreAndLess(200_000)) {
            if (told.getIfPresent(key) != null) {
                hitsOfTold++;
            } else {
                told.put(key, key);
            }
            if (partition.look(key) != null) {
                hits++;
            } else {
                partition.put(key, draft(key));
            }
        }
        assertThat(hitsOfTold).isBetween(50_000, 150_000);
        assertThat(hits).isGreaterThan((int) (0.95 * hitsOfTold));
    }

    @Test
    void whatEvicts_isToldOfOneHitInEachTurn() throws Exception {
        AtomicInteger told = new AtomicInteger();
        MemoryPartition<Integer> partition = new MemoryPartition<>(openings.of(null), tellingOf(told, 320));
        for (int key = 0; key < 320; key++) {
            partition.put(key, draft(key));
        }
        partition.put(0, draft(0));
        told.set(0);
        look(partition, 0, 10);
        assertThat(told).as("in the turn of the write").hasValue(0);
        putInPassing(partition, 320 / 16);
        assertThat(told).hasValue(0);
        putInPassing(partition, 1);
        look(partition, 0, 10);
        assertThat(told).as("in the next turn").hasValue(1);
        putInPassing(partition, 320 / 16 + 1);
        look(partition, 0, 10);
        assertThat(told).hasValue(2);
    }

    /** A turn that had begun in a larger cache must not last until as much is written as that held. */
    @Test
    void whatEvicts_isToldMoreOften_afterTheCacheShrank() throws Exception {
        AtomicInteger told = new AtomicInteger();
        MemoryPartition<Integer> partition = new MemoryPartition<>(openings.of(null), tellingOf(told, 10_000));
        for (int key = 0; key < 10_000; key++) {
            partition.put(key, draft(key));
        }
        partition.invalidateAll(Invalidation.HARD);
        partition.put(0, draft(0));
        told.set(0);
        putInPassing(partition, 10);
        look(partition, 0, 10);
        assertThat(told).hasValue(1);
    }

    @Test
    void whatEvicts_isToldOfCopies_andOfBytes_too() throws Exception {
        AtomicInteger told = new AtomicInteger();
        MemoryPartition<Integer> front = new MemoryPartition<>(openings.of(null), tellingOf(told, 100));
        assertThat(front.copy("copy", read(front, "absent"), Long.MAX_VALUE, "held", () -> true))
                .isTrue();
        MemoryPartition<byte[]> bytes = new MemoryPartition<>(openings.of(Serializer.bytes()), tellingOf(told, 100));
        bytes.put("bytes", draft(new byte[1]));
        putInPassing(front, 10);
        for (int key = 0; key < 10; key++) {
            bytes.put(key, draft(new byte[1]));
        }
        told.set(0);
        look(front, "copy", 10);
        assertThat(told).hasValue(1);
        look(bytes, "bytes", 10);
        assertThat(told).hasValue(2);
    }

    /** A cache that counts the reads that it is told of. */
    private static <V> Cache<Object, V> tellingOf(AtomicInteger told, int size) {
        Expiry<Object, V> counting = new Expiry<>() {
            @Override
            public long expireAfterCreate(Object key, V value, long now) {
                return Long.MAX_VALUE;
            }

            @Override
            public long expireAfterUpdate(Object key, V value, long now, long left) {
                return left;
            }

            @Override
            public long expireAfterRead(Object key, V value, long now, long left) {
                told.incrementAndGet();
                return left;
            }
        };
        return Caffeine.newBuilder()
                .maximumSize(size)
                .executor(Runnable::run)
                .expireAfter(counting)
                .build();
    }

    private static void look(Partition<?> partition, Object key, int times) {
        for (int i = 0; i < times; i++) {
            assertThat(partition.look(key)).isNotNull();
        }
    }

    private static void putInPassing(Partition<Integer> partition, int times) throws Exception {
        for (int i = 0; i < times; i++) {
            partition.put("passing", draft(i));
        }
    }

    /** Its evictions come at once, so that they do not depend on when threads run. */
    private static <V> Cache<Object, V> bounded(int size) {
        return Caffeine.newBuilder().maximumSize(size).executor(Runnable::run).build();
    }

    /** As many calls for the keys to 10 as for those from 10 to 100, and so on to 10,000. */
    private static int[] keysAskedForMoreAndLess(int calls) {
        SplittableRandom random = new SplittableRandom(1);
        int[] keys = new int[calls];
        Arrays.setAll(keys, call -> (int) Math.pow(10_000, random.nextDouble()));
        return keys;
    }

    @Test
    void badBounds_areRefused() {
        assertThatThrownBy(() -> MemoryBackend.ofEntries(-1)).hasMessageContaining("-1");
        assertThatThrownBy(() -> MemoryBackend.ofWeight(-2, (key, value) -> 1)).hasMessageContaining("-2");
    }

    @Test
    void rights_areNotKept_whateverBecomesOfThem() throws Exception {
        Partition<String> partition = MemoryBackend.create().open(openings.of(null));
        Slot.Grant<String> published = claim(partition, "1").grant();
        published.publish(draft("value"));
        Slot.Grant<String> unkept = claim(partition, "2").grant();
        unkept.publish(new Slot.Draft<>("value", Openings.FRESH, Openings.USABLE, Duration.ZERO, false));
        Slot.Grant<String> abandoned = claim(partition, "3").grant();
        abandoned.abandon(null);
        for (Slot.Grant<String> each : List.of(published, unkept, abandoned)) {
            assertThat(each.renew()).isFalse();
        }
    }

    /** A serializer that reads less than it writes must not make every call of the region fail. */
    @Test
    @Tag("C-136")
    void bytesThatTheSerializerCannotRead_areACountedMiss() {
        Serializer<String> forgetful = new Serializer<>() {
            @Override
            public int id() {
                return FIRST_USER_ID;
            }

            @Override
            public byte[] write(String value) {
                return new byte[0];
            }

            @Override
            public String read(byte[] bytes) throws IOException {
                throw new IOException("cannot parse: secret");
            }
        };
        List<String> told = new ArrayList<>();
        Region<String, String> region = Region.<String, String>builder("forgetful")
                .serializer(forgetful)
                .recordStats()
                .listener(new DogpileListener() {
                    @Override
                    public void corruptEntry(Object name, String why) {
                        told.add(why);
                    }
                })
                .build();
        region.put("key", "value");
        assertThat(region.get("key")).isEmpty();
        assertThat(region.getOrCreate("key", key -> "new")).isEqualTo("new");
        assertThat(region.stats().hits()).isZero();
        assertThat(region.stats().corruptEntries()).isOne();
        assertThat(told).allSatisfy(why -> assertThat(why).endsWith(IOException.class.getName()));
    }
}
