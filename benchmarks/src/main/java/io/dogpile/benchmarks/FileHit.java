package io.dogpile.benchmarks;

import io.dogpile.benchmarks.Throughput.Contender;
import io.dogpile.benchmarks.Throughput.Setting;
import io.dogpile.benchmarks.Throughput.Sizes;
import io.dogpile.cache.Region;
import io.dogpile.cache.file.FileBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Hits on values in files, beside reading files of the same length. */
public final class FileHit {
    private static final int KEYS = 1_000;
    private static final String RAW = "Files.readAllBytes";
    private static final String REGION = "Region.getOrCreate on FileBackend";
    private static final int CONTENDERS = 2;
    private static final double TIME = 1.5;

    private static final int KIB = 1 << 10;
    private static final Map<Integer, String> LENGTHS = Map.of(KIB, "1 KiB", 64 * KIB, "64 KiB");

    private static final List<Setting> SETTINGS =
            List.of(new Setting("1 thread, 1,000 keys", 1, KEYS), new Setting("2 threads, 1,000 keys", 2, KEYS));

    private FileHit() {}

    static long expectedSeconds() {
        return Sizes.USUAL.expectedSeconds(LENGTHS.size() * SETTINGS.size(), CONTENDERS) + 5;
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

    static void run(Sizes sizes) throws Exception {
        for (int length : LENGTHS.keySet().stream().sorted().toList()) {
            try (TemporaryDirectory directory = TemporaryDirectory.make();
                    FileBackend backend = FileBackend.in(directory.path().resolve("values"))) {
                List<Contender> all = contenders(directory.path(), backend, length);
                for (Setting setting : SETTINGS) {
                    Throughput seen = Throughput.measure(setting, sizes, all, RAW);
                    seen.printTimes("Hit in files of " + LENGTHS.get(length), sizes.rounds());
                    seen.timeAtMost(REGION, TIME).print();
                }
            }
        }
    }

    private static List<Contender> contenders(Path directory, FileBackend backend, int length) throws IOException {
        byte[] value = new byte[length];
        Region<String, byte[]> region = Peers.region("hits", backend).build();
        Path plain = Files.createDirectory(directory.resolve("plain"));
        Map<String, Path> files = new HashMap<>();
        for (int i = 0; i < KEYS; i++) {
            String key = Throughput.key(i);
            region.put(key, value);
            files.put(key, Files.write(plain.resolve(Integer.toString(i)), value));
        }
        return List.of(
                new Contender(RAW, key -> Files.readAllBytes(files.get(key))),
                new Contender(
                        REGION,
                        key -> region.getOrCreate(key, () -> {
                            throw new IllegalStateException("a miss");
                        })));
    }
}
