package io.dogpile.demo;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Looks at the modules of this JDK, long enough for the compiler to settle, and chooses what the runs index. */
final class Survey {
    /** What the callers of one key shall want: cheap enough for 200 in one run, dear enough to see who waits for it. */
    enum Wanted {
        /** For one JVM. */
        DEAR(65, 5),
        /** For several, which have little memory each, and whose compilers have seen less. */
        MODERATE(15, 25);

        private final long nanos;
        private final int candidates;

        Wanted(long millis, int candidates) {
            this.nanos = TimeUnit.MILLISECONDS.toNanos(millis);
            this.candidates = candidates;
        }
    }

    private static final long WARM_UP_NANOS = TimeUnit.SECONDS.toNanos(4);
    private static final int LEAST_PASSES = 2;
    private static final int MEASUREMENTS = 5;
    private static final int MEDIAN = 50;
    private static final int KEYS = 50;

    private record Measured(String module, long bytes, int methods, long cost) {
        Measured costing(long median) {
            return new Measured(module, bytes, methods, median);
        }
    }

    private Survey() {}

    static Setting take(Progress progress, Wanted wanted) throws Exception {
        List<Measured> all = warmUp(progress);
        List<String> bySize = all.stream()
                .sorted(Comparator.comparingLong(Measured::bytes).reversed().thenComparing(Measured::module))
                .map(Measured::module)
                .toList();
        Stampedes.warmUp(bySize.get(bySize.size() - 1));
        Measured one = choose(all, wanted, progress);
        List<String> largest = bySize.subList(0, Math.min(KEYS, bySize.size()));
        return new Setting(ModuleIndexer.index(one.module()), one.cost(), largest);
    }

    /** Returns what the last pass measured. */
    private static List<Measured> warmUp(Progress progress) throws IOException {
        List<String> modules = ModuleIndexer.modules();
        List<Measured> all = new ArrayList<>();
        long began = System.nanoTime();
        for (int pass = 1; pass <= LEAST_PASSES || System.nanoTime() - began < WARM_UP_NANOS; pass++) {
            progress.step("Warming up: pass " + pass + " over the " + modules.size() + " modules of this JDK");
            all.clear();
            for (String module : modules) {
                all.add(measure(module));
            }
        }
        return all;
    }

    private static Measured choose(List<Measured> all, Wanted wanted, Progress progress) throws IOException {
        List<Measured> richest = all.stream()
                .sorted(Comparator.comparingInt(Measured::methods).reversed())
                .limit(wanted.candidates)
                .toList();
        List<Measured> settled = new ArrayList<>();
        for (Measured candidate : richest) {
            progress.step("Measuring what one index costs: " + candidate.module());
            settled.add(candidate.costing(medianCost(candidate.module())));
        }
        return settled.stream()
                .min(Comparator.comparingDouble(
                        measured -> Math.abs(Math.log((double) measured.cost() / wanted.nanos))))
                .orElseThrow();
    }

    private static long medianCost(String module) throws IOException {
        long[] costs = new long[MEASUREMENTS];
        for (int i = 0; i < MEASUREMENTS; i++) {
            costs[i] = measure(module).cost();
        }
        return Percentiles.of(costs).at(MEDIAN);
    }

    private static Measured measure(String module) throws IOException {
        long began = System.nanoTime();
        ModuleIndex index = ModuleIndexer.index(module);
        return new Measured(module, index.bytes(), index.methods(), System.nanoTime() - began);
    }
}
