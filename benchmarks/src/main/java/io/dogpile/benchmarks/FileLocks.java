package io.dogpile.benchmarks;

import io.dogpile.benchmarks.Throughput.Contender;
import io.dogpile.benchmarks.Throughput.Setting;
import io.dogpile.benchmarks.Throughput.Sizes;
import io.dogpile.cache.file.FileLockProvider;
import io.dogpile.core.Lease;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Locks of files that nobody else wants, taken and given back. */
public final class FileLocks {
    private static final int KEYS = 1_000;
    private static final String RAW = "FileChannel.tryLock of a byte, release";
    private static final String PROVIDER = "FileLockProvider.tryAcquire, close";
    private static final int CONTENDERS = 2;
    private static final double TIME = 2;
    private static final Duration LEASE = Duration.ofMinutes(1);

    private static final Setting SETTING = new Setting("1 thread, 1,000 names", 1, KEYS);

    private FileLocks() {}

    static long expectedSeconds() {
        return Sizes.USUAL.expectedSeconds(1, CONTENDERS) + 1;
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
        try (TemporaryDirectory directory = TemporaryDirectory.make();
                FileLockProvider provider = FileLockProvider.in(directory.path().resolve("locks"));
                FileChannel channel = FileChannel.open(
                        directory.path().resolve("plain"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            Throughput seen = Throughput.measure(
                    SETTING,
                    sizes,
                    List.of(
                            new Contender(RAW, name -> takenAndReleased(channel, name)),
                            new Contender(PROVIDER, name -> takenAndClosed(provider, name))),
                    RAW);
            seen.printTimes("A file lock taken and given back", sizes.rounds());
            seen.timeAtMost(PROVIDER, TIME).print();
        }
    }

    private static FileLock takenAndReleased(FileChannel channel, String name) throws Exception {
        FileLock lock = channel.tryLock(name.hashCode() & Integer.MAX_VALUE, 1, false);
        lock.release();
        return lock;
    }

    private static Optional<Lease> takenAndClosed(FileLockProvider provider, String name) {
        Optional<Lease> lease = provider.tryAcquire(name, LEASE);
        lease.orElseThrow().close();
        return lease;
    }
}
