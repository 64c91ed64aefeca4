package io.dogpile.cache;

import io.dogpile.core.WhenDown;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads options of a region as text; {@link RegionBuilder#from(Map, String)} tells which. */
final class Settings {
    private static final Pattern NUMBER = Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d{1,3})?");
    private static final Pattern WITH_UNIT = Pattern.compile("(\\d+\\.?\\d*|\\.\\d+)\\s*(ms|s|m|h|d)");
    private static final int LONGEST = 200;
    private static final BigDecimal NANOS_PER_SECOND = BigDecimal.valueOf(1_000_000_000L);
    private static final Map<String, BigDecimal> SECONDS_PER_UNIT = Map.of(
            "ms", new BigDecimal("0.001"),
            "s", BigDecimal.ONE,
            "m", BigDecimal.valueOf(60),
            "h", BigDecimal.valueOf(3600),
            "d", BigDecimal.valueOf(86_400));

    /** Reads one option and sets it. */
    private interface Option extends BiConsumer<RegionBuilder<?, ?>, String> {}

    private static final Map<String, Option> OPTIONS = new TreeMap<>(Map.ofEntries(
            option("staleAfter", Settings::life, RegionBuilder::staleAfter),
            option("expireAfter", Settings::life, RegionBuilder::expireAfter),
            option("cacheNullFor", Settings::duration, RegionBuilder::cacheNullFor),
            option("softTimeout", Settings::duration, RegionBuilder::softTimeout),
            option("hardTimeout", Settings::duration, RegionBuilder::hardTimeout),
            option("maxCreation", Settings::duration, RegionBuilder::maxCreation),
            option("lease", Settings::duration, RegionBuilder::lease),
            option("earlyRefresh", Settings::number, (to, value) -> to.earlyRefresh(value.doubleValue())),
            option("jitter", Settings::number, (to, value) -> to.jitter(value.doubleValue())),
            option("seed", Settings::number, (to, value) -> to.seed(value.longValueExact())),
            option("failureBackoff", text -> text.split("\\s*,\\s*", -1), Settings::failureBackoff),
            option("maxValueBytes", Settings::number, (to, value) -> to.maxValueBytes(value.intValueExact())),
            option("neverStale", Settings::truth, (to, value) -> {
                if (value) {
                    to.neverStale();
                }
            }),
            option("recordStats", Settings::truth, (to, value) -> {
                if (value) {
                    to.recordStats();
                }
            }),
            option("whenDown", text -> WhenDown.valueOf(text.toUpperCase(Locale.ROOT)), RegionBuilder::whenDown)));

    private Settings() {}

    private static <T> Map.Entry<String, Option> option(
            String name, Function<String, T> read, BiConsumer<RegionBuilder<?, ?>, T> set) {
        return Map.entry(name, (to, text) -> set.accept(to, read.apply(text)));
    }

    static void apply(Map<String, String> settings, String prefix, RegionBuilder<?, ?> to) {
        List<String> bad = new ArrayList<>();
        new TreeMap<>(settings).forEach((key, text) -> {
            String name = key.startsWith(prefix) ? key.substring(prefix.length()) : ".";
            if (name.indexOf('.') >= 0) {
                return;
            }
            Option option = OPTIONS.get(name);
            if (option == null) {
                bad.add(key + " is no option; known are " + String.join(", ", OPTIONS.keySet()));
                return;
            }
            if (text == null) {
                bad.add(key + " has no value");
                return;
            }
            if (text.length() > LONGEST) {
                bad.add(key + " is of " + text.length() + " characters, and no value needs more than " + LONGEST);
                return;
            }
            try {
                option.accept(to, text.strip());
            } catch (IllegalArgumentException | ArithmeticException | DateTimeException e) {
                bad.add(key + " = '" + text + "': " + e.getMessage());
            }
        });
        if (!bad.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", bad));
        }
    }

    private static void failureBackoff(RegionBuilder<?, ?> to, String[] parts) {
        if (parts.length != 3) {
            throw new IllegalArgumentException("not a number and two durations, such as 2, 100ms, 30s");
        }
        to.failureBackoff(number(parts[0]).intValueExact(), duration(parts[1]), duration(parts[2]));
    }

    private static Duration life(String text) {
        boolean never = text.equalsIgnoreCase("never")
                || (NUMBER.matcher(text).matches() && new BigDecimal(text).compareTo(BigDecimal.ONE.negate()) == 0);
        return never ? Lives.NEVER : duration(text);
    }

    /** None of the options can be negative, and who builds the region would name but the first that is. */
    private static Duration duration(String text) {
        Duration duration = signed(text);
        if (duration.isNegative()) {
            throw new IllegalArgumentException("must not be negative");
        }
        return duration;
    }

    private static Duration signed(String text) {
        if (NUMBER.matcher(text).matches()) {
            return seconds(new BigDecimal(text));
        }
        Matcher unit = WITH_UNIT.matcher(text);
        if (unit.matches()) {
            BigDecimal perUnit = SECONDS_PER_UNIT.get(unit.group(2));
            return seconds(new BigDecimal(unit.group(1)).multiply(perUnit));
        }
        try {
            return Duration.parse(text);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("not a duration, such as 90, 1.5s, 500ms, 10m, 2h, 1d or PT1M", e);
        }
    }

    private static Duration seconds(BigDecimal seconds) {
        return Duration.ofNanos(seconds.multiply(NANOS_PER_SECOND).longValueExact());
    }

    private static BigDecimal number(String text) {
        if (!NUMBER.matcher(text).matches()) {
            throw new IllegalArgumentException("not a number");
        }
        return new BigDecimal(text);
    }

    private static boolean truth(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("neither true nor false");
        };
    }
}
