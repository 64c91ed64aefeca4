package io.dogpile.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.alicp.jetcache.RefreshPolicy;
import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.LoadingCache;
import io.dogpile.cache.Cached;
import io.dogpile.cache.CachedProxies;
import io.dogpile.cache.Region;
import io.dogpile.cache.Regions;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.MemoryBackend;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.cache.concurrent.ConcurrentMapCacheManager;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The samples of the guide that show other caches, and what takes their place, run. */
class GuideSamplesTest {
    /** A value. */
    public record User(long id, String name) {}

    private static final class Repository {
        final AtomicInteger loads = new AtomicInteger();

        User load(long id) {
            return id < 0 ? null : new User(id, "user " + loads.incrementAndGet());
        }
    }

    private static final Repository repository = new Repository();

    @Test
    void fromCaffeine() throws Exception {
        int before = repository.loads.get();
        // guide moving-from-java-caches.md#from-caffeine
        LoadingCache<Long, User> cache = Caffeine.newBuilder()
                .maximumSize(10_000)
                .refreshAfterWrite(Duration.ofMinutes(1))
                .expireAfterWrite(Duration.ofHours(1))
                .recordStats()
                .build(id -> repository.load(id));
        User user = cache.get(42L);
        // end
        // guide moving-from-java-caches.md#from-caffeine
        Region<Long, User> users = Region.<Long, User>builder("users")
                .backend(MemoryBackend.ofEntries(10_000))
                .staleAfter(Duration.ofMinutes(1)) // refreshAfterWrite
                .expireAfter(Duration.ofHours(1)) // expireAfterWrite
                .refreshOn(executor) // as Caffeine does, by its executor
                .recordStats()
                .build();
        User same = users.getOrCreate(42L, id -> repository.load(id));
        // end
        assertEquals(user.id(), same.id());
        assertEquals(before + 2, repository.loads.get());
        assertNull(cache.get(-1L));
        assertNull(users.getOrCreate(-1L, repository::load));
        assertEquals(2, users.stats().creations());
    }

    private final Executor executor = Runnable::run;

    @Test
    void fromJetCache() {
        int before = repository.loads.get();
        // guide moving-from-java-caches.md#from-jetcache
        com.alicp.jetcache.Cache<Long, User> cache = CaffeineCacheBuilder.createCaffeineCacheBuilder()
                .limit(10_000)
                .expireAfterWrite(1, TimeUnit.HOURS)
                .cachePenetrateProtect(true)
                .refreshPolicy(
                        RefreshPolicy.newPolicy(1, TimeUnit.MINUTES).stopRefreshAfterLastAccess(1, TimeUnit.HOURS))
                .<Long, User>loader(id -> repository.load(id))
                .buildCache();
        User user = cache.get(42L);
        // end
        cache.close();
        // guide moving-from-java-caches.md#from-jetcache
        Region<Long, User> users = Region.<Long, User>builder("users")
                .backend(MemoryBackend.ofEntries(10_000))
                .staleAfter(Duration.ofMinutes(1)) // when it is asked for, not by a timer
                .expireAfter(Duration.ofHours(1))
                .refreshOn(executor)
                .build();
        User same = users.getOrCreate(42L, id -> repository.load(id));
        Map<Long, User> several = users.getOrCreateAll(
                List.of(1L, 2L), missing -> Map.of(1L, new User(1, "one"), 2L, new User(2, "two")));
        // end
        assertEquals(user.id(), same.id());
        assertEquals(before + 2, repository.loads.get());
        assertEquals("two", several.get(2L).name());
    }

    @Nested
    class FromSpring {
        // guide moving-from-java-caches.md#from-spring-cache
        public static class SpringUsers {
            @Cacheable(cacheNames = "users", sync = true)
            public User find(long id) {
                return repository.load(id);
            }
        }
        // end

        /** What an application says of its cache. */
        @Configuration
        @EnableCaching
        public static class Caching {
            @Bean
            CacheManager caches() {
                return new ConcurrentMapCacheManager();
            }

            @Bean
            SpringUsers users() {
                return new SpringUsers();
            }
        }

        // guide moving-from-java-caches.md#from-spring-cache
        interface Users {
            @Cached(region = "users")
            User find(long id);
        }
        // end

        @Test
        void annotatedMethod_isAnInterfacesMethod() {
            try (AnnotationConfigApplicationContext spring = new AnnotationConfigApplicationContext(Caching.class)) {
                SpringUsers users = spring.getBean(SpringUsers.class);
                assertSame(users.find(42), users.find(42));
            }
            Users target = repository::load;
            // guide moving-from-java-caches.md#from-spring-cache
            Region<Long, User> region = Region.<Long, User>builder("users")
                    .staleAfter(Duration.ofMinutes(1))
                    .expireAfter(Duration.ofHours(1))
                    .build();
            Users users = CachedProxies.wrap(Users.class, target, Regions.of(region));
            User user = users.find(42);
            CachedProxies.invalidator(users).find(42); // @CacheEvict
            region.invalidateAll(Invalidation.HARD); // @CacheEvict(allEntries = true)
            // end
            assertEquals(42, user.id());
            assertEquals(user.id(), users.find(42).id());
        }
    }
}
