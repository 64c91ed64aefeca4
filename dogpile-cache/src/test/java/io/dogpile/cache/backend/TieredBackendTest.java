package io.dogpile.cache.backend;

import static io.dogpile.cache.backend.Openings.claim;
import static io.dogpile.cache.backend.Openings.draft;
import static io.dogpile.cache.backend.Openings.read;
import static io.dogpile.cache.backend.Openings.undisturbed;
import static io.dogpile.cache.backend.Openings.wish;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.cache.Region;
import io.dogpile.cache.RegionBuilder;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import io.dogpile.core.testing.FakeTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToIntBiFunction;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class TieredBackendTest {
    private static final Duration FRONT_LIFE = Duration.ofSeconds(10);

    private final Openings openings = new Openings();
    private final FakeTime time = openings.time;
    private final ScriptedPartition<String> back = new ScriptedPartition<>(openings.of(null));
    private final Partition<String> partition = tiered(MemoryBackend.create());

    private Partition<String> tiered(MemoryBackend front) {
        return TieredBackend.of(front, back.backend(), FRONT_LIFE).open(openings.of(null));
    }

    private String looked(Object key) {
        Slot.Seen<String> seen = partition.look(key);
        return seen == null || !seen.fresh(time.nanos()) ? null : seen.value();
    }

    @Nested
    class Hits {
        @Test
        void valueThatWasRead_isAHit_withoutTheBack() throws Exception {
            back.put("key", draft("value"));
            assertThat(looked("key")).isNull();
            read(partition, "key");
            back.calls.clear();
            assertThat(looked("key")).isEqualTo("value");
            assertThat(partition.look("key")).isSameAs(partition.look("key"));
            assertThat(back.calls).isEmpty();
        }

        @Test
        void copy_bearsTheStampsOfTheBack() throws Exception {
            for (int version = 0; version < 5; version++) {
                back.put("key", draft("value"));
            }
            time.advance(Duration.ofSeconds(20));
            Slot.Seen<String> there = read(partition, "key");
            Slot.Seen<String> copy = partition.look("key");
            assertThat(copy.bornAt()).isEqualTo(there.bornAt());
            assertThat(copy.createdAt()).isEqualTo(there.createdAt());
            assertThat(copy.costNanos()).isEqualTo(there.costNanos());
            assertThat(copy.version()).isEqualTo(there.version());
        }

        @Test
        void copy_lives_asLongAsTheFrontSays() throws Exception {
            back.put("key", draft("value"));
            read(partition, "key");
            time.advance(FRONT_LIFE);
            assertThat(looked("key")).isEqualTo("value");
            time.advance(Duration.ofNanos(1));
            assertThat(looked("key")).isNull();
            assertThat(partition.look("key")).isNull();
            assertThat(read(partition, "key").fresh(time.nanos())).isTrue();
            assertThat(looked("key")).isEqualTo("value");
        }

        @Test
        void manyKeys_ofWhichSomeAreHits_askTheBackForTheOthersOnly() throws Exception {
            Region<Object, String> region = Region.<Object, String>builder("tiers")
                    .clock(time)
                    .recordStats()
                    .backend(TieredBackend.of(MemoryBackend.create(), back.backend(), FRONT_LIFE))
                    .build();
            region.put("a", "1");
            assertThat(region.get("a")).contains("1");
            back.put("a", draft("elsewhere"));
            assertThat(region.getAll(List.of("a", "b"))).isEqualTo(Map.of("a", "1"));
            assertThat(region.getOrCreateAll(List.of("b", "a"), missing -> Map.of("b", "2")))
                    .containsExactly(Map.entry("b", "2"), Map.entry("a", "1"));
            assertThat(region.stats().hits()).isEqualTo(3);
            assertThat(region.stats().misses()).isEqualTo(2);
        }

        @Test
        void copyThatEnded_isNotTaken_byWhoeverIgnoresExpiry() throws Exception {
            Region<Object, String> region = Region.<Object, String>builder("tiers")
                    .clock(time)
                    .backend(TieredBackend.of(MemoryBackend.create(), back.backend(), FRONT_LIFE))
                    .build();
            region.put("key", "old");
            Region<Object, String> lenient = region.with(RegionBuilder::ignoreExpiry);
            assertThat(lenient.get("key")).contains("old");
            back.put("key", draft("new"));
            time.advance(FRONT_LIFE);
            assertThat(lenient.get("key")).contains("old");
            time.advance(Duration.ofNanos(1));
            assertThat(lenient.get("key")).contains("new");
        }

        @Test
        void copy_doesNotOutliveItsValue() throws Exception {
            back.put("key", draft("value"));
            time.advance(Openings.FRESH.minusSeconds(1));
            read(partition, "key");
            assertThat(looked("key")).isEqualTo("value");
            time.advance(Duration.ofSeconds(1).plusNanos(1));
            assertThat(looked("key")).isNull();
        }

        @Test
        void life_countsFromBeforeTheBackWasAsked() throws Exception {
            back.put("key", draft("value"));
            back.afterRead = () -> time.advance(Duration.ofSeconds(4));
            long askedAt = time.nanos();
            read(partition, "key");
            assertThat(partition.look("key").freshUntil()).isEqualTo(askedAt + FRONT_LIFE.toNanos());
        }

        @Test
        void staleValue_isNotCopied_andDropsTheCopy() throws Exception {
            back.put("key", draft("value"));
            read(partition, "key");
            back.invalidate("key", Invalidation.SOFT);
            assertThat(looked("key")).isEqualTo("value");
            assertThat(read(partition, "key").fresh(time.nanos())).isFalse();
            assertThat(partition.look("key")).isNull();
        }

        @Test
        void nullValue_isCopied() throws Exception {
            back.put("key", draft(null));
            read(partition, "key");
            assertThat(partition.look("key").present()).isTrue();
            assertThat(partition.look("key").value()).isNull();
        }

        @Test
        void everyPathThatReads_copies() throws Exception {
            for (String key : List.of("1", "2", "3", "4")) {
                back.put(key, draft("value " + key));
            }
            partition.readAll(List.of("1", "2"));
            assertThat(looked("1")).isEqualTo("value 1");
            assertThat(looked("2")).isEqualTo("value 2");
            Slot.Seen<String> nothing = read(partition, "5");
            back.put("5", draft("value 5"));
            nothing.claim(wish());
            assertThat(looked("5")).isEqualTo("value 5");
        }

        @Test
        void weigherOfTheFront_isGivenTheValue() throws Exception {
            List<Object> weighed = new ArrayList<>();
            ToIntBiFunction<Object, Object> weigher = (key, value) -> {
                weighed.add(value);
                return 1;
            };
            Partition<String> weighing = tiered(MemoryBackend.ofWeight(100, weigher));
            back.put("key", draft("value"));
            read(weighing, "key");
            assertThat(weighed).contains("value");
        }
    }

    @Nested
    class Writes {
        @Test
        void publishedValue_isAHitAtOnce() throws Exception {
            Slot.Published<String> published = claim(partition, "key").grant().publish(draft("value"));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.STORED);
            assertThat(looked("key")).isEqualTo("value");
        }

        @Test
        void publishedBatch_isAHitAtOnce() throws Exception {
            Map<Object, Slots.Asked<String>> asked = new LinkedHashMap<>();
            partition
                    .readAll(List.of("1", "2"))
                    .forEach((key, seen) -> asked.put(key, new Slots.Asked<>(seen, wish())));
            Map<Object, Slot.Grant<String>> grants = new LinkedHashMap<>();
            partition.claimAll(asked).forEach((key, claim) -> grants.put(key, claim.grant()));
            partition.together(grants).publishAll(Map.of("1", draft("one"), "2", draft("two")));
            assertThat(looked("1")).isEqualTo("one");
            assertThat(looked("2")).isEqualTo("two");
        }

        @Test
        void refusedOrUnkeptPublication_leavesNoCopy() throws Exception {
            back.put("key", draft("old"));
            read(partition, "key");
            Slot.Grant<String> right = claim(partition, "key").grant();
            back.invalidate("key", Invalidation.HARD);
            assertThat(looked("key")).isEqualTo("old");
            assertThat(right.publish(draft("late")).outcome()).isEqualTo(Slot.Published.Outcome.VOIDED);
            assertThat(looked("key")).isNull();
        }

        @Test
        void publicationThatFails_leavesNoCopy() throws Exception {
            back.put("key", draft("old"));
            read(partition, "key");
            Slot.Grant<String> right = claim(partition, "key").grant();
            back.failing = new IOException("down");
            assertThatThrownBy(() -> right.publish(draft("new"))).hasMessage("down");
            assertThat(looked("key")).isNull();
        }

        @Test
        void put_andPutAll_replaceTheCopy() throws Exception {
            back.putAll(Map.of("1", draft("old"), "2", draft("old")));
            partition.readAll(List.of("1", "2"));
            partition.put("1", draft("new"));
            partition.putAll(Map.of("2", draft("new")));
            for (String key : List.of("1", "2")) {
                assertThat(looked(key)).isNull();
                read(partition, key);
                assertThat(looked(key)).isEqualTo("new");
            }
        }

        @Test
        void everyInvalidation_dropsTheCopy_evenWhereTheBackFails() throws Exception {
            for (boolean failing : List.of(false, true)) {
                for (Invalidation how : Invalidation.values()) {
                    assertDrops(failing, () -> partition.invalidate("key", how));
                    assertDrops(failing, () -> partition.invalidateAll(List.of("key"), how));
                    assertDrops(failing, () -> partition.invalidateAll(how));
                    assertDrops(failing, () -> partition.put("key", draft("new")));
                    assertDrops(failing, () -> partition.putAll(Map.of("key", draft("new"))));
                }
            }
        }

        private void assertDrops(boolean failing, ScriptedPartition.Step step) throws Exception {
            back.put("key", draft("value"));
            read(partition, "key");
            assertThat(looked("key")).isEqualTo("value");
            if (failing) {
                back.failing = new IOException("down");
                assertThatThrownBy(step::run).hasMessage("down");
                back.failing = null;
            } else {
                step.run();
            }
            assertThat(looked("key")).isNull();
        }
    }

    /** What was read from the back before a change must not be put into the front after it. */
    @Nested
    class InsertRace {
        private void assertNotCopied(ScriptedPartition.Step change) throws Exception {
            back.put("key", draft("old"));
            back.afterRead = change;
            assertThat(read(partition, "key").value()).isEqualTo("old");
            back.afterRead = () -> {};
            assertThat(looked("key")).isNull();
            read(partition, "key");
        }

        @Test
        void changeBetweenReadAndCopy_isNotOverwritten() throws Exception {
            assertNotCopied(() -> partition.invalidate("key", Invalidation.HARD));
            assertNotCopied(() -> partition.invalidateAll(List.of("key"), Invalidation.SOFT));
            assertNotCopied(() -> partition.invalidateAll(Invalidation.SOFT));
            assertNotCopied(() -> partition.put("key", draft("new")));
            assertNotCopied(() -> back.push("key"));
            assertNotCopied(() -> back.push(null));
        }

        @Test
        void publicationBetweenReadAndCopy_isNotOverwritten() throws Exception {
            back.put("key", draft("old"));
            Slot.Grant<String> right = claim(partition, "key").grant();
            back.afterRead = () -> right.publish(draft("new"));
            assertThat(read(partition, "key").value()).isEqualTo("old");
            assertThat(looked("key")).isEqualTo("new");
        }

        @Test
        void changeBetweenPublicationAndCopy_isNotOverwritten() throws Exception {
            List<ScriptedPartition.Step> changes = List.of(
                    () -> partition.invalidate("key", Invalidation.HARD),
                    () -> partition.invalidateAll(Invalidation.HARD),
                    () -> partition.put("key", draft("put")),
                    () -> back.push("key"));
            for (ScriptedPartition.Step change : changes) {
                Slot.Grant<String> right = claim(partition, "key").grant();
                back.afterPublish = change;
                right.publish(draft("created"));
                back.afterPublish = () -> {};
                assertThat(looked("key")).isNull();
            }
        }

        @Test
        void claimThatAnswersWithWhatWasSeenBefore_isNotCopiedAfterAChange() throws Exception {
            back.put("key", draft("old"));
            Slot.Seen<String> seen = read(partition, "key");
            partition.invalidate("key", Invalidation.HARD);
            Slot.Claim<String> claim = seen.claim(undisturbed());
            assertThat(claim.seen().value()).isEqualTo("old");
            assertThat(looked("key")).isNull();
            claim.grant().abandon(null);
            assertThat(partition
                            .claimAll(Map.of("key", new Slots.Asked<>(seen, undisturbed())))
                            .get("key")
                            .seen()
                            .value())
                    .isEqualTo("old");
            assertThat(looked("key")).isNull();
        }

        @Test
        void readAllBeforeAnInvalidation_isNotCopiedAfterIt() throws Exception {
            back.put("key", draft("old"));
            back.afterRead = () -> partition.invalidate("key", Invalidation.HARD);
            partition.readAll(List.of("key"));
            assertThat(looked("key")).isNull();
        }
    }

    @Nested
    class Pushes {
        @Test
        void pushOfAKey_dropsItsCopy_andNoOther() throws Exception {
            back.putAll(Map.of(1L, draft("one"), 2L, draft("two")));
            partition.readAll(List.of(1L, 2L));
            back.push("1");
            assertThat(looked(1L)).isNull();
            assertThat(looked(2L)).isEqualTo("two");
            back.push("never seen");
        }

        @Test
        void pushOfAll_dropsAll() throws Exception {
            back.putAll(Map.of("1", draft("one"), "2", draft("two")));
            partition.readAll(List.of("1", "2"));
            back.push(null);
            assertThat(looked("1")).isNull();
            assertThat(looked("2")).isNull();
        }

        @Test
        void copyMadeAfterAPush_isDroppedByTheNext() throws Exception {
            back.put("key", draft("one"));
            for (int i = 0; i < 3; i++) {
                read(partition, "key");
                assertThat(looked("key")).isEqualTo("one");
                System.gc();
                back.push("key");
                assertThat(looked("key")).isNull();
            }
        }

        @Test
        void backThatKnowsThatItsPushesDoNotArrive_isNotCopied_untilTheyDo() throws Exception {
            back.put("key", draft("one"));
            read(partition, "key");
            assertThat(looked("key")).as("it never said that it knows").isEqualTo("one");
            back.goesLive(true);
            assertThat(looked("key")).isNull();
            read(partition, "key");
            assertThat(looked("key")).isEqualTo("one");
            back.goesLive(false);
            assertThat(looked("key")).isNull();
            read(partition, "key");
            partition.readAll(List.of("key"));
            claim(partition, "key").grant().publish(draft("two"));
            assertThat(looked("key")).isNull();
            back.goesLive(true);
            read(partition, "key");
            assertThat(looked("key")).isEqualTo("two");
        }

        @Test
        void pushedValueOfASlot_isHandedOn_andNotCopied() throws Exception {
            List<String> told = new ArrayList<>();
            partition.slot("key").watch(seen -> told.add(seen == null ? "look again" : seen.value()));
            back.put("key", draft("value"));
            Slot.Seen<String> pushed = back.memory.slot("key").read();
            back.slotWatchers.forEach(watcher -> watcher.accept(pushed));
            back.slotWatchers.forEach(watcher -> watcher.accept(null));
            assertThat(told).containsExactly("value", "look again");
            assertThat(looked("key")).isNull();
        }

        @Test
        void end_closesTheBack_andItsWatch() {
            List<String> told = new ArrayList<>();
            partition.watchAll(told::add);
            back.push("key");
            assertThat(told).containsExactly("key");
            partition.close();
            assertThat(back.closed).isTrue();
            assertThat(back.watchers).hasSize(1);
        }
    }

    @Nested
    class Building {
        @Test
        void lifeThatIsNotPositive_isRefused() {
            for (Duration life : List.of(Duration.ZERO, Duration.ofNanos(-1))) {
                assertThatThrownBy(() -> TieredBackend.of(MemoryBackend.create(), back.backend(), life))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("frontLife")
                        .hasMessageContaining(life.toString());
            }
        }

        @Test
        void front_keepsValuesAsTheyAre_thoughTheRegionHasASerializer() throws Exception {
            Map<Object, Object> map = new ConcurrentHashMap<>();
            Partition<String> serialized = TieredBackend.of(
                            MemoryBackend.on((ConcurrentHashMap<Object, Object>) map),
                            SerializingBackend.of(new BytesInMemory()),
                            FRONT_LIFE)
                    .open(openings.of(Serializer.string()));
            serialized.put("key", draft("value"));
            Slot.Seen<String> there = read(serialized, "key");
            assertThat(serialized.look("key").value()).isSameAs(there.value());
        }
    }
}
