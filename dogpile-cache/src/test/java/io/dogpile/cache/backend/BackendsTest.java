package io.dogpile.cache.backend;

import io.dogpile.cache.testing.BackendContract;
import io.dogpile.core.LockProvider;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The backends of this library hold what every backend holds. */
class BackendsTest {
    /** Values as they are: the contract's serializer is left out. */
    static Backend byReference(Backend backend) {
        return new Backend() {
            @Override
            public <V> Partition<V> open(Opening<V> opening) {
                return backend.open(opening.byReference());
            }
        };
    }

    static Backend locked(Backend backend) {
        LockProvider locks = LockProvider.local();
        return new Backend() {
            @Override
            public <V> Partition<V> open(Opening<V> opening) {
                return Partition.locked(backend.open(opening), opening, locks, Duration.ofSeconds(5));
            }
        };
    }

    static final class NoOp extends ProxyBackend {
        NoOp(Backend proxied) {
            super(proxied);
        }
    }

    @Nested
    @Tag("D-021")
    class Memory extends BackendContract {
        @Override
        protected Backend backend() {
            return byReference(MemoryBackend.create());
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of();
        }
    }

    @Nested
    @Tag("D-021")
    @Tag("D-022")
    @Tag("C-187")
    class SerializingMemory extends BackendContract {
        @Override
        protected Backend backend() {
            return MemoryBackend.ofEntries(1_000);
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of();
        }
    }

    @Nested
    @Tag("C-187")
    class Serializing extends BackendContract {
        @Override
        protected Backend backend() {
            return SerializingBackend.of(new BytesInMemory());
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT);
        }
    }

    @Nested
    class SerializingWithALimitOfKeys extends BackendContract {
        private final BytesInMemory bytes = new BytesInMemory();

        @Override
        protected Backend backend() {
            bytes.limit = KeyLimit.of(200);
            return SerializingBackend.of(bytes);
        }

        @Override
        protected Backend restarted(Backend first) {
            return SerializingBackend.of(bytes);
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT);
        }
    }

    @Nested
    @Tag("D-023")
    class Null extends BackendContract {
        @Override
        protected Backend backend() {
            return NullBackend.create();
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.FORGETFUL);
        }
    }

    @Nested
    @Tag("C-025")
    class ProxyBeforeMemory extends BackendContract {
        @Override
        protected Backend backend() {
            return new NoOp(byReference(MemoryBackend.create()));
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of();
        }
    }

    @Nested
    @Tag("C-025")
    class ProxyBeforeProxyBeforeBytes extends BackendContract {
        @Override
        protected Backend backend() {
            return new NoOp(new NoOp(SerializingBackend.of(new BytesInMemory())));
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT);
        }
    }

    @Nested
    class Tiered extends BackendContract {
        @Override
        protected Backend backend() {
            return TieredBackend.of(
                    MemoryBackend.create(), SerializingBackend.of(new BytesInMemory()), Duration.ofSeconds(10));
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT);
        }
    }

    @Nested
    class TieredOnTheUsersMap extends BackendContract {
        private final SerializingBackend back = SerializingBackend.of(new BytesInMemory());

        @Override
        protected Backend backend() {
            return new Backend() {
                @Override
                public <V> Partition<V> open(Opening<V> opening) {
                    return TieredBackend.of(
                                    MemoryBackend.on(new ConcurrentHashMap<>()), new NoOp(back), Duration.ofDays(1))
                            .open(opening);
                }
            };
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.PERSISTENT);
        }
    }

    @Nested
    class LockedMemory extends BackendContract {
        @Override
        protected Backend backend() {
            return locked(byReference(MemoryBackend.create()));
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.EXCLUSIVE);
        }
    }

    @Nested
    class LockedTieredProxy extends BackendContract {
        @Override
        protected Backend backend() {
            return locked(TieredBackend.of(
                    MemoryBackend.create(),
                    new NoOp(SerializingBackend.of(new BytesInMemory())),
                    Duration.ofSeconds(10)));
        }

        @Override
        protected Set<Trait> traits() {
            return Set.of(Trait.EXCLUSIVE, Trait.PERSISTENT);
        }
    }
}
