package io.dogpile.demo;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Shows what this library is for: 200 callers who want what nobody has, a value that goes stale under load, many keys
 * at once, each without the library and with it. In one JVM, or in four that share a Redis server. Prints a table and
 * writes a page with the timeline.
 */
public final class Demo {
    private static final String CLUSTER = "cluster";
    private static final String KILL = "kill";
    private static final String PLAIN_MAP =
            "The plain cache is a concurrent map with a time beside each value: whoever finds nothing fresh creates.";
    private static final String PLAIN_REDIS =
            "The plain cache asks Redis with GET; whoever finds nothing creates, and stores it with SET and a life.";

    private final Progress progress;
    private final Path file;

    private Demo(int runs, Path file) {
        this.progress = new Progress(System.out, Progress.isTerminal(), runs);
        this.file = file.toAbsolutePath();
    }

    /**
     * Runs the demo.
     *
     * @param args nothing for one JVM, {@code cluster} for four over a Redis server that is started, {@code cluster kill} to
     *     have the JVM that creates killed with -9, too; then the page to write, a file in {@code target} if none is given
     * @throws Exception if a caller failed, there is no Redis server to start, or the page could not be written
     */
    public static void main(String[] args) throws Exception {
        List<String> words = new ArrayList<>(List.of(args));
        if (words.remove(Node.WORD)) {
            Node.serve(words);
            return;
        }
        long began = System.nanoTime();
        Demo demo;
        if (words.remove(CLUSTER)) {
            ClusterStampedes.Ending ending =
                    words.remove(KILL) ? ClusterStampedes.Ending.KILL : ClusterStampedes.Ending.PEACEFUL;
            demo = new Demo(ClusterStampedes.runs(ending), page(words, "target/dogpile-demo-cluster.html"));
            demo.inCluster(ending);
        } else {
            demo = new Demo(Stampedes.RUNS, page(words, "target/dogpile-demo.html"));
            demo.inOneJvm();
        }
        demo.progress.say(String.format(
                Locale.ROOT, "Took %.1f s.", (double) (System.nanoTime() - began) / TimeUnit.SECONDS.toNanos(1)));
    }

    private static Path page(List<String> words, String otherwise) {
        String name = words.isEmpty() ? otherwise : words.get(0);
        if (words.size() > 1 || !name.endsWith(".html")) {
            throw new IllegalArgumentException("what follows '" + CLUSTER + "' and '" + KILL
                    + "', if they are given, is the .html file to write; was " + words);
        }
        return Path.of(name);
    }

    private void inOneJvm() throws Exception {
        String machine = String.format(
                Locale.ROOT,
                "%s, heap up to %,d MiB",
                machine(),
                Runtime.getRuntime().maxMemory() >> 20);
        progress.say("Dogpile demo on " + machine);
        Setting setting = Survey.take(progress, Survey.Wanted.DEAR);
        progress.say("The expensive call: " + expensiveCall(setting));
        List<Row> rows = new Stampedes(progress).all(setting.one().module(), setting.largest());
        show(
                rows,
                new HtmlPage.Intro(
                        "One caller creates, the others take the old value or wait",
                        machine,
                        expensiveCall(setting),
                        PLAIN_MAP));
    }

    private void inCluster(ClusterStampedes.Ending ending) throws Exception {
        progress.say("Dogpile demo, " + Cluster.Size.USUAL + ", on " + machine());
        Setting setting = Survey.take(progress, Survey.Wanted.MODERATE);
        String call = expensiveCall(setting) + "; what is kept in Redis is a line about it";
        progress.say("The expensive call: " + call);
        try (Cluster cluster = Cluster.start(Cluster.Size.USUAL, progress)) {
            String machine = cluster + ", on " + machine();
            List<Row> rows = new ClusterStampedes(cluster).all(setting.one().module(), setting.largest(), ending);
            show(
                    rows,
                    new HtmlPage.Intro(
                            "One caller in the whole cluster creates, the others take the old value or wait",
                            machine,
                            call,
                            PLAIN_REDIS));
            progress.say("Commands: what the JVMs sent to Redis for it, without heartbeats.");
        }
    }

    private void show(List<Row> rows, HtmlPage.Intro intro) throws Exception {
        progress.say("");
        progress.say(Figures.table(rows));
        progress.say("What the regions counted, by RegionStats (the steady ones with the call before the load):");
        progress.say(Figures.stats(rows));
        progress.say("Wait: from when a call was due until it had its value. Creations: how often the index was made.");
        Files.createDirectories(file.getParent());
        Files.writeString(file, HtmlPage.of(rows, intro));
        progress.say("The timeline, for a browser: " + file);
    }

    private static String machine() {
        return String.format(
                Locale.ROOT,
                "JDK %s, %d processors",
                Runtime.version(),
                Runtime.getRuntime().availableProcessors());
    }

    private static String expensiveCall(Setting setting) {
        ModuleIndex index = setting.one();
        return String.format(
                Locale.ROOT,
                "index module %s, %,d public methods of %,d public types read out of %,d class files; takes %s ms alone",
                index.module(),
                index.methods(),
                index.types().size(),
                index.classFiles(),
                Figures.millis(setting.cost()));
    }
}
