package io.dogpile.cache.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The vectors that the author of XXH64, and the implementations of others, publish; every path by length. */
class XxHash64Test {
    @ParameterizedTest(name = "\"{0}\"")
    @CsvSource({
        "'', EF46DB3751D8E999",
        "a, D24EC4F1A98C6E5B",
        "as, 1C330FB2D66BE179",
        "asd, 631C37CE72A97393",
        "asdf, 415872F599CEA71E",
        "abc, 44BC2CF5AD770999",
        "'Call me Ishmael. Some years ago--never mind how long precisely-', 02A2E85470D6FD96"
    })
    void publishedText_publishedHash(String text, String hash) {
        assertEquals(hash, hex(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** The buffer of the author's own sanity check. */
    @ParameterizedTest(name = "{0} bytes")
    @CsvSource({
        "0, EF46DB3751D8E999",
        "1, E934A84ADB052768",
        "4, 9136A0DCA57457EE",
        "14, 8282DCC4994E35C8",
        "222, B641AE8CB691C174"
    })
    void publishedBuffer_publishedHash(int length, String hash) {
        byte[] buffer = new byte[length];
        long generator = 0x9E3779B1L;
        for (int i = 0; i < length; i++) {
            buffer[i] = (byte) (generator >>> 56);
            generator *= 0x9E3779B185EBCA8DL;
        }
        assertEquals(hash, hex(buffer));
    }

    private static String hex(byte[] bytes) {
        return String.format("%016X", XxHash64.hash(bytes));
    }
}
