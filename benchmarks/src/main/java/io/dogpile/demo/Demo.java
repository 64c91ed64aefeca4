package io.dogpile.demo;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Shows what this library is for: 200 callers who want what nobody has, a value that goes stale under load, many keys
 * at once, each without the library and with it. Prints a table and writes a page with the timeline.
 */
public final class Demo {
    private Demo() {}

    /**
     * Runs the demo.
     *
     * @param args the page to write; {@code target/dogpile-demo.html} if none is given
     * @throws Exception if a caller failed or the page could not be written
     */
    public static void main(String[] args) throws Exception {
        Path file =
                Path.of(args.length > 0 ? args[0] : "target/dogpile-demo.html").toAbsolutePath();
        long began = System.nanoTime();
        Progress progress = new Progress(System.out, Progress.isTerminal(), Stampedes.RUNS);
        progress.say("Dogpile demo on " + machine());
        Setting setting = Survey.take(progress);
        progress.say("The expensive call: " + expensiveCall(setting));

        List<Row> rows = new Stampedes(progress).all(setting.one().module(), setting.largest());

        progress.say("");
        progress.say(Figures.table(rows));
        progress.say("What the regions counted, by RegionStats (the steady ones with the call before the load):");
        progress.say(Figures.stats(rows));
        progress.say("Wait: from when a call was due until it had its value. Creations: how often the index was made.");
        Files.createDirectories(file.getParent());
        Files.writeString(file, HtmlPage.of(rows, machine(), expensiveCall(setting)));
        progress.say("The timeline, for a browser: " + file);
        progress.say(String.format(
                Locale.ROOT, "Took %.1f s.", (double) (System.nanoTime() - began) / TimeUnit.SECONDS.toNanos(1)));
    }

    private static String machine() {
        return String.format(
                Locale.ROOT,
                "JDK %s, %d processors, heap up to %,d MiB",
                Runtime.version(),
                Runtime.getRuntime().availableProcessors(),
                Runtime.getRuntime().maxMemory() >> 20);
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
