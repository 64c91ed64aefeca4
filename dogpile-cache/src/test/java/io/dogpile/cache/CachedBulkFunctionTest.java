package io.dogpile.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.core.testing.FakeTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a cached function of many arguments does. */
class CachedBulkFunctionTest {
    private final FakeTime time = new FakeTime();
    private final AtomicInteger counter = new AtomicInteger();
    private final List<List<Integer>> batches = new ArrayList<>();
    private final Region<Integer, String> region =
            Region.<Integer, String>builder("many").clock(time).build();
    private final Region.BulkCreator<Integer, String> function = this::all;

    private Map<Integer, String> all(Set<Integer> missing) {
        batches.add(List.copyOf(missing));
        Map<Integer, String> made = new LinkedHashMap<>();
        missing.forEach(key -> made.put(key, key + " " + counter.incrementAndGet()));
        return made;
    }

    /** The same without 10. */
    private Map<Integer, String> withoutTen(Set<Integer> missing) {
        Map<Integer, String> made = all(missing);
        made.remove(10);
        return made;
    }

    @Nested
    class OverTheRegionsEntries extends Rows {
        OverTheRegionsEntries() {
            super(region.cachedAll(function));
        }
    }

    @Nested
    class WithItsOwnEntries extends Rows {
        WithItsOwnEntries() {
            super(region.cachedAll("generate", function));
        }

        @Test
        void null_isAnArgumentLikeAnyOther() {
            List<Integer> arguments = java.util.Arrays.asList(null, 2);
            CachedBulkFunction<Integer, String> nulls = region.cachedAll("nulls", missing -> {
                Map<Integer, String> made = new java.util.HashMap<>();
                missing.forEach(key -> made.put(key, "made of " + key));
                return made;
            });
            assertThat(nulls.apply(arguments))
                    .containsEntry(null, "made of null")
                    .containsEntry(2, "made of 2");
            assertThat(nulls.get(arguments)).hasSize(2);
        }

        @Test
        void areThoseOfAFunctionOfTheSameNamespace() {
            CachedFunction<Integer, String> one = region.cached("generate", (Integer a) -> "one");
            generate.apply(List.of(2));
            assertThat(one.apply(2)).isEqualTo("2 1");
            assertThat(one.key(2)).isEqualTo(generate.key(2)).isEqualTo("generate/(int(2))");
            assertThat(region.get(2)).isEmpty();
        }
    }

    abstract class Rows {
        final CachedBulkFunction<Integer, String> generate;

        Rows(CachedBulkFunction<Integer, String> generate) {
            this.generate = generate;
        }

        @Test
        @Tag("C-170")
        @Tag("C-175")
        void apply_asksOnlyForWhatIsMissing() {
            assertThat(generate.apply(List.of(2, 8, 10))).isEqualTo(Map.of(2, "2 1", 8, "8 2", 10, "10 3"));
            assertThat(generate.apply(List.of(2, 9, 10))).isEqualTo(Map.of(2, "2 1", 9, "9 4", 10, "10 3"));
            generate.invalidate(List.of(2));
            assertThat(generate.apply(List.of(2, 7, 10))).isEqualTo(Map.of(2, "2 5", 7, "7 6", 10, "10 3"));
            generate.put(Map.of(7, "18", 10, "15"));
            assertThat(generate.apply(List.of(2, 7, 10))).isEqualTo(Map.of(2, "2 5", 7, "18", 10, "15"));
            assertThat(batches).containsExactly(List.of(2, 8, 10), List.of(9), List.of(2, 7));
        }

        @Test
        @Tag("C-154")
        void apply_answersInTheOrderOfTheCall() {
            generate.apply(List.of(1));
            assertThat(generate.apply(List.of(3, 1))).containsExactly(Map.entry(3, "3 2"), Map.entry(1, "1 1"));
        }

        @Test
        @Tag("C-172")
        @Tag("C-178")
        void getAndPeek_giveAMapOfWhatIsThere_andNeverCall() {
            assertThat(generate.get(List.of(3, 1))).isEmpty();
            generate.apply(List.of(1));
            assertThat(generate.get(List.of(3, 1))).isEqualTo(Map.of(1, "1 1"));
            assertThat(generate.peek(List.of(3, 1)).get(1).value()).isEqualTo("1 1");
            assertThat(generate.peek(List.of(3, 1))).containsOnlyKeys(1);
            assertThat(batches).hasSize(1);
        }

        @Test
        @Tag("C-173")
        void put_takesValuesByArgument() {
            generate.put(Map.of(1, "1 5", 2, "1 6"));
            assertThat(generate.apply(List.of(2, 1))).isEqualTo(Map.of(1, "1 5", 2, "1 6"));
            assertThat(batches).isEmpty();
        }

        @Test
        @Tag("C-174")
        @Tag("C-175")
        @Tag("E-039")
        void refresh_callsForAll_andStores() {
            generate.apply(List.of(2));
            assertThat(generate.refresh(List.of(2, 7))).isEqualTo(Map.of(2, "2 2", 7, "7 3"));
            assertThat(generate.apply(List.of(2, 7))).isEqualTo(Map.of(2, "2 2", 7, "7 3"));
        }

        @Test
        @Tag("C-178")
        void original_isTheFunctionAsGiven() {
            assertThat(generate.original()).isSameAs(function);
        }
    }

    @Nested
    class WhenAKeyIsLeftOut {
        private final CachedBulkFunction<Integer, String> generate =
                region.cachedAll(CachedBulkFunctionTest.this::withoutTen);

        @Test
        @Tag("C-176")
        void itIsInNoResult_notCached_andAskedForAgain() {
            assertThat(generate.apply(List.of(2, 8, 10))).isEqualTo(Map.of(2, "2 1", 8, "8 2"));
            assertThat(region.peek(10)).isEmpty();
            assertThat(generate.apply(List.of(2, 10))).isEqualTo(Map.of(2, "2 1"));
            assertThat(batches).containsExactly(List.of(2, 8, 10), List.of(10));
        }

        @Test
        @Tag("C-178")
        void refresh_toleratesIt() {
            assertThat(generate.refresh(List.of(2, 10))).isEqualTo(Map.of(2, "2 1"));
        }

        @Test
        @Tag("C-177")
        void refusedValues_areReturned_andCreatedAnew_andTheConditionIsNotAskedOfIt() {
            List<String> asked = new ArrayList<>();
            CachedBulkFunction<Integer, String> picky = region.with(o -> o.cacheIf(value -> {
                        asked.add(value);
                        return !value.startsWith("8 ");
                    }))
                    .cachedAll(CachedBulkFunctionTest.this::withoutTen);
            assertThat(picky.apply(List.of(2, 8, 10))).isEqualTo(Map.of(2, "2 1", 8, "8 2"));
            assertThat(picky.apply(List.of(2, 8))).isEqualTo(Map.of(2, "2 1", 8, "8 4"));
            assertThat(picky.apply(List.of(2, 8))).isEqualTo(Map.of(2, "2 1", 8, "8 5"));
            assertThat(asked).containsExactly("2 1", "8 2", "8 4", "8 5");
        }
    }

    @Nested
    class WhenArgumentsHaveNoStableText {
        @Test
        @Tag("C-151")
        void everyVerb_isRefused() {
            CachedBulkFunction<Object, String> any = region.cachedAll("any", missing -> Map.of());
            Object unstable = new Object();
            List<Runnable> verbs = List.of(
                    () -> any.apply(List.of("a", unstable)),
                    () -> any.get(List.of("a", unstable)),
                    () -> any.peek(List.of("a", unstable)),
                    () -> any.refresh(List.of("a", unstable)),
                    () -> any.put(Map.of(unstable, "value")),
                    () -> any.invalidate(List.of("a", unstable)));
            for (Runnable verb : verbs) {
                assertThatThrownBy(verb::run)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("any: argument 1 of 1");
            }
        }
    }
}
