package io.dogpile.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.backend.Invalidation;
import io.dogpile.core.testing.FakeTime;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which entries the ways into a region share, and which are their own. */
class WhichEntriesTest {
    interface Users {
        @Cached(region = "users")
        String find(long id);

        @Cached(region = "users", namespace = "named")
        String named(long id);
    }

    private final AtomicInteger calls = new AtomicInteger();
    private final Region<Long, String> region =
            Region.<Long, String>builder("users").clock(new FakeTime()).build();

    private final Users target = new Users() {
        @Override
        public String find(long id) {
            return "proxy" + calls.incrementAndGet();
        }

        @Override
        public String named(long id) {
            return "named" + calls.incrementAndGet();
        }
    };

    private String next(Long key) {
        return "value" + calls.incrementAndGet();
    }

    @Test
    void getOrCreate_andAFunctionWithoutNamespace_shareTheRegionsKeys() {
        CachedFunction<Long, String> function = region.cached(this::next);
        assertThat(region.getOrCreate(1L, this::next)).isEqualTo("value1");
        assertThat(function.apply(1L)).isEqualTo("value1");
        assertThat(function.apply(2L)).isEqualTo("value2");
        assertThat(region.getOrCreate(2L, this::next)).isEqualTo("value2");
        function.invalidate(1L);
        assertThat(region.get(1L)).isEmpty();
        region.invalidate(2L);
        assertThat(function.get(2L)).isEmpty();
        assertThat(function.key(42L)).isEqualTo("long(42)");
    }

    @Test
    void aFunctionWithANamespace_hasItsOwn_andSharesThemWithItsNamesake() {
        CachedFunction<Long, String> function = region.cached("next", this::next);
        CachedFunction<Long, String> namesake = region.cached("next", this::next);
        CachedFunction<Long, String> other = region.cached("other", this::next);
        assertThat(region.getOrCreate(1L, this::next)).isEqualTo("value1");
        assertThat(function.apply(1L)).isEqualTo("value2");
        assertThat(other.apply(1L)).isEqualTo("value3");
        assertThat(namesake.apply(1L)).isEqualTo("value2");
        function.invalidate(1L);
        assertThat(region.get(1L)).contains("value1");
        assertThat(other.get(1L)).contains("value3");
        assertThat(namesake.get(1L)).isEmpty();
        assertThat(function.key(42L)).isEqualTo("next/(long(42))");
    }

    @Test
    @Tag("C-143")
    void aMethod_hasItsOwn_byClassNameAndParameters() {
        Users users = CachedProxies.wrap(Users.class, target, Regions.of(region));
        String namespace = "io.dogpile.cache.WhichEntriesTest$Users.find[long]";
        assertThat(region.getOrCreate(1L, this::next)).isEqualTo("value1");
        assertThat(users.find(1L)).isEqualTo("proxy2");
        assertThat(users.named(1L)).isEqualTo("named3");
        assertThat(region.<Long>cached(namespace, this::next).get(1L)).contains("proxy2");
    }

    @Test
    void aMethodWithANamespace_sharesThemWithTheFunctionOfThatNamespace() {
        Users users = CachedProxies.wrap(Users.class, target, Regions.of(region));
        CachedFunction<Long, String> function = region.cached("named", this::next);
        assertThat(users.named(1L)).isEqualTo("named1");
        assertThat(function.apply(1L)).isEqualTo("named1");
        function.put(1L, "put");
        assertThat(users.named(1L)).isEqualTo("put");
        CachedProxies.invalidator(users).named(1L);
        assertThat(function.get(1L)).isEmpty();
    }

    @Test
    void allOfThem_endWithTheRegionsInvalidation() {
        Users users = CachedProxies.wrap(Users.class, target, Regions.of(region));
        CachedFunction<Long, String> function = region.cached("next", this::next);
        region.put(1L, "one");
        function.put(1L, "one");
        assertThat(users.find(1L)).isEqualTo("proxy1");
        region.invalidateAll(Invalidation.HARD);
        assertThat(region.get(1L)).isEmpty();
        assertThat(function.get(1L)).isEmpty();
        assertThat(users.find(1L)).isEqualTo("proxy2");
    }
}
