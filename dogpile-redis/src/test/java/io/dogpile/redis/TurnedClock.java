package io.dogpile.redis;

import static java.util.stream.Collectors.toMap;

import io.dogpile.core.TimeSource;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Lets time pass for a backend and its server at once, without waiting: the scripts of the backend, {@linkplain #edit
 * edited}, add to the server's time what is written in a key on each node.
 */
final class TurnedClock implements TimeSource {
    /** One of these lies on each of three nodes that share the slots evenly; all of them on a single server. */
    private static final List<String> KEYS = List.of("clock:{b}", "clock:{c}", "clock:{a}");

    /** Who has each of the keys. */
    private final Map<String, RedisServer> owners;

    /** Held while both clocks are turned: whoever reads this one meanwhile would take the other for one that was set. */
    private final ReentrantReadWriteLock turning = new ReentrantReadWriteLock();

    private long ahead; // Guarded by: turning

    /** Of one server. */
    TurnedClock(RedisServer server) {
        this(KEYS.stream().collect(toMap(key -> key, key -> server)));
    }

    /** Of all nodes of a cluster. One after the other is turned: a script on one may see another time than on the next. */
    TurnedClock(RedisCluster cluster) {
        this(KEYS.stream().collect(toMap(key -> key, key -> cluster.node(cluster.owner(RedisCluster.slot(key))))));
    }

    private TurnedClock(Map<String, RedisServer> owners) {
        this.owners = owners;
        write();
    }

    /** The script by this clock. What the server is told to expire, it is told by its own. */
    static String edit(String script) {
        return "local function ahead() for _,k in ipairs({'" + String.join("','", KEYS) + "'}) do "
                + "local r=redis.pcall('GET',k) if type(r)=='string' then return tonumber(r) end end return 0 end\n"
                + "local function now() local t=redis.call('TIME') local us=t[1]*1000000+t[2]+ahead()*1000 "
                + "return {math.floor(us/1000000),us%1000000} end\n"
                + "local function expireAt(k,at) redis.call('PEXPIREAT',k,string.format('%.0f',at-ahead())) end\n"
                + script.replace("redis.call('TIME')", "now()")
                        .replaceAll(
                                "redis\\.call\\('PEXPIREAT',record,string\\.format\\('%\\.0f',([^)]*)\\)\\)",
                                "expireAt(record,$1)");
    }

    void pass(Duration time) {
        turning.writeLock().lock();
        try {
            ahead += time.toMillis();
            write();
        } finally {
            turning.writeLock().unlock();
        }
    }

    private void write() {
        owners.forEach((key, server) -> server.command("SET", key, Long.toString(ahead)));
    }

    @Override
    public long nanos() {
        return TimeSource.system().nanos() + Duration.ofMillis(ahead()).toNanos();
    }

    @Override
    public Instant instant() {
        return Instant.now().plusMillis(ahead());
    }

    private long ahead() {
        turning.readLock().lock();
        try {
            return ahead;
        } finally {
            turning.readLock().unlock();
        }
    }
}
