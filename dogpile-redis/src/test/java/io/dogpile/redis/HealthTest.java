package io.dogpile.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

@Timeout(60) // seconds: a walk in a circle says so
class HealthTest {
    private static final String REPEATED = "ERR unknown command 'AUTH', with args beginning with: 'a secret' ";

    @Test
    void failureThatHasNoArgumentsInIt_staysItself() {
        JedisException failure = new JedisConnectionException("gone", new IllegalStateException("why"));
        assertSame(failure, Health.withoutArguments(failure));
    }

    @Test
    void arguments_areCutOff_whereverTheyAreTold() {
        JedisException beside = new JedisConnectionException("gone");
        beside.addSuppressed(new IllegalStateException("closing", new JedisDataException(REPEATED)));
        for (JedisException told : new JedisException[] {
            new JedisDataException(REPEATED),
            new JedisConnectionException("gone", new JedisDataException(REPEATED)),
            beside
        }) {
            JedisException cut = Health.withoutArguments(told);
            assertEquals("ERR unknown command 'AUTH'", cut.getMessage());
            assertNull(cut.getCause());
            assertEquals(0, cut.getSuppressed().length);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NOPERM User least has no permissions to run the 'hget' command",
                "ERR The user executing the script can't run this command or subcommand script: 98ca, on @user_script:18.",
                "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments"
                        + " script: 52e2, on @user_script:1.",
                "ERR ACL failure in script: User least has no permissions to run the 'hdel' command script: 98ca,"
                        + " on @user_script:18.",
                "ERR ACL failure in script: No permissions to access a key script: 52e2, on @user_script:1."
            })
    void rightThatLacks_isKnownAsSuch_howeverTheServerSaysIt(String said) {
        assertEquals(Health.Condition.DENIED, Health.Condition.of(new JedisDataException(said)));
    }

    /** An error that the JVM has one instance of may be the cause of what is suppressed in it. */
    @Test
    void failuresInACircle_areLookedThroughOnce() {
        OutOfMemoryError shared = new OutOfMemoryError("one for all");
        JedisException first = new JedisConnectionException("first", shared);
        JedisException second = new JedisConnectionException("second", shared);
        shared.addSuppressed(first);
        shared.addSuppressed(second);
        assertSame(first, Health.withoutArguments(first));

        second.addSuppressed(new JedisDataException(REPEATED));
        assertEquals(
                "ERR unknown command 'AUTH'", Health.withoutArguments(first).getMessage());
    }
}
