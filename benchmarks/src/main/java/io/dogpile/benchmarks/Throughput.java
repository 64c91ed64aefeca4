package io.dogpile.benchmarks;

import static io.dogpile.benchmarks.Table.number;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SynchronizedHistogram;
import org.jspecify.annotations.Nullable;

/**
 * Clients that are asked over and over, in one setting. Each round every contender has its turn, in another order each round;
 * the figures are medians over the rounds.
 */
final class Throughput {
    private static final long ROUND_MILLIS = 300;
    private static final int SEED = 4;
    private static final int COUNTED_CALLS = 320;

    /**
     * What all contenders do in a table.
     *
     * @param title what the table is called
     * @param threads how many ask at once
     * @param keys how many keys they ask for in turn
     */
    record Setting(String title, int threads, int keys) {}

    /**
     * How much is done.
     *
     * @param warmUpRounds before those that count
     * @param rounds those that count
     */
    record Sizes(int warmUpRounds, int rounds) {
        static final Sizes USUAL = new Sizes(5, 21);
        static final Sizes SMALLEST = new Sizes(0, 1);

        /** How long so many contenders take in so many settings. */
        long expectedSeconds(int settings, int contenders) {
            return settings * contenders * (warmUpRounds + rounds) * ROUND_MILLIS / 1_000;
        }
    }

    /** A client as it is asked; null is a miss, which nobody may have. */
    @FunctionalInterface
    interface Client {
        @Nullable
        Object get(String key) throws Exception;
    }

    /** What counts commands while something runs. */
    @FunctionalInterface
    interface Counting {
        ClientCommands of(ClientCommands.Counted run) throws Exception;
    }

    /** A client, and what was seen of it in one setting. */
    static final class Contender {
        final String title;
        private final Client client;
        private final List<Double> rates = new ArrayList<>();
        private final Histogram latency = new SynchronizedHistogram(3);
        private @Nullable ClientCommands commands;

        Contender(String title, Client client) {
            this.title = title;
            this.client = client;
        }

        Contender afresh() {
            return new Contender(title, client);
        }

        /** Calls in a second. */
        double rate() {
            return Table.median(rates());
        }

        /** Microseconds of one call. */
        double micros(Setting setting) {
            return setting.threads() * 1e6 / rate();
        }

        double commandsPerCall() {
            return commands == null ? Double.NaN : (double) commands.total() / COUNTED_CALLS;
        }

        private double[] rates() {
            return rates.stream().mapToDouble(Double::doubleValue).toArray();
        }
    }

    private final Setting setting;
    private final List<Contender> all;
    private final String reference;

    private Throughput(Setting setting, List<Contender> all, String reference) {
        this.setting = setting;
        this.all = all;
        this.reference = reference;
    }

    /**
     * Measures contenders.
     *
     * @param contenders who; what was seen of them before does not count
     * @param reference the title of the one that all are compared with
     */
    static Throughput measure(Setting setting, Sizes sizes, List<Contender> contenders, String reference)
            throws Exception {
        Throughput seen = new Throughput(
                setting, contenders.stream().map(Contender::afresh).toList(), reference);
        seen.measure(sizes);
        return seen;
    }

    private void measure(Sizes sizes) throws Exception {
        // Not in turn, since a turn begins better after some than after others: they leave the cores awake.
        Random order = new Random(SEED);
        for (int round = -sizes.warmUpRounds(); round < sizes.rounds(); round++) {
            Progress.show(setting.title()
                    + (round < 0 ? ", warming up" : ", round " + (round + 1) + " of " + sizes.rounds()));
            List<Contender> turns = new ArrayList<>(all);
            Collections.shuffle(turns, order);
            for (Contender next : turns) {
                Histogram latency = round < 0 ? new SynchronizedHistogram(3) : next.latency;
                long began = System.nanoTime();
                long calls = call(next.client, TimeUnit.MILLISECONDS.toNanos(ROUND_MILLIS), latency);
                if (round >= 0) {
                    next.rates.add(calls * 1e9 / (System.nanoTime() - began));
                }
            }
        }
        Progress.end();
    }

    /** Counts the commands of each, apart, since that slows the server down. */
    Throughput count(Counting counting) throws Exception {
        Progress.show(setting.title() + ", counting commands");
        for (Contender each : all) {
            var unused = each.client.get(key(0)); // what is asked by the clock was asked just now
            each.commands = counting.of(() -> call(each.client, 0, new SynchronizedHistogram(3)));
        }
        Progress.end();
        return this;
    }

    /** As many threads as the setting has call for that long; or, told to call for no time, {@link #COUNTED_CALLS} in all. */
    private long call(Client client, long nanos, Histogram latency) throws Exception {
        LongAdder calls = new LongAdder();
        AtomicReference<@Nullable Exception> trouble = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(setting.threads());
        String[] keys = new String[setting.keys()];
        Arrays.setAll(keys, Throughput::key);
        long end = System.nanoTime() + nanos;
        for (int thread = 0; thread < setting.threads(); thread++) {
            int first = thread * 131;
            new Thread(() -> {
                        Histogram own = new Histogram(3);
                        long mine = 0;
                        try {
                            long before = System.nanoTime();
                            while (nanos == 0 ? mine < COUNTED_CALLS / setting.threads() : before < end) {
                                if (client.get(keys[(int) ((first + mine) % keys.length)]) == null) {
                                    throw new IllegalStateException("a miss");
                                }
                                long after = System.nanoTime();
                                own.recordValue(after - before);
                                before = after;
                                mine++;
                            }
                        } catch (Exception e) {
                            trouble.set(e);
                        } finally {
                            calls.add(mine);
                            latency.add(own);
                            done.countDown();
                        }
                    })
                    .start();
        }
        done.await();
        Exception failed = trouble.get();
        if (failed != null) {
            throw failed;
        }
        return calls.sum();
    }

    static String key(int number) {
        return "user:profile:" + number;
    }

    /** A table of throughput, with the commands of each call. */
    void print(String title, int rounds) {
        Results.heading(title + ", " + setting.title() + ", medians of " + rounds + " short rounds");
        Table table = new Table(
                "", "ops/s", "x " + reference, "least", "most", "p50, us", "p99, us", "commands a hit", "which");
        for (Contender each : all) {
            table.row(
                    each.title,
                    number(each.rate(), 0),
                    number(each.rate() / of(reference).rate(), 2),
                    number(Arrays.stream(each.rates()).min().orElse(Double.NaN), 0),
                    number(Arrays.stream(each.rates()).max().orElse(Double.NaN), 0),
                    number(each.latency.getValueAtPercentile(50) / 1e3, 1),
                    number(each.latency.getValueAtPercentile(99) / 1e3, 1),
                    number(each.commandsPerCall(), 3),
                    each.commands == null
                            ? ""
                            : String.join(" ", each.commands.byName().keySet()));
        }
        table.drawn(Chart.higherIsBetter("ops/s")).print();
    }

    /** A table of the time that a call takes, where there are no commands. */
    void printTimes(String title, int rounds) {
        Results.heading(title + ", " + setting.title() + ", medians of " + rounds + " short rounds");
        Table table = new Table("us a call", "median", "x " + reference, "least", "most", "p50", "p99");
        for (Contender each : all) {
            double micros = setting.threads() * 1e6;
            table.row(
                    each.title,
                    number(each.micros(setting), 2),
                    number(of(reference).rate() / each.rate(), 2),
                    number(micros / Arrays.stream(each.rates()).max().orElse(Double.NaN), 2),
                    number(micros / Arrays.stream(each.rates()).min().orElse(Double.NaN), 2),
                    number(each.latency.getValueAtPercentile(50) / 1e3, 2),
                    number(each.latency.getValueAtPercentile(99) / 1e3, 2));
        }
        table.drawn(Chart.lowerIsBetter("median")).print();
    }

    /** How the throughput of one is to that of the reference. */
    Goal rateAtLeast(String title, double limit) {
        return Goal.atLeast(
                setting.title() + ": ops/s, x " + reference,
                of(title).rate() / of(reference).rate(),
                limit);
    }

    /** How the time of one is to that of the reference. */
    Goal timeAtMost(String title, double limit) {
        return Goal.atMost(
                setting.title() + ": time, x " + reference,
                of(reference).rate() / of(title).rate(),
                limit);
    }

    Goal commandsAtMost(String title, double limit) {
        return Goal.atMost(setting.title() + ": commands a hit", of(title).commandsPerCall(), limit);
    }

    private Contender of(String title) {
        return all.stream().filter(each -> each.title.equals(title)).findFirst().orElseThrow();
    }
}
