package io.dogpile.cache;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dogpile.cache.backend.KeyLimit;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DayOfWeek;
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
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Currency;
import java.util.Date;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TimeZone;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class KeyTextTest {
    private static final String HERE = "io.dogpile.cache.KeyTextTest$";
    private static final long SEED = 20261101L;

    enum Colour {
        RED,
        GREEN {
            @Override
            public String toString() {
                return "verdant";
            }
        }
    }

    enum Other {
        RED
    }

    record Point(int x, int y) {}

    record Pair(Object left, Object right) {}

    record Twin(Object left, Object right) {}

    record Empty() {}

    record Faulty(int x) {
        @Override
        public int x() {
            throw new IllegalStateException("secret");
        }
    }

    static final class Wider extends BigDecimal {
        private static final long serialVersionUID = 1;

        Wider() {
            super("1");
        }
    }

    private static final class Row {
        final Object value;
        final String text;

        Row(Object value, String text) {
            this.value = value;
            this.text = text;
        }
    }

    private static Row row(Object value, String text) {
        return new Row(value, text);
    }

    private static Map<Object, Object> map(Object... keysAndValues) {
        Map<Object, Object> map = new HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }

    /** A changed row is a cold cache for whoever updates: never change one, only add. */
    private static List<Row> golden() {
        return List.of(
                row("user:42", "user:42"),
                row("42", "42"),
                row("", "str()"),
                row("null", "null"),
                row("/a/b?c=d&e=~f#g", "/a/b?c=d&e=~f#g"),
                row("{tag}[0]<x>|y;z'\"\\^`*+!@$_-.", "{tag}[0]<x>|y;z'\"\\^`*+!@$_-."),
                row("a b", "a%20b"),
                row("a,b", "a%2Cb"),
                row("f(x)", "f%28x%29"),
                row("100%", "100%25"),
                row("\t\r\n\0\u007f", "%09%0D%0A%00%7F"),
                row("~epoch", "%7Eepoch"),
                row("a~b", "a~b"),
                row("m\u00e9il dr\u00f4le", "m\u00e9il%20dr\u00f4le"),
                row("e\u0301", "e\u0301"),
                row("\u00a0\u2028\ufeff\u540d", "\u00a0\u2028\ufeff\u540d"),
                row("\ud83d\ude00", "\ud83d\ude00"),
                row("x\ud83d", "x%uD83D"),
                row("\ude00\ud83d", "%uDE00%uD83D"),
                row(null, "null()"),
                row(true, "boolean(true)"),
                row((byte) -1, "byte(-1)"),
                row((short) 1, "short(1)"),
                row(1, "int(1)"),
                row(42L, "long(42)"),
                row(Long.MIN_VALUE, "long(-9223372036854775808)"),
                row('1', "char(1)"),
                row('(', "char(%28)"),
                row('\ud83d', "char(%uD83D)"),
                row(1.0, "double(1.0)"),
                row(-0.0, "double(-0.0)"),
                row(0.1, "double(0.1)"),
                row(1e-7, "double(1E-7)"),
                row(1e15, "double(1E+15)"),
                row(4.73e21, "double(4.73E+21)"),
                row(2e23, "double(2E+23)"),
                row(Double.MIN_VALUE, "double(5E-324)"),
                row(Double.MAX_VALUE, "double(1.7976931348623157E+308)"),
                row(Double.NaN, "double(NaN)"),
                row(Double.NEGATIVE_INFINITY, "double(-Infinity)"),
                row(1.0f, "float(1.0)"),
                row(-0.0f, "float(-0.0)"),
                row(0.1f, "float(0.1)"),
                row(8.86E22f, "float(8.86E+22)"),
                row(Float.NaN, "float(NaN)"),
                row(new BigInteger("-12345678901234567890"), "BigInteger(-12345678901234567890)"),
                row(new BigDecimal("1.0"), "BigDecimal(1.0)"),
                row(new BigDecimal("1.00"), "BigDecimal(1.00)"),
                row(new BigDecimal("1E+3"), "BigDecimal(1E+3)"),
                row(Colour.RED, HERE + "Colour(RED)"),
                row(Colour.GREEN, HERE + "Colour(GREEN)"),
                row(DayOfWeek.MONDAY, "java.time.DayOfWeek(MONDAY)"),
                row(
                        UUID.fromString("0A0B0C0D-0000-0000-0000-0000000000FF"),
                        "UUID(0a0b0c0d-0000-0000-0000-0000000000ff)"),
                row(Instant.ofEpochSecond(1700000000, 1), "Instant(2023-11-14T22:13:20.000000001Z)"),
                row(LocalDate.of(2024, 2, 29), "LocalDate(2024-02-29)"),
                row(LocalTime.of(1, 2), "LocalTime(01:02)"),
                row(LocalDateTime.of(2024, 2, 29, 1, 2, 3), "LocalDateTime(2024-02-29T01:02:03)"),
                row(OffsetTime.of(1, 2, 0, 0, ZoneOffset.UTC), "OffsetTime(01:02Z)"),
                row(
                        OffsetDateTime.of(2024, 2, 29, 1, 2, 0, 0, ZoneOffset.ofHours(-3)),
                        "OffsetDateTime(2024-02-29T01:02-03:00)"),
                row(
                        ZonedDateTime.of(2024, 2, 29, 1, 2, 0, 0, ZoneId.of("Europe/Paris")),
                        "ZonedDateTime(2024-02-29T01:02+01:00[Europe/Paris])"),
                row(Year.of(12345), "Year(12345)"),
                row(YearMonth.of(2024, 2), "YearMonth(2024-02)"),
                row(MonthDay.of(2, 29), "MonthDay(--02-29)"),
                row(Duration.ofMillis(-500), "Duration(PT-0.5S)"),
                row(Period.of(1, 14, 3), "Period(P1Y14M3D)"),
                row(ZoneId.of("Europe/Paris"), "ZoneId(Europe/Paris)"),
                row(ZoneOffset.UTC, "ZoneId(Z)"),
                row(
                        URI.create("HTTP://me@Example.COM:80/A%2fb?q=%c3%a9#F"),
                        "URI(http://me@example.com:80/A%252Fb?q=%25C3%25A9#F)"),
                row(URI.create("mailto:Me@example.com"), "URI(mailto:Me@example.com)"),
                row(URI.create("file:////x"), "URI(file:////x)"),
                row(URI.create("FILE://I/I"), "URI(file://i/I)"),
                row(URI.create("../a"), "URI(../a)"),
                row(String.class, "Class(java.lang.String)"),
                row(int[].class, "Class([I)"),
                row(int.class, "Class(int)"),
                row(Locale.ROOT, "Locale(,,,)"),
                row(Locale.GERMANY, "Locale(de,DE,,)"),
                row(new Locale.Builder().setVariant("posix").build(), "Locale(,,posix,)"),
                row(Locale.forLanguageTag("zh-Hant-TW-u-ca-roc-x-me"), "Locale(zh,TW,,Hant,u-ca-roc,x-me)"),
                row(Currency.getInstance("EUR"), "Currency(EUR)"),
                row(Optional.empty(), "Optional()"),
                row(Optional.of(""), "Optional(str())"),
                row(Optional.of(1), "Optional(int(1))"),
                row(OptionalInt.empty(), "OptionalInt()"),
                row(OptionalInt.of(1), "OptionalInt(1)"),
                row(OptionalLong.of(1), "OptionalLong(1)"),
                row(OptionalDouble.of(1), "OptionalDouble(1.0)"),
                row(OptionalDouble.empty(), "OptionalDouble()"),
                row(List.of(), "list()"),
                row(List.of(""), "list(str())"),
                row(Arrays.asList("a", 1, null, List.of("b")), "list(a,int(1),null(),list(b))"),
                row(Set.of("c", "a", "b"), "set(a,b,c)"),
                row(Set.of(2, 10, "1"), "set(1,int(10),int(2))"),
                row(map("b", 1, "a", null), "map((a,null()),(b,int(1)))"),
                row(EnumSet.of(Colour.RED), "set(" + HERE + "Colour(RED))"),
                row(new EnumMap<>(Map.of(Colour.RED, "x")), "map((" + HERE + "Colour(RED),x))"),
                row(new String[] {"a", null}, "array(a,null())"),
                row(new Object[] {"a", new int[] {1, 2}}, "array(a,int[](1,2))"),
                row(new byte[] {(byte) 0xca, (byte) 0xfe}, "byte[](cafe)"),
                row(new char[] {'a', ','}, "char[](a%2C)"),
                row(new boolean[] {true, false}, "boolean[](true,false)"),
                row(new short[] {1}, "short[](1)"),
                row(new long[] {1}, "long[](1)"),
                row(new float[] {0.1f}, "float[](0.1)"),
                row(new double[] {0.1, 1}, "double[](0.1,1.0)"),
                row(new int[0], "int[]()"),
                row(new Point(1, -2), HERE + "Point(x=int(1),y=int(-2))"),
                row(new Pair("a=b", new Empty()), HERE + "Pair(left=a=b,right=" + HERE + "Empty())"));
    }

    @Test
    @Tag("C-149")
    @Tag("E-023")
    void everyKind_hasTheTextItAlwaysHad() {
        assertAll(golden().stream().map(row -> () -> assertEquals(row.text, KeyText.of(row.value))));
    }

    @Test
    @Tag("C-151")
    void defaultsOfTheJvm_changeNothing() {
        Locale locale = Locale.getDefault();
        TimeZone zone = TimeZone.getDefault();
        try {
            for (String tag : List.of("tr-TR", "ar-EG-u-nu-arab", "th-TH-u-ca-buddhist")) {
                Locale.setDefault(Locale.forLanguageTag(tag));
                TimeZone.setDefault(TimeZone.getTimeZone("Pacific/Kiritimati"));
                assertAll(tag, golden().stream().map(row -> () -> assertEquals(row.text, KeyText.of(row.value))));
            }
        } finally {
            Locale.setDefault(locale);
            TimeZone.setDefault(zone);
        }
    }

    @Test
    void aPlainString_isItsOwnText() {
        String key = "user:42";

        assertEquals(key, KeyText.of(key));
    }

    @Test
    @Tag("C-148")
    void textOutsideAscii_passesUnchanged_aloneAndAmongArguments() {
        assertEquals("m\u00e9il", KeyText.of("m\u00e9il"));
        assertEquals("find/(m\u00e9il,dr\u00f4le)", KeyText.ofCall("find", "m\u00e9il", "dr\u00f4le"));
        assertEquals("list(m\u00e9il,dr\u00f4le)", KeyText.of(List.of("m\u00e9il", "dr\u00f4le")));
        assertNotEquals(KeyText.of("\u00e9"), KeyText.of("e\u0301"));
    }

    @Nested
    class OfACall {
        @Test
        void namesTheNamespace_andTheArguments() {
            assertEquals(
                    "io.example.Users.find[long;String]/(long(42),a)",
                    KeyText.ofCall("io.example.Users.find[long;String]", 42L, "a"));
            assertEquals("now/()", KeyText.ofCall("now"));
        }

        @Test
        @Tag("C-149")
        void boundariesTypesAndNesting_areTold() {
            List<Object[]> calls = List.of(
                    new Object[] {},
                    new Object[] {""},
                    new Object[] {"", ""},
                    new Object[] {"a b", "c"},
                    new Object[] {"a", "b c"},
                    new Object[] {"a", "b", "c"},
                    new Object[] {"a,b", "c"},
                    new Object[] {"a", "b,c"},
                    new Object[] {"a,b,c"},
                    new Object[] {"a%2Cb", "c"},
                    new Object[] {1, 2},
                    new Object[] {"1", "2"},
                    new Object[] {1L, 2L},
                    new Object[] {1, 2L},
                    new Object[] {'1', '2'},
                    new Object[] {1.0, 2.0},
                    new Object[] {1.0f, 2.0f},
                    new Object[] {"int(1)", "int(2)"},
                    new Object[] {new BigDecimal("1.0"), 2},
                    new Object[] {new BigDecimal("1.00"), 2},
                    new Object[] {null},
                    new Object[] {null, null},
                    new Object[] {"null"},
                    new Object[] {"null()"},
                    new Object[] {"None"},
                    new Object[] {Optional.empty()},
                    new Object[] {true},
                    new Object[] {"true"},
                    new Object[] {List.of("a", "b"), "c"},
                    new Object[] {List.of("a"), "b", "c"},
                    new Object[] {List.of("a", "b", "c")},
                    new Object[] {List.of(List.of("a"), "b")},
                    new Object[] {List.of(List.of("a", "b"))},
                    new Object[] {Set.of("a", "b")},
                    new Object[] {map("a", "b")},
                    new Object[] {new String[] {"a", "b"}},
                    new Object[] {new Point(1, 2)},
                    new Object[] {new Point(2, 1)},
                    new Object[] {new Pair(1, 2)},
                    new Object[] {new Twin(1, 2)},
                    new Object[] {Colour.RED},
                    new Object[] {Other.RED});
            Map<String, Integer> seen = new HashMap<>();

            for (int i = 0; i < calls.size(); i++) {
                Integer before = seen.put(KeyText.ofCall("f", calls.get(i)), i);
                assertEquals(null, before, "calls " + before + " and " + i);
            }
        }

        @Test
        @Tag("C-143")
        @Tag("C-149")
        void theNamespace_cannotBeMistakenForAnArgument_orForAValue() {
            assertNotEquals(KeyText.ofCall("f/(a", "b"), KeyText.ofCall("f", "a/(b"));
            assertNotEquals(KeyText.ofCall("int", "1"), KeyText.of(1));
            assertNotEquals(KeyText.ofCall(HERE + "Colour", "RED"), KeyText.of(Colour.RED));
            assertNotEquals(KeyText.ofCall("a", "b"), KeyText.of("a/(b)"));
            assertNotEquals(KeyText.ofCall("a/", "b"), KeyText.ofCall("a", "b"));
        }
    }

    @Nested
    class WhenEqual {
        @Test
        void theOrderAndTheClassOfACollection_doNotMatter() {
            assertEquals(KeyText.of(List.of(1, 2)), KeyText.of(new LinkedList<>(List.of(1, 2))));
            assertEquals(
                    KeyText.of(new LinkedHashSet<>(List.of(1, 2, 3))),
                    KeyText.of(new LinkedHashSet<>(List.of(3, 2, 1))));
            assertEquals(KeyText.of(Set.of("b", "a")), KeyText.of(new TreeSet<>(Set.of("a", "b"))));
            Map<Object, Object> backwards = new LinkedHashMap<>();
            backwards.put("b", 2);
            backwards.put("a", 1);
            assertEquals(KeyText.of(new TreeMap<>(Map.of("a", 1, "b", 2))), KeyText.of(backwards));
            assertEquals(KeyText.of(new Object[] {"a"}), KeyText.of(new String[] {"a"}));
        }

        @Test
        void urisOfOtherCase_haveOneText_andOthersTheirOwn() {
            List<URI> uris = List.of(
                    URI.create("http://a/b"),
                    URI.create("HTTP://A/b"),
                    URI.create("http://A/B"),
                    URI.create("http://a:/b"),
                    URI.create("http://a:80/b"),
                    URI.create("http://u@a/b"),
                    URI.create("http://U@a/b"),
                    URI.create("http://a/b%2f"),
                    URI.create("http://a/b%2F"),
                    URI.create("http://a/b?"),
                    URI.create("http://a/b?#"),
                    URI.create("http://a/b#"),
                    URI.create("http://a_b/c"),
                    URI.create("http://A_b/c"),
                    URI.create("file:/x"),
                    URI.create("file:///x"),
                    URI.create("file:////x"),
                    URI.create("file://x"),
                    URI.create("file:x"),
                    URI.create("FILE:x"),
                    URI.create("file:X"),
                    URI.create("x"),
                    URI.create("//x"),
                    URI.create("/x"),
                    URI.create(""));

            for (URI one : uris) {
                for (URI two : uris) {
                    assertEquals(one.equals(two), KeyText.of(one).equals(KeyText.of(two)), one + " and " + two);
                }
            }
        }

        @Test
        void doubles_haveTheShortestTextThatReadsBack() {
            SplittableRandom random = new SplittableRandom(SEED);
            for (int i = 0; i < 20_000; i++) {
                double value = Double.longBitsToDouble(random.nextLong());
                float small = Float.intBitsToFloat(random.nextInt());
                double read = Double.parseDouble(inBrackets(KeyText.of(value)));
                float readSmall = Float.parseFloat(inBrackets(KeyText.of(small)));

                assertEquals(0, Double.compare(value, read), () -> "seed " + SEED + ", " + value);
                assertEquals(0, Float.compare(small, readSmall), () -> "seed " + SEED + ", " + small);
            }
        }

        private String inBrackets(String text) {
            return text.substring(text.indexOf('(') + 1, text.length() - 1);
        }
    }

    @Nested
    class WhenRefused {
        private String refusal(Object value) {
            return assertThrows(IllegalArgumentException.class, () -> KeyText.of(value))
                    .getMessage();
        }

        @Test
        @Tag("C-151")
        void anIdentity_isRefused_namingTheParameterAndWhatToDo() {
            Object plain = new Object();

            String message = assertThrows(
                            IllegalArgumentException.class, () -> KeyText.ofCall("io.example.Users.find", "a", plain))
                    .getMessage();

            assertEquals(
                    "io.example.Users.find: argument 2 of 2 (java.lang.Object) has no text that is the same in every JVM;"
                            + " pass a stable part of it, such as its id, or give the region keys(Function)",
                    message);
        }

        @Test
        @Tag("C-151")
        void anIdentityWithin_isRefused_namingBoth() {
            String message = refusal(List.of(Map.of("a", Optional.of(new AtomicInteger()))));

            assertTrue(
                    message.startsWith("the key (java.util.ImmutableCollections$List12) holds a"
                            + " java.util.concurrent.atomic.AtomicInteger, which has no text"),
                    message);
        }

        @Test
        @Tag("C-151")
        void whateverHasNoSpecifiedText_isRefused() {
            Runnable lambda = () -> {};
            for (Object value : List.of(
                    lambda,
                    lambda.getClass(),
                    new StringBuilder("a"),
                    new AtomicInteger(1),
                    new Date(0),
                    Path.of("a"),
                    Map.of("a", 1).values(),
                    Thread.currentThread(),
                    new Wider())) {
                assertThrows(IllegalArgumentException.class, () -> KeyText.of(value), value.getClass()::getName);
            }
        }

        @Test
        void aValueInItself_isRefused_notAnOverflow() {
            List<Object> list = new ArrayList<>();
            list.add(list);
            Object[] array = new Object[2];
            array[0] = array[1] = array;
            Map<Object, Object> map = new HashMap<>();
            map.put("a", map);

            for (Object cycle : List.of(array, new Pair(1, list), Optional.of(map))) {
                String message = refusal(cycle);
                assertTrue(message.contains("contains itself, or nests deeper than 32 levels"), message);
            }
        }

        @Test
        void theDeepestLevel_passes_andOneMoreIsRefused() {
            Object value = "a";
            for (int i = 0; i < KeyText.DEEPEST_LEVEL; i++) {
                value = List.of(value);
            }
            Object deepest = value;

            assertEquals(
                    "list(".repeat(KeyText.DEEPEST_LEVEL) + "a" + ")".repeat(KeyText.DEEPEST_LEVEL),
                    KeyText.of(deepest));
            refusal(List.of(deepest));
        }

        @Test
        void theLongestText_passes_andOneMoreCharacterIsRefused() {
            String longest = "a".repeat(KeyText.MOST_CHARACTERS);

            assertEquals(longest, KeyText.of(longest));
            assertEquals(
                    "the key (java.lang.String) has a text of more than 1048576 characters; pass a stable part of it,"
                            + " such as its id, or give the region keys(Function)",
                    refusal(longest + "a"));
            refusal(" ".repeat(KeyText.MOST_CHARACTERS / 3 + 1));
            refusal(Collections.nCopies(Integer.MAX_VALUE, ""));
            refusal(new byte[KeyText.MOST_CHARACTERS / 2]);
            refusal(new char[KeyText.MOST_CHARACTERS]);
            refusal(new long[KeyText.MOST_CHARACTERS / 2]);
            refusal(Set.of(longest.substring(1), "a"));
        }

        @Test
        void wideSharing_isRefusedByItsLength() {
            Set<Object> value = new HashSet<>(Set.of("a"));
            for (int i = 0; i < KeyText.DEEPEST_LEVEL - 1; i++) {
                value = Set.of(value, List.of(value));
            }

            String message = refusal(value);
            assertTrue(message.contains(" characters;") || message.contains(" levels;"), message);
        }

        @Test
        void hugeNumbers_areRefusedBeforeTheirDigitsAreMade() {
            BigInteger huge = BigInteger.ONE.shiftLeft(KeyText.MOST_BITS_OF_A_NUMBER);

            assertTrue(refusal(huge).contains("more than 32768 bits"));
            assertTrue(refusal(new BigDecimal(huge, 3)).contains("more than 32768 bits"));
            assertEquals("BigInteger(" + huge.shiftRight(1) + ")", KeyText.of(huge.shiftRight(1)));
            assertEquals(
                    "BigDecimal(1E+2147483647)", KeyText.of(new BigDecimal(BigInteger.ONE, Integer.MIN_VALUE + 1)));
        }

        @Test
        void aRecordWhoseAccessorThrows_isRefused_withTheCause() {
            IllegalArgumentException refusal =
                    assertThrows(IllegalArgumentException.class, () -> KeyText.of(new Faulty(1)));

            assertTrue(refusal.getMessage().contains(HERE + "Faulty.x() threw"), refusal.getMessage());
            assertSame(IllegalStateException.class, refusal.getCause().getClass());
        }

        @Test
        void theMessage_showsNoValue_andCutsALongNamespace() {
            String message = assertThrows(
                            IllegalArgumentException.class,
                            () -> KeyText.ofCall("n".repeat(101), "secret", List.of("secret", new Object())))
                    .getMessage();

            assertFalse(message.contains("secret"), message);
            assertTrue(message.startsWith("n".repeat(100) + "...: argument 2 of 2 ("), message);
        }
    }

    /** Random values of few leaves, so that equal ones and near misses are common. */
    @Nested
    class OverRandomValues {
        private static final int PAIRS = 200_000;
        private static final List<String> STRINGS = List.of(
                "",
                "a",
                "b",
                "a,b",
                "1",
                "null",
                "null()",
                "int(1)",
                "(",
                ")",
                ",",
                "%",
                "%2C",
                "~",
                " ",
                "\0",
                "str()",
                "list(a)",
                "x=",
                "\ud83d",
                "\ude00",
                "\ud83d\ude00",
                "?",
                "\u00e9",
                "e\u0301",
                "f/(a)",
                "%~",
                "1.0",
                "a),b",
                "(a");
        private static final List<Object> LEAVES = List.of(
                true,
                (byte) 1,
                (short) 1,
                1,
                2,
                1L,
                2L,
                '1',
                'a',
                '(',
                '\ud83d',
                1.0,
                2.0,
                0.0,
                -0.0,
                Double.NaN,
                1.0f,
                Float.NaN,
                BigInteger.ONE,
                BigDecimal.ONE,
                new BigDecimal("1.0"),
                new BigDecimal("1.00"),
                Colour.RED,
                Colour.GREEN,
                Other.RED,
                new Empty(),
                String.class,
                int.class,
                Optional.empty(),
                OptionalInt.empty(),
                OptionalInt.of(1),
                OptionalLong.of(1),
                OptionalDouble.of(1),
                Year.of(1),
                Duration.ZERO,
                Period.ZERO,
                Locale.ROOT,
                Locale.GERMAN,
                URI.create("a"),
                ZoneOffset.UTC,
                new UUID(1, 1));

        private Object leaf(SplittableRandom random) {
            int kind = random.nextInt(8);
            if (kind == 0) {
                return null;
            }
            if (kind < 3) { // the first four often: what differs in boundaries only must meet
                return STRINGS.get(random.nextInt(4));
            }
            return kind < 5 ? STRINGS.get(random.nextInt(STRINGS.size())) : LEAVES.get(random.nextInt(LEAVES.size()));
        }

        private Object value(SplittableRandom random, int depth) {
            if (depth == 0 || random.nextInt(3) == 0) {
                return leaf(random);
            }
            int size = random.nextInt(4);
            List<Object> parts = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                parts.add(value(random, depth - 1));
            }
            switch (random.nextInt(8)) {
                case 0:
                    return new LinkedHashSet<>(parts);
                case 1:
                    Map<Object, Object> map = new LinkedHashMap<>();
                    parts.forEach(part -> map.put(part, value(random, depth - 1)));
                    return map;
                case 2:
                    return parts.toArray();
                case 3:
                    return new Pair(value(random, depth - 1), leaf(random));
                case 4:
                    return new Twin(value(random, depth - 1), leaf(random));
                case 5:
                    return Optional.ofNullable(value(random, depth - 1));
                case 6:
                    return primitives(random, size);
                default:
                    return parts;
            }
        }

        private Object primitives(SplittableRandom random, int size) {
            switch (random.nextInt(4)) {
                case 0:
                    return random.ints(size, 0, 2).toArray();
                case 1:
                    return random.longs(size, 0, 2).toArray();
                case 2:
                    return random.ints(size, 0, 2).asDoubleStream().toArray();
                default:
                    byte[] bytes = new byte[size];
                    for (int i = 0; i < size; i++) {
                        bytes[i] = (byte) random.nextInt(2);
                    }
                    return bytes;
            }
        }

        /** A copy, of other classes and in another order where equality allows; once in a while with a leaf changed. */
        private Object copy(Object value, SplittableRandom random, int oneIn) {
            if (value instanceof List<?> list) {
                List<Object> copy = new LinkedList<>();
                list.forEach(part -> copy.add(copy(part, random, oneIn)));
                return copy;
            }
            if (value instanceof Set<?> set) {
                List<Object> parts = new ArrayList<>();
                set.forEach(part -> parts.add(copy(part, random, oneIn)));
                Collections.reverse(parts);
                return new LinkedHashSet<>(parts);
            }
            if (value instanceof Map<?, ?> map) {
                List<Object> keys = new ArrayList<>(map.keySet());
                Collections.reverse(keys);
                Map<Object, Object> copy = new LinkedHashMap<>();
                keys.forEach(key -> copy.put(copy(key, random, oneIn), copy(map.get(key), random, oneIn)));
                return copy;
            }
            if (value instanceof Object[] array) {
                return Arrays.stream(array)
                        .map(part -> copy(part, random, oneIn))
                        .toArray();
            }
            if (value instanceof Pair pair) {
                return new Pair(copy(pair.left, random, oneIn), copy(pair.right, random, oneIn));
            }
            if (value instanceof Twin twin) {
                return new Twin(copy(twin.left, random, oneIn), copy(twin.right, random, oneIn));
            }
            if (value instanceof Optional<?> optional && optional.isPresent()) {
                return Optional.ofNullable(copy(optional.get(), random, oneIn));
            }
            return oneIn > 0 && random.nextInt(oneIn) == 0 ? leaf(random) : value;
        }

        /** Equality by what is held, arrays within anything included. */
        private boolean same(Object one, Object two) {
            if (one instanceof List<?> a && two instanceof List<?> b) {
                return sameInOrder(a, b);
            }
            if (one instanceof Set<?> a && two instanceof Set<?> b) {
                return sameInAnyOrder(new ArrayList<>(a), new ArrayList<>(b));
            }
            if (one instanceof Map<?, ?> a && two instanceof Map<?, ?> b) {
                return sameInAnyOrder(new ArrayList<>(a.entrySet()), new ArrayList<>(b.entrySet()));
            }
            if (one instanceof Map.Entry<?, ?> a && two instanceof Map.Entry<?, ?> b) {
                return same(a.getKey(), b.getKey()) && same(a.getValue(), b.getValue());
            }
            if (one instanceof Object[] a && two instanceof Object[] b) {
                return sameInOrder(Arrays.asList(a), Arrays.asList(b));
            }
            if (one instanceof Pair a && two instanceof Pair b) {
                return same(a.left, b.left) && same(a.right, b.right);
            }
            if (one instanceof Twin a && two instanceof Twin b) {
                return same(a.left, b.left) && same(a.right, b.right);
            }
            if (one instanceof Optional<?> a && two instanceof Optional<?> b) {
                return same(a.orElse(null), b.orElse(null));
            }
            return Objects.deepEquals(one, two);
        }

        private boolean sameInOrder(List<?> one, List<?> two) {
            for (int i = 0; i < one.size() && one.size() == two.size(); i++) {
                if (!same(one.get(i), two.get(i))) {
                    return false;
                }
            }
            return one.size() == two.size();
        }

        private boolean sameInAnyOrder(List<?> one, List<?> two) {
            List<Object> left = new ArrayList<>(two);
            for (Object part : one) {
                boolean found = false;
                for (int i = 0; i < left.size() && !found; i++) {
                    found = same(part, left.get(i));
                    if (found) {
                        left.remove(i);
                    }
                }
                if (!found) {
                    return false;
                }
            }
            return left.isEmpty();
        }

        @Test
        @Tag("C-149")
        void pairs_haveOneTextIfAndOnlyIfTheyAreEqual() {
            SplittableRandom random = new SplittableRandom(SEED);
            int equal = 0;
            for (int i = 0; i < PAIRS; i++) {
                Object one = value(random, 3);
                Object two = random.nextInt(4) == 0 ? value(random, 3) : copy(one, random, random.nextInt(6));
                String text = KeyText.of(one);
                String other = KeyText.of(two);
                boolean same = same(one, two);
                equal += same ? 1 : 0;
                int pair = i;

                assertEquals(
                        same,
                        text.equals(other),
                        () -> "seed " + SEED + ", pair " + pair + ": " + text + " and " + other);
                assertEquals(
                        same,
                        Arrays.equals(text.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8)),
                        () -> "seed " + SEED + ", pair " + pair + ", in UTF-8");
            }
            assertTrue(equal > PAIRS / 10 && equal < PAIRS * 9 / 10, "seed " + SEED + ": " + equal + " equal pairs");
        }

        @Test
        @Tag("C-149")
        void noTwoOfManyCalls_shareATextUnlessEqual() {
            SplittableRandom random = new SplittableRandom(SEED + 1);
            Map<String, Object[]> calls = new HashMap<>();
            for (int i = 0; i < PAIRS; i++) {
                Object[] arguments = new Object[random.nextInt(4)];
                Arrays.setAll(arguments, index -> value(random, 1));
                String text = KeyText.ofCall("f", arguments);
                Object[] before = calls.putIfAbsent(text, arguments);

                assertTrue(before == null || same(before, arguments), () -> "seed " + (SEED + 1) + ": " + text);
            }
            assertTrue(calls.size() > PAIRS / 4, "seed " + (SEED + 1) + ": " + calls.size() + " texts");
        }

        @Test
        @Tag("E-016")
        void everyText_isFitForEveryStore() {
            SplittableRandom random = new SplittableRandom(SEED + 2);
            KeyLimit limit = KeyLimit.of(KeyLimit.LEAST);
            for (int i = 0; i < PAIRS / 10; i++) {
                String text = KeyText.of(value(random, 3));
                String read = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);

                assertEquals(text, read, "seed " + (SEED + 2));
                assertTrue(text.chars().allMatch(c -> c > ' ' && c != 0x7f), text);
                assertFalse(text.isEmpty() || text.startsWith("~") || text.contains("%~"), text);
                assertTrue(limit.apply(text).getBytes(StandardCharsets.UTF_8).length < KeyLimit.LEAST, text);
            }
        }
    }

    @Test
    @Tag("C-149")
    void aClassWithoutPackage_isNotTakenForATag() throws Exception {
        Class<?> type = Class.forName("WithoutPackage");

        assertEquals(".WithoutPackage(ONE)", KeyText.of(type.getEnumConstants()[0]));
        assertEquals("Class(.WithoutPackage)", KeyText.of(type));
    }

    @Test
    void recordsOfAPrivateClass_areRead() {
        assertTrue(Modifier.isPrivate(Hidden.class.getModifiers()));
        assertEquals(HERE + "Hidden(a=int(1))", KeyText.of(new Hidden(1)));
    }

    private record Hidden(int a) {}
}
