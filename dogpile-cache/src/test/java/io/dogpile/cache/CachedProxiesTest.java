package io.dogpile.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.dogpile.core.CreationException;
import io.dogpile.core.DogpileListener;
import io.dogpile.core.DogpileListener.WaitOutcome;
import io.dogpile.core.testing.FakeTime;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a proxy answers, and what its twin forgets. */
class CachedProxiesTest {
    private static final String REGION = "any";

    private final FakeTime time = new FakeTime();
    private final AtomicInteger calls = new AtomicInteger();
    private final Region<String, Object> region = region().build();
    private final Regions regions = Regions.of(region);

    private RegionBuilder<String, Object> region() {
        return Region.<String, Object>builder(REGION).clock(time);
    }

    private <T> T wrap(Class<T> type, T target) {
        return CachedProxies.wrap(type, target, regions);
    }

    private String next(Object... arguments) {
        return calls.incrementAndGet() + " " + Arrays.deepToString(arguments);
    }

    interface Texts {
        @Cached(region = REGION)
        String of(int a, String b);

        @Cached(region = REGION)
        String none();

        @Cached(region = REGION)
        String varargs(String first, int... rest);

        String notCached(int a);

        @Cached(region = REGION)
        default String byDefault(int a) {
            return notCached(a);
        }

        default String plainDefault(int a) {
            return notCached(a);
        }
    }

    private final class TextsOfHere implements Texts {
        @Override
        public String of(int a, String b) {
            return next(a, b);
        }

        @Override
        public String none() {
            return next();
        }

        @Override
        public String varargs(String first, int... rest) {
            return next(first, rest);
        }

        @Override
        public String notCached(int a) {
            return next(a);
        }

        @Override
        public String toString() {
            return "texts of here";
        }
    }

    @Nested
    class Calls {
        private final Texts texts = wrap(Texts.class, new TextsOfHere());

        @Test
        @Tag("C-156")
        void ofACachedMethod_areAnsweredByArguments() {
            assertThat(texts.of(1, "a")).isEqualTo("1 [1, a]");
            assertThat(texts.of(1, "b")).isEqualTo("2 [1, b]");
            assertThat(texts.of(1, "a")).isEqualTo("1 [1, a]");
            assertThat(texts.none()).isEqualTo("3 []");
            assertThat(texts.none()).isEqualTo("3 []");
        }

        @Test
        void withVarargs_compareWhatTheArrayHolds() {
            assertThat(texts.varargs("a", 1, 2)).isEqualTo("1 [a, [1, 2]]");
            assertThat(texts.varargs("a", 1, 2)).isEqualTo("1 [a, [1, 2]]");
            assertThat(texts.varargs("a", 1)).isEqualTo("2 [a, [1]]");
            assertThat(texts.varargs("a")).isEqualTo("3 [a, []]");
        }

        @Test
        void ofAMethodWithoutAnnotation_goStraightToTheObject() {
            assertThat(texts.notCached(1)).isEqualTo("1 [1]");
            assertThat(texts.notCached(1)).isEqualTo("2 [1]");
            assertThat(texts.plainDefault(1)).isEqualTo("3 [1]");
            assertThat(texts.plainDefault(1)).isEqualTo("4 [1]");
        }

        @Test
        void handedOnByAnotherProxy_areAnsweredAlike() {
            Texts outer = (Texts) Proxy.newProxyInstance(
                    Texts.class.getClassLoader(), new Class<?>[] {Texts.class}, (proxy, method, arguments) -> {
                        Method ofItsOwn = Texts.class.getDeclaredMethod(method.getName(), method.getParameterTypes());
                        return Proxy.getInvocationHandler(texts).invoke(texts, ofItsOwn, arguments);
                    });
            for (int i = 0; i < 10; i++) {
                assertThat(outer.of(1, "a")).isEqualTo("1 [1, a]");
                assertThat(texts.of(1, "a")).isEqualTo("1 [1, a]");
            }
            assertThat(outer.notCached(1)).isEqualTo("2 [1]");
            assertThat(outer.notCached(1)).isEqualTo("3 [1]");
        }

        @Test
        void ofAnAnnotatedDefaultMethod_areAnswered() {
            assertThat(texts.byDefault(1)).isEqualTo("1 [1]");
            assertThat(texts.byDefault(1)).isEqualTo("1 [1]");
        }

        @Test
        @Tag("C-142")
        void ofTwoObjects_shareEntries_sinceTheReceiverIsNoPartOfTheKey() {
            Texts other = wrap(Texts.class, new TextsOfHere());
            assertThat(texts.of(1, "a")).isEqualTo("1 [1, a]");
            assertThat(other.of(1, "a")).isEqualTo("1 [1, a]");
        }

        @Test
        @Tag("C-157")
        void ofARegionsView_haveItsWishes() {
            AtomicInteger asked = new AtomicInteger();
            Texts brief = CachedProxies.wrap(
                    Texts.class,
                    new TextsOfHere(),
                    Regions.of(region.with(o -> o.staleAfter(() -> {
                        asked.incrementAndGet();
                        return Duration.ofSeconds(1);
                    }))));
            assertThat(brief.of(1, "a")).isEqualTo("1 [1, a]");
            assertThat(brief.of(1, "a")).isEqualTo("1 [1, a]");
            time.advance(Duration.ofSeconds(2));
            assertThat(brief.of(1, "a")).isEqualTo("2 [1, a]");
            assertThat(asked).hasValue(3);
        }

        @Test
        @Tag("C-151")
        void withAnArgumentWithoutText_areRefused_naming_methodAndArgument() {
            Anything anything = wrap(Anything.class, any -> next());
            assertThatThrownBy(() -> anything.of(new Object()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Anything.of[Object]: argument 1 of 1");
            assertThat(anything.of("text")).isEqualTo("1 []");
        }
    }

    interface Anything {
        @Cached(region = REGION)
        String of(Object any);
    }

    @Nested
    class Twin {
        private final Texts texts = wrap(Texts.class, new TextsOfHere());
        private final Texts forget = CachedProxies.invalidator(texts);

        @Test
        @Tag("C-158")
        @Tag("C-166")
        void ofACachedMethod_forgetsWhatTheProxysCallWouldRead_andNothingElse() {
            texts.of(1, "a");
            texts.of(1, "b");
            texts.varargs("a", 1, 2);
            texts.none();
            assertThat(forget.of(1, "a")).isNull();
            assertThat(texts.of(1, "a")).isEqualTo("5 [1, a]");
            assertThat(texts.of(1, "b")).isEqualTo("2 [1, b]");
            forget.varargs("a", 1, 2);
            assertThat(texts.varargs("a", 1, 2)).isEqualTo("6 [a, [1, 2]]");
            forget.none();
            assertThat(texts.none()).isEqualTo("7 []");
        }

        @Test
        void ofAnotherMethod_isRefused() {
            assertThatThrownBy(() -> forget.notCached(1))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("Texts.notCached(int)")
                    .hasMessageContaining("call it on the proxy");
            assertThat(calls).hasValue(0);
        }

        @Test
        void returnsWhatTellsNothing() {
            Forms target = new FormsOfHere();
            Forms none = CachedProxies.invalidator(wrap(Forms.class, target));
            assertThat(none.count("a")).isZero();
            assertThat(none.is("a")).isFalse();
            assertThat(none.letter("a")).isEqualTo('\0');
            assertThat(none.maybe("a")).isEmpty();
            assertThat(none.later("a")).isCompletedWithValue(null);
            assertThat(none.maybeLater("a").toCompletableFuture()).isCompletedWithValue(Optional.empty());
            assertThat(calls).hasValue(0);
        }

        @Test
        void ofWhatIsNoProxyOfOurs_isRefused() {
            assertThatThrownBy(() -> CachedProxies.invalidator(new TextsOfHere()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("texts of here");
            assertThatThrownBy(() -> CachedProxies.invalidator(forget)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    interface Forms {
        @Cached(region = REGION)
        int count(String key);

        @Cached(region = REGION)
        boolean is(String key);

        @Cached(region = REGION)
        char letter(String key);

        @Cached(region = REGION)
        Optional<String> maybe(String key);

        @Cached(region = REGION)
        CompletableFuture<String> later(String key);

        @Cached(region = REGION)
        CompletionStage<Optional<String>> maybeLater(String key);

        @Cached(region = REGION, namespace = "shared")
        int shared(String key);
    }

    private final class FormsOfHere implements Forms {
        CompletableFuture<String> later = new CompletableFuture<>();

        @Override
        public int count(String key) {
            return calls.incrementAndGet();
        }

        @Override
        public boolean is(String key) {
            return calls.incrementAndGet() == 1;
        }

        @Override
        public char letter(String key) {
            return (char) ('a' + calls.incrementAndGet());
        }

        @Override
        public Optional<String> maybe(String key) {
            calls.incrementAndGet();
            return key.isEmpty() ? Optional.empty() : Optional.of(key);
        }

        @Override
        public CompletableFuture<String> later(String key) {
            calls.incrementAndGet();
            return later;
        }

        @Override
        public CompletionStage<Optional<String>> maybeLater(String key) {
            return CompletableFuture.completedFuture(maybe(key));
        }

        @Override
        public int shared(String key) {
            return calls.incrementAndGet();
        }
    }

    @Nested
    class ReturnTypes {
        private final FormsOfHere target = new FormsOfHere();
        private final Forms forms = wrap(Forms.class, target);

        @Test
        void primitives_areKept() {
            assertThat(forms.count("a")).isEqualTo(1);
            assertThat(forms.count("a")).isEqualTo(1);
            assertThat(forms.letter("a")).isEqualTo('c');
            assertThat(forms.letter("a")).isEqualTo('c');
            assertThat(forms.is("a")).isFalse();
            assertThat(forms.is("a")).isFalse();
            assertThat(calls).hasValue(3);
        }

        @Test
        void aNullForAPrimitive_isAClearError() {
            region.<String>cached("shared", a -> null).apply("a");
            assertThatThrownBy(() -> forms.shared("a"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Forms.shared(String)")
                    .hasMessageContaining("region 'any'")
                    .hasMessageContaining("int");
        }

        @Test
        void ofAnOptional_theContentIsKept() {
            assertThat(forms.maybe("a")).contains("a");
            assertThat(forms.maybe("a")).contains("a");
            assertThat(forms.maybe("")).isEmpty();
            assertThat(forms.maybe("")).isEmpty();
            assertThat(calls).hasValue(2);
            String namespace = "io.dogpile.cache.CachedProxiesTest$Forms.maybe[String]";
            assertThat(region.<String>cached(namespace, a -> "new").get("a")).contains("a");
            assertThat(region.<String>cached(namespace, a -> "new")
                            .peek("")
                            .orElseThrow()
                            .value())
                    .isNull();
        }

        @Test
        void anEmptyOptional_isANull_forCacheNullFor() {
            Regions brief =
                    Regions.of(region().cacheNullFor(Duration.ofSeconds(5)).build());
            Forms some = CachedProxies.wrap(Forms.class, target, brief);
            some.maybe("");
            some.maybe("a");
            time.advance(Duration.ofSeconds(6));
            some.maybe("");
            some.maybe("a");
            assertThat(calls).hasValue(3);
        }

        @Test
        void aFuture_isOneCallForAll_andAHitIsCompletedAtOnce() throws Exception {
            CompletableFuture<String> first = forms.later("a");
            CompletableFuture<String> second = forms.later("a");
            assertThat(first).isNotDone();
            target.later.complete("value");
            assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo("value");
            assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo("value");
            assertThat(forms.later("a")).isCompletedWithValue("value");
            assertThat(calls).hasValue(1);
        }

        @Test
        void aFutureThatItsCallerCancels_cancelsNobodyElses_norTheCreation() throws Exception {
            CompletableFuture<String> first = forms.later("a");
            CompletableFuture<String> second = forms.later("a");
            first.cancel(true);
            assertThat(second).isNotDone();
            assertThat(target.later).isNotDone();
            target.later.complete("value");
            assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo("value");
            second.obtrudeValue("changed by its caller");
            assertThat(forms.later("a")).isCompletedWithValue("value");
        }

        @Test
        void aFutureThatItsCallerCancels_waitsNoMore() {
            List<WaitOutcome> waits = new CopyOnWriteArrayList<>();
            Region<String, Object> told = region().refreshOn(Runnable::run)
                    .listener(new DogpileListener() {
                        @Override
                        public void waited(Object name, Duration waited, WaitOutcome outcome) {
                            waits.add(outcome);
                        }
                    })
                    .build();
            Forms some = CachedProxies.wrap(Forms.class, target, Regions.of(told));
            CompletableFuture<String> first = some.later("a");
            CompletableFuture<String> second = some.later("a");
            assertThat(waits).isEmpty();
            second.cancel(false);
            assertThat(waits).containsExactly(WaitOutcome.INTERRUPTED);
            target.later.complete("value");
            assertThat(first).isCompletedWithValue("value");
        }

        @Test
        void aFutureThatFails_failsAsTheObjectsDoes() {
            IOException unreachable = new IOException("unreachable");
            target.later.completeExceptionally(unreachable);
            assertThatThrownBy(() -> forms.later("a").get(20, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .cause()
                    .isSameAs(unreachable);
        }

        @Test
        void aFutureOfAnOptional_keepsTheContent() throws Exception {
            assertThat(forms.maybeLater("a").toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .contains("a");
            assertThat(forms.maybeLater("a").toCompletableFuture()).isCompletedWithValue(Optional.of("a"));
            assertThat(forms.maybeLater("").toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .isEmpty();
            assertThat(calls).hasValue(2);
        }
    }

    interface Failing {
        @Cached(region = REGION)
        String declares(int a) throws IOException, InterruptedException;

        @Cached(region = REGION)
        String declaresNothing(int a);

        @Cached(region = REGION)
        String declaresAll(int a) throws Throwable;

        String notCached(int a) throws IOException;
    }

    interface Undeclared {
        String declares(int a);
    }

    interface DeclaredByOne extends DeclaredElsewhere, Undeclared {}

    interface DeclaredElsewhere {
        @Cached(region = REGION)
        String declares(int a) throws IOException;
    }

    /** Throws whatever it is told to, declared or not. */
    private static final class FailingOnDemand implements Failing {
        Throwable failure = new FileNotFoundException("gone");

        @Override
        public String declares(int a) {
            throw FailingOnDemand.<RuntimeException>thrown(failure);
        }

        @Override
        public String declaresNothing(int a) {
            return declares(a);
        }

        @Override
        public String declaresAll(int a) {
            return declares(a);
        }

        @Override
        public String notCached(int a) {
            return declares(a);
        }

        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
        private static <X extends Throwable> X thrown(Throwable failure) throws X {
            throw (X) failure;
        }
    }

    @Nested
    class Exceptions {
        private final FailingOnDemand target = new FailingOnDemand();
        private final Failing failing = wrap(Failing.class, target);

        @Test
        void checkedAndDeclared_arriveAsThemselves() {
            assertThatThrownBy(() -> failing.declares(1)).isSameAs(target.failure);
            assertThatThrownBy(() -> failing.notCached(1)).isSameAs(target.failure);
        }

        @Test
        void checkedAndNotDeclared_arriveInACreationException() {
            assertThatThrownBy(() -> failing.declaresNothing(1))
                    .isInstanceOf(CreationException.class)
                    .cause()
                    .isSameAs(target.failure);
        }

        @Test
        void checkedAndDeclaredByOneOfTwoSuperInterfaces_areNotDeclared() {
            DeclaredByOne one = wrap(DeclaredByOne.class, target::declares);
            DeclaredElsewhere elsewhere = one;
            assertThatThrownBy(() -> one.declares(1)).isInstanceOf(CreationException.class);
            assertThatThrownBy(() -> elsewhere.declares(2)).isInstanceOf(CreationException.class);
        }

        @Test
        void unchecked_andErrors_arriveAsThemselves() {
            target.failure = new IllegalStateException("not now");
            assertThatThrownBy(() -> failing.declares(1)).isSameAs(target.failure);
            assertThatThrownBy(() -> failing.notCached(1)).isSameAs(target.failure);
            target.failure = new AssertionError("never");
            assertThatThrownBy(() -> failing.declaresNothing(1)).isSameAs(target.failure);
        }

        @Test
        void thatAreNoExceptionsAtAll_arriveAsThemselves_whereDeclared() {
            target.failure = new Throwable("neither");
            assertThatThrownBy(() -> failing.declaresAll(1)).isSameAs(target.failure);
        }

        @Test
        void anInterrupt_arrivesAsItself_withoutTheFlag() {
            target.failure = new InterruptedException("stop");
            assertThatThrownBy(() -> failing.declares(1)).isSameAs(target.failure);
            assertThat(Thread.interrupted()).isFalse();
        }

        @Test
        void thatTheObjectGotFromABackingOffRegion_areToldAsSuch() {
            assertThatThrownBy(() -> failing.declares(1)).isSameAs(target.failure);
            assertThatThrownBy(() -> failing.declares(1)).isSameAs(target.failure);
            assertThatThrownBy(() -> failing.declares(1))
                    .isInstanceOfSatisfying(
                            CreationException.class,
                            e -> assertThat(e.retryAfter()).isPresent());
        }
    }

    interface Repository<K, V> {
        @Cached(region = REGION)
        V find(K key);

        @Cached(region = REGION)
        V overridden(K key);
    }

    interface Names extends Repository<Long, String> {
        @Override
        String overridden(Long key);
    }

    interface Numbers extends Repository<Long, Integer> {}

    interface Overloads {
        @Cached(region = REGION)
        String of(Object a);

        @Cached(region = REGION)
        String of(String a);
    }

    interface Maybe<K, R> {
        @Cached(region = REGION)
        R of(K key);
    }

    interface MaybeByName<O> extends Maybe<String, O> {}

    interface MaybeTexts extends MaybeByName<Optional<String>> {}

    interface Widening {
        @Cached(region = REGION)
        Collection<String> all(int a);
    }

    interface Narrowing extends Widening {
        @Override
        List<String> all(int a);
    }

    interface Both extends Widening, Unannotated {}

    interface Unannotated {
        Collection<String> all(int a);
    }

    @Nested
    class Inherited {
        private final Names names = wrap(Names.class, new Names() {
            @Override
            public String find(Long key) {
                return next(key);
            }

            @Override
            public String overridden(Long key) {
                return next(key);
            }
        });

        @Test
        void anAnnotationOfASuperInterface_isFound() {
            assertThat(names.find(1L)).isEqualTo("1 [1]");
            assertThat(names.find(1L)).isEqualTo("1 [1]");
            assertThat(names.overridden(1L)).isEqualTo("2 [1]");
            assertThat(names.overridden(1L)).isEqualTo("2 [1]");
        }

        @Test
        void aCallThroughTheSuperInterface_isTheSameEntry() {
            Repository<Long, String> repository = names;
            assertThat(names.overridden(1L)).isEqualTo("1 [1]");
            assertThat(repository.overridden(1L)).isEqualTo("1 [1]");
            assertThat(repository.find(1L)).isEqualTo("2 [1]");
            assertThat(names.find(1L)).isEqualTo("2 [1]");
            Repository<Long, String> forget = CachedProxies.invalidator(repository);
            forget.overridden(1L);
            assertThat(names.overridden(1L)).isEqualTo("3 [1]");
        }

        @Test
        @Tag("C-143")
        void aMethodOfTwoInterfaces_isTwoEntries() {
            Numbers numbers = wrap(Numbers.class, new Numbers() {
                @Override
                public Integer find(Long key) {
                    return calls.incrementAndGet();
                }

                @Override
                public Integer overridden(Long key) {
                    return calls.incrementAndGet();
                }
            });
            assertThat(names.find(1L)).isEqualTo("1 [1]");
            assertThat(numbers.find(1L)).isEqualTo(2);
        }

        @Test
        @Tag("C-143")
        void anOverload_isAnotherEntry() {
            Overloads overloads = wrap(Overloads.class, new Overloads() {
                @Override
                public String of(Object a) {
                    return "object " + next(a);
                }

                @Override
                public String of(String a) {
                    return "text " + next(a);
                }
            });
            assertThat(overloads.of((Object) "a")).isEqualTo("object 1 [a]");
            assertThat(overloads.of("a")).isEqualTo("text 2 [a]");
        }

        @Test
        void aTypeVariableThatStandsForAnOptional_isOne() {
            MaybeTexts maybe = wrap(MaybeTexts.class, key -> Optional.of(next(key)));
            assertThat(maybe.of("a")).contains("1 [a]");
            assertThat(maybe.of("a")).contains("1 [a]");
            String namespace = "io.dogpile.cache.CachedProxiesTest$MaybeTexts.of[Object]";
            assertThat(region.<String>cached(namespace, a -> "new").get("a")).contains("1 [a]");
        }

        @Test
        void aNarrowedReturnType_isTheSameMethod() {
            Narrowing narrowing = wrap(Narrowing.class, a -> List.of(next(a)));
            Widening widening = narrowing;
            assertThat(narrowing.all(1)).containsExactly("1 [1]");
            assertThat(widening.all(1)).containsExactly("1 [1]");
        }

        @Test
        void aMethodDeclaredByTwoSuperInterfaces_isAnnotatedByOne() {
            Both both = wrap(Both.class, a -> List.of(next(a)));
            Unannotated other = both;
            assertThat(both.all(1)).containsExactly("1 [1]");
            assertThat(other.all(1)).containsExactly("1 [1]");
        }
    }

    @Nested
    class ObjectsMethods {
        private final Texts target = new TextsOfHere();
        private final Texts proxy = wrap(Texts.class, target);

        @Test
        void equals_isThatOfTheObjects_betweenProxies() {
            assertThat(proxy).isEqualTo(wrap(Texts.class, target));
            assertThat(proxy).isNotEqualTo(wrap(Texts.class, new TextsOfHere()));
            assertThat(proxy).isNotEqualTo(CachedProxies.wrap(Texts.class, target, Regions.of(region)));
            assertThat(proxy).isNotEqualTo(target).isNotEqualTo(null);
            assertThat(target).isNotEqualTo(proxy);
        }

        @Test
        void equals_tellsTheTwinFromTheProxy() {
            Texts twin = CachedProxies.invalidator(proxy);
            assertThat(twin).isEqualTo(CachedProxies.invalidator(proxy)).isNotEqualTo(proxy);
            assertThat(proxy).isNotEqualTo(twin);
            assertThat(twin).hasToString("Invalidator of texts of here");
        }

        @Test
        void hashCodeAndToString_areTheObjects() {
            assertThat(proxy).hasSameHashCodeAs(target).hasToString("texts of here");
        }
    }
}
