package io.dogpile.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.core.CreationException;
import io.dogpile.core.testing.FakeTime;
import java.io.IOException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a cached function does. */
class CachedFunctionTest {
    private static final Duration QUARTER = Duration.ofMillis(250);

    /** Several arguments in one. */
    record Pair(int a, int b) {}

    private final FakeTime time = new FakeTime();
    private final AtomicInteger calls = new AtomicInteger();
    private final Region<String, String> region = texts().build();

    private RegionBuilder<String, String> texts() {
        return Region.<String, String>builder("texts").clock(time);
    }

    private String went(Object... arguments) {
        StringBuilder text = new StringBuilder().append(calls.incrementAndGet());
        for (Object argument : arguments) {
            text.append(' ').append(argument);
        }
        return text.toString();
    }

    private CachedFunction.Of2<Integer, Integer, String> go(Region<?, String> in) {
        return in.cached("go", (Integer a, Integer b) -> went(a, b));
    }

    @Nested
    class Called {
        @Test
        @Tag("C-156")
        void byItsArguments_untilTheyAreStale() {
            var go = go(texts().staleAfter(QUARTER).build());
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            assertThat(go.apply(3, 4)).isEqualTo("2 3 4");
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            time.advance(QUARTER.plusMillis(50));
            assertThat(go.apply(1, 2)).isEqualTo("3 1 2");
        }

        @Test
        @Tag("C-156")
        void byBoxedArguments_comparesValues_notObjects() {
            var go = go(region);
            assertThat(go.apply(1_000_000, 2_000_000)).isEqualTo("1 1000000 2000000");
            assertThat(go.apply(Integer.parseInt("1000000"), Integer.parseInt("2000000")))
                    .isEqualTo("1 1000000 2000000");
        }

        @Test
        @Tag("C-156")
        void byOneRecord_isByItsComponents() {
            CachedFunction<Pair, String> go = region.cached("go", pair -> went(pair.a(), pair.b()));
            assertThat(go.apply(new Pair(1, 2))).isEqualTo("1 1 2");
            assertThat(go.apply(new Pair(2, 1))).isEqualTo("2 2 1");
            assertThat(go.apply(new Pair(1, 2))).isEqualTo("1 1 2");
        }

        @Test
        void byThreeAndFourArguments_andByNull_keepsTheirOrder() {
            CachedFunction.Of3<String, Integer, Boolean, String> three =
                    region.cached("three", (String a, Integer b, Boolean c) -> went(a, b, c));
            CachedFunction.Of4<String, Integer, Boolean, Long, String> four =
                    region.cached("four", (String a, Integer b, Boolean c, Long d) -> went(a, b, c, d));
            CachedFunction<String, String> one = region.cached("one", (String a) -> went(a));
            assertThat(three.apply("a", 1, true)).isEqualTo("1 a 1 true");
            assertThat(four.apply("a", 1, true, 2L)).isEqualTo("2 a 1 true 2");
            assertThat(one.apply(null)).isEqualTo("3 null");
            assertThat(three.apply("a", 1, true)).isEqualTo("1 a 1 true");
            assertThat(four.apply("a", 1, true, 2L)).isEqualTo("2 a 1 true 2");
            assertThat(one.apply(null)).isEqualTo("3 null");
        }

        @Test
        @Tag("C-169")
        void byTenThreadsAtOnce_isOneCall() throws Exception {
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch go = new CountDownLatch(1);
            CachedFunction<Integer, String> slow = region.cached("slow", (Integer a) -> {
                begun.countDown();
                assertThat(go.await(20, TimeUnit.SECONDS)).isTrue();
                return went(a);
            });
            ExecutorService threads = Executors.newCachedThreadPool();
            try {
                List<Future<String>> callers = new ArrayList<>();
                for (int i = 0; i < 10; i++) {
                    callers.add(threads.submit(() -> slow.apply(1)));
                }
                assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
                time.awaitParked(9);
                go.countDown();
                for (Future<String> caller : callers) {
                    assertThat(caller.get(20, TimeUnit.SECONDS)).isEqualTo("1 1");
                }
            } finally {
                threads.shutdownNow();
            }
        }

        @Test
        @Tag("C-168")
        void byAnotherFunction_ofTheSameArguments_isAnotherEntry() {
            CachedFunction<Integer, String> inner = region.cached("Inner.get", (Integer a) -> "inner " + went(a));
            CachedFunction<Integer, String> outer =
                    region.cached("Outer.get", (Integer a) -> "outer " + inner.apply(a));
            assertThat(outer.apply(4)).isEqualTo("outer inner 1 4");
            assertThat(inner.apply(4)).isEqualTo("inner 1 4");
        }

        @Test
        @Tag("C-168")
        void byItself_withTheSameArgument_isRefused_andWithAnotherAllowed() {
            List<CachedFunction<Integer, String>> self = new ArrayList<>();
            self.add(region.cached(
                    "sum", (Integer a) -> a == 0 ? "0" : self.get(0).apply(a - 1) + "+" + a));
            assertThat(self.get(0).apply(3)).isEqualTo("0+1+2+3");
            self.add(region.cached("loop", (Integer a) -> self.get(1).apply(a)));
            assertThatThrownBy(() -> self.get(1).apply(1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("loop/(int(1))");
        }

        @Test
        void whenTheFunctionFails_failsAsTheRegionDoes() {
            IOException unreachable = new IOException("unreachable");
            CachedFunction<Integer, String> checked = region.cached("checked", (Integer a) -> {
                throw unreachable;
            });
            assertThatThrownBy(() -> checked.apply(1))
                    .isInstanceOf(CreationException.class)
                    .hasCause(unreachable)
                    .hasMessageContaining("region 'texts'")
                    .hasMessageContaining("checked/(int(1))");
        }
    }

    @Nested
    class Verbs {
        private final CachedFunction.Of2<Integer, Integer, String> go = go(region);

        @Test
        @Tag("C-158")
        void invalidate_forgetsTheseArgumentsOnly() {
            go.apply(1, 2);
            go.apply(3, 4);
            go.invalidate(1, 2);
            assertThat(go.apply(3, 4)).isEqualTo("2 3 4");
            assertThat(go.apply(1, 2)).isEqualTo("3 1 2");
        }

        @Test
        @Tag("C-159")
        void put_storesWithoutACall_falsyValuesToo() {
            Region<String, Integer> numbers =
                    Region.<String, Integer>builder("numbers").clock(time).build();
            CachedFunction.Of2<Integer, Integer, Integer> count =
                    numbers.cached("count", (Integer a, Integer b) -> calls.incrementAndGet());
            count.put(1, 2, 5);
            count.put(1, 3, 0);
            count.put(1, 4, null);
            assertThat(count.apply(1, 2)).isEqualTo(5);
            assertThat(count.apply(1, 3)).isZero();
            assertThat(count.apply(1, 4)).isNull();
            assertThat(count.apply(2, 1)).isEqualTo(1);
        }

        @Test
        @Tag("C-160")
        void getAndPeek_neverCall() {
            assertThat(go.get(2, 1)).isEmpty();
            assertThat(go.peek(2, 1)).isEmpty();
            assertThat(go.apply(2, 1)).isEqualTo("1 2 1");
            assertThat(go.get(2, 1)).contains("1 2 1");
            assertThat(go.peek(2, 1).orElseThrow().value()).isEqualTo("1 2 1");
            assertThat(calls).hasValue(1);
        }

        @Test
        @Tag("C-162")
        void refresh_alwaysCalls_andOthersGetWhatItMade() {
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            assertThat(go.refresh(1, 2)).isEqualTo("2 1 2");
            assertThat(go.apply(1, 2)).isEqualTo("2 1 2");
            assertThat(go.apply(1, 2)).isEqualTo("2 1 2");
            assertThat(go.refresh(1, 2)).isEqualTo("3 1 2");
        }

        @Test
        @Tag("C-165")
        void allOfThem_meanTheEntryOfTheCall() {
            ByText store = new ByText();
            Region<String, String> remote = texts().backend(store).build();
            CachedFunction<int[], String> one = remote.cached("f", (int[] a) -> went(a[0]));
            one.apply(new int[] {7});
            one.get(new int[] {7});
            one.peek(new int[] {7});
            one.put(new int[] {7}, "x");
            one.refresh(new int[] {7});
            one.invalidate(new int[] {7});
            assertThat(store.asked).containsExactly(one.key(new int[] {7})).containsExactly("f/(int[](7))");
            store.asked.clear();
            var two = go(remote);
            two.apply(1, 2);
            two.get(1, 2);
            two.peek(1, 2);
            two.put(1, 2, "x");
            two.refresh(1, 2);
            two.invalidate(1, 2);
            assertThat(store.asked).containsExactly(two.key(1, 2)).containsExactly("go/(int(1),int(2))");
            store.asked.clear();
            CachedFunction.Of3<Integer, Integer, String, String> three =
                    remote.cached("f3", (Integer a, Integer b, String c) -> went(a, b, c));
            three.apply(1, 2, "c");
            three.get(1, 2, "c");
            three.peek(1, 2, "c");
            three.put(1, 2, "c", "x");
            three.refresh(1, 2, "c");
            three.invalidate(1, 2, "c");
            assertThat(store.asked).containsExactly(three.key(1, 2, "c")).containsExactly("f3/(int(1),int(2),c)");
            store.asked.clear();
            CachedFunction.Of4<Integer, Integer, String, String, String> four =
                    remote.cached("f4", (Integer a, Integer b, String c, String d) -> went(a, b, c, d));
            four.apply(1, 2, "c", "d");
            four.get(1, 2, "c", "d");
            four.peek(1, 2, "c", "d");
            four.put(1, 2, "c", "d", "x");
            four.refresh(1, 2, "c", "d");
            four.invalidate(1, 2, "c", "d");
            assertThat(store.asked).containsExactly(four.key(1, 2, "c", "d")).containsExactly("f4/(int(1),int(2),c,d)");
            assertThat(four.get(1, 2, "c", "d")).isEmpty();
        }

        @Test
        @Tag("C-167")
        void ofTwoRegions_areIndependent_andTheOriginalIsLeftAsItIs() {
            CachedFunction.Creator2<Integer, Integer, String> original = (a, b) -> went(a, b);
            Region<String, String> other =
                    Region.<String, String>builder("other").clock(time).build();
            CachedFunction.Of2<Integer, Integer, String> here = region.cached("go", original);
            CachedFunction.Of2<Integer, Integer, String> there = other.cached("go", original);
            assertThat(here.apply(1, 2)).isEqualTo("1 1 2");
            assertThat(there.apply(1, 2)).isEqualTo("2 1 2");
            here.invalidate(1, 2);
            assertThat(there.apply(1, 2)).isEqualTo("2 1 2");
            assertThat(here.original()).isSameAs(original);
            assertThat(there.original()).isSameAs(original);
            assertThat(calls).hasValue(2);
        }
    }

    @Nested
    class OfAView {
        @Test
        @Tag("C-157")
        void itsOwnLife_overridesTheRegions() {
            var go = go(texts().staleAfter(QUARTER).build().with(o -> o.staleAfter(QUARTER.multipliedBy(2))));
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            time.advance(QUARTER.multipliedBy(2));
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            time.advance(Duration.ofMillis(1));
            assertThat(go.apply(1, 2)).isEqualTo("2 1 2");
        }

        @Test
        @Tag("C-157")
        void aSuppliedLife_isAskedAtEachCall_hitsIncluded() {
            AtomicInteger asked = new AtomicInteger();
            List<Duration> lives = new ArrayList<>(List.of(QUARTER.multipliedBy(2)));
            var go = go(texts().staleAfter(QUARTER)
                    .build()
                    .with(o -> o.staleAfter(() -> {
                        asked.incrementAndGet();
                        return lives.isEmpty() ? null : lives.get(0);
                    })));
            go.apply(1, 2);
            go.apply(1, 2);
            assertThat(asked).hasValue(2);
            time.advance(QUARTER.multipliedBy(2));
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            assertThat(go.get(1, 2)).contains("1 1 2");
            assertThat(go.peek(1, 2).orElseThrow().stale()).isFalse();
            assertThat(asked).hasValue(5);
            lives.clear();
            assertThat(go.peek(1, 2).orElseThrow().stale())
                    .as("null is the region's")
                    .isTrue();
            assertThat(go.apply(1, 2)).isEqualTo("2 1 2");
            lives.add(Duration.ZERO);
            time.advance(Duration.ofNanos(1));
            assertThat(go.apply(1, 2)).isEqualTo("3 1 2");
            time.advance(Duration.ofNanos(1));
            assertThat(go.apply(1, 2)).isEqualTo("4 1 2");
        }

        @Test
        @Tag("E-043")
        void aLifeUntilTheEndOfTheDay_endsAtMidnight() {
            var go = go(region.with(o -> o.staleAfter(() -> sinceMidnight())));
            time.advance(Duration.ofHours(10));
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            time.advance(Duration.ofHours(13).plusMinutes(59));
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            time.advance(Duration.ofMinutes(2));
            assertThat(go.apply(1, 2)).isEqualTo("2 1 2");
        }

        private Duration sinceMidnight() {
            ZonedDateTime now = time.instant().atZone(ZoneOffset.UTC);
            return Duration.between(now.toLocalDate().atStartOfDay(ZoneOffset.UTC), now);
        }

        @Test
        @Tag("C-161")
        void get_judgesByTheFunctionsLife_notTheRegions() {
            Region<String, String> brief =
                    texts().staleAfter(Duration.ofMillis(50)).build();
            var go = go(brief.with(o -> o.staleAfter(Duration.ofSeconds(100))));
            go.apply(1, 2);
            time.advance(Duration.ofSeconds(90));
            assertThat(go.get(1, 2)).contains("1 1 2");
            assertThat(go.peek(1, 2).orElseThrow().stale()).isFalse();
            assertThat(go(brief).get(1, 2)).isEmpty();
        }

        @Test
        void whatItRefuses_isNotStored() {
            var go = go(region.with(o -> o.cacheIf(value -> !value.endsWith("2"))));
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            assertThat(go.apply(1, 2)).isEqualTo("2 1 2");
            assertThat(go.apply(1, 3)).isEqualTo("3 1 3");
            assertThat(go.apply(1, 3)).isEqualTo("3 1 3");
        }
    }

    @Nested
    class Arguments {
        private final Queue<Runnable> behind = new ArrayDeque<>();

        @Test
        @Tag("C-071")
        void thatChangeAfterTheCall_areNotSeenByACreationBehindIt() {
            Region<String, String> stale =
                    texts().staleAfter(QUARTER).refreshOn(behind::add).build();
            CachedFunction<int[], String> one = stale.cached("one", (int[] a) -> went(a[0]));
            CachedFunction.Of2<int[], Integer, String> two = stale.cached("two", (int[] a, Integer b) -> went(a[0], b));
            one.apply(new int[] {7});
            two.apply(new int[] {7}, 8);
            time.advance(QUARTER.plusMillis(1));
            int[] argument = {7};
            assertThat(one.apply(argument)).isEqualTo("1 7");
            assertThat(two.apply(argument, 8)).isEqualTo("2 7 8");
            argument[0] = 9;
            assertThat(behind).hasSize(2);
            behind.forEach(Runnable::run);
            assertThat(one.apply(new int[] {7})).isEqualTo("3 7");
            assertThat(two.apply(new int[] {7}, 8)).isEqualTo("4 7 8");
        }

        @Test
        void thatTheFunctionChanges_areItsOwn() {
            CachedFunction.Of2<int[], Integer, String> sorted = region.cached("sorted", (int[] a, Integer b) -> {
                Arrays.sort(a);
                return went(a[0]);
            });
            int[] argument = {2, 1};
            assertThat(sorted.apply(argument, 0)).isEqualTo("1 1");
            assertThat(argument).containsExactly(2, 1);
            assertThat(sorted.apply(argument, 0)).isEqualTo("1 1");
        }

        static Stream<Object> unstable() {
            return Stream.of(
                    new Object(),
                    new StringBuilder("text"),
                    List.of(new Object()),
                    List.of(new byte[] {1}),
                    Map.of("key", new byte[] {1}),
                    Optional.of(List.of(new int[] {1})),
                    new Object[] {List.of(new int[] {1})});
        }

        @ParameterizedTest
        @MethodSource("unstable")
        @Tag("C-151")
        void withoutAStableText_areRefusedByEveryVerb_inMemoryToo(Object unstable) {
            CachedFunction.Of2<String, Object, String> f = region.cached("find", (String a, Object b) -> went(a));
            CachedFunction<Object, String> one = region.cached("one", (Object a) -> went(a));
            for (Callable<?> verb : List.<Callable<?>>of(
                    () -> f.apply("a", unstable),
                    () -> f.get("a", unstable),
                    () -> f.peek("a", unstable),
                    () -> f.refresh("a", unstable),
                    () -> {
                        f.put("a", unstable, "value");
                        return null;
                    },
                    () -> {
                        f.invalidate("a", unstable);
                        return null;
                    })) {
                assertThatThrownBy(verb::call)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("find: argument 2 of 2")
                        .hasMessageContaining("; pass ");
            }
            assertThatThrownBy(() -> one.apply(unstable)).hasMessageContaining("one: argument 1 of 1");
            assertThat(calls).hasValue(0);
        }

        @Test
        @Tag("C-148")
        void outsideOfAscii_areKeptAsTheyAre() {
            ByText store = new ByText();
            CachedFunction<String, String> f = texts().backend(store).build().cached("f", (String a) -> went(a));
            assertThat(f.apply("méil")).isEqualTo("1 méil");
            assertThat(f.apply("drôle")).isEqualTo("2 drôle");
            assertThat(f.apply("méil")).isEqualTo("1 méil");
            assertThat(store.asked).containsExactlyInAnyOrder("f/(méil)", "f/(drôle)");
        }

        @Test
        @Tag("C-149")
        void thatDiffer_haveEntriesThatDiffer_inAStoreOfTexts() {
            Region<String, Object> remote = Region.<String, Object>builder("any")
                    .clock(time)
                    .backend(new ByText())
                    .build();
            CachedFunction.Of2<Object, Object, Object> f =
                    remote.cached("f", (Object a, Object b) -> Arrays.asList(a, b));
            assertAnswersItself(f, "a b", "c");
            assertAnswersItself(f, "a", "b c");
            assertAnswersItself(f, 1, 2);
            assertAnswersItself(f, "1", "2");
            assertAnswersItself(f, null, "null");
            assertAnswersItself(f, "null", null);
            Random random = new Random(20_260_101);
            for (int i = 0; i < 5_000; i++) {
                assertAnswersItself(f, any(random, 2), any(random, 2));
            }
        }

        private void assertAnswersItself(CachedFunction.Of2<Object, Object, Object> f, Object a, Object b) {
            assertThat(f.apply(a, b)).isEqualTo(Arrays.asList(a, b));
        }

        /** From few values, and those of which the texts are alike. */
        private Object any(Random random, int levels) {
            switch (random.nextInt(levels == 0 ? 5 : 7)) {
                case 0:
                    return random.nextInt(3);
                case 1:
                    return (long) random.nextInt(3);
                case 2:
                    return random.nextBoolean() ? null : random.nextBoolean();
                case 3:
                    return (char) ('0' + random.nextInt(3));
                case 4:
                    StringBuilder text = new StringBuilder();
                    for (int i = random.nextInt(4); i > 0; i--) {
                        text.append("1,( )%~".charAt(random.nextInt(7)));
                    }
                    return text.toString();
                case 5:
                    return Arrays.asList(any(random, levels - 1), any(random, levels - 1));
                default:
                    return Optional.ofNullable(any(random, levels - 1));
            }
        }
    }

    @Nested
    class KeysOfTheRegion {
        @Test
        @Tag("C-154")
        void rendered_holdForTheSharedFunction_inEveryVerb() {
            Region<List<Integer>, String> byFirst = Region.<List<Integer>, String>builder("byFirst")
                    .clock(time)
                    .keys(arguments -> "first " + arguments.get(0))
                    .build();
            CachedFunction<List<Integer>, String> go =
                    byFirst.cached(arguments -> went(arguments.get(0), arguments.get(1)));
            assertThat(go.apply(List.of(1, 2))).isEqualTo("1 1 2");
            assertThat(go.apply(List.of(1, 3))).isEqualTo("1 1 2");
            assertThat(go.get(List.of(1, 4))).contains("1 1 2");
            assertThat(go.key(List.of(1, 5))).isEqualTo("first 1");
            assertThat(go.refresh(List.of(1, 6))).isEqualTo("2 1 6");
            go.put(List.of(1, 7), "put");
            assertThat(go.apply(List.of(1, 2))).isEqualTo("put");
            go.invalidate(List.of(1, 8));
            assertThat(go.apply(List.of(1, 2))).isEqualTo("3 1 2");
        }

        @Test
        @Tag("C-154")
        void rendered_doNotHoldForAFunctionWithItsOwnEntries() {
            Region<List<Integer>, String> byFirst = Region.<List<Integer>, String>builder("byFirst")
                    .clock(time)
                    .keys(arguments -> "first")
                    .build();
            var go = go(byFirst);
            assertThat(go.apply(1, 2)).isEqualTo("1 1 2");
            assertThat(go.apply(1, 3)).isEqualTo("2 1 3");
        }

        @Test
        @Tag("C-155")
        void thatArePrefixed_andWrittenDown_areInvalidatedAsAGroup() {
            ByText store = new ByText();
            List<String> group = new ArrayList<>();
            UnaryOperator<String> prefixed = key -> "myapp:dogpile:" + key;
            Region<String, String> written =
                    texts().backend(store).keys(prefixed::apply).build();
            CachedFunction<String, String> f = written.cached(key -> {
                group.add(key);
                return went(key);
            });
            f.apply("a");
            f.apply("b");
            assertThat(store.asked).containsExactlyInAnyOrder("myapp:dogpile:a", "myapp:dogpile:b");
            written.invalidateAll(group);
            assertThat(f.apply("a")).isEqualTo("3 a");
            assertThat(f.apply("b")).isEqualTo("4 b");
        }
    }

    @Nested
    class Refused {
        @Test
        void whereTheRegionAsksForKeys_byBothNames_andTheSharedFunctionIsNot() {
            Region<String, String> keyed =
                    texts().cacheIf((key, value) -> !key.equals("no")).build();
            for (Callable<?> made : List.<Callable<?>>of(
                    () -> keyed.cached("one", (String a) -> a),
                    () -> keyed.cached("one", (String a, String b) -> a),
                    () -> keyed.cached("one", (String a, String b, String c) -> a),
                    () -> keyed.cached("one", (String a, String b, String c, String d) -> a),
                    () -> keyed.<String>cachedAll("one", missing -> Map.of()))) {
                assertThatThrownBy(made::call)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("one")
                        .hasMessageContaining("region 'texts'")
                        .hasMessageContaining("cacheIf of a key and a value");
            }
            CachedFunction<String, String> shared = keyed.cached(key -> went(key));
            assertThat(shared.apply("no")).isEqualTo("1 no");
            assertThat(shared.apply("no")).isEqualTo("2 no");
            assertThat(shared.apply("yes")).isEqualTo("3 yes");
            assertThat(shared.apply("yes")).isEqualTo("3 yes");
        }

        @Test
        void withAnEmptyNamespace() {
            assertThatThrownBy(() -> region.cached("", (String a) -> a))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("'texts'");
        }
    }
}
