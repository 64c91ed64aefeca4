package io.dogpile.cache;

import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.MonthDay;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Currency;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.function.Predicate;
import java.util.stream.BaseStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The text of a key: what a store in another process knows a value by. Texts differ where values differ, and are the
 * same in every JVM.
 *
 * <pre>
 *   text  = value | call
 *   call  = namespace "/(" [ value { "," value } ] ")"
 *   value = string                                     user:42
 *         | tag "(" [ content ] ")"                    long(42)  list(a,int(1))  io.example.Point(x=int(1),y=int(2))
 *                                                      map((a,int(1)),(b,null()))
 * </pre>
 *
 * A string stands for itself, with {@code % ( ) ,} blank and control characters as %XX, and so a {@code ~} at its
 * start; a surrogate without its other half as %uXXXX, since UTF-8 would make a question mark of any such. The empty
 * string is {@code str()}, so that a list of one is not a list of none. Thus no value's text holds a comma or a bracket
 * of its own outside a tag's brackets, and a text can be read back in one way only. All other text outside ASCII stays
 * as it is, composed or not. Blank and control characters never appear, since some stores refuse them; {@code ~} at the
 * start and {@code %} before anything but {@code u} and upper-case hex digits are left to the stores' own keys.
 *
 * <p>Tags are a fixed word without a dot, or a class name, which has one and never a slash. Lists, sets, maps and
 * arrays of references are told apart by what they are, not by their class, as their equals does; entries of sets and
 * maps come in the order of their text. Numbers of every type differ from each other, and a BigDecimal keeps its scale.
 * The text of a double or float is the shortest that reads back as it, found here: that of Double.toString changed with
 * JDK 19. A URI is rendered as its equals compares it. Classes are told apart by name, not by loader.
 *
 * <p>What is not known to have a stable form is refused: an unknown class's toString may hold an identity, a locale or
 * a time zone, today or in its next version. So is a java.nio.file.Path, whose text differs with the machine.
 *
 * <p>One instance renders one text, on one thread.
 */
final class KeyText {
    static final int MOST_CHARACTERS = 1 << 20;
    /** A value that contains itself is found by it. */
    static final int DEEPEST_LEVEL = 32;
    /** Decimal digits of longer ones take more than linear time. */
    static final int MOST_BITS_OF_A_NUMBER = 1 << 15;

    private static final int LONGEST_NAMESPACE_SHOWN = 100;
    private static final int DIGITS_OF_ANY_DOUBLE = 17;
    private static final int DIGITS_OF_ANY_FLOAT = 9;
    private static final double EXACT_AS_LONG = 1e15;

    /** Those whose toString is specified to the letter, differs where they differ, and asks no default of the JVM. */
    private static final Map<Class<?>, String> TAGS_OF_PLAIN = Map.ofEntries(
            Map.entry(Boolean.class, "boolean"),
            Map.entry(Character.class, "char"),
            Map.entry(Byte.class, "byte"),
            Map.entry(Short.class, "short"),
            Map.entry(Integer.class, "int"),
            Map.entry(Long.class, "long"),
            Map.entry(BigInteger.class, "BigInteger"),
            Map.entry(BigDecimal.class, "BigDecimal"),
            Map.entry(UUID.class, "UUID"),
            Map.entry(Currency.class, "Currency"),
            Map.entry(Instant.class, "Instant"),
            Map.entry(LocalDate.class, "LocalDate"),
            Map.entry(LocalTime.class, "LocalTime"),
            Map.entry(LocalDateTime.class, "LocalDateTime"),
            Map.entry(OffsetTime.class, "OffsetTime"),
            Map.entry(OffsetDateTime.class, "OffsetDateTime"),
            Map.entry(ZonedDateTime.class, "ZonedDateTime"),
            Map.entry(Year.class, "Year"),
            Map.entry(YearMonth.class, "YearMonth"),
            Map.entry(MonthDay.class, "MonthDay"),
            Map.entry(Duration.class, "Duration"),
            Map.entry(Period.class, "Period"));

    private static final ClassValue<List<Method>> ACCESSORS = new ClassValue<>() {
        @Override
        protected List<Method> computeValue(Class<?> type) {
            List<Method> accessors = new ArrayList<>();
            for (RecordComponent component : type.getRecordComponents()) {
                Method accessor = component.getAccessor();
                accessor.trySetAccessible(); // where it may not, the call says so
                accessors.add(accessor);
            }
            return List.copyOf(accessors);
        }
    };

    /** The others that have a text, as have those that extend them. */
    private static final List<Class<?>> OTHER_TYPES = List.of(
            String.class,
            Double.class,
            Float.class,
            Enum.class,
            Record.class,
            List.class,
            Set.class,
            Map.class,
            Optional.class,
            OptionalInt.class,
            OptionalLong.class,
            OptionalDouble.class,
            URI.class,
            ZoneId.class,
            Locale.class,
            Class.class);

    /** Interfaces of which no record or enum, which have texts, makes sense; beside those of functions. */
    private static final List<Class<?>> INTERFACES_WITHOUT_TEXT =
            List.of(Path.class, Executor.class, Future.class, CompletionStage.class, Iterator.class, BaseStream.class);

    private final StringBuilder out = new StringBuilder();
    private int charactersLeft = MOST_CHARACTERS;
    private String what = "the key";
    private @Nullable Object whole;

    private KeyText() {}

    /**
     * Renders one value.
     *
     * @param key the value; may be null
     * @return its text, never empty
     * @throws IllegalArgumentException if it, or something in it, has no stable text, or it is too long or too deep
     */
    static String of(@Nullable Object key) {
        KeyText text = new KeyText();
        text.whole = key;
        text.value(key, 0);
        return text.out.toString();
    }

    /**
     * Renders a call. It differs from the text of every value.
     *
     * @param namespace what is called; any text
     * @param arguments its arguments, each may be null
     * @return its text
     * @throws IllegalArgumentException if an argument, or something in it, has no stable text, or they are too long or
     *     too deep; the message names the namespace and the argument
     */
    static String ofCall(String namespace, @Nullable Object... arguments) {
        KeyText text = new KeyText();
        text.what = "the namespace";
        text.escaped(namespace);
        text.raw("/(");
        for (int i = 0; i < arguments.length; i++) {
            text.what = shown(namespace) + ": argument " + (i + 1) + " of " + arguments.length;
            text.whole = arguments[i];
            text.separator(i);
            text.value(arguments[i], 0);
        }
        text.raw(")");
        return text.out.toString();
    }

    /**
     * Whether what is declared of a type may have a text.
     *
     * @param declared the type
     * @return false if none of it has one; true leaves it to the value
     */
    static boolean mayHold(Class<?> declared) {
        if (declared.isArray()) {
            return mayHold(declared.getComponentType());
        }
        boolean related = Stream.concat(TAGS_OF_PLAIN.keySet().stream(), OTHER_TYPES.stream())
                .anyMatch(known -> known.isAssignableFrom(declared) || declared.isAssignableFrom(known));
        return declared.isPrimitive()
                || related
                || (declared.isInterface()
                        && !declared.isAnnotationPresent(FunctionalInterface.class)
                        && INTERFACES_WITHOUT_TEXT.stream().noneMatch(known -> known.isAssignableFrom(declared)));
    }

    private void value(@Nullable Object value, int level) {
        if (level > DEEPEST_LEVEL) {
            throw refused("contains itself, or nests deeper than " + DEEPEST_LEVEL + " levels");
        }
        if (value == null) {
            tagged("null", "");
        } else if (value instanceof String string) {
            string(string);
        } else {
            String plain = TAGS_OF_PLAIN.get(value.getClass());
            if (plain != null) {
                refuseLong(value);
                tagged(plain, value.toString());
            } else if (value.getClass().isArray()) {
                array(value, level);
            } else {
                other(value, level);
            }
        }
    }

    private void other(Object value, int level) {
        if (value instanceof Double number) {
            tagged("double", decimal(number));
        } else if (value instanceof Float number) {
            tagged("float", decimal(number));
        } else if (value instanceof Enum<?> constant) {
            tagged(nameOf(constant.getDeclaringClass()), constant.name());
        } else if (value instanceof Record record) {
            record(record, level);
        } else if (value instanceof List<?> list) {
            all("list", list, level);
        } else if (value instanceof Set<?> set) {
            set(set, level);
        } else if (value instanceof Map<?, ?> map) {
            map(map, level);
        } else if (value instanceof Optional<?> optional) {
            all("Optional", optional.stream().toList(), level);
        } else if (value instanceof OptionalInt optional) {
            tagged("OptionalInt", optional.isPresent() ? Integer.toString(optional.getAsInt()) : "");
        } else if (value instanceof OptionalLong optional) {
            tagged("OptionalLong", optional.isPresent() ? Long.toString(optional.getAsLong()) : "");
        } else if (value instanceof OptionalDouble optional) {
            tagged("OptionalDouble", optional.isPresent() ? decimal(optional.getAsDouble()) : "");
        } else if (value instanceof URI uri) {
            tagged("URI", comparable(uri));
        } else if (value instanceof ZoneId zone) {
            tagged("ZoneId", zone.getId());
        } else if (value instanceof Locale locale) {
            locale(locale);
        } else if (value instanceof Class<?> type) {
            tagged("Class", nameOf(type));
        } else {
            throw unstable(value.getClass());
        }
    }

    private void string(String string) {
        if (string.isEmpty()) {
            tagged("str", "");
        } else {
            escaped(string);
        }
    }

    private void tagged(String tag, String content) {
        escaped(tag);
        raw("(");
        escaped(content);
        raw(")");
    }

    private void all(String tag, Iterable<?> elements, int level) {
        raw(tag);
        raw("(");
        int i = 0;
        for (Object element : elements) {
            separator(i++);
            value(element, level + 1);
        }
        raw(")");
    }

    private void set(Set<?> set, int level) {
        List<String> texts = new ArrayList<>();
        for (Object element : set) {
            int start = out.length();
            value(element, level + 1);
            texts.add(cutFrom(start));
        }
        sorted("set", texts);
    }

    private void map(Map<?, ?> map, int level) {
        List<String> texts = new ArrayList<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            int start = out.length();
            raw("(");
            value(entry.getKey(), level + 1);
            raw(",");
            value(entry.getValue(), level + 1);
            raw(")");
            texts.add(cutFrom(start));
        }
        sorted("map", texts);
    }

    private void sorted(String tag, List<String> texts) {
        texts.sort(null);
        raw(tag);
        raw("(");
        for (int i = 0; i < texts.size(); i++) {
            separator(i);
            out.append(texts.get(i)); // counted when it was rendered
        }
        raw(")");
    }

    private String cutFrom(int start) {
        String text = out.substring(start);
        out.setLength(start);
        return text;
    }

    private void record(Record record, int level) {
        escaped(nameOf(record.getClass()));
        raw("(");
        int i = 0;
        for (Method accessor : ACCESSORS.get(record.getClass())) {
            separator(i++);
            escaped(accessor.getName()); // with its name: components that change places must change the text
            raw("=");
            value(component(record, accessor), level + 1);
        }
        raw(")");
    }

    private @Nullable Object component(Record record, Method accessor) {
        String name = record.getClass().getName() + "." + accessor.getName() + "()";
        try {
            return accessor.invoke(record);
        } catch (IllegalAccessException e) {
            throw refused("cannot be read: " + name + " is not accessible; open its package to io.dogpile.cache", e);
        } catch (InvocationTargetException e) {
            throw refused("cannot be read: " + name + " threw " + e.getCause(), e.getCause());
        }
    }

    /** As Arrays.deepEquals sees them: primitive arrays by type, all others alike. */
    private void array(Object array, int level) {
        if (array instanceof Object[] elements) {
            raw("array(");
            for (int i = 0; i < elements.length; i++) {
                separator(i);
                value(elements[i], level + 1);
            }
            raw(")");
            return;
        }
        String tag = array.getClass().getComponentType().getName() + "[]";
        if (array instanceof byte[] bytes) {
            refuseLonger(bytes.length);
            tagged(tag, HexFormat.of().formatHex(bytes));
        } else if (array instanceof char[] characters) {
            refuseLonger(characters.length);
            tagged(tag, new String(characters));
        } else {
            raw(tag);
            raw("(");
            for (int i = 0; i < Array.getLength(array); i++) {
                separator(i);
                raw(number(Array.get(array, i)));
            }
            raw(")");
        }
    }

    private static String number(Object element) {
        if (element instanceof Double number) {
            return decimal(number);
        }
        return element instanceof Float number ? decimal(number) : element.toString();
    }

    /** Part by part: Locale's own text is empty for a variant without a language. */
    private void locale(Locale locale) {
        raw("Locale(");
        escaped(locale.getLanguage());
        raw(",");
        escaped(locale.getCountry());
        raw(",");
        escaped(locale.getVariant());
        raw(",");
        escaped(locale.getScript());
        for (char key : locale.getExtensionKeys()) { // sorted
            raw(",");
            escaped(key + "-" + locale.getExtension(key));
        }
        raw(")");
    }

    private static String decimal(double value) {
        if (!Double.isFinite(value)) {
            return Double.toString(value);
        }
        return decimal(
                value,
                new BigDecimal(value),
                DIGITS_OF_ANY_DOUBLE,
                text -> Double.compare(Double.parseDouble(text), value) == 0);
    }

    private static String decimal(float value) {
        if (!Float.isFinite(value)) {
            return Float.toString(value);
        }
        return decimal(
                value,
                new BigDecimal(value),
                DIGITS_OF_ANY_FLOAT,
                text -> Float.compare(Float.parseFloat(text), value) == 0);
    }

    private static String decimal(double value, BigDecimal exact, int mostDigits, Predicate<String> readsBack) {
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        if (Math.abs(value) < EXACT_AS_LONG && value == (long) value) {
            return (long) value + ".0";
        }
        String text = exact.toString();
        for (int digits = 1; digits <= mostDigits; digits++) {
            text = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN)).toString();
            if (readsBack.test(text)) {
                break;
            }
        }
        return text;
    }

    /** From its parts, with those in lower case whose case its equals ignores. */
    private static String comparable(URI uri) {
        StringBuilder text = new StringBuilder();
        if (uri.getScheme() != null) {
            text.append(uri.getScheme().toLowerCase(Locale.ROOT)).append(':');
        }
        if (uri.isOpaque()) {
            text.append(escapesInUpperCase(uri.getRawSchemeSpecificPart()));
        } else {
            String authority = authority(uri);
            String path = uri.getRawPath();
            if (!authority.isEmpty() || path.startsWith("//")) { // else such a path would read as an authority
                text.append("//").append(authority);
            }
            text.append(escapesInUpperCase(path));
            if (uri.getRawQuery() != null) {
                text.append('?').append(escapesInUpperCase(uri.getRawQuery()));
            }
        }
        if (uri.getRawFragment() != null) {
            text.append('#').append(escapesInUpperCase(uri.getRawFragment()));
        }
        return text.toString();
    }

    private static String authority(URI uri) {
        if (uri.getHost() == null) {
            return uri.getRawAuthority() == null ? "" : escapesInUpperCase(uri.getRawAuthority());
        }
        String user = uri.getRawUserInfo() == null ? "" : escapesInUpperCase(uri.getRawUserInfo()) + "@";
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        return user + uri.getHost().toLowerCase(Locale.ROOT) + port;
    }

    private static String escapesInUpperCase(String part) {
        if (part.indexOf('%') < 0) {
            return part;
        }
        StringBuilder text = new StringBuilder(part);
        for (int i = part.indexOf('%'); i >= 0; i = part.indexOf('%', i + 1)) {
            text.setCharAt(i + 1, Character.toUpperCase(part.charAt(i + 1)));
            text.setCharAt(i + 2, Character.toUpperCase(part.charAt(i + 2)));
        }
        return text.toString();
    }

    /** With a dot in it, so that it is never taken for a tag of ours; JVMs refuse a slash in it. */
    private String nameOf(Class<?> type) {
        if (type.isHidden()) {
            throw unstable(type);
        }
        String name = type.getName();
        return type.isPrimitive() || name.indexOf('.') >= 0 || type.isArray() ? name : "." + name;
    }

    private void separator(int index) {
        if (index > 0) {
            raw(",");
        }
    }

    private void raw(String text) {
        refuseLonger(text.length());
        charactersLeft -= text.length();
        out.append(text);
    }

    private void escaped(String text) {
        int length = text.length();
        int plainFrom = 0;
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (!isReserved(c, i)) {
                if (!Character.isSurrogate(c)) {
                    continue;
                }
                if (Character.isHighSurrogate(c) && i + 1 < length && Character.isLowSurrogate(text.charAt(i + 1))) {
                    i++;
                    continue;
                }
            }
            plain(text, plainFrom, i);
            plainFrom = i + 1;
            HexFormat hex = HexFormat.of().withUpperCase();
            raw(c <= 0x7f ? "%" + hex.toHexDigits((byte) c) : "%u" + hex.toHexDigits(c));
        }
        plain(text, plainFrom, length);
    }

    private void plain(String text, int from, int to) {
        refuseLonger(to - from);
        charactersLeft -= to - from;
        out.append(text, from, to);
    }

    private static boolean isReserved(char c, int index) {
        return c <= ' ' || c == '%' || c == '(' || c == ')' || c == ',' || c == 0x7f || (c == '~' && index == 0);
    }

    private void refuseLonger(int characters) {
        if (characters > charactersLeft) {
            throw refused("has a text of more than " + MOST_CHARACTERS + " characters");
        }
    }

    private void refuseLong(Object number) {
        int bits = 0;
        if (number instanceof BigInteger integer) {
            bits = integer.bitLength();
        } else if (number instanceof BigDecimal decimal) {
            bits = decimal.unscaledValue().bitLength();
        }
        if (bits > MOST_BITS_OF_A_NUMBER) {
            throw refused("has a number of more than " + MOST_BITS_OF_A_NUMBER + " bits");
        }
    }

    private IllegalArgumentException unstable(Class<?> type) {
        boolean itself = whole != null && whole.getClass() == type;
        return refused(
                itself
                        ? "has no text that is the same in every JVM"
                        : "holds a " + type.getName() + ", which has no text that is the same in every JVM");
    }

    private IllegalArgumentException refused(String why) {
        return refused(why, null);
    }

    private IllegalArgumentException refused(String why, @Nullable Throwable cause) {
        String type = whole == null ? "" : " (" + whole.getClass().getName() + ")";
        return new IllegalArgumentException(
                what + type + " " + why
                        + "; pass a stable part of it, such as its id, or give the region keys(Function)",
                cause);
    }

    private static String shown(String namespace) {
        return namespace.length() <= LONGEST_NAMESPACE_SHOWN
                ? namespace
                : namespace.substring(0, LONGEST_NAMESPACE_SHOWN) + "...";
    }
}
