package io.dogpile.cache;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * What a load must not make grow, looked at again and again while the load stands still.
 *
 * <p>The first third of the looks is for what is made once. A level has risen if the median of the last third is above the
 * <em>highest</em> look of the middle third, and by more than its grain. If looks differ by chance only, the median of 15 is above
 * the highest of 15 others in one case of a thousand: 8 of the last must be the 8 highest of all 30. No width of the noise is
 * assumed. The grain is the growth that is not told from none: for bytes so many for each call of the last third and what the
 * JDK makes for itself; for what is counted nothing, or in a run of a second what is made late. For one thread.
 */
final class Levels {
    private static final int THIRDS = 3;

    private final Map<String, Level> levels = new LinkedHashMap<>();
    private final List<Long> callsUntil = new ArrayList<>();
    private final Soak.Plan plan;

    private record Level(LongSupplier now, Grain grain, List<Long> seen) {}

    private enum Grain {
        ONE,
        BYTES_OF_CALLS
    }

    Levels(Soak.Plan plan) {
        this.plan = plan;
    }

    /** Something counted, such as threads. */
    Levels count(String name, LongSupplier now) {
        levels.put(name, new Level(now, Grain.ONE, new ArrayList<>()));
        return this;
    }

    /** Memory. */
    Levels bytes(String name, LongSupplier now) {
        levels.put(name, new Level(now, Grain.BYTES_OF_CALLS, new ArrayList<>()));
        return this;
    }

    /** This JVM's heap without garbage, its threads, and what it has open. */
    Levels ofThisJvm() {
        return bytes("heap", Levels::heap).count("threads", Levels::threads).count("descriptors", Levels::descriptors);
    }

    /** One look at each. */
    void look(long callsSoFar) {
        callsUntil.add(callsSoFar);
        levels.values().forEach(level -> level.seen().add(level.now().getAsLong()));
    }

    /** A sentence for each level that has risen. */
    List<String> risen() {
        int looks = callsUntil.size();
        if (looks < THIRDS) {
            throw new IllegalStateException("at least " + THIRDS + " looks are needed, were " + looks);
        }
        int middle = looks / THIRDS;
        int last = looks - middle;
        long calls = callsUntil.get(looks - 1) - callsUntil.get(last - 1);
        List<String> risen = new ArrayList<>();
        levels.forEach((name, level) -> {
            long highest = level.seen().subList(middle, last).stream()
                    .mapToLong(Long::longValue)
                    .max()
                    .orElseThrow();
            long grain = level.grain() == Grain.ONE
                    ? plan.madeLate()
                    : plan.bytesOfTheJdk() + (long) (calls * plan.bytesForEachCall());
            long median = median(level.seen().subList(last, looks));
            if (median > highest + grain) {
                risen.add(name + " rose to " + median + " from at most " + highest + ", in " + calls
                        + " calls, which is more than " + grain + "; all looks: " + level.seen());
            }
        });
        return risen;
    }

    private static long median(List<Long> seen) {
        return seen.stream().sorted().toList().get((seen.size() - 1) / 2);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        levels.forEach((name, level) ->
                text.append(name).append(' ').append(level.seen()).append(System.lineSeparator()));
        return text.toString();
    }

    private static long heap() {
        System.gc(); // what is weakly held, and its queues
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long threads() {
        return Open.threads().size();
    }

    private static long descriptors() {
        return Open.descriptors().size();
    }

    /** What this process has open, as Linux tells, and its threads. */
    static final class Open {
        private static final Path OPEN = Path.of("/proc/self/fd");
        /** Of the whole JVM and bounded: the clock's tick and its timer, the pool of the JDK, and what a diagnostic tool starts. */
        private static final Set<String> OF_THE_JVM =
                Set.of("dogpile-clock", "dogpile-timer", "ForkJoinPool.commonPool", "Attach Listener");

        private Open() {}

        /** Those that somebody must end. */
        static Set<Thread> threads() {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> OF_THE_JVM.stream().noneMatch(thread.getName()::startsWith))
                    .collect(Collectors.toSet());
        }

        /** Sockets, pipes and files, with their numbers; without what class loaders and the JDK keep open for ever. */
        static List<String> descriptors() {
            try (var all = Files.newDirectoryStream(OPEN)) {
                List<String> open = new ArrayList<>();
                for (Path one : all) {
                    String target = target(one);
                    if (!target.endsWith(".jar") && !target.startsWith("/proc/") && !target.startsWith("/dev/")) {
                        open.add(one.getFileName() + " " + target);
                    }
                }
                return open;
            } catch (IOException e) {
                throw new UncheckedIOException("descriptors are counted by " + OPEN, e);
            }
        }

        private static String target(Path descriptor) {
            try {
                return Files.readSymbolicLink(descriptor).toString();
            } catch (IOException closedMeanwhile) {
                return "/proc/ gone";
            }
        }
    }
}
