package io.dogpile.demo;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** Says what is going on: in one line that is rewritten on a terminal, in a few plain lines elsewhere. */
final class Progress {
    private static final long REPAINT_MILLIS = 100;
    private static final long PLAIN_LINE_NANOS = TimeUnit.SECONDS.toNanos(3);
    /** Fits a terminal of 80 columns: a line that wraps cannot be rewritten. */
    private static final int WIDTH = 79;

    private final PrintStream out;
    private final boolean terminal;
    private final int runs;
    private int number;
    private final ReentrantLock lock = new ReentrantLock();
    private long nextPlainLineAt = System.nanoTime(); // Guarded by: lock

    Progress(PrintStream out, boolean terminal, int runs) {
        this.out = out;
        this.terminal = terminal;
        this.runs = runs;
    }

    static boolean isTerminal() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            // Some newer JDKs have a console even where the output is a file, and this method to tell.
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException olderJdk) {
            return true;
        }
    }

    /** A step on the way, rewritten by the next; where nothing can be rewritten most steps are passed over. */
    void step(String what) {
        long now = System.nanoTime();
        lock.lock();
        try {
            if (terminal) {
                paint(what, "\r");
            } else if (now >= nextPlainLineAt) {
                nextPlainLineAt = now + PLAIN_LINE_NANOS;
                paint(what, "\n");
            }
        } finally {
            lock.unlock();
        }
    }

    /** What stays on the screen. */
    void say(String what) {
        lock.lock();
        try {
            paint(what, "\n");
        } finally {
            lock.unlock();
        }
    }

    /** What a run does. */
    @FunctionalInterface
    interface Task {
        void perform() throws Exception;
    }

    /** Shows a run while it is performed, and how it ended. */
    void during(String run, int calls, Recorder recorder, Task task) throws Exception {
        number++;
        String title = "[" + number + "/" + runs + "] " + run;
        Thread painter = new Thread(
                () -> {
                    try {
                        while (true) {
                            Thread.sleep(REPAINT_MILLIS);
                            step(line(title, calls, recorder));
                        }
                    } catch (InterruptedException theRunEnded) {
                        // what is left to say is said below
                    }
                },
                "progress");
        painter.setDaemon(true);
        painter.start();
        task.perform();
        painter.interrupt();
        painter.join();
        say(line(title, calls, recorder));
    }

    private static String line(String title, int calls, Recorder recorder) {
        return String.format(
                Locale.ROOT,
                "%s: %d/%d served, %d created, %.1f s",
                title,
                recorder.served(),
                calls,
                recorder.creations(),
                (double) Math.max(0, recorder.now()) / TimeUnit.SECONDS.toNanos(1));
    }

    /** Guarded by: lock. */
    private void paint(String line, String end) {
        out.print(terminal ? String.format(Locale.ROOT, "%-" + WIDTH + "s", line) + end : line + end);
        out.flush();
    }
}
