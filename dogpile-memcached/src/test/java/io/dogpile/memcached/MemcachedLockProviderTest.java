package io.dogpile.memcached;

import io.dogpile.core.LockProvider;
import io.dogpile.core.testing.LockProviderContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import net.spy.memcached.MemcachedClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What every lock holds. */
class MemcachedLockProviderTest extends LockProviderContract {
    private static final List<MemcachedClient> clients = new ArrayList<>();
    private static MemcachedServer server;

    @BeforeAll
    static void start() {
        server = MemcachedServer.start();
    }

    @AfterAll
    static void stop() {
        clients.forEach(MemcachedClient::shutdown);
        server.close();
    }

    @Override
    protected LockProvider provider() {
        MemcachedClient client = where().client();
        clients.add(client);
        return MemcachedLockProvider.of(client);
    }

    MemcachedServer where() {
        return server;
    }

    @Override
    protected LockProvider anotherClient(LockProvider first) {
        return provider();
    }

    @Override
    protected Set<Trait> traits() {
        return Set.of(Trait.EXPIRES, Trait.WHOLE_SECONDS);
    }
}
