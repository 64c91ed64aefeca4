package io.dogpile.cache;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Date;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong with an interface is told when it is wrapped. */
class CachedProxiesRefusalsTest {
    private final Regions regions = Regions.of(
            Region.<String, Object>builder("any").build(),
            Region.builder("texts", String.class, String.class).build(),
            Region.<String, Object>builder("keyed")
                    .expireAfter((key, value) -> null)
                    .build());

    /** Wraps an object that is never called. */
    private <T> T wrap(Class<T> type) {
        Object target =
                Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> null);
        return CachedProxies.wrap(type, type.cast(target), regions);
    }

    private void assertRefused(Class<?> type, String... inMessage) {
        assertThatThrownBy(() -> wrap(type))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .contains(inMessage);
    }

    @Nested
    class Types {
        interface NothingCached {
            String of(int a);
        }

        interface AStatic {
            @Cached(region = "any")
            static String of(int a) {
                return "";
            }

            @Cached(region = "any")
            String other(int a);
        }

        interface Fine {
            @Cached(region = "any")
            String of(int a);
        }

        static class AnnotatedBase {
            @Cached(region = "any")
            public String of(int a) {
                return "";
            }
        }

        static class Annotated extends AnnotatedBase implements Fine {}

        @Test
        void aClass_isRefused() {
            assertThatThrownBy(() -> CachedProxies.wrap(String.class, "text", regions))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("java.lang.String is a class")
                    .hasMessageContaining("cached(function)");
        }

        @Test
        void anInterfaceWithoutACachedMethod_isRefused() {
            assertRefused(NothingCached.class, "NothingCached", "nothing to cache");
        }

        @Test
        void anAnnotatedMethodThatNoProxySees_isRefused() {
            assertRefused(AStatic.class, "AStatic.of(int)", "region 'any'", "static");
        }

        @Test
        void anAnnotatedClass_isRefused() {
            assertThatThrownBy(() -> CachedProxies.wrap(Fine.class, new Annotated(), regions))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("AnnotatedBase.of(int)")
                    .hasMessageContaining("region 'any'")
                    .hasMessageContaining("interface");
        }

        @Test
        void aProxyOfOurs_isRefused() {
            Fine wrapped = wrap(Fine.class);
            assertThatThrownBy(() -> CachedProxies.wrap(Fine.class, wrapped, regions))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("Fine already");
            Fine twin = CachedProxies.invalidator(wrapped);
            assertThatThrownBy(() -> CachedProxies.wrap(Fine.class, twin, regions))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Nested
    class InRegions {
        interface Missing {
            @Cached(region = "nowhere")
            String of(int a);
        }

        interface Keyed {
            @Cached(region = "keyed")
            String of(int a);
        }

        interface AnInt {
            @Cached(region = "texts")
            int of(int a);
        }

        interface AGeneric<V> {
            @Cached(region = "texts")
            V of(int a);
        }

        interface OfNumbers extends AGeneric<Integer> {}

        interface OfTexts extends AGeneric<String> {}

        interface Between<O> extends AGeneric<O> {}

        interface OfOptionalTexts extends Between<Optional<String>> {}

        interface OfAnything<V> extends AGeneric<V> {}

        interface AFuture {
            @Cached(region = "texts")
            CompletableFuture<Optional<Integer>> of(int a);
        }

        interface AllFit {
            @Cached(region = "texts")
            String plain(int a);

            @Cached(region = "texts")
            Optional<String> optional(int a);

            @Cached(region = "texts")
            CompletableFuture<String> future(int a);

            @Cached(region = "texts")
            CompletableFuture<Optional<String>> both(int a);
        }

        @Test
        void thatAreMissing_areRefused() {
            assertRefused(Missing.class, "Missing.of(int)", "region 'nowhere'", "there are 'any'");
        }

        @Test
        void thatAskForKeys_areRefused_namingBoth() {
            assertRefused(Keyed.class, "Keyed.of(int)", "region 'keyed'", "expireAfter of a key and a value");
        }

        @Test
        void ofAnotherType_areRefused_namingBoth() {
            assertRefused(AnInt.class, "AnInt.of(int)", "'texts'", "java.lang.String", "java.lang.Integer");
            assertRefused(OfNumbers.class, "OfNumbers.of(int)", "java.lang.String", "java.lang.Integer");
            assertRefused(OfAnything.class, "OfAnything.of(int)", "java.lang.Object");
            assertRefused(AFuture.class, "AFuture.of(int)", "java.lang.Integer");
        }

        @Test
        void ofTheTypeThatIsKept_areTaken() {
            assertThatCode(() -> wrap(AllFit.class)).doesNotThrowAnyException();
            assertThatCode(() -> wrap(OfTexts.class)).doesNotThrowAnyException();
            assertThatCode(() -> wrap(OfOptionalTexts.class)).doesNotThrowAnyException();
        }
    }

    @Nested
    class Namespaces {
        interface OtherContent {
            @Cached(region = "any", namespace = "same")
            String text(int a);

            @Cached(region = "any", namespace = "same")
            int number(int a);
        }

        interface SameContent {
            @Cached(region = "any", namespace = "same")
            String text(int a);

            @Cached(region = "any", namespace = "same")
            CompletableFuture<String> later(int a);

            @Cached(region = "texts", namespace = "same")
            String elsewhere(int a);
        }

        interface One {
            @Cached(region = "any")
            String of(int a);
        }

        interface Two {
            @Cached(region = "texts")
            String of(int a);
        }

        interface Torn extends One, Two {}

        interface Decided extends One, Two {
            @Override
            @Cached(region = "texts")
            String of(int a);
        }

        @Test
        void sharedByMethodsOfOtherTypes_areRefused() {
            assertRefused(OtherContent.class, "text(int)", "number(int)", "'same'", "region 'any'");
        }

        @Test
        void sharedByMethodsOfOneType_areTaken() {
            assertThatCode(() -> wrap(SameContent.class)).doesNotThrowAnyException();
        }

        @Test
        void thatTwoSuperInterfacesSayDifferently_areRefused_untilOverridden() {
            assertRefused(Torn.class, "One.of(int)", "Two.of(int)", "override it in");
            assertThatCode(() -> wrap(Decided.class)).doesNotThrowAnyException();
        }
    }

    @Nested
    class Signatures {
        interface ReturnsVoid {
            @Cached(region = "any")
            void bad(int a);
        }

        interface ReturnsFutureOfVoid {
            @Cached(region = "any")
            CompletableFuture<Void> bad(int a);
        }

        interface ReturnsFuture {
            @Cached(region = "any")
            Future<String> bad(int a);
        }

        interface ReturnsOptionalOfFuture {
            @Cached(region = "any")
            Optional<CompletableFuture<String>> bad(int a);
        }

        interface ReturnsStream {
            @Cached(region = "any")
            Stream<String> bad(int a);
        }

        interface ReturnsIterator {
            @Cached(region = "any")
            Iterator<String> bad(int a);
        }

        interface ReturnsInput {
            @Cached(region = "any")
            InputStream bad(int a);
        }

        interface TakesFunction {
            @Cached(region = "any")
            String bad(Function<String, String> a);
        }

        interface TakesExecutor {
            @Cached(region = "any")
            String bad(int a, Executor b);
        }

        interface TakesCounter {
            @Cached(region = "any")
            String bad(AtomicInteger a);
        }

        interface TakesDate {
            @Cached(region = "any")
            String bad(Date a);
        }

        interface TakesPath {
            @Cached(region = "any")
            String bad(Path a);
        }

        interface TakesRunnables {
            @Cached(region = "any")
            String bad(Runnable... a);
        }

        interface GenericTaker<A> {
            @Cached(region = "any")
            String bad(A a);
        }

        interface TakesRunnableForGeneric extends GenericTaker<Runnable> {}

        interface Marker {}

        interface Fine {
            @Cached(region = "any")
            List<String> good(
                    Object a,
                    Number b,
                    Comparable<?> c,
                    Collection<?> d,
                    Marker e,
                    TimeUnit f,
                    byte[] g,
                    CharSequence h,
                    Record i,
                    Enum<?> j,
                    int k,
                    Iterable<?> l);

            @Cached(region = "any")
            <T extends Marker> T generic(Class<T> a, T[] b);
        }

        @ParameterizedTest
        @ValueSource(
                classes = {
                    ReturnsVoid.class,
                    ReturnsFutureOfVoid.class,
                    ReturnsFuture.class,
                    ReturnsOptionalOfFuture.class,
                    ReturnsStream.class,
                    ReturnsIterator.class,
                    ReturnsInput.class,
                    TakesFunction.class,
                    TakesExecutor.class,
                    TakesCounter.class,
                    TakesDate.class,
                    TakesPath.class,
                    TakesRunnables.class,
                    TakesRunnableForGeneric.class
                })
        void thatCannotBeCached_areRefused_namingMethodAndRegion_andWhatToDo(Class<?> type) {
            assertRefused(type, type.getSimpleName() + ".bad(", "region 'any'", "; ");
        }

        @Test
        void thatMayBe_areTaken() {
            assertThatCode(() -> wrap(Fine.class)).doesNotThrowAnyException();
        }
    }
}
