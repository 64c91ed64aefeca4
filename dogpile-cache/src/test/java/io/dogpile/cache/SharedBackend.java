package io.dogpile.cache;

import io.dogpile.cache.backend.Backend;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.cache.backend.Opening;
import io.dogpile.cache.backend.Partition;
import io.dogpile.core.Slot;
import io.dogpile.core.TimeSource;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stands for a server: regions of one name that are opened on it share their values, as in several JVMs. It lives by a
 * clock of its own, and each region's deadlines are told by that region's clock.
 */
final class SharedBackend implements Backend {
    private final Map<String, Partition<?>> partitions = new ConcurrentHashMap<>();
    private final TimeSource server;

    SharedBackend(TimeSource server) {
        this.server = server;
    }

    @Override
    @SuppressWarnings("unchecked") // regions of one name have values of one type
    public <V> Partition<V> open(Opening<V> opening) {
        Partition<V> shared = (Partition<V>) partitions.computeIfAbsent(
                opening.region(),
                region -> MemoryBackend.create()
                        .open(new Opening<>(
                                region,
                                opening.texts(),
                                opening.serializer(),
                                opening.maxValueBytes(),
                                opening.lease(),
                                opening.maxCreation(),
                                opening.backoff(),
                                server,
                                opening.listener())));
        return new Translated<>(shared, opening.time());
    }

    private final class Translated<V> implements Partition<V> {
        private final Partition<V> shared;
        private final TimeSource time;

        Translated(Partition<V> shared, TimeSource time) {
            this.shared = shared;
            this.time = time;
        }

        @Override
        public Slot<V> slot(Object key) {
            return () -> byThisClock(shared.slot(key).read());
        }

        /** What the server saw, its moments told by the clock of who asks. */
        @SuppressWarnings("unchecked")
        private Slot.Seen<V> byThisClock(Slot.Seen<V> seen) {
            return (Slot.Seen<V>) Proxy.newProxyInstance(
                    Slot.Seen.class.getClassLoader(),
                    new Class<?>[] {Slot.Seen.class},
                    (proxy, method, arguments) -> switch (method.getName()) {
                        case "freshUntil", "usableUntil", "bornAt" -> moved((long) method.invoke(seen, arguments));
                        case "fresh" -> (long) arguments[0] <= moved(seen.freshUntil());
                        case "usable" -> (long) arguments[0] <= moved(seen.usableUntil());
                        case "claim" ->
                            Slot.Claim.granted(
                                    seen.claim((Slot.Wish) arguments[0]).grant());
                        default -> method.invoke(seen, arguments);
                    });
        }

        private long moved(long at) {
            boolean isNoMoment = at == Long.MIN_VALUE || at == Slot.NEVER;
            return isNoMoment ? at : at - server.nanos() + time.nanos();
        }

        @Override
        public void put(Object key, Slot.Draft<V> draft) throws Exception {
            shared.put(key, draft);
        }

        @Override
        public void invalidate(Object key, Invalidation how) throws Exception {
            shared.invalidate(key, how);
        }

        @Override
        public void invalidateAll(Invalidation how) throws Exception {
            shared.invalidateAll(how);
        }
    }
}
