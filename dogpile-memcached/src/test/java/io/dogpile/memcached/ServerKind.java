package io.dogpile.memcached;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Where the servers of the tests come from, in the order in which they are preferred. */
public enum ServerKind {
    /** A container, where a Docker engine of this machine answers. */
    DOCKER {
        @Override
        boolean isAvailable() {
            return ServerContainer.engineAnswers();
        }

        @Override
        ServerRun run(int port, List<String> arguments, Map<String, String> files) {
            return new ServerContainer(port, arguments, files);
        }
    },

    /** A process of the memcached on the path. */
    LOCAL {
        @Override
        boolean isAvailable() {
            return onPath().isPresent();
        }

        @Override
        ServerRun run(int port, List<String> arguments, Map<String, String> files) {
            return new ServerProcess(onPath().orElseThrow(), port, arguments, files);
        }
    },

    /** Infinispan's server of the protocol, inside of this JVM. It takes none of memcached's options, and cannot be frozen. */
    EMBEDDED {
        @Override
        boolean isAvailable() {
            return ServerEmbedded.isOnClassPath();
        }

        @Override
        ServerRun run(int port, List<String> arguments, Map<String, String> files) {
            return new ServerEmbedded(port, arguments);
        }
    };

    /** The system property that forces a kind: docker, local or embedded. */
    public static final String PROPERTY = "dogpile.servers";

    /** Kept, as the look for an engine takes a while. Two threads that look at once find the same. */
    private static volatile ServerKind chosen;

    abstract boolean isAvailable();

    /** A server of this kind, not started, with options of memcached, and files that are read from its directory. */
    abstract ServerRun run(int port, List<String> arguments, Map<String, String> files);

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

    static ServerKind choose(String named, Predicate<ServerKind> available) {
        if (named == null || named.isEmpty()) {
            return Stream.of(values())
                    .filter(available)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no memcached for the tests: no Docker engine answers,"
                            + " no memcached is on the path, and the embedded one is not on the class path;"
                            + " install memcached"));
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
                .map(folder -> Path.of(folder, "memcached"))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
