package io.dogpile.cache.file;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Invalidation;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.core.HardTimeoutException;
import io.dogpile.core.Lease;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;

/** A process of the tests' own on a directory: does what it reads from its input, and answers in one line each. */
final class FileNode {
    static final String REGION = "shared";
    private static final Duration LEASE = Duration.ofSeconds(5);
    private static final long PATIENCE_SECONDS = 60;

    private final Path directory;
    private final FileLockProvider locks;
    private final FileBackend backend;
    private final Region<String, String> region;
    private final Map<String, Lease> leases = new HashMap<>();
    private final Map<String, FileReadWriteLock> readWriteLocks = new HashMap<>();
    private volatile String trouble = "none";
    private CountDownLatch mayFinish = new CountDownLatch(1);
    private CompletableFuture<String> creation = new CompletableFuture<>();

    private FileNode(Path directory) {
        this.directory = directory;
        this.locks = FileLockProvider.in(directory);
        this.backend = FileBackend.in(directory);
        this.region = Region.<String, String>builder(REGION)
                .backend(backend)
                .serializer(Serializer.string())
                .staleAfter(Duration.ofMinutes(5))
                .expireAfter(Duration.ofMinutes(10))
                .hardTimeout(Duration.ofSeconds(20))
                .build();
    }

    public static void main(String[] args) throws Exception {
        FileNode node = new FileNode(Path.of(args[0]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                answer = node.answer(line.split(" "));
            } catch (Exception failure) {
                answer = "failed " + failure.toString().replace('\n', ' ');
            }
            System.out.println(answer);
        }
        System.exit(0);
    }

    private String answer(String[] words) throws Exception {
        return switch (words[0]) {
            case "acquire" -> acquire(words[1]);
            case "release" -> {
                leases.remove(words[1]).close();
                yield "released";
            }
            case "increment" -> increment(words[1], directory.resolve(words[2]), Integer.parseInt(words[3]));
            case "keep-writing" -> keepWriting(words[1]);
            case "trouble" -> trouble;
            case "get" -> region.get(words[1]).map(Blocks::summary).orElse("absent");
            case "put" -> {
                region.put(words[1], words[2]);
                yield "put";
            }
            case "invalidate" -> {
                region.invalidate(words[1], Invalidation.valueOf(words[2]));
                yield "invalidated";
            }
            case "invalidate-all" -> {
                region.invalidateAll(Invalidation.valueOf(words[1]));
                yield "invalidated";
            }
            case "create" -> create(words[1], words[2]);
            case "finish" -> {
                mayFinish.countDown();
                yield creation.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            }
            case "obtain" -> obtain(words[1], words[2], Duration.ofMillis(Long.parseLong(words[3])));
            case "obtain-all" -> obtainByThreads(words[1], Integer.parseInt(words[2]));
            case "read" -> readTorn(lock(words[1]).readLock(), directory.resolve(words[2]), Integer.parseInt(words[3]));
            case "rewrite" ->
                rewrite(lock(words[1]).writeLock(), directory.resolve(words[2]), Integer.parseInt(words[3]));
            case "keep-reading" -> keepReading(lock(words[1]).readLock());
            case "lock-read" -> tried(lock(words[1]).readLock());
            case "lock-write" -> tried(lock(words[1]).writeLock());
            case "unlock-read" -> {
                lock(words[1]).readLock().unlock();
                yield "unlocked";
            }
            default -> "what?";
        };
    }

    private String acquire(String name) {
        Optional<Lease> lease = locks.tryAcquire(name, LEASE);
        lease.ifPresent(one -> leases.put(name, one));
        return lease.isPresent() ? "granted" : "refused";
    }

    /** Counts in a file that the lock alone protects. */
    private String increment(String name, Path file, int times) throws IOException {
        for (int done = 0; done < times; ) {
            Optional<Lease> lease = locks.tryAcquire(name, LEASE);
            if (lease.isEmpty()) {
                LockSupport.parkNanos(20_000);
                continue;
            }
            long before = Long.parseLong(Files.readString(file));
            Files.writeString(file, Long.toString(before + 1));
            lease.get().close();
            done++;
        }
        return "done";
    }

    private String keepWriting(String key) {
        SplittableRandom random = new SplittableRandom();
        Thread writer = new Thread(() -> {
            while (trouble.equals("none")) {
                try {
                    region.put(key, Blocks.of(random.nextLong(), 1 + random.nextInt(60_000)));
                } catch (RuntimeException failure) {
                    trouble = failure.toString().replace('\n', ' ');
                }
            }
        });
        writer.setDaemon(true);
        writer.start();
        return "writing";
    }

    /** Answers from inside of the creator, which goes on when asked to finish. */
    private String create(String key, String value) throws Exception {
        CompletableFuture<String> inside = new CompletableFuture<>();
        mayFinish = new CountDownLatch(1);
        creation = new CompletableFuture<>();
        Thread creator = new Thread(() -> {
            try {
                creation.complete(region.getOrCreate(key, () -> {
                    inside.complete("creating");
                    if (!mayFinish.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                        throw new IllegalStateException("nobody let this creator go on");
                    }
                    return value;
                }));
            } catch (RuntimeException failure) {
                creation.complete("failed " + failure);
            }
        });
        creator.setDaemon(true);
        creator.start();
        return inside.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    private String obtain(String key, String value, Duration timeout) {
        try {
            return region.with(view -> view.hardTimeout(timeout)).getOrCreate(key, () -> value);
        } catch (HardTimeoutException timedOut) {
            return "timed out";
        }
    }

    /** How many of the threads created. */
    private String obtainByThreads(String key, int threads) throws Exception {
        AtomicInteger created = new AtomicInteger();
        List<CompletableFuture<String>> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            all.add(CompletableFuture.supplyAsync(
                    () -> region.getOrCreate(key, () -> {
                        created.incrementAndGet();
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
                        return "value";
                    }),
                    task -> new Thread(task).start()));
        }
        for (CompletableFuture<String> one : all) {
            one.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
        return "created " + created;
    }

    private FileReadWriteLock lock(String name) {
        return readWriteLocks.computeIfAbsent(name, one -> FileReadWriteLock.in(directory, one));
    }

    private static String tried(Lock side) {
        return side.tryLock() ? "granted" : "refused";
    }

    private String readTorn(Lock reading, Path file, int times) throws IOException {
        int torn = 0;
        for (int i = 0; i < times; i++) {
            reading.lock();
            try {
                torn += Blocks.isWhole(Files.readString(file)) ? 0 : 1;
            } finally {
                reading.unlock();
            }
        }
        return "torn " + torn;
    }

    /** In place, in two steps: who reads between them sees a torn file. */
    private String rewrite(Lock writing, Path file, int times) throws IOException {
        SplittableRandom random = new SplittableRandom();
        for (int i = 0; i < times; i++) {
            writing.lock();
            try {
                String next = Blocks.of(random.nextLong(), 1 + random.nextInt(300));
                Files.writeString(file, next.substring(0, next.length() / 2));
                Thread.yield();
                Files.writeString(file, next);
            } finally {
                writing.unlock();
            }
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(500));
        }
        return "written";
    }

    private static String keepReading(Lock reading) {
        for (int i = 0; i < 2; i++) {
            Thread reader = new Thread(() -> {
                while (true) {
                    reading.lock();
                    LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(300));
                    reading.unlock();
                }
            });
            reader.setDaemon(true);
            reader.start();
        }
        return "reading";
    }
}
