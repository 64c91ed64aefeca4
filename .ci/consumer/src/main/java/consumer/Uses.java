package consumer;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.MemoryBackend;
import io.dogpile.core.Dogpile;
import io.dogpile.memcached.MemcachedBackend;
import io.dogpile.redis.RedisBackend;
import java.time.Duration;
import java.util.List;

/** Uses a type of each module, as a user would. */
public final class Uses {
    private Uses() {}

    public static void main(String[] args) {
        Dogpile<String> dogpile = Dogpile.of(Duration.ofHours(1));
        expect("created", dogpile.get(() -> "created"));
        expect("created", dogpile.get(() -> "created again"));
        try (Region<Integer, String> region = Region.<Integer, String>builder("consumer")
                .backend(MemoryBackend.create())
                .staleAfter(Duration.ofMinutes(1))
                .build()) {
            expect("value of 42", region.getOrCreate(42, key -> "value of " + key));
            expect("value of 42", region.get(42).orElseThrow());
        }
        // No server is asked; but what these are made of has to be there.
        for (Class<?> each : List.of(RedisBackend.class, MemcachedBackend.class)) {
            expect("Backend", each.getInterfaces()[0].getSimpleName());
        }
        RedisBackend.builder().url("redis://127.0.0.1:1");
        MemcachedBackend.builder().servers("127.0.0.1:1");
        System.out.println("The staged artifacts of " + List.of("core", "cache", "memcached", "redis") + " can be used.");
    }

    private static void expect(String expected, String got) {
        if (!expected.equals(got)) {
            throw new IllegalStateException("expected '" + expected + "', got '" + got + "'");
        }
    }
}
