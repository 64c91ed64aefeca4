package io.dogpile.redis;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import redis.embedded.core.ExecutableProvider;

/** Where the servers of the tests come from, in the order in which they are preferred. */
public enum ServerKind {
    /** A container, where a Docker engine of this machine answers. */
    DOCKER {
        @Override
        boolean isAvailable() {
            return ServerContainer.engineAnswers();
        }

        @Override
        ServerRun run(String configuration, List<String> arguments) {
            return new ServerContainer(configuration, arguments);
        }
    },

    /** A process of the redis-server on the path. */
    LOCAL {
        @Override
        boolean isAvailable() {
            return onPath().isPresent();
        }

        @Override
        ServerRun run(String configuration, List<String> arguments) {
            return new ServerProcess(onPath().orElseThrow(), configuration, arguments);
        }
    },

    /** A process of the binary that embedded-redis ships. */
    EMBEDDED {
        @Override
        boolean isAvailable() {
            try {
                return Files.isExecutable(Shipped.BINARY);
            } catch (ExceptionInInitializerError | NoClassDefFoundError none) {
                return false;
            }
        }

        @Override
        ServerRun run(String configuration, List<String> arguments) {
            return new ServerProcess(Shipped.BINARY, configuration, arguments);
        }
    };

    /** The system property that forces a kind: docker, local or embedded. */
    public static final String PROPERTY = "dogpile.servers";

    /** The file that a server reads first, in its working directory. */
    static final String CONFIGURATION = "server.conf";

    /** Kept, as the look for an engine takes a while. Two threads that look at once find the same. */
    private static volatile ServerKind chosen;

    abstract boolean isAvailable();

    /** A server of this kind, not started. */
    abstract ServerRun run(String configuration, List<String> arguments);

    /**
     * The kind of this machine, the same for every server of the JVM: the one that the property {@value #PROPERTY} names,
     * else the first there is.
     *
     * @throws IllegalStateException if the named one, or without a name every one, is not there, or if no kind has the name
     */
    public static ServerKind ofThisMachine() {
        ServerKind kind = chosen;
        if (kind == null) {
            kind = choose(System.getProperty(PROPERTY), ServerKind::isAvailable);
            chosen = kind;
        }
        return kind;
    }

    /**
     * From now on a process is preferred to a container, for who would not wait until an image is fetched. The property
     * goes before, and so does a kind that was chosen already.
     */
    public static void preferProcesses() {
        String named = System.getProperty(PROPERTY);
        if (chosen == null && (named == null || named.isEmpty())) {
            chosen = Stream.of(LOCAL, EMBEDDED)
                    .filter(ServerKind::isAvailable)
                    .findFirst()
                    .orElse(null);
        }
    }

    static ServerKind choose(String named, Predicate<ServerKind> available) {
        if (named == null || named.isEmpty()) {
            return Stream.of(values())
                    .filter(available)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no Redis server for the tests: no Docker engine"
                            + " answers, no redis-server is on the path, and the embedded one does not suit this"
                            + " machine; install redis-server"));
        }
        ServerKind kind = Stream.of(values())
                .filter(one -> one.name().toLowerCase(Locale.ROOT).equals(named))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalStateException(PROPERTY + "=" + named + " is none of docker, local and embedded"));
        if (!available.test(kind)) {
            throw new IllegalStateException(
                    PROPERTY + "=" + named + ", but there is none on this machine; leave it out to take what there is");
        }
        return kind;
    }

    private static Optional<Path> onPath() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> Path.of(folder, "redis-server"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Unpacked once a JVM, when it is wanted. */
    private static final class Shipped {
        static final Path BINARY = unpack();

        private static Path unpack() {
            try {
                File dir = Files.createTempDirectory("dogpile-redis-binary-").toFile();
                dir.deleteOnExit();
                File binary = ExecutableProvider.newJarResourceProvider(dir).get();
                binary.deleteOnExit();
                return binary.toPath();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
