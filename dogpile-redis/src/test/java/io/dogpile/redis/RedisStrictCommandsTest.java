package io.dogpile.redis;

import java.util.ArrayList;
import java.util.List;

/** What each call costs one server where each read asks for the generations, too. */
class RedisStrictCommandsTest extends RedisCommandsTest {
    @Override
    RedisBackend.Builder backend() {
        return super.backend().strictInvalidation();
    }

    @Override
    List<String> read() {
        return List.of("GET", "HMGET");
    }

    @Override
    List<String> readsTogether(int keys) {
        List<String> all = new ArrayList<>(super.readsTogether(keys));
        all.add("GET");
        return all;
    }
}
