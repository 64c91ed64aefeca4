package io.dogpile.redis;

import java.time.Duration;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Builds a backend for the server at a port of this machine, and says what became of it: for servers that make the client's parser
 * overflow the stack. The second compiler of JDK 25.0.3 may compile that parser wrongly afterwards ({@code Protocol.process}
 * returns null for a push, until it is compiled otherwise), and then no subscription of the same JVM goes live any more.
 */
final class BuildMain {
    static final String BUILT = "built";
    static final String REFUSED = "refused";

    private BuildMain() {}

    public static void main(String[] arguments) {
        try (RedisBackend built = RedisBackend.builder()
                .server("127.0.0.1", Integer.parseInt(arguments[0]))
                .timeout(Duration.ofSeconds(5))
                .build()) {
            System.out.println(BUILT + ' ' + built);
        } catch (JedisException refused) {
            System.out.println(REFUSED);
        }
    }
}
