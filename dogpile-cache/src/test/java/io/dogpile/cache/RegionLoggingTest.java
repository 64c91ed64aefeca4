package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.core.testing.FakeTime;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** What a region's own logger says. */
class RegionLoggingTest {
    private final Logger logger = LoggerFactory.getLogger("io.dogpile.cache.logged");
    private final ByteArrayOutputStream log = new ByteArrayOutputStream();
    private final PrintStream errBefore = System.err;
    private final FakeTime time = new FakeTime();
    private final Region<String, String> region = Region.<String, String>builder("logged")
            .clock(time)
            .keys(key -> "text of " + key)
            .build();
    private int levelBefore;

    @BeforeEach
    void listen() throws ReflectiveOperationException {
        levelBefore = level().getInt(logger);
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restore() throws ReflectiveOperationException {
        System.setErr(errBefore);
        level().setInt(logger, levelBefore);
    }

    /** The simple logger reads its level once, from the system's properties. */
    private Field level() throws ReflectiveOperationException {
        Field level = logger.getClass().getDeclaredField("currentLogLevel");
        level.setAccessible(true);
        return level;
    }

    private String logged() {
        return log.toString(StandardCharsets.UTF_8);
    }

    @Test
    @Tag("C-180")
    @Tag("C-181")
    void atDebug_electionsAndCreationsAreTold_withTheirTime_underTheKeyAsGiven_withoutTheValue() throws Exception {
        level().setInt(logger, Level.DEBUG.toInt());
        region.getOrCreate("key", k -> {
            time.advance(Duration.ofSeconds(5));
            return "secret";
        });
        List<String> lines = logged().lines().collect(Collectors.toList());
        assertTrue(lines.stream().allMatch(line -> line.contains("DEBUG io.dogpile.cache.logged")), logged());
        assertEquals(
                1,
                lines.stream()
                        .filter(line -> line.endsWith("'key': created in 5000000000 ns"))
                        .count(),
                logged());
        assertEquals(
                1,
                lines.stream()
                        .filter(line -> line.endsWith("'key': elected, creating"))
                        .count(),
                logged());
        assertFalse(logged().contains("secret") || logged().contains("text of"), logged());
    }

    @Test
    @Tag("C-181")
    void aCreationThatFails_hasNoTime() throws Exception {
        level().setInt(logger, Level.DEBUG.toInt());
        try {
            region.getOrCreate("key", k -> {
                throw new IllegalStateException("boom");
            });
        } catch (IllegalStateException boom) {
            assertTrue(logged().contains("'key': the creator failed"), logged());
        }
        assertFalse(logged().contains("created in"), logged());
    }

    @Test
    @Tag("E-015")
    void atInfo_nothingIsSaid_howeverManyCalls() throws Exception {
        level().setInt(logger, Level.INFO.toInt());
        for (int i = 0; i < 10_000; i++) {
            region.getOrCreate("key" + i, k -> "value");
            region.getOrCreate("key" + i, k -> "value");
            region.invalidate("key" + i);
        }
        region.getOrCreateAll(List.of("a", "b"), missing -> Map.of("a", "1"));
        assertEquals("", logged());
    }
}
