package io.dogpile.benchmarks;

import io.dogpile.benchmarks.ClusterContender.Lookup;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * One process of those that share a value. Times are those of the machine's own monotonic clock, so that processes can
 * compare them.
 */
public final class ClusterWorker {
    private static final String WARM_UP = "warm-up";
    private static final String HOLD = "hold";
    private static final long HELD_SECONDS = 50;
    private static final long WARM_UP_START_MILLIS = 10;
    private static final long WARM_UP_CREATION_MILLIS = 10;
    private static final long STACK_BYTES = 256 * 1024;
    private static final long LONGEST_ROUND_SECONDS = 60;

    private final String where;
    private final byte[] value = Peers.value();
    private final Map<ClusterContender, Lookup> open = new EnumMap<>(ClusterContender.class);

    private ClusterWorker(String where) {
        this.where = where;
    }

    /**
     * Answers lines until there are no more.
     *
     * @param args the port of the server, or the directory
     */
    public static void main(String[] args) throws Exception {
        ClusterWorker worker = new ClusterWorker(args[0]);
        Child.serve(worker::answer);
    }

    /** Has them all create values without a rival, one after the other, in all of the processes at once. */
    static void warmUp(Iterable<Child> children, List<ClusterContender> contenders, int creations) throws Exception {
        for (ClusterContender each : contenders) {
            Progress.show("warming up: " + each.title);
            warmUp(children, each, creations);
        }
    }

    private static void warmUp(Iterable<Child> children, ClusterContender contender, int creations) throws Exception {
        for (Child child : children) {
            child.tell(WARM_UP, contender, creations);
        }
        for (Child child : children) {
            child.answer();
        }
    }

    /** Has them all ask for one key after the other together, so that what waits and is woken is compiled, too. */
    static void warmUpTogether(List<Child> children, List<ClusterContender> contenders, int threads, int rounds)
            throws Exception {
        for (ClusterContender each : contenders) {
            Progress.show("warming up together: " + each.title);
            warmUpTogether(children, each, threads, rounds);
        }
    }

    private static void warmUpTogether(List<Child> children, ClusterContender contender, int threads, int rounds)
            throws Exception {
        for (int round = 0; round < rounds; round++) {
            long startAt = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WARM_UP_START_MILLIS);
            Child.ask(children, contender, "warm-up:" + startAt, threads, startAt, WARM_UP_CREATION_MILLIS);
        }
    }

    /** Has it create a value for longer than it is to live, and returns when it does. */
    static void hold(Child child, ClusterContender contender, String key) throws Exception {
        child.tell(HOLD, contender, key);
        child.answer();
    }

    private String answer(String[] words) throws Exception {
        if (words[0].equals(HOLD)) {
            return hold(lookup(words[1]), words[2]);
        }
        if (words[0].equals(WARM_UP)) {
            return create(lookup(words[1]), Integer.parseInt(words[2]));
        }
        return meet(
                lookup(words[0]),
                words[1],
                Integer.parseInt(words[2]),
                Long.parseLong(words[3]),
                Long.parseLong(words[4]));
    }

    private Lookup lookup(String name) throws Exception {
        ClusterContender contender = ClusterContender.valueOf(name);
        Lookup lookup = open.get(contender);
        if (lookup == null) {
            lookup = contender.open(where);
            open.put(contender, lookup);
        }
        return lookup;
    }

    private String create(Lookup lookup, int creations) throws Exception {
        String own = "warm-up:" + ProcessHandle.current().pid() + ':';
        for (int i = 0; i < creations; i++) {
            lookup.get(own + System.nanoTime(), () -> value);
        }
        return Integer.toString(creations);
    }

    private String hold(Lookup lookup, String key) throws InterruptedException {
        CountDownLatch creating = new CountDownLatch(1);
        Runnable call = () -> {
            try {
                lookup.get(key, () -> {
                    creating.countDown();
                    TimeUnit.SECONDS.sleep(HELD_SECONDS);
                    return value;
                });
            } catch (Exception e) {
                throw new IllegalStateException("the creation of " + key + " was not to end", e);
            }
        };
        Thread holder = new Thread(call, "holder");
        holder.setDaemon(true);
        holder.start();
        if (!creating.await(LONGEST_ROUND_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("nobody was let create " + key);
        }
        return HOLD;
    }

    /**
     * That many threads ask for the key at that moment.
     *
     * @return how often it was created, how many callers failed, when the first creator here began and ended, and when each
     *     caller returned; {@link Long#MAX_VALUE} for never
     */
    private String meet(Lookup lookup, String key, int threads, long startAt, long creationMillis)
            throws InterruptedException {
        AtomicInteger creations = new AtomicInteger();
        AtomicInteger failures = new AtomicInteger();
        AtomicLong began = new AtomicLong(Long.MAX_VALUE);
        AtomicLong ended = new AtomicLong(Long.MAX_VALUE);
        Callable<byte[]> creator = () -> {
            began.accumulateAndGet(System.nanoTime(), Math::min);
            creations.incrementAndGet();
            TimeUnit.MILLISECONDS.sleep(creationMillis);
            ended.accumulateAndGet(System.nanoTime(), Math::min);
            return value;
        };
        long[] returned = new long[threads];
        CountDownLatch done = new CountDownLatch(threads);
        for (int i = 0; i < threads; i++) {
            int caller = i;
            Runnable call = () -> {
                for (long left = startAt - System.nanoTime(); left > 0; left = startAt - System.nanoTime()) {
                    LockSupport.parkNanos(left);
                }
                try {
                    if (lookup.get(key, creator).length != value.length) {
                        failures.incrementAndGet();
                    }
                } catch (Exception e) {
                    failures.incrementAndGet();
                }
                returned[caller] = System.nanoTime();
                done.countDown();
            };
            Thread thread = new Thread(null, call, "caller", STACK_BYTES);
            thread.setDaemon(true);
            thread.start();
        }
        if (!done.await(LONGEST_ROUND_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException(done.getCount() + " callers of " + key + " did not return");
        }
        StringJoiner answer = new StringJoiner(" ");
        answer.add(Integer.toString(creations.get())).add(Integer.toString(failures.get()));
        answer.add(Long.toString(began.get())).add(Long.toString(ended.get()));
        for (long at : returned) {
            answer.add(Long.toString(at));
        }
        return answer.toString();
    }

    /**
     * What the processes answered of one round.
     *
     * @param creations in all of them
     * @param failures callers that failed
     * @param began when the first creator began
     * @param ended when the first creator ended
     * @param lags of all callers, in nanoseconds from the first creator's end; not negative
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Round(int creations, int failures, long began, long ended, long[] lags) {
        private static final int HEAD = 4;

        static Round of(List<String> lines) {
            long ended =
                    numbers(lines).stream().mapToLong(answer -> answer[3]).min().orElse(Long.MAX_VALUE);
            return of(lines, ended);
        }

        /** Where the creator ended in another process than these. */
        static Round of(List<String> lines, long ended) {
            long creations = 0;
            long failures = 0;
            long began = Long.MAX_VALUE;
            LongStream.Builder lags = LongStream.builder();
            for (long[] answer : numbers(lines)) {
                creations += answer[0];
                failures += answer[1];
                began = Math.min(began, answer[2]);
                for (int i = HEAD; i < answer.length; i++) {
                    lags.add(Math.max(0, answer[i] - ended));
                }
            }
            return new Round(
                    (int) creations, (int) failures, began, ended, lags.build().toArray());
        }

        private static List<long[]> numbers(List<String> lines) {
            return lines.stream()
                    .map(line -> Stream.of(line.split(" "))
                            .mapToLong(Long::parseLong)
                            .toArray())
                    .toList();
        }
    }
}
