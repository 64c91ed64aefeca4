package io.dogpile.redis;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import redis.embedded.core.ExecutableProvider;

/** The redis-server that embedded-redis ships, unpacked once a JVM, when it is wanted. */
final class ShippedServer {
    private static final Path BINARY = unpack();

    private ShippedServer() {}

    static boolean isExecutable() {
        return Files.isExecutable(BINARY);
    }

    static Path binary() {
        return BINARY;
    }

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
