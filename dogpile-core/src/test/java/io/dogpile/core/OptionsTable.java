package io.dogpile.core;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;

/** A table of options in the guide, to be compared with the builder that takes them. */
public final class OptionsTable {
    private static final String PAGE = "options.md#";

    private final String heading;
    private final Map<String, String> defaults = new TreeMap<>();

    private OptionsTable(String heading) {
        this.heading = heading;
        for (List<String> row : Guide.table(PAGE + heading)) {
            for (String option : Guide.code(row.get(0))) {
                defaults.put(option, row.get(1).replace("`", ""));
            }
        }
    }

    /** The table under a heading of options.md: its first column names options as code, its second their default. */
    public static OptionsTable under(String anchor) {
        return new OptionsTable(anchor);
    }

    /** Whether the table names what the builder takes, and nothing else. */
    public void checkNames(Class<?> builder) {
        Assertions.assertEquals(
                Stream.of(builder.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()) && method.getReturnType() == builder)
                        .filter(method -> !method.isBridge())
                        .map(method -> method.getName())
                        .collect(Collectors.toCollection(TreeSet::new)),
                defaults.keySet(),
                heading);
    }

    /** The default that the table shows. */
    public String defaultOf(String option) {
        return defaults.get(option);
    }

    /** Whether the table shows that default. */
    public void checkDefault(String option, Object shown) {
        Assertions.assertEquals(String.valueOf(shown), defaults.get(option), heading + ", " + option);
    }

    /** A duration as the guide shows it. */
    public static String time(Duration time) {
        return time.toMillis() % 1_000 == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
    }

    /** A number of bytes as the guide shows it. */
    public static String bytes(int bytes) {
        int mega = 1 << 20;
        if (bytes % mega == 0) {
            return bytes / mega + " MiB";
        }
        return bytes % 1_024 == 0 && bytes < mega / 2
                ? bytes / 1_024 + " KiB"
                : String.format(Locale.ROOT, "%,d B", bytes);
    }

    /** What a builder keeps. */
    public static Object field(Object of, String name) throws ReflectiveOperationException {
        return value(of.getClass(), of, name);
    }

    /** What a class keeps. */
    public static Object constant(Class<?> of, String name) throws ReflectiveOperationException {
        return value(of, null, name);
    }

    private static Object value(Class<?> type, Object of, String name) throws ReflectiveOperationException {
        Field field = type.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }
}
