package io.dogpile.memcached;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A server as a child process, in a temporary directory of its own. */
final class ServerProcess implements ServerRun {
    private final Path binary;
    private final List<String> arguments;
    private final Path dir;
    private final Path log;
    private volatile Process process;
    private final int port;

    ServerProcess(Path binary, int port, List<String> arguments, Map<String, String> files) {
        this.binary = binary;
        this.port = port;
        this.arguments = List.copyOf(arguments);
        try {
            dir = Files.createTempDirectory("dogpile-memcached-");
            for (Map.Entry<String, String> file : files.entrySet()) {
                Files.writeString(dir.resolve(file.getKey()), file.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        log = dir.resolve("server.log");
    }

    @Override
    public void start() {
        List<String> command =
                new ArrayList<>(List.of(binary.toString(), "-l", "127.0.0.1", "-U", "0", "-p", Integer.toString(port)));
        if ("root".equals(System.getProperty("user.name"))) {
            command.addAll(List.of("-u", "root"));
        }
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().put("SASL_CONF_PATH", dir.toString());
        try {
            process = builder.start();
            process.getOutputStream().close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + binary, e);
        }
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public boolean isAlive() {
        return process != null && process.isAlive();
    }

    @Override
    public void kill() {
        if (process == null) {
            return;
        }
        process.destroyForcibly();
        end(process, "the killed server");
    }

    @Override
    public void freeze() {
        signal("STOP");
        Path stat = Path.of("/proc", Long.toString(process.pid()), "stat");
        // The signal is only sent so far: the server might answer one more command. Elsewhere than on Linux it may.
        if (Files.isReadable(stat)) {
            Await.until("the server stands still", () -> stateIn(stat) == 'T');
        }
    }

    @Override
    public void thaw() {
        signal("CONT");
    }

    @Override
    public void delete() {
        kill();
        try (Stream<Path> files = Files.walk(dir)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String log() {
        try {
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String origin() {
        return binary.toString();
    }

    private void signal(String name) {
        try {
            // The shell's own kill: the command of that name is not installed everywhere.
            Process kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                    .redirectErrorStream(true)
                    .start();
            end(kill, "kill");
            if (kill.exitValue() != 0) {
                String said = new String(kill.getInputStream().readAllBytes(), UTF_8);
                throw new IllegalStateException("kill -" + name + " " + process.pid() + " failed: " + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void end(Process process, String what) {
        try {
            if (!process.waitFor(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("not ended: " + what + ", process " + process.pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the end of " + what, e);
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
