package io.dogpile.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What is sent for a script, and what is taken for its reply. */
class RedisScriptTest {
    private static Object item(char kind) {
        return kind == 'n' ? (Object) 7L : new byte[] {1};
    }

    private static List<Object> reply(String items) {
        List<Object> reply = new ArrayList<>();
        items.chars().forEach(kind -> reply.add(item((char) kind)));
        return reply;
    }

    @ParameterizedTest
    @CsvSource({
        "CLAIM, nnttntt",
        "PUBLISH, nntt",
        "PUT, nnt",
        "RENEW, nn",
        "ABANDON, nn",
        "INVALIDATE, nn",
        "GENERATION, nt",
        "LOCK, nt"
    })
    void aList_isOneIfItHasSoManyItems_eachOfItsKind_andTextsMayBeMissing(RedisScript script, String items) {
        assertThat(script.gives(reply(items))).isTrue();
        assertThat(script.gives(reply(items + 'n'))).isFalse();
        assertThat(script.gives(reply(items.substring(1)))).isFalse();
        assertThat(script.gives(List.of())).isFalse();
        assertThat(script.gives(null)).isFalse();
        assertThat(script.gives(7L)).isFalse();
        for (int i = 0; i < items.length(); i++) {
            boolean isNumber = items.charAt(i) == 'n';
            List<Object> wrong = reply(items);
            wrong.set(i, item(isNumber ? 't' : 'n'));
            assertThat(script.gives(wrong)).as("item %d", i).isFalse();
            List<Object> missing = reply(items);
            missing.set(i, null);
            assertThat(script.gives(missing)).as("item %d", i).isEqualTo(!isNumber);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"EXTEND", "UNLOCK"})
    void aNumber_isThat_andNoList(RedisScript script) {
        assertThat(script.gives(0L)).isTrue();
        assertThat(script.gives(null)).isFalse();
        assertThat(script.gives(new byte[] {1})).isFalse();
        assertThat(script.gives(List.of(7L))).isFalse();
        assertThat(script.gives(Arrays.asList((Object) null))).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void each_hasATextOfItsOwn_underItsContract(RedisScript script) {
        assertThat(script.text()).startsWith("--").contains("redis.call");
        assertThat(Arrays.stream(RedisScript.values())
                        .filter(other -> other.text().equals(script.text())))
                .containsExactly(script);
    }

    /** As {@code SCRIPT LOAD} answers. */
    @Test
    void sent_itIsKnownByItsHash() {
        RedisScript.Sent sent = RedisScript.Sent.of("return 1");

        assertThat(sent.text()).isEqualTo("return 1".getBytes(StandardCharsets.UTF_8));
        assertThat(new String(sent.hash(), StandardCharsets.US_ASCII))
                .isEqualTo("e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }
}
