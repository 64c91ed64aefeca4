package io.dogpile.cache.processes;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** What a child process is sent, and its end or standstill that is waited for. */
public final class Signals {
    private static final int PATIENCE_SECONDS = 60;

    private Signals() {}

    /**
     * As kill -9. Returns when it is gone.
     *
     * @throws IllegalStateException if it does not end, or if this thread is interrupted
     */
    public static void kill(Process process) {
        process.toHandle().destroyForcibly(); // the process itself would close what it said and nobody has read yet
        end(process);
    }

    /** As SIGSTOP: it stands still in mid-work, and its connections stay open. Returns when it does. */
    public static void stop(Process process) {
        send("STOP", process);
        Path stat = Path.of("/proc", Long.toString(process.pid()), "stat");
        // The signal is only sent so far: it might answer once more. Elsewhere than on Linux it may.
        if (Files.isReadable(stat)) {
            Await.until(() -> "process " + process.pid() + " stands still", () -> stateIn(stat) == 'T');
        }
    }

    /** As SIGCONT: ends {@link #stop}. */
    public static void goOn(Process process) {
        send("CONT", process);
    }

    private static void send(String signal, Process process) {
        String command = "kill -" + signal + " " + process.pid();
        try {
            // The shell's own kill: the command of that name is not installed everywhere.
            Process kill = new ProcessBuilder("sh", "-c", command)
                    .redirectErrorStream(true)
                    .start();
            end(kill);
            if (kill.exitValue() != 0) {
                String said = new String(kill.getInputStream().readAllBytes(), UTF_8);
                throw new IllegalStateException(command + " failed: " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void end(Process process) {
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("not ended: process " + process.pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the end of process " + process.pid(), e);
        }
    }

    /** The letter after the name, which stands in brackets and may itself hold some. */
    private static char stateIn(Path stat) {
        try {
            String line = Files.readString(stat);
            return line.charAt(line.lastIndexOf(')') + 2);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
