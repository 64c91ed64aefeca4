package io.dogpile.redis;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** What one logger says, until this is closed. One at a time: it takes the place of {@link System#err}. */
final class CapturedLog implements AutoCloseable {
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final PrintStream before = System.err;
    private final Logger logger;
    private final int levelBefore;

    CapturedLog(String name, Level level) {
        logger = LoggerFactory.getLogger(name);
        levelBefore = setLevel(level.toInt());
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    /** The simple logger reads its level once, from the system's properties. */
    private int setLevel(int next) {
        try {
            Field level = logger.getClass().getDeclaredField("currentLogLevel");
            level.setAccessible(true);
            int was = level.getInt(logger);
            level.setInt(logger, next);
            return was;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("another logger than slf4j-simple: " + logger.getClass(), e);
        }
    }

    List<String> lines() {
        return said.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Override
    public void close() {
        System.setErr(before);
        setLevel(levelBefore);
    }
}
