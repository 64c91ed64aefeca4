package io.dogpile.cache.servers;

import io.dogpile.cache.processes.Signals;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A server as a child process, in a temporary directory of its own. */
public final class ServerProcess implements ServerRun {
    private final List<String> command;
    private final Map<String, String> environment;
    private final Path dir;
    private final Path log;
    private volatile Process process;

    /**
     * One that is not started.
     *
     * @param command the binary and its arguments
     * @param files by their names, in the directory in which it runs; the server may rewrite them
     * @param environment what it has beside this JVM's
     */
    public ServerProcess(List<String> command, Map<String, String> files, Map<String, String> environment) {
        this.command = command;
        this.environment = environment;
        try {
            dir = Files.createTempDirectory("dogpile-server-");
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
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        try {
            process = builder.start();
            process.getOutputStream().close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + origin(), e);
        }
    }

    @Override
    public boolean isAlive() {
        return process != null && process.isAlive();
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public void kill() {
        if (process != null) {
            Signals.kill(process);
        }
    }

    @Override
    public void freeze() {
        Signals.stop(process);
    }

    @Override
    public void thaw() {
        Signals.goOn(process);
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
        return command.get(0);
    }
}
