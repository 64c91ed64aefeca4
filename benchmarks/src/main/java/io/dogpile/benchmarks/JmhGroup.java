package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * A class of JMH benchmarks, run at each number of threads, and its goals, which are ratios within one table. All methods
 * have one JVM each, then each has its next: what a machine does beside this for a while is felt by all of them.
 *
 * @param benchmarks the class
 * @param rows its methods
 * @param differences goals that are differences
 * @param spreads the values of its parameter {@code spread}, each with a table of its own; empty if it has none
 * @param threads at which numbers of threads it is run
 */
record JmhGroup(
        Class<?> benchmarks,
        List<Row> rows,
        List<String> spreads,
        List<Difference> differences,
        List<Integer> threads) {
    private static final List<Integer> THREADS = List.of(1, 2);
    /** What the compiler makes of the same code differs from JVM to JVM. */
    private static final int FORKS = 5;

    private static final int FORKS_IN_PASSING = 3;
    /** After one second not all is compiled: more is allocated then than later. */
    private static final int WARM_UP_SECONDS = 2;

    private static final int SECONDS = 3;
    /** What a fork takes beside its iterations. */
    private static final int SECONDS_TO_START = 2;

    private static final List<String> NO_SPREAD = List.of("");

    JmhGroup(Class<?> benchmarks, List<Row> rows) {
        this(benchmarks, rows, List.of(), List.of());
    }

    JmhGroup(Class<?> benchmarks, List<Row> rows, List<String> spreads, List<Difference> differences) {
        this(benchmarks, rows, spreads, differences, THREADS);
    }

    private static final String ALLOCATED = "gc.alloc.rate.norm";
    /** The harness allocates in each iteration, too, the more a call the slower it is; the smallest object has 16 bytes. */
    private static final double NO_BYTES = 1;

    /**
     * A method.
     *
     * @param method its name
     * @param title what it is
     * @param goals what it is to reach
     * @param forks in how many JVMs it is run
     * @param mostThreads by how many threads it is run at most
     */
    record Row(String method, String title, List<RatioGoal> goals, int forks, int mostThreads) {
        Row(String method, String title, RatioGoal... goals) {
            this(method, title, List.of(goals), FORKS, Integer.MAX_VALUE);
        }

        /** In fewer JVMs: no goal depends on it. */
        static Row inPassing(String method, String title) {
            return new Row(method, title, List.of(), FORKS_IN_PASSING, Integer.MAX_VALUE);
        }

        /** As {@link #inPassing}, and by one thread only. */
        static Row ofOneThread(String method, String title) {
            return new Row(method, title, List.of(), FORKS_IN_PASSING, 1);
        }

        /** The one of the table, if there is any. */
        @Nullable
        RatioGoal goal(int threads) {
            return goals(threads).stream().findFirst().orElse(null);
        }

        List<RatioGoal> goals(int threads) {
            return goals.stream().filter(goal -> goal.threads() == threads).toList();
        }
    }

    /**
     * What a row is to reach at a number of threads.
     *
     * @param threads the number of threads
     * @param reference the method it is compared with
     * @param atMost the ratio to it
     * @param allocates whether it may allocate
     */
    record RatioGoal(int threads, String reference, double atMost, boolean allocates) {}

    /**
     * By how many nanoseconds a row may take longer than another.
     *
     * @param row the method
     * @param than the other method
     * @param atMost the nanoseconds
     */
    record Difference(String row, String than, double atMost) {}

    /** What was seen of a row; times in nanoseconds for each call. */
    private record Figures(double median, double error, double bytes) {}

    long expectedSeconds() {
        return (long) threads.size()
                * Math.max(1, spreads.size())
                * rows.stream().mapToInt(Row::forks).sum()
                * (WARM_UP_SECONDS + SECONDS + SECONDS_TO_START);
    }

    /**
     * Runs it.
     *
     * @param jvmArguments of the JVMs that are measured, beside those of the heap
     */
    void run(String... jvmArguments) throws RunnerException {
        for (String spread : spreads.isEmpty() ? NO_SPREAD : spreads) {
            for (int number : threads) {
                by(number).runTable(spread, number, jvmArguments);
            }
        }
    }

    /** Those rows that are run by so many threads. */
    private JmhGroup by(int number) {
        List<Row> some =
                rows.stream().filter(row -> row.mostThreads() >= number).toList();
        return new JmhGroup(benchmarks, some, spreads, differences, threads);
    }

    private void runTable(String spread, int number, String... jvmArguments) throws RunnerException {
        List<List<RunResult>> forks = new ArrayList<>();
        rows.forEach(row -> forks.add(new ArrayList<>()));
        int rounds = rows.stream().mapToInt(Row::forks).max().orElse(0);
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < rows.size(); i++) {
                Row row = rows.get(i);
                if (round < row.forks()) {
                    Progress.show(title(spread, number) + ", " + (round + 1) + " of " + rounds + ": " + row.title());
                    forks.get(i).add(fork(row, spread, number, jvmArguments));
                }
            }
        }
        Progress.end();
        print(spread, number, forks.stream().map(JmhGroup::figures).toList());
    }

    private String title(String spread, int threads) {
        return benchmarks.getSimpleName() + (spread.isEmpty() ? "" : ", " + spread) + ", " + threads(threads);
    }

    private RunResult fork(Row row, String spread, int number, String... jvmArguments) throws RunnerException {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("^" + benchmarks.getName().replace(".", "\\.") + "\\." + row.method() + "$")
                .threads(number)
                .forks(1)
                .warmupIterations(WARM_UP_SECONDS)
                .warmupTime(TimeValue.seconds(1))
                .measurementIterations(SECONDS)
                .measurementTime(TimeValue.seconds(1))
                .timeUnit(TimeUnit.NANOSECONDS)
                .addProfiler(GCProfiler.class)
                .jvmArgsAppend(Stream.concat(Stream.of("-Xms1g", "-Xmx1g"), Stream.of(jvmArguments))
                        .toArray(String[]::new))
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true);
        if (!spread.isEmpty()) {
            options.param("spread", spread);
        }
        return new Runner(options.build()).runSingle();
    }

    @SuppressWarnings("rawtypes") // JMH gives its secondary results so
    private static Figures figures(List<RunResult> forks) {
        RunResult result = new RunResult(
                forks.get(0).getParams(),
                forks.stream()
                        .flatMap(fork -> fork.getBenchmarkResults().stream())
                        .toList());
        Result<?> time = result.getPrimaryResult();
        double bytes = result.getSecondaryResults().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith(ALLOCATED))
                .mapToDouble(entry -> entry.getValue().getScore())
                .findFirst()
                .orElse(Double.NaN);
        return new Figures(time.getStatistics().getPercentile(50), time.getScoreError(), bytes);
    }

    private void print(String spread, int threads, List<Figures> seen) {
        Results.heading(title(spread, threads));
        Table table = new Table("", "median ns/op", "error (99.9 %)", "B/op", "x reference", "goal", "");
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            Figures figures = seen.get(i);
            RatioGoal goal = row.goal(threads);
            double ratio = goal == null
                    ? Double.NaN
                    : figures.median() / reference(goal, seen).median();
            table.row(
                    row.title(),
                    number(figures.median(), 1),
                    number(figures.error(), 1),
                    number(figures.bytes(), 1),
                    number(ratio, 2),
                    goal == null ? "" : "<= " + number(goal.atMost(), 2) + (goal.allocates() ? "" : ", 0 B"),
                    goal == null ? "" : isMet(goal, ratio, figures) ? "met" : "MISSED");
        }
        table.drawn(Chart.lowerIsBetter("median ns/op")).print();
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            List<RatioGoal> goals = row.goals(threads);
            for (RatioGoal goal : goals) {
                double ratio = seen.get(i).median() / reference(goal, seen).median();
                if (goal == goals.get(0)) {
                    Results.goalInTable(told(row, goal, ratio, seen.get(i)));
                    continue;
                }
                Results.goal(told(row, goal, ratio, seen.get(i)));
            }
        }
        for (Difference difference : differences) {
            double more = figures(difference.row(), seen).median()
                    - figures(difference.than(), seen).median();
            Goal.atMost(
                            title(difference.row()) + ", ns more than " + title(difference.than()),
                            more,
                            difference.atMost())
                    .print();
        }
    }

    private String title(String method) {
        return rows.stream()
                .filter(row -> row.method().equals(method))
                .findFirst()
                .orElseThrow()
                .title();
    }

    private Goal.Verdict told(Row row, RatioGoal goal, double ratio, Figures figures) {
        return new Goal.Verdict(
                row.title() + ", x " + title(goal.reference()) + ": " + number(ratio, 2) + ", goal at most "
                        + number(goal.atMost(), 2),
                isMet(goal, ratio, figures));
    }

    private static boolean isMet(RatioGoal goal, double ratio, Figures figures) {
        return ratio <= goal.atMost() && (goal.allocates() || figures.bytes() < NO_BYTES);
    }

    private Figures reference(RatioGoal goal, List<Figures> seen) {
        return figures(goal.reference(), seen);
    }

    private Figures figures(String method, List<Figures> seen) {
        for (int i = 0; i < rows.size(); i++) {
            if (rows.get(i).method().equals(method)) {
                return seen.get(i);
            }
        }
        throw new IllegalArgumentException("no row " + method);
    }

    private static String threads(int number) {
        return number + (number == 1 ? " thread" : " threads");
    }
}
