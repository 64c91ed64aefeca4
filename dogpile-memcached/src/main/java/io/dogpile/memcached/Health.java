package io.dogpile.memcached;

import io.dogpile.core.TimeSource;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the log what is wrong with the servers: one line when a condition begins, one a minute while it lasts, one when they
 * answer again. Regions follow their own policies meanwhile, and count.
 *
 * <pre>
 *   WELL ──failed──► TROUBLED ──answered, after a second without a failure──► WELL
 * </pre>
 */
final class Health {
    private static final long REPEATED_AFTER = TimeUnit.MINUTES.toNanos(1);
    private static final long WELL_AFTER = TimeUnit.SECONDS.toNanos(1);

    private final Logger log = LoggerFactory.getLogger("io.dogpile.memcached");
    private final TimeSource time = TimeSource.system();
    private final String servers;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<MemcachedException.Condition, Long> said =
            new EnumMap<>(MemcachedException.Condition.class); // Guarded by: lock
    private long failures; // Guarded by: lock
    private long lastFailure; // Guarded by: lock
    private volatile boolean troubled;

    /** Names the servers in messages. */
    Health(String servers) {
        this.servers = servers;
    }

    String servers() {
        return servers;
    }

    /** Notes a failure, and returns it. */
    MemcachedException failed(MemcachedException failure) {
        MemcachedException.Condition condition = failure.condition();
        long now = time.nanos();
        boolean news;
        lock.lock();
        try {
            if (!condition.lasts()) {
                failures++;
                lastFailure = now;
                troubled = true;
            }
            Long before = said.get(condition);
            news = before == null || now - before >= REPEATED_AFTER;
            if (news) {
                said.put(condition, now);
            }
        } finally {
            lock.unlock();
        }
        if (news) {
            log.warn(
                    "Memcached {}: {}: {}. Regions follow their policies (whenDown) meanwhile.",
                    servers,
                    condition.name().toLowerCase(Locale.ROOT),
                    condition.says(),
                    failure);
        }
        return failure;
    }

    /** Notes that a server answered. */
    void answered() {
        if (troubled) {
            recover();
        }
    }

    private void recover() {
        long now = time.nanos();
        long failed;
        lock.lock();
        try {
            if (!troubled || now - lastFailure < WELL_AFTER) {
                return;
            }
            troubled = false;
            failed = failures;
            failures = 0;
            said.keySet().removeIf(condition -> !condition.lasts());
        } finally {
            lock.unlock();
        }
        log.info("Memcached {}: answers again, after {} failures", servers, failed);
    }
}
