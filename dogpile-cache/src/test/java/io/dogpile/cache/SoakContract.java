package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.MemoryBackend;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What a backend leaves behind under full load, and after its end: nothing. A second of it by default;
 * {@code -Psoak -Ddogpile.soak=PT30M} loads each backend for as long as that.
 */
public abstract class SoakContract {
    private Soak.Plan plan;

    /**
     * Opens the backend, once.
     *
     * @return for each node of it what makes a region of it
     */
    protected abstract List<Node> open() throws Exception;

    /** Ends what {@link #open} opened. The regions are closed. */
    protected abstract void close();

    /** What else must not grow, counted. */
    protected Map<String, LongSupplier> counts() {
        return Map.of();
    }

    /** What else must not grow, in bytes. */
    protected Map<String, LongSupplier> bytes() {
        return Map.of();
    }

    /** What is left of what has expired, or how much; empty if nothing. */
    protected String unsettled() {
        return "";
    }

    /** What must hold while the load has ended and the regions are open. */
    protected void assertAtRest() {}

    /** What must hold when all is closed. */
    protected void assertNothingLeft() throws Exception {}

    /** Makes a region's backend known. */
    @FunctionalInterface
    public interface Node {
        /** The region, on this node. */
        RegionBuilder<String, String> on(RegionBuilder<String, String> region);
    }

    /** How many keys are asked for. */
    protected final int keys() {
        return plan.keys();
    }

    @Test
    @Timeout(value = 6, unit = TimeUnit.HOURS) // what is asked for by -Ddogpile.soak
    void fullLoad_leavesEveryLevelAsItWas_andCloseLeavesNothing() throws Exception {
        plan = Soak.Plan.ofThisRun();
        makeWhatIsMadeOnce();
        Set<String> openBefore = new HashSet<>(Levels.Open.descriptors());
        Set<Thread> threadsBefore = Levels.Open.threads();
        long begin = System.nanoTime();
        Levels levels = new Levels(plan).ofThisJvm();
        List<Region<String, String>> regions = new ArrayList<>();
        try (Soak soak = new Soak(plan)) {
            try {
                for (Node node : open()) {
                    regions.add(node.on(soak.region("soak")).build());
                }
                counts().forEach(levels::count);
                bytes().forEach(levels::bytes);
                soak.run(regions, levels, this::unsettled);
                assertAtRest();
            } finally {
                regions.forEach(Region::close);
                close();
            }
            System.out.println(getClass().getSimpleName() + ": " + soak + "; "
                    + Duration.ofNanos(System.nanoTime() - begin).toSeconds() + " s in all");
            if (isLong()) {
                System.out.print(levels);
            }
            assertEquals(Map.of(), soak.unexpected());
            assertTrue(soak.created() > 0 && soak.failed() > 0, soak::toString);
            assertEquals(List.of(), levels.risen());
        }
        Soak.awaitNone("runs and did not before", () -> threadsBut(threadsBefore)); // also those of the soak itself
        Soak.awaitNone("is open and was not before", () -> openBut(openBefore));
        assertNothingLeft();
    }

    /** Whether there is time to wait for what takes seconds. */
    protected static boolean isLong() {
        return !System.getProperty("dogpile.soak", "").isEmpty();
    }

    /** Threads of the JVM, classes and their files. */
    private static void makeWhatIsMadeOnce() throws Exception {
        Soak.Plan little = Soak.Plan.ofRounds(1, Duration.ofMillis(100));
        try (Soak soak = new Soak(little);
                Region<String, String> region =
                        soak.region("first").backend(MemoryBackend.create()).build()) {
            soak.run(List.of(region), new Levels(little).ofThisJvm(), () -> "");
        }
        // The JDK closes a descriptor by putting one of its own in the place, which it makes with the first channel.
        Path file = Files.createTempFile("soak", "");
        FileChannel.open(file, StandardOpenOption.WRITE).close();
        Files.delete(file);
        SocketChannel.open().close();
    }

    static String threadsBut(Set<Thread> before) {
        return Levels.Open.threads().stream()
                .filter(thread -> !before.contains(thread))
                .map(Thread::getName)
                .collect(Collectors.joining(", "));
    }

    private static String openBut(Set<String> before) {
        return Levels.Open.descriptors().stream()
                .filter(one -> !before.contains(one))
                .collect(Collectors.joining(", "));
    }
}
