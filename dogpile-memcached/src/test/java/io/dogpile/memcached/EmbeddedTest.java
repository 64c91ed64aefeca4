package io.dogpile.memcached;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.servers.ServerKind;
import io.dogpile.cache.testing.BackendContract;
import io.dogpile.cache.testing.RegionContract;
import io.dogpile.core.LockProvider;
import io.dogpile.core.testing.LockProviderContract;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import net.spy.memcached.MemcachedClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/** The contracts on the embedded server, wherever the others of this machine come from. */
class EmbeddedTest {
    private static final List<MemcachedClient> clients = new ArrayList<>();
    private static MemcachedServer server;

    @BeforeAll
    static void start() {
        server = MemcachedServer.builder().kind(ServerKind.EMBEDDED).start();
    }

    @AfterAll
    static void stop() {
        clients.forEach(MemcachedClient::shutdown);
        server.close();
    }

    private static MemcachedBackend newBackend() {
        return MemcachedBackend.builder()
                .servers(server.address())
                .timeout(MemcachedServer.TIMEOUT)
                .build();
    }

    @Nested
    class AsBackend extends BackendContract {
        private final List<MemcachedBackend> made = new ArrayList<>();

        @AfterEach
        void closeAll() {
            made.forEach(MemcachedBackend::close);
        }

        @Override
        protected Backend backend() {
            made.add(newBackend());
            return made.get(made.size() - 1);
        }

        @Override
        protected Backend restarted(Backend first) {
            return backend();
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT, Trait.EXCLUSIVE, Trait.TELLS);
        }
    }

    @Nested
    class AsRegion extends RegionContract {
        private final MemcachedBackend backend = newBackend();

        @AfterEach
        void closeBackend() {
            backend.close();
        }

        @Override
        protected Backend backend() {
            return backend;
        }
    }

    @Nested
    class AsLock extends LockProviderContract {
        private final Set<String> asked = ConcurrentHashMap.newKeySet();

        @Override
        protected LockProvider provider() {
            clients.add(server.client());
            LockProvider locks = MemcachedLockProvider.of(clients.get(clients.size() - 1));
            return (name, leaseTime) -> {
                asked.add(name);
                return locks.tryAcquire(name, leaseTime);
            };
        }

        @Override
        protected LockProvider anotherClient(LockProvider first) {
            return provider();
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.EXPIRES, Trait.WHOLE_SECONDS);
        }

        /**
         * This server was seen to keep an item somewhat longer than it was asked to, and to let a late {@code cas} revive one that
         * nobody has read since it expired. Memcached does neither.
         */
        @Override
        protected void letExpire(Duration leaseTime) {
            super.letExpire(leaseTime.plusSeconds(1));
            Names names = new Names("dogpile:");
            asked.forEach(name -> clients.get(0).get(names.lock(name).key()));
        }
    }
}
