package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.KeyLimit;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class KeyLimitTest {
    private static final long SEED = 20261103L;
    private static final int BYTES_OF_MARK_AND_HASH = 54;

    private final KeyLimit limit = KeyLimit.of(64);

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    @Test
    @Tag("C-153")
    void under_theLimit_isLeftAlone_andAtTheLimitShortened() {
        String under = "k".repeat(63);
        String at = "k".repeat(64);

        assertSame(under, limit.apply(under));
        assertEquals("kkkkkkkkk%~" + limit.apply(at).substring(11), limit.apply(at));
        assertEquals(63, limit.apply(at).length());
        assertSame("", limit.apply(""));
    }

    @Test
    @Tag("C-153")
    void bytesCount_notCharacters() {
        for (String letter : List.of("k", "\u00e9", "\u20ac", "\ud83d\ude00")) {
            int fitting = 63 / bytes(letter);
            String under = letter.repeat(fitting);
            String over = letter.repeat(fitting + 1);

            assertSame(under, limit.apply(under), letter);
            assertNotEquals(over, limit.apply(over), letter);
        }
    }

    @Test
    @Tag("C-152")
    void theHash_isThatOfTheUtf8Text_inFull() {
        assertEquals("some_key_%~q5a5pkkmfwlyri5av3qgxj5g45omekaoihbcb6lkf6z2mk4n6rdq", shortened("some_key_"));
        assertEquals(
                "m\u00e9il_dr%~oeaaxyjbjxyj77z4jgju7mi7nwfjjuetqbggqgvyjc4uibjuzkha",
                shortened("m\u00e9il_dr\u00f4le_"));
        // the first byte of this hash is zero
        assertEquals("zero_376_%~advpmkgiai5ozktsrwtzna6dbnfnkbhpfoobflr7mhlbhuki4pia", shortened("zero_376_"));
    }

    private String shortened(String start) {
        return limit.apply(start + "x".repeat(100));
    }

    @Nested
    class WhenShortened {
        @Test
        void theBeginning_staysReadable() {
            String text = "io.example.Users.find[String]/(" + "x".repeat(400) + ")";
            String shortened = KeyLimit.of(250).apply(text);

            assertTrue(shortened.startsWith("io.example.Users.find[String]/(xxx"), shortened);
            assertEquals(249, bytes(shortened));
            assertEquals(249 - BYTES_OF_MARK_AND_HASH, shortened.indexOf("%~"));
            assertTrue(shortened.substring(249 - 52).matches("[a-z2-7]{52}"), shortened);
        }

        @Test
        void everyPartOfTheText_counts() {
            String text = "a".repeat(300);

            assertEquals(limit.apply(text), limit.apply("a".repeat(300)));
            assertNotEquals(limit.apply(text), limit.apply("a".repeat(301)));
            assertNotEquals(limit.apply(text), limit.apply("a".repeat(299) + "b"));
        }

        @Test
        void aPair_isNeverSplit() {
            for (int before = 0; before < 4; before++) {
                String text = "a".repeat(before) + "\ud83d\ude00".repeat(40);
                String shortened = limit.apply(text);
                String read = new String(shortened.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);

                assertEquals(shortened, read);
                assertTrue(bytes(shortened) < 64 && bytes(shortened) >= 60, shortened);
            }
        }

        @Test
        void aShortKey_neverEqualsIt() {
            String shortened = limit.apply("a".repeat(300));
            assertTrue(bytes(shortened) < 64);

            assertNotEquals(shortened, limit.apply(shortened));
            assertNotEquals(shortened, KeyLimit.of(250).apply(shortened));
            assertNotEquals(shortened, limit.apply(KeyText.of(shortened)));
        }

        @Test
        void whatOnlyResemblesIt_isLeftAlone() {
            String hash = "a".repeat(52);
            for (String text : List.of(
                    "x%~" + hash.substring(1), "x~" + hash, "x%~" + hash.substring(1) + "1", "x%~" + hash + "A")) {
                assertSame(text, limit.apply(text));
            }
        }

        @Test
        @Tag("C-153")
        void randomTexts_keepBelowTheLimit_andApart() {
            SplittableRandom random = new SplittableRandom(SEED);
            List<String> letters = List.of("a", "b", "%~", "\u00e9", "\u20ac", "\ud83d\ude00");
            for (int bytes : new int[] {64, 65, 66, 67, 100, 251}) {
                KeyLimit limit = KeyLimit.of(bytes);
                Map<String, String> texts = new HashMap<>();
                for (int i = 0; i < 5_000; i++) {
                    StringBuilder text = new StringBuilder();
                    for (int left = random.nextInt(2 * bytes); left > 0; left--) {
                        text.append(letters.get(random.nextInt(letters.size())));
                    }
                    String whole = text.toString();
                    String kept = limit.apply(whole);
                    String message = "seed " + SEED + ", limit " + bytes + ": " + whole;

                    assertTrue(bytes(kept) < bytes, message);
                    assertEquals(bytes(whole) < bytes, kept.equals(whole), message);
                    assertEquals(
                            whole, Optional.ofNullable(texts.put(kept, whole)).orElse(whole), message);
                }
            }
        }
    }

    @Test
    @Tag("E-016")
    void everyTextOfAKey_isAccepted() {
        for (Object key :
                List.of("dr\u00f4le".repeat(60), List.of("\ud83d", "\ude00".repeat(90)), new byte[300], "\u00e9")) {
            String text = KeyText.of(key);
            for (int bytes : new int[] {64, 250, 4096}) {
                String kept = KeyLimit.of(bytes).apply(text);
                assertEquals(kept, new String(kept.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8));
                assertTrue(bytes(kept) < bytes);
            }
        }
    }

    @Test
    void aLimitThatLeavesNoRoom_isRefused_namingIt() {
        String message = assertThrows(IllegalArgumentException.class, () -> KeyLimit.of(63))
                .getMessage();

        assertEquals("a key limit must be at least 64 bytes, was 63", message);
        assertFalse(KeyLimit.of(64).apply("k".repeat(64)).isEmpty());
    }
}
