package io.dogpile.benchmarks;

import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.google.common.cache.CacheBuilder;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.stream.Stream;
import net.spy.memcached.MemcachedClient;
import org.cache2k.Cache2kBuilder;
import org.redisson.Redisson;
import org.springframework.cache.CacheManager;
import redis.clients.jedis.RedisClient;

/**
 * Where is measured.
 *
 * @param jdk the version of Java
 * @param vm the name of its machine
 * @param cores how many processors it sees
 * @param system the operating system
 * @param peers what is measured against, with versions
 * @param load the load average before the run; NaN where the system does not tell
 */
record Machine(String jdk, String vm, int cores, String system, List<String> peers, double load) {
    static Machine here() {
        return new Machine(
                Runtime.version().toString(),
                System.getProperty("java.vm.name"),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                Stream.of(
                                CacheBuilder.class,
                                Caffeine.class,
                                Cache2kBuilder.class,
                                CaffeineCacheBuilder.class,
                                CacheManager.class,
                                Redisson.class,
                                io.lettuce.core.RedisClient.class,
                                RedisClient.class,
                                MemcachedClient.class)
                        .map(Machine::jar)
                        .toList(),
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
    }

    /** A jar's name bears its version. */
    private static String jar(Class<?> type) {
        String path = type.getProtectionDomain().getCodeSource().getLocation().getPath();
        return path.substring(path.lastIndexOf('/') + 1).replace(".jar", "");
    }

    /** The machine alone. */
    String place() {
        return "JDK " + jdk + " (" + vm + "), " + cores + " cores, " + system;
    }

    /** In a line, with what is measured against. */
    String told() {
        return place() + "; " + String.join(", ", peers);
    }

    String loadTold() {
        return "load average before the run " + Table.number(load, 1);
    }
}
