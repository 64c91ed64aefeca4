package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.dogpile.cache.servers.Ports;
import io.dogpile.core.GarblingNetwork;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** No line of any log, and no exception, shows a password or a value. Keys they do show. */
@Timeout(120)
class SecretsTest {
    @TempDir
    Path directory;

    @Test
    void noLogLineAndNoException_showsAPasswordOrAValue_whateverFails() throws Exception {
        try (RedisServer server = RedisServer.builder()
                        .user(SecretsMain.USER, SecretsMain.PASSWORD, "~*", "&*", "+@all")
                        .start();
                GarblingNetwork repeating =
                        GarblingNetwork.answering(("-ERR unknown command 'HELLO', with args beginning with: '3'"
                                        + " 'AUTH' '" + SecretsMain.USER + "' '" + SecretsMain.PASSWORD + "' '"
                                        + SecretsMain.VALUE
                                        + "' \r\n")
                                .getBytes(UTF_8))) {
            Path said = directory.resolve("said");
            ProcessBuilder builder = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Dorg.slf4j.simpleLogger.defaultLogLevel=trace",
                            "-Dorg.slf4j.simpleLogger.log.redis.clients=info", // what Jedis tells in DEBUG is not ours
                            SecretsMain.class.getName(),
                            Integer.toString(server.port()),
                            Integer.toString(repeating.port()),
                            Integer.toString(Ports.free()))
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile());
            builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
            Process child = builder.start();
            try {
                assertThat(child.waitFor(90, TimeUnit.SECONDS)).isTrue();
            } finally {
                child.destroyForcibly();
            }
            List<String> lines =
                    new String(Files.readAllBytes(said), UTF_8).lines().toList();

            assertThat(child.exitValue()).as(() -> String.join("\n", lines)).isZero();
            assertThat(lines.stream()
                            .filter(line -> line.contains(SecretsMain.FAILED))
                            .count())
                    .isGreaterThan(30);
            assertThat(lines).anyMatch(line -> line.contains(" WARN io.dogpile.redis - "));
            assertThat(lines).anyMatch(line -> line.contains(" DEBUG io.dogpile.redis - "));
            assertThat(lines).anyMatch(line -> line.contains(SecretsMain.KEY));
            List<String> told = IntStream.range(0, lines.size())
                    .filter(at -> isSecret(lines.get(at)))
                    .mapToObj(at ->
                            String.join("\n", lines.subList(Math.max(0, at - 2), Math.min(at + 20, lines.size()))))
                    .toList();
            assertThat(told).isEmpty();
        }
    }

    private static boolean isSecret(String line) {
        return line.contains(SecretsMain.PASSWORD)
                || line.contains(SecretsMain.WRONG)
                || line.contains(SecretsMain.VALUE);
    }
}
