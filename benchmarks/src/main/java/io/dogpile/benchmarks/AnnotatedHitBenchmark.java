package io.dogpile.benchmarks;

import com.github.benmanes.caffeine.cache.Caffeine;
import io.dogpile.cache.Cached;
import io.dogpile.cache.CachedProxies;
import io.dogpile.cache.Region;
import io.dogpile.cache.Regions;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.caffeine.CaffeineCacheManager;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * The call of an annotated method with one argument that finds a fresh value in memory; otherwise as
 * {@link RegionHitBenchmark}. Spring is set up as its reference shows: a Caffeine manager, {@code sync = true}, the proxy
 * that it makes of an interface.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AnnotatedHitBenchmark {
    /** What is called. */
    public interface Service {
        /** Finds a value. */
        @Cached(region = "hits")
        @Nullable
        String find(String key);
    }

    /** Dogpile's proxy. */
    @State(Scope.Benchmark)
    public static class OfDogpile {
        private final Region<String, String> region =
                RegionHitBenchmark.region("hits").build();
        final Service service = CachedProxies.wrap(Service.class, RegionHitBenchmark::create, Regions.of(region));

        /** Fills it. */
        @Setup
        public void fill() {
            RegionHitBenchmark.pollute(service::find);
        }
    }

    /** Dogpile's proxy. */
    @Benchmark
    public @Nullable String dogpile(OfDogpile caches, Keys keys) {
        return caches.service.find(keys.next());
    }

    /** What Spring proxies. */
    public static class Cacheables implements Service {
        @Override
        @Cacheable(cacheNames = "hits", sync = true)
        public String find(String key) {
            return RegionHitBenchmark.create(key);
        }
    }

    /** Spring's context. */
    @Configuration(proxyBeanMethods = false)
    @EnableCaching
    public static class Context {
        /** The caches. */
        @Bean
        public CacheManager cacheManager() {
            CaffeineCacheManager manager = new CaffeineCacheManager("hits");
            manager.setCaffeine(
                    Caffeine.newBuilder().maximumSize(Keys.CAPACITY).expireAfterWrite(RegionHitBenchmark.LIFE));
            return manager;
        }

        /** The service. */
        @Bean
        public Service service() {
            return new Cacheables();
        }
    }

    /** Spring's proxy. */
    @State(Scope.Benchmark)
    public static class OfSpring {
        private final AnnotationConfigApplicationContext context =
                new AnnotationConfigApplicationContext(Context.class);
        final Service service = context.getBean(Service.class);

        /** Fills it. */
        @Setup
        public void fill() {
            RegionHitBenchmark.pollute(service::find);
        }

        /** Ends the context. */
        @TearDown
        public void close() {
            context.close();
        }
    }

    /** The reference. */
    @Benchmark
    public @Nullable String spring(OfSpring caches, Keys keys) {
        return caches.service.find(keys.next());
    }
}
