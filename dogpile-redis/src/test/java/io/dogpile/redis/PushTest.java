package io.dogpile.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What arrives in an inbox was sent by anybody. */
class PushTest {
    private static final int TRIES = 100_000;
    private static final String STAMPS = "1795308321787167 0 1795308322787 1795308323787 12 1000 1795308321787";

    @Test
    void value_withItsEnvelope_whateverIsInIt() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < TRIES; i++) {
            byte[] envelope = new byte[random.nextInt(50)];
            random.nextBytes(envelope);
            String key = key(random);

            Push push = Push.parse(join(bytes("P " + bytes(key).length + ' ' + key + STAMPS + '\n'), envelope));
            assertThat(push).isInstanceOf(Push.Changed.class);
            Push.Changed changed = (Push.Changed) push;
            assertThat(changed.key()).isEqualTo(key);
            assertThat(changed.stamps()).isEqualTo(RedisRecord.Stamps.parse(bytes(STAMPS)));
            assertThat(changed.envelope()).isEqualTo(envelope);
        }
    }

    /** Blanks, line ends and letters of more than one byte, too. */
    private static String key(SplittableRandom random) {
        StringBuilder key = new StringBuilder("p:region:");
        for (int length = random.nextInt(8); length > 0; length--) {
            key.append("a1 \n:\u00e9\u20ac".charAt(random.nextInt(7)));
        }
        return key.toString();
    }

    @Test
    void value_withoutEnvelope_hasNone_andAnEmptyOneIsOne() {
        assertThat(((Push.Changed) parse("P 3 keyx\n")).envelope()).isEmpty();
        Push.Changed push = (Push.Changed) parse("P 3 key" + STAMPS);
        assertThat(push.stamps()).isNotNull();
        assertThat(push.envelope()).isNull();
    }

    @Test
    void value_withStampsThatAreNone_isAChangeAllTheSame() {
        Push.Changed push = (Push.Changed) parse("P 3 key1 2\nvalue");

        assertThat(push.key()).isEqualTo("key");
        assertThat(push.stamps()).isNull();
    }

    @Test
    void givenBack_orDeclaredOld_isAChangeWithNothing() {
        for (String kind : new String[] {"A", "I"}) {
            assertThat(parse(kind + " 5 k e y")).isEqualTo(new Push.Changed("k e y", null, null));
        }
    }

    @Test
    void generations_copies_andBeats() {
        assertThat(parse("G region 70 50")).isEqualTo(new Push.Begun("region", new Generations.Both(70, 50)));
        assertThat(parse("K node a text of a key")).isEqualTo(new Push.Copied("node", "a text of a key"));
        assertThat(parse("K node ")).isEqualTo(new Push.Copied("node", ""));
        assertThat(parse("H17")).isEqualTo(new Push.Beat(17));
        assertThat(parse("H7")).isEqualTo(new Push.Beat(7));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "P",
                "X 3 key",
                "P3 key",
                "P  key",
                "Px3 key",
                "P 3key",
                "P 4 key",
                "P -1 key",
                "P 99999999999999999999999999 key",
                "P 3",
                "A ",
                "I x y",
                "G",
                "G region",
                "G region 1",
                "G region 1 x",
                "G region -1 0",
                "G region 1 2 3",
                "G region 12345678901234567 0",
                "Knode",
                "K node",
                "H",
                "Hx",
                "H99999999999999999999"
            })
    void anythingElse_isUnknown(String message) {
        assertThat(parse(message)).isEqualTo(new Push.Unknown());
    }

    @Test
    void anyBytes_neverThrow() {
        SplittableRandom random = new SplittableRandom(2);
        byte[] kinds = bytes("PAIGKH");
        for (int i = 0; i < TRIES; i++) {
            byte[] message = new byte[random.nextInt(40)];
            random.nextBytes(message);
            if (message.length > 1 && random.nextBoolean()) {
                message[0] = kinds[random.nextInt(kinds.length)];
                message[1] = ' ';
            }
            Push.parse(message);
        }
    }

    @Test
    void bytesThatLookLikeIt_andTheirBeginnings_neverThrow() {
        SplittableRandom random = new SplittableRandom(3);
        byte[] letters = bytes("PAIGKH 0123456789  \nx\u00e9");
        for (int i = 0; i < TRIES; i++) {
            byte[] message = new byte[random.nextInt(30)];
            for (int at = 0; at < message.length; at++) {
                message[at] = letters[random.nextInt(letters.length)];
            }
            Push.parse(message);
        }
        for (String whole : new String[] {
            "P 3 key" + STAMPS + "\nvalue", "A 3 key", "I 3 key", "G region 70 50", "K node key", "H17"
        }) {
            for (int length = 0; length < whole.length(); length++) {
                Push.parse(Arrays.copyOf(bytes(whole), length));
            }
        }
    }

    private static Push parse(String message) {
        return Push.parse(bytes(message));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static byte[] join(byte[] first, byte[] second) {
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        both.writeBytes(first);
        both.writeBytes(second);
        return both.toByteArray();
    }
}
