package io.dogpile.core;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** Stands for the lock's server: it records what it is asked, and can lose a lock as such servers do. */
public final class MapLockProvider implements LockProvider {
    public record Asked(String name, Duration leaseTime) {}

    private final ConcurrentHashMap<String, Long> holders = new ConcurrentHashMap<>();
    private final AtomicLong tokens = new AtomicLong();
    private final List<Asked> asked = new CopyOnWriteArrayList<>();

    @Override
    public Optional<Lease> tryAcquire(String name, Duration leaseTime) {
        asked.add(new Asked(name, leaseTime));
        Long token = tokens.incrementAndGet();
        if (holders.putIfAbsent(name, token) != null) {
            return Optional.empty();
        }
        return Optional.of(new Lease() {
            @Override
            public long fencingToken() {
                return token;
            }

            @Override
            public boolean extend(Duration longer) {
                return token.equals(holders.get(name));
            }

            @Override
            public void close() {
                holders.remove(name, token);
            }
        });
    }

    public List<Asked> asked() {
        return asked;
    }

    public boolean isHeld(String name) {
        return holders.containsKey(name);
    }

    public void lose(String name) {
        holders.remove(name);
    }
}
