package io.dogpile.cache.backend;

import static io.dogpile.cache.backend.Openings.claim;
import static io.dogpile.cache.backend.Openings.draft;
import static io.dogpile.cache.backend.Openings.read;
import static io.dogpile.cache.backend.Openings.wish;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.cache.Region;
import io.dogpile.core.Slot;
import io.dogpile.core.Slots;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class ProxyBackendTest {
    private final Openings openings = new Openings();
    private final ScriptedPartition<String> inner = new ScriptedPartition<>(openings.of(null));

    /** Writes down what passes. */
    private static final class Logging extends ProxyBackend {
        private final List<String> log;
        private final String mark;

        Logging(Backend proxied) {
            this(proxied, new ArrayList<>(), "");
        }

        Logging(Backend proxied, List<String> log, String mark) {
            super(proxied);
            this.log = log;
            this.mark = mark;
        }

        @Override
        protected <V> Slot.Seen<V> onRead(String region, Object key, Slot.Seen<V> seen) {
            log.add(mark + "read " + region + "/" + key + " " + (seen.present() ? seen.value() : "nothing"));
            return seen;
        }

        @Override
        protected <V> Slot.Draft<V> onWrite(String region, Object key, Slot.Draft<V> draft) {
            log.add(mark + "write " + region + "/" + key + " " + draft.value() + " " + draft.staleAfter());
            return draft;
        }

        @Override
        protected void onDelete(String region, Object key, Invalidation how) {
            log.add(mark + "delete " + region + "/" + key + " " + how);
        }

        List<String> drained() {
            List<String> drained = List.copyOf(log);
            log.clear();
            return drained;
        }
    }

    /** Keys that begin with "never" are not stored. */
    private static final class Vetoing extends ProxyBackend {
        Vetoing(Backend proxied) {
            super(proxied);
        }

        @Override
        protected <V> Slot.Draft<V> onWrite(String region, Object key, Slot.Draft<V> draft) {
            return key.toString().startsWith("never") ? null : draft;
        }
    }

    private static final class Failing extends ProxyBackend {
        boolean onRead;
        boolean onWrite;

        Failing(Backend proxied) {
            super(proxied);
        }

        @Override
        protected <V> Slot.Seen<V> onRead(String region, Object key, Slot.Seen<V> seen) {
            if (onRead) {
                throw new IllegalStateException("onRead");
            }
            return seen;
        }

        @Override
        protected <V> Slot.Draft<V> onWrite(String region, Object key, Slot.Draft<V> draft) {
            if (onWrite) {
                throw new IllegalStateException("onWrite");
            }
            return draft;
        }
    }

    @Test
    @Tag("C-025")
    @Tag("E-011")
    void everyVerbOfThePort_isOverridden() {
        List<String> missing = new ArrayList<>();
        missing(missing, Partition.class, ProxyPartition.class);
        missing(missing, Slots.class, ProxyPartition.class);
        missing(missing, Slot.class, nested("ProxySlot"));
        missing(missing, Slot.Seen.class, nested("ProxySeen"));
        missing(missing, Slot.Grant.class, nested("ProxyGrant"));
        missing(missing, Slots.Grants.class, nested("ProxyGrants"));
        assertThat(missing).isEmpty();
    }

    private static Class<?> nested(String name) {
        return Arrays.stream(ProxyPartition.class.getDeclaredClasses())
                .filter(type -> type.getSimpleName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static void missing(List<String> missing, Class<?> port, Class<?> proxy) {
        int checked = 0;
        for (Method method : port.getMethods()) {
            if (Modifier.isStatic(method.getModifiers())) {
                continue;
            }
            checked++;
            try {
                Method own = proxy.getMethod(method.getName(), method.getParameterTypes());
                if (own.getDeclaringClass().isInterface()) {
                    missing.add(proxy.getSimpleName() + "." + method.getName());
                }
            } catch (NoSuchMethodException e) {
                missing.add(proxy.getSimpleName() + "." + method.getName());
            }
        }
        assertThat(checked).as("verbs of " + port).isPositive();
    }

    @Nested
    class EveryPath {
        private final Logging proxy = new Logging(inner.backend());
        private final Partition<String> partition = proxy.open(openings.of(null));

        @Test
        @Tag("C-029")
        void put_andRead() throws Exception {
            partition.put("key", draft("value"));
            assertThat(proxy.drained()).containsExactly("write region/key value PT1M");
            read(partition, "key");
            read(partition, "other");
            assertThat(proxy.drained()).containsExactly("read region/key value", "read region/other nothing");
        }

        @Test
        @Tag("C-030")
        void look() throws Exception {
            Logging free = new Logging(MemoryBackend.create());
            Partition<String> memory = free.open(openings.of(null));
            assertThat(memory.look("key")).isNull();
            memory.put("key", draft("value"));
            free.drained();
            assertThat(memory.look("key").value()).isEqualTo("value");
            assertThat(free.drained()).containsExactly("read region/key value");
            assertThat(memory.slot("key").readsFree()).isTrue();
            assertThat(partition.slot("key").readsFree()).isFalse();
        }

        @Test
        void readAll_andPutAll() throws Exception {
            Map<Object, Slot.Draft<String>> drafts = new LinkedHashMap<>();
            drafts.put("1", draft("one"));
            drafts.put("2", draft("two"));
            partition.putAll(drafts);
            assertThat(proxy.drained()).containsExactly("write region/1 one PT1M", "write region/2 two PT1M");
            assertThat(inner.calls).startsWith("putAll");
            partition.readAll(List.of("1", "2", "3"));
            assertThat(proxy.drained())
                    .containsExactly("read region/1 one", "read region/2 two", "read region/3 nothing");
        }

        @Test
        void claim_andPublish() throws Exception {
            Slot.Claim<String> claim = claim(partition, "key");
            assertThat(proxy.drained()).containsExactly("read region/key nothing", "read region/key nothing");
            Slot.Published<String> published = claim.grant().publish(draft("value"));
            assertThat(proxy.drained()).containsExactly("write region/key value PT1M", "read region/key value");
            published.seen().claim(wish());
            assertThat(proxy.drained()).containsExactly("read region/key value");
        }

        @Test
        void claimAll_andPublishAll() throws Exception {
            partition.put("1", draft("one"));
            Map<Object, Slots.Asked<String>> asked = new LinkedHashMap<>();
            partition
                    .readAll(List.of("1", "2"))
                    .forEach((key, seen) -> asked.put(key, new Slots.Asked<>(seen, wish())));
            proxy.drained();
            Map<Object, Slot.Grant<String>> grants = new LinkedHashMap<>();
            partition.claimAll(asked).forEach((key, claim) -> grants.put(key, claim.grant()));
            assertThat(proxy.drained()).containsExactly("read region/1 one", "read region/2 nothing");
            Map<Object, Slot.Draft<String>> drafts = new LinkedHashMap<>();
            drafts.put("1", draft("new"));
            drafts.put("2", draft("two"));
            partition.together(grants).publishAll(drafts);
            assertThat(proxy.drained())
                    .containsExactly(
                            "write region/1 new PT1M",
                            "write region/2 two PT1M",
                            "read region/1 new",
                            "read region/2 two");
        }

        @Test
        void supersededValue() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            inner.put("key", draft("put"));
            proxy.drained();
            Slot.Published<String> published = right.publish(draft("created"));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.SUPERSEDED);
            assertThat(proxy.drained()).containsExactly("write region/key created PT1M", "read region/key put");
        }

        @Test
        void pushedValue() throws Exception {
            List<String> told = new ArrayList<>();
            partition.slot("key").watch(seen -> told.add(seen == null ? "look again" : seen.value()));
            inner.put("key", draft("pushed"));
            Slot.Seen<String> pushed = inner.memory.slot("key").read();
            inner.slotWatchers.forEach(watcher -> watcher.accept(pushed));
            inner.slotWatchers.forEach(watcher -> watcher.accept(null));
            assertThat(told).containsExactly("pushed", "look again");
            assertThat(proxy.drained()).containsExactly("read region/key pushed");
        }

        @Test
        void everyInvalidation() throws Exception {
            partition.invalidate("key", Invalidation.SOFT);
            partition.invalidateAll(List.of("1", "2"), Invalidation.HARD);
            partition.invalidateAll(Invalidation.SOFT);
            assertThat(proxy.drained())
                    .containsExactly(
                            "delete region/key SOFT",
                            "delete region/1 HARD",
                            "delete region/2 HARD",
                            "delete region/null SOFT");
            assertThat(inner.calls).contains("invalidateAll(keys)", "invalidateAll");
        }

        @Test
        @Tag("C-026")
        void tenSetsAndTenGets_areTenOfEach() throws Exception {
            for (int i = 0; i < 10; i++) {
                partition.put("key" + i, draft("value"));
            }
            assertThat(proxy.drained()).hasSize(10).allMatch(line -> line.startsWith("write"));
            for (int i = 0; i < 10; i++) {
                read(partition, "key" + i);
            }
            assertThat(proxy.drained()).hasSize(10).allMatch(line -> line.startsWith("read"));
            partition.invalidate("key0", Invalidation.HARD);
            assertThat(read(partition, "key0").present()).isFalse();
        }

        @Test
        @Tag("C-030")
        void isTheSame_whateverTheBackendKeeps() throws Exception {
            for (Backend backend : List.of(
                    MemoryBackend.create(),
                    SerializingBackend.of(new BytesInMemory()),
                    TieredBackend.of(
                            MemoryBackend.create(), SerializingBackend.of(new BytesInMemory()), Openings.FRESH))) {
                Logging logging = new Logging(backend);
                Partition<String> logged = logging.open(openings.of(Serializer.string()));
                logged.put("key", draft("value"));
                read(logged, "key");
                assertThat(logging.drained())
                        .as(backend.toString())
                        .containsExactly("write region/key value PT1M", "read region/key value");
            }
        }

        @Test
        void pushesOfTheRegion_andTheEnd_passThrough() {
            List<String> told = new ArrayList<>();
            partition.watchAll(told::add);
            inner.push("key");
            assertThat(told).containsExactly("key");
            partition.close();
            assertThat(inner.closed).isTrue();
        }
    }

    @Nested
    class Veto {
        private final Partition<String> partition = new Vetoing(inner.backend()).open(openings.of(null));

        @Test
        @Tag("C-024")
        void vetoedPut_isDropped() throws Exception {
            partition.put("never", draft("value"));
            partition.putAll(Map.of("never too", draft("value")));
            partition.put("ever", draft("value"));
            assertThat(read(partition, "never").present()).isFalse();
            assertThat(read(partition, "never too").present()).isFalse();
            assertThat(read(partition, "ever").value()).isEqualTo("value");
            assertThat(inner.calls).doesNotContain("putAll");
        }

        @Test
        void vetoedPublication_isHandedOn_andNotStored() throws Exception {
            Slot.Published<String> published = claim(partition, "never").grant().publish(draft("value"));
            assertThat(published.outcome()).isEqualTo(Slot.Published.Outcome.STORED);
            assertThat(published.seen()).isNull();
            assertThat(read(partition, "never").present()).isFalse();
        }

        @Test
        void vetoInABatch_concernsItsKeyOnly() throws Exception {
            Map<Object, Slots.Asked<String>> asked = new LinkedHashMap<>();
            partition
                    .readAll(List.of("never", "ever"))
                    .forEach((key, seen) -> asked.put(key, new Slots.Asked<>(seen, wish())));
            Map<Object, Slot.Grant<String>> grants = new LinkedHashMap<>();
            partition.claimAll(asked).forEach((key, claim) -> grants.put(key, claim.grant()));
            Map<Object, Slot.Published<String>> published =
                    partition.together(grants).publishAll(Map.of("never", draft("1"), "ever", draft("2")));
            assertThat(published.get("never").outcome()).isEqualTo(Slot.Published.Outcome.STORED);
            assertThat(published.get("ever").outcome()).isEqualTo(Slot.Published.Outcome.STORED);
            assertThat(read(partition, "never").present()).isFalse();
            assertThat(read(partition, "ever").value()).isEqualTo("2");
        }

        @Test
        void draftNotToBeKept_isNoWrite() throws Exception {
            Logging logging = new Logging(inner.backend());
            Partition<String> logged = logging.open(openings.of(null));
            Slot.Draft<String> kept = draft("value");
            Slot.Grant<String> right = claim(logged, "key").grant();
            logging.drained();
            right.publish(new Slot.Draft<>("value", kept.staleAfter(), kept.expireAfter(), kept.cost(), false));
            assertThat(logging.drained()).isEmpty();
        }
    }

    @Nested
    class WhenAHookThrows {
        private final Failing proxy = new Failing(inner.backend());
        private final Partition<String> partition = proxy.open(openings.of(null));

        @Test
        void publication_fails_andTheRightIsGivenBack() throws Exception {
            Slot.Grant<String> right = claim(partition, "key").grant();
            proxy.onWrite = true;
            assertThatThrownBy(() -> right.publish(draft("value"))).hasMessage("onWrite");
            assertThat(right.renew()).isFalse();
            assertThat(inner.calls).contains("abandon");
        }

        @Test
        void aHit_isAReadThatFails_andFollowsThePolicy() {
            Failing before = new Failing(MemoryBackend.create());
            Region<String, String> region = Region.<String, String>builder("values")
                    .backend(before)
                    .recordStats()
                    .build();
            region.put("key", "old");
            before.onRead = true;
            assertThat(region.getOrCreate("key", key -> "new")).isEqualTo("new");
            assertThat(region.getOrCreateAll(List.of("key"), missing -> Map.of("key", "new")))
                    .containsEntry("key", "new");
            assertThat(region.get("key")).isEmpty();
            assertThat(region.stats().storeFailures()).isPositive();
            before.onRead = false;
            assertThat(region.get("key")).contains("old");
        }

        @Test
        void claim_fails_andTheRightIsGivenBack() throws Exception {
            Slot.Seen<String> seen = read(partition, "key");
            Map<Object, Slots.Asked<String>> asked = Map.of("key", new Slots.Asked<>(seen, wish()));
            proxy.onRead = true;
            assertThatThrownBy(() -> seen.claim(wish())).hasMessage("onRead");
            assertThatThrownBy(() -> partition.claimAll(asked)).hasMessage("onRead");
            assertThat(inner.calls).filteredOn("abandon"::equals).hasSize(2);
        }
    }

    @Nested
    class SeveralProxies {
        @Test
        @Tag("C-023")
        void outerOne_seesWritesFirst_andReadsLast() throws Exception {
            List<String> log = new ArrayList<>();
            Logging inside = new Logging(inner.backend(), log, "inner ");
            Partition<String> partition = new Logging(inside, log, "outer ").open(openings.of(null));
            partition.put("key", draft("value"));
            read(partition, "key");
            assertThat(log)
                    .containsExactly(
                            "outer write region/key value PT1M",
                            "inner write region/key value PT1M",
                            "inner read region/key value",
                            "outer read region/key value");
        }

        @Test
        @Tag("C-027")
        @Tag("C-028")
        void oneProxyBeforeTwoRegions_keepsThemApart() throws Exception {
            Logging proxy = new Logging(MemoryBackend.create());
            Partition<String> one = proxy.open(openings.of("one", null));
            Partition<String> two = proxy.open(openings.of("two", null));
            one.put("key", draft("1"));
            assertThat(read(two, "key").present()).isFalse();
            assertThat(proxy.drained()).containsExactly("write one/key 1 PT1M", "read two/key nothing");
            assertThat(proxy.proxied()).hasToString("MemoryBackend of 10000 entries");
        }
    }

    @Test
    void changedValue_isWhatIsStoredAndSeen() throws Exception {
        ProxyBackend upper = new ProxyBackend(inner.backend()) {
            @Override
            @SuppressWarnings("unchecked") // of strings
            protected <V> Slot.Draft<V> onWrite(String region, Object key, Slot.Draft<V> draft) {
                return (Slot.Draft<V>) draft(draft.value().toString().toUpperCase(java.util.Locale.ROOT));
            }
        };
        Partition<String> partition = upper.open(openings.of(null));
        partition.put("key", draft("value"));
        assertThat(inner.memory.slot("key").read().value()).isEqualTo("VALUE");
        assertThat(new TreeSet<>(inner.calls)).containsExactly("put");
    }
}
