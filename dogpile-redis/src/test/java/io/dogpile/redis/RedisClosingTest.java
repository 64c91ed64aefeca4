package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.Region;
import io.dogpile.cache.backend.Serializer;
import io.dogpile.cache.processes.Await;
import io.dogpile.core.testing.Callers;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The end of a backend while its server is asked. */
class RedisClosingTest {
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private final PrintStream errBefore = System.err;
    private final Callers callers = new Callers();

    @BeforeEach
    void listen() {
        System.setErr(new PrintStream(log, true, UTF_8));
    }

    @AfterEach
    void restore() throws InterruptedException {
        System.setErr(errBefore);
        callers.close();
    }

    @Test
    void close_whileTheServerIsAsked_isNotTakenForATroubleOfTheServer() {
        try (RedisServer server = RedisServer.start();
                Proxy proxy = Proxy.before(server)) {
            RedisBackend backend = RedisBackend.builder()
                    .server("127.0.0.1", proxy.hostAndPort().getPort())
                    .build();
            Region<String, String> region = Region.<String, String>builder("closing")
                    .backend(backend)
                    .serializer(Serializer.string())
                    .build();
            region.get("key");
            try (CommandCount count = CommandCount.on(server)) {
                proxy.delay(Duration.ofMillis(500));
                var reader = callers.start(() -> region.get("key"));
                Await.until("the server is asked", () -> Calls.of(count).contains("HMGET"));
                backend.close();
                proxy.cut();
                assertThat(reader.result()).isEmpty();
                callers.start(() -> region.get("key")).result();
            }
        }
        assertThat(log.toString(UTF_8)).doesNotContain("io.dogpile.redis");
    }
}
