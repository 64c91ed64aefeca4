package io.dogpile.benchmarks;

import io.dogpile.benchmarks.Throughput.Contender;
import io.dogpile.benchmarks.Throughput.Setting;
import io.dogpile.benchmarks.Throughput.Sizes;
import io.dogpile.cache.Region;
import io.dogpile.memcached.MemcachedBackend;
import io.dogpile.memcached.MemcachedServer;
import java.util.List;
import net.spy.memcached.MemcachedClient;

/** Hits on values of 1 KiB in memcached. */
public final class MemcachedHit {
    private static final int KEYS = 1_000;
    private static final String RAW = "spymemcached get";
    private static final String REGION = "Region.getOrCreate on MemcachedBackend";
    private static final int CONTENDERS = 3;
    private static final double RATE = 0.9;

    private static final List<Setting> SETTINGS =
            List.of(new Setting("1 thread, 1,000 keys", 1, KEYS), new Setting("16 threads, 1,000 keys", 16, KEYS));

    private MemcachedHit() {}

    static long expectedSeconds() {
        return Sizes.USUAL.expectedSeconds(SETTINGS.size(), CONTENDERS) + 5;
    }

    /**
     * Runs it by itself.
     *
     * @param args none
     */
    public static void main(String[] args) throws Exception {
        run();
    }

    static void run() throws Exception {
        run(Sizes.USUAL);
    }

    /** Ours and the raw ones are on the same client, so on the same connection. */
    static void run(Sizes sizes) throws Exception {
        try (MemcachedServer server = MemcachedServer.start()) {
            MemcachedClient client = Peers.memcached(server.port());
            try (MemcachedBackend backend = MemcachedBackend.of(client)) {
                List<Contender> all = contenders(client, backend);
                Results.note(Peers.version(server) + ", values of 1 KiB");
                for (Setting setting : SETTINGS) {
                    Throughput seen =
                            Throughput.measure(setting, sizes, all, RAW).count(run -> ClientCommands.of(server, run));
                    seen.print("Hit in memcached", sizes.rounds());
                    seen.rateAtLeast(REGION, RATE).print();
                    seen.commandsAtMost(REGION, 1).print();
                }
            } finally {
                client.shutdown();
            }
        }
    }

    private static List<Contender> contenders(MemcachedClient client, MemcachedBackend backend) throws Exception {
        byte[] value = Peers.value();
        Region<String, byte[]> region = Peers.region("hits", backend).build();
        for (int i = 0; i < KEYS; i++) {
            client.set(Throughput.key(i), (int) Peers.LIFE.toSeconds(), value, Peers.BYTES)
                    .get();
            region.put(Throughput.key(i), value);
        }
        return List.of(
                new Contender(RAW, key -> Peers.bytes(client, key)),
                new Contender("spymemcached gets", key -> client.gets(key, Peers.BYTES)),
                new Contender(
                        REGION,
                        key -> region.getOrCreate(key, () -> {
                            throw new IllegalStateException("a miss");
                        })));
    }
}
