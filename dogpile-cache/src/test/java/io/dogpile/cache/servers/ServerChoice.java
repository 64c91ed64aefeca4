package io.dogpile.cache.servers;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Chooses the kind of the servers of one product, once a JVM. Thread-safe. */
public final class ServerChoice {
    /** The system property that forces a kind: docker, local or embedded. */
    public static final String PROPERTY = "dogpile.servers";

    private final String binary;
    private final BooleanSupplier embedded;

    /** Kept, as the look for an engine takes a while. Two threads that look at once find the same. */
    private volatile ServerKind chosen;

    /**
     * Not chosen yet.
     *
     * @param binary the name of the binary on the path
     * @param embedded whether there is an embedded one; may fail for a class that is not there
     */
    public ServerChoice(String binary, BooleanSupplier embedded) {
        this.binary = binary;
        this.embedded = embedded;
    }

    /**
     * The kind of this machine: the one that the property {@value #PROPERTY} names, else the first there is.
     *
     * @throws IllegalStateException if the named one, or without a name every one, is not there, or if no kind has the name
     */
    public ServerKind kind() {
        ServerKind kind = chosen;
        if (kind == null) {
            kind = choose(System.getProperty(PROPERTY), this::isAvailable);
            chosen = kind;
        }
        return kind;
    }

    /**
     * From now on a process is preferred to a container, for who would not wait until an image is fetched. The property
     * goes before, and so does a kind that was chosen already.
     */
    public void preferProcesses() {
        String named = System.getProperty(PROPERTY);
        if (chosen == null && (named == null || named.isEmpty())) {
            chosen = Stream.of(ServerKind.LOCAL, ServerKind.EMBEDDED)
                    .filter(this::isAvailable)
                    .findFirst()
                    .orElse(null);
        }
    }

    /** The binary of {@link ServerKind#LOCAL}. */
    public Path local() {
        return onPath().orElseThrow();
    }

    ServerKind choose(String named, Predicate<ServerKind> available) {
        if (named == null || named.isEmpty()) {
            return Stream.of(ServerKind.values())
                    .filter(available)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no " + binary + " for the tests: no Docker engine"
                            + " answers, none is on the path, and no embedded one suits this machine; install "
                            + binary));
        }
        ServerKind kind = Stream.of(ServerKind.values())
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

    private boolean isAvailable(ServerKind kind) {
        return switch (kind) {
            case DOCKER -> ServerContainer.engineAnswers();
            case LOCAL -> onPath().isPresent();
            case EMBEDDED -> isEmbedded();
        };
    }

    private boolean isEmbedded() {
        try {
            return embedded.getAsBoolean();
        } catch (LinkageError absent) {
            return false;
        }
    }

    private Optional<Path> onPath() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> Path.of(folder, binary))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
