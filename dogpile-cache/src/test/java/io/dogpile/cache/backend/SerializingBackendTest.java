package io.dogpile.cache.backend;

import static io.dogpile.cache.backend.Openings.claim;
import static io.dogpile.cache.backend.Openings.draft;
import static io.dogpile.cache.backend.Openings.read;
import static io.dogpile.cache.backend.Openings.wish;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.core.Slot;
import io.dogpile.core.testing.FakeTime;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class SerializingBackendTest {
    private static final String STORED_KEY = "region:key";

    private final Openings openings = new Openings();
    private final FakeTime time = openings.time;
    private final BytesInMemory bytes = new BytesInMemory();
    private final Partition<String> partition = open();

    private Partition<String> open() {
        return SerializingBackend.of(bytes).open(openings.of(Serializer.string()));
    }

    private byte[] stored() {
        return bytes.entries.get(STORED_KEY).bytes();
    }

    private void store(byte[] anything) {
        bytes.entries.put(STORED_KEY, new ByteBackend.Entry(anything, null));
    }

    /** One read, which must be a miss that is counted once. */
    private void assertCountedMiss(String what) throws Exception {
        openings.told.corrupt.clear();
        Slot.Seen<String> seen = read(partition, "key");
        assertThat(seen.present()).as(what).isFalse();
        assertThat(openings.told.corrupt).as(what).hasSize(1).first().asString().startsWith("key unreadable");
    }

    @Nested
    class WhenBytesAreHostile {
        @Test
        @Tag("C-136")
        void everyByteChanged_isACountedMiss() throws Exception {
            partition.put("key", draft("value"));
            byte[] sound = stored();
            for (int at = 0; at < sound.length; at++) {
                for (int change = 1; change < 256; change++) {
                    byte[] damaged = sound.clone();
                    damaged[at] ^= (byte) change;
                    store(damaged);
                    assertCountedMiss("byte " + at + " ^ " + change);
                }
            }
            store(sound);
            assertThat(read(partition, "key").value()).isEqualTo("value");
        }

        @Test
        @Tag("C-136")
        void everyTruncation_isACountedMiss() throws Exception {
            partition.put("key", draft("value"));
            byte[] sound = stored();
            for (int length = 0; length < sound.length; length++) {
                store(Arrays.copyOf(sound, length));
                assertCountedMiss("cut to " + length);
            }
            store(Arrays.copyOf(sound, sound.length + 1));
            assertCountedMiss("one byte more");
        }

        @Test
        @Tag("C-136")
        void hundredThousandRandomStrings_areCountedMisses() throws Exception {
            Random random = new Random(20_260_101);
            partition.put("key", draft("value"));
            byte[] sound = stored();
            for (int i = 0; i < 100_000; i++) {
                byte[] noise = new byte[random.nextInt(160)];
                random.nextBytes(noise);
                if (i % 2 == 0) {
                    // So that half of them get past the magic and the version.
                    System.arraycopy(sound, 0, noise, 0, Math.min(noise.length, 1 + random.nextInt(67)));
                }
                store(noise);
                assertCountedMiss("string " + i);
            }
        }

        @Test
        @Tag("C-136")
        void foreignBytes_areAMiss_andOverwritten() throws Exception {
            store("not dogpile".getBytes(StandardCharsets.UTF_8));
            assertCountedMiss("foreign");
            claim(partition, "key").grant().publish(draft("value"));
            assertThat(read(partition, "key").value()).isEqualTo("value");
        }

        @Test
        void entryOfAnotherKey_isACountedMiss() throws Exception {
            partition.put("other", draft("secret"));
            store(bytes.entries.get("region:other").bytes());
            assertCountedMiss("another key's");
        }

        @Test
        void entryOfAnotherRegion_isACountedMiss() throws Exception {
            Partition<String> other = SerializingBackend.of(bytes).open(openings.of("other", Serializer.string()));
            other.put("key", draft("secret"));
            store(bytes.entries.get("other:key").bytes());
            assertCountedMiss("another region's");
        }

        @Test
        void entryOfAnotherSerializer_isACountedMiss() throws Exception {
            partition.put("key", draft("value"));
            Partition<byte[]> raw = SerializingBackend.of(bytes).open(openings.of(Serializer.bytes()));
            assertThat(read(raw, "key").present()).isFalse();
            assertThat(openings.told.corrupt).containsExactly("key unreadable: SERIALIZER");
        }

        @Test
        void valueThatTheSerializerCannotRead_isACountedMiss_andNotShown() throws Exception {
            partition.put("key", draft("secret"));
            Serializer<String> failing = new Serializer<>() {
                @Override
                public int id() {
                    return Serializer.string().id();
                }

                @Override
                public byte[] write(String value) {
                    return new byte[0];
                }

                @Override
                public String read(byte[] bytes) throws IOException {
                    throw new IOException("cannot read secret");
                }
            };
            Partition<String> reader = SerializingBackend.of(bytes).open(openings.of(failing));
            assertThat(read(reader, "key").present()).isFalse();
            assertThat(openings.told.corrupt).containsExactly("key unreadable: PAYLOAD, java.io.IOException");
        }

        @Test
        void valueLongerThanAllowed_isACountedMiss() throws Exception {
            store(new byte[10_000_000]);
            assertCountedMiss("long");
            Envelope longer = Envelope.of(
                    new Envelope.Stamps(1, 1, 0, 0, 0, 0),
                    0,
                    Serializer.string().id(),
                    new byte[Openings.MOST_BYTES + 1]);
            store(longer.encode(STORED_KEY.getBytes(StandardCharsets.UTF_8), Envelope.Codec.DEFLATE));
            assertCountedMiss("long when unpacked");
        }

        @Test
        void stampsOfNonsense_areNoException() throws Exception {
            for (long createdAt : new long[] {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE}) {
                for (long life : new long[] {0, 1, Long.MAX_VALUE}) {
                    Envelope odd = Envelope.of(
                            new Envelope.Stamps(1, createdAt, life, life, 0, stampOfNow()),
                            0,
                            Serializer.string(),
                            "value");
                    store(odd.encode(STORED_KEY.getBytes(StandardCharsets.UTF_8), Envelope.Codec.NONE));
                    Slot.Seen<String> seen = read(partition, "key");
                    assertThat(seen.value()).isEqualTo("value");
                    assertThat(seen.usableUntil()).isGreaterThanOrEqualTo(seen.freshUntil());
                    assertThat(seen.bornAt()).isLessThanOrEqualTo(time.nanos());
                    partition.invalidate("key", Invalidation.SOFT);
                    assertThat(read(partition, "key").fresh(time.nanos())).isFalse();
                }
            }
        }

        private long stampOfNow() throws Exception {
            partition.put("probe", draft("probe"));
            return Envelope.decode(
                            bytes.entries.get("region:probe").bytes(),
                            "region:probe".getBytes(StandardCharsets.UTF_8),
                            Openings.MOST_BYTES)
                    .get()
                    .stamps()
                    .generation();
        }

        @Test
        void damageToTheGeneration_onlyInvalidates() throws Exception {
            partition.put("key", draft("value"));
            for (byte[] mark : List.of(new byte[0], new byte[1], new byte[100_000])) {
                bytes.entries.put("region~hard", new ByteBackend.Entry(mark, null));
                time.advance(Duration.ofSeconds(1));
                assertThat(read(partition, "key").present()).isFalse();
            }
        }
    }

    @Nested
    class WhenAnotherVersionWrote {
        private void rewriteVersion(int version) {
            byte[] other = stored().clone();
            other[2] = (byte) version;
            store(other);
        }

        /** By each way to read: one that did not look at the version would give what another does not. */
        @Test
        @Tag("C-044")
        void olderEntry_isAMiss_howeverARegionIsAsked() throws Exception {
            Region<String, String> region = Region.<String, String>builder("region")
                    .backend(SerializingBackend.of(bytes))
                    .serializer(Serializer.string())
                    .build();
            region.put("key", "old");
            rewriteVersion(0);
            assertThat(region.get("key")).isEmpty();
            assertThat(region.getAll(List.of("key"))).isEmpty();
            assertThat(region.peek("key")).isEmpty();
            assertThat(region.peekAll(List.of("key"))).isEmpty();
            assertThat(region.with(RegionBuilder::ignoreExpiry).get("key")).isEmpty();
            assertThat(region.getOrCreate("key", key -> "new")).isEqualTo("new");
        }

        @Test
        @Tag("E-013")
        @Tag("C-137")
        void olderEntry_isAMiss_andOverwritten() throws Exception {
            partition.put("key", draft("old"));
            rewriteVersion(0);
            assertCountedMiss("older");
            assertThat(claim(partition, "key").grant().publish(draft("new")).outcome())
                    .isEqualTo(Slot.Published.Outcome.STORED);
            assertThat(read(partition, "key").value()).isEqualTo("new");
        }

        @Test
        @Tag("C-137")
        void newerEntry_isAMiss_andWhatIsCreatedIsHandedOn_notStored() throws Exception {
            partition.put("key", draft("new"));
            rewriteVersion(2);
            byte[] newer = stored();
            assertCountedMiss("newer");
            for (int creation = 0; creation < 2; creation++) {
                Slot.Published<String> published =
                        claim(partition, "key").grant().publish(draft("of an old node"));
                assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.STORED);
                assertThat(published.seen()).isNull();
                assertThat(published.trouble()).isNull();
                assertThat(stored()).isSameAs(newer);
            }
            Map<Object, Slot.Claim<String>> claims =
                    partition.claimAll(Map.of("key", new Partition.Asked<>(read(partition, "key"), wish())));
            claims.get("key").grant().publish(draft("of an old node's batch"));
            assertThat(stored()).isSameAs(newer);
        }

        @Test
        void newerEntry_isReplacedByAPut() throws Exception {
            partition.put("key", draft("new"));
            rewriteVersion(2);
            partition.put("key", draft("put"));
            assertThat(read(partition, "key").value()).isEqualTo("put");
        }

        @Test
        void newerEntry_isRemovedByAnyInvalidation() throws Exception {
            for (Invalidation how : Invalidation.values()) {
                partition.put("key", draft("new"));
                rewriteVersion(2);
                partition.invalidate("key", how);
                assertThat(bytes.entries).doesNotContainKey(STORED_KEY);
            }
        }

        @Test
        void rightThatIsLost_isRefused_evenOverANewerEntry() throws Exception {
            partition.put("key", draft("new"));
            rewriteVersion(2);
            Slot.Grant<String> right = claim(partition, "key").grant();
            partition.invalidate("key", Invalidation.HARD);
            assertThat(right.publish(draft("late")).outcome()).isEqualTo(Slot.Published.Outcome.VOIDED);
        }
    }

    @Nested
    class WhenAValueCannotBeWritten {
        private final String tooLong = "x".repeat(Openings.MOST_BYTES + 1);

        @Test
        void valueOfTheLimit_isStored() throws Exception {
            String longest = "x".repeat(Openings.MOST_BYTES);
            partition.put("key", draft(longest));
            assertThat(read(partition, "key").value()).isEqualTo(longest);
        }

        @Test
        void createdValueBeyondTheLimit_isNotStored_andTheTroubleNamesTheLimit() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            Slot.Published<String> published = right.publish(draft(tooLong));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.UNKNOWN);
            assertThat(published.trouble())
                    .hasMessageContaining("'region'")
                    .hasMessageContaining("key")
                    .hasMessageContaining("1001 bytes")
                    .hasMessageContaining("maxValueBytes = 1000")
                    .hasMessageNotContaining("xxx");
            assertThat(read(partition, "key").present()).isFalse();
            assertThat(right.renew()).isFalse();
        }

        @Test
        void putBeyondTheLimit_isRefused_andLeavesWhatIsThere() throws Exception {
            partition.put("key", draft("short"));
            assertThatThrownBy(() -> partition.put("key", draft(tooLong)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("maxValueBytes = 1000");
            assertThat(read(partition, "key").value()).isEqualTo("short");
        }

        @Test
        @Tag("C-138")
        void serializerThatFails_endsTheRight_andItsFailureIsTheTrouble() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            Slot.Published<String> published = right.publish(draft("\ud800"));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.UNKNOWN);
            assertThat(published.trouble()).isInstanceOf(IOException.class);
            assertThat(right.renew()).isFalse();
            assertThat(claim(partition, "key").grant().publish(draft("next")).outcome())
                    .isEqualTo(Slot.Published.Outcome.STORED);
        }

        @Test
        @Tag("C-138")
        void serializerThatFails_endsTheRight_inMemoryToo() throws Exception {
            Partition<String> memory = MemoryBackend.create().open(openings.of(Serializer.string()));
            Slot.Grant<String> right = claim(memory, "key").grant();
            assertThatThrownBy(() -> right.publish(draft("\ud800"))).isInstanceOf(IOException.class);
            assertThat(right.renew()).isFalse();
        }
    }

    @Nested
    class WhenTheStoreFails {
        private final IOException down = new IOException("down");

        @Test
        void everyVerb_throwsIt() throws Exception {
            partition.put("key", draft("value"));
            Slot.Seen<String> seen = read(partition, "key");
            bytes.failing = down;
            assertThatThrownBy(() -> read(partition, "key")).isSameAs(down);
            assertThatThrownBy(() -> partition.readAll(List.of("key"))).isSameAs(down);
            assertThatThrownBy(() -> seen.claim(wish())).isSameAs(down);
            assertThatThrownBy(() -> partition.put("key", draft("other"))).isSameAs(down);
            assertThatThrownBy(() -> partition.invalidate("key", Invalidation.HARD))
                    .isSameAs(down);
            assertThatThrownBy(() -> partition.invalidate("key", Invalidation.SOFT))
                    .isSameAs(down);
            assertThatThrownBy(() -> partition.invalidateAll(Invalidation.HARD)).isSameAs(down);
        }

        @Test
        void publication_throwsIt_andTheRightIsEnded() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            bytes.failing = down;
            assertThatThrownBy(() -> right.publish(draft("value"))).isSameAs(down);
            bytes.failing = null;
            assertThat(right.renew()).isFalse();
        }

        @Test
        void invalidationThatFails_voidsRunningCreationsAllTheSame() throws Exception {
            Slot.Grant<String> one = claim(partition, "one").grant();
            Slot.Grant<String> two = claim(partition, "two").grant();
            bytes.failing = down;
            assertThatThrownBy(() -> partition.invalidate("one", Invalidation.HARD))
                    .isSameAs(down);
            assertThat(one.renew()).isFalse();
            assertThatThrownBy(() -> partition.invalidateAll(Invalidation.SOFT)).isSameAs(down);
            assertThat(two.renew()).isFalse();
        }
    }

    @Nested
    class WhenClocksDiffer {
        private final FakeTime theirTime = new FakeTime();
        private final Partition<String> theirs =
                SerializingBackend.of(bytes).open(openings.of("region", Serializer.string(), theirTime));

        @Test
        void stampFromTheFuture_isTakenForNow() throws Exception {
            theirTime.jumpWall(Duration.ofSeconds(30));
            theirs.put("key", draft("value"));
            Slot.Seen<String> seen = read(partition, "key");
            assertThat(seen.bornAt()).isEqualTo(time.nanos());
            assertThat(seen.freshUntil()).isEqualTo(time.nanos() + Openings.FRESH.toNanos());
            assertThat(seen.usableUntil()).isEqualTo(time.nanos() + Openings.USABLE.toNanos());
        }

        @Test
        void stampFromThePast_isAnAge() throws Exception {
            theirTime.jumpWall(Duration.ofSeconds(-30));
            theirs.put("key", draft("value"));
            Slot.Seen<String> seen = read(partition, "key");
            assertThat(seen.bornAt())
                    .isEqualTo(time.nanos() - Duration.ofSeconds(30).toNanos());
            assertThat(seen.freshUntil())
                    .isEqualTo(time.nanos() + Duration.ofSeconds(30).toNanos());
        }

        @Test
        void invalidationOfAll_isRight_thoughClocksAre30SecondsApart() throws Exception {
            for (int apart : List.of(30, -60)) {
                theirTime.jumpWall(Duration.ofSeconds(apart));
                for (Invalidation how : Invalidation.values()) {
                    partition.put("key", draft("before"));
                    theirs.put("their key", draft("before"));
                    theirs.invalidateAll(how);
                    assertOld(how, theirs, "key");
                    assertOld(how, theirs, "their key");
                    time.advance(Duration.ofSeconds(1));
                    assertOld(how, partition, "key");
                    assertOld(how, partition, "their key");
                    partition.put("key", draft("after"));
                    theirs.put("their key", draft("after"));
                    for (Partition<String> each : List.of(partition, theirs)) {
                        assertThat(read(each, "key").value()).isEqualTo("after");
                        assertThat(read(each, "key").freshUntil()).isNotEqualTo(Long.MIN_VALUE);
                        assertThat(read(each, "their key").value()).isEqualTo("after");
                        assertThat(read(each, "their key").freshUntil()).isNotEqualTo(Long.MIN_VALUE);
                    }
                }
            }
        }

        private void assertOld(Invalidation how, Partition<String> where, String key) throws Exception {
            Slot.Seen<String> seen = read(where, key);
            assertThat(seen.freshUntil()).isEqualTo(Long.MIN_VALUE);
            assertThat(seen.present()).isEqualTo(how == Invalidation.SOFT);
        }

        @Test
        void othersInvalidations_areSeenWithinASecond_andTheStoreIsAskedNoOftener() throws Exception {
            partition.put("key", draft("value"));
            theirs.invalidateAll(Invalidation.HARD);
            assertThat(read(partition, "key").present()).isTrue();
            int before = bytes.reads.get();
            time.advance(Duration.ofMillis(999));
            read(partition, "key");
            assertThat(bytes.reads.get() - before).isEqualTo(1);
            time.advance(Duration.ofMillis(1));
            assertThat(read(partition, "key").present()).isFalse();
            assertThat(bytes.reads.get() - before).isEqualTo(4);
        }

        @Test
        void ownInvalidation_isSeenAtOnce_andAsksTheStore() throws Exception {
            partition.put("key", draft("value"));
            partition.invalidateAll(Invalidation.HARD);
            theirs.invalidateAll(Invalidation.SOFT);
            partition.put("key", draft("again"));
            assertThat(read(theirs, "key").fresh(theirTime.nanos())).isTrue();
        }

        @Test
        void hardAndSoftByTwoNodesAtOnce_neitherUndoesTheOther() throws Exception {
            partition.put("key", draft("value"));
            read(theirs, "key");
            theirs.invalidateAll(Invalidation.HARD);
            partition.invalidateAll(Invalidation.SOFT);
            assertThat(read(partition, "key").present()).isFalse();
            assertThat(read(theirs, "key").present()).isFalse();
        }

        @Test
        void generationThatTheStoreForgot_revivesNothing() throws Exception {
            partition.put("key", draft("value"));
            partition.invalidateAll(Invalidation.HARD);
            bytes.entries.remove("region~hard");
            bytes.entries.remove("region~soft");
            time.advance(Duration.ofSeconds(1));
            assertThat(read(partition, "key").present()).isFalse();
            assertThat(read(open(), "key").present()).isFalse();
            partition.put("key", draft("after"));
            assertThat(read(open(), "key").value()).isEqualTo("after");
        }
    }

    @Nested
    class WhenStepsInterleave {
        @Test
        void invalidationOfAllDuringTheWriteOfAPublication_voidsIt() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            AtomicBoolean once = new AtomicBoolean();
            bytes.beforeWrite = () -> {
                if (once.compareAndSet(false, true)) {
                    unchecked(() -> partition.invalidateAll(Invalidation.HARD));
                }
            };
            assertThat(right.publish(draft("value")).outcome()).isEqualTo(Slot.Published.Outcome.VOIDED);
            assertThat(read(partition, "key").present()).isFalse();
        }

        @Test
        void putDuringTheWriteOfAPublication_waitsForIt_andStays() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            List<Thread> putting = new ArrayList<>();
            bytes.beforeWrite = () -> {
                if (putting.isEmpty()) {
                    Thread put = new Thread(() -> unchecked(() -> partition.put("key", draft("put"))));
                    putting.add(put);
                    put.start();
                    while (put.getState() != Thread.State.WAITING && put.isAlive()) {
                        Thread.onSpinWait();
                    }
                }
            };
            assertThat(right.publish(draft("created")).outcome()).isEqualTo(Slot.Published.Outcome.STORED);
            putting.get(0).join();
            assertThat(read(partition, "key").value()).isEqualTo("put");
        }

        @Test
        void generationReadBeforeAnInvalidation_isNotUsedAfterIt() throws Exception {
            partition.put("key", draft("value"));
            time.advance(Duration.ofSeconds(1));
            AtomicBoolean once = new AtomicBoolean();
            Thread[] invalidating = new Thread[1];
            bytes.afterRead = () -> {
                // The read of the entry is the first, those of the marks come next.
                if (bytes.reads.get() >= 2 && once.compareAndSet(false, true)) {
                    invalidating[0] = new Thread(() -> unchecked(() -> partition.invalidateAll(Invalidation.HARD)));
                    invalidating[0].start();
                    while (invalidating[0].getState() != Thread.State.WAITING && invalidating[0].isAlive()) {
                        Thread.onSpinWait();
                    }
                }
            };
            bytes.reads.set(0);
            read(partition, "key");
            invalidating[0].join();
            assertThat(read(partition, "key").present()).isFalse();
        }

        private interface Step {
            void run() throws Exception;
        }

        private void unchecked(Step step) {
            try {
                step.run();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @Nested
    class InTheStore {
        @Test
        void keys_bearTheRegion_andNoTextOfAKeyIsAMark() throws Exception {
            partition.put("key", draft("value"));
            partition.put("~hard", draft("value"));
            assertThat(bytes.entries.keySet())
                    .containsExactlyInAnyOrder("region:key", "region:~hard", "region~hard", "region~soft");
        }

        @Test
        void keyBeyondTheLimit_isShortened_andCheckedInFull() throws Exception {
            bytes.limit = KeyLimit.of(100);
            Partition<String> limited = open();
            String longKey = "k".repeat(300);
            limited.put(longKey, draft("value"));
            String name = bytes.entries.keySet().stream()
                    .filter(key -> key.startsWith("region:kkk"))
                    .findFirst()
                    .orElseThrow();
            assertThat(name).hasSizeLessThan(100).contains("%~");
            assertThat(read(limited, longKey).value()).isEqualTo("value");
            assertThat(Envelope.decode(
                                    bytes.entries.get(name).bytes(),
                                    ("region:" + longKey).getBytes(StandardCharsets.UTF_8),
                                    100)
                            .readable())
                    .isTrue();
        }

        @Test
        void lives_areInMilliseconds_roundedUp() throws Exception {
            Duration life = Duration.ofNanos(1_500_001);
            partition.put("key", new Slot.Draft<>("value", life, life, Duration.ZERO, true));
            assertThat(bytes.entries.get(STORED_KEY).life()).isEqualTo(Duration.ofMillis(2));
            Duration forEver = Duration.ofSeconds(Long.MAX_VALUE);
            partition.put("key", new Slot.Draft<>("value", forEver, forEver, Duration.ZERO, true));
            assertThat(bytes.entries.get(STORED_KEY).life()).isNull();
        }

        @Test
        void softlyInvalidatedKey_withoutAnEntry_writesNothing() throws Exception {
            List<Map<String, ByteBackend.Entry>> written = new ArrayList<>();
            ByteBackend strict = new BytesInMemory() {
                @Override
                public void setAll(Map<String, Entry> entries) {
                    written.add(entries);
                }
            };
            SerializingBackend.of(strict).open(openings.of(Serializer.string())).invalidate("key", Invalidation.SOFT);
            assertThat(written).isEmpty();
        }

        @Test
        void softlyInvalidatedEntry_keepsWhatIsLeftOfItsLife() throws Exception {
            partition.put("key", draft("value"));
            time.advance(Duration.ofSeconds(100));
            partition.invalidate("key", Invalidation.SOFT);
            assertThat(bytes.entries.get(STORED_KEY).life()).isEqualTo(Duration.ofSeconds(500));
        }

        @Test
        void nothingIsLeftOfRights() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            right.publish(draft("value"));
            assertThat(right.renew()).isFalse();
            assertThat(bytes.entries.keySet()).contains(STORED_KEY);
        }
    }

    @Nested
    class Values {
        @Test
        @Tag("C-132")
        void nestedJson_comesBack() throws Exception {
            Serializer<Map<String, List<Object>>> json = JsonSerializer.of(new TypeReference<>() {});
            Map<String, List<Object>> value = Map.of("foo", Arrays.asList("bar", 1, false, null));
            for (Backend backend : List.of(SerializingBackend.of(bytes), MemoryBackend.create())) {
                Partition<Map<String, List<Object>>> values = backend.open(openings.of("json", json));
                values.put("key", draft(value));
                assertThat(read(values, "key").value()).isEqualTo(value);
            }
        }

        @Test
        @Tag("D-022")
        void changesToWhatWasPutOrRead_areNotSeen() throws Exception {
            Serializer<List<Integer>> json = JsonSerializer.of(new TypeReference<>() {});
            for (Backend backend : List.of(SerializingBackend.of(bytes), MemoryBackend.create())) {
                Partition<List<Integer>> values = backend.open(openings.of("lists", json));
                List<Integer> list = new ArrayList<>(List.of(1));
                values.put("key", draft(list));
                list.add(2);
                assertThat(read(values, "key").value()).isEqualTo(List.of(1));
                read(values, "key").value().add(3);
                assertThat(read(values, "key").value()).isEqualTo(List.of(1));
            }
        }

        @Test
        @Tag("C-129")
        @Tag("C-139")
        void regionWithoutSerializer_isRefused_withWhatToDo() {
            assertThatThrownBy(() -> SerializingBackend.of(bytes)
                            .open(openings.of(Serializer.string()).byReference()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'region'")
                    .hasMessageContaining("SerializingBackend on bytes in memory")
                    .hasMessageContaining("serializer(");
        }
    }
}
